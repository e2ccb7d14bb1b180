"""What the engines in Python share: a network's files, and the loop that loads and takes times when it is told to."""

import dataclasses
import itertools
import json
import os
import pathlib
import sys
import time

import numpy as np


@dataclasses.dataclass
class Task:
    """What to load: the words of a line `load VARIANT FOLDER BATCH THREADS WIDTHS`."""

    variant: str
    folder: pathlib.Path
    batch: int
    threads: int
    widths: list[int]

    def graph(self):
        return str(self.folder / f"{self.variant}.onnx")

    def rows(self):
        rows = np.fromfile(self.folder / "rows.f32", dtype="<f4").reshape(-1, self.widths[0])
        return np.ascontiguousarray(rows[: self.batch])

    def calibration(self):
        return np.fromfile(self.folder / "calibration.f32", dtype="<f4").reshape(-1, self.widths[0])

    def layers(self):
        """Kernel and bias of each layer."""
        flat = np.fromfile(self.folder / "weights.f32", dtype="<f4")
        for inputs, units in itertools.pairwise(self.widths):
            kernel, bias, flat = np.split(flat, [inputs * units, inputs * units + units])
            yield kernel.reshape(inputs, units), bias


def task(words):
    variant, folder, batch, threads, widths = words
    return Task(variant, pathlib.Path(folder), int(batch), int(threads), [int(width) for width in widths.split("-")])


def serve(load, versions):
    """`load` makes of a task a function that answers its rows, once a call, and one that gives the last answers."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    loaded = {}

    def tell(**answer):
        print(json.dumps(answer), file=out, flush=True)

    tell(ready=versions)
    for line in sys.stdin:
        command, variant, *rest = line.split()
        if command == "load":
            loaded.pop(variant, None)
            wanted = task([variant, *rest])
            call, answers = load(wanted)
            call()
            np.ascontiguousarray(answers(), dtype="<f4").tofile(wanted.folder / "answers.f32")
            loaded[variant] = call, answers
            tell(ready="")
        else:
            tell(seconds=seconds_of(loaded[variant][0], float(rest[0])))


def seconds_of(call, block):
    """Of a call, by the least of five blocks that last so long, after one that is not counted."""
    once = block_of(call, 1)
    calls = max(1, round(block / once))
    block_of(call, calls)
    return min(block_of(call, calls) for _ in range(5))


def block_of(call, calls):
    start = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        call()
    return (time.perf_counter() - start) / calls
