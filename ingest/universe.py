"""Which symbols of a market are followed: rules, the exchange's list and volumes in. Pure.

    choose(rules, listed, tickers, ages) -> Chosen(symbols, left_out)

Everything that is left out has its reason, in words.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from ingest.binance import MAX_SYMBOLS, DayTicker, Listed, valid_symbol
from ingest.errors import SymbolError
from ingest.status import UniverseChange
from ingest.tick import BarStream

Depth = Literal["bars", "trades"]
BarLength = Literal["1m", "1s"]

BAR_STREAM_OF: Final[dict[BarLength, BarStream]] = {"1m": "kline_1m", "1s": "kline_1s"}
_TRADING: Final = "TRADING"
# A symbol that is followed leaves the top only for one with this many times its volume: the last
# places would change hands at each look.
STAYS_BY: Final = 1.2
# Two symbols are one coin under two names where their prices are so near, as a share.
SAME_PRICE: Final = 0.05
_GONE_FOR_US: Final = 14 * 86_400_000_000  # a new name comes days after the old one went
_MOST_CHANGES: Final = 200

STABLECOINS: Final = frozenset(
    str.split(
        "USDT USDC FDUSD TUSD USDP BUSD DAI USDD USDE SUSDE USD1 USDS GUSD LUSD FRAX PYUSD RLUSD "
        "XUSD BFUSD USTC PAX SUSD USDSB USDG USDF EURI AEUR EURC EURT VAI"
    )
)
CURRENCIES: Final = frozenset(
    str.split(
        "USD EUR GBP AUD JPY TRY BRL ARS MXN COP CZK PLN RON UAH ZAR NGN RUB IDR IDRT BIDR BKRW "
        "BVND CHF CAD KRW"
    )
)
# Tokens whose price follows another coin's: what each is, and of what.
TWINS: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(("WBTC", "BTCB", "CBBTC", "TBTC", "SBTC", "RENBTC"), ("wrapped", "BTC")),
    "WETH": ("wrapped", "ETH"),
    "WBNB": ("wrapped", "BNB"),
    "WSOL": ("wrapped", "SOL"),
    **dict.fromkeys(("WBETH", "BETH", "STETH", "WSTETH", "RETH", "CBETH"), ("staked", "ETH")),
    **dict.fromkeys(("BNSOL", "JITOSOL", "MSOL", "JUPSOL", "BBSOL"), ("staked", "SOL")),
}


@dataclass(frozen=True, slots=True)
class UniverseRules:
    """What to follow of a market.

    Attributes
    ----------
    quote
        The currency in which all of it is priced: ``USDT``.
    top
        So many by volume; None: all there are.
    depth
        ``trades`` as they happen, or only ``bars`` as they close.
    bars
        Length of these bars.
    least_days
        Days since the listing; 0 takes all.
    least_volume
        Of 24 hours, in the quote currency.
    without
        Symbols that are left out in any case.
    with_pegged
        Whether stablecoins and wrapped twins are taken, too.
    """

    quote: str
    top: int | None = None
    depth: Depth = "bars"
    bars: BarLength = "1m"
    least_days: float = 0.0
    least_volume: float = 0.0
    without: tuple[str, ...] = ()
    with_pegged: bool = False

    @property
    def words(self) -> str:
        """Say it: ``the 50 USDT symbols with the highest volume``."""
        which = f"the {self.top} {self.quote} symbols with the highest volume"
        return f"all {self.quote} symbols" if self.top is None else which


class UniverseState(msgspec.Struct, frozen=True):
    """What is remembered of a universe across restarts.

    Attributes
    ----------
    rules
        By which it was chosen.
    since_us, asked_us
        When it began, and the last look at the exchange's list; 0 before the first.
    symbols
        What is followed, by volume.
    listed
        All symbols of the quote currency at the last look, traded or not.
    prices
        Last price of each followed symbol.
    gone
        Symbols that are not traded any more: last price, and when that was seen.
    changes
        Who joined and left, oldest first.
    left_out
        Who is not followed, and why, at the last look.
    """

    rules: UniverseRules
    since_us: int
    asked_us: int = 0
    symbols: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    prices: dict[str, float] = {}
    gone: dict[str, tuple[float, int]] = {}
    changes: tuple[UniverseChange, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


class Chosen(NamedTuple):
    """What is followed, by volume, and of the others of the quote currency why not, by name."""

    symbols: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Sorting:
    """Candidates with their volume, and who is none."""

    volumes: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def choose(
    rules: UniverseRules,
    listed: Mapping[str, Listed],
    tickers: Mapping[str, DayTicker],
    ages_days: Mapping[str, float] | None = None,
    *,
    followed: Collection[str] = (),
) -> Chosen:
    """Choose what to follow.

    Parameters
    ----------
    rules
        What is wanted.
    listed
        The exchange's list.
    tickers
        Last 24 hours by symbol; one without counts as volume 0.
    ages_days
        Days since the listing, where known; one whose age is asked for and not known is left out.
    followed
        What is followed now: it stays in the top while no other has `STAYS_BY` times its volume.
    """
    sorting = _Sorting()
    for symbol, each in sorted(listed.items()):
        if each.quote != rules.quote:
            continue
        ticker = tickers.get(symbol)
        volume = 0.0 if ticker is None else ticker.quote_volume
        reason = reason_against(rules, symbol, each, volume, listed)
        if reason is None and rules.least_days:
            reason = _too_young(rules, (ages_days or {}).get(symbol))
        if reason is None:
            sorting.volumes[symbol] = volume
        else:
            sorting.left_out[symbol] = reason
    return _take_top(rules, sorting, followed)


def reason_against(
    rules: UniverseRules, symbol: str, listed: Listed, volume: float, all_listed: Collection[str]
) -> str | None:
    """Why a symbol is not followed, whatever its age and place; None where it may be."""
    if not _is_symbol(symbol):
        return "not a symbol that can be recorded"
    if symbol in rules.without:
        return "left out by the options"
    if listed.status != _TRADING:
        return f"not trading ({listed.status})"
    if "_" in symbol:
        return "a contract with a last day"
    if volume < rules.least_volume:
        return f"volume of 24 h {volume:,.0f} {rules.quote}, asked for {rules.least_volume:,.0f}"
    return None if rules.with_pegged else _pegged(listed.base, rules.quote, all_listed)


def updated(
    state: UniverseState,
    chosen: Chosen,
    listed: Mapping[str, Listed],
    tickers: Mapping[str, DayTicker],
    statuses: Mapping[str, str | None],
    now_us: int,
) -> UniverseState:
    """A universe after a look at the exchange's list, with who joined and left, and why.

    Parameters
    ----------
    statuses
        Of symbols that are not in the list of what is traded; None of one that is not listed.
    """
    gone = {symbol: each for symbol, each in state.gone.items() if now_us - each[1] < _GONE_FOR_US}
    left = [symbol for symbol in state.symbols if symbol not in chosen.symbols]
    for symbol in left:
        if symbol not in listed or listed[symbol].status != _TRADING:
            gone[symbol] = (state.prices.get(symbol, 0.0), now_us)
    new = [symbol for symbol in chosen.symbols if symbol not in state.symbols]
    changes = [*state.changes]
    changes += [
        UniverseChange(now_us, each, "left", _why_left(each, chosen, listed, statuses))
        for each in left
    ]
    if state.asked_us:  # at the first look all of them are new
        prices = {symbol: price for symbol, (price, _) in gone.items() if price}
        changes += [
            UniverseChange(
                now_us, each, "joined", _why_joined(each, state, listed, tickers, prices)
            )
            for each in new
        ]
    return UniverseState(
        *(state.rules, state.since_us, now_us, chosen.symbols),
        tuple(sorted(each for each in listed if listed[each].quote == state.rules.quote)),
        {each: tickers[each].last_price for each in chosen.symbols if each in tickers},
        *(gone, tuple(changes[-_MOST_CHANGES:]), chosen.left_out),
    )


def _why_left(
    symbol: str, chosen: Chosen, listed: Mapping[str, Listed], statuses: Mapping[str, str | None]
) -> str:
    if symbol in listed:
        return dict(chosen.left_out).get(symbol, "it does not meet the rules any more")
    status = statuses.get(symbol, "")
    if status is None:
        return "not listed any more; what is stored of it stays"
    return f"not trading{f' ({status})' if status else ''}; what is stored of it stays"


def _why_joined(
    symbol: str,
    state: UniverseState,
    listed: Mapping[str, Listed],
    tickers: Mapping[str, DayTicker],
    gone: Mapping[str, float],
) -> str:
    if symbol in state.gone:
        return "trading again"
    if symbol in state.listed:
        was = dict(state.left_out).get(symbol)
        return f"it meets the rules now; before: {was}" if was else "it meets the rules now"
    old = rename_of(symbol, listed, tickers, gone)
    if old is None:
        return "newly listed"
    return f"newly listed at the price of {old}, which went: a new name? Both histories are kept"


def rename_of(
    new: str,
    listed: Mapping[str, Listed],
    tickers: Mapping[str, DayTicker],
    gone: Mapping[str, float],
) -> str | None:
    """Which symbol that is not traded any more a new one seems to go on with; None where unclear.

    Parameters
    ----------
    gone
        Last price of each that went lately.
    """
    ticker = tickers.get(new)
    if new not in listed or ticker is None or not ticker.last_price:
        return None
    near = [
        symbol
        for symbol, price in gone.items()
        if symbol != new and abs(price / ticker.last_price - 1) <= SAME_PRICE
    ]
    return near[0] if len(near) == 1 else None


def parse_universe(
    text: str,
    *,
    depth: str = "",
    bars: str = "",
    least_days: float = 0.0,
    least_volume: float = 0.0,
    without: tuple[str, ...] = (),
    with_pegged: bool = False,
) -> UniverseRules:
    """Rules from ``USDT`` or ``USDT:50`` and what the other options say.

    Raises
    ------
    ValueError
        The text cannot be used; one line with the remedy.
    """
    quote, colon, number = text.strip().upper().partition(":")
    if not (2 <= len(quote) <= 10 and quote.isalnum()):
        raise ValueError(f"{text!r} is not a quote currency, as USDT or USDT:50")
    if colon and not (number.isdecimal() and 0 < int(number) <= 100_000):
        raise ValueError(f"{text!r}: after the colon goes how many by volume, as USDT:50")
    top = int(number) if colon else None
    chosen_depth = next((each for each in get_args(Depth) if each == (depth or "bars")), None)
    if chosen_depth is None:
        raise ValueError(f"{depth!r} is not a depth: bars or trades")
    chosen_bars = next((each for each in get_args(BarLength) if each == (bars or "1m")), None)
    if chosen_bars is None:
        raise ValueError(f"{bars!r} is not a length of bars: 1m or 1s")
    if chosen_depth == "trades" and (top is None or top > MAX_SYMBOLS):
        raise ValueError(
            f"{text!r} in trades: at most {MAX_SYMBOLS} symbols, whose missing trades REST can"
            f" still bring; say {quote}:{MAX_SYMBOLS} or fewer, or record bars"
        )
    return UniverseRules(
        *(quote, top, chosen_depth, chosen_bars, least_days, least_volume),
        *(tuple(sorted(without)), with_pegged),
    )


def _take_top(rules: UniverseRules, sorting: _Sorting, followed: Collection[str]) -> Chosen:
    kept = frozenset(followed)
    ranked = sorted(
        sorting.volumes,
        key=lambda each: (-sorting.volumes[each] * (STAYS_BY if each in kept else 1.0), each),
    )
    top = len(ranked) if rules.top is None else rules.top
    for place, symbol in enumerate(ranked[top:], start=top + 1):
        sorting.left_out[symbol] = f"place {place:,} by volume, taken are {top:,}"
    taken = sorted(ranked[:top], key=lambda each: (-sorting.volumes[each], each))
    return Chosen(tuple(taken), tuple(sorted(sorting.left_out.items())))


def _too_young(rules: UniverseRules, age_days: float | None) -> str | None:
    if age_days is None:
        return "its age is not known yet"
    if age_days < rules.least_days:
        return f"listed for {age_days:.1f} days, asked for {rules.least_days:g}"
    return None


def _pegged(base: str, quote: str, listed: Collection[str]) -> str | None:
    """What a symbol is whose price is pegged to its quote currency, or to another symbol's."""
    money = STABLECOINS | CURRENCIES
    if base in money and quote in money:
        first, second = (
            "a stablecoin" if each in STABLECOINS else "a currency" for each in (base, quote)
        )
        return f"{first} against {second}"
    kind, coin = TWINS.get(base, ("", ""))
    if kind and (coin == quote or f"{coin}{quote}" in listed):
        return f"{kind} {coin}"
    return None


def _is_symbol(name: str) -> bool:
    try:
        return valid_symbol(name) == name
    except SymbolError:
        return False
