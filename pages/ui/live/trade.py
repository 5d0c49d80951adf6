"""The signal as something one can act on: what to buy and sell, and whether there is a return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.sizes import LegSize, NoSize, PositionSize, size_position
from analytics.stationarity import HalfLife
from ingest.binance import LotSteps
from pages.ui.parts import formats
from pages.ui.parts.judge import judge
from pages.ui.parts.lots import leg_quote
from pages.ui.state.choices import CHOICES

CLOSE_ENOUGH: Final = Decimal("0.99")


@dataclass(frozen=True)
class Terms:
    """What a size stands on: the money, and the lot steps by symbol as far as they are known."""

    capital: float = float(CHOICES["capital"].default)
    lots: Mapping[str, LotSteps] = field(default_factory=dict)

    def key(self, result: PairAnalytics) -> tuple[float, LotSteps | None, LotSteps | None]:
        """What a pair's words depend on besides its result."""
        params = result.params
        return self.capital, self.lots.get(params.y), self.lots.get(params.x)


def trade_words(result: PairAnalytics, terms: Terms) -> str:
    """Say what a BUY or a SELL comes to, or why there is no size; "" for NEUTRAL."""
    signal = result.signal_now.signal
    if signal == "NEUTRAL":
        return ""
    params, beta = result.params, float(result.hedge_ratio.iloc[-1])
    y, x = (
        leg_quote(symbol, float(closes.iloc[-1]), terms.lots)
        for symbol, closes in ((params.y, result.y), (params.x, result.x))
    )
    position = size_position(signal, params.spread, beta, y, x, terms.capital)
    if isinstance(position, NoSize):
        return f"{signal} spread, no size: {position.reason}"
    legs = [_leg(position.y), _leg(position.x)]
    joint = " and " if position.y.side == position.x.side else ", "
    return formats.with_minus(
        f"{signal} spread: {joint.join(legs)} ({'; '.join(_basis(result, position))})"
    )


def _leg(leg: LegSize) -> str:
    return f"{leg.side} {leg.quantity:,f} {leg.symbol}"


def _basis(result: PairAnalytics, position: PositionSize) -> list[str]:
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
    parts = [f"{proportions[result.params.spread]}, {money}"]
    unknown = [leg.symbol for leg in (position.y, position.x) if not leg.is_lot_known]
    if unknown:
        of = f" of {unknown[0]}" if len(unknown) == 1 else ""
        parts.append(f"lot step{of} not known")
    return parts


def caution(result: PairAnalytics) -> str:
    """Say that a return is not shown: by the p-value, or by the half-life; "" where it is."""
    doubts, half_life = _doubts(result), result.half_life
    is_endless = isinstance(half_life, HalfLife) and not half_life.mean_reverting
    is_long = isinstance(half_life, HalfLife) and half_life.half_life > result.params.window
    if is_endless:
        doubts.append("no half-life")
    elif is_long and doubts:
        doubts.append("half-life longer than the window")
    if doubts:
        return f"Not shown to revert: {', '.join(doubts)}"
    if isinstance(half_life, HalfLife) and is_long:
        return f"Half-life of {formats.number(half_life.half_life, 1)} bars: longer than the window"
    return ""


def _doubts(result: PairAnalytics) -> list[str]:
    """Name the p-value to go by, where that test shows no return."""
    test = judge(result)
    if isinstance(test, NotEnough | Degenerate) or test.rejects(result.params.level):
        return []
    name = "cointegration" if result.params.uses_beta else "ADF"
    return [f"{name} p {formats.pvalue(test.pvalue)}"]
