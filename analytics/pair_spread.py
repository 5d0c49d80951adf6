"""The spread of a pair with what it stands on: the hedge, its path, and the scale of its moves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.dickey_fuller import min_bars
from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray
from analytics.hedge import HedgeFit, fit_hedge
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.params import PairParams
from analytics.spread import RollingMoments, log_price, rolling_moments, spread

# A spread that moves less than this share of the prices it is made of moves by rounding only.
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


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
    """

    y: pd.Series
    x: pd.Series

    hedge: HedgeFit | NotEnough | Degenerate
    hedge_ratio: pd.Series
    intercept: pd.Series
    path: pd.Series
    rounding: FloatArray
    moments: RollingMoments


def fitted_legs(y: pd.Series, x: pd.Series, params: PairParams) -> tuple[pd.Series, pd.Series]:
    """Prices, or for the log spread their logarithms: what the hedge ratio relates."""
    if not params.on_logs:
        return y, x
    return (
        pd.Series(log_price(y.to_numpy(), "a log spread"), index=y.index, name=y.name),
        pd.Series(log_price(x.to_numpy(), "a log spread"), index=x.index, name=x.name),
    )


def make_spread(y: pd.Series, x: pd.Series, params: PairParams) -> PairSpread:
    """Fit the hedge and build the spread the parameters ask for."""
    fitted_y, fitted_x = fitted_legs(y, x, params)
    options = params.hedge_options
    hedge = attempt(lambda: fit_hedge(fitted_y, fitted_x, params.hedge, intercept=True, **options))
    beta, alpha = _coefficients(hedge, y.index)
    forecast = _forecast(hedge) if params.uses_beta else None
    path = spread(y, x, params.spread, beta, alpha) if forecast is None else forecast[0]
    if params.spread == "ratio":
        size = path.abs()
    elif params.uses_beta:
        size = fitted_y.abs() + beta.abs() * fitted_x.abs() + alpha.abs()
    else:
        size = y.abs() + x.abs()
    return PairSpread(
        y=fitted_y,
        x=fitted_x,
        hedge=hedge,
        hedge_ratio=beta.rename("hedge_ratio"),
        intercept=alpha.rename("intercept"),
        path=path.rename(params.label),
        rounding=_ROUNDING * size.to_numpy(),
        moments=rolling_moments(path, params.window)
        if forecast is None
        else _forecast_moments(*forecast),
    )


def _coefficients(
    hedge: HedgeFit | NotEnough | Degenerate, index: pd.Index
) -> tuple[pd.Series, pd.Series]:
    """Paths of the hedge ratio and intercept that the spread of each bar stands on."""
    if not isinstance(hedge, HedgeFit):
        return pd.Series(np.nan, index=index), pd.Series(np.nan, index=index)
    if hedge.beta_path is None or hedge.alpha_path is None:
        return (
            pd.Series(hedge.beta, index=index, dtype="float64"),
            pd.Series(hedge.alpha, index=index, dtype="float64"),
        )
    if hedge.forecast_error is not None:
        # A forecast stands on the state after the bars before.
        return hedge.beta_path.ffill().shift(), hedge.alpha_path.ffill().shift()
    return hedge.beta_path, hedge.alpha_path


def _forecast(hedge: HedgeFit | NotEnough | Degenerate) -> tuple[pd.Series, pd.Series] | None:
    """Forecast error of a filter and its variance; None for other methods."""
    if not isinstance(hedge, HedgeFit) or hedge.forecast_error is None:
        return None
    variance = hedge.forecast_variance
    return None if variance is None else (hedge.forecast_error, variance)


def _forecast_moments(error: pd.Series, variance: pd.Series) -> RollingMoments:
    """Mean 0 and the filter's own standard deviation: the scale the model gives each error."""
    return RollingMoments(
        mean=(error * 0.0).rename("spread_mean"),
        std=variance.pow(0.5).rename("spread_std"),
        deviation=error.rename("deviation"),
    )


def moving(made: PairSpread, what: str) -> pd.Series:
    """Return the spread for a test; DegenerateSeriesError where it moves by rounding only."""
    known = made.path.notna().to_numpy()
    bars = int(known.sum())
    # Too few bars are the test's own to say, before a flat start is called degenerate.
    if bars >= min_bars("c"):
        values = made.path.to_numpy()[known]
        if float(np.ptp(values)) <= float(made.rounding[known].max()):
            raise DegenerateSeriesError(what, f"the spread is constant over {bars} bars")
    return made.path
