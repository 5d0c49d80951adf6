"""The Dickey-Fuller regression: all lag lengths from one triangular factor, refitted at the best.

The augmented regression of lag p is a leading block of that of lag P > p, so one Cholesky factor of
[trend | level | lag 1 .. lag P | difference] holds the sum of squares of every p. Where that factor
would lose digits (nearly flat or nearly collinear columns), a QR of the same rows takes its place.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, IntArray

Trend = Literal["n", "c", "ct", "ctt"]
AutoLag = Literal["aic", "bic", "t-stat"]

TRENDS: Final[tuple[Trend, ...]] = get_args(Trend)
AUTO_LAGS: Final[tuple[AutoLag, ...]] = get_args(AutoLag)
TREND_TERMS: Final[dict[str, int]] = {"n": 0, "c": 1, "ct": 2, "ctt": 3}

# MacKinnon's response surfaces were fitted from 20 observations upwards.
MIN_FREE = 20

_EPS = float(np.finfo(np.float64).eps)
# Rounding of the differences of numbers of size 1.
NOISE: Final = 16 * _EPS
# One-sided 5 % point of the normal distribution, as statsmodels' "t-stat" rule uses it.
_T_STOP = 1.6448536269514722
# A scaled pivot is the share of a column's square that earlier columns leave: below this the
# squared condition number costs more than the 8 digits promised.
_MIN_PIVOT_SQUARE = 1e-6
_DEPENDENT = 1e-10
_BLOCK_ROWS = 8192
# More stretches between missing bars than this are summed in blocks instead of one by one.
_MAX_STRETCHES = 32
# A piece more costs as much as the rows around it.
MOST_JOINS: Final = 100


@dataclass(frozen=True, slots=True)
class DickeyFullerFit:
    """Coefficient of the lagged level in the augmented regression, and its t statistic."""

    stat: float
    coefficient: float
    stderr: float
    lags: int
    nobs: int
    max_lags: int
    residual_std: float


@dataclass(frozen=True, slots=True)
class _Regression:
    """Differences, the level before each, and how many known differences end at each."""

    level: FloatArray
    difference: FloatArray
    run: IntArray
    trend_terms: int

    def rows(self, lags: int) -> IntArray:
        """Rows whose difference and `lags` differences before it are all known."""
        return np.flatnonzero(self.run > lags)

    def trend(self, rows: IntArray) -> FloatArray:
        """Constant, line and parabola over the span, of size about 1."""
        place = 2.0 * rows / max(self.run.size - 1, 1) - 1.0
        powers: FloatArray = place[:, np.newaxis] ** np.arange(self.trend_terms)
        return powers

    def blocks(self, lags: int, *, level_last: bool) -> Iterator[FloatArray]:
        """Yield [trend | level | lags | difference], or with the level after the lags."""
        rows = self.rows(lags)
        k = self.trend_terms
        level_at, lag_at = (k + lags, k) if level_last else (k, k + 1)
        for start in range(0, rows.size, _BLOCK_ROWS):
            part = rows[start : start + _BLOCK_ROWS]
            block = np.empty((part.size, k + lags + 2), order="F")
            if k:
                block[:, :k] = self.trend(part)
            block[:, level_at] = self.level[part]
            for lag in range(1, lags + 1):
                block[:, lag_at + lag - 1] = self.difference[part - lag]
            block[:, -1] = self.difference[part]
            yield block


def check_trend(trend: str) -> Trend:
    """Return the trend; ParameterError for one not known."""
    for known in TRENDS:
        if trend == known:
            return known
    raise ParameterError("trend", trend, f"one of {', '.join(TRENDS)}")


def check_autolag(autolag: str | None) -> AutoLag | None:
    """Return the criterion in lower case; ParameterError for one not known."""
    if autolag is None:
        return None
    for known in AUTO_LAGS:
        if isinstance(autolag, str) and autolag.lower() == known:
            return known
    raise ParameterError("autolag", autolag, f"one of {', '.join(AUTO_LAGS)} or None")


def min_bars(trend: Trend, max_lags: int | None = None) -> int:
    """Bars needed for 20 free observations without lags, and for the lags asked for."""
    terms = TREND_TERMS[trend]
    needed = MIN_FREE + terms + 2
    return needed if max_lags is None else max(needed, 2 * (max_lags + terms + 1))


def dickey_fuller(
    values: FloatArray,
    trend: Trend,
    max_lags: int | None,
    autolag: AutoLag | None,
    what: str,
) -> DickeyFullerFit:
    """Fit Δv(t) = trend + γ·v(t-1) + Σ δ(j)·Δv(t-j), and take the t statistic of γ.

    NaN is a missing bar: rows of the regression that would reach over one are left out, so nothing
    is joined across a hole. Then automatic `max_lags` shrinks until half of the rows remain.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError
        With `what` in the message.
    """
    # One NaN makes the least value NaN.
    has_holes = values.size > 0 and np.isnan(values.min())
    known = values[~np.isnan(values)] if has_holes else values
    bars = known.size
    _check_max_lags(max_lags)
    if bars < min_bars(trend, max_lags):
        raise NotEnoughDataError(what, min_bars(trend, max_lags), bars)
    least, most = float(known.min()), float(known.max())
    size = max(abs(least), abs(most))
    if most - least <= NOISE * size:
        raise DegenerateSeriesError(what, f"the series is constant over {bars} bars")
    # A constant in the regression makes its level arbitrary: near zero no digits are lost.
    level = values if trend == "n" else values - known.mean()
    if bars == values.size:
        quick = _unbroken_fit(level, trend, max_lags, autolag, NOISE * size)
        if quick is not None:
            return quick
    elif TREND_TERMS[trend] <= 1:
        quick = _joined_fit(level, trend, max_lags, autolag, NOISE * size)
        if quick is not None:
            return quick
    regression = _regression(level, trend)
    if max_lags is None:
        max_lags = _affordable_lags(regression, schwert_max_lags(bars, trend))
    lags = max_lags
    if autolag is not None and max_lags > 0:
        lags = _best_lag(regression, max_lags, autolag, what)
    return _fit_at(regression, lags, max_lags, NOISE * size, what)


def _unbroken_fit(
    level: FloatArray, trend: Trend, max_lags: int | None, autolag: AutoLag | None, noise: float
) -> DickeyFullerFit | None:
    """Fit a series without missing bars in compiled code; None where it would lose digits."""
    from analytics.kernels.adf import FIT_SIZE, fit_unbroken  # noqa: PLC0415 - numba, when needed

    most = schwert_max_lags(level.size, trend) if max_lags is None else int(max_lags)
    criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
    figures = np.empty(FIT_SIZE)
    lags = fit_unbroken(level, TREND_TERMS[trend], most, criterion, figures)
    if lags < 0:
        return None
    nobs = level.size - 1 - lags
    stat, coefficient, stderr, rest = figures.tolist()
    if rest <= noise * math.sqrt(nobs):
        return None
    residual_std = rest / math.sqrt(nobs - TREND_TERMS[trend] - 1 - lags)
    return DickeyFullerFit(stat, coefficient, stderr, lags, nobs, most, residual_std)


def _joined_fit(
    level: FloatArray, trend: Trend, max_lags: int | None, autolag: AutoLag | None, noise: float
) -> DickeyFullerFit | None:
    """Do the same with missing bars; None too where there are many of them."""
    from analytics.kernels.adf import FIT_SIZE, fit_joined, rows_over  # noqa: PLC0415 - numba

    at = np.flatnonzero(~np.isnan(level))
    joins, values = joins_of(at), level[at]
    if joins.size > MOST_JOINS:
        return None
    most = lags_between(joins, values.size, trend) if max_lags is None else int(max_lags)
    criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
    figures = np.empty(FIT_SIZE)
    if values.size - 1 <= most:
        return None
    lags = fit_joined(values, joins, TREND_TERMS[trend], most, criterion, figures)
    if lags < 0:
        return None
    changes = values.size - 1
    nobs = changes - lags - rows_over(joins, lags, changes)
    stat, coefficient, stderr, rest = figures.tolist()
    if rest <= noise * math.sqrt(nobs):
        return None
    residual_std = rest / math.sqrt(nobs - TREND_TERMS[trend] - 1 - lags)
    return DickeyFullerFit(stat, coefficient, stderr, lags, nobs, most, residual_std)


def joins_of(known: IntArray) -> IntArray:
    """Number the changes from one known bar to the next that reach over missing ones."""
    return np.flatnonzero(np.diff(known) > 1)


def lags_between(joins: IntArray, bars: int, trend: Trend) -> int:
    """Shrink Schwert's greatest lag until half of the rows survive the missing bars."""
    from analytics.kernels.adf import rows_over  # noqa: PLC0415 - numba, when needed

    def rows(lags: int) -> int:
        """Rows of the regression that so many lags leave, none over a join."""
        return bars - 1 - lags - rows_over(joins, lags, bars - 1)

    lags, half = schwert_max_lags(bars, trend), rows(0) / 2
    while lags > 0 and rows(lags) < half:
        lags -= 1
    return lags


