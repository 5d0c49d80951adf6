"""Trades gathered from a file, block by block, and made into one ticks frame at the end."""

import ctypes
import platform
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.binance import valid_symbol
from ingest.errors import printable
from ingest.files.ids import OrderedIds, false_ids, left_out
from ingest.tick import NonTrade, StreamKind, Tick

MAX_BAD_ROWS = 20
_FLUSH_ROWS = 50_000
_LARGE_BYTES = 8 * 2**20

UNKNOWN = -1  # of an id, or of who was the maker
KIND_CODES: dict[StreamKind | None, int] = {None: 0, "aggTrade": 1, "trade": 2}
_KINDS = {code: kind for kind, code in KIND_CODES.items() if kind is not None}

ZERO = "price or size is zero: not a trade"
MARKED_NA = "marked NA by the exchange: not a trade"
DUPLICATE = "the same trade id again"
CONFLICT = "the same trade id with other content: the first was kept"
OTHER_KIND = "ids of the other stream kind (trade and aggTrade never mix)"

# A row of the gathered table. `symbol` is a place in the list of names.
_ROW_FIELDS: list[tuple[str, Any]] = [
    ("symbol", np.int32),
    ("time_us", np.int64),
    ("price", np.float64),
    ("quantity", np.float64),
    ("trade_id", np.int64),
    ("maker", np.int8),
    ("kind", np.int8),
    ("not_a_trade", np.bool_),  # takes up an id, and no more
]
ROW = np.dtype(_ROW_FIELDS)
# Of an aggregate also the id of its last raw trade, which tells two apart that share an id
# (binance-public-data#353).
AGGREGATE_ROW = np.dtype([*_ROW_FIELDS, ("raw_id", np.int64)])
Rows = npt.NDArray[np.void]
Mask = npt.NDArray[np.bool_]


class BadRow(NamedTuple):
    """A row that could not be read: where, why, and how it began."""

    line_number: int
    reason: str
    excerpt: str


