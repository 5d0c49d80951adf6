"""How lately and how often a leg traded, bar by bar."""

from analytics.frames import BoolArray
from analytics.kernels.jit import compiled


@compiled
def mark_stale(
    traded: BoolArray, bars: int, bar_s: float, after_s: float, closed: BoolArray
) -> float:
    """Mark the bars that come more than `after_s` seconds after the last traded one.

    Before any trade from the start on, with the `bars` before it that did not trade either.
    Returns the seconds at the latest bar.
    """
    since_s = 0.0
    for t in range(traded.size):
        bars = 0 if traded[t] else bars + 1
        since_s = bars * bar_s
        closed[t] |= since_s > after_s
    return since_s


@compiled
def mark_uncovered(traded: BoolArray, window: int, least: float, closed: BoolArray) -> int:
    """Mark the bars at which fewer than `least` of the latest `window` bars are traded ones.

    Returns how many are at the latest bar.
    """
    count = 0
    for t in range(traded.size):
        count += traded[t]
        if t >= window:
            count -= traded[t - window]
        closed[t] |= count < least
    return count
