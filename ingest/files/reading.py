"""Trades from files: NDJSON, Binance frames, CSV and dumps, packed or not."""

import io
import logging
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
import pandas as pd

from ingest.binance import valid_symbol
from ingest.errors import FileError, FileLimitError, SymbolNeededError
from ingest.files.array import array_blocks, is_array
from ingest.files.budget import Progress
from ingest.files.columns import TickColumns
from ingest.files.csv_lines import CsvLines
from ingest.files.errors import WANTED
from ingest.files.json_lines import JsonLines
from ingest.files.records import NO_SYMBOL, SHORTENED
from ingest.files.report import ReadReport
from ingest.files.source import MAX_TEXT_BYTES, FileSource, FileText

_LOG: Final = logging.getLogger("pairdesk.files")

_SNIFFED_LINES = 20
_DUMP_NAME = re.compile(r"([A-Z0-9_]{2,20})-(aggTrades|trades)-", re.IGNORECASE)
_JSON_LINE = re.compile(rb"\s*(\d+ +)?[{\[]")

Source = str | os.PathLike[str] | BinaryIO


def read_ticks(
    source: Source | Sequence[Source],
    *,
    symbol: str | None = None,
    progress: Progress | None = None,
    max_bytes: int = MAX_TEXT_BYTES,
) -> pd.DataFrame:
    """Read the trades of a file, or of several as one, whatever their shape.

    Parameters
    ----------
    source
        A path, or a binary file object that can seek (an upload), or several of them. NDJSON of
        many shapes, JSON arrays, raw Binance frames, CSV with a header, and Binance's dumps, as
        they are or packed (``.gz``, ``.zip`` of one file or more); recognised by content.
    symbol
        The symbol of rows that name none; by default taken from the file name of a dump. Of several
        files it applies to those whose names give none.
    progress
        Called now and then with (bytes read, bytes in all) of the files as they lie on disk; what
        it raises ends the reading.
    max_bytes
        More text than this in a file, after unpacking, is refused.

    Returns
    -------
    DataFrame
        A ticks frame: UTC index ``time`` (µs), sorted, ties in file order; ``symbol``, ``price``
        (quote currency), ``quantity`` (base currency), and ``trade_id``, ``buyer_is_maker``
        where every row has them. ``attrs["report"]`` is a `ReadReport`; ``attrs["non_trade_ids"]``
        holds, by symbol, ids that were used up by no trade, ``attrs["shared_ids"]`` those that
        more than one trade has, ``attrs["kinds"]`` which stream the ids are of where the layout
        tells. Without ids ``attrs["active_seconds"]`` says when anything traded:
        seconds since 1970, int64 as bytes.

    Raises
    ------
    FileError
        Nothing in it can be read as trades: missing, empty, binary, damaged … Of several files
        those are left out with a note, as long as others hold trades.
    SymbolNeededError
        Its rows name no symbol, nor does its name.
    FileLimitError
        It holds too much text, or takes too long.
    SymbolError
        `symbol` is no symbol.
    """
    started = time.perf_counter()
    columns = TickColumns()
    sources = _several(source)
    parts: list[_Part] = []
    names: list[str] = []
    total = _Total(progress, [_size(each) for each in sources])
    for each in sources:
        with FileSource(each, total.of_next(), max_bytes) as file:
            names.append(file.name)
            alone = len(sources) == 1 and len(file.members) == 1
            parts += _read_file(file, columns, symbol, alone=alone)
            file.budget.finish()
    if not parts:
        raise FileError(f"none of {len(columns.notes)} files can be read: {columns.notes[0]}")
    frame = columns.to_frame()
    if frame.empty:
        raise _no_trades(_joined(names), columns)
    if "trade_id" not in frame:
        seconds = cast("pd.DatetimeIndex", frame.index).asi8 // 1_000_000
        frame.attrs["active_seconds"] = seconds[np.diff(seconds, prepend=-1) > 0].tobytes()
    took_s = time.perf_counter() - started
    report = _report(_joined(names), parts, columns, frame, took_s)
    frame.attrs["report"] = report
    _LOG.info("read %s: %d ticks of %d rows", report.name, len(frame), report.rows_read)
    return frame


@dataclass(frozen=True)
class _Part:
    """What was read of one text."""

    layout: str
    bytes: int


class _Total:
    """Progress over several files as if they were one."""

    def __init__(self, progress: Progress | None, sizes: Sequence[int]) -> None:
        self._progress, self._sizes = progress, sizes
        self._place = 0

    def of_next(self) -> Progress | None:
        """What the next file calls."""
        progress = self._progress
        if progress is None:
            return None
        before, size = sum(self._sizes[: self._place]), sum(self._sizes)
        self._place += 1
        return lambda done, _: progress(before + done, size)


