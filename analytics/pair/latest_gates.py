"""What the gates of the latest bar look at beside the last bars: what came before, and the tests.

A test of a gate holds for a window: it is made once, and carried to the bars that follow.
"""

from collections.abc import Iterator

import numpy as np

from analytics.frames import FloatArray
from analytics.leg import TRADED, Leg
from analytics.pair.closed_gates import GateInput, GateTests, ends_of_tests, tests_of_spans
from analytics.pair.gates import bars_of_test
from analytics.pair.params import PairParams
from analytics.spread import log_price, plain_spread

Legs = tuple[Leg, Leg]
# Bars looked at together, from the latest back.
_BLOCK = 1_024


def bars_untraded(leg: Leg, rows: int) -> int:
    """Count the bars just before a row in which the leg did not trade.

    0 where it traded since: then they close no gate.
    """
    if (leg.coverage[rows:] == TRADED).any():
        return 0
    for start, stop in _blocks_back(rows):
        traded = np.flatnonzero(leg.coverage[start:stop] == TRADED)
        if traded.size:
            return rows - 1 - start - int(traded[-1])
    return rows


def known_bars(legs: Legs, rows: int, params: PairParams) -> int:
    """Count the bars before a row that both legs know, as many as the gate on bars still needs."""
    gates, (y, x) = params.gates, (leg.close for leg in legs)
    if not gates.enough_bars:
        return 0
    lacking = (gates.least_bars or params.window) - _known(y[rows:], x[rows:])
    count = 0
    for start, stop in _blocks_back(rows):
        if count >= lacking:
            break
        count += _known(y[start:stop], x[start:stop])
    return count


def _known(y: FloatArray, x: FloatArray) -> int:
    return y.size - int(np.count_nonzero(np.isnan(y) | np.isnan(x)))


def _blocks_back(rows: int) -> Iterator[tuple[int, int]]:
    """Cut the rows before a row into blocks, the latest first."""
    return ((max(stop - _BLOCK, 0), stop) for stop in range(rows, 0, -_BLOCK))


def latest_tests(
    legs: Legs, first: int, params: PairParams, before: GateTests | None
) -> GateTests | None:
    """Make the latest tests of the gates on statistics, or take over those `before`.

    `first` is the number of the legs' first bar, and rows are counted from the epoch. None where
    these gates are off.
    """
    gates, window = params.gates, params.window
    if not (gates.pvalue or gates.half_life):
        return None
    ends = ends_of_tests(first, len(legs[0]), window)[-1:]
    starts = np.maximum(ends - bars_of_test(window), 0)
    if before is not None and np.array_equal(
        [before.starts, before.ends], [starts + first, ends + first]
    ):
        return before
    low, high = (int(starts[0]), int(ends[0])) if ends.size else (0, 0)
    given = _span_input((legs[0].part(low, high), legs[1].part(low, high)), params)
    return tests_of_spans(given, gates, starts - low, ends - low).seen_from(-first - low)


def _span_input(legs: Legs, params: PairParams) -> GateInput:
    y, x = (leg.close for leg in legs)
    spread = y if params.uses_beta else plain_spread(y, x, params.spread)
    if params.on_logs:
        y, x = log_price(y, "a log spread"), log_price(x, "a log spread")
    return GateInput(
        names=(params.y, params.x),
        y=y,
        x=x,
        y_traded=legs[0].traded,
        x_traded=legs[1].traded,
        spread=spread,
        uses_beta=params.uses_beta,
        interval=params.bar,
        window=params.window,
        level=params.level,
    )
