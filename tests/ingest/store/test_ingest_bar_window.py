"""The window of bars in memory: always what a fresh read gives, whatever was written."""

import random
import threading
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.bars import resample_ticks
from ingest.binance import Kline
from ingest.errors import StoreError
from ingest.store import BarWindow, TickReader, TickWriter
from ingest.store.repair_log import spans
from ingest.store.window import BarWindows
from ingest.tick import NonTrade, StreamKey, Tick

T0_S = 1_700_000_040  # a whole minute
KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")
INTERVALS = ("1s", "5s", "1min", "5min")


def tick(trade_id: int, at_s: float, price: float = 100.0, quantity: float = 1.0, **more) -> Tick:
    time_us = round((T0_S + at_s) * 1_000_000)
    fields = {"market": "spot", "symbol": "BTCUSDT", "stream": "aggTrade"} | more
    return Tick(
        **fields, trade_id=trade_id, price=price, quantity=quantity, time_us=time_us,
        received_us=time_us + 1500, buyer_is_maker=False,
    )  # fmt: skip


class Market:
    """Trades of one symbol by id, prices and times drawn once, so that a replay says the same."""

    def __init__(self, seed: int, jitter_s: float) -> None:
        self.rng = random.Random(seed)
        self.jitter_s = jitter_s
        self.made: dict[int, Tick | NonTrade] = {}
        self.clock_s = 0.0

    def event(self, trade_id: int) -> Tick | NonTrade:
        if trade_id not in self.made:
            self.clock_s += self.rng.choice([0.01, 0.2, 0.4, 3.0, 20.0])
            at_s = self.clock_s + self.rng.uniform(-self.jitter_s, self.jitter_s)
            made: Tick | NonTrade = tick(
                trade_id, at_s, round(self.rng.uniform(99, 101), 2), self.rng.choice([0.1, 0.2, 7])
            )
            if self.rng.random() < 0.05:
                made = NonTrade(
                    made.market, made.symbol, made.stream, trade_id, made.time_us, made.received_us,
                    "insurance fund",
                )  # fmt: skip
            self.made[trade_id] = made
        return self.made[trade_id]


def kline(second: int, trades: int, length_s: int = 1) -> Kline:
    """A bar that opens at or before a second; those of different lengths need not agree."""
    open_us = (T0_S + second) // length_s * length_s * 1_000_000
    close_us = open_us + length_s * 1_000_000 - 1
    return Kline(open_us, 50.0, 51.0, 49.0, 50.0 + second % 3, 1.5, trades, close_us)


OPERATIONS = st.one_of(
    st.tuples(st.just("live"), st.integers(1, 12)),
    st.tuples(st.just("skip"), st.integers(1, 6)),
    st.tuples(st.just("fill"), st.integers(1, 6)),
    st.tuples(st.just("earlier"), st.integers(1, 4)),
    st.tuples(st.just("again"), st.integers(1, 6)),
    st.tuples(st.just("give up"), st.integers(1, 4)),
    st.tuples(st.just("absent"), st.integers(1, 4)),
    st.tuples(st.just("reopen"), st.just(0)),
    st.tuples(st.just("klines"), st.integers(1, 30)),
    st.tuples(st.just("gap klines"), st.integers(1, 30)),
    st.tuples(st.just("forget"), st.integers(1, 40)),
    st.tuples(st.just("other"), st.just(0)),
)


def act(writer: TickWriter, market: Market, state: dict[str, int], what: str, size: int) -> None:
    """Do one thing to the database."""
    rng = market.rng
    if what == "live":
        ids = list(range(state["next"], state["next"] + size))
        state["next"] += size
        writer.write(rng.sample([market.event(each) for each in ids], size))
    elif what == "skip":
        for each in range(state["next"], state["next"] + size):
            market.event(each)
        state["next"] += size
    elif what == "earlier":
        state["first"] -= size
        for each in range(state["first"], state["first"] + size):
            event = tick(each, -rng.uniform(0, 30))
            market.made[each] = event
        writer.write([market.made[state["first"]]])
    elif what in {"fill", "again"}:
        known = [event for each, event in market.made.items() if each < state["next"]]
        if known:
            writer.write(rng.sample(known, min(size, len(known))))
    elif what in {"give up", "absent"}:
        gaps = writer.open_gaps()
        if gaps:
            gap = rng.choice(gaps)
            how: Literal["expired", "absent"] = "expired" if what == "give up" else "absent"
            writer.close_gap(KEY, gap.from_id, min(gap.to_id, gap.from_id + size), how, "test")
    elif what == "reopen":
        writer.reopen_gaps([KEY])
    elif what == "klines":
        length_s = rng.choice([1, 1, 60, 300])
        low = -rng.randrange(5, 60) * min(length_s, 20)
        made = [kline(low + n * length_s, rng.randrange(2), length_s) for n in range(size)]
        writer.add_klines(KEY, length_s, made)
    elif what == "gap klines":
        length_s = rng.choice([1, 1, 60])
        known_gaps = writer.streams()[KEY].gaps if KEY in writer.streams() else []
        if known_gaps:
            low = rng.choice(known_gaps).after_us // 1_000_000 - T0_S + rng.randrange(-2, 3)
            made = [kline(low + n * length_s, rng.randrange(2), length_s) for n in range(size)]
            writer.add_klines(KEY, length_s, made)
    elif what == "forget":
        writer.forget_before(T0_S + round(market.clock_s) - 3 * size, most_bars=3)
    else:
        writer.write([tick(state["next"], market.clock_s, symbol="ETHUSDT")])


