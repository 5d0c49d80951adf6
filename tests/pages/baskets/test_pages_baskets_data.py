"""The bars of a basket: closed ones only, as far back as asked, the same from database and file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from desk.script_page import START_US, store, ticks_of, write_ndjson

from analytics.baskets import LEAST_TRAIN, BasketParams
from ingest.store import TickReader
from ingest.tick import Tick
from pages.ui.baskets import data
from pages.ui.baskets.data import BasketBars
from pages.ui.baskets.settings import BasketChoice
from pages.ui.desk.file_choice import TickFile, content_of_path

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")


def choice(interval: str = "1s", lookback: int | None = 300) -> BasketChoice:
    params = BasketParams(SYMBOLS, interval, lookback, 20, "johansen", 2.0, -2.0)
    return BasketChoice(params, 10_000.0, 7.5, 10)


def legs(seconds: int = 200) -> list[list[Tick]]:
    return [ticks_of(name, 100.0 + n, seconds, seed=n) for n, name in enumerate(SYMBOLS)]


def known(path: Path, wanted: BasketChoice) -> BasketBars:
    bars = data.live_bars(path, wanted)
    assert bars is not None
    return bars


def fresh(path: Path, symbol: str) -> pd.DataFrame:
    """Bars read from the database anew, those before the state that is shown."""
    with TickReader(path) as reader:
        bars = reader.bars(symbol, "1s")
    end_us = START_US + 199_000_000
    end_us -= end_us % (data.RENEWED_S * 1_000_000)
    return bars[bars.index < pd.Timestamp(end_us, unit="us", tz="UTC")]


def test_closed_bars_of_all_symbols_are_those_of_the_database(database: Path) -> None:
    store(database, *legs())
    bars = known(database, choice())
    for symbol, leg, frame in zip(SYMBOLS, bars.legs, bars.frames, strict=True):
        expected = fresh(database, symbol)
        np.testing.assert_array_equal(leg.close, expected["close"])
        assert leg.start_us == expected.index[0].value // 1_000
        pd.testing.assert_frame_equal(frame, expected, check_freq=False)
    assert bars.is_live


def test_a_state_is_read_once_until_the_next_one(database: Path) -> None:
    store(database, *legs())
    first = known(database, choice())
    other = replace(choice().params, method="box_tiao")
    assert data.live_bars(database, replace(choice(), params=other)) is first
    assert data.live_bars(database, choice("5s")) is not first


def test_the_bars_reach_back_for_the_windows_and_the_first_fit_too(database: Path) -> None:
    store(database, *legs(900))
    now = choice(lookback=300)
    tried = replace(now, with_backtest=True)
    assert now.params.reach is not None
    assert tried.train_bars == 200
    assert len(known(database, tried).legs[0]) == now.params.reach + 200
    assert len(known(database, now).legs[0]) == now.params.reach


def test_short_windows_ask_for_as_many_bars_as_the_backtest_fits_on_at_least() -> None:
    params = BasketParams(SYMBOLS, "1s", 300, 10)
    asked = BasketChoice(params, 10_000.0, 7.5, 1, with_backtest=True)
    assert asked.train_bars == LEAST_TRAIN


def test_wide_windows_do_not_ask_for_millions_of_bars() -> None:
    params = BasketParams(SYMBOLS, "1s", 300, 10_000)
    wanted = BasketChoice(params, 10_000.0, 7.5, 200, with_backtest=True)
    assert wanted.train_bars == 20_000
    assert wanted.bars_to_read == params.reach + 20_000  # type: ignore[operator]


def test_a_state_that_is_read_again_has_the_same_key(database: Path) -> None:
    store(database, *legs())
    first = known(database, choice())
    data._live.clear()
    # Trades of the second that is still forming, and of the ones after it.
    store(database, [tick for tick in legs(205)[0] if tick.time_us > START_US + 199_000_000])
    again = known(database, choice())
    assert again is not first
    assert again.key == first.key
    other = known(database, choice("5s"))
    assert other.key != first.key
    assert other.origin == first.origin


def test_a_symbol_that_stopped_trading_ends_earlier(database: Path) -> None:
    early = [tick for tick in legs()[2] if tick.time_us < START_US + 50_000_000]
    store(database, *legs()[:2], early)
    bars = known(database, choice())
    ends = [leg.end_us for leg in bars.legs]
    assert ends[0] == ends[1] == bars.end_us - 1_000_000
    assert ends[2] < ends[0]


def test_without_a_trade_there_are_no_bars(database: Path) -> None:
    store(database, ticks_of("OTHER", 5.0))
    assert data.live_bars(database, choice()) is None


@pytest.mark.parametrize("interval", ["1s", "5s"])
def test_a_file_gives_the_same_bars_as_the_database(
    database: Path, tmp_path: Path, interval: str
) -> None:
    store(database, *legs())
    path = tmp_path / "three.ndjson"
    write_ndjson(path, *legs())
    file = TickFile(path.name, content_of_path(path), path, is_synthetic=False)
    bars, live = data.file_bars(file, choice(interval, None)), known(database, choice(interval))
    for one, other in zip(bars.legs, live.legs, strict=True):
        np.testing.assert_array_equal(one.close[: len(other)], other.close)
        assert one.start_us == other.start_us
    assert data.symbols_of(file) == list(SYMBOLS)
    assert not bars.is_live
