"""The ledger of trade ids: every id is stored, or inside a gap that is named. Pure."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final, Literal

from ingest.store.id_ranges import IdRange

# Neighbours' times may be printed the other way round, by some milliseconds.
ORDER_SLACK_US: Final = 100_000

GapState = Literal["open", "filled", "absent", "expired"]


@dataclass(slots=True)
class Gap:
    """A run of ids of one stream that never arrived.

    Attributes
    ----------
    first_id, last_id
        The run as it was when the gap opened.
    from_id, to_id
        What is still missing of it, both inclusive; ``from_id > to_id`` once it is filled.
    after_us, before_us
        Trade times of the nearest known events on either side: the missing trades lie between.
    cause
        Why the ids are missing, in a word or two.
    state
        ``open`` (to be filled), ``filled``, ``absent`` (the exchange has no such id) or
        ``expired`` (not asked for any more: known to be missing).
    reason
        Why the state is ``absent`` or ``expired``, in a sentence.
    opened_after_us, opened_before_us
        The time span as it was when the gap opened.
    gap_id
        Row id in the database; None until stored.
    """

    first_id: int
    last_id: int
    from_id: int
    to_id: int
    after_us: int
    before_us: int
    cause: str
    state: GapState = "open"
    reason: str = ""
    opened_after_us: int = 0
    opened_before_us: int = 0
    gap_id: int | None = None

    def __post_init__(self) -> None:
        self.opened_after_us = self.opened_after_us or self.after_us
        self.opened_before_us = self.opened_before_us or self.before_us

    @property
    def missing(self) -> int:
        """How many ids are still missing."""
        return max(0, self.to_id - self.from_id + 1)


@dataclass(slots=True)
class StreamLedger:
    """What is known of one stream's ids: a first, a last, and the gaps between, in id order.

    `changed` collects gaps that have to be written to the database; the writer empties it.
    """

    first_id: int | None = None
    first_us: int = 0
    last_id: int | None = None
    last_us: int = 0
    gaps: list[Gap] = field(default_factory=list)
    changed: list[Gap] = field(default_factory=list)

    def observe(self, trade_id: int, time_us: int, cause: str = "lost") -> bool:
        """Take note of an id; True when it is new, False when it is known already.

        A jump ahead of `last_id`, or below `first_id`, opens a gap with `cause`. An id at or below
        the last one with a newer time cannot be of this stream: False, and nothing is changed.
        """
        if trade_id - 1 == self.last_id:  # as nearly all are
            self.last_id, self.last_us = trade_id, time_us
            return True
        if self.last_id is None or self.first_id is None:
            self.first_id = self.last_id = trade_id
            self.first_us = self.last_us = time_us
            return True
        if trade_id > self.last_id:
            if trade_id > self.last_id + 1:
                self._open(self.last_id + 1, trade_id - 1, self.last_us, time_us, cause)
            self.last_id, self.last_us = trade_id, time_us
            return True
        if self.is_out_of_order(time_us):
            return False
        if trade_id < self.first_id:
            if trade_id < self.first_id - 1:
                self._open(trade_id + 1, self.first_id - 1, time_us, self.first_us, cause)
            self.first_id, self.first_us = trade_id, time_us
            return True
        return self._fill(trade_id, time_us)

    def is_out_of_order(self, time_us: int) -> bool:
        """Whether a time is newer than the last id's: that of an id at or below it cannot be."""
        return time_us > self.last_us + ORDER_SLACK_US

    def missing(self) -> int:
        """How many ids lie in gaps of any state but filled."""
        return sum(gap.missing for gap in self.gaps)

    def close_range(
        self, from_id: int, to_id: int, state: Literal["absent", "expired"], reason: str
    ) -> int:
        """Say of the missing ids in a range that they are absent at the exchange, or given up.

        Gaps that reach beyond the range are divided. Absent ones stay absent, and what is in the
        state already keeps its reason. Returns how many ids that concerns.
        """
        concerned = 0
        for gap in list(self.gaps):
            low, high = max(gap.from_id, from_id), min(gap.to_id, to_id)
            if low > high or gap.state in {"absent", state}:
                continue
            if low > gap.from_id:
                gap = self._cut(gap, low)  # noqa: PLW2901 - the right part is the one concerned
            if high < gap.to_id:
                self._cut(gap, high + 1)
            gap.state, gap.reason = state, reason
            self.changed.append(gap)
            concerned += gap.missing
        return concerned

    def reopen(self) -> list[IdRange]:
        """Make every given-up gap open again; returns the ids, in order."""
        reopened = [gap for gap in self.gaps if gap.state == "expired"]
        for gap in reopened:
            gap.state, gap.reason = "open", ""
        self.changed.extend(reopened)
        return [IdRange(gap.from_id, gap.to_id) for gap in reopened]

    def _open(self, from_id: int, to_id: int, after_us: int, before_us: int, cause: str) -> None:
        gap = Gap(from_id, to_id, from_id, to_id, after_us, before_us, cause)
        self._insert(gap)
        self.changed.append(gap)

    def _insert(self, gap: Gap) -> None:
        at = bisect_right(self.gaps, gap.from_id, key=lambda each: each.from_id)
        self.gaps.insert(at, gap)

    def _fill(self, trade_id: int, time_us: int) -> bool:
        at = bisect_right(self.gaps, trade_id, key=lambda each: each.from_id) - 1
        if at < 0 or trade_id > self.gaps[at].to_id:
            return False
        gap = self.gaps[at]
        self._bound_neighbours(at, trade_id, time_us)
        if trade_id == gap.from_id:
            gap.from_id, gap.after_us = trade_id + 1, time_us
        elif trade_id == gap.to_id:
            gap.to_id, gap.before_us = trade_id - 1, time_us
        else:
            self._split(gap, trade_id, time_us)
        if gap.missing == 0:
            gap.state = "filled"
            del self.gaps[at]
        self.changed.append(gap)
        return True

    def _bound_neighbours(self, at: int, trade_id: int, time_us: int) -> None:
        """Bound the gaps that an id meets: of a part that was cut off nobody knew when it ends.

        Without it the given-up part of a gap would go on covering the part that is filled.
        """
        if at > 0 and (left := self.gaps[at - 1]).to_id == trade_id - 1:
            left.before_us = max(left.after_us, min(left.before_us, time_us))
            if left.to_id == left.last_id:
                left.opened_before_us = left.before_us
            self.changed.append(left)
        if at + 1 < len(self.gaps) and (right := self.gaps[at + 1]).from_id == trade_id + 1:
            right.after_us = min(right.before_us, max(right.after_us, time_us))
            if right.from_id == right.first_id:
                right.opened_after_us = right.after_us
            self.changed.append(right)

    def _split(self, gap: Gap, trade_id: int, time_us: int) -> None:
        right = self._cut(gap, trade_id)
        right.from_id, right.first_id, right.after_us = trade_id + 1, trade_id + 1, time_us
        gap.before_us = time_us

    def _cut(self, gap: Gap, at_id: int) -> Gap:
        """Divide a gap: what begins at `at_id` becomes one of its own, and is returned."""
        right = Gap(
            at_id,
            gap.last_id,
            at_id,
            gap.to_id,
            gap.after_us,
            gap.before_us,
            gap.cause,
            gap.state,
            gap.reason,
        )
        gap.to_id = gap.last_id = at_id - 1
        self._insert(right)
        self.changed += [gap, right]
        return right
