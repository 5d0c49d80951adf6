"""Real connections on the loopback that end in every way there is."""

import random
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

from exchange.feeds import LiveFeed
from exchange.server import Exchange, ThreadedExchange

from faults.children import SYMBOLS
from faults.process import stored_ids
from faults.result import Figure, Result, at_most, equal, quantile, told
from faults.storage import until
from ingest.feed import FeedLimits
from ingest.feed.link import LinkLimits
from ingest.recorder import Recorder
from ingest.settings import Settings

CODES = (1000, 1001, 1002, 1003, 1008, 1011, 1012, 1013)
ENDINGS = ("RST", "FIN", *CODES, "accept and close", "refused", "serverShutdown", "black hole")


def recorder_for(
    exchange: ThreadedExchange, database: Path, limits: FeedLimits | None = None
) -> Recorder:
    settings = Settings(
        symbols=SYMBOLS, db=database, ws_url=exchange.ws_url, rest_url=exchange.rest_url
    )
    return Recorder(settings, feed_limits=limits)


def end_connections(exchange: ThreadedExchange, ending: str | int) -> None:
    """End what is open, in this way."""
    faults = exchange.faults
    match ending:
        case "RST":
            exchange.disconnect_all(abort=True)
        case "FIN":
            exchange.disconnect_all()
        case "accept and close":
            faults.close_after_accept(1008, times=2)
            exchange.disconnect_all(code=1001)
        case "refused":
            faults.refuse_handshakes(503, times=1)
            exchange.disconnect_all(abort=True)
        case "serverShutdown":
            exchange.call(Exchange.announce_shutdown)
        case "black hole":
            exchange.call(Exchange.black_hole_all)
        case int():
            exchange.disconnect_all(code=ending)


def disconnects(
    folder: Path,
    *,
    count: int,
    seed: int,
    ping_s: float = 0.4,
    rate_per_s: float = 50.0,
    endings: tuple[str | int, ...] = ENDINGS,
) -> Result:
    """End the connection `count` times, and time the first trade after each.

    The cap of 60 attempts in 5 minutes is lifted: it would make this test wait, as it should.
    """
    rng = random.Random(seed)
    limits = FeedLimits(
        link=LinkLimits(ping_every_s=ping_s, ping_within_s=ping_s, close_s=0.3),
        good_after_s=0.05,
        overlap_s=1.0,
        rotate_least_s=0.1,
        most_attempts=1_000_000,
    )
    order = [endings[n % len(endings)] for n in range(count)]
    rng.shuffle(order)
    waits_s: dict[str | int, list[float]] = {}
    feed = LiveFeed(rate_per_s, seed=seed, history_s=0)
    with ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        recorder = recorder_for(exchange, folder / "cut.db", limits)
        recorder.start()
        try:
            exchange.wait_for_subscribers(1)
            until(lambda: recorder.status().received > 0)
            for ending in order:
                time.sleep(rng.uniform(0.05, 0.15))
                waits_s.setdefault(ending, []).append(_time_one(exchange, recorder, ending))
            exchange.call(Exchange.stop_feed)
            whole_s, missing, extra, sent = _compare(exchange, recorder, folder / "cut.db")
            status = recorder.status()
        finally:
            recorder.stop()
    plain_s = [w for ending, all_s in waits_s.items() if ending != "black hole" for w in all_s]
    return Result(
        f"{count} connections ended in {len(endings)} ways while {sent:,} trades ran",
        seed,
        (
            told("endings", str(dict(Counter(map(str, order))))),
            equal("ids missing", missing, 0),
            equal("ids too many", extra, 0),
            *_first_trade(plain_s),
            at_most(
                "first trade after a black hole", max(waits_s.get("black hole", [0.0])), 60.0, "s"
            ),
            at_most("ids equal after the last one", whole_s, 60.0, "s"),
            equal("frames rejected", status.rejected, 0),
            equal("threads restarted", status.restarts, 0),
        ),
    )


def _first_trade(waits_s: list[float]) -> tuple[Figure, ...]:
    if not waits_s:
        return ()
    return (
        at_most("first trade after, p50", quantile(waits_s, 0.5), 1.0, "s"),
        at_most("first trade after, p99", quantile(waits_s, 0.99), 5.0, "s"),
    )


