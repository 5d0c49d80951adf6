"""Which of a scan's discoveries are left once the volatility of their legs is allowed for.

Where p-values only grow, Benjamini and Hochberg's step-up can only reject fewer. A pair's p counts
as the larger of MacKinnon's and the wild bootstrap's, so the rows that decide are those that
MacKinnon's p alone would call discoveries. No other is drawn for.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.scanner.engine import Progress
from analytics.scanner.multiple_testing import benjamini_hochberg
from analytics.stationarity import LEAST_DRAWS, AutoLag, WildDraws, graded_pvalues

# For a row near the border of a discovery: the error of 199 would let the luckiest through.
MORE_DRAWS: Final = 1_999
# How far from the border more draws could still matter, as factors of it.
_NEAR: Final = (1e-2, 2.0)
# Rows beyond are no discoveries: they were not drawn for.
MOST_ROWS: Final = 1_000
# Rows after which a look is taken whether any still decides.
_BLOCK: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Pairs of a scan, a place each.

    Attributes
    ----------
    y, x
        Numbers of their legs.
    stats : ndarray, shape (2, pairs)
        Engle-Granger of y on x, and of x on y.
    max_lags
        Most lags tried.
    pvalue
        MacKinnon's for both orderings tried; NaN where there is none.
    """

    y: IntArray
    x: IntArray
    stats: FloatArray
    max_lags: IntArray
    pvalue: FloatArray


def wild_pvalues(
    values: FloatArray,
    rows: Rows,
    autolag: AutoLag | None,
    level: float,
    *,
    workers: int,
    progress: Progress | None = None,
) -> FloatArray:
    """p-values of the wild bootstrap for the rows that decide, best first; NaN for all others.

    Parameters
    ----------
    values : ndarray, shape (symbols, bars)
        NaN missing.
    rows, autolag
        What was tested, and how.
    level
        Of the discoveries.
    progress
        Called with rows done and rows in all, on the caller's thread; what it raises ends it.

    Returns
    -------
    ndarray, shape (pairs,)
        Twice the smaller of both orderings', at most 1; 1 for a row that would decide but was not
        drawn for: beyond `MOST_ROWS`, or after a block of which none is left.
    """
    pvalues = np.full(rows.pvalue.size, np.nan)
    deciding = deciding_rows(rows, level)
    if not deciding.size:
        return pvalues
    pvalues[deciding] = 1.0
    # Where so many were discoveries, none with a p above this is one.
    border = level * deciding.size / rows.pvalue.size
    draws = WildDraws.of(MORE_DRAWS, values.shape[1])
    draw = _Draw(values, rows, autolag, border, draws)
    done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="wild") as pool:
        for block in _blocks(deciding):
            for at, pvalue in _in_order(pool, draw, block):
                pvalues[at] = pvalue
                done += 1
                if progress is not None:
                    progress(done, deciding.size)
            if not (pvalues[block] <= border).any():
                break
    return pvalues


def deciding_rows(rows: Rows, level: float) -> IntArray:
    """Places of the discoveries by MacKinnon's p alone, the smallest p first."""
    qvalues = benjamini_hochberg(rows.pvalue)
    places = np.flatnonzero(qvalues < level)
    order = np.lexsort((rows.stats[0, places], rows.pvalue[places]))
    return places[order]


def _blocks(deciding: IntArray) -> Iterator[IntArray]:
    drawn_for = deciding[:MOST_ROWS]
    for begin in range(0, drawn_for.size, _BLOCK):
        yield drawn_for[begin : begin + _BLOCK]


def _in_order(
    pool: ThreadPoolExecutor, draw: "_Draw", block: IntArray
) -> Iterator[tuple[int, float]]:
    places = block.tolist()
    tasks = [pool.submit(draw.pvalue, at) for at in places]
    try:
        for at, task in zip(places, tasks, strict=True):
            yield at, task.result()
    finally:
        for task in tasks:
            task.cancel()


@dataclass(frozen=True, slots=True, eq=False)
class _Draw:
    """What a thread needs to draw for a row.

    All rows take a bar's sign from one place: pairs that share a leg stay dependent.
    """

    values: FloatArray
    rows: Rows
    autolag: AutoLag | None
    border: float
    draws: WildDraws

    def pvalue(self, at: int) -> float:
        """Twice the smaller of both orderings'; 1 where most draws have no answer."""
        pvalue = self._of(self.draws.first(LEAST_DRAWS), at)
        least, most = _NEAR
        if least * self.border <= pvalue <= most * self.border:
            pvalue = self._of(self.draws, at)
        return pvalue

    def _of(self, draws: WildDraws, at: int) -> float:
        y, x = self.values[self.rows.y[at]], self.values[self.rows.x[at]]
        drawn = draws.null_stats(y, x, int(self.rows.max_lags[at]), self.autolag)
        smaller = float(graded_pvalues(self.rows.stats[:, at], drawn).min())
        return 1.0 if np.isnan(smaller) else min(2.0 * smaller, 1.0)
