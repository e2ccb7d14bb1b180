"""From the start of a process to the end of its first epoch, and the most memory that the whole training needs."""

import json
import math
import pathlib
import statistics
import subprocess
import sys
import time


class Runs:
    """Processes of one peer, each of which trains once and ends."""

    def __init__(self, contender, epochs, environment, terminal):
        self.label, self.once, self.epochs = contender.label, contender.once, epochs
        self.environment = environment
        self.terminal = terminal if contender.label == "ours" else None
        self.seconds, self.losses, self.megabytes, self.whole = [], [], [], []

    def run(self):
        seconds, _, _ = self.process(1)
        whole, megabytes, loss = self.process(self.epochs)
        self.seconds.append(seconds)
        self.whole.append(whole)
        self.megabytes.append(megabytes)
        self.losses.append(loss)

    def process(self, epochs):
        """Seconds from start to the answer, the most resident memory until then in MB, and the last loss."""
        command = [str(epochs) if argument == "EPOCHS" else argument for argument in self.once]
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.terminal,
            text=True,
        )
        answer = process.stdout.readline()
        seconds = time.perf_counter() - begin
        megabytes = most_resident(process.pid)
        process.communicate()
        if process.returncode:
            sys.exit(f"{self.label} ended with code {process.returncode}")
        return seconds, megabytes, json.loads(answer)["loss"]


def most_resident(pid):
    """In MB, where the system tells of others. `getrusage` counts what the parent had when it forked."""
    status = pathlib.Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return kibibytes[0] * 1024 / 1e6 if kibibytes else math.nan


def table(runs):
    """Markdown; the first one is what ratios are to."""
    lines = [
        "| | first epoch, s from start | least to most | times ours | all epochs, s from start | peak memory, MB |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for peer in runs:
        ratio = statistics.median(b / a for a, b in zip(runs[0].seconds, peer.seconds))
        lines.append(
            f"| {peer.label} | {statistics.median(peer.seconds):.4f} | {min(peer.seconds):.4f} to {max(peer.seconds):.4f} "
            f"| {ratio:.2f} | {statistics.median(peer.whole):.4f} | {statistics.median(peer.megabytes):.1f} |"
        )
    return "\n".join(lines)
