"""Where the gates that are on are closed, bar by bar, and what closed the latest bar's in words."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.frames import BoolArray, FloatArray, IntArray, Interval
from analytics.pair.gates import Gates, bars_between_refits, bars_of_test
from analytics.stationarity import (
    pvalue_words,
    trailing_adf,
    trailing_engle_granger,
    trailing_half_life,
)

LEG_STALE: Final = "leg stale"
NOT_COVERED: Final = "window not covered"
FEW_BARS: Final = "not enough bars"
HIGH_PVALUE: Final = "p above the level"
LONG_HALF_LIFE: Final = "half-life longer than the window"
# A gate's code is its place here; 0 where all are open.
GATE_NAMES: Final = ("", LEG_STALE, NOT_COVERED, FEW_BARS, HIGH_PVALUE, LONG_HALF_LIFE)

CodeArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class GateInput:
    """What the gates look at, all of the same bars.

    Attributes
    ----------
    names
        Symbols of y and x.
    y, x
        Closes as the hedge ratio relates them (prices or logarithms); NaN where missing.
    y_traded, x_traded
        Whether each leg traded in the bar.
    spread
        Its path.
    uses_beta
        Whether the spread stands on an estimated hedge ratio.
    start_us
        Open of the first bar, µs since the epoch, UTC.
    behind
        Name of a leg whose bars end well before the other's, and by how many seconds; or None.
    traded
        Legs of a basket by name, in place of the two: whether each traded in the bar.
    tests
        How a basket is tested over trailing spans, in place of the pair's own.
    tested
        The tests that gates on statistics go by; None for those of all spans.
    """

    names: tuple[str, str]
    y: FloatArray
    x: FloatArray
    y_traded: BoolArray
    x_traded: BoolArray
    spread: FloatArray
    uses_beta: bool
    interval: Interval
    window: int
    level: float
    start_us: int = 0
    behind: tuple[str, float] | None = None
    traded: tuple[tuple[str, BoolArray], ...] = ()
    tests: "TrailingTests | None" = None
    tested: "GateTests | None" = None

    @property
    def first_bar(self) -> int:
        """Number of the first bar, counted in bars from the epoch."""
        return self.start_us // self.interval.us


class TrailingTests(Protocol):
    """Tests of many spans of bars: `start` to `stop`, in rows."""

    @property
    def name(self) -> str:
        """As the words of a gate name the test."""

    def pvalues(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """p-value of each span; NaN where there is none."""

    def half_lives(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """Half-life of each span's spread, bars; NaN where it does not return."""


def gate_names(codes: CodeArray, index: pd.Index) -> pd.Series:
    """Spell out codes of gates."""
    names = pd.array(list(GATE_NAMES), dtype="str").take(codes)
    return pd.Series(names, index=index, name="gate", copy=False)


def gate_codes(given: GateInput, gates: Gates) -> tuple[CodeArray, str]:
    """Find the first closed gate of each bar, and say in words what closed the latest bar's.

    Returns
    -------
    codes : ndarray of int8, shape (n,)
        Place in `GATE_NAMES` of the first gate that is closed, in the order of `Gates`; 0 where all
        are open.
    reason : str
        Of the latest bar, with the figures; "" where all are open.
    """
    codes = np.zeros(len(given.y), dtype=np.int8)
    reason = ""
    for name, closed, words in _checks(given, gates):
        hit = closed & (codes == 0)
        codes[hit] = GATE_NAMES.index(name)
        if hit.size and hit[-1]:
            reason = words
    return codes, reason


def _checks(given: GateInput, gates: Gates) -> list[tuple[str, BoolArray, str]]:
    """List the gates that are on: name, bars at which it is closed, words for the latest bar."""
    checks = []
    if gates.leg_stale:
        checks.append(_stale(given, gates.stale_after_s))
    if gates.window_covered:
        checks.append(_covered(given, gates.least_traded))
    if gates.enough_bars:
        checks.append(_enough(given, gates.least_bars))
    if gates.pvalue or gates.half_life:
        tested = given.tested or _tested(given, gates)
        if gates.pvalue:
            checks.append(_pvalue(given, tested))
        if gates.half_life:
            checks.append(_half_life(given, tested))
    return checks


