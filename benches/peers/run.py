"""Trains a workload with us and with the peers, interleaved, and prints medians and ratios; see README.md."""

import argparse
import dataclasses
import importlib.util
import json
import os
import pathlib
import platform
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
# Threads of a peer's pool spin for a while after their last task.
PAUSE = 0.1


@dataclasses.dataclass
class Contender:
    """How to start a peer: to be served, and to train so many epochs once."""

    label: str
    serve: list[str]
    once: list[str]


class Peer:
    """A process that trains whenever it is told to."""

    def __init__(self, contender, terminal):
        self.label, self.seconds, self.losses = contender.label, [], []
        self.process = subprocess.Popen(
            contender.serve,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=terminal if contender.label == "ours" else None,
            text=True,
        )
        print(f"{self.label}: {self.answer()['ready']}", flush=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.label} ended with code {self.process.wait()}")
        return json.loads(line)

    def train(self):
        time.sleep(PAUSE)
        self.process.stdin.write("train\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.seconds.append(answer["seconds"])
        self.losses.append(answer["loss"])

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def environment():
    # Unless it is told, candle reads the number of cores from the system at every product, two thirds of W1's time.
    threads = {"RAYON_NUM_THREADS": str(os.cpu_count()), **os.environ}
    return {**threads, "PYTHONDONTWRITEBYTECODE": "1"}


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


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def built(name, folder, *arguments):
    """The program that cargo makes of these arguments in the folder."""
    build = ["cargo", "build", "--release", "--quiet", *arguments, "--message-format", "json"]
    output = subprocess.run(build, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == name)


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


def interleaved(options, run):
    """Calls `run` with the number of each round, until there are enough."""
    rounds, begin = 0, time.monotonic()
    while rounds < options.rounds and time.monotonic() - begin < options.seconds:
        run(rounds)
        rounds += 1
    return rounds


def turns(items, number):
    first = number % len(items)
    return items[first:] + items[:first]


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
