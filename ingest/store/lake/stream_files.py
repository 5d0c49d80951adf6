"""All files of one stream, and what they know together."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingest.store.bars import Spans, StoredRows, without_spans
from ingest.store.lake.index import FolderIndex, LakeFile, folder_index
from ingest.store.lake.known import (
    HeldDay,
    Known,
    known_seconds,
    merged_spans,
    only_in,
    whole_pieces,
)
from ingest.store.lake.parquet import read_bars, read_trades
from ingest.store.lake.places import (
    BAR_LENGTHS,
    DAY_S,
    bars_kind,
    day_seconds,
    folder_of,
    kline_kind,
    kline_length,
    period_seconds,
)
from ingest.store.lake.trade_bars import MadeBars, bars_of_trades
from ingest.store.pieces import LakeStream

_SECOND: Final = BAR_LENGTHS[0]


@dataclass(frozen=True, slots=True)
class TradeFiles:
    """Trades of a stream and their bars, as one look found them.

    Attributes
    ----------
    days
        Files of trades by day.
    bars
        Files of bars, by length and period: of a day for one second, else of a month.
    """

    days: dict[str, LakeFile]
    bars: dict[int, dict[str, LakeFile]]

    def held_days(self) -> list[HeldDay]:
        """What the ids of each day prove, in order."""
        return [
            HeldDay(day_seconds(day)[0] // DAY_S, file.footer.ids, file.footer.whole_day)
            for day, file in self.days.items()
        ]

    def known(self, length: int, seconds: Spans) -> Spans:
        """Of the seconds that the trades know, those that bars of a length tell of."""
        bars = self.bars[length]
        if length != _SECOND:
            made = [day_seconds(day) for day in self.days if self.is_made(length, day)]
            seconds = only_in(seconds, merged_spans(made))
        lacking = [
            (open_s, open_s + length) for file in bars.values() for open_s in file.footer.lacking
        ]
        return without_spans(whole_pieces(seconds, length), lacking)

    def is_made(self, length: int, day: str) -> bool:
        """Whether there are bars of a day that are made of the very trades that are held."""
        file = self.bars[length].get(bars_period(length, day))
        fingerprint = self.days[day].footer.fingerprint
        return file is not None and file.footer.made_of.get(day) == fingerprint

    def second_bars(self, day: str) -> MadeBars:
        """One-second bars of a day: as they are kept, or of the trades where they are stale."""
        if self.is_made(_SECOND, day):
            file = self.bars[_SECOND][day]
            return MadeBars(read_bars(file.path), file.footer.lacking)
        return bars_of_trades(read_trades(self.days[day].path))

    def rows(self, length: int, low: int, high: int) -> Iterator[StoredRows]:
        """Bars that open in ``low … high``, file by file."""
        if length == _SECOND:
            for day in self.days:
                if touches(day, low, high):
                    yield self.second_bars(day).rows
            return
        for period, file in self.bars[length].items():
            if touches(period, low, high):
                yield read_bars(file.path, low, high)


class StreamFiles:
    """The files of one stream and of its symbol's klines. Any thread.

    What was found is kept until a folder changes: a refresh asks time and again.
    """

    def __init__(self, root: Path, stream: LakeStream) -> None:
        self._root, self._stream = root, stream
        self._lock = threading.Lock()
        self._versions: tuple[int, ...] = ()
        self._trades = TradeFiles({}, {length: {} for length in BAR_LENGTHS})
        self._seconds = Known([], [])
        self._known: dict[int, Known] = {}
        self._months = _Months()
        self._kinds_ns = -1
        self._folders: list[Path] = []

    def trades(self) -> TradeFiles:
        """Trades and their bars, as they are now."""
        with self._lock:
            return self._look()

    def known(self, length: int) -> tuple[TradeFiles, Known]:
        """Trades, and the seconds that their bars of a length tell of; edges for one second."""
        with self._lock:
            files = self._look()
            if length not in BAR_LENGTHS:
                return files, Known([], [])
            if length not in self._known:
                spans = files.known(length, self._seconds.spans)
                edges = files.known(length, self._seconds.edges) if length == _SECOND else []
                self._known[length] = Known(spans, edges)
            return files, self._known[length]

    def klines(self, length: int) -> dict[str, LakeFile]:
        """Files of klines of a length, by month."""
        folder = self._folder(kline_kind(length))
        return folder_index(folder).listing().by_period()

    def kline_lengths(self) -> list[int]:
        """Lengths of which there are klines, the finest first."""
        lengths = [kline_length(kind) for kind in self._kinds()]
        return sorted(each for each in lengths if each is not None and self.klines(each))

    def state(self) -> int:
        """Give a number that changes with the files: times of change of their folders.

        Who writes marks the folder above the months too, so that few need to be asked; all months
        are asked once a second, for what another program did.
        """
        kinds_ns = _changed_ns(self._root / self._stream.market)
        if kinds_ns != self._kinds_ns:  # a kind came or went: rarely
            self._folders = [self._folder(kind) for kind in self._kinds()]
            self._kinds_ns = kinds_ns
        folders = self._folders
        return hash((tuple(map(_changed_ns, folders)), self._months.state(folders)))

    def _kinds(self) -> list[str]:
        """Kinds of files that this stream may have."""
        own = {self._stream.kind, *(bars_kind(self._stream.kind, each) for each in BAR_LENGTHS)}
        return sorted(
            kind
            for kind in kinds_of(self._root, self._stream.market)
            if kind in own or kline_length(kind) is not None
        )

    def _look(self) -> TradeFiles:
        folders = [self._index(self._stream.kind)]
        folders += [self._index(bars_kind(self._stream.kind, each)) for each in BAR_LENGTHS]
        listings = [each.listing() for each in folders]
        versions = tuple(each.version for each in listings)
        if versions != self._versions:
            days, *bars = (each.by_period() for each in listings)
            self._trades = TradeFiles(days, dict(zip(BAR_LENGTHS, bars, strict=True)))
            self._seconds = known_seconds(self._trades.held_days())
            self._known = {}
            self._versions = versions
        return self._trades

    def _index(self, kind: str) -> FolderIndex:
        return folder_index(self._folder(kind))

    def _folder(self, kind: str) -> Path:
        return folder_of(self._root, self._stream.market, kind, self._stream.symbol)


@dataclass(slots=True)
class _Months:
    """Times of change of all months' folders, asked once a second."""

    asked_s: float = float("-inf")
    found: int = 0
    every_s: float = field(default=1.0)

    def state(self, folders: list[Path]) -> int:
        """Hash of what the folders have; another one means another content."""
        now_s = time.monotonic()
        if now_s - self.asked_s >= self.every_s:
            self.found = hash(tuple(_months_ns(folder) for folder in folders))
            self.asked_s = now_s
        return self.found


