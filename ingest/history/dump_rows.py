"""Lines of a dump into columns: compiled where they are plain, else row by row."""

import csv
import math
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from ingest.errors import FileError
from ingest.history.dump_form import BOOL, DECIMAL, SKIPPED, DumpForm, DumpName
from ingest.history.dump_text import Block
from ingest.store import STORED_ROW, StoredRows
from ingest.store.lake import TradeColumns, as_doubles

_MICROSECONDS_FROM: Final = 10**14  # as milliseconds that would be in the year 5138
_DAY_US: Final = 86_400_000_000
_SECOND_US: Final = 1_000_000
_UNITS: Final = 100_000_000
_UNFIT: Final = -1
_ENDS: Final = b"\n" * 8
_TRUTHS: Final = {"true": 1, "false": 0}
_FIRST_RAW, _LAST_RAW = 3, 4  # columns of an aggregate's raw ids

Column = np.ndarray[Any, Any]


class Rows(NamedTuple):
    """What a block's lines are: trades or klines, times (µs) and how far the text is read."""

    trades: TradeColumns | None
    klines: StoredRows | None
    times_us: Column
    done: int


class RowReader:
    """Reads the blocks of one dump."""

    def __init__(self, name: DumpName, form: DumpForm) -> None:
        from ingest.history.dump_kernel import read_rows  # noqa: PLC0415 - numba: half a second

        self._name, self._form = name, form
        self._kinds = np.array(form.fields, dtype=np.int64)
        self._kept = [kind for kind in form.fields if kind != SKIPPED]
        self._read_plain: Callable[..., int] = read_rows
        low = np.datetime64(name.first, "us").astype(np.int64)
        high = np.datetime64(name.last, "us").astype(np.int64)
        # A trade may be dated a little beyond its dump's days.
        self._bounds = int(low) - _DAY_US, int(high) + 2 * _DAY_US

    def read(self, texts: Iterator[Block]) -> Iterator[Rows]:
        """Columns of each block that holds a row.

        Raises
        ------
        FileError
            A line that is no row of such a dump.
        """
        for number, block in enumerate(texts):
            text, line = block.text, block.line
            if number == 0 and self._form.has_header:
                text, line = text.partition(b"\n")[2], line + 1
            columns = self._columns(text, line)
            if columns[0].size:
                yield self._rows(columns, line)._replace(done=block.done)

    def _columns(self, text: bytes, line: int) -> list[Column]:
        padded = np.frombuffer(text + _ENDS, dtype=np.uint8)
        out = np.empty((len(self._kept), text.count(b"\n") + 1), dtype=np.int64)
        count = self._read_plain(padded, self._kinds, out)
        if count >= 0:
            return list(out[:, :count])
        return self._columns_by_row(text, line)

    def _columns_by_row(self, text: bytes, line: int) -> list[Column]:
        """Decide what lines mean that are not plain: exponents, many digits, or damage."""
        rows = []
        lines = text.decode("utf-8", "replace").splitlines()
        for number, fields in enumerate(csv.reader(lines), line):
            if not fields:
                continue
            if len(fields) != len(self._form.fields):
                raise self._refused(number, f"{len(fields)} columns")
            try:
                kinds = zip(fields, self._form.fields, strict=True)
                rows.append([_value(field, kind) for field, kind in kinds if kind != SKIPPED])
            except (ValueError, KeyError) as error:
                raise self._refused(number, f"{fields[:3]}") from error
        if not rows:
            return [np.empty(0, dtype=np.int64) for _ in self._kept]
        try:
            return [
                np.array(column, dtype=np.float64 if kind == DECIMAL else np.int64)
                for column, kind in zip(zip(*rows, strict=True), self._kept, strict=True)
            ]
        except OverflowError as error:
            raise self._refused(line, "a number beyond 2**63 thereafter") from error

    def _rows(self, columns: list[Column], line: int) -> Rows:
        make = {"aggTrade": self._agg_trades, "trade": self._trades, "kline": self._klines}
        rows = make[self._name.kind](columns)
        first, last = int(rows.times_us.min()), int(rows.times_us.max())
        low, high = self._bounds
        if first < low or last >= high:
            raise self._refused(line, "a time outside of its days from there on")
        return rows

    def _agg_trades(self, columns: list[Column]) -> Rows:
        trade_id, price, quantity, first, last, time, maker = columns
        count = np.where(first >= 0, last - first + 1, 0).clip(0, 2**31 - 1)
        price[first < 0] = 0  # a marker that takes up an id: no trade
        return _trade_rows(trade_id, price, quantity, time, maker, count)

    def _trades(self, columns: list[Column]) -> Rows:
        trade_id, price, quantity, time, maker = columns
        return _trade_rows(trade_id, price, quantity, time, maker, np.ones(trade_id.size))

    def _klines(self, columns: list[Column]) -> Rows:
        opened, o, high, low, close, volume, closed, trades = columns
        times_us = _microseconds(opened)
        lengths = (_microseconds(closed) - times_us + _SECOND_US // 2) // _SECOND_US
        if (lengths != self._name.length_s).any():
            raise FileError(
                f"{self._name.name} is named as klines of {self._name.length_s} s, but has some of"
                f" {int(lengths[lengths != self._name.length_s][0])} s: give it its own name"
            )
        rows = np.empty(opened.size, dtype=STORED_ROW)
        rows["at"], rows["trades"] = times_us // _SECOND_US, trades
        for column, values in zip(
            ("open", "high", "low", "close"), (o, high, low, close), strict=True
        ):
            rows[column] = as_doubles(values)
        rows["volume"] = _volume(volume)
        return Rows(None, rows, times_us, 0)

    def _refused(self, line: int, words: str) -> FileError:
        return FileError(
            f"{self._name.name}, line {line}: {words}: no row of such a dump; whole days before it"
            " are kept, fetch the file again for the rest"
        )


def _trade_rows(
    trade_id: Column, price: Column, quantity: Column, time: Column, maker: Column, count: Column
) -> Rows:
    # Copies: the table they were read into has more columns, and would stay as long as they do.
    times_us = _microseconds(time)
    trades = TradeColumns(
        trade_id.copy(),
        times_us,
        price.copy(),
        quantity.copy(),
        maker.astype(np.bool_),
        count.astype(np.int32),
    )
    return Rows(trades, None, times_us, 0)


def _microseconds(times: Column) -> Column:
    """Milliseconds or microseconds, as each is, to microseconds."""
    return np.where(times < _MICROSECONDS_FROM, times * 1000, times)


def _volume(volume: Column) -> Column:
    """Volume in units of 1e-8; `_UNFIT` where that is beyond int64."""
    if volume.dtype != np.float64:
        return volume
    units = np.rint(volume * _UNITS)
    return np.where(units < 2.0**63, units, _UNFIT).astype(np.int64)


def _value(text: str, kind: int) -> float:
    """A field's value; ValueError or KeyError where it has none."""
    if kind == BOOL:
        return _TRUTHS[text.strip().lower()]
    if kind != DECIMAL:
        return int(text)
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise ValueError(text)
    return value
