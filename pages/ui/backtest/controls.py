"""The backtest's own controls: rule, size, costs, and what is kept apart for testing."""

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import streamlit as st

from analytics.backtest import (
    FILLS,
    FREE,
    FUTURES,
    IMPACTS,
    LIQUIDITIES,
    REENTRIES,
    RULE_PRESETS,
    SIZINGS,
    SPOT,
    BacktestRules,
    Costs,
)
from analytics.errors import ParameterError
from analytics.hedge import CAUSAL_HEDGES, HEDGE_WORDS
from analytics.pair import PairParams
from analytics.signals import DEFAULT_THRESHOLDS, SYMMETRIC
from pages.ui.desk.controls import BOUND, number, select
from pages.ui.parts import formats
from pages.ui.parts.notices import Notice
from pages.ui.state import choices

Name = TypeVar("Name", bound=str)
PAYING: Final = next(name for name, rules in RULE_PRESETS.items() if rules.is_fitted)
COSTS: Final[dict[str, Costs]] = {"spot": SPOT, "futures": FUTURES, "none": FREE}
COST_WORDS: Final = {
    "spot": "Binance spot: 7.5 bps a fill.",
    "futures": "Binance USD-M futures: taker 5, maker 2 bps a fill; funding 1 bp every 8 hours.",
    "none": "No costs: what nobody gets.",
}
RULE_WORDS: Final = {
    DEFAULT_THRESHOLDS.name: "SELL above +2, BUY below 0; each signal reverses the other.",
    SYMMETRIC.name: "SELL above +2, BUY below −2; out at 0.",
    PAYING: (
        "SELL and BUY from where a trade back to the mean earns most after these costs, by the "
        "process fitted to the ten windows before, once every window, with β by least squares; out "
        "at the mean. No trade while no return is shown, or none pays (Zeng & Lee 2014)."
    ),
}
STOP_HELP: Final = "Leave when |z| has gone this far against the position. 0: no stop."
FITTED_STOP_HELP: Final = (
    "Leave when the deviation is so many times that of the entry. 0: no stop. While no entry pays, "
    "only the mean and the time-stop end a position."
)
TIME_HELP: Final = "Leave after so many bars. 0: no time-stop."
REENTRY_HELP: Final = (
    "After a stop: enter the same side again once z has been back inside its entry threshold, or "
    "at once."
)
SIZING_HELP: Final = (
    "beta: the position is the spread itself. dollar: equal money on both legs. Both legs together "
    "are worth the capital at the decision; nothing is compounded."
)
FILL_HELP: Final = (
    "A close decides, the next bar fills: at its open, or at its volume-weighted mean price. A bar "
    "in which a leg did not trade fills nothing."
)
IMPACT_HELP: Final = (
    "Slippage as σ · (order / volume of the bar)^p, p = ½ (square root: Tóth et al. 2011) or 1 "
    "(linear: Kyle 1985); σ of the 60 bars before."
)
MAKER_HELP: Final = (
    "A maker's fill is assumed, not proved: bars cannot tell whether it was reached."
)
SHARE_HELP: Final = (
    "Share of the bars in which settings are compared. The rest is kept apart: it shows what the "
    "choice was worth."
)


LABELS: Final = {
    "sell_above": "SELL above",
    "buy_below": "BUY below",
    "exit_short": "SELL out at",
    "exit_long": "BUY out at",
    "stop": "Stop at |z|",
}


@dataclass(frozen=True)
class Plan:
    """What is to be run: the pair with a causal hedge, the rules, the share for training."""

    params: PairParams
    rules: BacktestRules
    share: float
    hedge_note: str = ""


