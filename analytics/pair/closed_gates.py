"""Where the gates that are on are closed, bar by bar, and what closed the latest bar's in words."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.frames import BoolArray, FloatArray, IntArray, Interval
from analytics.pair.gates import Gates, bars_of_test
from analytics.stationarity import trailing_adf, trailing_engle_granger, trailing_half_life

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
    """What the gates look at, all of one index.

    Attributes
    ----------
    y, x
        Closes as the hedge ratio relates them (prices or logarithms); NaN where missing.
    y_traded, x_traded
        Whether each leg traded in the bar.
    spread
        Its path.
    uses_beta
        Whether the spread stands on an estimated hedge ratio.
    first_bar
        Number of the first bar, counted in bars from the epoch.
    behind
        Name of a leg whose bars end well before the other's, and by how many seconds; or None.
    """

    y: pd.Series
    x: pd.Series
    y_traded: BoolArray
    x_traded: BoolArray
    spread: pd.Series
    uses_beta: bool
    interval: Interval
    window: int
    level: float
    first_bar: int = 0
    behind: tuple[str, float] | None = None


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
    if gates.pvalue:
        checks.append(_pvalue(given))
    if gates.half_life:
        checks.append(_half_life(given))
    return checks


def _legs(given: GateInput) -> tuple[tuple[str, BoolArray], tuple[str, BoolArray]]:
    return (str(given.y.name), given.y_traded), (str(given.x.name), given.x_traded)


def _for_kernels(traded: BoolArray) -> BoolArray:
    """Give the one memory layout that kernels are compiled for."""
    return np.require(traded, requirements=["C", "W"])


def _stale(given: GateInput, after_s: float) -> tuple[str, BoolArray, str]:
    from analytics.kernels.coverage import mark_stale  # noqa: PLC0415 - numba, when needed

    bar_s = given.interval.us / 1e6
    closed = np.zeros(len(given.y), dtype=np.bool_)
    told = []
    for name, traded in _legs(given):
        since_s = mark_stale(_for_kernels(traded), bar_s, float(after_s), closed)
        if since_s > after_s:
            told.append(f"{name} last traded {since_s:g} s before")
    if given.behind is not None and given.behind[1] > after_s and closed.size:
        closed[-1] = True
        told.append(f"{given.behind[0]} has no bars for the last {given.behind[1]:g} s")
    return LEG_STALE, closed, f"{LEG_STALE}: {' and '.join(told)} (gate at {after_s:g} s)"


def _covered(given: GateInput, least: float) -> tuple[str, BoolArray, str]:
    from analytics.kernels.coverage import mark_uncovered  # noqa: PLC0415 - numba, when needed

    window = given.window
    closed = np.zeros(len(given.y), dtype=np.bool_)
    told = []
    for name, traded in _legs(given):
        count = mark_uncovered(_for_kernels(traded), window, float(least * window), closed)
        if closed.size and count < least * window:
            told.append(f"{name} traded in {count} of {window} bars")
    return NOT_COVERED, closed, f"{NOT_COVERED}: {' and '.join(told)} (gate at {least * 100:g} %)"


def _enough(given: GateInput, least: int | None) -> tuple[str, BoolArray, str]:
    needed = given.window if least is None else least
    known = ~(np.isnan(given.y.to_numpy()) | np.isnan(given.x.to_numpy()))
    count, closed = int(np.count_nonzero(known)), np.zeros(known.size, dtype=np.bool_)
    if count < needed:
        closed[:] = True
    elif count == known.size:
        closed[: needed - 1] = True
    else:
        closed[: np.flatnonzero(known)[needed - 1]] = True
    return FEW_BARS, closed, f"{FEW_BARS}: {count} of {needed} known on both legs"


def _test_spans(given: GateInput) -> tuple[IntArray, IntArray]:
    """First and end rows of the tests: one ends with every window, once one is full."""
    window, size = given.window, len(given.y)
    ends = np.arange(window + -given.first_bar % window, size + 1, window, dtype=np.int64)
    return np.maximum(ends - bars_of_test(window), 0), ends


def _held(values: FloatArray, ends: IntArray, size: int) -> FloatArray:
    """Hold each test's value from the bar that completed it to the next; NaN before the first."""
    before = np.full(int(ends[0]) - 1 if ends.size else size, np.nan)
    lengths = np.diff(np.r_[ends, size + 1])
    return np.r_[before, np.repeat(values, lengths)] if ends.size else before


def _span(given: GateInput, starts: IntArray, ends: IntArray) -> str:
    time = given.y.index[int(ends[-1]) - 1]
    return f"over the {int(ends[-1] - starts[-1]):,} bars to {time:%H:%M:%S}"


def _pvalue(given: GateInput) -> tuple[str, BoolArray, str]:
    starts, ends = _test_spans(given)
    if given.uses_beta:
        test, values = "Engle-Granger", trailing_engle_granger(given.y, given.x, starts, ends)
    else:
        test, values = "ADF", trailing_adf(given.spread, starts, ends)
    path = _held(values, ends, len(given.y))
    words = f"{HIGH_PVALUE}: no {test} p-value yet"
    if ends.size and not math.isnan(values[-1]):
        words = (
            f"{HIGH_PVALUE}: {test} p = {values[-1]:.3f} {_span(given, starts, ends)} is not below "
            f"{given.level:g}"
        )
    return HIGH_PVALUE, ~(path < given.level), words


def _half_life(given: GateInput) -> tuple[str, BoolArray, str]:
    starts, ends = _test_spans(given)
    values, estimated = trailing_half_life(given.spread, starts, ends)
    path = _held(values, ends, len(given.y))
    words = f"{LONG_HALF_LIFE}: none is known yet"
    if ends.size and estimated[-1]:
        span = _span(given, starts, ends)
        words = f"{LONG_HALF_LIFE}: the spread was not mean-reverting {span}"
        if not math.isnan(values[-1]):
            words = f"{LONG_HALF_LIFE}: {values[-1]:,.1f} bars {span}, window {given.window}"
    return LONG_HALF_LIFE, ~(path <= given.window), words