def _several(source: Source | Sequence[Source]) -> list[Source]:
    is_one = isinstance(source, (str, os.PathLike)) or hasattr(source, "read")
    return [cast("Source", source)] if is_one else list(cast("Sequence[Source]", source))


def _size(source: Source) -> int:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return path.stat().st_size if path.is_file() else 0
    return source.seek(0, io.SEEK_END)


def _joined(names: Sequence[str]) -> str:
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} others"


def _read_file(
    file: FileSource, columns: TickColumns, symbol: str | None, *, alone: bool
) -> list[_Part]:
    """Read all texts of a file into `columns`; those that cannot be are noted."""
    parts = []
    for place, member in enumerate(file.members):
        before = file.budget.text_bytes
        try:
            text = file.text(place)
            default_symbol = _symbol_of(member, file.name, symbol, alone=alone)
            columns.place = "" if alone else text.inner_name
            layout = _read_text(text, columns, default_symbol)
        except (FileLimitError, SymbolNeededError):
            raise
        except FileError as error:
            if alone:
                raise
            columns.notes.append(f"left out: {error}")
            continue
        parts.append(_Part(layout, file.budget.text_bytes - before))
    return parts


def _symbol_of(member: str, name: str, symbol: str | None, *, alone: bool) -> str | None:
    named = symbol_in_name(member) or symbol_in_name(name)
    text = (symbol or named) if alone else (named or symbol)
    return None if text is None else valid_symbol(text)


def _read_text(text: FileText, columns: TickColumns, default_symbol: str | None) -> str:
    """Read one text into `columns`; what its layout was."""
    reader = _reader_for(text, columns, default_symbol)
    is_objects = isinstance(reader, JsonLines) and is_array(text.head)
    for block in array_blocks(text.chunks()) if is_objects else text.blocks():
        reader.add(block)
    if text.damage:
        columns.notes.append(f"{text.damage}: what came before it was read")
    return reader.layout


def _reader_for(
    file: FileText, columns: TickColumns, default_symbol: str | None
) -> JsonLines | CsvLines:
    lines = [line for line in file.head.splitlines()[:_SNIFFED_LINES] if line.strip()]
    if any(_JSON_LINE.match(line) for line in lines):
        return JsonLines(columns, default_symbol, file.budget.check, is_array=is_array(file.head))
    rows = [row.strip("\r") for row in file.head.decode("utf-8", "replace").split("\n", 200)]
    # The last may be cut in its middle.
    rows = rows[:-1] if len(rows) > 2 else rows
    if not any(mark in rows[0] for mark in ",;\t|"):
        raise FileError(f"{file.name} is neither JSON lines nor CSV: {WANTED}")
    return CsvLines(rows, columns, default_symbol, file.name, file.budget.check)


def symbol_in_name(name: str) -> str | None:
    """Symbol that a file's name tells, as Binance names its dumps; None of any other."""
    match = _DUMP_NAME.match(name)
    return match[1] if match else None


def _no_trades(name: str, columns: TickColumns) -> FileError:
    if 2 * columns.dropped[NO_SYMBOL] > columns.rows_read:
        return SymbolNeededError(f"{name} does not say which symbol its rows are of: say it")
    if columns.dropped[SHORTENED] == columns.rows_read > 0:
        line, _, excerpt = columns.first_bad[0]
        return FileError(f"{name} cannot be read: {SHORTENED} (line {line}: {excerpt[:80]})")
    if columns.first_bad:
        line, reason, excerpt = columns.first_bad[0]
        rows = f"none of its {columns.rows_read:,} rows is a trade"
        details = "; ".join([f"line {line}: {reason}: {excerpt[:80]!r}", *columns.notes])
        return FileError(f"{name}: {rows}; {details}. It {WANTED}")
    reasons = "; ".join(
        [f"{count:,} rows: {why}" for why, count in sorted(columns.dropped.items())] + columns.notes
    )
    return FileError(f"{name} holds no trades ({reasons or 'no rows'}): it {WANTED}")


def _report(
    name: str, parts: Sequence[_Part], columns: TickColumns, frame: pd.DataFrame,
    duration_s: float,
) -> ReadReport:  # fmt: skip
    counts = frame["symbol"].value_counts().sort_index()
    return ReadReport(
        name=name,
        format=", ".join(dict.fromkeys(part.layout for part in parts)),
        rows_read=columns.rows_read,
        kept=len(frame),
        dropped=dict(columns.dropped.most_common()),
        first_bad=tuple(columns.first_bad),
        symbols={str(name): int(count) for name, count in counts.items()},
        time_assumption="; ".join(note for note, _ in columns.time_notes.most_common() if note),
        duration_s=duration_s,
        bytes=sum(part.bytes for part in parts),
        notes=tuple(columns.notes),
    )
