"""The network in ONNX Runtime, which answers a row in half of the time that numpy takes."""

import numpy as np
import onnxruntime

COLUMNS = 11


def load(path):
    """A function of rows of numbers, one after another."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [session.get_outputs()[0].name]

    def answer(values):
        rows = np.asarray(values, np.float32).reshape(-1, COLUMNS)
        return session.run(names, {"x": rows})[0]

    return answer
