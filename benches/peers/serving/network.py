"""The network of the quickstart, from the file that it leaves: to check everybody's answers, and as ONNX for the servers in Python."""

import json
import pathlib

import graphs
import numpy as np
import onnx

from session import COLUMNS


class Network:
    """Dense layers with relu between them; what the file does to its columns before and after is part of the first and the last one."""

    def __init__(self, path):
        tensors = read(path)
        names = ["dense", "dense_1", "dense_2", "dense_3"]
        layers = [(tensors[f"{name}.kernel"], tensors[f"{name}.bias"]) for name in names]
        kernel, bias = layers[0]
        mean, deviation = tensors["normalization.mean"], tensors["normalization.deviation"]
        kernel = kernel / deviation[:, None]
        layers[0] = kernel, bias - mean @ kernel
        kernel, bias = layers[-1]
        mean, deviation = tensors["denormalization.mean"], tensors["denormalization.deviation"]
        layers[-1] = kernel * deviation, bias * deviation + mean
        self.layers = [(k.astype(np.float32), b.astype(np.float32)) for k, b in layers]

    def __call__(self, x):
        for number, (kernel, bias) in enumerate(self.layers):
            x = (np.maximum(x, 0) if number else x) @ kernel + bias
        return x

    def save_onnx(self, path):
        widths = [COLUMNS, *(len(bias) for _, bias in self.layers)]
        onnx.save(graphs.graph(self.layers, widths), path)


def read(path):
    """The tensors of a file `.safetensors`, by name."""
    data = pathlib.Path(path).read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    head = json.loads(data[8:begin])
    head.pop("__metadata__", None)
    return {name: tensor(data[begin:], told) for name, told in head.items()}


def tensor(data, told):
    first, last = told["data_offsets"]
    return np.frombuffer(data[first:last], "<f4").reshape(told["shape"]).astype(np.float64)
