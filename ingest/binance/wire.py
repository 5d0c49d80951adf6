"""What Binance's frames and REST rows share: printed decimals, times, aggTrade. Pure."""

from typing import Annotated

import msgspec

from ingest.tick import Event, Market, NonTrade, Tick

MAX_DECIMAL_CHARS = 40  # a longer text is no price, and 40 characters cannot underflow a float
MAX_AMOUNT = 1e18  # no price or quantity comes near it

YEAR_2009_MS, YEAR_2100_MS = 1_230_768_000_000, 4_102_444_800_000
INT64_MAX = 2**63 - 1

# Printed decimals met before: in recorded trades four of five are among the last few thousand. A
# dict emptied now and then: a least-recently-used one costs more than it saves.
_MOST_KNOWN_AMOUNTS = 10_000
_KNOWN_AMOUNTS: dict[str, float] = {}

DECODE_ERRORS = (msgspec.MsgspecError, RecursionError, UnicodeError)

NA_MARKER = "marked NA by the exchange"
ZERO_MARKER = "price or quantity is zero"
NO_TRADES_MARKER = "aggregate of no trades (f = l = -1)"

TradeId = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
TradeIdOrNone = Annotated[int, msgspec.Meta(ge=-1, le=INT64_MAX)]


class RefusedError(ValueError):
    """Ends a parse where the fault is found; the public functions add the excerpt."""


class RestError(msgspec.Struct, frozen=True):
    """The body of a refused call: ``{"code": -1121, "msg": "Invalid symbol."}``."""

    code: Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
    msg: str


class AggRow(msgspec.Struct, gc=False):
    """A row of REST ``aggTrades``, and the heart of an ``aggTrade`` event; the wire's letters."""

    a: TradeId
    p: str
    q: str
    f: TradeIdOrNone
    l: TradeIdOrNone  # noqa: E741 - Binance's name for the last trade id
    T: int
    m: bool


def agg_event(row: AggRow, symbol: str, received_us: int, market: Market) -> Event:
    """Turn a decoded aggregate into its event, or raise `RefusedError`."""
    price, quantity, first, last = amount(row.p), amount(row.q), row.f, row.l
    time_us = time_us_of(row.T)
    empty = first == -1 and last == -1
    if empty or not price or not quantity:
        reason = NO_TRADES_MARKER if empty else ZERO_MARKER
        return NonTrade(market, symbol, "aggTrade", row.a, time_us, received_us, reason)
    if first < 0 or last < first:
        raise RefusedError(f"first trade id {first} and last trade id {last} are no range")
    return Tick(
        market, symbol, "aggTrade", row.a, price, quantity, time_us, received_us, row.m,
        last - first + 1, last,
    )  # fmt: skip


def amount(text: str) -> float:
    """Price or quantity from its printed decimal, 0 included, or raise `RefusedError`."""
    value = _KNOWN_AMOUNTS.get(text)
    if value is None:
        if len(_KNOWN_AMOUNTS) >= _MOST_KNOWN_AMOUNTS:
            _KNOWN_AMOUNTS.clear()
        value = _KNOWN_AMOUNTS[text] = _new_amount(text)
    return value


def _new_amount(text: str) -> float:
    # float() alone would take "nan", "1_0", " 1" and other scripts' digits.
    if len(text) <= MAX_DECIMAL_CHARS and text.isascii() and text.replace(".", "", 1).isdigit():
        value = float(text)
        if value < MAX_AMOUNT:
            return value
    raise RefusedError(f"price or quantity {text[:40]!r} is not a decimal of 0 to {MAX_AMOUNT:g}")


def time_us_of(time: int) -> int:
    """Milliseconds or microseconds, distinguished by magnitude, as µs, or raise `RefusedError`."""
    if YEAR_2009_MS <= time < YEAR_2100_MS:
        return time * 1000
    if YEAR_2009_MS * 1000 <= time < YEAR_2100_MS * 1000:
        return time
    raise RefusedError("time is not in ms or µs between 2009 and 2100")
