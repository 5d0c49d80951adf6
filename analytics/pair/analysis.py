"""The pair as a whole: bars and parameters in, every figure and its sample size out."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.errors import FrameError
from analytics.frames import FloatArray
from analytics.leg import Leg, align_legs, common_bars, pair_coverage
from analytics.pair.carried import Carried, Start
from analytics.pair.closed_gates import GateInput, gate_codes
from analytics.pair.describe import describe_legs
from analytics.pair.moving import Moving, Step, begin, may_move, moved, new_bars
from analytics.pair.notes import pair_notes
from analytics.pair.params import PairParams
from analytics.pair.residual import tests_of
from analytics.pair.result import PairAnalytics
from analytics.pair.signal import correlation_needs, signal_now, zscore_needs
from analytics.pair.spread import PairSample, PairSpread, latest_of, make_spread
from analytics.signals import (
    SIGNALS,
    signal_codes,
)
from analytics.spread import correlation_path
from analytics.trailing import TrailingPath

CodeArray = npt.NDArray[np.int8]
Legs = tuple[Leg, Leg]


def analyse_pair(
    y_bars: pd.DataFrame | Leg,
    x_bars: pd.DataFrame | Leg,
    params: PairParams,
    before: PairAnalytics | None = None,
) -> PairAnalytics:
    """Compute everything about a pair from the closed bars of its legs.

    Parameters
    ----------
    y_bars, x_bars : DataFrame or Leg
        Bars frames of S1 and S2 at ``params.interval``, of which the bar still forming
        (``attrs["forming"]``) is left out; or their closed bars as arrays.
    params : PairParams
    before : PairAnalytics, optional
        An analysis by the same parameters some bars ago. What it knows of bars that did not change
        is taken over: the same figures, but for their last digits, sooner.

    Returns
    -------
    PairAnalytics
        Over the bars both legs span, the last ``params.lookback`` of them, or those before
        ``params.until``; windows see as many as ``params.warm_up`` before. Too few bars raise
        nothing: paths are NaN, tests a `NotEnough` with the count so far, flat or identical legs a
        `Degenerate`.

    Raises
    ------
    FrameError
        No bars frames, or bars of another interval than ``params.interval``.
    NonPositivePriceError
        Prices at or below zero.
    """
    closed = closed_leg(y_bars, params.y, "y", params), closed_leg(x_bars, params.x, "x", params)
    reach, ending = _reach(closed, params)
    given = _Given(closed, reach, ending, params)
    known = before if before is not None and before.params == params else None
    if known is not None and isinstance(known.carried.moving, Moving):
        found = _moved_on(known, known.carried.moving, given)
        if found is not None:
            return found
    result, made = _compose(given, _start(known, given.reach))
    if known is None or not may_move(params):
        return result
    moving = begin(result, made, given.reach, _latest(given.reach, given.params.sample))
    return replace(result, carried=replace(result.carried, moving=moving))


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What is analysed.

    Attributes
    ----------
    closed
        Closed bars of the legs, each as far as it goes.
    reach
        Those that the range stands on, bars before it for its windows included.
    params
        As `asked`, with a range that ends where the bars of both legs do.
    """

    closed: Legs
    reach: Legs
    params: PairParams
    asked: PairParams


def _compose(given: _Given, start: Start) -> tuple[PairAnalytics, PairSpread]:
    """Analyse all bars of the range; return the spread as it was made, too."""
    closed, reach, params = given.closed, given.reach, given.params
    legs = _latest(reach, params.lookback)
    index, first = reach[0].index, len(reach[0]) - len(legs[0])
    y, x = _on(index, reach[0].close, params.y), _on(index, reach[1].close, params.x)
    made = make_spread(y, x, params, start)
    correlation = _correlation(reach, start, params)
    z = made.moments.zscore(made.rounding)
    gated, why = gate_codes(_gate_input(made, reach, closed, params), params.gates)
    signals = signal_codes(z.to_numpy(), params.sell_above, params.buy_below)
    signals[gated != 0] = SIGNALS.index("NEUTRAL")
    coverage = pair_coverage(legs[0].coverage, legs[1].coverage)
    tests = tests_of(made, params)

    def shown(path: pd.Series, cut: pd.Index = index[first:]) -> pd.Series:
        return latest_of(path, cut)

    result = PairAnalytics(
        params=given.asked,
        legs=legs,
        y=shown(y),
        x=shown(x),
        coverage=coverage,
        hedge=made.hedge,
        hedge_ratio=shown(made.hedge_ratio),
        intercept=shown(made.intercept),
        spread=shown(made.path),
        mean=shown(made.moments.mean),
        std=shown(made.moments.std),
        zscore=shown(z),
        correlation=shown(_on(index, correlation.rows[0], "correlation")),
        signal_codes=signals[first:],
        gate_codes=gated[first:],
        signal_now=signal_now(y, x, made, z, params, why),
        zscore_needs=zscore_needs(reach[0].close, reach[1].close, made, params),
        correlation_needs=correlation_needs(reach[0].close, reach[1].close, params),
        reach=PairSample(made.y, made.x, made.path),
        sample=made.sample,
        engle_granger=tests.engle_granger,
        engle_granger_swapped=tests.engle_granger_swapped,
        residual=tests.residual,
        adf=tests.adf,
        half_life=tests.half_life,
        stats=_stats(_latest(reach, params.sample), params),
        notes=pair_notes(coverage, made, closed, params),
        carried=Carried(made.sums, made.carried, correlation),
    )
    return result, made


