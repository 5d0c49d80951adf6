"""Bars out of minutes and hours that the database keeps: those of its seconds, to the bit."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest.binance import Kline
from ingest.store import TickReader, TickWriter
from ingest.store.bar_source import BarSource
from ingest.tick import StreamKey, Tick

KEY: StreamKey = ("spot", "PEPEUSDT", "aggTrade")
T0_S = 1_700_002_800 - 1_717  # no whole minute
INTERVALS = ("1s", "30s", "1min", "5min", "15min", "1h")


def ticks(seed: int, count: int, most: float) -> list[Tick]:
    rng, clock_s = random.Random(seed), 0.0
    made = []
    for trade_id in range(count):
        clock_s += rng.choice([0.1, 5.0, 9.0, 70.0])
        time_us = round((T0_S + clock_s) * 1e6)
        price, quantity = round(rng.uniform(1, 2), 4), rng.choice([1.0, 0.5, most])
        made.append(Tick(*KEY, trade_id, price, quantity, time_us, time_us, buyer_is_maker=False))
    return made


def read_all(path: Path, start: int | None = None) -> dict[str, pd.DataFrame]:
    with closing(TickReader(path)) as reader:
        return {each: reader.bars("PEPEUSDT", each, start=start) for each in INTERVALS}


def without_rollups(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("UPDATE stream SET rolled_low = NULL, rolled_high = NULL")
        changed.execute(f"PRAGMA user_version = {version}")
        changed.commit()


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 10**6),
    # Of the largest a minute's volume fits 2**63 units and an hour's does not, or neither.
    most=st.sampled_from([3.0, 3e9, 6e10]),
    lost=st.tuples(st.integers(1, 900), st.integers(1, 120)),
    klines=st.lists(st.tuples(st.sampled_from([1, 60, 300]), st.integers(-5, 30)), max_size=2),
    start_s=st.none() | st.integers(0, 9_000),
)
def test_bars_of_rollups_equal_those_of_seconds(
    tmp_path_factory, seed, most, lost, klines, start_s
) -> None:
    path = tmp_path_factory.mktemp("rolled") / "ticks.db"
    all_ticks, (low, count) = ticks(seed, 1_000, most), lost
    kept = [each for each in all_ticks if not low <= each.trade_id < low + min(count, 999 - low)]
    with closing(TickWriter(path)) as writer:
        for at in range(0, len(kept), 250):
            writer.write(kept[at : at + 250])
        begins = all_ticks[low].time_us // 1_000_000
        for length, offset in klines:
            opens = [begins // length * length + (offset + n) * length for n in range(40)]
            made = [Kline(at * 10**6, 1, 2, 1, 2, 1.5, at % 2, at * 10**6 + 1) for at in opens]
            writer.add_klines(KEY, length, made)
    start = None if start_s is None else (T0_S + start_s) * 1_000_000
    rolled = read_all(path, start)
    for version in (4, 3):  # an older database has none, and is read all the same
        without_rollups(path, version)
        for name, bars in read_all(path, start).items():
            pd.testing.assert_frame_equal(rolled[name], bars, check_exact=True)
            assert rolled[name].attrs == bars.attrs


@pytest.mark.parametrize(("interval", "most"), [("1h", 400), ("5min", 250), ("30s", 10_000)])
def test_minutes_and_hours_are_read_in_place_of_seconds(
    tmp_path, monkeypatch, interval, most
) -> None:
    path = tmp_path / "ticks.db"
    with closing(TickWriter(path)) as writer:
        writer.write(ticks(3, 4_000, 1.0))
    read: list[int] = []
    stored = BarSource._stored

    def counted(self, low, high):
        rows = stored(self, low, high)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(BarSource, "_stored", counted)
    with closing(TickReader(path)) as reader:
        assert len(reader.bars("PEPEUSDT", interval)) > 20
    assert 0 < sum(read) <= most
    assert (sum(read) > 3_000) == (interval == "30s")
