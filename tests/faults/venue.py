"""Trades that are not of the recording: ids that start over, another exchange, impossible times."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from exchange.market import Trade, e8, trade_payload
from exchange.server import ThreadedExchange
from exchange.streams import in_envelope

from faults.children import SYMBOLS
from faults.process import stored_ids
from faults.result import Result, at_most, equal, holds, told
from faults.sockets import recorder_for
from faults.storage import until
from faults.supervision import missing, push
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.store import TickReader, TickWriter
from ingest.store.ledger import ORDER_SLACK_US
from ingest.tick import Tick
from ingest.venue import venue_of
from pages.ui.parts.status import pill_of
from pages.ui.server.health import health

S_US, YEAR_US = 1_000_000, 31_557_600_000_000
_KEPT = ("tick", "non_trade", "bar_1s", "gap", "kline")


def _wait_for_stored(recorder: Recorder, suffices: Callable[[int], bool]) -> None:
    until(lambda: suffices(recorder.status().stored))


@contextmanager
def _recording(exchange: ThreadedExchange, recorder: Recorder) -> Iterator[Recorder]:
    recorder.start()
    try:
        exchange.wait_for_subscribers(1)
        yield recorder
    finally:
        recorder.stop()


def _now_us() -> int:
    return time.time_ns() // 1000


def _content(database: Path) -> list[list[tuple[object, ...]]]:
    """Everything that is kept of the market, and the edges of each stream."""
    with closing(sqlite3.connect(database)) as connection:
        edges = "SELECT symbol, first_id, first_us, last_id, last_us FROM stream ORDER BY symbol"
        selects = [f"SELECT * FROM {name}" for name in _KEPT]
        return [connection.execute(each).fetchall() for each in (edges, *selects)]


def _begin_at(exchange: ThreadedExchange, ids: int) -> None:
    exchange.call(lambda e: [each.skip_ids(ids) for each in e.venue.tapes.values()])


def id_restart(folder: Path, *, times: int, seed: int) -> Result:
    """Reset the exchange between runs, over and over: lower ids, newer times, another port."""
    rng = random.Random(seed)
    touched = stored = unnamed = 0
    slowest_s = 0.0
    for number in range(times):
        database = folder / f"{number}.db"
        first = rng.randrange(10**6)
        with ThreadedExchange(SYMBOLS) as exchange:
            _begin_at(exchange, first)
            with _recording(exchange, recorder_for(exchange, database)) as recorder:
                push(exchange, rng.randrange(20, 200))
                until(lambda: missing(exchange, recorder) == 0)
        before, ended_us = _content(database), _now_us()
        # Trades as near as that may have overtaken each other, and contradict nothing.
        until(lambda ended_us=ended_us: _now_us() > ended_us + ORDER_SLACK_US)  # type: ignore[misc]
        with ThreadedExchange(SYMBOLS) as reset:
            _begin_at(reset, rng.randrange(first) if first and rng.random() < 0.5 else 0)
            with _recording(reset, recorder_for(reset, database)) as recorder:
                push(reset, 15)
                slowest_s = max(slowest_s, until(lambda: recorder.status().state == "refused"))
                status = recorder.status()
                word, code = pill_of(status, _now_us()).word, health(status, _now_us(), 0)[0]
                unnamed += (word, code) != ("IDS START OVER", 503)
                stored += status.stored
                push(reset, 200)  # past the old ids, perhaps
        touched += _content(database) != before
    return Result(
        f"an exchange that was reset, {times:,} times",
        seed,
        (
            equal("databases touched", touched, 0),
            equal("trades stored", stored, 0),
            equal("not named in pill and /healthz", unnamed, 0),
            at_most("slowest refused after", slowest_s, 3.0, "s"),
        ),
    )


def other_venue(folder: Path) -> Result:
    """Start another exchange on a database, for each pair of some; a gateway on another port."""
    urls = (
        *("wss://data-stream.binance.vision", "wss://stream.binance.us:9443"),
        *("wss://stream.testnet.binance.vision", "wss://demo-stream.binance.com"),
        "ws://gateway.lan:9000",
    )
    touched = accepted = asked = 0
    with ThreadedExchange(SYMBOLS) as exchange:
        for number, url in enumerate(urls):
            database = folder / f"{number}.db"
            named = Settings(
                symbols=SYMBOLS,
                db=database,
                ws_url=exchange.ws_url,
                rest_url=exchange.rest_url,
                venue_name=venue_of(url),
            )
            with _recording(exchange, Recorder(named)) as recorder:
                push(exchange, 3)
                _wait_for_stored(recorder, lambda stored: stored >= 3 * len(SYMBOLS))
            before, shaken = _content(database), len(exchange.handshakes())
            for other in (each for each in urls if each != url):
                recorder = Recorder(replace(named, venue_name=venue_of(other)))
                recorder.start()
                status = recorder.status()
                accepted += status.state != "refused"
                accepted += health(status, _now_us(), 0)[0] != 503
                recorder.stop()
            touched += _content(database) != before
            asked += len(exchange.handshakes()) - shaken
    with ThreadedExchange(SYMBOLS) as exchange, ThreadedExchange(SYMBOLS) as moved:
        for each in (exchange, moved):  # the same gateway on another port
            with _recording(each, recorder_for(each, folder / "gateway.db")) as recorder:
                _begin_at(each, 1_000 if each is moved else 0)
                push(each, 3)
                _wait_for_stored(recorder, lambda stored: stored == 3 * len(SYMBOLS))
                same = recorder.status().refusal is None
    return Result(
        f"{len(urls) * (len(urls) - 1)} starts with another exchange on a database",
        None,
        (
            equal("taken for the same", accepted, 0),
            equal("databases touched", touched, 0),
            equal("connections tried", asked, 0),
            holds("a gateway on another port is the same", same, same),
        ),
    )


def future_trade(folder: Path, *, odd: int, seed: int) -> Result:
    """Send trades with impossible times among real ones; then open a database that stored some."""
    rng = random.Random(seed)
    with ThreadedExchange(SYMBOLS) as exchange:
        with _recording(exchange, recorder_for(exchange, folder / "ticks.db")) as recorder:
            push(exchange, 1)
            until(lambda: missing(exchange, recorder) == 0)
            # Before it is known our own clock may be a day off, and nothing of that is impossible.
            until(lambda: recorder.status().skew_ms is not None)
            for _ in range(odd):
                _send_odd(exchange, rng)
                push(exchange, 2)
            lost_s = until(lambda: missing(exchange, recorder) == 0)
            status = recorder.status()
            code = health(status, _now_us(), 0)[0]
            rejected = status.rejected
        made_up = sum(
            len(set(found) - {trade.trade_id for trade in exchange.trades(symbol)})
            for symbol, found in stored_ids(folder / "ticks.db").items()
        )
    bars = _longest(folder / "ticks.db")
    recovered = _recover(folder / "old.db", odd, rng)
    return Result(
        f"{odd} trades dated in the future or long ago among {2 * odd * len(SYMBOLS):,} real ones",
        seed,
        (
            equal("set aside", rejected, odd),
            equal("ids stored that are no trades", made_up, 0),
            at_most("all real ones stored after", lost_s, 10.0, "s"),
            equal("/healthz", code, 200),
            at_most("bars of a second", bars, 600),
            at_most("bars of an old database with such rows", recovered, 600),
            told("rows it had", odd),
        ),
    )


def _send_odd(exchange: ThreadedExchange, rng: random.Random) -> None:
    symbol = rng.choice(SYMBOLS)
    away_us = rng.choice((120 * S_US, 86_400 * S_US, YEAR_US, 70 * YEAR_US, -YEAR_US, -4 * YEAR_US))

    def send(e) -> None:
        (number,) = e.venue.tape(symbol).skip_ids(1)
        time_us = _now_us() + away_us
        trade = Trade(symbol, number, e8("999"), e8("1"), time_us, time_us, False)
        payload = trade_payload(trade, "aggTrade", "spot", 1000)
        e.push_raw(in_envelope(f"{symbol.lower()}@aggTrade", payload))

    exchange.call(send)


def _recover(database: Path, odd: int, rng: random.Random) -> int:
    """Store trades dated up to 2099 as an earlier version did, open it, and count the bars."""
    count, now_us = 10 * odd, _now_us()
    wrong = set(rng.sample(range(1, count + 1), odd))
    with closing(TickWriter(database)) as writer:
        for number in range(1, count + 1):
            received_us = now_us - (count - number) * S_US // 10
            time_us = received_us + (70 * YEAR_US if number in wrong else 0)
            writer.write(
                [
                    Tick(
                        *("spot", "BTCUSDT", "aggTrade", number, 100.0, 0.5),
                        *(time_us, received_us, False),
                    )
                ]
            )
        writer.set_aside_future(now_us)
    return _longest(database)


def _longest(database: Path) -> int:
    with TickReader(database) as reader:
        return max(len(reader.bars(symbol, "1s")) for symbol in reader.symbols())
