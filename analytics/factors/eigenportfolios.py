"""Factors of many symbols: eigenvectors of their correlation as portfolios, and their number."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.frames import FloatArray

# Sign flips a count of factors is made by: the largest of 19 is a 5 % test as that of 99 is.
_FLIPS: Final = 99
_FLIPS_OF_MANY: Final = 19
_MANY: Final = 60
MOST_TESTED: Final = 8
_SEED: Final = 2010


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues and eigenportfolios of a correlation matrix, the largest first.

    Attributes
    ----------
    eigenvalues : ndarray, shape (symbols,)
        Their sum is the number of symbols.
    weights : ndarray, shape (symbols, symbols)
        A column a portfolio: eigenvector over volatility, scaled so that the sizes add up to one
        unit of money, and signed so that more is bought than sold.
    """

    eigenvalues: FloatArray
    weights: FloatArray

    @property
    def explained(self) -> FloatArray:
        """Share of the standardised returns' variance of each factor."""
        share: FloatArray = self.eigenvalues / self.eigenvalues.size
        return share

    def count_for(self, share: float) -> int:
        """Fewest factors that explain so much of the variance together."""
        reached = np.cumsum(self.explained) >= share * (1.0 - 1e-12)
        return int(np.argmax(reached)) + 1


def standardised(returns: FloatArray) -> FloatArray:
    """Returns less their mean, over their standard deviation (ddof 1), a column a symbol."""
    deviations = returns - returns.mean(axis=0)
    unit: FloatArray = deviations / deviations.std(axis=0, ddof=1)
    return unit


def spectrum(returns: FloatArray) -> Spectrum:
    """Decompose the correlation of returns.

    Parameters
    ----------
    returns : ndarray, shape (bars, symbols)
        Without holes; no column is constant.

    References
    ----------
    Avellaneda & Lee (2010), Quantitative Finance 10(7), 761-782, section 2.1.
    """
    unit = standardised(returns)
    return spectrum_of(unit.T @ unit / (len(unit) - 1), returns.std(axis=0, ddof=1))


def spectrum_of(correlation: FloatArray, volatility: FloatArray) -> Spectrum:
    """Decompose a correlation matrix, of symbols with these volatilities."""
    eigenvalues, vectors = np.linalg.eigh(correlation)
    weights = vectors[:, ::-1] / volatility[:, np.newaxis]
    bought = weights.sum(axis=0)
    weights *= np.where(bought < 0, -1.0, 1.0) / np.abs(weights).sum(axis=0)
    return Spectrum(np.maximum(eigenvalues[::-1], 0.0), weights)


def marchenko_pastur_edge(symbols: int, bars: int) -> float:
    """Largest eigenvalue that unrelated Gaussian returns have in a large panel.

    In one of finite size about 1 in 6 of unrelated panels exceed it, more where volatility is
    shared: `flipped_edges` counts factors.

    References
    ----------
    Marchenko & Pastur (1967), Math. USSR-Sbornik 1, 457-483; Laloux, Cizeau, Bouchaud & Potters
    (1999), Phys. Rev. Lett. 83, 1467-1470.
    """
    return float((1.0 + np.sqrt(symbols / bars)) ** 2)


def flipped_edges(returns: FloatArray, observed: Spectrum) -> FloatArray:
    """What each eigenvalue has to exceed to be a factor at 5 %, from the first to the first below.

    What the factors before it leave takes random signs, one for each symbol and bar: volatility
    stays, also where symbols share it, and what ties them goes. The edge is the 95 % quantile of
    the largest eigenvalue then.

    Parameters
    ----------
    returns : ndarray, shape (bars, symbols)
    observed : Spectrum
        Theirs.

    Returns
    -------
    ndarray, shape (tested,)
        At most `MOST_TESTED`; the number of factors is how many eigenvalues exceed theirs.

    References
    ----------
    Hong, Sheng & Dobriban (2020), Selecting the number of components in PCA via random signflips;
    Horn (1965), Psychometrika 30, 179-185.
    """
    rest: FloatArray = standardised(returns)
    rng = np.random.default_rng(_SEED)
    edges: list[float] = []
    symbols = observed.eigenvalues.size
    for removed, eigenvalue in enumerate(observed.eigenvalues[: min(MOST_TESTED, symbols - 2)]):
        # What is left has so many dimensions fewer than symbols; flipped it fills all of them.
        edges.append(_edge(rest, rng) * symbols / (symbols - removed))
        if eigenvalue <= edges[-1]:
            break
        rest = _without_largest(rest)
    return np.array(edges)


def standing_out(observed: Spectrum, edges: FloatArray) -> int:
    """Count the factors beyond luck: eigenvalues above their edges, up to the first that is not."""
    return int((observed.eigenvalues[: edges.size] > edges).sum())


def _edge(unit: FloatArray, rng: np.random.Generator) -> float:
    flips = _FLIPS if unit.shape[1] <= _MANY else _FLIPS_OF_MANY
    largest = np.sort([_largest(unit * _signs(rng, unit.shape)) for _ in range(flips)])
    return float(largest[int(np.ceil(0.95 * (flips + 1))) - 1])


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    signs: FloatArray = 2.0 * rng.integers(0, 2, shape, dtype=np.int8).astype(np.float64) - 1.0
    return signs


def _largest(unit: FloatArray) -> float:
    """Largest eigenvalue of the covariance, from whichever product is smaller."""
    bars, symbols = unit.shape
    product = unit.T @ unit if symbols <= bars else unit @ unit.T
    return float(np.linalg.eigvalsh(product)[-1] / (bars - 1))


def _without_largest(unit: FloatArray) -> FloatArray:
    _, vectors = np.linalg.eigh(unit.T @ unit)
    first = vectors[:, -1:]
    rest: FloatArray = unit - (unit @ first) @ first.T
    return rest
