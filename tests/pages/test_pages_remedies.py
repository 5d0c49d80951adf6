"""What is said where bars lack: cause and remedy by a table, the buttons by a page."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from desk.script_page import run_page, said, store, ticks_of
from exchange.server import ThreadedExchange
from faults.storage import until

from analytics.leg import Leg
from analytics.outcome import NotEnough
from analytics.pair import PairParams
from ingest.recorder import Recorder, install_recorder
from ingest.repair import read_reach
from ingest.settings import Settings, install_settings
from ingest.store import RETENTION_SETTING, TickWriter
from pages.ui.desk import lack_notice
from pages.ui.desk.remedies import Standing, advise, kline_for

MINUTES = PairParams("BTCUSDT", "ETHUSDT", interval="1min", lookback=1_440)
SECONDS = PairParams("BTCUSDT", "ETHUSDT", interval="1s", lookback=1_800)
HOURS = PairParams("BTCUSDT", "ETHUSDT", interval="1h", lookback=720)
SHORT = PairParams("BTCUSDT", "ETHUSDT", interval="1min", lookback=30)
ROLLING = PairParams(
    "BTCUSDT", "ETHUSDT", interval="1min", lookback=1_440, spread="hedged", hedge="rolling_ols"
)
KALMAN = PairParams(
    "BTCUSDT", "ETHUSDT", interval="1min", lookback=1_440, spread="hedged", hedge="kalman"
)
Z = NotEnough("z-score of BTCUSDT/ETHUSDT", 60, 42)
IDLE = "Nothing is recorded here: start the app without --no-ingest"
YOUNG = "Binance spot has no earlier trades of NEWUSDT: they begin at 2026-11-28 12:00:00 UTC"
GAP = ("ETHUSDT was missing at 12:04:00 UTC", 42)


@pytest.fixture
def database(tmp_path: Path):
    """The path of a database that this process was started with; not made yet."""
    st.cache_resource.clear()
    path = tmp_path / "ticks.db"
    install_settings(Settings(db=path))
    yield path
    install_settings(Settings())


@pytest.mark.parametrize(
    ("lack", "at", "remedy", "labels"),
    [
        # Too few are stored: the exchange has more, time brings them, or neither.
        (Z, Standing(MINUTES, 42, grows="live", fetches=True),
         "The exchange can be asked for those before. By itself it is there in about 18 min.",
         ["Fetch 26 h of 1-min klines", "Take a window of 40 bars"]),
        (Z, Standing(SECONDS, 42, grows="live", fetches=True),
         "The exchange can be asked for those before. By itself it is there in about 18 s.",
         ["Fetch 1 h of 1-s klines", "Take a window of 40 bars"]),
        (Z, Standing(HOURS, 42, grows="live", fetches=True),
         "The exchange can be asked for those before. By itself it is there in about 18.0 h.",
         ["Fetch 33 days of 5-min klines", "Take a window of 40 bars"]),
        (Z, Standing(MINUTES, 42, fetches=True), "The exchange can be asked for those before.",
         ["Fetch 26 h of 1-min klines", "Take a window of 40 bars"]),
        (Z, Standing(SECONDS, 42, grows="live"), "It is there in about 18 s.",
         ["Take a window of 40 bars"]),
        (Z, Standing(SECONDS, 42, grows="replay"),
         "It is there after 18 more bars of the replay.", ["Take a window of 40 bars"]),
        (Z, Standing(MINUTES, 42, idle=IDLE), f"{IDLE}, or take a shorter window.",
         ["Take a window of 40 bars"]),
        (NotEnough("z", 60, 3), Standing(MINUTES, 3, idle=IDLE), f"{IDLE}.", []),
        (Z, Standing(SECONDS, 42, grows="live", fetches=True, nothing_earlier=YOUNG),
         f"{YOUNG}. It is there in about 18 s.", ["Take a window of 40 bars"]),
        (Z, Standing(SECONDS, 42, idle=IDLE, fetches=True, nothing_earlier=YOUNG),
         f"{YOUNG}. {IDLE}, or take a shorter window.", ["Take a window of 40 bars"]),
        (Z, Standing(MINUTES, 42, is_file=True),
         "Shorter bars make more of it, a shorter window needs fewer.",
         ["Take a window of 40 bars"]),
        # The window of a rolling hedge is filled twice over; a filter has none.
        (NotEnough("z", 119, 80), Standing(ROLLING, 80, idle=IDLE),
         f"{IDLE}, or take a shorter window.", ["Take a window of 40 bars"]),
        (NotEnough("z", 202, 80), Standing(KALMAN, 80, grows="live"),
         "It is there in about 2.0 h.", []),
        # A missing bar in the window.
        (Z, Standing(MINUTES, 1_501, gap=GAP, grows="live", fetches=True),
         "No price is carried over a gap: it is there again in about 18 min, if no other comes.",
         ["Take a window of 40 bars"]),
        (Z, Standing(MINUTES, 1_501, gap=GAP),
         "No price is carried over a gap; a shorter window holds none.",
         ["Take a window of 40 bars"]),
        # All that was asked for is there.
        (NotEnough("stability", 250, 120), Standing(SHORT, 200), "A longer range has more.",
         ["Take 24h"]),
        (NotEnough("stability", 250, 120), Standing(SHORT, 200, is_file=True),
         "A longer range has more.", ["Take 24h"]),
        (NotEnough("stability", 90_000, 120), Standing(SECONDS, 1_861),
         "A longer range has more.", ["Take 3d"]),
        (NotEnough("stability", 3_000_000, 120), Standing(SECONDS, 1_861),
         "Shorter bars have more in the same time.", []),
        (NotEnough("stability", 3_000_000, 120), Standing(SECONDS, 1_861, is_file=True),
         "A longer range has more.", ["Take all"]),
        # What is not counted in bars is promised nothing.
        (NotEnough("lead-lag", 100, 3, unit="price changes"), Standing(SECONDS, 1_861),
         "A longer range may hold more.", []),
    ],
)  # fmt: skip
def test_each_lack_has_its_remedy(lack, at, remedy, labels):
    advice = advise(lack, at)
    assert advice.remedy == remedy
    assert [action.label for action in advice.actions] == labels
    assert advice.cause.startswith(lack.reason)


def test_an_older_gap_is_no_cause():
    at = Standing(MINUTES, 42, gap=("ETHUSDT was missing at 01:00:00 UTC", 900), grows="live")
    assert "missing" not in advise(Z, at).cause


def test_a_window_that_is_advised_is_full_then():
    for params, had in ((MINUTES, 42), (ROLLING, 80), (KALMAN, 80)):
        lack = NotEnough("z", 500, had)
        for action in advise(lack, Standing(params, had)).actions:
            ((_, window),) = action.choose
            assert isinstance(window, int)
            chosen = PairParams("A", "B", window=window, spread=params.spread, hedge=params.hedge)
            assert chosen.bars_before_spread + chosen.zscore_bars <= had
            assert window + 1 <= had


@pytest.mark.parametrize(
    ("y_holes", "x_holes", "found"),
    [
        ((), (), None),
        ((2,), (), ("BTCUSDT was missing at", 7)),
        ((2,), (8,), ("ETHUSDT was missing at", 1)),
        ((9,), (9,), ("BTCUSDT and ETHUSDT were missing at", 0)),
    ],
)
def test_the_newest_missing_bar_is_named(y_holes, x_holes, found):
    def leg(holes: tuple[int, ...]) -> Leg:
        close = np.ones(10)
        close[list(holes)] = np.nan
        zeros = np.zeros(10, dtype=np.int64)
        return Leg(0, 60_000_000, close, close, zeros, zeros.astype(np.int8))

    gap = lack_notice.newest_gap(leg(y_holes), leg(x_holes), MINUTES)
    if found is None:
        assert gap is None
    else:
        assert gap is not None
        assert gap[0].startswith(found[0])
        assert gap[1] == found[1]


def buttons(page) -> dict[str, Any]:
    return {button.label: button for button in page.button}


def test_a_button_takes_the_window_that_the_stored_bars_fill(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0)[:48], ticks_of("ETHUSDT", 2_500.0, seed=6)[:48])
    page = run_page(project_root)
    assert "needs 60 bars, had 47" in said(page)
    assert "start the app without --no-ingest" in said(page)
    assert "arrive" not in said(page)
    assert not any("klines" in label for label in buttons(page))
    buttons(page)["Take a window of 45 bars"].click().run()
    assert page.number_input(key="window").value == 45
    assert "needs" not in said(page)
    assert not page.exception


def test_a_gap_in_the_window_is_named_and_nothing_is_said_to_fill_it(project_root, database):
    btc = ticks_of("BTCUSDT", 60_000.0)
    store(database, btc[:150] + btc[170:], ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root)
    assert "needs 60 bars, had 29 since BTCUSDT was missing at 2025-07-31 22:16:09 UTC" in said(
        page
    )
    assert "No price is carried over a gap" in said(page)
    assert "in about" not in said(page)
    buttons(page)["Take a window of 25 bars"].click().run()
    assert "needs" not in said(page)


class Asked(Recorder):
    """A recorder that is not started, and notes what it is asked for."""

    def fetch_klines(self, symbols, kline, span_s):
        self.asked = (tuple(symbols), kline, span_s)


@pytest.fixture(params=["spot"])
def asked(database: Path, request):
    recorder = Asked(Settings(symbols=("BTCUSDT", "ETHUSDT"), db=database, market=request.param))
    recorder._symbols = ("BTCUSDT", "ETHUSDT")
    install_recorder(recorder)
    yield recorder
    install_recorder(None)


def test_a_button_asks_the_exchange_for_the_bars_before(project_root, database, asked):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, interval="1min")
    assert "the database holds 3 bars of 1min of both legs. The exchange can be asked" in said(page)
    assert "By itself" not in said(page)
    buttons(page)["Fetch 26 h of 1-min klines"].click().run()
    assert asked.asked == (("BTCUSDT", "ETHUSDT"), "1m", 26 * 3_600)
    words = "26 h of 1-min klines of BTCUSDT and ETHUSDT are asked for."
    assert words in [caption.value for caption in page.caption]
    page.selectbox(key="interval").set_value("1h").run()
    assert words not in [caption.value for caption in page.caption]
    assert not page.exception


@pytest.mark.parametrize("asked", ["usdm"], indirect=True)
@pytest.mark.parametrize(("interval", "is_offered"), [("30s", False), ("1min", True)])
def test_futures_have_no_klines_of_seconds(project_root, database, asked, interval, is_offered):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    page = run_page(project_root, interval=interval)
    assert "the database holds" in said(page)
    assert any("klines" in label for label in buttons(page)) == is_offered


def test_what_the_exchange_never_had_is_not_offered(project_root, database):
    """Once it was asked for all of the range; before that it can be."""
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        exchange.call(lambda e: e.faults.answer_rest(503, times=None, path="klines"))
        exchange.push("BTCUSDT", 60_000, 1)
        exchange.push("ETHUSDT", 2_500, 1)
        symbols, ws_url, rest_url = ("BTCUSDT", "ETHUSDT"), exchange.ws_url, exchange.rest_url
        recorder = Recorder(
            Settings(symbols=symbols, db=database, ws_url=ws_url, rest_url=rest_url)
        )
        recorder.start()
        install_recorder(recorder)
        try:
            exchange.wait_for_subscribers(1)
            exchange.push("BTCUSDT", 60_000, 1)
            exchange.push("ETHUSDT", 2_500, 1)
            until(lambda: recorder.status().stored == 2, 20)
            assert "The exchange can be asked" in said(run_page(project_root, lookback="5min"))
            exchange.call(lambda e: e.faults.rest.clear())
            until(lambda: not recorder.status().warm_start, 30)
            page = run_page(project_root, lookback="5min")
            assert "has no earlier trades of " in said(page)
            assert "they begin at " in said(page)
            assert "can be asked" not in said(page)
            assert not any("klines" in label for label in buttons(page))
        finally:
            install_recorder(None)
            recorder.stop()
    assert read_reach(database, "BTCUSDT", kline_for(SECONDS)) is not None
    with closing(TickWriter(database)) as writer:  # as the deleting of the oldest bars leaves it
        writer.remember(RETENTION_SETTING, "1")
    assert read_reach(database, "BTCUSDT", kline_for(SECONDS)) is None
