"""The rules walked bar by bar: compiled, one code for a run and a sweep."""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled

# Columns of a trade: bars of decision and fill, both ways; side; why it was left.
DECIDED: Final = 0
ENTERED: Final = 1
EXIT_DECIDED: Final = 2
EXITED: Final = 3
SIDE: Final = 4
REASON: Final = 5
TRADE_COLUMNS: Final = 6

# Places in a rule: z at which a short and a long are entered, z at which each is left, distance of
# the stop, most bars held, and whether a side that was left early waits for z to come back.
SELL_ABOVE: Final = 0
BUY_BELOW: Final = 1
EXIT_SHORT: Final = 2
EXIT_LONG: Final = 3
STOP_AT: Final = 4
MOST_BARS: Final = 5
WAIT_FOR_RETURN: Final = 6

EXIT: Final = 1
STOP: Final = 2
TIME: Final = 3
END: Final = 4

# What `walk` counts.
CANCELLED: Final = 0
WAITED: Final = 1
TALLIES: Final = 2

# Bars passed at a time where none of them decides anything.
BLOCK: Final = 8


@compiled
def block_edges(z: FloatArray) -> FloatArray:
    """Find the least and the greatest z of each block of 8 bars, shape (blocks, 2).

    A block of which no bar is known lies inside everything. Computed once for a path, they let any
    number of rules pass most of its bars eight at a time.
    """
    edges = np.empty(((z.size + BLOCK - 1) // BLOCK, 2))
    for block in range(edges.shape[0]):
        low, high = np.inf, -np.inf
        for t in range(block * BLOCK, min((block + 1) * BLOCK, z.size)):
            # In this order a NaN changes neither.
            low, high = min(low, z[t]), max(high, z[t])
        edges[block, 0], edges[block, 1] = low, high
    return edges


@compiled
def _next_touch(
    z: FloatArray, edges: FloatArray, first: int, last: int, low: float, high: float
) -> int:
    """Find the first bar with z at or beyond `low` or `high`; `last` without one."""
    t = first
    while t < last:
        if t % BLOCK == 0:
            block = t // BLOCK
            while t < last and not (edges[block, 0] <= low or edges[block, 1] >= high):
                t += BLOCK
                block += 1
            if t >= last:
                return last
        if z[t] <= low or z[t] >= high:
            return t
        t += 1
    return last


@compiled
def _next_event(
    z: FloatArray, edges: FloatArray, first: int, last: int, side: int, entered: int,
    rule: FloatArray,
) -> int:  # fmt: skip
    """Find the first bar that may decide something, so that the bars before are passed quickly.

    It may be one too early, at a z that only touches an entry: that bar then decides nothing.
    """
    if side == 0:
        return _next_touch(z, edges, first, last, rule[BUY_BELOW], rule[SELL_ABOVE])
    due = max(first, int(min(float(last), entered + rule[MOST_BARS] - 1.0)))
    if side < 0:
        return _next_touch(z, edges, first, due, rule[EXIT_SHORT], rule[STOP_AT])
    return _next_touch(z, edges, first, due, -rule[STOP_AT], rule[EXIT_LONG])


@compiled
def _entry(value: float, rule: FloatArray, may_sell: bool, may_buy: bool) -> int:
    """Return the side that z asks for: −1, +1, or 0."""
    if value > rule[SELL_ABOVE] and may_sell:
        return -1
    return 1 if value < rule[BUY_BELOW] and may_buy else 0


@compiled
def _reason(value: float, side: int, bars_held: int, rule: FloatArray) -> int:
    """Return why a position is left at this close; 0 for not."""
    against = value if side < 0 else -value
    if against >= rule[STOP_AT]:
        return STOP
    if (side < 0 and value <= rule[EXIT_SHORT]) or (side > 0 and value >= rule[EXIT_LONG]):
        return EXIT
    return TIME if bars_held >= rule[MOST_BARS] else 0


@compiled
def walk(
    z: FloatArray, tradable: BoolArray, start: int, stop: int, rule: FloatArray,
    trades: IntArray, tally: IntArray,
) -> int:  # fmt: skip
    """Walk the bars by one rule: see `walk_between`."""
    return walk_between(z, block_edges(z), tradable, start, stop, rule, trades, tally)


@compiled
def walk_between(  # noqa: PLR0912 - one automaton, read from top to bottom
    z: FloatArray, edges: FloatArray, tradable: BoolArray, start: int, stop: int,
    rule: FloatArray, trades: IntArray, tally: IntArray,
) -> int:  # fmt: skip
    """Walk the bars ``start`` to ``stop`` (not included) and list the trades; return their number.

    Each close decides, the next bar fills: an exit waits for the first bar that can be traded, an
    entry is cancelled where the next one cannot, since the z that asked for it is then old. The
    last bar decides nothing; what is still held leaves at its close, as `END`. `tally` counts
    cancelled entries and bars that exits had to wait.
    """
    count, side, exit_reason, ordered_side = 0, 0, 0, 0
    decided, entered, exit_decided, order_decided = -1, -1, -1, -1
    may_sell, may_buy = True, True
    t = start - 1
    while t < stop - 1:
        t += 1
        if exit_reason == 0 and ordered_side == 0 and may_sell and may_buy:
            t = _next_event(z, edges, t, stop - 1, side, entered, rule)
        if exit_reason != 0:
            if tradable[t]:
                _write(trades, count, decided, entered, exit_decided, t, side, exit_reason)
                count += 1
                side, exit_reason = 0, 0
            else:
                tally[WAITED] += 1
        if ordered_side != 0:
            if exit_reason == 0 and tradable[t]:
                side, entered, decided = ordered_side, t, order_decided
            else:
                tally[CANCELLED] += 1
            ordered_side = 0
        if t == stop - 1:
            break
        value = z[t]
        # A comparison with NaN is false: without a z nothing is entered, left or re-armed by it.
        may_sell = may_sell or value <= rule[SELL_ABOVE]
        may_buy = may_buy or value >= rule[BUY_BELOW]
        if exit_reason != 0:
            continue
        if side == 0:
            ordered_side, order_decided = _entry(value, rule, may_sell, may_buy), t
            continue
        exit_reason, exit_decided = _reason(value, side, t - entered + 1, rule), t
        if exit_reason == EXIT:
            reversal = _entry(value, rule, may_sell, may_buy)
            # The bar that ends one side may ask for the other.
            ordered_side, order_decided = (reversal, t) if reversal == -side else (0, order_decided)
        elif exit_reason != 0 and rule[WAIT_FOR_RETURN] != 0.0:
            may_sell, may_buy = may_sell and side > 0, may_buy and side < 0
    if side != 0:
        _write(trades, count, decided, entered, stop - 1, stop - 1, side, END)
        count += 1
    return count


@compiled
def _write(
    trades: IntArray, row: int, decided: int, entered: int, exit_decided: int, exited: int,
    side: int, reason: int,
) -> None:  # fmt: skip
    trades[row, DECIDED] = decided
    trades[row, ENTERED] = entered
    trades[row, EXIT_DECIDED] = exit_decided
    trades[row, EXITED] = exited
    trades[row, SIDE] = side
    trades[row, REASON] = reason
