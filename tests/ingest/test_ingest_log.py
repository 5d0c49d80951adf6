"""The log: its form, its bounds, and what an operator finds in it."""

import logging
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path

import pytest
from desk.app_process import running_app
from exchange.server import Exchange, ThreadedExchange
from exchange.virtual_time import in_virtual_time
from faults.world import World

from ingest.counts import Counts
from ingest.errors import MalformedMessageError, RestFailedError, SettingsError
from ingest.event_queue import Call, EventQueue
from ingest.feed import FeedLimits
from ingest.log import MOST_ALIKE, FloodFilter, UtcFormatter, start_logging
from ingest.recorder import Recorder
from ingest.recorder.maintenance import Maintenance, Retention
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.writing import WritingLoop
from ingest.replay import ReplayRecorder, ReplayRequest
from ingest.rest import HttpClient, RestClient
from ingest.settings import Settings, parse_settings
from ingest.store import PAUSE_FREE_BYTES, PublishedGaps, TickWriter
from ingest.tick import Tick

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) pairdesk\.[a-z]+: .+"
)
NOW_US = 1_770_000_000_000_000


@pytest.fixture
def ours() -> Iterator[logging.Logger]:
    """The program's logger, put back afterwards as it was."""
    logger = logging.getLogger("pairdesk")
    before = logger.level, logger.propagate, list(logger.handlers)
    yield logger
    logger.setLevel(before[0])
    logger.propagate, logger.handlers = before[1], before[2]


def record(message: str, *figures: object, name: str = "pairdesk.feed") -> logging.LogRecord:
    return logging.LogRecord(name, logging.INFO, "", 0, message, figures, None)


def test_a_line_has_its_time_in_utc_and_the_wing(monkeypatch) -> None:
    made = record("lost: %s", "reset")
    made.created, made.msecs = 1_770_000_000.25, 250.0
    assert UtcFormatter().format(made) == "2026-02-02T02:40:00.250Z INFO pairdesk.feed: lost: reset"


def test_words_from_outside_make_no_line_of_their_own() -> None:
    line = UtcFormatter().format(record("%s", "a\n2026 INFO pairdesk.feed: all is well\x1b[2J\x9b"))
    assert line.splitlines() == [line]
    assert line.endswith(r"a\x0a2026 INFO pairdesk.feed: all is well\x1b[2J\x9b")


def test_of_a_flood_only_the_first_are_written_and_then_how_many_more() -> None:
    now_s = 0.0
    flood = FloodFilter(most=3, period_s=60, clock=lambda: now_s)
    assert [flood.filter(record("bad: %d", n)) for n in range(10)] == [True] * 3 + [False] * 7
    assert flood.filter(record("another"))
    assert flood.filter(record("bad: %d", 0, name="pairdesk.rest"))
    now_s = 60.0
    later = record("bad: %d", 11)
    assert flood.filter(later)
    assert later.getMessage() == "bad: 11 (and 7 like it not written before)"
    assert flood.filter(again := record("bad: %d", 12))
    assert again.getMessage() == "bad: 12"


def test_one_sentence_in_a_flood_does_not_hold_back_another() -> None:
    flood = FloodFilter(most=2, clock=lambda: 0.0)
    damaged = [flood.filter(record("%s", f"page {n} is damaged")) for n in range(5)]
    assert damaged == [True] * 2 + [False] * 3
    assert flood.filter(record("%s", "the disk is full"))
    assert flood.filter(record("%s", "page 1 is damaged", name="pairdesk.store"))


def test_sentences_without_end_are_bounded_and_forgotten_with_their_period() -> None:
    now_s = 0.0
    flood = FloodFilter(most=2, period_s=60, clock=lambda: now_s)

    def written(kinds: int) -> int:
        names = (f"{'ab'[n % 2]}{'x' * (n // 2 % 30)}{'y' * (n // 60)}" for n in range(kinds))
        return sum(flood.filter(record("%s", name)) for name in names)

    assert 100 < written(1_000) < 300
    now_s = 60.0
    assert written(100) == 100


