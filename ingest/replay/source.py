"""What a replay plays: the trades of a file or of a span of a database, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import pandas as pd

from ingest.errors import FileError, ReplayError, StoreError
from ingest.files import read_head, read_ticks
from ingest.store import TickReader
from ingest.tick import Event, Market, NonTrade, StreamKind, Tick

US_PER_S = 1_000_000
_ROWS_A_SLICE = 5_000
_SPAN_US = 600 * US_PER_S
_NOT_A_TRADE = "no trade in the file"


@dataclass(frozen=True)
class ReplayRequest:
    """What to play.

    Attributes
    ----------
    path
        A tick file, or a Pairdesk database.
    symbols
        Only these; None for all of them.
    market, stream
        Given to trades of a file, which does not tell; a database knows its own.
    start, end
        Play from here and up to there, UTC; None for its whole span.
    """

    path: Path
    symbols: tuple[str, ...] | None = None
    market: Market = "spot"
    stream: StreamKind = "aggTrade"
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None


class ReplaySource(Protocol):
    """Trades ready to be played."""

    name: str
    symbols: tuple[str, ...]
    start_us: int
    end_us: int

    def slices(self) -> Iterator[list[Event]]:
        """Hand out the events in order of their trade times, some thousand at a time."""
        ...


def check_source(path: Path) -> None:
    """Raise, in one line, what the first look at a file already shows to be wrong.

    Raises
    ------
    ReplayError
        No such file, or nothing in its beginning can be read as trades.
    """
    try:
        if _is_database(path):
            with TickReader(path) as reader:
                _symbols_of(reader, path.name, None)
        else:
            read_ticks(read_head(path))
    except OSError as error:
        raise ReplayError(f"cannot replay {path}: {error.strerror}") from error
    except FileError as error:
        raise ReplayError(f"cannot replay {path.name}: {error}") from error


def open_source(request: ReplayRequest) -> ReplaySource:
    """Read what a request names; a file is read whole, a database piece by piece.

    Raises
    ------
    ReplayError
        None of it is inside the span, or a symbol is not in it.
    FileError, StoreError
        It cannot be read.
    """
    return _StoredSpan(request) if _is_database(request.path) else _FileTicks(request)


def _is_database(path: Path) -> bool:
    """Ask SQLite: were it the database being recorded, no other handle may be opened on it."""
    try:
        TickReader(path).close()
    except StoreError:
        return False
    return True


class _FileTicks:
    """A file's ticks, as Tick objects only when their turn comes."""

    def __init__(self, request: ReplayRequest) -> None:
        self.name = request.path.name
        self._market, self._stream = request.market, request.stream
        ticks = read_ticks(request.path)
        inside = _inside(ticks, request)
        if inside.empty:
            raise ReplayError(_nothing_in(self.name, ticks["symbol"].unique().tolist(), request))
        self._events = _with_non_trades(inside, ticks.attrs.get("non_trade_ids", {}))
        self.symbols = tuple(sorted(inside["symbol"].unique().tolist()))
        self.start_us, self.end_us = _us(inside.index[0]), _us(inside.index[-1])

    def slices(self) -> Iterator[list[Event]]:
        """As `ReplaySource` has it, from the ticks in memory."""
        for start in range(0, len(self._events), _ROWS_A_SLICE):
            yield _events(self._events.iloc[start : start + _ROWS_A_SLICE], self._market,
                          self._stream)  # fmt: skip


class _StoredSpan:
    """A span of a recording, read ten minutes at a time."""

    def __init__(self, request: ReplayRequest) -> None:
        self.name, self._path = request.path.name, request.path
        with TickReader(self._path) as reader:
            self.symbols = _symbols_of(reader, self.name, request.symbols)
            spans = {name: reader.span(name) for name in self.symbols}
            self._kinds = {
                each.symbol: (each.market, each.stream) for each in reversed(reader.series())
            }
        known = [span for span in spans.values() if span is not None]
        first, last = min(span[0] for span in known), max(span[1] for span in known)
        first = first if request.start is None else max(first, request.start)
        last = last if request.end is None else min(last, request.end)
        self.start_us, self.end_us = _us(first), _us(last)
        if self.start_us > self.end_us:
            raise ReplayError(_nothing_in(self.name, list(self.symbols), request))

    def slices(self) -> Iterator[list[Event]]:
        """As `ReplaySource` has it; only one span of ten minutes is in memory."""
        played = dict.fromkeys(self.symbols, (self.start_us, 0))
        for low_us in range(self.start_us, self.end_us + 1, _SPAN_US):
            high_us = min(low_us + _SPAN_US, self.end_us + 1)
            events: list[Event] = []
            for symbol in self.symbols:
                rows = self._read(symbol, played[symbol], low_us, high_us)
                if not rows.empty:
                    played[symbol] = (_us(rows.index[-1]), int(rows["trade_id"].max()))
                events += _events(rows, *self._kinds[symbol])
            events.sort(key=_time_of)  # stable: each symbol keeps its own order
            for start in range(0, len(events), _ROWS_A_SLICE):
                yield events[start : start + _ROWS_A_SLICE]

    def _read(
        self, symbol: str, played: tuple[int, int], low_us: int, high_us: int
    ) -> pd.DataFrame:
        """A piece of one symbol, from its last played trade on: ids between belong to no trade."""
        last_us, last_id = played
        with TickReader(self._path) as reader:
            ticks = reader.ticks(symbol, last_us, high_us)
        rows = _with_non_trades(ticks, ticks.attrs.get("non_trade_ids", {}))
        is_new = rows.index >= pd.Timestamp(low_us, unit="us", tz="UTC")
        return rows[is_new | ((rows["quantity"] == 0) & (rows["trade_id"] > last_id))]


