"""The engines as processes, and what of each one is measured."""

import collections
import pathlib
import subprocess
import sys

import machine
from process import Process

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
# How an engine is called, the package that has to be installed, its script and variants.
# DeepSparse's planner has no int8 product without a dot product of bytes: it ends with a failed assertion.
ENGINES = {
    "ort": ("ONNX Runtime", "onnxruntime", "ort.py", ["f32", "dynamic", "static"]),
    "openvino": ("OpenVINO", "openvino", "ov.py", ["f32", "static"]),
    "torch": ("PyTorch", "torch", "pytorch.py", ["f32", "dynamic", "static"]),
    "deepsparse": ("DeepSparse", "deepsparse", "sparse.py", ["f32", "static"] if machine.dots_bytes() else ["f32"]),
    "mkl": ("oneMKL CSR", "mkl", "mkl_csr.py", ["f32"]),
}


class Contender:
    """A variant of an engine, with its times: of `f32`, or of int8 with `dynamic` or `static` ranges of the inputs."""

    def __init__(self, engine, variant):
        self.engine, self.variant = engine, variant
        self.arithmetic = "f32" if variant == "f32" else "int8"
        self.label = engine.label if variant == "f32" else f"{engine.label}, {variant}"
        self.seconds, self.errors, self.notes = collections.defaultdict(list), [], {}

    @property
    def ours(self):
        return self.engine.name == "ours"

    def load(self, network, batch, folder, threads):
        widths = "-".join(map(str, network.widths))
        answer = self.engine.process.ask(f"load {self.variant} {folder} {batch} {threads} {widths}")
        self.notes[batch] = answer["ready"]

    def time(self, batch, block):
        self.seconds[batch].append(self.engine.process.ask(f"time {self.variant} {block}")["seconds"])


class Engine:
    def __init__(self, name, label, variants, command, environment):
        self.name, self.label, self.variants = name, label, variants
        self.process = Process(label, command, environment)
        print(f"{label}: {self.process.answer()['ready']}", flush=True)

    def contenders(self, network):
        """Nothing but relu has no int8, and only a layer with zeros is given to oneMKL."""
        null = len(network.widths) == 1
        if self.name == "mkl" and (len(network.widths) != 2 or network.zeros == 0):
            return []
        return [Contender(self, variant) for variant in self.variants if not (null and variant != "f32")]

    def stop(self):
        self.process.stop()


def started(options):
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    environment = {**machine.environment(), **threads}
    ours = options.ours or machine.built("inference", ROOT, "-p", "benches", "--example", "inference")
    yield Engine("ours", "ours", ["f32", "dynamic", "static"], [ours], environment)
    for name in filter(None, options.engines.split(",")):
        label, package, script, variants = ENGINES[name]
        python = options.deepsparse if name == "deepsparse" else sys.executable
        if not installed(package, python):
            print(f"{label}: left out, {package} not installed")
            continue
        yield Engine(name, label, variants, [python, str(HERE / script)], environment)


def installed(package, python):
    test = f"import importlib.metadata as m; m.distribution({package!r})"
    return subprocess.run([python, "-c", test], stderr=subprocess.DEVNULL).returncode == 0