def _legs(given: GateInput) -> tuple[tuple[str, BoolArray], ...]:
    y, x = given.names
    return given.traded or ((y, given.y_traded), (x, given.x_traded))


def _for_kernels(traded: BoolArray) -> BoolArray:
    """Give the one memory layout that kernels are compiled for."""
    return np.require(traded, requirements=["C", "W"])


def _stale(given: GateInput, after_s: float) -> tuple[str, BoolArray, str]:
    from analytics.kernels.coverage import mark_stale  # noqa: PLC0415 - numba, when needed

    bar_s = given.interval.us / 1e6
    closed = np.zeros(len(given.y), dtype=np.bool_)
    since_s = [
        (name, mark_stale(_for_kernels(traded), 0, bar_s, float(after_s), closed))
        for name, traded in _legs(given)
    ]
    if given.behind is not None and given.behind[1] > after_s and closed.size:
        closed[-1] = True
    return LEG_STALE, closed, stale_words(since_s, given.behind, after_s)


def stale_words(
    since_s: Iterable[tuple[str, float]], behind: tuple[str, float] | None, after_s: float
) -> str:
    """Say which legs are stale: seconds since each traded, and by how many one is behind."""
    legs = [f"{name} last traded {s:g} s before" for name, s in since_s if s > after_s]
    if behind is not None and behind[1] > after_s:
        legs.append(f"{behind[0]} has no bars for the last {behind[1]:g} s")
    return f"{LEG_STALE}: {' and '.join(legs)} (gate at {after_s:g} s)"


def _covered(given: GateInput, least: float) -> tuple[str, BoolArray, str]:
    from analytics.kernels.coverage import mark_uncovered  # noqa: PLC0415 - numba, when needed

    window = given.window
    closed = np.zeros(len(given.y), dtype=np.bool_)
    counts = [
        (name, mark_uncovered(_for_kernels(traded), window, float(least * window), closed))
        for name, traded in _legs(given)
    ]
    return NOT_COVERED, closed, covered_words(counts, window, least)


def covered_words(counts: Iterable[tuple[str, int]], window: int, least: float) -> str:
    """Say which legs traded in too few bars of the window: in how many each did."""
    legs = [
        f"{name} traded in {count} of {window} bars"
        for name, count in counts
        if count < least * window
    ]
    return f"{NOT_COVERED}: {' and '.join(legs)} (gate at {least * 100:g} %)"


def _enough(given: GateInput, least: int | None) -> tuple[str, BoolArray, str]:
    needed = given.window if least is None else least
    known = ~(np.isnan(given.y) | np.isnan(given.x))
    count, closed = int(np.count_nonzero(known)), np.zeros(known.size, dtype=np.bool_)
    if count < needed:
        closed[:] = True
    elif count == known.size:
        closed[: needed - 1] = True
    else:
        closed[: np.flatnonzero(known)[needed - 1]] = True
    return FEW_BARS, closed, few_words(count, needed, "all" if given.traded else "both")


def few_words(count: int, needed: int, legs: str = "both") -> str:
    """Say how many bars are known."""
    return f"{FEW_BARS}: {count} of {needed} known on {legs} legs"


@dataclass(frozen=True, slots=True, eq=False)
class GateTests:
    """Tests that the gates on statistics go by.

    Attributes
    ----------
    starts, ends
        First and end row of each; a start may be before the bars at hand.
    pvalue, returns
        Its p-value, and whether it shows a return.
    half_life
        Bars; NaN where there is none, and for all where that gate is off.
    """

    starts: IntArray
    ends: IntArray
    pvalue: FloatArray
    returns: BoolArray
    half_life: FloatArray

    def seen_from(self, row: int) -> "GateTests":
        """Give the same tests with rows counted from another row on."""
        return replace(self, starts=self.starts - row, ends=self.ends - row)

    @property
    def is_known(self) -> bool:
        """Whether the latest test has an answer."""
        return bool(self.ends.size) and not math.isnan(self.pvalue[-1])


def _tested(given: GateInput, gates: Gates) -> GateTests:
    ends = _ends(given)
    return tests_of_spans(given, gates, np.maximum(ends - bars_of_test(given.window), 0), ends)


