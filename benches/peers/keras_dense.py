"""Keras' default `compile` and `fit` on TensorFlow: `keras_dense.py FOLDER`."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import tensorflow

import peer

work = peer.load(sys.argv[1])

model = keras.Sequential(
    [
        keras.Input((work.widths[0],)),
        *[keras.layers.Dense(units, activation="relu") for units in work.widths[1:-1]],
        keras.layers.Dense(work.widths[-1]),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if work.classifies else "mse"
model.compile(optimizer="adam", loss=loss)


def train():
    model.set_weights(work.weights)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer._learning_rate:
            variable.assign(keras.ops.zeros_like(variable))
    history = model.fit(
        work.x, work.y, batch_size=work.batch, epochs=work.epochs, shuffle=work.shuffled, verbose=0
    )
    return history.history["loss"][-1]


peer.serve(train, f"keras {keras.__version__} on tensorflow {tensorflow.__version__}")
