"""How many times faster than the best of the others we want to be, on one core."""

from report import compared, fastest, figure

# Network, zeros in per cent, batch, arithmetic of ours, of theirs (either: the fastest of all), and the ratio.
WANTED = [
    ("mlp", 0, 1, "f32", "f32", 1.8),
    ("mlp", 0, 1, "int8", "int8", 2.4),
    ("mlp", 0, 64, "f32", "f32", 1.0),
    ("mlp", 0, 64, "int8", "int8", 1.1),
    ("1024x1024", 0, 1, "f32", "f32", 1.2),
    ("1024x1024", 0, 1, "int8", "int8", 1.75),
    ("1024x1024", 0, 64, "f32", "f32", 1.0),
    ("1024x1024", 0, 64, "int8", "int8", 1.06),
    ("1024x1024", 90, 1, "either", "f32", 2.7),
    ("1024x1024", 90, 16, "either", "either", 1.7),
    ("1024x1024", 90, 64, "either", "either", 1.45),
    ("4096x4096", 0, 1, "f32", "f32", 1.0),
    ("4096x4096", 0, 1, "int8", "int8", 1.2),
    ("4096x4096", 90, 64, "either", "either", 1.2),
]


def table(tables):
    """Markdown of those wanted whose networks are among the tables."""
    lines = ["| | ours, µs | best of the others, µs | ratio (95 %) | wanted |", "| --- | --- | --- | --- | --- |"]
    for name, zeros, batch, of_ours, of_theirs, wanted in WANTED:
        rows = next((rows for network, rows in tables if (network.name, network.zeros) == (name, zeros)), [])
        rows = [row for row in rows if row.seconds[batch]]
        ours = fastest([row for row in rows if of_ours in (row.arithmetic, "either")], batch, ours=True)
        theirs = fastest([row for row in rows if of_theirs in (row.arithmetic, "either")], batch, ours=False)
        if ours and theirs:
            lines.append(
                f"| {name}, {zeros} % zeros, batch {batch}, {of_ours} | {told(ours, batch)} | {told(theirs, batch)} "
                f"| {compared(ours, theirs, batch)} | {wanted} |"
            )
    return "\n".join(lines)


def told(row, batch):
    return f"{figure(row, batch)} ({row.arithmetic} {row.label})"
