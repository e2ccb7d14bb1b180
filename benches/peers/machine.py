"""The processor, and what is built and run on it."""

import json
import os
import pathlib
import platform
import subprocess


def environment():
    # Unless it is told, candle reads the number of cores from the system at every product, two thirds of W1's time.
    threads = {"RAYON_NUM_THREADS": str(os.cpu_count()), **os.environ}
    return {**threads, "PYTHONDONTWRITEBYTECODE": "1"}


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def dots_bytes():
    """Whether the processor has a dot product of bytes, as far as the system tells."""
    flags = pathlib.Path("/proc/cpuinfo")
    return flags.exists() and "vnni" in flags.read_text()


def built(name, folder, *arguments):
    """The program, or the library for programs in C, that cargo makes of these arguments in the folder."""
    build = ["cargo", "build", "--release", "--quiet", *arguments, "--message-format", "json"]
    output = subprocess.run(build, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    named = [a for a in artifacts if a["reason"] == "compiler-artifact" and a["target"]["name"] == name]
    return next(a["executable"] or a["filenames"][0] for a in named if a["executable"] or "cdylib" in a["target"]["kind"])
