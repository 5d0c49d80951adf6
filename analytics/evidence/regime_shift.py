"""Cointegration with one break: Gregory-Hansen tests of a line whose level or slope may shift."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analytics.errors import ParameterError
from analytics.evidence.lagged import line_and_gap
from analytics.frames import FloatArray, IntArray
from analytics.hedge import Legs
from analytics.series import as_float_pair, index_of, series_name
from analytics.stationarity import adf_test, check_level

Shift = Literal["C", "C/T", "C/S"]
SHIFTS: Final[tuple[Shift, ...]] = get_args(Shift)

# Gregory & Hansen (1996), table 1, ADF* with one regressor.
CRITICAL_VALUES: Final[Mapping[Shift, Mapping[str, float]]] = {
    "C": {"1%": -5.13, "5%": -4.61, "10%": -4.34},
    "C/T": {"1%": -5.45, "5%": -4.99, "10%": -4.72},
    "C/S": {"1%": -5.47, "5%": -4.95, "10%": -4.68},
}
SHIFT_WORDS: Final[Mapping[Shift, str]] = {
    "C": "level",
    "C/T": "level, with a trend",
    "C/S": "level and slope",
}
_TRIMMED = 0.15
_MOST_BREAKS = 400
_MOST_LAGS = 10


@dataclass(frozen=True, slots=True)
class ShiftTest:
    """A Gregory-Hansen test: Engle-Granger with one break where it speaks most for a relation.

    Attributes
    ----------
    shift
        What may break: ``"C"`` the level, ``"C/T"`` the level, about a trend, ``"C/S"`` level and
        slope.
    stat
        Least t statistic of ADF on the residual over all break dates.
    critical_values
        At ``"1%"``, ``"5%"``, ``"10%"``: the published ones, of an infinite sample.
    time
        Index entry of the first bar after that break.
    breaks
        Break dates tried, evenly spaced over the middle 70 % of the bars, 400 at most.
    lags, nobs
        Lagged changes in ADF, the same at all dates; complete rows.
    """

    shift: Shift
    stat: float
    critical_values: Mapping[str, float]
    time: object
    breaks: int
    lags: int
    nobs: int
    null_hypothesis: str = "no line ties the two together, not even one that shifts once"
    reference: str = "Gregory & Hansen (1996), J. Econometrics 70, 99-126, table 1"

    def rejects(self, level: float) -> bool:
        """Whether it rejects; levels other than 1, 5 and 10 % take the next stricter value."""
        check_level(level)
        below = [float(name[:-1]) / 100 for name in self.critical_values]
        usable = [each for each in below if each <= level] or [min(below)]
        return self.stat < self.critical_values[f"{max(usable) * 100:g}%"]

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words whether a line with one break holds, and where it breaks."""
        if not self.rejects(level):
            return "no line holds, not even with one break"
        return f"a line holds that may have shifted once, likeliest at {self.time}"


def shift_test(
    y: pd.Series | FloatArray, x: pd.Series | FloatArray, shift: Shift = "C"
) -> ShiftTest:
    """Test for a cointegrating line of y on x that may shift once, at a date not known.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms; NaN is a missing bar.
    shift : {"C", "C/T", "C/S"}
        What may break.

    Returns
    -------
    ShiftTest
        H0: no cointegration, with or without a break. A rejection alone proves no break: a line
        that never shifts is found too.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Fewer than 50 complete rows; a constant leg, or an exact line.
    ParameterError, InvalidSeriesError
        Another `shift`; different lengths or times; infinite values.

    Notes
    -----
    One lag or more, by BIC on the residual of the line without a break, and the same at each date.
    Lags chosen at each date by AIC reject 13 to 14 % of unrelated walks of 120 bars at 5 %.
    """
    if shift not in SHIFTS:
        raise ParameterError("shift", shift, f"one of {', '.join(SHIFTS)}")
    names = series_name(y, "y"), series_name(x, "x")
    legs = Legs.of(*as_float_pair(y, x), index_of(y, x), *names)
    _, _, gap = line_and_gap(legs)
    lags = max(1, adf_test(gap, "n", _MOST_LAGS, "bic").lags)
    breaks = break_rows(legs.nobs)
    stats = []
    for residual in _residuals(legs.y, legs.x, breaks, shift):
        path = np.full(legs.known.size, np.nan)
        path[legs.known] = residual
        stats.append(adf_test(path, "n", lags, autolag=None).stat)
    place = int(np.argmin(stats))
    time = legs.index[np.flatnonzero(legs.known)[breaks[place]]]
    return ShiftTest(
        shift, stats[place], CRITICAL_VALUES[shift], time, breaks.size, lags, legs.nobs
    )


def break_rows(rows: int) -> IntArray:
    """Rows at which a break is tried, the first of the part after it."""
    first, last = int(_TRIMMED * rows), int((1.0 - _TRIMMED) * rows)
    return np.unique(np.linspace(first, last, min(_MOST_BREAKS, last - first + 1)).astype(np.int64))


def _residuals(
    y: FloatArray, x: FloatArray, breaks: IntArray, shift: Shift
) -> Iterator[FloatArray]:
    """Yield the residual of y for each break date.

    What does not change with the date is taken out first; what is left of the columns that do is
    known from sums over the bars after it (Frisch & Waugh).
    """
    rows = y.size
    steady, unit = [np.ones(rows), x - x.mean()], float(x.std())
    if shift == "C/T":
        steady.append(np.linspace(-1.0, 1.0, rows))
    q = np.linalg.qr(np.column_stack(steady))[0]
    left = y - q @ (q.T @ y)
    left -= q @ (q.T @ left)
    moving = np.ones((rows, 1))
    if shift == "C/S":
        moving = np.column_stack([np.ones(rows), (x - x.mean()) / unit])
    on_steady = _sums_after(moving[:, :, None] * q[:, None, :], breaks)
    squares = _sums_after(moving[:, :, None] * moving[:, None, :], breaks)
    squares -= on_steady @ on_steady.transpose(0, 2, 1)
    products = _sums_after(moving * left[:, None], breaks)
    slopes = (np.linalg.pinv(squares, hermitian=True) @ products[:, :, None])[:, :, 0]
    for row, slope, shared in zip(breaks.tolist(), slopes, on_steady, strict=True):
        residual = left + q @ (shared.T @ slope)
        residual[row:] -= moving[row:] @ slope
        yield residual


def _sums_after(terms: FloatArray, breaks: IntArray) -> FloatArray:
    """Sums of the terms from each break on."""
    totals = np.cumsum(terms[::-1], axis=0)[::-1]
    return np.asarray(totals[breaks])