def _ends(given: GateInput) -> IntArray:
    # A test ends with every window, once one is full; a basket's fit costs too much for short ones.
    step = given.window if given.tests is None else bars_between_refits(given.window)
    return ends_of_tests(given.first_bar, len(given.y), step)


def with_latest_test(given: GateInput, gates: Gates) -> GateInput:
    """Give what the latest bar's gates look at: of all spans' tests that of the latest alone."""
    if not (gates.pvalue or gates.half_life):
        return given
    ends = _ends(given)[-1:]
    starts = np.maximum(ends - bars_of_test(given.window), 0)
    return replace(given, tested=tests_of_spans(given, gates, starts, ends))


def ends_of_tests(first_bar: int, size: int, step: int) -> IntArray:
    """List the rows at which tests end: every `step` bars, counted from the epoch."""
    return np.arange(step + -first_bar % step, size + 1, step, dtype=np.int64)


def tests_of_spans(given: GateInput, gates: Gates, starts: IntArray, ends: IntArray) -> GateTests:
    """Test for a return: each span's own line's residual, or a spread that uses no line."""
    speeds = _half_lives(given, starts, ends) if gates.half_life else np.full(ends.size, np.nan)
    if given.tests is not None:
        pvalues = given.tests.pvalues(starts, ends)
        return GateTests(starts, ends, pvalues, pvalues < given.level, speeds)
    if given.uses_beta:
        found = trailing_engle_granger(given.y, given.x, starts, ends)
    else:
        found = trailing_adf(given.spread, starts, ends)
    return GateTests(starts, ends, found.pvalue, found.rejects(given.level), speeds)


def _test_words(given: GateInput, tested: GateTests) -> str:
    test = "Engle-Granger" if given.uses_beta else "ADF"
    test = test if given.tests is None else given.tests.name
    return f"{test} {pvalue_words(float(tested.pvalue[-1]))} {_span(given, tested)}"


def _carried_on(is_open: BoolArray, ends: IntArray, size: int) -> BoolArray:
    """Hold each test's answer from the bar that completed it to the next; closed before one."""
    before = np.zeros(int(ends[0]) - 1 if ends.size else size, dtype=np.bool_)
    lengths = np.diff(np.r_[ends, size + 1])
    return np.r_[before, np.repeat(is_open, lengths)] if ends.size else before


def _span(given: GateInput, tested: GateTests) -> str:
    end_us = given.start_us + (int(tested.ends[-1]) - 1) * given.interval.us
    time = pd.Timestamp(end_us, unit="us", tz="UTC")
    return f"over the {int(tested.ends[-1] - tested.starts[-1]):,} bars to {time:%H:%M:%S}"


def _pvalue(given: GateInput, tested: GateTests) -> tuple[str, BoolArray, str]:
    is_open = _carried_on(tested.returns, tested.ends, len(given.y))
    words = f"{HIGH_PVALUE}: no p-value yet"
    if tested.is_known:
        says = f"is not below {given.level:g}"
        if tested.pvalue[-1] < given.level:
            says = "falls short of the critical value for so few bars"
        words = f"{HIGH_PVALUE}: {_test_words(given, tested)} {says}"
    return HIGH_PVALUE, ~is_open, words


def _half_lives(given: GateInput, starts: IntArray, ends: IntArray) -> FloatArray:
    if given.tests is not None:
        return given.tests.half_lives(starts, ends)
    y, on = (given.y, given.x) if given.uses_beta else (given.spread, None)
    return trailing_half_life(y, starts, ends, on=on)[0]


def _half_life(given: GateInput, tested: GateTests) -> tuple[str, BoolArray, str]:
    """Close where no return is shown, or a slow one: the half-life of a walk is often short."""
    values = tested.half_life
    is_open = _carried_on(tested.returns & (values <= given.window), tested.ends, len(given.y))
    words = f"{LONG_HALF_LIFE}: none is known yet"
    if tested.is_known:
        words = f"{LONG_HALF_LIFE}: no return shown, {_test_words(given, tested)}"
        if tested.returns[-1] and values[-1] > 0:
            bars = f"{values[-1]:,.1f} bars {_span(given, tested)}"
            words = f"{LONG_HALF_LIFE}: {bars}, window {given.window}"
    return LONG_HALF_LIFE, ~is_open, words
