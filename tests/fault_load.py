"""Bad frames by the thousand, high rates with readers, and an hour of it."""

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from exchange import Exchange, ThreadedExchange
from exchange_market import Trade
from fault_process import SYMBOLS, stored_ids
from fault_result import Result, at_least, at_most, equal, holds, told
from fault_sockets import recorder_for
from fault_storage import TESTS, child_environment, until
from fault_world import frame_of

from analytics.pair import PairParams, analyse_pair
from ingest.counts import Counts
from ingest.event_queue import EventQueue
from ingest.gap_board import GapBoard
from ingest.link import Address, Link, LinkLimits, LinkLostError
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.store import TickReader
from ingest.tick import Event, Tick
from ingest.wire import MalformedMessageError
from ingest.writing import WritingLoop, _steps

T0_US = 1_723_161_300_000_000

# --- mutated frames ---

EVIL = (
    *(b"NaN", b"1e999", b"-1", b"0", b"9223372036854775808", b"9" * 5000, b"null", b"true"),
    *(b'""', b'"NaN"', b'"inf"', b'"-1.0"', b'"1e5"', b'" 1"', b"[]", b"{}", b"[" * 100_000),
    *(b'"DOGEUSDT"', b'"btcusdt"', b"1.5", b'"\xff"', b'"\\ud800"', b'"1_0"', b'"\xd9\xa3"'),
)
VALUE = re.compile(rb'(?<=":)("[^"]*"|[^,{}\[\]]+)')


def mutated(frame: bytes, rng: random.Random) -> bytes:
    """Change a frame at random: bytes, values, length, nesting."""
    kind = rng.randrange(8)
    at = rng.randrange(len(frame))
    if kind == 0:
        return frame[:at] + bytes([rng.randrange(256)]) + frame[at + 1 :]
    if kind == 1:
        return frame[:at]
    if kind == 2:
        return frame[:at] + frame[at + rng.randint(1, 20) :]
    if kind == 3:
        return frame[:at] + rng.randbytes(rng.randint(1, 30)) + frame[at:]
    if kind == 4:
        return frame + frame[at:]
    if kind == 5:
        return rng.choice(EVIL)
    values = list(VALUE.finditer(frame))
    value = rng.choice(values)
    return frame[: value.start()] + rng.choice(EVIL) + frame[value.end() :]


