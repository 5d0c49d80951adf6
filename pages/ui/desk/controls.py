"""What to look at and how: controls bound to the URL, so that a link opens the same view.

Drawn by the header, before any page: so they are the same ones on every page.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st

from analytics.errors import ParameterError
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
from ingest.settings import current_settings
from pages.ui.parts import formats
from pages.ui.parts.notices import SameSymbolError
from pages.ui.state import choices
from pages.ui.state.choices import (
    AUTO,
    AUTO_LOOKBACKS,
    CUSTOM,
    FILE,
    LEVELS,
    LIVE,
    LOCAL_ZONE,
    REPLAY,
    RULES,
    UTC_ZONE,
    WHOLE,
    Mode,
    Number,
    OneOf,
)
from pages.ui.state.page_parts import MethodPart

BOUND: Final[Literal["query-params"]] = "query-params"
PAIR_BEFORE: Final = "pair_before"
FIRST_RULE: Final = next(iter(RULES.values()))
SPREAD_HELP: Final = (
    "price difference: S1 − S2. hedged: S1 − (α + β·S2). "
    "log: ln S1 − (α + β·ln S2). ratio: S1 / S2."
)
INTERVAL_HELP: Final = "Length of a bar. 1s, 1min and 5min are also written 1S, 1T and 5T."
RANGE_HELP: Final = (
    "How far back from the last trade. β and the tests use these bars, 120 at least; windows at "
    "its beginning see the bars before it."
)
ZONE_HELP: Final = "Zone of all times on the pages; Local is your browser's. Files have UTC."
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
class View:
    """What the reader asked for: the analysis, and the money to size."""

    params: PairParams
    capital: float = float(choices.CHOICES["capital"].default)


@dataclass(frozen=True)
class Refresh:
    """How often the live part is drawn anew; never while paused."""

    every_s: int
    is_paused: bool


# Of a page that stands still.
STILL: Final = Refresh(0, is_paused=True)


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

    def view(self, y: str, x: str, interval: str, lookback_s: int | None) -> View:
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
            lookback=_in_bars(lookback_s, interval),
            window=self.window,
            spread=self.spread,
            hedge=self.hedge,
            sell_above=self.sell_above,
            buy_below=self.buy_below,
            level=self.level,
            gates=self.gates,
        )
        return View(params, self.capital)


def select(
    label: str, key: str, options: Sequence[str] = (), *, first: int = 0, width: int | None = None,
    note: str | None = None,
) -> str:  # fmt: skip
    """Show a choice of names; those of `choices.CHOICES` where none are given.

    Options are shown as they are named: a bound selection puts what it shows into the URL.
    """
    kind = choices.CHOICES[key]
    _rename_in_url(key)
    known = list(options) or list(kind.options if isinstance(kind, OneOf) else ())
    choices.recall(key, known)
    index = known.index(str(kind.default)) if kind.default in known else first
    choices.begins_with(key, known[index])
    chosen = st.selectbox(
        label, known, index=index, key=key, bind=BOUND, help=note, width=width or "stretch"
    )
    return str(chosen)


def _rename_in_url(key: str) -> None:
    """Let a link of an earlier version say what it said; before the selection reads it.

    Runs the page again, for Streamlit reads the URL's values at the start of a run.
    """
    written = st.query_params.get(key)
    name = choices.present_name(key, written)
    if name != written:
        st.query_params[key] = name
        st.rerun()


def number(label: str, key: str, note: str | None = None) -> float:
    """Show a number in its range."""
    kind = choices.CHOICES[key]
    if not isinstance(kind, Number):
        raise TypeError(f"{key} is no number")
    choices.recall(key)
    shown = st.number_input(
        label, kind.low, kind.high, kind.default, kind.step, key=key, bind=BOUND, help=note,
        format="%d" if isinstance(kind.default, int) else "%g",
    )  # fmt: skip
    return float(shown)


def switch(label: str, key: str, note: str | None = None) -> bool:
    """Show a switch."""
    choices.recall(key)
    default = bool(choices.CHOICES[key].default)
    return bool(st.toggle(label, default, key=key, bind=BOUND, help=note))


def pick_mode() -> Mode:
    """Switch between the recorded market, a file and a replay."""
    # Started for a replay, the app records nothing.
    modes = [REPLAY, FILE] if current_settings().replay else [LIVE, FILE, REPLAY]
    choices.recall("mode", modes)
    chosen = st.radio("Source", modes, key="mode", bind=BOUND)
    return next((mode for mode in modes if mode == chosen), modes[0])


def pick_pair(symbols: Sequence[str], prefix: str = "") -> tuple[str, str]:
    """Choose the two legs, S1 the dependent one, with a button that swaps them.

    Parameters
    ----------
    symbols
        At least two.
    prefix
        Keeps the choice of one mode apart from the other's.
    """
    keys = (f"{prefix}s1", f"{prefix}s2")
    _keep_apart(*keys)
    _stand_apart(keys, symbols)
    y = select("S1 (y)", keys[0], symbols, width=150, note="The leg that is bought on BUY.")
    st.button(
        "Swap", key="swap", on_click=_swap, args=keys, help="Make S2 the dependent leg, and S1 the "
        "regressor. Tests and β change with it.",
    )  # fmt: skip
    x = select(
        "S2 (x)", keys[1], symbols, first=1, width=150, note="The leg that is sold against it."
    )
    st.session_state[PAIR_BEFORE] = (y, x)
    return y, x


def _stand_apart(keys: tuple[str, str], symbols: Sequence[str]) -> None:
    """Where one leg is known and is the other's first choice, give the other one another."""
    known = [_known(key, symbols) for key in keys]
    for own, other, first in ((0, 1, symbols[1]), (1, 0, symbols[0])):
        if known[own] == first and not known[other]:
            st.session_state[keys[other]] = symbols[0] if first == symbols[1] else symbols[1]


