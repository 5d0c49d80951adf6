"""What the scripted exchange knows of its market: every trade, and the shapes it prints them in.

Independent of ``ingest`` on purpose: written from the protocol, so that a misunderstanding there
is not repeated here.

Every trade is its own aggregate: the ``aggTrade`` of trade ``t`` has ``a = f = l = t``.
"""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from exchange.symbols import facts_of

if TYPE_CHECKING:
    from exchange.past import Past

MarketName = Literal["spot", "usdm"]
Kind = Literal["aggTrade", "trade"]

E8 = 100_000_000
BEFORE_THE_STREAM = float("-inf")  # published_s of history: never streamed, known to REST

DAY_US = 86_400_000_000


class Interval:
    """Bars of one length, numbered: those of `length_us` from `offset_us` after the epoch on."""

    def __init__(self, length_us: int, offset_us: int = 0) -> None:
        self._length_us, self._offset_us = length_us, offset_us

    def number_of(self, time_us: int) -> int:
        """Give the number of the bar that holds a time."""
        return (time_us - self._offset_us) // self._length_us

    def opens_us(self, number: int) -> int:
        """Give the time at which a bar opens."""
        return self._offset_us + number * self._length_us


class Months(Interval):
    """Bars of a calendar month, UTC."""

    def __init__(self) -> None:
        super().__init__(DAY_US)

    def number_of(self, time_us: int) -> int:
        day = datetime.fromtimestamp(time_us // 1_000_000, UTC)
        return day.year * 12 + day.month - 1

    def opens_us(self, number: int) -> int:
        return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


INTERVALS = {
    "1s": Interval(1_000_000),
    **{f"{n}m": Interval(n * 60_000_000) for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": Interval(n * 3_600_000_000) for n in (1, 2, 4, 6, 8, 12)},
    "1d": Interval(DAY_US),
    "3d": Interval(3 * DAY_US),
    "1w": Interval(7 * DAY_US, 4 * DAY_US),  # from Monday on: the epoch was a Thursday
    "1M": Months(),
}


class Trade(NamedTuple):
    """One trade; price and quantity in integers of 1e-8, times in microseconds since the epoch."""

    symbol: str
    trade_id: int
    price_e8: int
    quantity_e8: int
    time_us: int
    event_us: int
    buyer_is_maker: bool

    @property
    def price(self) -> float:
        return self.price_e8 / E8

    @property
    def quantity(self) -> float:
        return self.quantity_e8 / E8


def e8(value: str | float | Decimal) -> int:
    """Give a decimal as an integer of 1e-8; more than 8 decimals is an error."""
    scaled = Decimal(str(value)) * E8
    if scaled != int(scaled):
        msg = f"{value} has more than 8 decimals"
        raise ValueError(msg)
    return int(scaled)


def decimal_text(value_e8: int, market: MarketName) -> str:
    """Print as the exchange does: spot with 8 decimals, futures with as many as needed."""
    text = f"{value_e8 // E8}.{value_e8 % E8:08d}"
    return text if market == "spot" else text.rstrip("0").rstrip(".")


def trade_payload(trade: Trade, kind: Kind, market: MarketName, unit_us: int) -> bytes:
    """Give the event of a trade; `unit_us` is 1000 for millisecond times, 1 for microseconds."""
    price = decimal_text(trade.price_e8, market)
    quantity = decimal_text(trade.quantity_e8, market)
    event, when = trade.event_us // unit_us, trade.time_us // unit_us
    maker = "true" if trade.buyer_is_maker else "false"
    number, symbol = trade.trade_id, trade.symbol
    match market, kind:
        case "spot", "trade":
            text = (
                f'{{"e":"trade","E":{event},"s":"{symbol}","t":{number},"p":"{price}",'
                f'"q":"{quantity}","T":{when},"m":{maker},"M":true}}'
            )
        case "spot", _:
            text = (
                f'{{"e":"aggTrade","E":{event},"s":"{symbol}","a":{number},"p":"{price}",'
                f'"q":"{quantity}","f":{number},"l":{number},"T":{when},"m":{maker},"M":true}}'
            )
        case _, "trade":
            text = (
                f'{{"e":"trade","E":{event},"T":{when},"s":"{symbol}","t":{number},"p":"{price}",'
                f'"q":"{quantity}","X":"MARKET","m":{maker},"st":1}}'
            )
        case _:
            text = (
                f'{{"e":"aggTrade","E":{event},"a":{number},"s":"{symbol}","p":"{price}",'
                f'"q":"{quantity}","nq":"{quantity}","f":{number},"l":{number},"T":{when},'
                f'"m":{maker},"st":1}}'
            )
    return text.encode()


def non_trade_payload(symbol: str, number: int, time_us: int) -> bytes:
    """Give the futures event that takes up an id and is no trade."""
    when = time_us // 1000
    return (
        f'{{"e":"trade","E":{when},"T":{when},"s":"{symbol}","t":{number},"p":"0","q":"0",'
        f'"X":"NA","m":true,"st":1}}'
    ).encode()


class Tape:
    """All trades of one symbol in order of id and time, those before the stream included."""

    def __init__(self, symbol: str, first_id: int = 1, market: MarketName = "spot") -> None:
        self.symbol = symbol
        facts = facts_of(symbol, market)
        self.tick_e8, self.lot_e8 = facts.tick_e8, facts.lot_e8  # steps of price and quantity
        self.next_id = first_id
        self.status = "TRADING"
        self.streams: dict[Kind, str] = {
            "aggTrade": f"{symbol.lower()}@aggTrade",
            "trade": f"{symbol.lower()}@trade",
        }
        self.non_trade_ids: list[int] = []
        self.past: Past | None = None  # bars of before the first trade
        self._ids = array("q")
        self._times_us = array("q")
        self._events_us = array("q")
        self._prices_e8 = array("q")
        self._quantities_e8 = array("q")
        self._makers = bytearray()
        self._published_s = array("d")

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Trade:
        return Trade(
            self.symbol,
            self._ids[index],
            self._prices_e8[index],
            self._quantities_e8[index],
            self._times_us[index],
            self._events_us[index],
            bool(self._makers[index]),
        )

    def append(self, trade: Trade, published_s: float) -> None:
        """Take the next trade; its id and time must not go back."""
        if trade.trade_id < self.next_id:
            msg = f"{self.symbol} trade {trade.trade_id} comes after {self.next_id - 1}"
            raise ValueError(msg)
        if self._times_us and trade.time_us < self._times_us[-1]:
            msg = f"{self.symbol} trade {trade.trade_id} is earlier than the one before it"
            raise ValueError(msg)
        self.next_id = trade.trade_id + 1
        self._ids.append(trade.trade_id)
        self._times_us.append(trade.time_us)
        self._events_us.append(trade.event_us)
        self._prices_e8.append(trade.price_e8)
        self._quantities_e8.append(trade.quantity_e8)
        self._makers.append(trade.buyer_is_maker)
        self._published_s.append(published_s)

    def skip_ids(self, count: int) -> range:
        """Use up ids no trade will ever have: a hole at the exchange itself."""
        skipped = range(self.next_id, self.next_id + count)
        self.next_id += count
        return skipped

    def add_non_trade(self) -> int:
        """Use up one id for an event that is no trade."""
        (number,) = self.skip_ids(1)
        self.non_trade_ids.append(number)
        return number

    def published_by(self, moment_s: float) -> int:
        """Count the trades published up to a moment of the monotonic clock."""
        return bisect_right(self._published_s, moment_s)

    def index_of_id(self, trade_id: int) -> int:
        """Give the index of the first trade with this id or a later one."""
        return bisect_left(self._ids, trade_id)

    def index_of_time(self, time_us: int) -> int:
        """Give the index of the first trade at this time or later."""
        return bisect_left(self._times_us, time_us)

    def trades(self, begin: int, end: int) -> list[Trade]:
        return [self[index] for index in range(begin, end)]

    def klines(
        self,
        interval: Interval,
        start_us: int | None,
        end_us: int | None,
        limit: int,
        visible: int,
    ) -> Iterator["Kline"]:
        """Give bars of the first `visible` trades, quiet ones included, the last still forming.

        With `start_us` the first `limit` from there, without it the last `limit` up to `end_us`;
        both ends stand for open times and are included.
        """
        if visible == 0:
            return
        begins_us = self._times_us[0] if self.past is None else self.past.begin_s * 1_000_000
        newest_us = self._times_us[visible - 1]
        if end_us is not None:
            newest_us = min(newest_us, end_us)
        first, last = interval.number_of(begins_us), interval.number_of(newest_us)
        if start_us is not None:
            if start_us > newest_us:
                return
            if start_us > begins_us:
                first = interval.number_of(start_us - 1) + 1
            last = min(last, first + limit - 1)
        else:
            first = max(first, last - limit + 1)
        if self.past is not None and first <= last:
            before = min(last, interval.number_of(self.past.end_s * 1_000_000) - 1)
            if first <= before:
                opens_s = [
                    interval.opens_us(number) // 1_000_000 for number in range(first, before + 2)
                ]
                yield from self.past.klines(opens_s)
            first = max(first, before + 1)
        begin = self.index_of_time(interval.opens_us(first))
        for number in range(first, last + 1):
            open_us, next_us = interval.opens_us(number), interval.opens_us(number + 1)
            end = min(self.index_of_time(next_us), visible)
            yield self._whole_kline(open_us, next_us, begin, end)
            begin = end

    def bar(self, interval: Interval, number: int) -> "Kline | None":
        """Give one bar of all that was traded so far; None before the first trade."""
        open_us, next_us = interval.opens_us(number), interval.opens_us(number + 1)
        begin, end = self.index_of_time(open_us), self.index_of_time(next_us)
        return self._whole_kline(open_us, next_us, begin, end) if end else None

    def ids_of(self, bar: "Kline") -> tuple[int, int]:
        """Give the first and last id of a bar's trades; -1 twice where it has none."""
        begin, end = self.index_of_time(bar.open_us), self.index_of_time(bar.close_us + 1)
        return (self._ids[begin], self._ids[end - 1]) if begin < end else (-1, -1)

    def _whole_kline(self, open_us: int, next_us: int, begin: int, end: int) -> "Kline":
        """Give one bar; what is of the past goes before the tape's trades."""
        past = self.past
        if past is None or open_us >= past.end_s * 1_000_000:
            return self._kline(open_us, next_us, begin, end)
        early = past.part(open_us // 1_000_000)
        return joined(early, self._kline(open_us, next_us, begin, end)) if end else early

    def day(self, begin: int, end: int) -> "Kline":
        """Give some trades as one bar, quickly: its quote volume is rounded."""
        if begin >= end:
            return Kline(*[0] * len(Kline._fields))
        prices = np.frombuffer(self._prices_e8, np.int64)[begin:end]
        quantities = np.frombuffer(self._quantities_e8, np.int64)[begin:end]
        quote = float(np.dot(prices / E8, quantities.astype(np.float64)))
        return Kline(
            open_us=self._times_us[begin],
            close_us=self._times_us[end - 1],
            open_e8=int(prices[0]),
            high_e8=int(prices.max()),
            low_e8=int(prices.min()),
            close_e8=int(prices[-1]),
            volume_e8=int(quantities.sum()),
            quote_volume_e8=round(quote),
            trades=end - begin,
            taker_volume_e8=0,
            taker_quote_volume_e8=0,
        )

    def _kline(self, open_us: int, next_us: int, begin: int, end: int) -> "Kline":
        prices = self._prices_e8[begin:end] or self._prices_e8[begin - 1 : begin]
        quantities = self._quantities_e8[begin:end]
        taken = [not maker for maker in self._makers[begin:end]]
        values = [p * q for p, q in zip(prices, quantities, strict=False)]
        return Kline(
            open_us=open_us,
            close_us=next_us - 1,
            open_e8=prices[0],
            high_e8=max(prices),
            low_e8=min(prices),
            close_e8=prices[-1],
            volume_e8=sum(quantities),
            quote_volume_e8=sum(values) // E8,
            trades=end - begin,
            taker_volume_e8=sum(q for q, buys in zip(quantities, taken, strict=True) if buys),
            taker_quote_volume_e8=sum(v for v, buys in zip(values, taken, strict=False) if buys)
            // E8,
        )


class Kline(NamedTuple):
    """One bar as the exchange counts it: trades with open <= time <= close."""

    open_us: int
    close_us: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    volume_e8: int
    quote_volume_e8: int
    trades: int
    taker_volume_e8: int
    taker_quote_volume_e8: int

    def row(self, market: MarketName, unit_us: int) -> list[Any]:
        """Give the 12 columns of REST."""
        return [
            self.open_us // unit_us,
            decimal_text(self.open_e8, market),
            decimal_text(self.high_e8, market),
            decimal_text(self.low_e8, market),
            decimal_text(self.close_e8, market),
            decimal_text(self.volume_e8, market),
            self.close_us // unit_us,
            decimal_text(self.quote_volume_e8, market),
            self.trades,
            decimal_text(self.taker_volume_e8, market),
            decimal_text(self.taker_quote_volume_e8, market),
            "0",
        ]


def system_time_us() -> int:
    return time.time_ns() // 1000


def joined(early: Kline, late: Kline) -> Kline:
    """Make one bar of two that follow each other inside it."""
    return early._replace(
        close_us=late.close_us,
        high_e8=max(early.high_e8, late.high_e8),
        low_e8=min(early.low_e8, late.low_e8),
        close_e8=late.close_e8,
        volume_e8=early.volume_e8 + late.volume_e8,
        quote_volume_e8=early.quote_volume_e8 + late.quote_volume_e8,
        trades=early.trades + late.trades,
        taker_volume_e8=early.taker_volume_e8 + late.taker_volume_e8,
        taker_quote_volume_e8=early.taker_quote_volume_e8 + late.taker_quote_volume_e8,
    )


class Venue:
    """The symbols of one market, its clock and the tapes: what REST and the streams share."""

    def __init__(
        self, symbols: Iterable[str], market: MarketName, clock_us: Callable[[], int]
    ) -> None:
        self.market = market
        self.tapes = {symbol: Tape(symbol, market=market) for symbol in symbols}
        self.now_us = clock_us  # the exchange's time

    def tape(self, symbol: str) -> Tape:
        """Give a symbol's tape; a symbol the exchange has never heard of is an error."""
        if symbol not in self.tapes:
            msg = f"{symbol} is not traded here: {', '.join(self.tapes)}"
            raise ValueError(msg)
        return self.tapes[symbol]
