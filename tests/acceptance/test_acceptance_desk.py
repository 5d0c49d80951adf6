"""What the user asked for, row by row (the table in the README), on a desk that records."""

import io
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from desk.chromium import READY_MS, until

if TYPE_CHECKING:
    pass

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

from acceptance import independent
from acceptance.compared import check_figures, check_last_row, check_table, read_csv
from acceptance.desk_page import (
    BUY_BELOW,
    CSV,
    EMPTY_ENDLESS,
    FETCHES,
    FILE,
    FILE_ERROR,
    FILES_OF,
    INTERVAL,
    INTERVALS,
    LIVE,
    PAGES,
    PARQUET,
    PNG,
    REPLAY,
    REPORT,
    RULE,
    SELL_ABOVE,
    SWAP,
    TABS,
    TICKS_FILE,
    WINDOW,
    Desk,
    Reading,
    X,
    content,
    tab,
    tabs,
    visit,
)
from acceptance.market_process import BOTH, PAIR, SYMBOLS
from acceptance.moments import KINDS, MOVING, Moments
from acceptance.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(240)]

STEP_S = {
    "1s": 1,
    "5s": 5,
    "15s": 15,
    "30s": 30,
    "1min": 60,
    "5min": 300,
    "15min": 900,
    "1h": 3600,
}
# Interval, range and window whose bars lie wholly in stored trades, and how many bars that is.
IN_TRADES = (("1s", "5min", 30, 300), ("1s", "15min", 60, 900), ("5s", "30min", 60, 360))
# The range ends at the last trade, the sample at the last bar that both legs have closed.
OUTSIDE = 10
SPREADS = ("price difference", "hedged", "log", "ratio")


