"""What is watched as a reader writes it: typed, several at once, or as a CSV; what is refused."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

from analytics.baskets import METHODS, check_method
from analytics.errors import AnalyticsError, ParameterError
from analytics.frames import parse_interval
from analytics.hedge import HEDGE_METHODS
from analytics.spread import SPREAD_KINDS
from ingest.binance import valid_symbol
from ingest.errors import SymbolError
from ingest.watch import Watched, WatchedBasket, WatchedPair
from pages.ui.desk.watching import basket_with_settings
from pages.ui.parts import formats
from pages.ui.state import choices
from pages.ui.state.choices import AUTO, CHOICES, LEVELS, LOOKBACKS_S, Number

MOST_LINES: Final = 1_000
LONGEST_GROUP: Final = 40
LONGEST_COIN: Final = 5  # letters; a symbol of a pair on an exchange has more
# Between the legs of a pair, with room on both sides.
_BETWEEN: Final = re.compile(r"/|-|–|~|\||:|vs\.?|and", re.IGNORECASE)
# Between the symbols of a basket.
_PLUS: Final = "+"
_SIGN: Final = re.compile(r"[/~|:–-]")
_NAMES: Final = {"s1": "y", "s2": "x", "sell_above": "sell", "buy_below": "buy"}


@dataclass(frozen=True)
class Parsed:
    """The pairs and baskets that were read, a sentence on each line that was not, and columns left
    out.

    `left` has what was refused of typed text as it was typed, to be corrected.
    """

    pairs: tuple[Watched, ...] = ()
    refused: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class LineError(ValueError):
    """A line that names no pair, with the reason."""


def typed_pairs(text: str, settings: WatchedPair, known: Set[str] = frozenset()) -> Parsed:
    """Read pairs as they are typed, with the settings of their list.

    A pair is two symbols with a space, a slash or a dash between them; pairs stand on lines of
    their own, or with a comma or semicolon between them. Three to eight symbols with a plus
    between them are a basket. A coin is its symbol in USDT where that one is among the `known`
    symbols, those recorded and those that the exchange trades.
    """
    pairs: list[Watched] = []
    refused: list[str] = []
    left: list[str] = []
    chunks = _chunks(text)
    for chunk in chunks[:MOST_LINES]:
        try:
            is_basket = _PLUS in chunk
            pairs.append(
                _basket(chunk, settings, known)
                if is_basket
                else _pair(*_legs(chunk), settings, known)
            )
        except LineError as error:
            refused.append(f"{formats.clipped(chunk, 40)}: {error}")
            left.append(chunk)
    if len(chunks) > MOST_LINES:
        refused.append(f"only {MOST_LINES:,} pairs are read at once")
    return Parsed(tuple(pairs), tuple(refused), left=(*left, *chunks[MOST_LINES:]))


def _chunks(text: str) -> list[str]:
    chunks: list[str] = []
    for line in re.split(r"[\n;]", text):
        parts = [part.strip() for part in line.split(",") if part.strip()]
        is_one = len(parts) == 2 and all(map(_is_symbol, parts))
        chunks += [" ".join(parts)] if is_one else parts
    return chunks


def _is_symbol(text: str) -> bool:
    """Whether it is one symbol and no pair: ``ETH/USDT`` is one, ``ETHUSDT/BTCUSDT`` is not."""
    return _symbol(text) is not None and _parted(text) is None


def _legs(chunk: str) -> tuple[str, str]:
    words = [word for word in chunk.split() if not _BETWEEN.fullmatch(word)]
    if len(words) == 2:
        return words[0], words[1]
    legs = _parted(words[0]) if len(words) == 1 else None
    if legs is None:
        raise LineError("a pair is two symbols, as ETHUSDT BTCUSDT")
    return legs


def _parted(word: str) -> tuple[str, str] | None:
    """Part a word in two symbols, at the sign nearest to its middle."""
    signs = [match.start() for match in _SIGN.finditer(word)]
    for at in sorted(signs, key=lambda at: abs(2 * at + 1 - len(word))):
        left, right = word[:at], word[at + 1 :]
        if _is_priced(left) and _is_priced(right):
            return left, right
    return None


def _is_priced(text: str) -> bool:
    """Whether a text is a symbol with its quote currency: ``ETHUSDT``, not ``ETH`` or ``USDT``."""
    symbol = _symbol(text)
    return symbol is not None and formats.quote_currency(symbol) != "quote"


def _symbol(text: str) -> str | None:
    try:
        return valid_symbol(text)
    except SymbolError:
        return None


def _traded(text: str, known: Set[str]) -> str:
    """Return the symbol that is meant: for a coin, the known one in USDT."""
    symbol = valid_symbol(text)
    in_usdt = f"{symbol}USDT"
    if symbol in known:
        return symbol
    if in_usdt in known:
        return in_usdt
    if len(symbol) <= LONGEST_COIN and not _is_priced(symbol):
        raise LineError(f"{symbol} is a coin, not a symbol such as {in_usdt}")
    return symbol


def _pair(y: str, x: str, settings: WatchedPair, known: Set[str]) -> WatchedPair:
    try:
        pair = replace(settings, y=_traded(y, known), x=_traded(x, known))
        if pair.y == pair.x:
            raise LineError(f"both legs are {pair.y}")
        pair.params  # noqa: B018 - raises where the settings do not go together
    except (SymbolError, AnalyticsError) as error:
        raise LineError(str(error)) from error
    return pair


def _basket(text: str, settings: WatchedPair, known: Set[str], method: str = "") -> WatchedBasket:
    """Read ``"BTCUSDT+ETHUSDT+SOLUSDT"``, or a basket's name: ``"BTCUSDT/ETHUSDT+SOLUSDT"``."""
    first, *others = (part.strip() for part in text.split(_PLUS))
    try:
        symbols = tuple(_traded(each, known) for each in (*(_parted(first) or (first,)), *others))
        named = WatchedBasket(
            symbols, method=check_method(method or METHODS[0]), group=settings.group
        )
        basket = basket_with_settings(named, settings)
        basket.params  # noqa: B018 - raises where the settings do not go together
    except (SymbolError, AnalyticsError) as error:
        raise LineError(str(error)) from error
    return basket


