"""Whether the ids of a file are trade ids: only those may part trades or tell of missing ones.

People's files call many things an id: a table's row number, a counter that starts over, a constant.
What a trade id does: of one symbol it rises with time, by one at most steps, and belongs to one
trade; of several symbols each has its own. What does otherwise numbers something else. Rows whose
layout is Binance's own (`kind` is known) are believed, unless most of them repeat.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.void]

_FEW_SYMBOLS = 32
_MAX_CONFLICTS = 0.01  # of a symbol's rows; Binance itself gave an id twice now and then
_MAX_KNOWN_CONFLICTS = 0.5
_ENOUGH_ROWS = 20
_LATE_S = 1  # trades of one moment are printed in any order
_SHOWN_SYMBOLS = 3

ROW_NUMBERS = "they run on over all symbols, as row numbers do"
REPEATED = "they repeat with other content"
AGAINST_TIME = "they fall where time goes on, as a counter does that starts over"
WITH_HOLES = (
    "they leave out numbers at most steps: they number something else, or most trades are not here"
)


class OrderedIds:
    """Rows with ids by group (symbol and stream kind), each group in the order of its ids.

    Attributes
    ----------
    order
        Places of the rows in the table.
    group, ids
        Of each, in that order.
    repeats, steps
        Of each row but the first, whether it has the id of the row before it in the same group,
        and by how much it is above it; 0 where another group begins.
    """

    def __init__(self, rows: Rows, groups: npt.NDArray[np.int32], count: int) -> None:
        self.count = count
        self._rows = rows
        self.order = np.concatenate(
            [np.empty(0, np.intp), *_ordered(rows, groups, count)], dtype=np.intp
        )
        self.group, self.ids = groups[self.order], rows["trade_id"][self.order]
        alike = self.group[1:] == self.group[:-1]
        self.steps = np.where(alike, self.ids[1:] - self.ids[:-1], 0)
        self.repeats: Mask = alike & (self.ids[1:] == self.ids[:-1])

    def of_rows(self, name: str) -> npt.NDArray[np.int64]:
        """A column of the table, in that order."""
        column: npt.NDArray[np.int64] = self._rows[name][self.order]
        return column

    def conflicts(self) -> Mask:
        """Of each row but the first: it repeats an id with content of its own."""
        if not self.repeats.any():
            return self.repeats
        repeated = np.r_[False, self.repeats]
        places = np.arange(len(self.order))
        first = np.maximum.accumulate(np.where(repeated, 0, places))
        traded = ~self._rows["not_a_trade"][self.order]
        other_than_first = np.zeros(len(self.order), np.bool_)
        other_than_last = np.zeros(len(self.order), np.bool_)
        for name in ("time_us", "price", "quantity"):
            values = self._rows[name][self.order]
            other_than_first |= values != values[first]
            other_than_last |= values != values[places - 1]
        conflicts: Mask = repeated & other_than_first & other_than_last & traded
        return conflicts[1:]

    def by_group(self, mask: Mask) -> Int64s:
        """Count of rows marked (of each row but the first), by group."""
        counts: Int64s = np.bincount(self.group[1:][mask], minlength=self.count)
        return counts


def false_ids(ordered: OrderedIds, kinds: int) -> Iterator[tuple[Int64s, str]]:
    """Find the symbols whose ids are no trade ids.

    Parameters
    ----------
    ordered
        Rows by group, ``symbol * kinds + kind``.
    kinds
        How many stream kinds there are; 0 is that of rows whose layout tells none.

    Yields
    ------
    tuple
        Groups and the reason; a group comes once.
    """
    known = np.arange(ordered.count) % kinds > 0
    sizes = np.bincount(ordered.group, minlength=ordered.count)
    unjudged = sizes > 0
    conflicts = ordered.by_group(ordered.conflicts())
    is_long = sizes >= _ENOUGH_ROWS
    reasons = [
        (_share_a_counter(ordered, known), ROW_NUMBERS),
        (~known & (conflicts > _MAX_CONFLICTS * sizes), REPEATED),
        (known & is_long & (conflicts > _MAX_KNOWN_CONFLICTS * sizes), REPEATED),
        (~known & (_against_time(ordered) > _MAX_CONFLICTS * sizes), AGAINST_TIME),
        (~known & is_long & (2 * ordered.by_group(ordered.steps > 1) > sizes), WITH_HOLES),
    ]
    for mask, reason in reasons:
        if (mask & unjudged).any():
            yield np.flatnonzero(mask & unjudged), reason
            unjudged &= ~mask


def left_out(names: Sequence[str], reason: str) -> str:
    """Say whose ids were left out."""
    shown = ", ".join(names[:_SHOWN_SYMBOLS])
    more = len(names) - _SHOWN_SYMBOLS
    whose = f"{shown} and {more:,} more" if more > 0 else shown
    return f"the ids of {whose} are no trade ids and were left out: {reason}"


def _ordered(
    rows: Rows, groups: npt.NDArray[np.int32], count: int
) -> Iterator[npt.NDArray[np.intp]]:
    """Places of each group in the order of its ids; a trade goes before a non-trade."""
    present = np.flatnonzero(np.bincount(groups, minlength=count)).tolist()
    if len(present) > _FEW_SYMBOLS:
        yield np.lexsort((rows["not_a_trade"], rows["trade_id"], groups))
        return
    for group in present:
        places = np.flatnonzero(groups == group)
        ids = rows["trade_id"][places]
        if not (ids[1:] > ids[:-1]).all():
            places = places[np.lexsort((rows["not_a_trade"][places], ids))]
        yield places


def _share_a_counter(ordered: OrderedIds, known: Mask) -> Mask:
    """Groups that number their rows together: no id twice, hardly one left out, all interleaved."""
    nobody = np.zeros(ordered.count, np.bool_)
    unknown = ~known[ordered.group]
    groups, ids = ordered.group[unknown], ordered.ids[unknown]
    present = np.flatnonzero(np.bincount(groups, minlength=ordered.count))
    if len(present) < 2 or int(ids.max()) - int(ids.min()) > 2 * len(ids):
        return nobody
    # Runs that are in order already: timsort only merges them.
    order = np.argsort(ids, kind="stable")
    changes = groups[order][1:] != groups[order][:-1]
    shared = changes & (np.diff(ids[order]) == 0)
    if shared.sum() > _MAX_CONFLICTS * len(ids) or changes.sum() <= len(present):
        return nobody
    nobody[present] = True
    return nobody


def _against_time(ordered: OrderedIds) -> Int64s:
    """Rows, by group, that would have to go for the times to rise with the ids."""
    time_s = ordered.of_rows("time_us") // 1_000_000
    if not len(time_s):
        return np.zeros(ordered.count, np.int64)
    # Times of one group lie above all of the group before: one running maximum serves them all.
    time_s = time_s - time_s.min() + (ordered.group.astype(np.int64) << 33)
    late = np.maximum.accumulate(time_s) - time_s > _LATE_S
    if not late.any():
        return np.zeros(ordered.count, np.int64)
    early = time_s - np.minimum.accumulate(time_s[::-1])[::-1] > _LATE_S
    counts = [np.bincount(ordered.group[each], minlength=ordered.count) for each in (late, early)]
    return np.minimum(*counts)
