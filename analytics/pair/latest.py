"""What a pair says at its latest closed bar, at a cost that does not grow with the range.

The last row of `analyse_pair`, by the same functions on the few bars that it stands on: two
windows, beside the line over the sample, whose sums move on from bar to bar.
"""

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import NotEnoughDataError
from analytics.frames import FloatArray, utc_index
from analytics.leg import Leg, align_legs, common_bars
from analytics.pair.analysis import analyse_pair, behind, closed_leg
from analytics.pair.closed_gates import GATE_NAMES, GateTests
from analytics.pair.latest_bars import LatestBars, latest_bars
from analytics.pair.latest_gates import latest_gate, latest_tests
from analytics.pair.latest_line import LatestLine, latest_line
from analytics.pair.params import PairParams
from analytics.pair.reading import PairReading, PairTestsReading
from analytics.pair.residual import verdict_of
from analytics.pair.result import PairAnalytics
from analytics.pair.signal import signal_and_reason, why_no_zscore
from analytics.pair.spread import PairSample, constant_bars, fitted_legs, spread_rounding
from analytics.spread import (
    check_positive,
    correlation_path,
    moments_path,
    off_line,
    plain_spread,
    zscores,
)
from analytics.stationarity import HalfLife

Legs = tuple[Leg, Leg]
Arrays = tuple[FloatArray, FloatArray]

# Their latest line follows from the latest bars, or from sums that move on.
_QUICK_HEDGES: Final = ("ols", "rolling_ols")


@dataclass(frozen=True, slots=True, eq=False)
class LatestPair:
    """What a reading leaves to the next one of the same pair. Never changed.

    Attributes
    ----------
    params, epoch
        Of the reading: one by others begins anew.
    first, stop
        Numbers of the range's first bar and of the one after its last, counted in bars from the
        epoch.
    line
        What its line leaves.
    tests
        The latest tests of the gates on statistics, rows counted from the epoch; None without.
    analysis
        The whole analysis, where the hedge ratio needs one.
    """

    params: PairParams
    epoch: Hashable
    first: int
    stop: int
    line: LatestLine | None = None
    tests: GateTests | None = None
    analysis: PairAnalytics | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Range:
    """The range of a reading: closed bars of both legs, numbers of its bars, the latest of them.

    `fitted` are the closes of the latest bars as the hedge ratio relates them.
    """

    params: PairParams
    closed: Legs
    span: tuple[int, int]
    bars: tuple[LatestBars, LatestBars]
    fitted: Arrays

    @property
    def closes(self) -> Arrays:
        """Closes of the latest bars."""
        return self.bars[0].close, self.bars[1].close

    @property
    def cut_from(self) -> int:
        """Number of the first of the latest bars."""
        return self.span[1] - self.bars[0].close.size


def read_latest(
    legs: Legs,
    params: PairParams,
    before: LatestPair | None = None,
    epoch: Hashable = None,
) -> tuple[PairReading, LatestPair]:
    """Read a pair at its latest closed bar.

    Parameters
    ----------
    legs : tuple of two Leg
        Closed bars of S1 and S2, `PairParams.reach` of them or more, as `analyse_pair` takes them.
    params : PairParams
    before : LatestPair, optional
        What an earlier reading of this pair left.
    epoch : hashable, optional
        Says which bars these are: of two readings of one epoch, bars that both hold are equal (the
        epochs of both bar windows, say). None where this is not known: then `before` is of no use.

    Returns
    -------
    reading : PairReading
        As the last row of ``analyse_pair(*legs, params)`` has it: the same signal, gate and words;
        figures to 1e-9, or as far as prices have digits where the line leaves nearly nothing of y.
    carried : LatestPair
        For the next one.

    Raises
    ------
    NotEnoughDataError
        No closed bar of both legs.
    FrameError, NonPositivePriceError
        As `analyse_pair`.

    Notes
    -----
    With `"ols"` and `"rolling_ols"` a bar costs the same however long the range. Any other hedge
    ratio follows its path from the range's beginning, or looks at all of the sample: there
    `analyse_pair` itself is asked, whose cost grows with the range. Where the sums of a line would
    lose digits (a leg that stands still all along, or no more than 1e-12 of y's squares beside the
    line), the sample is fitted by itself.
    """
    closed = closed_leg(legs[0], params.y, "y", params), closed_leg(legs[1], params.x, "x", params)
    reach, bars = _bars_of(params)
    start_us, count = common_bars(*closed, reach)
    if not count:
        raise NotEnoughDataError(f"a reading of {params.label}", 1, 0)
    first = start_us // closed[0].step_us
    span = first, first + count
    known = before if before is not None and _goes_on(before, params, epoch, span) else None
    if params.hedge not in _QUICK_HEDGES:
        analysis = analyse_pair(*closed, params, None if known is None else known.analysis)
        return reading_of(analysis), LatestPair(params, epoch, *span, analysis=analysis)
    y, x = (latest_bars(leg, start_us, count, bars) for leg in closed)
    if known is None:
        _check_prices((y, x), params)
    fitted = (y.log_close, x.log_close) if params.on_logs else (y.close, x.close)
    return _read(_Range(params, closed, span, (y, x), fitted), epoch, known)


