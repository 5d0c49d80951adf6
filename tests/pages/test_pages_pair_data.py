"""What the pages compute of stored bars: once per state, the same as from a fresh read."""

import threading
import time
import weakref
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.pair import PairParams, analyse_pair
from ingest.store import TickReader, TickWriter
from ingest.tick import Tick
from pages.ui.desk import pair_data
from pages.ui.live import chart_view
from pages.ui.state.once import Once, once_for_each

T0_S = 1_700_000_000
LEGS = ("BTCUSDT", "ETHUSDT")
PARAMS = PairParams(*LEGS, interval="1s", lookback=80, window=20)


def trades(second: int) -> list[Tick]:
    """One trade of each leg in a second; now and then one does not trade."""
    made = []
    for place, (symbol, level) in enumerate(zip(LEGS, (60_000.0, 3_000.0), strict=True)):
        if (second + place) % 7 == 0:
            continue
        time_us = (T0_S + second) * 1_000_000 + 1000
        price = round(level * (1 + 1e-4 * ((second * (place + 3)) % 11)), 2)
        trade_id = second - len(range(-place % 7, second, 7))  # no id is left out
        made.append(
            Tick("spot", symbol, "aggTrade", trade_id, price, 0.5, time_us, time_us + 99, False)
        )
    return made


late = trades(120)


@pytest.fixture
def writer(tmp_path: Path):
    writer = TickWriter(tmp_path / "ticks.db")
    told = [each for second in range(150) for each in trades(second)]
    writer.write([each for each in told if each not in late])
    yield writer
    writer.close()


def read(writer: TickWriter) -> pair_data.PairBars:
    return pair_data.read_pair(writer.path, PARAMS)


def test_no_closed_bar_means_nothing_is_computed(writer) -> None:
    first = read(writer)
    result = pair_data.analyse(first, PARAMS)
    newest = max(trade.time_us for trade in first.last.values())
    last_id, _ = writer.edges()["spot", LEGS[1], "aggTrade"]
    time_us = newest + 5
    writer.write([Tick("spot", LEGS[1], "aggTrade", last_id + 1, 2.0, 1.0, time_us, time_us, True)])
    second = read(writer)
    assert second.last != first.last
    assert second.closed is first.closed
    assert pair_data.analyse(second, PARAMS) is result
    assert chart_view.pair_series(result) is chart_view.pair_series(result)


def test_refreshes_bar_by_bar_equal_a_fresh_read_to_the_bit(writer) -> None:
    for second in range(150, 175):
        writer.write(trades(second) + (late if second == 160 else []))
        bars = read(writer)
        live = pair_data.analyse(bars, PARAMS)
        with TickReader(writer.path) as reader:
            newest = max(trade.time_us for trade in bars.last.values()) // 1_000_000
            assert PARAMS.reach is not None
            start = (newest - PARAMS.reach - pair_data.LAG_BARS) * 1_000_000
            y, x = (reader.bars(leg, "1s", start=start) for leg in LEGS)
        expected = analyse_pair(y, x, PARAMS)
        assert len(live.zscore) == 80
        assert live.zscore.iloc[0] == expected.zscore.iloc[0]
        pd.testing.assert_frame_equal(live.to_frame(), expected.to_frame(), check_exact=True)
        pd.testing.assert_frame_equal(live.stats, expected.stats, check_exact=True)
        assert (live.adf, live.engle_granger) == (expected.adf, expected.engle_granger)
        assert repr(live.signal_now) == repr(expected.signal_now)
        assert live.notes == expected.notes


def test_a_new_bar_moves_on_from_the_analysis_before(writer) -> None:
    params, ages = replace(PARAMS, lookback=250), []
    writer.write([*late, *(each for second in range(150, 300) for each in trades(second))])
    for second in range(300, 304):
        writer.write(trades(second))
        bars = pair_data.read_pair(writer.path, params)
        result = pair_data.analyse(bars, params)
        ages.append(0 if result.carried.sums is None else result.carried.sums.age)
        paths = ["spread", "mean", "std", "zscore", "correlation"]
        expected = analyse_pair(bars.y_bars, bars.x_bars, params)
        for name in paths:
            np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
    assert ages == sorted(ages)
    assert ages[-1] > 0


def test_bars_are_read_as_far_as_the_range_stands_on_them(writer) -> None:
    newest = (T0_S + 149) * 1_000_000
    for params in (PARAMS, replace(PARAMS, window=60), replace(PARAMS, lookback=5, window=10)):
        bars = pair_data.read_pair(writer.path, params)
        for leg in bars.closed.legs:
            read_s = (newest - leg.start_us) // 1_000_000
            assert params.reach is not None
            assert params.reach <= read_s <= params.reach + pair_data.LAG_BARS
        result = pair_data.analyse(bars, params)
        assert len(result.zscore) == params.lookback
        assert result.zscore.index[0] == result.reach.y.index[params.warm_up]
    again = pair_data.read_pair(writer.path, PARAMS)
    assert len(again.closed.legs[0]) == 148


def test_a_leg_that_lags_costs_the_first_bar_of_the_range_nothing(writer) -> None:
    ahead = next(tick for tick in trades(151) if tick.symbol == LEGS[0])
    writer.write([ahead])  # the other has not closed the bar before yet
    result = pair_data.analyse(pair_data.read_pair(writer.path, PARAMS), PARAMS)
    assert len(result.reach.y) == PARAMS.reach
    assert len(result.zscore) == PARAMS.lookback
    assert not np.isnan(result.correlation.iloc[0])


def test_a_range_of_less_than_two_bars_shows_two(writer) -> None:
    params = PairParams(*LEGS, interval="15s", lookback=2, window=5)
    result = pair_data.analyse(pair_data.read_pair(writer.path, params), params)
    assert len(result.zscore) == len(result.to_frame()) == 2
    assert result.zscore.notna().all()


