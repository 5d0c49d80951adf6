"""Where Binance answers and what it allows: addresses, symbols, stream names, limits. Pure."""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec

from ingest.errors import SymbolError
from ingest.tick import BarStream, Market, StreamKind

# Limits, from Binance's documentation (spot web-socket-streams, USD-M general info).
MAX_STREAMS: dict[Market, int] = {"spot": 1024, "usdm": 200}  # a connection
MAX_URL_STREAMS = 200  # a longer address is refused on the way; the rest is subscribed by messages
MESSAGES_EVERY_S = 0.35  # spot takes 5 messages a second, pings and pongs counted

# REST request weights (spot: /api/v3, USD-M: /fapi/v1). USD-M klines cost 5 for 500 to 1,000 rows.
REST_WEIGHT_PER_MINUTE: dict[Market, int] = {"spot": 6000, "usdm": 2400}
WEIGHT_AGG_TRADES: dict[Market, int] = {"spot": 4, "usdm": 20}
WEIGHT_KLINES: dict[Market, int] = {"spot": 2, "usdm": 5}
WEIGHT_EXCHANGE_INFO: dict[Market, int] = {"spot": 20, "usdm": 1}
WEIGHT_HISTORICAL_TRADES: dict[Market, int] = {"spot": 25, "usdm": 20}
WEIGHT_TIME = 1
# `ticker/24hr`: spot takes up to 20 symbols for 2 (21 to 100 cost 40, more 80); futures one symbol
# for 1, or all there are for 40.
TICKERS_A_CALL: dict[Market, int] = {"spot": 20, "usdm": 1}
WEIGHT_TICKERS: dict[Market, int] = {"spot": 2, "usdm": 1}
WEIGHT_ALL_TICKERS: dict[Market, int] = {"spot": 80, "usdm": 40}
MAX_REST_ROWS = 1000  # `limit` of aggTrades and klines

# The country is blocked: asking again never helps.
BLOCKED_STATUS = 451
UNKNOWN_SYMBOL_CODE = -1121

# USD-M aggTrades reach back 48 hours; spot has no such limit.
AGG_TRADES_REACH_S: dict[Market, int | None] = {"spot": None, "usdm": 48 * 3600}
# The finest kline each market publishes: futures have no 1s.
FINEST_KLINE: dict[Market, str] = {"spot": "1s", "usdm": "1m"}

MAX_SYMBOLS = 200

_MARKET_NAMES: dict[Market, str] = {"spot": "Binance spot", "usdm": "Binance USD-M futures"}
_WS_URLS: dict[Market, str] = {
    "spot": "wss://data-stream.binance.vision",
    "usdm": "wss://fstream.binance.com",
}
_REST_URLS: dict[Market, str] = {
    "spot": "https://data-api.binance.vision",
    "usdm": "https://fapi.binance.com",
}
# On USD-M's old path a subscription is acknowledged and then no frame ever comes.
_STREAM_PATHS: dict[Market, str] = {"spot": "/stream", "usdm": "/market/stream"}
_REST_PREFIXES: dict[Market, str] = {"spot": "/api/v3", "usdm": "/fapi/v1"}

_SYMBOL = re.compile(r"[^\W_]\w{1,19}")
# As ccxt and others write it: the parts of a pair, what a future settles in, its last day.
_PARTED = re.compile(r"(\w+(?:[/-]\w+)*?)(?::\w+)?(?:-(\d{6}))?")
_SHOWN_CHARS = 40
_MOST_WRITTEN_CHARS = 60


def valid_symbol(text: str) -> str:
    """Return the symbol as Binance writes it, however it is written: the one place that knows.

    Binance's symbols are 2 to 20 of A-Z and 0-9, or letters of a script without cases
    (币安人生USDT); delivery futures carry an underscore. ``btcusdt``, ``BTC/USDT``, ``btc-usdt``
    and ``BTC/USDT:USDT`` mean BTCUSDT, ``BTC/USDT:USDT-260925`` means BTCUSDT_260925.

    Raises
    ------
    SymbolError
        The text cannot be a symbol.
    """
    written = text.strip()
    symbol = _joined(written)
    # Upper-casing comes after the test of letters: "ß".upper() is "SS".
    if all(map(_may_stand, symbol)) and _SYMBOL.fullmatch(symbol):
        return symbol.upper()
    shown = written[:_SHOWN_CHARS] + ("…" if len(written) > _SHOWN_CHARS else "")
    raise SymbolError(
        f"{shown!r} is not a symbol: needs 2 to 20 letters and digits, as BTCUSDT or BTC/USDT"
    )


