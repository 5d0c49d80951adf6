"""A replay plays what was recorded through the recorder's own path, at a pace that can be held."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analytics.bars import resample_ticks
from analytics.pair import PairParams, analyse_pair
from ingest.counts import Counts
from ingest.errors import RecorderError, ReplayError, SettingsError
from ingest.event_queue import EventQueue
from ingest.files import read_ticks, write_ticks_ndjson
from ingest.recorder import Recorder
from ingest.replay import (
    ReplayRecorder,
    ReplayRequest,
    begin_replay,
    check_replay,
    current_replay,
    end_replay,
    replay_request,
)
from ingest.replay.loop import ReplayLoop
from ingest.replay.source import US_PER_S
from ingest.settings import REPLAY_DB, Settings, parse_settings
from ingest.store import TickReader, TickWriter
from ingest.tick import Tick

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample_ticks.ndjson.gz"


@contextmanager
def played(path: Path, db: Path, speed: float = math.inf, **more) -> Iterator[ReplayRecorder]:
    recorder = ReplayRecorder(Settings(db=db), ReplayRequest(path, **more), speed)
    recorder.start()
    try:
        yield recorder
    finally:
        assert recorder.stop()


def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.005)


def has_ended(recorder: ReplayRecorder) -> bool:
    told = recorder.status()
    assert told.last_error is None
    assert told.replay is not None
    return told.replay.has_ended and told.queue_depth == 0


def has_failed(recorder: ReplayRecorder) -> bool:
    return recorder.status().state == "failed"


def play_all(path: Path, db: Path, **more) -> None:
    with played(path, db, **more) as recorder:
        until(lambda: has_ended(recorder))


@pytest.fixture(scope="module")
def replayed_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = tmp_path_factory.mktemp("replay") / "replay.db"
    play_all(SAMPLE, db)
    return db


@pytest.fixture(scope="module")
def sample_ticks() -> pd.DataFrame:
    return read_ticks(SAMPLE)


def test_a_replay_gives_the_same_ticks_bars_and_signals_as_its_file(replayed_sample, sample_ticks):
    params = PairParams(y="SYNAUSDT", x="SYNBUSDT", interval="5s", window=60)
    results = []
    with TickReader(replayed_sample) as reader:
        for interval in ("1s", "5s", "1min"):
            for symbol in ("SYNAUSDT", "SYNBUSDT"):
                mine = sample_ticks[sample_ticks["symbol"] == symbol]
                assert len(reader.ticks(symbol)) == len(mine)
                expected = resample_ticks(mine, interval)
                assert_frame_equal(reader.bars(symbol, interval), expected, check_exact=True)
        y, x = (reader.bars(symbol, "5s") for symbol in (params.y, params.x))
        results.append(analyse_pair(y, x, params))
    legs = [sample_ticks[sample_ticks["symbol"] == s] for s in (params.y, params.x)]
    # What was played last may go on: live, its bar is not closed yet.
    y, x = (resample_ticks(leg, "5s").iloc[:-1] for leg in legs)
    results.append(analyse_pair(y, x, params))
    assert_frame_equal(results[0].to_frame(), results[1].to_frame(), check_exact=True)


def test_a_span_of_a_database_is_replayed_into_another(replayed_sample, tmp_path) -> None:
    with TickReader(replayed_sample) as reader:
        span = reader.span("SYNAUSDT")
        assert span is not None
        first, last = span
        start, end = first + (last - first) / 4, first + (last - first) / 2
        wanted = reader.ticks("SYNAUSDT", start, end + pd.Timedelta(1, "us"))
    db = tmp_path / "span.db"
    play_all(replayed_sample, db, symbols=("SYNAUSDT",), start=start, end=end)
    with TickReader(db) as reader:
        assert reader.symbols() == ["SYNAUSDT"]
        assert_frame_equal(reader.ticks("SYNAUSDT"), wanted, check_exact=True)


def test_ids_that_are_no_trades_leave_no_gap_in_a_replay_of_a_span(tmp_path) -> None:
    """Trades twenty minutes apart lie in other pieces than the ids between them."""
    times_s = [0, 1, 1_200, 2_400, 2_401]
    lines = [
        f'{{"symbol":"BTCUSDT","ts":{1_700_000_000 + at},"price":5.0,"size":{size},"id":{number}}}'
        for number, (at, size) in enumerate(
            [(0, 1), (1, 1), (1, 0), (1, 0), (1_200, 1), (1_200, 0), (2_400, 1), (2_401, 1)], 10
        )
    ]
    file, first, second = tmp_path / "t.ndjson", tmp_path / "first.db", tmp_path / "second.db"
    file.write_text("\n".join(lines))
    play_all(file, first)
    play_all(first, second)
    for db in (first, second):
        with TickReader(db) as reader:
            assert len(reader.ticks("BTCUSDT")) == len(times_s)
            assert reader.gaps().empty


def test_a_file_without_ids_is_numbered(tmp_path) -> None:
    file = tmp_path / "plain.ndjson"
    lines = [
        f'{{"symbol":"{name}","ts":{1_700_000_000 + n},"price":{n + 1},"size":1}}'
        for n in range(20)
        for name in ("AAAUSDT", "BBBUSDT")
    ]
    file.write_text("\n".join(lines))
    play_all(file, tmp_path / "replay.db")
    with TickReader(tmp_path / "replay.db") as reader:
        assert list(reader.ticks("BBBUSDT").trade_id) == list(range(1, 21))


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def loop(tmp_path):
    """A replay of one trade a second, on a clock of the test's own, its thread not begun."""
    start = pd.Timestamp("2026-01-01", tz="UTC")
    ticks = pd.DataFrame(
        {"symbol": "AAAUSDT", "price": 1.0, "quantity": 1.0, "trade_id": range(1, 101)},
        index=pd.DatetimeIndex(start + pd.to_timedelta(range(100), unit="s"), name="time"),
    )
    write_ticks_ndjson(ticks, tmp_path / "a.ndjson")
    clock = Clock()
    made = ReplayLoop(
        ReplayRequest(tmp_path / "a.ndjson"), EventQueue(), Counts(), speed=1.0, clock=clock
    )
    return made, clock


