"""The form of a piece of research: which bars, which pairs, which settings, how it is judged."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, TypeVar

import streamlit as st

from analytics.backtest import RULE_PRESETS, BacktestRules, Costs
from analytics.errors import ParameterError
from analytics.frames import INTERVALS, parse_interval
from analytics.hedge import CAUSAL_HEDGES
from analytics.research import ResearchSpec
from pages.ui.desk.fees import fill_bps
from pages.ui.state.choices import LEVELS
from pages.ui.state.free_names import free_name

RECORDED: Final = "Recorded and history"
CLOSES: Final = "File of closes"
SOURCES: Final = (RECORDED, CLOSES)
SOURCE_HELP: Final = (
    "Recorded and history: what this desk recorded, with what was imported and fetched. File of "
    "closes: a CSV with a time column and a column of closes for each symbol."
)
MOST_SYMBOLS: Final = 400
MOST_SETTINGS: Final = 1_000
_DAYS_AT_FIRST: Final = 30
_SYMBOLS_AT_FIRST: Final = 20

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Wanted:
    """What the form says.

    Attributes
    ----------
    name
        Under which it is kept.
    spec
        The question.
    start, end
        Opens of the bars lie in ``start <= open < end``, UTC.
    """

    name: str
    spec: ResearchSpec
    start: datetime
    end: datetime


def choose_source() -> str:
    """Choose where the closes are from."""
    chosen = st.segmented_control(
        "Closes of", SOURCES, default=RECORDED, key="research_source", bind="query-params",
        required=True, help=SOURCE_HELP,
    )  # fmt: skip
    return str(chosen) if chosen in SOURCES else RECORDED


def choose(
    symbols: Sequence[str], span: tuple[date, date] | None, taken: Collection[str]
) -> Wanted:
    """Show the form.

    Parameters
    ----------
    symbols
        Those on offer.
    span
        First and last day of the bars there are; None where that is not known.
    taken
        Names under which something is kept or under way.

    Raises
    ------
    ParameterError
        Values that cannot be, or do not go together.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first, last = _choose_days(span)
        names = [each.name for each in INTERVALS]
        interval = st.selectbox(
            "Bar interval", names, names.index("1min"), key="research_interval", width=120
        )
        chosen = st.multiselect(
            "Symbols", list(symbols), key="research_symbols", width=360,
            placeholder=f"the first {_SYMBOLS_AT_FIRST}", max_selections=MOST_SYMBOLS,
            help=f"None chosen means the first {_SYMBOLS_AT_FIRST}. Every pair of them is tried.",
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        windows = st.text_input(
            "Windows (bars)", "60, 120, 240, 480, 960", key="research_windows", width=210
        )
        entries = st.text_input(
            "Entries (|z|)", "1.5, 2, 2.5, 3, 3.5", key="research_entries", width=180
        )
        hedges = st.multiselect(
            "β", list(CAUSAL_HEDGES), [CAUSAL_HEDGES[0]], key="research_hedges", width=200,
            help="Each estimated from the bars before. Every combination of all these is tried.",
        )  # fmt: skip
        train = st.number_input(
            "Choose on (days)", 0.01, 3_650.0, 7.0, key="research_train", width=130,
            help="Each stretch is traded with the setting that did best in so many days before.",
        )  # fmt: skip
        test = st.number_input(
            "Then trade (days)", 0.01, 3_650.0, 1.0, key="research_test", width=130
        )
    details = _choose_details()
    tried = sorted(chosen) or list(symbols)[:_SYMBOLS_AT_FIRST]
    free = free_name(f"{len(tried)} symbols {interval} {first} to {last}", taken)
    name = str(st.text_input(
        "Name", key="research_name", max_chars=60, width=360, placeholder=free
    ) or "").strip()  # fmt: skip
    day = parse_interval(str(interval)).bars_per_year / 365.0
    spec = ResearchSpec(
        symbols=tuple(tried),
        interval=str(interval),
        windows=tuple(numbers("Windows", str(windows), int)),
        entries=tuple(numbers("Entries", str(entries), float)),
        hedges=tuple(hedges),
        train_bars=max(3, round(float(train) * day)),
        test_bars=max(3, round(float(test) * day)),
        **details,
    )
    if spec.settings > MOST_SETTINGS:
        raise ParameterError("settings", spec.settings, f"at most {MOST_SETTINGS:,} combinations")
    begin, end = (datetime.combine(each, time(), UTC) for each in (first, last))
    return Wanted(name or free, spec, begin, end + timedelta(days=1))


def numbers(name: str, text: str, kind: type[T]) -> list[T]:
    """Read numbers that are written with commas or blanks between them.

    Raises
    ------
    ParameterError
        A word that is no such number.
    """
    words = [word for word in re.split(r"[,;\s]+", text) if word]
    try:
        return [kind(word) for word in words]
    except ValueError as error:
        allowed = f"{'whole ' if kind is int else ''}numbers with commas between them"
        raise ParameterError(name, text, allowed) from error


def _choose_days(span: tuple[date, date] | None) -> tuple[date, date]:
    """Choose the first and the last day, both included."""
    low, high = span or (date(2017, 1, 1), datetime.now(UTC).date())
    first_shown = max(low, high - timedelta(days=_DAYS_AT_FIRST)) if span is None else low
    first = st.date_input("From", first_shown, low, high, key="research_from", width=130)
    last = st.date_input("To", high, low, high, key="research_to", width=130)
    assert isinstance(first, date)
    assert isinstance(last, date)
    if last < first:
        raise ParameterError("To", str(last), f"{first} or later")
    return first, last


def _choose_details() -> dict[str, Any]:
    """Choose what is seldom changed."""
    with st.popover("Method and costs", key="research_method"):
        spread = st.selectbox("Spread", ["log", "hedged", "ratio"], key="research_spread")
        rule = st.selectbox(
            "Exits", [name for name, each in RULE_PRESETS.items() if not each.is_fitted], 1,
            key="research_rule", help="As on Backtest; the entries are those tried.",
        )  # fmt: skip
        cost = st.number_input(
            "Cost of a fill (bps)", 0.0, 1_000.0, fill_bps(), 0.5, key="research_cost",
            help="Fee and half-spread, of each leg; at first what is chosen on Backtest.",
        )  # fmt: skip
        held = st.slider(
            "Held out (%)", 0, 70, 30, 5, key="research_held",
            help="Share of the bars traded, the last ones, that the choice of pairs never sees.",
        )  # fmt: skip
        runs = st.number_input(
            "Searches on unrelated legs, a pair", 0, 100, 1, key="research_null",
            help="The whole search again with the moves of S2 in another order: what luck gives.",
        )  # fmt: skip
        level = st.selectbox("Level of tests (%)", list(LEVELS), 1, key="research_level")
        scan = st.checkbox("Scan each month for cointegration", value=True, key="research_scan")
        paid = st.checkbox("Stand aside where the best setting lost before", key="research_paid")
    return {
        "spread": str(spread),
        "rules": _rules(str(rule), float(cost)),
        "holdout_share": int(held) / 100,
        "null_runs": int(runs),
        "level": LEVELS[str(level)],
        "scan": bool(scan),
        "only_if_paid": bool(paid),
    }


def _rules(name: str, cost_bps: float) -> BacktestRules:
    return replace(RULE_PRESETS[name], costs=Costs(cost_bps, cost_bps))
