"""The gates of a pair's latest bar, by what its legs share; and the tests that some go by.

A test of a gate holds for a window: it is made once, and carried to the bars that follow.
"""

from dataclasses import replace

import numpy as np

from analytics.leg import Leg
from analytics.pair.closed_gates import (
    FEW_BARS,
    GATE_NAMES,
    LEG_STALE,
    NOT_COVERED,
    GateInput,
    GateTests,
    covered_words,
    ends_of_tests,
    few_words,
    gate_codes,
    stale_words,
    tests_of_spans,
)
from analytics.pair.gates import bars_of_test
from analytics.pair.latest_bars import LatestBars, blocks_back
from analytics.pair.params import PairParams
from analytics.spread import log_price, plain_spread

Legs = tuple[Leg, Leg]
Bars = tuple[LatestBars, LatestBars]
Behind = tuple[str, float] | None


def latest_gate(
    bars: Bars, first: int, params: PairParams, behind: Behind, tests: GateTests | None
) -> tuple[str, str]:
    """Name the gate that is closed at the latest bar, and say why; "" twice where all are open.

    `first` is the number of the bars' first one. As `gate_codes` has it for the whole range.
    """
    gates = params.gates
    for is_on, check in (
        (gates.leg_stale, _stale),
        (gates.window_covered, _covered),
        (gates.enough_bars, _few),
    ):
        if is_on and (closed := check(bars, params, behind)) is not None:
            return closed
    return ("", "") if tests is None else _by_tests(bars, first, params, tests)


def _stale(bars: Bars, params: PairParams, behind: Behind) -> tuple[str, str] | None:
    after_s, bar_s = params.gates.stale_after_s, params.bar.us / 1e6
    y_s, x_s = (each.bars_untraded * bar_s for each in bars)
    if y_s <= after_s and x_s <= after_s and (behind is None or behind[1] <= after_s):
        return None
    return LEG_STALE, stale_words(((params.y, y_s), (params.x, x_s)), behind, after_s)


def _covered(bars: Bars, params: PairParams, behind: Behind) -> tuple[str, str] | None:  # noqa: ARG001
    window, least = params.window, params.gates.least_traded
    y, x = (each.bars_traded(window) for each in bars)
    if y >= least * window and x >= least * window:
        return None
    return NOT_COVERED, covered_words(((params.y, y), (params.x, x)), window, least)


def _few(bars: Bars, params: PairParams, behind: Behind) -> tuple[str, str] | None:  # noqa: ARG001
    needed = params.gates.least_bars or params.window
    y, x = bars
    if y.is_known and x.is_known and y.close.size >= needed:
        return None
    count = _known_bars(bars, needed)
    return None if count >= needed else (FEW_BARS, few_words(count, needed))


def _known_bars(bars: Bars, needed: int) -> int:
    """Count the bars that both legs know, as many as are needed."""
    y, x = (each.range_close for each in bars)
    count = 0
    for start, stop in blocks_back(y.size):
        if count >= needed:
            break
        unknown = np.isnan(y[start:stop]) | np.isnan(x[start:stop])
        count += stop - start - int(np.count_nonzero(unknown))
    return count


def _by_tests(bars: Bars, first: int, params: PairParams, tests: GateTests) -> tuple[str, str]:
    y, x = (each.close for each in bars)
    traded = np.zeros(y.size, dtype=np.bool_)
    low = first + bars[0].range_close.size - y.size
    given = GateInput(
        names=(params.y, params.x),
        y=y,
        x=x,
        y_traded=traded,
        x_traded=traded,
        spread=y,
        uses_beta=params.uses_beta,
        interval=params.bar,
        window=params.window,
        level=params.level,
        start_us=low * params.bar.us,
        tested=tests.seen_from(low),
    )
    gates = replace(params.gates, leg_stale=False, window_covered=False, enough_bars=False)
    codes, why = gate_codes(given, gates)
    return GATE_NAMES[codes[-1]], why


def latest_tests(
    legs: Legs, span: tuple[int, int], params: PairParams, before: GateTests | None
) -> GateTests | None:
    """Make the latest tests of the gates on statistics, or take over those `before`.

    `span` is of the numbers of the range's bars, all of which the legs have; rows are counted from
    the epoch. None where these gates are off.
    """
    gates, window = params.gates, params.window
    if not (gates.pvalue or gates.half_life):
        return None
    first, stop = span
    ends = ends_of_tests(first, stop - first, window)[-1:]
    starts = np.maximum(ends - bars_of_test(window), 0)
    if before is not None and np.array_equal(
        [before.starts, before.ends], [starts + first, ends + first]
    ):
        return before
    low, high = (int(starts[0]), int(ends[0])) if ends.size else (0, 0)
    y, x = (
        leg.part(first + low - begin, first + high - begin)
        for leg in legs
        for begin in (leg.start_us // leg.step_us,)
    )
    given = _span_input((y, x), params)
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
