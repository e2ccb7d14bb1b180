"""Asks a server, whose URL is the first argument, by the protocol's official client."""

import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1].removeprefix("http://"))
assert client.is_server_live() and client.is_server_ready()
metadata = client.get_server_metadata()
assert metadata["name"] == "maas" and metadata["extensions"] == [], metadata

for name, version in [("linear", ""), ("linear", "1"), ("red wine Ü", "")]:
    assert client.is_model_ready(name, version)
    metadata = client.get_model_metadata(name, version)
    assert metadata["name"] == name and metadata["versions"] == ["1"], metadata
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}], metadata
    rows = np.random.default_rng(7).normal(size=(32, 3)).astype(np.float32)
    given = triton.InferInput("x", rows.shape, "FP32")
    given.set_data_from_numpy(rows, binary_data=False)
    expected = rows @ np.array([[0.1], [-2.0], [30.0]], np.float32) + 1
    wanted = [triton.InferRequestedOutput("y", binary_data=False)]
    for outputs in [wanted, None]:
        result = client.infer(name, [given], model_version=version, outputs=outputs, request_id="42")
        assert result.get_response()["id"] == "42"
        np.testing.assert_allclose(result.as_numpy("y"), expected, rtol=1e-5, atol=1e-5)

values = {
    "BOOL": np.array([[True, False]]),
    "BYTES": np.array([[b"red", "Ü, \"[\\".encode()]], np.object_),
    "FP32": np.array([[0.1, -3.4028235e38]], np.float32),
    "FP64": np.array([[0.1, 1e308]], np.float64),
}
for bits in [8, 16, 32, 64]:
    for kind, name in [("int", "INT"), ("uint", "UINT")]:
        limits = np.iinfo(f"{kind}{bits}")
        values[f"{name}{bits}"] = np.array([[limits.min, limits.max]], limits.dtype)
for dtype, array in values.items():
    given = triton.InferInput("in", array.shape, dtype)
    given.set_data_from_numpy(array, binary_data=False)
    result = client.infer(f"echo_{dtype}", [given], outputs=[triton.InferRequestedOutput("out", binary_data=False)])
    answer = result.as_numpy("out")
    assert answer.dtype == array.dtype, (dtype, answer.dtype)
    as_bytes = lambda element: element.encode() if isinstance(element, str) else element
    assert [as_bytes(x) for x in answer.ravel()] == list(array.ravel()), (dtype, answer, array)


def refused(status, says, call):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == status and says in error.message(), error
    else:
        raise AssertionError(f"not refused: {says}")


def infer(name, tensor, array, **more):
    given = triton.InferInput(tensor, array.shape, "FP32")
    given.set_data_from_numpy(array, binary_data=more.pop("binary_data", False))
    client.infer(name, [given], **more)


row = np.zeros((1, 3), np.float32)
assert not client.is_model_ready("beer")
refused("404", "no model is called `beer`", lambda: client.get_model_metadata("beer"))
refused("404", "no model is called `beer`", lambda: infer("beer", "x", row))
refused("404", "no version `7`", lambda: infer("linear", "x", row, model_version="7"))
refused("400", "no input `z`", lambda: infer("linear", "z", row))
refused("400", "must be of shape [any, 3]", lambda: infer("linear", "x", np.zeros((1, 4), np.float32)))
refused("400", "no output `z`", lambda: infer("linear", "x", row, outputs=[triton.InferRequestedOutput("z")]))
refused("501", "binary tensor data is not supported", lambda: infer("linear", "x", row, binary_data=True))
print("the official client is content")
