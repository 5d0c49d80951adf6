"""What the lake takes in and says of itself: plain values, no file."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.store.bars import BoolArray, FloatArray, IntArray
from ingest.tick import Market

SourceKind = Literal["dump", "rest", "file", "recording"]


class Source(NamedTuple):
    """Where rows came from.

    Attributes
    ----------
    kind
        One of `SourceKind`.
    name
        Of the file, or what was asked of the exchange.
    checksum
        SHA-256 of the dump as it was published, in hexadecimal; empty where there is none.
    whole_day
        Its rows are all there were from midnight to midnight, UTC: so a dump says, and a recording
        that ran all day. What is before its first trade and after its last one is then known too.
    """

    kind: SourceKind
    name: str
    checksum: str = ""
    whole_day: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TradeColumns:
    """Trades of one stream, a column an array, all of one length, in any order.

    Attributes
    ----------
    trade_id, time_us
        int64; time of the trade in µs since the epoch.
    price, quantity
        int64: units of 1e-8, exact. Or float64: the doubles nearest to the printed decimals, which
        are kept as these decimals (more than eight of them too). A price of 0 is an id that is no
        trade.
    buyer_is_maker
        bool.
    trades
        int32: raw trades inside an aggregate, 1 of a plain trade, 0 where it is not known.
    """

    trade_id: IntArray
    time_us: IntArray
    price: IntArray | FloatArray
    quantity: IntArray | FloatArray
    buyer_is_maker: BoolArray
    trades: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.trade_id)


@dataclass(frozen=True, slots=True, eq=False)
class LakeTicks:
    """Trades as they are read, in order of time, then id: float64 as the database's reader has it.

    `non_trades` are ids, in order, that are no trades.
    """

    time_us: IntArray
    trade_id: IntArray
    price: FloatArray
    quantity: FloatArray
    buyer_is_maker: BoolArray
    non_trades: list[int]


class IdSpan(NamedTuple):
    """Ids without a hole, both ends included, with the times (µs) of the first and the last."""

    first_id: int
    last_id: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class DayReport:
    """What became of the trades given for a day.

    Attributes
    ----------
    rows, added, same
        Rows now held for the day, those that are new, those that were held already.
    conflicts
        Ids that were held with another time, price or quantity: the first one is kept.
    """

    rows: int
    added: int
    same: int
    conflicts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthReport:
    """What became of klines given, over all months they touch.

    Attributes
    ----------
    rows, added, same
        Klines now held in these months, those that are new, those that were held already.
    conflicts
        Open times (seconds) of those that were held with other figures: the first one is kept.
    unfit
        How many were left out: their volume in units of 1e-8 is beyond 2**63.
    """

    rows: int
    added: int
    same: int
    conflicts: tuple[int, ...] = ()
    unfit: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """A file of the lake, for the Data page: a day of trades, or a month of klines.

    Attributes
    ----------
    market, kind, symbol
        `kind` is ``aggTrade``, ``trade``, or ``kline_1min`` and so on.
    period
        ``2024-10-27`` of trades, ``2024-10`` of klines.
    rows, size
        Rows, and bytes on disk: trades with their one-second bars.
    first_us, last_us
        Of its first and last row: times of trades, opens of klines; µs.
    gaps
        Stretches that are missing inside, in the file's own measure: ids ``(first, last)`` of
        trades, seconds ``(low, high)``, `high` excluded, of klines.
    sources
        Whose rows it holds, the first one first.
    """

    market: Market
    kind: str
    symbol: str
    period: str
    rows: int
    size: int
    first_us: int
    last_us: int
    gaps: tuple[tuple[int, int], ...]
    sources: tuple[Source, ...]

    @property
    def whole_day(self) -> bool:
        """Whether a source said that its rows are all of the day."""
        return any(each.whole_day for each in self.sources)
