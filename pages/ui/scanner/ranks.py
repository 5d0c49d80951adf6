"""Places of pairs in a scan, and how far each went up since another: a few bytes a pair."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

Pair = frozenset[str]


@dataclass(frozen=True, eq=False)
class Places:
    """Place of each pair, from 1; 0 for what is no pair of the scan.

    Attributes
    ----------
    rows
        Row and column of each symbol.
    places
        By both symbols, in either order.
    """

    rows: dict[str, int]
    places: npt.NDArray[np.int32]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """Number the pairs of a scan's table as they stand there."""
        legs = np.concatenate([table[leg].to_numpy(dtype=object) for leg in ("y", "x")])
        codes, names = pd.factorize(legs)
        y, x = codes[: len(table)], codes[len(table) :]
        places = np.zeros((len(names), len(names)), dtype=np.int32)
        places[y, x] = places[x, y] = np.arange(1, len(table) + 1)
        return cls({str(name): row for row, name in enumerate(names)}, places)

    def place(self, pair: Pair) -> int:
        """Give the place of a pair."""
        rows = [self.rows[name] for name in pair if name in self.rows]
        return int(self.places[rows[0], rows[1]]) if len(rows) == len(pair) == 2 else 0

    def pairs(self) -> Iterator[Pair]:
        """Give each pair."""
        names = list(self.rows)
        for y, x in np.argwhere(np.triu(self.places)).tolist():
            yield frozenset((names[y], names[x]))


class Moves(Mapping[Pair, int]):
    """Places each pair went up from one scan to another, of pairs in both; negative for down."""

    def __init__(self, before: Places, now: Places) -> None:
        self._before, self._now = before, now

    def __getitem__(self, pair: Pair) -> int:
        """Give how far a pair went up; KeyError for one that is not in both."""
        before, now = self._before.place(pair), self._now.place(pair)
        if not (before and now):
            raise KeyError(pair)
        return before - now

    def __iter__(self) -> Iterator[Pair]:
        """Give the pairs in both."""
        return (pair for pair in self._now.pairs() if self._before.place(pair))

    def __len__(self) -> int:
        """Count them."""
        return sum(1 for _ in self)
