"""Days that a user fetches by clicks: held once, and analysed as the exchange's own trades are."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

from acceptance import independent
from acceptance.compared import check_figures, check_table, read_csv
from acceptance.desk_page import CSV, SPREAD, WINDOW, content, tab
from acceptance.history_page import (
    MANIFEST,
    ZIP,
    ask_for,
    choose_stretch,
    fetch,
    held,
)
from acceptance.market_process import BOTH, PAIR
from acceptance.moments import MOVING, Moments
from acceptance.stage import Stage

if TYPE_CHECKING:
    from datetime import date

pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.timeout(240)]

DAY_MIN = 1_440
DAYS = 3
BEGUN_AGO = (8, 9)  # days: older than what the desk takes by itself
GATES = ("leg_stale", "window_covered", "enough_bars")
SPREADS = ("price difference", "hedged", "log", "ratio")
NO_GATES = dict.fromkeys((f"gate_{name}" for name in GATES), "false")
MARGIN = pd.Timedelta("1h")  # a minute without a trade has the price of one before


def test_days_fetched_by_clicks_give_the_figures_of_the_exchanges_trades(
    reader, stage: Stage, moments: Moments
) -> None:
    first = pd.Timestamp.now("UTC").date() - timedelta(days=moments.random.choice(BEGUN_AGO))
    with tab(reader, stage.url) as desk:
        desk.open("data")
        ask_for(desk, PAIR, first, first + timedelta(days=DAYS - 1))
        assert fetch(desk, 1) == len(PAIR) * DAYS * DAY_MIN
        before = held(desk)
        check_held(before, first)
        assert fetch(desk, 2) == 0
        assert held(desk) == before
        check_files(content(desk.download(MANIFEST)), content(desk.download(ZIP)))
    with tab(reader, stage.url) as desk:
        # Days of few trades: gates would keep the rule silent where legs are stale.
        desk.live(**BOTH, interval="1min", lookback="30min", window=20, **NO_GATES)
        for moment, (begin, end) in zip(
            moments.rounds(MOVING), stretches(moments, first), strict=False
        ):
            window, spread = moments.random.choice((20, 30, 60)), moments.random.choice(SPREADS)
            print(f"    {begin} to {end}, window {window}, {spread}")
            moment.come(desk)
            desk.type_number(WINDOW, window)
            desk.choose(SPREAD, spread)
            choose_stretch(desk, begin, end)
            check_stretch(desk, stage, begin, end, window, spread)
            desk.button("Back to now").click()
            desk.reads("!r.head.includes('not live') && r.pill.includes('LIVE')")


def check_held(rows: dict[str, list[str]], first: "date") -> None:
    """The table has a row a symbol: its days, its bars, and no hole."""
    days = [f"{first + timedelta(days=number):%Y-%m-%d}" for number in (0, DAYS - 1)]
    assert set(rows) == set(PAIR)
    for cells in rows.values():
        assert cells[2:6] == [*days, str(DAYS), f"{DAYS * DAY_MIN:,}"]
        assert cells[7] == "0"


def check_files(manifest: bytes, archive: bytes) -> None:
    """The manifest counts the same bars, and the files of the first series are all there."""
    told = pd.read_csv(io.BytesIO(manifest))
    assert told.groupby("symbol")["rows"].sum().to_dict() == dict.fromkeys(PAIR, DAYS * DAY_MIN)
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        kept = [pd.read_parquet(io.BytesIO(files.read(name))) for name in files.namelist()]
    assert sum(map(len, kept)) == DAYS * DAY_MIN


def stretches(moments: Moments, first: "date") -> Iterator[tuple[pd.Timestamp, pd.Timestamp]]:
    """Give from – to that lie inside the days with the window before them, by the minute."""
    midnight = pd.Timestamp(first, tz="UTC")
    while True:
        bars = moments.random.randrange(600, DAY_MIN)
        begin = moments.random.randrange(60, DAYS * DAY_MIN - bars)
        yield midnight + pd.Timedelta(minutes=begin), midnight + pd.Timedelta(minutes=begin + bars)


def check_stretch(
    desk, stage: Stage, begin: pd.Timestamp, end: pd.Timestamp, window: int, spread: str
) -> None:
    """Hold what Live shows from – to, and its CSV, against the exchange's own trades."""
    minute = pd.Timedelta("1min")
    bars = (end - begin) // minute
    desk.reads(f"r.bar === {(end - minute).timestamp() * 1e3:.0f}")
    desk.shows_window(window)
    shown = desk.still()
    assert shown.sample("Hedge ratio β") == bars
    legs = [trades_between(stage, symbol, begin - 2 * MARGIN, end + MARGIN) for symbol in PAIR]
    expected = independent.expect(
        legs[0], legs[1], until=end - minute, interval="1min", bars=bars, window=window,
        spread=spread,
    )  # fmt: skip
    check_figures(shown, expected)
    check_table(read_csv(content(desk.download(CSV))), expected)


def trades_between(
    stage: Stage, symbol: str, begin: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Ask the exchange itself for a symbol's trades."""
    ids = [
        stage.market.trades(symbol, startTime=int(each.timestamp() * 1e6))[0].trade_id
        for each in (begin, end)
    ]
    return pd.DataFrame(stage.market.trades_from(symbol, *ids))
