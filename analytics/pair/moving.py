"""An analysis of a long range that moves on by a few bars, at a cost that does not grow with it.

The paths of a spread without a hedge ratio follow from the bars up to each: they are those of the
analysis before and, for the bars that are new, those of an analysis of the latest bars. Tests and
line go by the sums of the sample, the statistics of the legs by sums of blocks.
"""

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.frames import IntArray, utc_index
from analytics.growing import Growing
from analytics.hedge import HedgeFit, ols_on_sums
from analytics.leg import Leg, PairCoverage, pair_coverage
from analytics.pair.blocks import LegBlocks
from analytics.pair.carried import Carried
from analytics.pair.notes import pair_notes
from analytics.pair.params import PairParams
from analytics.pair.residual import tests_of
from analytics.pair.result import PairAnalytics
from analytics.pair.spread import PairSample, PairSpread
from analytics.series import same_bits
from analytics.spread import RollingMoments
from analytics.stationarity import SampleSums

Legs = tuple[Leg, Leg]
# Shorter ranges are looked at as a whole about as quickly.
LONG_RANGE: Final = 100_000
ROWS: Final = ("spread", "mean", "std", "zscore", "correlation")
CODES: Final = ("signal_codes", "gate_codes")


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """What a moved analysis leaves to the next: paths over all bars of the range and before it.

    Attributes
    ----------
    legs
        The bars that the range stands on.
    rows, codes
        `ROWS` and `CODES` as rows.
    times
        Open of each bar, µs.
    blocks
        Sums of each leg's sample.
    """

    legs: Legs
    rows: Growing
    codes: Growing
    times: Growing
    blocks: tuple[LegBlocks, LegBlocks]


def may_move(params: PairParams) -> bool:
    """Whether the paths of such an analysis never change once they are made."""
    return (
        params.spread == "price difference"
        and params.hedge == "ols"
        and params.until is None
        and params.lookback is not None
        and params.lookback >= LONG_RANGE
        and not (params.gates.pvalue or params.gates.half_life)
    )


def new_bars(before: Legs, legs: Legs, most: int) -> tuple[int, int] | None:
    """Count the bars that left and those that came; None where others differ, or many came."""
    step = legs[0].step_us
    left = (legs[0].start_us - before[0].start_us) // step
    came = (legs[0].end_us - before[0].end_us) // step
    if left < 0 or not 0 < came <= most or left > most:
        return None
    pairs = zip(before, legs, strict=True)
    return (left, came) if all(_same_bars(old, new, left, came) for old, new in pairs) else None


def _same_bars(old: Leg, new: Leg, left: int, came: int) -> bool:
    kept = len(new) - came
    pairs = (
        (old.close, new.close),
        (old.volume, new.volume),
        (old.trades, new.trades),
        (old.coverage, new.coverage),
    )
    return all(same_bits(was[left:], now[:kept]) for was, now in pairs)


def begin(result: PairAnalytics, whole: PairSpread, legs: Legs, sample: Legs) -> Moving:
    """Lay out what a full analysis found, for those that follow.

    `legs` are the bars that the range stands on, `whole` the spread over them.
    """
    size, shown = len(legs[0]), len(result.zscore)
    rows = np.full((len(ROWS), size), np.nan)
    codes = np.zeros((len(CODES), size), dtype=np.int8)
    rows[0] = whole.path.to_numpy()
    for row, name in enumerate(ROWS[1:], start=1):
        rows[row, size - shown :] = getattr(result, name).to_numpy()
    for row, name in enumerate(CODES):
        codes[row, size - shown :] = getattr(result, name)
    return Moving(
        legs,
        Growing.of(rows),
        Growing.of(codes),
        Growing.of(_times(legs[0], 0, size)),
        (LegBlocks.of(sample[0]), LegBlocks.of(sample[1])),
    )


def _times(leg: Leg, start: int, stop: int) -> IntArray:
    return leg.start_us + np.arange(start, stop, dtype=np.int64) * leg.step_us


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """From one analysis to the next: all bars now, how many left and came, and the latest ones.

    `latest` is the analysis of the latest bars alone, of `came` or more.
    """

    before: PairAnalytics
    closed: Legs
    legs: Legs
    left: int
    came: int
    latest: PairAnalytics


