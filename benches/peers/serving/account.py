"""The processor's time of a process and of those that it has started, as Linux accounts for it."""

import os
import pathlib

TICK = 1 / os.sysconf("SC_CLK_TCK")


def seconds(pid):
    """What they have taken so far, in the kernel and outside, threads that have ended included."""
    return sum(own(each) for each in tree(pid))


def own(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def tree(pid):
    yield pid
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from tree(int(child))