def _joined(written: str) -> str:
    """Put the parts of a pair together; a text without parts, or that is no pair, as it is."""
    if written.isalnum() or len(written) > _MOST_WRITTEN_CHARS:
        return written
    parts = _PARTED.fullmatch(written)
    if parts is None:
        return written
    name = parts[1].replace("/", "").replace("-", "")
    return f"{name}_{parts[2]}" if parts[2] else name


def _may_stand(letter: str) -> bool:
    """Whether a symbol may hold it: ASCII, or a letter that knows no other case of itself."""
    return letter.isascii() or (letter.isalpha() and letter.upper() == letter == letter.lower())


def parse_symbols(text: str, most: int = MAX_SYMBOLS) -> tuple[str, ...]:
    """Split ``"BTCUSDT,ETHUSDT"`` into valid symbols, repeated ones once, in the order given.

    Raises
    ------
    SymbolError
        A malformed symbol, none at all, or more than `most`.
    """
    words = text.replace(",", " ").split()
    symbols = tuple(dict.fromkeys(valid_symbol(word) for word in words))
    if not symbols:
        raise SymbolError("no symbol given: needs at least one, as BTCUSDT,ETHUSDT")
    if len(symbols) > most:
        raise SymbolError(f"{len(symbols)} symbols given: at most {most} can be followed")
    return symbols


def stream_name(symbol: str, stream: StreamKind | BarStream) -> str:
    """Name of one stream as Binance subscribes it: ``btcusdt@aggTrade``."""
    return f"{valid_symbol(symbol).lower()}@{stream}"


def market_name(market: Market, rest_url: str = "") -> str:
    """Name a market for a reader: ``Binance spot``, with its host where it is not the usual one."""
    host = urlsplit(rest_url).netloc
    return _MARKET_NAMES[market] + (f" ({host})" if host else "")


def default_ws_url(market: Market) -> str:
    """WebSocket host that serves market data only, without a path."""
    return _WS_URLS[market]


def default_rest_url(market: Market) -> str:
    """REST host that serves market data, without a path."""
    return _REST_URLS[market]


def combined_stream_url(
    ws_base: str,
    market: Market,
    symbols: Sequence[str],
    stream: StreamKind | BarStream,
    *,
    microseconds: bool = False,
) -> str:
    """Address of a combined stream that carries `stream` of every symbol.

    Parameters
    ----------
    ws_base
        Scheme and host; a path of ``/ws``, ``/stream`` or ``/market/stream`` is replaced.
    symbols
        May be empty: the connection then waits for SUBSCRIBE messages.
    microseconds
        Ask for 16-digit times (spot only).

    Raises
    ------
    SymbolError
        A malformed symbol, or more streams than one connection may carry.
    """
    if len(symbols) > MAX_STREAMS[market]:
        limit = MAX_STREAMS[market]
        raise SymbolError(f"{len(symbols)} streams: a {market} connection carries at most {limit}")
    base = re.sub(r"(/market)?/(stream|ws)$", "", ws_base.rstrip("/"))
    # What is not ASCII goes into an address as UTF-8 in percents; into a message it goes as it is.
    names = "/".join(quote(stream_name(each, stream), safe="@") for each in symbols)
    query = [f"streams={names}"] if names else []
    if microseconds and market == "spot":
        query.append("timeUnit=MICROSECOND")
    return f"{base}{_STREAM_PATHS[market]}" + (f"?{'&'.join(query)}" if query else "")


def rest_call_url(rest_base: str, market: Market, call: str) -> str:
    """Address of one REST call, without its query: ``https://…/api/v3/aggTrades``."""
    return f"{rest_base.rstrip('/')}{_REST_PREFIXES[market]}/{call}"


def subscribe_message(request_id: int, streams: Sequence[str]) -> str:
    """Text that subscribes the streams; Binance answers it with the same id."""
    return _request("SUBSCRIBE", request_id, streams)


def unsubscribe_message(request_id: int, streams: Sequence[str]) -> str:
    """Text that unsubscribes the streams; Binance answers it with the same id."""
    return _request("UNSUBSCRIBE", request_id, streams)


def _request(method: str, request_id: int, streams: Sequence[str]) -> str:
    message = {"method": method, "params": list(streams), "id": request_id}
    return msgspec.json.encode(message).decode()