def kinds_of(root: Path, market: str) -> list[str]:
    """Names of a market's folders."""
    return folders_in(root / market)


def folders_in(folder: Path) -> list[str]:
    """Names of the folders in a folder, in order; none where it is not there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                each.name for each in entries if each.is_dir() and not each.name.startswith(".")
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def bars_period(length: int, day: str) -> str:
    """Period of the file that holds a day's bars of a length."""
    return day if length == _SECOND else day[: len("2024-10")]


def touches(period: str, low: int, high: int) -> bool:
    """Whether a day or month touches seconds ``low … high``."""
    begin, end = period_seconds(period)
    return begin < high and end > low


def _changed_ns(folder: Path) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - a third of the time of Path.stat
    except OSError:
        return 0


def _months_ns(folder: Path) -> tuple[int, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(each.stat().st_mtime_ns for each in entries if each.is_dir())
    except OSError:
        return ()


_streams: dict[tuple[Path, LakeStream], StreamFiles] = {}
_streams_lock = threading.Lock()


def stream_files(root: Path, stream: LakeStream) -> StreamFiles:
    """The files of a stream, as the whole process shares them."""
    with _streams_lock:
        files = _streams.get((root, stream))
        if files is None:
            files = _streams[root, stream] = StreamFiles(root, stream)
        return files
