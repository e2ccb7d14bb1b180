"""Asks a server, whose URL is the first argument, by the clients of KServe's SDK, over REST and gRPC."""

import asyncio
import sys

import numpy as np
from common import linear, rows
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

url = sys.argv[1]
rows = rows()


def request():
    given = InferInput("x", list(rows.shape), "FP32")
    given.set_data_from_numpy(rows, binary_data=False)
    return InferRequest(model_name="linear", infer_inputs=[given], request_id="42")


def check(answer):
    assert answer.id == "42", answer
    y = answer.outputs[0]
    np.testing.assert_allclose(np.asarray(y.as_numpy()).reshape(-1, 1), linear(rows), rtol=1e-5, atol=1e-5)


async def rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, "linear")
    check(await client.infer(url, request(), model_name="linear"))
    await client.close()


async def grpc():
    client = InferenceGRPCClient(url.removeprefix("http://"))
    assert await client.is_server_live() and await client.is_server_ready()
    assert await client.is_model_ready("linear")
    check(await client.infer(request()))
    await client.close()


asyncio.run(rest())
asyncio.run(grpc())
print("KServe's clients are content")
