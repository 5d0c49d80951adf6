"""The ledger of a backtest, and what its reader should know."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.market import Market, Signals
from analytics.backtest.paying import PayingEntries, first_fit
from analytics.backtest.rules import BacktestRules
from analytics.frames import FloatArray, IntArray
from analytics.pair import PairParams

REASONS: Final = ("", "exit", "stop", "time", "end of data")
_SIDES: Final = {1: "BUY", -1: "SELL"}
# Orders beyond this share of a bar's volume are beyond what the impact formulas were fitted on.
_LARGE_SHARE: Final = 0.1


def ledger(market: Market, bar_signals: Signals, raw: IntArray, money: FloatArray) -> pd.DataFrame:
    """Lay out the trades.

    Returns
    -------
    DataFrame
        A row a trade: ``side`` (BUY: S1 bought, S2 sold; SELL the other way), ``decided_time``,
        ``entry_time``, ``exit_time`` (open of the bars; of the last bar for a forced end, which is
        filled at its close), ``entry_y``, ``entry_x``, ``exit_y``, ``exit_x`` (quote currency),
        ``quantity_y``, ``quantity_x`` (signed, base currency), ``entry_z``, ``exit_z`` (of the
        deciding closes), ``entry_level`` (the entry that paid then, where the rule goes by it),
        ``beta``, ``bars`` held, ``gross``, ``fees``, ``half_spread``,
        ``slippage``, ``funding``, ``net``, ``traded`` (quote currency) and ``reason``: ``exit``,
        ``stop``, ``time`` or ``end of data``.
    """
    from analytics.kernels.settle import FILL_X, FILL_Y, FILLS, MARKS  # noqa: PLC0415 - numba
    from analytics.kernels.walk import END  # noqa: PLC0415

    decided, entered, exit_decided, exited, side, reason = raw.T
    forced = reason == END
    paths, index = market.paths, market.index
    out = np.where(forced, paths[MARKS, exited], paths[FILLS, exited])
    units = bar_signals.units[:, decided] * side
    gross, fees, half_spread, slippage, funding, traded = money.T
    fitted = {} if bar_signals.level is None else {"entry_level": bar_signals.level[decided]}
    return pd.DataFrame(
        {
            "side": pd.Series([_SIDES[int(each)] for each in side], dtype="str"),
            "decided_time": index[decided],
            "entry_time": index[entered],
            "exit_time": index[exited],
            "entry_y": paths[FILL_Y, entered],
            "entry_x": paths[FILL_X, entered],
            "exit_y": out[0],
            "exit_x": out[1],
            "quantity_y": units[0],
            "quantity_x": units[1],
            "entry_z": bar_signals.zscore[decided],
            "exit_z": bar_signals.zscore[exit_decided],
            **fitted,
            "beta": bar_signals.beta[decided],
            # From open to open; a forced end holds its last bar to the close.
            "bars": exited - entered + forced,
            "gross": gross,
            "fees": fees,
            "half_spread": half_spread,
            "slippage": slippage,
            "funding": funding,
            "net": gross - fees - half_spread - slippage - funding,
            "traded": traded,
            "reason": pd.Series([REASONS[int(each)] for each in reason], dtype="str"),
        }
    )


def notes_of(
    market: Market,
    bar_signals: Signals,
    params: PairParams,
    rules: BacktestRules,
    span: tuple[int, int],
    trades: pd.DataFrame,
    counts: tuple[int, int],
    equity: FloatArray,
) -> tuple[str, ...]:
    """Say in a sentence each what the figures do not show by themselves."""
    inside = slice(*span)
    bars = span[1] - span[0]
    notes = []
    if bar_signals.entries is not None:
        notes.append(_fits_note(bar_signals.entries, market, params, span))
    elif np.isnan(bar_signals.zscore[inside]).all():
        notes.append(
            f"No bar has a z-score: the window of {params.window:,} bars never filled in "
            f"{bars:,} bars."
        )
    closed = int((~market.tradable[inside]).sum())
    if closed:
        notes.append(
            f"In {closed:,} of {bars:,} bars a leg was missing or did not trade: nothing was "
            f"filled there ({_times(counts[0], 'entry', 'entries')} cancelled, exits waited "
            f"{_times(counts[1], 'bar', 'bars')})."
        )
    if len(trades) and trades["reason"].iloc[-1] == REASONS[-1]:
        notes.append(
            "The last trade was still open: it is closed at the last close, which no order could "
            "have been sure of."
        )
    if rules.costs.liquidity == "maker":
        notes.append(
            "Fills at the maker's fee are assumed: bars do not say whether a resting order would "
            "have been reached."
        )
    empty = np.flatnonzero(equity <= 0)
    if empty.size:
        when = market.index[inside][int(empty[0])]
        notes.append(
            f"The capital was used up at {when:%Y-%m-%d %H:%M} UTC; the run goes on as if it were "
            "refilled, so that the rule can be judged over all bars."
        )
    return tuple(notes)


def _fits_note(
    entries: PayingEntries, market: Market, params: PairParams, span: tuple[int, int]
) -> str:
    """Say how many fits showed a return, and how many an entry that pays; or why there is none."""
    decides = entries.inside(*span)
    returns, level = entries.returns[decides], entries.level[decides]
    every = f"every {params.window:,} bars to the {entries.bars:,} before"
    if not level.size:
        wait = _times(first_fit(market.index, params) - span[1], "bar", "bars")
        return (
            f"Nothing is fitted yet: a fit comes {every}, at fixed times, and needs "
            f"{params.window:,}. The first comes after {wait} more."
        )
    if np.isnan(level).all():
        return (
            f"Nothing could be fitted, tried {_times(level.size, 'time', 'times')}, {every}: a leg "
            "does not move, both move as one, or too few bars are there."
        )
    paying = level[np.isfinite(level)]
    fitted = (
        f"fitted {_times(level.size, 'time', 'times')}, {every}; {int(returns.sum()):,} showed a "
        f"return at {params.level * 100:g} %"
    )
    if not paying.size:
        return f"No entry pays: {fitted}, and none of these an entry that comes once in its bars."
    return (
        f"An entry pays by {paying.size:,} of the fits, at {paying.min():.1f} to "
        f"{paying.max():.1f} standard deviations of the residual: {fitted}. Else nothing is "
        "entered, and what is held waits for the mean."
    )


def _times(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
