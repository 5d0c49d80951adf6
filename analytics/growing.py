"""Arrays that grow at their end: what follows a bar later shares the memory of what was before."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# Room for what is to come, as a share of what is there, and at the least.
_ROOM, _LEAST_ROOM = 32, 1_024


class _Buffer:
    """Memory that several arrays begin in; what is taken is never written to again.

    `claims` has, by where an array ends, who grew out of it in place: the first, of any thread.
    """

    def __init__(self, values: NDArray[Any]) -> None:
        room = values.shape[-1] // _ROOM + _LEAST_ROOM
        self.memory = np.empty((*values.shape[:-1], values.shape[-1] + room), dtype=values.dtype)
        self.memory[..., : values.shape[-1]] = values
        self.claims: dict[int, object] = {}


@dataclass(frozen=True, eq=False)
class Growing:
    """An array whose last axis grows; `values` is a view that no later one changes.

    Attributes
    ----------
    values
        Shape (n,) or (rows, n).
    """

    values: NDArray[Any]
    _buffer: _Buffer
    _stop: int

    @property
    def memory(self) -> object:
        """What all that grew out of one share, until there is no room left."""
        return self._buffer

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Begin with a copy of some values."""
        buffer = _Buffer(values)
        size = values.shape[-1]
        return cls(buffer.memory[..., :size], buffer, size)

    def moved(self, left: int, more: NDArray[Any]) -> Self:
        """Leave out the first `left` and add more at the end; copied where there is no room."""
        buffer, stop = self._buffer, self._stop + more.shape[-1]
        mine = object()
        has_room = stop <= buffer.memory.shape[-1]
        if not has_room or buffer.claims.setdefault(self._stop, mine) is not mine:
            return type(self).of(np.concatenate([self.values[..., left:], more], axis=-1))
        buffer.memory[..., self._stop : stop] = more
        first = self._stop - self.values.shape[-1] + left
        return type(self)(buffer.memory[..., first:stop], buffer, stop)
