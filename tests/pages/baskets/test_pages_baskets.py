"""The baskets page: recorded symbols and files, links, emptiness, words that hold, files."""

import csv
import io
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit_autorefresh
from desk.script_page import START_US, said, shown, store, ticks_of, write_ndjson
from streamlit.testing.v1 import AppTest

from analytics.baskets import METHODS, BasketFit, BasketParams, analyse_basket
from analytics.outcome import Degenerate
from ingest.binance import LotSteps
from ingest.settings import Settings, install_settings
from ingest.tick import Tick
from pages.ui.baskets import body, data, settings, trade, words
from pages.ui.baskets.settings import BasketChoice
from pages.ui.state.page_choices import PAGE_CHOICES, PAGE_NUMBERS

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")
LOTS = {name: LotSteps(name[:1], "USDT", "0.01", "0.01", "5") for name in SYMBOLS}


def open_page(project_root: Path, **query: str | list[str]) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "baskets.py"))
    for name, value in {"basket_interval": "1s", **query}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def legs(seconds: int = 400, symbols: tuple[str, ...] = SYMBOLS) -> list[list[Tick]]:
    """Walks with nothing in common, fine enough that rounding to a tick is no return."""
    return [ticks_of(name, 9_000.0 + n, seconds, seed=n) for n, name in enumerate(symbols)]