def schwert_max_lags(bars: int, trend: Trend) -> int:
    """Greatest lag length tried: ceil(12 (n/100)^(1/4)), bounded as statsmodels bounds it."""
    return max(
        0,
        min(
            bars // 2 - TREND_TERMS[trend] - 1,
            math.ceil(12.0 * float(np.power(bars / 100.0, 0.25))),
        ),
    )


def _check_max_lags(max_lags: int | None) -> None:
    if max_lags is not None and (
        isinstance(max_lags, bool) or not isinstance(max_lags, int | np.integer) or max_lags < 0
    ):
        raise ParameterError("max_lags", max_lags, "a whole number, 0 or more, or None")


def _regression(level: FloatArray, trend: Trend) -> _Regression:
    difference = np.diff(level)
    known = ~np.isnan(difference)
    count = np.cumsum(known)
    run = count - np.maximum.accumulate(np.where(known, 0, count))
    return _Regression(level[:-1], difference, run, TREND_TERMS[trend])


def _affordable_lags(regression: _Regression, max_lags: int) -> int:
    """Shrink the greatest lag until at least half of the rows survive the missing bars."""
    half = regression.rows(0).size / 2
    while max_lags > 0 and regression.rows(max_lags).size < half:
        max_lags -= 1
    return max_lags


