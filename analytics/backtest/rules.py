"""What a backtest does and what it pays: entry, exit, stops, size, costs. Frozen cache keys."""

import math
from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.signals import DEFAULT_THRESHOLDS, SYMMETRIC, check_thresholds

Sizing = Literal["beta", "dollar"]
Fill = Literal["open", "vwap"]
Reentry = Literal["after return", "at once"]
Impact = Literal["none", "square root", "linear"]
Liquidity = Literal["taker", "maker"]
Scale = Literal["z", "entry that pays"]

SIZINGS: Final[tuple[Sizing, ...]] = get_args(Sizing)
FILLS: Final[tuple[Fill, ...]] = get_args(Fill)
REENTRIES: Final[tuple[Reentry, ...]] = get_args(Reentry)
IMPACTS: Final[tuple[Impact, ...]] = get_args(Impact)
LIQUIDITIES: Final[tuple[Liquidity, ...]] = get_args(Liquidity)
SCALES: Final[tuple[Scale, ...]] = get_args(Scale)

BPS: Final = 1e-4
_AT_THE_MEAN: Final = "0 with entries that pay: where none pays, only the mean is in sight"


def _beyond(words: str) -> str:
    return f"{words}: the position would be left at the bar that entered it"


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ParameterError(name, value, f"from {low:g} to {high:g}")


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ParameterError(name, value, f"one of {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Costs:
    """What a fill of one leg costs, in bps of its notional where nothing else is said.

    Attributes
    ----------
    taker_bps, maker_bps, liquidity
        Fees, and which of the two is paid. A maker's fill is assumed, not proved: bars do not say
        whether a resting order would have been reached.
    half_spread_bps
        Half the quoted spread, paid by a taker on each fill.
    impact, impact_factor
        Slippage of an order of quantity Q in a bar of volume V: a share ``factor · σ · (Q/V)^p`` of
        the notional, σ the standard deviation of one-bar log returns over the 60 bars before.
        ``"square root"`` p = 1/2, factor about 1: Tóth et al. (2011), Physical Review X 1, 021006;
        Almgren et al. (2005), Risk 18(7), 58-62, find 0.6. σ√T and V·T grow together, so that a
        bar's own σ and V serve for any interval. ``"linear"`` p = 1: Kyle (1985), Econometrica 53,
        1315-1335. ``"none"`` 0.
    funding_y_bps, funding_x_bps
        Of perpetual futures: what a long position pays every 8 hours (00, 08, 16 UTC) and a short
        one receives; negative the other way. Constant over the sample.
    """

    taker_bps: float = 7.5
    maker_bps: float = 7.5
    liquidity: Liquidity = "taker"
    half_spread_bps: float = 0.0
    impact: Impact = "none"
    impact_factor: float = 1.0
    funding_y_bps: float = 0.0
    funding_x_bps: float = 0.0

    def __post_init__(self) -> None:
        for name in ("taker_bps", "maker_bps", "funding_y_bps", "funding_x_bps"):
            # A maker may be paid a rebate, and funding goes both ways.
            _check_range(name, getattr(self, name), -1_000.0, 1_000.0)
        _check_range("half_spread_bps", self.half_spread_bps, 0.0, 1_000.0)
        _check_range("impact_factor", self.impact_factor, 0.0, 100.0)
        _check_choice("liquidity", self.liquidity, LIQUIDITIES)
        _check_choice("impact", self.impact, IMPACTS)

    @property
    def fee_bps(self) -> float:
        """The fee that is paid."""
        return self.taker_bps if self.liquidity == "taker" else self.maker_bps

    @property
    def spread_bps(self) -> float:
        """The half-spread that is paid: a maker pays none."""
        return self.half_spread_bps if self.liquidity == "taker" else 0.0

    @property
    def power(self) -> float:
        """Exponent of the share of the volume."""
        return 0.5 if self.impact == "square root" else 1.0


FREE: Final = Costs(0.0, 0.0)
SPOT: Final = Costs()
"""Binance spot without volume discount, fees paid in BNB: 7.5 bps on either side."""
FUTURES: Final = Costs(5.0, 2.0, funding_y_bps=1.0, funding_x_bps=1.0)
"""Binance USD-M futures without volume discount; 1 bp every 8 hours is their neutral rate."""


@dataclass(frozen=True, slots=True)
class BacktestRules:
    """When to trade the spread, how much, and at what cost.

    Attributes
    ----------
    sell_above, buy_below
        Enter short (SELL S1 against S2) where z is above the one, long where it is below the other.
    exit_short, exit_long
        Leave a short where z is at or below the one, a long where it is at or above the other. A
        bar that ends one side and asks for the other reverses the position.
    stop
        Leave where z has gone this far against the position (short: z >= stop, long: z <= -stop).
    time_stop
        Leave after so many bars.
    reentry
        After a stop or a time stop enter the same side again ``"after return"`` of z to inside its
        entry threshold, or ``"at once"``.
    sizing
        ``"beta"``: the position is the spread itself, β units of S2 to one of S1 (for the log
        spread β of money, for the price difference one to one, for the ratio equal money).
        ``"dollar"``: equal money on both legs, in opposite directions.
    fill
        Price of the bar after the decision: its ``"open"``, or its ``"vwap"`` (a column that
        `analytics.backtest.market.with_vwap` adds from ticks).
    capital, leverage
        Quote currency; both legs together are worth capital × leverage at the decision. The size
        is not compounded and not adjusted while a position is held.
    costs
        Of each leg.
    scale
        What entries, exits and the stop count. ``"z"``: standard deviations of the trailing window.
        ``"entry that pays"``: distances from the mean to the entry that earns most after these
        costs, by the process fitted to the bars before (`analytics.backtest.paying`). Where none
        pays nothing is entered, and what is held waits for the mean: no stop is then in sight, and
        no other exit than 0 is taken.
    """

    sell_above: float = DEFAULT_THRESHOLDS.sell_above
    buy_below: float = DEFAULT_THRESHOLDS.buy_below
    exit_short: float = DEFAULT_THRESHOLDS.buy_below
    exit_long: float = DEFAULT_THRESHOLDS.sell_above
    stop: float | None = None
    time_stop: int | None = None
    reentry: Reentry = "after return"
    sizing: Sizing = "beta"
    fill: Fill = "open"
    capital: float = 10_000.0
    leverage: float = 1.0
    costs: Costs = field(default=SPOT)
    scale: Scale = "z"

    def __post_init__(self) -> None:
        check_thresholds(self.sell_above, self.buy_below)
        for name in ("exit_short", "exit_long"):
            _check_range(name, getattr(self, name), -100.0, 100.0)
        if self.exit_short > self.sell_above:
            raise ParameterError("exit_short", self.exit_short, _beyond("not above sell_above"))
        if self.exit_long < self.buy_below:
            raise ParameterError("exit_long", self.exit_long, _beyond("not below buy_below"))
        if self.stop is not None and not self.stop > self.widest_entry:
            allowed = f"beyond both entries (above {self.widest_entry:g}), or None"
            raise ParameterError("stop", self.stop, allowed)
        bars = self.time_stop
        if bars is not None and (
            isinstance(bars, bool) or not isinstance(bars, int | np.integer) or bars < 1
        ):
            raise ParameterError("time_stop", bars, "a whole number of bars, 1 or more, or None")
        _check_choice("reentry", self.reentry, REENTRIES)
        _check_choice("sizing", self.sizing, SIZINGS)
        _check_choice("fill", self.fill, FILLS)
        _check_choice("scale", self.scale, SCALES)
        for name in ("exit_short", "exit_long") if self.is_fitted else ():
            if getattr(self, name) != 0:
                raise ParameterError(name, getattr(self, name), _AT_THE_MEAN)
        for name in ("capital", "leverage"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ParameterError(name, value, "a finite number above 0")

    @property
    def notional(self) -> float:
        """Money in both legs together at the decision, quote currency."""
        return self.capital * self.leverage

    @property
    def is_fitted(self) -> bool:
        """Whether the entry is that which pays, by a fit."""
        return self.scale == "entry that pays"

    @property
    def widest_entry(self) -> float:
        """The entry farther from 0, on the side of its stop."""
        return max(self.sell_above, -self.buy_below)

    def with_entry(self, entry: float) -> "BacktestRules":
        """Return the same rules with another entry threshold.

        A symmetric rule moves both sides; otherwise SELL's alone. An exit that stood at an entry
        (stop-and-reverse, as by default) moves with it.
        """
        buy = -entry if self.buy_below == -self.sell_above else self.buy_below
        return replace(
            self,
            sell_above=entry,
            buy_below=buy,
            exit_short=buy if self.exit_short == self.buy_below else self.exit_short,
            exit_long=entry if self.exit_long == self.sell_above else self.exit_long,
        )

    def as_row(self) -> FloatArray:
        """Lay the rules out as the compiled loop takes them."""
        return np.array(
            [
                self.sell_above,
                self.buy_below,
                self.exit_short,
                self.exit_long,
                math.inf if self.stop is None else self.stop,
                math.inf if self.time_stop is None else self.time_stop,
                float(self.reentry == "after return"),
            ]
        )


DEFAULT_RULES: Final = BacktestRules()
"""SELL above +2, BUY below 0: always in the market once entered, each signal reverses the other."""
SYMMETRIC_RULES: Final = BacktestRules(
    SYMMETRIC.sell_above, SYMMETRIC.buy_below, exit_short=0.0, exit_long=0.0
)
"""SELL above +2, BUY below −2, out at 0."""
PAYING_RULES: Final = BacktestRules(1.0, -1.0, 0.0, 0.0, scale="entry that pays")
"""SELL and BUY from where a trade back to the mean earns most after costs, out at the mean."""
RULE_PRESETS: Final[dict[str, BacktestRules]] = {
    DEFAULT_THRESHOLDS.name: DEFAULT_RULES,
    SYMMETRIC.name: SYMMETRIC_RULES,
    "entries that pay": PAYING_RULES,
}
