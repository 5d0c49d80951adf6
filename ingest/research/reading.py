"""Closes of many symbols from the recording and its history, on one grid."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.frames import parse_interval
from analytics.research import Closes, Grid
from ingest.research.saved import ResearchError
from ingest.store import KLINE_LENGTHS_S, TickReader, utc_time

Reading = Callable[[str], object]


def closes_of_database(
    path: Path,
    symbols: Sequence[str],
    interval: str,
    start: datetime,
    end: datetime,
    *,
    history: Path | None = None,
    progress: Reading | None = None,
) -> Closes:
    """Read closes of closed bars, oldest first.

    Parameters
    ----------
    path, history
        The database, and the folder of history; either may not be there.
    symbols, interval
        Upper case; length of a bar.
    start, end
        Opens of the bars lie in ``start <= open < end``, UTC.
    progress
        Called with each symbol before it is read.

    Returns
    -------
    Closes
        From the first known bar of any symbol to the last. NaN where a bar is missing, and where
        nobody traded in it: an order cannot be filled there.

    Raises
    ------
    ResearchError
        A symbol without a closed bar in that time.
    IngestError
        As `TickReader`.
    """
    step_us = parse_interval(interval).us
    reader = _reader(path, history)
    columns: dict[str, pd.Series] = {}
    with reader:
        for symbol in symbols:
            if progress is not None:
                progress(symbol)
            columns[symbol] = _closed(reader.bars(symbol, interval, start, end), symbol, start, end)
    first = min(int(each.index[0]) for each in columns.values())
    last = max(int(each.index[-1]) for each in columns.values())
    grid = Grid(first, step_us, (last - first) // step_us + 1)
    return Closes(grid, {name: _on_grid(each, grid) for name, each in columns.items()})


def what_is_there(
    path: Path, history: Path | None = None
) -> tuple[list[str], tuple[date, date] | None]:
    """Return the symbols, and the first and last day (UTC) of what is known of any.

    Raises
    ------
    IngestError
        As `TickReader`.
    """
    with _reader(path, history) as reader:
        symbols = reader.symbols()
        begins = [reader.begins_us(each, length) for each in symbols for length in KLINE_LENGTHS_S]
        first_us = min((each for each in begins if each is not None), default=None)
        last_us = reader.newest_trade_us(symbols)
    if first_us is None or last_us is None:
        return symbols, None
    return symbols, (utc_time(first_us).date(), utc_time(last_us - 1).date())


def _reader(path: Path, history: Path | None) -> TickReader:
    options: dict[str, Any] = {} if history is None else {"history": history}
    return TickReader(path, **options)


def _closed(bars: pd.DataFrame, symbol: str, start: datetime, end: datetime) -> pd.Series:
    """Closes of the bars in which somebody traded, by their open in µs."""
    closed = bars.loc[bars.index != bars.attrs["forming"]] if "forming" in bars.attrs else bars
    traded = closed["close"][closed["coverage"].eq("traded")]
    if traded.empty:
        raise ResearchError(
            f"{symbol} has no closed bar from {start:%Y-%m-%d} to {end:%Y-%m-%d}: leave it out, "
            "or fetch its history"
        )
    index = pd.DatetimeIndex(traded.index).as_unit("us").asi8
    return pd.Series(traded.to_numpy(dtype=np.float64), index=index)


def _on_grid(closes: pd.Series, grid: Grid) -> np.ndarray:
    values = np.full(grid.bars, np.nan)
    places = (closes.index.to_numpy(dtype=np.int64) - grid.start_us) // grid.step_us
    values[places] = closes.to_numpy()
    return values
