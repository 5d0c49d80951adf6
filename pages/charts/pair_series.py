"""What the pair figure draws: arrays of one length and words, made elsewhere."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pages.charts.decimate import Thinned

PriceView = Literal["rebased", "raw", "two axes", "candles"]
Panel = Literal["prices", "spread", "zscore", "volume", "correlation"]
Floats = NDArray[np.float64]

SELL_HELD, NOTHING_HELD, BUY_HELD = -1, 0, 1


def entered_rows(held: NDArray[np.int8]) -> NDArray[np.int64]:
    """Rows at which the rule begins to say SELL or BUY; the first of all is no entry."""
    rows = np.flatnonzero(held[1:] != held[:-1]) + 1
    begun: NDArray[np.int64] = rows[held[rows] != NOTHING_HELD]
    return begun


@dataclass(frozen=True, eq=False)
class PairSeries:
    """Arrays of one length, a row a closed bar, every bar of the span; NaN where not known.

    Attributes
    ----------
    time_ms
        Bar open, milliseconds since the epoch, on the clock that `PairLabels.zone` names.
    price_y, price_x
        Closes of the two legs, quote currency.
    spread, mean, std
        The spread, its rolling mean and its rolling standard deviation.
    zscore, correlation
        Without unit.
    volume_y, volume_x
        Turnover of each bar, quote currency.
    held
        `SELL_HELD`, `BUY_HELD` or `NOTHING_HELD`: what the rule says at each bar.
    clock
        Where the clock on the wall is put forward or back inside the span, ascending: before the
        first number it reads so many ms, the second, more than `time_ms` counts.
    offset_ms
        What `time_ms` is ahead of UTC, so that a span is the same instants in another zone.
    open_y, high_y, low_y
        Of the first leg's bars, quote currency; None where only closes are known.
    thinned
        What has been thinned for a screen already, by what was looked at.
    moving
        What was thinned of the same series some bars ago; None where it does not move on.
    """

    time_ms: Floats
    price_y: Floats
    price_x: Floats
    spread: Floats
    mean: Floats
    std: Floats
    zscore: Floats
    correlation: Floats
    volume_y: Floats
    volume_x: Floats
    held: NDArray[np.int8]
    clock: tuple[tuple[float, float], ...] = ()
    offset_ms: float = 0.0
    open_y: Floats | None = None
    high_y: Floats | None = None
    low_y: Floats | None = None
    thinned: dict[Hashable, dict[str, dict[str, NDArray]]] = field(default_factory=dict)
    moving: Thinned | None = None

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def bar_ms(self) -> float:
        """Length of a bar; a second where there is but one."""
        if len(self) < 2:
            return 1_000.0
        return float(self.time_ms[-1] - self.time_ms[0]) / (len(self) - 1)

    @cached_property
    def entered(self) -> NDArray[np.int64]:
        """Rows at which the rule begins to say SELL or BUY; the first of all is no entry."""
        return entered_rows(self.held)

    def entries(self) -> dict[str, int]:
        """Count the entries of each kind."""
        kinds = {"SELL": SELL_HELD, "BUY": BUY_HELD}
        begun = self.held[self.entered]
        return {name: int(np.count_nonzero(begun == kind)) for name, kind in kinds.items()}

    def _first_known(self, rows: int) -> int | None:
        known = np.isfinite(self.price_y[:rows]) & np.isfinite(self.price_x[:rows])
        return int(np.argmax(known)) if known.any() else None

    def bases(self) -> dict[str, float]:
        """Return each leg's price at the first bar where both are known: 100 when rebased."""
        row = self._first_known(min(1, len(self)))
        if row is None:
            row = self._first_known(len(self))
        if row is None:
            return {"price_y": 1.0, "price_x": 1.0}
        return {"price_y": float(self.price_y[row]), "price_x": float(self.price_x[row])}


@dataclass(frozen=True)
class PairLabels:
    """Words and number formats of one figure; `mark_ms` is the bar that an alert spoke of."""

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
    zone: str = "UTC"
    interval: str = "1 s"
    source: str = ""
    mark_ms: float | None = None
