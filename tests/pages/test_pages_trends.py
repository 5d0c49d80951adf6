"""Short histories behind the figures: made once a step of the range, of bars that all of it has."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases.backtest import reverting_pair

from analytics.evidence.stability import Stability, stability
from analytics.evidence.zscore_forecast import ZscoreForecast
from analytics.pair import PairParams, analyse_pair
from ingest.store import TickWriter
from ingest.tick import Tick
from pages.ui.desk import pair_data
from pages.ui.live import tables, trends, zscore_note

T0_S = 1_700_000_000
LEGS = ("BTCUSDT", "ETHUSDT")
LOOKBACK = 160
STEP = LOOKBACK // trends.STEPS
PARAMS = PairParams(*LEGS, interval="1s", lookback=LOOKBACK, window=20)
LEVELS = np.exp(np.random.default_rng(4).normal(size=(2, 400)).cumsum(axis=1) * 1e-4)


def trades(second: int) -> list[Tick]:
    time_us = (T0_S + second) * 1_000_000 + 1000
    prices = np.round(LEVELS[:, second] * (60_000.0, 3_000.0), 2).tolist()
    return [
        Tick("spot", symbol, "aggTrade", second + 1, price, 0.5, time_us, time_us + 99, True)
        for symbol, price in zip(LEGS, prices, strict=True)
    ]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TickWriter]:
    writer = TickWriter(tmp_path / "ticks.db")
    writer.write([each for second in range(250) for each in trades(second)])
    yield writer
    writer.close()


def follow(writer: TickWriter, params: PairParams = PARAMS) -> tuple[trends.Trend, pd.Series]:
    bars = pair_data.read_pair(writer.path, params)
    result = pair_data.analyse(bars, params)
    return trends.relation(result, bars), result.sample.y


def test_bars_that_close_inside_a_step_make_no_history_anew(writer: TickWriter) -> None:
    found = []
    for second in range(250, 250 + 3 * STEP):
        writer.write(trades(second))
        found.append(follow(writer)[0])
    assert all(isinstance(each, Stability) for each in found)
    anew = [row for row in range(1, len(found)) if found[row] is not found[row - 1]]
    assert np.diff(anew).tolist() == [STEP] * (len(anew) - 1)
    assert len(anew) in {2, 3}


def test_bars_that_close_inside_a_step_study_z_no_second_time(writer: TickWriter) -> None:
    found = []
    for second in range(250, 250 + 2 * STEP):
        writer.write(trades(second))
        bars = pair_data.read_pair(writer.path, PARAMS)
        found.append(zscore_note.study(pair_data.analyse(bars, PARAMS), bars))
    assert len({id(each) for each in found}) in {2, 3}
    assert isinstance(found[-1].forecast, ZscoreForecast)


def test_what_is_repaired_inside_a_step_makes_the_history_anew(tmp_path: Path) -> None:
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        writer.write([each for second in range(250) if second != 200 for each in trades(second)])
        before, _ = follow(writer)
        writer.write(trades(200))
        after, _ = follow(writer)
    assert isinstance(after, Stability)
    assert after is not before


def test_a_history_is_of_bars_that_the_sample_holds_through_all_of_its_step(writer) -> None:
    spans = set()
    for second in range(250, 250 + 2 * STEP):
        writer.write(trades(second))
        trend, y = follow(writer)
        assert isinstance(trend, Stability)
        cut_s = y.index[-1].timestamp() // STEP * STEP
        ended = y.index <= pd.Timestamp(cut_s, unit="s", tz="UTC")
        rows = np.flatnonzero(ended)[-(LOOKBACK - STEP + 1) :]
        x = pair_data.analyse(pair_data.read_pair(writer.path, PARAMS), PARAMS).sample.x
        expected = stability(y.iloc[rows], x.iloc[rows], steps=trends.STEPS)
        # A half-life is shown where its window shows a return only.
        table = expected.table.assign(half_life=expected.half_lives(PARAMS.level))
        pd.testing.assert_frame_equal(trend.table, table, check_exact=True)
        spans.add(len(rows))
    assert spans == {LOOKBACK - STEP + 1}


def test_a_sample_that_still_grows_is_looked_at_from_its_first_bar(writer) -> None:
    trend, y = follow(writer, PairParams(*LEGS, interval="1s", lookback=3_600, window=20))
    assert isinstance(trend, Stability)
    assert len(y) == 249
    assert trend.window == 50
    step = len(y) // trends.STEPS
    cut_s = y.index[-1].timestamp() // step * step
    assert trend.table.index[-1].timestamp() == cut_s
    first = trend.table.index[0] - pd.Timedelta(seconds=trend.window - 1)
    assert first == y.index[0]


def test_the_table_of_changes_is_set_anew_only_where_they_changed() -> None:
    y, x = reverting_pair(400)
    lasted, shown = [], []
    for end in range(300, 360):
        params = PairParams("AUSDT", "BUSDT", "1min", window=60)
        result = analyse_pair(y.iloc[:end], x.iloc[:end], params)
        shown.append((result.signal_changes(tables.ROWS), tables.latest_changes(result)))
        if len(shown) > 1:
            (before, earlier), (now, table) = shown[-2:]
            assert (table is earlier) == (now == before)
            lasted.append(now == before)
    assert {True, False} == set(lasted)
