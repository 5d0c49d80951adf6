"""The live page through AppTest: with data, without, with one symbol, and over files."""

import gzip
import json
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from cases.backtest import bars as walk_bars
from cases.backtest import reverting_pair
from desk.script_page import (
    SECONDS,
    START_US,
    file_choice_mode,
    frame_of,
    run_file,
    run_page,
    said,
    shown,
    store,
    ticks_of,
    write_ndjson,
)
from streamlit.testing.v1 import AppTest

from analytics.backtest import best_entry, trade_at
from analytics.bars import resample_ticks
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.signals import SIGNALS
from analytics.stationarity import EngleGrangerResult, HalfLife
from ingest.binance import Kline
from ingest.files import read_ticks
from ingest.store import TickReader, TickWriter, shared_windows
from ingest.tick import StreamKey, Tick
from pages.ui.desk import file_choice, pair_data
from pages.ui.feed.ledger import why_words
from pages.ui.live import chart_view, exports, payment
from pages.ui.parts.csv_file import file_stem
from pages.ui.state import choices


def test_replay_mode_comes_to_rest_while_nothing_is_played(project_root, database) -> None:
    store(database, ticks_of("BTCUSDT", 100.0), ticks_of("ETHUSDT", 50.0))
    page = run_page(project_root, mode="Replay")  # a page that runs without end is timed out
    assert any("Nothing is being replayed" in each.value for each in page.info)


def offered(page: AppTest) -> list[str]:
    """Labels of the files that the page offers."""
    mounted = [each.proto for each in page.get("bidi_component")]
    data = [json.loads(each.json) for each in mounted if each.component_name == "pairdesk_files"]
    return [file["label"] for each in data for file in each["files"]]


def test_a_recorded_pair_shows_signal_figures_tables_and_exports(project_root, database):
    btc, eth = ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)
    store(database, btc, eth)
    page = run_page(project_root)
    body = shown(page)
    for words in ("Nothing is being recorded", "z-score", "Cointegration p", "Hedge ratio",
                  "Half-life", "Correlation", "Latest signal changes", "Statistics per leg",
                  "n = 60 bars", "pd-spark"):  # fmt: skip
        assert words in body
    assert f"{btc[-1].price:,.2f}" in body
    with TickReader(database) as reader:
        y, x = (reader.bars(symbol, "1s") for symbol in ("BTCUSDT", "ETHUSDT"))
    result = analyse_pair(y, x, PairParams("BTCUSDT", "ETHUSDT", lookback=1_800))
    assert result.signal_now.signal in body
    assert f"{result.zscore.iloc[-1]:+.2f}".replace("-", "−") in body
    assert offered(page) == ["Analytics (CSV)", "Parquet", "Report (HTML)"]


@pytest.mark.parametrize("page", ["live", "evidence", "backtest", "scanner"])
def test_a_stored_trade_dated_2099_changes_no_page(project_root, database, page) -> None:
    """Where nothing is recorded, nothing moves it away: what the pages show is as without it."""
    legs = ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)
    store(database, *legs)
    without = run_any(project_root, page)
    last = legs[0][-1]
    far = msgspec.structs.replace(last, trade_id=last.trade_id + 1, time_us=4_080_000_000_000_000)
    store(database, [far])
    shared_windows.cache_clear()
    st.cache_data.clear()
    st.cache_resource.clear()
    assert run_any(project_root, page) == without


def run_any(project_root: Path, name: str) -> list[str]:
    """All words of a page, but those that go by our clock."""
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    if name != "live":
        page.switch_page(str(project_root / "pages" / f"{name}.py"))
    page.query_params["interval"], page.query_params["lookback"] = "1s", "5min"
    page.run()
    assert not page.exception, page.exception
    words = [*shown(page).splitlines(), *said(page).splitlines()]
    ages = re.compile(r'data-age="[^"]*">[^<]*|taken at [\d:]+|[\d.,]+ m?s\b')
    return [ages.sub("", line) for line in words]


def test_the_url_chooses_pair_window_and_thresholds(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(
        project_root, s1="ETHUSDT", s2="BTCUSDT", window="20", interval="5s", spread="log"
    )
    body = shown(page)
    assert "<span>log</span>" in body
    assert body.index("ETHUSDT") < body.index("BTCUSDT")
    assert page.selectbox(key="interval").value == "5s"
    assert "n = 20 bars" in body


@pytest.mark.parametrize(
    ("written", "chosen"),
    [("1min", "1min"), ("1T", "1min"), ("5m", "5min"), ("7x", "1s"), ("15s", "15s")],
)
def test_an_interval_in_the_url_has_its_plain_name_and_takes_the_others(
    project_root, database, written, chosen
):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, interval=written)
    assert page.selectbox(key="interval").value == chosen
    assert page.query_params.get("interval", "1s") == chosen


