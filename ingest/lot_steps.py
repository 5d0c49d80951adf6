"""What the exchange takes orders in: asked once a day and once for a new symbol, kept.

Kept in the database's settings, so that it is known without a recording and at the next start.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from ingest.endpoints import UNKNOWN_SYMBOL_CODE
from ingest.rest import SEED_SHARE, RestBlockedError, RestClient, RestFailedError, RestRefusedError
from ingest.rest_rows import LotSteps
from ingest.store import StoreError, TickReader
from ingest.tick import Market
from ingest.writer import TickWriter

AGAIN_AFTER_S = 60.0
# So long what is kept serves at a start: one that comes often does not spend the weight.
FRESH_US = 24 * 3600 * 1_000_000
SYMBOLS_A_CALL = 100  # the address of a call stays short

Kept = dict[str, LotSteps]


class LotKeeper:
    """Asks for the lot steps of the symbols that are recorded. Made in the loop it runs in.

    Parameters
    ----------
    rest
        Asks the exchange.
    keep
        Takes what came.
    known
        Symbols not to ask for: see `fresh_symbols`.
    again_after_s
        After a failure of the network or the exchange.
    """

    def __init__(
        self,
        rest: RestClient,
        keep: Callable[[Kept], object],
        *,
        known: Iterable[str] = (),
        again_after_s: float = AGAIN_AFTER_S,
    ) -> None:
        self._rest, self._keep, self._again_after_s = rest, keep, again_after_s
        self._wanted: set[str] = set()
        self._asked = set(known)
        self._changed = asyncio.Event()

    def symbols_change(self, symbols: tuple[str, ...]) -> None:
        """Ask for those that were not asked for yet."""
        self._wanted = set(symbols)
        self._changed.set()

    async def run(self) -> None:
        """Ask, whenever there is something to ask for; until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while lacking := sorted(self._wanted - self._asked)[:SYMBOLS_A_CALL]:
                await self._ask(lacking)

    async def _ask(self, symbols: list[str]) -> None:
        try:
            found = await self._rest.lot_steps(symbols, share=SEED_SHARE)
        except RestRefusedError as error:
            await self._divide(symbols, error)
        except RestBlockedError as error:
            await asyncio.sleep(max(error.wait_s, self._again_after_s))
        except RestFailedError:
            await asyncio.sleep(self._again_after_s)
        else:
            self._asked |= set(symbols)
            self._keep(found)

    async def _divide(self, symbols: list[str], error: RestRefusedError) -> None:
        """Find the symbol that had all of them refused; what is refused alone is not asked again.

        One unknown among n costs about 2 log2 n calls.
        """
        if len(symbols) == 1 or error.code != UNKNOWN_SYMBOL_CODE:
            self._asked |= set(symbols)
            return
        half = len(symbols) // 2
        await self._ask(symbols[:half])
        await self._ask(symbols[half:])


def setting_key(market: Market) -> str:
    """Name the database's setting that holds a market's lot steps."""
    return f"lot steps {market}"


def asked_key(market: Market) -> str:
    """Name the setting that says when they came, µs since the epoch."""
    return f"lot steps {market} asked"


def keep_lots(
    writer: TickWriter, market: Market, found: Mapping[str, LotSteps], now_us: int
) -> None:
    """Keep what came beside what is kept, and when."""
    kept = decode_kept(writer.setting(setting_key(market)))
    writer.remember(setting_key(market), msgspec.json.encode({**kept, **found}).decode())
    writer.remember(asked_key(market), str(now_us))


def fresh_symbols(path: Path, market: Market, now_us: int) -> frozenset[str]:
    """Name the symbols whose kept lot steps came within a day; none where there is no database."""
    try:
        with TickReader(path) as reader:
            kept = decode_kept(reader.setting(setting_key(market)))
            asked = reader.setting(asked_key(market)) or ""
    except StoreError:
        return frozenset()
    is_fresh = asked.isdecimal() and 0 <= now_us - int(asked) < FRESH_US
    return frozenset(kept) if is_fresh else frozenset()


def read_lots(path: Path) -> Kept:
    """Read the lot steps of all symbols that have trades; of two markets, those of the newer ones.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    found: Kept = {}
    with TickReader(path) as reader:
        series = reader.series()
        by_market = {
            market: decode_kept(reader.setting(setting_key(market)))
            for market in {each.market for each in series}
        }
    newest = {each.symbol: each.market for each in reversed(series)}
    for symbol, market in newest.items():
        if symbol in by_market[market]:
            found[symbol] = by_market[market][symbol]
    return found


def decode_kept(text: str | None) -> Kept:
    """Read what `keep_lots` wrote; nothing where nothing is kept, or something else."""
    if text is None:
        return {}
    try:
        kept = msgspec.json.decode(text, type=Kept)
    except msgspec.MsgspecError:  # of another version: the next start asks again
        return {}
    return {symbol: lots for symbol, lots in kept.items() if is_usable(lots)}


def is_usable(lots: LotSteps) -> bool:
    """Whether an order can be made of these steps."""
    try:
        step, *others = map(float, (lots.step, lots.least, lots.least_value))
    except ValueError:
        return False
    return 0 < step < math.inf and all(0 <= each < math.inf for each in others)
