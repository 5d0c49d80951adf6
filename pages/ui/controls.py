"""What to look at and how: controls bound to the URL, so that a link opens the same view."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st
from streamlit.errors import StreamlitAPIException

from analytics.errors import ParameterError
from analytics.frames import INTERVALS, parse_interval
from analytics.gates import (
    DATA_GATES,
    FEW_BARS,
    HIGH_PVALUE,
    LEG_STALE,
    LONG_HALF_LIFE,
    NOT_COVERED,
    Gates,
)
from analytics.hedge import HEDGE_METHODS
from analytics.pair import PairParams
from analytics.signals import MISSION, SYMMETRIC, Thresholds
from analytics.spread import SPREAD_KINDS
from pages.ui import formats
from pages.ui.notices import SameSymbolError

Mode = Literal["Live Database", "NDJSON File"]

LIVE: Final[Mode] = "Live Database"
FILE: Final[Mode] = "NDJSON File"
WHOLE: Final = "all"

SPREAD_HELP: Final = (
    "price difference: S1 − S2. hedged: S1 − (α + β·S2). "
    "log: ln S1 − (α + β·ln S2). ratio: S1 / S2."
)
INTERVAL_HELP: Final = "Length of a bar. 1s, 1min and 5min are also written 1S, 1T and 5T."
HEDGE_HELP: Final = (
    "ols: least squares of S1 on S2 with intercept, over the lookback. The price difference and "
    "the ratio do not use it."
)
LOOKBACKS_S: Final = {
    "5min": 300,
    "15min": 900,
    "30min": 1_800,
    "1h": 3_600,
    "4h": 14_400,
    "24h": 86_400,
}
CUSTOM: Final = "custom"
RULES: Final[dict[str, Thresholds]] = {"mission": MISSION, "symmetric": SYMMETRIC}
LEVELS: Final = {"1": 0.01, "5": 0.05, "10": 0.10}
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
        "the p-value is not below the level: Engle-Granger where β is estimated, else ADF",
    ),
    GateSwitch(
        "half_life", LONG_HALF_LIFE,
        "the spread's half-life is longer than the window, or it has none",
    ),
)  # fmt: skip


CHOSEN: Final = "chosen"
PAGE: Final = "page_shown"
ENTERED: Final = "page_entered"
# What the pages of a pair have in common.
SHARED_KEYS: Final = (
    *("mode", "file", "s1", "s2", "file_s1", "file_s2", "interval", "lookback", "span", "window"),
    *("spread", "hedge", "rule", "sell", "buy", "level"),
    *(f"gate_{switch.field}" for switch in GATE_SWITCHES),
)


@dataclass(frozen=True)
class View:
    """What the reader asked for: the analysis, and how far back to read for it."""

    params: PairParams
    lookback_s: int | None


@dataclass(frozen=True)
class Refresh:
    """How often the live part is drawn anew; never while paused."""

    every_s: int
    is_paused: bool


def choose_mode() -> Mode:
    """Switch between the recorded market and a file; begins a page's controls."""
    _bring_choices()
    chosen = st.radio("Source", [LIVE, FILE], key="mode", bind="query-params")
    return FILE if chosen == FILE else LIVE


def choose_pair(symbols: Sequence[str], prefix: str = "") -> tuple[str, str]:
    """Choose the two legs; S1 is the dependent one.

    Parameters
    ----------
    symbols
        At least two.
    prefix
        Keeps the choice of one mode apart from the other's.
    """
    left, right = st.columns(2)
    kind: Literal["query-params"] = "query-params"
    y = left.selectbox("S1 (y)", symbols, index=0, key=f"{prefix}s1", bind=kind)
    x = right.selectbox("S2 (x)", symbols, index=1, key=f"{prefix}s2", bind=kind)
    return str(y), str(x)


def choose_view(y: str, x: str, *, may_read_all: bool) -> View:
    """Choose interval, lookback, window, spread, thresholds, level and gates.

    Parameters
    ----------
    y, x
        The legs.
    may_read_all
        Offer the whole span, as for a file; a database may hold months.
    """
    left, right = st.columns(2)
    _name_interval_of_url()
    # Options are shown as they are named: a bound selection puts what it shows into the URL.
    interval = left.selectbox(
        "Interval", [each.name for each in INTERVALS], key="interval", bind="query-params",
        help=INTERVAL_HELP,
    )  # fmt: skip
    lookback_s = _choose_lookback(right, may_read_all=may_read_all)
    window = st.number_input(
        "Rolling window (bars)", 5, 10_000, 60, 5, key="window", bind="query-params",
        help="Closed bars behind each mean, standard deviation, z-score and correlation.",
    )  # fmt: skip
    spread = st.selectbox(
        "Spread", SPREAD_KINDS, key="spread", bind="query-params", help=SPREAD_HELP
    )
    hedge = st.selectbox(
        "Hedge ratio β", list(HEDGE_METHODS), key="hedge", bind="query-params", help=HEDGE_HELP
    )  # fmt: skip
    sell_above, buy_below = _choose_thresholds()
    level, gates = _choose_level(), _choose_gates()
    _keep_choices()
    if y == x:
        raise SameSymbolError(y)
    params = PairParams(
        y=y,
        x=x,
        interval=str(interval),
        lookback=_in_bars(lookback_s, str(interval)),
        window=int(window),
        spread=spread,
        hedge=str(hedge),
        sell_above=sell_above,
        buy_below=buy_below,
        level=level,
        gates=gates,
    )
    return View(params, lookback_s)


