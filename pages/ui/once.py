"""Results shared by all sessions: computed once per key, the newest few kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Keeps the results of the keys asked for latest.

    Sessions that ask for one key at the same time wait for the first of them; other keys do not
    wait. What failed is not kept. Cheaper than `st.cache_resource`, whose keys are hashed anew at
    each call.

    Parameters
    ----------
    most
        Results kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result for a key, the same object each time; compute it if there is none."""
        with self._lock:
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return entry.get(compute)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


class _Entry(Generic[T]):
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._result: list[T] = []

    def get(self, compute: Callable[[], T]) -> T:
        if not self._result:
            with self._lock:
                if not self._result:
                    self._result.append(compute())
        return self._result[0]
