"""Bad frames by the thousand: the receive path and the writer take none of them amiss."""

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from exchange.market import Trade

from faults.children import SYMBOLS
from faults.result import Result, equal, holds, told
from faults.world import frame_of
from ingest.counts import Counts
from ingest.errors import LinkLostError, MalformedMessageError
from ingest.event_queue import EventQueue
from ingest.feed import Address
from ingest.feed.link import Link, LinkLimits
from ingest.recorder.writing import WritingLoop, _steps
from ingest.store import PublishedGaps
from ingest.tick import Event, Tick

T0_US = 1_723_161_300_000_000

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

    async def room(self) -> None:
        """There is always room."""

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
    loop = WritingLoop(Path(":memory:"), sink.queue, PublishedGaps(), Counts(), lambda: T0_US)
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
