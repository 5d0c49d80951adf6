"""Double-entry bookkeeping of any fills: cash, quantities and equity, bar by bar."""

from dataclasses import dataclass

import numpy as np

from analytics.errors import InvalidSeriesError
from analytics.frames import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Fills:
    """What was bought and sold.

    Attributes
    ----------
    bar : ndarray, shape (m,)
        Bar of each fill.
    leg : ndarray, shape (m,)
        Column of the leg.
    quantity : ndarray, shape (m,)
        Bought above 0, sold below, base currency.
    price : ndarray, shape (m,)
        Quote currency.
    cost : ndarray, shape (m,)
        Paid for the fill, quote currency.
    """

    bar: IntArray
    leg: IntArray
    quantity: FloatArray
    price: FloatArray
    cost: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Books after each bar, quote currency but for the quantities, shape (n, legs)."""

    cash: FloatArray
    quantities: FloatArray
    equity: FloatArray

    @property
    def profit(self) -> FloatArray:
        """Profit of each bar: the change of the equity; the first bar's against its start."""
        return np.diff(self.equity, prepend=self.equity[:1])


def account(
    fills: Fills, marks: FloatArray, capital: float, charges: FloatArray | None = None
) -> Account:
    """Book fills and value what is held at the marks.

    Parameters
    ----------
    fills : Fills
    marks : ndarray, shape (n, legs)
        Price each leg is valued at after each bar; NaN allowed while nothing of it is held.
    capital : float
        Cash before the first bar.
    charges : ndarray, shape (n,), optional
        Paid at each bar for what is held, such as funding.

    Returns
    -------
    Account
        ``cash + quantities · marks == equity`` at every bar, by construction; nothing here knows
        how the trades came about.

    Raises
    ------
    InvalidSeriesError
        Something is held at a bar whose mark is not known.
    """
    bars, legs = marks.shape
    moved = np.zeros((bars, legs))
    np.add.at(moved, (fills.bar, fills.leg), fills.quantity)
    paid = np.zeros(bars) if charges is None else charges.copy()
    np.add.at(paid, fills.bar, fills.quantity * fills.price + fills.cost)
    quantities = np.cumsum(moved, axis=0)
    # What is sold again leaves a rest of rounding, which is nothing held.
    quantities[np.abs(quantities) < 1e-12 * np.cumsum(np.abs(moved), axis=0)] = 0.0
    cash = capital - np.cumsum(paid)
    worth = np.where(quantities == 0, 0.0, quantities * marks)
    if np.isnan(worth).any():
        bar = int(np.argmax(np.isnan(worth).any(axis=1)))
        raise InvalidSeriesError(f"a leg is held at bar {bar}, where its price is not known")
    return Account(cash, quantities, cash + worth.sum(axis=1))
