"""What is asked: requests as files for the load, each whole with its head or, of gRPC, with its length."""

import dataclasses

import numpy as np
from tritonclient.grpc import service_pb2

from session import COLUMNS

BODIES = 32


@dataclasses.dataclass(frozen=True)
class Case:
    """`way` is what the load does: `http`, `calls` or `streams`; `form` how numbers are written."""

    name: str
    way: str
    form: str
    rows: int

    def rows_of(self, tensors):
        """The rows of each request, as numbers of six decimals."""
        mean, deviation = tensors["normalization.mean"], tensors["normalization.deviation"]
        random = np.random.default_rng(self.rows)
        rows = mean + deviation * random.standard_normal((BODIES, self.rows, COLUMNS))
        return np.round(rows, 6)

    def write(self, rows, name, folder):
        """`name` is what the input is called."""
        folder.mkdir(parents=True)
        for number, each in enumerate(rows):
            (folder / f"{number:02}").write_bytes(WRITERS[self.form](each, name))


FORMS = [
    ("{}, JSON", "http", "json", [1, 32]),
    ("{}, binary", "http", "binary", [1, 32]),
    ("{}, gRPC", "calls", "grpc", [1, 32]),
    ("{}, gRPC streams", "streams", "grpc", [1]),
]
CASES = [
    Case(name.format(f"{rows} row{'s' if rows > 1 else ''}"), way, form, rows)
    for name, way, form, counts in FORMS
    for rows in counts
]


def json_request(rows, name):
    data = ",".join(f"{value:.6f}" for value in rows.ravel())
    body = f'{{"inputs":[{{"name":"{name}","shape":[{len(rows)},{COLUMNS}],"datatype":"FP32","data":[{data}]}}]}}'
    return whole(body.encode(), "Content-Type: application/json\r\n")


def binary_request(rows, name):
    data = rows.astype("<f4").tobytes()
    text = (
        f'{{"inputs":[{{"name":"{name}","shape":[{len(rows)},{COLUMNS}],"datatype":"FP32",'
        f'"parameters":{{"binary_data_size":{len(data)}}}}}],"parameters":{{"binary_data_output":true}}}}'
    )
    head = f"Content-Type: application/octet-stream\r\nInference-Header-Content-Length: {len(text)}\r\n"
    return whole(text.encode() + data, head)


def whole(body, head):
    first = f"POST /v2/models/wine/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return first.encode() + body


def grpc_request(rows, name):
    request = service_pb2.ModelInferRequest(model_name="wine")
    request.inputs.add(name=name, datatype="FP32", shape=rows.shape)
    request.raw_input_contents.append(rows.astype("<f4").tobytes())
    message = request.SerializeToString()
    return b"\0" + len(message).to_bytes(4, "big") + message


WRITERS = {"json": json_request, "binary": binary_request, "grpc": grpc_request}


def chosen(words):
    """Those that have one of the words in their names, or all of them."""
    return [case for case in CASES if not words or any(word in case.name for word in words)]
