"""The same rule with many entries and windows: what was chosen, among what, and its neighbours."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import pandas as pd

from analytics.backtest.market import Market, Signals, prepare
from analytics.backtest.rules import BPS, BacktestRules
from analytics.backtest.windows import WindowSignals
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.pair import PairParams

CRITERIA: Final = ("sharpe", "net")

T = TypeVar("T")
R = TypeVar("R")


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
        """Row and column of the best setting; None where none traded often enough.

        Raises
        ------
        ParameterError
            A criterion that is not one of `CRITERIA`.
        """
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
        """Parameters and rules of a setting, with which `run_backtest` gives what this row says."""
        return (
            replace(self.params, window=self.windows[row]),
            self.rules.with_entry(self.entries[column]),
        )

    def to_frame(self) -> pd.DataFrame:
        """A row a setting: money in quote currency, Sharpe ratio a bar, NaN where it has none."""
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
class Grid:
    """A market and the settings to try on it.

    Attributes
    ----------
    windows, entries
        As `Sweep` has them.
    allowed, rows
        Which entries the rules allow, and the rules of those, as the compiled loop takes them.
    cells
        What booking a trade asks of a bar.
    maker
        Makes the signals of a window.
    """

    market: Market
    params: PairParams
    rules: BacktestRules
    windows: tuple[int, ...]
    entries: tuple[float, ...]
    allowed: BoolArray
    rows: FloatArray
    cells: FloatArray
    maker: WindowSignals

    @property
    def distinct(self) -> tuple[int, ...]:
        """Windows whose signals differ: where z depends on none, one is enough."""
        return self.windows if self.maker.has_window else self.windows[:1]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A grid with the signals of every window, so that spans can be swept one after another."""

    grid: Grid
    bar_signals: tuple[Signals, ...]

    @property
    def market(self) -> Market:
        """What is traded in."""
        return self.grid.market


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
    grid = _grid(y_bars, x_bars, params, rules, windows, entries)
    span = grid.market.part(share)
    _check_span(grid, span)
    # Signals are made, walked and let go window by window: they stay in the processor's caches.
    return _gathered(grid, span, lambda row: _swept(grid, grid.maker.at(grid.windows[row]), span))