def plain(page: AppTest) -> str:
    """The page's own words, without tags and styles."""
    text = re.sub(r"<style.*?</style>|<script.*?</script>", "", shown(page), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def choice(**changes: Any) -> BasketChoice:
    terms: dict[str, Any] = {"symbols": SYMBOLS, "interval": "1s", "lookback": 300, "window": 60,
             "sell_above": 2.0, "buy_below": -2.0} | changes  # fmt: skip
    return BasketChoice(BasketParams(**terms), 10_000.0, 7.5, 3)


def bars_of(path: Path, wanted: BasketChoice) -> data.BasketBars:
    bars = data.live_bars(path, wanted)
    assert bars is not None
    return bars


def test_recorded_symbols_make_a_basket_whose_figures_are_those_of_the_analysis(
    project_root, database
):
    store(database, *legs())
    text = plain(open_page(project_root, basket_sell="50", basket_buy="-50"))
    wanted = choice(lookback=1_800, sell_above=50.0, buy_below=-50.0)
    result = analyse_basket(bars_of(database, wanted).legs, wanted.params)
    assert "Basket: AUSDT, BUSDT, CUSDT, DUSDT" in text
    assert f"p {result.pvalue:.3f}" in text
    assert "NEUTRAL" in text
    for weight in result.weights.iloc[1:]:
        assert f"{abs(weight):.6f}"[:5] in text


def test_the_verdict_names_its_null_and_says_how_often_real_legs_pass(project_root, database):
    store(database, *legs())
    text = plain(open_page(project_root))
    assert "No more of a return than unrelated walks show: Johansen trace" in text
    assert "Random walks with nothing in common, searched for weights in the same way" in text
    assert "walks with the volatility of these very bars in" in text
    assert "The larger p counts: below 5 % for 6 of 100 baskets of unrelated real returns" in text
    assert "(measured with 3 and 5 symbols)" in text
    assert "Not shown to revert" in text
    assert "not shown as unrelated walks may look" in text


@pytest.mark.parametrize(
    ("pvalue", "words_"),
    [
        (0.31, "31 of 100 samples"),
        (0.012, "1 of 100 samples"),
        (0.0042, "4 of 1,000 samples"),
        (0.0001, "fewer than 1 of 1,000 samples"),
        (0.0096, "1 of 100 samples"),
    ],
)
def test_a_p_value_is_said_as_a_count_of_samples(pvalue, words_):
    assert words.out_of(pvalue) == words_


def test_no_rate_is_said_where_none_was_measured(database):
    many = tuple(f"{letter}USDT" for letter in "ABCDEFGH")
    store(database, *legs(400, many))
    wanted = choice(symbols=many)
    result = analyse_basket(bars_of(database, wanted).legs, wanted.params, draws=99)
    assert words.verdict(result)[1].endswith("The larger p counts.")
    without = analyse_basket(bars_of(database, wanted).legs, wanted.params, draws=0)
    for found, failed in (
        (without, ""),
        (replace(without, by_draws=Degenerate("the wild bootstrap", "no answer")), "no answer"),
    ):
        text = words.verdict(found)[1]
        assert "unrelated legs are below 5 % more often than 5 of 100 times" in text
        assert "of 100 baskets" not in text
        assert ("failed (the wild bootstrap: no answer)" in text) is bool(failed)


def test_the_age_is_that_of_the_last_bar_of_all_symbols(database):
    stopped = [tick for tick in legs()[3] if tick.time_us < START_US + 300_000_000]
    store(database, *legs()[:3], stopped)
    bars = bars_of(database, choice())
    result = analyse_basket(bars.legs, choice().params)
    (age_s,) = re.findall(r'data-age="([\d.]+)"', body._span(bars, result))
    end_us = time.time() * 1e6 - float(age_s) * 1e6
    assert end_us == pytest.approx(START_US + 300_000_000, abs=20e6)


def test_the_page_looks_again_for_symbols_that_have_no_trade_yet(
    project_root, database, monkeypatch
):
    timers = []
    monkeypatch.setattr(
        streamlit_autorefresh, "st_autorefresh", lambda every_ms, key: timers.append(every_ms)
    )
    store(database, *legs()[:2])
    open_page(project_root)
    assert timers == [2_000]


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_recorded_symbols_are_said_in_one_line(project_root, database, count):
    store(database, *legs()[:count])
    page = open_page(project_root)
    assert "Baskets need three symbols; AUSDT" in said(page)
    assert "--no-ingest" in said(page)


def test_a_symbol_that_is_asked_for_and_never_traded_is_not_offered(project_root, database):
    store(database, *legs()[:3])
    install_settings(Settings(db=database, symbols=("ZUSDT", "CUSDT", "AUSDT")))
    page = open_page(project_root)
    assert "Basket: CUSDT, AUSDT, BUSDT" in plain(page)


def test_without_a_database_the_page_says_so(project_root, database):
    assert "no database" in said(open_page(project_root)).lower()


def test_fewer_than_three_chosen_symbols_are_said_in_one_line(project_root, database):
    store(database, *legs())
    page = open_page(project_root, basket_symbols=["AUSDT", "BUSDT"])
    assert "Baskets need three symbols. Choose another one" in said(page)


def test_too_few_bars_are_counted(project_root, database):
    store(database, *legs(25))
    text = plain(open_page(project_root))
    assert re.search(r"needs \d+ .*, had \d+", text)
    open_page(project_root, basket_view="Backtest")


def test_the_sample_s_two_symbols_are_too_few(project_root, database):
    page = open_page(project_root, basket_source=settings.TICKS)
    assert "Baskets need three symbols; sample_ticks.ndjson.gz holds SYNAUSDT and SYNBUSDT" in said(
        page
    )


def test_a_file_of_three_symbols_makes_a_basket(project_root, database, data_folder):
    write_ndjson(data_folder / "three.ndjson", *legs()[:3])
    page = open_page(project_root, basket_source=settings.TICKS, file="three.ndjson")
    text = plain(page)
    assert "Basket: AUSDT, BUSDT, CUSDT" in text
    assert "three.ndjson" in text
    assert "ago" not in text


def test_a_link_names_the_view(project_root, database):
    store(database, *legs())
    page = open_page(
        project_root, basket_symbols=["DUSDT", "AUSDT", "BUSDT"], basket_method="Box-Tiao",
        basket_interval="5s", basket_range="15min", basket_window="20",
    )  # fmt: skip
    text = plain(page)
    assert "Basket: DUSDT, AUSDT, BUSDT" in text
    assert "5s bars" in text
    assert "Box-Tiao: least predictable" in text
    assert "ADF of the chosen combination" in text
    assert page.selectbox(key="basket_range").value == "15min"


def test_values_of_a_link_that_no_control_takes_are_named(project_root, database):
    store(database, *legs())
    page = open_page(project_root, basket_method="Astrology", basket_window="4")
    assert "basket_window=4 is not a whole number from 5 to 10,000" in said(page)
    assert "basket_method=Astrology is not one of" in said(page).replace("\\", "")
    assert page.selectbox(key="basket_method").value == "Johansen"


def test_a_range_that_the_interval_does_not_hold_falls_back(project_root, database):
    store(database, *legs())
    page = open_page(project_root, basket_range="30d", basket_interval="1h")
    page.selectbox(key="basket_interval").set_value("1s").run()
    assert not page.exception, page.exception
    assert page.selectbox(key="basket_range").value == "auto"


def test_every_control_bound_to_the_address_is_known_with_its_options(project_root, database):
    store(database, *legs())
    page = open_page(project_root)
    numbers = [each.key for each in page.number_input if each.proto.query_param_key]
    assert set(numbers) <= PAGE_NUMBERS.keys()
    drawn = [*page.selectbox, *page.get("button_group")]
    bound = [each for each in drawn if str(each.proto.query_param_key).startswith("basket_")]
    assert len(bound) == 7
    for each in bound:
        offered = [getattr(option, "content", option) for option in each.proto.options]
        assert set(offered) <= set(PAGE_CHOICES[each.proto.query_param_key].options)
    assert set(settings.METHODS.values()) == set(METHODS)
    assert tuple(settings.METHODS) == PAGE_CHOICES["basket_method"].options
    assert tuple(settings.GATES) == PAGE_CHOICES["basket_gates"].options
    assert PAGE_CHOICES["basket_view"].options == body.VIEWS


def test_thresholds_that_contradict_each_other_are_said_in_words(project_root, database):
    store(database, *legs())
    words_ = said(open_page(project_root, basket_sell="-1", basket_buy="1"))
    assert "both would hold at once. Change it under Rule and money above" in words_


def test_a_signal_says_what_to_buy_and_sell_in_whole_lots(database):
    store(database, *legs())
    result = analyse_basket(
        bars_of(database, choice()).legs, choice(sell_above=-50.0, buy_below=-60.0).params
    )
    text = trade.trade_words(result, LOTS, 10_000.0)
    assert text.startswith("SELL basket: ")
    assert "rounding to lots adds" in text
    for symbol, weight in result.weights.items():
        side = "sell" if weight > 0 else "buy"
        (quantity,) = re.findall(rf"{side} (\d+\.\d\d) {symbol}", text)
        assert float(quantity) > 0
    assert "lot step not known" in trade.trade_words(result, {}, 10_000.0)
    assert "no size: 10 USDT makes" in trade.trade_words(result, LOTS, 10.0)


def test_the_table_of_weights_has_errors_where_the_method_has_them(database):
    store(database, *legs())
    for method, has_errors in (("johansen", True), ("min_half_life", False)):
        wanted = choice(method=method)
        result = analyse_basket(bars_of(database, wanted).legs, wanted.params)
        assert isinstance(result.fit, BasketFit)
        table = words.weights_table(result, trade.size_of(result, "BUY", LOTS, 10_000.0))
        assert ("± error" in table) is has_errors
        assert "100 %" not in table
        assert table.count("<tr>") == 1 + len(SYMBOLS)


def test_the_series_go_home_as_csv(database):
    store(database, *legs())
    bars = bars_of(database, choice())
    result = analyse_basket(bars.legs, choice().params)
    file = body._csv(result, bars, "")
    rows = list(csv.DictReader(io.StringIO(file.content.decode())))
    assert [float(row["spread"]) for row in rows] == result.spread.tolist()
    assert rows[0]["time"].endswith("Z")
    assert re.fullmatch(r"AUSDT-BUSDT-CUSDT-DUSDT_1s_\d{8}T\d{6}Z_\d{8}T\d{6}Z\.csv", file.name)


def test_marks_stand_where_the_signal_became_another(database):
    store(database, *legs())
    wanted = choice(sell_above=1.0, buy_below=-1.0)
    result = analyse_basket(bars_of(database, wanted).legs, wanted.params)
    marks = body.series_of(result).changed_to
    signals = result.signal.tolist()
    for place in range(1, len(signals)):
        became = signals[place] if signals[place] != signals[place - 1] else ""
        assert marks[place] == {"SELL": 1, "BUY": -1}.get(became, 0)
    assert np.abs(marks).sum() > 2


@pytest.mark.parametrize("view", body.VIEWS)
def test_symbols_of_a_foreign_database_are_text(project_root, database, view):
    odd = ("<b>x</b>USDT", "![t](http://x)USDT", "Q" * 3_000)
    store(database, *legs(400, odd))
    page = open_page(project_root, basket_view=view)
    assert "<b>x</b>" not in shown(page)
    assert "Q" * 100 not in shown(page)
    assert "![t](http" not in said(page)
