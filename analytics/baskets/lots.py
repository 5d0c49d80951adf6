"""A basket in money: how much of each symbol, in whole lots, and what the rounding leaves open."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.sizes import LegQuote, LegSize, NoSize, exact_number, too_small, whole_lots


@dataclass(frozen=True, slots=True)
class BasketSize:
    """All legs of a basket as large as the capital allows, each in whole lots.

    Attributes
    ----------
    legs
        Side, quantity (base currency) and value (quote currency) of each symbol.
    weights
        As asked for.
    rounded
        Weights that the whole lots really have, the first 1.
    capital, quote
        Money in all legs together asked for, and its currency.
    """

    legs: tuple[LegSize, ...]
    weights: tuple[float, ...]
    rounded: tuple[float, ...]
    capital: float
    quote: str

    @property
    def gross(self) -> Decimal:
        """Money in all legs together, quote currency; never above the capital."""
        return sum((leg.value for leg in self.legs), Decimal(0))

    @property
    def errors(self) -> tuple[float, ...]:
        """Rounded less asked-for weight of each symbol; 0 of the first."""
        pairs = zip(self.rounded, self.weights, strict=True)
        return tuple(had - wanted for had, wanted in pairs)

    def noise(self, logs: pd.DataFrame) -> float:
        """Moves that the rounding adds, a bar, over the moves of the spread itself.

        Parameters
        ----------
        logs : DataFrame, shape (n, k)
            Log closes, a column a symbol, NaN missing.

        Returns
        -------
        float
            Standard deviation of the changes of what the errors weigh, over that of the spread's
            changes; NaN without two known changes.
        """
        changes = logs.diff().dropna().to_numpy()
        if len(changes) < 2:
            return math.nan
        wanted = float((changes @ np.array(self.weights)).std(ddof=1))
        added = float((changes @ np.array(self.errors)).std(ddof=1))
        return added / wanted if wanted > 0 else math.nan


def basket_lots(
    signal: Literal["BUY", "SELL"],
    weights: Sequence[float] | FloatArray,
    quotes: Sequence[LegQuote],
    capital: float,
) -> BasketSize | NoSize:
    """Size all legs so that the position is the basket itself.

    Parameters
    ----------
    signal : str
        BUY buys the symbols with a weight above 0 and sells the others; SELL the other way round.
    weights : sequence of float, length k
        Of log prices: money in each leg over the money in the first, whose weight is 1.
    quotes : sequence of LegQuote, length k
        Prices, their currency, and the exchange's lots where known.
    capital : float
        Money in all legs together, quote currency, above 0.

    Returns
    -------
    BasketSize or NoSize
        Each quantity rounded down to its lot step, so that all together cost no more than
        `capital`; or why there is no such position.

    Raises
    ------
    ParameterError
        A capital that is not finite and above 0; not as many weights as quotes.
    """
    if not (math.isfinite(capital) and capital > 0):
        raise ParameterError("capital", capital, "a finite number above 0")
    wanted = tuple(float(weight) for weight in weights)
    if len(wanted) != len(quotes):
        raise ParameterError("weights", len(wanted), f"as many as the {len(quotes)} legs")
    if reason := _obstacle(wanted, quotes):
        return NoSize(reason)
    legs = tuple(
        _leg(signal, weight, quote, exact_number(capital) / _gross(wanted))
        for weight, quote in zip(wanted, quotes, strict=True)
    )
    for leg, quote in zip(legs, quotes, strict=True):
        if reason := too_small(leg, quote, capital):
            return NoSize(reason)
    rounded = tuple(
        math.copysign(float(leg.value / legs[0].value), weight)
        for leg, weight in zip(legs, wanted, strict=True)
    )
    return BasketSize(legs, wanted, rounded, capital, quotes[0].quote)


def _gross(weights: tuple[float, ...]) -> Fraction:
    return sum((abs(exact_number(weight)) for weight in weights), Fraction(0))


def _leg(signal: Literal["BUY", "SELL"], weight: float, quote: LegQuote, unit: Fraction) -> LegSize:
    """One leg in whole lots; `unit` is the money that a weight of 1 gets."""
    is_bought = (weight > 0) == (signal == "BUY")
    quantity = abs(exact_number(weight)) * unit / exact_number(quote.price)
    return whole_lots(quote, "buy" if is_bought else "sell", quantity)


def _obstacle(weights: tuple[float, ...], quotes: Sequence[LegQuote]) -> str:
    """Say what keeps a basket from being sized at all; "" where nothing does."""
    if not all(map(math.isfinite, weights)):
        return "the weights are not known at this bar"
    for weight, quote in zip(weights, quotes, strict=True):
        if quote.quote != quotes[0].quote:
            first = f"{quotes[0].symbol} is priced in {quotes[0].quote}"
            return f"{first}, {quote.symbol} in {quote.quote}: no common money"
        if weight == 0:
            return f"the weight of {quote.symbol} is 0: it is no part of the basket"
    unknown = [leg.symbol for leg in quotes if not (math.isfinite(leg.price) and leg.price > 0)]
    return f"the price of {' and '.join(unknown)} is not known at this bar" if unknown else ""
