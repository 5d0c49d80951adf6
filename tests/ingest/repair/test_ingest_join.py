"""The join of the exchange's own bars with the first trade: no bar between is missing or partial.

On virtual time against the scripted exchange's REST; the last test is a recorder on sockets. What
bars have to be is computed from the exchange's tape with pandas.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from exchange.feeds import LiveFeed
from exchange.market import MarketName, Tape
from exchange.server import Exchange, ThreadedExchange
from exchange.virtual import T0_US, VirtualDesk, VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.recorder import Recorder
from ingest.repair.warm_start import WarmStart
from ingest.settings import Settings
from ingest.store import BEFORE_FIRST_TRADE, TickReader

SECOND_US = 1_000_000
INTERVALS = {"1s": 1, "5s": 5, "1min": 60, "5min": 300, "1h": 3600}


def of_tape(tape: Tape, seconds: int, last_id: int) -> pd.DataFrame:
    """Bars of everything that was traded up to an id, as pandas makes them."""
    trades = tape.trades(0, tape.index_of_id(last_id + 1))
    frame = pd.DataFrame(
        {"price": [t.price for t in trades], "quantity": [t.quantity for t in trades]},
        index=pd.DatetimeIndex(pd.to_datetime([t.time_us for t in trades], unit="us", utc=True)),
    )
    bars = frame.price.resample(f"{seconds}s").ohlc()
    bars["volume"] = frame.quantity.resample(f"{seconds}s").sum()
    bars["trades"] = frame.price.resample(f"{seconds}s").count()
    return bars


def check_whole(reader: TickReader, tape: Tape, interval: str, before_s: int) -> None:
    """Bars reach over the join, none missing, each of all its trades."""
    bars = reader.bars(tape.symbol, interval)
    last_id = int(reader.ticks(tape.symbol).trade_id.max())
    seconds, truth = INTERVALS[interval], of_tape(tape, INTERVALS[interval], last_id)
    assert "missing" not in set(bars.coverage), f"{interval}: {bars[bars.coverage == 'missing']}"
    reaches = bars.index[0].timestamp() <= before_s - seconds
    assert reaches, f"{interval} begins {bars.index[0]}"
    traded = bars[bars.coverage == "traded"]
    want = truth.loc[traded.index]
    for column in ("open", "high", "low", "close"):
        assert traded[column].tolist() == want[column].tolist(), column
    assert traded.volume.to_numpy() == pytest.approx(want.volume.to_numpy(), rel=1e-12)
    assert traded.trades.tolist() == want.trades.tolist()


class Scene:
    """An exchange with hours of history that goes on trading, and a desk that is started on it."""

    def __init__(self, path: Path, rng: random.Random, market: MarketName = "spot") -> None:
        self.rng, self.market = rng, market
        self.exchange = VirtualExchange("BTCUSDT", "ETHUSDT", market=market)
        self.path = path
        self.streams: set[str] = set()
        self.received: set[str] = set()
        self.desk = VirtualDesk(path)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.exchange.history(symbol, 3 * 3600, SECOND_US, T0_US - SECOND_US)

    async def trade(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.02, 0.6))
            for symbol in ("BTCUSDT", "ETHUSDT"):
                trade = self.exchange.trade(symbol)
                if symbol in self.streams:
                    self.received.add(symbol)
                    self.desk.receive(trade, market=self.market)

    @contextmanager
    def started(self) -> Iterator[WarmStart]:
        """One run of the desk: another `VirtualDesk` on the same database for the next one."""
        self.received.clear()
        warm = WarmStart(
            self.exchange.client(self.market),
            self.desk.queue.put,
            "aggTrade",
            now_us=self.exchange.now_us,
            is_received=self.received.__contains__,
        )
        tasks = [asyncio.create_task(self.desk.run()), asyncio.create_task(warm.run())]
        try:
            yield warm
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
            self.streams.clear()
            self.desk.store()
            self.desk.writer.close()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_bars_are_whole_over_the_join_at_any_phase(
    tmp_path: Path, market: MarketName, seed: int
) -> None:
    @in_virtual_time
    async def start() -> None:
        rng = random.Random(seed)
        s = Scene(tmp_path / "ticks.db", rng, market)
        s.exchange.faults.rest_lag_s = rng.choice([0.0, 0.4, 3.0])
        market_open = asyncio.create_task(s.trade())
        await asyncio.sleep(rng.uniform(0, 90))
        with s.started() as warm:
            warm.add("BTCUSDT")
            await asyncio.sleep(rng.choice([0.0, 0.9, 5.0, 13.4, 26.0]))  # a slow connection
            s.streams.add("BTCUSDT")
            first_s = s.exchange.now_us() // SECOND_US
            await asyncio.sleep(30 if market == "spot" else 90)
        market_open.cancel()
        with closing(TickReader(s.path)) as reader:
            for interval in INTERVALS if market == "spot" else ("1min", "5min", "1h"):
                check_whole(reader, s.exchange.venue.tape("BTCUSDT"), interval, first_s)
            assert reader.gaps().empty

    start()


@in_virtual_time
async def test_a_restart_before_the_first_trade_leaves_no_hole(tmp_path: Path) -> None:
    s = Scene(tmp_path / "ticks.db", random.Random(3))
    market_open = asyncio.create_task(s.trade())
    with s.started() as warm:
        warm.add("BTCUSDT")
        await asyncio.sleep(60)
    await asyncio.sleep(1000)  # the machine is off
    s.desk = VirtualDesk(s.path)
    with s.started() as warm:
        warm.add("BTCUSDT")
        warm.add("ETHUSDT")  # added since
        await asyncio.sleep(12)
        s.streams |= {"BTCUSDT", "ETHUSDT"}
        await asyncio.sleep(60)
    market_open.cancel()
    with closing(TickReader(s.path)) as reader:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            for interval in INTERVALS:
                before_s = (T0_US // SECOND_US) + 1000
                check_whole(reader, s.exchange.venue.tape(symbol), interval, before_s)
        assert reader.gaps().empty


@in_virtual_time
async def test_a_join_that_rest_refuses_is_missing_and_the_ledger_names_it(tmp_path: Path) -> None:
    s = Scene(tmp_path / "ticks.db", random.Random(4))
    market_open = asyncio.create_task(s.trade())
    with s.started() as warm:
        warm.add("BTCUSDT")
        await asyncio.sleep(60)
        s.exchange.faults.answer_rest(500, times=None)
        await asyncio.sleep(10.2)
        s.streams.add("BTCUSDT")
        await asyncio.sleep(20)
        assert any("500" in each.what for each in warm.progress)
    market_open.cancel()
    with closing(TickReader(s.path)) as reader:
        bars = reader.bars("BTCUSDT", "1s")
        (gap,) = reader.gaps("BTCUSDT").to_dict("records")
        missing = bars.index[bars.coverage == "missing"]
        assert gap["cause"] == BEFORE_FIRST_TRADE
        assert (gap["state"], gap["missing"]) == ("open", 0)
        assert missing[0] == gap["after"]
        assert missing[-1] == gap["before"].floor("1s")
        first_minute = missing[-1].floor("1min")
        minutes = reader.bars("BTCUSDT", "1min")
        assert minutes.coverage[first_minute] == "missing"  # a part of it is not known
        assert minutes.coverage[first_minute - pd.Timedelta("2min")] == "traded"


def test_a_recorder_started_at_any_phase_has_every_bar(tmp_path: Path) -> None:
    """Several starts on sockets, and one more symbol added, with REST behind the stream."""
    symbols, rng = ("BTCUSDT", "ETHUSDT", "SOLUSDT"), random.Random(5)
    with ThreadedExchange(symbols, feed=LiveFeed(20, history_s=1200)) as exchange:
        exchange.call(lambda e: setattr(e.faults, "rest_lag_s", 0.3))
        for start in range(3):
            time.sleep(rng.uniform(0, 1))  # the phase of the second, not a wait for anything
            settings = Settings(
                symbols=symbols[:2], db=tmp_path / f"{start}.db",
                ws_url=exchange.ws_url, rest_url=exchange.rest_url,
            )  # fmt: skip
            recorder = Recorder(settings)
            recorder.start()
            recorder.add_symbol(symbols[2])
            try:
                _until_joined(settings.db, symbols)
            finally:
                assert recorder.stop()
            with closing(TickReader(settings.db)) as reader:
                for symbol in symbols:
                    tape = exchange.call(partial(tape_of, symbol=symbol))
                    for interval in ("1s", "1min", "5min"):
                        known = reader.span(symbol)
                        assert known is not None
                        check_whole(reader, tape, interval, int(known[0].timestamp()))


def tape_of(exchange: Exchange, symbol: str) -> Tape:
    return exchange.venue.tape(symbol)


def _until_joined(path: Path, symbols: tuple[str, ...], timeout_s: float = 60.0) -> None:
    """Wait until bars of every length reach over each first trade and some seconds beyond."""
    end_s = time.monotonic() + timeout_s
    with closing(TickReader(path)) as reader:
        while not all(_is_joined(reader, symbol) for symbol in symbols):
            assert time.monotonic() < end_s, reader.gaps().to_dict("records")
            time.sleep(0.05)


def _is_joined(reader: TickReader, symbol: str) -> bool:
    span = reader.span(symbol)
    if span is None or span[1] - span[0] < pd.Timedelta("1s") or len(reader.gaps(symbol)):
        return False
    bars = [reader.bars(symbol, interval) for interval in ("1s", "1min", "5min")]
    return all("klines_until" in each.attrs and len(each) > 2 for each in bars)
