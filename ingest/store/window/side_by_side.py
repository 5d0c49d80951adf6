"""Newest bars of many windows, laid at once: strips of one grid, each after the close before it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest.store.bars import (
    MISSING,
    STORED_ROW,
    BarColumns,
    StoredRows,
    lay_bars,
    merge_rows,
    new_columns,
)


class Strip(NamedTuple):
    """Bars `first` to `last` of one window, both inclusive; none where `last` is before `first`.

    `before` is the close of the bar before, NaN where it is not known; `source` is who says what
    they hold, a flag of `origins`.
    """

    seconds: int
    first: int
    last: int
    before: float
    source: int


def lay_side_by_side(strips: Sequence[Strip], rows: StoredRows) -> tuple[BarColumns, list[int]]:
    """Lay rows, each with the number of its strip, on the bars of all strips.

    Nothing is missing: a strip lies in no gap, and its rows tell all of it.

    Returns
    -------
    tuple
        The strips one after the other, and where the first bar of each is.
    """
    fields = np.array([each[:3] for each in strips], dtype=np.int64).reshape(-1, 3)
    seconds, first = fields[:, 0], fields[:, 1]
    room = fields[:, 2] - first + 2  # with the close before, in front
    begins = np.cumsum(room) - room
    number = rows["number"]
    placed = np.empty(rows.size + len(strips), dtype=STORED_ROW)
    for name in STORED_ROW.names or ():
        placed[name][len(strips) :] = rows[name]
    placed["at"][len(strips) :] = rows["at"] // seconds[number] - first[number] + begins[number] + 1
    placed[: len(strips)] = [
        (at, *[each.before] * 4, 0, 0) for at, each in zip(begins.tolist(), strips, strict=True)
    ]
    placed = placed[np.argsort(placed["at"], kind="stable")]
    laid = new_columns(0, 1, int(room.sum()))
    lay_bars(merge_rows(placed, 1), laid, np.zeros(len(laid), dtype=np.bool_), float("nan"))
    flags = np.repeat(np.array([each.source for each in strips], dtype=np.uint8), room)
    laid.sources[:] = flags * (laid.coverage != MISSING)
    return laid, (begins + 1).tolist()
