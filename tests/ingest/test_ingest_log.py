"""The log: its form, its bounds, and what an operator finds in it."""

import logging
import random
import re
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from desk.app_process import running_app
from exchange.server import Exchange, ThreadedExchange

from ingest.counts import Counts
from ingest.errors import MalformedMessageError, RestFailedError, SettingsError
from ingest.event_queue import EventQueue
from ingest.feed import FeedLimits
from ingest.log import MOST_ALIKE, FloodFilter, UtcFormatter, start_logging
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.writing import WritingLoop
from ingest.rest import HttpClient, RestClient
from ingest.settings import Settings, parse_settings
from ingest.store import GapBoard
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
    loop = WritingLoop(tmp_path / "t.db", EventQueue(1_000), GapBoard(), Counts(), lambda: NOW_US)

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


def test_a_flood_of_bad_frames_does_not_flood_the_log(ours, capsys) -> None:
    ours.handlers = []
    start_logging("info")
    queue = EventQueue(1_000)
    loop = ReceivingLoop(
        Settings(), queue, GapBoard(), Counts(), FeedLimits(), lambda: NOW_US, rng=random.Random(1)
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
