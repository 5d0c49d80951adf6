"""What a pair says at its latest closed bar: the last row of a whole analysis."""

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from analytics.leg import Leg
from analytics.pair.analysis import PairAnalytics, analyse_pair
from analytics.pair.params import PairParams
from analytics.pair.reading import PairReading, PairTestsReading

Legs = tuple[Leg, Leg]


@dataclass(frozen=True, slots=True, eq=False)
class LatestPair:
    """What a reading leaves to the next one of the same pair."""

    analysis: PairAnalytics


def read_latest(
    legs: Legs, params: PairParams, before: LatestPair | None = None, epoch: Hashable = None
) -> tuple[PairReading, LatestPair]:
    """Read a pair at its latest closed bar."""
    known = None if before is None or epoch is None else before.analysis
    analysis = analyse_pair(*legs, params, known)
    return _reading(analysis), LatestPair(analysis)


def read_each(legs: Legs, params: PairParams, bars: int) -> Iterator[PairReading]:
    """Read a pair at each of the latest bars of both legs, oldest first."""
    y, x = legs
    count = min(len(y), len(x))
    for stop in range(max(count - bars, 0) + 1, count + 1):
        yield read_latest((y.part(0, stop), x.part(0, stop)), params)[0]


def read_tests(legs: Legs, params: PairParams) -> PairTestsReading:
    """Test a pair over the sample that ends with its latest closed bar."""
    analysis = analyse_pair(*legs, params)
    pvalue = getattr(analysis.adf, "pvalue", math.nan)
    half_life = getattr(analysis.half_life, "half_life", math.nan)
    returns = pvalue < params.level
    return PairTestsReading(analysis.legs[0].end_us, pvalue, "ADF", half_life, returns)


def _reading(analysis: PairAnalytics) -> PairReading:
    y, x = analysis.legs
    return PairReading(
        time_us=y.end_us,
        y=float(y.close[-1]),
        x=float(x.close[-1]),
        beta=float(analysis.hedge_ratio.iloc[-1]),
        alpha=float(analysis.intercept.iloc[-1]),
        beta_stderr=float(getattr(analysis.hedge, "beta_stderr", math.nan)),
        spread=float(analysis.spread.iloc[-1]),
        mean=float(analysis.mean.iloc[-1]),
        std=float(analysis.std.iloc[-1]),
        zscore=float(analysis.zscore.iloc[-1]),
        correlation=float(analysis.correlation.iloc[-1]),
        signal=analysis.signal_now.signal,
        reason=analysis.signal_now.reason,
        gate=str(analysis.gate.iloc[-1]),
        y_coverage=int(y.coverage[-1]),
        x_coverage=int(x.coverage[-1]),
    )
