"""Read-only views of the database: ticks, bars with coverage, and what is there. Any thread."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.schema import APPLICATION_ID, SCHEMA_VERSION, UNITS, StoreError
from ingest.tick import Market, StreamKind
from ingest.writer import TickWriter

__all__ = ["LastTrade", "Series", "StoreError", "TickReader", "TickWriter"]

Instant = pd.Timestamp | datetime | str | int | None

_SECOND_US = 1_000_000
# Names as `analytics.frames` has them; this room may not import that one.
_LENGTHS = {"s": 1, "S": 1, "min": 60, "T": 60, "h": 3600, "H": 3600}
_INTERVAL_SECONDS = {
    f"{count}{unit}": count * length
    for unit, length in _LENGTHS.items()
    for count in {1: (1, 5, 15, 30), 60: (1, 5, 15), 3600: (1,)}[length]
}
_EVER = (-(2**62), 2**62)


class Series(NamedTuple):
    """One recorded stream: what its ids belong to."""

    stream_id: int
    market: Market
    symbol: str
    stream: StreamKind
    revision: int
    last_us: int


@dataclass(frozen=True, slots=True)
class LastTrade:
    """The newest stored trade of a symbol: its times in microseconds, its price."""

    time_us: int
    received_us: int
    price: float


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
        self._connection = _open_for_reading(self.path)

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
        """Every recorded stream that holds a trade, newest first."""
        rows = self._connection.execute(
            "SELECT stream_id, market, symbol, kind, revision, last_us FROM stream AS s"
            " WHERE EXISTS (SELECT 1 FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
            " ORDER BY last_us DESC"
        ).fetchall()
        found = [Series(*row) for row in rows]
        return [
            each
            for each in found
            if self._market in (None, each.market) and self._stream in (None, each.stream)
        ]

    def symbols(self) -> list[str]:
        """Symbols with at least one stored trade, in alphabetical order."""
        return sorted({each.symbol for each in self.series()})

    def revision(self, symbol: str) -> int:
        """A number that grows with every commit that touches the symbol; 0 if it is unknown."""
        series = self._find(symbol)
        return series.revision if series else 0

    def span(self, symbol: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Times of the first and the last stored trade, UTC; None if there is none."""
        series = self._find(symbol)
        if series is None:
            return None
        first, last = (
            self._connection.execute(
                f"SELECT {column} FROM bar_1s WHERE stream_id = ? ORDER BY second {order} LIMIT 1",  # noqa: S608 - both words are ours
                (series.stream_id,),
            ).fetchone()[0]
            for column, order in (("open_us", "ASC"), ("close_us", "DESC"))
        )
        return _timestamp(first), _timestamp(last)

    def last_trade(self, symbol: str) -> LastTrade | None:
        """The newest stored trade by trade time; None if there is none."""
        series = self._find(symbol)
        if series is None:
            return None
        row = self._connection.execute(
            "SELECT t.time_us, t.time_us + t.received_delta_us, b.close"
            " FROM (SELECT * FROM bar_1s WHERE stream_id = ? ORDER BY second DESC LIMIT 1) AS b"
            " JOIN tick AS t ON t.stream_id = b.stream_id AND t.trade_id = b.close_id",
            (series.stream_id,),
        ).fetchone()
        return LastTrade(*row)

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
        low_us, high_us = _bounds(start, end)
        rows: list[tuple[int, int, float, float, int]] = []
        if series is not None:
            with _one_transaction(self._connection):
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
            given-up gap of the ledger covers their end. ``attrs["forming"]`` is the open time of
            the bar that holds the newest trade: nothing proves it closed.
        """
        seconds = _interval_seconds(interval)
        series = self._find(symbol)
        if series is None:
            return _empty_bars()
        low_us, high_us = _bounds(start, end)
        low = (low_us // _SECOND_US) // seconds * seconds
        high = -(-high_us // _SECOND_US)
        high = -(-high // seconds) * seconds
        with _one_transaction(self._connection):
            rows = self._connection.execute(
                "SELECT second, open, high, low, close, volume, trades FROM bar_1s"
                " WHERE stream_id = ? AND second >= ? AND second < ? ORDER BY second",
                (series.stream_id, low, high),
            ).fetchall()
            gaps = self._connection.execute(
                "SELECT after_us, before_us FROM gap"
                " WHERE stream_id = ? AND state IN ('open', 'expired') AND before_us >= ?",
                (series.stream_id, low * _SECOND_US),
            ).fetchall()
            newest = self._connection.execute(
                "SELECT max(second) FROM bar_1s WHERE stream_id = ?", (series.stream_id,)
            ).fetchone()[0]
        if not rows:
            return _empty_bars()
        bars = _aggregate(rows, seconds, gaps)
        forming = _timestamp(newest // seconds * seconds * _SECOND_US)
        if bars.index[-1] == forming:
            bars.attrs["forming"] = forming
        return bars

    def _find(self, symbol: str) -> Series | None:
        return next((each for each in self.series() if each.symbol == symbol), None)

    def _id_range(self, stream_id: int, low_us: int, high_us: int) -> tuple[int, int]:
        row = self._connection.execute(
            "SELECT min(first_id), max(last_id) FROM bar_1s"
            " WHERE stream_id = ? AND second >= ? AND second <= ?",
            (stream_id, low_us // _SECOND_US, high_us // _SECOND_US),
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


class _one_transaction:  # noqa: N801 - reads as a verb where it is used
    """A read transaction: all statements inside see one state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("COMMIT")