def test_rule_lookback_hedge_and_chart_view_have_short_names_in_the_url(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(
        project_root, rule="beyond 2 either way", lookback="1h", hedge="ols", prices="two axes"
    )
    assert "SELL above +2, BUY below −2" in shown(page)
    assert page.session_state["lookback"] == "1h"
    assert page.session_state["prices"] == "two axes"
    options = ["above 2 or below 0", "beyond 2 either way", "custom"]
    assert page.selectbox(key="rule").options == options


@pytest.mark.parametrize(
    ("written", "present", "said_words"),
    [
        ("mission", "above 2 or below 0", "SELL above +2, BUY below 0"),
        ("symmetric", "beyond 2 either way", "SELL above +2, BUY below −2"),
        ("beyond 2 either way", "beyond 2 either way", "SELL above +2, BUY below −2"),
    ],
)
def test_a_link_of_an_earlier_version_still_names_its_rule(
    project_root, database, written, present, said_words
):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, rule=written)
    assert page.selectbox(key="rule").value == present
    assert said_words in shown(page)
    assert page.query_params.get("rule", present) in (present, [present])


@pytest.mark.parametrize(
    ("link", "range_"),
    [
        ({}, "auto"),
        ({"lookback": "30min"}, "30min"),
        ({"lookback": "7d", "interval": "1min"}, "7d"),
        ({"lookback": "7d"}, "7d"),
        ({"lookback": "2h"}, "2h"),
        ({"lookback": "2 hours"}, "auto"),
    ],
)
def test_a_link_opens_its_range_where_the_interval_offers_it(project_root, database, link, range_):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, **link)
    assert page.session_state["lookback"] == range_
    assert not page.exception


def test_a_range_too_long_for_the_interval_is_refused_with_what_helps(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, lookback="1y", interval="1min")
    page.selectbox(key="interval").set_value("1s").run()
    (said,) = [each.value for each in page.info if "more than the" in each.value]
    assert "31,536,000 bars of 1s" in said
    next(each for each in page.button if each.label == "Take bars of 15s").click().run()
    assert page.session_state["interval"] == "15s"
    assert page.session_state["lookback"] == "1y"
    assert not page.exception


