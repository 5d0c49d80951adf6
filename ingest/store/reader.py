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
        names = {each.stream_id: each.symbol for each in self.series()}
        stored = self._connection.execute(
            "SELECT stream_id, first_id, last_id, from_id, to_id, max(0, to_id - from_id + 1),"
            " opened_after_us, opened_before_us, cause, state, reason, after_us, before_us FROM gap"
        ).fetchall()
        over = _OverGaps(self._connection)
        until = {each: readable_until(self._connection, each) for each in names}
        rows = self._holes()
        for *row, after_us, before_us in stored:
            ids, end = (row[3], row[4]), until.get(row[0], EVER_S[1])
            row[6:8] = self._neighbours(row[0], (*ids, *row[6:8]), end)
            span = self._neighbours(row[0], (*ids, after_us, before_us), end)
            rows.append((*row, over.klines_from_s(row[0], span) if row[9] in _LACKING else 0))
        columns = ["symbol", "first_id", "last_id", "from_id", "to_id", "missing", "after"]
        columns += ["before", "cause", "state", "reason", "klines_from_s"]
        frame = pd.DataFrame(rows, columns=columns)
        frame = frame.sort_values(["after", "first_id"], kind="stable", ignore_index=True)
        frame["symbol"] = frame["symbol"].map(names)
        for name in ("after", "before"):
            frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="us", utc=True)
        chosen = frame["symbol"].notna() if symbol is None else frame["symbol"] == symbol
        return frame[chosen].reset_index(drop=True)

    def _neighbours(
        self, stream_id: int, gap: tuple[int, int, int, int], until: int
    ) -> tuple[int, int]:
        if until == EVER_S[1]:
            return gap[2:]
        return between_readable(self._connection, stream_id, gap, until)

    def _holes(self) -> list[tuple[int | str, ...]]:
        """Rows of `gaps` for what is not known just before streams' first trades."""
        rows: list[tuple[int | str, ...]] = []
        for each in self.series():
            source = BarSource(self._connection, each.stream_id, 1)
            with one_transaction(self._connection):
                source.look()
                hole = source.hole()
            if hole is not None:
                ids = (0, 0, 0, 0, 0)
                rows.append(
                    (each.stream_id, *ids, *hole, BEFORE_FIRST_TRADE, "open", _HOLE_REASON, 0)
                )
        return rows

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

    def _id_range(self, stream_id: int, low_us: int, high_us: int) -> tuple[int, int]:
        row = self._connection.execute(
            "SELECT min(first_id), max(last_id) FROM bar_1s"
            " WHERE stream_id = ? AND second >= ? AND second <= ?",
            (stream_id, low_us // SECOND_US, high_us // SECOND_US),
        ).fetchone()
        return (0, -1) if row[0] is None else row

    def _read_ticks(
        self, stream_id: int, first_id: int, last_id: int, low_us: int, high_us: int
    ) -> list[tuple[int, int, float, float, int]]:
        return self._connection.execute(
            "SELECT time_us, trade_id,"
            " CASE typeof(price) WHEN 'integer' THEN price / 1e8 ELSE price END,"
            " CASE typeof(quantity) WHEN 'integer' THEN quantity / 1e8 ELSE quantity END,"
            " flags & 1 FROM tick WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
            " AND time_us >= ? AND time_us < ? ORDER BY time_us, trade_id",
            (stream_id, first_id, last_id, low_us, high_us),
        ).fetchall()

    def _read_non_trades(self, stream_id: int, first_id: int, last_id: int) -> list[int]:
        rows = self._connection.execute(
            "SELECT trade_id FROM non_trade WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
            " ORDER BY trade_id",
            (stream_id, first_id, last_id),
        )
        return [row[0] for row in rows]


class _OverGaps:
    """Looks from which length on bars over gaps are whole out of the exchange's own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sources: dict[int, list[BarSource]] = {}

    def klines_from_s(self, stream_id: int, gap: tuple[int, int]) -> int:
        """Seconds of the shortest such bar; 0 where none is."""
        if stream_id not in self._sources:
            lengths = BarSource(self._connection, stream_id, 1).kline_lengths()
            sources = [BarSource(self._connection, stream_id, length) for length in lengths]
            for source in sources:
                source.look()
            self._sources[stream_id] = sources
        whole = (each.seconds for each in self._sources[stream_id] if not each.left_of(gap))
        return next(whole, 0)


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


def _ticks_frame(symbol: str, rows: list[tuple[int, int, float, float, int]]) -> pd.DataFrame:
    times, ids, prices, quantities, makers = zip(*rows, strict=True) if rows else [()] * 5
    frame = pd.DataFrame(
        {
            "symbol": pd.Series([symbol] * len(rows), dtype="str"),
            "price": np.array(prices, dtype=np.float64),
            "quantity": np.array(quantities, dtype=np.float64),
            "trade_id": np.array(ids, dtype=np.int64),
            "buyer_is_maker": np.array(makers, dtype=bool),
        }
    )
    frame.index = time_index(np.array(times, dtype=np.int64))
    return frame
