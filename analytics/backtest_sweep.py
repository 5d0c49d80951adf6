"""The same rule with many entries and windows: what was chosen, among what, and its neighbours."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest_market import Market, Signals, prepare, signals
from analytics.backtest_rules import BPS, BacktestRules
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray
from analytics.params import PairParams

CRITERIA: Final = ("sharpe", "net")
_COLUMNS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Figures of every setting, arrays of shape (windows, entries).

    Attributes
    ----------
    windows, entries
        What was tried: bars, and thresholds of z.
    trades, gross, net, traded
        Number, and money in quote currency.
    sharpe
        Net, a bar (not annualised); NaN where nothing was traded.
    break_even_bps
        As in `Performance`, funding left aside; NaN without trades.
    bars
        Bars the figures stand on.

    A setting that the rules do not allow (an entry beyond the stop) is NaN.
    """

    params: PairParams
    rules: BacktestRules
    windows: tuple[int, ...]
    entries: tuple[float, ...]
    trades: FloatArray
    gross: FloatArray
    net: FloatArray
    traded: FloatArray
    sharpe: FloatArray
    break_even_bps: FloatArray
    bars: int

    def best(self, criterion: str = "sharpe", least_trades: int = 1) -> tuple[int, int] | None:
        """Row and column of the best setting; None where none traded often enough."""
        if criterion not in CRITERIA:
            raise ParameterError("criterion", criterion, f"one of {', '.join(CRITERIA)}")
        values = self.sharpe if criterion == "sharpe" else self.net
        known = np.where(self.trades >= least_trades, values, np.nan)
        if np.isnan(known).all():
            return None
        row, column = np.unravel_index(int(np.nanargmax(known)), known.shape)
        return int(row), int(column)

    def nearest(self, window: int, entry: float) -> tuple[int, int]:
        """Row and column of the setting nearest to one asked for."""
        row = int(np.argmin(np.abs(np.array(self.windows) - window)))
        return row, int(np.argmin(np.abs(np.array(self.entries) - entry)))

    def neighbours(self, row: int, column: int, values: FloatArray) -> FloatArray:
        """Values of the up to eight settings around one, itself left out."""
        rows = slice(max(row - 1, 0), row + 2)
        columns = slice(max(column - 1, 0), column + 2)
        mask = np.zeros(values.shape, dtype=np.bool_)
        mask[rows, columns] = True
        mask[row, column] = False
        around: FloatArray = values[mask]
        return around[~np.isnan(around)]

    def setting(self, row: int, column: int) -> tuple[PairParams, BacktestRules]:
        """Return what `run_backtest` takes for a setting."""
        return (
            replace(self.params, window=self.windows[row]),
            self.rules.with_entry(self.entries[column]),
        )

    def to_frame(self) -> pd.DataFrame:
        """Lay the settings out, a row each."""
        window, entry = np.meshgrid(self.windows, self.entries, indexing="ij")
        columns = {
            "window": window,
            "entry": entry,
            "trades": self.trades,
            "gross": self.gross,
            "net": self.net,
            "traded": self.traded,
            "sharpe_a_bar": self.sharpe,
            "break_even_bps": self.break_even_bps,
        }
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A market with the signals of every window, so that spans can be swept one after another."""

    market: Market
    params: PairParams
    rules: BacktestRules
    windows: tuple[int, ...]
    entries: tuple[float, ...]
    given: tuple[Signals, ...]
    rows: FloatArray
    allowed: tuple[bool, ...]


def sweep_backtest(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    *,
    windows: Sequence[int],
    entries: Sequence[float],
    share: float = 1.0,
) -> Sweep:
    """Run a rule with every combination of window and entry over the first `share` of the bars.

    Parameters
    ----------
    y_bars, x_bars, params, rules
        As `analytics.backtest.run_backtest`; a window is that of the z-score, and of the rolling
        hedge ratio where `params.hedge_window` is None. The Kalman filter's z has no window: all
        rows are then equal.
    windows, entries
        Bars; thresholds, as `BacktestRules.with_entry` takes them.
    share
        Above 0, up to 1.

    Raises
    ------
    ParameterError
        An empty or repeated list, a share outside its range; as `run_backtest`.
    """
    if not 0 < share <= 1:
        raise ParameterError("share", share, "above 0, up to 1")
    made = prepare_sweep(y_bars, x_bars, params, rules, windows=windows, entries=entries)
    return sweep_span(made, 0, round(share * made.market.size))


def prepare_sweep(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    *,
    windows: Sequence[int],
    entries: Sequence[float],
) -> Prepared:
    """Compute the signals of every window once; errors as `sweep_backtest`."""
    for name, values in (("windows", windows), ("entries", entries)):
        if not len(values) or len(set(values)) < len(values):
            raise ParameterError(name, tuple(values), "one or more values, none of them twice")
    market = prepare(y_bars, x_bars, params, rules)

    def of_window(window: int) -> Signals:
        return signals(market, replace(params, window=window), rules)

    # Where neither z nor β depends on the window, once is enough.
    distinct = windows[:1] if params.uses_beta and params.hedge == "kalman" else windows
    with ThreadPoolExecutor(max_workers=_workers()) as pool:
        given = list(pool.map(of_window, distinct))
    given += given[:1] * (len(windows) - len(given))
    allowed = tuple(rules.stop is None or rules.stop > abs(entry) for entry in entries)
    rows = [
        rules.with_entry(float(entry)).as_row()
        for entry, fits in zip(entries, allowed, strict=True)
        if fits
    ]
    return Prepared(
        market, params, rules, tuple(int(each) for each in windows),
        tuple(float(each) for each in entries), tuple(given),
        np.array(rows).reshape(len(rows), -1), allowed,
    )  # fmt: skip


def sweep_span(made: Prepared, start: int, stop: int) -> Sweep:
    """Run every setting over the bars ``start`` to ``stop`` (not included), flat at both ends.

    Raises
    ------
    NotEnoughDataError
        Fewer than 3 bars.
    """
    if stop - start < 3:
        raise NotEnoughDataError(f"sweep of {made.params.label}", 3, stop - start)
    out = np.full((len(made.windows), len(made.entries), _COLUMNS), np.nan)
    allowed = np.array(made.allowed)

    def of_row(row: int) -> None:
        out[row, allowed] = _swept(made, made.given[row], start, stop)

    with ThreadPoolExecutor(max_workers=_workers()) as pool:
        list(pool.map(of_row, range(len(made.windows))))
    trades, gross, net, traded, mean, deviation = np.moveaxis(out, 2, 0)
    return Sweep(
        params=made.params,
        rules=made.rules,
        windows=made.windows,
        entries=made.entries,
        trades=trades,
        gross=gross,
        net=net,
        traded=traded,
        sharpe=_ratio(mean, deviation),
        break_even_bps=_ratio(gross, traded * BPS),
        bars=stop - start,
    )


def _swept(made: Prepared, given: Signals, start: int, stop: int) -> FloatArray:
    from analytics.kernel_backtest import sweep_rules  # noqa: PLC0415 - numba, when needed

    market = made.market
    out = np.empty((len(made.rows), _COLUMNS))
    sweep_rules(
        given.zscore, market.tradable, start, stop, made.rows, market.paths, market.moves,
        market.funded, given.units, market.costs, made.rules.capital, out,
    )  # fmt: skip
    return out


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _workers() -> int:
    return max(1, min(8, os.cpu_count() or 1))
