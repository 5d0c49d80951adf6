"""Every choice a link can carry: its name in the URL, what it may be, and what it is at first."""

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import streamlit as st

from analytics.backtest import FILLS, IMPACTS, LIQUIDITIES, REENTRIES, RULE_PRESETS, SIZINGS
from analytics.frames import INTERVALS, parse_interval
from analytics.hedge import CAUSAL_HEDGES, HEDGE_METHODS
from analytics.pair import AUTO_LOOKBACK_S, DATA_GATES
from analytics.signals import DEFAULT_THRESHOLDS, PRESETS, SYMMETRIC, Thresholds
from analytics.spread import SPREAD_KINDS
from ingest.binance import valid_symbol
from ingest.errors import SymbolError
from pages.ui.state import ranges
from pages.ui.streamlit_private import is_step_of_history

Mode = Literal["Live Database", "NDJSON File", "Replay"]
Value = str | int | float | bool

LIVE: Final[Mode] = "Live Database"
FILE: Final[Mode] = "NDJSON File"
REPLAY: Final[Mode] = "Replay"
SAMPLE: Final = "Bundled sample (synthetic)"
UPLOAD: Final = "Upload a file"
AUTO: Final = "auto"
WHOLE: Final = "all"
CUSTOM: Final = "custom"
UTC_ZONE: Final = "UTC"
LOCAL_ZONE: Final = "Local"
LONGEST_WORD: Final = 120

LOOKBACKS_S: Final = {
    "5min": 300,
    "15min": 900,
    "30min": 1_800,
    "1h": 3_600,
    "4h": 14_400,
    "24h": 86_400,
    "3d": 259_200,
    "7d": 604_800,
    "30d": 2_592_000,
    "90d": 7_776_000,
    "1y": 31_536_000,
}
_NAMES: Final = {seconds: name for name, seconds in LOOKBACKS_S.items()}
# What `auto` takes at each interval, by name.
AUTO_LOOKBACKS: Final = {name: _NAMES[auto_s] for name, auto_s in AUTO_LOOKBACK_S.items()}
# A range has two bars, so that one that is named is as long as its name; and at most 30 days of
# seconds, the most that a page is to read. The watch looks at many pairs: a day of seconds each.
LEAST_BARS: Final = 2
MOST_BARS: Final = 2_592_000
MOST_WATCHED_BARS: Final = 86_400
RULES: Final[dict[str, Thresholds]] = {preset.name: preset for preset in PRESETS}
# What links and saved views of earlier versions call them.
FORMER_RULES: Final = {"mission": DEFAULT_THRESHOLDS.name, "symmetric": SYMMETRIC.name}
LEVELS: Final = {"1": 0.01, "5": 0.05, "10": 0.10}
FEES: Final = ("spot", "futures", "none")
TABS: Final = ("Statistics", "β path", "Correlation", "Residuals")
PRICE_VIEWS: Final = ("rebased", "raw", "two axes", "candles")
GATE_FIELDS: Final = ("leg_stale", "window_covered", "enough_bars", "pvalue", "half_life")


@dataclass(frozen=True)
class OneOf:
    """One of some names; `former` ones are taken for those that replaced them."""

    default: str
    options: tuple[str, ...]
    former: Mapping[str, str] = field(default_factory=dict)

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        return isinstance(value, str) and value in self.options


@dataclass(frozen=True)
class Word:
    """A name that depends on the data: a symbol, a file. Checked again where it is chosen from."""

    default: str = ""

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        return isinstance(value, str) and 0 < len(value) <= LONGEST_WORD and value.isprintable()


@dataclass(frozen=True)
class Length(OneOf):
    """One of some ranges, or any length as `ranges.length_name` writes it."""

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        is_typed = isinstance(value, str) and ranges.length_name(value) == value
        return is_typed or super().admits(value)


@dataclass(frozen=True)
class Moment(Word):
    """A time, UTC, as it was written; nothing for none. What is no time is said where it stands."""

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        return value == "" or super().admits(value)


@dataclass(frozen=True)
class Symbol(Word):
    """A leg of the pair; a link may write it as ``sol-usdt`` or ``SOL/USDT``."""


