"""The basket as a whole: bars and parameters in, every figure and its sample size out.

A basket is a pair: ln S1 against minus the weighted logs of the others, one to one. From there on
z, gates and signal are the pair's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.baskets.judge import BasketHalfLife
from analytics.baskets.legs import (
    BasketCoverage,
    align_all,
    basket_coverage,
    behind,
    closed_legs,
    log_closes,
    traded_legs,
)
from analytics.baskets.notes import basket_notes, volatility_notes
from analytics.baskets.params import BasketParams
from analytics.baskets.spread import basket_spread
from analytics.baskets.trailing import BasketTrailing
from analytics.baskets.verdict import judge_sample, larger_p
from analytics.baskets.weights import BasketFit, fit_basket
from analytics.frames import bar_times_us
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import (
    GateInput,
    PairSpread,
    describe_legs,
    gate_codes,
    gate_names,
    signal_now,
    zscore_needs,
)
from analytics.signals import (
    SIGNALS,
    SignalChange,
    SignalNow,
    signal_changes,
    signal_codes,
    signal_names,
)
from analytics.spread import correlation_path
from analytics.stationarity import ADFResult, SpreadTest

CodeArray = npt.NDArray[np.int8]
Lack = NotEnough | Degenerate


@dataclass(frozen=True, eq=False)
class BasketAnalytics:
    """Everything known about a basket at its latest closed bar. Never changed after it is made.

    All paths share one index: bar open times, UTC. The weights are fitted on all bars of the
    sample, so every value of spread, z and signal before the latest is in-sample.

    Attributes
    ----------
    symbols, weights
        The first weight is 1; all NaN without a fit. Of log prices: money of the leg over money of
        the first, bought where above 0 when the basket is bought.
    fit
        The weights with their errors and what they stand on, or why there are none.
    legs, closes
        The bars of each symbol in the range as arrays; closes, a column a symbol, quote currency,
        NaN where missing.
    coverage
        How much of the range is known.
    spread, mean, std, zscore, correlation, signal
        Paths as of a pair; `spread` is the weighted sum of log prices less its mean over the
        sample, `correlation` that of S1 with what the others' weights make against it.
    signal_codes, gate_codes, gate, signal_now, zscore_needs
        As in `PairAnalytics`. The statistical gates fit the weights anew to the bars of each test.
    sample
        Log closes of the bars that the weights and the tests look at.
    residual
        The spread over them.
    by_table, by_draws
        Whether any combination returns, with the distribution of the search for weights: on
        unrelated walks (see `basket_test`), and on baskets drawn from the bars at hand, which
        allows for volatility that comes and goes (see `wild_basket_test`); None without draws.
    test, pvalue
        What the basket is judged by: of these two the one with the larger p-value; NaN without.
    adf, half_life
        Of the residual, with p-value, critical values and interval of the same search; the
        half-life's p-value is that of `test`.
    stats
        Descriptive statistics, a column a leg.
    notes
        Plain sentences the reader should know.
    """

    params: BasketParams
    legs: tuple[Leg, ...]
    closes: pd.DataFrame
    coverage: BasketCoverage
    fit: BasketFit | Lack
    spread: pd.Series
    mean: pd.Series
    std: pd.Series
    zscore: pd.Series
    correlation: pd.Series
    signal_codes: CodeArray
    gate_codes: CodeArray
    signal_now: SignalNow
    zscore_needs: NotEnough | None
    sample: pd.DataFrame
    residual: pd.Series | Lack
    by_table: SpreadTest | Lack
    by_draws: SpreadTest | Lack | None
    adf: ADFResult | Lack
    half_life: BasketHalfLife | Lack
    stats: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the legs, in the order of the weights."""
        return self.params.symbols

    @property
    def weights(self) -> pd.Series:
        """Weight of each symbol's log price; all NaN without a fit."""
        known = self.fit.weights if isinstance(self.fit, BasketFit) else np.nan
        return pd.Series(known, index=list(self.symbols), dtype=np.float64, name="weight")

    @property
    def test(self) -> SpreadTest | Lack:
        """The test that counts: by its table or by draws, whichever has the larger p-value."""
        return larger_p(self.by_table, self.by_draws)

    @property
    def pvalue(self) -> float:
        """p-value of `test`; NaN without one."""
        return self.test.pvalue if isinstance(self.test, SpreadTest) else float("nan")

    @cached_property
    def signal(self) -> pd.Series:
        """The signal of each bar: SELL, BUY or NEUTRAL."""
        return signal_names(self.signal_codes, self.zscore.index)

    @cached_property
    def gate(self) -> pd.Series:
        """Name of the gate that closed each bar, "" where all are open."""
        return gate_names(self.gate_codes, self.zscore.index)

    def signal_changes(self, limit: int) -> list[SignalChange]:
        """List the latest bars at which the signal changed."""
        return signal_changes(self.signal_codes, self.zscore, limit)

    def to_frame(self) -> pd.DataFrame:
        """Lay out the paths as a CSV has them: a row a bar, time as ISO 8601 UTC text."""
        times = np.datetime_as_string(
            bar_times_us(self.zscore.index).astype("datetime64[us]"), unit="s", timezone="UTC"
        )
        paths = {
            "spread": self.spread,
            "spread_mean": self.mean,
            "spread_std": self.std,
            "zscore": self.zscore,
            "correlation": self.correlation,
            "signal": self.signal,
        }
        prices = {f"price_{name}": self.closes[name].array for name in self.symbols}
        frame = pd.DataFrame(prices | {name: path.array for name, path in paths.items()})
        frame.insert(0, "time", pd.Series(times, dtype="str"))
        return frame