class _Frames:
    """A connection that gives what it was made with, then ends."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self._given = 0

    async def recv(self) -> bytes:
        self._given += 1
        if self._given % 1000 == 0:
            await asyncio.sleep(0)
        try:
            return next(self._frames)
        except StopIteration:
            raise LinkLostError("no more frames") from None

    async def send(self, _message: str) -> None:
        raise LinkLostError("nobody listens")

    async def close(self) -> None:
        return


@dataclass
class _Check:
    """Takes what a link finds; compares each event with a plain reading of its frame."""

    queue: EventQueue
    frame: bytes = b""
    events: int = 0
    rejected: int = 0
    bad: list[bytes] = field(default_factory=list)
    crashes: int = 0

    def event(self, event: Event) -> None:
        self.events += 1
        if not says_so(self.frame, event):
            self.bad.append(self.frame[:300])
        self.queue.put(event)

    def reject(self, _error: MalformedMessageError) -> None:
        self.rejected += 1

    def connected(self, _where: str) -> None:
        return

    def lost(self, _reason: str) -> None:
        return


def says_so(frame: bytes, event: Event) -> bool:
    """Tell whether a frame, read by the standard library, says what the event says."""
    try:
        message = json.loads(frame, parse_int=_short_int)
    except (ValueError, RecursionError):
        return False
    payload = message.get("data", message)
    price, quantity = float(payload["p"]), float(payload["q"])
    same = (payload["s"], payload["a"]) == (event.symbol, event.trade_id)
    if not isinstance(event, Tick):
        return same and (price == 0 or quantity == 0 or payload["f"] == payload["l"] == -1)
    same = same and (event.price, event.quantity) == (price, quantity)
    times = {payload["T"] * 1000, payload["T"]}
    return same and event.time_us in times and 0 < price < 1e18 and 0 < quantity < 1e18


def _short_int(text: str) -> int:
    """Read a number; one longer than any field of ours may be stands in a field we do not read."""
    return int(text) if len(text) < 100 else -1


def mutated_frames(*, count: int, seed: int) -> Result:
    """Put mutated and whole frames through the receive path and the writer."""
    rng = random.Random(seed)
    sink = _Check(EventQueue(count + 1))
    sent: list[int] = []
    given = [0]

    def frames() -> Iterator[bytes]:
        for number in range(1, count + 1):
            symbol = SYMBOLS[number % 2]
            trade = Trade(
                symbol,
                number,
                6_000_000_000_000 + number,
                1_000_000,
                T0_US + number * 1000,
                0,
                True,
            )
            whole = frame_of(trade)
            given[0] += 1
            if rng.random() < 0.3:
                sent.append(number)
                sink.frame = whole
            else:
                sink.frame = mutated(whole, rng)
            yield sink.frame

    async def pump() -> tuple[str, int]:
        address = Address("ws://127.0.0.1", "spot", "aggTrade")
        link = Link(_Frames(frames()), address, sink, LinkLimits(), set(SYMBOLS))
        return await link.pump(), link.frames

    begun_s = time.perf_counter()
    reason, read = asyncio.run(pump())
    took_s = time.perf_counter() - begun_s
    loop = WritingLoop(Path(":memory:"), sink.queue, GapBoard(), Counts(), lambda: T0_US)
    while len(sink.queue):
        loop._steps.extend(_steps(sink.queue.take(1000, 0.0)))
        loop._work_off()
    connection = loop.writer._connection
    stored = {n for (n,) in connection.execute("SELECT trade_id FROM tick")}
    stored |= {n for (n,) in connection.execute("SELECT trade_id FROM non_trade")}
    counts = loop._counts
    kept = sum(counts.total(name) for name in ("stored", "duplicates", "conflicts", "non_trades"))
    loop.writer.close()
    return Result(
        f"{count:,} frames, seven in ten mutated",
        seed,
        (
            equal("frames read", read, count),
            holds("the loop ended by", reason, reason == "no more frames", "the last frame"),
            equal("events that their frame does not say", len(sink.bad), 0),
            equal("whole frames not stored", len(set(sent) - stored), 0),
            equal("events not counted", sink.events - kept - counts.rejected, 0),
            told("events", sink.events),
            told("rejected", sink.rejected),
            told("of other streams, or answers", read - sink.events - sink.rejected),
            told("frames/s", round(count / took_s)),
        ),
    )


# --- load ---

LOOKBACK_US = 300_000_000  # what a page looks at, as long as a page may be open


@contextmanager
def pages(database: Path, count: int = 3, every_s: float = 1.0) -> Iterator[list[float]]:
    """Read as the pages do, each in its thread: the lookback's bars and their analytics."""
    ended = threading.Event()
    took_s: list[float] = []
    failures: list[BaseException] = []

    def refresh() -> None:
        while not ended.wait(every_s):
            begun_s = time.perf_counter()
            try:
                with TickReader(database) as reader:
                    newest = reader.last_trade(SYMBOLS[0])
                    start_us = newest.time_us - LOOKBACK_US if newest else None
                    bars = [reader.bars(each, "1s", start_us) for each in SYMBOLS]
                if min(map(len, bars)) > 30:
                    analyse_pair(*bars, PairParams(*SYMBOLS, window=20))
            except Exception as error:  # shown at the end, so that the load goes on
                failures.append(error)
            took_s.append(time.perf_counter() - begun_s)

    threads = [threading.Thread(target=refresh, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield took_s
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
        assert not failures, failures[:3]


def burst(folder: Path, *, rate_per_s: int, for_s: float, seed: int = 1) -> Result:
    """Trade at a high rate while three pages refresh every second."""
    database = folder / "burst.db"
    with ThreadedExchange(SYMBOLS) as exchange:
        recorder = recorder_for(exchange, database)
        recorder.start()
        exchange.wait_for_subscribers(1)
        deepest = 0
        with pages(database) as took_s:
            begun_s, sent = time.monotonic(), 0
            while (passed_s := time.monotonic() - begun_s) < for_s:
                due = int(passed_s * rate_per_s) - sent
                if due > 0:
                    exchange.call(lambda e, first=sent, due=due: _trade(e, first, due))
                    sent += due
                deepest = max(deepest, recorder.status().queue_depth)
                time.sleep(0.01)
            traded_s = time.monotonic() - begun_s
            drained_s = until(lambda: recorder.status().stored >= sent, 60.0)
        status = recorder.status()
        recorder.stop()
        wanted = {each: [t.trade_id for t in exchange.trades(each)] for each in SYMBOLS}
    found = stored_ids(database)
    missing = sum(len(set(wanted[each]) - set(found[each])) for each in SYMBOLS)
    return Result(
        f"{sent:,} trades in {traded_s:.0f} s with three pages refreshing",
        seed,
        (
            at_least("trades/s", sent / traded_s, 0.9 * rate_per_s),
            equal("trades lost", missing, 0),
            at_most("queue drained after", drained_s, 30.0, "s"),
            equal("connections lost", status.reconnects, 0),
            told("deepest queue", deepest),
            told("refreshes", len(took_s)),
            told("slowest refresh, s", max(took_s, default=0.0)),
            told("commit p99, ms", status.commit_p99_ms or 0.0),
        ),
    )


def _trade(exchange: Exchange, first: int, count: int) -> None:
    now_us = exchange.venue.now_us()
    for number in range(first, first + count):
        symbol = SYMBOLS[number % 2]
        tape = exchange.venue.tape(symbol)
        price = 6_000_000_000_000 + (number * 7919) % 1_000_000_000
        exchange.publish(Trade(symbol, tape.next_id, price, 2_000_000, now_us, now_us, True))
    exchange.hub.flush()


# --- soak ---


@contextmanager
def exchange_process(rate_per_s: float) -> Iterator[tuple[str, str]]:
    """Run the scripted exchange in a process of its own; gives its two addresses."""
    process = subprocess.Popen(
        [
            *(sys.executable, str(TESTS / "exchange.py"), "--port", "0", "--history", "0"),
            *("--rate", str(rate_per_s / len(SYMBOLS)), "--symbols", ",".join(SYMBOLS)),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield words[words.index("--ws-url") + 1], words[words.index("--rest-url") + 1]
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def memory_bytes() -> int | None:
    """Give this process's resident memory; None where the system does not tell by a file."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return None
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def handles() -> int | None:
    """Give how many files and sockets this process holds; None where it cannot be told."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else None


def soak(
    folder: Path, *, minutes: float, warm_up_minutes: float, rate_per_s: float = 500.0
) -> Result:
    """Record for long with three pages open; measure what grows after the warm-up."""
    database = folder / "soak.db"
    samples: list[tuple[float, int, int, int]] = []
    with exchange_process(rate_per_s) as (ws_url, rest_url):
        settings = Settings(symbols=SYMBOLS, db=database, ws_url=ws_url, rest_url=rest_url)
        recorder = Recorder(settings)
        recorder.start()
        with pages(database):
            begun_s = time.monotonic()
            ended = threading.Event()
            while (passed_s := time.monotonic() - begun_s) < minutes * 60:
                memory, files = memory_bytes(), handles()
                samples.append((passed_s, memory or 0, threading.active_count(), files or 0))
                ended.wait(5.0)
            status = recorder.status()
        stopped = recorder.stop()
    late = [each for each in samples if each[0] >= warm_up_minutes * 60]
    growth_mb = slope_per_hour([(each[0], each[1] / 1e6) for each in late])
    return Result(
        f"{status.stored:,} trades in {minutes:g} min at {rate_per_s:g}/s with three pages",
        None,
        (
            at_most(f"memory growth after {warm_up_minutes:g} min", growth_mb, 5.0, "MB/h"),
            told("memory at the end, MB", late[-1][1] / 1e6),
            at_most("threads, largest less first", _spread(late, 2), 1),
            at_most("handles, largest less first", _spread(late, 3), 6),
            equal("connections lost", status.reconnects, 0),
            at_least("trades/s", status.received / (minutes * 60), 0.8 * rate_per_s),
            holds("stopped in order", stopped, stopped),
        ),
    )


def _spread(samples: list[tuple[float, int, int, int]], column: int) -> int:
    values = [each[column] for each in samples]
    return max(values) - values[0]


def slope_per_hour(points: list[tuple[float, float]]) -> float:
    """Give the least-squares slope of (seconds, value) points, an hour's worth."""
    mean_s = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    across = sum((x - mean_s) ** 2 for x, _ in points)
    return 3600.0 * sum((x - mean_s) * (y - mean) for x, y in points) / across