def _moved_on(before: PairAnalytics, moving: Moving, given: _Given) -> PairAnalytics | None:
    """Take over all of an analysis some bars ago but what is new; None where that is too much."""
    closed, reach, params = given.closed, given.reach, given.asked
    if len(reach[0]) != params.reach:
        return None  # the range still fills
    steps = new_bars(moving.legs, reach, params.window)
    if steps is None:
        return None
    # A path is equal to the bit where its sums were renewed twice since the first bar.
    few = replace(params, lookback=max(steps[1], 2) + 2 * params.window)
    bars = (few.reach or 0) + params.window
    latest = analyse_pair(closed[0].last(bars), closed[1].last(bars), few)
    return moved(Step(before, closed, reach, *steps, latest), params)


def _reach(closed: tuple[Leg, Leg], params: PairParams) -> tuple[tuple[Leg, Leg], PairParams]:
    """Cut to the bars that the range stands on, and the range to where they end."""
    start_us, count = common_bars(*closed)
    ending = params.ending_with(start_us + count * closed[0].step_us) if count else params
    if ending is None:
        return (closed[0].part(0, 0), closed[1].part(0, 0)), params
    return align_legs(*closed, ending.reach), ending


def _start(known: PairAnalytics | None, reach: Legs) -> Start:
    """Begin at the first bar, with what an analysis before by the same parameters left."""
    first = reach[0].start_us // reach[0].step_us
    return Start(first, None if known is None else known.carried)


def _on(index: pd.DatetimeIndex, values: FloatArray, name: str) -> pd.Series:
    return pd.Series(values, index=index, name=name, copy=False)


def _latest(legs: tuple[Leg, Leg], bars: int | None) -> tuple[Leg, Leg]:
    return legs if bars is None else (legs[0].last(bars), legs[1].last(bars))


def _stats(sample: tuple[Leg, Leg], params: PairParams) -> pd.DataFrame:
    return describe_legs(list(zip((params.y, params.x), sample, strict=True)))


def closed_leg(bars: pd.DataFrame | Leg, name: str, which: str, params: PairParams) -> Leg:
    """Take a leg's closed bars, of the interval asked for, as far as the range goes."""
    leg = bars if isinstance(bars, Leg) else Leg.of(bars, params.bar.us, f"the bars of {which}")
    if len(leg) > 1 and leg.step_us != params.bar.us:
        raise FrameError(
            f"the bars of {name} are {leg.step_us / 1e6:g} s apart, "
            f"the interval asked for is {params.interval}"
        )
    return leg if params.end_us is None else leg.closed_by(params.end_us)


def _correlation(legs: tuple[Leg, Leg], start: Start, params: PairParams) -> TrailingPath:
    on = params.correlation_on
    y, x = (leg.log_returns if on == "returns" else leg.close for leg in legs)
    return correlation_path((y, x), params.window, on, start.first, start.correlation)


def _gate_input(
    made: PairSpread, cut: tuple[Leg, Leg], closed: tuple[Leg, Leg], params: PairParams
) -> GateInput:
    """Gather what the gates look at; `closed` are the legs before they were aligned."""
    return GateInput(
        names=(params.y, params.x),
        y=made.y.to_numpy(),
        x=made.x.to_numpy(),
        y_traded=cut[0].traded,
        x_traded=cut[1].traded,
        spread=made.path.to_numpy(),
        uses_beta=params.uses_beta,
        interval=params.bar,
        window=params.window,
        level=params.level,
        start_us=cut[0].start_us,
        behind=behind(closed, params),
    )


def behind(closed: tuple[Leg, Leg], params: PairParams) -> tuple[str, float] | None:
    """Name the leg whose bars end first, and by how many seconds; None where they end together."""
    y_leg, x_leg = closed
    if not len(y_leg) or not len(x_leg):
        return None
    late_s = (y_leg.end_us - x_leg.end_us) / 1e6
    if late_s == 0:
        return None
    return (params.x, late_s) if late_s > 0 else (params.y, -late_s)
