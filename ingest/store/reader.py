"""Read-only views of the database: ticks, bars with coverage, and what is there. Any thread."""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from ingest.clock import now_us as wall_clock_us
from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, BarColumns, empty_bars, interval_seconds, time_index
from ingest.store.connecting import (
    EVER_S,
    Instant,
    bounds_us,
    one_transaction,
    open_for_reading,
    up,
    utc_time,
)
from ingest.store.future_rows import (
    NEWEST_FIRST,
    FutureRow,
    between_readable,
    find_future_rows,
    newest_first_bounds,
    readable_until,
)
from ingest.store.last_trade import LastTrade, read_last_trade
from ingest.store.window import add_kline_spans
from ingest.tick import Market, StreamKind

BEFORE_FIRST_TRADE = "before the first trade"
_LACKING = ("open", "expired")
_HOLE_REASON = "the exchange's own bars do not reach the first trade yet"


class Series(NamedTuple):
    """One recorded stream: what its ids belong to."""

    stream_id: int
    market: Market
    symbol: str
    stream: StreamKind
    revision: int
    last_us: int | None


class TickReader:
    """A read-only look at a Pairdesk database. Every call is one short transaction.

    Parameters
    ----------
    path
        The database file.
    market, stream
        Which recording to read where a symbol was recorded in several; by default the one that
        was written to last.

    Raises
    ------
    StoreError
        No such file, or not a Pairdesk database of this version.
    """

    def __init__(
        self, path: Path | str, *, market: Market | None = None, stream: StreamKind | None = None
    ) -> None:
        self.path = Path(path)
        self._market, self._stream = market, stream
        self._connection = open_for_reading(self.path)

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._connection.close()

    def series(self) -> list[Series]:
        """Every stream that holds a trade, or the exchange's bars before one; newest first."""
        rows = self._connection.execute(
            "SELECT stream_id, market, symbol, kind, revision, last_us FROM stream AS s"  # noqa: S608
            " WHERE EXISTS (SELECT 1 FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
            " OR EXISTS (SELECT 1 FROM kline AS k WHERE k.stream_id = s.stream_id)"
            f"{NEWEST_FIRST}",
            newest_first_bounds(),
        ).fetchall()
        series = [Series(*row) for row in rows]
        return [
            each
            for each in series
            if self._market in (None, each.market) and self._stream in (None, each.stream)
        ]

    def symbols(self) -> list[str]:
        """Symbols with at least one stored trade, in alphabetical order."""
        return sorted({each.symbol for each in self.series()})

    def setting(self, key: str) -> str | None:
        """What the recorder remembers under a key, or None."""
        row = self._connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def revision(self, symbol: str) -> int:
        """A number that grows with every commit that touches the symbol; 0 if it is unknown."""
        series = self._find(symbol)
        return series.revision if series else 0

    def span(self, symbol: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Times of the first and the last stored trade, UTC; None if there is none."""
        series = self._find(symbol)
        if series is None:
            return None
        with one_transaction(self._connection):
            source = BarSource(self._connection, series.stream_id, 1)
            source.look()
            last = read_last_trade(self._connection, series.stream_id, source.end)
        return (
            None
            if source.first_us is None or last is None
            else (utc_time(source.first_us), utc_time(last.time_us))
        )

    def begins_us(self, symbol: str, length_s: int) -> int | None:
        """Where what is stored of a symbol begins: its first kline of a length, or first trade."""
        series = self._find(symbol)
        if series is None:
            return None
        with one_transaction(self._connection):
            source = BarSource(self._connection, series.stream_id, length_s)
            source.look()
            kline_us = source.first_kline_us(length_s)
        known = [each for each in (kline_us, source.first_us) if each is not None]
        return min(known, default=None)

    def last_trade(self, symbol: str) -> LastTrade | None:
        """The newest stored trade by trade time; None if there is none."""
        series = self._find(symbol)
        if series is None:
            return None
        with one_transaction(self._connection):
            until = readable_until(self._connection, series.stream_id)
            return read_last_trade(self._connection, series.stream_id, until)

    def future_rows(self) -> dict[str, list[FutureRow]]:
        """Stored trades dated far in the future, by symbol: no bar and no last trade has them."""
        now_us = wall_clock_us()
        by_symbol: dict[str, list[FutureRow]] = {}
        for each in self.series():
            if rows := find_future_rows(self._connection, each.stream_id, now_us):
                by_symbol.setdefault(each.symbol, []).extend(rows)
        return by_symbol

    def ticks(self, symbol: str, start: Instant = None, end: Instant = None) -> pd.DataFrame:
        """Trades of one symbol with ``start <= time < end``, as a ticks frame.

        Parameters
        ----------
        symbol
            Upper case.
        start, end
            Instants: aware, or naive and taken as UTC, or integer microseconds. None: no bound.

        Returns
        -------
        DataFrame
            Index ``time`` (UTC, µs); columns symbol, price, quantity, trade_id, buyer_is_maker; in
            order of time, then id. ``attrs["non_trade_ids"]`` has the ids that are no trades.
            Empty where nothing is stored.
        """
        series = self._find(symbol)
        low_us, high_us = bounds_us(start, end)
        rows: list[tuple[int, int, float, float, int]] = []
        if series is not None:
            with one_transaction(self._connection):
                first_id, last_id = self._id_range(series.stream_id, low_us, high_us)
                rows = self._read_ticks(series.stream_id, first_id, last_id, low_us, high_us)
                others = self._read_non_trades(series.stream_id, first_id, last_id)
            frame = _ticks_frame(symbol, rows)
            frame.attrs["non_trade_ids"] = {symbol: others}
            return frame
        return _ticks_frame(symbol, rows)

    def bars(
        self, symbol: str, interval: str, start: Instant = None, end: Instant = None
    ) -> pd.DataFrame:
        """Bars of one symbol whose open lies in ``start <= open < end``, as a bars frame.

        From the one-second bars the recorder keeps, so the cost is that of the span asked for. The
        same, to the bit, as `analytics.bars.resample_ticks` over the stored trades.

        Parameters
        ----------
        symbol
            Upper case.
        interval
            ``1s 5s 15s 30s 1min 5min 15min 1h`` (or 1S, 1T and so on).
        start, end
            As in `ticks`; `start` is moved down to the bar that holds it.

        Returns
        -------
        DataFrame
            Index ``time`` = bar open (UTC, µs), every bar from the first traded one to the last;
            open, high, low, close, volume, trades, coverage. ``missing`` bars are NaN: an open or
            given-up gap of the ledger covers their end. Before the first stored trade the
            exchange's own bars stand where they were fetched, of whatever length divides the
            interval's, and ``attrs["klines_until"]`` is where they end; a bar of which they and
            the trades do not know all is missing. So they do in gaps of the trades:
            ``attrs["kline_spans"]`` has (start, end) of the bars made of them there.
            ``attrs["forming"]`` is the open time of the bar that holds the newest trade: nothing
            proves it closed.
        """
        seconds = interval_seconds(interval)
        series = self._find(symbol)
        if series is None:
            return empty_bars()
        low_us, high_us = bounds_us(start, end)
        low = (low_us // SECOND_US) // seconds * seconds
        high = up(up(high_us, SECOND_US) // SECOND_US, seconds)
        source = BarSource(self._connection, series.stream_id, seconds)
        with one_transaction(self._connection):
            source.look()
            columns = source.grid(low, high, source.gaps(low))
        return bars_frame(columns, source.forming, source.until)

    def gaps(self, symbol: str | None = None) -> pd.DataFrame:
        """The ledger of gaps, of one symbol or of all, oldest first.

        Returns
        -------
        DataFrame
            A row a gap: symbol, first_id and last_id (as it opened), from_id and to_id (still
            missing), missing (ids), after and before (its time span as it opened, UTC), cause,
            state (open, filled, absent, expired), reason. A stretch between the exchange's own bars
            and the first stored trade that neither knows is a row too, open, of cause
            `BEFORE_FIRST_TRADE`: how many ids it has is not known, so they are 0. `klines_from_s`
            is the shortest bar, in seconds, from which on bars over the gap are whole all the same
            out of the exchange's own; 0 where none is.
        """
        series = self.series()
        sides = {each.stream_id: self._side(each) for each in series}
        names = {each.stream_id: each.symbol for each in series}
        return gap_table(self._connection, names, sides, symbol)

    def quarantine(self, limit: int = 100) -> pd.DataFrame:
        """The newest frames that were no known message: received (UTC), reason, excerpt."""
        rows = self._connection.execute(
            "SELECT received_us, reason, excerpt FROM quarantine ORDER BY number DESC LIMIT ?",
            (limit,),
        ).fetchall()
        frame = pd.DataFrame(rows, columns=["received", "reason", "excerpt"])
        frame["received"] = pd.to_datetime(frame["received"].astype("int64"), unit="us", utc=True)
        return frame

    def _find(self, symbol: str) -> Series | None:
        return next((each for each in self.series() if each.symbol == symbol), None)

def bars_frame(columns: BarColumns, newest: int | None, until: int | None) -> pd.DataFrame:
    """Make a bars frame, with what its ``attrs`` say of the forming bar and of klines.

    Parameters
    ----------
    columns
        The bars.
    newest
        Second of the stream's newest trade; None without any.
    until
        Second at which the exchange's own bars end; None where there are none.
    """
    bars = columns.frame()
    if not len(columns):
        return bars
    forming = (
        None
        if newest is None
        else utc_time(newest // columns.seconds * columns.seconds * SECOND_US)
    )
    if bars.index[-1] == forming:
        bars.attrs["forming"] = forming
    if until is not None and until > columns.first * columns.seconds:
        bars.attrs["klines_until"] = utc_time(until * SECOND_US)
    add_kline_spans(bars, columns)
    return bars
