"""Growth of the database: of live trades only, and not before there is enough to go by."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.binance import Kline
from ingest.counts import Counts
from ingest.event_queue import EventQueue
from ingest.recorder.growth import ENOUGH_S, Growth
from ingest.recorder.maintenance import Maintenance, Retention
from ingest.store import TickWriter
from ingest.tick import StreamKey, Tick

GB = 1_000_000_000
KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")


def nothing(_told: object) -> None:
    """Take a report and do nothing."""


def played(growth: Growth, steps: Sequence[tuple[float, int, int]]) -> list[float | None]:
    """Note measurements ``(seconds since the last, bytes since, others since)``."""
    now_s, size, others, told = 0.0, 10_000, 0, []
    for seconds, more, strange in steps:
        now_s, size, others = now_s + seconds, size + more, others + strange
        growth.note(now_s, size, others)
        told.append(growth.per_day)
    return told


def test_nothing_is_said_before_five_minutes_of_trades() -> None:
    told = played(Growth(), [(5, 35_000, 0)] * 100)
    known = [each is not None for each in told]
    assert known.index(True) == pytest.approx(ENOUGH_S / 5, abs=2)
    assert told[-1] == pytest.approx(35_000 / 5 * 86_400)


def test_a_first_start_and_a_repair_are_not_extrapolated() -> None:
    live = [(5, 35_000, 0)] * 80
    start = [(5, 20_000_000, 9_000)] * 3  # weeks of the exchange's bars
    repair = [(5, 3_000_000, 50_000)] * 10
    told = played(Growth(), start + live + repair + live)
    assert told[-1] == pytest.approx(35_000 / 5 * 86_400)
    assert max(each for each in told if each is not None) < 0.7 * GB


def test_it_is_the_last_hour_s_and_deleting_counts() -> None:
    told = played(Growth(), [(5, 700_000, 0)] * 500 + [(5, 0, 0)] * 800)
    assert told[-1] == 0
    told = played(Growth(), [(5, -5_000, 0)] * 100)
    assert told[-1] == pytest.approx(-1000 * 86_400)


def tick(number: int) -> Tick:
    time_us = 1_700_000_000_000_000 + number * 10_000
    return Tick(
        "spot", "BTCUSDT", "aggTrade", number, 100.0 + number % 7, 0.5, time_us, time_us,
        buyer_is_maker=False,
    )  # fmt: skip


def test_the_recorder_measures_rows_not_files(tmp_path: Path, monkeypatch) -> None:
    writer, counts, clock = TickWriter(tmp_path / "ticks.db"), Counts(), [0.0]
    monkeypatch.setattr("ingest.recorder.maintenance.time.monotonic", lambda: clock[0])
    maintenance = Maintenance(
        writer.path, EventQueue(), counts, Retention(), disk_low=bool, clock_jumped=float
    )
    for step in range(100):
        clock[0] += 5
        if step < 20:  # a warm start beside the trades
            bars = [
                Kline((step * 1000 + n) * 1_000_000, 1.0, 1.0, 1.0, 1.0, 1.0, 1, 1)
                for n in range(1000)
            ]
            writer.add_klines(KEY, 1, bars)
        if 30 <= step < 35:  # a repair
            counts.of("BTCUSDT").fetched += 1
        writer.write([tick(step * 100 + n) for n in range(100)])
        maintenance.measure(writer)
        maintenance.look_at_disk()
        if step < 60:
            assert maintenance.disk.growth_per_day is None
    # 100 trades in 5 s of 30 to 150 bytes each, their bars with them: not the megabytes of before.
    assert maintenance.disk.growth_per_day is not None
    assert 3_000 * 86_400 / 5 < maintenance.disk.growth_per_day < 15_000 * 86_400 / 5
    writer.close()
