"""What a fetch is to bring, by the exchange's own tapes, and what the lake then holds."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from exchange.days import FIRST
from exchange.market import E8, INTERVALS, Kline, Trade
from exchange.server import Exchange, ThreadedExchange

from ingest.history import FetchRequest, JobProgress
from ingest.history.days import DAY_S, day_second
from ingest.history.fetch import fetch
from ingest.store import STORED_ROW, LakeStream, StoredRows
from ingest.store.lake import Lake

if TYPE_CHECKING:
    from ingest.tick import Market


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def request(
    exchange: ThreadedExchange, symbols: str, first: int, last: int, bars: str | None = "1m",
    market: "Market" = "spot",
) -> FetchRequest:  # fmt: skip
    return FetchRequest(
        market, exchange.rest_url, tuple(symbols.split(",")), day(first), day(last),
        bars,  # type: ignore[arg-type]
    )  # fmt: skip


def fetched(root: Path, wanted: FetchRequest) -> "Said":
    """Fetch, and give what was said."""
    progress = JobProgress()
    fetch(root, wanted, progress)
    return Said(progress)


class Said:
    """The sentences of a job that has ended, and how much it has counted."""

    def __init__(self, progress: JobProgress) -> None:
        from ingest.history import Job

        job = progress.applied_to(Job(1, "fetch", ""))
        self.notes, self.lacking, self.done, self.total = (
            *(job.notes, job.lacking),
            *(job.done, job.total),
        )


def trades_at(exchange: ThreadedExchange, symbol: str) -> list[Trade]:
    return exchange.call(lambda inner: inner.trades(symbol, history=True))


def klines_at(
    exchange: ThreadedExchange, symbol: str, bars: str, first: int, last: int
) -> StoredRows:
    """The exchange's own bars of days, straight from its tape."""

    def rows(inner: Exchange) -> list[Kline]:
        tape = inner.venue.tape(symbol)
        low_us, high_us = (
            day_second(day(first)) * 10**6,
            (day_second(day(last)) + DAY_S) * 10**6 - 1,
        )
        return list(tape.klines(INTERVALS[bars], low_us, high_us, 10**9, len(tape)))

    return np.array(
        [
            (
                *(bar.open_us // 10**6, bar.open_e8 / E8, bar.high_e8 / E8),
                *(bar.low_e8 / E8, bar.close_e8 / E8, bar.volume_e8, bar.trades),
            )
            for bar in exchange.call(rows)
        ],
        STORED_ROW,
    )


def held_klines(root: Path, symbol: str, length_s: int, first: int, last: int) -> StoredRows:
    pieces = Lake(root).pieces(LakeStream("spot", symbol, "aggTrade"))
    return pieces.read(length_s, day_second(day(first)), day_second(day(last)) + DAY_S).rows


def held_trades(root: Path, symbol: str, market: "Market" = "spot") -> list[tuple[object, ...]]:
    """Trades of the lake as tuples: id, time, price, quantity, maker."""
    ticks = Lake(root).ticks(LakeStream(market, symbol, "aggTrade"), 0, 2**60)
    columns = (ticks.trade_id, ticks.time_us, ticks.price, ticks.quantity, ticks.buyer_is_maker)
    return list(zip(*(each.tolist() for each in columns), strict=True))


def as_tuples(trades: list[Trade]) -> list[tuple[object, ...]]:
    return [
        (each.trade_id, each.time_us, each.price, each.quantity, each.buyer_is_maker)
        for each in trades
    ]
