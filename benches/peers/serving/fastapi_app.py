"""FastAPI as one would write it who wants it fast: the body as it is, orjson both ways, no model of pydantic, no thread.

`uvicorn fastapi_app:app`, with the file of the graph in `GRAPH`."""

import os

import orjson
from fastapi import FastAPI, Request, Response

from session import load

network = load(os.environ["GRAPH"])
app = FastAPI(openapi_url=None)


@app.post("/v2/models/wine/infer")
async def infer(request: Request):
    (given,) = orjson.loads(await request.body())["inputs"]
    if given["name"] != "x" or given["datatype"] != "FP32":
        return Response(b'{"error":"expected x of FP32"}', 400, media_type="application/json")
    answer = network(given["data"])
    output = {"name": "output", "datatype": "FP32", "shape": answer.shape, "data": answer.reshape(-1)}
    body = {"model_name": "wine", "model_version": "1", "outputs": [output]}
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
