"""Several stores of pieces read as one: what the first does not know the next one is asked."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ingest.store.bars import STORED_ROW, Spans, StoredRows, merged_spans, without_spans
from ingest.store.pieces import Pieces, PieceStore
from ingest.store.sources.origins import OriginSpans


class Origin(NamedTuple):
    """A store, and who says what it knows: seconds into the same with a flag of `origins`."""

    store: PieceStore
    flagged: Callable[[Spans], OriginSpans]


class Part(NamedTuple):
    """What one store knows of what was asked for, and who says so."""

    pieces: Pieces
    origins: OriginSpans


class JoinedPieces:
    """A `PieceStore` of several, in order of preference. Inside a transaction of the caller's."""

    def __init__(self, *origins: Origin) -> None:
        self._origins = origins

    def with_last(self, origin: Origin) -> "JoinedPieces":
        """Make the same with another store in the last place."""
        return JoinedPieces(*self._origins[:-1], origin)

    def lengths(self) -> list[int]:
        """Lengths that any of them keeps, the finest first."""
        return sorted({length for each in self._origins for length in each.store.lengths()})

    def first(self, length: int) -> int | None:
        """Second at which what any of them knows begins."""
        return min(_said(each.store.first(length) for each in self._origins), default=None)

    def last(self, length: int) -> int | None:
        """Second at which what any of them knows ends."""
        return max(_said(each.store.last(length) for each in self._origins), default=None)

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds of whole pieces that any of them knows and that touch ``low … high``."""
        spans = [span for each in self._origins for span in each.store.known(length, low, high)]
        return merged_spans(spans)

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Pieces that lie wholly in ``low … high``, each from the first that knows it."""
        parts = [part.pieces for part in self.parts(length, low, high)]
        known = merged_spans(span for each in parts for span in each.known)
        return Pieces(in_order([each.rows for each in parts]), known)

    def parts(self, length: int, low: int, high: int) -> list[Part]:
        """Read the same with who says it, a part for each read that knows anything."""
        unknown: Spans = [(low, high)]
        parts: list[Part] = []
        for store, flagged in self._origins:
            new = [store.read(length, *span) for span in unknown]
            parts += [Part(each, flagged(each.known)) for each in new if each.known]
            known = [span for each in new for span in each.known]
            unknown = [
                span for span in without_spans(unknown, known) if span[1] - span[0] >= length
            ]
        return parts


def constantly(flag: int) -> Callable[[Spans], OriginSpans]:
    """Flag all seconds alike."""
    return lambda known: [(low, high, flag) for low, high in known]


def in_order(rows: list[StoredRows]) -> StoredRows:
    """Put rows of several reads in order of time; nothing is copied where there is one."""
    full = [each for each in rows if each.size]
    if len(full) <= 1:
        return full[0] if full else np.empty(0, dtype=STORED_ROW)
    full.sort(key=lambda each: int(each["at"][0]))
    joined = np.concatenate(full)
    apart = all(a["at"][-1] < b["at"][0] for a, b in pairwise(full))
    return joined if apart else joined[np.argsort(joined["at"], kind="stable")]


def _said(seconds: Iterable[int | None]) -> list[int]:
    return [each for each in seconds if each is not None]
