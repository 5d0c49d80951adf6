"""REST of the scripted exchange, without sockets: a path and a query give an answer.

``/api/v3`` on spot and ``/fapi/v1`` on futures: ``ping``, ``time``, ``exchangeInfo``, ``klines``,
``ticker/24hr``, ``aggTrades``; ``historicalTrades`` where the exchange is made with it (the public
host has none).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from exchange.faults import Faults, RestFault
from exchange.market import E8, INTERVALS, Tape, Trade, Venue, decimal_text
from exchange.symbols import exchange_info

BUDGET_PER_MINUTE = {"spot": 6000, "usdm": 2400}
PREFIX = {"spot": "/api/v3/", "usdm": "/fapi/v1/"}
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
TIME_UNIT_HEADER = "X-MBX-TIME-UNIT"


class ApiError(Exception):
    """A refusal in the exchange's own form."""

    def __init__(self, status: int, code: int, msg: str) -> None:
        super().__init__(msg)
        self.status = status
        self.code = code
        self.msg = msg


@dataclass(frozen=True)
class Answer:
    """One REST answer; `weight` is what it cost."""

    status: int
    body: bytes
    weight: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class RestRequest:
    """One request as it came, for assertions; `at_s` is of the monotonic clock."""

    at_s: float
    path: str
    query: Mapping[str, str]
    weight: int
    status: int


def _error_body(code: int, msg: str) -> bytes:
    return json.dumps({"code": code, "msg": msg}).encode()


def _integer(query: Mapping[str, str], name: str) -> int | None:
    if name not in query:
        return None
    if not query[name].isdecimal():
        msg = f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        raise ApiError(400, -1100, msg)
    return int(query[name])


def _limit(query: Mapping[str, str], most: int) -> int:
    limit = _integer(query, "limit")
    if limit == 0:
        raise ApiError(400, -1130, "Data sent for parameter 'limit' is not valid.")
    return 500 if limit is None else min(limit, most)