def test_what_ended_kinds_held_back_is_said_and_their_places_are_free() -> None:
    now_s = 0.0
    flood = FloodFilter(most=2, period_s=60, clock=lambda: now_s)
    kinds = [f"{chr(97 + n // 26)} {chr(97 + n % 26)}" for n in range(200)]
    for _ in range(5):
        assert sum(flood.filter(record("%s", kind)) for kind in kinds) in {0, 200}
    now_s = 60.0
    assert flood.filter(new := record("%s", "the disk is full"))
    assert new.getMessage() == "the disk is full (and 600 of other kinds not written before)"
    assert flood.filter(other := record("%s", "the database refuses writes"))
    assert other.getMessage() == "the database refuses writes"


def test_only_our_loggers_get_a_handler_and_one(ours, capsys) -> None:
    root, websockets = logging.getLogger(), logging.getLogger("websockets.client")
    before = list(root.handlers), list(websockets.handlers), websockets.level
    ours.handlers = []
    start_logging("warning")
    start_logging("info")
    logging.getLogger("pairdesk.store").info("written")
    logging.getLogger("pairdesk.store").debug("not written")
    websockets.info("not ours")
    assert LINE.fullmatch(capsys.readouterr().err.rstrip("\n"))
    assert (list(root.handlers), list(websockets.handlers), websockets.level) == before


def test_the_level_is_an_option_and_a_wrong_one_a_sentence() -> None:
    assert Settings().log_level == "warning"
    assert parse_settings(["--log-level", "INFO"], {}).log_level == "info"
    assert parse_settings([], {"PAIRDESK_LOG_LEVEL": "debug"}).log_level == "debug"
    with pytest.raises(SettingsError, match="--log-level: 'loud' is not one of debug, info"):
        parse_settings(["--log-level", "loud"], {})


async def test_what_the_exchange_refuses_is_logged_with_its_wait(caplog) -> None:
    async with Exchange(["BTCUSDT"]) as exchange, aclosing(HttpClient()) as http:
        rest = RestClient(exchange.rest_url, "spot", fetch=http.get)
        exchange.faults.answer_rest(429, retry_after_s=120)
        with pytest.raises(RestFailedError):
            await rest.agg_trades("BTCUSDT")
    (found,) = [each for each in caplog.records if each.name == "pairdesk.rest"]
    assert found.levelname == "WARNING"
    assert "HTTP 429: too many requests; nothing is asked for 120 s" in found.getMessage()


def test_gaps_found_and_filled_are_logged(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    loop = WritingLoop(
        tmp_path / "t.db", EventQueue(1_000), PublishedGaps(), Counts(), lambda: NOW_US
    )

    def store(*ids: int) -> None:
        loop._steps.append([trade(each) for each in ids])
        loop._work_off()

    store(1, 2, 6)
    store(3, 4)
    store(5)
    loop.writer.close()
    assert [each.getMessage() for each in caplog.records if each.name == "pairdesk.store"] == [
        "BTCUSDT: open gaps 1, missing trades 3",
        "BTCUSDT: open gaps 1, missing trades 1",
        "BTCUSDT: no gap is left",
    ]


def trade(number: int) -> Tick:
    return Tick(
        market="spot",
        symbol="BTCUSDT",
        stream="aggTrade",
        trade_id=number,
        time_us=NOW_US + number,
        received_us=NOW_US + number,
        price=100.0,
        quantity=1.0,
        buyer_is_maker=False,
        last_raw_id=number,
    )


def messages_of(caplog, wing: str) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == f"pairdesk.{wing}"]


