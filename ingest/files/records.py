"""What a record of another people's file means: which field is the price, what its text says."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.binance import INT64_MAX, MAX_AMOUNT
from ingest.errors import SymbolError
from ingest.files.columns import UNKNOWN, TickColumns
from ingest.files.times import iso_us, number_us
from ingest.tick import STREAM_KINDS, StreamKind

NO_SYMBOL = "no symbol in it"
NO_FIELD = "no time, price or size in it"
BAD_SYMBOL = "the symbol cannot be one"
BAD_TIME = "the time cannot be read, or is not between 2009 and 2100"
BAD_AMOUNT = "price or size is not a number of 0 or more"
SHORTENED = "a spreadsheet shortened the times and digits are lost: export them as text"

MAX_FIELDS = 200  # a record of more keys is no trade
_MOST_KEY_CHARS = 10_000

NA_MARK = "NA"  # of an event that uses up an id and is no trade
NAIVE_TIME = "times without a zone were read as UTC"

# Binance's own letters first, by case: t is an id where T is the time. Then names people use,
# lower case without underscores, best first.
_LETTERS = {"symbol": "s", "time": "T", "price": "p", "quantity": "q", "maker": "m", "kind": "e"}
_NAMES = {
    "symbol": ("symbol", "pair", "ticker", "instrument"),
    "time": (
        "transactiontime", "transacttime", "tradetime", "ts", "timestamp", "time", "datetime",
        "timestampms", "timems", "timeus", "date", "eventtime", "t",
    ),
    "price": ("price", "tradeprice", "lastprice", "px", "p"),
    "quantity": ("quantity", "qty", "size", "tradesize", "amount", "volume", "vol", "q"),
    "trade_id": ("tradeid", "aggtradeid", "aggregatetradeid", "id"),
    "maker": ("isbuyermaker", "buyerismaker", "isbuyermarketmaker", "m"),
    "kind": ("eventtype", "stream"),
    "marker": ("xunknownparameter", "executiontype", "x"),
    "raw_id": ("lasttradeid", "lastid", "l"),
}  # fmt: skip
_AGGREGATE_IDS = ("a", "aggtradeid", "aggregatetradeid")

# Possessive: a line of nothing but digits would otherwise be tried in every possible part.
_NUMBER = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d++)?", re.ASCII)
_MAX_INT_DIGITS = 19
# A number in powers of ten, and a time of day without its day.
_SCIENTIFIC = re.compile(r"[+-]?(\d[.,]?\d*)[eE][+-]?\d+", re.ASCII)
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d)?([.,]\d+)?", re.ASCII)
_SECOND_DIGITS = 10  # what a time since 1970 takes to tell its second
_MAKER_WORDS = {"true": 1, "1": 1, "false": 0, "0": 0}


class RowError(ValueError):
    """A record that is no trade; its text is one of the reasons above."""


class Fields(NamedTuple):
    """Which key (or column) of a record holds what; None where it holds no such thing."""

    symbol: Any = None
    time: Any = None
    price: Any = None
    quantity: Any = None
    trade_id: Any = None
    maker: Any = None
    kind: Any = None
    marker: Any = None
    raw_id: Any = None  # of an aggregate's last raw trade
    fixed_kind: StreamKind | None = None  # where the layout itself tells


def fields_named(keys: tuple[str, ...]) -> Fields:
    """Find the fields among a record's keys; the values of the result are keys."""
    # No trade has names so long, and they are not to be remembered.
    return _fields_named(keys) if sum(map(len, keys)) < _MOST_KEY_CHARS else Fields()


@lru_cache(maxsize=256)
def _fields_named(keys: tuple[str, ...]) -> Fields:
    plain: dict[str, str] = {}
    for key in keys:
        plain.setdefault(re.sub(r"[^0-9a-z]", "", key.lower()), key)
    keys_by_role: dict[str, Any] = {}
    for role, names in _NAMES.items():
        letter = _LETTERS.get(role)
        choices = [plain[name] for name in names if name in plain]
        keys_by_role[role] = letter if letter in keys else next(iter(choices), None)
    if keys_by_role["trade_id"] is None:
        # A trade's `a` was once its seller's order: it is an aggregate's id where there is no `t`.
        letters = [key for key in ("t", "a") if key in keys and key != keys_by_role["time"]]
        keys_by_role["trade_id"] = next(iter(letters), None)
    return Fields(**keys_by_role, fixed_kind=_kind_by_id(keys_by_role["trade_id"]))


