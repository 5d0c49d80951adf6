"""What the same rule earns where there is nothing to earn: the legs' relation broken on purpose."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest.market import reach_of
from analytics.backtest.rules import BacktestRules
from analytics.backtest.run import BacktestResult, run_backtest
from analytics.backtest.sharpe import sharpe
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, align_pair, closed_bars
from analytics.pair import PairParams

_LEAST_BLOCKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class NullRuns:
    """The rule on legs that no longer have anything to do with each other.

    Attributes
    ----------
    gross, net
        Of each run, quote currency.
    trades
        Of each run.
    sharpe
        Of each run, before costs, a bar: profit by the risk that was taken for it, since legs that
        are not related move further apart.
    observed_gross, observed_net, observed_sharpe
        Of the legs as they are.
    pvalue
        Share of runs with a Sharpe ratio before costs at least as high, the real one counted among
        them.
    block
        Bars of each block that was moved.
    """

    gross: FloatArray
    net: FloatArray
    trades: FloatArray
    sharpe: FloatArray
    observed_gross: float
    observed_net: float
    observed_sharpe: float
    pvalue: float
    block: int
    null_hypothesis: str = (
        "the profit before costs does not come from the legs' relation: S2 could be any series "
        "with its own moves in another order"
    )
    reference: str = (
        "permutation by blocks: Politis & Romano (1994), JASA 89, 1303-1313; "
        "Good (2005), Permutation, Parametric and Bootstrap Tests, ch. 3"
    )


def null_backtests(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    *,
    runs: int = 100,
    block: int | None = None,
    seed: int = 20240808,
    progress: Callable[[int, int], None] | None = None,
) -> NullRuns:
    """Run a rule on S1 and an S2 whose returns were put into another order, block by block.

    Each leg keeps its own returns, their tails and their clusters inside a block; what the legs
    have in common, and with it any reversion of the spread, is gone.

    Parameters
    ----------
    y_bars, x_bars, params, rules
        As `analytics.backtest.run_backtest`.
    runs : int
        Permutations.
    block : int, optional
        Bars; None for the window.
    seed : int
        Of numpy's PCG64.
    progress : callable, optional
        Called after each run with how many are done and how many there are; an exception it raises
        ends the work.

    Raises
    ------
    ParameterError
        Fewer than 1 run or bars a block; as `run_backtest`.
    NotEnoughDataError
        Fewer than four blocks: too few orders to put them in.
    """
    block = params.window if block is None else block
    for name, value in (("runs", runs), ("block", block)):
        if value < 1:
            raise ParameterError(name, value, "1 or more")
    y, x = align_pair(closed_bars(y_bars), closed_bars(x_bars))
    reach = reach_of(params, rules)
    if reach is not None:
        y, x = y.iloc[-reach:], x.iloc[-reach:]
    if len(x) < _LEAST_BLOCKS * block:
        what = f"null of {params.label} in blocks of {block}"
        raise NotEnoughDataError(what, _LEAST_BLOCKS * block, len(x))
    observed = run_backtest(y, x, params, rules, draws=0)
    rng = np.random.default_rng(seed)
    null_runs = []
    for done in range(1, runs + 1):
        null_runs.append(run_backtest(y, permuted_leg(x, block, rng), params, rules, draws=0))
        if progress is not None:
            progress(done, runs)
    gross, net, trades = (
        np.array([float(getattr(each.performance, name)) for each in null_runs])
        for name in ("gross", "net", "trades")
    )
    ratios = np.array([_gross_sharpe(each) for each in null_runs])
    real = _gross_sharpe(observed)
    return NullRuns(
        gross=gross,
        net=net,
        trades=trades,
        sharpe=ratios,
        observed_gross=observed.performance.gross,
        observed_net=observed.performance.net,
        observed_sharpe=real,
        pvalue=(1 + int((ratios >= real).sum())) / (1 + runs),
        block=block,
    )


def _gross_sharpe(result: BacktestResult) -> float:
    """Sharpe ratio a bar before costs; 0 where nothing was traded."""
    profit = np.diff(result.gross_equity.to_numpy(), prepend=result.rules.capital)
    return float(np.nan_to_num(sharpe(profit)))


def permuted_leg(bars: pd.DataFrame, block: int, rng: np.random.Generator) -> pd.DataFrame:
    """Put the bars of a leg into another order, block by block, and chain their returns anew.

    Parameters
    ----------
    bars : DataFrame
        A bars frame; it is not changed.
    block : int
        Bars moved together; the blocks are cut at a random place, around the end.
    rng
        Says the order.

    Returns
    -------
    DataFrame
        The same times, first close and set of returns. A bar's open, high, low, vwap keep their
        distance to its close, its volume and coverage move with it: missing bars stay missing,
        at other times.
    """
    size = len(bars)
    blocks = np.array_split(np.roll(np.arange(size), -int(rng.integers(size))), -(-size // block))
    order = np.concatenate([blocks[place] for place in rng.permutation(len(blocks))])
    close = bars["close"].to_numpy(dtype=np.float64)
    carried = bars["close"].ffill().bfill().to_numpy(dtype=np.float64)
    returns = np.diff(np.log(carried), prepend=np.log(carried[:1]))
    moved = bars.iloc[order].copy()
    moved.index = bars.index
    made = carried[0] * np.exp(np.cumsum(returns[order]))
    scale = made / close[order]
    for name in ("open", "high", "low", "close", "vwap"):
        if name in moved:
            moved[name] = moved[name].to_numpy(dtype=np.float64) * scale
    return moved
