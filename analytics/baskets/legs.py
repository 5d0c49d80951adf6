"""The legs of a basket on the bars all of them span."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.baskets.params import BasketParams
from analytics.errors import FrameError, ParameterError
from analytics.frames import BoolArray
from analytics.leg import MISSING, QUIET, TRADED, Leg, align_legs
from analytics.spread import log_price


@dataclass(frozen=True, slots=True)
class BasketCoverage:
    """How much of the basket's span is known, in bars.

    Attributes
    ----------
    bars
        Closed bars in the span all legs cover, after the lookback.
    known
        Bars with a close on all legs; the rest is `missing` on one or more.
    all_traded
        Bars in which all legs traded, so that no price was carried.
    quiet, missing_of
        Per leg, in the order of the symbols.
    """

    bars: int
    known: int
    all_traded: int
    quiet: tuple[int, ...]
    missing_of: tuple[int, ...]

    @property
    def missing(self) -> int:
        """Bars missing on any leg."""
        return self.bars - self.known


def basket_coverage(legs: Sequence[Leg]) -> BasketCoverage:
    """Count the coverage of aligned legs."""
    codes = np.array([leg.coverage for leg in legs])
    return BasketCoverage(
        bars=codes.shape[1],
        known=int((codes != MISSING).all(axis=0).sum()),
        all_traded=int((codes == TRADED).all(axis=0).sum()),
        quiet=tuple((codes == QUIET).sum(axis=1).tolist()),
        missing_of=tuple((codes == MISSING).sum(axis=1).tolist()),
    )


def closed_legs(bars: Sequence[pd.DataFrame | Leg], params: BasketParams) -> tuple[Leg, ...]:
    """Take the closed bars of each leg, of the interval asked for.

    Raises
    ------
    ParameterError
        Not one of each symbol.
    FrameError
        No bars frames, or bars of another interval.
    """
    if len(bars) != len(params.symbols):
        allowed = f"bars of {len(params.symbols)} symbols: {', '.join(params.symbols)}"
        raise ParameterError("bars", len(bars), allowed)
    return tuple(_leg(each, name, params) for each, name in zip(bars, params.symbols, strict=True))


def _leg(bars: pd.DataFrame | Leg, name: str, params: BasketParams) -> Leg:
    step_us = params.bar.us
    leg = bars if isinstance(bars, Leg) else Leg.of(bars, step_us, f"the bars of {name}")
    if len(leg) > 1 and leg.step_us != step_us:
        raise FrameError(
            f"the bars of {name} are {leg.step_us / 1e6:g} s apart, "
            f"the interval asked for is {params.interval}"
        )
    return leg


def align_all(legs: Sequence[Leg], lookback: int | None = None) -> tuple[Leg, ...]:
    """Cut legs to the bars all of them span, and to the last `lookback` of them.

    Raises
    ------
    FrameError
        Legs whose bars open at different instants.
    """
    shared = legs[0]
    for other in legs[1:]:
        shared, _ = align_legs(shared, other)
    cut = tuple(align_legs(shared, leg)[1] for leg in legs)
    return cut if lookback is None else tuple(leg.last(lookback) for leg in cut)


def log_closes(legs: Sequence[Leg], symbols: Sequence[str]) -> pd.DataFrame:
    """Log closes of aligned legs, a column a symbol; NaN where missing.

    Raises
    ------
    NonPositivePriceError
        A price at or below zero.
    """
    columns = {
        name: log_price(leg.close, f"the basket leg {name}")
        for name, leg in zip(symbols, legs, strict=True)
    }
    return pd.DataFrame(columns, index=legs[0].index)


def traded_legs(legs: Sequence[Leg], symbols: Sequence[str]) -> tuple[tuple[str, BoolArray], ...]:
    """Whether each leg traded, by name, as the gates take them."""
    return tuple((name, leg.traded) for name, leg in zip(symbols, legs, strict=True))


def behind(legs: Sequence[Leg], symbols: Sequence[str]) -> tuple[str, float] | None:
    """Name the leg whose bars end first and by how many seconds before the last's; or None."""
    if not all(len(leg) for leg in legs):
        return None
    ends = [leg.end_us for leg in legs]
    late_s = (max(ends) - min(ends)) / 1e6
    return (symbols[ends.index(min(ends))], late_s) if late_s else None
