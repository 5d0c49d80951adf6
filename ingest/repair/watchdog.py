"""Tells a dead stream from a quiet market, and gives the dead one's connection up."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple, Protocol

from ingest.binance import TICKERS_A_CALL
from ingest.errors import RestFailedError, RestRefusedError
from ingest.event_queue import Item
from ingest.repair.silence import (
    SilenceLimits,
    SymbolWatch,
    confirmed,
    connected,
    heard,
    is_dead,
    is_silent,
    is_to_be_confirmed,
    not_answered,
    told,
)
from ingest.rest import RestClient
from ingest.status import SymbolState
from ingest.store import GapBoard
from ingest.tick import Event, StreamKind, Tick

POLL_S = 1.0
ASK_WITHIN_S = 6.0
MOST_ASKED_AT_ONCE = 8
# The newest trade of a symbol that was never heard is asked for only while less of our weight is
# in use: many symbols that are quiet at the start do not keep backfill waiting.
FIRST_ROW_SHARE = 0.5
# Futures' ticker takes one symbol or gives all, at the weight of 40.
_MOST_SINGLES = 20
_UNLISTED_AGAIN_S = 600.0


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


class Heard(NamedTuple):
    """What the streams have brought of a symbol: how many events, the newest id and raw id."""

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
    heard
        What the streams have brought of a symbol.
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
        self._unlisted: dict[str, float] = {}  # refused by the ticker, until this loop time
        self._blind = 0
        self._round: asyncio.Task[None] | None = None
        self._round_at_s = 0.0
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
            for task in [*self._asking.values(), *([self._round] if self._round else [])]:
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
            self._begin_round(now_s)
            self._ask_for_rows(now_s)

    def _listen(self, symbol: str, now_s: float) -> None:
        brought = self._heard(symbol)
        new = brought.events != self._counts.get(symbol, 0)
        self._counts[symbol] = brought.events
        if new:
            self._watches[symbol] = heard(now_s, brought.raw_id, self.limits)
            self._fruitless[symbol] = self._blind = 0
        elif symbol not in self._watches:
            fruitless = self._fruitless.get(symbol, 0)
            self._watches[symbol] = connected(now_s, fruitless, self.limits)

    # The ticker: all silent symbols in one round.

    def _begin_round(self, now_s: float) -> None:
        if now_s < self._round_at_s or (self._round is not None and not self._round.done()):
            return
        silent = [
            name for name, each in self._watches.items() if is_silent(each, now_s, self.limits)
        ]
        if silent:
            self._round_at_s = now_s + self.limits.round_s
            self._round = asyncio.create_task(self._ask_tickers(silent))

    async def _ask_tickers(self, symbols: Sequence[str]) -> None:
        """Ask about all of them, a few calls at a time, in the time that one question may take."""
        turns = asyncio.Semaphore(MOST_ASKED_AT_ONCE)

        async def ask(group: Sequence[str]) -> None:
            async with turns:
                await self._ask_ticker(group)

        await asyncio.gather(*(ask(group) for group in self._groups(symbols)))

    def _groups(self, symbols: Sequence[str]) -> list[Sequence[str]]:
        """Divide them into calls; one that the exchange does not know goes alone."""
        most = TICKERS_A_CALL[self._rest.market]
        if most == 1 and len(symbols) > _MOST_SINGLES:
            return [symbols]
        now_s = self._time()
        listed = [each for each in symbols if self._unlisted.get(each, 0.0) <= now_s]
        alone = [[each] for each in symbols if self._unlisted.get(each, 0.0) > now_s]
        return [*(listed[at : at + most] for at in range(0, len(listed), most)), *alone]

    async def _ask_ticker(self, symbols: Sequence[str]) -> None:
        watches = {symbol: self._watches[symbol] for symbol in symbols if symbol in self._watches}
        if len(symbols) == 1 and self._unlisted.get(symbols[0], 0.0) > self._time():
            for symbol, watch in watches.items():
                await self._ask_without_ticker(symbol, watch)
            return
        for_all = len(symbols) > TICKERS_A_CALL[self._rest.market]
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                found = await self._rest.last_ids(None if for_all else symbols)
        except RestRefusedError:
            await self._refused(symbols, watches)
        except (RestFailedError, TimeoutError):
            for watch in watches.values():
                not_answered(watch, self._time(), self.limits)
        else:
            for symbol, watch in watches.items():
                if symbol in found:
                    told(watch, found[symbol], self._time(), self.limits)
                else:
                    not_answered(watch, self._time(), self.limits)

    async def _refused(self, symbols: Sequence[str], watches: dict[str, SymbolWatch]) -> None:
        """One unknown symbol refuses the whole call: find it, and let the others not suffer."""
        if len(symbols) > 1:
            for symbol in symbols:
                await self._ask_ticker([symbol])
            return
        for symbol, watch in watches.items():
            self._unlisted[symbol] = self._time() + _UNLISTED_AGAIN_S
            await self._ask_without_ticker(symbol, watch)

    async def _ask_without_ticker(self, symbol: str, watch: SymbolWatch) -> None:
        """Ask for the newest trade instead, at twice the weight."""
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                rows = await self._rest.agg_trades(symbol, limit=1)
        except (RestFailedError, TimeoutError):
            not_answered(watch, self._time(), self.limits)
        else:
            told(watch, _raw_id(rows), self._time(), self.limits)

    # REST's trades: the proof, and what we do not hold.

    def _ask_for_rows(self, now_s: float) -> None:
        free = MOST_ASKED_AT_ONCE - len(self._asking)
        idle = [each for each in self._watches.items() if each[0] not in self._asking]
        ahead = [each for each in idle if is_to_be_confirmed(each[1], now_s)]
        ahead.sort(key=lambda each: (each[1].confirmations, each[1].since_s))
        lacking = [] if self._rest.used_share >= FIRST_ROW_SHARE else idle
        due = [*ahead, *(each for each in lacking if self._lacks_row(*each, now_s))]
        for symbol, watch in due[:free]:
            if symbol not in self._asking:
                self._start(symbol, self._ask_for_row(symbol, watch))

    def _lacks_row(self, symbol: str, watch: SymbolWatch, now_s: float) -> bool:
        """Whether the exchange may have a newest trade that we do not hold, by what we know."""
        if self._stream != "aggTrade" or now_s < watch.row_at_s:
            return False
        if now_s - watch.since_s < self.limits.look_s:
            return False
        brought = self._heard(symbol)
        held = self._board.last((self._rest.market, symbol, self._stream))
        newest_ids = [each for each in (brought.newest_id, watch.row_id) if each is not None]
        if newest_ids and (-1 if held is None else held[0]) < max(newest_ids):
            return True  # refused by a full queue, or lost with the writing thread
        if watch.heard or watch.row_id is not None:
            return False
        if brought.raw_id is None:  # made before we were there
            return True
        # Made before the connection stood, unless nothing was since the last one we heard.
        return watch.known_id is not None and watch.known_id != brought.raw_id

    def _start(self, symbol: str, question: Coroutine[Any, Any, None]) -> None:
        task = self._asking[symbol] = asyncio.create_task(question)
        task.add_done_callback(lambda _task: self._asking.pop(symbol, None))

    async def _ask_for_row(self, symbol: str, watch: SymbolWatch) -> None:
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                rows = await self._rest.agg_trades(symbol, limit=1)
        except (RestFailedError, TimeoutError):
            not_answered(watch, self._time(), self.limits)
            return
        raw_id = _raw_id(rows)
        watch.row_at_s = self._time() + self.limits.behind_s
        if watch.known_id is None or raw_id <= watch.known_id:
            if not rows or self._repair(rows[-1]):
                watch.row_at_s = self._time() + self.limits.store_s
            watch.row_id = rows[-1].trade_id if rows else -1
        if watch.ticker_id is not None:
            confirmed(watch, raw_id, self._time(), self.limits)

    def _repair(self, newest: Event) -> bool:
        """Hand on a trade we do not hold: the next one, which would show the gap, may be hours off.

        It was made before the connection stood, or came when the queue was full. False where the
        queue is full again.
        """
        held = self._board.last((newest.market, newest.symbol, newest.stream))
        is_ours = self._stream == newest.stream
        if is_ours and (held is None or held[0] < newest.trade_id):
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
        self._watches = {}
        await self._feed.reconnect(reason)


def _raw_id(rows: Sequence[Event]) -> int:
    """Raw id of the newest trade of some rows; -1 without any."""
    newest = rows[-1] if rows else None
    return newest.last_raw_id if isinstance(newest, Tick) else -1
