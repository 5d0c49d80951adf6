"""One look for many windows: to the bit what each window's own look gives, whatever was written."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs

from ingest.binance import Kline
from ingest.errors import StoreError
from ingest.store import (
    STORED_ROW,
    BarWindow,
    BarWindows,
    TickReader,
    TickWriter,
    look_together,
)
from ingest.store.bars import BarColumns
from ingest.store.lake import LakeWriter, Source
from ingest.tick import NonTrade, StreamKey, Tick

T0_S = 1_700_000_040  # a whole minute
SYMBOLS = tuple(f"S{number}USDT" for number in range(7))
BARS_ONLY = SYMBOLS[5:]
INTERVALS = ("1s", "1min", "5min")


def key_of(symbol: str) -> StreamKey:
    return ("spot", symbol, "aggTrade")


def tick(
    symbol: str, trade_id: int, at_s: float, price: float = 100.0, quantity: float = 1.0
) -> Tick:
    time_us = round((T0_S + at_s) * 1_000_000)
    return Tick(
        "spot", symbol, "aggTrade", trade_id, price, quantity, time_us, time_us + 1500,
        buyer_is_maker=False,
    )  # fmt: skip


def kline(second: int, length_s: int, trades: int, close: float = 50.0) -> Kline:
    open_us = (T0_S + second) // length_s * length_s * 1_000_000
    close_us = open_us + length_s * 1_000_000 - 1
    return Kline(open_us, 50.0, 53.0, 49.0, close, 1.5, trades, close_us)


class Desk:
    """Writes what several streams bring: live and late trades, holes, the exchange's bars."""

    def __init__(self, path: Path, seed: int, jitter_s: float) -> None:
        self.rng, self.jitter_s = random.Random(seed), jitter_s
        self.writer, self.clock_s = TickWriter(path), 0.0
        self.next = dict.fromkeys(SYMBOLS, 100)
        self.skipped: dict[str, list[int]] = {each: [] for each in SYMBOLS}
        self.ends: dict[str, int] = dict.fromkeys(SYMBOLS, 0)

    def do(self, what: str, size: int) -> None:
        getattr(self, what)(size)

    def live(self, size: int) -> None:
        """Trades of most symbols in one batch, some out of order."""
        self.clock_s += self.rng.choice([0.4, 3.0, 20.0, 61.0, 400.0])
        made = [
            self.event_of(each)
            for each in SYMBOLS
            if each not in BARS_ONLY and self.rng.random() < 0.8
            for _ in range(size)
        ]
        self.writer.write(self.rng.sample(made, len(made)))

    def bars(self, size: int) -> None:
        """Bars go on where only they are recorded, of one length or another; some hold no trade."""
        self.clock_s += 60 * size
        for symbol in BARS_ONLY:
            length_s = self.rng.choice([60, 60, 60, 1])
            begin = self.ends[symbol] + self.rng.choice([0, 0, 0, length_s])
            self.ends[symbol] = begin + size * length_s
            made = [
                kline(begin + n * length_s, length_s, self.rng.randrange(3), 50.0 + n)
                for n in range(size)
            ]
            self.writer.add_klines(key_of(symbol), length_s, made)

    def late(self, size: int) -> None:
        """Bars and trades of long ago, where they were not before or again."""
        symbol = self.rng.choice(SYMBOLS)
        if symbol in BARS_ONLY or self.rng.random() < 0.4:
            length_s = self.rng.choice([1, 60, 300])
            begin = -self.rng.randrange(0, 600)
            made = [kline(begin + n * length_s, length_s, 1) for n in range(size)]
            self.writer.add_klines(key_of(symbol), length_s, made)
        elif ids := self.skipped[symbol]:
            self.writer.write([self.event_of(symbol, ids.pop())])

    def skip(self, size: int) -> None:
        """Ids that do not come: a gap."""
        symbol = self.rng.choice([each for each in SYMBOLS if each not in BARS_ONLY])
        self.skipped[symbol] += range(self.next[symbol], self.next[symbol] + size)
        self.next[symbol] += size

    def give_up(self, size: int) -> None:
        if gaps := self.writer.open_gaps():
            gap = self.rng.choice(gaps)
            how: Literal["expired", "absent"] = "expired" if size % 2 else "absent"
            self.writer.close_gap(gap.key, gap.from_id, gap.from_id + size, how, "test")

    def forget(self, size: int) -> None:
        self.writer.forget_before(T0_S + round(self.clock_s) - 60 * size, most_bars=3)

    def trade_at_last(self, size: int) -> None:
        """A symbol recorded in bars only trades."""
        symbol = self.rng.choice(BARS_ONLY)
        self.writer.write([tick(symbol, self.next[symbol], self.clock_s + n) for n in range(size)])
        self.next[symbol] += size

    def far_ahead(self, size: int) -> None:
        """Trades dated decades from now, and set aside again."""
        symbol = self.rng.choice(SYMBOLS)
        made = tick(symbol, self.next[symbol], 3e9)
        received_us = round((T0_S + self.clock_s) * 1_000_000)
        self.writer.write([structs.replace(made, received_us=received_us)])
        self.next[symbol] += 1
        if size > 6:
            self.writer.set_aside_future((T0_S + round(self.clock_s)) * 1_000_000)

    def event_of(self, symbol: str, trade_id: int | None = None) -> Tick | NonTrade:
        if trade_id is None:
            trade_id = self.next[symbol]
            self.next[symbol] += 1
        at_s = self.clock_s + self.rng.uniform(-self.jitter_s, self.jitter_s)
        price, quantity = round(self.rng.uniform(99, 101), 2), self.rng.choice([0.1, 7, 3e7])
        made = tick(symbol, trade_id, at_s, price, quantity)
        if self.rng.random() < 0.05:
            return NonTrade(
                "spot", symbol, "aggTrade", trade_id, made.time_us, made.received_us, "fund"
            )
        return made