@lru_cache(maxsize=4_096)
def _bars_of(params: PairParams) -> tuple[int | None, int]:
    """Bars of the range, and how many of the latest are looked at closely.

    Two windows: the second of them renews the sums, so that they are equal to the bit.
    """
    return params.reach, 2 * params.window + params.hedge_options.get("window", 0)


def _goes_on(
    before: LatestPair, params: PairParams, epoch: Hashable, span: tuple[int, int]
) -> bool:
    """Whether the bars of both readings are of one run, and these are no earlier."""
    return (
        epoch is not None
        and before.epoch == epoch
        and before.params == params
        and before.first <= span[0]
        and before.stop <= span[1]
    )


def _check_prices(bars: tuple[LatestBars, LatestBars], params: PairParams) -> None:
    """Refuse what `analyse_pair` would, in bars that no reading has looked at."""
    for leg in bars:
        if params.on_logs:
            check_positive(leg.range_close, "a log spread")
        if params.correlation_on == "returns":
            check_positive(leg.range_close, "log returns")


def _read(
    range_: _Range, epoch: Hashable, before: LatestPair | None
) -> tuple[PairReading, LatestPair]:
    params, (y, x), span = range_.params, range_.bars, range_.span
    line_before, tests_before = (None, None) if before is None else (before.line, before.tests)
    line = latest_line(range_.closed, span[0], range_.fitted, params, line_before)
    spread = _spread(range_, line)
    moments = moments_path(spread, params.window, range_.cut_from)
    mean, std, deviation = moments.rows[:, -1:]
    here = range_.fitted[0][-1:], range_.fitted[1][-1:]
    rounding = spread_rounding(here, spread[-1:], (line.beta, line.alpha), params)
    z = float(zscores(deviation, std, rounding)[0])
    tests = latest_tests(range_.closed, span, params, tests_before)
    late = behind(range_.closed, params)
    gate, why_closed = latest_gate(range_.bars, span[0], params, late, tests)
    lacks = partial(_why, range_, spread, line)
    signal, reason = signal_and_reason(z, params, why_closed, lacks)
    reading = PairReading(
        time_us=(span[1] - 1) * range_.closed[0].step_us,
        y=y.last_close,
        x=x.last_close,
        beta=line.beta,
        alpha=line.alpha,
        beta_stderr=line.beta_stderr,
        spread=float(spread[-1]),
        mean=float(mean[0]),
        std=float(std[0]),
        zscore=z,
        correlation=_correlation(range_),
        signal=signal,
        reason=reason,
        gate=gate,
        y_coverage=y.last_coverage,
        x_coverage=x.last_coverage,
    )
    return reading, LatestPair(params, epoch, *span, line, tests)


def _spread(range_: _Range, line: LatestLine) -> FloatArray:
    if not range_.params.uses_beta:
        return plain_spread(*range_.closes, range_.params.spread)
    return off_line(*range_.fitted, *line.path)


def _correlation(range_: _Range) -> float:
    params, (y, x) = range_.params, range_.bars
    bars = min(2 * params.window, y.close.size)
    on_returns = params.correlation_on == "returns"
    legs = (y.log_returns, x.log_returns) if on_returns else range_.closes
    cut = legs[0][-bars:], legs[1][-bars:]
    path = correlation_path(cut, params.window, params.correlation_on, range_.span[1] - bars)
    return float(path.rows[0][-1])


def _why(range_: _Range, spread: FloatArray, line: LatestLine) -> str:
    first, step_us = range_.span[1] - spread.size, range_.closed[0].step_us

    def time_of(row: int) -> pd.Timestamp:
        return utc_index(np.array([(first + row) * step_us]))[0]

    params = range_.params
    closes = dict(zip((params.y, params.x), range_.closes, strict=True))
    return why_no_zscore(closes, time_of, spread, line.lack, params)


