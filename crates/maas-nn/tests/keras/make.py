"""Writes fixtures.json: outputs, gradients and running statistics that Keras 3 computes in float32.

    python make.py        # needs keras and tensorflow; written with Keras 3.15.1

Each case holds an architecture as this library reads it, its parameters, and steps: inputs, the gradient by the output,
and what Keras gives for output, gradients and state after a training step. `answer` is the output in inference
after the steps.
"""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

random = np.random.default_rng(7)
cases = []


def draw(*shape):
    return random.uniform(-1.5, 1.5, shape).astype(np.float32)


def flat(values):
    return [float(f"{value:.8g}") for value in np.asarray(values, np.float32).ravel()]


def spec(inputs, nodes):
    """Nodes are (name, layer, sources); a source is an input's number or a node's name."""
    names = [name for name, _, _ in nodes]
    source = lambda s: {"node": names.index(s)} if isinstance(s, str) else {"input": s}
    return {
        "inputs": [{"name": f"x{i}", "dtype": dtype, "shape": [-1, *shape]} for i, (dtype, shape) in enumerate(inputs)],
        "nodes": [{"name": n, "layer": layer, "inputs": [source(s) for s in sources]} for n, layer, sources in nodes],
        "output": {"node": len(nodes) - 1},
    }


def case(name, architecture, parameters, state, batches, run):
    """`run(inputs, training)` gives the output; parameters and state are named Keras variables."""
    steps, values = [], {key: flat(variable) for key, variable in parameters.items()}
    before = {key: flat(variable) for key, variable in state.items()}
    for batch in batches:
        tensors = [tf.convert_to_tensor(x) for x in batch]
        floats = [x for x in tensors if x.dtype == tf.float32]
        with tf.GradientTape() as tape:
            for x in floats:
                tape.watch(x)
            output = run(tensors, True)
            gradient = draw(*output.shape)
            loss = tf.reduce_sum(output * gradient)
        variables = [variable.value for variable in parameters.values()]
        gradients = tape.gradient(loss, variables + floats)
        dense = [tf.convert_to_tensor(g) for g in gradients]
        steps.append({
            "inputs": [[int(i) for i in x.numpy().ravel()] if x.dtype == tf.int32 else flat(x) for x in tensors],
            "output_gradient": flat(gradient),
            "output": flat(output),
            "gradients": {key: flat(g) for key, g in zip(parameters, dense)},
            "input_gradients": [flat(g) for g in dense[len(variables):]],
            "state": {key: flat(variable) for key, variable in state.items()},
        })
    answer = run([tf.convert_to_tensor(x) for x in batches[-1]], False)
    cases.append({"name": name, "spec": architecture, "rows": len(batches[0][0]), "parameters": values,
                  "state": before, "steps": steps, "answer": flat(answer)})


def built(layer, *shapes):
    """The layer with random parameters."""
    layer.build(*[(None, *shape) for shape in shapes])
    for variable in layer.trainable_variables:
        variable.assign(draw(*variable.shape))
    return layer


a = keras.activations
for name, layer, function in [
    ("relu", "relu", a.relu),
    ("leaky_relu", {"leaky_relu": {"slope": 0.2}}, lambda x: a.leaky_relu(x, 0.2)),
    ("elu", {"elu": {"alpha": 1.0}}, a.elu),
    ("elu, alpha 0.7", {"elu": {"alpha": 0.7}}, lambda x: a.elu(x, 0.7)),
    ("selu", "selu", a.selu),
    ("gelu", "gelu", lambda x: a.gelu(x, approximate=False)),
    ("gelu_tanh", "gelu_tanh", lambda x: a.gelu(x, approximate=True)),
    ("silu", "silu", a.silu),
    ("mish", "mish", a.mish),
    ("tanh", "tanh", a.tanh),
    ("sigmoid", "sigmoid", a.sigmoid),
    ("hard_sigmoid", "hard_sigmoid", a.hard_sigmoid),
    ("softplus", "softplus", a.softplus),
    ("softsign", "softsign", a.softsign),
]:
    x = np.linspace(-7.05, 7, 30, dtype=np.float32).reshape(2, 15)
    architecture = spec([("FP32", [15])], [("f", {"activation": layer}, [0])])
    case(name, architecture, {}, {}, [[x]], lambda inputs, _, f=function: f(inputs[0]))
architecture = spec([("FP32", [2, 4])], [("f", "softmax", [0])])
case("softmax", architecture, {}, {}, [[draw(3, 2, 4)]], lambda inputs, _: a.softmax(inputs[0]))

