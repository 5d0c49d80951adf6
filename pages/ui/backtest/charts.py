"""From backtest results to what is drawn: gains in percent, trade marks, the trade in focus."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analytics.backtest import LEAST_TRADES, BacktestResult, NullRuns, Sweep, buy_and_hold
from pages.charts.backtest_figure import (
    BacktestLabels,
    BacktestSeries,
    Focus,
    TradeMarks,
    backtest_figure,
)
from pages.charts.backtest_heatmap import null_figure, sweep_heatmap
from pages.ui.backtest.data import Runs
from pages.ui.parts.annual import is_too_short
from pages.ui.state.clock import even_label, even_ms

# Bars in sight on either side of a trade that is looked at, and at least so many.
AROUND = 1.5
LEAST_BARS = 60


def series_of(result: BacktestResult) -> BacktestSeries:
    """Take gains in % of the capital."""
    capital = result.rules.capital
    buy_hold = buy_and_hold(result)
    net, gross, held_y, held_x = (
        (values.to_numpy() / capital - 1) * 100
        for values in (result.equity, result.gross_equity, *(buy_hold[name] for name in buy_hold))
    )
    return BacktestSeries(
        time_ms=even_ms(pd.DatetimeIndex(result.y.index)),
        net=net,
        gross=gross,
        held_y=held_y,
        held_x=held_x,
        drawdown=result.drawdown.to_numpy() * 100,
        zscore=result.compared.to_numpy(),
    )


def marks_of(result: BacktestResult) -> TradeMarks:
    """Take where trades were filled, at the z of that bar."""
    trades = result.trades
    entry, left = (pd.DatetimeIndex(trades[name]) for name in ("entry_time", "exit_time"))
    z, end = result.compared, result.y.index[-1]
    return TradeMarks(
        entry_ms=even_ms(entry, end),
        entry_z=z.reindex(entry).to_numpy(),
        exit_ms=even_ms(left, end),
        exit_z=z.reindex(left).to_numpy(),
        is_buy=trades["side"].eq("BUY").to_numpy(),
    )


def focus_on(result: BacktestResult, row: int | None) -> Focus | None:
    """Bring a row of the ledger into sight; None for none."""
    if row is None or row >= len(result.trades):
        return None
    trade = result.trades.iloc[row]
    times = pd.DatetimeIndex([trade["entry_time"], trade["exit_time"]])
    entry, left = even_ms(times, result.y.index[-1])
    step = result.params.bar.us / 1_000
    room = max((left - entry) * AROUND, LEAST_BARS * step)
    return Focus(entry - room, left + room, entry, left)


def figure_of(runs: Runs, row: int | None = None, view: str = "") -> go.Figure:
    """Draw the whole run, or the part of it around a trade."""
    result = runs.whole
    labels = BacktestLabels(
        result.params.y, result.params.x, result.rules.sell_above, result.rules.buy_below,
        view_id=f"{view}|{result.params.label}|{result.params.interval}|{row}",
        zone=even_label(pd.DatetimeIndex(result.y.index)),
    )  # fmt: skip
    border = even_ms(pd.DatetimeIndex(runs.test.y.index[:1]), result.y.index[-1])[0]
    figure = backtest_figure(
        series_of(result), marks_of(result), labels, border_ms=float(border),
        focus=focus_on(result, row),
    )  # fmt: skip
    if result.rules.is_fitted:
        figure.layout.yaxis3.title.text = "z ÷ entry"
    return figure


def heatmap_of(swept: Sweep, result: BacktestResult, what: str) -> go.Figure:
    """Draw a figure of each setting; what it stands for, `backtest_words.sweep_caption` says.

    Empty where a setting never traded, or, for the Sharpe ratio, too seldom for one.
    """
    capital = swept.rules.capital
    values, title = {
        "net": (swept.net / capital * 100, "net %"),
        "before costs": (swept.gross / capital * 100, "before costs %"),
        "Sharpe": (swept.sharpe * _sharpe_scale(swept, result), "Sharpe"),
    }[what]
    least = LEAST_TRADES if what == "Sharpe" else 1
    return sweep_heatmap(
        swept.windows, swept.entries, np.where(swept.trades >= least, values, np.nan),
        chosen=swept.nearest(result.params.window, result.rules.sell_above),
        best=swept.best(least_trades=LEAST_TRADES), title=title, number_format="+.2f",
        view_id=f"sweep|{result.params.label}|{what}", trades=swept.trades,
    )  # fmt: skip


def _sharpe_scale(swept: Sweep, result: BacktestResult) -> float:
    """Take a bar's ratio to that of a year, or of the span where that is too short for a year."""
    if is_too_short(swept.bars, result.params.bar.timedelta):
        return float(np.sqrt(swept.bars))
    return float(np.sqrt(result.params.bar.bars_per_year))


def null_of(null_runs: NullRuns, result: BacktestResult) -> go.Figure:
    """Draw the runs on unrelated legs, and the real result as lines."""
    share = 100 / result.rules.capital
    return null_figure(
        null_runs.net * share, null_runs.gross * share,
        (null_runs.observed_net * share, null_runs.observed_gross * share),
        view_id=f"null|{result.params.label}",
    )  # fmt: skip
