"""The controls of a rule's form, and the rule that they come to."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st

from analytics.alerts import FIELDS, PAIR_WHENS, AlertRule
from analytics.alerts.rule import READING_WHENS, Crosses, When
from analytics.signals import SIGNALS
from ingest.watch import Watch, WatchStore
from pages.ui.alerts.draft import Draft
from pages.ui.alerts.pairs import watched_legs
from pages.ui.alerts.words import BETA_NOISE, CROSSING, KINDS
from pages.ui.parts import formats, plain

LONGEST_NAME: Final = 60
LONGEST_MESSAGE: Final = 500
SECOND_US: Final = 1_000_000
NEVER_OVER: Final = frozenset(("beta", "find"))
# What the form calls the fields that an error names.
LABELS: Final = {
    "name": "Name", "when": "Fires when", "crosses": "Crossing", "level": "Level",
    "rearm": "Again once back past", "to": "Signal becomes", "for_bars": "For bars in a row",
    "hold_bars": "Hold for bars", "cooldown_s": "Cool-down (s)", "once": "Once a pair",
    "expires_us": "Ends (UTC)", "quiet_hours": "Quiet hours (UTC)",
    "gated": "Only while gates are open", "forming": "On the forming bar too",
    "tells_resolved": "Tell when it is over", "channels": "Sent to", "message": "Words",
    "list": "Looks at", "y": "Looks at", "x": "Looks at",
}  # fmt: skip
# Of a rule that looks at something else, none of these may stand.
_OF_PAIRS: Final[dict[str, Any]] = {
    "list": None, "y": None, "x": None, "gated": False, "hold_bars": 0,
}  # fmt: skip
Scope = tuple[str | None, str | None, str | None]
"""List, y and x, as a rule has them."""


def ask(watch: Watch, draft: Draft) -> AlertRule:
    """Show the controls; returns the rule as they stand, whether it can be or not."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            LABELS["name"], draft.rule.name, key=draft.key("name"), max_chars=LONGEST_NAME,
            disabled=not draft.is_new, width=200,
        )  # fmt: skip
        when = _ask_when(draft)
        rule = replace(_begun(draft.rule, when), name=name.strip())
        rule = replace(rule, **_ask_level(draft, rule))
        if when in PAIR_WHENS:
            rule = _ask_scope(draft, rule, watch.store)
        names = dict.fromkeys([*(each.name for each in watch.channels()), *rule.channels])
        channels = st.multiselect(
            LABELS["channels"], list(names), list(rule.channels), key=draft.key("channels"),
            format_func=formats.clipped, width=240, placeholder="the open pages alone",
        )  # fmt: skip
    with st.expander("How long, how often, when not"):
        rule = replace(rule, **_ask_times(draft, rule))
    with st.expander("Words of the message"):
        message = _ask_message(draft)
    return replace(rule, channels=tuple(channels), message=message)


def _begun(rule: AlertRule, when: When) -> AlertRule:
    """Give the rule that the form begins with; of another kind with that kind's level."""
    if when == rule.when:
        return rule
    kind = KINDS[when]
    of_desk = {} if when in PAIR_WHENS else _OF_PAIRS
    crosses: Crosses = next(iter(kind.crosses), "outside")
    return replace(rule, when=when, crosses=crosses, level=kind.level, rearm=None, **of_desk)


def _ask_when(draft: Draft) -> When:
    whens = list(KINDS)
    return st.selectbox(
        LABELS["when"], whens, whens.index(draft.rule.when), key=draft.key("when"),
        format_func=lambda each: KINDS[each].label, width=230,
    )  # fmt: skip


def _ask_level(draft: Draft, rule: AlertRule) -> dict[str, Any]:
    kind, when = KINDS[rule.when], rule.when
    if when == "signal":
        signals = st.multiselect(
            LABELS["to"], SIGNALS, list(rule.to), key=draft.key("to"), width=260
        )
        return {"to": tuple(signals)}
    if not kind.crosses:
        return {}
    crosses = rule.crosses
    if len(kind.crosses) > 1:
        offered = list(dict.fromkeys([*kind.crosses, rule.crosses]))
        crosses = st.selectbox(
            LABELS["crosses"], offered, offered.index(rule.crosses), width=230,
            key=draft.key(f"crosses_{when}"), format_func=lambda each: CROSSING[each],
        )  # fmt: skip
    unit = f" ({kind.unit})" if kind.unit else ""
    note = BETA_NOISE if when == "beta" else None
    level = _number(draft, f"level_{when}", f"{LABELS['level']}{unit}", rule.level, note=note)
    asked: dict[str, Any] = {"crosses": crosses, "level": math.nan if level is None else level}
    if when != "beta":
        asked["rearm"] = _number(
            draft, f"rearm_{when}", LABELS["rearm"], rule.rearm, placeholder="the level"
        )
    return asked


