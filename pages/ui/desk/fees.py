"""What a fill costs by the reader's own choice on Backtest, for the pages that ask what pays."""

from dataclasses import replace
from typing import Final

from analytics.backtest import FREE, FUTURES, SPOT, Costs
from pages.ui.state import choices

_FEES: Final = {"spot": SPOT, "futures": FUTURES, "none": FREE}


def fill_bps() -> float:
    """Cost of a fill, fee and half-spread, bps."""
    name = str(choices.value_of("bt_costs"))
    taker, maker, half_spread = (
        float(choices.value_of(key)) for key in ("bt_taker", "bt_maker", "bt_spread")
    )
    costs = _FEES.get(name, Costs(taker, maker))
    is_maker = choices.value_of("bt_liquidity") == "maker"
    costs = replace(costs, liquidity="maker" if is_maker else "taker", half_spread_bps=half_spread)
    return costs.fee_bps + costs.spread_bps
