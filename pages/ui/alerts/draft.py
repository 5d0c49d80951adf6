"""The rule that is being written: kept by the session until it is saved or left."""

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from analytics.alerts import AlertRule
from ingest.watch import WatchStore
from pages.ui.alerts.words import KINDS
from pages.ui.state.free_names import free_name

DRAFT: Final = "alert_draft"
SERIAL: Final = "alert_drafts"


@dataclass(frozen=True)
class Draft:
    """A rule as the form began with it.

    Attributes
    ----------
    rule
        What the form shows at first.
    is_new
        Whether it is to be another rule than those that are.
    serial
        Of its own in the session: the form of another draft has other controls.
    """

    rule: AlertRule
    is_new: bool
    serial: int

    def key(self, field: str) -> str:
        """Name the control of a field."""
        return f"rule_{self.serial}_{field}"


def current() -> Draft | None:
    """Return what is being written; None for nothing."""
    draft: Draft | None = st.session_state.get(DRAFT)
    return draft


def begin(rule: AlertRule, *, is_new: bool) -> None:
    """Write at a rule from now on."""
    serial = st.session_state[SERIAL] = st.session_state.get(SERIAL, 0) + 1
    st.session_state[DRAFT] = Draft(rule, is_new, serial)


def leave() -> None:
    """Write at nothing any more."""
    st.session_state.pop(DRAFT, None)


def new_rule(store: WatchStore) -> AlertRule:
    """Give a rule to begin with, under a name that is free."""
    return AlertRule(free_name("wide", _taken(store)), level=KINDS["zscore"].level, rearm=1.0)


def copy_of(rule: AlertRule, store: WatchStore) -> AlertRule:
    """Give a rule's copy, under a name that is free."""
    return replace(rule, name=free_name(rule.name, _taken(store)))


def _taken(store: WatchStore) -> set[str]:
    return {each.name for each in store.rules()}
