"""Results shared by all sessions: computed once per key, the newest few kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from pages.ui.state.clock import zone_label

T = TypeVar("T")
Owner = TypeVar("Owner")
P = ParamSpec("P")


class Once(Generic[T]):
    """Keeps the results of the keys asked for latest.

    Sessions that ask for one key at the same time wait for the first of them; other keys do not
    wait. What failed is not kept. Cheaper than `st.cache_resource`, whose keys are hashed anew at
    each call.

    Parameters
    ----------
    most
        Results kept.
    most_a_line
        Results kept of one `line`: of a view that moves on with each bar the newest are enough.
    """

    def __init__(self, most: int, most_a_line: int = 2) -> None:
        self._most, self._most_a_line = most, most_a_line
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._lines: dict[Hashable, list[Hashable]] = {}

    def get(self, key: Hashable, compute: Callable[[], T], line: Hashable = None) -> T:
        """Return the result for a key, the same object each time; compute it if there is none.

        Keys of one `line` follow each other: a newer one makes older ones go.
        """
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                entry = _Entry()
                self._follow(key, line)
            self._entries[key] = entry
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return entry.get(compute)

    def newest(self, line: Hashable) -> T | None:
        """Return the newest result of a line; None while there is none."""
        with self._lock:
            entries = [self._entries.get(key) for key in self._lines.get(line, ())]
        return next((each.result[0] for each in reversed(entries) if each and each.result), None)

    def _follow(self, key: Hashable, line: Hashable) -> None:
        """Let the oldest result of the line go."""
        if line is None:
            return
        for gone in [
            name for name, keys in self._lines.items() if self._entries.keys().isdisjoint(keys)
        ]:
            del self._lines[gone]
        keys = self._lines.setdefault(line, [])
        keys.append(key)
        for old in keys[: -self._most_a_line]:
            self._entries.pop(old, None)
        del keys[: -self._most_a_line]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._lines.clear()


class _Entry(Generic[T]):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.result: list[T] = []

    def get(self, compute: Callable[[], T]) -> T:
        """Return the result; the first who asks computes it, others wait."""
        if not self.result:
            with self._lock:
                if not self.result:
                    self.result.append(compute())
        return self.result[0]


def once_for_each(
    make: Callable[Concatenate[Owner, P], T],
) -> Callable[Concatenate[Owner, P], T]:
    """Remember what a function gave for each living first argument, in each zone of a reader.

    For words and tables of a result that sessions share: made by the first that shows them while
    the others wait for it, forgotten with the result. The other arguments must follow from the
    first one, as the bars of a result do: they do not count.
    """
    cache: WeakKeyDictionary[Any, dict[str, _Entry[T]]] = WeakKeyDictionary()

    @wraps(make)
    def remembered(owner: Owner, /, *more: P.args, **named: P.kwargs) -> T:
        """Take it from the entry of this owner in this reader's zone."""
        by_zone = cache.get(owner)
        if by_zone is None:
            by_zone = cache.setdefault(owner, {})
        zone = zone_label()
        entry = by_zone.get(zone)
        if entry is None:
            entry = by_zone.setdefault(zone, _Entry())
        return entry.get(lambda: make(owner, *more, **named))

    return remembered