def _open_for_reading(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreError(f"no database at {path}: start the recorder to make one")
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=5.0,
            isolation_level=None,
            check_same_thread=False,
        )
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreError(f"cannot read the database {path}: {error}") from error
    if (application_id, version) != (APPLICATION_ID, SCHEMA_VERSION):
        connection.close()
        raise StoreError(f"{path} is not a Pairdesk database of version {SCHEMA_VERSION}")
    return connection


def _interval_seconds(interval: str) -> int:
    if interval not in _INTERVAL_SECONDS:
        raise StoreError(f"unknown interval {interval!r}: one of {', '.join(_INTERVAL_SECONDS)}")
    return _INTERVAL_SECONDS[interval]


def _bounds(start: Instant, end: Instant) -> tuple[int, int]:
    return (
        _EVER[0] if start is None else _microseconds(start),
        _EVER[1] if end is None else _microseconds(end),
    )


def _microseconds(instant: pd.Timestamp | datetime | str | int) -> int:
    if isinstance(instant, int):
        return instant
    stamp = pd.Timestamp(instant)
    stamp = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp.tz_convert(UTC)
    return int(stamp.value // 1000)  # `value` counts nanoseconds, whatever the unit


def _timestamp(time_us: int) -> pd.Timestamp:
    return pd.Timestamp(time_us, unit="us", tz="UTC").as_unit("us")


def _index(times_us: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times_us.view("M8[us]"), name="time").tz_localize("UTC")


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
    frame.index = _index(np.array(times, dtype=np.int64))
    return frame


def _empty_bars() -> pd.DataFrame:
    return _bars_frame(
        np.empty(0, np.int64),
        np.empty((4, 0)),
        np.empty(0),
        np.empty(0, np.int64),
        np.empty(0, "U7"),
    )


def _bars_frame(
    times_us: npt.NDArray[np.int64],
    prices: npt.NDArray[np.float64],
    volume: npt.NDArray[np.float64],
    trades: npt.NDArray[np.int64],
    coverage: npt.NDArray[np.str_],
) -> pd.DataFrame:
    columns = dict(zip(("open", "high", "low", "close"), prices, strict=True))
    frame = pd.DataFrame({**columns, "volume": volume, "trades": trades})
    frame["coverage"] = pd.Series(coverage.astype(object), dtype="str")
    frame.index = _index(times_us)
    return frame


def _aggregate(
    rows: list[tuple[int, float, float, float, float, float, int]],
    seconds: int,
    gaps: list[tuple[int, int]],
) -> pd.DataFrame:
    """One-second rows to bars of `seconds`, on a grid without holes, with their coverage."""
    second, opens, highs, lows, closes, volumes, trades = zip(*rows, strict=True)
    bucket = np.array(second, dtype=np.int64) // seconds
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[starts[1:], len(bucket)] - 1
    at = bucket[starts] - bucket[0]
    size = int(at[-1]) + 1

    prices = np.full((4, size), np.nan)
    prices[0, at] = np.array(opens)[starts]
    prices[1, at] = np.maximum.reduceat(np.array(highs), starts)
    prices[2, at] = np.minimum.reduceat(np.array(lows), starts)
    prices[3, at] = np.array(closes)[ends]
    volume = np.zeros(size)
    volume[at] = _sum_units(volumes, starts)
    counts = np.zeros(size, dtype=np.int64)
    counts[at] = np.add.reduceat(np.array(trades, dtype=np.int64), starts)

    times_us = (bucket[0] + np.arange(size)) * seconds * _SECOND_US
    coverage = np.where(counts > 0, "traded", "quiet").astype("U7")  # room for "missing"
    missing = _in_gaps(times_us + seconds * _SECOND_US, gaps)
    missing |= _carry_close(prices, counts, missing)
    coverage[missing] = "missing"
    prices[:, missing], volume[missing], counts[missing] = np.nan, np.nan, 0
    return _bars_frame(times_us, prices, volume, counts, coverage)


def _sum_units(
    volumes: tuple[float, ...], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Sums of volumes in units of 1e-8, in base currency: exact while they are integers."""
    if not all(isinstance(volume, int) for volume in volumes):
        return np.add.reduceat(np.array(volumes, dtype=np.float64), starts) / UNITS
    units, scale = np.array(volumes, dtype=np.int64), UNITS
    while scale > 1 and not np.any(units % 10):
        units, scale = units // 10, scale // 10
    return np.asarray(np.add.reduceat(units, starts) / scale)


def _in_gaps(
    bar_ends_us: npt.NDArray[np.int64], gaps: list[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Which bars end inside a gap ``(after, before]``: their close is not known."""
    missing = np.zeros(len(bar_ends_us), dtype=bool)
    for after_us, before_us in gaps:
        low, high = np.searchsorted(bar_ends_us, [after_us, before_us], side="right")
        missing[low:high] = True
    return missing


def _carry_close(
    prices: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Give quiet bars the close before them, in place. Returns those that have none to carry.

    A bar has none when a missing bar is the nearest one before it: a close is never carried
    across what is not known.
    """
    known = counts > 0
    source = np.maximum.accumulate(np.where(known | missing, np.arange(len(counts)), 0))
    quiet = ~known & ~missing
    prices[:, quiet] = prices[3, source[quiet]]
    return np.asarray(quiet & missing[source])