def _kind_by_id(name: Any) -> StreamKind | None:
    if name == "t":
        return "trade"
    plain = re.sub(r"[^0-9a-z]", "", str(name).lower())
    return "aggTrade" if plain in _AGGREGATE_IDS else None


def positions(fields: Fields, header: Sequence[str]) -> Fields:
    """The same fields as column numbers of a CSV with this header."""
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    named: dict[str, Any] = {role: places.get(key) for role, key in fields._asdict().items()}
    named["fixed_kind"] = fields.fixed_kind
    return Fields(**named)


def add_record(
    columns: TickColumns, fields: Fields, value: Callable[[Any], Any], default_symbol: str | None
) -> None:
    """Add one record to `columns`, or raise `RowError`.

    Parameters
    ----------
    value
        Gives the record's value of a key of `fields`.
    default_symbol
        The symbol of records that name none.
    """
    if fields.time is None or fields.price is None or fields.quantity is None:
        raise RowError(NO_FIELD)
    symbol = default_symbol if fields.symbol is None else value(fields.symbol)
    if not isinstance(symbol, str):
        raise RowError(NO_SYMBOL)
    price, quantity = amount_of(value(fields.price)), amount_of(value(fields.quantity))
    trade_id = UNKNOWN if fields.trade_id is None else _id_of(value(fields.trade_id))
    maker = UNKNOWN if fields.maker is None else maker_of(value(fields.maker))
    kind = fields.fixed_kind if fields.kind is None else kind_of(value(fields.kind))
    raw_id = UNKNOWN if fields.raw_id is None else _id_of(value(fields.raw_id))
    time_us, note = time_of(value(fields.time))
    try:
        columns.symbol_code(symbol)
    except SymbolError:
        raise RowError(BAD_SYMBOL) from None
    columns.time_notes[note] += 1
    columns.add_row(
        symbol, time_us, price, quantity, trade_id=trade_id, maker=maker, kind=kind, raw_id=raw_id,
        marked_na=fields.marker is not None and value(fields.marker) == NA_MARK,
    )  # fmt: skip


def amount_of(value: object) -> float:
    """A price or size: a JSON number or a printed one, finite and >= 0, or `RowError`."""
    number = number_of(value)
    if number is None or not 0 <= number < MAX_AMOUNT:
        raise RowError(BAD_AMOUNT)
    return float(number)


def number_of(value: object) -> float | None:
    """A JSON number as it is, a printed one as int or float, anything else None."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        return int(text) if text.isdigit() and len(text) <= _MAX_INT_DIGITS else float(text)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value]  # is_number says so


def time_of(value: object) -> tuple[int, str]:
    """A time as µs with how it was understood ('' for ISO with a zone), or `RowError`."""
    if isinstance(value, str) and _is_shortened(value.strip()):
        raise RowError(SHORTENED)
    number = number_of(value)
    if number is not None:
        converted = number_us(number)
        if converted is not None:
            return converted[0], number_note(converted[1])
    elif isinstance(value, str):
        parsed = iso_us(value.strip())
        if parsed is not None:
            return parsed[0], "" if parsed[1] else NAIVE_TIME
    raise RowError(BAD_TIME)


def _is_shortened(text: str) -> bool:
    """Whether a spreadsheet wrote a time as it showed it: to six digits, or without its day."""
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return _TIME_OF_DAY.fullmatch(text) is not None
    digits = sum(letter.isdigit() for letter in str(match[1]))
    return digits < _SECOND_DIGITS


def number_note(unit: str) -> str:
    """How a time given as a number was understood."""
    return f"numeric times were read as {unit} since 1970, UTC"


def maker_of(value: object) -> int:
    """1, 0 or UNKNOWN from whatever a file writes for "the buyer was the maker"."""
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    return _MAKER_WORDS.get(word, UNKNOWN)


def kind_of(value: object) -> StreamKind | None:
    """Stream kind from an event type (``aggTrade``) or a stream's name (``btcusdt@trade``)."""
    word = value.rpartition("@")[2] if isinstance(value, str) else ""
    return next((kind for kind in STREAM_KINDS if kind == word), None)


def _id_of(value: object) -> int:
    # An id that is no whole number (an UUID, an empty cell) proves nothing: none is kept.
    number = number_of(value)
    whole = number is not None and 0 <= number <= INT64_MAX and number == int(number)
    return int(number) if whole and number is not None else UNKNOWN
