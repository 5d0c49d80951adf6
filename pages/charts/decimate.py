"""Fewer points for the screen: extremes and gaps are kept, nothing is averaged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 2_000


def decimate(
    series: Sequence[NDArray[np.floating]], max_points: int = MAX_POINTS
) -> NDArray[np.int64]:
    """Choose the rows to draw: in each bucket the lowest and highest of every series.

    One choice serves all series, so that their points share their times and a unified hover
    finds them together. The first row of every missing stretch inside a bucket is kept too,
    so that a gap stays a gap.

    Parameters
    ----------
    series
        Arrays of one length, NaN where not known.
    max_points
        Up to this length every row is kept. Above it about this many are.

    Returns
    -------
    numpy.ndarray
        Row numbers, ascending, with the first and the last row among them.
    """
    length = len(series[0])
    if length <= max_points:
        return np.arange(length)
    buckets = max(1, max_points // (2 * len(series)))
    edges = np.linspace(0, length, buckets + 1).astype(np.int64)
    chosen = [np.array([0, length - 1])]
    for values in series:
        chosen.append(_extremes(values, edges))
        chosen.append(_gap_starts(values)[: max_points // (2 * len(series))])
    return np.unique(np.concatenate(chosen))


def _extremes(values: NDArray[np.floating], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers of the lowest and highest known value between each two edges."""
    starts = edges[:-1]
    owner = np.repeat(np.arange(len(starts)), np.diff(edges))
    low = np.where(np.isnan(values), np.inf, values)
    high = np.where(np.isnan(values), -np.inf, values)
    is_low = low == np.minimum.reduceat(low, starts)[owner]
    is_high = high == np.maximum.reduceat(high, starts)[owner]
    first_low = np.unique(owner[is_low], return_index=True)[1]
    first_high = np.unique(owner[is_high], return_index=True)[1]
    rows = [np.flatnonzero(is_low)[first_low], np.flatnonzero(is_high)[first_high]]
    return np.concatenate(rows)


def _gap_starts(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Row numbers where a known value is followed by a missing one: the missing one."""
    missing = np.isnan(values)
    return np.flatnonzero(missing[1:] & ~missing[:-1]) + 1
