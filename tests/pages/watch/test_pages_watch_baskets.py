"""Baskets on the Watch page: typed, uploaded, shown beside pairs, and opened on Baskets."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from desk.script_page import START_US, shown, store, ticks_of
from streamlit.testing.v1 import AppTest
from test_pages_watch import ETH, full_row, open_watch, sent, standing

from analytics.pair import PairReading, PairTestsReading
from analytics.signals import Signal
from ingest.watch import WatchedBasket, WatchedPair, WatchList, WatchRow, basket_choices
from ingest.watch.pair_link import BASKET_GATES, BASKET_METHODS
from pages.ui.baskets import settings as basket_settings
from pages.ui.desk import watching
from pages.ui.parts.trade import Terms
from pages.ui.watch import files, picked, rows
from pages.ui.watch.parsing import csv_pairs, typed_pairs
from pages.ui.watch.rows import row_id

NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
LIST = WatchedPair("", "", window=30, sell_above=1.5, buy_below=-1.5)
BASKET = WatchedBasket(NAMES, window=30, sell_above=1.5, buy_below=-1.5)
NAN = math.nan


def reading(signal: Signal = "SELL") -> PairReading:
    return PairReading(
        START_US, NAN, NAN, NAN, NAN, NAN, 0.01, 0.0, 0.004, 2.5, 0.7,
        signal, "z = +2.50 is above 2", "", 0, 1,
    )  # fmt: skip


def basket_row(signal: Signal = "SELL") -> WatchRow:
    return WatchRow(
        BASKET, reading(signal), START_US, START_US, (0.0, 2.5), y_age_s=0.2, x_age_s=3.0,
        weights=(1.0, -2.0, 1.0), closes=(50_000.0, 2_000.0, 100.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "BTCUSDT+ETHUSDT+SOLUSDT",
        "btc-usdt + eth/usdt + sol-usdt",
        "BTCUSDT/ETHUSDT+SOLUSDT",
    ],
)
def test_symbols_with_a_plus_between_them_are_a_basket(text):
    assert typed_pairs(text, LIST).pairs == (BASKET,)


def test_pairs_and_baskets_are_typed_together():
    parsed = typed_pairs("ETHUSDT BTCUSDT, BTCUSDT+ETHUSDT+SOLUSDT", LIST)
    assert parsed.pairs == (replace(LIST, y="ETHUSDT", x="BTCUSDT"), BASKET)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("BTCUSDT+ETHUSDT", "3 to 8 symbols, had 2"),
        ("BTCUSDT+ETHUSDT+BTCUSDT", "BTCUSDT stands twice"),
        ("BTCUSDT+ETHUSDT+?", "?"),
    ],
)
def test_what_is_no_basket_is_named_with_the_reason(text, reason):
    parsed = typed_pairs(text, LIST)
    assert parsed.pairs == ()
    assert reason in parsed.refused[0]


def test_the_csv_of_the_table_is_read_back_as_the_same_rows():
    basket = replace(BASKET, method="box_tiao", group="majors", lookback_s=900)
    row = replace(basket_row(), pair=basket)
    pair_row = full_row()
    written = files.table_csv([pair_row, row], Terms())
    assert csv_pairs(written, WatchedPair("", "")).pairs == (pair_row.pair, basket)


def test_a_typed_basket_is_a_row_of_the_table(project_root, watch):
    page = open_watch(project_root)
    page.text_area(key="watch_typed").set_value("BTCUSDT+ETHUSDT+SOLUSDT")
    page.button[-1].click().run()
    assert not page.exception
    assert watch.store.lists() == (WatchList("Watchlist", (), baskets=(WatchedBasket(NAMES),)),)
    assert "1 basket added to Watchlist" in page.success[0].value
    (row,) = standing(page)
    assert row["pair"] == ["BTCUSDT/ETHUSDT+SOLUSDT"]
    assert row["words"] == "1s, Johansen's leading vector, 60 bars"
    assert row["page"] == "baskets"


def test_its_figures_stand_beside_those_of_pairs(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,), baskets=(BASKET,)))
    watch.board.publish({"majors": (full_row(), basket_row())})
    page = open_watch(project_root)
    assert [row["pair"] for row in standing(page)] == [
        ["ETHUSDT", "BTCUSDT"], ["BTCUSDT/ETHUSDT+SOLUSDT"],
    ]  # fmt: skip
    values = sent(page, "pairdesk_watch_moves")["moves"][row_id(BASKET.params)]
    _, zscore, _, signal, _, trade, half, pvalue, age, correlation, coverage, *_ = values
    assert (zscore, signal, correlation, coverage) == (2.5, "S", 0.7, 1)
    # A quarter of the money in S1, half in the second, by the weights 1, -2 and 1.
    assert trade == "sell 0.05 BTCUSDT, buy 2.5 ETHUSDT, sell 25 SOLUSDT"
    assert (half, pvalue, age) == ("", "", None)
    json.dumps(values, allow_nan=False)


def test_a_basket_has_p_with_its_age_and_a_half_life_where_a_return_is_shown():
    shown = PairTestsReading(START_US - 40_000_000, 0.005, "Johansen trace", 12.3, True)
    row = replace(basket_row(), tests=shown)
    values = rows.moving_rows([row], Terms())[row_id(BASKET.params)]
    assert (values[6], values[7], values[8], values[15]) == ("12.3 bars", "0.005", 40, 0)
    assert rows.caution_words(row) == ""
    doubted = replace(row, tests=replace(shown, pvalue=0.31, returns=False))
    values = rows.moving_rows([doubted], Terms())[row_id(BASKET.params)]
    assert (values[6], values[7], values[15]) == ("not shown", "0.310", 1)
    assert rows.caution_words(doubted) == "Not shown to revert: Johansen trace p 0.310"
    line = files.table_csv([doubted], Terms()).decode().splitlines()[1]
    assert "0.31,Johansen trace,12.3" in line


def test_neutral_is_nothing_to_trade_and_no_weights_no_size():
    assert rows.trade_of(basket_row("NEUTRAL"), Terms()) == ""
    lacking = replace(basket_row(), weights=(NAN, NAN, NAN))
    assert rows.trade_of(lacking, Terms()).startswith("no size")


def test_picked_baskets_are_removed(project_root, watch):
    watch.store.save_list(WatchList("majors", (ETH,), baskets=(BASKET,)))
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.session_state["watch_table"] = {}
    page.session_state["watch_picked"] = (row_id(BASKET.params),)
    page.switch_page(str(project_root / "pages" / "watch.py"))
    page.run()
    page.button(key="watch_remove").click().run()
    assert not page.exception
    assert watch.store.lists() == (WatchList("majors", (ETH,)),)
    assert "1 row removed from majors" in page.success[0].value


def test_a_basket_is_pinned_and_grouped(watch):
    watch.store.save_list(WatchList("majors", (ETH,), baskets=(BASKET,)))
    picked.pin(watch.store, "majors", row_id(BASKET.params))
    (found,) = watch.store.lists()
    assert found == WatchList("majors", (ETH,), baskets=(replace(BASKET, is_pinned=True),))


def test_the_baskets_page_shows_it_with_its_settings(project_root, recorded):
    basket = replace(BASKET, method="box_tiao", lookback_s=300)
    page = open_baskets(project_root, basket)
    assert "Basket: BTCUSDT, ETHUSDT, SOLUSDT" in shown(page)
    page.button(key="watch_basket_add").click().run()
    assert not page.exception
    assert recorded.store.lists() == (WatchList("Watchlist", baskets=(basket,)),)
    words = [each.value for each in page.caption]
    assert any("in Watchlist." in each for each in words)


def test_names_of_the_baskets_page_are_those_of_the_link():
    assert {name: method for method, name in BASKET_METHODS.items()} == basket_settings.METHODS
    assert BASKET_GATES == basket_settings.GATES


def test_a_list_holds_so_many_baskets(watch):
    many = [replace(BASKET, window=10 + n) for n in range(watching.MOST_BASKETS + 1)]
    with pytest.raises(watching.WatchListError, match="a list holds 20 baskets"):
        watching.add_pairs(watch.store, "majors", many)
    assert watching.add_pairs(watch.store, "majors", [*many[:20], ETH]).words == (
        "21 rows added to majors."
    )


@pytest.fixture
def recorded(watch):
    legs = zip(NAMES, (60_000.0, 2_500.0, 90.0), strict=True)
    store(watch.settings.db, *(ticks_of(name, base, 400, seed) for seed, (name, base) in
                               enumerate(legs, 5)))  # fmt: skip
    return watch


def open_baskets(project_root: Path, basket: WatchedBasket) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "baskets.py"))
    for name, value in basket_choices(basket).items():
        page.query_params[name] = [*map(str, value)] if isinstance(value, list) else str(value)
    page.run()
    assert not page.exception, page.exception
    return page


def open_picked(project_root: Path, *rows_: WatchedBasket | WatchedPair) -> AppTest:
    """Open the Watch page with these rows picked."""
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.session_state["watch_table"] = {}
    page.session_state["watch_picked"] = tuple(row_id(row.params) for row in rows_)
    page.switch_page(str(project_root / "pages" / "watch.py"))
    page.run()
    assert not page.exception, page.exception
    return page


def control(page: AppTest, kind: str, name: str):
    """The control of a picked basket's setting."""
    (found,) = (
        each
        for each in page.get(kind)
        if re.fullmatch(f"watch_of_baskets_.*_{name}", each.key or "")
    )
    return found