def _check_free(regression: _Regression, lags: int, what: str) -> int:
    """Count the rows of the regression; NotEnoughDataError when none would be left free."""
    rows = int(regression.rows(lags).size)
    columns = regression.trend_terms + 1 + lags
    if rows <= columns:
        raise NotEnoughDataError(
            f"{what} with {lags} lags and no hole between them", columns + 1, rows, "rows"
        )
    return rows


def _gram(regression: _Regression, lags: int) -> FloatArray:
    """Sum the products of [trend | level | lags | difference], stretch by stretch of known rows."""
    rows = regression.rows(lags)
    stretches = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    if len(stretches) > _MAX_STRETCHES:
        blocks = regression.blocks(lags, level_last=False)
        grams = (block.T @ block for block in blocks)
    else:
        grams = (_stretch_gram(regression, stretch, lags) for stretch in stretches)
    columns = regression.trend_terms + lags + 2
    return sum(grams, np.zeros((columns, columns)))


def _stretch_gram(regression: _Regression, rows: IntArray, lags: int) -> FloatArray:
    """Sum the products over one unbroken stretch of rows, in O(rows * lags).

    The block of the lags is nearly Toeplitz: each entry is its upper left neighbour plus the term
    that enters at the start and less the one that leaves at the end. einsum, since threaded BLAS
    takes ten times longer when the processor is busy.
    """
    start, stop = int(rows[0]), int(rows[-1]) + 1
    change = regression.difference
    lagged = [change[start - lag : stop - lag] for lag in range(lags + 1)]
    fixed = [*regression.trend(rows).T, regression.level[rows]]
    k = len(fixed)
    # Here the difference stands before the lags, as lag 0.
    gram = np.zeros((k + lags + 1, k + lags + 1))
    for i, column in enumerate(fixed):
        gram[i, i:] = [np.einsum("i,i->", column, other) for other in (*fixed[i:], *lagged)]
    toeplitz = gram[k:, k:]
    toeplitz[0] = [np.einsum("i,i->", lagged[0], other) for other in lagged]
    entering = change[start - lags : start][::-1]
    leaving = change[stop - lags : stop][::-1]
    for lag in range(lags):
        ends = entering[lag] * entering[lag:] - leaving[lag] * leaving[lag:]
        toeplitz[lag + 1, lag + 1 :] = toeplitz[lag, lag:-1] + ends
    gram = np.triu(gram) + np.triu(gram, 1).T
    order = np.r_[0:k, k + 1 : k + lags + 1, k]
    ordered: FloatArray = gram[np.ix_(order, order)]
    return ordered


