"""What every Python peer shares: the workload's files, and the loop that trains when it is told to."""

import json
import os
import pathlib
import sys
import time

import numpy as np

WIDTHS = [32, 128, 64, 32, 1]
EPOCHS = 10


def load(folder):
    """Features, targets and the initial [kernel, bias] of each layer, as `w1 --export` wrote them."""
    folder = pathlib.Path(folder)
    x = np.fromfile(folder / "features.f32", dtype="<f4").reshape(-1, WIDTHS[0])
    y = np.fromfile(folder / "targets.f32", dtype="<f4").reshape(-1, 1)
    flat, weights = np.fromfile(folder / "weights.f32", dtype="<f4"), []
    for rows, columns in zip(WIDTHS, WIDTHS[1:]):
        kernel, bias, flat = np.split(flat, [rows * columns, rows * columns + columns])
        weights += [kernel.reshape(rows, columns), bias]
    return x, y, weights


def serve(train):
    """Train once to warm up, then once for each line of standard input; `train` returns the last epoch's loss."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    train()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = train()
        print(json.dumps({"seconds": time.perf_counter() - start, "loss": float(loss)}), file=answers, flush=True)
