"""Paths of a trailing window that move on with each bar: what is known of bars is not made anew.

The sums of a window are renewed every `window` bars, counted from the epoch: so a path that moved
on is equal to the bit to one made of the same bars at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics.frames import FloatArray
from analytics.series import same_bits

Inputs = tuple[FloatArray, ...]
# Fills the rows of a path from a bar on: inputs, that bar, what is carried up to it, the rows.
Fill = Callable[[Inputs, int, FloatArray, FloatArray], None]


@dataclass(frozen=True, slots=True, eq=False)
class TrailingPath:
    """Rows of a trailing window's figures, with what they were made of. Never written to.

    Attributes
    ----------
    first
        Number of the first bar, counted in bars from the epoch.
    window
        Bars of the window.
    inputs
        Series, each of shape (n,).
    rows
        Shape (rows, n).
    state
        What the window carries after the last bar.
    """

    first: int
    window: int
    inputs: Inputs
    rows: FloatArray
    state: FloatArray

    def shared(self, first: int, inputs: Inputs) -> int:
        """Count the bars that a path from `first` on begins with and that this one ends with."""
        left = first - self.first
        kept = self.inputs[0].size - left
        if left < 0 or not 0 < kept <= inputs[0].size:
            return 0
        pairs = zip(self.inputs, inputs, strict=True)
        return kept if all(same_bits(old[left:], new[:kept]) for old, new in pairs) else 0


def trailing_path(
    inputs: Inputs,
    window: int,
    shape: tuple[int, int, int],
    fill: Fill,
    first: int = 0,
    before: TrailingPath | None = None,
) -> TrailingPath:
    """Make the path of a trailing window, from where `before` was if that is the same one.

    `shape` says how many rows it has, how many numbers it carries, and which of these is its turn.
    """
    count, carried, turn = shape
    rows, state, begin = np.empty((count, inputs[0].size)), np.zeros(carried), 0
    state[turn] = (first - 1) % window
    if before is not None and before.window == window:
        begin = before.shared(first, inputs)
    # Before the second turn the sums may be of bars that are gone.
    head = 2 * window
    if before is None or begin <= head:
        fill(inputs, 0, state, rows)
        return TrailingPath(first, window, inputs, rows, state)
    left = first - before.first
    rows[:, :begin] = before.rows[:, left:]
    if left:
        anew = np.empty((count, head))
        fill(tuple(each[:head] for each in inputs), 0, state, anew)
        rows[:, :head] = anew
    state = before.state.copy()
    fill(inputs, begin, state, rows)
    return TrailingPath(first, window, inputs, rows, state)
