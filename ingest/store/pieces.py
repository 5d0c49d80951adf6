"""Bars of whole stretches of time, from wherever they are kept: one protocol, several stores.

To `bar_source` the database's klines, the lake's bars and its klines look alike: pieces of some
length, and the seconds of which they tell all.
"""

from typing import NamedTuple, Protocol

from ingest.store.bars import Spans, StoredRows
from ingest.tick import Market, StreamKind


class LakeStream(NamedTuple):
    """What the ids of trades belong to: a market, a symbol in upper case, a kind of stream."""

    market: Market
    symbol: str
    kind: StreamKind


class Pieces(NamedTuple):
    """Pieces of one length.

    Attributes
    ----------
    rows
        In order of time; those without a trade may be left out.
    known
        Seconds ``(low, high)``, `high` excluded, in order and merged, of which the rows tell all:
        a piece inside that has no row had no trade.
    """

    rows: StoredRows
    known: Spans


class PieceStore(Protocol):
    """Where whole pieces of one stream are kept. Used inside a transaction of the caller's."""

    def lengths(self) -> list[int]:
        """Lengths that are kept, in seconds, the finest first."""
        ...

    def first(self, length: int) -> int | None:
        """Second at which what is known of a length begins; None without any."""
        ...

    def last(self, length: int) -> int | None:
        """Second at which what is known of a length ends, excluded; None without any."""
        ...

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Pieces of a length that lie wholly in the seconds ``low … high``."""
        ...

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds of whole pieces of a length that are known and touch ``low … high``."""
        ...
