"""Asks a server, whose URL is the first argument, by the protocol's official client over gRPC."""

import queue
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
metadata = client.get_server_metadata()
assert metadata.name == "maas" and "statistics" in metadata.extensions, metadata


def rows_and_sums(count):
    rows = np.random.default_rng(7).normal(size=(count, 3)).astype(np.float32)
    return rows, rows @ np.array([[0.1], [-2.0], [30.0]], np.float32) + 1


def given(name, array, dtype="FP32"):
    tensor = triton.InferInput(name, array.shape, dtype)
    tensor.set_data_from_numpy(array)
    return tensor


for name, version in [("linear", ""), ("linear", "1"), ("red wine Ü", "")]:
    assert client.is_model_ready(name, version)
    metadata = client.get_model_metadata(name, version)
    assert metadata.name == name and list(metadata.versions) == ["1"], metadata
    assert [(x.name, x.datatype, list(x.shape)) for x in metadata.inputs] == [("x", "FP32", [-1, 3])], metadata
    config = client.get_model_config(name, version).config
    assert config.name == name and list(config.input[0].dims) == [3] and config.max_batch_size > 0, config
    for count, compression in [(32, None), (0, None), (32, "gzip"), (32, "deflate")]:
        rows, expected = rows_and_sums(count)
        for outputs in [[triton.InferRequestedOutput("y")], None]:
            result = client.infer(
                name, [given("x", rows)], model_version=version, outputs=outputs, request_id="42",
                client_timeout=20, priority=1, timeout=20_000_000, compression_algorithm=compression,
            )
            assert result.get_response().id == "42"
            np.testing.assert_allclose(result.as_numpy("y"), expected, rtol=1e-5, atol=1e-5)

values = {
    "BOOL": np.array([[True, False]]),
    "BYTES": np.array([[b"red", b"\xff\0"]], np.object_),
    "FP32": np.array([[np.nan, -np.inf]], np.float32),
    "FP64": np.array([[0.1, 1e308]], np.float64),
}
for bits in [8, 16, 32, 64]:
    for kind, name in [("int", "INT"), ("uint", "UINT")]:
        limits = np.iinfo(f"{kind}{bits}")
        values[f"{name}{bits}"] = np.array([[limits.min, limits.max]], limits.dtype)
for dtype, array in values.items():
    answer = client.infer(f"echo_{dtype}", [given("in", array, dtype)]).as_numpy("out")
    assert answer.dtype == array.dtype, (dtype, answer.dtype)
    np.testing.assert_array_equal(answer, array)

answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)))
rows, expected = rows_and_sums(1)
for index in range(20):
    client.async_stream_infer("beer" if index == 7 else "linear", [given("x", rows)], request_id=str(index))
for index in range(20):
    result, error = answers.get(timeout=20)
    if index == 7:
        assert "no model is called `beer`" in error.message(), error
    else:
        assert error is None and result.get_response().id == str(index), error
        np.testing.assert_allclose(result.as_numpy("y"), expected, rtol=1e-5, atol=1e-5)
client.stop_stream()

statistics = client.get_inference_statistics("linear").model_stats
assert len(statistics) == 1 and statistics[0].inference_stats.success.count >= 19, statistics
index = client.get_model_repository_index().models
assert ("linear", "1", "READY") in [(entry.name, entry.version, entry.state) for entry in index], index


def refused(status, says, call):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{status}" and says in error.message(), error
    else:
        raise AssertionError(f"not refused: {says}")


row = np.zeros((1, 3), np.float32)
assert not client.is_model_ready("beer")
refused("NOT_FOUND", "no model is called `beer`", lambda: client.get_model_metadata("beer"))
refused("NOT_FOUND", "no model is called `beer`", lambda: client.infer("beer", [given("x", row)]))
refused("NOT_FOUND", "no version `7`", lambda: client.infer("linear", [given("x", row)], model_version="7"))
refused("INVALID_ARGUMENT", "no input `z`", lambda: client.infer("linear", [given("z", row)]))
refused("INVALID_ARGUMENT", "must be of shape", lambda: client.infer("linear", [given("x", np.zeros((1, 4), np.float32))]))
refused(
    "INVALID_ARGUMENT", "no output `z`",
    lambda: client.infer("linear", [given("x", row)], outputs=[triton.InferRequestedOutput("z")]),
)
refused("UNIMPLEMENTED", "", lambda: client.get_trace_settings())
print("the official client over gRPC is content")
