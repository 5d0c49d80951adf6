"""Bars laid on a grid without holes: what was read, what is missing, who says what."""

import numpy as np

from ingest.store.bar_source import BarSource
from ingest.store.bars import MISSING, SECOND_US, BarColumns, Spans, in_gaps, lay_bars, new_columns
from ingest.store.connecting import EVER_S, up
from ingest.store.sources.bar_read import Read, bars_touched
from ingest.store.sources.origins import EXCHANGE, OriginSpans

# So many pieces are read and laid at once: their rows and the bars of years stay small in memory.
PIECES_AT_ONCE = 300_000


def grid(source: BarSource, low: int, high: int, gaps: Spans) -> BarColumns:
    """All bars from the first with a trade to the last, or to the end of the pieces."""
    columns, size = grid_with_room(source, low, high, gaps, 0)
    return columns.part(0, size)


def grid_with_room(
    source: BarSource, low: int, high: int, gaps: Spans, room: int
) -> tuple[BarColumns, int]:
    """Lay the same with room for bars to come behind them; and how many there are.

    Read in parts, so that rows and bars of years are never in memory at once.
    """
    columns, end, last = None, _end_of_bars(source, high), -1
    for begin, stop in _parts(source, low, end):
        read = source.read(begin * source.seconds, stop * source.seconds, gaps)
        if read.rows.at.size:
            last = int(read.rows.at[-1])
        if columns is None and last < 0:
            continue
        if columns is None:
            first = int(read.rows.at[0])
            columns = new_columns(first, source.seconds, end - first + room)
        at = max(begin - columns.first, 0)
        before = float(columns.close[at - 1]) if at else float("nan")
        lay(source, read, columns.part(at, stop - columns.first), gaps, before)
    if columns is None:
        return new_columns(0, source.seconds, 0), 0
    return columns, max(last, _last_known(source, low, high)) + 1 - columns.first


def lay(
    source: BarSource, read: Read, out: BarColumns, gaps: Spans, before: float = float("nan")
) -> None:
    """Lay bars on a grid with what the gaps say; `before` is the close before the grid."""
    missing = in_gaps(out.first, len(out), source.seconds, gaps)
    out.from_klines[:] = False
    for low, high in read.filled:
        bars = slice(max(low - out.first, 0), max(high - out.first, 0))
        missing[bars], out.from_klines[bars] = False, True
    last_early = source.border // out.seconds - 1 - out.first
    if source.lengths and source.border % out.seconds == 0 and 0 <= last_early < len(out):
        missing[last_early] = False  # pieces tell of it, whatever gap begins in the first second
    for low, high in bars_touched(read.unknown, source.seconds):
        bars = slice(max(low - out.first, 0), max(high + 1 - out.first, 0))
        missing[bars], out.from_klines[bars] = True, False
    lay_bars(read.rows, out, missing, before)
    _lay_sources(read.origins, out)


def _parts(source: BarSource, low: int, end: int) -> list[tuple[int, int]]:
    """First and last bar, excluded, of the parts to read: from the first second known on."""
    firsts = [source.begins(each) for each in source.divisors]
    firsts += [] if source.first_us is None else [source.first_us // SECOND_US]
    begin = max(low, min(firsts, default=EVER_S[1])) // source.seconds
    coarsest = max(*source.lengths, *source.rolled.lengths(source.seconds), 1, 1)
    step = max(1, PIECES_AT_ONCE * coarsest // source.seconds)
    return [(each, min(each + step, end)) for each in range(begin, end, step)]


def _end_of_bars(source: BarSource, high: int) -> int:
    """Bar after the last that anything tells of before second `high`."""
    if source.newest is None:  # pieces know no part of a bar
        newest = source.newest_bar()
        return 0 if newest is None else min(high // source.seconds, newest + 1)
    end = max(source.newest + 1, source.after or 0)
    return min(high, up(end, source.seconds)) // source.seconds


def _last_known(source: BarSource, low: int, high: int) -> int:
    """Last bar of which something is known, though maybe no trade."""
    if source.newest is None:
        return _end_of_bars(source, high) - 1
    if source.after is not None:
        return min(high, source.after) // source.seconds - 1
    if low <= source.newest < high:
        return source.newest // source.seconds
    return -1 if source.reach is None else source.reach // source.seconds - 1


def _lay_sources(origins: OriginSpans, out: BarColumns) -> None:
    out.sources[:] = 0
    for low, high, flag in origins:
        begin, end = low // out.seconds - out.first, up(high, out.seconds) // out.seconds
        out.sources[max(begin, 0) : max(end - out.first, 0)] |= np.uint8(flag)
    known = out.coverage != MISSING
    out.sources[:] *= known
    out.from_klines[:] &= known & (out.sources & EXCHANGE > 0)
