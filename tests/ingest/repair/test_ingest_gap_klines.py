"""The second morning: off overnight, most of it given up, and every bar known all the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from exchange.feeds import LiveFeed, numbered
from exchange.market import BEFORE_THE_STREAM, Interval, MarketName
from exchange.server import Exchange, ThreadedExchange
from exchange.virtual import T0_US, VirtualDesk, VirtualExchange
from exchange.virtual_time import in_virtual_time
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import Kline
from ingest.recorder import Recorder
from ingest.repair.backfill import Backfill
from ingest.repair.gap_klines import GapKlines
from ingest.repair.gap_seed import (
    Page,
    done_after,
    joined,
    next_page,
    not_requested,
    remembered,
    text_of,
    wanted,
)
from ingest.repair.limits import BackfillLimits
from ingest.repair.warm_start import WarmStart
from ingest.settings import Settings
from ingest.store import Gap, TickReader, TickWriter
from ingest.tick import StreamKey, Tick

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
SYMBOL = "BTCUSDT"
KEY: StreamKey = ("spot", SYMBOL, "aggTrade")
EVERY_INTERVAL = {
    "1s": 1, "5s": 5, "15s": 15, "30s": 30, "1min": 60, "5min": 300, "15min": 900, "1h": 3600,
}  # fmt: skip
INTERVALS = {"1s": 1, "5s": 5, "15s": 15, "30s": 30, "1min": 60, "5min": 300, "15min": 900}


class Desk:
    """One exchange, and a desk on the same database that is started and stopped."""

    def __init__(self, path: Path, market: MarketName = "spot") -> None:
        self.path, self.market = path, market
        self.exchange = VirtualExchange(SYMBOL, market=market)
        self.is_streamed = False
        self.desk: VirtualDesk | None = None

    async def trade(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            trade = self.exchange.trade(SYMBOL)
            if self.is_streamed and self.desk is not None:
                self.desk.receive(trade, market=self.market)

    @asynccontextmanager
    async def started(self, hours: float) -> AsyncIterator["tuple[Backfill, GapKlines]"]:
        desk = self.desk = VirtualDesk(self.path)
        client, put = self.exchange.client(self.market), desk.queue.put
        now_us = self.exchange.now_us
        backfill = Backfill(
            desk.board, client, put, "aggTrade", limits=BackfillLimits(max_span_s=hours * 3600),
            now_us=now_us,
        )  # fmt: skip
        warm = WarmStart(client, put, "aggTrade", now_us=now_us)
        over_gaps = GapKlines(client, put, "aggTrade", desk.board, now_us=now_us)
        works = (desk.run(), backfill.run(), warm.run(), over_gaps.run())
        tasks = [asyncio.create_task(work) for work in works]
        warm.add(SYMBOL)
        over_gaps.add(SYMBOL)
        self.is_streamed = True
        try:
            yield backfill, over_gaps
            assert not any(task.done() for task in tasks), "a task ended by itself"
        finally:
            self.is_streamed = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            desk.store()
            desk.writer.close()

    def kline_calls(self) -> list[tuple[str, int]]:
        return [
            (request.query["interval"], int(request.query["startTime"]))
            for request in self.exchange.requests
            if request.path.endswith("klines")
        ]

    def truth(self, seconds: int) -> pd.DataFrame:
        """Bars of all that was traded, as pandas makes them."""
        tape = self.exchange.venue.tape(SYMBOL)
        trades = tape.trades(0, len(tape))
        times = pd.to_datetime([each.time_us for each in trades], unit="us", utc=True)
        frame = pd.DataFrame(
            {
                "price": [each.price for each in trades],
                "volume": [each.quantity for each in trades],
            },
            index=pd.DatetimeIndex(times),
        )
        bars = frame.price.resample(f"{seconds}s").ohlc()
        bars["volume"] = frame.volume.resample(f"{seconds}s").sum()
        bars["trades"] = frame.price.resample(f"{seconds}s").count()
        return bars

    def check(self, reader: TickReader, name: str, least: int) -> None:
        """Bars over the whole gap are those of all trades, none missing."""
        bars = reader.bars(SYMBOL, name)
        closed = bars.iloc[:-1]  # the newest one is still forming
        assert "missing" not in set(closed.coverage.tail(least)), name
        assert len(closed) >= least
        traded = closed[closed.coverage == "traded"].tail(least)
        want = self.truth(INTERVALS[name]).loc[traded.index]
        for column in ("open", "high", "low", "close", "trades"):
            assert traded[column].tolist() == want[column].tolist(), (name, column)
        assert traded.volume.to_numpy() == pytest.approx(want.volume.to_numpy(), rel=1e-12)


@pytest.mark.parametrize(("off_h", "hours"), [(14, 0.5), (14, 0.01), (30, 6)])
def test_the_second_morning_has_every_bar_at_every_interval(
    tmp_path: Path, off_h: float, hours: float
) -> None:
    @in_virtual_time
    async def scenario() -> None:
        s = Desk(tmp_path / "ticks.db")
        s.exchange.history(SYMBOL, 2 * 3600 // 5, 5 * SECOND_US, T0_US - SECOND_US)
        trades = asyncio.create_task(s.trade(3.7))
        async with s.started(hours):
            await asyncio.sleep(600)
        await asyncio.sleep(off_h * 3600)
        begun_us = s.exchange.now_us()
        async with s.started(hours) as (_, over_gaps):
            await asyncio.sleep(45)
            assert over_gaps.progress == ()
            with closing(TickReader(s.path)) as reader:
                for name in INTERVALS:
                    s.check(reader, name, 60)
                (gap,) = reader.gaps(SYMBOL).query("state == 'expired'").to_dict("records")
                bars = reader.bars(SYMBOL, "1min")
                ((low, high),) = bars.attrs["kline_spans"]
                assert low == gap["after"].floor("1min")
                assert high == gap["before"].floor("1min") + pd.Timedelta("1min")
                assert (gap["before"].timestamp() * SECOND_US) == pytest.approx(
                    begun_us - hours * HOUR_US, abs=60 * SECOND_US
                )
            await asyncio.sleep(600)  # the longest bars over the ends are closed and fetched
            asked = len(s.exchange.requests)
        async with s.started(hours):
            await asyncio.sleep(60)
            again = s.kline_calls()[-8:]
            assert len(s.exchange.requests) - asked < 20, again  # nothing twice
        trades.cancel()

    scenario()


class Night:
    """A made-up market that is streamed for an evening, and goes on unseen for a night."""

    def __init__(self, hours: float) -> None:
        self.ahead_us = 0
        self.off_s = round(hours * 3600)
        self.feed = LiveFeed(0.5, history_s=1200, past_days=4, duration_s=3, after_clients=1)

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.ahead_us

    def pass_(self, exchange: Exchange) -> None:
        """Trade all night, and stream again to whoever comes."""
        market, tapes = self.feed._market, exchange.venue.tapes
        assert market is not None
        self.ahead_us += self.off_s * SECOND_US
        for trade in numbered(exchange, list(tapes), market.advance(self.off_s)):
            tapes[trade.symbol].append(trade, BEFORE_THE_STREAM)
        self.ahead_us += max(0, market.now_us - self.now_us())
        self.feed._duration_s = None
        exchange.run_script(self.feed.run)


@pytest.mark.timeout(240)  # it writes and reads days of bars, twice
def test_a_recorder_has_every_bar_on_the_second_morning(tmp_path: Path) -> None:
    """On sockets: 60 bars and more of every interval, an hour's too, as the exchange has them."""
    symbols, night = ("BTCUSDT", "ETHUSDT"), Night(14)
    with ThreadedExchange(symbols, feed=night.feed, clock_us=night.now_us) as exchange:
        settings = Settings(
            symbols=symbols, db=tmp_path / "ticks.db", backfill_hours=0.05,
            ws_url=exchange.ws_url, rest_url=exchange.rest_url,
        )  # fmt: skip
        with _running(settings, night) as reader:
            _until(lambda: all(_minutes(reader, each) >= 4000 for each in symbols))
        exchange.call(night.pass_)
        with _running(settings, night) as reader:
            _until(lambda: all(_is_known(reader, each) for each in symbols))
            for symbol in symbols:
                given_up = reader.gaps(symbol).query("state == 'expired'")
                assert (given_up.klines_from_s == 1).all()
                assert len(given_up) == 1
                for name, seconds in EVERY_INTERVAL.items():
                    _compare(exchange, reader, symbol, name, seconds)


