"""What comes over REST, gathered and written to the lake every few thousand rows."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from ingest.binance import Kline
from ingest.history.columns import by_days, columns_of, joined
from ingest.history.days import DAY_S, day_of, day_second
from ingest.history.jobs import JobProgress
from ingest.store import (
    SECOND_US,
    STORED_ROW,
    UNITS,
    IdRange,
    LakeStream,
    Spans,
    without,
    without_spans,
)
from ingest.store.lake import Lake, LakeWriter, Source, TradeColumns
from ingest.tick import Event, Market, NonTrade

LEAST_ROWS = 5_000  # a kill costs about so many, that are asked for again
MOST_ROWS: Final = 400_000  # in memory at a time
_WRITING_SHARE: Final = 0.1  # of the time, at most: a day's file is written whole each time
WAIT_FOR_WRITER_S: Final = 120.0  # another import, or what moves old trades out of the database
_SAFE_UNITS: Final = float(2**51)  # below it a double times 1e8 is within half a unit of the truth


class WriteSchedule:
    """When what was gathered is to be written.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended_s, self._took_s = clock(), 0.0

    def is_due(self, rows: int) -> bool:
        """Whether so many rows are enough by now."""
        rested_s = self._clock() - self._ended_s
        is_time = rested_s * _WRITING_SHARE >= self._took_s * (1 - _WRITING_SHARE)
        return rows >= MOST_ROWS or (rows >= LEAST_ROWS and is_time)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure what a write takes."""
        begun_s = self._clock()
        yield
        self._ended_s = self._clock()
        self._took_s = self._ended_s - begun_s


class KlineKeeper:
    """Keeps klines of one symbol and length.

    Parameters
    ----------
    root
        The lake's folder. It is locked only while something is written.
    market, symbol, length_s
        Whose, and how long each.
    name
        The exchange's name of the length.
    progress
        Is told of conflicts.
    venue
        The exchange that is asked; empty where nobody knows.
    """

    def __init__(
        self, root: Path, market: Market, symbol: str, length_s: int, name: str,
        progress: JobProgress, venue: str = "",
    ) -> None:  # fmt: skip
        self.symbol, self.name, self.length_s = symbol, name, length_s
        self._root, self._market, self._venue = root, market, venue
        self._source = Source("rest", f"klines {name}")
        self._progress = progress
        self._schedule = WriteSchedule()
        self._rows: list[tuple[float, ...]] = []

    def known(self, low: int, high: int) -> Spans:
        """Seconds that the lake tells of in this length, by trades or klines."""
        pieces = Lake(self._root).pieces(LakeStream(self._market, self.symbol, "aggTrade"))
        return pieces.known(self.length_s, low, high) if self._is_kept(pieces.lengths()) else []

    def add(self, klines: Iterable[Kline]) -> None:
        """Take klines; they are written when it is time."""
        self._rows += [
            (
                *(bar.open_us // SECOND_US, bar.open, bar.high, bar.low, bar.close),
                *(_units(bar.volume), bar.trades),
            )
            for bar in klines
        ]
        if self._schedule.is_due(len(self._rows)):
            self.write()

    def write(self) -> None:
        """Write what was taken; raises `LakeError`."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        table = np.array(rows, STORED_ROW)
        with self._schedule.writing(), _writer(self._root, self._venue) as writer:
            report = writer.put_klines(
                self._market, self.symbol, self.length_s, table, self._source
            )
        if report.conflicts:
            self._progress.note(
                f"{self.symbol}: {len(report.conflicts):,} bars of {self.name} were held with other"
                " figures: the first ones were kept"
            )
        if report.unfit:
            self._progress.note(
                f"{self.symbol}: {report.unfit:,} bars of {self.name} were left out: their volume"
                " is too large to be kept without loss"
            )

    def _is_kept(self, lengths: Sequence[int]) -> bool:
        return self.length_s in lengths