def submit(page: AppTest) -> None:
    (button,) = (each for each in page.button if each.form_id == "watch_of_baskets")
    button.click().run()
    assert not page.exception, page.exception


def test_settings_of_a_picked_basket_are_changed_in_its_row(project_root, watch):
    other = replace(BASKET, symbols=("ADAUSDT", "XRPUSDT", "TRXUSDT"), group="small")
    watch.store.save_list(WatchList("majors", (ETH,), LIST, (BASKET, other)))
    page = open_picked(project_root, BASKET)
    assert "watch_of_rows" not in {each.form_id for each in page.button}  # it is no pair
    control(page, "selectbox", "interval").set_value("5s")
    control(page, "selectbox", "lookback").set_value("15min")
    control(page, "selectbox", "method").set_value("Box-Tiao")
    control(page, "number_input", "window").set_value(45)
    control(page, "number_input", "sell").set_value(2.5)
    control(page, "number_input", "buy").set_value(-2.5)
    control(page, "selectbox", "level").set_value("10")
    control(page, "selectbox", "gates").set_value("data and p")
    submit(page)
    wanted = WatchedBasket(
        NAMES, "5s", 45, "box_tiao", 900, 2.5, -2.5, level=0.10,
        gates=BASKET_GATES["data and p"],
    )  # fmt: skip
    assert watch.store.lists() == (WatchList("majors", (ETH,), LIST, (wanted, other)),)
    assert standing(page)[1]["words"] == "5s, Box-Tiao: least predictable, 45 bars, 15min"
    assert ["basket_gates", "data and p"] in [list(each) for each in standing(page)[1]["link"]]
    assert ["basket_level", "10"] in [list(each) for each in standing(page)[1]["link"]]


