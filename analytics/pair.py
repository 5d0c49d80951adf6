"""The pair as a whole: bars and parameters in, every figure and its sample size out."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.coverage import PairCoverage, pair_coverage
from analytics.describe import describe_legs
from analytics.dickey_fuller import min_bars
from analytics.errors import DegenerateSeriesError, FrameError
from analytics.frames import BoolArray, FloatArray, align_pair, bar_times_us, closed_bars
from analytics.hedge import HedgeFit, fit_hedge
from analytics.notes import pair_notes
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.params import PairParams
from analytics.signals import SignalNow, reason_for, signal_for
from analytics.spread import (
    RollingMoments,
    log_price,
    rolling_correlation,
    rolling_moments,
    spread,
)
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    adf_test,
    engle_granger_test,
    half_life,
)

__all__ = [
    "Degenerate",
    "NotEnough",
    "PairAnalytics",
    "PairCoverage",
    "PairParams",
    "analyse_pair",
]

# A spread that moves less than this share of the prices it is made of moves by rounding only.
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class PairAnalytics:
    """Everything known about a pair at its latest closed bar. Never changed after it is made.

    All Series share one index: bar open times, UTC. A value at bar t uses bars up to t only, except
    `hedge_ratio` and `intercept` where `hedge` is not causal, and then what is built on them.

    Attributes
    ----------
    y, x
        Closes of S1 and S2, quote currency; NaN where missing.
    hedge
        The fit of y on x: of prices, or of their logarithms for the log spread.
    hedge_ratio, intercept
        Its path; NaN where there is no fit.
    spread, mean, std, zscore, correlation, signal
        Paths as in `analytics.spread` and `analytics.signals`.
    signal_now
        The signal of the latest closed bar, with its reason.
    zscore_needs, correlation_needs
        What the latest value still lacks; None once it has enough.
    adf, half_life
        Of the spread. Where beta was estimated the ADF p-value is too small: see `engle_granger`.
    engle_granger, engle_granger_swapped
        y on x, and x on y.
    stats
        Descriptive statistics, a column a leg.
    notes
        Plain sentences the reader should know.
    """

    params: PairParams
    y: pd.Series
    x: pd.Series
    coverage: PairCoverage
    hedge: HedgeFit | NotEnough | Degenerate
    hedge_ratio: pd.Series
    intercept: pd.Series
    spread: pd.Series
    mean: pd.Series
    std: pd.Series
    zscore: pd.Series
    correlation: pd.Series
    signal: pd.Series
    signal_now: SignalNow
    zscore_needs: NotEnough | None
    correlation_needs: NotEnough | None
    adf: ADFResult | NotEnough | Degenerate
    half_life: HalfLife | NotEnough | Degenerate
    engle_granger: EngleGrangerResult | NotEnough | Degenerate
    engle_granger_swapped: EngleGrangerResult | NotEnough | Degenerate
    stats: pd.DataFrame
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Lay out the paths as the CSV has them: a row a bar, time as ISO 8601 UTC text."""
        times = np.datetime_as_string(
            bar_times_us(self.y.index).astype("datetime64[us]"), unit="s", timezone="UTC"
        )
        columns = {
            f"price_{self.params.y}": self.y,
            f"price_{self.params.x}": self.x,
            "hedge_ratio": self.hedge_ratio,
            "intercept": self.intercept,
            "spread": self.spread,
            "spread_mean": self.mean,
            "spread_std": self.std,
            "zscore": self.zscore,
            "correlation": self.correlation,
            "signal": self.signal,
        }
        frame = pd.DataFrame({name: path.array for name, path in columns.items()})
        frame.insert(0, "time", pd.Series(times, dtype="str"))
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """The spread with what it was made from; `rounding` is, bar by bar, movement without meaning.

    By the bar's own prices: the largest of the lookback would let the future into past values.
    """

    hedge: HedgeFit | NotEnough | Degenerate
    hedge_ratio: pd.Series
    intercept: pd.Series
    path: pd.Series
    rounding: FloatArray
    moments: RollingMoments


