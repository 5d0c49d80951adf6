"""What a basket's backtest trades in: each leg priced as a pair's, z by weights of bars before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analytics.backtest import BacktestRules, Market, prepare
from analytics.baskets.params import BasketParams
from analytics.baskets.spread import basket_spread
from analytics.baskets.weights import BasketFit, fit_basket
from analytics.errors import FrameError
from analytics.frames import FloatArray, closed_bars, first_bar
from analytics.outcome import attempt
from analytics.pair import PairParams
from analytics.spread import log_price


@dataclass(frozen=True, slots=True, eq=False)
class BasketMarket:
    """All legs over the bars of a backtest; arrays of shape (n, k).

    Attributes
    ----------
    pair
        The first two legs as a pair's market, tradable where all legs are.
    closes
        Quote currency, a column a symbol, NaN where missing.
    fills, marks, impacts, fundings
        As `analytics.kernels.settle` has them of a leg.
    """

    pair: Market
    closes: pd.DataFrame
    fills: FloatArray
    marks: FloatArray
    impacts: FloatArray
    fundings: FloatArray

    @property
    def size(self) -> int:
        """Number of bars, those before the range too."""
        return len(self.closes)


@dataclass(frozen=True, slots=True, eq=False)
class BasketSignals:
    """z of each bar's close, and the weights that it stands on, shape (n, k): NaN without a fit."""

    zscore: FloatArray
    weights: FloatArray
    fits: int


def basket_market(
    bars: Sequence[pd.DataFrame], params: BasketParams, rules: BacktestRules
) -> BasketMarket:
    """Cut all legs to the bars they share and price each as a pair's backtest does.

    Raises
    ------
    FrameError, ParameterError, NonPositivePriceError
        As `analytics.backtest.run_backtest`.
    """
    from analytics.kernels.settle import (  # noqa: PLC0415 - numba, when needed
        FILLS,
        FUNDINGS,
        IMPACTS,
        MARKS,
    )

    cut = _shared(bars)
    pairs = [
        prepare(cut[0], other, _as_pair(params, name), rules)
        for name, other in zip(params.symbols[1:], cut[1:], strict=True)
    ]
    tradable = np.logical_and.reduce([pair.tradable for pair in pairs])

    def path(rows: slice) -> FloatArray:
        first = pairs[0].paths[rows][0]
        return np.column_stack([first, *(pair.paths[rows][1] for pair in pairs)])

    closes = pd.concat([pairs[0].y, *(pair.x for pair in pairs)], axis=1)
    first = 0 if params.lookback is None else max(len(closes) - params.lookback, 0)
    return BasketMarket(
        pair=replace(pairs[0], tradable=tradable, first=first),
        closes=closes,
        fills=path(FILLS),
        marks=path(MARKS),
        impacts=path(IMPACTS),
        fundings=path(FUNDINGS),
    )


def _as_pair(params: BasketParams, other: str) -> PairParams:
    return PairParams(params.symbols[0], other, interval=params.interval, window=params.window)


def _shared(bars: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Cut to the closed bars that all legs span; `prepare` refuses what is no bars frame."""
    if not all(isinstance(each, pd.DataFrame) for each in bars):
        return list(bars)
    closed = [closed_bars(each) for each in bars]
    if not all(len(each) for each in closed):
        return closed
    start = max(each.index[0] for each in closed)
    end = min(each.index[-1] for each in closed)
    cut = [each.loc[start:end] for each in closed]
    if len({len(each) for each in cut}) > 1:
        raise FrameError("the legs have different bars. Resample all to one interval")
    return cut


def basket_signals(
    market: BasketMarket, params: BasketParams, train_bars: int, refit_bars: int
) -> BasketSignals:
    """Compute z of every bar by weights fitted before it.

    Walk-forward: the weights of each stretch of `refit_bars` bars stand on the `train_bars` bars
    before it, and z's window is of the spread that these weights make. The stretches end at
    multiples of `refit_bars`, counted in bars from the epoch.
    """
    names = list(params.symbols)
    closes = market.closes.to_numpy()
    logs = pd.DataFrame(log_price(closes, "a basket"), index=market.closes.index, columns=names)
    zscore, weights = np.full(len(logs), np.nan), np.full(closes.shape, np.nan)
    fits = 0
    for start, stop in _stretches(logs.index, train_bars, refit_bars):
        fit = attempt(partial(fit_basket, logs.iloc[start - train_bars : start], params.method))
        if not isinstance(fit, BasketFit):
            continue
        fits += 1
        seen = slice(max(start - params.window + 1, 0), stop)
        made = basket_spread(logs.iloc[seen], fit, params)
        zscore[start:stop] = made.moments.zscore(made.rounding).to_numpy()[start - stop :]
        weights[start:stop] = fit.weights
    return BasketSignals(zscore, weights, fits)


def _stretches(index: pd.Index, train_bars: int, refit_bars: int) -> Iterator[tuple[int, int]]:
    """Rows from each fit to the next: the first as soon as there are bars to fit on."""
    bars, start = len(index), train_bars
    while start < bars:
        stop = min(start + refit_bars - (first_bar(index) + start) % refit_bars, bars)
        yield start, stop
        start = stop
