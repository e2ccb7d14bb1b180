"""Medians, and ratios with an interval that assumes nothing about how times scatter."""

import math
import statistics


def ratio(ours, theirs):
    """The median of their time by ours, round by round, and a 95 % interval of that median.

    Rounds are above and below the true median with equal chance, so their ranks are binomial: the interval lies
    between the k-th least and the k-th most ratio, with the largest k whose coverage is at least 95 %. Fewer than six
    rounds have no such interval.
    """
    ratios = sorted(b / a for a, b in zip(ours, theirs))
    n = len(ratios)
    below, k = 0.0, 0
    while k < n and 2 * (below + math.comb(n, k) / 2**n) <= 0.05:
        below += math.comb(n, k) / 2**n
        k += 1
    interval = (ratios[k - 1], ratios[n - k]) if k else None
    return statistics.median(ratios), interval


def losses(values):
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def table(peers):
    """Markdown of peers with `label`, `seconds` and `losses`; the first one is what ratios are to."""
    lines = [
        "| | median s | least to most | times ours | 95 % interval | last loss, mean ± deviation |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for peer in peers:
        times, interval = ratio(peers[0].seconds, peer.seconds)
        between = f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else ""
        if peer is peers[0]:
            between = ""
        lines.append(
            f"| {peer.label} | {statistics.median(peer.seconds):.4f} | {min(peer.seconds):.4f} to {max(peer.seconds):.4f} "
            f"| {times:.2f} | {between} | {losses(peer.losses)} |"
        )
    return "\n".join(lines)
