"""Asks the exchange's ticker about every silent symbol, some calls at a time."""

import asyncio
from collections.abc import Mapping, Sequence

from ingest.binance import TICKERS_A_CALL
from ingest.errors import RestFailedError, RestRefusedError
from ingest.repair.silence import (
    SilenceLimits,
    SymbolWatch,
    is_silent,
    note_failure,
    note_ticker_id,
)
from ingest.rest import RestClient
from ingest.tick import Event, Tick

ASK_WITHIN_S = 6.0
_MOST_AT_ONCE = 8
# Futures' ticker takes one symbol or gives all, at the weight of 40.
_MOST_SINGLES = 20
_UNLISTED_AGAIN_S = 600.0


class TickerRounds:
    """One round at a time, at most every `round_s`. In the event loop.

    Parameters
    ----------
    rest
        Asks the exchange.
    watches
        The watchdog's own, by symbol: the answers are noted in them.
    limits
        When a symbol is silent, and how often a round begins.
    """

    def __init__(
        self, rest: RestClient, watches: Mapping[str, SymbolWatch], limits: SilenceLimits
    ) -> None:
        self._rest, self._watches, self._limits = rest, watches, limits
        self._unlisted: dict[str, float] = {}  # refused by the ticker, until this loop time
        self._round: asyncio.Task[None] | None = None
        self._next_at_s = 0.0
        self._time = asyncio.get_running_loop().time

    def begin(self, now_s: float) -> None:
        """Begin a round if one is due and some symbol is silent."""
        if now_s < self._next_at_s or (self._round is not None and not self._round.done()):
            return
        silent = [
            symbol
            for symbol, watch in self._watches.items()
            if is_silent(watch, now_s, self._limits)
        ]
        if silent:
            self._next_at_s = now_s + self._limits.round_s
            self._round = asyncio.create_task(self._ask_all(silent))

    def cancel(self) -> None:
        """End the present round."""
        if self._round is not None:
            self._round.cancel()

    async def _ask_all(self, symbols: Sequence[str]) -> None:
        """Ask about all of them, a few calls at a time."""
        slots = asyncio.Semaphore(_MOST_AT_ONCE)

        async def ask(group: Sequence[str]) -> None:
            async with slots:
                await self._ask(group)

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

    async def _ask(self, symbols: Sequence[str]) -> None:
        watches = {symbol: self._watches[symbol] for symbol in symbols if symbol in self._watches}
        if len(symbols) == 1 and self._unlisted.get(symbols[0], 0.0) > self._time():
            for symbol, watch in watches.items():
                await self._ask_without_ticker(symbol, watch)
            return
        for_all = len(symbols) > TICKERS_A_CALL[self._rest.market]
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                last_ids = await self._rest.last_ids(None if for_all else symbols)
        except RestRefusedError:
            await self._refused(symbols, watches)
        except (RestFailedError, TimeoutError):
            for watch in watches.values():
                note_failure(watch, self._time(), self._limits)
        else:
            self._note(watches, last_ids)

    def _note(self, watches: Mapping[str, SymbolWatch], last_ids: Mapping[str, int]) -> None:
        for symbol, watch in watches.items():
            if symbol in last_ids:
                note_ticker_id(watch, last_ids[symbol], self._time(), self._limits)
            else:
                note_failure(watch, self._time(), self._limits)

    async def _refused(self, symbols: Sequence[str], watches: Mapping[str, SymbolWatch]) -> None:
        """One unknown symbol refuses the whole call: find it, and let the others not suffer."""
        if len(symbols) > 1:
            for symbol in symbols:
                await self._ask([symbol])
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
            note_failure(watch, self._time(), self._limits)
        else:
            note_ticker_id(watch, newest_raw_id(rows), self._time(), self._limits)


def newest_raw_id(rows: Sequence[Event]) -> int:
    """Raw id of the newest trade of some rows; -1 without any."""
    newest = rows[-1] if rows else None
    return newest.last_raw_id if isinstance(newest, Tick) else -1
