"""Pairs of a scan put into a list of watched ones; and an alert where a new one is found."""

import time
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from analytics.alerts import AlertRule
from analytics.frames import parse_interval
from ingest.errors import IngestError
from ingest.watch import MarketScanStatus, WatchedPair, WatchStore, current_watch
from pages.ui.desk.watch_choice import add_button, choose_list, offered
from pages.ui.parts import formats, plain
from pages.ui.scanner.settings import ScanSettings
from pages.ui.scanner.store import ScanResult
from pages.ui.state import choices
from pages.ui.state.choices import AUTO

BEST: Final = 10
MARKET_SCAN: Final = "Scan of each closed minute, with no page open"
FIND_RULE: Final = "a new pair is found and holds"
TELL: Final = "scan_tell"
TELL_HELP: Final = (
    "An alert at each pair that comes below the level in q, all pairs counted, and holds in the "
    "held-out part. All recorded symbols are scanned at every closed minute for it, over 24 hours, "
    "with this page closed too. Asked again at every minute, luck alone finds one sooner or later."
)
_REPORTED: Final = "scan_reported"


def show(scan: ScanResult, rows: pd.DataFrame, *, is_live: bool) -> None:
    """Offer to watch the best pairs or picked ones; nothing where this process watches none."""
    watch = current_watch()
    if watch is None or scan.is_synthetic:
        return
    with offered("Watch", key="scan_watch"):
        name = choose_list(watch.store, key="scan_watch_list")
        best = watched_pairs(rows.head(BEST), scan.settings)
        label = (
            f"Watch the {formats.count(len(best), 'best pair')}"
            if len(best) < BEST
            else ("Watch the ten best")
        )
        add_button(label, watch.store, name, best, key="scan_watch_best")
        by_name = {f"{row.y} / {row.x}": row for row in watched_pairs(rows, scan.settings)}
        picked = st.multiselect(
            "Or these", sorted(by_name), key="scan_watch_rows", placeholder="pick rows"
        )
        add_button(
            "Watch these", watch.store, name, [by_name[each] for each in picked],
            key="scan_watch_picked",
        )  # fmt: skip
        if is_live:
            _offer_to_tell(watch.store)


def show_market_scan() -> None:
    """Say in a line how the scan of the whole market does; nothing where no rule asks for one."""
    watch = current_watch()
    words = "" if watch is None else market_scan_words(watch.market_scan(), time.time())
    if words:
        plain.caption(words)


def market_scan_words(status: MarketScanStatus, now_s: float) -> str:
    """Write how the latest scan with no page open was: bar, age, symbols, pairs, found, error."""
    if not status.is_asked:
        return ""
    if status.error:
        return f"{MARKET_SCAN}: the latest could not be made: {status.error.rstrip('.')}."
    if not status.bar_us:
        return f"{MARKET_SCAN}: the first waits for a minute to close."
    bar = formats.moment(pd.Timestamp(status.bar_us, unit="us", tz="UTC"))
    closed_s = status.bar_us / 1e6 + 60
    counts = [
        formats.count(status.symbols, "symbol"),
        formats.count(status.pairs, "pair"),
        f"{status.found:,} found that {'holds' if status.found == 1 else 'hold'}",
    ]
    return (
        f"{MARKET_SCAN}: bar of {bar}, closed {formats.age(now_s - closed_s)} ago; "
        f"{', '.join(counts)}; took {formats.age(status.took_s)}."
    )


def watched_pairs(rows: pd.DataFrame, settings: ScanSettings) -> list[WatchedPair]:
    """Return rows of a scan as lists hold them: as the scan regresses, over its sample."""
    name = settings.sample.replace(" days", "d").replace(" year", "y")
    offered = choices.lookbacks_on_offer(settings.interval)
    lookback_s = settings.length_s if name in offered else None
    is_auto = lookback_s == choices.lookback_seconds(AUTO, settings.interval)
    return [
        WatchedPair(
            str(y),
            str(x),
            parse_interval(settings.interval).name,
            settings.window,
            "log" if settings.on == "log" else "hedged",
            lookback_s=None if is_auto else lookback_s,
            level=settings.level,
        )
        for y, x in zip(rows["y"], rows["x"], strict=True)
    ]


def report(scan: ScanResult) -> None:
    """Tell the watch which pairs a scan of the recording found that hold, once a scan."""
    watch = current_watch()
    if watch is None or st.session_state.get(_REPORTED) is scan:
        return
    st.session_state[_REPORTED] = scan
    watch.report_finds(watched_pairs(lasting_pairs(scan), scan.settings))


def lasting_pairs(scan: ScanResult) -> pd.DataFrame:
    """Return the pairs that stay below the level once all are counted, and hold afterwards."""
    table = scan.table
    is_found = (table["reason"] == "") & (table["qvalue"] < scan.settings.level)
    return table[is_found & (table["verdict"] == "holds")]


def _offer_to_tell(store: WatchStore) -> None:
    # Set or removed in another tab, or on the Alerts page: the box says how it is.
    st.session_state[TELL] = any(rule.name == FIND_RULE for rule in store.rules())
    label = f"Tell me when {FIND_RULE}"
    st.checkbox(label, key=TELL, help=TELL_HELP, on_change=partial(_tell, store))


def _tell(store: WatchStore) -> None:
    try:
        if st.session_state[TELL]:
            store.save_rule(AlertRule(FIND_RULE, when="find"))
        else:
            store.remove_rule(FIND_RULE)
    except IngestError as error:
        plain.error(f"{error}.")
