"""One trade with an impossible time holds nothing: it is set aside, also where it was stored."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from exchange.market import Trade, e8, trade_payload
from exchange.server import Exchange, ThreadedExchange
from exchange.streams import in_envelope
from exchange.virtual import VirtualExchange
from exchange.virtual_time import in_virtual_time
from pandas.testing import assert_frame_equal

from ingest.clock import now_us as wall_clock_us
from ingest.counts import Counts, SymbolCounts
from ingest.recorder import Recorder
from ingest.repair.clock_ahead import ClockAhead
from ingest.repair.skew import SkewMeter
from ingest.settings import Settings
from ingest.status import SymbolStatus
from ingest.store import BarWindow, TickReader, TickWriter
from ingest.store.last_trade import LastTrade
from ingest.tick import StreamKey, Tick
from ingest.trade_times import AHEAD_UNKNOWN_US, TradeTimes, is_between
from ingest.wrong_clock import LEAST, AheadTrade, ClockWatch, LagWatch
from pages.ui.server.health import health

NOW_US = 1_795_000_000_000_000
S, DAY = 1_000_000, 86_400_000_000
IN_2099_US, IN_2012_US = 4_080_000_000_000_000, 1_330_000_000_000_000
BTC: StreamKey = ("spot", "BTCUSDT", "aggTrade")


def tick(trade_id: int, time_us: int, received_us: int | None = None) -> Tick:
    received_us = time_us if received_us is None else received_us
    return Tick("spot", "BTCUSDT", "aggTrade", trade_id, 100.0, 0.5, time_us, received_us, False)


def push_frames(exchange: Exchange, trades: Sequence[tuple[int, int]]) -> None:
    for trade in trades:
        exchange.push_raw(frame(*trade))


def last_of(window: BarWindow) -> LastTrade:
    last = window.last_trade()
    assert last is not None
    return last


def has_received(recorder: Recorder, count: int) -> bool:
    return recorder.status().received == count


@pytest.mark.parametrize(
    ("time_us", "last_us", "skew_ms", "words"),
    [
        (NOW_US, NOW_US - S, 0.0, None),
        (NOW_US + 59 * S, NOW_US, 0.0, None),
        (NOW_US + 61 * S, NOW_US, 0.0, "61 s after it came"),
        (IN_2099_US, None, 0.0, "days after it came"),
        (IN_2099_US, None, None, "days after it came"),
        (NOW_US + 7_200 * S, NOW_US + 7_199 * S, None, None),  # our clock may be two hours behind
        (NOW_US + 7_200 * S, NOW_US + 7_199 * S, 7_200_000.0, None),  # it is
        (NOW_US - 7_200 * S, NOW_US - 7_201 * S, -7_200_000.0, None),  # or ahead
        (NOW_US, NOW_US, -7_200_000.0, "2 h after it came"),
        (NOW_US - DAY, None, 0.0, None),  # a quiet market's last trade, a replayed one
        (NOW_US - DAY, NOW_US - 2 * DAY, 0.0, None),
        (NOW_US - DAY, NOW_US - DAY + 61 * S, 0.0, "61 s before the last"),
        (NOW_US, NOW_US + DAY // 2, 0.0, None),  # what came before it was wrong
        (1_230_768_000_000_000, None, 0.0, "before there was such an exchange"),
    ],
)
def test_a_time_is_judged_by_receipt_and_by_the_trade_before(time_us, last_us, skew_ms, words):
    times = TradeTimes()
    assert times.most_ahead_us == AHEAD_UNKNOWN_US
    if skew_ms is not None:
        times.know_skew(skew_ms)
    told = times.oddity(tick(1, time_us, NOW_US), last_us)
    assert (told is None) == (words is None), told
    assert (words or "") in (told or "")


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.005)


@contextmanager
def recording(
    exchange: ThreadedExchange, db: Path, now_us: Callable[[], int] = wall_clock_us
) -> Iterator[Recorder]:
    recorder = Recorder(
        Settings(
            symbols=("BTCUSDT", "ETHUSDT"),
            db=db,
            ws_url=exchange.ws_url,
            rest_url=exchange.rest_url,
        ),
        now_us=now_us,
    )
    recorder.start()
    try:
        exchange.wait_for_subscribers(1)
        yield recorder
    finally:
        recorder.stop()


def gaps_of(db: Path) -> list[tuple[int, str, str]]:
    with TickReader(db) as reader:
        gaps = reader.gaps("BTCUSDT")[["first_id", "cause", "state"]]
    return list(gaps.itertuples(index=False, name=None))


def frame(trade_id: int, time_us: int) -> bytes:
    trade = Trade("BTCUSDT", trade_id, e8("999"), e8("1"), time_us, time_us, False)
    return in_envelope("btcusdt@aggTrade", trade_payload(trade, "aggTrade", "spot", 1000))


def test_a_trade_dated_in_the_future_is_set_aside_and_holds_nothing(tmp_path: Path) -> None:
    db = tmp_path / "ticks.db"
    with (
        ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange,
        recording(exchange, db) as recorder,
    ):
        exchange.push("BTCUSDT", 100, 1)
        until(lambda: recorder.status().stored == 1)
        exchange.call(partial(push_frames, trades=[(2, IN_2099_US), (2, IN_2012_US)]))
        exchange.call(lambda e: e.venue.tape("BTCUSDT").skip_ids(1))
        exchange.push("BTCUSDT", 101, 1)
        until(lambda: recorder.status().per_symbol["BTCUSDT"].stored == 2)
        until(lambda: gaps_of(db) == [(2, "impossible time", "absent")])
        status = recorder.status()
        assert status.per_symbol["BTCUSDT"].rejected == 2
        assert status.per_symbol["BTCUSDT"].last_price == 101
        assert health(status, time.time_ns() // 1000, 0)[0] == 200
        with TickReader(db) as reader:
            assert len(reader.bars("BTCUSDT", "1s")) < 60
            assert list(reader.quarantine()["reason"].str.slice(0, 16)) == [
                "dated 2012-02-23", "dated 2099-04-16"
            ]  # fmt: skip


@pytest.mark.parametrize("odd_id", [1, 5, 10], ids=["first", "between", "last"])
def test_a_database_that_holds_such_a_row_recovers(tmp_path: Path, odd_id: int) -> None:
    """Whatever lies around it: an old gap that ends at the row, one that begins there."""
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        ids = [1, 2, 3, 5, 7, 8, 9, 10]
        for each in ids:  # in batches: the ledger of the version that stored it had no say
            time_us = IN_2099_US if each == odd_id else NOW_US - (20 - each) * S
            writer.write([tick(each, time_us, NOW_US - (20 - each) * S)])
        assert writer.set_aside_future(NOW_US) == 1
        assert writer.set_aside_future(NOW_US) == 0
        kept = [each for each in ids if each != odd_id]
        ledger = writer.streams()[BTC]
        assert (ledger.first_id, ledger.last_id) == (kept[0], kept[-1])
        assert ledger.last_us < NOW_US
        known = {n for gap in ledger.gaps for n in range(gap.from_id, gap.to_id + 1)}
        assert known | set(kept) == set(range(kept[0], kept[-1] + 1))
        assert all(gap.after_us <= gap.before_us < NOW_US for gap in ledger.gaps)
        writer.write([tick(each, NOW_US - (20 - each) * S) for each in range(1, 15)])
        assert not writer.open_gaps()
    with TickReader(tmp_path / "ticks.db") as reader:
        assert list(reader.ticks("BTCUSDT").trade_id) == list(range(1, 15))
        bars = reader.bars("BTCUSDT", "1s")
        assert len(bars) == 14
        assert bars.index[-1] < pd.Timestamp(NOW_US, unit="us", tz="UTC")
        assert "2099" in reader.quarantine().reason[0]


def test_a_recording_goes_on_where_such_a_row_was_the_newest(tmp_path: Path) -> None:
    db = tmp_path / "ticks.db"
    now_us = time.time_ns() // 1000
    with closing(TickWriter(db)) as writer:
        writer.write([tick(n, now_us - (10 - n) * S) for n in range(1, 6)])
        writer.write([tick(6, IN_2099_US, now_us - 4 * S)])
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        exchange.call(lambda e: e.venue.tape("BTCUSDT").skip_ids(6))
        with recording(exchange, db) as recorder:
            exchange.push("BTCUSDT", 101, 1)
            until(lambda: recorder.status().per_symbol["BTCUSDT"].stored == 1)
            assert any(each.kind == "quarantine" for each in recorder.status().history)
            with TickReader(db) as reader:
                last = reader.last_trade("BTCUSDT")
                assert last is not None
                assert last.price == 101
                assert len(reader.bars("BTCUSDT", "1s")) < 60


@in_virtual_time
async def test_the_clocks_are_compared_again_when_ours_jumps() -> None:
    exchange = VirtualExchange("BTCUSDT")
    known: list[float | None] = []
    meter = SkewMeter(exchange.client(), known.append)
    task = asyncio.create_task(meter.run())
    await asyncio.sleep(5.0)
    assert known == [pytest.approx(0.0, abs=100.0)]
    exchange.skew_us = 3_600 * S  # ours was set back by an hour: the exchange's is ahead now
    meter.clock_jumped()
    assert (meter.newest, known[1:]) == (None, [None])  # at once: it may be anything
    await asyncio.sleep(5.0)
    assert known[2:] == [pytest.approx(3_600_000.0, abs=100.0)]
    task.cancel()


def test_a_row_lies_between_its_neighbours_unless_they_contradict_each_other() -> None:
    minute = 60_000_000
    assert is_between(5 * minute, 4 * minute, 6 * minute)
    assert not is_between(2 * minute, 4 * minute, 6 * minute)
    assert not is_between(8 * minute, 4 * minute, 6 * minute)
    assert is_between(5 * minute, 180 * minute, 6 * minute), "one of them is dated hours ahead"


def database_of_an_earlier_version(db: Path, odd_id: int, now_us: int) -> list[int]:
    """A database that holds a row dated 2099 between others; gives the ids."""
    ids = [1, 2, 3, 5, 7, 8, 9, 10]
    with closing(TickWriter(db)) as writer:
        for each in ids:
            received_us = now_us - (20 - each) * S
            time_us = IN_2099_US if each == odd_id else received_us
            writer.write([tick(each, time_us, received_us)])
    return ids


@pytest.mark.parametrize("odd_id", [1, 5, 10], ids=["first", "between", "last"])
def test_what_only_reads_stops_before_such_a_row(tmp_path: Path, odd_id: int) -> None:
    """Bars, window, span, last trade and gaps are those of the database without the row."""
    db, now_us = tmp_path / "ticks.db", time.time_ns() // 1000
    ids = database_of_an_earlier_version(db, odd_id, now_us)
    kept = [each for each in ids if each != odd_id]
    first, last = (
        pd.Timestamp(now_us - (20 - each) * S, unit="us", tz="UTC") for each in (kept[0], kept[-1])
    )
    window = BarWindow(db, "BTCUSDT", "1s")
    with TickReader(db) as reader, closing(window):
        assert reader.span("BTCUSDT") == (first, last)
        assert reader.last_trade("BTCUSDT") == window.last_trade()
        assert last_of(window).time_us == now_us - (20 - kept[-1]) * S
        bars = reader.bars("BTCUSDT", "1s")
        assert list(bars.index[[0, -1]]) == [first.floor("s"), last.floor("s")]
        assert_frame_equal(window.view(None).frame(), bars, check_freq=False)
        gaps = reader.gaps("BTCUSDT")
        assert gaps["before"].max() <= last
        assert gaps["after"].max() <= last
        assert [len(rows) for rows in reader.future_rows().values()] == [1]
    with closing(TickWriter(db)) as writer:
        assert writer.set_aside_future(now_us) == 1
    with TickReader(db) as reader:
        assert reader.future_rows() == {}
        assert list(reader.bars("BTCUSDT", "1s").index) == list(bars.index)


def test_a_window_goes_on_beside_such_a_row(tmp_path: Path) -> None:
    db, now_us = tmp_path / "ticks.db", time.time_ns() // 1000
    database_of_an_earlier_version(db, 5, now_us)
    window = BarWindow(db, "BTCUSDT", "1s")
    with closing(window), closing(TickWriter(db)) as writer:
        window.view(None)
        writer.write([tick(11, now_us - 5 * S)])
        assert last_of(window).time_us == now_us - 5 * S
        with TickReader(db) as reader:
            fresh = reader.bars("BTCUSDT", "1s")
        assert_frame_equal(window.view(None).frame(), fresh, check_freq=False)
        assert len(fresh) == 15


def test_what_came_when_it_is_dated_is_read_whatever_our_clock_says(tmp_path: Path) -> None:
    """A machine may wake up in the past: what it stored before is no bad row."""
    db = tmp_path / "ticks.db"
    with closing(TickWriter(db)) as writer:
        writer.write([tick(each, IN_2099_US + each * S) for each in range(1, 11)])
    with TickReader(db) as reader:
        assert len(reader.bars("BTCUSDT", "1s")) == 10
        assert reader.future_rows() == {}


def test_a_row_in_the_future_makes_no_stream_the_newest(tmp_path: Path) -> None:
    db, now_us = tmp_path / "ticks.db", time.time_ns() // 1000
    earlier_us = now_us - 3_600 * S
    with closing(TickWriter(db)) as writer:
        writer.write([tick(1, now_us - 90 * S)])
        for trade_id, time_us in ((1, earlier_us), (2, IN_2099_US)):
            row = (trade_id, 50.0, 0.5, time_us, earlier_us)
            writer.write([Tick("spot", "BTCUSDT", "trade", *row, buyer_is_maker=False)])
    window = BarWindow(db, "BTCUSDT", "1s")
    with TickReader(db) as reader, closing(window):
        assert [each.stream for each in reader.series()] == ["aggTrade", "trade"]
        last = reader.last_trade("BTCUSDT")
        assert last is not None
        assert last.price == last_of(window).price == 100.0


def test_known_trades_sent_again_after_minutes_are_duplicates(tmp_path: Path) -> None:
    """Also from before this run; an id of them that says another thing is set aside."""
    db = tmp_path / "ticks.db"
    now_us = time.time_ns() // 1000
    trades = [(each, now_us - (300 - each) * S) for each in range(1, 201)]
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        for run in range(1, 3):
            with recording(exchange, db) as recorder:
                exchange.call(partial(push_frames, trades=trades))
                until(lambda: btc(recorder).stored + btc(recorder).duplicates == 200)
                exchange.call(partial(push_frames, trades=trades[:100] * 2))
                exchange.call(lambda e: e.push_raw(frame(7, IN_2012_US)))
                until(lambda: btc(recorder).rejected == 1)
                assert btc(recorder).duplicates == run * 200
                assert btc(recorder).conflicts == 0
    with TickReader(db) as reader:
        assert len(reader.ticks("BTCUSDT")) == 200
        assert list(reader.quarantine()["reason"].str.slice(0, 16)) == ["dated 2012-02-23"] * 2


def btc(recorder: Recorder) -> SymbolStatus:
    return recorder.status().per_symbol["BTCUSDT"]


def test_a_clock_of_ours_that_is_days_behind_loses_nothing_without_rest(tmp_path: Path) -> None:
    """It is named as soon as the trades show it, and those set aside until then are stored."""
    db, sent = tmp_path / "ticks.db", 0
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        exchange.call(lambda e: e.faults.answer_rest(503, times=None))
        with recording(exchange, db, lambda: wall_clock_us() - 3 * DAY) as recorder:

            def is_said() -> bool:
                return any("clock is 3 days behind" in each for each in recorder.status().notices)

            while not is_said():
                sent += 1
                exchange.push("BTCUSDT", 100, 1)
                exchange.push("ETHUSDT", 10, 1)
                until(partial(has_received, recorder, 2 * sent))
                assert sent < 100_000
            until(lambda: recorder.status().stored == 2 * sent)
            exchange.push("BTCUSDT", 100, 1)
            until(lambda: btc(recorder).stored == sent + 1)
            status = recorder.status()
            assert status.skew_ms == pytest.approx(3 * 86_400_000, abs=1_000)
            assert status.received == 2 * sent + 1
            assert (
                status.rejected == btc(recorder).rejected == 0
            )  # what was set aside was taken back
            assert gaps_of(db) == []
            exchange.call(lambda e: e.faults.rest.clear())
            recorder._receiving.clock_jumped()  # it is measured at once, not in a minute
            until(lambda: any("by the exchange's own time" in n for n in recorder.status().notices))


def test_a_clock_of_ours_that_is_days_ahead_is_named_by_the_first_trades(tmp_path: Path) -> None:
    db, sent = tmp_path / "ticks.db", 0
    ahead_us = [3 * DAY]
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        exchange.call(lambda e: e.faults.answer_rest(503, times=None))
        with recording(exchange, db, lambda: wall_clock_us() + ahead_us[0]) as recorder:

            def is_said() -> bool:
                return any("clock is 3 days ahead" in each for each in recorder.status().notices)

            def push_until(condition: Callable[[], bool]) -> None:
                nonlocal sent
                while not condition():
                    sent += 1
                    exchange.push("BTCUSDT", 100, 1)
                    exchange.push("ETHUSDT", 10, 1)
                    until(partial(has_received, recorder, 2 * sent))
                    assert sent < 100_000

            push_until(is_said)
            assert recorder.status().skew_ms == pytest.approx(-3 * 86_400_000, abs=1_000)
            assert [each.kind for each in recorder.status().history].count("clock") == 1
            ahead_us[0] = 0  # set right: what comes now is no trade of the future
            push_until(lambda: not is_said())
            assert recorder.status().skew_ms is None
            until(lambda: recorder.status().stored == 2 * sent)
            assert recorder.status().rejected == 0


def counted(**symbols: tuple[int, int, int]) -> dict[str, SymbolCounts]:
    """Counts by symbol: trades received, the newest one's time and its receipt."""
    return {
        name: SymbolCounts(received=received, last_trade_us=time_us, last_received_us=received_us)
        for name, (received, time_us, received_us) in symbols.items()
    }