def _number(
    draft: Draft,
    field: str,
    label: str,
    value: float | None,
    *,
    placeholder: str | None = None,
    note: str | None = None,
) -> float | None:
    return st.number_input(
        label, value=None if value is None else float(value), step=0.25, format="%g",
        key=draft.key(field), width=150, placeholder=placeholder,
        help=note,
    )  # fmt: skip


def _ask_scope(draft: Draft, rule: AlertRule, store: WatchStore) -> AlertRule:
    lists: list[Scope] = [(each.name, None, None) for each in store.lists()]
    pairs: list[Scope] = [(None, *legs) for legs in watched_legs(store)]
    is_before: Scope = (rule.list, rule.y, rule.x)
    offered = list(dict.fromkeys([(None, None, None), *lists, *pairs, is_before]))
    chosen = st.selectbox(
        LABELS["list"], offered, offered.index(is_before), key=draft.key("scope"),
        format_func=scope_label, width=230,
    )  # fmt: skip
    name, y, x = chosen
    return replace(rule, list=name, y=y, x=x)


def scope_label(scope: Scope) -> str:
    """Name what a rule looks at, as the form does."""
    name, y, x = scope
    if name is not None:
        return f"list {formats.clipped(name)}"
    return "all lists" if y is None else f"{y} / {x}"


def _ask_times(draft: Draft, rule: AlertRule) -> dict[str, Any]:
    is_of_pair, key = rule.when in PAIR_WHENS, draft.key
    asked: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked["for_bars"] = _whole(draft, "for_bars", rule.for_bars, 1)
        if is_of_pair:
            asked["hold_bars"] = _whole(draft, "hold_bars", rule.hold_bars, 0)
        cooldown_s = st.number_input(
            LABELS["cooldown_s"], 0.0, None, float(rule.cooldown_s), 10.0, "%g",
            key=key("cooldown_s"), width=150,
        )  # fmt: skip
        asked["cooldown_s"] = float(cooldown_s)
        ends = st.datetime_input(
            LABELS["expires_us"], _utc(rule.expires_us), key=key("expires_us"), width=190
        )
        asked["expires_us"] = _us(ends, rule.expires_us)
        quiet = st.text_input(
            LABELS["quiet_hours"], rule.quiet_hours or "", key=key("quiet_hours"), max_chars=11,
            placeholder="22:00-06:30", width=150,
        )  # fmt: skip
        asked["quiet_hours"] = quiet.strip() or None
    offered = {
        "once": True, "gated": is_of_pair, "forming": rule.when in READING_WHENS,
        "tells_resolved": rule.when not in NEVER_OVER,
    }  # fmt: skip
    with st.container(horizontal=True):
        for name, is_offered in offered.items():
            label, value = LABELS[name], bool(getattr(rule, name))
            asked[name] = is_offered and st.toggle(label, value, key=key(name))
    return asked


def _whole(draft: Draft, field: str, value: int, least: int) -> int:
    given = st.number_input(
        LABELS[field], least, None, max(value, least), key=draft.key(field), width=150
    )
    return int(given)


def _utc(time_us: int | None) -> datetime | None:
    """Give the wall clock of UTC, which the control shows as it is."""
    return None if time_us is None else datetime.fromtimestamp(time_us / SECOND_US, UTC)


def _us(ends: datetime | None, before_us: int | None) -> int | None:
    """Read the control, which knows minutes alone: what it shows of the time before is that."""
    if ends is None:
        return None
    minute_us = int(ends.replace(second=0, tzinfo=UTC).timestamp()) * SECOND_US
    is_same = before_us is not None and before_us - before_us % (60 * SECOND_US) == minute_us
    return before_us if is_same else minute_us


def _ask_message(draft: Draft) -> str | None:
    text = st.text_area(
        "Template", draft.rule.message or "", key=draft.key("message"), max_chars=LONGEST_MESSAGE,
        placeholder="The usual words. Or your own: {pair} left, z = {zscore}", height=80,
    )  # fmt: skip
    names = " ".join(f"{{{name}}}" for name in FIELDS)
    plain.caption(f"What may stand in it: {names}. A figure may have a format: {{zscore:+.1f}}.")
    return text or None
