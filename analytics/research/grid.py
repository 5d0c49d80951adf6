"""The work cut into tasks, the same way on every machine: blocks of pairs, and months to scan."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final, Literal

import numpy as np

from analytics.errors import NotEnoughDataError
from analytics.research.closes import Grid
from analytics.research.spec import ResearchSpec

Kind = Literal["walk", "scan"]

# Symbols on a side of a tile: a task reads few symbols for many pairs.
TILE: Final = 8
# Bars times settings times runs that a task is cut to: a few seconds.
_STEPS_A_TASK: Final = 50_000_000
_MOST_PAIRS: Final = 64
# A month with fewer is not scanned.
LEAST_SCANNED: Final = 200


@dataclass(frozen=True, slots=True)
class Task:
    """Work that needs nothing of any other.

    Attributes
    ----------
    number
        Place in the grid.
    kind
        Walk-forward of some pairs over all bars, or the scan of all pairs over some bars.
    pairs
        Places of S1 and S2 in the symbols; none for a scan.
    low, high
        First bar and the one after the last.
    """

    number: int
    kind: Kind
    pairs: tuple[tuple[int, int], ...]
    low: int
    high: int

    def symbols(self, spec: ResearchSpec) -> tuple[str, ...]:
        """Return the symbols whose closes it reads, in the order of the question."""
        if self.kind == "scan":
            return spec.symbols
        places = sorted({place for pair in self.pairs for place in pair})
        return tuple(spec.symbols[place] for place in places)


Tasks = list[Task]


def tasks(spec: ResearchSpec, grid: Grid) -> Tasks:
    """Cut the work; the same question about the same bars gives the same tasks.

    Raises
    ------
    NotEnoughDataError
        Fewer bars than one training stretch and 3 bars to trade.
    """
    if grid.bars < spec.train_bars + 3:
        raise NotEnoughDataError("research", spec.train_bars + 3, grid.bars)
    made: Tasks = []
    for pairs in _pair_blocks(spec, grid.bars):
        made.append(Task(len(made), "walk", pairs, 0, grid.bars))
    if spec.scan:
        for low, high in months(grid):
            made.append(Task(len(made), "scan", (), low, high))
    return made


def months(grid: Grid) -> list[tuple[int, int]]:
    """First bar and the one after the last of each calendar month (UTC) with enough of them."""
    opens = grid.start_us + grid.step_us * np.arange(grid.bars, dtype=np.int64)
    month = opens.astype("datetime64[us]").astype("datetime64[M]")
    edges = [0, *(np.flatnonzero(month[1:] != month[:-1]) + 1).tolist(), grid.bars]
    return [(low, high) for low, high in pairwise(edges) if high - low >= LEAST_SCANNED]


def _pair_blocks(spec: ResearchSpec, bars: int) -> Iterator[tuple[tuple[int, int], ...]]:
    steps = bars * spec.settings * (1 + spec.null_runs)
    size = int(np.clip(_STEPS_A_TASK // steps, 1, _MOST_PAIRS))
    for tile in _tiles(len(spec.symbols)):
        for first in range(0, len(tile), size):
            yield tuple(tile[first : first + size])


def _tiles(symbols: int) -> Iterator[list[tuple[int, int]]]:
    """Pairs tile by tile of the square of symbols, the upper half of it."""
    groups = [range(low, min(low + TILE, symbols)) for low in range(0, symbols, TILE)]
    for place, rows in enumerate(groups):
        yield list(combinations(rows, 2))
        for columns in groups[place + 1 :]:
            yield [(row, column) for row in rows for column in columns]