@contextmanager
def _running(settings: Settings, night: Night) -> Iterator[TickReader]:
    recorder = Recorder(settings, now_us=night.now_us)
    recorder.start()
    try:
        _until(settings.db.exists)
        with closing(TickReader(settings.db)) as reader:
            yield reader
    finally:
        assert recorder.stop()


def _until(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.5)  # each look reads all bars


def _minutes(reader: TickReader, symbol: str) -> int:
    return len(reader.bars(symbol, "1min")) if reader.span(symbol) else 0


def _is_known(reader: TickReader, symbol: str) -> bool:
    """Whether the night is over and the last 60 closed bars of every interval are there."""
    if reader.gaps(symbol).query("state == 'expired'").empty:
        return False
    tails = [reader.bars(symbol, name).iloc[:-1].tail(60) for name in EVERY_INTERVAL]
    return all(len(each) == 60 and "missing" not in set(each.coverage) for each in tails)


def _compare(
    exchange: ThreadedExchange, reader: TickReader, symbol: str, name: str, seconds: int
) -> None:
    """Closed bars of the night's end and of the evening are the exchange's own klines."""
    bars = reader.bars(symbol, name).iloc[:-1].tail(1000)
    first_us = bars.index[0].value // 1000
    spans = reader.bars(symbol, name).attrs["kline_spans"]
    assert len(spans) == 1
    assert spans[0][1] - spans[0][0] > pd.Timedelta("13h")
    tape, length = exchange.call(lambda e: e.venue.tape(symbol)), Interval(seconds * SECOND_US)
    klines = exchange.call(
        lambda _: list(tape.klines(length, first_us, None, len(bars), len(tape)))
    )
    by_open = {kline.open_us: kline for kline in klines}
    for at, bar in zip(bars.index, bars.itertuples(), strict=True):
        kline = by_open[at.value // 1000]
        assert bar.trades == kline.trades, (name, at)
        if bar.trades:
            prices = (kline.open_e8, kline.high_e8, kline.low_e8, kline.close_e8)
            assert (bar.open, bar.high, bar.low, bar.close) == tuple(p / 1e8 for p in prices)
            assert bar.volume == pytest.approx(kline.volume_e8 / 1e8, rel=1e-12)


GAP = Gap(2, 9, 2, 9, T0_US + 90 * SECOND_US, T0_US + 30 * MINUTE_US, "stopped", "expired")


@pytest.mark.parametrize(
    ("state", "name", "is_finest", "span"),
    [
        ("expired", "1s", True, (90, 1801)),
        ("expired", "1m", False, (60, 1860)),
        ("expired", "5m", False, (0, 2100)),
        ("open", "1m", False, (60, 1860)),  # the coarse ones, for it takes long to fill
        ("open", "1s", True, None),
        ("absent", "1m", False, None),  # nothing is missing there
    ],
)
def test_what_a_gap_wants(state, name, is_finest, span) -> None:
    gap = replace(GAP, state=state)
    found = wanted([gap], name, T0_US + HOUR_US, is_finest=is_finest)
    assert found == ([] if span is None else [tuple(T0_US + s * SECOND_US for s in span)])


def test_a_bar_that_is_not_closed_yet_is_not_wanted() -> None:
    now_us = GAP.before_us + 12 * SECOND_US
    assert wanted([GAP], "1s", now_us, is_finest=True)[0][1] == GAP.before_us + SECOND_US
    assert wanted([GAP], "1m", now_us, is_finest=False)[0][1] == T0_US + 30 * MINUTE_US
    short = replace(GAP, after_us=GAP.before_us - 5 * SECOND_US, state="open")
    assert wanted([short], "1m", T0_US + HOUR_US, is_finest=False) == []


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 900)), min_size=1, max_size=6))
def test_pages_ask_for_all_that_is_lacking_and_come_to_an_end(drawn) -> None:
    spans = joined((T0_US + a * MINUTE_US, T0_US + (a + n) * MINUTE_US) for a, n in drawn)
    left = spans
    done: list[tuple[int, int]] = []
    for _ in range(20):
        page = next_page(left, "1m")
        if page is None:
            break
        assert 0 < page.high_us - page.low_us <= 1000 * MINUTE_US
        done = done_after(done, page, T0_US)
        left = not_requested(spans, remembered(text_of(done)))
    assert left == []