def test_what_retention_deletes_is_logged_once(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    most = Retention(max_bytes=1)  # the oldest hour goes, whatever it is
    with closing(TickWriter(tmp_path / "t.db")) as writer:
        maintenance = Maintenance(
            writer.path, EventQueue(), Counts(), most, disk_low=bool, clock_jumped=float
        )
        writer.write([trade(1), trade(2_000_000), trade(4_000_000_000)])
        maintenance.forget(writer)
    assert messages_of(caplog, "recorder") == [
        "retention: 2 bars before 2026-02-02 03:40:00+00:00 deleted, with their trades"
    ]


def test_whether_the_log_is_folded_in_is_said_once_until_that_changes(
    tmp_path: Path, caplog
) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    db, queue = tmp_path / "t.db", EventQueue()
    maintenance = Maintenance(db, queue, Counts(), Retention(), disk_low=bool, clock_jumped=float)
    with closing(TickWriter(db)) as writer, closing(sqlite3.connect(db)) as reader:

        def write_and_look(numbers: range) -> list[str]:
            caplog.clear()
            writer.write([trade(number) for number in numbers])
            queue.put(Call(lambda _: None))  # a queue waits until it has something
            maintenance.look_at_disk()
            for call in queue.take(10, 0.0):
                assert isinstance(call, Call)
                call.do(writer)
            return messages_of(caplog, "recorder")

        assert write_and_look(range(1, 2)) == []
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        (held_up,) = write_and_look(range(2, 40_000))
        assert re.fullmatch(r"[1-9]\d* MB of the log are not folded .* a reader .*", held_up)
        assert write_and_look(range(40_000, 60_000)) == []  # it grows, and stands as it stood
        reader.rollback()
        wal_mb = db.with_name("t.db-wal").stat().st_size // 1_000_000
        assert write_and_look(range(0)) == [f"a log of {wal_mb} MB is folded into the database"]
        assert write_and_look(range(60_000, 60_010)) == []  # its file keeps its size


def test_a_disk_that_fills_and_empties_is_logged_both_times(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    recorder = Recorder(Settings(db=tmp_path / "t.db"))
    for free in (PAUSE_FREE_BYTES - 1, PAUSE_FREE_BYTES, PAUSE_FREE_BYTES * 2):
        recorder._maintenance._free = partial(lambda free, _: free, free)
        recorder._maintenance.look_at_disk()
    recorder.stop()
    assert messages_of(caplog, "recorder")[:2] == [
        "recording pauses: free disk space",
        "recording goes on: free disk space",
    ]


@in_virtual_time
async def test_a_hand_over_is_logged_between_its_two_connections(caplog) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    world = World(limits=FeedLimits(rotate_after_s=60.0))
    world.start()
    await world.trade_on(90.0, 10.0)
    await world.stop()
    connected = "connected to ws://stream.invalid (symbols: 2)"
    assert messages_of(caplog, "feed")[:3] == [
        connected,
        "handed over to a new connection",
        connected,
    ]


def test_a_replay_is_logged_with_its_file_and_speed(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO, "pairdesk")
    file = tmp_path / "ticks.ndjson"
    file.write_text('{"symbol":"BTCUSDT","ts":1770000000000,"price":1,"size":1}\n')
    recorder = ReplayRecorder(Settings(db=tmp_path / "t.db"), ReplayRequest(file), 10)
    recorder.stop()
    assert messages_of(caplog, "replay") == [f"replays {file} at 10 times the market's speed"]


def test_a_flood_of_bad_frames_does_not_flood_the_log(ours, capsys) -> None:
    ours.handlers = []
    start_logging("info")
    queue = EventQueue(1_000)
    loop = ReceivingLoop(
        Settings(),
        queue,
        PublishedGaps(),
        Counts(),
        FeedLimits(),
        lambda: NOW_US,
        rng=random.Random(1),
    )
    for _ in range(5_000):
        loop.reject(MalformedMessageError("not JSON", b"{"))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_ALIKE
    assert all(LINE.fullmatch(line) for line in lines)
    assert "quarantine: a frame that is no known message: not JSON" in lines[0]


def test_the_app_logs_its_life_where_asked(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"]) as exchange:
        urls = ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        words = ["--symbols", "BTCUSDT", "--db", tmp_path / "t.db", "--log-level", "info"]
        with running_app(tmp_path, *words, *urls) as app:
            exchange.wait_for_subscribers(1, timeout_s=30)
            assert app.stop() == 0
            lines = app.log().splitlines()
    written = [line for line in lines if not line.startswith("pairdesk: ")]
    assert [line for line in written if not LINE.fullmatch(line)] == []
    for said in (
        "INFO pairdesk.recorder: started into",
        f"INFO pairdesk.feed: connected to {exchange.ws_url} (symbols: 1)",
        "INFO pairdesk.recorder: stopped; what was received is stored",
    ):
        assert any(said in line for line in written), said
