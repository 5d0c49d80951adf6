"""Binance's WebSocket messages into our types. Pure: no socket, no clock, no state.

`parse_frame` is what the feed calls on every message. It returns a value for every message
Binance is known to send and raises `MalformedMessageError`, and nothing else, for all others.
"""

from functools import lru_cache
from typing import Annotated, Any

import msgspec

from ingest.binance.endpoints import (
    valid_symbol,
)
from ingest.binance.wire import (
    DECODE_ERRORS,
    INT64_MAX,
    NA_MARKER,
    ZERO_MARKER,
    AggRow,
    RefusedError,
    RestError,
    TradeId,
    agg_event,
    amount,
    time_us_of,
)
from ingest.errors import MalformedMessageError, SymbolError, printable
from ingest.tick import STREAM_KINDS, Event, Market, NonTrade, StreamKind, Tick

MAX_FRAME_CHARS = 4 * 2**20
_BARE_START = b'{"e":"'


class Ack(msgspec.Struct, frozen=True):
    """The exchange accepted request `id`."""

    id: int | str | None


class ErrorReply(msgspec.Struct, frozen=True):
    """The exchange refused request `id` (None when it does not say which)."""

    id: int | str | None
    code: int
    msg: str


class SubscriptionList(msgspec.Struct, frozen=True):
    """The streams this connection carries, answering request `id`."""

    id: int | str | None
    streams: tuple[str, ...]


class ServerShutdown(msgspec.Struct, frozen=True):
    """The server will close this connection soon; `time_us` is when it said so."""

    time_us: int


Control = Ack | ErrorReply | SubscriptionList | ServerShutdown


class _AggTrade(AggRow, tag_field="e", tag="aggTrade", gc=False):
    s: str


class _Trade(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    # The wire's own letters: t is the id, T the time.
    s: str
    t: TradeId
    p: str
    q: str
    T: int
    m: bool
    X: str | None = None  # futures: MARKET, RPI, NA …


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: _AggTrade | _Trade


class _Shutdown(msgspec.Struct, tag_field="e", tag="serverShutdown"):
    E: int


class _Request(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=-(2**63), le=INT64_MAX)] | str | None = None


class _Result(_Request, kw_only=True):
    result: list[str] | None


class _Error(_Request, kw_only=True):
    error: RestError


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_bare = msgspec.json.Decoder(_AggTrade | _Trade).decode
_decode_any = msgspec.json.Decoder().decode


def parse_frame(
    raw: str | bytes, received_us: int, market: Market = "spot"
) -> Tick | NonTrade | Control | None:
    """Turn one WebSocket message into what it means.

    Parameters
    ----------
    raw
        The message: a combined-stream envelope or a bare event.
    received_us
        When it arrived by our clock, µs since the epoch; copied into the result.
    market
        Where it came from; copied into the result.

    Returns
    -------
    Tick | NonTrade | Control | None
        A trade; an event that uses up a trade id but is none; an answer or notice of the
        server; None for a known stream that is not ours (book, klines, …).

    Raises
    ------
    MalformedMessageError
        For everything else, whatever it is.
    """
    try:
        data = raw if isinstance(raw, bytes) else raw.encode()
        if not data.isascii():
            data.decode()  # the decoder does not look at the values that it leaves out
        try:
            if data.startswith(_BARE_START):
                event = _decode_bare(data)
                return _event(event, _wire_symbol(event.s), received_us, market)
            envelope = _decode_envelope(data)
        except DECODE_ERRORS:
            return _parse_uncommon(data, received_us, market)
        return _enveloped_event(envelope, received_us, market)
    # msgspec's and Unicode's errors are ValueErrors.
    except (ValueError, RecursionError) as error:
        raise MalformedMessageError(str(error), raw) from None


def _enveloped_event(envelope: _Envelope, received_us: int, market: Market) -> Event:
    event = envelope.data
    symbol, kind = _stream_parts(envelope.stream)
    if symbol != event.s or kind != ("aggTrade" if type(event) is _AggTrade else "trade"):
        raise RefusedError(f"stream {envelope.stream[:80]!r} and its payload disagree")
    return _event(event, symbol, received_us, market)


