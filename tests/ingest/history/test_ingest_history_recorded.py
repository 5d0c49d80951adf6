"""A recorder that was told so moves old days to the lake by itself, beside what it records."""

import time
from collections.abc import Callable
from pathlib import Path

from ingest.clock import now_us
from ingest.history import moving
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.store import LakeStream, TickWriter
from ingest.store.lake import Lake
from ingest.tick import Tick

DAY_US = 86_400_000_000


def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.01)


def test_a_recorder_moves_old_days_and_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(moving, "FIRST_LOOK_S", 0.01)
    midnight_us = now_us() // DAY_US * DAY_US
    times = range(midnight_us - 3 * DAY_US, midnight_us, DAY_US // 100)
    writer = TickWriter(tmp_path / "ticks.db")
    writer.write(
        [
            Tick("spot", "BTCUSDT", "aggTrade", n, 100.0, 1.0, at_us, at_us, False)
            for n, at_us in enumerate(times)
        ]
    )
    writer.close()
    recorder = Recorder(
        Settings(
            symbols=(),
            db=tmp_path / "ticks.db",
            history=tmp_path / "history",
            lake_days=1,
            ws_url="ws://127.0.0.1:9",
            rest_url="http://127.0.0.1:9",
        )
    )
    recorder.start()
    try:
        until(lambda: "2 days" in (recorder.status().moved or ""))
        assert (recorder.status().moved or "").startswith("moved 2 days of 1 symbol to the lake, ")
        assert recorder.status().notices == ()
    finally:
        assert recorder.stop()
    stream = LakeStream("spot", "BTCUSDT", "aggTrade")
    spans = Lake(tmp_path / "history").id_spans(stream)
    assert [(each.first_id, each.last_id) for each in spans] == [(0, 199)]
