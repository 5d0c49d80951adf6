"""Bars out of trades and the exchange's own bars of several lengths: against pandas alone."""

import random
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ingest.binance import Kline
from ingest.store import BEFORE_FIRST_TRADE, BarWindow, TickReader, TickWriter, without_spans
from ingest.store.bars import runs
from ingest.tick import StreamKey, Tick

KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")
T0_S = 1_700_000_040 // 3600 * 3600  # a whole hour
SPAN_S = 3 * 3600
LENGTHS = (1, 60, 300)
INTERVALS = {"1s": 1, "15s": 15, "1min": 60, "5min": 300, "15min": 900, "1h": 3600}


class Market:
    """All trades of three hours, of which the desk knows the last by itself."""

    def __init__(self, seed: int, every_s: float) -> None:
        self._bars: dict[int, pd.DataFrame] = {}
        rng = np.random.default_rng(seed)
        count = int(SPAN_S / every_s)
        self.times_us = np.sort(rng.integers(0, SPAN_S * 1_000_000, count)) + T0_S * 1_000_000
        self.trades = pd.DataFrame(
            {
                "second": self.times_us // 1_000_000,
                "price": np.round(100 + np.cumsum(rng.normal(0, 0.02, count)), 2),
                "quantity": rng.integers(1, 10**9, count) / 1e8,
            }
        )

    def bars(self, seconds: int) -> pd.DataFrame:
        """Bars with a trade, by the second they open."""
        if seconds not in self._bars:
            self._bars[seconds] = self._made(seconds)
        return self._bars[seconds]

    def _made(self, seconds: int) -> pd.DataFrame:
        grouped = self.trades.groupby(self.trades.second // seconds * seconds)
        bars = grouped.price.agg(["first", "max", "min", "last", "count"])
        units = (self.trades.quantity * 1e8).round().astype("int64")
        bars["volume"] = units.groupby(self.trades.second // seconds * seconds).sum() / 1e8
        return bars

    def klines(self, seconds: int, low: int, high: int) -> list[Kline]:
        """What the exchange gives for bars that open in ``low <= second < high``."""
        bars, made = self.bars(seconds), []
        before = bars[bars.index < low]["last"]
        close = float(before.iloc[-1]) if len(before) else 100.0
        rows = bars[(bars.index >= low) & (bars.index < high)].to_dict("index")
        for second in range(low, high, seconds):
            open_us, ends_us = second * 1_000_000, (second + seconds) * 1_000_000 - 1
            if second not in rows:
                made.append(Kline(open_us, close, close, close, close, 0.0, 0, ends_us))
                continue
            bar = rows[second]
            close = float(bar["last"])
            prices = (float(bar["first"]), float(bar["max"]), float(bar["min"]), close)
            made.append(Kline(open_us, *prices, float(bar["volume"]), int(bar["count"]), ends_us))
        return made

    def ticks_from(self, index: int) -> list[Tick]:
        return [
            Tick("spot", "BTCUSDT", "aggTrade", n, float(row["price"]), float(row["quantity"]),
                 int(self.times_us[n]), int(self.times_us[n]), buyer_is_maker=False)
            for n, row in enumerate(self.trades.to_dict("records")) if n >= index
        ]  # fmt: skip


def known_seconds(first: int | None, klines: dict[int, set[int]], seconds: int) -> np.ndarray:
    """Which seconds of the span whole pieces tell of, for bars of a length."""
    known = np.zeros(SPAN_S, dtype=bool)
    for length, opens in klines.items():
        for second in opens if seconds % length == 0 else ():
            known[second - T0_S : second - T0_S + length] = True
    if first is not None:
        known[first + 1 - T0_S :] = True  # of its own second the first trade knows a part
    return known


def expected(market: Market, known: np.ndarray, seconds: int, last: int) -> pd.DataFrame:
    """Closes and trades from the first known bar with a trade to bar `last`; NaN: missing."""
    whole = np.all(known.reshape(-1, seconds), axis=1)
    bars = market.bars(seconds)
    opens = np.arange(T0_S, T0_S + SPAN_S, seconds)
    traded = np.isin(opens, bars.index)
    begin = np.flatnonzero(whole & traded)
    if not begin.size:
        return pd.DataFrame(columns=["close", "volume", "trades"])
    rows, close = [], np.nan
    made = bars.to_dict("index")
    for at in range(begin[0], (last - T0_S) // seconds + 1):
        if not whole[at]:
            close = np.nan
        elif traded[at]:
            close = made[opens[at]]["last"]
        shown = whole[at] and traded[at]
        quiet = (np.nan if np.isnan(close) else 0.0, 0)
        bar = made.get(opens[at], {})
        rows.append((close, *((bar["volume"], bar["count"]) if shown else quiet)))
    index = pd.to_datetime(opens[begin[0] : begin[0] + len(rows)], unit="s", utc=True)
    return pd.DataFrame(rows, index=index, columns=["close", "volume", "trades"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, float, float, dict[int, list[tuple[int, int]]]]:
    """Draw a seed, a pace, when the recording begins, and ranges of klines, holes among them."""
    begins = draw(st.floats(0.3, 0.95))
    ranges: dict[int, list[tuple[int, int]]] = {}
    for length in LENGTHS:
        count = draw(st.sampled_from([0, 1, 1, 2]))
        edges = sorted(
            draw(st.integers(0, int(SPAN_S * begins) // length + 2)) for _ in range(2 * count)
        )
        ranges[length] = [
            (T0_S + low * length, T0_S + high * length)
            for low, high in zip(edges[::2], edges[1::2], strict=True)
        ]
    return draw(st.integers(0, 10**6)), draw(st.sampled_from([0.5, 4.0, 40.0])), begins, ranges


# Klines come before those that a window holds, where there is no trade yet.
LATER_BEFORE = (
    20430, 40.0, 0.9,
    {1: [(1_700_007_392, 1_700_008_367)], 60: [(1_700_003_340, 1_700_003_940),
     (1_700_005_800, 1_700_006_880)], 300: []},
)  # fmt: skip
# Klines end inside of a bar, where there is no trade yet.
CUT_AT_THE_END = (
    372, 40.0, 0.46,
    {1: [(1_699_999_369, 1_699_999_558), (1_700_000_135, 1_700_000_591)],
     60: [(1_700_000_640, 1_700_003_520)], 300: []},
)  # fmt: skip

# Of the last bars only a part of one later than they is known, where there is no trade yet.
PART_OF_A_LATER_ONE = (
    180711, 4.0, 0.74,
    {1: [(1_699_999_381, 1_699_999_395)], 60: [(1_700_006_040, 1_700_006_160)],
     300: [(1_699_999_800, 1_700_001_000), (1_700_003_700, 1_700_007_000)]},
)  # fmt: skip


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(LATER_BEFORE)
@example(CUT_AT_THE_END)
@example(PART_OF_A_LATER_ONE)
@given(histories())
def test_every_bar_is_whole_or_missing_whatever_klines_there_are(tmp_path_factory, history) -> None:
    seed, every_s, begins, ranges = history
    market = Market(seed, every_s)
    path = tmp_path_factory.mktemp("source") / "ticks.db"
    writer = TickWriter(path)
    windows = {name: BarWindow(path, "BTCUSDT", name) for name in INTERVALS}
    index = int(np.searchsorted(market.times_us, (T0_S + SPAN_S * begins) * 1_000_000))
    ticks = market.ticks_from(index)
    first = ticks[0].time_us // 1_000_000
    have: dict[int, set[int]] = {length: set() for length in LENGTHS}
    steps = [("ticks", 0, (0, 0))]
    steps += [("klines", length, each) for length in LENGTHS for each in ranges[length]]
    random.Random(seed).shuffle(steps)
    is_recorded = False
    for what, length, (low, high) in steps:
        if what == "ticks":
            writer.write(ticks)
            is_recorded = True
        else:
            writer.add_klines(KEY, length, market.klines(length, low, high))
            have[length] |= set(range(low, high, length))
        check(path, windows, market, first if is_recorded else None, have, ticks)
    writer.close()


def check(
    path: Path, windows: dict[str, BarWindow], market: Market, first: int | None,
    have: dict[int, set[int]], ticks: list[Tick],
) -> None:  # fmt: skip
    """Compare a fresh read and the windows with pandas, interval by interval."""
    with closing(TickReader(path)) as reader:
        for name, seconds in INTERVALS.items():
            bars = reader.bars("BTCUSDT", name)
            held = windows[name].view(None).frame()
            pd.testing.assert_frame_equal(held, bars, check_exact=True)
            assert held.attrs == bars.attrs
            # A kline counts where it stands before the first trade, or holds it.
            used = {
                length: {s for s in opens if first is None or s <= first}
                for length, opens in have.items()
            }
            ends = [
                s + length for length, all_ in used.items() if seconds % length == 0 for s in all_
            ]
            if first is not None and not ends:
                continue  # no kline before: what the trades know, see test_ingest_bar_window
            if not ends:
                assert bars.empty
                continue
            last = max(ends) // seconds * seconds - seconds
            if first is not None:
                last = max(last, ticks[-1].time_us // 1_000_000 // seconds * seconds)
            want = expected(market, known_seconds(first, used, seconds), seconds, last)
            assert len(bars) == len(want), name
            assert list(bars.index) == list(want.index), name
            for column in want:
                np.testing.assert_array_equal(
                    bars[column].to_numpy(dtype=float), want[column].to_numpy(dtype=float), name
                )


def of_gaps(
    market: Market, lost: list[tuple[int, int]], klines: dict[int, set[int]], seconds: int
) -> pd.DataFrame:
    """Bars of the trades but those lost, with klines in their place: NaN where missing.

    `lost` are ranges of trades by number, the last one excluded.
    """
    trades = market.trades
    kept = np.ones(len(trades), dtype=bool)
    unknown = np.zeros(SPAN_S, dtype=bool)
    ends_in_gap = np.zeros(SPAN_S // seconds, dtype=bool)
    stops_us = (T0_S + (np.arange(SPAN_S // seconds) + 1) * seconds) * 1_000_000
    for low, high in lost:
        kept[low:high] = False
        after_us, before_us = market.times_us[low - 1], market.times_us[high]
        unknown[after_us // 1_000_000 - T0_S : before_us // 1_000_000 - T0_S + 1] = True
        ends_in_gap |= (stops_us > after_us) & (stops_us <= before_us)
    served = np.zeros(SPAN_S, dtype=bool)
    for length, opens in klines.items():
        for second in opens if seconds % length == 0 else ():
            part = slice(second - T0_S, second - T0_S + length)
            if unknown[part].any():
                served[part] = True

    def by_bar(flags: np.ndarray) -> np.ndarray:
        return np.asarray(np.any(flags.reshape(-1, seconds), axis=1))

    is_part = by_bar(unknown & ~served)
    is_served = by_bar(unknown & served)
    known = Market.__new__(Market)
    known._bars = {}
    known.trades = trades[kept]
    whole, ticks = (each.bars(seconds).to_dict("index") for each in (market, known))
    rows, close = [], np.nan
    for at, open_s in enumerate(range(T0_S, T0_S + SPAN_S, seconds)):
        of, missing = ticks, False
        if is_served[at]:
            of, missing = whole, bool(is_part[at])
        elif is_part[at]:
            missing = bool(ends_in_gap[at])
        bar = None if missing or open_s not in of else of[open_s]
        close = np.nan if missing else close if bar is None else bar["last"]
        named = (np.nan,) * 3 if np.isnan(close) else (close,) * 3
        if bar is not None:
            named = (bar["first"], bar["max"], bar["min"])
        volume = np.nan if np.isnan(close) else 0.0 if bar is None else bar["volume"]
        count = 0 if bar is None else bar["count"]
        is_kline = bool(is_served[at] and not is_part[at] and not np.isnan(close))
        rows.append((*named, close, volume, count, is_kline))
    index = pd.to_datetime(np.arange(T0_S, T0_S + SPAN_S, seconds), unit="s", utc=True)
    names = ["open", "high", "low", "close", "volume", "trades", "is_kline"]
    return pd.DataFrame(rows, index=index, columns=names)


@st.composite
def lossy_histories(draw: st.DrawFn) -> tuple[int, float, list[tuple[float, float]], list[Any]]:
    """Draw a seed, a pace, gaps as shares of the span, and ranges of klines in their order."""
    edges = sorted(draw(st.lists(st.floats(0.02, 0.95), min_size=2, max_size=4, unique=True)))
    gaps = list(zip(edges[::2], edges[1::2], strict=False))
    ranges = []
    for length in draw(st.lists(st.sampled_from([*LENGTHS, *LENGTHS, 900]), max_size=5)):
        low, high = draw(st.sampled_from(gaps))  # about a gap, or about one of its ends
        about = sorted(
            (draw(st.sampled_from([low, high])) + draw(st.floats(-0.03, 0.03))) * SPAN_S // length
            for _ in range(2)
        )
        ranges.append((length, int(about[0]), int(about[1]) + draw(st.integers(0, 2))))
    return draw(st.integers(0, 10**6)), draw(st.sampled_from([0.5, 4.0, 40.0])), gaps, ranges


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lossy_histories())
def test_bars_over_a_gap_are_whole_out_of_klines_or_missing(tmp_path_factory, history) -> None:
    seed, every_s, gaps, ranges = history
    market = Market(seed, every_s)
    path = tmp_path_factory.mktemp("gaps") / "ticks.db"
    count = len(market.trades)
    lost = [(max(1, int(low * count)), int(high * count)) for low, high in gaps]
    lost = [(low, high) for low, high in lost if low < high]
    ticks = market.ticks_from(0)
    writer, rng = TickWriter(path), random.Random(seed)
    writer.write([t for n, t in enumerate(ticks) if not any(a <= n < b for a, b in lost)])
    for low, high in lost:
        if rng.random() < 0.7:
            writer.close_gap(KEY, low, high - 1, "expired", "test")
    windows = {name: BarWindow(path, "BTCUSDT", name) for name in INTERVALS}
    have: dict[int, set[int]] = {}
    check_gaps(path, windows, market, lost, have)
    begins = ticks[0].time_us // 1_000_000 + 1 - T0_S  # no kline stands before the first trade
    for length, low, high in ranges:
        first, stop = max(low, -(-begins // length)), min(high, SPAN_S // length)
        opens = range(T0_S + first * length, T0_S + stop * length)
        writer.add_klines(KEY, length, market.klines(length, opens.start, opens.stop))
        have.setdefault(length, set()).update(opens[::length])
        check_gaps(path, windows, market, lost, have)
    while lost:  # repaired: the trades have the word again
        low, high = lost.pop(rng.randrange(len(lost)))
        writer.write(ticks[low:high])
        check_gaps(path, windows, market, lost, have)
    writer.close()


def check_gaps(
    path: Path, windows: dict[str, BarWindow], market: Market, lost: list[tuple[int, int]],
    have: dict[int, set[int]],
) -> None:  # fmt: skip
    """Compare a fresh read and the windows with pandas, interval by interval."""
    with closing(TickReader(path)) as reader:
        for name, seconds in INTERVALS.items():
            bars = reader.bars("BTCUSDT", name)
            held = windows[name].view(None).frame()
            pd.testing.assert_frame_equal(held, bars, check_exact=True)
            assert held.attrs == bars.attrs
            assert "klines_until" not in bars.attrs
            want = of_gaps(market, lost, have, seconds)
            known = want if bars.empty else want[want.index < bars.index[0]]
            assert known.close.isna().all(), name  # it begins with the first bar that is known
            if bars.empty:
                continue
            want = want.loc[bars.index[0] : bars.index[-1]]
            assert list(bars.index) == list(want.index), name
            for column in ("open", "high", "low", "close", "volume", "trades"):
                np.testing.assert_array_equal(
                    bars[column].to_numpy(dtype=float), want[column].to_numpy(dtype=float), name
                )
            named = np.zeros(len(bars), dtype=bool)
            for start, end in bars.attrs.get("kline_spans", ()):
                named |= (bars.index >= start) & (bars.index < end)
            # The newest bar is named theirs too where they reach beyond the newest trade.
            assert named[:-1].tolist() == want.is_kline.tolist()[:-1], name


def test_reading_a_part_gives_what_reading_all_gives_there(tmp_path: Path) -> None:
    market, rng = Market(3, 2.0), random.Random(3)
    writer = TickWriter(tmp_path / "ticks.db")
    for length, low, high in ((300, 0, 7200), (60, 3600, 9000), (1, 8400, 9500)):
        writer.add_klines(KEY, length, market.klines(length, T0_S + low, T0_S + high))
    index = int(np.searchsorted(market.times_us, (T0_S + 9473.4) * 1_000_000))
    writer.write(market.ticks_from(index))
    writer.close()
    with closing(TickReader(tmp_path / "ticks.db")) as reader:
        for name, seconds in INTERVALS.items():
            whole = reader.bars("BTCUSDT", name)
            for _ in range(10):
                start = T0_S + rng.randrange(0, SPAN_S // seconds) * seconds
                part = reader.bars("BTCUSDT", name, start=start * 1_000_000)
                there = whole[whole.index >= pd.Timestamp(start, unit="s", tz="UTC")]
                traded = np.flatnonzero(there.coverage == "traded")
                there = there.iloc[traded[0] :] if traded.size else there.iloc[:0]
                pd.testing.assert_frame_equal(part, there, check_exact=True)


def test_a_stretch_that_klines_and_trades_leave_open_is_in_the_ledger(tmp_path: Path) -> None:
    market = Market(5, 1.0)
    writer = TickWriter(tmp_path / "ticks.db")
    writer.add_klines(KEY, 60, market.klines(60, T0_S, T0_S + 3600))
    writer.add_klines(KEY, 1, market.klines(1, T0_S + 3000, T0_S + 3650))
    index = int(np.searchsorted(market.times_us, (T0_S + 3655.5) * 1_000_000))
    ticks = market.ticks_from(index)
    writer.write(ticks)
    with closing(TickReader(tmp_path / "ticks.db")) as reader:
        (gap,) = reader.gaps("BTCUSDT").to_dict("records")
        assert gap["cause"] == BEFORE_FIRST_TRADE
        assert gap["after"] == pd.Timestamp(T0_S + 3650, unit="s", tz="UTC")
        assert gap["before"] == pd.Timestamp(ticks[0].time_us, unit="us", tz="UTC")
        bars = reader.bars("BTCUSDT", "1s")
        missing = bars.index[bars.coverage == "missing"]
        assert (missing[0], missing[-1]) == (gap["after"], gap["before"].floor("1s"))
        first = ticks[0].time_us // 1_000_000
        writer.add_klines(KEY, 1, market.klines(1, T0_S + 3650, first + 1))
        assert reader.gaps().empty
        assert "missing" not in set(reader.bars("BTCUSDT", "1min").coverage)
    writer.close()


@pytest.mark.parametrize(
    ("spans", "cuts", "left"),
    [
        ([(0, 10)], [], [(0, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10)], [(-5, 2), (4, 5), (9, 20)], [(2, 4), (5, 9)]),
        ([(0, 3), (5, 8)], [(2, 6)], [(0, 2), (6, 8)]),
    ],
)
def test_spans_without_others(spans, cuts, left) -> None:
    assert without_spans(spans, cuts) == left


def test_rows_that_touch_are_one_run() -> None:
    rows = np.zeros(4, dtype=[("at", "i8")])
    rows["at"] = [60, 120, 240, 300]
    assert runs(rows, 60) == [(60, 180), (240, 360)]
    assert runs(rows[:0], 60) == []
