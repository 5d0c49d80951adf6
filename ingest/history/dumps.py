"""Binance's dumps of a day or a month, as data.binance.vision publishes them, into the lake."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from ingest.errors import FileError, LakeError
from ingest.history.dump_bars import put_kline_dump
from ingest.history.dump_form import DumpForm, DumpName, find_form, parse_name
from ingest.history.dump_rows import RowReader, Rows
from ingest.history.dump_text import Block, ahead, blocks, checksum_of, open_dump
from ingest.store import LakeStream
from ingest.store.lake import DayReport, LakeWriter, Source, TradeColumns, joined, kline_kind, taken
from ingest.tick import Market, StreamKind
from ingest.venue import MAIN

_DAY_US: Final = 86_400_000_000
_LATE_US: Final = 60_000_000  # so late after midnight no trade of the day before comes any more
_SHOWN: Final = 5
_EVERY_S: Final = 0.2
_BLOCKS_OF_A_DAY: Final = 16  # of a busy symbol: read while the day before is written
_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class DumpProgress:
    """How far an import is: bytes of text read of those there are, rows, and the day at work."""

    done: int
    total: int
    rows: int
    day: date | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    name, market, symbol, kind
        The file's name and what it holds; `kind` is ``aggTrade``, ``trade``, ``kline_1min`` ….
    rows
        Rows of the file.
    added, same
        Of these the new ones, and those that were held already.
    conflicts
        How many were held with other figures (the first one is kept); `shown` are the first few
        ids, or opens of klines in seconds.
    non_trades
        Ids that are no trades (price 0).
    gaps
        Holes in the ids of the file, or in its klines.
    first, last
        Days it touches; None without a row.
    checked
        Whether a ``.CHECKSUM`` file lay beside it, and agreed.
    notes
        What else there is to say, a line each.
    """

    name: str
    market: Market
    symbol: str
    kind: str
    rows: int
    added: int
    same: int
    conflicts: int
    shown: tuple[int, ...]
    non_trades: int
    gaps: int
    first: date | None
    last: date | None
    checked: bool
    notes: tuple[str, ...] = ()


def is_dump(path: Path) -> bool:
    """Whether a file's name is that of a dump: ``BTCUSDT-aggTrades-2024-10-27.zip`` and the like.

    By the name alone, zip or csv; a ``.CHECKSUM`` file is none.
    """
    with suppress(FileError):
        return parse_name(path) is not None
    return True


def import_dump(
    lake_root: Path,
    path: Path,
    progress: Callable[[DumpProgress], None] = lambda _: None,
    *,
    wait_s: float = 0.0,
) -> ImportReport:
    """Import one dump: a day or a month of aggTrades, trades or klines, spot or USD-M.

    In bounded memory; each day is written when it ends, so importing again after a kill completes
    it. What is held already stays as it is. `progress` is called a few times a second, in the
    caller's thread; an exception that it raises ends the import between two days (cancel). `wait_s`
    is how long to wait for another writer of the lake to end.

    Raises
    ------
    FileError
        The name or the columns are not a dump's, or its checksum differs: nothing is written. Or a
        line in the middle cannot be read: days before it are kept, and it is said.
    LakeError
        Another process writes to the lake, or the disk is full.
    """
    name = parse_name(path)
    if name is None:
        raise FileError(
            f"{path.name} is not named as a dump (BTCUSDT-aggTrades-2024-10-27.zip): give it the"
            " exchange's name, or import it as a file of trades"
        )
    checksum, checked = checksum_of(path)
    with open_dump(path) as dump, LakeWriter(lake_root, wait_s=wait_s, venue=MAIN) as writer:
        texts = blocks(dump)
        first = next(texts, None)
        if first is None:
            raise FileError(f"{path.name} is empty: fetch it again")
        form = find_form(path, name, first.text.partition(b"\n")[0])
        tally = _Tally(name, form, checksum, checked, progress, dump.size)
        rows = ahead(RowReader(name, form).read(ahead(_again(first, texts))), _BLOCKS_OF_A_DAY)
        with closing(rows):
            if name.kind == "kline":
                _import_klines(writer, tally, rows)
            else:
                _import_trades(writer, tally, rows)
    return tally.report()


def _stream_kind(name: DumpName) -> StreamKind:
    return "aggTrade" if name.kind == "aggTrade" else "trade"


