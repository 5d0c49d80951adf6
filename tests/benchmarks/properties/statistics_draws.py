"""Seeded pairs for the statistics' benchmarks: unrelated walks and three kinds of relation."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import lfilter

from analytics.hedge import fit_hedge

SEED = 20240808
BETA = 1.5
MEMORY = 0.9
# Standard deviation a bar of a drifting beta.
DRIFT = 0.005
KINDS = ("clean", "outliers", "drifting β")


@dataclass(frozen=True)
class Draw:
    """A pair; `beta` is the truth bar by bar, NaN where there is none."""

    y: np.ndarray
    x: np.ndarray
    beta: np.ndarray

    @cached_property
    def residual(self) -> np.ndarray:
        """Residual of the OLS line of y on x: what a plain test is wrongly run on."""
        fit = fit_hedge(self.y, self.x)
        return np.asarray(self.y - fit.alpha - fit.beta * self.x)

    @cached_property
    def given(self) -> np.ndarray:
        """Spread whose beta was known beforehand, as a price difference has it."""
        return np.asarray(self.y - np.nan_to_num(self.beta, nan=1.0) * self.x)


def returning(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """First-order autoregression, from its first shock on."""
    return np.asarray(lfilter([1.0], [1.0, -memory], rng.normal(size=n)))


def unrelated(n: int, count: int) -> Iterator[Draw]:
    """Two random walks that know nothing of each other."""
    rng = np.random.default_rng(SEED + n)
    for _ in range(count):
        y, x = rng.normal(size=(2, n)).cumsum(axis=1)
        yield Draw(y, x, np.full(n, np.nan))


def cointegrated(n: int, count: int, kind: str = "clean") -> Iterator[Draw]:
    """y = 3 + 1.5 x + AR(0.9); 2 % of bars thrown off 30-fold, or beta on a walk of its own."""
    rng = np.random.default_rng(SEED + 2 * n)
    for _ in range(count):
        x = rng.normal(size=n).cumsum() + 100
        wander = DRIFT * rng.normal(size=n).cumsum() if kind == "drifting β" else np.zeros(n)
        y = 3 + (BETA + wander) * x + returning(rng, n, MEMORY)
        if kind == "outliers":
            y = y + np.where(rng.random(n) < 0.02, 30 * rng.normal(size=n), 0.0)
        yield Draw(y, x, BETA + wander)
