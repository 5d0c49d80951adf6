"""What noise alone gives: two legs that have nothing to do with each other."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.leg import TRADED, Leg

Legs = tuple[Leg, Leg]
SEED: Final = 16


def unrelated_walks(legs: Legs) -> Legs:
    """Make legs of as many bars that walk at random, with steps as large as those of `legs`.

    Closes are of independent normal log returns with each leg's standard deviation; the same ones
    each time. Every bar traded.
    """
    rng = np.random.default_rng(SEED)
    y, x = (_walk(leg, rng) for leg in legs)
    return y, x


def _walk(leg: Leg, rng: np.random.Generator) -> Leg:
    closes, bars = leg.close, len(leg.close)
    close = _first(closes) * np.exp(rng.normal(0.0, _step(closes), bars).cumsum())
    ones = np.ones(bars)
    trades = ones.astype(leg.trades.dtype)
    coverage = np.full(bars, TRADED, leg.coverage.dtype)
    return Leg(leg.start_us, leg.step_us, close, ones, trades, coverage)


def _first(closes: FloatArray) -> float:
    known = closes[np.isfinite(closes)]
    return float(known[0]) if len(known) else 1.0


def _step(closes: FloatArray) -> float:
    """Standard deviation of the log returns that are known; a small one where none is."""
    returns = np.diff(np.log(closes))
    known = returns[np.isfinite(returns)]
    return float(known.std()) if known.any() else 1e-4