class TickColumns:
    """Gathers rows and counts what is left out; `to_frame` ends it.

    Attributes
    ----------
    rows_read
        Rows seen, kept or not; blank lines and headers are none.
    dropped
        Rows left out, by reason.
    first_bad
        The first 20 rows that could not be read.
    time_notes
        How times were understood, and how often.
    notes
        Anything else a user should know.
    place
        Which of several texts is read now, for rows that cannot be; "" of a single one.
    """

    def __init__(self) -> None:
        self.rows_read = 0
        self.dropped: Counter[str] = Counter()
        self.first_bad: list[BadRow] = []
        self.time_notes: Counter[str] = Counter()
        self.notes: list[str] = []
        self.place = ""
        self._codes: dict[str, int] = {}
        self._names: list[str] = []
        self._parts: list[Rows] = []
        self._buffer: list[tuple[Any, ...]] = []

    def symbol_code(self, text: str) -> int:
        """Place of the symbol `text` means (``btcusdt``, ``BTC/USDT:USDT``) in the list of names.

        Raises
        ------
        SymbolError
            `text` is no symbol.
        """
        code = self._codes.get(text)
        if code is None:
            name = valid_symbol(text)
            if name not in self._codes:
                self._codes[name] = len(self._names)
                self._names.append(name)
            code = self._codes[text] = self._codes[name]
        return code

    def add_row(
        self,
        symbol: str,
        time_us: int,
        price: float,
        quantity: float,
        *,
        trade_id: int = UNKNOWN,
        maker: int = UNKNOWN,
        kind: StreamKind | None = None,
        raw_id: int = UNKNOWN,
        marked_na: bool = False,
    ) -> None:
        """Add one row; amounts are finite and >= 0, and zero means not a trade."""
        self.rows_read += 1
        not_a_trade = marked_na or price == 0 or quantity == 0
        if not_a_trade:
            self.dropped[MARKED_NA if marked_na else ZERO] += 1
            if trade_id == UNKNOWN:
                return
        code = self.symbol_code(symbol)
        self._buffer.append(
            (code, time_us, price, quantity, trade_id, maker, KIND_CODES[kind], not_a_trade, raw_id)
        )
        if len(self._buffer) >= _FLUSH_ROWS:
            self._flush()

    def add_event(self, event: Tick | NonTrade) -> None:
        """Add what a Binance frame contains."""
        if isinstance(event, NonTrade):
            self.add_row(
                event.symbol, event.time_us, 0.0, 0.0, trade_id=event.trade_id,
                kind=event.stream, marked_na="NA" in event.reason,
            )  # fmt: skip
            return
        self.add_row(
            event.symbol, event.time_us, event.price, event.quantity, trade_id=event.trade_id,
            maker=event.buyer_is_maker, kind=event.stream, raw_id=event.last_raw_id,
        )  # fmt: skip

    def add_rows(self, rows: Rows, marked_na: Mask | None = None) -> None:
        """Add many rows at once; amounts are finite and >= 0, and zero means not a trade."""
        self._flush()
        self.rows_read += len(rows)
        if marked_na is None:
            marked_na = np.zeros(len(rows), np.bool_)
        zero = (rows["price"] == 0) | (rows["quantity"] == 0)
        rows["not_a_trade"] = zero | marked_na
        self._drop(MARKED_NA, int(marked_na.sum()))
        self._drop(ZERO, int((zero & ~marked_na).sum()))
        kept = ~rows["not_a_trade"] | (rows["trade_id"] != UNKNOWN)
        self._parts.append(rows if kept.all() else rows[kept])

    def add_dropped(self, reason: str) -> None:
        """Count a row that was read and is no trade."""
        self.rows_read += 1
        self.dropped[reason] += 1

    def add_bad_row(
        self, line_number: int, reason: str, text: str | bytes, detail: str = ""
    ) -> None:
        """Count a row that could not be read; the first 20 are kept with their place."""
        self.add_dropped(reason)
        if len(self.first_bad) < MAX_BAD_ROWS:
            message = f"{reason} in {printable(self.place)}" if self.place else reason
            message = f"{message} ({printable(detail)})" if detail else message
            self.first_bad.append(BadRow(line_number, message, printable(text)))

    def to_frame(self) -> pd.DataFrame:
        """The ticks frame: sorted by time, ties in the order read."""
        self._flush()
        rows = self._gathered()
        shared: Rows = rows[:0]
        if (rows["trade_id"] != UNKNOWN).any():
            rows, has_repeats = self._without_false_ids(rows)
            rows = self._one_kind_each(rows)
            if has_repeats:
                rows, shared = self._without_repeats(rows)
        traded = ~rows["not_a_trade"]
        others = rows[~traded]
        if not traded.all():
            rows = rows[traded]
        time_us = rows["time_us"]
        if (time_us[1:] < time_us[:-1]).any():
            rows = rows[np.argsort(time_us, kind="stable")]
        frame = self._framed(rows)
        if "trade_id" in frame:
            frame.attrs["kinds"] = self._kinds_by_symbol(rows)
        if "trade_id" in frame and len(others):
            frame.attrs["non_trade_ids"] = self._ids_by_symbol(others)
        if "trade_id" in frame and len(shared):
            frame.attrs["shared_ids"] = self._ids_by_symbol(shared)
        return frame

    def _gathered(self) -> Rows:
        """Lay all parts into one table and let them go."""
        if any(part.dtype == AGGREGATE_ROW for part in self._parts):
            self._parts = [_widened(part) for part in self._parts]
        rows = np.concatenate(self._parts) if self._parts else np.empty(0, ROW)
        self._parts = []
        if rows.nbytes > _LARGE_BYTES:
            release_memory()
        return rows

    def _flush(self) -> None:
        if self._buffer:
            part = np.array(self._buffer, dtype=AGGREGATE_ROW)
            is_plain = (part["raw_id"] == UNKNOWN).all()
            self._parts.append(_copied(part, ROW) if is_plain else part)
            self._buffer = []

    def _drop(self, reason: str, count: int) -> None:
        if count:
            self.dropped[reason] += count

    def _without_false_ids(self, rows: Rows) -> tuple[Rows, bool]:
        """Take ids away that are no trade ids, and say so; whether any id came more than once."""
        numbered = rows["trade_id"] != UNKNOWN
        kinds = len(KIND_CODES)
        with_ids = rows if numbered.all() else rows[numbered]
        groups = rows["symbol"] * np.int32(kinds) + rows["kind"]
        ordered = OrderedIds(with_ids, groups[numbered], len(self._names) * kinds)
        for these, reason in false_ids(ordered, kinds):
            is_false = np.zeros(ordered.count, np.bool_)
            is_false[these] = True
            rows["trade_id"][is_false[groups]] = UNKNOWN
            names = sorted(self._names[code] for code in np.unique(these // kinds).tolist())
            self.notes.append(left_out(names, reason))
        # A row that is no trade was there for its id alone.
        kept = ~rows["not_a_trade"] | (rows["trade_id"] != UNKNOWN)
        return rows if kept.all() else rows[kept], bool(ordered.repeats.any())

    def _one_kind_each(self, rows: Rows) -> Rows:
        """Keep, of each symbol's rows with ids, the stream kind that has most rows."""
        kinds = len(KIND_CODES)
        numbered = rows["trade_id"] != UNKNOWN
        groups = rows["symbol"] * np.int32(kinds) + rows["kind"]
        counts = np.bincount(groups[numbered], minlength=len(self._names) * kinds)
        by_symbol = counts.reshape(-1, kinds)
        if not (np.count_nonzero(by_symbol, axis=1) > 1).any():
            return rows
        # Of equal counts aggTrade, the canonical tick, comes first.
        preferred = np.array([1, 2, 0])
        best = preferred[by_symbol[:, preferred].argmax(axis=1)]
        keep: Mask = ~numbered | (rows["kind"] == best[rows["symbol"]])
        # Non-trades were counted as dropped when they came.
        self._drop(OTHER_KIND, int((~keep & ~rows["not_a_trade"]).sum()))
        kept: Rows = rows[keep]
        return kept

    def _without_repeats(self, rows: Rows) -> tuple[Rows, Rows]:
        """Keep the first row of each (symbol, id), and rows of other trades under the same id.

        Rows without an id are never repeats. The second table holds those that share an id.
        """
        numbered = rows["trade_id"] != UNKNOWN
        with_ids = rows if numbered.all() else rows[numbered]
        ordered = OrderedIds(with_ids, with_ids["symbol"], len(self._names))
        if not ordered.repeats.any():
            return rows, rows[:0]
        again, before = ordered.order[1:][ordered.repeats], ordered.order[:-1][ordered.repeats]
        conflict = ordered.conflicts()[ordered.repeats]
        apart = conflict & _are_two_trades(with_ids[before], with_ids[again])
        traded = ~with_ids["not_a_trade"][again]
        self._drop(DUPLICATE, int((traded & ~conflict).sum()))
        self._drop(CONFLICT, int((traded & conflict & ~apart).sum()))
        keep = np.ones(len(rows), np.bool_)
        places = np.flatnonzero(numbered)
        keep[places[again[~apart]]] = False
        shared = with_ids[again[apart]]
        if len(shared):
            ids = np.unique(shared["trade_id"])
            whose = f"id {ids[0]} has" if len(ids) == 1 else f"{len(ids):,} ids have"
            self.notes.append(f"{whose} more than one trade of other content: all were kept")
        return rows if keep.all() else rows[keep], shared

    def _framed(self, ticks: Rows) -> pd.DataFrame:
        names = pd.Series(self._names, dtype="str")
        columns: dict[str, Any] = {
            "symbol": names.take(ticks["symbol"]).array,
            "price": np.ascontiguousarray(ticks["price"]),
            "quantity": np.ascontiguousarray(ticks["quantity"]),
        }
        has_id, has_maker = ticks["trade_id"] != UNKNOWN, ticks["maker"] != UNKNOWN
        if len(ticks) and has_id.all():
            columns["trade_id"] = np.ascontiguousarray(ticks["trade_id"])
        elif has_id.any():
            bare = int((~has_id).sum())
            self.notes.append(f"{bare:,} of {len(ticks):,} ticks carry no trade id: ids left out")
        if len(ticks) and has_maker.all():
            columns["buyer_is_maker"] = ticks["maker"] == 1
        time_us = np.ascontiguousarray(ticks["time_us"])
        index = pd.DatetimeIndex(time_us.view("datetime64[us]"), name="time").tz_localize("UTC")
        return pd.DataFrame(columns, index=index, copy=False)

    def _kinds_by_symbol(self, rows: Rows) -> dict[str, StreamKind]:
        """Which stream each symbol's ids are of, where the rows' own layout tells."""
        kinds = len(KIND_CODES)
        counts = np.bincount(rows["symbol"] * np.int32(kinds) + rows["kind"])
        groups = (divmod(group, kinds) for group in np.flatnonzero(counts).tolist())
        return {self._names[code]: _KINDS[kind] for code, kind in groups if kind in _KINDS}

    def _ids_by_symbol(self, rows: Rows) -> dict[str, list[int]]:
        return {
            self._names[code]: np.unique(rows["trade_id"][rows["symbol"] == code]).tolist()
            for code in np.unique(rows["symbol"]).tolist()
        }


def _are_two_trades(first: Rows, second: Rows) -> Mask:
    """Whether rows of one id and other content are two trades, not one printed twice.

    Of Binance's own rows the raw trades inside tell; of any other nothing does, and no row of
    other content is left out.
    """
    of_others: Mask = (first["kind"] == 0) & (second["kind"] == 0)
    if first.dtype != AGGREGATE_ROW:
        return of_others
    known: Mask = (first["raw_id"] != UNKNOWN) & (second["raw_id"] != UNKNOWN)
    apart: Mask = known & (first["raw_id"] != second["raw_id"])
    return of_others | apart


def _copied(rows: Rows, dtype: np.dtype[Any]) -> Rows:
    """The same rows as another kind of row; what only that one has is left as it is."""
    copy = np.empty(len(rows), dtype)
    for name in ROW.names or ():
        copy[name] = rows[name]
    return copy


def _widened(rows: Rows) -> Rows:
    if rows.dtype == AGGREGATE_ROW:
        return rows
    wide = _copied(rows, AGGREGATE_ROW)
    wide["raw_id"] = UNKNOWN
    return wide


def release_memory() -> None:
    """Return freed memory to the system: glibc keeps blocks under 32 MB (malloc_trim(3))."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
