"""Keeps a connection to the exchange: opens, retries, hands over before its time is up."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Generic, Literal

from ingest.binance import BarUpdate
from ingest.clock import now_us as wall_clock_us
from ingest.errors import LinkLostError
from ingest.feed.link import (
    Address,
    Link,
    LinkLimits,
    OpenConnection,
    Received,
    Sink,
    open_link,
    open_socket,
)
from ingest.interception import Between
from ingest.retry import AttemptBudget, Backoff
from ingest.tick import Event

_LOG: Final = logging.getLogger("pairdesk.feed")

FeedState = Literal["off", "connecting", "live", "reconnecting", "blocked"]

_BLOCKED = 451  # the country is not served: asking again never helps


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """When a feed retries, rotates and trusts a connection, in seconds."""

    link: LinkLimits = field(default_factory=LinkLimits)
    good_after_s: float = 60.0
    rotate_after_s: float = 23 * 3600.0  # the exchange ends a connection after 24 h
    rotate_retry_s: float = 30.0
    rotate_least_s: float = 10.0  # a server that always says it goes must not make a storm
    overlap_s: float = 5.0
    most_attempts: int = 60
    attempts_period_s: float = 300.0


class StreamFeed(Generic[Received]):
    """Receives the wanted symbols' trades, or their bars, for as long as it runs.

    All of it runs in one event loop, whose clock is the only one waited by; `now_us` dates trades.

    Parameters
    ----------
    address
        Market, stream kind and endpoint.
    sink
        Takes events, in the order of each connection.
    limits, rng, open_connection, now_us
        Replaceable for tests.
    budget
        Of attempts; one that outlives this feed keeps its count.
    """

    def __init__(
        self,
        address: Address,
        sink: Sink[Received],
        *,
        limits: FeedLimits | None = None,
        rng: random.Random | None = None,
        open_connection: OpenConnection = open_socket,
        now_us: Callable[[], int] = wall_clock_us,
        budget: AttemptBudget | None = None,
    ) -> None:
        self.address = address
        self.sink: Sink[Received] = sink
        self.limits = limits or FeedLimits()
        self.state: FeedState = "off"
        self.attempts = 0
        self.reconnects = 0
        self.rotations = 0
        self.last_error: str | None = None
        self.between: Between | None = None  # who answered the last attempt instead
        self.retry_at_s: float | None = None
        self.link: Link[Received] | None = None
        self._dismissed: Link[Received] | None = None
        self._symbols: tuple[str, ...] = ()
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._open_connection, self._now_us = open_connection, now_us
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._backoff = Backoff()
        self._budget = budget or AttemptBudget(
            self.limits.most_attempts, self.limits.attempts_period_s
        )
        self._refused_until_s = self._may_rotate_s = 0.0

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the feed is asked to carry."""
        return self._symbols

    async def set_symbols(
        self, symbols: Iterable[str], reason: str = "no symbols to record"
    ) -> None:
        """Carry just these from now on; `reason` is why the connection ends where none is left."""
        self._symbols = tuple(dict.fromkeys(symbols))
        if self._symbols:
            self._wanted.set()
        else:
            self._wanted.clear()
            self.last_error = self.between = None  # nobody waits for it any more
        if self.link is not None and not self._symbols:
            await self._dismiss(self.link, reason)
        elif self.link is not None:
            try:
                await self.link.change(self._symbols)
            except LinkLostError as error:
                self.last_error = str(error)

    async def run(self) -> None:
        """Connect, read and reconnect until cancelled."""
        while True:
            await self._wanted.wait()
            if self.state == "off":
                must_wait = self._must_wait_s(asyncio.get_running_loop().time()) > 0
                self.state = "reconnecting" if must_wait else "connecting"
            try:
                await self._wait_turn()
                if not self._symbols:  # called off while it waited
                    self.state = "off"
                    continue
                link = await self._open()
            except LinkLostError as error:
                self.between = error.between
                self._lost(str(error), error.wait_s)
                if error.status == _BLOCKED:
                    await self._stay_away()
                continue
            await self._carry(link)

    async def drain(self) -> None:
        """Close the connection and return once all it had received is in the sink."""
        self._symbols = ()
        self._wanted.clear()
        if self.link is not None:
            await self.link.break_off("stopped")
            await self._idle.wait()

    async def reconnect(self, reason: str) -> None:
        """Give the present connection up."""
        if self.link is not None:
            await self.link.break_off(reason)

    async def _stay_away(self) -> None:
        """Ask no more until somebody says `set_symbols` again."""
        self.state, self.retry_at_s = "blocked", None
        _LOG.warning("the exchange does not serve this address: it is not asked again by itself")
        self._wanted.clear()
        await self._wanted.wait()
        self._refused_until_s = 0.0

    async def _wait_turn(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        until_s = max(now_s + self._must_wait_s(now_s), self.retry_at_s or 0.0)
        if until_s > now_s:
            self.retry_at_s = until_s
            await asyncio.sleep(until_s - now_s)
        self.retry_at_s = None

    def _must_wait_s(self, now_s: float) -> float:
        """Seconds until the next attempt is allowed: by our own count, and by the exchange."""
        return max(self._budget.wait_s(now_s), self._refused_until_s - now_s)

    async def _open(self) -> Link[Received]:
        loop = asyncio.get_running_loop()
        self.attempts += 1
        self._budget.note(loop.time())
        try:
            return await open_link(
                *(self.address, self._symbols, self.sink, self.limits.link),
                *(self._open_connection, self._now_us),
            )
        except LinkLostError as error:
            self._refused_until_s = loop.time() + error.wait_s
            raise

    async def _carry(self, link: Link[Received]) -> None:
        """Read a connection, and those that take over from it, until one is lost."""
        pump = asyncio.create_task(link.pump())
        pumps = [pump]
        try:
            await self._use(link)
            while self._symbols:
                successor = await self._until_successor(link, pump)
                if successor is None:
                    break
                successor_pump = asyncio.create_task(successor.pump())
                pumps = [pump, successor_pump]
                if await self._hand_over(link, pump, successor, successor_pump):
                    link, pump = successor, successor_pump
                    await self._use(link)
            self._end(link, await pump)
        except LinkLostError as error:
            self._end(link, str(error))
        finally:
            for each in pumps:
                each.cancel()

    async def _use(self, link: Link[Received]) -> None:
        """Make a connection the current one."""
        self.link, self.state, self.last_error, self.between = link, "live", None, None
        self._idle.clear()
        self.sink.connected(self.address.ws_base)
        _LOG.info("connected to %s (symbols: %d)", self.address.ws_base, len(self._symbols))
        # Symbols may have changed while the connection was being made.
        if self._symbols:
            await link.change(self._symbols)
        else:
            await self._dismiss(link, "no symbols to record")

    async def _dismiss(self, link: Link[Received], reason: str) -> None:
        """End a connection that nobody wants: no failure, so what follows it waits for nothing."""
        self._dismissed = link
        await link.break_off(reason)

    def _end(self, link: Link[Received], reason: str) -> None:
        good_s = link.last_frame_s - link.opened_s
        if link.trades and good_s >= self.limits.good_after_s:
            self._backoff.reset()
        self.link = None
        self._idle.set()
        self.reconnects += 1
        if link is self._dismissed:
            self.sink.lost(reason)
            self._rest(reason)
        else:
            self._lost(reason)

    def _rest(self, reason: str) -> None:
        """Be without a connection, as wanted; symbols may be back already."""
        self.state, self.retry_at_s, self._dismissed = "off", None, None
        _LOG.info("no connection, and none is wanted: %s", reason)

    def _lost(self, reason: str, wait_s: float = 0.0) -> None:
        self.sink.lost(reason)
        if not self._symbols:
            self._rest(reason)
            if wait_s:  # what comes next has to wait for it, too
                self.last_error = reason
            return
        self.state, self.last_error = "reconnecting", reason
        wait_s = max(wait_s, self._backoff.next_wait_s(self._rng))
        self.retry_at_s = asyncio.get_running_loop().time() + wait_s
        _LOG.info("no connection: %s; tried again in %.1f s at the earliest", reason, wait_s)

    async def _until_successor(
        self, link: Link[Received], pump: "asyncio.Task[str]"
    ) -> Link[Received] | None:
        """Wait until the connection ends (None), or is due and its successor is open."""
        due = asyncio.create_task(self._due(link))
        try:
            while True:
                await asyncio.wait({pump, due}, return_when=asyncio.FIRST_COMPLETED)
                if pump.done():
                    return None
                now_s = asyncio.get_running_loop().time()
                wait_s = max(self._must_wait_s(now_s), self._may_rotate_s - now_s)
                if wait_s > 0:
                    await asyncio.wait({pump}, timeout=wait_s)
                    continue
                try:
                    successor = await self._open_successor(pump)
                except LinkLostError as error:
                    self.last_error = f"handing over: {error}"
                    await asyncio.wait({pump}, timeout=self.limits.rotate_retry_s)
                    continue
                if successor is not None:
                    successor.pending = []
                return successor
        finally:
            due.cancel()

    async def _open_successor(self, pump: "asyncio.Task[str]") -> Link[Received] | None:
        """Open a successor; None when the present connection ends before it is open."""
        opening = asyncio.create_task(self._open())
        try:
            await asyncio.wait({pump, opening}, return_when=asyncio.FIRST_COMPLETED)
            return await opening if opening.done() else None
        finally:
            opening.cancel()

    async def _due(self, link: Link[Received]) -> None:
        """Return when the connection is old, or its server is about to go."""
        try:
            async with asyncio.timeout(self.limits.rotate_after_s):
                await link.shutdown.wait()
        except TimeoutError:
            return

    async def _hand_over(
        self,
        old: Link[Received],
        pump: "asyncio.Task[str]",
        new: Link[Received],
        new_pump: "asyncio.Task[str]",
    ) -> bool:
        """Let both run until the new one carries trades, then end the old one.

        The new one's events are held back until the old one's are all through, so ids come in
        order and the overlap is removed by id. A new one that ends first is given up: False.
        """
        try:
            await new.change(self._symbols)  # what its address did not hold
        except LinkLostError as error:
            self.last_error = f"handing over: {error}"
            await asyncio.wait({pump}, timeout=self.limits.rotate_retry_s)
            return False
        carries = asyncio.create_task(new.first_trade.wait())
        try:
            await asyncio.wait(
                {pump, new_pump, carries},
                timeout=self.limits.overlap_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            carries.cancel()
        if new_pump.done() and not pump.done():
            self.last_error = f"handing over: {new_pump.result()}"
            await asyncio.wait({pump}, timeout=self.limits.rotate_retry_s)
            return False
        await old.break_off("handed over")
        await pump
        new.release()
        self._may_rotate_s = asyncio.get_running_loop().time() + self.limits.rotate_least_s
        self.rotations += 1
        _LOG.info("handed over to a new connection")
        return True


Feed = StreamFeed[Event]
BarFeed = StreamFeed[BarUpdate]
