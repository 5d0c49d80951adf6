"""A symbol whose trades were recorded and that is recorded in bars since: its bars go on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingest.binance import Kline
from ingest.store import BarWindow, TickReader, TickWriter
from ingest.tick import StreamKey, Tick

KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")
T0_S = 1_700_000_040 // 3600 * 3600
COUNT, EVERY_US = 9_000, 700_000
STOPS, GOES_ON = 4_000, 8_000  # trades by number: the last one recorded, the first one again
INTERVALS = {"1s": 1, "15s": 15, "1min": 60, "5min": 300, "1h": 3600}
NUMBERS = ["open", "high", "low", "close", "volume", "trades"]


def ticks() -> list[Tick]:
    rng = np.random.default_rng(3)
    prices = np.round(100 + np.cumsum(rng.normal(0, 0.02, COUNT)), 2).tolist()
    quantities = (rng.integers(1, 10**9, COUNT) / 1e8).tolist()
    times_us = [T0_S * 1_000_000 + number * EVERY_US for number in range(COUNT)]
    return [
        Tick(*KEY, n, prices[n], quantities[n], times_us[n], times_us[n], buyer_is_maker=False)
        for n in range(COUNT)
    ]


def klines(bars: pd.DataFrame, seconds: int) -> list[Kline]:
    """What the exchange says of whole bars."""
    made = []
    for open_us, row in zip(
        pd.DatetimeIndex(bars.index).as_unit("us").asi8, bars.to_dict("records"), strict=True
    ):
        ends_us = int(open_us) + seconds * 1_000_000 - 1
        prices = (row["open"], row["high"], row["low"], row["close"])
        made.append(Kline(int(open_us), *prices, row["volume"], int(row["trades"]), ends_us))
    return made


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[TickReader]:
    """All trades of the time."""
    with closing(TickWriter(tmp_path / "whole.db")) as writer:
        writer.write(ticks())
    with closing(TickReader(tmp_path / "whole.db")) as reader:
        yield reader


@pytest.mark.parametrize("length", [1, 60])
def test_bars_that_came_after_the_trades_are_shown_to_the_bit(
    tmp_path: Path, whole: TickReader, length: int
) -> None:
    path = tmp_path / "ticks.db"
    windows = {name: BarWindow(path, "BTCUSDT", name) for name in INTERVALS}
    made = klines(whole.bars("BTCUSDT", {1: "1s", 60: "1min"}[length])[:-1], length)
    begin_us = ticks()[STOPS].time_us // (length * 1_000_000) * length * 1_000_000
    coming = [each for each in made if each.open_us >= begin_us]
    ends_s: dict[str, list[int]] = {}
    with closing(TickWriter(path)) as writer, closing(TickReader(path)) as reader:
        writer.write(ticks()[: STOPS + 1])
        for part in (coming[:2], coming[2:20], coming[20:21], coming[21:]):
            writer.add_klines(KEY, length, part)
            known_s = part[-1].open_us // 1_000_000 + length
            for name, seconds in INTERVALS.items():
                bars = reader.bars("BTCUSDT", name)
                pd.testing.assert_frame_equal(
                    windows[name].view(None).frame(), bars, check_exact=True
                )
                if seconds % length == 0:
                    ends_s.setdefault(name, []).append(len(bars) * seconds + T0_S - known_s)
                    closed = bars[: (known_s - T0_S) // seconds]
                    want = whole.bars("BTCUSDT", name)[: len(closed)]
                    pd.testing.assert_frame_equal(closed[NUMBERS], want[NUMBERS], check_exact=True)
    short_s = {name: max(map(abs, each)) for name, each in ends_s.items()}
    assert all(each < INTERVALS[name] for name, each in short_s.items()), short_s


def test_trades_that_come_again_have_the_word_again(tmp_path: Path, whole: TickReader) -> None:
    path, all_ticks = tmp_path / "ticks.db", ticks()
    windows = {name: BarWindow(path, "BTCUSDT", name) for name in INTERVALS}
    with closing(TickWriter(path)) as writer, closing(TickReader(path)) as reader:
        writer.write(all_ticks[: STOPS + 1])
        writer.add_klines(KEY, 1, klines(whole.bars("BTCUSDT", "1s")[:-1], 1))
        for name in INTERVALS:
            windows[name].view(None)
        writer.write(all_ticks[GOES_ON:])
        for name in INTERVALS:
            bars = reader.bars("BTCUSDT", name)
            want = whole.bars("BTCUSDT", name)
            pd.testing.assert_frame_equal(bars[NUMBERS], want[NUMBERS], check_exact=True)
            pd.testing.assert_frame_equal(windows[name].view(None).frame(), bars, check_exact=True)


def test_the_newest_of_many_is_the_end_of_such_bars(tmp_path: Path, whole: TickReader) -> None:
    path = tmp_path / "ticks.db"
    with closing(TickWriter(path)) as writer, closing(TickReader(path)) as reader:
        writer.write(ticks()[: STOPS + 1])
        writer.add_klines(KEY, 60, klines(whole.bars("BTCUSDT", "1min")[:-1], 60))
        end = whole.bars("BTCUSDT", "1min").index[-1]
        assert reader.newest_trade_us(["BTCUSDT"]) == end.value // 1000