def reading_of(analysis: PairAnalytics) -> PairReading:
    """Take the last row of an analysis, of one bar or more."""
    beta = float(analysis.hedge_ratio.iloc[-1])
    fit = analysis.hedge
    y, x = analysis.legs
    return PairReading(
        time_us=y.end_us,
        y=float(y.close[-1]),
        x=float(x.close[-1]),
        beta=beta,
        alpha=float(analysis.intercept.iloc[-1]),
        beta_stderr=math.nan if math.isnan(beta) else getattr(fit, "beta_stderr", math.nan),
        spread=float(analysis.spread.iloc[-1]),
        mean=float(analysis.mean.iloc[-1]),
        std=float(analysis.std.iloc[-1]),
        zscore=float(analysis.zscore.iloc[-1]),
        correlation=float(analysis.correlation.iloc[-1]),
        signal=analysis.signal_now.signal,
        reason=analysis.signal_now.reason,
        gate=GATE_NAMES[analysis.gate_codes[-1]],
        y_coverage=int(y.coverage[-1]),
        x_coverage=int(x.coverage[-1]),
    )


def read_each(legs: Legs, params: PairParams, bars: int) -> Iterator[PairReading]:
    """Read a pair at each of the latest bars of both legs, oldest first.

    Each reading is the one that `read_latest` makes of the legs as they were at that bar: nothing
    of the bars to come is in it. A leg's lag behind the other is not: at each bar both are there.

    Parameters
    ----------
    legs : tuple of two Leg
        `PairParams.reach` and `bars` closed bars, where there are so many.
    params : PairParams
    bars : int
        How many readings; fewer where the legs have fewer bars in common.

    Raises
    ------
    FrameError, NonPositivePriceError
        As `analyse_pair`.
    """
    closed = closed_leg(legs[0], params.y, "y", params), closed_leg(legs[1], params.x, "x", params)
    y, x = align_legs(*closed)
    state = None
    for stop in range(max(len(y) - bars, 0) + 1, len(y) + 1):
        reading, state = read_latest((y.part(0, stop), x.part(0, stop)), params, state, epoch=())
        yield reading


def read_tests(legs: Legs, params: PairParams) -> PairTestsReading:
    """Test a pair over the sample that ends with its latest closed bar.

    As the page's verdict has it: Engle-Granger where the hedge ratio is estimated, ADF of the
    spread where none is. Its cost grows with the sample: 3 ms for 86,400 bars.

    Parameters
    ----------
    legs, params
        As `read_latest` takes them.

    Raises
    ------
    NotEnoughDataError
        No closed bar of both legs.
    FrameError, NonPositivePriceError
        As `analyse_pair`.
    """
    closed = closed_leg(legs[0], params.y, "y", params), closed_leg(legs[1], params.x, "x", params)
    reach = align_legs(*closed, params.reach)
    if not len(reach[0]):
        raise NotEnoughDataError(f"the tests of {params.label}", 1, 0)
    bars = len(reach[0]) if params.sample is None else params.sample
    test, speed = verdict_of(_sample((reach[0].last(bars), reach[1].last(bars)), params), params)
    return PairTestsReading(
        time_us=reach[0].end_us,
        pvalue=getattr(test, "pvalue", math.nan),
        test="Engle-Granger" if params.uses_beta else "ADF",
        half_life=_half_life(speed),
        returns=hasattr(test, "rejects") and test.rejects(params.level),
    )


def _half_life(speed: object) -> float:
    if not isinstance(speed, HalfLife):
        return math.nan
    return speed.half_life if speed.mean_reverting else math.inf


def _sample(legs: Legs, params: PairParams) -> PairSample:
    index = legs[0].index
    y, x = (
        pd.Series(leg.close, index=index, name=name, copy=False)
        for leg, name in zip(legs, (params.y, params.x), strict=True)
    )
    fitted = fitted_legs(y, x, params)
    if params.uses_beta:
        return PairSample(*fitted, fitted[0])
    closes = legs[0].close, legs[1].close
    path = plain_spread(*closes, params.spread)
    constant = constant_bars(path, spread_rounding(closes, path, (0.0, 0.0), params))
    return PairSample(*fitted, pd.Series(path, index=index, name=params.label), constant)