def _factor(regression: _Regression, lags: int, *, level_last: bool) -> FloatArray:
    """Upper triangular factor of the design, by Cholesky where that keeps the digits, else QR."""
    gram = _gram(regression, lags)
    if level_last:
        k = regression.trend_terms
        order = np.r_[0:k, k + 1 : k + lags + 1, k, k + lags + 1]
        gram = gram[np.ix_(order, order)]
    length = np.sqrt(np.maximum(np.diag(gram), 0.0))
    length[length == 0] = 1.0
    try:
        factor: FloatArray = np.linalg.cholesky(gram / np.outer(length, length)).T
    except np.linalg.LinAlgError:
        return _qr_factor(regression, lags, level_last=level_last)
    if float(np.diag(factor).min()) ** 2 < _MIN_PIVOT_SQUARE:
        return _qr_factor(regression, lags, level_last=level_last)
    return factor * length


def _qr_factor(regression: _Regression, lags: int, *, level_last: bool) -> FloatArray:
    """Compute the same factor by QR, some rows at a time, with a positive diagonal."""
    factor = np.empty((0, regression.trend_terms + lags + 2))
    for block in regression.blocks(lags, level_last=level_last):
        # The cast: numpy's types do not tell that mode "r" returns the factor alone.
        factor = cast("FloatArray", np.linalg.qr(np.vstack([factor, block]), mode="r"))
    return factor * np.where(np.diag(factor) < 0, -1.0, 1.0)[:, np.newaxis]


def _dependent(factor: FloatArray) -> IntArray:
    """Positions of the regressors that the ones before them reproduce."""
    lengths = np.sqrt(np.einsum("ij,ij->j", factor, factor))
    return np.flatnonzero(np.diag(factor)[:-1] <= _DEPENDENT * lengths[:-1])


def _best_lag(regression: _Regression, max_lags: int, autolag: AutoLag, what: str) -> int:
    """Choose the lag length on the rows common to all, smallest first among equals."""
    nobs = _check_free(regression, max_lags, what)
    factor = _factor(regression, max_lags, level_last=False)
    first_lag = regression.trend_terms + 1
    dependent = _dependent(factor)
    if dependent.size:
        # From the first dependent lag on, a longer model adds no information.
        max_lags = max(0, int(dependent[0]) - first_lag)
    effects = factor[:, -1] ** 2
    lags = np.arange(max_lags + 1)
    tail = np.cumsum(effects[::-1])[::-1]
    ssr = tail[first_lag + lags]
    if ssr[-1] == 0:
        raise DegenerateSeriesError(what, "the series is reproduced exactly by its own past")
    if autolag == "t-stat":
        free = nobs - first_lag - lags
        t_squares = effects[first_lag + lags[1:] - 1] * free[1:] / ssr[1:]
        significant = np.flatnonzero(t_squares >= _T_STOP**2)
        return int(significant[-1]) + 1 if significant.size else 0
    penalty = 2.0 if autolag == "aic" else math.log(nobs)
    return int(np.argmin(nobs * np.log(ssr) + penalty * lags))


def _fit_at(
    regression: _Regression, lags: int, max_lags: int, noise: float, what: str
) -> DickeyFullerFit:
    """Refit with all rows the chosen lag allows; the level stands last, so its t is a quotient."""
    nobs = _check_free(regression, lags, what)
    factor = _factor(regression, lags, level_last=True)
    rest = float(factor[-1, -1])
    if rest <= noise * math.sqrt(nobs):
        raise DegenerateSeriesError(what, "the series is reproduced exactly by its own past")
    if _dependent(factor).size:
        raise DegenerateSeriesError(
            what, f"the level and {lags} lags of its change do not vary independently"
        )
    pivot, effect = float(factor[-2, -2]), float(factor[-2, -1])
    free = nobs - regression.trend_terms - 1 - lags
    residual_std = rest / math.sqrt(free)
    return DickeyFullerFit(
        stat=effect / residual_std,
        coefficient=effect / pivot,
        stderr=residual_std / pivot,
        lags=lags,
        nobs=nobs,
        max_lags=max_lags,
        residual_std=residual_std,
    )
