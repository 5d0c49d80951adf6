"""Bodies of Binance's REST answers into our types. Pure."""

import reprlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from ingest.binance.wire import (
    DECODE_ERRORS,
    ZERO_MARKER,
    AggRow,
    RefusedError,
    RestError,
    TradeId,
    agg_event,
    amount,
    time_us_of,
)
from ingest.errors import MalformedMessageError, printable
from ingest.tick import Event, Market, NonTrade, Tick

_T = TypeVar("_T")

# Open time, open, high, low, close, volume, close time, quote volume, trades; three more follow.
_KlineColumns = tuple[int, str, str, str, str, str, int, str, TradeId]


class Kline(msgspec.Struct, frozen=True, gc=False):
    """One of the exchange's own bars.

    Prices in quote currency, `volume` in base currency. `close_us` is the bar's last instant as
    printed (of a bar printed in milliseconds it ends in 999000). A bar in which nobody traded
    has `volume` 0 and `trades` 0.
    """

    open_us: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int
    close_us: int


class _RawTradeRow(msgspec.Struct, gc=False):
    """A row of REST ``historicalTrades``; the wire's names."""

    id: TradeId
    price: str
    qty: str
    time: int
    isBuyerMaker: bool  # noqa: N815 - Binance's name


class _DayTicker(msgspec.Struct):
    symbol: str
    lastPrice: str  # noqa: N815 - Binance's name
    quoteVolume: str  # noqa: N815 - Binance's name


class DayTicker(msgspec.Struct, frozen=True, gc=False):
    """A symbol's last 24 hours: its newest price, and what was traded, in quote currency."""

    last_price: float
    quote_volume: float


class _ServerTime(msgspec.Struct):
    serverTime: int  # noqa: N815 - Binance's name


class _Ticker(msgspec.Struct):
    symbol: str
    lastId: int  # noqa: N815 - Binance's name


class _SymbolInfo(msgspec.Struct):
    symbol: str
    status: str


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_SymbolInfo]


class LotSteps(msgspec.Struct, frozen=True):
    """What an order of a symbol is made of; numbers as the exchange prints them.

    `step` and `least` in `base` currency; `least_value`, price times quantity, in `quote`, "0"
    where there is no such limit.
    """

    base: str
    quote: str
    step: str
    least: str
    least_value: str


class Listed(msgspec.Struct, frozen=True):
    """A symbol in the exchange's list: ``TRADING``, ``HALT``, …, and its lot steps.

    `lots` is None where the exchange gives none of use; `listed_us` is when it was listed, 0 where
    the exchange does not say (spot).
    """

    status: str
    lots: LotSteps | None
    base: str = ""
    quote: str = ""
    listed_us: int = 0


class _Filter(msgspec.Struct):
    """One of a symbol's filters; the wire's names. Each kind has some of these fields."""

    filterType: str  # noqa: N815 - Binance's name
    stepSize: str = ""  # noqa: N815 - Binance's name
    minQty: str = ""  # noqa: N815 - Binance's name
    minNotional: str = ""  # noqa: N815 - Binance's name
    notional: str = ""  # futures' name of it