for name, layer, shape, options in [
    ("batch_norm", "batch_norm", [3], {}),
    ("batch_norm over an axis", {"momentum": 0.9, "epsilon": 1e-5}, [2, 3], {"momentum": 0.9, "epsilon": 1e-5}),
]:
    norm = built(keras.layers.BatchNormalization(**options), shape)
    layer = layer if isinstance(layer, dict) else {"momentum": 0.99, "epsilon": 1e-3}
    architecture = spec([("FP32", shape)], [("norm", {"batch_norm": layer}, [0])])
    parameters = {"norm.gamma": norm.gamma, "norm.beta": norm.beta}
    state = {"norm.moving_mean": norm.moving_mean, "norm.moving_variance": norm.moving_variance}
    batches = [[draw(6, *shape) * (step + 1) + step] for step in range(5)]
    case(name, architecture, parameters, state, batches, lambda inputs, training: norm(inputs[0], training=training))

norm.trainable = False
architecture = json.loads(json.dumps(architecture))
architecture["nodes"][0]["frozen"] = True
case("batch_norm frozen", architecture, parameters, state, batches[:2], lambda inputs, training: norm(inputs[0], training=training))

for shape, epsilon in [([7], 1e-3), ([2, 5], 1e-6)]:
    norm = built(keras.layers.LayerNormalization(epsilon=epsilon), shape)
    architecture = spec([("FP32", shape)], [("norm", {"layer_norm": {"epsilon": epsilon}}, [0])])
    parameters = {"norm.gamma": norm.gamma, "norm.beta": norm.beta}
    case(f"layer_norm {shape}", architecture, parameters, {}, [[draw(4, *shape) + 2]], lambda inputs, _: norm(inputs[0]))

table = built(keras.layers.Embedding(6, 3), [4])
architecture = spec([("INT32", [4])], [("table", {"embedding": {"vocabulary": 6, "width": 3}}, [0])])
ids = random.integers(0, 6, (5, 4)).astype(np.int32)
case("embedding", architecture, {"table.table": table.embeddings}, {}, [[ids]], lambda inputs, _: table(inputs[0]))

for name, layer in [("add", keras.layers.Add()), ("multiply", keras.layers.Multiply()), ("concatenate", keras.layers.Concatenate())]:
    architecture = spec([("FP32", [2, 3])] * 3, [("join", name, [0, 1, 2])])
    batch = [draw(3, 2, 3) for _ in range(3)]
    case(name, architecture, {}, {}, [batch], lambda inputs, _, layer=layer: layer(inputs))

# A residual block with both normalisations, beside a branch that sees the input.
first, inner = built(keras.layers.Dense(5), [4]), built(keras.layers.Dense(5, use_bias=False), [5])
side, last = built(keras.layers.Dense(3), [4]), built(keras.layers.Dense(2), [8])
batch, layer = built(keras.layers.BatchNormalization(), [5]), built(keras.layers.LayerNormalization(), [5])


def network(inputs, training):
    x = inputs[0]
    h = a.gelu(first(x))
    r = h + inner(a.mish(batch(h, training=training)))
    joined = tf.concat([layer(r), a.selu(side(x))], axis=-1)
    return last(joined)


dense = lambda units: {"dense": {"units": units}}
architecture = spec([("FP32", [4])], [
    ("first", dense(5), [0]), ("gelu", {"activation": "gelu"}, ["first"]),
    ("batch", {"batch_norm": {}}, ["gelu"]), ("mish", {"activation": "mish"}, ["batch"]),
    ("inner", {"dense": {"units": 5, "bias": False}}, ["mish"]), ("add", "add", ["gelu", "inner"]),
    ("layer", {"layer_norm": {}}, ["add"]), ("side", dense(3), [0]), ("selu", {"activation": "selu"}, ["side"]),
    ("join", "concatenate", ["layer", "selu"]), ("last", dense(2), ["join"]),
])
parameters = {"inner.kernel": inner.kernel}
for name, part in [("first", first), ("side", side), ("last", last)]:
    parameters |= {f"{name}.kernel": part.kernel, f"{name}.bias": part.bias}
for name, part in [("batch", batch), ("layer", layer)]:
    parameters |= {f"{name}.gamma": part.gamma, f"{name}.beta": part.beta}
state = {"batch.moving_mean": batch.moving_mean, "batch.moving_variance": batch.moving_variance}
case("a network", architecture, parameters, state, [[draw(6, 4)] for _ in range(3)], network)

for options in [{"center": False}, {"scale": False}, {"center": False, "scale": False}]:
    norm = built(keras.layers.BatchNormalization(**options), [3])
    architecture = spec([("FP32", [3])], [("norm", {"batch_norm": options}, [0])])
    parameters = {f"norm.{variable.name}": variable for variable in norm.trainable_variables}
    state = {"norm.moving_mean": norm.moving_mean, "norm.moving_variance": norm.moving_variance}
    batches = [[draw(6, 3) * (step + 1) + step] for step in range(3)]
    without = " or ".join(options)
    case(f"batch_norm without {without}", architecture, parameters, state, batches, lambda inputs, training: norm(inputs[0], training=training))

lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases)
pathlib.Path(__file__).with_name("fixtures.json").write_text(f"[\n{lines}\n]\n")
