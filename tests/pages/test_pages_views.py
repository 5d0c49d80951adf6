"""Settings that come back, named views, and the file that holds them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from desk.script_page import run_page, said, store, ticks_of
from streamlit.testing.v1 import AppTest

from ingest.settings import Settings, install_settings
from ingest.store.schema import SCHEMA_VERSION
from pages.ui.state import choices, views


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept.views.json"


def record(database: Path) -> None:
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))


def test_what_is_saved_reads_back_and_no_neighbour_is_left(kept):
    views.save(kept, " mine ", {"window": 30, "spread": "log"})
    views.remember(kept, {"window": 45})
    saved = views.read(kept)
    assert saved.views == {"mine": {"window": 30, "spread": "log"}}
    assert saved.last == {"window": 45}
    views.delete(kept, "mine")
    assert views.read(kept) == views.Saved({"window": 45})
    assert list(kept.parent.iterdir()) == [kept]


def test_no_file_is_no_damage(kept):
    assert views.read(kept) == views.Saved()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"version": 9}', b'{"version": 1, "views": 5}',
     b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_ignored_with_a_note_and_kept_aside(kept, content):
    kept.write_bytes(content)
    saved = views.read(kept)
    assert not saved.views
    assert "were ignored" in saved.damage
    assert "\n" not in saved.damage
    views.save(kept, "new", {"window": 30})
    assert views.read(kept).views == {"new": {"window": 30}}
    assert kept.with_name(f"{kept.name}.damaged").read_bytes() == content


def test_values_that_may_not_be_are_left_out_one_by_one(kept):
    last = {"window": 4, "spread": "log", "interval": "7s", "sell": "2", "level": "5",
            "gate_pvalue": 1, "unknown": 3, "s1": "A\x00B", "buy": float("nan")}  # fmt: skip
    kept.write_text(json.dumps({"version": 1, "last": last, "views": {"a": 5}}), encoding="utf-8")
    assert views.read(kept) == views.Saved({"spread": "log", "level": "5"}, {"a": {}})


def test_what_an_earlier_version_saved_goes_by_its_present_name(kept):
    last = {"rule": "mission", "bt_rule": "symmetric"}
    views_then = {"mine": {"rule": "symmetric", "bt_rule": "mission"}, "own": {"rule": "custom"}}
    content = {"version": 1, "last": last, "views": views_then}
    kept.write_text(json.dumps(content), encoding="utf-8")
    default, wide = "above 2 or below 0", "beyond 2 either way"
    assert views.read(kept) == views.Saved(
        {"rule": default, "bt_rule": wide},
        {"mine": {"rule": wide, "bt_rule": default}, "own": {"rule": "custom"}},
    )


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb"])
def test_a_view_needs_a_name(kept, name):
    with pytest.raises(views.ViewError, match="needs a name"):
        views.save(kept, name, {})
    assert not kept.exists()


def test_there_is_an_end_to_how_many_views(kept):
    many: dict[str, object] = {f"view {number}": {} for number in range(views.MOST_VIEWS)}
    kept.write_text(json.dumps({"version": 1, "last": {}, "views": many}), encoding="utf-8")
    views.save(kept, "view 7", {"window": 30})
    with pytest.raises(views.ViewError, match="delete one first"):
        views.save(kept, "one more", {})


def test_a_folder_that_takes_no_file_costs_a_line_and_no_crash(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    impossible = tmp_path / "file" / "x.views.json"
    views.remember(impossible, {"window": 30})
    with pytest.raises(views.ViewError, match="cannot be written"):
        views.save(impossible, "mine", {})


def test_every_default_is_admitted_by_its_own_kind():
    for key, kind in choices.CHOICES.items():
        assert kind.default == "" or kind.admits(kind.default), key


def saved_beside(database: Path) -> views.Saved:
    return views.read(views.file_beside(database))


def test_the_last_settings_return_at_the_next_visit_and_a_link_wins(project_root, database):
    record(database)
    page = run_page(project_root)
    assert not views.file_beside(database).exists(), "a mere look changes nothing"
    page.number_input(key="window").set_value(25).run()
    page.selectbox(key="spread").set_value("log").run()
    assert saved_beside(database).last["window"] == 25
    again = run_page(project_root)
    assert again.number_input(key="window").value == 25
    assert again.selectbox(key="spread").value == "log"
    linked = run_page(project_root, window="40")
    assert linked.number_input(key="window").value == 40
    assert linked.selectbox(key="spread").value == "price difference"


def test_a_visit_with_a_damaged_file_opens_with_the_defaults_and_says_so(project_root, database):
    record(database)
    views.file_beside(database).write_text("{", encoding="utf-8")
    page = run_page(project_root)
    assert page.number_input(key="window").value == 60
    assert "were ignored" in said(page)


def install(database: Path, *symbols: str) -> None:
    install_settings(Settings(db=database, symbols=symbols))


def pair_of(page: AppTest) -> tuple[str, str]:
    return str(page.selectbox(key="s1").value), str(page.selectbox(key="s2").value)


def test_a_bare_visit_begins_with_the_database_and_the_pair_named_first(project_root, database):
    record(database)
    store(database, ticks_of("ABCUSDT", 3.0, seed=7))
    install(database, "ETHUSDT", "BTCUSDT", "ABCUSDT")
    assert pair_of(run_page(project_root)) == ("ETHUSDT", "BTCUSDT")
    page = run_page(project_root, s1="ABCUSDT", s2="BTCUSDT", window="25")
    page.selectbox(key="spread").set_value("log").run()
    page.radio(key="mode").set_value(choices.FILE).run()
    page.selectbox(key="file").set_value(choices.UPLOAD).run()
    again = run_page(project_root)
    assert again.radio(key="mode").value == choices.LIVE
    assert pair_of(again) == ("ETHUSDT", "BTCUSDT")
    assert (again.number_input(key="window").value, again.selectbox(key="spread").value) == (
        25, "log",
    )  # fmt: skip
    assert choices.SOURCES[0] not in saved_beside(database).last


def test_sources_in_a_file_of_an_earlier_version_are_left_out(project_root, database):
    record(database)
    last = {"mode": choices.FILE, "file": choices.UPLOAD, "s1": "GONEUSDT", "window": 30}
    views.remember(views.file_beside(database), last)
    page = run_page(project_root)
    assert page.radio(key="mode").value == choices.LIVE
    assert pair_of(page) == ("BTCUSDT", "ETHUSDT")
    assert page.number_input(key="window").value == 30
    assert "GONEUSDT" not in said(page)


@pytest.mark.parametrize(
    ("link", "pair"),
    [
        ({"s1": "ETHUSDT"}, ("ETHUSDT", "BTCUSDT")),
        ({"s2": "BTCUSDT"}, ("ETHUSDT", "BTCUSDT")),
        ({"s1": "BTCUSDT"}, ("BTCUSDT", "ETHUSDT")),
        ({"s1": "ETH/USDT", "s2": "btc-usdt"}, ("ETHUSDT", "BTCUSDT")),
        ({"s1": "ETH/USDT:USDT"}, ("ETHUSDT", "BTCUSDT")),
    ],
)
def test_a_link_with_one_leg_never_pairs_it_with_itself(project_root, database, link, pair):
    record(database)
    page = run_page(project_root, **link)
    assert pair_of(page) == pair
    assert "The link asks for" not in said(page)


def test_what_a_link_does_not_say_is_no_last_setting_but_the_refresh(project_root, database):
    record(database)
    last: dict[str, str | int | float | bool]
    last = {"window": 30, "spread": "log", "interval": "15s", "lookback": "4h", "every": 7}
    views.remember(views.file_beside(database), last)
    page = run_page(project_root, window="40")
    assert page.number_input(key="window").value == 40
    assert page.selectbox(key="spread").value == "price difference"
    assert page.selectbox(key="interval").value == "1s"
    assert page.session_state["lookback"] == "auto"
    assert page.slider(key="every").value == 7


def press(page: AppTest, key: str) -> None:
    page.button(key=key).click().run()
    assert not page.exception, page.exception


def test_a_view_is_saved_opened_and_deleted(project_root, database):
    record(database)
    page = run_page(project_root, window="25", spread="ratio", interval="5s", zone="Local")
    page.text_input(key="new_view").set_value("tight")
    next(button for button in page.button if button.label == "Save").click().run()
    assert saved_beside(database).views["tight"]["window"] == 25
    other = run_page(project_root, window="90")
    press(other, "open_view")
    assert other.number_input(key="window").value == 25
    assert other.selectbox(key="spread").value == "ratio"
    assert other.selectbox(key="interval").value == "5s"
    assert other.session_state["zone"] == "Local"
    press(other, "delete_view")
    assert saved_beside(database).views == {}
    assert "Deleted tight" in "\n".join(each.value for each in other.caption)


def test_swap_turns_the_pair_round_and_a_leg_chosen_twice_changes_places(project_root, database):
    record(database)
    page = run_page(project_root)
    press(page, "swap")
    assert (page.selectbox(key="s1").value, page.selectbox(key="s2").value) == (
        "ETHUSDT", "BTCUSDT",
    )  # fmt: skip
    page.selectbox(key="s1").set_value("BTCUSDT").run()
    assert page.selectbox(key="s2").value == "ETHUSDT"
    assert not page.info


def test_a_link_to_symbols_that_are_not_here_says_so_and_offers_the_sample(project_root, database):
    record(database)
    page = run_page(project_root, s1="SOLUSDT", s2="ETHUSDT")
    assert "The link asks for SOLUSDT, which the database does not hold" in said(page)
    press(page, "open_sample")
    assert page.radio(key="mode").value == choices.FILE
    assert page.selectbox(key="file_s1").value == "SYNAUSDT"
    assert "SOLUSDT" not in said(page)


def test_without_a_database_one_click_opens_the_sample(project_root, database):
    page = run_page(project_root)
    assert "No database" in said(page)
    press(page, "open_sample")
    assert "SYNTHETIC" in "\n".join(element.proto.body for element in page.get("html"))


def test_a_database_of_a_newer_version_says_what_to_update(project_root, database):
    record(database)
    with closing(sqlite3.connect(database)) as changed:
        changed.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    (told,) = [each.value for each in run_page(project_root).error]
    assert "update Pairdesk" in told
    assert "Record first" not in told


def test_what_a_mode_does_not_show_is_there_again_with_it(project_root, database):
    record(database)
    page = run_page(project_root, lookback="1h")
    page.radio(key="mode").set_value(choices.FILE).run()
    page.radio(key="mode").set_value(choices.LIVE).run()
    assert page.session_state["lookback"] == "1h"
    assert not st.session_state
