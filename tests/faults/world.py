"""A whole recorder on virtual time: the real feed, repair, queue and writer, a made-up network.

Streams carry the frames the exchange prints, and can be cut, silenced, made to lose, replay or
reorder. REST is the scripted exchange's. The database is in memory. A `World` is made in a loop of
`virtual_time`; hours of it take seconds.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from exchange.market import Trade, trade_payload
from exchange.streams import in_envelope
from exchange.virtual import T0_US, VirtualExchange

from ingest.counts import Counts
from ingest.errors import LinkLostError
from ingest.event_queue import EventQueue
from ingest.feed import FeedLimits
from ingest.feed.link import LinkLimits
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.writing import WritingLoop, _steps
from ingest.repair import LENGTHS_US, intervals
from ingest.repair.kline_seed import SPANS_US
from ingest.repair.warm_start import kline_setting
from ingest.retry import refusal_wait_s
from ingest.settings import Settings
from ingest.store import PublishedGaps
from ingest.tick import StreamKey

STORE_EVERY_S = 0.25
REPLAYED = 20


@dataclass
class Handshake:
    """How coming handshakes end: refused with a status, hanging, or accepted and closed."""

    status: int = 101
    retry_after: str | None = None
    hang: bool = False
    lasts_s: float | None = None  # accepted, then closed after so long
    times: int | None = 1


@dataclass
class Stream:
    """One connection, as the recorder holds it."""

    world: "World"
    symbols: set[str]
    limits: LinkLimits
    inbox: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)
    ended: str | None = None
    muted: bool = False  # open, pings answered, no frame comes
    lose_next: int = 0
    swap_next: bool = False
    _late: bytes | None = None

    async def recv(self) -> bytes:
        frame = await self.inbox.get()
        if frame is None:
            self.inbox.put_nowait(None)
            raise LinkLostError(self.ended or "closed")
        return frame

    async def send(self, message: str) -> None:
        if self.ended is not None:
            raise LinkLostError(self.ended)
        self.world.control(self, message)

    async def close(self) -> None:
        if self.muted and self.ended is None:
            await asyncio.sleep(self.limits.close_s)  # nobody answers the close frame
        self.end("closed by us")

    def end(self, reason: str) -> None:
        """End the connection; what was sent before is still read."""
        if self.ended is None:
            self.ended = reason
            self.world.streams.discard(self)
            self.inbox.put_nowait(None)

    def deliver(self, frame: bytes) -> None:
        """Put a frame on the wire."""
        if self.muted or self.ended is not None:
            return
        if self.lose_next:
            self.lose_next -= 1
        elif self.swap_next and self._late is None:
            self._late = frame
        else:
            self.inbox.put_nowait(frame)
            if self._late is not None:
                self.inbox.put_nowait(self._late)
                self._late, self.swap_next = None, False

    def __hash__(self) -> int:
        return id(self)


class World:
    """An exchange, a network and a recorder in one loop.

    `warm`: the bars of before were fetched once, so that no request is spent on them.
    """

    def __init__(
        self,
        symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"),
        *,
        seed: int = 1,
        capacity: int = 200_000,
        limits: FeedLimits | None = None,
        settings: Settings | None = None,
        warm: bool = False,
    ) -> None:
        self.rng = random.Random(seed)
        self.symbols = symbols
        self.exchange = VirtualExchange(*symbols)
        self.streams: set[Stream] = set()
        self.handshakes: deque[Handshake] = deque()
        self.attempts_s: list[float] = []
        self.latest: deque[bytes] = deque(maxlen=REPLAYED)
        self.network = True
        self.deaf = False  # connections stand and carry nothing
        self.deaf_to: set[str] = set()
        self.shut_down_all = False  # every connection is told at once that its server goes
        self.stalled = False
        self.failures: list[BaseException] = []
        self.counts, self.board, self.queue = Counts(), PublishedGaps(), EventQueue(capacity)
        self.settings = settings or Settings(
            symbols=symbols, ws_url="ws://stream.invalid", rest_url="https://rest.invalid"
        )
        self._limits = limits or FeedLimits()
        self.writing = self._new_writing()
        for symbol in symbols if warm else ():
            for name in intervals("spot"):
                end_us = T0_US // LENGTHS_US[name] * LENGTHS_US[name]
                begin_us = end_us - SPANS_US[name]
                setting = kline_setting(("spot", symbol, "aggTrade"), name)
                self.writing.writer.remember(setting, f"{begin_us} {end_us} {begin_us}")
        self.receiving = self._new_receiving(symbols)
        self._tasks: list[asyncio.Task[None]] = []
        self.final: dict[str, Account] = {}  # as `stop` found it

    # --- the recorder's threads, as tasks ---

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._keep_receiving()),
            asyncio.create_task(self._keep_storing()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.final = {symbol: self.account(symbol) for symbol in self.symbols}
        self.writing.writer.close()

    async def _keep_receiving(self) -> None:
        """Run the receiving loop; take it up again after a second when it fails."""
        while True:
            try:
                await self.receiving._main()
            except Exception as error:
                self.failures.append(error)
            await asyncio.sleep(1.0)

    async def _keep_storing(self) -> None:
        while True:
            await asyncio.sleep(STORE_EVERY_S)
            if not self.stalled:
                self.store()

    def store(self) -> None:
        """Store what the queue holds, by the writing thread's own steps."""
        while len(self.queue):
            self.writing._steps.extend(_steps(self.queue.take(1000, 0.0)))
            self.writing._work_off()

    async def crash(self, restart_s: float) -> None:
        """End the process without notice: what is not committed is gone; start it again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in list(self.streams):
            stream.end("the client is gone")
        await asyncio.sleep(restart_s)
        writer = self.writing.writer
        self.counts, self.board = Counts(), PublishedGaps()
        self.queue = EventQueue(self.queue.capacity)
        self.stalled = False
        writer._streams = {}  # of the process that died: causes too
        writer._load()
        self.writing = self._new_writing()
        self.writing.writer.close()
        self.writing.writer = writer
        self.writing.writer.ledger_changed = True
        self.receiving = self._new_receiving(self.receiving.symbols)
        self.writing._publish()
        self.start()

    def fail_receiving(self) -> None:
        """Make the receiving thread's work fail at its next event, as a bug of ours would."""
        receiving = self.receiving
        event = receiving.event

        def fail(_event: object) -> None:
            receiving.event = event  # type: ignore[method-assign] # as it was
            raise RuntimeError("made to fail")

        receiving.event = fail  # type: ignore[method-assign, assignment] # once

    def _new_writing(self) -> WritingLoop:
        return WritingLoop(
            Path(":memory:"), self.queue, self.board, self.counts, self.exchange.now_us
        )

    def _new_receiving(self, symbols: tuple[str, ...]) -> ReceivingLoop:
        receiving = ReceivingLoop(
            self.settings,
            self.queue,
            self.board,
            self.counts,
            self._limits,
            self.exchange.now_us,
            open_connection=self.open,
            fetch=self.exchange.fetch,
            rng=random.Random(self.rng.random()),
        )
        receiving.symbols = symbols
        return receiving

    # --- the network ---

    async def open(self, url: str, limits: LinkLimits) -> Stream:
        self.attempts_s.append(self.exchange.now_s())
        fault = self._handshake()
        if not self.network:
            raise LinkLostError("cannot connect: no route to host")
        if fault.hang:
            await asyncio.sleep(limits.open_s)
            raise LinkLostError("cannot connect: timed out")
        await asyncio.sleep(0.1)
        if fault.status != 101:
            wait_s = refusal_wait_s(fault.status, fault.retry_after)
            raise LinkLostError(f"HTTP {fault.status}", wait_s, fault.status)
        names = parse_qs(urlsplit(url).query).get("streams", [""])[0].split("/")
        stream = Stream(self, {n.partition("@")[0].upper() for n in names if n}, limits)
        self.streams.add(stream)
        loop = asyncio.get_running_loop()
        if fault.lasts_s is not None:
            loop.call_later(fault.lasts_s, stream.end, "closed: 1008")
        if self.shut_down_all:
            self.announce_shutdown(stream)
        return stream

    def _handshake(self) -> Handshake:
        if not self.handshakes:
            return Handshake()
        fault = self.handshakes[0]
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.handshakes.popleft()
        return fault

    def control(self, stream: Stream, message: str) -> None:
        """Obey SUBSCRIBE and UNSUBSCRIBE, and acknowledge."""
        request = json.loads(message)
        names = {name.partition("@")[0].upper() for name in request["params"]}
        if request["method"] == "SUBSCRIBE":
            stream.symbols |= names
        else:
            stream.symbols -= names
        stream.deliver(b'{"result":null,"id":%d}' % request["id"])

    def announce_shutdown(self, stream: Stream) -> None:
        event = b'{"e":"serverShutdown","E":%d}' % (self.exchange.now_us() // 1000)
        stream.deliver(b'{"stream":"!serverShutdown","data":%b}' % event)

    def cut_all(self, reason: str) -> None:
        for stream in list(self.streams):
            stream.end(reason)

    def black_hole_all(self) -> None:
        """Let nothing through any more; the socket's pings find out in their own time."""
        loop = asyncio.get_running_loop()
        for stream in list(self.streams):
            stream.muted = True
            found_s = stream.limits.ping_every_s + stream.limits.ping_within_s
            loop.call_later(found_s, stream.end, "closed: keepalive ping timeout")

    # --- the market ---

    def trade(self, symbol: str, *, streamed: bool = True) -> Trade:
        """Make a trade happen now."""
        trade = self.exchange.trade(symbol)
        if streamed and not self.deaf and symbol not in self.deaf_to:
            frame = frame_of(trade)
            self.latest.append(frame)
            for stream in list(self.streams):
                if symbol in stream.symbols:
                    stream.deliver(frame)
        return trade

    async def trade_on(self, for_s: float, rate_per_s: float) -> None:
        """Trade at random moments, any symbol."""
        end_s = self.exchange.now_s() + for_s
        while (wait_s := self.rng.expovariate(rate_per_s)) < end_s - self.exchange.now_s():
            await asyncio.sleep(wait_s)
            self.trade(self.rng.choice(self.symbols))
        await asyncio.sleep(max(0.0, end_s - self.exchange.now_s()))

    # --- what came of it ---

    async def until(
        self, condition: Callable[[], bool], within_s: float, every_s: float = 0.05
    ) -> float:
        """Wait for a condition; gives the virtual seconds, infinity when it did not come true."""
        begun_s = self.exchange.now_s()
        while not condition():
            if self.exchange.now_s() - begun_s > within_s:
                return float("inf")
            await asyncio.sleep(every_s)
        return self.exchange.now_s() - begun_s

    def account(self, symbol: str) -> "Account":
        """Compare a symbol's rows and ledger with what the exchange knows."""
        connection = self.writing.writer._connection
        key: StreamKey = ("spot", symbol, "aggTrade")
        ledger = self.writing.writer.streams().get(key)
        tape = self.exchange.venue.tape(symbol)
        sent = list(tape._ids)  # `trades` would make thousands of them at every look
        if ledger is None or ledger.first_id is None or ledger.last_id is None:
            return Account(sent, [], [], None, sent[-1] if sent else 0, 0)
        stream = connection.execute(
            "SELECT stream_id FROM stream WHERE (market, symbol, kind) = (?, ?, ?)", key
        ).fetchone()
        stored = [
            number
            for (number,) in connection.execute(
                "SELECT trade_id FROM tick WHERE stream_id = ? ORDER BY 1", stream
            )
        ]
        gaps = connection.execute(
            "SELECT from_id, to_id, state FROM gap WHERE stream_id = ? AND state <> 'filled'"
            " ORDER BY 1",
            stream,
        ).fetchall()
        in_bars = connection.execute(
            "SELECT sum(trades) FROM bar_1s WHERE stream_id = ?", stream
        ).fetchone()[0]
        return Account(sent, stored, gaps, ledger.first_id, sent[-1], in_bars)

    def whole(self) -> bool:
        """Tell whether every symbol's trades are stored and no gap is open."""
        return all(self.account(symbol).whole for symbol in self.symbols)

    def settled(self) -> bool:
        """Tell whether no gap is open any more, and every id is stored or in the ledger."""
        accounts = [self.account(symbol) for symbol in self.symbols]
        return not any(each.ids_in("open") or each.faults() for each in accounts)

    def whole_to_the_end(self) -> bool:
        """Tell whether that is so up to the newest trade of each symbol once stored."""
        for symbol in self.symbols:
            account = self.account(symbol)
            known = account.ids_in("absent")
            if account.first_id is None:
                if account.sent:
                    return False
            elif account.ids_in("open") or not set(account.owed) <= known | set(account.stored):
                return False
        return True

    def requests(self, call: str) -> list[float]:
        """Give the moments of the REST requests of a call."""
        return [each.at_s for each in self.exchange.requests if each.path.endswith(call)]


@dataclass(frozen=True)
class Account:
    """Ids the exchange sent, ids stored, and the ledger's gaps, of one symbol."""

    sent: list[int]
    stored: list[int]
    gaps: list[tuple[int, int, str]]
    first_id: int | None
    newest_id: int
    trades_in_bars: int

    def ids_in(self, *states: str) -> set[int]:
        return {
            number
            for from_id, to_id, state in self.gaps
            if state in states
            for number in range(from_id, to_id + 1)
        }

    @property
    def owed(self) -> list[int]:
        """Ids of trades since the first one the recorder ever took."""
        return [number for number in self.sent if self.first_id and number >= self.first_id]

    @property
    def whole(self) -> bool:
        """Every trade is stored, and nothing is open any more."""
        return self.stored == self.owed and not self.ids_in("open")

    def faults(self) -> list[str]:
        """Give what contradicts the promise: every id is stored or in the ledger, none twice."""
        found = []
        stored, known = set(self.stored), self.ids_in("open", "absent", "expired")
        if self.first_id is None:
            return ["nothing was ever stored"] if self.sent else []
        every = set(range(self.first_id, self.newest_id + 1))
        if unknown := every - stored - known:
            found.append(f"{len(unknown)} ids neither stored nor in the ledger: {few(unknown)}")
        if both := stored & known:
            found.append(f"{len(both)} ids both stored and missing: {few(both)}")
        if made_up := stored - set(self.sent):
            found.append(f"{len(made_up)} ids that the exchange never sent: {few(made_up)}")
        if denied := self.ids_in("absent") & set(self.sent):
            found.append(f"{len(denied)} ids called absent that exist: {few(denied)}")
        if len(stored) != len(self.stored) or self.trades_in_bars != len(stored):
            found.append(f"{len(stored)} trades, but {self.trades_in_bars} in the bars")
        return found


def few(ids: set[int]) -> str:
    return ", ".join(map(str, sorted(ids)[:5]))


def frame_of(trade: Trade) -> bytes:
    """Give a trade's frame of a combined stream, as the exchange prints it."""
    payload = trade_payload(trade, "aggTrade", "spot", 1000)
    return in_envelope(f"{trade.symbol.lower()}@aggTrade", payload)
