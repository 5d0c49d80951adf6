"""Trades from files and into files: NDJSON, Binance frames, CSV and dumps, packed or not."""

import gzip
import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import numpy as np
import pandas as pd

from ingest.endpoints import valid_symbol
from ingest.file_csv import CsvLines
from ingest.file_json import CollectorRow, JsonLines
from ingest.file_source import MAX_TEXT_BYTES, WANTED, FileError, FileSource, Progress
from ingest.tick_columns import BadRow, TickColumns

__all__ = [
    "BadRow",
    "FileError",
    "ReadReport",
    "read_ticks",
    "symbol_in_name",
    "write_ticks_ndjson",
]

_SNIFFED_LINES = 20
_DUMP_NAME = re.compile(r"([A-Z0-9_]{2,20})-(aggTrades|trades)-", re.IGNORECASE)
_JSON_LINE = re.compile(rb"\s*(\d+ +)?[{\[]")
_ROWS_A_WRITE = 100_000


@dataclass(frozen=True)
class ReadReport:
    """What was read from a file, what was left out, and why.

    Attributes
    ----------
    rows_read, kept
        Rows seen (blank lines and the header are none), and ticks in the frame.
    dropped
        Rows left out, by reason; ``rows_read == kept + sum(dropped.values())``.
    first_bad
        The first rows that could not be read (at most 20): line number, reason, excerpt.
    symbols
        Ticks kept, by symbol.
    time_assumption
        How times were understood where the file leaves it open.
    bytes
        Bytes of text, after unpacking.
    notes
        Anything else a user should know, a sentence each.
    """

    name: str
    format: str
    rows_read: int
    kept: int
    dropped: dict[str, int]
    first_bad: tuple[BadRow, ...]
    symbols: dict[str, int]
    time_assumption: str
    duration_s: float
    bytes: int
    notes: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """The same in plain words, a sentence each."""
        counts = ", ".join(f"{count:,} {symbol}" for symbol, count in self.symbols.items())
        told = [
            f"{self.name} ({self.format}): {self.kept:,} of {self.rows_read:,} rows kept: {counts}."
        ]
        told += [f"{count:,} left out: {reason}." for reason, count in self.dropped.items()]
        told += [f"Line {bad.line_number:,}: {bad.reason}: {bad.excerpt}" for bad in self.first_bad]
        told += [_sentence(note) for note in (self.time_assumption, *self.notes) if note]
        return told


def read_ticks(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    symbol: str | None = None,
    progress: Progress | None = None,
    max_bytes: int = MAX_TEXT_BYTES,
) -> pd.DataFrame:
    """Read the trades of a file, whatever its shape.

    Parameters
    ----------
    source
        A path, or a binary file object that can seek (an upload). NDJSON of many shapes, raw
        Binance frames, CSV with a header, and Binance's dumps, as they are or packed (``.gz``,
        ``.zip``); told apart by content.
    symbol
        The symbol of rows that name none; by default a dump's file name tells it.
    progress
        Called now and then with (bytes read, bytes in all) of the file as it lies on disk.
    max_bytes
        More text than this, after unpacking, is refused.

    Returns
    -------
    DataFrame
        A ticks frame: UTC index ``time`` (µs), sorted, ties in file order; ``symbol``, ``price``
        (quote currency), ``quantity`` (base currency), and ``trade_id``, ``buyer_is_maker``
        where every row has them. ``attrs["report"]`` is a `ReadReport`; ``attrs["non_trade_ids"]``
        holds, by symbol, ids that were used up by no trade.

    Raises
    ------
    FileError
        Nothing in it can be read as trades: missing, empty, binary, damaged, too large …
    SymbolError
        `symbol` is no symbol.
    """
    started = time.perf_counter()
    columns = TickColumns()
    with FileSource(source, progress, max_bytes) as file:
        named = symbol_in_name(file.inner_name) or symbol_in_name(file.name)
        told = named if symbol is None else symbol
        default_symbol = None if told is None else valid_symbol(told)
        reader = _reader_for(file, columns, default_symbol)
        for block in file.blocks():
            reader.add(block)
    frame = columns.to_frame()
    if file.damage:
        columns.notes.append(f"{file.damage}: what came before it was read")
    if frame.empty:
        raise FileError(_no_trades(file.name, columns))
    frame.attrs["report"] = _report(file, reader, columns, frame, time.perf_counter() - started)
    return frame


