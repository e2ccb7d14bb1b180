"""The same requests to our server and to its peers, interleaved, as tables; see README.md."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "inference")]

import answers
import cases
import report
import servers
from machine import built, environment, processor
from network import Network, read
from process import Process
from rounds import PAUSE, interleaved, turns

# Before the rounds, in seconds.
WARM_UP = 0.3


@dataclasses.dataclass
class Round:
    """`rate` in requests a second; the others in microseconds a request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def measured(load, server, case, folder, clients, seconds):
    time.sleep(PAUSE)
    before = server.seconds()
    told = load.ask(f"{case.way} 127.0.0.1:{server.port(case)} {folder / server.input} {clients} {seconds}")
    cpu = server.seconds() - before
    answered = told["answered"]
    return Round(answered / seconds, told["p50_ns"] / 1e3, told["p99_ns"] / 1e3, cpu * 1e6 / answered)


def right(found, case, folder, rows, network):
    """Those who take the case, each of whom answers what ours does, as ours does what the network in numpy says."""
    expected = np.stack([network(each.astype("f4")) for each in rows])
    for server in found:
        if server.does(case):
            error = answers.difference(server, case, folder / server.input, expected)
            if error > answers.TOLERANCE:
                sys.exit(f"{server.label} answers wrong to {case.name}: it is off by {error:.2g}")
            print(f"{case.name}: {server.label} is right within {error:.1g}")
            yield server


def compare(options, load, found, case, folder, network):
    """Prints a table for each number of clients."""
    rows = case.rows_of(read(options.network))
    for name in {server.input for server in found}:
        case.write(rows, name, folder / name)
    able = list(right(found, case, folder, rows, network))
    for clients in map(int, options.clients.split(",")):
        rounds = {server: [] for server in able}
        for server in able:
            measured(load, server, case, folder, clients, WARM_UP)

        def go(number):
            for server in turns(able, number):
                rounds[server].append(measured(load, server, case, folder, clients, options.length))

        interleaved(options, go)
        print(f"\n{report.table(case, clients, rounds)}\n", flush=True)


def quickstart():
    """The file of the network that the quickstart trains."""
    file = servers.ROOT / "target" / "quickstart" / "wine.safetensors"
    if not file.exists():
        subprocess.run(["cargo", "run", "--release", "--quiet", "--example", "quickstart"], cwd=servers.ROOT, check=True)
    return str(file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="*", help="words, one of which is in the case's name, e.g. `1 row, JSON`, `streams`")
    parser.add_argument("--clients", default="1,16,64")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--length", type=float, default=1, help="of a round, in seconds")
    parser.add_argument("--seconds", type=float, default=600, help="no round of a case begins after as many")
    parser.add_argument("--peers", default=",".join(servers.SERVERS), help="beside ours")
    parser.add_argument("--mlserver", default=sys.executable, help="the Python that has it")
    parser.add_argument("--network", type=os.path.abspath, help="a file of the same layers; the quickstart's otherwise")
    for name, what in [("server", "maas-server"), ("load", "load"), ("furnace", "furnace"), ("triton-backend", "libtriton_network.so")]:
        parser.add_argument(f"--{name}", type=os.path.abspath, help=f"`{what}`, built before; cargo builds it otherwise")
    options = parser.parse_args()
    options.network = options.network or quickstart()

    load = Process("load", [options.load or built("load", servers.ROOT, "-p", "benches", "--example", "load")], environment())
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ending:
        folder = pathlib.Path(folder)
        network, options.graph = Network(options.network), folder / "wine.onnx"
        network.save_onnx(options.graph)
        starts = [servers.ours, *(servers.SERVERS[name] for name in filter(None, options.peers.split(",")))]
        found = []
        for start in starts:
            if server := start(options, folder):
                ending.callback(server.stop)
                found.append(server)
        print(f"{processor()}, {os.cpu_count()} cores; {options.rounds} rounds of {options.length:g} s")
        for number, case in enumerate(cases.chosen(options.only)):
            compare(options, load, found, case, folder / f"case{number}", network)
    load.stop()


if __name__ == "__main__":
    main()
