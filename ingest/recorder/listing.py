"""Which symbols the exchange lists and what it takes orders in: asked once a day, kept.

Kept in the database's settings, so that both are known at once at the next start.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from ingest.binance import MAX_STREAMS, Listed, market_name, valid_symbol
from ingest.clock import now_us as wall_clock_us
from ingest.errors import (
    RecorderError,
    RestBlockedError,
    RestFailedError,
    RestRefusedError,
    StoreError,
    SymbolError,
)
from ingest.event_queue import Call, EventQueue
from ingest.rest import SEED_SHARE, RestClient
from ingest.settings import Settings
from ingest.store import LotsBySymbol, TickReader, fresh_symbols, keep_lots
from ingest.tick import Market

# How long to ask about a symbol before it is taken as typed.
LOOK_UP_WITHIN_S = 3.0
AGAIN_AFTER_S = 60.0
# A stored list is used for this long: frequent starts do not spend the weight.
FRESH_US = 24 * 3600 * 1_000_000
_TRADING = "TRADING"

# Of a symbol at the exchange; "not known" where it could not be asked.
Standing = Literal["traded", "not traded", "not listed", "not known"]
NOT_THERE: Final[tuple[Standing, ...]] = ("not traded", "not listed")


class Listing(msgspec.Struct, frozen=True):
    """The symbols an exchange trades, in alphabetical order.

    Attributes
    ----------
    rest_base
        Whose list it is.
    asked_us
        When it came, µs since the epoch.
    """

    rest_base: str
    asked_us: int
    symbols: tuple[str, ...]


class ListKeeper:
    """Asks for the exchange's list. Made in the loop it runs in.

    Parameters
    ----------
    rest
        Asks the exchange.
    keep_listing, keep_lots
        Take what came: the list, and the lot steps of the symbols that are recorded.
    missing
        Told of a recorded symbol that is not traded, once.
    listing
        The list of an earlier run, where it is fresh: see `fresh_listing`.
    known
        Symbols whose lot steps are kept.
    now_us
        Wall clock.
    again_after_s
        After a failure of the network or the exchange.

    Attributes
    ----------
    listing
        The newest list; None while it could not be had. May be read from any thread.
    """

    def __init__(
        self,
        rest: RestClient,
        keep_listing: Callable[[Listing], object],
        keep_lots: Callable[[LotsBySymbol], object],
        missing: Callable[[str], object],
        *,
        listing: Listing | None = None,
        known: Iterable[str] = (),
        now_us: Callable[[], int] = wall_clock_us,
        again_after_s: float = AGAIN_AFTER_S,
    ) -> None:
        self.listing = listing
        self._rest, self._now_us, self._again_after_s = rest, now_us, again_after_s
        self._keep_listing, self._keep_lots, self._missing = keep_listing, keep_lots, missing
        self._traded = frozenset(listing.symbols if listing else ())
        self._statuses: dict[str, str | None] = {}  # of others; None of one that is not listed
        self._asked_us = listing.asked_us if listing else None
        self._lots: LotsBySymbol | None = None  # of all symbols, as the list of this run has them
        self._with_lots = set(known)
        self._wanted: frozenset[str] = frozenset()
        self._reported: set[str] = set()
        self._changed = asyncio.Event()

    def symbols_change(self, symbols: tuple[str, ...]) -> None:
        """Look into those that are new."""
        self._wanted = frozenset(symbols)
        self._changed.set()

    async def run(self) -> None:
        """Ask, whenever there is something to ask for; until cancelled."""
        while True:
            self._changed.clear()
            wait_s = await self._bring_up_to_date()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    async def look_up(self, symbol: str) -> Standing:
        """Ask about one symbol, unless the list has it: it may be younger than the list."""
        if self.standing(symbol) != "traded":
            with suppress(RestFailedError):
                await self._ask_about(symbol)
        return self.standing(symbol)

    def standing(self, symbol: str) -> Standing:
        """What is known of a symbol; safe from any thread."""
        if symbol in self._traded:
            return "traded"
        if symbol not in self._statuses:
            return "not known"
        status = self._statuses[symbol]
        return "not listed" if status is None else "traded" if status == _TRADING else "not traded"

    async def _bring_up_to_date(self) -> float:
        """Ask what is to be asked; returns after how many seconds to ask again."""
        try:
            if self._is_old() or (self._lots is None and self._wanted - self._with_lots):
                await self._ask()
            self._hand_on_lots()
            await self._look_into_others()
        except RestBlockedError as error:
            return max(error.wait_s, self._again_after_s)
        except RestFailedError:
            return self._again_after_s
        asked_us = self._asked_us or 0
        return max((asked_us + FRESH_US - self._now_us()) / 1e6, 1.0)

    async def _ask_about(self, symbol: str) -> None:
        self._statuses[symbol] = await self._rest.symbol_status(symbol)

    def _is_old(self) -> bool:
        return self._asked_us is None or not 0 <= self._now_us() - self._asked_us < FRESH_US

    async def _ask(self) -> None:
        try:
            listed = await self._rest.exchange_info(share=SEED_SHARE)
        except RestRefusedError:  # this host gives none, however often it is asked
            self._asked_us, self._lots = self._now_us(), {}
            return
        self._asked_us = self._now_us()
        self._lots = {name: each.lots for name, each in listed.items() if each.lots is not None}
        self._with_lots.clear()
        self._statuses = {name: each.status for name, each in listed.items()}
        if symbols := _traded(listed):
            self._traded = frozenset(symbols)
            self.listing = Listing(self._rest.rest_base, self._asked_us, symbols)
            self._keep_listing(self.listing)

    def _hand_on_lots(self) -> None:
        if self._lots is None:
            return
        lots = self._lots
        if new_lots := {
            each: lots[each] for each in self._wanted - self._with_lots if each in lots
        }:
            self._keep_lots(new_lots)
        self._with_lots |= self._wanted

    async def _look_into_others(self) -> None:
        """Ask why recorded symbols are not in the list, and tell of those that are not traded."""
        self._reported &= self._wanted
        for symbol in sorted(self._wanted - self._traded - self._reported):
            if self.listing is not None and symbol not in self._statuses:
                await self._ask_about(symbol)
            if self.standing(symbol) in {"not listed", "not traded"}:
                self._reported.add(symbol)
                self._missing(symbol)


def make_list_keeper(
    settings: Settings,
    rest: RestClient,
    queue: EventQueue,
    missing: Callable[[str], object],
    now_us: Callable[[], int],
) -> ListKeeper:
    """Make one that keeps what came in the database, and begins with what was kept there."""
    path, market = settings.db, settings.market

    def keep_listing(listing: Listing) -> None:
        """Have the writer remember what the exchange lists."""
        value = msgspec.json.encode(listing).decode()
        queue.put(Call(lambda writer: writer.remember(setting_key(market), value)))

    def keep_lot_steps(lots: LotsBySymbol) -> None:
        """Have the writer remember the least steps of quantities."""
        came_us = now_us()
        queue.put(Call(lambda writer: keep_lots(writer, market, lots, came_us)))

    return ListKeeper(
        *(rest, keep_listing, keep_lot_steps, missing),
        listing=fresh_listing(path, market, settings.rest_base, now_us()),
        known=fresh_symbols(path, market, now_us()),
        now_us=now_us,
    )


def _traded(listed: dict[str, Listed]) -> tuple[str, ...]:
    return tuple(
        sorted(
            name for name, each in listed.items() if each.status == _TRADING and _is_symbol(name)
        )
    )


def _is_symbol(name: str) -> bool:
    try:
        return valid_symbol(name) == name
    except SymbolError:
        return False


def sentence(symbol: str, standing: Standing, where: str) -> str:
    """Say that the exchange does not trade a symbol; nothing where it does, or may.

    Parameters
    ----------
    where
        As `endpoints.market_name` has it.
    """
    if standing == "not listed":
        return f"{symbol} is not listed on {where}"
    if standing == "not traded":
        return f"{symbol} is listed on {where}, but not traded at present"
    return ""


def refuse_unlisted(symbol: str, standing: Standing, settings: Settings) -> None:
    """RecorderError for a symbol that the exchange does not list."""
    if standing == "not listed":
        where = market_name(settings.market, settings.rest_url)
        raise RecorderError(sentence(symbol, standing, where))


def refuse_too_many(symbols: Sequence[str], settings: Settings) -> None:
    """RecorderError where trades of one more symbol cannot be recorded."""
    most = MAX_STREAMS[settings.market]
    if len(symbols) >= most:
        raise RecorderError(
            f"trades of {most} symbols are recorded: one connection carries no more;"
            f" --universe records bars of all of them"
        )


def setting_key(market: Market) -> str:
    """Name the database's setting that holds a market's list."""
    return f"listing {market}"


def fresh_listing(path: Path, market: Market, rest_base: str, now_us: int) -> Listing | None:
    """Read the list of this host that was kept within a day; None where there is none."""
    try:
        with TickReader(path) as reader:
            text = reader.setting(setting_key(market)) or ""
        listing = msgspec.json.decode(text, type=Listing)
    except (StoreError, msgspec.MsgspecError):  # no database yet, or of another version
        return None
    is_fresh = listing.rest_base == rest_base and 0 <= now_us - listing.asked_us < FRESH_US
    return listing if is_fresh else None
