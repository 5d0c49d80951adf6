"""Tells a dead stream from a quiet market, and gives the dead one's connection up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from ingest.event_queue import Item
from ingest.gap_board import GapBoard
from ingest.rest import RestClient, RestFailedError
from ingest.silence import (
    SilenceLimits,
    SymbolWatch,
    answered,
    connected,
    heard,
    is_dead,
    is_due,
    not_answered,
)
from ingest.status import SymbolState
from ingest.tick import Event, StreamKind

POLL_S = 1.0
ASK_WITHIN_S = 6.0
MOST_ASKED_AT_ONCE = 16
# Who was quiet is asked again only while less of our weight is in use, who was asked least first:
# many quiet symbols (more than 150 on spot, 12 on futures) are asked less often, and do not keep
# backfill waiting.
REPEAT_SHARE = 0.5


class OpenLink(Protocol):
    """What is looked at of a connection."""

    @property
    def opened_s(self) -> float:
        """Loop time of its opening."""

    @property
    def trades(self) -> int:
        """Trades it has brought."""


class WatchedFeed(Protocol):
    """What is asked of a feed."""

    @property
    def link(self) -> OpenLink | None:
        """The present connection."""

    async def reconnect(self, reason: str) -> None:
        """Give it up."""


Heard = tuple[int, int | None]


class Watchdog:
    """Asks REST about streams that have fallen silent.

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
    heard
        Of a symbol: how many events the streams have brought, and the newest one's id.
    board
        What is stored.
    put
        Appends to the queue: of a market that has fallen quiet, the last trade goes there where we
        do not hold it, so that the ledger opens its gap without waiting for the next one.

    Attributes
    ----------
    no_data
        A sentence, while a connection stands on which no trade ever came though the exchange
        trades; None otherwise.
    deaths
        Connections given up.
    """

    def __init__(
        self,
        feed: WatchedFeed,
        rest: RestClient,
        stream: StreamKind,
        *,
        symbols: Callable[[], tuple[str, ...]],
        heard: Callable[[str], Heard],
        board: GapBoard,
        put: Callable[[Item], bool],
        limits: SilenceLimits | None = None,
    ) -> None:
        self.limits = limits or SilenceLimits()
        self.no_data: str | None = None
        self.deaths = 0
        self._feed = feed
        self._rest = rest
        self._stream = stream
        self._symbols = symbols
        self._heard = heard
        self._board = board
        self._put = put
        self._link: OpenLink | None = None
        self._watches: dict[str, SymbolWatch] = {}
        self._counts: dict[str, int] = {}
        self._fruitless: dict[str, int] = {}
        self._blind = 0
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._time = asyncio.get_running_loop().time

    def state(self, symbol: str) -> SymbolState:
        """What is known of a symbol's stream; safe from any thread."""
        watch = self._watches.get(symbol)
        if watch is None or not (watch.heard or watch.confirmed):
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
            for task in list(self._asking.values()):
                task.cancel()

    async def _look(self) -> None:
        link, now_s = self._feed.link, self._time()
        if link is not self._link:
            self._link, self._watches = link, {}
        if link is None:
            return
        if link.trades:
            self.no_data = None
        symbols = self._symbols()
        for symbol in self._watches.keys() - set(symbols):
            del self._watches[symbol]
        for symbol in symbols:
            self._listen(symbol, now_s)
        dead = [name for name, each in self._watches.items() if is_dead(each, now_s, self.limits)]
        if dead:
            await self._give_up(link, dead, now_s)
        elif self._is_blind(link, now_s):
            await self._give_up_blindly(now_s)
        else:
            self._ask_about_the_silent(now_s)

    def _listen(self, symbol: str, now_s: float) -> None:
        count, newest_id = self._heard(symbol)
        watch = self._watches.get(symbol)
        new = count != self._counts.get(symbol, 0)
        self._counts[symbol] = count
        if new:
            # Ids of raw trades are not those of the aggregates that REST is asked for.
            comparable = newest_id if self._stream == "aggTrade" else None
            self._watches[symbol] = heard(now_s, comparable, self.limits)
            self._fruitless[symbol] = self._blind = 0
        elif watch is None:
            fruitless = self._fruitless.get(symbol, 0)
            self._watches[symbol] = connected(now_s, fruitless, self.limits)

    def _ask_about_the_silent(self, now_s: float) -> None:
        due = [
            (watch.asked, symbol)
            for symbol, watch in self._watches.items()
            if is_due(watch, now_s) and symbol not in self._asking
        ]
        for asked, symbol in sorted(due)[: MOST_ASKED_AT_ONCE - len(self._asking)]:
            if not asked or self._rest.used_share < REPEAT_SHARE:
                self._start(symbol, self._ask(symbol, self._watches[symbol]))

    def _start(self, symbol: str, question: Coroutine[Any, Any, None]) -> None:
        task = self._asking[symbol] = asyncio.create_task(question)
        task.add_done_callback(lambda _task: self._asking.pop(symbol, None))

    async def _ask(self, symbol: str, watch: SymbolWatch) -> None:
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                rows = await self._rest.agg_trades(symbol, limit=1)
        except (RestFailedError, TimeoutError):
            not_answered(watch, self._time(), self.limits)
            return
        if rows and (watch.known_id is None or rows[-1].trade_id <= watch.known_id):
            self._repair(rows[-1])
        newest_id = rows[-1].trade_id if rows else -1
        answered(watch, newest_id, self._time(), self.limits)

    def _repair(self, newest: Event) -> None:
        """Hand on a trade we do not hold: the next one, which would show the gap, may be hours off.

        It was made before the connection stood, or came when the queue was full.
        """
        held = self._board.last((newest.market, newest.symbol, newest.stream))
        if self._stream == newest.stream and (held is None or held[0] < newest.trade_id):
            self._put(newest)

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
        borne_s = self.limits.blind_s * 2.0 ** min(self._blind, 4)
        silent_s = now_s - max(newest_s, link.opened_s)
        return silent_s >= borne_s and all(watch.unanswered for watch in watches)

    async def _give_up_blindly(self, now_s: float) -> None:
        self._blind += 1
        silent_s = now_s - max(watch.since_s for watch in self._watches.values())
        why = self._rest.last_error or "no answer"
        await self._reconnect(
            f"no trade of any symbol for {silent_s:.0f} s, and REST cannot say whether there were"
            f" any: {why}"
        )

    async def _reconnect(self, reason: str) -> None:
        self.deaths += 1
        self._watches = {}
        await self._feed.reconnect(reason)
