"""Binance's kline streams: bars as they form and as they close, into our types. Pure."""

from functools import lru_cache
from typing import Final

import msgspec

from ingest.binance.endpoints import valid_symbol
from ingest.binance.frames import Control, parse_frame
from ingest.binance.rest_rows import Kline
from ingest.binance.wire import DECODE_ERRORS, RefusedError, TradeId, amount, time_us_of
from ingest.errors import MalformedMessageError, SymbolError
from ingest.tick import BAR_STREAMS, BarStream, Market, NonTrade, Tick

LENGTHS_US: Final[dict[BarStream, int]] = {"kline_1s": 1_000_000, "kline_1m": 60_000_000}


class BarUpdate(msgspec.Struct, frozen=True, gc=False):
    """What a kline stream says of a symbol's newest bar.

    Attributes
    ----------
    kline
        The bar once it is closed; None while it forms.
    received_us
        When it came, by our clock.
    """

    market: Market
    symbol: str
    stream: BarStream
    kline: Kline | None
    received_us: int


class _Bar(msgspec.Struct, gc=False):
    # The wire's own letters: t and T are the bar's first and last instant, x whether it is closed.
    t: int
    T: int
    o: str
    c: str
    h: str
    l: str  # noqa: E741 - Binance's name of the low
    v: str
    n: TradeId
    x: bool


class _KlineEvent(msgspec.Struct, tag_field="e", tag="kline", gc=False):
    s: str
    k: _Bar


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: _KlineEvent


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def parse_bar_frame(
    raw: str | bytes, received_us: int, market: Market = "spot"
) -> BarUpdate | Control | None:
    """Turn one message of a combined kline stream into what it means.

    Parameters
    ----------
    raw, received_us, market
        As `parse_frame` takes them.

    Returns
    -------
    BarUpdate | Control | None
        A bar; an answer or notice of the server; None for a known stream that is not ours.

    Raises
    ------
    MalformedMessageError
        For everything else: also for a trade, which was not subscribed here.
    """
    try:
        envelope = _decode_envelope(raw)
    except DECODE_ERRORS as error:
        other = parse_frame(raw, received_us, market)
        if isinstance(other, Tick | NonTrade):
            raise MalformedMessageError("a trade in a stream of bars", raw) from None
        if other is None and b"@kline_" in _as_bytes(raw):
            raise MalformedMessageError(str(error), raw) from None
        return other
    try:
        return _update(envelope, received_us, market)
    except (ValueError, SymbolError) as error:
        raise MalformedMessageError(str(error), raw) from None


def _as_bytes(raw: str | bytes) -> bytes:
    return raw if isinstance(raw, bytes) else raw.encode(errors="replace")


def _update(envelope: _Envelope, received_us: int, market: Market) -> BarUpdate | None:
    symbol, stream = _stream_parts(envelope.stream)
    if envelope.data.s != symbol:
        raise RefusedError(f"stream {envelope.stream[:80]!r} and its payload disagree")
    if stream is None:
        return None
    bar = envelope.data.k
    kline = _kline(bar, LENGTHS_US[stream]) if bar.x else None
    return BarUpdate(market, symbol, stream, kline, received_us)


@lru_cache(maxsize=4096)
def _stream_parts(name: str) -> tuple[str, BarStream | None]:
    """Symbol and kind of a stream's name; kind None where it is not one of ours."""
    written, _, suffix = name.partition("@")
    symbol = written.upper()
    if valid_symbol(symbol) != symbol:
        raise RefusedError(f"symbol {symbol[:40]!r} is not as Binance writes it")
    return symbol, next((each for each in BAR_STREAMS if each == suffix), None)


def _kline(bar: _Bar, length_us: int) -> Kline:
    open_us, close_us = time_us_of(bar.t), time_us_of(bar.T)
    if open_us % length_us or not open_us < close_us < open_us + length_us:
        raise RefusedError("the bar's times are not those of its stream")
    open_, high, low, close, volume = map(amount, (bar.o, bar.h, bar.l, bar.c, bar.v))
    if not 0 < low <= min(open_, close) <= max(open_, close) <= high:
        raise RefusedError("the bar's prices are not 0 < low <= open and close <= high")
    return Kline(open_us, open_, high, low, close, volume, bar.n, close_us)
