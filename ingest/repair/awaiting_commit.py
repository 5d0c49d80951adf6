"""Ids whose repair is on its way to the database: not to be requested again."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from ingest.store import IdRange, merged, without
from ingest.tick import StreamKey

_PUBLISHED_WITHIN_S = 10.0  # by then a commit is in the published gaps
_STORED_WITHIN_S = 120.0  # later, it was lost with the writing thread


@dataclass(slots=True)
class _Entry:
    """Ids in the queue; from `until_s` on the published gaps count."""

    ids: IdRange
    until_s: float
    abandoned: bool


class AwaitingCommit:
    """Ids that no gap needs any more, before the published gaps show it.

    Parameters
    ----------
    time
        Monotonic seconds of the event loop this is used in.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._entries: dict[StreamKey, list[_Entry]] = {}
        # The same ids, in order and without overlap; made when asked for.
        self._merged: dict[StreamKey, list[IdRange]] = {}

    def add(self, key: StreamKey, ids: IdRange, *, abandoned: bool = False) -> Callable[[], None]:
        """Add ids; returns what is to be called once they are committed."""
        entry = _Entry(ids, self._time() + _STORED_WITHIN_S, abandoned)
        self._entries.setdefault(key, []).append(entry)
        self._merged.pop(key, None)

        def landed() -> None:
            """Give the published ledger its time from now on."""
            entry.until_s = self._time() + _PUBLISHED_WITHIN_S

        return landed

    def clear(self) -> None:
        """Forget everything: what was on its way is lost."""
        self._entries.clear()
        self._merged.clear()

    def forget_abandoned(self) -> None:
        """Drop what was given up: it is requested again."""
        self._keep(lambda entry: not entry.abandoned)

    def forget_published(self) -> None:
        """Drop what the published gaps must show by now."""
        now_s = self._time()
        self._keep(lambda entry: entry.until_s > now_s)

    def _keep(self, is_kept: Callable[[_Entry], bool]) -> None:
        for key, entries in list(self._entries.items()):
            kept = [each for each in entries if is_kept(each)]
            if len(kept) < len(entries):
                self._entries[key] = kept
                self._merged.pop(key, None)

    def next_s(self) -> float | None:
        """When the published gaps will count next; None while nothing is on its way."""
        times_s = [each.until_s for entries in self._entries.values() for each in entries]
        return min(times_s, default=None)

    def left_of(self, key: StreamKey, ids: IdRange) -> list[IdRange]:
        """The parts of a range that are not on their way, in order."""
        if key not in self._merged:
            self._merged[key] = merged(each.ids for each in self._entries.get(key, ()))
        ranges = self._merged[key]
        begin = bisect_right(ranges, ids.from_id, key=lambda each: each.to_id)
        end = bisect_right(ranges, ids.to_id, key=lambda each: each.from_id)
        return without(ids, ranges[max(0, begin - 1) : end])
