"""Warm start on virtual time: against the scripted exchange's REST and the real writer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from exchange.market import MarketName
from exchange.virtual import T0_US, VirtualDesk, VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.repair.kline_seed import DAY_US, SPANS_US, KlineSeed, Known, seed_for
from ingest.repair.warm_start import WarmStart
from ingest.rest import SEED_SHARE
from ingest.store import TickReader

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


@dataclass
class Scene:
    exchange: VirtualExchange
    desk: VirtualDesk
    warm: WarmStart

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> float:
        begun_s = self.exchange.now_s()
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)
        return self.exchange.now_s() - begun_s

    def bars(self, length_s: int = 1) -> list[tuple[str, int, float, int]]:
        rows = self.desk.writer._connection.execute(
            "SELECT symbol, second, close, trades FROM kline JOIN stream USING (stream_id)"
            " WHERE length_s = ? ORDER BY symbol, second",
            (length_s,),
        )
        return list(rows)

    def calls(self, interval: str = "1s") -> list[str]:
        """Symbols of the requests for klines of a length."""
        return [
            request.query["symbol"]
            for request in self.exchange.requests
            if request.path.endswith("klines") and request.query["interval"] == interval
        ]

    def is_done(self) -> bool:
        return bool(self.exchange.requests) and not (self.warm.progress or len(self.desk.queue))


@asynccontextmanager
async def scene(
    tmp_path: Path,
    *symbols: str,
    market: MarketName = "spot",
    exchange: VirtualExchange | None = None,
    most_weight: int | None = None,
) -> AsyncIterator[Scene]:
    exchange = exchange or VirtualExchange(*(symbols or ("BTCUSDT",)), market=market)
    desk = VirtualDesk(tmp_path / "ticks.db")
    client = exchange.client(market, most_weight)
    warm = WarmStart(client, desk.queue.put, "aggTrade", now_us=exchange.now_us)
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(warm.run())]
    try:
        yield Scene(exchange, desk, warm)
        assert not any(task.done() for task in tasks), "a task ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        desk.writer.close()


@in_virtual_time
async def test_a_new_symbol_has_every_length_in_seconds_and_all_of_a_day(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26 * 360, 10 * SECOND_US)  # 26 h, every 10 s
        s.warm.add("BTCUSDT")
        s.desk.receive(s.exchange.trade("BTCUSDT"))
        await s.until(lambda: len(s.bars(300)) >= 300 and len(s.bars(60)) >= 900, within_s=2)
        await s.until(lambda: len(s.bars()) >= 900, within_s=2)
        progress = {each.what: each for each in s.warm.progress}
        seconds = progress["1s bars of the last 24 h"]
        assert seconds.total == pytest.approx(86_400, abs=3)
        assert 0 < seconds.done < 86_400
        await s.until(s.is_done)
        bars = s.bars()
        # The exchange prints quiet seconds too, up to its newest trade.
        assert len(bars) == pytest.approx(86_400, abs=5)
        assert [bar[1] for bar in bars] == list(range(bars[0][1], bars[0][1] + len(bars)))
        assert sum(bar[3] for bar in bars) == pytest.approx(8640, abs=2)
        assert len(s.bars(60)) == pytest.approx(26 * 60, abs=1)
        assert len(s.calls()) <= 87 + 8
        assert s.warm.notices == ()


@in_virtual_time
async def test_days_of_coarse_bars_cost_some_twenty_requests(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 36 * 24 * 12, 300 * SECOND_US)  # 36 days
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.bars(300)) >= 35 * 288 and len(s.bars(60)) >= 7 * 1440)
        assert (len(s.calls("5m")), len(s.calls("1m"))) == (11, 11)
        assert len(s.bars(300)) == pytest.approx(35 * 288, abs=1)
        assert len(s.bars(60)) == pytest.approx(7 * 1440, abs=1)


@in_virtual_time
async def test_futures_are_seeded_with_minutes_through_the_first_trade(tmp_path: Path) -> None:
    async with scene(tmp_path, market="usdm") as s:
        s.exchange.history("BTCUSDT", 30 * 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        s.desk.receive(s.exchange.trade("BTCUSDT"), market="usdm")
        await s.until(lambda: len(s.bars(60)) >= 1799, within_s=5)
        first_minute = T0_US // 60_000_000 * 60
        assert s.bars(60)[-1][1] == first_minute - 60
        await asyncio.sleep(60)  # the minute of the first trade closes
        s.exchange.trade("BTCUSDT")
        await s.until(s.is_done)
        assert s.bars(60)[-1][1] == first_minute
        assert s.calls() == []


@in_virtual_time
async def test_a_symbol_recorded_for_long_is_left_alone(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 108, 8 * HOUR_US)  # 36 days
        tape = s.exchange.venue.tape("BTCUSDT")
        for index in (0, 106):
            s.desk.receive(tape[index])
        s.warm.add("BTCUSDT")
        await asyncio.sleep(300)
        assert s.exchange.requests == []


@in_virtual_time
async def test_a_symbol_recorded_for_days_gets_only_what_lies_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 31 * 24, HOUR_US)
        tape = s.exchange.venue.tape("BTCUSDT")
        first = tape[len(tape) - 48]  # two days ago
        s.desk.receive(first)
        s.warm.add("BTCUSDT")
        await s.until(lambda: bool(s.calls("5m")))
        await s.until(s.is_done)
        assert s.calls() == []  # the trades reach further back than a day
        for length in (60, 300):  # through the trade, so that its bar is whole
            assert s.bars(length)[-1][1] == first.time_us // 1_000_000 // length * length
        with closing(TickReader(s.desk.writer.path)) as reader:
            assert "missing" not in set(reader.bars("BTCUSDT", "1min").coverage)
        assert len(s.bars(60)) == pytest.approx(5 * 1440 + 48, abs=60)


@in_virtual_time
async def test_it_goes_on_where_it_stopped_after_a_restart(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 26 * 60, 60 * SECOND_US)
    async with scene(tmp_path, exchange=exchange) as s:
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.calls()) == 40)
        s.desk.receive(exchange.trade("BTCUSDT"))
        await asyncio.sleep(0.0)
        s.desk.store()
    stored = len(exchange.requests)
    async with scene(tmp_path, exchange=exchange) as s:
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(exchange.requests) > stored)
        await s.until(s.is_done)
        assert len(s.bars()) == pytest.approx(86_400, abs=90)
        assert 87 <= len(s.calls()) <= 87 + 10  # what was asked and not stored, and the join
        assert len(s.calls("1m")) <= 8
    async with scene(tmp_path, exchange=exchange) as s:
        asked = len(exchange.requests)
        s.warm.add("BTCUSDT")
        await asyncio.sleep(60)
        assert len(exchange.requests) == asked


@in_virtual_time
async def test_a_removed_symbol_is_left_in_the_midst_of_it(tmp_path: Path) -> None:
    async with scene(tmp_path, "BTCUSDT", "ETHUSDT") as s:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            s.exchange.history(symbol, 26 * 60, 60 * SECOND_US)
            s.warm.add(symbol)
            s.desk.receive(s.exchange.trade(symbol))
        await s.until(lambda: len(s.calls()) >= 20)
        s.warm.remove("BTCUSDT")
        await s.until(s.is_done)
        assert s.calls().count("BTCUSDT") <= 13
        assert s.calls().count("ETHUSDT") >= 87


@in_virtual_time
async def test_coarse_bars_of_all_symbols_come_first_and_symbols_take_turns(
    tmp_path: Path,
) -> None:
    names = tuple(f"A{n}USDT" for n in range(10))
    async with scene(tmp_path, *names) as s:
        for symbol in names:
            s.exchange.history(symbol, 26, HOUR_US)
            s.warm.add(symbol)
        await s.until(lambda: len(s.calls()) >= 20, within_s=10)
        asked = [
            (request.query["interval"], request.query["symbol"])
            for request in s.exchange.requests
            if request.path.endswith("klines")
        ]
        assert {symbol for _, symbol in asked[:20]} == set(names)
        assert {interval for interval, _ in asked[:20]} == {"5m", "1m"}
        assert set(s.calls()[:10]) == set(names)


@in_virtual_time
async def test_a_hundred_symbols_keep_to_the_weight_that_seeding_may_use(
    tmp_path: Path,
) -> None:
    names = tuple(f"A{n}USDT" for n in range(100))
    async with scene(tmp_path, *names) as s:
        for symbol in names:
            s.exchange.history(symbol, 2, 30 * HOUR_US)
            s.warm.add(symbol)
            s.desk.receive(s.exchange.trade(symbol))
        await s.until(lambda: set(s.calls("5m")) == set(s.calls("1m")) == set(names), within_s=60)
        await asyncio.sleep(61)
        times = [(request.at_s, request.weight) for request in s.exchange.requests]
        for begin_s, _ in times[::50]:
            used = sum(weight for at_s, weight in times if begin_s <= at_s < begin_s + 60)
            assert used <= 6000 * 0.5 * SEED_SHARE + 10


@in_virtual_time
async def test_a_symbol_the_exchange_does_not_know_is_asked_for_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.warm.add("NOSUCH")
        await asyncio.sleep(5)
        asked = len(s.exchange.requests)
        await asyncio.sleep(600)
        assert len(s.exchange.requests) == asked
        assert s.warm.progress == ()
        assert s.warm.notices == ()  # the list says it: see `ingest.recorder.listing`


@in_virtual_time
async def test_a_symbol_younger_than_a_day_gets_what_there_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        s.desk.receive(s.exchange.trade("BTCUSDT"))
        await s.until(lambda: bool(s.calls()))
        await s.until(s.is_done)
        assert 3500 < len(s.bars()) <= 3601
        assert len(s.exchange.requests) < 25  # not a page for each quarter of an hour of a day


@in_virtual_time
async def test_failures_and_refusals_only_delay_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26 * 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        s.desk.receive(s.exchange.trade("BTCUSDT"))
        await s.until(lambda: len(s.calls()) >= 5)
        s.exchange.faults.answer_rest(429, retry_after_s=100)
        s.exchange.faults.answer_rest(500, times=3)
        await asyncio.sleep(50)
        progress = s.warm.progress[-1]
        assert progress.waiting_s == pytest.approx(50, abs=2)
        assert "too many requests" in progress.what
        await s.until(s.is_done, within_s=200)
        assert len(s.bars()) > 86_000


@in_virtual_time
async def test_a_question_lost_with_the_writing_thread_is_asked_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26, HOUR_US)
        s.warm.add("BTCUSDT")
        s.desk.queue.take(10, 0.0)  # gone
        await asyncio.sleep(50)
        assert s.exchange.requests == []
        await s.until(lambda: bool(s.calls()))


@in_virtual_time
async def test_more_is_fetched_when_asked_and_asking_twice_does_nothing_more(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 20 * 24, HOUR_US)
        s.warm.add("BTCUSDT")
        s.desk.receive(s.exchange.trade("BTCUSDT"))
        await s.until(s.is_done)
        week = len(s.bars(60))
        s.warm.fetch("BTCUSDT", "1m", DAY_US)  # there already
        await asyncio.sleep(5)
        asked = len(s.exchange.requests)
        s.warm.fetch("BTCUSDT", "1m", 14 * DAY_US)
        s.warm.fetch("BTCUSDT", "1m", 14 * DAY_US)
        await s.until(lambda: any(p.what == "1m bars of the last 14 days" for p in s.warm.progress))
        await s.until(s.is_done)
        assert week == pytest.approx(7 * 1440, abs=2)
        assert len(s.bars(60)) == pytest.approx(14 * 1440, abs=2)
        assert len(s.exchange.requests) - asked <= 12
        asked = len(s.exchange.requests)
        s.warm.fetch("BTCUSDT", "1m", 14 * DAY_US)
        await asyncio.sleep(5)
        assert len(s.exchange.requests) == asked


NOW = T0_US + 100 * HOUR_US
DONE = f"{NOW - DAY_US} {NOW} {NOW - DAY_US}"
HALF = f"{NOW - DAY_US} {NOW} {NOW - 5 * HOUR_US}"


@pytest.mark.parametrize(
    ("first_us", "remembered", "ranges"),
    [
        (0, None, (0, 0, 0)),  # never heard of
        (NOW - 50 * HOUR_US, None, None),  # recorded
        (NOW - HOUR_US, None, (0, 0, NOW - HOUR_US + SECOND_US)),  # since an hour, never seeded
        (NOW - HOUR_US, DONE, None),
        (NOW - HOUR_US, HALF, (NOW - 5 * HOUR_US, NOW, NOW)),
        (0, HALF, (NOW - 5 * HOUR_US, NOW, 0)),
        (0, DONE, (NOW - DAY_US, NOW, 0)),  # no trade yet: on to what is now
        (NOW + 5 * SECOND_US, DONE, (NOW - DAY_US, NOW, NOW + 6 * SECOND_US)),  # the join
        (NOW + 30 * HOUR_US, DONE, (0, 0, NOW + 30 * HOUR_US + SECOND_US)),  # too far for one
        (NOW - HOUR_US, "rubbish", (0, 0, NOW - HOUR_US + SECOND_US)),
        (NOW - HOUR_US, "1 2", (0, 0, NOW - HOUR_US + SECOND_US)),
        (NOW - HOUR_US, f"1 {NOW} 7", (0, 0, NOW - HOUR_US + SECOND_US)),  # not on the grid
    ],
)
def test_what_a_symbol_needs(
    first_us: int, remembered: str | None, ranges: tuple[int, int, int] | None
) -> None:
    known, now_us = Known(first_us, remembered, has_bars=True), max(NOW, first_us)
    seed = seed_for(known, now_us, SECOND_US, DAY_US, is_finest=True)
    assert (seed and (seed.next_us, seed.end_us, seed.until_us)) == ranges


@pytest.mark.parametrize(("ago_s", "until_s"), [(5, 0), (3600, 60)])
def test_coarser_bars_reach_through_the_first_trade_once_that_one_is_over(
    ago_s: int, until_s: int
) -> None:
    minute_us = NOW - ago_s * SECOND_US
    minute_us -= minute_us % (60 * SECOND_US)
    known = Known(minute_us + 17 * SECOND_US, None, has_bars=False)
    now_us = minute_us + (17 + ago_s) * SECOND_US
    seed = seed_for(known, now_us, 60 * SECOND_US, SPANS_US["1m"], is_finest=False)
    assert seed is not None
    assert seed.until_us == minute_us + until_s * SECOND_US


def test_a_seed_of_yesterday_without_a_trade_is_begun_anew() -> None:
    known = Known(0, HALF, has_bars=True)
    seed = seed_for(known, NOW + 25 * HOUR_US, SECOND_US, DAY_US, is_finest=True)
    assert seed == KlineSeed(SECOND_US)


def test_bars_that_retention_deleted_are_not_fetched_again() -> None:
    known = Known(NOW - HOUR_US, DONE, has_bars=False)
    assert seed_for(known, NOW, SECOND_US, DAY_US, is_finest=True) is None


def test_a_bar_is_closed_once_the_exchange_has_a_later_one_or_long_after() -> None:
    seed = KlineSeed(SECOND_US, NOW - DAY_US, NOW - 100 * SECOND_US, NOW, NOW + 5 * SECOND_US)
    at = [NOW + n * SECOND_US for n in range(30)]
    assert seed.page_up() == (at[0], at[7])
    assert seed.closed_up_to(at[3], at[5]) == at[3]  # the one at 3 may still grow
    assert seed.closed_up_to(at[6], at[7]) == at[5]
    assert seed.closed_up_to(0, at[5]) == at[0]
    assert seed.closed_up_to(at[1], at[14]) == at[4]  # nobody has traded since