def test_a_file_is_read_as_far_back_as_the_database(writer) -> None:
    with TickReader(writer.path) as reader:
        ticks = pd.concat([reader.ticks(leg) for leg in LEGS]).sort_index(kind="stable")
    bars = pair_data.bars_of_ticks(ticks, "content", PARAMS)
    assert len(bars.y_bars) == PARAMS.reach
    result = pair_data.analyse(bars, PARAMS)
    assert len(result.zscore) == 80
    assert list(result.stats.loc["bars"]) == [PARAMS.sample] * 2
    wider = replace(PARAMS, window=30)
    assert pair_data.analyse(pair_data.bars_of_ticks(ticks, "content", wider), wider) is not result


def test_sessions_that_ask_at_once_compute_once() -> None:
    once: Once[object] = Once(4)
    begun, calls, found = threading.Barrier(6), [], []

    def compute() -> object:
        calls.append(1)
        return object()

    def session() -> None:
        begun.wait()
        found.append(once.get("key", compute))

    threads = [threading.Thread(target=session) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(set(map(id, found))) == 1


def test_what_failed_is_computed_again_and_the_oldest_is_forgotten() -> None:
    once: Once[int] = Once(2)
    with pytest.raises(ZeroDivisionError):
        once.get("a", lambda: 1 // 0)
    assert once.get("a", lambda: 1) == 1
    assert once.get("b", lambda: 2) == 2
    assert once.get("a", lambda: 9) == 1
    once.get("c", lambda: 3)
    assert once.get("b", lambda: 4) == 4


def test_a_view_that_moves_on_keeps_its_two_newest_results_and_leaves_others_alone() -> None:
    once: Once[int] = Once(16)
    assert once.get("other", lambda: 0, "other view") == 0
    assert once.newest("view") is None
    for bar in range(5):
        assert once.get(("view", bar), partial(int, bar), "view") == bar
        assert once.newest("view") == bar
    kept = [once.get(("view", bar), lambda: -1) for bar in range(5)]
    assert kept == [-1, -1, -1, 3, 4]
    assert once.get("other", lambda: -1) == 0


def test_words_of_a_result_are_made_once_and_go_with_it() -> None:
    class Result:
        """Anything that can be referred to weakly."""

    calls: list[int] = []

    @once_for_each
    def words(result: Result, number: int) -> str:
        calls.append(number)
        return f"made of {number}"

    first, second = Result(), Result()
    assert words(first, 1) == words(first, 1) == "made of 1"
    assert words(second, 2) == "made of 2"
    assert calls == [1, 2]
    gone = weakref.ref(first)
    del first
    assert gone() is None


def test_other_symbols_are_noticed_and_those_just_learnt_are_not_other(writer) -> None:
    assert not pair_data.has_other_symbols(writer.path, LEGS)
    time_us = T0_S * 1_000_000
    extra = Tick("spot", "SOLUSDT", "aggTrade", 1, 150.0, 0.5, time_us, time_us, False)
    writer.write([extra])
    # Whoever has just read them is right, whatever another session saw within the second.
    assert not pair_data.has_other_symbols(writer.path, (*LEGS, "SOLUSDT"))
    deadline_s = time.monotonic() + 10
    while not pair_data.has_other_symbols(writer.path, LEGS):  # the next second looks anew
        assert time.monotonic() < deadline_s


def test_candles_have_the_open_high_and_low_of_the_stored_bars(writer) -> None:
    bars = read(writer)
    series = chart_view.pair_series(pair_data.analyse(bars, PARAMS))
    stored = bars.y_bars.iloc[-len(series) :]
    for name in ("open", "high", "low"):
        drawn = getattr(series, f"{name}_y")
        np.testing.assert_array_equal(drawn, stored[name].to_numpy())
    # Bars from a frame carry them too.
    framed = chart_view.pair_series(analyse_pair(bars.y_bars, bars.x_bars, PARAMS))
    np.testing.assert_array_equal(framed.high_y, series.high_y)


def test_a_view_is_a_pair_of_a_source_whichever_leg_comes_first(writer) -> None:
    bars = read(writer)
    result = pair_data.analyse(bars, PARAMS)
    swapped = analyse_pair(
        bars.x_bars, bars.y_bars, replace(PARAMS, y=LEGS[1], x=LEGS[0], window=9)
    )
    views = [chart_view.labels(each, "rebased", "Live").view_id for each in (result, swapped)]
    assert views[0] == views[1]
    assert views[0] != chart_view.labels(result, "rebased", "a file").view_id


def test_a_stretch_of_a_thin_market_begins_with_the_close_before_it(tmp_path: Path) -> None:
    """The leg's last trade before the stretch lies further back than the bars that are read."""
    path = tmp_path / "thin.db"
    with closing(TickWriter(path)) as writer:
        for place, symbol in enumerate(LEGS):
            traded = (0, 1, 900, 949, 1000) if place else range(1000)
            writer.write([
                Tick("spot", symbol, "aggTrade", number, 100.0 + number % 7, 0.5,
                     (T0_S + second) * 1_000_000, (T0_S + second) * 1_000_000, False)
                for number, second in enumerate(traded)
            ])  # fmt: skip
    params = replace(PARAMS, lookback=80, until=T0_S + 950)
    bars = pair_data.read_pair(path, params)
    y, x = bars.closed.frames
    assert y.index.equals(x.index)
    assert set(x["close"].loc[: pd.Timestamp(T0_S + 899, unit="s", tz="UTC")]) == {101.0}
    result = pair_data.analyse(bars, params)
    assert len(result.mean) == 80
    assert result.mean.notna().all()
