"""Which pieces stand beside a stream's ticks: of the lake, of klines, and where the two join."""

import sqlite3

from ingest.store.bars import SECOND_US, Spans
from ingest.store.connecting import up
from ingest.store.sources.joined_pieces import JoinedPieces, Origin, constantly
from ingest.store.sources.joins import find_join
from ingest.store.sources.lake_side import LakeSide, Silence, WithoutSeconds
from ingest.store.sources.origins import EXCHANGE, IMPORTED, RECORDED
from ingest.store.sources.sqlite_klines import SqliteKlines


def pieces_of(
    lake: LakeSide | None,
    connection: sqlite3.Connection,
    stream_id: int,
    first_us: int | None,
    newest: int | None,
    lake_ends: int | None,
    seconds: int,
) -> JoinedPieces:
    """Put together what stands before the first tick, in gaps and after the newest one.

    Parameters
    ----------
    lake
        The stream's part in the lake.
    connection, stream_id
        Of the database; inside a transaction.
    first_us, newest
        Time of the first tick (µs), second of the newest.
    lake_ends
        From `lake_ends`.
    seconds
        Length of the bars to be made.
    """
    klines = SqliteKlines(connection, stream_id)
    last = Origin(klines, constantly(EXCHANGE))
    if lake is None:
        return JoinedPieces(last)
    origins = [Origin(lake, lake.flagged)]
    if first_us is not None and newest is not None:
        partial = lake.partial_seconds(first_us // SECOND_US, newest)
        origins = [Origin(WithoutSeconds(lake, partial), lake.flagged)]
        join = find_join(lake, connection, stream_id, first_us)
        if join is not None:
            origins.insert(0, Origin(join, constantly(RECORDED)))
    if silent := _silence(lake, klines, first_us, lake_ends, seconds):
        origins.append(Origin(Silence(silent), constantly(IMPORTED)))
    return JoinedPieces(*origins, last)


def lake_ends(
    lake: LakeSide | None,
    connection: sqlite3.Connection,
    stream_id: int,
    first_us: int | None,
    newest: int | None,
) -> int | None:
    """End of the lake's last trade where that is the newest of all; else None."""
    ends = None if lake is None else lake.trades_end
    if ends is None or (first_us is not None and newest is not None and ends <= newest + 1):
        return None
    klines = SqliteKlines(connection, stream_id)
    is_last = all((klines.last(each) or 0) <= ends for each in klines.lengths())
    return ends if is_last else None


def _silence(
    lake: LakeSide, klines: SqliteKlines, first_us: int | None, ends: int | None, seconds: int
) -> Spans:
    """Seconds of the first and the newest bar of which the lake's trades say nothing."""
    begins, spans = lake.trades_begin, []
    if begins is not None and (first_us is None or begins < first_us // SECOND_US):
        is_first = all((klines.first(each) or 0) >= begins for each in klines.lengths())
        spans = [(begins // seconds * seconds, begins)] if is_first else []
    if ends is not None:
        spans.append((ends, up(ends, seconds)))
    return [(low, high) for low, high in spans if low < high]
