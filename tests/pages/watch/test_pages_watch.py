"""The Watch page: lists, rows as the browser gets them, what is said where there is nothing."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from desk.script_page import START_US, said, shown
from streamlit.testing.v1 import AppTest

from analytics.pair import PairReading, PairTestsReading
from ingest.watch import Alert, WatchedPair, WatchList, WatchRow
from pages.ui.desk import watching
from pages.ui.parts.trade import Terms
from pages.ui.watch import body, files, rows
from pages.ui.watch.rows import row_id

ETH = WatchedPair("ETHUSDT", "BTCUSDT")
SOL = WatchedPair("SOLUSDT", "BTCUSDT", "1min", 30, "log")


def reading(**changes: Any) -> PairReading:
    found = PairReading(
        time_us=START_US, y=2_500.0, x=50_000.0, beta=0.05, alpha=0.0, beta_stderr=0.001,
        spread=1.5, mean=1.0, std=0.2, zscore=2.5, correlation=0.81234, signal="SELL",
        reason="z = +2.50", gate="", y_coverage=0, x_coverage=0,
    )  # fmt: skip
    return replace(found, **changes)


def full_row(pair: WatchedPair = ETH, **changes: Any) -> WatchRow:
    tests = PairTestsReading(START_US - 90_000_000, 0.2314, "ADF", 12.34, returns=False)
    alert = Alert("wide", "fired", START_US, START_US, "z is +2.50", pair.y, pair.x, alert_id=7)
    return WatchRow(
        pair, reading(**changes), START_US, START_US - 5_000_000, (math.nan, 0.0, 4.5, -4.0),
        tests, 0.31, 12.6, alert,
    )  # fmt: skip


def open_watch(project_root: Path, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.switch_page(str(project_root / "pages" / "watch.py"))
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def sent(page: AppTest, component: str) -> dict[str, Any]:
    (found,) = [each.proto for each in page.get("bidi_component")
                if each.proto.component_name.endswith(component)]  # fmt: skip
    data: dict[str, Any] = json.loads(found.json)
    return data


def standing(page: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sent(page, "pairdesk_watch_table")["rows"]
    return found


def test_without_a_list_the_page_says_how_pairs_come_to_it(project_root, watch):
    page = open_watch(project_root)
    words = said(page)
    assert "No pair is watched here yet" in words
    for way in ("Type", "CSV", "Live", "Scanner"):
        assert way in words
    assert page.text_area(key="watch_typed")


def test_without_a_watch_it_says_so(project_root, database):
    assert "has no watch" in said(open_watch(project_root))


def test_typed_pairs_make_a_list_and_what_is_no_pair_is_named(project_root, watch):
    page = open_watch(project_root)
    page.text_area(key="watch_typed").set_value("eth-usdt btc-usdt, SOL/USDT BTC/USDT\nETH/USDT")
    page.button[-1].click().run()
    assert not page.exception
    (watched,) = watch.store.lists()
    assert watched.name == watching.FIRST_LIST
    assert [(pair.y, pair.x) for pair in watched.pairs] == [
        ("ETHUSDT", "BTCUSDT"), ("SOLUSDT", "BTCUSDT"),
    ]  # fmt: skip
    assert "2 pairs added to Watchlist" in page.success[0].value
    assert "ETH/USDT: a pair is two symbols" in said(page)
    assert page.text_area(key="watch_typed").value == "ETH/USDT"  # to be corrected
    assert [row["pair"] for row in standing(page)] == [["ETHUSDT", "BTCUSDT"],
                                                       ["SOLUSDT", "BTCUSDT"]]  # fmt: skip


def test_many_refusals_are_one_box_and_what_is_there_already_is_no_success(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    page = open_watch(project_root)
    page.text_area(key="watch_typed").set_value("ETHUSDT BTCUSDT\n" + "BTCUSDT\n" * 12)
    next(each for each in page.button if each.label == "Watch these").click().run()
    assert not page.success
    assert "1 pair is watched in majors already." in page.info[0].value
    (box,) = [each.value for each in page.warning if "a pair is two symbols" in each.value]
    assert box.count("\n") == 10
    assert "… and 2 more" in box


def test_the_list_of_the_address_is_shown_and_another_can_be_chosen(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    watch.store.save_list(WatchList("others", (SOL, ETH)))
    page = open_watch(project_root, watch_list="others")
    assert [row["pair"][0] for row in standing(page)] == ["SOLUSDT", "ETHUSDT"]
    page.selectbox(key="watch_list").set_value("majors").run()
    assert [row["pair"][0] for row in standing(page)] == ["ETHUSDT"]


def test_a_link_to_a_list_that_is_not_there_says_so_until_another_is_chosen(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    watch.store.save_list(WatchList("others", (SOL,)))
    page = open_watch(project_root, watch_list="nosuchlist")
    assert "There is no list nosuchlist here." in said(page)
    assert page.selectbox(key="watch_list").value == "majors"
    page.selectbox(key="watch_list").set_value("others").run()
    assert "nosuchlist" not in said(page)


def test_a_row_that_has_no_figures_has_its_problem_alone(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH, SOL)))
    row = WatchRow(ETH, problem="ETHUSDT is not recorded")
    assert rows.problem_words(replace(row, problem="is it recorded?")) == "Is it recorded?"
    watch.board.publish({"majors": (row,)})
    moves = sent(open_watch(project_root), "pairdesk_watch_moves")["moves"]
    assert moves[row_id(ETH.params)] == ["ETHUSDT is not recorded."]
    assert moves[row_id(SOL.params)] == [rows.WAITING]


def test_the_figures_of_a_row_are_those_of_its_reading(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    watch.board.publish({"majors": (full_row(),)})
    page = open_watch(project_root, capital="20000")
    (values,) = sent(page, "pairdesk_watch_moves")["moves"].values()
    problem, zscore, path, signal, since, trade, half, pvalue, age, correlation, *rest = values
    assert (problem, zscore, signal, correlation) == ("", 2.5, "S", 0.812)
    assert path == ".g_A"  # none, the middle, beyond the top, the lowest
    assert since.endswith("22:13")
    assert trade == "sell 0.38095238 ETHUSDT, buy 0.38095238 BTCUSDT"
    assert (half, pvalue, age) == ("not shown", "0.231", 90)
    assert rest == [0, 0.3, 13, "2025-07-31 22:13 wide", 7, 1]


@pytest.mark.parametrize(
    ("pvalue", "half_life", "returns", "words", "mark"),
    [
        (0.01, 12.34, True, "12.3 bars", 0),
        (0.01, 123.4, True, "123.4 bars", 2),
        (0.30, 12.34, False, "not shown", 1),
        (0.30, math.inf, False, "none", 1),
        (math.nan, math.nan, False, "", 0),
    ],
)
def test_a_half_life_is_said_only_where_a_return_is_shown(pvalue, half_life, returns, words, mark):
    tests = PairTestsReading(START_US, pvalue, "ADF", half_life, returns)
    row = replace(full_row(), tests=tests)
    values = rows.moving_rows([row], Terms())[row_id(ETH.params)]
    assert (values[6], values[-1]) == (words, mark)


def test_two_hundred_rows_are_few_bytes():
    pairs = [WatchedPair(f"COIN{number}USDT", "BTCUSDT") for number in range(200)]
    path = tuple(math.sin(step / 3) * 3 for step in range(60))
    full = [replace(full_row(pair), zscores=path) for pair in pairs]
    assert len(json.dumps(rows.moving_rows(full, Terms()), ensure_ascii=False).encode()) < 50_000


@pytest.mark.parametrize(("recorded", "is_folded"), [((), True), (("AUSDT", "BUSDT"), False)])
def test_many_legs_that_are_not_recorded_are_folded(
    project_root, watch, monkeypatch, recorded, is_folded
):
    pairs = tuple(WatchedPair(f"{coin}USDT", "DUSDT") for coin in "ABC")
    watch.store.save_list(WatchList("majors", pairs))
    asked: list[str] = []

    def add_symbol(name: str) -> str:
        asked.append(name)
        return name

    recorder = SimpleNamespace(
        symbols=recorded,
        bar_symbols=(),
        listed=tuple,
        add_symbol=add_symbol,
        standing=lambda name: "traded",
    )
    monkeypatch.setattr(body, "current_recorder", lambda: recorder)
    page = open_watch(project_root)
    if is_folded:
        assert [each.label for each in page.expander if "not recorded" in each.label] == [
            "4 symbols of this list are not recorded"
        ]
        page.selectbox(key="watch_recorded").set_value("DUSDT")
        next(each for each in page.button if each.label == "Record").click().run()
    else:
        assert "DUSDT, CUSDT are not recorded" in said(page)
        page.button(key="watch_record_DUSDT").click().run()
    assert asked == ["DUSDT"]
    assert "Recording DUSDT." in page.success[0].value


def test_a_row_leads_to_live_with_all_its_settings(project_root, watch):
    pair = replace(SOL, lookback_s=3_600, sell_above=1.5, buy_below=-1.5, level=0.10, hedge="tls")
    choices = watching.live_choices(pair)
    assert choices["lookback"] == "1h"
    assert (choices["rule"], choices["sell"], choices["buy"]) == ("custom", 1.5, -1.5)
    watch.store.save_list(WatchList("majors", (pair,)))
    (row,) = standing(open_watch(project_root))
    assert dict(row["link"])["s1"] == "SOLUSDT"
    link = {key: value for key, value in row["link"] if key != "mode"}
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    for name, value in link.items():
        page.query_params[name] = value
    from desk.script_page import store, ticks_of

    store(watch.settings.db, ticks_of("SOLUSDT", 90.0), ticks_of("BTCUSDT", 6e4, seed=6))
    page.run()
    assert not page.exception
    params = page.session_state["desk"].view.params
    assert params == pair.params
    assert watching.pair_of(params) == pair


def test_what_live_shows_and_what_a_list_holds_are_the_same_either_way():
    for pair in (ETH, SOL, replace(ETH, lookback_s=300)):
        assert watching.pair_of(pair.params) == pair
    assert watching.pair_of(replace(ETH.params, lookback=None)) is None


def test_settings_of_the_list_are_followed_by_rows_that_have_them(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH, SOL)))
    page = open_watch(project_root)
    (window,) = [each for each in page.number_input
                 if re.fullmatch("watch_of_list_.*_window", each.key or "")]  # fmt: skip
    window.set_value(90)
    next(each for each in page.button if each.label == "Set for the list").click().run()
    assert not page.exception
    (watched,) = watch.store.lists()
    assert watched.pairs == (replace(ETH, window=90), SOL)
    assert watched.settings.window == 90


def test_a_range_that_is_not_on_offer_at_the_interval_is_refused(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    page = open_watch(project_root)
    (span,) = [each for each in page.selectbox if (each.key or "").endswith("_lookback")]
    span.set_value("30d")
    next(each for each in page.button if each.label == "Set for the list").click().run()
    assert "At 1s the range is one of auto, 5min" in page.error[0].value
    assert watch.store.lists() == (WatchList("majors", (ETH,)),)


def picked_page(project_root: Path, *pairs: WatchedPair) -> AppTest:
    page = open_watch(project_root)
    page.session_state["watch_picked"] = tuple(row_id(pair.params) for pair in pairs)
    page.session_state[body.TABLE] = {}
    page.run()
    return page


def test_picked_rows_are_grouped_changed_and_removed(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH, SOL)))
    page = picked_page(project_root, SOL)
    page.text_input(key="watch_group").set_value("layer 1")
    next(each for each in page.button if each.label == "Set").click().run()
    assert watch.store.lists()[0].pairs == (ETH, replace(SOL, group="layer 1"))
    next(each for each in page.button if each.label == "As the list").click().run()
    assert watch.store.lists()[0].pairs[1] == replace(ETH, y="SOLUSDT", group="layer 1")


def test_two_picked_rows_are_compared_and_removed(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH, SOL)))
    watch.board.publish({"majors": (full_row(ETH), full_row(SOL))})
    page = picked_page(project_root, ETH, SOL)
    charts = [each for each in page.get("bidi_component")
              if each.proto.component_name.endswith("pairdesk_live_chart")]  # fmt: skip
    assert len(charts) == 2
    assert "z +2.50" in shown(page)
    page.button(key="watch_remove").click().run()
    assert watch.store.lists()[0].pairs == ()
    assert "2 rows removed from majors" in page.success[0].value


def test_lists_are_made_renamed_with_their_rules_and_removed(project_root, watch):
    from analytics.alerts import AlertRule

    watch.store.save_list(WatchList("majors", (ETH,)))
    watch.store.save_rule(AlertRule("wide", list="majors"))
    page = open_watch(project_root)
    assert any("1 rule of alerts looks at it" in each.value for each in page.caption)
    page.text_input(key="watch_other_name").set_value("big ones")
    next(each for each in page.button if each.label == "Rename").click().run()
    assert [each.name for each in watch.store.lists()] == ["big ones"]
    assert watch.store.rules()[0].list == "big ones"
    page.text_input(key="watch_new_name").set_value("big ones")
    next(each for each in page.button if each.label == "Make").click().run()
    assert "There is a list big ones already" in page.error[0].value
    page.button(key="watch_remove_list").click().run()
    assert "Remove big ones with 1 pair?" in said(page)
    page.button(key="watch_keep_list").click().run()
    page.button(key="watch_remove_list").click().run()
    assert len(watch.store.lists()) == 1
    page.button(key="watch_remove_sure").click().run()
    assert watch.store.lists() == ()


def test_the_csv_has_every_digit_and_is_read_back_as_the_same_list(watch):
    from pages.ui.watch.parsing import csv_pairs

    own = replace(SOL, lookback_s=3_600, group="=1+1", hedge="tls", level=0.10, sell_above=1.25)
    found = files.table_csv([full_row(ETH), WatchRow(own, problem="waits")], Terms())
    text = found.decode()
    assert "0.81234" in text
    assert "'=1+1" in text
    assert "SELL spread: sell 0.19047619 ETHUSDT" in text
    parsed = csv_pairs(found, ETH)
    assert parsed.refused == ()
    assert parsed.pairs == (ETH, replace(own, group="'=1+1"))


def test_what_is_laid_out_stands_until_its_list_is_another(watch):
    assert body._stands(watch, WatchList("Watchlist"))
    watch.store.save_list(WatchList("majors", (ETH,)))
    assert not body._stands(watch, WatchList("Watchlist"))  # begun in another tab
    assert body._stands(watch, WatchList("majors", (ETH,)))
    watch.store.save_list(WatchList("majors", (ETH, SOL)))
    assert not body._stands(watch, WatchList("majors", (ETH,)))


def test_nothing_is_evaluated_without_a_recorder_and_that_is_said_once(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,)))
    assert "does not record (--no-ingest). Start the app without" in said(open_watch(project_root))
