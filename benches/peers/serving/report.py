"""Markdown of what the servers did in the rounds of a case."""

import statistics

from figures import ratio

HEADER = """| {} | requests/s | p50, µs | p99, µs | processor, µs a request | processor, ours by theirs (95 %) | requests/s, ours by theirs (95 %) |
| --- | --- | --- | --- | --- | --- | --- |"""


def table(case, clients, rows):
    lines = [HEADER.format(f"{case.name}, {clients} {'clients' if clients > 1 else 'client'}")]
    first = next(iter(rows))
    return "\n".join(lines + [line(server, rows[server], rows[first], server is first) for server in rows])


def line(server, rounds, ours, is_ours):
    def column(name):
        return [getattr(each, name) for each in rounds]

    def median(name):
        value = statistics.median(column(name))
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"

    def compared(name):
        if is_ours:
            return ""
        times, interval = ratio(column(name), [getattr(each, name) for each in ours])
        return f"{times:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")

    cells = [server.label, *map(median, ("rate", "p50", "p99", "cpu")), compared("cpu"), compared("rate")]
    return "| " + " | ".join(cells) + " |"