def _time_one(exchange: ThreadedExchange, recorder: Recorder, ending: str | int) -> float:
    """End the connections, then wait for a trade that came by another one."""
    before = recorder.status()
    feed = recorder._receiving.feed
    assert feed is not None
    link = feed.link
    begun_s = time.monotonic()
    end_connections(exchange, ending)
    until(lambda: feed.link not in (None, link) and feed.link.trades > 0, 90.0, 0.002)
    assert recorder.status().received > before.received
    return time.monotonic() - begun_s


def _compare(
    exchange: ThreadedExchange, recorder: Recorder, database: Path
) -> tuple[float, int, int, int]:
    """Wait until the stored ids are the exchange's; what is missing and too many if not."""
    for symbol in SYMBOLS:  # live trades from beyond what may be missing
        exchange.push(symbol, 1, 1)
    sent = {each: [trade.trade_id for trade in exchange.trades(each)] for each in SYMBOLS}

    def whole() -> bool:
        return _since(sent, stored_ids(database)) == stored_ids(database)

    try:
        whole_s = until(whole, 90.0, 0.05)
    except TimeoutError:
        whole_s = float("inf")
    found = stored_ids(database)
    wanted = _since(sent, found)
    missing = sum(len(set(wanted[each]) - set(found[each])) for each in SYMBOLS)
    extra = sum(len(set(found[each]) - set(wanted[each])) for each in SYMBOLS)
    return whole_s, missing, extra, sum(map(len, sent.values()))


def _since(sent: dict[str, list[int]], found: dict[str, list[int]]) -> dict[str, list[int]]:
    return {each: [n for n in sent[each] if found[each] and n >= found[each][0]] for each in sent}


def planned_rotation(folder: Path, *, times: int, every_s: float = 1.0, seed: int = 1) -> Result:
    """Let real connections reach their age while trades run."""
    limits = FeedLimits(rotate_after_s=every_s, rotate_least_s=0.1, overlap_s=1.0)
    feed = LiveFeed(100.0, seed=seed, history_s=0)
    with ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        recorder = recorder_for(exchange, folder / "rotated.db", limits)
        recorder.start()
        try:
            until(lambda: recorder.status().rotations >= times, 30 + 3 * times * every_s)
            exchange.call(Exchange.stop_feed)
            _, missing, extra, sent = _compare(exchange, recorder, folder / "rotated.db")
            status = recorder.status()
        finally:
            recorder.stop()
        asked = [each for each in exchange.requests() if "Trades" in each.path]
    return Result(
        f"{status.rotations} hand-overs of real connections while {sent:,} trades ran",
        seed,
        (
            equal("ids missing", missing, 0),
            equal("ids too many", extra, 0),
            equal("REST calls for trades", len(asked), 0),
            equal("connections lost", status.reconnects, 0),
            told("duplicates removed", status.duplicates),
        ),
    )


def refused_handshakes(folder: Path, *, retry_after_s: int = 2) -> Result:
    """Refuse real handshakes with 429 and 418, and count what comes before the wait ends."""
    with ThreadedExchange(SYMBOLS) as exchange:
        recorder = recorder_for(exchange, folder / "refused.db")
        exchange.faults.refuse_handshakes(429, retry_after_s=retry_after_s)
        exchange.faults.refuse_handshakes(418, retry_after_s=retry_after_s)
        recorder.start()
        try:
            exchange.wait_for_subscribers(1, timeout_s=30)
        finally:
            recorder.stop()
        times_s = [each.at_s for each in exchange.handshakes()]
    waits_s = [later - sooner for sooner, later in pairwise(times_s)]
    early = sum(each < retry_after_s for each in waits_s)
    return Result(
        f"real handshakes refused with 429 and 418, Retry-After {retry_after_s} s",
        None,
        (
            equal("handshakes", len(times_s), 3),
            equal("handshakes before it ended", early, 0),
            at_most("longest wait", max(waits_s), retry_after_s + 2.0, "s"),
        ),
    )
