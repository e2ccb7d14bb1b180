"""Asks a server, whose URL is the first argument, by Triton's client over HTTP."""

import sys

import numpy as np
import tritonclient.http as triton
from common import linear, refused, rows, same, values

client = triton.InferenceServerClient(sys.argv[1].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
metadata = client.get_server_metadata()
assert metadata["name"] == "maas" and "binary_tensor_data" in metadata["extensions"], metadata


def tensor(name, array, dtype, binary):
    given = triton.InferInput(name, array.shape, dtype)
    given.set_data_from_numpy(array, binary_data=binary)
    return given


rows = rows()
for name, version in [("linear", ""), ("linear", "1"), ("red wine Ü", "")]:
    assert client.is_model_ready(name, version)
    metadata = client.get_model_metadata(name, version)
    assert metadata["name"] == name and metadata["versions"] == ["1"], metadata
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}], metadata
    assert client.get_model_config(name, version)["input"][0]["data_type"] == "TYPE_FP32"
    for sent in [False, True]:
        wanted = [[triton.InferRequestedOutput("y", binary_data=answered)] for answered in [False, True]]
        for outputs in [*wanted, None]:
            given = [tensor("x", rows, "FP32", sent)]
            for packed in [None, "gzip", "deflate"]:
                result = client.infer(
                    name, given, model_version=version, outputs=outputs, request_id="42",
                    request_compression_algorithm=packed, response_compression_algorithm=packed,
                )
                assert result.get_response()["id"] == "42"
                np.testing.assert_allclose(result.as_numpy("y"), linear(rows), rtol=1e-5, atol=1e-5)

for dtype, array in values().items():
    for binary in [False, True]:
        if dtype == "FP16" and not binary:
            continue
        outputs = [triton.InferRequestedOutput("out", binary_data=binary)]
        result = client.infer(f"echo_{dtype}", [tensor("in", array, dtype, binary)], outputs=outputs)
        same(result.as_numpy("out"), array)

requests = [client.async_infer("linear", [tensor("x", rows[i : i + 1], "FP32", True)]) for i in range(32)]
for i, request in enumerate(requests):
    np.testing.assert_allclose(request.get_result().as_numpy("y"), linear(rows[i : i + 1]), rtol=1e-5, atol=1e-5)

index = client.get_model_repository_index()
assert {"name": "linear", "version": "1", "state": "READY"} in index, index
statistics = client.get_inference_statistics("linear")["model_stats"][0]
assert statistics["inference_stats"]["success"]["count"] > 32, statistics
assert statistics["inference_count"] > 32 * 32, statistics


def infer(name, named, array, **more):
    client.infer(name, [tensor(named, array, "FP32", True)], **more)


row = np.zeros((1, 3), np.float32)
assert not client.is_model_ready("beer")
refused("404", "no model is called `beer`", lambda: client.get_model_metadata("beer"))
refused("404", "no model is called `beer`", lambda: infer("beer", "x", row))
refused("404", "no version `7`", lambda: infer("linear", "x", row, model_version="7"))
refused("400", "no input `z`", lambda: infer("linear", "z", row))
refused("400", "must be of shape [any, 3]", lambda: infer("linear", "x", np.zeros((1, 4), np.float32)))
refused("400", "no output `z`", lambda: infer("linear", "x", row, outputs=[triton.InferRequestedOutput("z")]))
print("Triton's client over HTTP is content")