def test_a_range_from_one_time_to_another_is_labelled_and_stands_still(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    begin = pd.Timestamp(START_US, unit="us", tz="UTC").floor("min")
    times = [f"{begin + pd.Timedelta(minutes=each):%Y-%m-%dT%H:%M}" for each in (1, 2)]
    page = run_page(project_root, **dict(zip(("from", "to"), times, strict=True)))
    body = shown(page)
    first, last = (each.replace("T", " ") for each in times)
    assert f"{first} to {last}, not live" in body
    end = begin + pd.Timedelta(minutes=2, seconds=-1)
    assert f"as of its last bar, {end:%Y-%m-%d %H:%M:%S} UTC" in body
    assert "Covered 100 % of 60 bars" in body


def test_a_time_that_is_none_is_said_in_one_line(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, **{"from": "yesterday", "to": "2024-01-31"})
    (said,) = [each.value for each in page.error if "is no time" in each.value]
    assert "From is no time" in said
    assert not page.exception


@pytest.mark.parametrize("spread", ["price difference", "hedged", "log", "ratio"])
def test_what_the_plain_p_value_is_worth_is_said_once(project_root, database, spread):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    body = shown(run_page(project_root, spread=spread))
    remarks = [line for line in body.split("<li>") if "ADF p-value" in line]
    assert len(remarks) == 1


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols"])
def test_unrelated_legs_have_no_half_life_but_the_bars_that_would_tell(
    project_root, database, hedge
):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    body = shown(run_page(project_root, spread="hedged", hedge=hedge))
    assert "not shown" in body
    assert re.search(r"as a random walk may look; 80 % power at [\d,]+ bars", body)
    assert re.search(r"ADF of the spread</td><td>−[\d.]+</td><td>0\.\d+ were β given; 0", body)
    assert ("rows, by one line" in body) == (hedge == "rolling_ols")
    assert ("of the filter&#39;s making" in body) == (hedge == "rolling_ols")


def pair_of(y: pd.DataFrame, x: pd.DataFrame, spread: Any) -> PairAnalytics:
    return analyse_pair(y, x, PairParams("AUSDT", "BUSDT", "1min", spread=spread, window=60))


@pytest.mark.parametrize("spread", ["hedged", "log"])
def test_what_a_return_is_worth_after_costs_is_said_of_a_pair_that_has_one(spread):
    result = pair_of(*reverting_pair(1_500), spread)
    line, decay, residual = result.engle_granger, result.half_life, result.residual
    assert isinstance(line, EngleGrangerResult)
    assert isinstance(decay, HalfLife)
    assert isinstance(residual, pd.Series)
    (said,) = payment.payment_words(result, 1.0)
    found = re.search(r"most at ([\d.]+): one in about ([\d,]+) bars", said)
    assert found is not None
    # In and out of both legs at the last prices, per unit of the spread.
    y, x = result.y.iloc[-1], result.x.iloc[-1]
    money = y + line.beta * x if spread == "hedged" else 1 + line.beta
    told = best_entry(decay.median_unbiased, float(residual.std(ddof=0)), 2 * money / 1e4)
    assert float(found[1]) == pytest.approx(told.level, abs=0.051)
    assert int(found[2].replace(",", "")) == pytest.approx(told.length, abs=0.51)
    (never,) = payment.payment_words(result, 90.0)
    assert "does not pay" in never
    assert payment.payment_rows(result, 90.0) == []
    rows = {name: row for name, *row in payment.payment_rows(result, 1.0)}
    best, steady, fixed = (rows[name] for name in rows)
    assert list(rows) == ["earns most", "steadiest, costs earned twice", "fixed, ±2"]
    assert best[0] == f"{told.level:.2f}"
    # A day and an hour are too short for a year's rate.
    assert best[4] == f"{told.mean * 1_500 / money:,.2%}".replace("%", " %")
    assert fixed[0] == "2.00"

    def a_year(row: list[str]) -> float:
        return float(row[4].removesuffix(" %").replace(",", "").replace("−", "-"))

    # Nothing earns more than the best, nothing beyond twice the costs is steadier than that.
    assert a_year(best) >= max(a_year(steady), a_year(fixed))
    cost = 2 * money / 1e4

    def beyond(level: float) -> float:
        at = trade_at(level, decay.median_unbiased, float(residual.std(ddof=0)), cost)
        return (at.mean - cost / at.length) / math.sqrt(at.variance)

    level = float(steady[0])
    assert beyond(level) > max(beyond(level - 0.1), beyond(level + 0.1), beyond(told.level))
    # One that comes less than once in these bars is left out; the best still pays.
    names = [name for name, *_ in payment.payment_rows(result, 12.0)]
    assert names == ["earns most", "fixed, ±2"]
    # Free fills, or a maker's rebate, need no way to pay for.
    assert payment.payment_words(result, 0.0) == payment.payment_words(result, -1.0) == []


@pytest.mark.parametrize("spread", ["price difference", "ratio"])
def test_the_legs_of_a_unit_of_a_spread_are_worth_what_moves_it(spread):
    result = pair_of(*reverting_pair(300), spread)
    y, x = result.y.iloc[-1], result.x.iloc[-1]
    # A rise of S1 by a basis point, on half of the money in the legs for equal values.
    moved = (y * 1.0001 - x) - (y - x) if spread == "price difference" else (y * 1e-4) / x
    held = y / (y + x) if spread == "price difference" else 0.5
    assert moved / payment.worth_of(result) == pytest.approx(1e-4 * held)


def test_no_cost_is_weighed_against_a_return_that_is_not_shown():
    rng = np.random.default_rng(1)
    y, x = (walk_bars(100 * np.exp(1e-3 * rng.normal(size=1_500).cumsum())) for _ in range(2))
    assert payment.payment_words(pair_of(y, x, "log"), 7.5) == []


def test_the_page_says_how_much_of_the_window_is_covered(project_root, database):
    btc = ticks_of("BTCUSDT", 60_000.0)
    store(database, btc[:100] + btc[120:], ticks_of("ETHUSDT", 2_500.0, seed=6))
    assert "Covered 89.4 % of 199 bars; 21 missing in gaps." in shown(run_page(project_root))


def test_a_range_longer_than_what_is_held_says_so(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    short = "The range asks for 1,800 bars; of both legs none earlier are held."
    assert short in shown(run_page(project_root))
    assert "The range asks for" not in shown(run_page(project_root, lookback="3min"))


def store_after_klines(path: Path, *legs: tuple[list[Tick], int]) -> None:
    """Store each leg's ticks from the given one on, and one-second klines up to it."""
    store(path, *(leg[first:] for leg, first in legs))
    writer = TickWriter(path)
    for leg, first in legs:
        bars = [
            Kline(open_us=t.time_us, open=t.price, high=t.price, low=t.price, close=t.price,
                  volume=t.quantity, trades=1, close_us=t.time_us + 999_999)
            for t in leg[: first + 1]
        ]  # fmt: skip
        writer.add_klines(("spot", leg[0].symbol, "aggTrade"), 1, bars)
    writer.close()


@pytest.mark.parametrize(
    ("lag", "words"),
    [(0, "Bars before 22:15:01 UTC are"),
     (9, "Bars before 22:15:01 UTC (BTCUSDT) and 22:15:10 UTC (ETHUSDT) are")],
)  # fmt: skip
def test_bars_from_klines_are_said_to_be_the_exchange_s_own(project_root, database, lag, words):
    btc, eth = ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)
    store_after_klines(database, (btc, 100), (eth, 100 + lag))
    body = shown(run_page(project_root))
    assert "Covered 100 % of 199 bars." in body
    assert f"{words} the exchange&#39;s own klines." in body


@pytest.mark.parametrize("lag", [0, 9])
def test_bars_over_a_gap_are_said_to_be_the_exchange_s_own(project_root, database, lag):
    """Given up, and bars known all the same: Live, Feed and the frame tell of one stretch."""
    btc, eth = ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)
    store(database, btc[:100] + btc[120:], eth[: 100 + lag] + eth[120:])
    writer = TickWriter(database)
    for leg, first in ((btc, 100), (eth, 100 + lag)):
        key: StreamKey = ("spot", leg[0].symbol, "aggTrade")
        writer.close_gap(key, leg[first].trade_id, leg[119].trade_id, "expired", "too old")
        bars = [
            Kline(open_us=t.time_us, open=t.price, high=t.price, low=t.price, close=t.price,
                  volume=t.quantity, trades=1, close_us=t.time_us + 999_999)
            for t in leg[first - 1 : 121]
        ]  # fmt: skip
        writer.add_klines(key, 1, bars)
    writer.close()
    body = shown(run_page(project_root))
    assert "Covered 100 % of 199 bars." in body
    assert (
        "Bars from 2025-07-31 22:14:59 to 22:15:21 UTC are the exchange&#39;s own klines:"
        " trades are missing." in body
    )
    with TickReader(database) as reader:
        ((low, high),) = reader.bars("BTCUSDT", "1s").attrs["kline_spans"]
        (gap,) = reader.gaps("BTCUSDT").to_dict("records")
        ends = (gap["after"].floor("1s"), gap["before"].floor("1s") + pd.Timedelta("1s"))
        assert (low, high) == ends
    assert why_words(gap) == "too old. Bars there are the exchange's own klines."