def played_ids(loop: ReplayLoop) -> list[int]:
    """Let it hand over what is due now."""
    loop.play_due()
    queue = loop._queue
    items = queue.take(len(queue), 0.0) if len(queue) else []
    return [item.trade_id for item in items if isinstance(item, Tick)]


def test_the_pace_is_the_markets_times_the_speed(loop) -> None:
    made, clock = loop
    made.load()
    assert played_ids(made) == [1]
    clock.now_s += 2.5
    assert played_ids(made) == [2, 3]
    made.set_speed(10)
    clock.now_s += 1.0
    assert played_ids(made) == list(range(4, 14))
    assert made.position_us() == made.status().start_us + round(12.5 * US_PER_S)
    assert made.status().share == pytest.approx(12.5 / 99)


def test_a_paused_replay_holds_steps_and_goes_on(loop) -> None:
    made, clock = loop
    made.load()
    played_ids(made)
    made.pause()
    clock.now_s += 60
    assert played_ids(made) == []
    assert made.state() == "paused"
    made.step(5)
    assert played_ids(made) == [2, 3, 4, 5, 6]
    made.resume()
    clock.now_s += 1
    assert played_ids(made) == [7]
    clock.now_s += 1_000
    assert played_ids(made)[-1] == 100
    assert made.status().has_ended


def test_a_disk_that_is_behind_holds_the_markets_clock(loop) -> None:
    made, clock = loop
    made._queue.capacity = 20
    made.load()
    clock.now_s += 50
    assert played_ids(made) == list(range(1, 11))
    held_us = made.position_us()
    clock.now_s += 1
    assert played_ids(made) == [11, 12]
    assert made.position_us() < held_us
    assert made._queue.refused == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_is_above_zero(loop, speed) -> None:
    with pytest.raises(ReplayError, match="speed is above 0"):
        loop[0].set_speed(speed)


def test_a_recording_is_never_replaced_by_a_replay(tmp_path) -> None:
    db = tmp_path / "ticks.db"
    writer = TickWriter(db)
    writer.write([Tick("spot", "BTCUSDT", "aggTrade", 1, 5.0, 1.0, 10**15, 10**15, False)])
    writer.close()
    settings = Settings(db=db, replay=SAMPLE)
    with pytest.raises(ReplayError, match="holds a recording: a replay needs another --db"):
        check_replay(settings, replay_request(settings))
    with pytest.raises(ReplayError, match="holds a recording"):
        ReplayRecorder(settings, replay_request(settings))
    with pytest.raises(ReplayError, match="into itself"):
        ReplayRecorder(settings, ReplayRequest(db))
    with TickReader(db) as reader:
        assert len(reader.ticks("BTCUSDT")) == 1