def analyse_basket(
    bars: Sequence[pd.DataFrame | Leg], params: BasketParams, *, draws: int | None = None
) -> BasketAnalytics:
    """Compute everything about a basket from the closed bars of its legs.

    Parameters
    ----------
    bars : sequence of DataFrame or Leg
        Bars frames at ``params.interval``, in the order of ``params.symbols``, of which the bar
        still forming is left out; or closed bars as arrays.
    params : BasketParams
    draws : int, optional
        Baskets drawn for `by_draws`, 0 for none; by default 199, of more than 5,000 bars none.

    Returns
    -------
    BasketAnalytics
        Over the bars all legs span, the last ``params.lookback`` of them. Too few bars raise
        nothing: paths are NaN, tests a `NotEnough` with the count so far, constant or collinear
        legs a `Degenerate`.

    Raises
    ------
    ParameterError
        Not one set of bars for each symbol.
    FrameError
        No bars frames, or bars of another interval than ``params.interval``.
    NonPositivePriceError
        Prices at or below zero.
    """
    closed = closed_legs(bars, params)
    reach = align_all(closed, params.reach)
    legs = reach if params.lookback is None else tuple(leg.last(params.lookback) for leg in reach)
    logs = log_closes(reach, params.symbols)
    sample = params.sampled(logs)
    fit = attempt(lambda: fit_basket(sample, params.method))
    made = basket_spread(logs, fit, params)
    z = made.moments.zscore(made.rounding)
    codes, why = gate_codes(gate_input(made, logs, reach, closed, params), params.gates)
    signals = signal_codes(z.to_numpy(), params.sell_above, params.buy_below)
    signals[codes != 0] = SIGNALS.index("NEUTRAL")
    judged = judge_sample(sample, fit, params.method, draws)
    first, coverage = len(logs) - len(legs[0]), basket_coverage(legs)
    return BasketAnalytics(
        params=params,
        legs=legs,
        closes=_closes(legs, params),
        coverage=coverage,
        fit=fit,
        spread=made.path.iloc[first:],
        mean=made.moments.mean.iloc[first:],
        std=made.moments.std.iloc[first:],
        zscore=z.iloc[first:],
        correlation=basket_correlation(reach, logs, fit, params).iloc[first:],
        signal_codes=signals[first:],
        gate_codes=codes[first:],
        signal_now=basket_signal(made, z, fit, params, logs, why),
        zscore_needs=_zscore_needs(made, logs, fit, params),
        sample=sample,
        residual=judged.residual,
        by_table=judged.by_table,
        by_draws=judged.by_draws,
        adf=judged.adf,
        half_life=judged.half_life,
        stats=describe_legs(
            list(zip(params.symbols, (leg.last(len(sample)) for leg in reach), strict=True))
        ),
        notes=(
            *basket_notes(fit, coverage, judged.adf, params),
            *volatility_notes(judged.by_table, judged.by_draws),
        ),
    )


