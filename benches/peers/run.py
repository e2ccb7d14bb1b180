"""Trains a workload with us and with the peers, interleaved, and prints medians and ratios; see README.md."""

import argparse
import importlib.util
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import figures

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# How a row is called, what has to be installed, and the script with its arguments.
PEERS = {
    "keras": ("Keras `fit`", ["keras", "tensorflow"], ["keras_dense.py"]),
    "jax": ("JAX, one scan an epoch", ["jax", "optax"], ["jax_dense.py"]),
    "sklearn": ("scikit-learn", ["sklearn"], ["sklearn_dense.py"]),
    "torch": ("PyTorch, eager", ["torch"], ["torch_dense.py", "eager"]),
    "torch-compile": ("PyTorch, `torch.compile`", ["torch"], ["torch_dense.py", "compile"]),
}
# Threads of a peer's pool spin for a while after their last task.
PAUSE = 0.1


class Peer:
    """A process that trains whenever it is told to."""

    def __init__(self, label, command):
        self.label, self.seconds, self.losses = label, [], []
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print(f"{label}: {self.answer()['ready']}", flush=True)

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


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def our_runner():
    build = ["cargo", "build", "--release", "--quiet", "-p", "benches", "--example", "workloads"]
    output = subprocess.run(
        [*build, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    artifacts = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "workloads")


def start(options, ours, folder):
    subprocess.run([ours, "--export", options.workload, folder], check=True)
    peers = [Peer("ours", [ours, "--serve", options.workload, options.threads])]
    for name in filter(None, options.peers.split(",")):
        label, modules, script = PEERS[name]
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            print(f"{label}: left out, {', '.join(missing)} not installed")
            continue
        script, *arguments = script
        peers.append(Peer(label, [sys.executable, str(HERE / script), folder, *arguments]))
    return peers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=["w1", "w2", "w3", "w4"], default="w1")
    parser.add_argument("--threads", default="all", help="of ours: a number, or all cores; the peers use what they like")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=600, help="no round begins after as many")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--json", action="store_true", help="every time as the last line")
    options = parser.parse_args()

    ours = our_runner()
    with tempfile.TemporaryDirectory() as folder:
        peers = start(options, ours, folder)
        told = json.loads((pathlib.Path(folder) / "workload.json").read_text())
    rounds, begin = 0, time.monotonic()
    while rounds < options.rounds and time.monotonic() - begin < options.seconds:
        first = rounds % len(peers)
        for peer in peers[first:] + peers[:first]:
            peer.train()
        rounds += 1
    for peer in peers:
        peer.stop()

    layers = "-".join(map(str, told["widths"]))
    print(
        f"\n{told['name'].upper()}: {layers}, {told['task']}, {told['rows']:,} rows, batches of {told['batch']}, "
        f"{told['epochs']} epochs; {rounds} rounds\n{processor()}, {os.cpu_count()} cores\n"
    )
    print(figures.table(peers))
    if options.json:
        times = {peer.label: {"seconds": peer.seconds, "losses": peer.losses} for peer in peers}
        print(json.dumps({"workload": options.workload, "threads": options.threads, "times": times}))


if __name__ == "__main__":
    main()