def test_gates_that_the_page_does_not_offer_stay_while_nobody_chooses_others(project_root, watch):
    own = replace(BASKET, gates=replace(BASKET.gates, pvalue=True, window_covered=False))
    watch.store.save_list(WatchList("majors", baskets=(own,)))
    page = open_picked(project_root, own)
    assert control(page, "selectbox", "gates").value == "as they are"
    control(page, "number_input", "window").set_value(50)
    submit(page)
    assert watch.store.lists()[0].baskets == (replace(own, window=50),)


def test_more_bars_than_a_basket_may_have_are_refused_and_nothing_changes(project_root, watch):
    watch.store.save_list(WatchList("majors", baskets=(BASKET,)))
    page = open_picked(project_root, BASKET)
    control(page, "selectbox", "lookback").set_value("24h")
    submit(page)
    assert "20,000 bars at most" in page.error[0].value
    assert watch.store.lists()[0].baskets == (BASKET,)


def test_a_picked_basket_follows_the_list_again_and_keeps_its_method(project_root, watch):
    own = replace(BASKET, method="box_tiao", window=77, lookback_s=900, group="majors")
    watch.store.save_list(WatchList("majors", (), LIST, (own,)))
    page = open_picked(project_root, own)
    page.button(key="watch_basket_as_list").click().run()
    assert not page.exception
    expected = replace(BASKET, method="box_tiao", group="majors")
    assert watch.store.lists()[0].baskets == (expected,)


def set_for_list(page: AppTest, name: str, value: object) -> None:
    (found,) = (
        each
        for each in (*page.number_input, *page.selectbox)
        if (each.key or "").startswith("watch_of_list_") and each.key.endswith(f"_{name}")
    )
    found.set_value(value)
    (button,) = (each for each in page.button if each.form_id == "watch_of_list")
    button.click().run()
    assert not page.exception, page.exception


def test_baskets_with_the_settings_of_their_list_follow_it(project_root, watch):
    own = replace(BASKET, symbols=("ADAUSDT", "XRPUSDT", "TRXUSDT"), window=77)
    watch.store.save_list(WatchList("majors", (), LIST, (BASKET, own)))
    page = open_picked(project_root)
    words = [each.value for each in page.caption]
    assert any("the 1 of 2 rows that have the list's settings" in each for each in words)
    set_for_list(page, "window", 90)
    (found,) = watch.store.lists()
    assert found.baskets == (replace(BASKET, window=90), own)
    set_for_list(page, "lookback", "24h")
    (found,) = watch.store.lists()
    assert found.settings.lookback_s == 86_400
    assert found.baskets == (replace(BASKET, window=90), own)
    assert "keeps its settings" in page.warning[0].value


def test_the_baskets_page_shows_a_level_of_its_own(project_root, recorded):
    basket = replace(BASKET, lookback_s=300, level=0.10)
    page = open_baskets(project_root, basket)
    assert "level 10 %" in shown(page).replace("\u202f", " ").replace("\u00a0", " ")
    page.button(key="watch_basket_add").click().run()
    assert recorded.store.lists() == (WatchList("Watchlist", baskets=(basket,)),)
