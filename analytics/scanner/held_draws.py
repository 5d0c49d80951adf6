"""Residuals drawn without a return, many at once: what their Dickey-Fuller statistics are then.

All residuals of the same bars take their signs from one place, so that a product of a drawn path's
changes is one of the residual's own with signs that all share: a matrix product a lag gives those
of all residuals and draws.
"""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner.moments import affordable_lags, known_rows, stretches
from analytics.stationarity import AUTO_LAGS, WildDraws

# Residuals whose draws are held at once: so many, or so many changes of them.
_MOST_RESIDUALS: Final = 64
_MOST_CHANGES: Final = 1 << 18
# Ends of drawn paths that are held at once, of each kind.
_MOST_ENDS: Final = 1_000_000
# Bars whose signs are multiplied at once.
_BARS_AT_ONCE: Final = 1_024


def batches(residuals: FloatArray, draws: WildDraws) -> list[IntArray]:
    """Numbers of residuals, shape (residuals, bars), that miss the same bars, few at once."""
    by_mask: dict[bytes, list[int]] = {}
    for number, known in enumerate(~np.isnan(residuals)):
        by_mask.setdefault(known.tobytes(), []).append(number)
    groups = (np.array(members, dtype=np.int64) for members in by_mask.values())
    return [
        members[begin : begin + size]
        for members in groups
        for size in (_at_once(~np.isnan(residuals[members[0]]), draws),)
        for begin in range(0, members.size, size)
    ]


def null_stats(residuals: FloatArray, draws: WildDraws) -> FloatArray:
    """ADF statistics, with a constant, of residuals drawn without a return.

    Their changes keep their size and take a new sign, that of both legs (`WildDraws`); lags by AIC,
    through the same lanes as the residuals were tested by.

    Parameters
    ----------
    residuals : ndarray, shape (residuals, bars)
        NaN missing, for all of them at the same bars.

    Returns
    -------
    ndarray, shape (residuals, draws)
        NaN for a draw that would lose digits.

    References
    ----------
    Cavaliere & Taylor (2008), Econometric Theory 24, 43-71: of a single series.
    """
    from analytics.kernels.scan_lanes import (  # noqa: PLC0415 - numba, when needed
        RESULTS,
        STAT,
        test_items,
    )
    from analytics.kernels.wild_paths import walk_draws  # noqa: PLC0415 - as above

    known = ~np.isnan(residuals[0])
    starts, lags = _shape(known)
    levels = np.ascontiguousarray(residuals[:, known])
    changes = np.diff(levels, axis=1, prepend=levels[:, :1])
    signs = np.ascontiguousarray(draws.signs[:, known].T)
    count = len(residuals) * signs.shape[1]
    first, last = np.zeros((2, starts.size - 1, lags + 2, count))
    squares = np.empty(count)
    walk_draws(changes, signs, starts, first, last, squares)
    dots = _dots(changes, signs, known_rows(starts, lags), lags)
    out = np.full((count, RESULTS), np.nan)
    criterion = AUTO_LAGS.index("aic")
    steps = np.repeat(np.diff(starts)[:, np.newaxis] - 1, count, axis=1)
    test_items(first, last, steps, dots, squares, np.arange(count), 1, criterion, False, out)
    return out[:, STAT].reshape(len(residuals), -1)


def _dots(changes: FloatArray, signs: np.ndarray, rows: IntArray, lags: int) -> FloatArray:
    """Products of the drawn changes at lag 0 .. lags, shape (lags + 1, residuals * draws)."""
    dots = np.zeros((lags + 1, len(changes), signs.shape[1]))
    for begin in range(0, rows.size, _BARS_AT_ONCE):
        # A row's difference is the change into the bar after it.
        at = rows[begin : begin + _BARS_AT_ONCE] + 1
        change, sign = changes[:, at], signs[at]
        for lag in range(lags + 1):
            both_signs = (sign * signs[at - lag]).astype(np.float64)
            dots[lag] += (change * changes[:, at - lag]) @ both_signs
    return dots.reshape(lags + 1, -1)


def _at_once(known: BoolArray, draws: WildDraws) -> int:
    starts, lags = _shape(known)
    ends = (starts.size - 1) * (lags + 2) * len(draws.signs)
    most = min(_MOST_CHANGES // max(int(starts[-1]), 1), _MOST_ENDS // max(ends, 1))
    return max(1, min(_MOST_RESIDUALS, most))


def _shape(known: BoolArray) -> tuple[IntArray, int]:
    """Where stretches begin among the known bars, and the most lags."""
    starts = stretches(np.flatnonzero(known))
    return starts, affordable_lags(starts, "c")