def enter_page(name: str) -> None:
    """Note which page is shown, so that one just come to takes up the other's choices."""
    if st.session_state.get(PAGE) != name:
        st.session_state[PAGE] = name
        st.session_state[ENTERED] = True


def _keep_choices() -> None:
    """Remember what was chosen, for the page that the reader goes to next."""
    chosen = {key: st.session_state[key] for key in SHARED_KEYS if key in st.session_state}
    st.session_state[CHOSEN] = {**st.session_state.get(CHOSEN, {}), **chosen}


def _bring_choices() -> None:
    """Take up what was chosen on the page before, where this one's URL does not say otherwise.

    Streamlit does so itself, but not with the values of a link that nothing was changed of yet.
    Through the URL, which it reads at the start of a run; values that are the default leave again.
    """
    chosen = st.session_state.get(CHOSEN)
    if not st.session_state.pop(ENTERED, False) or not chosen:
        return
    lacking = {key: value for key, value in chosen.items() if key not in st.query_params}
    for key, value in lacking.items():
        # Refused for a key that is still bound: that one Streamlit carries over by itself.
        with suppress(StreamlitAPIException):
            st.query_params[key] = str(value).lower() if isinstance(value, bool) else str(value)
    if lacking:
        st.rerun()


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


def _choose_lookback(
    place: "st.delta_generator.DeltaGenerator", *, may_read_all: bool
) -> int | None:
    """Choose how far back from the last trade to look; None is everything."""
    options = [*LOOKBACKS_S, WHOLE] if may_read_all else list(LOOKBACKS_S)
    chosen = place.selectbox(
        "Lookback",
        options,
        index=options.index(WHOLE if may_read_all else "30min"),
        key="span" if may_read_all else "lookback",
        bind="query-params",
        help="Back from the last trade. β and the tests use these bars.",
    )
    return LOOKBACKS_S.get(str(chosen))


def _in_bars(lookback_s: int | None, interval: str) -> int | None:
    """Turn a lookback in seconds into closed bars, two at least."""
    if lookback_s is None:
        return None
    return max(2, lookback_s * 1_000_000 // parse_interval(interval).us)


def _choose_thresholds() -> tuple[float, float]:
    """Choose a preset, or two thresholds of one's own."""
    rule = st.selectbox(
        "Signal rule", [*RULES, CUSTOM], key="rule", bind="query-params", help=RULE_HELP
    )
    preset = RULES.get(str(rule))
    if preset is not None:
        st.caption(preset.label)
        return preset.sell_above, preset.buy_below
    left, right = st.columns(2)
    sell = left.number_input("SELL above", -10.0, 10.0, 2.0, 0.25, key="sell", bind="query-params")
    buy = right.number_input("BUY below", -10.0, 10.0, 0.0, 0.25, key="buy", bind="query-params")
    return float(sell), float(buy)


def _choose_level() -> float:
    """Choose the significance level of verdicts."""
    chosen = st.selectbox(
        "Level of tests (%)", list(LEVELS), index=1, key="level", bind="query-params",
        help=LEVEL_HELP,
    )  # fmt: skip
    return LEVELS[str(chosen)]


def _choose_gates() -> Gates:
    """Switch the gates: each that is on holds the signal at NEUTRAL while it is closed."""
    st.caption("Gates: the signal is NEUTRAL while one that is on is closed.")
    chosen = {
        switch.field: bool(
            st.toggle(
                switch.label, getattr(DATA_GATES, switch.field),
                key=f"gate_{switch.field}", bind="query-params",
                help=f"Closed while {switch.closes}.",
            )
        )
        for switch in GATE_SWITCHES
    }  # fmt: skip
    return Gates(**chosen)


def choose_refresh() -> Refresh:
    """Choose how often to refresh, or pause."""
    every_s = st.slider("Refresh every (seconds)", 1, 60, 2, key="every",
                        persist_state="session")  # fmt: skip
    is_paused = st.toggle(
        "Pause", key="pause", persist_state="session", help="The recorder goes on meanwhile."
    )
    return Refresh(int(every_s), bool(is_paused))
