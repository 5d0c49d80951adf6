"""A rule's form: its controls, what is wrong with it, its words, and what it would have told."""

import math
from dataclasses import replace
from typing import Final

import streamlit as st

from analytics.alerts import PAIR_WHENS, AlertRule, RuleState, Sample, Step, check_rule, words
from analytics.errors import ParameterError
from analytics.frames import parse_interval
from analytics.pair import PairReading
from analytics.signals import signal_for
from ingest.watch import Watch, Watched, WatchedPair, WatchRow
from pages.ui.alerts import draft, fields, trial
from pages.ui.alerts.draft import Draft
from pages.ui.alerts.words import condition
from pages.ui.parts import formats, notices, plain
from pages.ui.parts.notices import Notice

EXAMPLE_PAIR: Final = WatchedPair("ETHUSDT", "BTCUSDT")
EXAMPLE: Final = PairReading(
    1_767_225_600_000_000, 2_500.5, 60_010.0, 0.0412, 27.6, 0.0011, 1.83, 0.41, 0.61, 2.33, 0.87,
    "SELL", "", "", 0, 0,
)  # fmt: skip


@st.fragment
def show(watch: Watch, written: Draft) -> None:
    """Show the form; apart from the page, so that typing redraws only it."""
    with notices.shown_in_place(), st.container(border=True, key="rule_editor"):
        rule = fields.ask(watch, written)
        error = problem(rule, watch, is_new=written.is_new)
        if error:
            notices.show(Notice(error, "", is_fault=True))
        else:
            plain.caption(f"Fires when {condition(rule)}. It would say: {example(rule, watch)}")
        with st.container(horizontal=True):
            is_saved = st.button("Save", key="rule_save", type="primary", disabled=bool(error))
            is_left = st.button("Cancel", key="rule_cancel")
        if is_saved:
            watch.store.save_rule(rule)
        if is_saved or is_left:
            draft.leave()
            st.rerun()
        if not error:
            trial.show(watch, rule)


def problem(rule: AlertRule, watch: Watch, *, is_new: bool) -> str:
    """Say in one line what is wrong with a rule; nothing where it can be saved."""
    try:
        check_rule(rule)
    except ParameterError as error:
        label = fields.LABELS.get(error.name, error.name)
        return formats.with_minus(f"{label} must be {error.allowed}")
    if is_new and rule.name in {each.name for each in watch.store.rules()}:
        return f"There is a rule named {formats.clipped(rule.name)}: give another name"
    return ""


def example(rule: AlertRule, watch: Watch) -> str:
    """Give the message of an alert as it would fire, with a watched pair's figures beside it."""
    row = _row_of(rule, watch)
    pair = row.pair if row else EXAMPLE_PAIR
    reading = _fired(rule, pair, (row.reading if row else None) or EXAMPLE)
    value = reading.zscore if rule.when == "signal" else rule.level
    fired = Step(RuleState(), "fired", value)
    if rule.when not in PAIR_WHENS:
        said = words(rule, Sample(reading.time_us, value=value), fired)
    else:
        step_us = parse_interval(pair.interval).us
        said = words(rule, Sample(reading.time_us, step_us, reading), fired, y=pair.y, x=pair.x)
    return formats.with_minus(formats.clipped(said, 300))


def _fired(rule: AlertRule, pair: Watched, reading: PairReading) -> PairReading:
    """Give a reading at which the rule fires: z at its level, or beyond that of a signal."""
    if rule.when == "signal":
        beyond = {"SELL": pair.sell_above + 0.3, "BUY": pair.buy_below - 0.3}
        neutral = (pair.sell_above + pair.buy_below) / 2
        return replace(reading, signal=rule.to[0], zscore=beyond.get(rule.to[0], neutral))
    if rule.when != "zscore":
        return reading
    signal = signal_for(rule.level, pair.sell_above, pair.buy_below)
    return replace(reading, zscore=rule.level, signal=signal)


def _row_of(rule: AlertRule, watch: Watch) -> WatchRow | None:
    """Find a row that the rule looks at, with figures."""
    for name, rows in watch.board.rows().items():
        if rule.list not in {None, name}:
            continue
        for row in rows:
            is_meant = rule.y is None or (row.pair.y, row.pair.x) == (rule.y, rule.x)
            if is_meant and row.reading is not None and not math.isnan(row.reading.zscore):
                return row
    return None
