"""Which controls stand on which page, and what they come to where others stand."""

from types import SimpleNamespace
from typing import Any

import pytest
from desk.script_page import run_page, store, ticks_of
from streamlit.testing.v1 import AppTest

from pages.ui.desk import header
from pages.ui.state import choices
from pages.ui.state.page_parts import PAGES

PAIR = {"mode", "s1", "s2", "swap", "interval"}
WHOLE_METHOD = {"window", "spread", "hedge", "rule", "level", "gates"}
VIEWS = {"new_view"}
FROM_TO = {"from", "to"}
# What of the desk's own controls each page shows; the range is one, wherever it stands.
SHOWN = {
    "Live": PAIR | WHOLE_METHOD | VIEWS | FROM_TO | {"zone", "range", "every", "pause", "capital"},
    "Watch": {"zone", "every", "pause"},
    "Alerts": {"zone"},
    "Evidence": PAIR | WHOLE_METHOD | VIEWS | FROM_TO | {"zone", "range"},
    "Scanner": FROM_TO,
    "Factors": set(),
    "Baskets": {"zone"},
    "Backtest": PAIR | VIEWS | FROM_TO | {"window", "spread", "zone", "range"},
    "Data": set(),
    "Research": set(),
    "Feed": {"zone", "every", "pause"},
    "Methods": set(),
}


def visit(project_root, title: str, **query: str) -> AppTest:
    page = run_page(project_root, **query)
    if title != "Live":
        page.switch_page(str(project_root / "pages" / f"{PAGES[title].path}.py")).run()
    assert not page.exception, page.exception
    return page


def record(path) -> None:
    store(path, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))


def controls_of(page: AppTest) -> list[str]:
    """The desk's own controls by their keys; both ranges and all gates as one name each."""
    kinds = ("radio", "selectbox", "number_input", "text_input", "slider", "toggle", "button",
             "button_group")  # fmt: skip
    keys = [each.key for kind in kinds for each in page.get(kind) if each.key]
    names = {"lookback": "range", "span": "range"}
    known = {*choices.CHOICES, "swap", "pause", "new_view"} - set(choices.BACKTEST_CHOICES)
    found = [names.get(key, key) for key in keys if key in known - {"prices", "tab"}]
    gates = {"gates"} if any(key.startswith("gate_") for key in found) else set()
    return [key for key in found if not key.startswith("gate_")] + sorted(gates)


@pytest.mark.parametrize("title", SHOWN)
def test_each_page_shows_the_controls_that_play_a_part_there_and_no_other(
    project_root, database, title
):
    record(database)
    found = controls_of(visit(project_root, title))
    assert set(found) == SHOWN[title]
    assert len(found) == len(set(found)), found


@pytest.mark.parametrize(("spread", "is_there"), [("log", True), ("ratio", False)])
def test_a_backtest_asks_for_a_hedge_only_where_the_spread_has_one(
    project_root, database, spread, is_there
):
    record(database)
    assert ("hedge" in controls_of(visit(project_root, "Backtest", spread=spread))) is is_there


def test_in_a_file_nothing_is_refreshed(project_root, database):
    found = controls_of(run_page(project_root, mode=choices.FILE))
    assert {"every", "pause"}.isdisjoint(found)
    assert {"file", "file_s1", "file_s2", "range"} <= set(found)


def test_what_was_chosen_survives_pages_that_do_not_show_it(project_root, database):
    record(database)
    page = run_page(project_root, s1="ETHUSDT", s2="BTCUSDT", interval="5s", lookback="1h")
    for name in ("scanner", "methods", "feed", "evidence"):
        page.switch_page(str(project_root / "pages" / f"{name}.py")).run()
        assert not page.exception, page.exception
    assert page.selectbox(key="s1").value == "ETHUSDT"
    assert page.selectbox(key="interval").value == "5s"
    assert page.selectbox(key="lookback").value == "1h"
    desk = page.session_state["desk"]
    assert (desk.view.params.lookback, desk.view.params.interval) == (720, "5s")


def test_the_range_over_the_chart_is_what_the_page_reads(project_root, database):
    record(database)
    page = run_page(project_root, interval="1min")
    range_: Any = next(each for each in page.get("button_group") if each.key == "lookback")
    assert page.session_state["desk"].view.params.lookback == 1_440
    range_.set_value("1h").run()
    assert not page.exception, page.exception
    assert page.session_state["desk"].view.params.lookback == 60


def test_a_file_that_is_looked_at_elsewhere_is_not_the_scanner_s_nor_the_feed_s_source(
    project_root, database
):
    record(database)
    page = run_page(project_root, mode=choices.FILE)
    page.switch_page(str(project_root / "pages" / "feed.py")).run()
    assert page.session_state["desk"].mode == choices.LIVE
    page.switch_page(str(project_root / "pages" / "live.py")).run()
    assert page.session_state["desk"].mode == choices.FILE


def test_a_universe_is_offered_by_volume_behind_what_was_named(monkeypatch):
    monkeypatch.setattr(header, "current_settings", lambda: SimpleNamespace(symbols=("XRPUSDT",)))
    recorder: Any = SimpleNamespace(
        symbols=("XRPUSDT", "SOLUSDT"), universe_symbols=("SOLUSDT", "BTCUSDT", "ADAUSDT")
    )
    stored = ("ADAUSDT", "BTCUSDT", "DOTUSDT", "SOLUSDT", "XRPUSDT")
    expected = ("XRPUSDT", "SOLUSDT", "BTCUSDT", "ADAUSDT", "DOTUSDT")
    assert header.in_order(stored, recorder) == expected
    assert header.in_order(stored, None) == ("XRPUSDT", "ADAUSDT", "BTCUSDT", "DOTUSDT", "SOLUSDT")
    assert header.by_volume(stored, recorder) == [
        *("SOLUSDT", "BTCUSDT", "ADAUSDT"),
        *("DOTUSDT", "XRPUSDT"),
    ]
    assert header.by_volume(stored, None) == [*stored]
