"""Trains W1 or W2 with us and with the peers, interleaved, and prints medians and ratios; see README.md."""

import argparse
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BATCH = {"w1": 32, "w2": 1024}
PEERS = {"maas": [], "keras": ["keras", "tensorflow"], "jax": ["jax", "optax"]}
NAMES = {"maas": "maas", "keras": "keras fit", "jax": "jax scan"}


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def our_runner():
    build = ["cargo", "build", "--release", "--quiet", "-p", "benches", "--example", "w1", "--message-format", "json"]
    output = subprocess.run(build, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    artifacts = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "w1")


class Peer:
    def __init__(self, name, command):
        self.name, self.seconds, self.losses = name, [], []
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def train(self):
        self.process.stdin.write("train\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.seconds.append(answer["seconds"])
        self.losses.append(answer["loss"])

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=BATCH, default="w1")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    batch, ours = BATCH[options.workload], our_runner()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ours, "--export", folder], check=True)
        peers = []
        for name in options.peers.split(","):
            missing = [module for module in PEERS[name] if importlib.util.find_spec(module) is None]
            if missing:
                print(f"{NAMES[name]}: left out, {', '.join(missing)} not installed")
                continue
            script = [sys.executable, str(HERE / f"w1_{name}.py"), folder, str(batch)]
            peers.append(Peer(name, [ours, "--serve", str(batch)] if name == "maas" else script))
            peers[-1].answer()
        for _ in range(options.rounds):
            for peer in peers:
                peer.train()
        for peer in peers:
            peer.stop()

    if not peers:
        sys.exit("none of these peers is installed")
    base = statistics.median(peers[0].seconds)
    print(f"{options.workload.upper()}, batch {batch}, 10 epochs of 10,000 rows, {options.rounds} rounds")
    print(f"{processor()}, {os.cpu_count()} cores")
    print(f"{'':12}{'median s':>10}{'least':>9}{'most':>9}{'ratio':>8}{'last loss':>11}")
    for peer in peers:
        median = statistics.median(peer.seconds)
        loss = statistics.median(peer.losses)
        print(
            f"{NAMES[peer.name]:12}{median:10.4f}{min(peer.seconds):9.4f}{max(peer.seconds):9.4f}"
            f"{median / base:8.1f}{loss:11.5f}"
        )
    if options.json:
        print(json.dumps({"workload": options.workload, "seconds": {peer.name: peer.seconds for peer in peers}}))


main()
