"""A universe recorded in bars by the real recorder, from the scripted exchange on the loopback."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from exchange.feeds import LiveFeed
from exchange.market import E8, INTERVALS, Trade
from exchange.server import Exchange, ThreadedExchange

from ingest.binance import Kline
from ingest.recorder import Recorder
from ingest.settings import parse_settings
from ingest.status import UniverseStatus
from ingest.store import TickReader, TickWriter
from ingest.tick import StreamKey

MANY = [f"C{number:03d}USDT" for number in range(120)]
WITHIN_S = 20.0


class Steady:
    """One trade of each symbol in each second, 20 of them before the opening."""

    def prepare(self, exchange: Exchange) -> None:
        now_us = exchange.venue.now_us()
        for back in range(20, 0, -1):
            self._trade(exchange, now_us - back * 1_000_000, float("-inf"))

    async def run(self, exchange: Exchange) -> None:
        while True:
            await asyncio.sleep(1.3 - time.time() % 1)
            self._trade(exchange, exchange.venue.now_us(), exchange.now_s())
            exchange.hub.flush()

    def _trade(self, exchange: Exchange, time_us: int, published_s: float) -> None:
        for place, (name, tape) in enumerate(exchange.venue.tapes.items()):
            number = tape.next_id
            price, size = E8 + (place + 1) * (number % 17), (number % 5 + 1) * E8
            trade = Trade(name, number, price, size, time_us, time_us, number % 2 == 0)
            tape.append(trade, published_s)
            exchange.hub.publish_trade(tape, trade)


@contextmanager
def recording(exchange: ThreadedExchange, path: Path, *options: str) -> Iterator[Recorder]:
    where = ("--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url)
    recorder = Recorder(parse_settings([*where, "--db", str(path / "ticks.db"), *options], {}))
    recorder.start()
    try:
        yield recorder
    finally:
        assert recorder.stop()


def until(
    condition: Callable[[], object], within_s: float = WITHIN_S, every_s: float = 0.05
) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come to be"
        time.sleep(every_s)


def bars_of(path: Path, length_s: int = 1) -> dict[str, dict[int, tuple[float, int, int]]]:
    """Close, volume and trades of what is stored, by symbol and second."""
    found: dict[str, dict[int, tuple[float, int, int]]] = {}
    with closing(sqlite3.connect(f"file:{path / 'ticks.db'}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT symbol, second, close, volume, trades FROM kline JOIN stream USING (stream_id)"
            " WHERE length_s = ?",
            (length_s,),
        )
        for symbol, second, *bar in rows:
            found.setdefault(symbol, {})[second] = tuple(bar)
    return found


def bars_at(
    exchange: Exchange, symbol: str, low_s: int, high_s: int
) -> dict[int, tuple[float, int, int]]:
    """The same of the exchange's own trades, opened in ``low_s … high_s``."""
    tape, interval = exchange.venue.tape(symbol), INTERVALS["1s"]
    bars = {second: tape.bar(interval, second) for second in range(low_s, high_s)}
    return {
        second: (bar.close_e8 / 1e8, bar.volume_e8, bar.trades)
        for second, bar in bars.items()
        if bar is not None
    }


def test_every_closed_bar_of_many_symbols_is_stored_also_of_a_lost_connection(
    tmp_path: Path,
) -> None:
    names = ["BTCUSDT", "ETHUSDT", "USDCUSDT", *MANY]
    with ThreadedExchange(names, feed=Steady()) as exchange:
        with recording(
            *(exchange, tmp_path, "--symbols", "BTCUSDT,ETHUSDT"),
            *("--universe", "USDT", "--universe-bars", "1s"),
        ) as recorder:

            def universe() -> UniverseStatus:
                status = recorder.status().universe
                assert status is not None
                return status

            until(lambda: universe().received > 2 * len(MANY), every_s=0.2)
            begin_s = time.time()
            until(lambda: time.time() > begin_s + 1.5)
            cut_s = time.time()
            fetched = universe().fetched
            exchange.faults.refuse_handshakes(times=2)
            exchange.call(lambda each: _cut(each, "kline"))
            until(lambda: universe().connections == (1, 1) and time.time() > cut_s + 1.5)
            end_s = int(time.time()) - 1
            lows = range(int(begin_s) + 1, end_s)
            until(lambda: _are_there(tmp_path, lows), 40.0, 0.2)
            status = recorder.status()
            assert universe().fetched >= fetched + len(MANY)  # what nobody sent
            assert set(recorder.bar_symbols) == {*MANY}
        stored = bars_of(tmp_path)
        expected = exchange.call(
            lambda each: {name: bars_at(each, name, lows[0], end_s) for name in MANY}
        )
        trades = {name: exchange.trades(name) for name in ("BTCUSDT", "ETHUSDT")}
    assert {
        name: {second: bar for second, bar in stored[name].items() if second in lows}
        for name in MANY
    } == expected
    assert status.universe is not None
    assert status.universe.left_out == (("USDCUSDT", "a stablecoin against a stablecoin"),)
    assert status.symbols == ("BTCUSDT", "ETHUSDT")
    assert all(each.missing_ids == 0 for each in status.per_symbol.values())
    with TickReader(tmp_path / "ticks.db") as reader:
        for name, made in trades.items():
            ids = reader.ticks(name)["trade_id"].to_list()
            assert ids == [each.trade_id for each in made if ids[0] <= each.trade_id <= ids[-1]]


def _cut(exchange: Exchange, kind: str) -> None:
    for session in exchange.connections:
        if any(kind in stream for stream in session.subscriptions):
            session.connection.reset()


