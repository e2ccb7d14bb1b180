"""Asks a server, whose URL is the first argument, by Triton's client over gRPC."""

import queue
import sys

import numpy as np
import tritonclient.grpc as triton
from common import linear, refused, rows, same, values

client = triton.InferenceServerClient(sys.argv[1].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata().name == "maas"


def tensor(name, array, dtype):
    given = triton.InferInput(name, array.shape, dtype)
    given.set_data_from_numpy(array)
    return given


rows = rows()
for name, version in [("linear", ""), ("linear", "1"), ("red wine Ü", "")]:
    assert client.is_model_ready(name, version)
    metadata = client.get_model_metadata(name, version)
    assert metadata.name == name and list(metadata.versions) == ["1"], metadata
    assert list(metadata.inputs[0].shape) == [-1, 3] and metadata.inputs[0].datatype == "FP32", metadata
    assert client.get_model_config(name, version).config.input[0].name == "x"
    for count, packed in [(32, None), (0, None), (32, "gzip"), (32, "deflate")]:
        result = client.infer(
            name, [tensor("x", rows[:count], "FP32")], model_version=version, request_id="42",
            outputs=[triton.InferRequestedOutput("y")], compression_algorithm=packed,
            client_timeout=20, priority=1, timeout=20_000_000,
        )
        assert result.get_response().id == "42"
        np.testing.assert_allclose(result.as_numpy("y"), linear(rows[:count]), rtol=1e-5, atol=1e-5)

for dtype, array in values().items():
    same(client.infer(f"echo_{dtype}", [tensor("in", array, dtype)]).as_numpy("out"), array)

answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)))
for i in range(32):
    client.async_stream_infer("linear", [tensor("x", rows[i : i + 1], "FP32")], request_id=str(i))
client.async_stream_infer("beer", [tensor("x", rows[:1], "FP32")])
client.async_stream_infer("linear", [tensor("x", rows[:1], "FP32")], request_id="last")
ids, errors = [], []
for _ in range(34):
    result, error = answers.get(timeout=20)
    if error:
        errors.append(error.message())
    else:
        ids.append(result.get_response().id)
assert ids == [str(i) for i in range(32)] + ["last"], ids
assert len(errors) == 1 and "beer" in errors[0], errors
client.stop_stream()

index = client.get_model_repository_index().models
assert any(model.name == "linear" and model.state == "READY" for model in index), index
statistics = client.get_inference_statistics("linear").model_stats[0]
assert statistics.inference_stats.success.count > 32, statistics


def infer(name, named, array, **more):
    client.infer(name, [tensor(named, array, "FP32")], **more)


row = np.zeros((1, 3), np.float32)
assert not client.is_model_ready("beer")
refused("NOT_FOUND", "no model is called `beer`", lambda: client.get_model_metadata("beer"))
refused("NOT_FOUND", "no model is called `beer`", lambda: infer("beer", "x", row))
refused("NOT_FOUND", "no version `7`", lambda: infer("linear", "x", row, model_version="7"))
refused("INVALID_ARGUMENT", "no input `z`", lambda: infer("linear", "z", row))
refused("INVALID_ARGUMENT", "must be of shape [any, 3]", lambda: infer("linear", "x", np.zeros((1, 4), np.float32)))
refused("INVALID_ARGUMENT", "no output `z`", lambda: infer("linear", "x", row, outputs=[triton.InferRequestedOutput("z")]))
print("Triton's client over gRPC is content")
