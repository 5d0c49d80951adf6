"""The spread of a pair with what it stands on: the hedge, its path, and the scale of its moves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray, first_bar
from analytics.hedge import CAUSAL_HEDGES, HedgeFit, fit_hedge, ols_on_sums
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair.carried import Start
from analytics.pair.params import PairParams
from analytics.series import as_floats
from analytics.spread import RollingMoments, log_price, moments_on, moments_path, spread
from analytics.stationarity import SampleSums, min_bars
from analytics.trailing import TrailingPath

# A spread that moves less than this share of the prices it is made of moves by rounding only.
SPREAD_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class PairSample:
    """Latest bars of a pair, all of one index: what the tests look at.

    Attributes
    ----------
    y, x
        Closes as the hedge ratio relates them: prices, or for the log spread their logarithms.
    spread
        What was made of them.
    constant_bars
        Known bars of a spread that moves by rounding only; 0 for one that moves.
    """

    y: pd.Series
    x: pd.Series
    spread: pd.Series
    constant_bars: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PairSpread:
    """The spread with what it was made from.

    Attributes
    ----------
    y, x
        Closes as the hedge ratio relates them: prices, or for the log spread their logarithms.
    hedge, hedge_ratio, intercept
        The fit and its paths.
    path, moments
        The spread, and the mean and deviation its z-score is measured by.
    rounding
        Bar by bar, movement without meaning. By the bar's own prices: the largest of the lookback
        would let the future into past values.
    sample
        The last ``params.sample`` of these bars.
    sums, carried
        Theirs, and the moments as they are carried on; None where there are none.
    """

    y: pd.Series
    x: pd.Series

    hedge: HedgeFit | NotEnough | Degenerate
    hedge_ratio: pd.Series
    intercept: pd.Series
    path: pd.Series
    rounding: FloatArray
    moments: RollingMoments
    sample: PairSample
    sums: SampleSums | None = None
    carried: TrailingPath | None = None


def fitted_legs(y: pd.Series, x: pd.Series, params: PairParams) -> tuple[pd.Series, pd.Series]:
    """Prices, or for the log spread their logarithms: what the hedge ratio relates."""
    if not params.on_logs:
        return y, x
    return (
        _on(y.index, log_price(y.to_numpy(), "a log spread"), str(y.name)),
        _on(x.index, log_price(x.to_numpy(), "a log spread"), str(x.name)),
    )


def make_spread(
    y: pd.Series, x: pd.Series, params: PairParams, start: Start | None = None
) -> PairSpread:
    """Fit the hedge and build the spread the parameters ask for.

    A causal hedge ratio follows all bars given, any other is fitted on the last ``params.sample``;
    by its sums where `start` knows those before. Without a `start` it begins as an analysis of the
    same bars does, so that z is the same to the bit.
    """
    start = Start(first_bar(y.index)) if start is None else start
    fitted_y, fitted_x = fitted_legs(y, x, params)
    index = y.index
    sample_index = index if params.sample is None else index[-params.sample :]
    latest = latest_of(fitted_y, sample_index), latest_of(fitted_x, sample_index)
    sample_y, sample_x = (as_floats(each) for each in latest)
    sums = start.sums_of(sample_y, sample_x, len(y) - sample_y.size)
    hedge = _hedge(latest, (fitted_y, fitted_x), params, sums)
    beta, alpha = _coefficients(hedge, len(y))
    carried = None
    own = _own_scale(hedge) if params.uses_beta else None
    hedge_ratio = _on(index, beta, "hedge_ratio")
    intercept = _on(index, alpha, "intercept")
    if own is None:
        path = spread(y, x, params.spread, hedge_ratio, intercept).rename(params.label)
        carried = moments_path(as_floats(path), params.window, start.first, start.moments)
        moments = moments_on(index, carried)
    else:
        path = _on(index, own[0], params.label)
        moments = _own_moments(index, *own)
    fitted = fitted_y.to_numpy(), fitted_x.to_numpy()
    rounding = spread_rounding(fitted, path.to_numpy(), (beta, alpha), params)
    cut = latest_of(path, sample_index)
    constant = constant_bars(cut.to_numpy(), rounding[-len(sample_index) :])
    sample = PairSample(*latest, cut, constant)
    return PairSpread(
        y=fitted_y,
        x=fitted_x,
        hedge=hedge,
        hedge_ratio=hedge_ratio,
        intercept=intercept,
        path=path,
        rounding=rounding,
        moments=moments,
        sample=sample,
        sums=sums,
        carried=carried,
    )


def _hedge(
    latest: tuple[pd.Series, pd.Series],
    fitted: tuple[pd.Series, pd.Series],
    params: PairParams,
    sums: SampleSums | None,
) -> HedgeFit | NotEnough | Degenerate:
    """Fit the hedge of y on x: on the sample, `latest`, or for a causal one on all bars."""
    if params.hedge == "ols" and sums is not None:
        fit = ols_on_sums(sums, params.y, params.x)
        if fit is not None:
            return fit
    y, x = fitted if params.hedge in CAUSAL_HEDGES else latest
    options = params.hedge_options
    return attempt(lambda: fit_hedge(y, x, params.hedge, intercept=True, **options))


def latest_of(series: pd.Series, index: pd.Index) -> pd.Series:
    """Return the latest part of a series, on an index made once for all that are cut alike."""
    if len(index) == len(series):
        return series
    return _on(index, series.to_numpy()[len(series) - len(index) :], str(series.name))


def _on(index: pd.Index, values: FloatArray, name: str) -> pd.Series:
    return pd.Series(values, index=index, name=name, copy=False)


def spread_rounding(
    fitted: tuple[FloatArray, FloatArray],
    path: FloatArray,
    line: tuple[FloatArray | float, FloatArray | float],
    params: PairParams,
) -> FloatArray:
    """Movement without meaning: a share of the numbers that each bar's spread is made of.

    `fitted` are the legs as the hedge ratio relates them, `line` is β and α.
    """
    y, x = fitted
    if params.spread == "ratio":
        size: FloatArray = np.abs(path)
    elif params.uses_beta:
        size = np.abs(line[0]) * np.abs(x)
        size += np.abs(y)
        size += np.abs(line[1])
    else:
        size = np.abs(y)
        size += np.abs(x)
    size *= SPREAD_ROUNDING
    return size


def _coefficients(
    hedge: HedgeFit | NotEnough | Degenerate, bars: int
) -> tuple[FloatArray, FloatArray]:
    """Paths of the hedge ratio and intercept that the spread of each bar stands on."""
    if not isinstance(hedge, HedgeFit):
        return np.full(bars, np.nan), np.full(bars, np.nan)
    if hedge.beta_path is None or hedge.alpha_path is None:
        return np.full(bars, hedge.beta), np.full(bars, hedge.alpha)
    if hedge.level is None and hedge.forecast_error is not None:
        # A forecast stands on the state after the bars before.
        beta, alpha = hedge.beta_path.ffill().shift(), hedge.alpha_path.ffill().shift()
        return beta.to_numpy(), alpha.to_numpy()
    return hedge.beta_path.to_numpy(), hedge.alpha_path.to_numpy()


def _own_scale(
    hedge: HedgeFit | NotEnough | Degenerate,
) -> tuple[FloatArray, FloatArray] | None:
    """Level of a filter's residual, or its forecast error, with the variance; else None."""
    if not isinstance(hedge, HedgeFit):
        return None
    if hedge.level is not None and hedge.level_variance is not None:
        return hedge.level.to_numpy(), hedge.level_variance.to_numpy()
    if hedge.forecast_error is None or hedge.forecast_variance is None:
        return None
    return hedge.forecast_error.to_numpy(), hedge.forecast_variance.to_numpy()


def _own_moments(index: pd.Index, values: FloatArray, variance: FloatArray) -> RollingMoments:
    """Mean 0 and the filter's own standard deviation: the scale the model gives each value."""
    return RollingMoments(
        mean=_on(index, values * 0.0, "spread_mean"),
        std=_on(index, variance**0.5, "spread_std"),
        deviation=_on(index, values, "deviation"),
    )


def moving(sample: PairSample, what: str) -> pd.Series:
    """Return the sample's spread; DegenerateSeriesError where it moves by rounding only."""
    if sample.constant_bars:
        cause = f"the spread is constant over {sample.constant_bars} bars"
        raise DegenerateSeriesError(what, cause)
    return sample.spread


def constant_bars(path: FloatArray, rounding: FloatArray) -> int:
    """Count the known bars of a spread that moves by rounding only; 0 for one that moves."""
    unknown = np.isnan(path)
    if unknown.any():
        path, rounding = path[~unknown], rounding[~unknown]
    # Too few bars are the test's own to say, before a flat start is called degenerate.
    if path.size < min_bars("c") or float(np.ptp(path)) > float(rounding.max()):
        return 0
    return int(path.size)