def test_a_replay_begins_anew_and_keeps_others_out(tmp_path) -> None:
    db = tmp_path / "replay.db"
    for _ in range(2):
        with played(SAMPLE, db, speed=1000.0) as recorder:
            until(lambda: recorder.status().stored > 500)
            with pytest.raises(RecorderError, match="another recorder is writing"):
                ReplayRecorder(Settings(db=db), ReplayRequest(SAMPLE))
            with pytest.raises(RecorderError, match="a replay has the symbols of its file"):
                recorder.add_symbol("BTCUSDT")
            with pytest.raises(RecorderError, match="has no 24 h of 1m bars of BTCUSDT"):
                recorder.fetch_klines(["BTCUSDT"], "1m", 86_400)
            with pytest.raises(RecorderError, match="asks no exchange"):
                recorder.repair_now()
            assert isinstance(recorder, Recorder)
            assert recorder.status().duplicates == 0
            replay = recorder.status().replay
            assert replay is not None
            assert recorder.clock_us() == replay.position_us


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.ndjson", None, "cannot replay .*missing.ndjson: No such file"),
        ("words.ndjson", b"hello\nworld\n", "cannot replay words.ndjson: "),
        ("empty.ndjson", b"", "cannot replay empty.ndjson: "),
    ],
)
def test_what_cannot_be_replayed_is_said_at_the_start(tmp_path, name, content, said) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    settings = Settings(db=tmp_path / "r.db", replay=path)
    with pytest.raises(ReplayError, match=said):
        check_replay(settings, replay_request(settings))
    assert not (tmp_path / "r.db").exists()


def test_symbols_and_span_that_are_not_in_the_file_are_told(tmp_path) -> None:
    for more, said in (
        ({"symbols": ("BTCUSDT",)}, "has no BTCUSDT: it holds SYNAUSDT, SYNBUSDT"),
        ({"start": pd.Timestamp("2050-01-01", tz="UTC")}, "no trades of .* from 2050-01-01"),
    ):
        with played(SAMPLE, tmp_path / "r.db", **more) as recorder:
            until(partial(has_failed, recorder))
            assert pd.Series([recorder.status().last_error]).str.contains(said).all()


def test_the_options_of_a_replay() -> None:
    words = "--replay a.ndjson --speed 10 --replay-from 2026-01-31T12:00 --replay-to 2026-02-01"
    found = parse_settings(words.split(), {})
    assert (found.replay, found.speed, found.db) == (Path("a.ndjson"), 10.0, REPLAY_DB)
    request = replay_request(replace(found, symbols=("BTCUSDT",)))
    assert request.start == pd.Timestamp("2026-01-31 12:00", tz="UTC")
    assert request.end == pd.Timestamp("2026-02-01", tz="UTC")
    assert request.symbols == ("BTCUSDT",)
    assert parse_settings(["--replay", "a", "--speed", "max"], {}).speed == math.inf
    for bad in ("--speed 0", "--speed fast", "--replay-from noon"):
        with pytest.raises(SettingsError, match="is not a"):
            parse_settings(bad.split(), {})


def test_a_replay_begun_from_a_page_runs_beside_a_recording_and_follows_the_last_wish(tmp_path):
    settings = Settings(db=tmp_path / "replay.db")
    assert current_replay() is None
    try:
        first = begin_replay(settings, ReplayRequest(SAMPLE), 10.0)
        assert current_replay() is first
        second = begin_replay(settings, ReplayRequest(SAMPLE, symbols=("SYNAUSDT",)), math.inf)
        assert current_replay() is second
        assert first.status().state == "stopped"
        until(lambda: has_ended(second))
        with pytest.raises(ReplayError, match="No such file"):
            begin_replay(settings, ReplayRequest(tmp_path / "none"), 1.0)
        assert current_replay() is second
    finally:
        end_replay()
    assert current_replay() is None
    end_replay()
