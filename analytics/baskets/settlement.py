"""The trades of a basket in money: every leg's fills booked, every leg's costs paid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest import REASONS, Account, Fills, account
from analytics.baskets.market import BasketMarket, BasketSignals
from analytics.frames import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class BasketTrades:
    """Trades as the walk made them, with what each leg did; arrays of shape (m, k).

    Attributes
    ----------
    raw
        Shape (m, 6), columns as `analytics.kernels.walk` names them.
    quantities
        Signed, base currency, as decided.
    prices_in, prices_out
        Of the fills, quote currency; the last close for a forced end.
    """

    raw: IntArray
    quantities: FloatArray
    prices_in: FloatArray
    prices_out: FloatArray

    @classmethod
    def of(
        cls, raw: IntArray, market: BasketMarket, signals: BasketSignals, notional: float
    ) -> "BasketTrades":
        """Size each trade at its decision: all legs together are worth `notional`."""
        from analytics.kernels.walk import END  # noqa: PLC0415 - numba, when needed

        decided, entered, _, exited, side, reason = raw.T
        weights = signals.weights[decided]
        money = notional * weights / np.abs(weights).sum(axis=1, keepdims=True)
        closes = market.closes.to_numpy()[decided]
        forced = (reason == END)[:, np.newaxis]
        out = np.where(forced, market.marks[exited], market.fills[exited])
        return cls(raw, money / closes * side[:, np.newaxis], market.fills[entered], out)


def trade_money(trades: BasketTrades, market: BasketMarket) -> pd.DataFrame:
    """Gross, fees, half-spread, slippage, funding, net and money traded of each trade."""
    _, entered, _, exited, _, _ = trades.raw.T
    fee, half_spread, _ = market.pair.costs
    size = np.abs(trades.quantities)
    traded = (size * (trades.prices_in + trades.prices_out)).sum(axis=1)
    slippage = _slippage(trades, market, entered, trades.prices_in)
    slippage += _slippage(trades, market, exited, trades.prices_out)
    paid = np.cumsum(market.fundings, axis=0)
    found = {
        "gross": (trades.quantities * (trades.prices_out - trades.prices_in)).sum(axis=1),
        "fees": traded * fee,
        "half_spread": traded * half_spread,
        "slippage": slippage,
        "funding": (trades.quantities * (paid[exited] - paid[entered])).sum(axis=1),
    }
    costs = sum(found[name] for name in ("fees", "half_spread", "slippage", "funding"))
    return pd.DataFrame({**found, "net": found["gross"] - costs, "traded": traded})


def _slippage(
    trades: BasketTrades, market: BasketMarket, bars: IntArray, prices: FloatArray
) -> FloatArray:
    size = np.abs(trades.quantities)
    moved: FloatArray = market.impacts[bars] * size ** market.pair.costs[2] * size * prices
    total: FloatArray = moved.sum(axis=1)
    return total


def basket_books(
    trades: BasketTrades, market: BasketMarket, span: tuple[int, int], capital: float, *, free: bool
) -> Account:
    """Book all fills of all legs bar by bar; `free` leaves costs and funding out."""
    start, stop = span
    _, entered, _, exited, _, _ = trades.raw.T
    legs = trades.quantities.shape[1]
    bars = np.repeat(np.r_[entered, exited], legs)
    leg = np.tile(np.arange(legs), 2 * len(trades.raw))
    quantity = np.r_[trades.quantities, -trades.quantities].ravel()
    price = np.r_[trades.prices_in, trades.prices_out].ravel()
    fee, half_spread, power = market.pair.costs
    size = np.abs(quantity)
    cost = size * price * (fee + half_spread + market.impacts[bars, leg] * size**power)
    changes = np.zeros((stop - start, legs))
    np.add.at(changes, (bars - start, leg), quantity)
    carried = np.cumsum(changes, axis=0) - changes
    charges = (carried * market.fundings[start:stop]).sum(axis=1)
    fills = Fills(bars - start, leg, quantity, price, np.zeros(cost.size) if free else cost)
    return account(fills, market.marks[start:stop], capital, None if free else charges)


def basket_ledger(
    trades: BasketTrades, market: BasketMarket, signals: BasketSignals
) -> pd.DataFrame:
    """Lay out the trades, a row each: columns as of a pair's ledger, prices and weights by symbol.

    ``side`` (BUY: symbols with a weight above 0 bought), the times, ``entry_z``, ``exit_z``,
    ``bars``, then ``entry_<symbol>``, ``exit_<symbol>``, ``quantity_<symbol>`` (signed) and
    ``weight_<symbol>`` of each, the money, and ``reason``.
    """
    from analytics.kernels.walk import END  # noqa: PLC0415 - numba, when needed

    decided, entered, exit_decided, exited, side, reason = trades.raw.T
    index, weights = market.closes.index, signals.weights[decided]
    head = pd.DataFrame(
        {
            "side": pd.Series(np.where(side > 0, "BUY", "SELL"), dtype="str"),
            "decided_time": index[decided],
            "entry_time": index[entered],
            "exit_time": index[exited],
            "entry_z": signals.zscore[decided],
            "exit_z": signals.zscore[exit_decided],
            "bars": exited - entered + (reason == END),
        }
    )
    parts = {
        "entry": trades.prices_in,
        "exit": trades.prices_out,
        "quantity": trades.quantities,
        "weight": weights,
    }
    legs = {
        f"{part}_{name}": values[:, place]
        for place, name in enumerate(market.closes.columns)
        for part, values in parts.items()
    }
    reasons = pd.Series([REASONS[code] for code in reason.tolist()], dtype="str", name="reason")
    return pd.concat([head, pd.DataFrame(legs), trade_money(trades, market), reasons], axis=1)
