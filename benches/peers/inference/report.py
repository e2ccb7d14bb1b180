"""Markdown of a network's times, and of the best of the others beside ours."""

import statistics

from figures import ratio


def table(network, rows):
    lines = [f"### {network}", "", header(network), "| --- |" + " --- | --- |" * len(network.batches)]
    for arithmetic in ("f32", "int8"):
        of_it = [row for row in rows if row.arithmetic == arithmetic]
        lines += [line(row, network, of_it, arithmetic) for row in of_it]
    return "\n".join([*lines, "", differences(rows), ""])


def differences(rows):
    """The largest of the engines' from our f32, relative; of int8 the root of the mean square."""
    worst = {row.arithmetic: 0.0 for row in rows}
    for row in rows:
        worst[row.arithmetic] = max([worst[row.arithmetic], *row.errors])
    return "Differences: " + ", ".join(f"{arithmetic} {error:.1g}" for arithmetic, error in worst.items())


def header(network):
    return "| |" + "".join(f" batch {batch}, µs | times ours (95 %) |" for batch in network.batches)


def line(row, network, rows, arithmetic):
    cells = [f"{arithmetic} {row.label}"]
    for batch in network.batches:
        if not row.seconds[batch]:
            cells += ["wrong answers", ""]
            continue
        note = f" ({row.notes[batch]})" if row.notes[batch] else ""
        cells += [f"{figure(row, batch)}{note}", compared(fastest(rows, batch, ours=True), row, batch)]
    return "| " + " | ".join(cells) + " |"


def microseconds(row, batch):
    return statistics.median(row.seconds[batch]) * 1e6


def figure(row, batch):
    value = microseconds(row, batch)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def fastest(rows, batch, ours):
    """By the median."""
    right = (row for row in rows if row.ours == ours and row.seconds[batch])
    return min(right, key=lambda row: microseconds(row, batch), default=None)


def compared(ours, row, batch):
    if ours is row or ours is None:
        return ""
    times, interval = ratio(ours.seconds[batch], row.seconds[batch])
    return f"{times:.2f}" + (f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else "")