def test_klines_are_not_counted_as_ticks(database):
    btc, eth = ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6)
    store_after_klines(database, (btc, 100), (eth, 110))
    source = stored_source(database, ("BTCUSDT", "ETHUSDT"))
    begin = pd.Timestamp(START_US, unit="us", tz="UTC").floor("min")
    for start, end in ((0, 600), (60, 120), (0, 60), (120, 180)):
        bounds = [begin + pd.Timedelta(seconds=s) for s in (start, end)]
        assert source.count(*bounds) == len(source.read(*bounds))
    assert source.count(begin, begin + pd.Timedelta("1h")) == 2 * SECONDS - 210


def test_what_the_figures_mean_is_reachable_without_a_mouse(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, spread="log")
    bodies = [element.proto.body for element in page.get("html")]
    explained = [body for body in bodies if 'class="pd-explained"' in body]
    assert len(explained) == 1
    for words in ("z-score", "keep together", "How alike the two move", "drift apart"):
        assert words in explained[0]


def test_a_window_that_is_not_full_says_how_many_bars_it_has(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0, 43), ticks_of("ETHUSDT", 2_500.0, 43, seed=6))
    body = shown(run_page(project_root))
    assert "42 of 60 bars" in body
    assert "Window not full: 42 of 60 bars" in body
    assert "NEUTRAL" in body


