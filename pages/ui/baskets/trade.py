"""A basket as orders: how much of each symbol, in whole lots, and what the rounding leaves open."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

from analytics.baskets import BasketAnalytics, BasketSize, basket_lots
from analytics.sizes import NoSize
from ingest.binance import LotSteps
from pages.ui.parts import formats
from pages.ui.parts.lots import leg_quote

CLOSE_ENOUGH: Final = Decimal("0.99")


def size_of(
    result: BasketAnalytics,
    side: Literal["BUY", "SELL"],
    lots: Mapping[str, LotSteps],
    capital: float,
) -> BasketSize | NoSize:
    """Size the basket at the closes of the latest bar."""
    closes = result.closes.iloc[-1]
    quotes = [leg_quote(symbol, float(closes[symbol]), lots) for symbol in result.symbols]
    return basket_lots(side, result.weights.tolist(), quotes, capital)


def trade_words(result: BasketAnalytics, lots: Mapping[str, LotSteps], capital: float) -> str:
    """Say what a BUY or a SELL comes to, or why there is no size; "" for NEUTRAL."""
    signal = result.signal_now.signal
    if signal == "NEUTRAL":
        return ""
    size = size_of(result, signal, lots, capital)
    if isinstance(size, NoSize):
        return f"{signal} basket, no size: {size.reason}"
    legs = ", ".join(f"{leg.side} {leg.quantity:,f} {leg.symbol}" for leg in size.legs)
    return f"{signal} basket: {legs} ({'; '.join(basis(result, size))})"


def basis(result: BasketAnalytics, size: BasketSize) -> list[str]:
    """Say what quantities stand on: the money, the lots, and what rounding to them adds."""
    money = f"{size.capital:,.10g} {size.quote}"
    if size.gross < Decimal(repr(size.capital)) * CLOSE_ENOUGH:
        money = f"{size.gross:,.2f} of {money}"
    unknown = [leg.symbol for leg in size.legs if not leg.is_lot_known]
    if unknown:
        of = "" if len(unknown) == len(size.legs) else f" of {', '.join(unknown)}"
        return [money, f"lot step{of} not known"]
    noise = size.noise(result.sample)
    return [money, f"rounding to lots adds {_percent(noise)} of the spread's moves"]


def _percent(share: float) -> str:
    return "<0.01 %" if 0 < share < 1e-4 else formats.percent(share, 2)
