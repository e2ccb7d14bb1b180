"""The servers: how each is started, what it takes, and what it has taken of the processor."""

import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import account
import machine
from session import COLUMNS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
# The ways and forms that a server may take. MLServer 1.7.1 reads no bytes over REST, and its streams are not those of Triton.
ALL = ("http json", "http binary", "calls grpc", "streams grpc")
TRITON = f"""
backend: "network"
max_batch_size: 0
input [{{ name: "x" data_type: TYPE_FP32 dims: [-1, {COLUMNS}] }}]
output [{{ name: "output" data_type: TYPE_FP32 dims: [-1, 1] }}]
instance_group [{{ kind: KIND_CPU count: {os.cpu_count()} }}]
"""
# Seconds that a server may take until it listens.
START = 60


class Server:
    """A server as a process of its own, with what it says in a file beside it; `input` is what it calls the rows."""

    def __init__(self, label, takes, command, ports, folder, environment=None, input="x"):
        self.label, self.takes, self.input = label, takes, input
        self.http, self.grpc = ports
        self.said = folder / f"{label}.txt"
        environment = {**machine.environment(), "OPENBLAS_NUM_THREADS": "1", **(environment or {})}
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, cwd=folder)
        for port in {self.http, self.grpc if "calls grpc" in takes else self.http}:
            self.wait_for(port)

    def wait_for(self, port):
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.label} does not listen: {self.said.read_text()[-2000:]}")

    def wait_until_ready(self):
        """Who listens may not have loaded its model yet."""
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/v2/health/ready").close()
            except OSError:
                time.sleep(0.01)
        sys.exit(f"{self.label} is not ready: {self.said.read_text()[-2000:]}")

    def does(self, case):
        return f"{case.way} {case.form}" in self.takes

    def port(self, case):
        return self.http if case.way == "http" else self.grpc

    def seconds(self):
        return account.seconds(self.process.pid)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ports():
    """Two that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    free = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return free


def ours(options, folder):
    program = options.server or machine.built("maas-server", ROOT, "-p", "maas-server", "--features", "cli")
    port, _ = ports()
    command = [program, "--model", f"wine={options.network}", "--address", f"127.0.0.1:{port}"]
    server = Server("maas-server", ALL, command, (port, port), folder)
    server.wait_until_ready()
    return server


def furnace(options, folder, label="furnace-server", *batching):
    if options.furnace is None:
        options.furnace = machine.built("furnace", HERE / "native", "--bin", "furnace")
    http, grpc = ports()
    command = [options.furnace, options.network, str(http), str(grpc), *batching]
    return Server(label, ALL[:3], command, (http, grpc), folder, input="input")


def furnace_batching(options, folder):
    return furnace(options, folder, "furnace-server, batching", "64", "1")


def triton(options, folder):
    if not installed("pytriton"):
        return left_out("Triton", "nvidia-pytriton")
    if options.triton_backend is None:
        options.triton_backend = machine.built("triton_network", HERE / "native", "--lib")
    home = pathlib.Path(importlib.util.find_spec("pytriton").origin).parent / "tritonserver"
    backend, model = folder / "backends" / "network", folder / "models" / "wine"
    backend.mkdir(parents=True)
    shutil.copy(options.triton_backend, backend / "libtriton_network.so")
    (model / "1").mkdir(parents=True)
    shutil.copy(options.network, model / "1" / "wine.safetensors")
    (model / "config.pbtxt").write_text(TRITON)
    (http, grpc), (metrics, _) = ports(), ports()
    command = [
        home / "bin" / "tritonserver", f"--model-repository={model.parent}", f"--backend-directory={backend.parent}",
        f"--http-port={http}", f"--grpc-port={grpc}", f"--metrics-port={metrics}",
        *(f"--{name}-address=127.0.0.1" for name in ("http", "grpc", "metrics")),
    ]  # fmt: skip
    return Server("Triton", ALL, command, (http, grpc), folder)


def fastapi(options, folder):
    missing = [name for name in ("fastapi", "uvicorn", "uvloop", "httptools", "orjson", "onnxruntime") if not installed(name)]
    if missing:
        return left_out("FastAPI", ", ".join(missing))
    port, _ = ports()
    command = [
        sys.executable, "-m", "uvicorn", "fastapi_app:app", "--app-dir", HERE, "--port", str(port), "--loop", "uvloop", "--http",
        "httptools", "--no-access-log", "--log-level", "warning", "--workers", str(os.cpu_count()),
    ]  # fmt: skip
    return Server("FastAPI", ALL[:1], command, (port, port), folder, {"GRAPH": str(options.graph)})


def mlserver(options, folder):
    python = options.mlserver
    test = [python, "-c", "import importlib.metadata as m; m.distribution('mlserver')"]
    if shutil.which(python) is None or subprocess.run(test, stderr=subprocess.DEVNULL).returncode:
        return left_out("MLServer", "mlserver")
    (http, grpc), (metrics, _) = ports(), ports()
    home = folder / "mlserver"
    home.mkdir()
    listens = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    (home / "settings.json").write_text(json.dumps({**listens, "debug": False, "parallel_workers": 0}))
    model = {"name": "wine", "implementation": "mlserver_runtime.Runtime", "parameters": {"uri": str(options.graph)}}
    (home / "model-settings.json").write_text(json.dumps(model))
    command = [pathlib.Path(python).parent / "mlserver", "start", home]
    return Server("MLServer", ("http json", "calls grpc"), command, (http, grpc), folder, {"PYTHONPATH": str(HERE)})


def installed(module):
    return importlib.util.find_spec(module) is not None


def left_out(label, packages):
    print(f"{label}: left out, {packages} not installed")


SERVERS = {
    "furnace": furnace,
    "furnace-batching": furnace_batching,
    "triton": triton,
    "fastapi": fastapi,
    "mlserver": mlserver,
}