def write_ticks_ndjson(ticks: pd.DataFrame, target: str | os.PathLike[str] | BinaryIO) -> int:
    """Write a ticks frame as NDJSON that `read_ticks` reads back to the same ticks, to the bit.

    A row is ``{"symbol","ts","price","size"}`` with ``id`` and ``m`` where the frame has them.
    Ids in ``attrs["non_trade_ids"]`` follow as rows of price and size 0, so that the ids stay
    without holes.

    Parameters
    ----------
    ticks
        A ticks frame.
    target
        A path (packed, if it ends in ``.gz``) or a binary file object.

    Returns
    -------
    int
        Rows written, non-trades included.
    """
    encode = msgspec.json.Encoder().encode_lines
    written = 0
    with _opened(target) as file:
        for records in _records(ticks):
            file.write(encode(records))
            written += len(records)
    return written


def _reader_for(
    file: FileSource, columns: TickColumns, default_symbol: str | None
) -> JsonLines | CsvLines:
    lines = [line for line in file.head.splitlines()[:_SNIFFED_LINES] if line.strip()]
    if any(_JSON_LINE.match(line) for line in lines):
        return JsonLines(columns, default_symbol)
    first = file.head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace")
    if not any(mark in first for mark in ",;\t|"):
        raise FileError(f"{file.name} is neither JSON lines nor CSV: {WANTED}")
    return CsvLines(first.strip("\r"), columns, default_symbol, file.name)


def symbol_in_name(name: str) -> str | None:
    """Symbol that a file's name tells, as Binance names its dumps; None of any other."""
    found = _DUMP_NAME.match(name)
    return found[1] if found else None


def _no_trades(name: str, columns: TickColumns) -> str:
    if columns.first_bad:
        line, reason, excerpt = columns.first_bad[0]
        rows = f"none of its {columns.rows_read:,} rows is a trade"
        told = "; ".join([f"line {line}: {reason}: {excerpt[:80]!r}", *columns.notes])
        return f"{name}: {rows}; {told}. It {WANTED}"
    reasons = "; ".join(
        [f"{count:,} rows: {why}" for why, count in columns.dropped.items()] + columns.notes
    )
    return f"{name} holds no trades ({reasons or 'no rows'}): it {WANTED}"


def _report(
    file: FileSource, reader: JsonLines | CsvLines, columns: TickColumns, frame: pd.DataFrame,
    duration_s: float,
) -> ReadReport:  # fmt: skip
    counts = frame["symbol"].value_counts().sort_index()
    return ReadReport(
        name=file.name,
        format=reader.layout,
        rows_read=columns.rows_read,
        kept=len(frame),
        dropped=dict(columns.dropped.most_common()),
        first_bad=tuple(columns.first_bad),
        symbols={str(name): int(count) for name, count in counts.items()},
        time_assumption="; ".join(note for note, _ in columns.time_notes.most_common() if note),
        duration_s=duration_s,
        bytes=file.bytes_read,
        notes=tuple(columns.notes),
    )


def _records(ticks: pd.DataFrame) -> Iterator[list[CollectorRow]]:
    for start in range(0, len(ticks), _ROWS_A_WRITE):
        part = ticks.iloc[start : start + _ROWS_A_WRITE]
        nothing = [None] * len(part)
        rows = zip(
            part["symbol"].tolist(),
            _iso_texts(_index_us(part)),
            part["price"].tolist(),
            part["quantity"].tolist(),
            part["trade_id"].tolist() if "trade_id" in part else nothing,
            part["buyer_is_maker"].tolist() if "buyer_is_maker" in part else nothing,
            strict=True,
        )
        yield [CollectorRow(*row) for row in rows]
    yield from _non_trade_records(ticks)


def _non_trade_records(ticks: pd.DataFrame) -> Iterator[list[CollectorRow]]:
    """Rows for ids used up between the trades written; outside of them they prove nothing."""
    if "trade_id" not in ticks:
        return
    for symbol, all_ids in ticks.attrs.get("non_trade_ids", {}).items():
        mine = ticks[ticks["symbol"] == symbol].sort_values("trade_id")
        places = np.searchsorted(mine["trade_id"].to_numpy(), all_ids)
        inside = (places > 0) & (places < len(mine))
        ids = np.asarray(all_ids, np.int64)[inside].tolist()
        # Their times are not known: that of the trade before stands in, and means nothing.
        texts = _iso_texts(_index_us(mine)[places[inside] - 1])
        yield [
            CollectorRow(symbol, text, 0.0, 0.0, trade_id)
            for text, trade_id in zip(texts, ids, strict=True)
        ]


def _index_us(ticks: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    index = cast("pd.DatetimeIndex", ticks.index)
    return index.as_unit("us").asi8


def _iso_texts(time_us: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    texts = np.datetime_as_string(time_us.view("datetime64[us]"), unit="us")
    return [f"{text}Z" for text in texts.tolist()]


@contextmanager
def _opened(target: str | os.PathLike[str] | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    path = Path(target)
    with path.open("wb") as file:
        if path.suffix.lower() != ".gz":
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="wb") as packed, io.BufferedWriter(packed) as buffer:
            yield buffer


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."