def moved(step: Step, params: PairParams) -> PairAnalytics | None:
    """Compose the analysis of a range that moved on; None where it has to be made anew."""
    before, latest = step.before, step.latest
    known = before.carried.moving
    if (
        not isinstance(known, Moving)
        or before.sample.constant_bars
        or np.isnan(latest.zscore.iloc[-1])
    ):
        return None
    size = len(step.legs[0])
    sample_bars, shown_bars = params.sample or size, params.lookback or size
    sample = step.legs[0].last(sample_bars), step.legs[1].last(sample_bars)
    sums = SampleSums.of(
        sample[0].start_us // sample[0].step_us, sample[0].close, sample[1].close,
        before.carried.sums,
    )  # fmt: skip
    line = None if sums is None else ols_on_sums(sums, params.y, params.x)
    if sums is None or line is None:
        return None
    moving = _moving(known, step, sample)
    index = utc_index(moving.times.values)
    made = _made(step, index, moving.rows.values, sample_bars, params, line, sums)
    shown = step.legs[0].last(shown_bars), step.legs[1].last(shown_bars)
    coverage = _moved_coverage(before, shown, params)
    tests = tests_of(made, params)
    cut = index[size - shown_bars :]
    paths = _paths(moving, cut, params)
    return replace(
        before,
        legs=shown,
        y=_on(cut, shown[0].close, params.y),
        x=_on(cut, shown[1].close, params.x),
        coverage=coverage,
        hedge=line,
        hedge_ratio=_on(cut, np.broadcast_to(line.beta, cut.shape), "hedge_ratio"),
        intercept=_on(cut, np.broadcast_to(line.alpha, cut.shape), "intercept"),
        spread=paths["spread"],
        mean=paths["mean"],
        std=paths["std"],
        zscore=paths["zscore"],
        correlation=paths["correlation"],
        signal_codes=moving.codes.values[0, size - shown_bars :],
        gate_codes=moving.codes.values[1, size - shown_bars :],
        signal_now=latest.signal_now,
        zscore_needs=latest.zscore_needs,
        correlation_needs=latest.correlation_needs,
        reach=PairSample(made.y, made.x, made.path),
        sample=made.sample,
        engle_granger=tests.engle_granger,
        engle_granger_swapped=tests.engle_granger_swapped,
        residual=tests.residual,
        adf=tests.adf,
        half_life=tests.half_life,
        stats=pd.DataFrame(
            {params.y: moving.blocks[0].described(), params.x: moving.blocks[1].described()},
        ),
        notes=pair_notes(coverage, made, step.closed, params),
        carried=Carried(sums, moving=moving),
    )


def _moving(known: Moving, step: Step, sample: Legs) -> Moving:
    """Move paths and sums on: without the bars that left, with what the latest analysis adds."""
    latest, came, size = step.latest, step.came, len(step.legs[0])
    rows = np.array([getattr(latest, name).to_numpy()[-came:] for name in ROWS])
    codes = np.array([getattr(latest, name)[-came:] for name in CODES])
    return Moving(
        step.legs,
        known.rows.moved(step.left, rows),
        known.codes.moved(step.left, codes),
        known.times.moved(step.left, _times(step.legs[0], size - came, size)),
        (known.blocks[0].moved(sample[0]), known.blocks[1].moved(sample[1])),
    )


_NAMES: Final = {"mean": "spread_mean", "std": "spread_std"}


def _paths(moving: Moving, index: pd.Index, params: PairParams) -> dict[str, pd.Series]:
    """Give the latest values of `ROWS`, as many as there are times."""
    rows, names = moving.rows.values, {**_NAMES, "spread": params.label}
    first = rows.shape[1] - len(index)
    return {
        name: _on(index, rows[row, first:], names.get(name, name)) for row, name in enumerate(ROWS)
    }


def _on(index: pd.Index, values: np.ndarray, name: str) -> pd.Series:
    return pd.Series(values, index=index, name=name, copy=False)


def _made(
    step: Step,
    index: pd.DatetimeIndex,
    rows: np.ndarray,
    sample_bars: int,
    params: PairParams,
    line: HedgeFit,
    sums: SampleSums,
) -> PairSpread:
    """Give the spread as notes and tests look at it."""
    y, x = (
        _on(index, leg.close, name)
        for leg, name in zip(step.legs, (params.y, params.x), strict=True)
    )
    path = _on(index, rows[0], params.label)
    cut = index[len(index) - sample_bars :]
    sample_y, sample_x, sample_path = (
        _on(cut, each.to_numpy()[len(index) - sample_bars :], str(each.name))
        for each in (y, x, path)
    )
    return PairSpread(
        y=y,
        x=x,
        hedge=line,
        hedge_ratio=_on(index, np.broadcast_to(line.beta, index.shape), "hedge_ratio"),
        intercept=_on(index, np.broadcast_to(line.alpha, index.shape), "intercept"),
        path=path,
        rounding=np.empty(0),
        moments=RollingMoments(path, path, path),
        sample=PairSample(sample_y, sample_x, sample_path),
        sums=sums,
    )


def _moved_coverage(before: PairAnalytics, shown: Legs, params: PairParams) -> PairCoverage:
    """Count the coverage of the bars shown: those that left less, those that came more."""
    was, bars = before.legs, params.lookback or 0
    gone = (shown[0].start_us - was[0].start_us) // was[0].step_us
    came = len(shown[0]) + gone - len(was[0])
    left = pair_coverage(was[0].coverage[:gone], was[1].coverage[:gone])
    new = pair_coverage(*(leg.coverage[len(leg) - came :] for leg in shown))
    counts = {
        each.name: getattr(before.coverage, each.name)
        - getattr(left, each.name)
        + getattr(new, each.name)
        for each in fields(PairCoverage)
    }
    assert counts["bars"] == bars or len(shown[0]) < bars
    return PairCoverage(**counts)
