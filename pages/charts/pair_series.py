"""What the pair figure draws: arrays of one length, made elsewhere, only thinned here."""

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pages.charts.decimate import MAX_POINTS, decimate

PriceView = Literal["rebased", "raw", "two axes"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairSeries:
    """Arrays of one length, a row a closed bar; NaN where a value is not known.

    Attributes
    ----------
    time_ms
        Bar open, milliseconds since the epoch, UTC.
    price_y, price_x
        Closes of the two legs, quote currency.
    drawn_y, drawn_x
        What the price panel shows of them: the closes, or the closes rebased to 100.
    spread, mean, upper, lower
        The spread, its rolling mean and the two edges of its band.
    zscore, correlation
        Without unit.
    """

    time_ms: Floats
    price_y: Floats
    price_x: Floats
    drawn_y: Floats
    drawn_x: Floats
    spread: Floats
    mean: Floats
    upper: Floats
    lower: Floats
    zscore: Floats
    correlation: Floats

    def __len__(self) -> int:
        return len(self.time_ms)

    def thinned(self, max_points: int = MAX_POINTS) -> "PairSeries":
        """Return at most about `max_points` rows, extremes and gaps among them."""
        rows = decimate([self.price_y, self.price_x, self.spread, self.zscore], max_points)
        chosen = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return replace(self, **chosen)


@dataclass(frozen=True, eq=False)
class Markers:
    """Where the signal changed: times and the z-score there."""

    time_ms: Floats
    zscore: Floats


@dataclass(frozen=True)
class PairLabels:
    """Words and number formats of one figure."""

    symbol_y: str
    symbol_x: str
    price_view: PriceView
    price_unit: str
    price_unit_x: str
    spread_unit: str
    band_std: float
    sell_above: float
    buy_below: float
    price_decimals_y: int
    price_decimals_x: int
    spread_decimals: int
    view_id: str
