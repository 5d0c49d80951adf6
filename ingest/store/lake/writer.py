"""The one who writes to the lake: days of trades with their bars, months of klines."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from filelock import FileLock, Timeout

from ingest.errors import LakeError
from ingest.store.bars import SECOND_US, StoredRows, runs
from ingest.store.lake.claims import claim
from ingest.store.lake.footer import FORM, Footer
from ingest.store.lake.holding import DayReport, MonthReport, Source, TradeColumns
from ingest.store.lake.index import LakeFile, folder_index
from ingest.store.lake.merging import clean_trades, id_spans_of, merge_klines, merge_trades
from ingest.store.lake.month_bars import refresh_months, write_second_bars
from ingest.store.lake.parquet import read_bars, read_trades, write_bars, write_trades
from ingest.store.lake.places import (
    BAR_LENGTHS,
    DAY_S,
    bars_kind,
    day_number,
    day_of,
    folder_of,
    kline_kind,
    kline_length,
    month_name,
    month_seconds,
    months_of,
)
from ingest.store.lake.stream_files import touches
from ingest.store.lake.trade_bars import bars_of_trades
from ingest.store.lake.whole_files import clear_unfinished, in_words, remove_file
from ingest.store.pieces import LakeStream
from ingest.tick import STREAM_KINDS, Market

_LOCK: Final = ".lock"
_MOST_UNITS: Final = 2**63 - 1


class LakeWriter:
    """Writes to a lake; as a context manager, closed at the end.

    Parameters
    ----------
    root
        The lake's folder; made where it is not there.
    wait_s
        How long to wait for another writer, in this process or another one, to end.
    venue
        The exchange of what is put; empty where nobody knows. The history of a market is of one.

    Raises
    ------
    LakeError
        Another writer is at it (one line), or the folder cannot be written to.
    """

    def __init__(self, root: Path | str, *, wait_s: float = 0.0, venue: str = "") -> None:
        self.root = Path(root)
        self._venue = venue
        self._touched: set[Path] = set()
        self._lock = _locked(self.root, wait_s)

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let others write; may be called twice."""
        if not self._lock.is_locked:
            return
        try:
            for folder in self._touched:
                with suppress(LakeError):  # it only saves time: the files are whole without it
                    folder_index(folder).save()
        finally:
            self._lock.release()

    def put_trades(
        self, stream: LakeStream, day: date, trades: TradeColumns, source: Source
    ) -> DayReport:
        """Add trades of one UTC day to what is stored of it, by id, and make its 1-s bars.

        Safe against a kill at any moment: the day's file is the old one or the new one. Nothing is
        written where nothing changes. The month's bars are made by `refresh_bars`.

        Raises
        ------
        LakeError
            A trade of another day, an id or time that cannot be, a disk that is full, or the
            history is another exchange's.
        """
        claim(self.root, stream.market, self._venue)
        low = day_number(day) * DAY_S
        given = clean_trades(trades, low * SECOND_US, (low + DAY_S) * SECOND_US)
        folder = folder_of(self.root, stream.market, stream.kind, stream.symbol)
        self._touched.add(folder)
        stored = _file_of(folder, str(day))
        before = None if stored is None else read_trades(stored.path)
        put = merge_trades(before, given)
        now = before if put.trades is None else put.trades
        if now is not None and (put.trades is not None or _is_first_whole(stored, source)):
            self._write_day(stream, day, now, _sources(stored, source))
        rows = 0 if now is None else len(now)
        return DayReport(rows, put.merged.new.size, put.merged.same, put.merged.conflicts)

    def put_klines(
        self, market: Market, symbol: str, length_s: int, rows: StoredRows, source: Source
    ) -> MonthReport:
        """Add klines, those without a trade too, to what is stored, by their open.

        Parameters
        ----------
        market, symbol, length_s
            Whose, and how long each: a divisor of a day.
        rows
            `STORED_ROW`, in any order; `at` a multiple of `length_s`. A volume that is not in
            ``0 … 2**63 - 2`` does not fit: that kline is left out and counted.

        Raises
        ------
        LakeError
            An open between two, a disk that is full, or the history is another exchange's.
        """
        claim(self.root, market, self._venue)
        folder = folder_of(self.root, market, kline_kind(length_s), symbol)
        self._touched.add(folder)
        if (rows["at"] % length_s).any():
            raise LakeError(f"a kline of {length_s} s opens at no multiple of its length")
        fit = rows[(rows["volume"] >= 0) & (rows["volume"] < _MOST_UNITS)]
        days = np.unique(fit["at"] // DAY_S) * DAY_S
        reports = [
            self._put_month(folder, month, length_s, fit, source)
            for month in sorted(months_of(day_of(int(day)) for day in days))
        ]
        return MonthReport(
            sum(each.rows for each in reports),
            sum(each.added for each in reports),
            sum(each.same for each in reports),
            tuple(open_s for each in reports for open_s in each.conflicts),
            rows.size - fit.size,
        )

    def refresh_bars(self, stream: LakeStream, months: Iterable[date] | None = None) -> None:
        """Make bars that are missing or stale again from the trades: 1 s, 1 min and 1 h.

        Day by day, in bounded memory. To be called at the end of what was put; until then days are
        read from finer bars, or from the trades themselves.

        Parameters
        ----------
        stream
            Whose.
        months
            Any day of each month to look at; None: all.
        """
        for length in BAR_LENGTHS:
            kind = bars_kind(stream.kind, length)
            self._touched.add(folder_of(self.root, stream.market, kind, stream.symbol))
        refresh_months(self.root, stream, None if months is None else months_of(months))

    def delete(self, market: Market, kind: str, symbol: str, from_day: date, to_day: date) -> int:
        """Delete days, both included: see `Lake.delete`."""
        low, high = day_number(from_day) * DAY_S, (day_number(to_day) + 1) * DAY_S
        folder = folder_of(self.root, market, kind, symbol)
        files = [each for each in _listing(folder) if touches(each.period, low, high)]
        length_s = kline_length(kind)
        if length_s is not None:
            return sum(self._cut_klines(each, length_s, low, high) for each in files)
        freed = sum(remove_file(each.path) for each in files)
        for stream_kind in STREAM_KINDS:
            if stream_kind == kind and files:
                stream = LakeStream(market, symbol, stream_kind)
                freed += self._delete_bars(stream, [each.period for each in files])
        return freed

    def _delete_bars(self, stream: LakeStream, days: list[str]) -> int:
        folder = folder_of(self.root, stream.market, bars_kind(stream.kind, 1), stream.symbol)
        freed = sum(remove_file(each.path) for each in _listing(folder) if each.period in days)
        self.refresh_bars(stream, map(date.fromisoformat, days))
        return freed

    def _cut_klines(self, file: LakeFile, length_s: int, low: int, high: int) -> int:
        """Leave a month's klines of some days out; gives the bytes that became free."""
        rows = read_bars(file.path)
        kept = rows[(rows["at"] < low) | (rows["at"] >= high)]
        if not kept.size:
            return remove_file(file.path)
        if kept.size == rows.size:
            return 0
        self._write_klines(file.path, kept, length_s, file.footer.sources)
        return file.size - file.path.stat().st_size

    def _put_month(
        self, folder: Path, month: str, length_s: int, given: StoredRows, source: Source
    ) -> MonthReport:
        low, high = month_seconds(month)
        part = given[(given["at"] >= low) & (given["at"] < high)]
        stored = _file_of(folder, month)
        rows, merged = merge_klines(None if stored is None else read_bars(stored.path), part)
        if rows is not None:
            path = folder / month / f"{month}.parquet"
            self._write_klines(path, rows, length_s, _sources(stored, source))
        count = rows.size if rows is not None else stored.footer.rows if stored is not None else 0
        return MonthReport(count, merged.new.size, merged.same, merged.conflicts)

    def _write_klines(
        self, path: Path, rows: StoredRows, length_s: int, sources: tuple[Source, ...]
    ) -> None:
        first, last = int(rows["at"][0]) * SECOND_US, int(rows["at"][-1]) * SECOND_US
        spans = tuple(runs(rows, length_s))
        self._prepare(path)
        write_bars(path, rows, Footer(FORM, rows.size, first, last, sources, spans=spans))

    def _write_day(
        self, stream: LakeStream, day: date, trades: TradeColumns, sources: tuple[Source, ...]
    ) -> None:
        folder = folder_of(self.root, stream.market, stream.kind, stream.symbol)
        path = folder / month_name(day) / f"{day}.parquet"
        fingerprint = _fingerprint(trades)
        footer = Footer(
            FORM,
            len(trades),
            int(trades.time_us.min()),
            int(trades.time_us.max()),
            sources,
            fingerprint,
            id_spans_of(trades),
        )
        self._prepare(path)
        write_trades(path, trades, footer)
        bars = bars_of_trades(trades)
        write_second_bars(self.root, stream, str(day), bars, fingerprint)

    def _prepare(self, path: Path) -> None:
        """Note a folder that is written to, and clear what a killed writer left in a month's."""
        self._touched.add(path.parent.parent)
        clear_unfinished(path.parent)


def _locked(root: Path, wait_s: float) -> FileLock:
    # Not of one thread: a job may be begun in one and ended in another.
    lock = FileLock(root / _LOCK, thread_local=False)
    with in_words(root):
        root.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=wait_s)
        except Timeout as error:
            raise LakeError(
                f"another import or fetch is writing to {root}: let it end, then do it again"
            ) from error
    return lock


def _listing(folder: Path) -> tuple[LakeFile, ...]:
    return folder_index(folder).listing().files


def _file_of(folder: Path, period: str) -> LakeFile | None:
    return folder_index(folder).listing().by_period().get(period)


def _sources(stored: LakeFile | None, source: Source) -> tuple[Source, ...]:
    before = () if stored is None else stored.footer.sources
    return before if source in before else (*before, source)


def _is_first_whole(stored: LakeFile | None, source: Source) -> bool:
    """Whether a source says, as the first one, that a day's rows are all of it."""
    return stored is not None and source.whole_day and not stored.footer.whole_day


def _fingerprint(trades: TradeColumns) -> str:
    """Fingerprint of the content, whatever the file that holds it."""
    digest = hashlib.blake2b(digest_size=16)
    for name in TradeColumns.__slots__:
        digest.update(np.ascontiguousarray(getattr(trades, name)).data)
    return digest.hexdigest()
