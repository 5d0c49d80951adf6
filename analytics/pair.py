"""The pair as a whole: bars and parameters in, every figure and its sample size out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.coverage import PairCoverage, pair_coverage
from analytics.describe import describe_legs
from analytics.errors import FrameError
from analytics.frames import align_pair, bar_times_us, closed_bars
from analytics.gates import GateInput, gate_path
from analytics.hedge import HedgeFit
from analytics.notes import pair_notes
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair_signal import correlation_needs, needs, signal_now
from analytics.pair_spread import PairSpread, make_spread, moving
from analytics.params import PairParams
from analytics.signals import SignalNow, signal_for
from analytics.spread import (
    rolling_correlation,
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
    gate
        Name of the gate that closed each bar, "" where all are open: see `analytics.gates`.
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
    gate: pd.Series
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
    made = make_spread(y, x, params)
    moments = made.moments
    z = moments.zscore(made.rounding)
    gated, why = gate_path(
        _gate_input(made, (y_cut, x_cut), (y_closed, x_closed), params), params.gates
    )
    coverage = pair_coverage(y_cut["coverage"], x_cut["coverage"])
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
        signal=signal_for(z, params.sell_above, params.buy_below).where(gated.eq(""), "NEUTRAL"),
        gate=gated,
        signal_now=signal_now(y, x, made, z, params, why),
        zscore_needs=needs(f"z-score of {params.label}", params.window, made.path.isna()),
        correlation_needs=correlation_needs(y, x, params),
        adf=attempt(lambda: adf_test(moving(made, f"ADF on {params.label}"))),
        half_life=attempt(lambda: half_life(moving(made, f"half-life of {params.label}"))),
        engle_granger=attempt(lambda: engle_granger_test(made.y, made.x)),
        engle_granger_swapped=attempt(lambda: engle_granger_test(made.x, made.y)),
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


def _gate_input(
    made: PairSpread,
    cut: tuple[pd.DataFrame, pd.DataFrame],
    closed: tuple[pd.DataFrame, pd.DataFrame],
    params: PairParams,
) -> GateInput:
    """Gather what the gates look at; `closed` are the legs before they were aligned."""
    return GateInput(
        y=made.y.rename(params.y),
        x=made.x.rename(params.x),
        y_traded=cut[0]["coverage"].eq("traded").to_numpy(),
        x_traded=cut[1]["coverage"].eq("traded").to_numpy(),
        spread=made.path,
        uses_beta=params.uses_beta,
        interval=params.bar,
        window=params.window,
        level=params.level,
        behind=_behind(closed, params),
    )


def _behind(
    closed: tuple[pd.DataFrame, pd.DataFrame], params: PairParams
) -> tuple[str, float] | None:
    """Name the leg whose bars end first, and by how many seconds; None where they end together."""
    y_bars, x_bars = closed
    if y_bars.empty or x_bars.empty:
        return None
    late_s = float((y_bars.index[-1] - x_bars.index[-1]).total_seconds())
    if late_s == 0:
        return None
    return (params.x, late_s) if late_s > 0 else (params.y, -late_s)