def same(window: BarWindow, interval: str, start_s: int | None) -> None:
    with TickReader(window.path) as reader:
        start_us = None if start_s is None else start_s * 1_000_000
        fresh = reader.bars("BTCUSDT", interval, start=start_us)
        assert window.last_trade() == reader.last_trade("BTCUSDT")
    held = window.view(start_s).frame()
    pd.testing.assert_frame_equal(held, fresh, check_exact=True)
    assert held.attrs == fresh.attrs


def check_sequence(
    path: Path, operations: list[tuple[str, int]], seed: int, jitter_s: float, back_s: int | None
) -> None:
    """Do one thing after the other, and compare with a fresh read after each."""
    writer, market, state = TickWriter(path), Market(seed, jitter_s), {"next": 100, "first": 100}
    windows = {interval: BarWindow(path, "BTCUSDT", interval) for interval in INTERVALS}
    shown = []
    for what, size in operations:
        act(writer, market, state, what, size)
        last = windows["1s"].last_trade()
        newest_s = T0_S if last is None else last.time_us // 1_000_000
        start_s = None if back_s is None else newest_s - back_s
        for interval, window in windows.items():
            same(window, interval, start_s)
            view = window.view(start_s)
            shown.append((view, view.frame(), window))
    by_key: dict[tuple[Any, ...], pd.DataFrame] = {}
    for view, frame, window in shown:  # what was shown never changes, and a key says what it is
        pd.testing.assert_frame_equal(view.frame(), frame, check_exact=True)
        closed = view.frame(with_forming=False)
        pd.testing.assert_frame_equal(by_key.setdefault((id(window), view.key), closed), closed)
    writer.close()
    for window in windows.values():
        window.close()


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    operations=st.lists(OPERATIONS, min_size=1, max_size=12),
    seed=st.integers(0, 2**20),
    jitter_s=st.sampled_from([0.0, 0.3, 8.0]),
    back_s=st.sampled_from([None, 10, 60, 300]),
)
def test_the_window_equals_a_fresh_read_after_any_writes(
    tmp_path_factory, operations, seed, jitter_s, back_s
) -> None:
    path = tmp_path_factory.mktemp("window") / "ticks.db"
    check_sequence(path, operations, seed, jitter_s, back_s)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    operations=st.lists(OPERATIONS, min_size=1, max_size=12).filter(
        lambda all_: {"klines", "gap klines", "forget", "give up", "absent"}.isdisjoint(
            each for each, _ in all_
        )
    ),
    seed=st.integers(0, 2**20),
    jitter_s=st.sampled_from([0.0, 0.3]),
)
def test_bars_of_every_interval_equal_resampled_ticks(
    tmp_path_factory, operations, seed, jitter_s
) -> None:
    path = tmp_path_factory.mktemp("bars") / "ticks.db"
    writer, market, state = TickWriter(path), Market(seed, jitter_s), {"next": 100, "first": 100}
    for what, size in operations:
        act(writer, market, state, what, size)
    writer.close()
    with TickReader(path) as reader:
        ticks = reader.ticks("BTCUSDT")
        for interval in ("1s", "5s", "15s", "30s", "1min", "5min", "15min", "1h"):
            bars = reader.bars("BTCUSDT", interval)
            bars.attrs = {}
            pd.testing.assert_frame_equal(bars, resample_ticks(ticks, interval), check_exact=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticks.db"


def test_trades_inside_the_forming_second_leave_the_key_as_it_was(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0), tick(2, 1.1)])
    window = BarWindow(path, "BTCUSDT", "1s")
    first = window.view(None)
    writer.write([tick(3, 1.2, 101.0)])
    second = window.view(None)
    writer.write([tick(4, 2.0)])
    third = window.view(None)
    writer.close()
    assert first.key == second.key
    assert (float(first.forming.close[0]), float(second.forming.close[0])) == (100.0, 101.0)
    assert len(third.closed) == 2
    assert third.key != second.key


def test_a_view_without_a_look_is_that_of_the_last_look(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0.1), tick(2, 1.1)])
    window = BarWindow(path, "BTCUSDT", "1s")
    first = window.view(None, look=False)  # there was none: it looks
    assert len(first.closed) == 1
    writer.write([tick(3, 2.1)])
    assert window.view(None, look=False).key == first.key
    last = window.last_trade()
    writer.close()
    assert last is not None
    assert last.time_us == T0_S * 1_000_000 + 2_100_000
    assert len(window.view(None, look=False).closed) == 2


