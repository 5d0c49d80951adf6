"""What a spread's memory is likely to be: its estimate reads short, so quantiles are inverted."""

from collections.abc import Callable
from typing import Final

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.stationarity.memory_table import DISTANCES, SIZES, T_QUANTILES

# The table's levels: 2.5 % gives the slow end, 50 % the middle, 97.5 % the fast end.
_NORMAL: Final = np.array([-1.959963984540054, 0.0, 1.959963984540054])
# Far from a random walk t is nearly normal; what is left of its shift shrinks as distance^(-1/2).
_FAR: Final = DISTANCES[-1] * 2.0 ** np.arange(1, 16)
_NODES: Final = np.r_[DISTANCES, _FAR]


def with_far_nodes(quantiles: FloatArray) -> FloatArray:
    """Add distances beyond those simulated to quantiles of shape (..., 3, sizes, distances)."""
    normal = _NORMAL[:, np.newaxis, np.newaxis]
    shift = quantiles[..., -1:] - normal
    return np.concatenate([quantiles, normal + shift * np.sqrt(DISTANCES[-1] / _FAR)], axis=-1)


_TABLE: Final = with_far_nodes(T_QUANTILES)


def unbiased_thetas(
    theta: FloatArray, stderr: FloatArray, bars: IntArray, on_estimated_line: bool
) -> FloatArray:
    """95 % interval and median-unbiased value of theta in Δs = c + theta * s.

    The interval holds every theta under which the t statistic of the estimate, about that theta,
    lies between its own 2.5 % and 97.5 % quantiles, as simulated for so many bars: valid near a
    random walk as well as far from it.

    Parameters
    ----------
    theta, stderr : ndarray, shape (n,)
        Least-squares estimates per bar and their standard errors; NaN gives NaN.
    bars : ndarray of int, shape (n,)
        Known bars of each spread; below 25 with the quantiles of 25.
    on_estimated_line : bool
        Whether the spread is the residual of a line fitted to the same bars, which leaves it less
        memory than a spread whose beta was given.

    Returns
    -------
    ndarray, shape (3, n)
        Slow end, middle, fast end; 0 where even a random walk would do.

    References
    ----------
    Andrews (1993), Econometrica 61, 139-165: median-unbiased estimates; Hansen (1999), Rev. Econ.
    Stat. 81, 594-607: by t statistics; Mikusheva (2007), Econometrica 75, 1411-1452.
    """
    return invert_quantiles(theta, stderr, bars, _TABLE[int(on_estimated_line)], SIZES)


def invert_quantiles(
    theta: FloatArray, stderr: FloatArray, bars: IntArray, table: FloatArray, sizes: FloatArray
) -> FloatArray:
    """Do what `unbiased_thetas` does by a table of its own.

    Parameters
    ----------
    theta, stderr, bars
        As there.
    table : ndarray, shape (3, sizes, nodes)
        As `with_far_nodes` gives it.
    sizes : ndarray
        Bars of its rows, ascending, two or more.
    """
    size = np.maximum(bars, 1)
    place = np.interp(1.0 / size, 1.0 / sizes[::-1], np.arange(sizes.size)[::-1])
    below = np.minimum(place.astype(np.int64), sizes.size - 2)
    share = place - below
    level = np.arange(3)[:, np.newaxis]

    def gap(node: IntArray) -> FloatArray:
        """Observed less tabulated quantile at a node, shape (3, tests)."""
        quantile = (1.0 - share) * table[level, below, node] + share * table[level, below + 1, node]
        wide: FloatArray = (theta + _NODES[node] / size) / stderr - quantile
        return wide

    found: FloatArray = -_first_zero(gap, (3, theta.size)) / size
    found[:, np.isnan(theta) | np.isnan(stderr)] = np.nan
    return found


def halvings(theta: FloatArray) -> FloatArray:
    """Bars in which half of a deviation is gone, ln 2 / -theta; NaN where it does not shrink."""
    bars = np.full(theta.size, np.nan)
    np.divide(np.log(2.0), -theta, out=bars, where=theta < 0)
    return bars


def _first_zero(gap: Callable[[IntArray], FloatArray], shape: tuple[int, int]) -> FloatArray:
    """Distance at which the gap, which grows with it, is 0: between two nodes on a line."""
    low, high = np.zeros(shape, dtype=np.int64), np.full(shape, _NODES.size - 1)
    for _ in range(int(_NODES.size - 1).bit_length()):
        middle = (low + high) // 2
        is_below = gap(middle) < 0
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    low = np.minimum(low, _NODES.size - 2)
    at_low, at_high = gap(low), gap(low + 1)
    step = np.clip(-at_low / (at_high - at_low), 0.0, 1.0)
    between: FloatArray = _NODES[low] + step * (_NODES[low + 1] - _NODES[low])
    return between
