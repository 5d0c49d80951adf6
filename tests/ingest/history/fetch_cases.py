"""Days of trades at the scripted exchange, that were never streamed: what a fetch is to bring."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from exchange.market import BEFORE_THE_STREAM, E8, INTERVALS, Kline, Trade
from exchange.past import Past
from exchange.server import Exchange, ThreadedExchange
from exchange.synthetic import SyntheticSymbol

from ingest.history import FetchRequest, JobProgress
from ingest.history.days import DAY_S, day_second
from ingest.history.fetch import fetch
from ingest.store import STORED_ROW, LakeStream, StoredRows
from ingest.store.lake import Lake

if TYPE_CHECKING:
    from ingest.tick import Market

FIRST = date(2026, 3, 1)


class DaysOfTrades:
    """A feed of the past alone: `a_day` trades of each symbol on each of `days` days.

    Parameters
    ----------
    holes
        Of each hundredth trade: so many ids after it are no trade's.
    quiet
        Days, counted from 0, without a trade.
    past_days
        Days of bars, without trades, before the first one.
    """

    def __init__(
        self, days: int, a_day: int = 2000, *, first: date = FIRST, holes: int = 0,
        quiet: tuple[int, ...] = (), past_days: int = 0, seed: int = 1,
    ) -> None:  # fmt: skip
        self._first, self._days, self._a_day = first, days, a_day
        self._holes, self._quiet, self._past_days, self._seed = holes, quiet, past_days, seed

    def prepare(self, exchange: Exchange) -> None:
        for number, tape in enumerate(exchange.venue.tapes.values()):
            rng = np.random.default_rng([self._seed, number])
            price = 100 * E8 + number * E8
            for time_us in self._times_us(rng):
                price += int(rng.integers(-3, 4)) * tape.tick_e8
                quantity = int(rng.integers(1, 500)) * tape.lot_e8
                maker = bool(rng.random() < 0.5)
                trade = Trade(tape.symbol, tape.next_id, price, quantity, time_us, time_us, maker)
                tape.append(trade, BEFORE_THE_STREAM)
                if self._holes and trade.trade_id % 100 == 0:
                    tape.skip_ids(self._holes)
            if self._past_days:
                begins_s = tape[0].time_us // 1_000_000
                leg = SyntheticSymbol(tape.symbol, 100.0)
                tape.past = Past(leg, number, seed=self._seed, end_s=begins_s, days=self._past_days)

    def _times_us(self, rng: np.random.Generator) -> list[int]:
        """Sorted times, some of one millisecond, in whole milliseconds as REST prints them."""
        times: list[int] = []
        for day in set(range(self._days)) - set(self._quiet):
            begin_ms = (day_second(self._first) + day * DAY_S) * 1000
            of_day = rng.integers(begin_ms, begin_ms + DAY_S * 1000, self._a_day)
            of_day[1::10] = of_day[::10][: len(of_day[1::10])]
            times += (of_day * 1000).tolist()
        return sorted(times)

    async def run(self, exchange: Exchange) -> None:
        return


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