def _event(event: _AggTrade | _Trade, symbol: str, received_us: int, market: Market) -> Event:
    if isinstance(event, _AggTrade):
        return agg_event(event, symbol, received_us, market)
    price, quantity = amount(event.p), amount(event.q)
    time_us = time_us_of(event.T)
    if event.X == "NA" or not price or not quantity:
        reason = NA_MARKER if event.X == "NA" else ZERO_MARKER
        return NonTrade(market, symbol, "trade", event.t, time_us, received_us, reason)
    return Tick(
        market, symbol, "trade", event.t, price, quantity, time_us, received_us, event.m, 1, event.t
    )


def _parse_uncommon(
    data: bytes, received_us: int, market: Market
) -> Tick | NonTrade | Control | None:
    """Everything but a well-formed event of ours: answers, other streams, rubbish."""
    if len(data) > MAX_FRAME_CHARS:
        raise RefusedError(f"longer than {MAX_FRAME_CHARS} bytes")
    message = _decode_any(data)
    if isinstance(message, list):
        _check_foreign_array(message)
        return None
    if not isinstance(message, dict):
        raise RefusedError("not a JSON object")
    if "stream" in message:
        return _uncommon_envelope(message, data)
    if "e" in message:
        return _bare_event(message, data, received_us, market)
    return _control_or_foreign(message)


def _uncommon_envelope(message: dict[str, Any], raw: bytes) -> ServerShutdown | None:
    stream, data = message["stream"], message.get("data")
    if not isinstance(stream, str) or not stream:
        raise RefusedError("the stream's name is not a text")
    if not isinstance(data, (dict, list)):
        raise RefusedError("an envelope without data")
    if stream == "!serverShutdown":
        return _shutdown(data)
    if _stream_parts(stream)[1]:
        _decode_envelope(raw)  # it has failed before: again, for the reason
    if isinstance(data, dict) and data.get("e") in STREAM_KINDS:
        raise RefusedError(f"stream {stream[:80]!r} and its payload disagree")
    return None


def _bare_event(
    message: dict[str, Any], data: bytes, received_us: int, market: Market
) -> Event | ServerShutdown | None:
    kind = message["e"]
    if not isinstance(kind, str) or not kind:
        raise RefusedError("the event's kind is not a text")
    if kind in STREAM_KINDS:
        event = _decode_bare(data)
        return _event(event, _wire_symbol(event.s), received_us, market)
    return _shutdown(message) if kind == "serverShutdown" else None


def _control_or_foreign(message: dict[str, Any]) -> Control | None:
    keys = message.keys()
    if "error" in keys:
        error = msgspec.convert(message, _Error)
        return ErrorReply(error.id, error.error.code, printable(error.error.msg))
    if "code" in keys and "msg" in keys:
        refusal = msgspec.convert(message, RestError)
        request = msgspec.convert(message, _Request)
        return ErrorReply(request.id, refusal.code, printable(refusal.msg))
    if "result" in keys and "id" in keys:
        answer = msgspec.convert(message, _Result)
        if answer.result is None:
            return Ack(answer.id)
        return SubscriptionList(answer.id, tuple(answer.result))
    # Spot's bookTicker and partial depth carry no `e`.
    if keys >= {"u", "s", "b", "B", "a", "A"} or keys >= {"lastUpdateId", "bids", "asks"}:
        return None
    raise RefusedError("not a message that Binance is known to send")


def _check_foreign_array(message: list[Any]) -> None:
    # Bare !miniTicker@arr and its like are arrays of events, none of them ours.
    kinds = [item.get("e") if isinstance(item, dict) else None for item in message]
    if not kinds or not all(isinstance(k, str) and k not in STREAM_KINDS for k in kinds):
        raise RefusedError("an array that is no known stream")


def _shutdown(event: object) -> ServerShutdown:
    return ServerShutdown(time_us_of(msgspec.convert(event, _Shutdown).E))


@lru_cache(maxsize=4096)
def _stream_parts(stream: str) -> tuple[str, StreamKind | None]:
    """Symbol (upper case) and kind of a stream's name; kind None where it is not one of ours."""
    name, _, suffix = stream.partition("@")
    for kind in STREAM_KINDS:
        if suffix == kind:
            return _wire_symbol(name.upper()), kind
    return "", None


@lru_cache(maxsize=4096)
def _wire_symbol(text: str) -> str:
    try:
        symbol = valid_symbol(text)
    except SymbolError as error:
        raise RefusedError(str(error)) from None
    if symbol != text:
        raise RefusedError(f"symbol {text[:40]!r} is not as Binance writes it")
    return symbol
