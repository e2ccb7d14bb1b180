"""Makes wine.onnx: a network 11-16-1 on the Wine Quality data, as scikit-learn trains it, with its rows standardised inside.

pip install numpy scikit-learn onnx; python wine_onnx.py
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.neural_network import MLPRegressor

here = Path(__file__).parent
table = np.loadtxt(here / "winequality-red.csv", delimiter=",", skiprows=1)
rows, grades = table[:, :-1], table[:, -1]
mean, deviation = rows.mean(axis=0), rows.std(axis=0)
network = MLPRegressor(hidden_layer_sizes=(16,), random_state=7, max_iter=2000).fit((rows - mean) / deviation, grades)


def constant(name, values):
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


graph = helper.make_graph(
    [
        helper.make_node("Sub", ["wine", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["standard"]),
        helper.make_node("Gemm", ["standard", "w1", "b1"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["grade"]),
    ],
    "wine",
    [helper.make_tensor_value_info("wine", TensorProto.FLOAT, ["rows", 11])],
    [helper.make_tensor_value_info("grade", TensorProto.FLOAT, ["rows", 1])],
    [
        constant("mean", mean),
        constant("deviation", deviation),
        constant("w1", network.coefs_[0]),
        constant("b1", network.intercepts_[0]),
        constant("w2", network.coefs_[1]),
        constant("b2", network.intercepts_[1]),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, here / "wine.onnx")
print("root of the mean squared error", np.sqrt(np.mean((network.predict((rows - mean) / deviation) - grades) ** 2)))
