"""Trains a workload with us and with the peers, interleaved, and prints medians and ratios; see README.md."""

import argparse
import dataclasses
import importlib.util
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import termios
import threading
import time

import figures
import startup
from machine import built, environment, processor
from process import Process
from rounds import PAUSE, interleaved, turns

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# How a row is called, what has to be installed, and the script with its arguments; of those in Rust, the feature that
# builds the program.
PEERS = {
    "keras": ("Keras `fit`", ["keras", "tensorflow"], ["keras_dense.py"]),
    "jax": ("JAX, one scan an epoch", ["jax", "optax"], ["jax_dense.py"]),
    "sklearn": ("scikit-learn", ["sklearn"], ["sklearn_dense.py"]),
    "torch": ("PyTorch, eager", ["torch"], ["torch_dense.py", "eager"]),
    "torch-compile": ("PyTorch, `torch.compile`", ["torch"], ["torch_dense.py", "compile"]),
    "torch-bf16": ("PyTorch, eager, autocast to bf16", ["torch"], ["torch_dense.py", "eager-bf16"]),
    "torch-compile-bf16": ("PyTorch, `torch.compile`, autocast to bf16", ["torch"], ["torch_dense.py", "compile-bf16"]),
    "burn": ("burn, flex", "burn", ["burn_dense"]),
    "candle": ("candle", "candle", ["candle_dense"]),
}


@dataclasses.dataclass
class Contender:
    """How to start a peer: to be served, and to train so many epochs once."""

    label: str
    serve: list[str]
    once: list[str]


class Peer(Process):
    """A process that trains whenever it is told to."""

    def __init__(self, contender, terminal):
        stderr = terminal if contender.label == "ours" else None
        super().__init__(contender.label, contender.serve, environment(), stderr)
        self.seconds, self.losses = [], []
        print(f"{self.label}: {self.answer()['ready']}", flush=True)

    def train(self):
        time.sleep(PAUSE)
        answer = self.ask("train")
        self.seconds.append(answer["seconds"])
        self.losses.append(answer["loss"])


def drawn_to():
    """A terminal of 80 columns for our progress bar, whose drawing nobody sees."""
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    threading.Thread(target=drain, args=[reader], daemon=True).start()
    return terminal


def drain(reader):
    try:
        while os.read(reader, 1 << 16):
            pass
    except OSError:
        return


def contenders(options, folder):
    ours = built("workloads", ROOT, "-p", "benches", "--example", "workloads")
    subprocess.run([ours, "--export", options.workload, folder], check=True)
    once = [ours, "--once", options.workload, folder, "EPOCHS", options.threads]
    yield Contender("ours", [ours, "--serve", options.workload, options.threads], once)
    for name in filter(None, options.peers.split(",")):
        label, needs, (script, *arguments) = PEERS[name]
        if isinstance(needs, str):
            if shutil.which("cargo") is None:
                print(f"{label}: left out, no cargo")
                continue
            command = [built(script, HERE / "frameworks", "--features", needs, "--bin", script), folder]
        else:
            missing = [module for module in needs if importlib.util.find_spec(module) is None]
            if missing:
                print(f"{label}: left out, {', '.join(missing)} not installed")
                continue
            command = [sys.executable, str(HERE / script), folder, *arguments]
        yield Contender(label, command, [*command, "--once", "EPOCHS"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=["w1", "w2", "w3", "w4", "w4-bf16"], default="w1")
    parser.add_argument("--threads", default="all", help="of ours: a number, or all cores; the peers use what they like")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=600, help="no round begins after as many")
    parser.add_argument("--peers", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--measure", choices=["training", "startup"], default="training")
    parser.add_argument("--json", action="store_true", help="every time as the last line")
    options = parser.parse_args()
    bf16 = options.workload.endswith("bf16")
    if options.peers is None:
        options.peers = ",".join(name for name in PEERS if name.endswith("bf16") == bf16)

    terminal = drawn_to()
    with tempfile.TemporaryDirectory() as folder:
        found = list(contenders(options, folder))
        told = json.loads((pathlib.Path(folder) / "workload.json").read_text())
        if options.measure == "startup":
            runs = [startup.Runs(contender, told["epochs"], environment(), terminal) for contender in found]
            rounds = interleaved(options, lambda number: [peer.run() for peer in turns(runs, number)])
        else:
            runs = [Peer(contender, terminal) for contender in found]
            rounds = interleaved(options, lambda number: [peer.train() for peer in turns(runs, number)])
            for peer in runs:
                peer.stop()

    layers = "-".join(map(str, told["widths"]))
    print(
        f"\n{told['name'].upper()}: {layers}, {told['task']}, {told['rows']:,} rows, batches of {told['batch']}, "
        f"{told['epochs']} epochs; {rounds} rounds\n{processor()}, {os.cpu_count()} cores\n"
    )
    print(startup.table(runs) if options.measure == "startup" else figures.table(runs))
    if options.json:
        times = {peer.label: {"seconds": peer.seconds, "losses": peer.losses} for peer in runs}
        print(json.dumps({"workload": options.workload, "threads": options.threads, "times": times}))


if __name__ == "__main__":
    main()
