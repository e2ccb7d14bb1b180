"""Keras' default `compile` and `fit` on TensorFlow: `w1_keras.py FOLDER BATCH`."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras

import peer

x, y, weights = peer.load(sys.argv[1])
batch = int(sys.argv[2])

model = keras.Sequential(
    [
        keras.Input((peer.WIDTHS[0],)),
        *[keras.layers.Dense(units, activation="relu") for units in peer.WIDTHS[1:-1]],
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="adam", loss="mse")


def train():
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer._learning_rate:
            variable.assign(keras.ops.zeros_like(variable))
    return model.fit(x, y, batch_size=batch, epochs=peer.EPOCHS, verbose=0).history["loss"][-1]


peer.serve(train)