def prepare_sweep(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    *,
    windows: Sequence[int],
    entries: Sequence[float],
    workers: int | None = None,
) -> Prepared:
    """Compute the signals of every window once, in so many threads; errors as `sweep_backtest`."""
    grid = _grid(y_bars, x_bars, params, rules, windows, entries)
    bar_signals = _on_all_cores(grid.maker.at, grid.distinct, workers)
    return Prepared(grid, tuple(bar_signals * (len(grid.windows) // len(bar_signals))))


def sweep_span(prepared: Prepared, start: int, stop: int) -> Sweep:
    """Run every setting over the bars ``start`` to ``stop`` (not included), flat at both ends.

    Raises
    ------
    NotEnoughDataError
        Fewer than 3 bars.
    """
    span = (start, stop)
    _check_span(prepared.grid, span)
    return _gathered(
        prepared.grid, span, lambda row: _swept(prepared.grid, prepared.bar_signals[row], span)
    )


def sweep_stretches(
    prepared: Prepared, starts: Sequence[int], bars: int, workers: int | None = None
) -> list[Sweep]:
    """Do `sweep_span` over as many bars from each of `starts` on; equal to it to the bit."""
    grid = prepared.grid
    _check_span(grid, (0, bars))
    firsts = np.array(starts, dtype=np.int64)

    def of_row(row: int) -> FloatArray:
        return _swept_stretches(grid, prepared.bar_signals[row], firsts, bars)

    rows = range(len(grid.distinct))
    swept = np.stack(_on_all_cores(of_row, rows, workers), axis=1)
    return [laid_out(grid, each, bars) for each in swept]


def _grid(
    y_bars: pd.DataFrame, x_bars: pd.DataFrame, params: PairParams, rules: BacktestRules,
    windows: Sequence[int], entries: Sequence[float],
) -> Grid:  # fmt: skip
    from analytics.kernels.sweep import sweep_cells  # noqa: PLC0415 - numba, when needed

    for name, values in (("windows", windows), ("entries", entries)):
        if not len(values) or len(set(values)) < len(values):
            raise ParameterError(name, tuple(values), "one or more values, none of them twice")
    checked = tuple(replace(params, window=window).window for window in windows)
    market = prepare(y_bars, x_bars, _reaching(params, rules, checked), rules)
    allowed = np.array([rules.stop is None or rules.stop > abs(entry) for entry in entries])
    rows = [rules.with_entry(float(entry)).as_row() for entry in np.array(entries)[allowed]]
    return Grid(
        market=market,
        params=params,
        rules=rules,
        windows=checked,
        entries=tuple(float(entry) for entry in entries),
        allowed=allowed,
        rows=np.array(rows).reshape(len(rows), -1),
        cells=sweep_cells(market.paths),
        maker=WindowSignals.of(market, params, rules),
    )


def _reaching(params: PairParams, rules: BacktestRules, windows: tuple[int, ...]) -> PairParams:
    """Return the same as far back as the longest window needs, so that each is full in the range.

    A hedge ratio that remembers where it began must begin where the rule's own run does.
    """
    if params.uses_beta and params.hedge != "rolling_ols" and not rules.is_fitted:
        return params
    return replace(params, window=max(params.window, *windows))


def _check_span(grid: Grid, span: tuple[int, int]) -> None:
    bars = span[1] - span[0]
    if bars < 3:
        raise NotEnoughDataError(f"sweep of {grid.params.label}", 3, bars)


def _gathered(grid: Grid, span: tuple[int, int], of_row: Callable[[int], FloatArray]) -> Sweep:
    """Run all rows of the grid on all cores and lay their figures out."""
    rows = range(len(grid.distinct))
    return laid_out(grid, np.stack(_on_all_cores(of_row, rows)), span[1] - span[0])


def laid_out(grid: Grid, swept: FloatArray, bars: int) -> Sweep:
    """Lay out what each allowed setting came to over so many bars.

    `swept`, shape (distinct windows, allowed entries, 6), has `analytics.kernels.sweep`'s columns.
    """
    trades, gross, net, traded, mean, deviation = np.moveaxis(_spread_out(grid, swept), 2, 0)
    return Sweep(
        params=grid.params,
        rules=grid.rules,
        windows=grid.windows,
        entries=grid.entries,
        trades=trades,
        gross=gross,
        net=net,
        traded=traded,
        sharpe=_ratio(mean, deviation),
        break_even_bps=_ratio(gross, traded * BPS),
        bars=bars,
    )


def _spread_out(grid: Grid, swept: FloatArray) -> FloatArray:
    """Give every window and entry its place; NaN where the rules do not allow it."""
    out = np.full((len(grid.windows), len(grid.entries), swept.shape[-1]), np.nan)
    out[:, grid.allowed] = swept
    return out


def _swept(grid: Grid, bar_signals: Signals, span: tuple[int, int]) -> FloatArray:
    from analytics.kernels.sweep import RULE_COLUMNS, sweep_rules  # noqa: PLC0415 - numba

    market = grid.market
    out = np.empty((len(grid.rows), RULE_COLUMNS))
    sweep_rules(
        bar_signals.compared, bar_signals.units, market.tradable, *span, grid.rows, grid.cells,
        market.costs, grid.rules.capital, out,
    )  # fmt: skip
    return out


def _swept_stretches(grid: Grid, bar_signals: Signals, starts: IntArray, bars: int) -> FloatArray:
    from analytics.kernels.sweep import RULE_COLUMNS, sweep_stretches  # noqa: PLC0415 - numba

    market = grid.market
    out = np.empty((starts.size, len(grid.rows), RULE_COLUMNS))
    sweep_stretches(
        bar_signals.compared, bar_signals.units, market.tradable, starts, bars, grid.rows,
        grid.cells, market.costs, grid.rules.capital, out,
    )  # fmt: skip
    return out


def _on_all_cores(
    work: Callable[[T], R], items: Sequence[T], workers: int | None = None
) -> list[R]:
    """Do pieces of work in threads, each taking the next that is left; results in order."""
    if len(items) == 1 or workers == 1:
        return [work(each) for each in items]
    with ThreadPoolExecutor(max_workers=workers or _workers()) as pool:
        return list(pool.map(work, items))


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result


def _workers() -> int:
    return max(1, min(8, os.cpu_count() or 1))
