"""How a pair is analysed and when it is a signal: the sidebar's part of a view.

Window, spread and hedge; for a signal thresholds, capital, the tests' level and the gates.
"""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.frames import parse_interval
from analytics.pair import (
    DATA_GATES,
    FEW_BARS,
    HIGH_PVALUE,
    LEG_STALE,
    LONG_HALF_LIFE,
    NOT_COVERED,
    Gates,
    PairParams,
)
from analytics.spread import KINDS_WITH_BETA, SPREAD_KINDS, SpreadKind
from pages.ui.desk.controls import View, number, select, switch
from pages.ui.parts import formats
from pages.ui.parts.notices import SameSymbolError
from pages.ui.state import choices
from pages.ui.state.choices import CUSTOM, LEVELS, RULES
from pages.ui.state.page_parts import MethodPart
from pages.ui.state.ranges import Range

FIRST_RULE: Final = next(iter(RULES.values()))
SPREAD_HELP: Final = (
    "price difference: S1 − S2. hedged: S1 − (α + β·S2). "
    "log: ln S1 − (α + β·ln S2). ratio: S1 / S2."
)
WINDOW_HELP: Final = "Closed bars behind each mean, standard deviation, z-score and correlation."
HEDGE_HELP: Final = (
    "How many S2 stand against one S1. ols: least squares of S1 on S2 over the range. The price "
    "difference and the ratio do not use it. The Evidence page compares all methods."
)
CAPITAL_HELP: Final = (
    "Money in both legs together, at the closes of the signal's bar. Each quantity is rounded down "
    "to the exchange's lot step. What a BUY or SELL comes to stands beside the signal."
)
LEVEL_HELP: Final = (
    "How often a verdict may be wrong where nothing is there. The gate on p uses it, and the "
    "Evidence page."
)
RULE_HELP: Final = " ".join(
    [*(f"{name}: {rule.label}." for name, rule in RULES.items()), f"{CUSTOM}: your own thresholds."]
)


@dataclass(frozen=True)
class GateSwitch:
    """A gate as the reader switches it: its field in `Gates`, its name, when it closes."""

    field: str
    name: str
    closes: str

    @property
    def label(self) -> str:
        """The name with a capital."""
        return formats.capital(self.name)


GATE_SWITCHES: Final = (
    GateSwitch(
        "leg_stale", LEG_STALE,
        f"a leg has not traded for more than {DATA_GATES.stale_after_s:g} s",
    ),
    GateSwitch(
        "window_covered", NOT_COVERED,
        f"a leg traded in less than {DATA_GATES.least_traded * 100:g} % of the window's bars",
    ),
    GateSwitch("enough_bars", FEW_BARS, "fewer bars than the window are known on both legs"),
    GateSwitch(
        "pvalue", HIGH_PVALUE,
        "no return is shown at the level: by Engle-Granger where β is estimated, else by ADF",
    ),
    GateSwitch(
        "half_life", LONG_HALF_LIFE,
        "no return is shown at the level, or its half-life is longer than the window",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Method:
    """How a pair is analysed and when it is a signal: the sidebar's part of a view."""

    window: int
    spread: SpreadKind
    hedge: str
    sell_above: float = FIRST_RULE.sell_above
    buy_below: float = FIRST_RULE.buy_below
    level: float = 0.05
    gates: Gates = DATA_GATES
    capital: float = 10_000.0

    def view(self, y: str, x: str, interval: str, asked: Range) -> View:
        """Complete it with what the header says.

        Raises
        ------
        AnalyticsError
            Both legs are one symbol, or the values do not go together.
        """
        if y == x:
            raise SameSymbolError(y)
        params = PairParams(
            y=y,
            x=x,
            interval=interval,
            lookback=_in_bars(asked.lookback_s, interval),
            until=asked.until,
            window=self.window,
            spread=self.spread,
            hedge=self.hedge,
            sell_above=self.sell_above,
            buy_below=self.buy_below,
            level=self.level,
            gates=self.gates,
        )
        return View(params, self.capital)


def pick_method(part: MethodPart, *, is_traded: bool) -> Method:
    """Choose window, spread and hedge, and for a signal thresholds, level and gates.

    Where it `is_traded`, the money that a position is sized by as well.

    A backtest has rules of its own, and takes a hedge only for a spread that has one.
    """
    window = int(number("Rolling window (bars)", "window", WINDOW_HELP))
    chosen = select("Spread", "spread", note=SPREAD_HELP)
    spread = next(kind for kind in SPREAD_KINDS if kind == chosen)
    is_whole = part == "whole"
    hedge = str(choices.value_of("hedge"))
    if is_whole or spread in KINDS_WITH_BETA:
        hedge = select("Hedge ratio β", "hedge", note=HEDGE_HELP)
    if not is_whole:
        return Method(window, spread, hedge)
    sell_above, buy_below = _pick_thresholds()
    capital = float(choices.CHOICES["capital"].default)
    if is_traded:
        capital = number("Capital (quote currency)", "capital", CAPITAL_HELP)
    with st.expander("Gates and level"):
        level = LEVELS[select("Level of tests (%)", "level", note=LEVEL_HELP)]
        st.caption("The signal is NEUTRAL while a gate that is on is closed.")
        gates = Gates(**{
            each.field: switch(each.label, f"gate_{each.field}", f"Closed while {each.closes}.")
            for each in GATE_SWITCHES
        })  # fmt: skip
    return Method(window, spread, hedge, sell_above, buy_below, level, gates, capital)


def _pick_thresholds() -> tuple[float, float]:
    """Choose a preset, or two thresholds of one's own."""
    preset = RULES.get(select("Signal rule", "rule", note=RULE_HELP))
    if preset is not None:
        st.caption(preset.label)
        return preset.sell_above, preset.buy_below
    left, right = st.columns(2)
    with left:
        sell = number("SELL above", "sell")
    with right:
        buy = number("BUY below", "buy")
    return sell, buy


def _in_bars(lookback_s: int | None, interval: str) -> int | None:
    """Turn a lookback in seconds into closed bars, two at least."""
    if lookback_s is None:
        return None
    return max(2, lookback_s * 1_000_000 // parse_interval(interval).us)