class _TradingRules(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str = ""  # noqa: N815 - Binance's name
    quoteAsset: str = ""  # noqa: N815 - Binance's name
    onboardDate: int = 0  # noqa: N815 - futures' name
    filters: list[_Filter] = []


class _AllRules(msgspec.Struct):
    symbols: list[_TradingRules]


def decode_agg_trades(
    raw: str | bytes, symbol: str, market: Market, received_us: int
) -> list[Event]:
    """Turn the body of a REST ``aggTrades`` answer into events, in the order given.

    Raises
    ------
    MalformedMessageError
        The body is not a list of such rows (an error's body: see `decode_rest_error`).
    """
    rows = _decoded(raw, list[AggRow])
    try:
        return [agg_event(row, symbol, received_us, market) for row in rows]
    except ValueError as error:
        raise MalformedMessageError(str(error), raw) from None


def decode_historical_trades(
    raw: str | bytes, symbol: str, market: Market, received_us: int
) -> list[Event]:
    """Turn the body of a REST ``historicalTrades`` answer into events of the ``trade`` stream.

    Raises
    ------
    MalformedMessageError
        The body is not a list of such rows.
    """
    rows = _decoded(raw, list[_RawTradeRow])
    try:
        return [_raw_trade(row, symbol, market, received_us) for row in rows]
    except ValueError as error:
        raise MalformedMessageError(str(error), raw) from None


def decode_server_time(raw: str | bytes) -> int:
    """Exchange's clock from the body of a REST ``time`` answer, µs since the epoch.

    Raises
    ------
    MalformedMessageError
        The body holds no such time.
    """
    try:
        return time_us_of(_decoded(raw, _ServerTime).serverTime)
    except RefusedError as error:
        raise MalformedMessageError(str(error), raw) from None


def decode_last_ids(raw: str | bytes) -> dict[str, int]:
    """Newest raw trade id of each symbol of a REST ``ticker/24hr`` answer; -1: none in a day.

    Raises
    ------
    MalformedMessageError
        The body is neither a ticker nor a list of them.
    """
    is_list = raw.lstrip()[:1] in {"[", b"["}
    tickers = _decoded(raw, list[_Ticker]) if is_list else [_decoded(raw, _Ticker)]
    return {each.symbol: each.lastId for each in tickers}


def decode_symbol_status(raw: str | bytes, symbol: str) -> str | None:
    """Status of a symbol (``TRADING``, ``HALT``, …) in a REST ``exchangeInfo``; None if not listed.

    Raises
    ------
    MalformedMessageError
        The body is no such answer.
    """
    listed = _decoded(raw, _ExchangeInfo).symbols
    return next((printable(info.status) for info in listed if info.symbol == symbol), None)


def decode_exchange_info(raw: str | bytes) -> dict[str, Listed]:
    """Status and lot steps of the symbols of a REST ``exchangeInfo``.

    Raises
    ------
    MalformedMessageError
        The body is no such answer.
    """
    listed = _decoded(raw, _AllRules).symbols
    return {each.symbol: _listed(each) for each in listed}


def decode_day_tickers(raw: str | bytes) -> dict[str, DayTicker]:
    """Price and volume of the symbols of a REST ``ticker/24hr``; what is no number is left out.

    Raises
    ------
    MalformedMessageError
        The body is no list of tickers.
    """
    tickers = {}
    for each in _decoded(raw, list[_DayTicker]):
        try:
            ticker = DayTicker(amount(each.lastPrice), amount(each.quoteVolume))
        except ValueError:
            continue
        tickers[each.symbol] = ticker
    return tickers


def _listed(rules: _TradingRules) -> Listed:
    base, quote = printable(rules.baseAsset), printable(rules.quoteAsset)
    try:
        listed_us = time_us_of(rules.onboardDate)
    except RefusedError:
        listed_us = 0
    return Listed(printable(rules.status), _lot_steps(rules), base, quote, listed_us)


def _lot_steps(rules: _TradingRules) -> LotSteps | None:
    by_kind = {each.filterType: each for each in rules.filters}
    lot = by_kind.get("LOT_SIZE")
    if lot is None:
        return None
    value = by_kind.get("NOTIONAL") or by_kind.get("MIN_NOTIONAL")
    least_value = (value.minNotional or value.notional or "0") if value else "0"
    numbers = lot.stepSize, lot.minQty, least_value
    try:
        step, *_ = map(amount, numbers)
    except ValueError:
        return None
    base, quote = printable(rules.baseAsset), printable(rules.quoteAsset)
    return LotSteps(base, quote, *numbers) if step else None


def kline_from_row(row: Sequence[Any]) -> Kline:
    """Turn one 12-column row of REST ``klines`` into a bar.

    Raises
    ------
    MalformedMessageError
        The row is none: too short, wrong types, prices not above 0 or out of order.
    """
    try:
        return _kline(msgspec.convert(row[:9], _KlineColumns))
    except (ValueError, TypeError) as error:
        raise MalformedMessageError(str(error), reprlib.repr(row)) from None


def decode_klines(raw: str | bytes) -> list[Kline]:
    """Turn the body of a REST ``klines`` answer into bars, in the order given.

    Raises
    ------
    MalformedMessageError
        The body is not a list of such rows.
    """
    return [kline_from_row(row) for row in _decoded(raw, list[list[Any]])]


def decode_rest_error(raw: str | bytes) -> RestError | None:
    """Code and words of a refused REST call; None where the body carries none."""
    try:
        error = _decoded(raw, RestError)
    except MalformedMessageError:
        return None
    return RestError(error.code, printable(error.msg))


def _raw_trade(row: _RawTradeRow, symbol: str, market: Market, received_us: int) -> Event:
    price, quantity, time_us = amount(row.price), amount(row.qty), time_us_of(row.time)
    if not price or not quantity:
        return NonTrade(market, symbol, "trade", row.id, time_us, received_us, ZERO_MARKER)
    return Tick(
        market, symbol, "trade", row.id, price, quantity, time_us, received_us, row.isBuyerMaker
    )


def _kline(columns: _KlineColumns) -> Kline:
    open_time, close_time, trades = columns[0], columns[6], columns[8]
    open_, high, low, close, volume = (amount(text) for text in columns[1:6])
    if not 0 < low <= min(open_, close) <= max(open_, close) <= high:
        raise RefusedError("the kline's prices are not 0 < low <= open and close <= high")
    return Kline(
        time_us_of(open_time), open_, high, low, close, volume, trades, time_us_of(close_time)
    )


def _decoded(raw: str | bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except DECODE_ERRORS as error:
        raise MalformedMessageError(str(error), raw) from None
