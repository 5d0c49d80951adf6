"""Whether a spread returns alike from either side: the momentum threshold model (M-TAR)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError
from analytics.evidence.lagged import complete, lagged, lags_by_bic, line_and_gap
from analytics.frames import FloatArray, IntArray
from analytics.hedge import Legs
from analytics.series import as_float_pair, index_of, series_name
from analytics.stationarity import check_level

DRAWS: Final = 399
_MOST_LAGS = 10
_TRIMMED = 0.15
_SEED = 20240808
_CHUNK = 50
_MOST_SPLITS = 1_500
PHI_SHARES: Final = (0.5, 0.25, 0.10, 0.05, 0.025, 0.01, 0.005, 0.001)
# Upper quantiles of phi on two unrelated walks, a row a number of bars: regression values of
# 40,000 pairs by statistics_leg_gives_way.py --quantiles, the 5 % point to within 0.1.
PHI_QUANTILES: Final[Mapping[int, tuple[float, ...]]] = {
    80: (3.82, 5.322, 7.016, 8.199, 9.339, 10.792, 11.808, 14.488),
    200: (3.917, 5.393, 7.014, 8.139, 9.22, 10.611, 11.606, 13.641),
    500: (3.982, 5.442, 7.055, 8.141, 9.23, 10.508, 11.498, 14.167),
    2_000: (4.052, 5.528, 7.133, 8.208, 9.234, 10.5, 11.504, 13.677),
}


@dataclass(frozen=True, slots=True)
class MomentumTest:
    """M-TAR: a gap that closes at one speed while it falls and at another while it rises.

    Attributes
    ----------
    rising, falling
        Share of the gap closed in a bar after a change of the gap at or above the threshold, and
        below it.
    threshold
        Of the gap's last change, its unit: where the squared residuals are least (Chan 1993), of
        1,500 at most in the middle 70 %.
    phi, phi_pvalue, phi_critical
        F of both speeds 0: H0 is no cointegration. p-values outside 0.001 to 0.5 are given as that
        bound.
    symmetry, symmetry_pvalue
        F of equal speeds at that threshold, with a wild-bootstrap p-value: the F tables do not
        allow for a threshold that was searched for.
    lags, nobs
        Lagged changes, and rows used.
    """

    rising: float
    falling: float
    threshold: float
    phi: float
    phi_pvalue: float
    phi_critical: Mapping[str, float]
    symmetry: float
    symmetry_pvalue: float
    lags: int
    nobs: int
    null_hypothesis: str = "no fixed ratio keeps the two together, at either speed"
    reference: str = (
        "Enders & Siklos (2001), J. Business & Economic Statistics 19, 166-176; threshold Chan "
        "(1993), Annals of Statistics 21, 520-533; p-value of symmetry Hansen (1996), Econometrica "
        "64, 413-430"
    )

    def rejects(self, level: float) -> bool:
        """Whether phi rejects no cointegration."""
        check_level(level)
        return self.phi_pvalue < level

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words whether the gap closes, and whether alike from either side."""
        if not self.rejects(level):
            return "no evidence of cointegration, at two speeds either"
        if not self.symmetry_pvalue < level:
            return "the gap closes; no difference of speed shows"
        quicker = "rises" if self.rising > self.falling else "falls"
        return f"the gap closes faster while it {quicker}"


@dataclass(frozen=True, slots=True)
class _Search:
    """Rows in the order of the gap's last change, and where they may be split.

    `basis` spans the steady columns, `shared` is its product with the part below each split, and
    `squares` what the steady columns leave of that part (Frisch & Waugh).
    """

    level: FloatArray
    momentum: FloatArray
    basis: FloatArray
    splits: IntArray
    shared: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, level: FloatArray, momentum: FloatArray, past: FloatArray) -> "_Search":
        """Find the splits, and what is the same for every response."""
        basis = np.linalg.qr(np.column_stack([level, past]))[0]
        rows = level.size
        places = np.arange(max(1, int(_TRIMMED * rows)), int((1.0 - _TRIMMED) * rows) + 1)
        # Carried prices give many equal changes: a threshold cannot part them.
        splits = places[momentum[places - 1] < momentum[places]]
        if splits.size > _MOST_SPLITS:
            splits = splits[np.linspace(0, splits.size - 1, _MOST_SPLITS).astype(np.int64)]
        shared = np.cumsum(level[:, None] * basis, axis=0)[splits - 1]
        squares = np.cumsum(level**2)[splits - 1] - np.einsum("ij,ij->i", shared, shared)
        return cls(level, momentum, basis, splits, shared, np.where(squares > 0, squares, np.inf))

    def gains(self, products: FloatArray) -> FloatArray:
        """Squares that each split explains, of its products with what the steady columns leave."""
        return np.asarray(products**2 / self.squares)