@dataclass(frozen=True)
class Number:
    """A number in a range; whole where its default is."""

    default: int | float
    low: int | float
    high: int | float
    step: int | float

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        kinds = int if isinstance(self.default, int) else int | float
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        return math.isfinite(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Switch:
    """On or off."""

    default: bool

    def admits(self, value: object) -> bool:
        """Whether a saved value may be used."""
        return isinstance(value, bool)


# From – to of a range that does not end now, and the bar that is marked in it.
STRETCH: Final = ("from", "to", "bar")
NO_STRETCH: Final = dict.fromkeys(STRETCH, "")
BACKTEST_CHOICES: Final[dict[str, OneOf | Number]] = {
    "bt_hedge": OneOf(CAUSAL_HEDGES[0], CAUSAL_HEDGES),
    "bt_rule": OneOf(next(iter(RULE_PRESETS)), (*RULE_PRESETS, CUSTOM), FORMER_RULES),
    "bt_sell": Number(2.0, -10.0, 10.0, 0.25),
    "bt_out_short": Number(0.0, -10.0, 10.0, 0.25),
    "bt_buy": Number(-2.0, -10.0, 10.0, 0.25),
    "bt_out_long": Number(0.0, -10.0, 10.0, 0.25),
    "bt_stop": Number(0.0, 0.0, 20.0, 0.5),
    "bt_time": Number(0, 0, 100_000, 10),
    "bt_reentry": OneOf(REENTRIES[0], REENTRIES),
    "bt_capital": Number(10_000.0, 1.0, 1e9, 1_000.0),
    "bt_sizing": OneOf(SIZINGS[0], SIZINGS),
    "bt_fill": OneOf(FILLS[0], FILLS),
    "bt_costs": OneOf("spot", (*FEES, CUSTOM)),
    "bt_taker": Number(7.5, -5.0, 100.0, 0.5),
    "bt_maker": Number(7.5, -5.0, 100.0, 0.5),
    "bt_fund_y": Number(0.0, -100.0, 100.0, 0.5),
    "bt_fund_x": Number(0.0, -100.0, 100.0, 0.5),
    "bt_liquidity": OneOf(LIQUIDITIES[0], LIQUIDITIES),
    "bt_spread": Number(0.0, 0.0, 100.0, 0.25),
    "bt_impact": OneOf(IMPACTS[0], IMPACTS),
    "bt_train": Number(60, 20, 90, 5),
}
CHOICES: Final[dict[str, OneOf | Word | Number | Switch]] = {
    "mode": OneOf(LIVE, (LIVE, FILE, REPLAY)),
    "file": Word(SAMPLE),
    "s1": Symbol(),
    "s2": Symbol(),
    "file_s1": Symbol(),
    "file_s2": Symbol(),
    "interval": OneOf("1s", tuple(each.name for each in INTERVALS)),
    "lookback": Length(AUTO, (AUTO, *LOOKBACKS_S, WHOLE)),
    "span": Length(WHOLE, (AUTO, *LOOKBACKS_S, WHOLE)),
    **{name: Moment() for name in STRETCH},
    "zone": OneOf(UTC_ZONE, (UTC_ZONE, LOCAL_ZONE)),
    "window": Number(60, 5, 10_000, 5),
    "spread": OneOf(SPREAD_KINDS[0], tuple(SPREAD_KINDS)),
    "hedge": OneOf(next(iter(HEDGE_METHODS)), tuple(HEDGE_METHODS)),
    "rule": OneOf(DEFAULT_THRESHOLDS.name, (*RULES, CUSTOM), FORMER_RULES),
    "sell": Number(2.0, -10.0, 10.0, 0.25),
    "buy": Number(0.0, -10.0, 10.0, 0.25),
    "capital": Number(10_000.0, 0.001, 1e9, 1_000.0),
    "level": OneOf("5", tuple(LEVELS)),
    **{f"gate_{name}": Switch(getattr(DATA_GATES, name)) for name in GATE_FIELDS},
    "every": Number(2, 1, 60, 1),
    "prices": OneOf(PRICE_VIEWS[0], PRICE_VIEWS),
    "tab": OneOf(TABS[0], TABS),
    **BACKTEST_CHOICES,
}
# Where the data is from, and of what: a visit begins with the live database and its first pair.
SOURCES: Final = ("mode", "file", "s1", "s2", "file_s1", "file_s2")
NOT_IN_LINK: Final = {"every"}
UPLOAD_KEY: Final = "upload"  # in a link beside `file`: which of the uploads
UPLOAD_SHOWN: Final = "upload_shown"
CHOSEN: Final = "chosen"
DRAWN: Final = "drawn"
OF_PAGE: Final = "of_page"
PAGE_KEYS: Final = ("watch_list",)  # what one page alone has in its address
REQUESTED: Final = "wished"
FIRST: Final = "first_of_data"
_of_this_run: Final = threading.local()


def lookback_seconds(name: str, interval: str) -> int | None:
    """How far back a range reaches at an interval, in seconds; None for all there is."""
    if name == WHOLE:
        return None
    return ranges.length_s(AUTO_LOOKBACKS[interval] if name == AUTO else name)


def holds_bars(name: str, interval: str) -> bool:
    """Whether a range has two bars at an interval, or more."""
    seconds = lookback_seconds(name, interval)
    return seconds is None or seconds * 1_000_000 // parse_interval(interval).us >= LEAST_BARS


def lookbacks_on_offer(interval: str, most: int = MOST_WATCHED_BARS) -> tuple[str, ...]:
    """Name the ranges that hold two bars to `most` at an interval, `auto` first."""
    bar_s = parse_interval(interval).us // 1_000_000
    return (
        AUTO,
        *(name for name, span_s in LOOKBACKS_S.items() if LEAST_BARS <= span_s // bar_s <= most),
    )


def valid(saved: object) -> dict[str, Value]:
    """Keep of a saved mapping what may be used, by its present name; the rest is left out."""
    if not isinstance(saved, Mapping):
        return {}
    named = {key: present_name(key, saved.get(key)) for key in CHOICES}
    return {key: named[key] for key, kind in CHOICES.items() if kind.admits(named[key])}


def present_name(key: str, value: Any) -> Any:
    """Give our name of what an earlier version, or another program, calls otherwise."""
    kind = CHOICES[key]
    if isinstance(kind, OneOf) and isinstance(value, str):
        return kind.former.get(value, value)
    if isinstance(kind, Symbol) and isinstance(value, str):
        with suppress(SymbolError):
            return valid_symbol(value)
    return value


def chosen() -> dict[str, Value]:
    """Return what is chosen now, for controls that are not shown at this moment too."""
    choices: dict[str, Value] = st.session_state.setdefault(CHOSEN, {})
    shown = {key: st.session_state[key] for key in CHOICES if key in st.session_state}
    choices |= {key: value for key, value in shown.items() if CHOICES[key].admits(value)}
    return dict(choices)


def begin_run() -> None:
    """Note that a run of the whole page begins: none of its controls is drawn yet."""
    st.session_state[DRAWN] = set()
    st.session_state[OF_PAGE] = {}


def begin_with(settings: Mapping[str, Value]) -> None:
    """Choose these before any control is drawn; each takes its own up when it is."""
    st.session_state[CHOSEN] = dict(settings)


def begins_with(key: str, value: str) -> None:
    """Note what a choice that depends on the data is at first; before its control is drawn."""
    st.session_state.setdefault(FIRST, {})[key] = value
    vars(_of_this_run)[key] = value


def first_of(key: str) -> str:
    """Return what a choice is while nobody chose, as the address has it."""
    return written(st.session_state.get(FIRST, {}).get(key, CHOICES[key].default))


def first_in_address(key: str) -> str | None:
    """Return the same for any parameter of an address; None for one that is no choice's.

    Asked while a control is being drawn, when the state of the visit is not to be looked at.
    """
    if key not in CHOICES:
        return None
    return written(vars(_of_this_run).get(key, CHOICES[key].default)) or None


def in_link() -> dict[str, str]:
    """Return what a link to the present view says: each choice that the page shows."""
    drawn = st.session_state.get(DRAWN, set()) - NOT_IN_LINK
    shown = {key: st.session_state[key] for key in sorted(drawn) if key in st.session_state}
    link = {
        key: written(value)
        for key, value in shown.items()
        if CHOICES[key].admits(value) and not (key in STRETCH and value == "")
    }
    token = upload_token() if link.get("file") == UPLOAD else ""
    link |= st.session_state.get(OF_PAGE, {})
    return {**link, UPLOAD_KEY: token} if token else link


def name_in_address(key: str, text: str) -> None:
    """Have the address say what a page of its own shows, one of `PAGE_KEYS`; even as at first."""
    st.session_state.setdefault(OF_PAGE, {})[key] = text


def asked_for() -> dict[str, Value]:
    """Return the choices that the address names, as far as they may be used."""
    parsed = {key: read(key, text) for key, text in st.query_params.items() if key in CHOICES}
    return {key: value for key, value in parsed.items() if value is not None}


def upload_token() -> str:
    """Return which upload the visit looks at; nothing while there was none."""
    asked = st.query_params.get(UPLOAD_KEY, "")
    if asked and (UPLOAD_SHOWN not in st.session_state or is_step_of_history()):
        st.session_state[UPLOAD_SHOWN] = asked
    return str(st.session_state.get(UPLOAD_SHOWN, ""))


def value_of(key: str) -> Value:
    """Return a choice whose control stands further down the page, or on another page.

    A link and a step through the browser's history win, as they do where the control is drawn.
    """
    asked = read(key, st.query_params.get(key, ""))
    if asked is not None and (key not in st.session_state or is_step_of_history()):
        return asked
    stored = st.session_state.get(key, st.session_state.get(CHOSEN, {}).get(key))
    return stored if CHOICES[key].admits(stored) else CHOICES[key].default


def read(key: str, text: str) -> Value | None:
    """Read a value as the address has it; None where it is none of this choice's."""
    kind = CHOICES[key]
    value: Value | None = present_name(key, text)
    if isinstance(kind, Switch):
        value = {"true": True, "false": False}.get(text)
    elif isinstance(kind, Number):
        return read_number(kind, text)
    return value if kind.admits(value) else None


def read_number(kind: Number, text: str) -> int | float | None:
    """Read a number as the address has it; None where its control does not take it."""
    try:
        number = float(text)
    except ValueError:
        return None
    is_whole = isinstance(kind.default, int) and number.is_integer()
    value = int(number) if is_whole else number
    return value if kind.admits(value) else None


def written(value: Value) -> str:
    """Write a value as the address has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def apply(wanted: Mapping[str, Value]) -> None:
    """Choose all of it, and the defaults for the rest; only before the controls are drawn."""
    for key, kind in CHOICES.items():
        value = wanted.get(key, kind.default)
        if value == "":
            st.session_state.pop(key, None)
            st.session_state.setdefault(CHOSEN, {}).pop(key, None)
        else:
            st.session_state[key] = value
            st.session_state.setdefault(CHOSEN, {})[key] = value


def request(requested: Mapping[str, Value]) -> None:
    """Ask for some choices; the next run that draws the header takes them up."""
    st.session_state[REQUESTED] = dict(requested)


def fulfil() -> None:
    """Take up what was asked for; only before the controls are drawn."""
    for key, value in st.session_state.pop(REQUESTED, {}).items():
        st.session_state[key] = value
        st.session_state.setdefault(CHOSEN, {})[key] = value


def recall(key: str, options: Sequence[str] | None = None) -> None:
    """Give a control that comes back what it was, which Streamlit forgets, if that is an option."""
    st.session_state.setdefault(DRAWN, set()).add(key)
    stored = st.session_state.get(CHOSEN, {})
    if key not in st.session_state and key in stored and key not in st.query_params:
        st.session_state[key] = stored[key]
    if options is not None and st.session_state.get(key, options[0]) not in options:
        del st.session_state[key]
        stored.pop(key, None)
