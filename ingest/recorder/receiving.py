"""The receiving thread's work: one event loop with the feed and what repairs it."""

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError
from statistics import median
from typing import Any

from ingest.binance import BarUpdate, market_name
from ingest.counts import Counts
from ingest.errors import MalformedMessageError
from ingest.event_queue import Cause, EventQueue
from ingest.feed import Address, BarFeed, Feed, FeedLimits, OpenConnection, Sink, open_socket
from ingest.interception import Between
from ingest.recorder.backpressure import Backpressure
from ingest.recorder.followed_universe import FollowedUniverse, LoopParts
from ingest.recorder.late_trades import LateTrades
from ingest.recorder.listing import NOT_THERE, ListKeeper, Standing, make_list_keeper, sentence
from ingest.recorder.quarantine import Quarantine
from ingest.recorder.threads import DaemonExecutor
from ingest.repair import KlineName, Repair
from ingest.rest import Fetch, HttpClient, RestClient
from ingest.retry import AttemptBudget
from ingest.settings import Settings, say
from ingest.status import RecorderState
from ingest.store import PublishedGaps
from ingest.tick import Event, Tick
from ingest.trade_times import BEHIND_US, TradeTimes, is_ahead
from ingest.wrong_clock import AheadTrade, ClockWatch, ahead_us
from ingest.wrong_clock import sentence as clock_sentence