def test_without_a_database_there_is_a_cause_and_a_remedy(project_root, database):
    page = run_page(project_root)
    assert "o database at" in said(page)
    assert "bundled sample" in said(page)


def test_a_single_recorded_symbol_asks_for_a_second(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    page = run_page(project_root)
    assert "Only BTCUSDT has stored trades: 1 of 2 symbols" in said(page)


def test_the_same_symbol_twice_is_said_in_a_line(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0))
    page = run_page(project_root, s1="BTCUSDT", s2="BTCUSDT")
    assert "Both legs are BTCUSDT" in said(page)


def test_thresholds_that_cross_are_refused_in_a_line(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0))
    page = run_page(project_root, rule="custom", sell="-1", buy="1")
    assert "Sell_above" in said(page) or "sell_above" in said(page)


def test_the_bundled_sample_is_labelled_synthetic(project_root, database):
    if not (file_choice.DATA_FOLDER / file_choice.SAMPLE_NAME).is_file():
        pytest.fail("the bundled sample is part of the project: run tests/exchange/make_sample.py")
    page = run_page(project_root, mode=file_choice_mode())
    body = shown(page)
    assert "SYNTHETIC" in body
    assert "Synthetic data" in "\n".join(caption.value for caption in page.caption)


def test_a_file_in_the_data_folder_gives_the_same_numbers_as_the_analysis(
    project_root, database, data_folder
):
    path = data_folder / "two.ndjson"
    write_ndjson(path, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    body = shown(run_file(project_root, "two.ndjson"))
    ticks = read_ticks(path)
    y, x = (
        resample_ticks(ticks[ticks["symbol"] == symbol], "1s") for symbol in ("BTCUSDT", "ETHUSDT")
    )
    result = analyse_pair(y, x, PairParams("BTCUSDT", "ETHUSDT"))
    assert f"{result.zscore.iloc[-1]:+.2f}".replace("-", "−") in body
    assert "400 of 400 rows kept" in body
    assert "SYNTHETIC" not in body


def test_dropped_rows_are_told_with_their_line_and_reason(project_root, database, data_folder):
    path = data_folder / "broken.ndjson"
    write_ndjson(path, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    path.write_text("{broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    body = shown(run_file(project_root, "broken.ndjson"))
    assert "400 of 401 rows kept" in body
    assert "Line 1" in body


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.ndjson", b""),
        ("binary.ndjson", bytes(range(256)) * 40),
        ("words.txt", b"this is no market data\n"),
        ("cut.ndjson.gz", gzip.compress(b'{"symbol":1}' * 999, mtime=0)[:20]),
    ],
)
def test_a_file_that_is_no_ticks_costs_one_line(project_root, database, data_folder, name, content):
    (data_folder / name).write_bytes(content)
    page = run_file(project_root, name)
    assert len(page.error) == 1
    assert name in page.error[0].value
    assert "\n" not in page.error[0].value


def test_a_file_with_a_single_symbol_says_so(project_root, database, data_folder):
    write_ndjson(data_folder / "one.ndjson", ticks_of("BTCUSDT", 60_000.0))
    page = run_file(project_root, "one.ndjson")
    assert "one.ndjson holds a single symbol, BTCUSDT" in said(page)


def test_an_upload_is_read_like_a_file(project_root, database, data_folder, tmp_path):
    path = tmp_path / "mine.ndjson"
    write_ndjson(path, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_file(project_root, choices.UPLOAD)
    assert "No file chosen yet" in said(page)
    page.file_uploader[0].upload("mine.ndjson", path.read_bytes()).run()
    assert not page.exception
    assert "400 of 400 rows kept" in shown(page)
    assert "NDJSON file: mine.ndjson" in shown(page)


def test_a_path_in_the_url_opens_nothing_outside_the_folder(project_root, database, data_folder):
    secret = data_folder.parent / "secret.ndjson"
    write_ndjson(secret, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0))
    page = run_file(project_root, "../secret.ndjson")
    assert "BTCUSDT" not in shown(page)


def test_the_csv_has_every_digit_and_a_name_that_tells_what_it_is():
    y, x = (
        resample_ticks(frame_of(ticks_of(symbol, base, seed=seed)), "1s")
        for symbol, base, seed in (("BTCUSDT", 60_000.0, 5), ("ETHUSDT", 2_500.0, 6))
    )
    result = analyse_pair(y, x, PairParams("BTCUSDT", "ETHUSDT"))
    lines = exports.analytics_csv(result).decode().splitlines()
    assert len(lines) == 1 + len(result.zscore)
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert float(last["zscore"]) == result.zscore.iloc[-1]
    stem = file_stem("BTCUSDT", "ETHUSDT", y.index[0], y.index[-1], "1s")
    assert stem.startswith("BTCUSDT-ETHUSDT_1s_20250731T")


def stored_source(database: Path, legs: tuple[str, str], **changes) -> exports.TickSource:
    """Both legs of a database, as the live page offers them."""
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    read = partial(exports.stored_ticks, database, legs)
    count = partial(exports.count_stored_ticks, database, legs)
    values = {"first": start, "last": start, "read": read, "count": count, **changes}
    return exports.TickSource(*legs, **values)


def test_exported_ticks_read_back_to_the_same_bars(database, tmp_path):
    legs = ("BTCUSDT", "ETHUSDT")
    store(database, ticks_of(legs[0], 60_000.0), ticks_of(legs[1], 2_500.0, seed=6))
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    end = start + pd.Timedelta("60s")

    source = stored_source(database, legs)
    path = tmp_path / "ticks.ndjson"
    path.write_bytes(exports.ticks_ndjson(source, start, end))
    ticks = read_ticks(path)
    assert len(ticks) == 120
    with TickReader(database) as reader:
        for symbol in legs:
            again = resample_ticks(ticks[ticks["symbol"] == symbol], "1s")
            stored = reader.bars(symbol, "1s", START_US, START_US + 60_000_000)
            pd.testing.assert_frame_equal(again, stored, check_exact=True, check_freq=False)


def test_stored_ticks_are_counted_without_reading_them_until_there_are_too_many(
    database, monkeypatch
):
    legs = ("BTCUSDT", "ETHUSDT")
    store(database, ticks_of(legs[0], 60_000.0), ticks_of(legs[1], 2_500.0, seed=6))
    start = pd.Timestamp(START_US, unit="us", tz="UTC").floor("min")
    source = stored_source(database, legs)
    assert source.count(start, start + pd.Timedelta("30D")) == 2 * SECONDS
    minute = start + pd.Timedelta("1min")
    assert source.count(start, minute) == len(source.read(start, minute))
    monkeypatch.setattr(exports, "MAX_TICKS", 100)
    reads: list[Any] = []
    monkeypatch.setattr(TickReader, "bars", counted(TickReader.bars, reads))
    assert source.count(start, start + pd.Timedelta("300D")) > 100
    assert len(reads) == 2


def counted(function, calls: list[Any]):
    def wrapper(*args):
        calls.append(args)
        return function(*args)

    return wrapper


def test_too_many_ticks_cost_a_line_that_says_what_to_do():
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    text = exports.too_many_ticks(start, start + pd.Timedelta("9D")).text
    assert "More than 1,000,000 ticks" in text
    assert "shorter range" in text


def test_the_name_of_a_file_of_synthetic_ticks_says_so(database):
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    legs = ("BTCUSDT", "ETHUSDT")
    for is_synthetic in (True, False):
        source = stored_source(database, legs, is_synthetic=is_synthetic)
        name = exports.ticks_name(source, start, start)
        assert ("synthetic" in name) is is_synthetic
        assert name.startswith("BTCUSDT-ETHUSDT_ticks_")
        assert name.endswith(".ndjson")


def test_new_trades_are_seen_although_bars_are_cached(database):
    btc = ticks_of("BTCUSDT", 60_000.0)
    store(database, btc[:100], ticks_of("ETHUSDT", 2_500.0))
    before = pair_data.read_pair(database, PairParams("BTCUSDT", "ETHUSDT"))
    store(database, btc[100:])
    after = pair_data.read_pair(database, PairParams("BTCUSDT", "ETHUSDT"))
    # The newest second still forms: only closed bars are given.
    assert (len(before.y_bars), len(after.y_bars)) == (99, SECONDS - 1)
    assert before.key != after.key


def test_signal_changes_mark_the_bar_that_differs_from_the_one_before():
    codes = np.array(
        [SIGNALS.index(each) for each in ("SELL", "SELL", "BUY", "NEUTRAL", "NEUTRAL")]
    )
    assert chart_view.count_changes(codes) == 2
    assert chart_view.count_changes(codes[:0]) == 0