@pytest.mark.parametrize(
    ("a_us", "b_us", "shown_us"),
    [
        (-3 * DAY, -3 * DAY - S, -3 * DAY),
        (-3 * DAY, -2 * DAY, None),  # not by the same
        (-3 * DAY, -S, None),  # one comes as it is dated
        (-DAY + S, -DAY + S, None),  # a time zone's worth, and a slow day
        (S, S, None),
    ],
)
def test_trades_dated_days_before_they_come_show_a_clock_ahead(a_us, b_us, shown_us) -> None:
    watch = LagWatch()
    seen = []
    for each in range(1, 6):
        at_us = NOW_US + each * S
        counts = counted(A=(each * 10, at_us + a_us, at_us), B=(each * 10, at_us + b_us, at_us))
        seen.append(watch.look(counts))
    assert seen[:2] == [None] * 2  # a burst shows nothing
    assert seen[2:] == [shown_us] * 3


def test_a_clock_set_right_is_not_called_wrong_again_whoever_named_it() -> None:
    counts, times, clock_us = Counts(), TradeTimes(), [NOW_US]
    ahead = ClockAhead(counts, times, lambda: False, lambda: clock_us[0])

    def second(offset_us: int) -> None:
        clock_us[0] += S
        one = counts.of("BTCUSDT")
        one.received += 20
        one.last_trade_us, one.last_received_us = clock_us[0] + offset_us, clock_us[0]
        ahead.look()

    for _ in range(4):
        second(-3 * DAY)
    said = [times.skew_us]
    times.know_skew(None)  # our clock was set right
    ahead.clock_jumped()
    ahead.look()  # a quiet second
    said.append(times.skew_us)
    times.know_skew(-3.0 * DAY / 1000 + 0.5, is_measured=False)  # by a thread that then failed
    second(0)
    assert [*said, times.skew_us] == [-3 * DAY, None, None]
    assert [each.kind for each in counts.history] == ["clock"]