class TradeKeeper:
    """Keeps trades of one stream, by UTC day.

    Parameters
    ----------
    root
        The lake's folder. It is locked only while something is written.
    stream
        Whose.
    progress
        Is told of conflicts.
    venue
        The exchange that is asked; empty where nobody knows.
    """

    def __init__(
        self, root: Path, stream: LakeStream, progress: JobProgress, venue: str = ""
    ) -> None:
        self.stream = stream
        self._root, self._progress, self._venue = root, progress, venue
        self._schedule = WriteSchedule()
        self._pages: list[TradeColumns] = []
        self._count = 0
        self._stale_months: set[date] = set()

    def unknown_days(self, first: date, last: date) -> list[date]:
        """Days, both ends included, of which the lake's trades do not tell all seconds."""
        low, high = day_second(first), day_second(last) + DAY_S
        gaps = without_spans([(low, high)], Lake(self._root).traded(self.stream))
        numbers = {n for begin, end in gaps for n in range(begin // DAY_S, -(-end // DAY_S))}
        return [day_of(number * DAY_S) for number in sorted(numbers)]

    def missing(self, ids: IdRange, first: date, last: date) -> list[IdRange]:
        """Ids of a range, of trades of these days, that the lake does not hold, in order.

        The same ids at another time are those of before the exchange was reset.
        """
        low_us = (day_second(first) - DAY_S) * SECOND_US
        high_us = (day_second(last) + 2 * DAY_S) * SECOND_US
        spans = Lake(self._root).id_spans(self.stream)
        return without(
            ids,
            (
                IdRange(each.first_id, each.last_id)
                for each in spans
                if each.first_us < high_us and each.last_us >= low_us
            ),
        )

    def add(self, events: Sequence[Event]) -> None:
        """Take trades and ids that are none; they are written when it is time."""
        self._pages.append(columns_of(events))
        self._count += len(events)
        if self._schedule.is_due(self._count):
            self.write()

    def write(self, whole: date | None = None) -> None:
        """Write what was taken; `whole` is a day of which all is there now. Raises `LakeError`."""
        pages, self._pages, self._count = self._pages, [], 0
        by_day = dict(by_days(joined(pages)))
        if whole is not None:
            by_day.setdefault(whole, columns_of([]))
        if not by_day:
            return
        with self._schedule.writing(), _writer(self._root, self._venue) as writer:
            for day, trades in by_day.items():
                source = Source("rest", "aggTrades", whole_day=day == whole)
                report = writer.put_trades(self.stream, day, trades, source)
                self._stale_months.add(day.replace(day=1))
                self._say_conflicts(day, report.conflicts)

    def refresh_bars(self, before: date | None = None) -> None:
        """Make the bars of what was written, of the months before that of a day; None: of all."""
        months = {
            each for each in self._stale_months if before is None or each < before.replace(day=1)
        }
        if months:
            with _writer(self._root, self._venue) as writer:
                writer.refresh_bars(self.stream, sorted(months))
            self._stale_months -= months

    def _say_conflicts(self, day: date, conflicts: Sequence[int]) -> None:
        if conflicts:
            self._progress.note(
                f"{self.stream.symbol} {day}: {len(conflicts):,} trades were held with other"
                f" figures, as id {conflicts[0]}: the first ones were kept"
            )


def _writer(root: Path, venue: str) -> LakeWriter:
    return LakeWriter(root, wait_s=WAIT_FOR_WRITER_S, venue=venue)


def absent(stream: LakeStream, ids: Iterable[int], time_us: int) -> list[Event]:
    """Ids that the exchange does not have, as events that are no trades."""
    reason = "REST has answered from beyond: the exchange has no such id"
    return [
        NonTrade(stream.market, stream.symbol, stream.kind, number, time_us, time_us, reason)
        for number in ids
    ]


def _units(volume: float) -> int:
    """Units of 1e-8 of the printed decimal whose nearest double this is."""
    if volume * UNITS < _SAFE_UNITS:
        return round(volume * UNITS)
    units = int(Decimal(repr(volume)).scaleb(8).to_integral_value())
    return units if units < 2**63 else -1  # the lake leaves it out, and counts it
