"""Read-only views of the database: ticks, bars with coverage, and what is there. Any thread."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pandas as pd

from ingest.clock import now_us as wall_clock_us
from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, BarColumns, empty_bars, interval_seconds
from ingest.store.connecting import (
    Instant,
    bounds_us,
    one_transaction,
    open_for_reading,
    open_nothing,
    up,
    utc_time,
)
from ingest.store.future_rows import (
    NEWEST_FIRST,
    FutureRow,
    find_future_rows,
    last_second,
    newest_first_bounds,
)
from ingest.store.last_trade import LastTrade
from ingest.store.pieces import LakeStream
from ingest.store.sources.bar_grid import grid
from ingest.store.sources.gap_table import BEFORE_FIRST_TRADE, gap_table
from ingest.store.sources.history import History
from ingest.store.sources.lake_side import LakeSide
from ingest.store.sources.newest_trades import newest_of
from ingest.store.sources.tick_rows import read_ticks, united
from ingest.store.window import add_kline_spans, add_sources
from ingest.tick import Market, StreamKind

__all__ = ["BEFORE_FIRST_TRADE", "Series", "TickReader", "bars_frame"]

# Of a symbol that only the lake has.
_NO_STREAM = 0


class Series(NamedTuple):
    """One recorded stream: what its ids belong to."""

    stream_id: int
    market: Market
    symbol: str
    stream: StreamKind
    revision: int
    last_us: int | None


class TickReader:
    """A read-only look at a Pairdesk database, and at a lake as one with it.

    Every call is one short transaction.

    Parameters
    ----------
    path
        The database file.
    market, stream
        Which recording to read where a symbol was recorded in several; by default the one that
        was written to last.
    history
        Folder of the lake: trades and bars of it stand before the database's first trade, in gaps,
        and after the newest one. Either of the two may be absent. None: the database alone.

    Raises
    ------
    StoreError
        No such file and no lake, or not a Pairdesk database of a version that can be read.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        market: Market | None = None,
        stream: StreamKind | None = None,
        history: Path | str | None = None,
    ) -> None:
        self.path = Path(path)
        self._market, self._stream = market, stream
        self._history = None if history is None else History(history)
        has_lake = self._history is not None and bool(self._history.streams(market, stream))
        is_absent = has_lake and not self.path.is_file()
        self._connection = open_nothing() if is_absent else open_for_reading(self.path)
        self._sides: dict[LakeStream, LakeSide] = {}
        self._stored: tuple[int, list[Series]] | None = None

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
        """Every stream that holds a trade, or the exchange's bars before one; newest first.

        Of what only the lake has `stream_id` and `revision` are 0.
        """
        stored = self._stored_series()
        if self._history is None:
            return stored
        known = {(each.market, each.symbol, each.stream) for each in stored}
        streams = self._history.streams(self._market, self._stream)
        return stored + [
            Series(_NO_STREAM, each.market, each.symbol, each.kind, 0, None)
            for each in streams
            if each not in known
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
        with one_transaction(self._connection):
            source = self._source(symbol, 1)
            if source is None:
                return None
            last = source.last_trade()
            firsts = [source.first_us, None if source.lake is None else source.lake.begins_us]
        first_us = min((each for each in firsts if each is not None), default=None)
        return (
            None
            if first_us is None or last is None
            else (utc_time(first_us), utc_time(last.time_us))
        )

    def begins_us(self, symbol: str, length_s: int) -> int | None:
        """Where what is stored of a symbol begins: its first kline of a length, or first trade.

        Of the lake the first bar of any length that divides it.
        """
        with one_transaction(self._connection):
            source = self._source(symbol, length_s)
            if source is None:
                return None
            known = [source.first_us, source.first_kline_us(length_s)]
            if source.lake is not None:
                firsts = [source.lake.first(each) for each in source.divisors]
                known += [each * SECOND_US for each in firsts if each is not None]
        return min((each for each in known if each is not None), default=None)

    def last_trade(self, symbol: str) -> LastTrade | None:
        """The newest stored trade by trade time; None if there is none.

        Where only the lake or klines have the symbol, or know more: the end of their last bar that
        traded.
        """
        with one_transaction(self._connection):
            source = self._source(symbol, 1)
            return None if source is None else source.last_trade()

    def newest_trade_us(self, symbols: Sequence[str]) -> int | None:
        """When the newest trade of any of the symbols was, µs; None without any. One look for all.

        Of a symbol recorded in bars only it is the end of the last one.
        """
        wanted = dict.fromkeys(symbols)
        stored = {e.symbol: e for e in reversed(self._stored_series()) if e.symbol in wanted}
        ids = [each.stream_id for each in stored.values()]
        with one_transaction(self._connection):
            newest = newest_of(self._connection, ids, last_second(wall_clock_us())) or 0
        for symbol in wanted if self._history is not None else ():
            series = stored.get(symbol) or self._find(symbol)
            # The lake may know a later one.
            if series is not None and self._ends_in_lake(series) > newest:
                trade = self.last_trade(symbol)
                newest = max(newest, 0 if trade is None else trade.time_us)
        return newest or None

    def future_rows(self) -> dict[str, list[FutureRow]]:
        """Stored trades dated far in the future, by symbol: no bar and no last trade has them."""
        now_us = wall_clock_us()
        by_symbol: dict[str, list[FutureRow]] = {}
        for each in self._stored_series():
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
        with one_transaction(self._connection):
            stream_id = _NO_STREAM if series is None else series.stream_id
            columns = read_ticks(self._connection, stream_id, low_us, high_us)
        if series is not None and self._history is not None:
            in_lake = self._history.lake.ticks(_lake_stream(series), low_us, high_us)
            columns = united(columns, in_lake)
        frame = columns.frame(symbol)
        if series is not None:
            frame.attrs["non_trade_ids"] = {symbol: columns.non_trades}
        return frame

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
            ``attrs["sources"]`` has (start, end, words) of who says what the bars hold.
            ``attrs["forming"]`` is the open time of the bar that holds the newest trade: nothing
            proves it closed.
        """
        seconds = interval_seconds(interval)
        low_us, high_us = bounds_us(start, end)
        low = (low_us // SECOND_US) // seconds * seconds
        high = up(up(high_us, SECOND_US) // SECOND_US, seconds)
        with one_transaction(self._connection):
            source = self._source(symbol, seconds)
            if source is None:
                return empty_bars()
            columns = grid(source, low, high, source.gaps(low))
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
        series = self._stored_series()
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

    def _stored_series(self) -> list[Series]:
        """Streams of the database; looked for again once something was committed."""
        seen = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if self._stored is None or self._stored[0] != seen:
            rows = self._connection.execute(
                "SELECT stream_id, market, symbol, kind, revision, last_us FROM stream AS s"  # noqa: S608
                " WHERE EXISTS (SELECT 1 FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
                " OR EXISTS (SELECT 1 FROM kline AS k WHERE k.stream_id = s.stream_id)"
                f"{NEWEST_FIRST}",
                newest_first_bounds(),
            ).fetchall()
            self._stored = (seen, [Series(*row) for row in rows])
        return [
            each
            for each in self._stored[1]
            if self._market in (None, each.market) and self._stream in (None, each.stream)
        ]

    def _find(self, symbol: str) -> Series | None:
        found = next((each for each in self._stored_series() if each.symbol == symbol), None)
        if found is not None or self._history is None:
            return found
        stream = self._history.find(symbol, self._market, self._stream)
        return None if stream is None else Series(_NO_STREAM, *stream, 0, None)

    def _side(self, series: Series) -> LakeSide | None:
        if self._history is None:
            return None
        stream = _lake_stream(series)
        side = self._history.side(stream, self._sides.get(stream))
        self._sides[stream] = side
        return side

    def _ends_in_lake(self, series: Series) -> int:
        """When all that the lake knows of a stream ends, µs; 0 where it knows nothing."""
        assert self._history is not None
        return self._history.seen_side(_lake_stream(series)).end * SECOND_US

    def _source(self, symbol: str, seconds: int) -> BarSource | None:
        """Look at what a symbol's bars are made of; in a transaction."""
        series = self._find(symbol)
        if series is None:
            return None
        source = BarSource(self._connection, series.stream_id, seconds, self._side(series))
        source.look()
        return source


def _lake_stream(series: Series) -> LakeStream:
    return LakeStream(series.market, series.symbol, series.stream)


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
    add_sources(bars, columns)
    return bars
