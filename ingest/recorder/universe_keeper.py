"""Looks at the exchange's list once an hour: who is followed, who joined, who left, and why."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from ingest.binance import Listed
from ingest.errors import RestBlockedError, RestFailedError
from ingest.rest import SEED_SHARE, RestClient
from ingest.settings import Settings
from ingest.tick import Market
from ingest.universe import UniverseRules, UniverseState, choose, reason_against, updated

LOOK_EVERY_S: Final = 3600.0
AGAIN_AFTER_S: Final = 30.0
# Fewer of what is followed than this are traded: the exchange is being mended, nobody left.
_LEAST_LEFT: Final = 0.5
_MOST_ASKED: Final = 10  # symbols that went, whose status is asked for one by one
_DAY_US: Final = 86_400_000_000


class UniverseKeeper:
    """Keeps a universe up to date. Made in the event loop it runs in.

    Parameters
    ----------
    rest
        Asks the exchange.
    state
        What is known so far.
    keep
        Takes the state after each look, before anybody else sees it.
    now_us
        Wall clock.
    look_every_s
        Between two looks.

    Attributes
    ----------
    state
        The newest one. May be read from any thread, as `note`: why the last look came to nothing.
    """

    def __init__(
        self,
        rest: RestClient,
        state: UniverseState,
        keep: Callable[[UniverseState], object],
        now_us: Callable[[], int],
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self.state, self.note = state, ""
        self._rest, self._keep, self._now_us = rest, keep, now_us
        self._every_s = look_every_s
        self._listed_us: dict[str, int] = {}
        self._wake = asyncio.Event()

    def look_now(self) -> None:
        """Look without waiting for the hour. From the loop."""
        self._wake.set()

    async def run(self) -> None:
        """Look, whenever it is time to; until cancelled."""
        while True:
            wait_s = await self._try_to_look()
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()

    async def _try_to_look(self) -> float:
        """Returns after how many seconds to look again."""
        age_s = (self._now_us() - self.state.asked_us) / 1e6
        if self.state.asked_us and 0 <= age_s < self._every_s and not self._wake.is_set():
            return self._every_s - age_s
        try:
            await self._look()
        except RestBlockedError as error:
            self.note = f"the exchange's list could not be had: {error}"
            return max(error.wait_s, AGAIN_AFTER_S)
        except RestFailedError as error:
            self.note = f"the exchange's list could not be had: {error}"
            return AGAIN_AFTER_S
        return AGAIN_AFTER_S if self.note else self._every_s

    async def _look(self) -> None:
        state, rules = self.state, self.state.rules
        listed = await self._rest.exchange_info(share=SEED_SHARE)
        tickers = await self._rest.day_tickers(share=SEED_SHARE)
        ages = await self._ages(rules, listed) if rules.least_days else None
        chosen = choose(rules, listed, tickers, ages, followed=state.symbols)
        went = [symbol for symbol in state.symbols if symbol not in listed]
        if not chosen.symbols or len(went) > _LEAST_LEFT * max(len(state.symbols), 2):
            self.note = (
                f"the exchange lists {len(chosen.symbols):,} symbols of the universe just now:"
                " nothing is changed until that is over"
            )
            return
        statuses = {each: await self._rest.symbol_status(each) for each in went[:_MOST_ASKED]}
        self.note = ""
        self.state = updated(state, chosen, listed, tickers, statuses, self._now_us())
        self._keep(self.state)

    async def _ages(self, rules: UniverseRules, listed: Mapping[str, Listed]) -> dict[str, float]:
        """Days since the listing of each that may be followed: said, or its first bar's."""
        ages = {}
        for symbol, each in listed.items():
            if each.quote != rules.quote or reason_against(rules, symbol, each, 1e300, listed):
                continue
            if symbol not in self._listed_us:
                self._listed_us[symbol] = each.listed_us or await self._first_bar_us(symbol)
            ages[symbol] = (self._now_us() - self._listed_us[symbol]) / _DAY_US
        return ages

    async def _first_bar_us(self, symbol: str) -> int:
        first = await self._rest.klines(symbol, "1d", 0, limit=1, share=SEED_SHARE)
        return first[0].open_us if first else self._now_us()


def universe_setting(market: Market) -> str:
    """Name under which a market's universe is remembered."""
    return f"universe {market}"


def first_state(settings: Settings, remembered: str | None, now_us: int) -> UniverseState | None:
    """The universe that the options name, else that of the last run; None without one.

    One whose rules changed in part begins with the symbols it had.
    """
    if settings.no_universe:
        return None
    old = _decoded(remembered)
    rules = settings.universe
    if rules is None:
        return old
    if old is None or (old.rules.quote, old.rules.depth) != (rules.quote, rules.depth):
        return UniverseState(rules, now_us)
    if old.rules == rules:
        return old
    return msgspec.structs.replace(old, rules=rules, asked_us=0)


def _decoded(text: str | None) -> UniverseState | None:
    try:
        return msgspec.json.decode(text or "", type=UniverseState)
    except msgspec.MsgspecError:  # none, or of another version
        return None