def test_few_old_trades_or_a_replay_that_is_faster_show_no_clock_ahead() -> None:
    few, fast = LagWatch(), LagWatch()
    for each in range(1, LEAST):
        at_us = NOW_US + each * S
        assert few.look(counted(A=(each, at_us - 3 * DAY, at_us))) is None
        assert fast.look(counted(A=(each * 10, at_us - 3 * DAY + each * 61 * S, at_us))) is None
    assert few.look(counted(A=(LEAST - 1, NOW_US, NOW_US + 100 * S))) is None  # nothing came


@pytest.mark.parametrize("others", [0, 5])
def test_whose_clock_is_wrong_is_told_by_nearly_all_that_comes(others: int) -> None:
    watch, received = ClockWatch(), 1_000
    shown: Sequence[AheadTrade] = ()
    for each in range(1, 60):
        received += 1 + others
        at_us = NOW_US + each * 100_000
        shown = shown or watch.take(tick(each, at_us + 3 * DAY, at_us), received)
    assert [each.event.trade_id for each in shown] == ([] if others else list(range(1, 22)))


def test_a_bad_trade_of_long_ago_does_not_hide_a_clock_that_goes_back() -> None:
    watch = ClockWatch()
    shown: Sequence[AheadTrade] = ()
    watch.take(tick(1, IN_2099_US, NOW_US), 500)
    for each in range(1, 60):
        at_us = NOW_US - 3 * DAY + each * 100_000
        shown = shown or watch.take(tick(1_000 + each, at_us + 3 * DAY, at_us), 900 + each)
    assert [each.event.trade_id for each in shown] == list(range(1_001, 1_022))


def test_a_burst_or_times_that_differ_show_no_wrong_clock() -> None:
    burst, differing = ClockWatch(), ClockWatch()
    for each in range(1, 1_000):
        assert burst.take(tick(each, IN_2099_US, NOW_US), each) == []
        at_us = NOW_US + each * S
        assert differing.take(tick(each, at_us + (each % 4 + 1) * DAY * 2, at_us), each) == []


def test_what_a_wrong_clock_received_is_no_bad_row(tmp_path: Path) -> None:
    """All that came then is ahead by the same, while it is, and pages show it."""
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        for each in range(1, LEAST + 1):
            writer.write([tick(each, NOW_US + each * S + 3 * DAY, NOW_US + each * S)])
        assert writer.set_aside_future(NOW_US) == 0