def csv_pairs(content: bytes, settings: WatchedPair, known: Set[str] = frozenset()) -> Parsed:
    """Read pairs from a CSV with the columns y and x; settings it does not name are the list's.

    It may have interval, window, spread, hedge, range, sell, buy, level and group as well; comma,
    semicolon or tab between them. Other columns are left out, and named. `known` as `typed_pairs`.
    """
    text = content.decode("utf-8-sig", errors="replace").replace("\0", "")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        names = [cell.strip().lower() for cell in next(reader, [])]
        heads = [_NAMES.get(name, name) for name in names]
        if not {"y", "x"} <= set(heads):
            return Parsed(refused=("line 1: needs the columns y and x",))
        unread = tuple(name for name in heads if name and name not in {"y", "x", *_READ})
        return replace(_lines(reader, heads, settings, known), unread=unread)
    except csv.Error as error:
        return Parsed(refused=(f"line {reader.line_num}: {error}",))


def _lines(reader: Any, heads: Sequence[str], settings: WatchedPair, known: Set[str]) -> Parsed:
    pairs: list[Watched] = []
    refused: list[str] = []
    for number, cells in enumerate(reader):
        if number == MOST_LINES:
            refused.append(f"line {reader.line_num}: only {MOST_LINES:,} lines are read")
            break
        line = dict(zip(heads, (cell.strip() for cell in cells), strict=False))
        try:
            pairs += [_row(line, settings, known)] if any(line.values()) else []
        except LineError as error:
            refused.append(f"line {reader.line_num}: {error}")
    return Parsed(tuple(pairs), tuple(refused))


def _row(line: Mapping[str, str], settings: WatchedPair, known: Set[str]) -> Watched:
    if _PLUS in line.get("y", ""):
        own = {name: cell for name, cell in line.items() if name not in ("spread", "hedge")}
        return _basket(line["y"], _with(own, settings), known, line.get("hedge", ""))
    lacking = [name for name in ("y", "x") if not line.get(name)]
    if lacking:
        raise LineError(f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing")
    return _pair(line["y"], line["x"], _with(line, settings), known)


def _with(line: Mapping[str, str], settings: WatchedPair) -> WatchedPair:
    """Give the settings with those that a line has."""
    interval = _interval(line["interval"]) if line.get("interval") else settings.interval
    values: dict[str, Any] = {"interval": interval}
    if interval != settings.interval:  # the list's range may be none of those on offer here
        values["lookback_s"] = None
    for name, read in _READ.items():
        if line.get(name):
            field, value = read(line[name], interval)
            values[field] = value
    return replace(settings, **values)


def _interval(text: str) -> str:
    try:
        return parse_interval(text).name
    except ParameterError as error:
        raise LineError(str(error)) from error


def _number(key: str, text: str) -> int | float:
    kind = CHOICES[key]
    assert isinstance(kind, Number), f"{key} is a number"
    value = choices.read_number(kind, text.replace(",", "."))
    if value is None:
        raise LineError(f"{key} is {kind.low:g} to {kind.high:g}, not {formats.clipped(text, 20)}")
    return value


def _one_of(name: str, text: str, options: Iterable[str]) -> str:
    if text not in (known := tuple(options)):
        raise LineError(f"{name} is one of {', '.join(known)}, not {formats.clipped(text, 20)}")
    return text


def _range(text: str, interval: str) -> int | None:
    name = _one_of("range", text, choices.lookbacks_on_offer(interval))
    return None if name == AUTO else LOOKBACKS_S[name]


def _level(text: str) -> float:
    return LEVELS[_one_of("level", text.removesuffix("%").strip(), LEVELS)]


_READ: Final[Mapping[str, Callable[[str, str], tuple[str, Any]]]] = {
    "interval": lambda _, interval: ("interval", interval),
    "window": lambda text, _: ("window", _number("window", text)),
    "spread": lambda text, _: ("spread", _one_of("spread", text, SPREAD_KINDS)),
    "hedge": lambda text, _: ("hedge", _one_of("hedge", text, HEDGE_METHODS)),
    "range": lambda text, interval: ("lookback_s", _range(text, interval)),
    "sell": lambda text, _: ("sell_above", _number("sell", text)),
    "buy": lambda text, _: ("buy_below", _number("buy", text)),
    "level": lambda text, _: ("level", _level(text)),
    "group": lambda text, _: ("group", formats.clipped(text, LONGEST_GROUP)),
}