def _closes(legs: tuple[Leg, ...], params: BasketParams) -> pd.DataFrame:
    columns = {name: leg.close for name, leg in zip(params.symbols, legs, strict=True)}
    return pd.DataFrame(columns, index=legs[0].index)


def basket_correlation(
    legs: tuple[Leg, ...], logs: pd.DataFrame, fit: BasketFit | Lack, params: BasketParams
) -> pd.Series:
    """Trailing correlation of S1 with what the weights of the others make against it."""
    on = params.correlation_on
    moves = np.column_stack([leg.log_returns for leg in legs]) if on == "returns" else logs
    weights = fit.weights if isinstance(fit, BasketFit) else np.full(len(legs), np.nan)
    values = np.asarray(moves)
    others = -values[:, 1:] @ weights[1:]
    path = correlation_path((values[:, 0].copy(), others), params.window, on)
    return pd.Series(path.rows[0], index=logs.index, name="correlation", copy=False)


def gate_input(
    made: PairSpread,
    logs: pd.DataFrame,
    legs: tuple[Leg, ...],
    closed: tuple[Leg, ...],
    params: BasketParams,
) -> GateInput:
    """Gather what the gates look at; `closed` are the legs before they were aligned."""
    return GateInput(
        names=(params.symbols[0], params.symbols[1]),
        y=logs.iloc[:, 0].to_numpy(),
        x=logs.iloc[:, 1:].sum(axis=1, skipna=False).to_numpy(),
        y_traded=legs[0].traded,
        x_traded=legs[1].traded,
        spread=made.path.to_numpy(),
        uses_beta=False,
        interval=params.bar,
        window=params.window,
        level=params.level,
        start_us=legs[0].start_us,
        behind=behind(closed, params.symbols),
        traded=traded_legs(legs, params.symbols),
        tests=BasketTrailing(logs, params.method),
    )


def _zscore_needs(
    made: PairSpread, logs: pd.DataFrame, fit: BasketFit | Lack, params: BasketParams
) -> NotEnough | None:
    """Count the bars that the latest z-score lacks; None once it lacks none, or can have none."""
    if isinstance(fit, Degenerate):
        return None
    others = logs.iloc[:, 1:].sum(axis=1, skipna=False).to_numpy()
    return zscore_needs(logs.iloc[:, 0].to_numpy(), others, made, params.as_pair)


def basket_signal(
    made: PairSpread,
    z: pd.Series,
    fit: BasketFit | Lack,
    params: BasketParams,
    logs: pd.DataFrame,
    why: str,
) -> SignalNow:
    """Return the signal of the latest bar; `why` says what closed its gate, "" for none."""
    if len(z) and not isinstance(fit, BasketFit):
        return SignalNow("NEUTRAL", float("nan"), z.index[-1], fit.reason)
    return signal_now(made.y, made.x.rename(_absent_others(logs)), made, z, params.as_pair, why)


def _absent_others(logs: pd.DataFrame) -> str:
    """Name the symbols but the first that are missing at the latest bar that lacks any."""
    unknown = logs.isna().to_numpy()
    rows = np.flatnonzero(unknown.any(axis=1))
    return " and ".join(logs.columns[1:][unknown[rows[-1], 1:]]) if rows.size else ""