def _again(first: Block, rest: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from rest


def _import_trades(writer: LakeWriter, tally: "_Tally", rows: Iterator[Rows]) -> None:
    stream = LakeStream(tally.form.market, tally.name.symbol, _stream_kind(tally.name))
    days = _Days()
    try:
        for block in rows:
            if block.trades is not None:
                days.add(block.trades)
            for day in days.ended(int(block.times_us.min())):
                _put(writer, stream, tally, days, day)
            tally.rows += block.times_us.size
            tally.tell(block.done)
        for day in days.ended(None):
            _put(writer, stream, tally, days, day)
            tally.tell(tally.done)
    except Exception:
        with suppress(LakeError):  # what is held is read the slower way without them
            writer.refresh_bars(stream, tally.days)
        raise
    writer.refresh_bars(stream, tally.days)


def _put(
    writer: LakeWriter, stream: LakeStream, tally: "_Tally", days: "_Days", number: int
) -> None:
    day, trades = date.fromordinal(number + _EPOCH), days.take(number)
    source = tally.source(is_whole=tally.name.first <= day <= tally.name.last)
    tally.count_trades(trades)
    tally.count(writer.put_trades(stream, day, trades, source))
    tally.days.append(day)


def _import_klines(writer: LakeWriter, tally: "_Tally", rows: Iterator[Rows]) -> None:
    klines, report = put_kline_dump(
        writer, tally.form.market, tally.name, tally.watched(rows), tally.source(is_whole=False)
    )
    tally.rows = klines.size
    tally.added, tally.same = report.added, report.same
    tally.conflicts.extend(report.conflicts)
    if klines.size:
        opens = np.sort(klines["at"])
        tally.gaps = int((np.diff(opens) > tally.name.length_s).sum())
        ends = (int(opens[0]) // 86_400, int(opens[-1]) // 86_400)
        tally.days = [date.fromordinal(each + _EPOCH) for each in ends]
    if report.unfit:
        tally.notes.append(
            f"{report.unfit:,} klines were left out: their volume is beyond what a bar can hold"
        )


class _Days:
    """Trades of days that have not ended, block by block."""

    def __init__(self) -> None:
        self._parts: dict[int, list[TradeColumns]] = {}

    def add(self, trades: TradeColumns) -> None:
        """Add a block's."""
        days = trades.time_us // _DAY_US
        for day in np.unique(days).tolist() if days[0] != days[-1] else [int(days[0])]:
            own = days == day
            part = trades if own.all() else taken(trades, own)
            self._parts.setdefault(day, []).append(part)
            if own.all():
                return

    def ended(self, now_us: int | None) -> list[int]:
        """Days to which no more trades come, those being at `now_us`; all where it is None."""
        return sorted(
            day for day in self._parts if now_us is None or (day + 1) * _DAY_US + _LATE_US <= now_us
        )

    def take(self, day: int) -> TradeColumns:
        """Take the trades of a day out."""
        return joined(self._parts.pop(day))


@dataclass(slots=True)
class _Tally:
    """What an import did so far."""

    name: DumpName
    form: DumpForm
    checksum: str
    checked: bool
    progress: Callable[[DumpProgress], None]
    size: int
    rows: int = 0
    done: int = 0
    added: int = 0
    same: int = 0
    conflicts: list[int] = field(default_factory=list)
    non_trades: int = 0
    gaps: int = 0
    days: list[date] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    last_id: int | None = None
    reported_s: float = float("-inf")

    def source(self, *, is_whole: bool) -> Source:
        """Say where its rows come from."""
        return Source("dump", self.name.name, self.checksum, is_whole)

    def count(self, report: DayReport) -> None:
        """Add what became of a day."""
        self.added += report.added
        self.same += report.same
        self.conflicts.extend(report.conflicts)

    def count_trades(self, trades: TradeColumns) -> None:
        """Count holes in the ids, and ids that are no trades."""
        ids = np.sort(trades.trade_id)
        self.gaps += int((np.diff(ids) > 1).sum())
        self.gaps += self.last_id is not None and int(ids[0]) > self.last_id + 1
        self.last_id = int(ids[-1])
        self.non_trades += int(((trades.price == 0) | (trades.quantity == 0)).sum())

    def watched(self, rows: Iterator[Rows]) -> Iterator[Rows]:
        """The same rows, with the progress told."""
        for each in rows:
            self.rows += each.times_us.size
            self.tell(each.done)
            yield each

    def tell(self, done: int) -> None:
        """Tell the progress, some times a second."""
        self.done = done
        now_s = time.monotonic()
        if now_s - self.reported_s >= _EVERY_S:
            self.reported_s = now_s
            last = self.days[-1] if self.days else None
            self.progress(DumpProgress(done, self.size, self.rows, last))

    def report(self) -> ImportReport:
        """What it did in all."""
        self.reported_s = float("-inf")
        self.tell(self.size)
        if not self.checked:
            self.notes.append(
                f"no {self.name.name}.CHECKSUM lay beside it: its content was not checked"
            )
        if self.form.is_guessed:
            self.notes.append(
                "taken as spot: neither a header nor its folder says which market it is of"
            )
        is_kline = self.name.kind == "kline"
        return ImportReport(
            self.name.name,
            self.form.market,
            self.name.symbol,
            kline_kind(self.name.length_s) if is_kline else self.name.kind,
            self.rows,
            self.added,
            self.same,
            len(self.conflicts),
            tuple(self.conflicts[:_SHOWN]),
            self.non_trades,
            self.gaps,
            min(self.days, default=None),
            max(self.days, default=None),
            self.checked,
            tuple(self.notes),
        )
