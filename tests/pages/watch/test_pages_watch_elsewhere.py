"""Pairs that come to a list from Live and from a scan; and what a scan tells the watch."""

import numpy as np
import pandas as pd
import pytest
from desk.script_page import run_page, store, ticks_of
from streamlit.testing.v1 import AppTest

from ingest.watch import Watch, WatchedPair, WatchList
from pages.ui.scanner import watch as scan_watch
from pages.ui.scanner.settings import ScanSettings
from pages.ui.scanner.store import ScanResult

ETH = WatchedPair("BTCUSDT", "ETHUSDT", window=90)


@pytest.fixture
def recorded(watch):
    legs = (("BTCUSDT", 60_000.0), ("ETHUSDT", 2_500.0), ("SOLUSDT", 90.0))
    ticks = (ticks_of(name, base, 400, seed) for seed, (name, base) in enumerate(legs, 5))
    store(watch.settings.db, *ticks)
    return watch


def live(project_root, **query: str) -> AppTest:
    return run_page(project_root, s1="BTCUSDT", s2="ETHUSDT", window="90", **query)


def test_live_puts_its_pair_with_its_settings_into_a_list_and_says_so(project_root, recorded):
    page = live(project_root)
    page.button(key="watch_pair_add").click().run()
    assert not page.exception
    assert recorded.store.lists() == (WatchList("Watchlist", (ETH,)),)
    words = [each.value for each in page.caption]
    assert any("90 bars, thresholds and gates: in Watchlist." in each for each in words)
    assert "watch_pair_add" not in [each.key for each in page.button]
    again = live(project_root, lookback="1h")
    assert "watch_pair_add" in [each.key for each in again.button]


def test_live_asks_which_of_several_lists(project_root, recorded):
    for name in ("majors", "others"):
        recorded.store.save_list(WatchList(name))
    page = live(project_root)
    page.selectbox(key="watch_pair_list").set_value("others").run()
    page.button(key="watch_pair_add").click().run()
    assert [each.pairs for each in recorded.store.lists()] == [(), (ETH,)]


def test_a_file_is_nothing_to_watch(project_root, recorded):
    page = run_page(project_root, mode="NDJSON File")
    assert "watch_pair_add" not in [each.key for each in page.button]


def scanner(project_root) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "scanner.py"))
    page.query_params["scan_interval"] = "1s"
    page.run()
    assert not page.exception, page.exception
    return page


def test_the_best_rows_of_a_scan_are_watched_as_they_were_scanned(project_root, recorded):
    page = scanner(project_root)
    page.button(key="scan_watch_best").click().run()
    assert not page.exception
    (watched,) = recorded.store.lists()
    assert len(watched.pairs) == 3
    assert {(each.interval, each.spread, each.lookback_s) for each in watched.pairs} == {
        ("1s", "log", 14_400)
    }


def test_picked_rows_of_a_scan_are_watched(project_root, recorded):
    page = scanner(project_root)
    names = page.multiselect(key="scan_watch_rows").options
    assert len(names) == 3
    page.multiselect(key="scan_watch_rows").set_value([names[1]]).run()
    page.button(key="scan_watch_picked").click().run()
    ((pair,),) = [each.pairs for each in recorded.store.lists()]
    assert f"{pair.y} / {pair.x}" == names[1]


def test_the_box_on_the_scanner_makes_a_rule_and_says_how_it_is(project_root, recorded):
    page = scanner(project_root)
    page.checkbox(key=scan_watch.TELL).check().run()
    (rule,) = recorded.store.rules()
    assert (rule.name, rule.when) == (scan_watch.FIND_RULE, "find")
    recorded.store.remove_rule(rule.name)
    page.run()
    assert not page.checkbox(key=scan_watch.TELL).value
    page.checkbox(key=scan_watch.TELL).check().run()
    page.checkbox(key=scan_watch.TELL).uncheck().run()
    assert recorded.store.rules() == ()


def test_each_scan_of_the_recording_is_reported_once(project_root, recorded, monkeypatch):
    reported: list[list[WatchedPair]] = []
    monkeypatch.setattr(Watch, "report_finds", lambda _, found: reported.append(found))
    page = scanner(project_root)
    page.run()
    assert len(reported) == 1


def test_found_is_what_stays_below_the_level_once_all_are_counted_and_holds():
    table = pd.DataFrame({
        "y": list("ABCD"), "x": list("EFGH"), "reason": ["", "", "", "short"],
        "qvalue": [0.01, 0.01, 0.2, np.nan], "verdict": ["holds", "unproven", "holds", "holds"],
    })  # fmt: skip
    settings = ScanSettings("1min", "4h", 70, "0", "price", 30, 0.05, ("A", "E"))
    scan = ScanResult(table, settings, "recorded", "a day")
    (pair,) = scan_watch.watched_pairs(scan_watch.lasting_pairs(scan), settings)
    assert pair == WatchedPair("A", "E", "1min", 30, "hedged", lookback_s=14_400)
