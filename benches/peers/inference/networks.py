"""The networks: random weights of which some are zero, rows, and what the engines read of them."""

import dataclasses

import numpy as np

import graphs

BATCHES = (1, 16, 64)
# Rows that the ranges of static int8 are taken from.
CALIBRATION = 512


@dataclasses.dataclass(frozen=True)
class Network:
    """Dense layers with relu between them; a single width is relu alone, the model that does nothing."""

    name: str
    widths: tuple[int, ...]
    zeros: int = 0
    batches: tuple[int, ...] = BATCHES

    def matches(self, words):
        return not words or any(word in str(self) for word in words)

    def __str__(self):
        return f"{self.name}, {self.zeros} % zeros"


NULL = Network("null", (8,), batches=(1,))
LAYERS = [
    Network(f"{inputs}x{units}", (inputs, units), zeros)
    for inputs, units in [(784, 300), (1024, 1024), (4096, 4096)]
    for zeros in (0, 50, 80, 90, 95)
]
MLP = (784, 300, 100, 10)
ALL = [Network("mlp", MLP), Network("mlp", MLP, 90), *LAYERS]
QUICK = [
    Network("mlp", MLP, batches=(1, 64)),
    Network("mlp", MLP, 90, (64,)),
    Network("1024x1024", (1024, 1024), 0, (1, 64)),
    Network("1024x1024", (1024, 1024), 90),
]


def write(network, folder):
    """`weights.f32`, kernel and bias of each layer in turn; `rows.f32`, as many as the largest batch; for static int8
    `calibration.f32`, more rows, and `largest.f32`, the largest magnitude of each layer's inputs among them; and the
    graphs `f32.onnx`, `dynamic.onnx` and `static.onnx`."""
    random = np.random.default_rng(7)
    layers = [layer(random, shape, network.zeros) for shape in zip(network.widths, network.widths[1:])]
    rows = normal(random, max(network.batches), network.widths[0])
    calibration = normal(random, CALIBRATION, network.widths[0])
    values = [part for pair in layers for part in pair]
    np.concatenate([np.zeros(0, "<f4"), *map(np.ravel, values)]).tofile(folder / "weights.f32")
    rows.tofile(folder / "rows.f32")
    calibration.tofile(folder / "calibration.f32")
    largest(layers, calibration).tofile(folder / "largest.f32")
    graphs.write(layers, network.widths, calibration, folder)


def layer(random, shape, zeros):
    """A kernel that keeps the variance of its inputs, and a bias; exactly as many weights are zero as asked for."""
    kernel = normal(random, *shape)
    dropped = random.permutation(kernel.size)[: round(kernel.size * zeros / 100)]
    kernel.reshape(-1)[dropped] = 0.0
    kernel *= np.float32(np.sqrt(2 / (shape[0] * (1 - zeros / 100))))
    return kernel, normal(random, shape[1]) * np.float32(0.1)


def normal(random, *shape):
    return random.standard_normal(shape, dtype=np.float32)


def largest(layers, rows):
    """The largest magnitude of each layer's inputs."""
    found = []
    for kernel, bias in layers:
        found.append(np.abs(rows).max())
        rows = np.maximum(rows @ kernel + bias, 0)
    return np.array(found, "<f4")