def analyse_pair(y_bars: pd.DataFrame, x_bars: pd.DataFrame, params: PairParams) -> PairAnalytics:
    """Compute everything about a pair from the closed bars of its legs.

    Parameters
    ----------
    y_bars, x_bars : DataFrame
        Bars frames of S1 and S2 at ``params.interval``. The bar still forming
        (``attrs["forming"]``) is left out.
    params : PairParams

    Returns
    -------
    PairAnalytics
        Over the bars both legs span, the last ``params.lookback`` of them. Too few bars raise
        nothing: paths are NaN, tests a `NotEnough` with the count so far, flat or identical legs a
        `Degenerate`.

    Raises
    ------
    FrameError
        No bars frames, or bars of another interval than ``params.interval``.
    NonPositivePriceError
        Prices at or below zero.
    """
    y_closed, x_closed = closed_bars(y_bars), closed_bars(x_bars)
    for name, bars in ((params.y, y_closed), (params.x, x_closed)):
        _check_interval(name, bars, params)
    y_cut, x_cut = align_pair(y_closed, x_closed)
    if params.lookback is not None:
        y_cut, x_cut = y_cut.iloc[-params.lookback :], x_cut.iloc[-params.lookback :]
    y, x = y_cut["close"].rename(params.y), x_cut["close"].rename(params.x)
    made = _make_spread(y, x, params)
    moments = made.moments
    z = moments.zscore(made.rounding)
    coverage = pair_coverage(y_cut["coverage"], x_cut["coverage"])
    test_y, test_x = _test_legs(y, x, params)
    return PairAnalytics(
        params=params,
        y=y,
        x=x,
        coverage=coverage,
        hedge=made.hedge,
        hedge_ratio=made.hedge_ratio,
        intercept=made.intercept,
        spread=made.path,
        mean=moments.mean,
        std=moments.std,
        zscore=z,
        correlation=rolling_correlation(y, x, params.window, params.correlation_on),
        signal=signal_for(z, params.sell_above, params.buy_below),
        signal_now=_signal_now(y, x, made, z, params),
        zscore_needs=_needs(f"z-score of {params.label}", params.window, made.path.isna()),
        correlation_needs=_correlation_needs(y, x, params),
        adf=attempt(lambda: adf_test(_moving(made, f"ADF on {params.label}"))),
        half_life=attempt(lambda: half_life(_moving(made, f"half-life of {params.label}"))),
        engle_granger=attempt(lambda: engle_granger_test(test_y, test_x)),
        engle_granger_swapped=attempt(lambda: engle_granger_test(test_x, test_y)),
        stats=describe_legs([(params.y, y_cut), (params.x, x_cut)]),
        notes=pair_notes(coverage, made.hedge, (y_closed, x_closed), params),
    )


def _check_interval(name: str, bars: pd.DataFrame, params: PairParams) -> None:
    if len(bars) < 2:
        return
    step_us = int(bar_times_us(bars.index[:2]) @ np.array([-1, 1]))
    if step_us != params.bar.us:
        raise FrameError(
            f"the bars of {name} are {step_us / 1e6:g} s apart, "
            f"the interval asked for is {params.interval}"
        )


def _test_legs(y: pd.Series, x: pd.Series, params: PairParams) -> tuple[pd.Series, pd.Series]:
    """Prices, or for the log spread their logarithms: what the hedge ratio relates."""
    if not params.on_logs:
        return y, x
    return (
        pd.Series(log_price(y.to_numpy(), "a log spread"), index=y.index, name=y.name),
        pd.Series(log_price(x.to_numpy(), "a log spread"), index=x.index, name=x.name),
    )


def _make_spread(y: pd.Series, x: pd.Series, params: PairParams) -> _Spread:
    fitted_y, fitted_x = _test_legs(y, x, params)
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
    return _Spread(
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


def _moving(made: _Spread, what: str) -> pd.Series:
    """Return the spread for a test; DegenerateSeriesError where it moves by rounding only."""
    known = made.path.notna().to_numpy()
    bars = int(known.sum())
    # Too few bars are the test's own to say, before a flat start is called degenerate.
    if bars >= min_bars("c"):
        values = made.path.to_numpy()[known]
        if float(np.ptp(values)) <= float(made.rounding[known].max()):
            raise DegenerateSeriesError(what, f"the spread is constant over {bars} bars")
    return made.path


def _trailing_run(unknown: BoolArray) -> int:
    """Count the known bars at the end of the path, up to the latest unknown one."""
    holes = np.flatnonzero(unknown)
    return int(unknown.size - 1 - holes[-1]) if holes.size else int(unknown.size)


def _needs(what: str, needed: int, unknown: pd.Series) -> NotEnough | None:
    had = _trailing_run(unknown.to_numpy())
    return NotEnough(what, needed, had) if had < needed else None


def _correlation_needs(y: pd.Series, x: pd.Series, params: PairParams) -> NotEnough | None:
    on_returns = params.correlation_on == "returns"
    needed = params.window + 1 if on_returns else params.window
    return _needs(f"correlation of {params.label}", needed, y.isna() | x.isna())


def _signal_now(
    y: pd.Series, x: pd.Series, made: _Spread, z: pd.Series, params: PairParams
) -> SignalNow:
    if z.empty:
        return SignalNow("NEUTRAL", math.nan, None, "no closed bar of both legs yet")
    latest = float(z.iloc[-1])
    return SignalNow(
        signal=signal_for(latest, params.sell_above, params.buy_below),
        zscore=latest,
        time=z.index[-1],
        reason=reason_for(latest, params.sell_above, params.buy_below)
        if not math.isnan(latest)
        else _why_no_zscore(y, x, made, params),
    )


def _why_no_zscore(y: pd.Series, x: pd.Series, made: _Spread, params: PairParams) -> str:
    """Say why the latest bar has no z-score: leg missing, no hedge, window not full, or flat."""
    if _absent(y, x, -1):
        return _absent(y, x, -1)
    if params.uses_beta and not isinstance(made.hedge, HedgeFit):
        return made.hedge.reason
    run = _trailing_run(made.path.isna().to_numpy())
    if run >= params.window:
        return f"the spread did not move over the last {params.window} bars"
    since = "" if run == len(y) else f" since {_absent(y, x, len(y) - 1 - run)}"
    return f"window not full: {run} of {params.window} bars{since}"


def _absent(y: pd.Series, x: pd.Series, row: int) -> str:
    """Name the legs missing at a row, with its time; empty where both are known."""
    names = [str(leg.name) for leg in (y, x) if math.isnan(leg.iloc[row])]
    return f"{' and '.join(names)} missing at {y.index[row]:%H:%M:%S} UTC" if names else ""