def test_a_refresh_reads_the_new_seconds_only(path: Path, monkeypatch) -> None:
    from ingest.store.bar_source import BarSource

    writer = TickWriter(path)
    writer.write([tick(n, n / 2) for n in range(200)])
    window = BarWindow(path, "BTCUSDT", "1s")
    window.view(None)
    read = []
    stored = BarSource._stored

    def counted(self, low, high):
        read.append((low, high))
        return stored(self, low, high)

    monkeypatch.setattr(BarSource, "_stored", counted)
    window.view(None)
    assert read == []
    writer.write([tick(200, 100), tick(201, 100.5)])
    window.view(None)
    assert read == [(T0_S + 99, T0_S + 101)]
    writer.write([tick(300, 101), tick(299, 50)])  # a gap, and a trade that came much too late
    read.clear()
    window.view(None)
    assert sum(high - low for low, high in read) < 60
    writer.close()


def test_a_window_forgets_what_no_view_asks_for(path: Path) -> None:
    writer = TickWriter(path)
    window = BarWindow(path, "BTCUSDT", "1s")
    writer.write([tick(0, 0)])
    most = 0
    for n in range(1, 60):
        writer.write([tick(n, 200 * n)])
        held = window.view(T0_S + 200 * n - 300)
        assert len(held.closed) + 1 <= 301
        most = max(most, window.size_bytes())
    assert most < 3000 * 60
    writer.close()


def test_late_bars_before_all_others_that_stay_are_kept(path: Path) -> None:
    writer = TickWriter(path)
    window = BarWindow(path, "BTCUSDT", "1s")
    writer.write([tick(n, n) for n in range(20)])
    same(window, "1s", T0_S + 10)
    writer.write([tick(30, 800)])
    same(window, "1s", T0_S + 790)
    writer.write([tick(28, 793), tick(29, 796)])  # where the window let all others before 800 go
    same(window, "1s", T0_S + 790)
    assert len(window.view(T0_S + 790).closed) == 7
    writer.close()


def test_sessions_share_a_window_and_read_it_once(path: Path, monkeypatch) -> None:
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(100)])
    writer.close()
    loads = []
    load = BarWindow._load

    def counted(*args):
        loads.append(1)
        return load(*args)

    monkeypatch.setattr(BarWindow, "_load", counted)
    windows, keys = BarWindows(), []

    def session() -> None:
        keys.append(windows.get(path, "BTCUSDT", "1S").view(T0_S).key)

    threads = [threading.Thread(target=session) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len(set(keys)) == 1


def test_the_windows_used_longest_ago_go_first(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(50)])
    writer.close()
    one = BarWindow(path, "BTCUSDT", "1s")
    one.view(None)
    windows = BarWindows(most_bytes=2 * one.size_bytes())
    a, b = (windows.get(path, "BTCUSDT", each) for each in ("1s", "5s"))
    a.view(None)
    b.view(None)
    assert windows.get(path, "BTCUSDT", "1s") is a
    windows.get(path, "BTCUSDT", "15s").view(None)  # too much: the next one that comes makes room
    assert windows.get(path, "BTCUSDT", "1s") is a
    assert windows.get(path, "BTCUSDT", "5s") is not b
    assert b.size_bytes() == 0
    with pytest.raises(StoreError, match="unknown interval"):
        windows.get(path, "BTCUSDT", "7s")


def test_as_many_windows_stay_as_memory_has_room_for(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(1, 0, symbol=f"S{n}USDT") for n in range(200)])
    writer.write([tick(2, 5, symbol=f"S{n}USDT") for n in range(200)])
    windows = BarWindows()
    before = {each: windows.get(path, each, "1s") for each in (f"S{n}USDT" for n in range(200))}
    keys = {each: window.view(None).key for each, window in before.items()}
    files = len(list(Path("/proc/self/fd").iterdir()))
    assert all(windows.get(path, each, "1s") is window for each, window in before.items())
    assert keys == {each: window.view(None).key for each, window in before.items()}
    assert sum(window.size_bytes() for window in before.values()) == windows.size_bytes()
    for window in before.values():
        window.close()
    assert files - len(list(Path("/proc/self/fd").iterdir())) <= 9  # three connections in all
    assert windows.size_bytes() == 0
    writer.close()


def test_a_file_that_is_gone_or_replaced_is_noticed(path: Path) -> None:
    window = BarWindow(path, "BTCUSDT", "1s")
    with pytest.raises(StoreError, match="no database at"):
        window.view(None)
    writer = TickWriter(path)
    writer.write([tick(1, 0), tick(2, 5)])
    writer.close()
    assert len(window.view(None).closed) == 5
    assert len(BarWindow(path, "NOPE", "1s").view(None).closed) == 0
    for each in path.parent.iterdir():
        each.unlink()
    with pytest.raises(StoreError, match="no database at"):
        window.view(None)
    writer = TickWriter(path)
    writer.write([tick(1, 0), tick(2, 2)])
    writer.close()
    assert len(window.view(None).closed) == 2


def test_late_seconds_are_noted_as_few_spans() -> None:
    assert spans([5, 1, 3, 200, 201]) == [(1, 5), (200, 201)]
    assert spans([]) == []
