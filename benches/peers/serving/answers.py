"""What a server answers to a case's requests, by whichever way."""

import http.client
import json

import grpc
import numpy as np
from tritonclient.grpc import service_pb2

SERVICE = "/inference.GRPCInferenceService"
# Largest difference by the largest answer.
TOLERANCE = 1e-5


def difference(server, case, folder, expected):
    """The largest one, relative, of all the requests in the folder."""
    requests = [file.read_bytes() for file in sorted(folder.iterdir())]
    answers = list(WAYS[case.way](server.port(case), requests))
    return np.abs(np.stack(answers) - expected).max() / np.abs(expected).max()


def of_http(port, requests):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for request in requests:
        head, body = request.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split()
        connection.request(method, path, body, dict(line.split(": ") for line in lines))
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(body.decode(errors="replace"))
        yield tensor(body, answer.headers.get("Inference-Header-Content-Length"))
    connection.close()


def tensor(body, header):
    """The only output, as JSON or, where the header's length is told, as the bytes behind it."""
    (output,) = json.loads(body[: int(header)] if header else body)["outputs"]
    data = np.frombuffer(body[int(header) :], "<f4") if header else np.array(output["data"], "f4")
    return data.reshape(output["shape"])


def of_calls(port, requests):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(f"{SERVICE}/ModelInfer", None, service_pb2.ModelInferResponse.FromString)
        for request in requests:
            yield message(call(request[5:]))


def of_streams(port, requests):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(
            f"{SERVICE}/ModelStreamInfer", None, service_pb2.ModelStreamInferResponse.FromString
        )
        for answer in call(iter([request[5:] for request in requests])):
            if answer.error_message:
                raise ValueError(answer.error_message)
            yield message(answer.infer_response)


def message(answer):
    (output,) = answer.outputs
    raw = answer.raw_output_contents
    data = np.frombuffer(raw[0], "<f4") if raw else np.array(output.contents.fp32_contents, "f4")
    return data.reshape(output.shape)


WAYS = {"http": of_http, "calls": of_calls, "streams": of_streams}
