"""Answers of the same networks by us and by other engines, interleaved, as tables; see README.md."""

import argparse
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))

import contenders
import networks
import report
import targets
from machine import processor
from rounds import PAUSE, interleaved, turns

# Of a round, in seconds; the least of five counts.
BLOCK = 0.003
# Largest difference by the largest answer; root mean square of the difference by that of the answers.
TOLERANCE_F32 = 1e-4
TOLERANCE_INT8 = 0.06


def measured(network, engines, options):
    """The rows of a network's table: contenders that have a time for each round and batch."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        networks.write(network, folder)
        found = [contender for engine in engines for contender in engine.contenders(network)]
        for batch in network.batches:
            right = list(checked(network, batch, found, folder, options.threads))
            pause = PAUSE if options.threads > 1 else 0
            interleaved(options, lambda number: [timed(each, batch, pause) for each in turns(right, number)])
    return found


def timed(contender, batch, pause):
    time.sleep(pause)
    contender.time(batch, BLOCK)


def checked(network, batch, found, folder, threads):
    """Loads each, and gives those whose answers differ from the first one's by no more than the tolerance."""
    expected = None
    for contender in found:
        contender.load(network, batch, folder, threads)
        answers = np.fromfile(folder / "answers.f32", dtype="<f4")
        expected = answers if expected is None else expected
        if contender.arithmetic == "f32":
            error, allowed = np.abs(answers - expected).max() / np.abs(expected).max(), TOLERANCE_F32
        else:
            error, allowed = np.linalg.norm(answers - expected) / np.linalg.norm(expected), TOLERANCE_INT8
        if error <= allowed:
            contender.errors.append(error)
            yield contender
        elif contender.ours:
            sys.exit(f"{network}, batch {batch}: {contender.label} is off by {error:.2g}, allowed are {allowed}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="*", help="words, one of which is in the network's name, e.g. `mlp`, `1024x1024, 90`")
    parser.add_argument("--quick", action="store_true", help="a few networks, two minutes")
    parser.add_argument("--threads", type=int, default=1, help="of every engine")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, default=60, help="no round of a network and batch begins after as many")
    parser.add_argument("--engines", default=",".join(contenders.ENGINES), help="beside ours")
    parser.add_argument("--ours", help="our program, built before; cargo builds it otherwise")
    parser.add_argument("--deepsparse", default=sys.executable, help="the Python that has it")
    options = parser.parse_args()
    options.rounds = options.rounds or (6 if options.quick else 12)

    engines = list(contenders.started(options))
    chosen = [network for network in (networks.QUICK if options.quick else networks.ALL) if network.matches(options.only)]
    print(f"\n{processor()}, {os.cpu_count()} cores, threads of each engine: {options.threads}; {options.rounds} rounds\n")
    tables = []
    for network in [networks.NULL, *chosen]:
        rows = measured(network, engines, options)
        print(report.table(network, rows), flush=True)
        tables.append((network, rows))
    print(targets.table(tables))
    for engine in engines:
        engine.stop()


if __name__ == "__main__":
    main()
