"""The closes that a scan is made of: from the database, from a file of closes, from tick files."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analytics.frames import bar_times_us, parse_interval, utc_index
from analytics.scanner import coarser_closes
from ingest.store import SECOND_US, TRADED, BarColumns, identity
from pages.ui.desk import many_symbols
from pages.ui.desk.file_choice import TickFile
from pages.ui.scanner.settings import ScanSettings, live_title
from pages.ui.state.once import Once


@dataclass(frozen=True, eq=False)
class ScanMaterial:
    """Closes of many symbols on one grid, and what identifies them.

    Attributes
    ----------
    name
        Where they are from, in words.
    key
        Changes whenever the closes do.
    closes
        A column a symbol, NaN where missing.
    traded, quote_volume
        Of the same shape; None where only closes are known.
    is_live
        Whether a later bar may still come.
    is_synthetic
        Made by a script.
    """

    name: str
    key: Hashable
    closes: pd.DataFrame
    traded: pd.DataFrame | None = None
    quote_volume: pd.DataFrame | None = None
    is_live: bool = False
    is_synthetic: bool = False

    @property
    def last_bar(self) -> pd.Timestamp:
        """Open of the last bar."""
        return pd.Timestamp(self.closes.index[-1])


_live: Final[Once[ScanMaterial]] = Once(4, most_a_line=1)


def live_material(path: Path, settings: ScanSettings, newest_us: int) -> ScanMaterial:
    """Return the closed bars of all symbols, looked for once for each bar that closes.

    One copy for all sessions: of hundreds of symbols it takes a megabyte, and Streamlit keeps
    closed sessions for a while.
    """
    line = (str(path), identity(path), settings)  # another file may have come there
    return _live.get((*line, newest_us), lambda: of_database(path, settings, newest_us), line=line)


def newest_bar_us(path: Path, settings: ScanSettings) -> int | None:
    """Return the open of the bar that holds the newest trade of any symbol; it is still forming.

    Of a sample that ends earlier, the bar after its last.
    """
    if settings.until is not None:
        bar_us = parse_interval(settings.interval).us
        return settings.until * SECOND_US // bar_us * bar_us
    newest_us = many_symbols.newest_trade_us(path, settings.symbols)
    bar_us = parse_interval(settings.interval).us
    return None if newest_us is None else newest_us // bar_us * bar_us


def of_database(path: Path, settings: ScanSettings, newest_us: int) -> ScanMaterial:
    """Take the closed bars of all symbols, back from the bar still forming."""
    length_s = settings.most_s if settings.length_s is None else settings.length_s
    start_s = max(newest_us // SECOND_US - length_s, 0)
    views = many_symbols.bar_views(path, settings.symbols, settings.interval, start_s)
    states = tuple((view.key, int(view.forming.trades.sum())) for view in views.values())
    bar = newest_us // parse_interval(settings.interval).us
    columns = {symbol: view.before(bar) for symbol, view in views.items()}
    recorded = {symbol: bars for symbol, bars in columns.items() if len(bars)}
    return _of_columns((str(path), newest_us, settings, states), recorded)


def _of_columns(key: Hashable, bars_by_symbol: Mapping[str, BarColumns]) -> ScanMaterial:
    """Lay recorded bars beside each other on one grid."""
    grid, rows = many_symbols.common_grid(bars_by_symbol)
    closes, volumes = np.full((2, len(grid), len(rows)), np.nan)
    traded = np.zeros((len(grid), len(rows)), dtype=np.bool_)
    for column, (symbol, bars) in enumerate(bars_by_symbol.items()):
        closes[rows[symbol], column] = bars.close
        volumes[rows[symbol], column] = bars.close * bars.volume
        traded[rows[symbol], column] = bars.coverage == TRADED

    def framed(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=grid, columns=list(bars_by_symbol), copy=False)

    return ScanMaterial(
        live_title(), key, framed(closes), framed(traded), framed(volumes), is_live=True
    )


def of_closes(
    name: str, content: Hashable, closes: pd.DataFrame, settings: ScanSettings
) -> ScanMaterial:
    """Take a file's closes in bars of the chosen interval."""
    chosen = closes[[each for each in closes.columns if str(each) in settings.symbols]]
    coarser = _inside(coarser_closes(chosen, settings.interval), settings)
    return ScanMaterial(name, (content, settings), coarser)


def of_ticks(files: Sequence[TickFile], settings: ScanSettings) -> ScanMaterial:
    """Resample the ticks of all files together; a symbol may go on from file to file."""
    content = tuple(file.content for file in files)
    bars = {
        symbol: many_symbols.bars_of_files(files, content, symbol, settings.interval)
        for symbol in settings.symbols
    }
    name = ", ".join(file.name for file in files)
    synthetic = all(file.is_synthetic for file in files)
    whole = _of_bars(name, (content, settings), bars, is_synthetic=synthetic)
    if settings.length_s is None:
        return whole
    parts = (whole.closes, whole.traded, whole.quote_volume)
    cut = [None if part is None else _inside(part, settings) for part in parts]
    closes = whole.closes if cut[0] is None else cut[0]
    return ScanMaterial(whole.name, whole.key, closes, cut[1], cut[2], is_synthetic=synthetic)


def _of_bars(
    name: str,
    key: Hashable,
    bars: Mapping[str, pd.DataFrame],
    *,
    is_synthetic: bool = False,
) -> ScanMaterial:
    """Lay bars frames beside each other on one grid."""
    non_empty = {symbol: frame for symbol, frame in bars.items() if len(frame)}
    grid = _grid(list(non_empty.values()))
    columns = {symbol: frame.reindex(grid) for symbol, frame in non_empty.items()}
    closes = {symbol: frame["close"] for symbol, frame in columns.items()}
    traded = {symbol: frame["coverage"] == "traded" for symbol, frame in columns.items()}
    volume = {symbol: frame["close"] * frame["volume"] for symbol, frame in columns.items()}
    return ScanMaterial(
        name,
        key,
        pd.DataFrame(closes, index=grid),
        pd.DataFrame(traded, index=grid),
        pd.DataFrame(volume, index=grid),
        is_synthetic=is_synthetic,
    )


def _grid(frames: Sequence[pd.DataFrame]) -> pd.DatetimeIndex:
    """Every bar from the first of any frame to the last."""
    many = [bar_times_us(frame.index) for frame in frames]
    step = next((int(times[1] - times[0]) for times in many if times.size > 1), None)
    if step is None:
        return utc_index(np.unique(np.concatenate([np.empty(0, dtype=np.int64), *many])))
    first, last = min(times[0] for times in many), max(times[-1] for times in many)
    return utc_index(np.arange(first, last + step, step, dtype=np.int64))


def _inside(frame: pd.DataFrame, settings: ScanSettings) -> pd.DataFrame:
    """Cut to the sample: back from the last bar, or from where it ends."""
    length_s = settings.length_s
    if settings.until is not None:
        frame = frame.loc[frame.index < pd.Timestamp(settings.until, unit="s", tz="UTC")]
    if length_s is None or frame.empty:
        return frame
    recent: pd.DataFrame = frame.loc[frame.index > frame.index[-1] - pd.Timedelta(seconds=length_s)]
    return recent
