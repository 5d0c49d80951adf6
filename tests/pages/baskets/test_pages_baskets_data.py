"""The closes of a basket: one grid, closed bars only, the same from database and file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from desk.script_page import START_US, store, ticks_of, write_ndjson

from ingest.store import TickReader
from pages.ui.baskets import data
from pages.ui.baskets.settings import BasketChoice
from pages.ui.desk.file_choice import TickFile, content_of_path
from pages.ui.state.choices import WHOLE

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")


def choice(interval: str = "1s", range_: str = "5min", method: str = "johansen") -> BasketChoice:
    return BasketChoice(SYMBOLS, interval, range_, method, 60, 2.0, -2.0, 10_000.0, 7.5, 60)


def legs(seconds: int = 200) -> list:
    return [ticks_of(name, 100.0 + n, seconds, seed=n) for n, name in enumerate(SYMBOLS)]


def last_closed(path: Path, seconds: int) -> pd.DataFrame:
    with TickReader(path) as reader:
        closes = {symbol: reader.bars(symbol, "1s")["close"] for symbol in SYMBOLS}
    return pd.DataFrame(closes).iloc[: seconds - 1]


def test_closed_bars_of_all_symbols_stand_beside_each_other(database: Path) -> None:
    store(database, *legs())
    bars = data.live_bars(database, choice())
    assert bars is not None
    newest_s = (START_US // 1_000_000 + 199) // data.RENEWED_S * data.RENEWED_S
    expected = last_closed(database, 200)
    expected = expected[expected.index < pd.Timestamp(newest_s, unit="s", tz="UTC")]
    pd.testing.assert_frame_equal(bars.closes, expected, check_freq=False, check_names=False)
    assert bars.is_live


def test_a_state_is_read_once_until_the_next_one(database: Path) -> None:
    store(database, *legs())
    first = data.live_bars(database, choice())
    assert data.live_bars(database, replace(choice(), window=90)) is first
    assert data.live_bars(database, choice("5s")) is not first


def test_a_symbol_that_began_later_is_missing_before(database: Path) -> None:
    late = [tick for tick in legs()[2] if tick.time_us >= START_US + 50_000_000]
    store(database, *legs()[:2], late)
    bars = data.live_bars(database, choice())
    assert bars is not None
    assert int(bars.closes["CUSDT"].isna().sum()) == 50
    assert bars.closes[["AUSDT", "BUSDT"]].notna().all(axis=None)


def test_a_range_reaches_as_far_back_as_it_says(database: Path) -> None:
    store(database, *legs(500))
    bars = data.live_bars(database, choice())
    assert bars is not None
    assert len(bars.closes) == 300


def test_without_a_trade_there_are_no_bars(database: Path) -> None:
    store(database, ticks_of("OTHER", 5.0))
    assert data.live_bars(database, choice()) is None


def test_a_file_gives_the_same_closes_as_the_database(database: Path, tmp_path: Path) -> None:
    store(database, *legs())
    path = tmp_path / "three.ndjson"
    write_ndjson(path, *legs())
    file = TickFile(path.name, content_of_path(path), path, is_synthetic=False)
    bars = data.file_bars(file, choice(range_=WHOLE))
    live = data.live_bars(database, choice())
    assert live is not None
    same = bars.closes.iloc[: len(live.closes)]
    pd.testing.assert_frame_equal(same, live.closes, check_freq=False)
    assert data.symbols_of(file) == list(SYMBOLS)
    assert len(data.file_bars(file, choice("5s", "1h")).closes) == 40
    short = data.file_bars(file, replace(choice(), range="5min", interval="15s")).closes
    assert np.isfinite(short.to_numpy()).all()