def _known(key: str, symbols: Sequence[str]) -> str:
    """Return a leg that is chosen, or that a link asks for; nothing where it is not there."""
    symbol = str(choices.value_of(key))
    return symbol if symbol in symbols else ""


def _swap(y_key: str, x_key: str) -> None:
    legs = st.session_state[y_key], st.session_state[x_key]
    st.session_state[x_key], st.session_state[y_key] = legs


def _keep_apart(y_key: str, x_key: str) -> None:
    """Where the reader chose the other leg's symbol, give the other leg this one's."""
    before = st.session_state.get(PAIR_BEFORE)
    legs = st.session_state.get(y_key), st.session_state.get(x_key)
    if before is None or None in legs or legs[0] != legs[1] or before[0] == before[1]:
        return
    if legs[0] == before[1]:
        st.session_state[x_key] = before[0]
    elif legs[1] == before[0]:
        st.session_state[y_key] = before[1]


def pick_interval() -> str:
    """Choose the length of a bar."""
    _name_interval_of_url()
    return select("Interval", "interval", width=105, note=INTERVAL_HELP)


def _name_interval_of_url() -> None:
    """Let a link say ``1T`` or ``1m`` for ``1min``; only before the selection exists.

    Runs the page again, for Streamlit reads the URL's values at the start of a run.
    """
    written = st.query_params.get("interval")
    if written is None or "interval" in st.session_state:
        return
    with suppress(ParameterError):
        name = parse_interval(written).name
        if name != written:
            st.query_params["interval"] = name
            st.rerun()


def pick_range(interval: str, *, may_read_all: bool) -> int | None:
    """Choose how far back from the last trade to look, in seconds; None is everything.

    A file may be looked at whole; a database may hold months.
    """
    key, offered = _ranges(interval, may_read_all=may_read_all)
    chosen = select("Range", key, offered, width=105, note=_range_help(interval))
    return choices.lookback_seconds(chosen, interval)


def chosen_range(interval: str, *, may_read_all: bool) -> int | None:
    """Return the same where its control stands further down the page."""
    key, offered = _ranges(interval, may_read_all=may_read_all)
    chosen = str(choices.value_of(key))
    chosen = chosen if chosen in offered else str(choices.CHOICES[key].default)
    return choices.lookback_seconds(chosen, interval)


def choose_range(interval: str, *, may_read_all: bool) -> None:
    """Show the ranges as buttons; a click on one runs the whole page, which reads it."""
    key, offered = _ranges(interval, may_read_all=may_read_all)
    choices.recall(key, offered)
    st.segmented_control(
        "Range", offered, default=str(choices.CHOICES[key].default), key=key, required=True,
        bind=BOUND, help=_range_help(interval), label_visibility="collapsed", on_change=st.rerun,
    )  # fmt: skip


def _ranges(interval: str, *, may_read_all: bool) -> tuple[str, tuple[str, ...]]:
    """Name the choice and what it offers at an interval."""
    offered = choices.lookbacks_on_offer(interval)
    return ("span", (*offered, WHOLE)) if may_read_all else ("lookback", offered)


def _range_help(interval: str) -> str:
    return f"{RANGE_HELP} {AUTO} takes {AUTO_LOOKBACKS[interval]} at {interval}."


def pick_zone() -> None:
    """Choose the zone that times are shown in."""
    choices.recall("zone", (UTC_ZONE, LOCAL_ZONE))
    st.segmented_control(
        "Times", (UTC_ZONE, LOCAL_ZONE), default=UTC_ZONE, key="zone", required=True, bind=BOUND,
        help=ZONE_HELP,
    )  # fmt: skip


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


def pick_refresh() -> Refresh:
    """Choose how often to refresh, or pause."""
    choices.recall("every")
    kind = choices.CHOICES["every"]
    every_s = st.slider("Refresh every (seconds)", 1, 60, int(kind.default), key="every",
                        persist_state="session")  # fmt: skip
    is_paused = st.toggle(
        "Pause", key="pause", persist_state="session", help="The recorder goes on meanwhile."
    )
    return Refresh(int(every_s), bool(is_paused))


def _in_bars(lookback_s: int | None, interval: str) -> int | None:
    """Turn a lookback in seconds into closed bars, two at least."""
    if lookback_s is None:
        return None
    return max(2, lookback_s * 1_000_000 // parse_interval(interval).us)