def momentum_test(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    *,
    lags: int | None = None,
    draws: int = DRAWS,
) -> MomentumTest:
    """Test whether y - alpha - beta x returns, at one speed while rising and another while falling.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms; NaN is a missing bar: rows whose changes reach over one are left
        out.
    lags : int, optional
        Lagged changes of the gap; by default 1 to 10 by BIC.
    draws : int
        Bootstrap samples for the p-value of symmetry; 0 leaves it NaN.

    Returns
    -------
    MomentumTest

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Fewer than 50 complete rows, or too few beside the lags; a constant leg, an exact line, or a
        gap whose changes do not differ.
    InvalidSeriesError
        Different lengths or times; infinite values.
    """
    names = series_name(y, "y"), series_name(x, "x")
    legs = Legs.of(*as_float_pair(y, x), index_of(y, x), *names)
    _, _, gap = line_and_gap(legs)
    what = f"M-TAR of {names[0]} and {names[1]}"
    change = np.diff(gap)[:, None]
    if lags is None:
        moved, level, past = complete(what, change, gap[:-1], lagged(change, _MOST_LAGS))
        lags = max(1, lags_by_bic(moved, level, past))
    moved, level, past = complete(what, change, gap[:-1], lagged(change, lags))
    order = np.argsort(past[:, 0], kind="stable")
    search = _Search.of(level[order, 0], past[order, 0], past[order])
    if not search.splits.size:
        raise DegenerateSeriesError(what, "the changes of the gap do not differ")
    return _fit(search, moved[order, 0], past[order], lags, draws)


def _fit(
    search: _Search, moved: FloatArray, past: FloatArray, lags: int, draws: int
) -> MomentumTest:
    rows, left = moved.size, moved - search.basis @ (search.basis.T @ moved)
    gains = search.gains(np.cumsum(search.level * left)[search.splits - 1])
    place = int(np.argmax(gains))
    split, free = int(search.splits[place]), rows - 2 - lags
    squares = float(left @ left - gains[place])
    past_basis = np.linalg.qr(past)[0]
    without = moved - past_basis @ (past_basis.T @ moved)
    phi = float(without @ without - squares) / 2.0 / (squares / free)
    symmetry = gains[place] / (squares / free)
    is_below = np.arange(rows) < split
    sides = np.column_stack([search.level * is_below, search.level * ~is_below, past])
    coefficients = np.linalg.lstsq(sides, moved, rcond=None)[0]
    pvalue, critical = phi_distribution(phi, rows + lags + 1)
    errors = moved - sides @ coefficients
    return MomentumTest(
        rising=-float(coefficients[1]),
        falling=-float(coefficients[0]),
        threshold=float(search.momentum[split]),
        phi=phi,
        phi_pvalue=pvalue,
        phi_critical=critical,
        symmetry=float(symmetry),
        symmetry_pvalue=_symmetry_pvalue(search, errors, symmetry, free, draws),
        lags=lags,
        nobs=rows,
    )


def _symmetry_pvalue(
    search: _Search, errors: FloatArray, stat: float, free: int, draws: int
) -> float:
    """Share of samples of equal speed, these errors with random signs, whose best F is as large."""
    rng = np.random.default_rng(_SEED)
    last, starts = search.splits[-1], np.r_[0, search.splits[:-1]]
    steady, below = search.basis * errors[:, None], search.level[:last] * errors[:last]
    squares, larger = float(errors @ errors), 0
    for start in range(0, draws, _CHUNK):
        count = min(_CHUNK, draws - start)
        signs = 2.0 * rng.integers(0, 2, size=(count, errors.size), dtype=np.int8) - 1.0
        explained = signs @ steady
        sums = np.add.reduceat(signs[:, :last] * below, starts, axis=1).cumsum(axis=1)
        best = search.gains(sums - explained @ search.shared.T).max(axis=1)
        left = squares - np.einsum("ij,ij->i", explained, explained) - best
        larger += int((best * free >= stat * left).sum())
    return (larger + 1) / (draws + 1) if draws else math.nan


def phi_distribution(phi: float, bars: int) -> tuple[float, dict[str, float]]:
    """p-value and critical values of phi for so many bars, between the numbers simulated."""
    sizes = sorted(PHI_QUANTILES, reverse=True)
    table = np.array([PHI_QUANTILES[size] for size in sizes])
    at = 1.0 / bars
    quantiles = [float(np.interp(at, 1.0 / np.array(sizes), column)) for column in table.T]
    named = dict(zip(PHI_SHARES, quantiles, strict=True))
    critical = {f"{share * 100:g}%": named[share] for share in (0.01, 0.05, 0.10)}
    return float(np.interp(phi, quantiles, PHI_SHARES)), critical