def test_trades_arrive_and_none_is_lost(stage: Stage, moments: Moments) -> None:
    for moment in moments.rounds(MOVING):
        before = {symbol: int(stage.trades(symbol)["trade_id"].iloc[-1]) for symbol in SYMBOLS}
        time.sleep(moment.wait_s)  # no page is open that it could be a moment of
        newest = {symbol: stage.market.last_id(symbol) for symbol in SYMBOLS}
        for symbol in SYMBOLS:
            stored = stage.wait_for_trade(symbol, max(newest[symbol], before[symbol] + 1))
            ids = stored["trade_id"].to_numpy()
            assert np.array_equal(ids, np.arange(ids[0], ids[0] + len(ids))), symbol
            told = pd.DataFrame(stage.market.trades_from(symbol, ids[-1000], newest[symbol]))
            same = stored[stored["trade_id"].isin(told["trade_id"])].reset_index(drop=True)
            same, told = (each.assign(time_ms=each["time_us"] // 1000) for each in (same, told))
            for column in ("trade_id", "time_ms", "price", "quantity", "buyer_is_maker"):
                wanted = told[column].astype(same[column].dtype)
                assert same[column].equals(wanted), (symbol, column)


VIEWS: tuple[dict[str, object], ...] = (
    {},
    {"window": 30, "spread": "log"},
    {"window": 20, "spread": "hedged", "hedge": "kalman"},
)
ANSWERED = """['z-score', 'Spread', 'Hedge ratio β', 'Correlation']
    .every((name) => /\\d/.test(r.figures[name]?.value ?? ''))
  && /\\d/.test(r.rows['ADF of the spread']?.[0] ?? '') && r.bar % STEP === 0"""


@pytest.mark.parametrize("view", VIEWS, ids=["as it comes", "log", "Kalman"])
def test_every_interval_gives_figures(reader, stage: Stage, moments: Moments, view) -> None:
    order = list(INTERVALS)
    moments.random.shuffle(order)
    (moment,) = moments.rounds(MOVING, 1)
    lacking = []
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, **view, tab="Statistics")
        moment.come(desk)
        for interval in order:
            desk.choose(INTERVAL, interval)
            if not answers(desk, interval):
                notes = {name: each["note"] for name, each in desk.read().figures.items()}
                lacking.append((interval, notes, desk.alerts()))
    assert lacking == []


def answers(desk: Desk, interval: str) -> bool:
    """Whether the figures come; what the page says is missing is fetched by the button it has."""
    condition = ANSWERED.replace("STEP", f"{STEP_S[interval] * 1_000}")
    try:
        desk.reads(condition, 8_000)
    except playwright.TimeoutError:
        remedy = desk.button(FETCHES)
        if EMPTY_ENDLESS in desk.words() or not remedy.count():
            return False
        remedy.click()
        try:
            desk.reads(condition, READY_MS)
        except playwright.TimeoutError:
            return False
    return EMPTY_ENDLESS not in desk.words()


def test_the_figures_are_those_of_the_stored_trades(reader, stage: Stage, moments) -> None:
    for moment in moments.rounds(MOVING):
        interval, lookback, window, bars = moments.random.choice(IN_TRADES)
        spread = moments.random.choice(SPREADS)
        print(f"    {interval} {lookback} {window} {spread}")
        with tab(reader, stage.url) as desk:
            desk.live(
                **BOTH, interval=interval, lookback=lookback, window=window, spread=spread,
                tab="Statistics",
            )  # fmt: skip
            moment.come(desk)
            shown = desk.pause()
        assert shown.bar is not None, shown
        had = shown.sample("Hedge ratio β")
        assert bars - OUTSIDE <= had <= bars
        expected = expect(stage, shown.bar, interval, had, window, spread)
        check_figures(shown, expected)


def expect(
    stage: Stage, until: pd.Timestamp, interval: str, bars: int, window: int, spread: str
) -> independent.Expected:
    """Compute a pair anew from the database's own view."""
    y_trades, x_trades = (stage.trades(symbol) for symbol in PAIR)
    return independent.expect(
        y_trades, x_trades, until=until, interval=interval, bars=bars, window=window, spread=spread
    )


def test_every_value_of_the_csv_is_that_of_the_stored_trades(
    reader, stage: Stage, moments: Moments
) -> None:
    for moment in moments.rounds():
        interval, lookback, window, bars = moments.random.choice(IN_TRADES)
        spread = moments.random.choice(SPREADS)
        print(f"    {interval} {lookback} {window} {spread}")
        with tab(reader, stage.url) as desk:
            desk.live(**BOTH, interval=interval, lookback=lookback, window=window, spread=spread)
            moment.come(desk)
            shown = desk.read()
            table = read_csv(content(desk.download(CSV)))
        until = table["time"].iloc[-1]
        check_last_row(shown, table)
        assert bars - OUTSIDE <= len(table) <= bars
        check_table(table, expect(stage, until, interval, len(table), window, spread))


def test_every_chart_is_drawn_with_data(reader, stage: Stage, moments: Moments) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30)
        for moment in moments.rounds():
            moment.come(desk)
            for name in moments.random.sample(TABS, len(TABS)):
                desk.page.get_by_role("tab", name=name, exact=True).click()
                desk.charts_hold_data(1 if name == "Statistics" else 2)
            moment.go(desk)
        assert len(desk.charts()[0]["panels"]) >= 4  # prices, spread, z, volume
        for page in ("Backtest", "Feed"):
            desk.follow(page)
            desk.charts_hold_data(1)


THRESHOLDS = {"SELL": (-10, -10), "NEUTRAL": (10, -10), "BUY": (10, 10)}


def test_sell_buy_and_neutral_are_each_seen(reader, stage: Stage, moments: Moments) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30)
        now = desk.reads("/\\d/.test(r.z)")
        z = float(independent.shown_numbers(now.z)[0])
        near = {independent.signal_of(z + half, 2.0, 0.0) for half in (-0.005, 0.005)}
        assert now.verdict in near, now
        desk.choose(RULE, "custom")
        for moment in moments.rounds(MOVING):
            moment.come(desk)
            for word in moments.random.sample(sorted(THRESHOLDS), 3):
                sell, buy = THRESHOLDS[word]
                # SELL never stands below BUY, between the two as well.
                both = [(SELL_ABOVE, sell), (BUY_BELOW, buy)]
                if sell < 0:
                    both.reverse()
                for label, value in both:
                    desk.type_number(label, value)
                desk.reads(f"r.word.includes('{word}')")
                desk.refreshed()
                assert desk.read().verdict == word


