"""What a reading of bars gives, and the bars and pieces that spans of seconds touch."""

from typing import NamedTuple

import numpy as np

from ingest.store.bars import BarRows, Spans
from ingest.store.connecting import up
from ingest.store.sources.origins import OriginSpans


class Read(NamedTuple):
    """Bars that hold a trade, each of them whole, and what is not known.

    `unknown` are spans ``(low, high)`` of seconds, `high` excluded, that neither ticks nor pieces
    know: a bar that touches one has no row. `filled` are spans of bars, `high` excluded, that touch
    a gap of the trades and are whole all the same, out of pieces. `origins` say who says what.
    """

    rows: BarRows
    unknown: Spans
    filled: Spans
    origins: OriginSpans


def bars_touched(spans: Spans, seconds: int) -> Spans:
    """First and last bar, both inclusive, that each span of seconds touches."""
    return [(low // seconds, (high - 1) // seconds) for low, high in spans]


def widened(spans: Spans, length: int) -> Spans:
    """Widen spans, in order, to the whole pieces of a length that touch them; merged."""
    pieces: Spans = []
    for low, high in spans:
        begin, end = low // length * length, up(high, length)
        if pieces and begin <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(pieces[-1][1], end))
        else:
            pieces.append((begin, end))
    return pieces


def without_bars(rows: BarRows, dropped: Spans) -> BarRows:
    """Leave out the bars of spans, both ends inclusive."""
    keep = np.ones(rows.at.size, dtype=np.bool_)
    for low, high in dropped:
        keep[slice(*np.searchsorted(rows.at, (low, high + 1)))] = False
    if keep.all():
        return rows
    return rows.where(keep)