OPERATIONS = st.tuples(
    st.sampled_from(
        ["live"] * 5 + ["bars"] * 5
        + ["late", "skip", "give_up", "forget", "trade_at_last", "far_ahead"]
    ),
    st.integers(1, 8),
)  # fmt: skip


def same_bars(one: BarColumns, other: BarColumns) -> None:
    assert (one.first, one.seconds, len(one)) == (other.first, other.seconds, len(other))
    for mine, theirs in zip(one.arrays(), other.arrays(), strict=True):
        assert mine.dtype == theirs.dtype
        assert mine.tobytes() == theirs.tobytes()


def check(
    path: Path, together: BarWindows, alone: dict[tuple[str, str], BarWindow], start: int | None
) -> None:
    """Compare with windows of their own and with a fresh read."""
    with TickReader(path) as reader:
        for interval in INTERVALS:
            views = together.views(path, SYMBOLS, interval, start)
            for symbol in SYMBOLS:
                window = alone[symbol, interval]
                own = window.view(start)
                same_bars(views[symbol].closed, own.closed)
                same_bars(views[symbol].forming, own.forming)
                assert views[symbol].klines_until == own.klines_until
                start_us = None if start is None else start * 1_000_000
                fresh = reader.bars(symbol, interval, start=start_us)
                frame = views[symbol].frame()
                pd.testing.assert_frame_equal(frame, fresh, check_exact=True)
                assert frame.attrs == fresh.attrs
                shared = together.get(path, symbol, interval)
                assert shared.last_trade(look=False) == reader.last_trade(symbol)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    operations=st.lists(OPERATIONS, min_size=2, max_size=14),
    seed=st.integers(0, 2**20),
    jitter_s=st.sampled_from([0.0, 0.3, 8.0]),
    back_s=st.sampled_from([None, 10, 60, 900]),
)
def test_one_look_for_all_equals_a_look_at_each(
    tmp_path_factory, operations, seed, jitter_s, back_s
) -> None:
    path = tmp_path_factory.mktemp("many") / "ticks.db"
    desk, together = Desk(path, seed, jitter_s), BarWindows()
    alone = {(s, i): BarWindow(path, s, i) for s in SYMBOLS for i in INTERVALS}
    desk.live(3)
    desk.bars(3)
    shown = []
    for what, size in operations:
        desk.do(what, size)
        start = None if back_s is None else T0_S + round(desk.clock_s) - back_s
        check(path, together, alone, start)
        views = together.views(path, SYMBOLS, "1s", start)
        shown += [(view, view.frame()) for view in views.values()]
    for view, frame in shown:  # what was shown never changes
        pd.testing.assert_frame_equal(view.frame(), frame, check_exact=True)
    desk.writer.close()


