"""Walk-forward: choose on one stretch, trade the next with it, move on; only the latter counts.

Pardo (2008), The Evaluation and Optimization of Trading Strategies, ch. 11; and on why the best of
many settings disappoints, Bailey, Borwein, López de Prado & Zhu (2014), Notices of the AMS 61(5),
458-471.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analytics.backtest.performance import Performance, drawdown_path, measure
from analytics.backtest.rules import BacktestRules
from analytics.backtest.run import run_on
from analytics.backtest.sharpe import DRAWS
from analytics.backtest.sweep import Prepared, Sweep, prepare_sweep, sweep_stretches
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray
from analytics.pair import PairParams

LEAST_TRADES = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """What would have been earned by choosing on the past only.

    Attributes
    ----------
    blocks
        A row a block: ``train_start``, ``test_start``, ``test_end`` (bar opens, UTC), ``window``
        and ``entry`` chosen (NaN where no setting traded often enough: nothing was traded),
        ``train_sharpe`` a bar, ``train_net``, ``test_net``, ``test_gross``, ``test_trades``.
    trades
        The ledger of all test blocks, each flat at its end.
    returns, equity, drawdown
        Of the test blocks, one after another.
    performance
        Their figures.
    settings
        Combinations tried in each block.
    """

    params: PairParams
    rules: BacktestRules
    blocks: pd.DataFrame
    trades: pd.DataFrame
    returns: pd.Series
    equity: pd.Series
    drawdown: pd.Series
    performance: Performance
    settings: int


def walk_forward(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    *,
    windows: Sequence[int],
    entries: Sequence[float],
    train_bars: int,
    test_bars: int,
    criterion: str = "sharpe",
    only_if_paid: bool = False,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> WalkForward:
    """Choose window and entry on each training stretch and trade the block after it with them.

    Parameters
    ----------
    y_bars, x_bars, params, rules, windows, entries
        As `analytics.backtest.sweep.sweep_backtest`.
    train_bars, test_bars
        Lengths; blocks follow each other without overlap, the last may be shorter.
    criterion
        What the choice is made by: net ``"sharpe"`` or ``"net"``.
    only_if_paid
        Stand aside in a block whose best setting lost money in training.
    draws
        As `run_backtest`.
    progress
        Called after each block with how many are done and how many there are; an exception it
        raises ends the work.

    Raises
    ------
    ParameterError
        Lengths below 3 bars; as `sweep_backtest`.
    NotEnoughDataError
        Fewer bars than one training stretch and 3 bars to trade.
    """
    for name, bars in (("train_bars", train_bars), ("test_bars", test_bars)):
        if bars < 3:
            raise ParameterError(name, bars, "3 or more")
    prepared = prepare_sweep(y_bars, x_bars, params, rules, windows=windows, entries=entries)
    first, size = prepared.market.range
    if size - first < train_bars + 3:
        what = f"walk-forward of {params.label}"
        raise NotEnoughDataError(what, train_bars + 3, size - first)
    spans = block_spans(first + train_bars, size, test_bars)
    trained = sweep_stretches(prepared, [span[0] - train_bars for span in spans], train_bars)
    blocks, ledgers, returns, sides = [], [], [], []
    for done, (span, tried) in enumerate(zip(spans, trained, strict=True), start=1):
        block = _trade_block(prepared, tried, span, criterion, only_if_paid)
        blocks.append(block.row)
        ledgers.append(block.trades)
        returns.append(block.returns)
        sides.append(block.side)
        if progress is not None:
            progress(done, len(spans))
    return _joined(prepared, train_bars, blocks, ledgers, (returns, sides), draws)


def block_spans(begin: int, size: int, test_bars: int) -> list[tuple[int, int]]:
    """First bar and the one after the last of each block that is traded, from bar `begin` on."""
    begins = list(range(begin, size - 2, test_bars))
    # A rest of one or two bars belongs to the block before it.
    return list(zip(begins, [*begins[1:], size], strict=True))


def chosen_setting(tried: Sweep, criterion: str, *, only_if_paid: bool) -> tuple[int, int] | None:
    """Return row and column of the setting that training says to trade with; None for none."""
    best = tried.best(criterion, LEAST_TRADES)
    return None if best is not None and only_if_paid and not tried.net[best] > 0 else best


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    row: dict[str, object]
    trades: pd.DataFrame
    returns: FloatArray
    side: FloatArray


def _trade_block(
    prepared: Prepared, tried: Sweep, span: tuple[int, int], criterion: str, only_if_paid: bool
) -> _Block:
    best = chosen_setting(tried, criterion, only_if_paid=only_if_paid)
    index = prepared.market.index
    row: dict[str, object] = {
        "train_start": index[span[0] - tried.bars],
        "test_start": index[span[0]],
        "test_end": index[span[1] - 1],
    }
    # Where nothing is chosen, the first setting runs on no bar's signal: an empty ledger.
    place = (0, 0) if best is None else best
    params, rules = tried.setting(*place)
    bar_signals = prepared.bar_signals[place[0]]
    if best is None:
        bar_signals = replace(bar_signals, zscore=np.full(bar_signals.zscore.size, np.nan))
    result = run_on(prepared.market, bar_signals, params, rules, span, draws=0)
    tested = result.performance
    row |= {
        "window": np.nan if best is None else params.window,
        "entry": np.nan if best is None else rules.sell_above,
        "train_sharpe": np.nan if best is None else tried.sharpe[best],
        "train_net": np.nan if best is None else tried.net[best],
        "test_net": tested.net,
        "test_gross": tested.gross,
        "test_trades": tested.trades,
    }
    return _Block(
        row, result.trades, result.returns.to_numpy(), result.side.to_numpy(dtype=np.float64)
    )


def _joined(
    prepared: Prepared,
    train_bars: int,
    blocks: list[dict[str, object]],
    ledgers: list[pd.DataFrame],
    paths: tuple[list[FloatArray], list[FloatArray]],
    draws: int,
) -> WalkForward:
    rules = prepared.grid.rules
    returns, side = (np.concatenate(each) for each in paths)
    begin = prepared.market.first + train_bars
    index = prepared.market.index[begin : begin + returns.size]
    trades = pd.concat(ledgers, ignore_index=True)
    equity = rules.capital * (1.0 + np.cumsum(returns))
    return WalkForward(
        params=prepared.grid.params,
        rules=rules,
        blocks=pd.DataFrame(blocks),
        trades=trades,
        returns=pd.Series(returns, index=index, name="return"),
        equity=pd.Series(equity, index=index, name="equity"),
        drawdown=pd.Series(drawdown_path(equity, rules.capital), index=index, name="drawdown"),
        performance=measure(
            returns, trades, side, rules, prepared.grid.params.bar.bars_per_year, draws=draws
        ),
        settings=len(prepared.grid.windows) * len(prepared.grid.entries),
    )