def choose_plan(params: PairParams) -> Plan:
    """Show the controls; what the sidebar says of the pair stays, but for a hedge that looks ahead.

    Raises
    ------
    ParameterError
        Values that do not go together.
    """
    # Entries that pay fit a line of their own.
    is_fitted = choices.value_of("bt_rule") == PAYING
    causal, note = (params, "") if is_fitted else _choose_hedge(params)
    rules = _choose_rule()
    with st.expander("Stops and re-entry"):
        rules = _choose_stops(rules)
    with st.expander("Size and fills"):
        rules = _choose_size(rules)
    with st.expander("Costs"):
        rules = replace(rules, costs=_choose_costs())
    choices.recall("bt_train")
    share = st.slider(
        "Train share (%)", 20, 90, 60, 5, key="bt_train", bind=BOUND, help=SHARE_HELP
    )  # fmt: skip
    return Plan(causal, rules, int(share) / 100, note)


def refused(error: ParameterError) -> Notice:
    """Say in the controls' own words which value does not go with the others."""
    allowed = error.allowed
    for name, label in LABELS.items():
        allowed = allowed.replace(name, label)
    label = LABELS.get(error.name, error.name)
    words = formats.with_minus(f"{label} is {error.value}: it must be {allowed}")
    return Notice(words, "Change it here.")


def _choose_hedge(params: PairParams) -> tuple[PairParams, str]:
    """Replace a hedge ratio that is estimated over the whole range by a causal one, and say so."""
    if not params.uses_beta or params.hedge in CAUSAL_HEDGES:
        return params, ""
    chosen = select(
        "β in the backtest", "bt_hedge", note="Estimated at each bar from the bars up to it."
    )
    note = (
        f"The sidebar's β ({HEDGE_WORDS[params.hedge]}) is estimated over the whole range and "
        f"would know the future. The backtest uses another: {HEDGE_WORDS[chosen]}."
    )
    return replace(params, hedge=chosen), note


def _choose_rule() -> BacktestRules:
    name = select("Rule", "bt_rule")
    if name in RULE_PRESETS:
        st.caption(RULE_WORDS[name])
        return RULE_PRESETS[name]
    left, right = st.columns(2)
    with left:
        sell = number("SELL above", "bt_sell")
        out_short = number("SELL out at", "bt_out_short")
    with right:
        buy = number("BUY below", "bt_buy")
        out_long = number("BUY out at", "bt_out_long")
    return BacktestRules(sell, buy, out_short, out_long)


def _choose_stops(rules: BacktestRules) -> BacktestRules:
    label, note = (
        ("Stop at entries", FITTED_STOP_HELP) if rules.is_fitted else (LABELS["stop"], STOP_HELP)
    )
    stop = number(label, "bt_stop", note)
    bars = int(number("Time-stop (bars)", "bt_time", TIME_HELP))
    reentry = _one("Re-entry", "bt_reentry", REENTRIES, REENTRY_HELP)
    return replace(rules, stop=stop or None, time_stop=bars or None, reentry=reentry)


def _choose_size(rules: BacktestRules) -> BacktestRules:
    capital = number("Capital (quote currency)", "bt_capital")
    sizing = _one("Sizing", "bt_sizing", SIZINGS, SIZING_HELP)
    fill = _one("Fill at the next bar's", "bt_fill", FILLS, FILL_HELP)
    return replace(rules, capital=capital, sizing=sizing, fill=fill)


def _choose_costs() -> Costs:
    name = select("Fees", "bt_costs")
    if name in COSTS:
        st.caption(COST_WORDS[name])
        costs = COSTS[name]
    else:
        costs = Costs(
            number("Taker (bps)", "bt_taker"),
            number("Maker (bps)", "bt_maker"),
            funding_y_bps=number("S1 funding, bps in 8 h", "bt_fund_y"),
            funding_x_bps=number("S2 funding, bps in 8 h", "bt_fund_x"),
        )
    liquidity = _one("Orders", "bt_liquidity", LIQUIDITIES, MAKER_HELP)
    spread = number("Half-spread (bps)", "bt_spread")
    impact = _one("Slippage", "bt_impact", IMPACTS, IMPACT_HELP)
    return replace(costs, liquidity=liquidity, half_spread_bps=spread, impact=impact)


def _one(label: str, key: str, options: tuple[Name, ...], note: str) -> Name:
    """Choose one of some names, as that name's type."""
    return options[options.index(select(label, key, note=note))]