def test_a_refresh_moves_the_figures_and_leaves_the_zoom(
    reader, stage: Stage, moments: Moments
) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30, lookback="30min")
        for moment in moments.rounds(MOVING):
            moment.come(desk)
            begin = moments.random.uniform(0.1, 0.4)
            seen = desk.zoom(begin, begin + moments.random.uniform(0.2, 0.5))
            desk.moves()
            desk.refreshed(2)
            assert desk.xrange() == seen
            desk.type_number(WINDOW, moments.random.choice((10, 20, 40)))
            desk.refreshed(2)
            desk.stays(seen)
            desk.button(SWAP).click()
            desk.refreshed(2)
            desk.stays(seen)
            desk.choose(INTERVAL, moments.random.choice(("5s", "15s")))
            desk.refreshed(2)
            desk.stays(seen)
            desk.choose(INTERVAL, "1s")
            desk.page.mouse.dblclick(*desk.middle_of_chart())
            desk.page.wait_for_timeout(300)


def test_a_file_and_back_to_the_live_market(reader, stage: Stage, moments: Moments) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30)
        for moment in moments.rounds(MOVING):
            moment.come(desk)
            desk.pick(FILE)
            desk.reads("r.pill.includes('FILE') && r.head.includes('SYNTHETIC')", READY_MS)
            desk.reads("/[+−]\\d/.test(r.z)", READY_MS)
            desk.charts_hold_data(1)
            desk.page.wait_for_timeout(moment.wait_s * 400)
            desk.pick(LIVE)
            desk.reads("r.pill.includes('LIVE') && !r.head.includes('SYNTHETIC')", READY_MS)
            assert desk.read().pair == PAIR
            desk.moves()


def test_every_file_of_the_live_page_arrives_at_any_moment(
    reader, stage: Stage, moments: Moments
) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30, lookback="5min")
        for moment in moments.rounds(KINDS, len(KINDS)):
            moment.come(desk)
            for label in moments.random.sample((CSV, PARQUET, REPORT), 3):
                shown = desk.read()
                check_file(label, content(desk.download(label)), shown)
            moment.go(desk)
        desk.choose(X, SYMBOLS[2])
        desk.reads(f"r.head.includes('{SYMBOLS[2]}')")
        table = read_csv(content(desk.download(CSV)))
        assert f"price_{SYMBOLS[2]}" in table
        content(desk.download(PNG))


def check_file(label: str, raw: bytes, shown: Reading) -> None:
    """Parse a file of the Live page; a table ends as the page did at the click."""
    if label == CSV:
        check_last_row(shown, read_csv(raw))
    elif label == PARQUET:
        table = pq.read_table(io.BytesIO(raw)).to_pandas()
        check_last_row(shown, table.assign(time=pd.to_datetime(table["time"], utc=True)))
    else:
        text = raw.decode()
        assert text.startswith("<!doctype html>")
        assert all(leg in text for leg in shown.pair)
        assert "Plotly" in text


def test_files_arrive_in_two_tabs_at_once(reader, stage: Stage, moments: Moments) -> None:
    with tabs(reader, stage.url, 2) as desks:
        for desk, interval in zip(desks, ("1s", "5s"), strict=True):
            desk.live(**BOTH, window=30, interval=interval)
        for moment in moments.rounds():
            for desk in desks:
                moment.come(desk)
            for desk in moments.random.sample(desks, 2):
                for label in (CSV, PARQUET):
                    shown = desk.read()
                    check_file(label, content(desk.download(label)), shown)
            for desk in desks:
                moment.go(desk)


def test_the_stored_ticks_arrive_and_are_read_back(
    reader, stage: Stage, moments: Moments, tmp_path
) -> None:
    with tab(reader, stage.url) as desk:
        for moment in moments.rounds(MOVING):
            desk.live(**BOTH, window=30)
            moment.come(desk)
            desk.open_ticks()
            raw = content(desk.download(TICKS_FILE))
            rows = [json.loads(line) for line in raw.splitlines()]
            assert {row["symbol"] for row in rows} == set(PAIR)
        kept = tmp_path / "taken_home.ndjson"
        kept.write_bytes(raw)
        desk.pick(FILE)
        desk.upload(kept)
        desk.reads("r.pill.includes('FILE') && /[+−]\\d/.test(r.z)", READY_MS)
        assert desk.read().pair == PAIR
        # The figures come before the address, which is what a reload brings.
        until(desk.page, "() => location.search.includes('upload=')", timeout=2_000)
        desk.page.reload()
        desk.ready()
        desk.reads(f"r.head.includes('{kept.name}') && /[+−]\\d/.test(r.z)", READY_MS)


