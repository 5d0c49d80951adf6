"""The rules as a table, where each stands, and what can be done with one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from analytics.alerts import AlertRule, RuleState
from ingest.watch import MarketScanStatus, WatchStore
from pages.ui.alerts import draft, words
from pages.ui.parts import formats, markup, notices, plain
from pages.ui.parts.markup import Cell, Html

HEAD: Final[tuple[str | Cell, ...]] = (
    "Rule",
    *(
        Cell(name, words=True)
        for name in ("Fires when", "Looks at", "Stands at", "Fired", "Sent to", "State")
    ),
)
CHOSEN: Final = "rule_chosen"
REMOVING: Final = "rule_removing"


def show_standings(store: WatchStore) -> None:
    """Show the rules with where each stands."""
    rules = store.rules()
    if rules:
        markup.show(markup.block(table(rules, store.states()), css="pd-alert-rules"))
    else:
        notices.show(words.NO_RULES)


def show_scan(status: MarketScanStatus) -> None:
    """Say how the latest scan of the market was, where a rule asks for scans."""
    if status.is_asked:
        markup.show(markup.block(markup.text(scan_words(status), kind="p")))


def scan_words(status: MarketScanStatus) -> str:
    """Say what the latest scan of the market looked at, found and took, or why there is none."""
    if status.error:
        return f"Scan of the market: {formats.clipped(status.error, 200)}."
    if not status.bar_us:
        return "Scan of the market: none yet; one follows each closed minute."
    return (
        f"Scan of the market, bars to {formats.moment(words.time_at(status.bar_us))}: "
        f"{formats.count(status.symbols, 'symbol')}, {formats.count(status.pairs, 'pair')} tried, "
        f"{status.found:,} found; it took {formats.number(status.took_s, 1)} s, "
        f"{formats.number(status.cpu_s, 1)} s of processor time."
    )


def show_buttons(store: WatchStore) -> None:
    """Show what can be done with a rule, and the way to a new one."""
    rules = store.rules()
    with st.container(horizontal=True, vertical_alignment="bottom", key="rule_buttons"):
        if rules:
            _buttons(store, rules)
        st.button("New rule", key="rule_new", type="primary", on_click=_begin_new, args=(store,))
    name = st.session_state.get(REMOVING)
    if name is not None and name == st.session_state.get(CHOSEN):
        _ask_whether(store, name)


def table(rules: Sequence[AlertRule], states: Mapping[tuple[str, str], RuleState]) -> Html:
    """List rules with where they stand on their pairs."""
    by_rule: dict[str, list[RuleState]] = defaultdict(list)
    for (rule, _), state in states.items():
        by_rule[rule].append(state)
    rows = [_row(rule, by_rule[rule.name]) for rule in rules]
    return markup.table("Rules", HEAD, rows)


def _row(rule: AlertRule, states: Sequence[RuleState]) -> list[str | Cell]:
    is_firing = rule.enabled and any(state.name == "firing" for state in states)
    fired = sum(state.fired for state in states)
    last_us = max((state.fired_us for state in states), default=0)
    last = f", last {formats.moment(words.time_at(last_us))}" if last_us else ""
    return [
        formats.clipped(rule.name), Cell(words.condition(rule), words=True),
        Cell(words.scope(rule), words=True),
        Cell(words.standing(states), "sell" if is_firing else "muted", words=True),
        Cell(f"{fired:,}{last}", words=True), Cell(_sent_to(rule), words=True),
        Cell("on", "good", words=True) if rule.enabled else Cell("off", "muted", words=True),
    ]  # fmt: skip


def _sent_to(rule: AlertRule) -> str:
    return ", ".join(map(formats.clipped, rule.channels)) or "open pages only"


def _buttons(store: WatchStore, rules: Sequence[AlertRule]) -> None:
    by_name = {rule.name: rule for rule in rules}
    if st.session_state.get(CHOSEN) not in by_name:
        st.session_state.pop(CHOSEN, None)
    name = st.selectbox("Rule", list(by_name), key=CHOSEN, width=240, format_func=formats.clipped)
    rule = by_name[name]
    label, turned = (
        "Turn off" if rule.enabled else "Turn on",
        replace(rule, enabled=not rule.enabled),
    )
    st.button(label, key="rule_toggle", on_click=store.save_rule, args=(turned,))
    st.button("Edit", key="rule_edit", on_click=draft.begin, args=(rule,),
              kwargs={"is_new": False})  # fmt: skip
    st.button("Duplicate", key="rule_copy", on_click=_begin_copy, args=(store, rule))
    st.button("Remove", key="rule_remove", on_click=_ask_later, args=(name,))


def _ask_later(name: str | None) -> None:
    st.session_state[REMOVING] = name


def _ask_whether(store: WatchStore, name: str) -> None:
    """Ask once, since what is removed does not come back."""
    plain.caption(
        f"Remove {formats.clipped(name)}, with where it stands on each pair? "
        "The log keeps what it told."
    )
    with st.container(horizontal=True):
        st.button("Remove it", key="rule_remove_sure", on_click=_remove, args=(store, name))
        st.button("Keep it", key="rule_keep", on_click=_ask_later, args=(None,))


def _remove(store: WatchStore, name: str) -> None:
    store.remove_rule(name)
    _ask_later(None)


def _begin_new(store: WatchStore) -> None:
    draft.begin(draft.new_rule(store), is_new=True)


def _begin_copy(store: WatchStore, rule: AlertRule) -> None:
    draft.begin(draft.copy_of(rule, store), is_new=True)
