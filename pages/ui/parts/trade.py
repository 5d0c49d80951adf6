"""A signal as something one can act on: what to buy and sell, and what speaks against it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from analytics.pair import PairParams
from analytics.signals import Signal
from analytics.sizes import LegSize, NoSize, PositionSize, size_position
from ingest.binance import LotSteps
from pages.ui.parts import formats
from pages.ui.parts.lots import leg_quote
from pages.ui.state.choices import CHOICES

CLOSE_ENOUGH: Final = Decimal("0.99")


@dataclass(frozen=True)
class Terms:
    """What a size stands on: the money, and the lot steps by symbol as far as they are known."""

    capital: float = float(CHOICES["capital"].default)
    lots: Mapping[str, LotSteps] = field(default_factory=dict)

    def key(self, params: PairParams) -> tuple[float, LotSteps | None, LotSteps | None]:
        """What a pair's words depend on besides its figures."""
        return self.capital, self.lots.get(params.y), self.lots.get(params.x)


@dataclass(frozen=True)
class SignalAt:
    """A signal with what its size stands on: β and both closes at its bar, NaN where not known."""

    signal: Signal
    beta: float
    y: float
    x: float


@dataclass(frozen=True)
class Return:
    """What the tests say of a return: a p-value (NaN without one), and a half-life in bars.

    A half-life is infinite where the spread does not return, NaN where there is none.
    """

    pvalue: float
    is_shown: bool
    half_life: float


def trade_words(at: SignalAt, params: PairParams, terms: Terms) -> str:
    """Say what a BUY or a SELL comes to, or why there is no size; "" for NEUTRAL."""
    position = _position(at, params, terms)
    if position is None:
        return ""
    if isinstance(position, NoSize):
        return f"{at.signal} spread, no size: {position.reason}"
    basis = "; ".join(_basis(params, position))
    return formats.with_minus(f"{at.signal} spread: {_legs(position)} ({basis})")


def trade_legs(at: SignalAt, params: PairParams, terms: Terms) -> str:
    """Say the same in short: both legs and how much of each; "" for NEUTRAL."""
    position = _position(at, params, terms)
    if position is None:
        return ""
    return f"no size: {position.reason}" if isinstance(position, NoSize) else _legs(position)


def _position(at: SignalAt, params: PairParams, terms: Terms) -> PositionSize | NoSize | None:
    if at.signal == "NEUTRAL":
        return None
    y, x = (
        leg_quote(symbol, price, terms.lots)
        for symbol, price in ((params.y, at.y), (params.x, at.x))
    )
    return size_position(at.signal, params.spread, at.beta, y, x, terms.capital)


def _legs(position: PositionSize) -> str:
    joint = " and " if position.y.side == position.x.side else ", "
    return joint.join(map(_leg, (position.y, position.x)))


def _leg(leg: LegSize) -> str:
    return f"{leg.side} {leg.quantity:,f} {leg.symbol}"


def _basis(params: PairParams, position: PositionSize) -> list[str]:
    """Say what the two quantities stand on: proportion, money, lots."""
    proportions = {
        "price difference": "1 to 1",
        "hedged": f"β {formats.estimate(position.beta or 0.0)}",
        "log": f"β {formats.estimate(position.beta or 0.0)} by value",
        "ratio": "equal value",
    }
    money = f"{position.capital:,.10g} {position.quote}"
    if position.gross < Decimal(repr(position.capital)) * CLOSE_ENOUGH:
        money = f"{position.gross:,.2f} of {money}"
    parts = [f"{proportions[params.spread]}, {money}"]
    unknown = [leg.symbol for leg in (position.y, position.x) if not leg.is_lot_known]
    if unknown:
        of = f" of {unknown[0]}" if len(unknown) == 1 else ""
        parts.append(f"lot step{of} not known")
    return parts


def caution(tested: Return, params: PairParams) -> str:
    """Say that a return is not shown: by the p-value, or by the half-life; "" where it is."""
    doubts, half_life = _doubts(tested, params), tested.half_life
    is_long = math.isfinite(half_life) and half_life > params.window
    if math.isinf(half_life):
        doubts.append("no half-life")
    elif is_long and doubts:
        doubts.append("half-life longer than the window")
    if doubts:
        return f"Not shown to revert: {', '.join(doubts)}"
    if is_long:
        return f"Half-life of {formats.number(half_life, 1)} bars: longer than the window"
    return ""


def basket_caution(tested: Return, test: str) -> str:
    """Say that a basket's test, by its name, shows no return; "" where it does, or says nothing."""
    if math.isnan(tested.pvalue) or tested.is_shown:
        return ""
    return f"Not shown to revert: {test} p {formats.pvalue(tested.pvalue)}"


def _doubts(tested: Return, params: PairParams) -> list[str]:
    """Name the p-value to go by, where that test shows no return."""
    if math.isnan(tested.pvalue) or tested.is_shown:
        return []
    name = "cointegration" if params.uses_beta else "ADF"
    return [f"{name} p {formats.pvalue(tested.pvalue)}"]
