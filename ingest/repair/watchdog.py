"""Tells a dead stream from a quiet market, and gives the dead one's connection up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from ingest.errors import RestFailedError
from ingest.event_queue import Item
from ingest.repair.silence import (
    SilenceLimits,
    SymbolWatch,
    is_dead,
    is_to_be_confirmed,
    note_failure,
    note_rest_id,
    watch_after_connecting,
    watch_after_trade,
)
from ingest.repair.ticker_rounds import ASK_WITHIN_S, TickerRounds, newest_raw_id
from ingest.rest import RestClient
from ingest.status import SymbolState
from ingest.store import PublishedGaps
from ingest.tick import Event, StreamKind

POLL_S = 1.0
_MOST_AT_ONCE = 8
# The newest trade of a symbol that never traded here is asked for only while less of our weight is
# in use: many symbols that are quiet at the start do not keep backfill waiting.
FIRST_ROW_SHARE = 0.5


class OpenLink(Protocol):
    """What is looked at of a connection."""

    @property
    def opened_s(self) -> float:
        """Loop time of its opening."""

    @property
    def trades(self) -> int:
        """Trades it has received."""


class WatchedFeed(Protocol):
    """What is asked of a feed."""

    @property
    def link(self) -> OpenLink | None:
        """The present connection."""

    async def reconnect(self, reason: str) -> None:
        """Give it up."""


class Received(NamedTuple):
    """What the streams have given of a symbol: how many events, the newest id and raw id."""

    events: int = 0
    newest_id: int | None = None
    raw_id: int | None = None


class Watchdog:
    """Asks REST about streams that have fallen silent.

    All silent symbols are asked about together, every `round_s`, by the exchange's ticker: its cost
    does not grow with how they trade (500 symbols: 250 of the 3,000 that a minute is ours). Only
    where the ticker knows of a trade that did not come is that trade itself asked for.

    Parameters
    ----------
    feed
        Whose connection is watched.
    rest
        Asks the exchange.
    stream
        The kind recorded.
    symbols
        What is recorded just now.
    received
        What the streams have given of a symbol.
    published
        What is stored.
    put
        Appends to the queue: of a market that has fallen quiet, the last trade goes there where we
        do not hold it, so that the ledger opens its gap without waiting for the next one.

    Attributes
    ----------
    no_data
        A sentence, while a connection is open on which no trade ever came though the exchange
        trades; None otherwise.
    """

    def __init__(
        self,
        feed: WatchedFeed,
        rest: RestClient,
        stream: StreamKind,
        *,
        symbols: Callable[[], tuple[str, ...]],
        received: Callable[[str], Received],
        published: PublishedGaps,
        put: Callable[[Item], bool],
        limits: SilenceLimits | None = None,
    ) -> None:
        self.limits = limits or SilenceLimits()
        self.no_data: str | None = None
        self._feed = feed
        self._rest = rest
        self._stream = stream
        self._symbols = symbols
        self._received = received
        self._published = published
        self._put = put
        self._link: OpenLink | None = None
        self._watches: dict[str, SymbolWatch] = {}
        self._counts: dict[str, int] = {}
        self._fruitless: dict[str, int] = {}
        self._blind = 0
        self._rounds = TickerRounds(rest, self._watches, self.limits)
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._time = asyncio.get_running_loop().time

    def state(self, symbol: str) -> SymbolState:
        """What is known of a symbol's stream; safe from any thread."""
        watch = self._watches.get(symbol)
        if watch is None or not (watch.has_traded or watch.confirmed):
            return "waiting"
        if watch.confirmed:
            return "quiet"
        return "live" if self._time() - watch.since_s < self.limits.silent_s else "silent"

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                await asyncio.sleep(POLL_S)
                await self._look()
        finally:
            self._rounds.cancel()
            for task in self._asking.values():
                task.cancel()

    async def _look(self) -> None:
        link, now_s = self._feed.link, self._time()
        if link is not self._link:
            self._link = link
            self._watches.clear()
        if link is None:
            return
        if link.trades:
            self.no_data = None
        symbols = self._symbols()
        for symbol in self._watches.keys() - set(symbols):
            del self._watches[symbol]
        for symbol in symbols:
            self._update_watch(symbol, now_s)
        dead = [name for name, each in self._watches.items() if is_dead(each, now_s, self.limits)]
        if dead:
            await self._give_up(link, dead, now_s)
        elif self._is_blind(link, now_s):
            await self._give_up_blindly(now_s)
        else:
            self._rounds.begin(now_s)
            self._ask_for_rows(now_s)

    def _update_watch(self, symbol: str, now_s: float) -> None:
        received = self._received(symbol)
        has_traded = received.events != self._counts.get(symbol, 0)
        self._counts[symbol] = received.events
        if has_traded:
            self._watches[symbol] = watch_after_trade(now_s, received.raw_id, self.limits)
            self._fruitless[symbol] = self._blind = 0
        elif symbol not in self._watches:
            fruitless = self._fruitless.get(symbol, 0)
            self._watches[symbol] = watch_after_connecting(now_s, fruitless, self.limits)

    # REST's trades: the proof, and what we do not hold.

    def _ask_for_rows(self, now_s: float) -> None:
        free = _MOST_AT_ONCE - len(self._asking)
        idle = [each for each in self._watches.items() if each[0] not in self._asking]
        ahead = [each for each in idle if is_to_be_confirmed(each[1], now_s)]
        ahead.sort(key=lambda each: (each[1].confirmations, each[1].since_s))
        others = [] if self._rest.used_share >= FIRST_ROW_SHARE else idle
        due = [*ahead, *(each for each in others if self._lacks_row(*each, now_s))]
        for symbol, watch in due[:free]:
            if symbol not in self._asking:
                self._start(symbol, self._ask_for_row(symbol, watch))

    def _lacks_row(self, symbol: str, watch: SymbolWatch, now_s: float) -> bool:
        """Whether the exchange may have a newest trade that we do not hold, by what we know."""
        if self._stream != "aggTrade" or now_s < watch.row_at_s:
            return False
        if now_s - watch.since_s < self.limits.look_s:
            return False
        received = self._received(symbol)
        stored = self._published.last((self._rest.market, symbol, self._stream))
        newest_ids = [each for each in (received.newest_id, watch.row_id) if each is not None]
        if newest_ids and (-1 if stored is None else stored[0]) < max(newest_ids):
            return True  # refused by a full queue, or lost with the writing thread
        if watch.has_traded or watch.row_id is not None:
            return False
        if received.raw_id is None:  # made before we were there
            return True
        # Made before the connection stood, unless nothing was since the last one we received.
        return watch.known_id is not None and watch.known_id != received.raw_id

    def _start(self, symbol: str, question: Coroutine[Any, Any, None]) -> None:
        task = self._asking[symbol] = asyncio.create_task(question)
        task.add_done_callback(lambda _task: self._asking.pop(symbol, None))

    async def _ask_for_row(self, symbol: str, watch: SymbolWatch) -> None:
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                rows = await self._rest.agg_trades(symbol, limit=1)
        except (RestFailedError, TimeoutError):
            note_failure(watch, self._time(), self.limits)
            return
        raw_id = newest_raw_id(rows)
        watch.row_at_s = self._time() + self.limits.behind_s
        if watch.known_id is None or raw_id <= watch.known_id:
            if not rows or self._repair(rows[-1]):
                watch.row_at_s = self._time() + self.limits.store_s
            watch.row_id = rows[-1].trade_id if rows else -1
        if watch.ticker_id is not None:
            note_rest_id(watch, raw_id, self._time(), self.limits)

    def _repair(self, newest: Event) -> bool:
        """Hand on a trade we do not hold: the next one, which would show the gap, may be hours off.

        It was made before the connection stood, or came when the queue was full. False where the
        queue is full again.
        """
        stored = self._published.last((newest.market, newest.symbol, newest.stream))
        is_ours = self._stream == newest.stream
        if is_ours and (stored is None or stored[0] < newest.trade_id):
            return self._put(newest)
        return True

    async def _give_up(self, link: OpenLink, dead: list[str], now_s: float) -> None:
        for symbol in dead:
            self._fruitless[symbol] = self._fruitless.get(symbol, 0) + 1
        silent_s = now_s - min(self._watches[symbol].since_s for symbol in dead)
        names = dead[0] if len(dead) == 1 else f"{dead[0]} and {len(dead) - 1} more"
        reason = f"{names}: silent for {silent_s:.0f} s while the exchange traded"
        if not link.trades:
            self.no_data = (
                f"connected {now_s - link.opened_s:.0f} s ago and no trade came, while the exchange"
                f" traded {names}: the endpoint or its path is probably wrong (it acknowledges"
                " subscriptions and sends nothing)"
            )
            reason = self.no_data
        await self._reconnect(reason)

    def _is_blind(self, link: OpenLink, now_s: float) -> bool:
        """Whether nothing comes of any symbol, for long, and REST cannot say why."""
        watches = self._watches.values()
        newest_s = max((watch.since_s for watch in watches), default=now_s)
        patience_s = self.limits.blind_s * 2.0 ** min(self._blind, 4)
        silent_s = now_s - max(newest_s, link.opened_s)
        return silent_s >= patience_s and all(watch.unanswered for watch in watches)

    async def _give_up_blindly(self, now_s: float) -> None:
        self._blind += 1
        silent_s = now_s - max(watch.since_s for watch in self._watches.values())
        why = self._rest.last_error or "no answer"
        await self._reconnect(
            f"no trade of any symbol for {silent_s:.0f} s, and REST cannot say whether there were"
            f" any: {why}"
        )

    async def _reconnect(self, reason: str) -> None:
        self._watches.clear()
        await self._feed.reconnect(reason)