def own_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Symbols whose windows look by themselves from now on."""
    looks: list[str] = []
    look = BarWindow._look

    def counted(self: BarWindow) -> None:
        looks.append(self.symbol)
        look(self)

    monkeypatch.setattr(BarWindow, "_look", counted)
    return looks


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "ticks.db", 3, 0.0)
    yield made
    made.writer.close()


@pytest.mark.parametrize("interval", ["1s", "1min", "5min", "1h"])
def test_what_goes_on_is_read_without_a_look_of_its_own(desk, monkeypatch, interval) -> None:
    def close_bars(number: int) -> None:
        at_s = 3600 * number
        desk.writer.write([tick(each, number, at_s, 100.0 + number) for each in SYMBOLS[:5]])
        minutes = [kline(at_s + 60 * n, 60, n % 3) for n in range(60)]
        desk.writer.add_all_klines(60, {key_of(each): minutes for each in BARS_ONLY})

    wanted = SYMBOLS if interval != "1s" else SYMBOLS[:5]
    close_bars(0)
    together = BarWindows()
    together.views(desk.writer.path, wanted, interval, None)
    looks = own_looks(monkeypatch)
    for number in range(1, 5):
        close_bars(number)
        views = together.views(desk.writer.path, wanted, interval, None)
        if number == 1:
            looks.clear()  # of hours the first whole one is here by now
        with TickReader(desk.writer.path) as reader:
            for symbol, view in views.items():
                fresh = reader.bars(symbol, interval)
                pd.testing.assert_frame_equal(view.frame(), fresh, check_exact=True)
    assert looks == []
    desk.writer.write([tick(SYMBOLS[1], 99, 3600 * 4.5), tick(SYMBOLS[2], 5, 3600 * 4.5)])
    together.views(desk.writer.path, wanted, interval, None)
    assert looks == [SYMBOLS[1]]  # a gap begins there


def test_bars_recorded_after_those_of_the_lake_go_on_together(desk, tmp_path, monkeypatch) -> None:
    lake = tmp_path / "lake"
    lake_bars = [(T0_S + 60 * n, 50.0, 51.0, 49.0, 50.5, 10**8, 1) for n in range(30)]
    with LakeWriter(lake) as writer:
        for symbol in SYMBOLS:
            rows = np.array(lake_bars, dtype=STORED_ROW)
            writer.put_klines("spot", symbol, 60, rows, Source("rest", "klines 1m"))
    together, path = BarWindows(), desk.writer.path
    looks = own_looks(monkeypatch)
    for number in range(30, 40):
        bars = [kline(60 * number, 60, number % 3, 50.0 + number)]
        desk.writer.add_all_klines(60, {key_of(each): bars for each in SYMBOLS})
        views = together.views(path, SYMBOLS, "1min", None, history=lake)
        if number == 30:
            looks.clear()
        with TickReader(path, history=lake) as reader:
            for symbol, view in views.items():
                fresh = reader.bars(symbol, "1min")
                assert len(fresh) == number + 1
                pd.testing.assert_frame_equal(view.frame(), fresh, check_exact=True)
                assert view.frame().attrs == fresh.attrs
                window = together.get(path, symbol, "1min", history=lake)
                assert window.last_trade(look=False) == reader.last_trade(symbol)
    assert looks == []


def test_sessions_that_look_together_and_alone_see_the_same(desk) -> None:
    desk.live(8)
    desk.bars(3)
    together, path = BarWindows(), desk.writer.path
    together.views(path, SYMBOLS, "1s", None)
    desk.live(8)
    desk.bars(3)
    keys: list[dict[str, object]] = []

    def session(number: int) -> None:
        symbols = random.Random(number).sample(SYMBOLS, len(SYMBOLS))
        if number % 2:
            views = together.views(path, symbols, "1s", None)
        else:
            views = {each: together.get(path, each, "1s").view(None) for each in symbols}
        keys.append({each: view.key for each, view in views.items()})

    threads = [threading.Thread(target=session, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(keys) == len(threads)
    assert all(each == keys[0] for each in keys)


def test_views_stay_within_the_bound_of_memory_and_are_whole(desk) -> None:
    desk.live(8)
    windows = BarWindows(most_bytes=1)
    for _ in range(2):
        desk.live(8)
        views = windows.views(desk.writer.path, [*SYMBOLS, SYMBOLS[0], "NOPE"], "1s", None)
        assert list(views) == [*SYMBOLS, "NOPE"]
        assert windows.size_bytes() == windows.get(desk.writer.path, "NOPE", "1s").size_bytes()
        with TickReader(desk.writer.path) as reader:
            for symbol, view in views.items():
                pd.testing.assert_frame_equal(
                    view.frame(), reader.bars(symbol, "1s"), check_exact=True
                )


def test_a_database_that_is_not_there_is_named_by_the_views(tmp_path) -> None:
    windows = [BarWindow(tmp_path / "ticks.db", each, "1s") for each in SYMBOLS]
    assert look_together(windows) == set()
    with pytest.raises(StoreError, match="no database at"):
        BarWindows().views(tmp_path / "ticks.db", SYMBOLS, "1s", None)
