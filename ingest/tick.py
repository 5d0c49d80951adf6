"""The trade as the exchange printed it: the one thing that flows out of the feed."""

from typing import Literal

import msgspec

Market = Literal["spot", "usdm"]
StreamKind = Literal["aggTrade", "trade"]
StreamKey = tuple[Market, str, StreamKind]
BarStream = Literal["kline_1s", "kline_1m"]  # the exchange's own bars, as they close

STREAM_KINDS: tuple[StreamKind, ...] = ("aggTrade", "trade")
BAR_STREAMS: tuple[BarStream, ...] = ("kline_1s", "kline_1m")


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One trade (or one aggregate of trades) as printed by the exchange.

    Attributes
    ----------
    market, symbol, stream, trade_id
        Together the identity: the same four are the same trade. ``symbol`` is upper case.
        Ids of the two stream kinds never mix.
    price
        Quote currency per unit of base currency, finite and > 0.
    quantity
        Base currency, finite and > 0.
    time_us
        Trade time by the exchange's clock, microseconds since the epoch, UTC.
    received_us
        When we received it by our clock, same unit. May lie before `time_us`.
    buyer_is_maker
        True: the buyer's order rested in the book, so the seller was the aggressor.
    trades
        Raw trades inside: ``l - f + 1`` of an aggregate, 1 of a plain trade.
    last_raw_id
        Id of the last of these: ``l`` of an aggregate; -1 where it is not known. Not stored.
    """

    market: Market
    symbol: str
    stream: StreamKind
    trade_id: int
    price: float
    quantity: float
    time_us: int
    received_us: int
    buyer_is_maker: bool
    trades: int = 1
    last_raw_id: int = -1


class NonTrade(msgspec.Struct, frozen=True, gc=False):
    """An event that takes up a trade id but is no trade (``X: "NA"``, zero price or quantity)."""

    market: Market
    symbol: str
    stream: StreamKind
    trade_id: int
    time_us: int
    received_us: int
    reason: str


Event = Tick | NonTrade
