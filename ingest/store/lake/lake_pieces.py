"""Bars of a stream out of the lake: of its trades, and the exchange's where these do not reach."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import numpy as np

from ingest.errors import LakeError
from ingest.store.bars import STORED_ROW, Spans, StoredRows, without_spans
from ingest.store.connecting import up
from ingest.store.lake.known import clipped, merged_spans, whole_pieces
from ingest.store.lake.parquet import read_bars
from ingest.store.lake.places import BAR_LENGTHS
from ingest.store.lake.stream_files import StreamFiles, TradeFiles, touches
from ingest.store.pieces import Pieces

Read = TypeVar("Read")
_TRIES: Final = 3


class LakePieces:
    """Pieces of one stream (`PieceStore`). Each call looks at the files as they are then."""

    def __init__(self, files: StreamFiles) -> None:
        self._files = files

    def lengths(self) -> list[int]:
        """Lengths that are kept, in seconds, the finest first."""
        kept = set(self._files.kline_lengths())
        if self._files.trades().days:
            kept.update(BAR_LENGTHS)
        return sorted(kept)

    def first(self, length: int) -> int | None:
        """Second at which what is known of a length begins; None without any."""
        spans = self._known(length)
        return spans[0][0] if spans else None

    def last(self, length: int) -> int | None:
        """Second at which what is known of a length ends, excluded; None without any."""
        spans = self._known(length)
        return spans[-1][1] if spans else None

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds of whole pieces of a length that are known and touch ``low … high``."""
        return clipped(self._known(length), low // length * length, up(high, length))

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Pieces of a length that lie wholly in the seconds ``low … high``."""
        return again_if_gone(lambda: self._read(length, up(low, length), high // length * length))

    def _known(self, length: int) -> Spans:
        klines = self._kline_spans(length)
        return merged_spans(self._trade_spans(length, klines)[1], klines)

    def _trade_spans(self, length: int, klines: Spans) -> tuple[TradeFiles, Spans]:
        """Seconds that trades tell of; klines tell more of an edge that the trades know in part."""
        files, known = self._files.known(length)
        return files, merged_spans(known.spans, without_spans(known.edges, klines))

    def _kline_spans(self, length: int) -> Spans:
        files = self._files.klines(length).values()
        return merged_spans(*(list(each.footer.spans) for each in files))

    def _read(self, length: int, low: int, high: int) -> Pieces:
        if low >= high:
            return Pieces(np.empty(0, dtype=STORED_ROW), [])
        klines = self._kline_spans(length)
        files, seconds = self._trade_spans(length, klines)
        known = clipped(seconds, low, high)
        rest = whole_pieces(without_spans(clipped(klines, low, high), known), length)
        parts = [_inside(rows, known) for rows in files.rows(length, low, high)] if known else []
        if rest:
            parts += [_inside(rows, rest) for rows in self._kline_rows(length, rest)]
        return Pieces(_in_order(parts), merged_spans(known, rest))

    def _kline_rows(self, length: int, spans: Spans) -> Iterable[StoredRows]:
        for month, file in self._files.klines(length).items():
            if any(touches(month, *span) for span in spans):
                yield read_bars(file.path, spans[0][0], spans[-1][1])


def again_if_gone(read: Callable[[], Read]) -> Read:
    """Read once more where a file was deleted between the look and the reading."""
    for _ in range(_TRIES - 1):
        try:
            return read()
        except FileNotFoundError:
            continue
    try:
        return read()
    except FileNotFoundError as error:
        raise LakeError(f"{error.filename} went while it was read: try again") from error


def _inside(rows: StoredRows, spans: Spans) -> StoredRows:
    """Rows, in order, that open inside spans."""
    edges = np.searchsorted(rows["at"], np.array(spans, dtype=np.int64))
    if len(edges) == 1:
        return rows[slice(*edges[0].tolist())]
    keep = np.zeros(rows.size, dtype=np.bool_)
    for begin, end in edges.tolist():
        keep[begin:end] = True
    return rows[keep]


def _in_order(parts: list[StoredRows]) -> StoredRows:
    if not parts:
        return np.empty(0, dtype=STORED_ROW)
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    at = rows["at"]
    return rows if (at[1:] > at[:-1]).all() else rows[np.argsort(at, kind="stable")]
