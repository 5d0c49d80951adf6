"""The log of alerts: what fired, what became of it, and the same as CSV."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from ingest.watch import Alert, Delivery, WatchStore, is_of_basket
from pages.ui.alerts import words
from pages.ui.desk.recording import now_us
from pages.ui.desk.watching import alert_link
from pages.ui.parts import files, formats, markup, notices, plain
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Cell, Html
from pages.ui.state import clock
from pages.ui.state.served_files import MadeFile
from pages.ui.state.source import current_recorder

MOST_ROWS: Final = 100
MOST_READ: Final = 1_000
EVERY: Final = "all"
HEAD: Final[tuple[str | Cell, ...]] = (
    "Fired at",
    *(Cell(name, words=True) for name in ("Bar", "What", "Rule", "Pair", "Words", "Sent")),
)  # fmt: skip
EVERYTHING: Final = 2**31
Deliveries = Mapping[int, Sequence[Delivery]]


def show(store: WatchStore) -> None:
    """Show the newest alerts, those of one rule or pair where asked for."""
    alerts = store.alerts(limit=MOST_READ, newest_first=True)
    if not alerts:
        notices.show(words.NO_ALERTS)
        return
    shown = chosen(alerts)
    if shown:
        drawn = shown[:MOST_ROWS]
        listed = table(drawn, deliveries_of(store, drawn))
        markup.show(markup.block(listed, css="pd-alert-log"))
    else:
        notices.show(words.NONE_OF_THESE)
    if len(shown) > MOST_ROWS or len(alerts) == MOST_READ:
        plain.caption(f"The newest {min(len(shown), MOST_ROWS)} shown; the CSV has all.")
    st.caption(
        "A pair's link opens Live at the bar, which is marked, with the settings that the alert "
        "was made with. A bar that waited for its trades fires after a later one of another pair."
    )
    files.show([Offer("Alerts (CSV)", "alerts-csv", partial(_csv, store))], key="alerts_csv")


def chosen(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Ask for a rule and a pair; gives the alerts of both."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = _choose("Rule", "log_rule", (each.rule for each in alerts))
        pair = _choose("Pair", "log_pair", map(words.pair_of, alerts))
    return [
        each
        for each in alerts
        if rule in {EVERY, each.rule} and pair in {EVERY, words.pair_of(each)}
    ]


def _choose(label: str, key: str, names: Iterable[str]) -> str:
    """Ask for one of the names; one that a session asked for stays on offer."""
    offered = {*names, st.session_state.get(key, EVERY)} - {EVERY}
    return str(
        st.selectbox(
            label, [EVERY, *sorted(offered)], key=key, width=240, format_func=formats.clipped
        )
    )


def deliveries_of(store: WatchStore, alerts: Sequence[Alert]) -> Deliveries:
    """Read the deliveries of alerts, by the alert's id."""
    wanted = {each.alert_id for each in alerts}
    found: dict[int, list[Delivery]] = defaultdict(list)
    for each in store.deliveries(min(wanted) - 1, EVERYTHING):
        if each.alert_id in wanted:
            found[each.alert_id].append(each)
    return found


def table(alerts: Sequence[Alert], deliveries: Deliveries) -> Html:
    """List alerts in the order given."""
    rows = [_row(each, deliveries.get(each.alert_id, ())) for each in alerts]
    return markup.table("Alerts, newest first", HEAD, rows)


def _row(alert: Alert, deliveries: Sequence[Delivery]) -> list[str | Cell]:
    fired = (
        Cell("● fired", "sell", words=True)
        if alert.kind == "fired"
        else Cell("○ over", "good", words=True)
    )
    forming = " (forming)" if alert.is_forming else ""
    return [
        formats.moment(words.time_at(alert.fired_us)),
        Cell(_bar(alert) + forming, words=True),
        fired,
        Cell(formats.clipped(alert.rule), words=True),
        Cell(_link(alert), words=True),
        Cell(formats.with_minus(alert.words), words=True),
        _sent(alert, deliveries),
    ]


def _bar(alert: Alert) -> str:
    """Say when the bar opened, the date only where it is not the day at which it fired."""
    bar, fired = words.time_at(alert.bar_us), words.time_at(alert.fired_us)
    is_same_day = clock.shown(bar).date() == clock.shown(fired).date()
    return formats.clock(bar) if is_same_day else formats.moment(bar)


def _link(alert: Alert) -> Html:
    if not alert.y:
        return markup.text("the desk", "muted")
    page = "baskets" if is_of_basket(alert.params) else ""
    return Html('<a class="pd-about" href="./{}?{}" target="_blank">{}</a>').format(
        page, markup.whole(alert_link(alert, now_us(current_recorder()))), words.pair_of(alert)
    )


def _sent(alert: Alert, deliveries: Sequence[Delivery]) -> Cell:
    if alert.suppressed:
        return Cell(f"not sent: {alert.suppressed}", "muted", words=True)
    if not deliveries:
        return Cell("open pages only", "muted", words=True)
    is_bad = any(each.state == "failed" for each in deliveries)
    is_well = all(each.state == "delivered" for each in deliveries)
    said = "; ".join(map(words.delivery, deliveries))
    return Cell(said, "bad" if is_bad else "good" if is_well else "wait", words=True)


def _csv(store: WatchStore, _: str) -> MadeFile:
    return MadeFile("alerts.csv", "text/csv", csv_bytes(frame(store)))


def frame(store: WatchStore) -> pd.DataFrame:
    """Return every alert with its deliveries, oldest first; times in ISO 8601, UTC."""
    alerts = store.alerts(limit=EVERYTHING)
    deliveries = deliveries_of(store, alerts) if alerts else {}
    rows = [_record(each, deliveries.get(each.alert_id, ()), store) for each in alerts]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


_COLUMNS: Final = (
    "id", "kind", "rule", "y", "x", "interval", "bar", "fired", "zscore", "value", "level",
    "signal", "forming", "words", "suppressed", "deliveries",
)  # fmt: skip


def _record(alert: Alert, deliveries: Sequence[Delivery], store: WatchStore) -> tuple[object, ...]:
    return (
        store.public_id(alert.alert_id), alert.kind, alert.rule, alert.y, alert.x, alert.interval,
        _iso(alert.bar_us), _iso(alert.fired_us), alert.zscore, alert.value, alert.level,
        alert.signal, alert.is_forming, alert.words, alert.suppressed,
        "; ".join(map(_delivered, deliveries)),
    )  # fmt: skip


def _delivered(each: Delivery) -> str:
    ended = f" {_iso(each.ended_us)}" if each.ended_us else ""
    repeated = ", repeated" if each.is_repeated else ""
    error = f": {each.error}" if each.error else ""
    return f"{each.channel}: {each.state}{ended}, attempts {each.attempts}{repeated}{error}"


def _iso(time_us: int) -> str:
    return words.time_at(time_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
