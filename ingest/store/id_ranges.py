"""Ranges of trade ids, both ends included: what a page covers, what is left. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class IdRange(NamedTuple):
    """Ids from `from_id` to `to_id`, both included."""

    from_id: int
    to_id: int

    @property
    def size(self) -> int:
        """How many ids."""
        return self.to_id - self.from_id + 1


def overlap(one: IdRange, other: IdRange) -> IdRange | None:
    """Ids in both ranges; None without any."""
    both = IdRange(max(one.from_id, other.from_id), min(one.to_id, other.to_id))
    return both if both.size > 0 else None


def without(whole: IdRange, taken: Iterable[IdRange]) -> list[IdRange]:
    """What is left of a range, in order."""
    remainder, at = [], whole.from_id
    for part in sorted(taken):
        if part.to_id < at:
            continue
        if part.from_id > whole.to_id:
            break
        if part.from_id > at:
            remainder.append(IdRange(at, part.from_id - 1))
        at = part.to_id + 1
    if at <= whole.to_id:
        remainder.append(IdRange(at, whole.to_id))
    return remainder


def merged(ranges: Iterable[IdRange]) -> list[IdRange]:
    """The same ids in as few ranges as can be, in order."""
    joined: list[IdRange] = []
    for part in sorted(ranges):
        if joined and part.from_id <= joined[-1].to_id + 1:
            joined[-1] = IdRange(joined[-1].from_id, max(joined[-1].to_id, part.to_id))
        else:
            joined.append(part)
    return joined


def holes(whole: IdRange, present: Sequence[int]) -> list[IdRange]:
    """Runs of ids in a range that are not among those present (in order)."""
    return without(whole, (IdRange(each, each) for each in present))