def test_every_file_of_a_file_and_of_a_replay_arrives(
    reader, stage: Stage, moments: Moments
) -> None:
    with tab(reader, stage.url) as desk:
        desk.open("", mode=FILE)
        desk.reads("/[+−]\\d/.test(r.z)", READY_MS)
        desk.pick(REPLAY)
        desk.button("Start the replay").click()
        desk.reads("r.pill.includes('REPLAY') && r.bar !== null", READY_MS)
        for moment in moments.rounds(MOVING):
            for mode in moments.random.sample((FILE, REPLAY), 2):
                desk.pick(mode)
                word = "FILE" if mode == FILE else "REPLAY"
                desk.reads(f"r.pill.includes('{word}') && r.bar !== null", READY_MS)
                desk.page.wait_for_timeout(moment.wait_s * 1e3)
                for label in moments.random.sample((CSV, PARQUET, REPORT), 3):
                    check_kept_file(label, content(desk.download(label)))
        desk.pick(REPLAY)
        desk.button("End").click()


def check_kept_file(label: str, raw: bytes) -> None:
    if label == CSV:
        assert len(read_csv(raw)) > 1
    elif label == PARQUET:
        assert pq.read_table(io.BytesIO(raw)).num_rows > 1
    else:
        assert raw.startswith(b"<!doctype html>")


@pytest.mark.parametrize("path", FILES_OF)
def test_every_file_of_the_other_pages_arrives(reader, stage: Stage, moments, path) -> None:
    with tab(reader, stage.url) as desk:
        desk.open(path, **BOTH, lookback="30min")
        for moment in moments.rounds(MOVING):
            desk.button(FILES_OF[path][-1]).wait_for(timeout=READY_MS)
            moment.come(desk)
            for label in moments.random.sample(FILES_OF[path], len(FILES_OF[path])):
                raw = content(desk.download(label, READY_MS))
                if label == REPORT:
                    assert raw.startswith(b"<!doctype html>")
                else:
                    assert len(pd.read_csv(io.BytesIO(raw)).columns) > 3


def test_a_file_that_cannot_be_made_is_said_on_the_page(reader, stage: Stage, moments) -> None:
    with tab(reader, stage.url) as desk:
        desk.live(**BOTH, window=30)
        for moment in moments.rounds():
            moment.come(desk)
            label = moments.random.choice((CSV, PARQUET, REPORT))
            with desk.files_fail(moments.random.choice((404, 500, 503))):
                desk.button(label).click()
                desk.page.locator(FILE_ERROR).first.wait_for()
                assert desk.page.locator(FILE_ERROR).first.get_attribute("role") == "alert"
                assert desk.page.locator(FILE_ERROR).first.inner_text().strip()
            content(desk.download(label))
            until(desk.page, f"() => !document.querySelector('{FILE_ERROR}')?.innerText?.trim()")
            moment.go(desk)


def test_every_page_opens_by_link_and_by_address(
    browser, reader, stage: Stage, moments: Moments
) -> None:
    order = moments.random.sample(PAGES, len(PAGES))
    thirds = (order[::3], order[1::3], order[2::3])
    for moment, names in zip(moments.rounds(MOVING), thirds, strict=True):
        with tab(reader, stage.url) as desk:
            desk.open(address_of(names[0]))
            desk.shows(names[0])
            for name in (*names[1:], order[0], names[0]):
                desk.page.wait_for_timeout(moment.wait_s * 100)
                desk.follow(name)
                desk.shows(name)
                desk.no_traceback()
        for name in names[2:]:
            with visit(browser, stage.url) as desk:
                desk.open(address_of(name))
                desk.shows(name)


def address_of(page: str) -> str:
    return "" if page == "Live" else page.lower()
