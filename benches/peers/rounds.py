"""Rounds in which everybody has a turn, and every round starts with another one."""

import time

# Threads of a peer's pool spin for a while after their last task.
PAUSE = 0.1


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