def _time_of(event: Event) -> int:
    return event.time_us


def _us(time: pd.Timestamp) -> int:
    return int((time - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(1, "us"))


def _symbols_of(reader: TickReader, name: str, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    stored = [symbol for symbol in reader.symbols() if reader.span(symbol) is not None]
    missing = [symbol for symbol in wanted or () if symbol not in stored]
    if missing or not stored:
        contents = f"it holds {', '.join(stored)}" if stored else "it holds no trades"
        raise ReplayError(f"{name} has no {', '.join(missing) or 'trades'}: {contents}")
    return tuple(wanted or stored)


def _inside(ticks: pd.DataFrame, request: ReplayRequest) -> pd.DataFrame:
    """The rows of the wanted symbols and span; a symbol the file lacks is an error."""
    wanted, present = request.symbols, set(ticks["symbol"].unique())
    missing = sorted(set(wanted or ()) - present)
    if missing:
        names = ", ".join(sorted(present))
        raise ReplayError(f"{request.path.name} has no {', '.join(missing)}: it holds {names}")
    part = ticks if wanted is None else ticks[ticks["symbol"].isin(wanted)]
    return part.loc[request.start : request.end]


def _nothing_in(name: str, symbols: list[str], request: ReplayRequest) -> str:
    span = " ".join(
        f"{word} {time:%Y-%m-%d %H:%M:%S}"
        for word, time in (("from", request.start), ("to", request.end))
        if time is not None
    )
    return f"{name} has no trades of {', '.join(sorted(symbols))} {span}".rstrip()


def _with_non_trades(ticks: pd.DataFrame, non_trades: dict[str, np.ndarray]) -> pd.DataFrame:
    """Ticks with an id each, and the ids that were used up by no trade behind their forerunners.

    A file without ids has its trades counted from 1, symbol by symbol.
    """
    numbered = ticks
    if "trade_id" not in ticks:
        numbered = ticks.assign(trade_id=ticks.groupby("symbol").cumcount() + 1)
    rows = [_non_trade_rows(numbered, symbol, ids) for symbol, ids in non_trades.items()]
    rows = [each for each in rows if len(each)]
    if not rows:
        return numbered
    return pd.concat([numbered, *rows]).sort_index(kind="stable")


def _non_trade_rows(ticks: pd.DataFrame, symbol: str, ids: np.ndarray) -> pd.DataFrame:
    """Rows of quantity 0, at the time of the trade before; none outside the trades given."""
    mine = ticks[ticks["symbol"] == symbol].sort_values("trade_id")
    places = np.searchsorted(mine["trade_id"].to_numpy(), ids)
    inside = (places > 0) & (places < len(mine))
    rows = mine.iloc[places[inside] - 1].copy()
    rows["trade_id"], rows["quantity"] = np.asarray(ids)[inside], 0.0
    return rows


def _events(rows: pd.DataFrame, market: Market, stream: StreamKind) -> list[Event]:
    times_us = cast("pd.DatetimeIndex", rows.index).as_unit("us").asi8.tolist()
    makers = rows["buyer_is_maker"].tolist() if "buyer_is_maker" in rows else [False] * len(rows)
    columns = zip(
        rows["symbol"].tolist(), rows["trade_id"].tolist(), rows["price"].tolist(),
        rows["quantity"].tolist(), times_us, makers, strict=True,
    )  # fmt: skip
    return [
        Tick(market, symbol, stream, trade_id, price, quantity, time_us, time_us, bool(maker))
        if quantity > 0
        else NonTrade(market, symbol, stream, trade_id, time_us, time_us, _NOT_A_TRADE)
        for symbol, trade_id, price, quantity, time_us, maker in columns
    ]
