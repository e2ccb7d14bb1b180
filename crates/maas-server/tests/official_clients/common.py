"""Tensors that the server is asked with, and what it must answer."""

import numpy as np

WEIGHTS = np.array([[0.1], [-2.0], [30.0]], np.float32)


def rows():
    return np.random.default_rng(7).normal(size=(32, 3)).astype(np.float32)


def linear(rows):
    return rows @ WEIGHTS + 1


def values():
    """Two values of each type that numpy has, at its ends."""
    values = {
        "BOOL": np.array([[True, False]]),
        "BYTES": np.array([[b"red", "Ü, \"[\\".encode()]], np.object_),
        "FP16": np.array([[0.5, -65504.0]], np.float16),
        "FP32": np.array([[0.1, -3.4028235e38]], np.float32),
        "FP64": np.array([[0.1, 1e308]], np.float64),
    }
    for bits in [8, 16, 32, 64]:
        for kind, name in [("int", "INT"), ("uint", "UINT")]:
            limits = np.iinfo(f"{kind}{bits}")
            values[f"{name}{bits}"] = np.array([[limits.min, limits.max]], limits.dtype)
    return values


def same(answer, array):
    as_bytes = lambda element: element.encode() if isinstance(element, str) else element
    assert answer.dtype == array.dtype, (array.dtype, answer.dtype)
    assert [as_bytes(x) for x in answer.ravel()] == list(array.ravel()), (answer, array)


def refused(status, says, call):
    """That a call of a Triton client fails with this status and text."""
    from tritonclient.utils import InferenceServerException

    try:
        call()
    except InferenceServerException as error:
        assert status in error.status() and says in error.message(), error
    else:
        raise AssertionError(f"not refused: {says}")
