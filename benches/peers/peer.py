"""What every Python peer shares: the workload's files, and the loop that trains when it is told to."""

import dataclasses
import json
import os
import pathlib
import sys
import time

import numpy as np


@dataclasses.dataclass
class Workload:
    """What `ours.rs --export` wrote; `weights` are the initial kernel and bias of each layer in turn."""

    widths: list[int]
    classifies: bool
    rows: int
    batch: int
    epochs: int
    shuffled: bool
    x: np.ndarray
    y: np.ndarray
    weights: list[np.ndarray]


def load(folder):
    folder = pathlib.Path(folder)
    told = json.loads((folder / "workload.json").read_text())
    widths, classifies = told["widths"], told["task"] == "classification"
    x = np.fromfile(folder / "features.f32", dtype="<f4").reshape(-1, widths[0])
    if classifies:
        y = np.fromfile(folder / "labels.i32", dtype="<i4")
    else:
        y = np.fromfile(folder / "targets.f32", dtype="<f4").reshape(-1, widths[-1])
    flat, weights = np.fromfile(folder / "weights.f32", dtype="<f4"), []
    for rows, columns in zip(widths, widths[1:]):
        kernel, bias, flat = np.split(flat, [rows * columns, rows * columns + columns])
        weights += [kernel.reshape(rows, columns), bias]
    epochs = int(sys.argv[-1]) if once() else told["epochs"]
    return Workload(widths, classifies, told["rows"], told["batch"], epochs, told["shuffled"], x, y, weights)


def once():
    """Whether the arguments end in `--once EPOCHS`: so many are trained, and the process ends with its input."""
    return sys.argv[-2] == "--once"


def serve(train, versions):
    """Train once to warm up, then once for each line of standard input; `train` returns the last epoch's loss."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    start = time.perf_counter()
    loss = train()
    if once():
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "loss": float(loss)}), file=answers, flush=True)
        sys.stdin.read()
        return
    ready = f"{versions}; first training {time.perf_counter() - start:.1f} s"
    print(json.dumps({"ready": ready}), file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = train()
        print(json.dumps({"seconds": time.perf_counter() - start, "loss": float(loss)}), file=answers, flush=True)
