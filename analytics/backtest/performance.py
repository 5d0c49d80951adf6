"""What a backtest comes to: return, risk, trades, and the cost it could bear."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.rules import BPS, BacktestRules
from analytics.backtest.sharpe import probabilistic_sharpe, sharpe, sharpe_interval
from analytics.frames import FloatArray

MONEY: Final = ("gross", "fees", "half_spread", "slippage", "funding")


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a stretch of bars; money in quote currency, ratios by the capital.

    Attributes
    ----------
    bars, trades
        Sample sizes: of returns, and of trades.
    net, gross, fees, half_spread, slippage, funding
        net = gross − the other four.
    total_return
        net / capital; the size is not compounded.
    volatility, sharpe, sortino
        By the net returns of all bars, flat ones included, at 365 days of 24 hours a year. NaN
        where nothing varied.
    sharpe_interval
        95 %, studentised block bootstrap.
    probabilistic_sharpe
        Chance that the true Sharpe ratio is above 0.
    max_drawdown, drawdown_bars
        Deepest fall of the equity from its highest point before, as a share of that (at most 0),
        and the longest time below such a point.
    hit_rate, profit_factor
        Share of trades with net above 0; money won over money lost.
    turnover
        Money traded over the capital, all fills of both legs.
    exposure
        Share of bars after which something was held.
    mean_bars
        Bars a trade was held.
    break_even_bps
        Cost of a fill, in bps of its notional and all costs together, at which net would be 0,
        exactly (gross − funding) / money traded. Below 0: it loses at no cost at all.
    capacity
        Money in both legs together at which the slippage has eaten the profit, exactly
        ``notional · ((gross − fees − half spread − funding) / slippage)^(1/p)``; NaN where no
        slippage is counted, 0 where nothing is left to eat.
    """

    bars: int
    trades: int
    net: float
    gross: float
    fees: float
    half_spread: float
    slippage: float
    funding: float
    total_return: float
    volatility: float
    sharpe: float
    sharpe_interval: tuple[float, float]
    probabilistic_sharpe: float
    sortino: float
    max_drawdown: float
    drawdown_bars: int
    hit_rate: float
    profit_factor: float
    turnover: float
    exposure: float
    mean_bars: float
    break_even_bps: float
    capacity: float


def measure(
    returns: FloatArray,
    trades: pd.DataFrame,
    side: FloatArray,
    rules: BacktestRules,
    bars_per_year: float,
    *,
    draws: int,
) -> Performance:
    """Measure a run.

    Parameters
    ----------
    returns : ndarray, shape (n,)
        Net profit of each bar over the capital.
    trades : DataFrame
        The ledger of the same bars.
    side : ndarray, shape (n,)
        Side held after each bar: −1, 0, +1.
    rules : BacktestRules
    bars_per_year : float
    draws : int
        Bootstrap samples for the interval; 0 for none.
    """
    money = {name: float(trades[name].sum()) for name in MONEY}
    net = trades["net"].to_numpy()
    traded = float(trades["traded"].sum())
    year = math.sqrt(bars_per_year)
    low, high = sharpe_interval(returns, draws=draws) if draws else (math.nan, math.nan)
    deepest, longest = drawdown_of(rules.capital * (1.0 + np.cumsum(returns)), rules.capital)
    earned = money["gross"] - money["funding"]
    return Performance(
        bars=int(returns.size),
        trades=len(trades),
        net=float(net.sum()),
        **money,
        total_return=float(net.sum()) / rules.capital,
        volatility=float(returns.std(ddof=1)) * year if returns.size > 1 else math.nan,
        sharpe=sharpe(returns) * year,
        sharpe_interval=(low * year, high * year),
        probabilistic_sharpe=probabilistic_sharpe(returns),
        sortino=sortino(returns) * year,
        max_drawdown=deepest,
        drawdown_bars=longest,
        hit_rate=float((net > 0).mean()) if net.size else math.nan,
        profit_factor=profit_factor(net),
        turnover=traded / rules.capital,
        exposure=float((side != 0).mean()) if side.size else math.nan,
        mean_bars=float(trades["bars"].mean()) if net.size else math.nan,
        break_even_bps=earned / traded / BPS if traded > 0 else math.nan,
        capacity=_capacity(money, rules),
    )


def sortino(returns: FloatArray) -> float:
    """Mean over the downside deviation (root mean square of the losses, over all bars)."""
    if returns.size == 0:
        return math.nan
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside if downside > 0 else math.nan


def profit_factor(net: FloatArray) -> float:
    """Money won over money lost; NaN without a loss."""
    lost = -float(net[net < 0].sum())
    return float(net[net > 0].sum()) / lost if lost > 0 else math.nan


def drawdown_path(equity: FloatArray, capital: float) -> FloatArray:
    """Fall of the equity from its highest point so far, as a share of that; at most 0."""
    peak = np.maximum.accumulate(np.maximum(equity, capital))
    below: FloatArray = equity / peak - 1.0
    return below


def drawdown_of(equity: FloatArray, capital: float) -> tuple[float, int]:
    """Return the deepest drawdown, and the longest run of bars below an earlier high."""
    if equity.size == 0:
        return math.nan, 0
    below = drawdown_path(equity, capital)
    # Money that rounding took is no drawdown.
    edges = np.r_[-1, np.flatnonzero(below > -1e-12), below.size]
    return float(min(below.min(), 0.0)), int(np.diff(edges).max() - 1)


def _capacity(money: dict[str, float], rules: BacktestRules) -> float:
    if money["slippage"] <= 0:
        return math.nan
    left = money["gross"] - money["fees"] - money["half_spread"] - money["funding"]
    if left <= 0:
        return 0.0
    return rules.notional * float((left / money["slippage"]) ** (1.0 / rules.costs.power))