class Rest:
    """Answers requests and counts their weight in the minute of the exchange's clock."""

    def __init__(self, venue: Venue, faults: Faults, *, historical_trades: bool = False) -> None:
        self._venue = venue
        self._faults = faults
        self._historical_trades = historical_trades
        self._minute = 0
        self._used_weight = 0

    def answer(self, target: str, headers: Mapping[str, str], now_s: float) -> Answer:
        """Answer a request target at a moment of the monotonic clock."""
        path, query = split_target(target)
        fault = self._faults.rest_fault_for(path)
        if fault is not None:
            return self._faulty(fault)
        call = path.removeprefix(PREFIX[self._venue.market])
        weight = self._weight(call, query)
        over_s = self._spend(weight)
        if over_s is not None:
            body = _error_body(-1003, "Too much request weight used; please use WebSocket Streams.")
            return self._finished(429, body, weight, retry_after_s=over_s)
        unit_us = self._unit_us(headers)
        try:
            result = self._call(call, query, unit_us, now_s)
        except ApiError as error:
            return self._finished(error.status, _error_body(error.code, error.msg), weight)
        return self._finished(200, json.dumps(result, separators=(",", ":")).encode(), weight)

    def _finished(
        self, status: int, body: bytes, weight: int, retry_after_s: int | None = None
    ) -> Answer:
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._used_weight)}
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        return Answer(status, body, weight, headers)

    def _faulty(self, fault: RestFault) -> Answer:
        body = _error_body(fault.code, fault.msg)
        return self._finished(fault.status, body, 0, retry_after_s=fault.retry_after_s)

    def _spend(self, weight: int) -> int | None:
        """Count a weight; past the budget, give the seconds until the next minute."""
        now_us = self._venue.now_us()
        if now_us // MINUTE_US != self._minute:
            self._minute, self._used_weight = now_us // MINUTE_US, 0
        self._used_weight += weight
        if self._used_weight <= BUDGET_PER_MINUTE[self._venue.market]:
            return None
        return -(-(MINUTE_US - now_us % MINUTE_US) // 1_000_000)

    def _weight(self, call: str, query: Mapping[str, str]) -> int:
        spot = self._venue.market == "spot"
        match call:
            case "aggTrades":
                return 4 if spot else 20
            case "klines" if spot:
                return 2
            case "klines":
                limit = int(query["limit"]) if query.get("limit", "").isdecimal() else 500
                return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10
            case "exchangeInfo":
                return 20 if spot else 1
            case "historicalTrades":
                return 25 if spot else 20
            case "ticker/24hr":
                return _ticker_weight(query, spot)
            case _:
                return 1

    def _unit_us(self, headers: Mapping[str, str]) -> int:
        asked = headers.get(TIME_UNIT_HEADER, "").upper()
        return 1 if asked == "MICROSECOND" and self._venue.market == "spot" else 1000

    def _call(self, call: str, query: Mapping[str, str], unit_us: int, now_s: float) -> Any:
        match call:
            case "ping":
                return {}
            case "time":
                return {"serverTime": self._venue.now_us() // unit_us}
            case "exchangeInfo":
                return self._exchange_info(query, unit_us)
            case "klines":
                return self._klines(query, unit_us, now_s)
            case "aggTrades":
                return self._agg_trades(query, unit_us, now_s)
            case "ticker/24hr":
                return self._tickers(query, unit_us, now_s)
            case "historicalTrades" if self._historical_trades:
                return self._trades_by_id(query, unit_us, now_s)
            case _:
                raise ApiError(404, -5000, f"Path {call} was not found")

    def _tape(self, query: Mapping[str, str]) -> Tape:
        if not query.get("symbol"):
            msg = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            raise ApiError(400, -1102, msg)
        return self._listed(query["symbol"])

    def _listed(self, symbol: str) -> Tape:
        if symbol not in self._venue.tapes:
            raise ApiError(400, -1121, "Invalid symbol.")
        return self._venue.tapes[symbol]

    def _visible(self, tape: Tape, now_s: float) -> int:
        return tape.published_by(now_s - self._faults.rest_lag_s)

    def _exchange_info(self, query: Mapping[str, str], unit_us: int) -> dict[str, Any]:
        tapes = list(self._venue.tapes.values())
        # Futures take no symbol filter: the whole list comes, whatever was asked.
        if self._venue.market == "spot" and "symbol" in query:
            tapes = [self._listed(query["symbol"])]
        elif self._venue.market == "spot" and "symbols" in query:
            tapes = [self._listed(symbol) for symbol in _names(query["symbols"])]
        elif self._venue.market == "spot" and "symbolStatus" in query:
            tapes = [tape for tape in tapes if tape.status == query["symbolStatus"]]
        return exchange_info(tapes, self._venue.market, self._venue.now_us(), unit_us)

    def _klines(self, query: Mapping[str, str], unit_us: int, now_s: float) -> list[list[Any]]:
        market = self._venue.market
        tape = self._tape(query)
        interval = query.get("interval", "")
        if interval not in INTERVALS or (interval == "1s" and market == "usdm"):
            raise ApiError(400, -1120, "Invalid interval.")
        bars = tape.klines(
            INTERVALS[interval],
            _time_us(query, "startTime"),
            _time_us(query, "endTime"),
            _limit(query, 1000 if market == "spot" else 1500),
            self._visible(tape, now_s),
        )
        return [bar.row(market, unit_us) for bar in bars]

    def _agg_trades(
        self, query: Mapping[str, str], unit_us: int, now_s: float
    ) -> list[dict[str, Any]]:
        tape = self._tape(query)
        limit = _limit(query, 1000)
        begin, end = 0, self._visible(tape, now_s)
        from_id = _integer(query, "fromId")
        start_us, end_us = _time_us(query, "startTime"), _time_us(query, "endTime")
        if from_id is not None and (start_us is not None or end_us is not None):
            raise ApiError(400, -1128, "Combination of optional parameters invalid.")
        if end_us is not None:
            # endTime is included, to the end of its millisecond or microsecond.
            width_us = 1000 if len(query["endTime"]) < 16 else 1
            end = min(end, tape.index_of_time(end_us + width_us))
        if from_id is not None:
            begin = tape.index_of_id(from_id)
        elif start_us is not None:
            begin = tape.index_of_time(start_us)
        else:
            begin = max(0, end - limit)
        trades = tape.trades(begin, min(begin + limit, end))
        return [self._agg_row(trade, unit_us) for trade in trades]

    def _agg_row(self, trade: Trade, unit_us: int) -> dict[str, Any]:
        market = self._venue.market
        row = {
            "a": trade.trade_id,
            "p": decimal_text(trade.price_e8, market),
            "q": decimal_text(trade.quantity_e8, market),
            "f": trade.trade_id,
            "l": trade.trade_id,
            "T": trade.time_us // unit_us,
            "m": trade.buyer_is_maker,
        }
        return row | {"M": True} if market == "spot" else row

    def _tickers(self, query: Mapping[str, str], unit_us: int, now_s: float) -> Any:
        spot = self._venue.market == "spot"
        if "symbol" in query and "symbols" in query:
            raise ApiError(400, -1128, "Combination of optional parameters invalid.")
        if query.get("type", "FULL") not in {"FULL", "MINI"}:
            raise ApiError(400, -1125, "Invalid ticker type.")
        mini = spot and query.get("type") == "MINI"
        if "symbol" in query:
            return self._ticker(self._tape(query), unit_us, now_s, mini=mini)
        tapes = list(self._venue.tapes.values())
        if "symbols" in query and spot:  # futures do not know it: all of them come
            tapes = [self._listed(symbol) for symbol in _names(query["symbols"])]
        return [self._ticker(tape, unit_us, now_s, mini=mini) for tape in tapes]

    def _ticker(self, tape: Tape, unit_us: int, now_s: float, *, mini: bool) -> dict[str, Any]:
        market, now_us = self._venue.market, self._venue.now_us()
        end, begin = self._visible(tape, now_s), tape.index_of_time(now_us - DAY_US)
        day = tape.day(begin, end)

        def text(value_e8: int) -> str:
            return decimal_text(value_e8, market)

        named = {"symbol": tape.symbol}
        prices = {
            "lastPrice": text(day.close_e8),
            "openPrice": text(day.open_e8),
            "highPrice": text(day.high_e8),
            "lowPrice": text(day.low_e8),
            "volume": text(day.volume_e8),
            "quoteVolume": text(day.quote_volume_e8),
            "openTime": (now_us - DAY_US) // unit_us,
            "closeTime": now_us // unit_us,
            "firstId": tape[begin].trade_id if day.trades else -1,
            "lastId": tape[end - 1].trade_id if day.trades else -1,
            "count": day.trades,
        }
        if mini:
            return named | prices
        change_e8 = day.close_e8 - day.open_e8
        percent = 100 * change_e8 / day.open_e8 if day.trades else 0.0
        average_e8 = day.quote_volume_e8 * E8 // day.volume_e8 if day.trades else 0
        sign = "-" if change_e8 < 0 else ""
        told = {
            "priceChange": sign + text(abs(change_e8)),
            "priceChangePercent": f"{percent:.3f}",
            "weightedAvgPrice": text(average_e8),
            "lastQty": text(tape[end - 1].quantity_e8 if day.trades else 0),
        }
        if market == "usdm":
            return named | told | prices
        step_e8 = tape.tick_e8 if day.trades else 0
        book = {
            "prevClosePrice": text(day.open_e8),
            "bidPrice": text(max(day.close_e8 - step_e8, 0)),
            "bidQty": text(tape.lot_e8),
            "askPrice": text(day.close_e8 + step_e8),
            "askQty": text(tape.lot_e8),
        }
        return named | told | book | prices

    def _trades_by_id(
        self, query: Mapping[str, str], unit_us: int, now_s: float
    ) -> list[dict[str, Any]]:
        tape = self._tape(query)
        limit, end = _limit(query, 1000), self._visible(tape, now_s)
        from_id = _integer(query, "fromId")
        begin = max(0, end - limit) if from_id is None else tape.index_of_id(from_id)
        market = self._venue.market
        return [
            {
                "id": trade.trade_id,
                "price": decimal_text(trade.price_e8, market),
                "qty": decimal_text(trade.quantity_e8, market),
                "time": trade.time_us // unit_us,
                "isBuyerMaker": trade.buyer_is_maker,
                "isBestMatch": True,
            }
            for trade in tape.trades(begin, min(begin + limit, end))
        ]


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Give path and query of a request target; of a name given twice the last one counts."""
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def _ticker_weight(query: Mapping[str, str], spot: bool) -> int:
    if "symbol" in query:
        return 2 if spot else 1
    if not spot:
        return 40
    try:
        count = len(_names(query["symbols"])) if "symbols" in query else 1000
    except ApiError:
        return 2
    return 2 if count <= 20 else 40 if count <= 100 else 80


def _time_us(query: Mapping[str, str], name: str) -> int | None:
    """Read a time given in milliseconds or, by its 16 digits, microseconds."""
    value = _integer(query, name)
    if value is None:
        return None
    return value if len(query[name]) >= 16 else value * 1000


def _names(text: str) -> list[str]:
    try:
        names = json.loads(text)
    except json.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ApiError(400, -1100, "Illegal characters found in parameter 'symbols'.")
    return names