class ReceivingLoop:
    """Runs the feed and its helpers until told to stop. `run` may be called again after it failed.

    It parses and queues, nothing else: no disk, no waiting but for a writer that is far behind.

    Parameters
    ----------
    settings
        Market, stream, endpoints.
    queue, published, counts
        Shared with the writing side.
    limits, now_us
        Of the feed; the wall clock.
    open_connection, fetch, rng
        Replaceable for tests.
    universe
        What is recorded by rules, if anything is.
    """

    def __init__(
        self,
        settings: Settings,
        queue: EventQueue,
        published: PublishedGaps,
        counts: Counts,
        limits: FeedLimits,
        now_us: Callable[[], int],
        *,
        open_connection: OpenConnection = open_socket,
        fetch: Fetch | None = None,
        rng: random.Random | None = None,
        universe: FollowedUniverse | None = None,
    ) -> None:
        self.feed: Feed | None = None
        self._universe = universe
        self.repair: Repair | None = None
        self._rest: RestClient | None = None
        self._list: ListKeeper | None = None
        self.symbols: tuple[str, ...] = ()
        self._settings, self._queue, self._published = settings, queue, published
        self._counts, self._limits, self._now_us = counts, limits, now_us
        self._http = HttpClient()
        self._open_connection, self._fetch = open_connection, fetch or self._http.get
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        # Outlives the loop: a thread that fails and starts again may not ask more often.
        self._budget = AttemptBudget(limits.most_attempts, limits.attempts_period_s)
        self._wanted_klines: dict[tuple[str, KlineName], int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._stopping = threading.Event()
        self._times = TradeTimes()
        self._clock = ClockWatch()
        self._late = LateTrades(queue, counts, self._set_aside_later)
        self._between: Between | None = None
        self._quarantine = Quarantine(queue, counts, now_us)
        self._backpressure = Backpressure(queue)
        self._tasks: set[asyncio.Task[None]] = set()

    # Called from other threads.

    def run(self) -> None:
        """Receive until `stop`."""
        with asyncio.Runner() as runner:
            runner.get_loop().set_default_executor(DaemonExecutor())
            runner.run(self._main())

    def stop(self) -> None:
        """Close the connection; `run` returns once all it had received is in the queue."""
        self._stopping.set()
        self._soon(self._stop.set)

    def set_symbols(self, symbols: tuple[str, ...], reason: str = "no symbols to record") -> None:
        """Carry just these; none closes the connection, and the next gap has this reason."""
        self.symbols = symbols
        self._start(lambda feed: self._change_symbols(feed, symbols, reason))

    def reconnect(self, reason: str) -> None:
        """Give the present connection up, and make a new one."""
        self._start(lambda feed: feed.reconnect(reason))

    def repair_now(self) -> None:
        """Ask for what is missing at once."""
        repair = self.repair
        if repair is not None:
            self._soon(repair.repair_now)

    def clock_jumped(self) -> None:
        """Measure the exchange's clock again: ours has moved."""
        repair = self.repair
        if repair is not None:
            self._soon(repair.clock_jumped)

    def database_changed(self) -> None:
        """Fetch again what another database does not hold: earlier bars, lately missing ids."""
        self._soon(self._seed_again)

    def fetch_klines(self, symbols: Sequence[str], name: KlineName, span_us: int) -> None:
        """Fetch bars of a length so far back from now, also after the loop was started again."""
        for symbol in symbols:
            known_us = self._wanted_klines.get((symbol, name), 0)
            self._wanted_klines[symbol, name] = max(known_us, span_us)
        self._soon(self._fetch_wanted_klines)

    def look_up(self, symbol: str, within_s: float) -> Standing:
        """Ask the exchange whether it trades a symbol, unless its list has it; waits so long."""
        keeper, loop = self._list, self._loop
        if keeper is None or loop is None or loop.is_closed():
            return "not known"
        answer = asyncio.run_coroutine_threadsafe(keeper.look_up(symbol), loop)
        try:
            return answer.result(within_s)
        except (TimeoutError, CancelledError):
            answer.cancel()
            return "not known"

    def standing(self, symbol: str) -> Standing:
        """Whether the exchange trades a symbol, as far as it is known."""
        return "not known" if self._list is None else self._list.standing(symbol)

    def listed(self) -> tuple[str, ...]:
        """Symbols that the exchange trades; none while its list could not be had."""
        listing = None if self._list is None else self._list.listing
        return () if listing is None else listing.symbols

    def notices(self) -> list[str]:
        """Sentences on our clock, and on recorded symbols that the exchange does not trade."""
        not_there = (each for each in self.symbols if self.standing(each) in NOT_THERE)
        said = [f"{self._unlisted(each)}: nothing of it is recorded." for each in not_there]
        clock = self._clock_sentence()
        return said if clock is None else [clock, *said]

    def skew_ms(self) -> float | None:
        """The exchange's clock minus ours: measured, else by the trades; None while not known."""
        skew_us = self._times.skew_us
        return None if skew_us is None else skew_us / 1000

    def state(self) -> RecorderState:
        """What the feed is doing."""
        if self.feed is None:
            return "connecting"
        if self.feed.state == "live" and self.repair is not None and self.repair.no_data:
            return "no data"
        return self.feed.state

    def retry_in_s(self) -> float | None:
        """Seconds to the next attempt, while one is waited for."""
        feed, loop = self.feed, self._loop
        if feed is None or loop is None or feed.retry_at_s is None:
            return None
        return max(0.0, feed.retry_at_s - loop.time())

    # What the feed calls.

    def event(self, event: Event) -> None:
        """Take a trade, or an id without a trade."""
        counts = self._counts.of(event.symbol)
        counts.received += 1
        counts.last_received_us = event.received_us
        last_us, time_us = counts.last_trade_us, event.time_us
        if (
            last_us is None
            or time_us < last_us - BEHIND_US
            or time_us > event.received_us + self._times.most_ahead_us
        ) and self._is_odd(event, last_us):
            return
        # A replay must not make the watchdog believe that REST is ahead.
        counts.last_id = max(counts.last_id or 0, event.trade_id)
        if isinstance(event, Tick):
            counts.last_trade_us, counts.last_price = event.time_us, event.price
            if event.last_raw_id > (counts.last_raw_id or -1):
                counts.last_raw_id = event.last_raw_id
        self._queue.put(event)

    async def room(self) -> None:
        """Wait while the queue is deep and being worked off; what comes stays in the socket."""
        await self._backpressure.room()

    def reject(self, error: MalformedMessageError) -> None:
        """Count a frame that is no known message, and keep some of them for a person to see."""
        self._quarantine.reject(error)

    def _is_odd(self, event: Event, last_us: int | None) -> bool:
        """Whether a time cannot be: the event is then set aside."""
        stored = self._published.last((event.market, event.symbol, event.stream))
        if last_us is None and stored is not None:  # the first of this run
            last_us = stored[1]
        oddity = self._times.oddity(event, last_us)
        if oddity is None:
            return False
        last_id = max(self._counts.of(event.symbol).last_id or 0, stored[0] if stored else 0)
        is_rejected = event.trade_id > last_id or not self._late.take(event, oddity)
        if is_rejected:
            self._quarantine.set_aside(event, oddity)
        if self._times.skew_us is None and is_ahead(event):
            received = self._counts.total("received")
            self._take_again(self._clock.take(event, received, is_rejected=is_rejected))
        return True

    def _take_again(self, pending: list[AheadTrade]) -> None:
        """Take trades that were set aside since our clock is wrong, and go by theirs from now on.

        REST tells the time better once it answers, or a jump of our clock ends it.
        """
        if not pending:
            return
        self._times.know_skew(median(ahead_us(each.event) for each in pending) / 1000)
        message = self._clock_sentence() or ""
        self._counts.note(self._now_us(), "clock", message)
        say(message)
        for event, is_rejected in pending:
            self._counts.of(event.symbol).received -= 1  # it was counted when it came
            if is_rejected:
                self._quarantine.take_back(event)
            self.event(event)

    def _clock_sentence(self) -> str | None:
        is_measured = self.repair is not None and self.repair.skew_ms is not None
        return clock_sentence(self._times.skew_us, is_measured=is_measured)

    def _set_aside_later(self, event: Event, oddity: str) -> None:  # from the writing thread
        self._soon(lambda: self._quarantine.set_aside(event, oddity))

    def connected(self, where: str) -> None:
        """Note that a connection is open."""
        self._between = None
        self._counts.note(self._now_us(), "connected", where)

    def lost(self, reason: str) -> None:
        """Note that one ended: the next gap has this cause."""
        self._counts.note(self._now_us(), "lost", reason)
        between = None if self.feed is None else self.feed.between
        if between is not None and between != self._between:
            say(reason)  # once, not at every attempt
        self._between = between
        if self.symbols:  # else we ended it ourselves, and the cause was said
            self._queue.put(Cause(reason))

    # In the event loop.

    async def _main(self) -> None:
        settings = self._settings
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._published.attach()
        address = Address(settings.ws_base, settings.market, settings.stream)
        self.feed = Feed(
            address,
            self,
            limits=self._limits,
            rng=self._rng,
            open_connection=self._open_connection,
            now_us=self._now_us,
            budget=self._budget,
        )
        self.repair = Repair(
            settings,
            self.feed,
            self._queue,
            self._published,
            self._counts,
            rest=self._rest_client(),
            times=self._times,
            set_aside=self._quarantine.set_aside,
            now_us=self._now_us,
            rng=self._rng,
        )
        self._list = make_list_keeper(
            *(settings, self._rest_client(), self._queue),
            lambda symbol: say(self._unlisted(symbol)),
            self._now_us,
        )
        await self._change_symbols(self.feed, self.symbols)
        if self._stopping.is_set():  # asked to before there was a loop
            self._stop.set()
        runs = (self.feed.run(), *self.repair.works(), self._list.run())
        works = [asyncio.create_task(work) for work in (*runs, *self._universe_works())]
        stop = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({*works, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self.feed.drain()
            if self._universe is not None:
                await self._universe.drain()
        finally:
            for task in (*works, stop):
                task.cancel()
            if self.feed.link is not None:  # we failed: its socket must not stay
                await self.feed.link.break_off("failed")
            await asyncio.wait({*works, stop})
            await self._http.aclose()
            self._remember(self.feed)

    def _universe_works(self) -> list[Coroutine[Any, Any, None]]:
        """What is to run beside the feed where symbols are followed by rules."""
        reject, room = self._quarantine.reject, self._backpressure.room
        parts = LoopParts(self._rest_client(), self._make_bar_feed, reject, room)
        return [self._universe.run(parts)] if self._universe is not None else []

    def _make_bar_feed(self, address: Address, sink: Sink[BarUpdate]) -> BarFeed:
        """One more connection, for bars: its attempts count with the others'."""
        return BarFeed(
            *(address, sink),
            limits=self._limits,
            rng=self._rng,
            open_connection=self._open_connection,
            now_us=self._now_us,
            budget=self._budget,
        )

    def _rest_client(self) -> RestClient:
        """The one REST client: it keeps the exchange's waits when the loop starts again."""
        base, market = self._settings.rest_base, self._settings.market
        if self._rest is None:
            self._rest = RestClient(
                base, market, fetch=self._fetch, now_us=self._now_us, rng=self._rng
            )
        return self._rest

    def _unlisted(self, symbol: str) -> str:
        settings = self._settings
        return sentence(
            symbol, self.standing(symbol), market_name(settings.market, settings.rest_url)
        )

    async def _change_symbols(self, feed: Feed, symbols: tuple[str, ...], reason: str = "") -> None:
        if self._list is not None:
            self._list.symbols_change(symbols)
        if self.repair is not None:
            self.repair.symbols_change(symbols)
            self._fetch_wanted_klines()
        await feed.set_symbols(symbols, reason)

    def _fetch_wanted_klines(self) -> None:
        for (symbol, name), span_us in list(self._wanted_klines.items()):
            if self.repair is not None:
                self.repair.fetch_klines(symbol, name, span_us)

    def _seed_again(self) -> None:
        if self.repair is not None:
            self.repair.database_changed()
            self._fetch_wanted_klines()

    def _remember(self, feed: Feed) -> None:
        """Keep a feed's counts when another one is to follow it."""
        self._counts.reconnects += feed.reconnects
        self._counts.rotations += feed.rotations
        self._counts.attempts += feed.attempts
        feed.reconnects = feed.rotations = feed.attempts = 0

    def _start(self, work: Callable[[Feed], Coroutine[Any, Any, None]]) -> None:
        feed, loop = self.feed, self._loop
        if feed is not None and loop is not None:
            self._soon(lambda: self._keep(loop.create_task(work(feed))))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _soon(self, action: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)