def _are_there(path: Path, seconds: range) -> bool:
    with closing(sqlite3.connect(f"file:{path / 'ticks.db'}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM kline JOIN stream USING (stream_id)"
            " WHERE length_s = 1 AND symbol LIKE 'C%' AND second BETWEEN ? AND ?",
            (seconds[0], seconds[-1]),
        ).fetchone()
    return bool(count == len(MANY) * len(seconds))


def test_who_leaves_keeps_its_history_and_who_joins_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["AUSDT", "BUSDT", "CUSDT"]
    with ThreadedExchange(names, feed=LiveFeed(5.0, history_s=20)) as exchange:
        with recording(
            exchange, tmp_path, "--universe", "USDT", "--universe-bars", "1s"
        ) as recorder:
            assert recorder.symbols == ()
            until(lambda: {*bars_of(tmp_path)} == {*names})
            assert recorder.status().is_bars_only
            assert set(recorder.bar_symbols) == {*names}
            exchange.call(lambda each: each.delist("BUSDT"))
            exchange.call(lambda each: each.list_symbol("NEWUSDT"))
            exchange.push("NEWUSDT", "7", "1")
            assert recorder._universe is not None
            recorder._universe.look_now()
            until(lambda: set(recorder.bar_symbols) == {"AUSDT", "CUSDT", "NEWUSDT"})
            until(lambda: "NEWUSDT" in bars_of(tmp_path))
            kept = bars_of(tmp_path)["BUSDT"]
        assert bars_of(tmp_path)["BUSDT"] == kept
        said = capsys.readouterr().err
        assert "BUSDT left: not trading (BREAK); what is stored of it stays" in said
        assert "NEWUSDT joined: newly listed" in said
        asked = len(exchange.requests())
        with recording(exchange, tmp_path) as again:  # of the last run, before anybody is asked
            assert set(again.bar_symbols) == {"AUSDT", "CUSDT", "NEWUSDT"}
            status = again.status().universe
            assert status is not None
            assert [each.kind for each in status.changes] == ["left", "joined"]
            before = bars_of(tmp_path)["AUSDT"]
            until(lambda: max(bars_of(tmp_path)["AUSDT"]) > max(before) + 1)
        paths = [each.path for each in exchange.requests()[asked:]]
        assert not any(path.endswith("ticker/24hr") for path in paths)
        with recording(exchange, tmp_path, "--universe", "none") as ended:
            assert (ended.bar_symbols, ended.status().universe) == ((), None)
            assert ended.symbols == ()
        with recording(exchange, tmp_path) as without:
            assert without.status().universe is None


def test_trades_of_a_universe_are_recorded_where_that_is_wanted(tmp_path: Path) -> None:
    names = ["AUSDT", "BUSDT", "CUSDT", "DBTC"]
    with (
        ThreadedExchange(names, feed=LiveFeed(5.0, history_s=20)) as exchange,
        recording(
            *(exchange, tmp_path, "--symbols", "DBTC"),
            *("--universe", "USDT:2", "--universe-depth", "trades"),
        ) as recorder,
    ):
        until(lambda: len(recorder.symbols) == 3)
        assert recorder.symbols[0] == "DBTC"
        until(lambda: all(each.stored for each in recorder.status().per_symbol.values()))
        assert recorder.bar_symbols == ()


def test_a_pause_asks_for_nothing_and_what_is_missed_is_fetched(tmp_path: Path) -> None:
    with (
        ThreadedExchange(["AUSDT"], feed=Steady()) as exchange,
        recording(exchange, tmp_path, "--universe", "USDT", "--universe-bars", "1s") as recorder,
    ):
        until(lambda: len(bars_of(tmp_path).get("AUSDT", ())) > 3)
        recorder.pause()
        until(lambda: not exchange.call(lambda each: len(each.connections)))
        assert recorder.status().state == "paused"
        paused_s = time.time()
        until(lambda: time.time() > paused_s + 2)
        recorder.resume()
        until(lambda: recorder.status().state == "live")
        lows = range(int(paused_s) - 1, int(paused_s) + 4)
        until(lambda: set(lows) <= set(bars_of(tmp_path)["AUSDT"]), 30.0)


def test_bars_of_many_streams_go_into_one_transaction(tmp_path: Path) -> None:
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        bar = Kline(60_000_000_000, 1.0, 2.0, 0.5, 1.5, 3.25, 7, 60_059_999_000)
        keys: list[StreamKey] = [("spot", name, "aggTrade") for name in MANY]
        commits = writer._connection.total_changes
        writer.add_all_klines(60, {key: [bar] for key in keys})
        assert writer._connection.total_changes > commits
        assert writer.kline_spans(keys[0], 60, (0, 10**9)) == [(60_000, 60_060)]
        later = Kline(60_180_000_000, 1.0, 2.0, 0.5, 1.5, 3.25, 7, 60_239_999_000)
        writer.add_klines(keys[0], 60, [later])
        spans = [(60_000, 60_060), (60_180, 60_240)]
        assert writer.kline_spans(keys[0], 60, (0, 10**9)) == spans
        assert writer.kline_spans(keys[0], 60, (60_001, 10**9)) == spans[1:]
        assert writer.kline_spans(("spot", "ZUSDT", "aggTrade"), 60, (0, 10**9)) == []
    with TickReader(tmp_path / "ticks.db") as reader:
        assert reader.symbols() == sorted(MANY)
        frame = reader.bars("C000USDT", "1min")
        assert frame["close"].to_list()[0] == 1.5
