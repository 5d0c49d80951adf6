"""Trades settled: what they cost, and the profit of each bar."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled
from analytics.kernels.walk import DECIDED, END, ENTERED, EXITED, REASON, SIDE

# Rows of `paths`, each of n bars.
FILL_Y: Final = 0
FILL_X: Final = 1
MARK_Y: Final = 2
MARK_X: Final = 3
IMPACT_Y: Final = 4
IMPACT_X: Final = 5
FUNDING_Y: Final = 6
FUNDING_X: Final = 7
PATH_ROWS: Final = 8
# Both legs of them.
FILLS: Final = slice(FILL_Y, FILL_X + 1)
MARKS: Final = slice(MARK_Y, MARK_X + 1)
IMPACTS: Final = slice(IMPACT_Y, IMPACT_X + 1)
FUNDINGS: Final = slice(FUNDING_Y, FUNDING_X + 1)

# Rows of the quantities of a long position, each of n bars.
Y_UNITS: Final = 0
X_UNITS: Final = 1

# Columns of a settled trade, quote currency.
GROSS: Final = 0
FEES: Final = 1
SPREAD: Final = 2
SLIPPAGE: Final = 3
FUNDING: Final = 4
TRADED: Final = 5
MONEY_COLUMNS: Final = 6

# Costs of a fill: shares of the money traded, and the exponent of the size in its impact.
FEE_RATE: Final = 0
HALF_SPREAD_RATE: Final = 1
IMPACT_POWER: Final = 2


@compiled
def _slippage(
    y_impact: float, x_impact: float, y_notional: float, x_notional: float, y_size: float,
    x_size: float, power: float,
) -> float:  # fmt: skip
    """Money that filling both legs moves their prices by."""
    if y_impact == 0.0 and x_impact == 0.0:
        return 0.0
    y_share = np.sqrt(y_size) if power == 0.5 else y_size
    x_share = np.sqrt(x_size) if power == 0.5 else x_size
    moved: float = y_notional * y_impact * y_share + x_notional * x_impact * x_share
    return moved


@compiled
def fill_cost(
    y_impact: float, x_impact: float, y_notional: float, x_notional: float, y_size: float,
    x_size: float, costs: FloatArray,
) -> float:  # fmt: skip
    """Sum the costs of filling both legs at a bar. `costs`: fee, half-spread, exponent."""
    traded = y_notional + x_notional
    slippage = _slippage(
        y_impact, x_impact, y_notional, x_notional, y_size, x_size, costs[IMPACT_POWER]
    )
    paid: float = traded * costs[FEE_RATE] + traded * costs[HALF_SPREAD_RATE] + slippage
    return paid


@compiled
def _pay(
    paths: FloatArray, bar: int, y_notional: float, x_notional: float, y_size: float,
    x_size: float, costs: FloatArray, money: FloatArray, row: int,
) -> float:  # fmt: skip
    """Book the costs of filling both legs at a bar; return their sum."""
    traded = y_notional + x_notional
    fee = traded * costs[FEE_RATE]
    half_spread = traded * costs[HALF_SPREAD_RATE]
    slippage = _slippage(
        paths[IMPACT_Y, bar],
        paths[IMPACT_X, bar],
        y_notional,
        x_notional,
        y_size,
        x_size,
        costs[IMPACT_POWER],
    )
    money[row, FEES] += fee
    money[row, SPREAD] += half_spread
    money[row, SLIPPAGE] += slippage
    money[row, TRADED] += traded
    paid: float = fee + half_spread + slippage
    return paid


@compiled
def settle(
    trades: IntArray, count: int, paths: FloatArray, units: FloatArray, costs: FloatArray,
    money: FloatArray, gross_path: FloatArray, net_path: FloatArray,
) -> None:  # fmt: skip
    """Book every trade: its money, a row each, and the profit of each bar before and after costs.

    `units`, shape (2, n), are the quantities of a long position decided at each bar. Funding is
    due at the open of a bar, for what is carried into it.
    """
    for row in range(count):
        decided, entered, exited = trades[row, DECIDED], trades[row, ENTERED], trades[row, EXITED]
        y_units = trades[row, SIDE] * units[Y_UNITS, decided]
        x_units = trades[row, SIDE] * units[X_UNITS, decided]
        y_size, x_size = abs(y_units), abs(x_units)
        money[row, :] = 0.0
        y_last, x_last = paths[FILL_Y, entered], paths[FILL_X, entered]
        net_path[entered] -= _pay(
            paths, entered, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )
        at_close = trades[row, REASON] == END
        for t in range(entered, exited + 1):
            if t == exited and not at_close:
                y_now, x_now = paths[FILL_Y, t], paths[FILL_X, t]
            else:
                y_now, x_now = paths[MARK_Y, t], paths[MARK_X, t]
            gained = y_units * (y_now - y_last) + x_units * (x_now - x_last)
            money[row, GROSS] += gained
            gross_path[t] += gained
            net_path[t] += gained
            if t > entered:
                funding = y_units * paths[FUNDING_Y, t] + x_units * paths[FUNDING_X, t]
                money[row, FUNDING] += funding
                net_path[t] -= funding
            y_last, x_last = y_now, x_now
        net_path[exited] -= _pay(
            paths, exited, y_size * y_last, x_size * x_last, y_size, x_size, costs, money, row
        )
