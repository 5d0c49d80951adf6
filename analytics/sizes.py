"""What a signal comes to in money: how much of each leg to buy or sell, in whole lots."""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from analytics.errors import ParameterError
from analytics.spread import KINDS_WITH_BETA, SpreadKind

Side = Literal["buy", "sell"]

# Where the exchange's step is not known: so many digits, and no finer than Binance ever counts.
_DIGITS: Final = 8
_FINEST: Final = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Lot:
    """What the exchange takes an order of a symbol in.

    Attributes
    ----------
    step, least
        A quantity is a multiple of the one and not below the other; base currency.
    least_value
        Price times quantity is not below this; quote currency.
    """

    step: Decimal
    least: Decimal = Decimal(0)
    least_value: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LegQuote:
    """A leg as it is sized: `price` in `quote` currency, NaN where it is not known."""

    symbol: str
    price: float
    quote: str
    lot: Lot | None = None


@dataclass(frozen=True, slots=True)
class LegSize:
    """How much of a leg: `quantity` in base currency, above 0, and its `value` in quote."""

    symbol: str
    side: Side
    quantity: Decimal
    value: Decimal
    is_lot_known: bool


@dataclass(frozen=True, slots=True)
class PositionSize:
    """Both legs of one unit of the spread as large as the capital allows.

    `beta` is None for a spread without one.
    """

    y: LegSize
    x: LegSize
    beta: float | None
    capital: float
    quote: str

    @property
    def gross(self) -> Decimal:
        """Money in both legs together, quote currency; never above the capital."""
        return self.y.value + self.x.value


@dataclass(frozen=True, slots=True)
class NoSize:
    """Why there is no size, in words."""

    reason: str


def size_position(
    signal: Literal["BUY", "SELL"],
    kind: SpreadKind,
    beta: float,
    y: LegQuote,
    x: LegQuote,
    capital: float,
) -> PositionSize | NoSize:
    """Size both legs so that the position is the spread itself.

    Parameters
    ----------
    signal : str
        BUY buys S1 and sells S2 against it, SELL the other way round; where beta is negative both
        legs are on one side.
    kind : str
        ``"price difference"``: one S1 against one S2. ``"hedged"``: one S1 against |beta| S2.
        ``"log"``: money in S2 is |beta| times the money in S1. ``"ratio"``: equal money.
    beta : float
        Hedge ratio at the bar of the signal; ignored by kinds without one.
    y, x : LegQuote
        S1 and S2.
    capital : float
        Money in both legs together, quote currency, above 0.

    Returns
    -------
    PositionSize or NoSize
        Each quantity rounded down to its lot step, so that both together cost no more than
        `capital`; or why there is no such position.

    Raises
    ------
    ParameterError
        A capital that is not finite and above 0.
    """
    if not (math.isfinite(capital) and capital > 0):
        raise ParameterError("capital", capital, "a finite number above 0")
    used = beta if kind in KINDS_WITH_BETA else None
    if reason := _obstacle(used, y, x):
        return NoSize(reason)
    sides = _sides(signal, is_opposed=used is None or used > 0)
    exact = _quantities(kind, used, y.price, x.price, capital)
    legs = [
        whole_lots(leg, side, quantity)
        for leg, side, quantity in zip((y, x), sides, exact, strict=True)
    ]
    for leg, quote in zip(legs, (y, x), strict=True):
        if reason := too_small(leg, quote, capital):
            return NoSize(reason)
    return PositionSize(legs[0], legs[1], used, capital, y.quote)


def _obstacle(beta: float | None, y: LegQuote, x: LegQuote) -> str:
    """Say what keeps a position from being sized at all; "" where nothing does."""
    if y.quote != x.quote:
        return f"{y.symbol} is priced in {y.quote}, {x.symbol} in {x.quote}: no common money"
    if beta is not None and not math.isfinite(beta):
        return "the hedge ratio is not known at this bar"
    if beta == 0:
        return f"the hedge ratio is 0: no {x.symbol} stands against {y.symbol}"
    unknown = [leg.symbol for leg in (y, x) if not (math.isfinite(leg.price) and leg.price > 0)]
    return f"the price of {' and '.join(unknown)} is not known at this bar" if unknown else ""


def _sides(signal: Literal["BUY", "SELL"], *, is_opposed: bool) -> tuple[Side, Side]:
    first: Side = "buy" if signal == "BUY" else "sell"
    second: Side = "sell" if signal == "BUY" else "buy"
    return first, second if is_opposed else first


def _quantities(
    kind: SpreadKind, beta: float | None, y_price: float, x_price: float, capital: float
) -> tuple[Fraction, Fraction]:
    """Divide the capital, without rounding."""
    ratio = Fraction(1) if beta is None else abs(exact_number(beta))
    money, y, x = exact_number(capital), exact_number(y_price), exact_number(x_price)
    if kind in {"log", "ratio"}:
        y_money = money / (1 + ratio)
        return y_money / y, ratio * y_money / x
    units = money / (y + ratio * x)
    return units, ratio * units


def exact_number(value: float) -> Fraction:
    """Take a float as the decimal it is printed as."""
    return Fraction(repr(float(value)))


def whole_lots(leg: LegQuote, side: Side, exact: Fraction) -> LegSize:
    """Round down to the lot step, or to eight digits where it is not known."""
    step = _digit_step(exact) if leg.lot is None else leg.lot.step.normalize()
    quantity = step * int(exact // Fraction(step))
    if leg.lot is None:
        quantity = quantity.normalize()
    value = quantity * Decimal(repr(float(leg.price)))
    return LegSize(leg.symbol, side, quantity, value, leg.lot is not None)


def _digit_step(exact: Fraction) -> Decimal:
    if not exact:
        return _FINEST
    whole_digits = math.floor(math.log10(exact)) + 1
    return max(Decimal(1).scaleb(whole_digits - _DIGITS), _FINEST)


def too_small(leg: LegSize, quote: LegQuote, capital: float) -> str:
    """Say why the exchange would not take this order; "" where it would."""
    money = f"{capital:,.10g} {quote.quote}"
    lot = quote.lot or Lot(_FINEST)
    least = max(lot.step, lot.least)
    if leg.quantity < least:
        return f"{money} makes less than one lot of {leg.symbol} ({plain(least)})"
    if leg.value < lot.least_value:
        return (
            f"{money} makes {leg.value:,.2f} {quote.quote} of {leg.symbol}: the exchange takes no "
            f"order below {plain(lot.least_value)} {quote.quote}"
        )
    return ""


def plain(value: Decimal) -> str:
    """Write a number without an exponent and without zeros at its end: "0.001", "10"."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
