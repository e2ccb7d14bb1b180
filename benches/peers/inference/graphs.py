"""A network as ONNX: of single precision, and of int8 by the tools of ONNX Runtime."""

import logging

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from machine import dots_bytes

PIECES = 8


def write(layers, widths, calibration, folder):
    logging.getLogger().setLevel(logging.ERROR)
    plain = folder / "f32.onnx"
    onnx.save(graph(layers, widths), plain)
    if not layers:
        return
    # Products of a u8 and an i8 are added in pairs of 16 bits where the processor has no dot product of bytes: with
    # weights of seven bits they do not saturate.
    options = {"per_channel": True, "weight_type": QuantType.QInt8, "reduce_range": not dots_bytes()}
    quantize_dynamic(plain, folder / "dynamic.onnx", **options)
    reader = Rows(calibration)
    quantize_static(plain, folder / "static.onnx", reader, quant_format=QuantFormat.QDQ, **options)


def graph(layers, widths):
    nodes, constants, value = [], [], "x"
    for index, (kernel, bias) in enumerate(layers):
        constants += [numpy_helper.from_array(kernel, f"w{index}"), numpy_helper.from_array(bias, f"b{index}")]
        nodes.append(helper.make_node("MatMul", [value, f"w{index}"], [f"xw{index}"]))
        nodes.append(helper.make_node("Add", [f"xw{index}", f"b{index}"], [f"y{index}"]))
        value = f"y{index}"
        if index + 1 < len(layers):
            nodes.append(helper.make_node("Relu", [value], [f"relu{index}"]))
            value = f"relu{index}"
    if not layers:
        nodes.append(helper.make_node("Relu", [value], ["y"]))
        value = "y"
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        for name, width in [("x", widths[0]), (value, widths[-1])]
    )
    whole = helper.make_graph(nodes, "network", [x], [y], constants)
    # The versions that DeepSparse reads.
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class Rows(CalibrationDataReader):
    def __init__(self, rows):
        self.pieces = iter(np.split(rows, PIECES))

    def get_next(self):
        rows = next(self.pieces, None)
        return None if rows is None else {"x": rows}