@pytest.mark.parametrize("text", [None, "", "1", "1 x", "-1 5", "1 2 3"])
def test_what_was_remembered_otherwise_is_nothing(text) -> None:
    assert remembered(text) == []
    assert next_page([], "1m") is None
    assert isinstance(next_page([(0, MINUTE_US)], "1m"), Page)


def test_klines_in_a_gap_are_none_before_the_first_trade(tmp_path: Path) -> None:
    """What retention deleted of the time before is not fetched again because a gap has bars."""
    writer = TickWriter(tmp_path / "ticks.db")

    def tick(number: int, at_s: int) -> Tick:
        time_us = T0_US + at_s * SECOND_US
        return Tick(*KEY, number, 1.0, 1.0, time_us, time_us, buyer_is_maker=False)

    def bar(at_s: int) -> Kline:
        return Kline(T0_US + at_s * SECOND_US, 1.0, 1.0, 1.0, 1.0, 1.0, 1, T0_US)

    writer.write([tick(1, 0), tick(9, 600)])
    writer.add_klines(KEY, 60, [bar(60)])
    assert not writer.has_klines(KEY, 60)
    writer.add_klines(KEY, 60, [bar(-60)])
    assert writer.has_klines(KEY, 60)
    assert not writer.has_klines(KEY, 300)
    writer.close()
