"""Database and lake read as one: whatever each of them holds, against plain Python."""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.bars import resample_ticks
from ingest.binance import Kline
from ingest.errors import StoreError
from ingest.store import BarWindow, TickReader, TickWriter
from ingest.store.bars import STORED_ROW
from ingest.store.lake import Lake, LakeWriter, Source, TradeColumns
from ingest.store.pieces import LakeStream
from ingest.store.sources import bar_grid
from ingest.store.sources.lake_side import LakeSide
from ingest.store.window import BarWindows, look_together
from ingest.tick import StreamKey, Tick

KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")
STREAM = LakeStream(*KEY)
DAY_S = 86_400
T0_S = 1_700_006_400 // DAY_S * DAY_S - 7_200  # two hours before a midnight
SPAN_S = 3 * 3600 + 1_800
INTERVALS = {"1s": 1, "15s": 15, "1min": 60, "5min": 300, "15min": 900, "1h": 3600}
SOURCE = Source("file", "trades of a test")
Ids = list[tuple[int, int]]  # ranges of ids, the last one excluded


class Market:
    """All trades of some hours, ids from 0 on, in order of time."""

    def __init__(self, seed: int, every_s: float) -> None:
        rng = np.random.default_rng(seed)
        count = int(SPAN_S / every_s)
        self.time_us = np.sort(rng.integers(0, SPAN_S * 1_000_000, count)) + T0_S * 1_000_000
        self.second = self.time_us // 1_000_000
        cents = 10_000 + np.cumsum(rng.integers(-3, 4, count))
        self.price, self.units = cents * 1_000_000, rng.integers(1, 10**9, count)
        self.raw = rng.integers(1, 5, count)

    def __len__(self) -> int:
        return len(self.time_us)

    def ticks(self, ids: Ids) -> list[Tick]:
        return [
            Tick(*KEY, n, int(self.price[n]) / 1e8, int(self.units[n]) / 1e8,
                 int(self.time_us[n]), int(self.time_us[n]), buyer_is_maker=bool(n % 2),
                 trades=int(self.raw[n]))
            for low, high in ids for n in range(low, high)
        ]  # fmt: skip

    def bars(self, ids: Ids, seconds: int) -> dict[int, tuple[float, ...]]:
        """Open, high, low, close, volume and trades of some trades, by the second bars open."""
        made: dict[int, list[int]] = {}
        for low, high in ids:
            for n in range(low, high):
                made.setdefault(int(self.second[n]) // seconds * seconds, []).append(n)
        return {
            second: (
                *(int(each) / 1e8 for each in (self.price[of[0]], max(self.price[of]))),
                *(int(each) / 1e8 for each in (min(self.price[of]), self.price[of[-1]])),
                sum(self.units[of].tolist()) / 1e8,
                len(of),
            )
            for second, of in made.items()
        }

    def put(self, root: Path, ids: Ids, *, whole_day: bool = False) -> None:
        """Keep trades in a lake, day by day."""
        source = SOURCE._replace(whole_day=whole_day)
        with LakeWriter(root) as lake:
            for low, high in ids:
                for day in np.unique(self.second[low:high] // DAY_S).tolist():
                    of = low + np.flatnonzero(self.second[low:high] // DAY_S == day)
                    lake.put_trades(STREAM, day_of(day), self.columns(of), source)
            lake.refresh_bars(STREAM)

    def columns(self, of: np.ndarray) -> TradeColumns:
        times, prices, units, raw = (
            each[of] for each in (self.time_us, self.price, self.units, self.raw)
        )
        return TradeColumns(of, times, prices, units, of % 2 == 1, raw.astype(np.int32))

    def kline_rows(self, seconds: int) -> np.ndarray:
        """What the exchange gives: bars without a trade too."""
        bars, rows, close = self.bars([(0, len(self))], seconds), [], 0.0
        for second in range(T0_S, T0_S + SPAN_S, seconds):
            bar = bars.get(second, (close, close, close, close, 0.0, 0))
            close = bar[3]
            rows.append((second, *bar[:4], round(bar[4] * 1e8), bar[5]))
        return np.array(rows, dtype=STORED_ROW)


def day_of(day: int) -> date:
    return datetime.fromtimestamp(day * DAY_S, UTC).date()


class Held(NamedTuple):
    """Ids in the lake and in the database; those lost are missing in the latter's middle."""

    lake: Ids
    stored: tuple[int, int]
    lost: Ids

    @property
    def kept(self) -> Ids:
        edges = [self.stored[0], *(edge for gap in self.lost for edge in gap), self.stored[1]]
        return [each for each in zip(edges[::2], edges[1::2], strict=True) if each[0] < each[1]]


@st.composite
def holdings(draw: Any, market: Market) -> Held:
    """Draw what the lake has, in one range or two, and the database: anywhere, or joined by ids."""
    count = len(market)

    def ids(least: int) -> tuple[int, int]:
        low = draw(st.integers(0, count - least - 1))
        return low, draw(st.integers(low + least, count))

    lake = [ids(2)]
    if draw(st.booleans()):
        low, high = lake[0]
        cut = draw(st.integers(low, high))
        rest = draw(st.integers(cut, min(high, cut + draw(st.sampled_from([3, 300])))))
        lake = [each for each in ((low, cut), (rest, high)) if each[1] - each[0] > 1]
    stored = ids(4)
    if lake and draw(st.booleans()):
        begins = min(count - 4, max(0, lake[-1][1] + draw(st.sampled_from([0, 0, -1, -40, 1]))))
        stored = (begins, count)
    lost: Ids = []
    if stored[1] - stored[0] > 50 and draw(st.booleans()):
        low = draw(st.integers(stored[0] + 1, stored[1] - 3))
        lost = [(low, draw(st.integers(low + 1, stored[1] - 1)))]
    return Held(lake, stored, lost)


class Oracle:
    """Which seconds each side knows, second by second, as the READMEs say it."""

    def __init__(self, market: Market, held: Held) -> None:
        self.market, self.held = market, held
        self.first, self.newest = (
            int(market.second[each]) for each in (held.stored[0], held.stored[1] - 1)
        )
        self.in_lake = self._in_lake()
        known = sorted(self.in_lake)
        self.has_early = bool(known) and known[0] <= self.first
        self.end = known[-1] + 1 if known else 0
        self.after: int | None = None
        self.ledger = [(int(market.time_us[a - 1]), int(market.time_us[b])) for a, b in held.lost]
        self.gaps = self.ledger
        self.begins = known[0] if known and known[0] < self.first else None
        self._cut_edges(known)
        self.sure = self.in_lake | self._joined()
        self.early, self.late = self.sure, self.in_lake

    def _in_lake(self) -> set[int]:
        known: set[int] = set()
        second, runs = self.market.second, merged(self.held.lake)
        for low, high in runs:
            known |= set(range(int(second[low]) + 1, int(second[high - 1])))
        if runs:
            known |= {int(second[runs[0][0]]), int(second[runs[-1][1] - 1])}
        return known

    def _cut_edges(self, known: list[int]) -> None:
        """Of the seconds at the lake's ends it knows a part: it does not speak for the ticks."""
        if known and known[0] >= self.first:
            self.in_lake.discard(known[0])
        if known and self.first <= known[-1] <= self.newest:
            self.in_lake.discard(known[-1])

    def _joined(self) -> set[int]:
        """From the lake's last trade to the second in which the database begins, if proved."""
        begins = self.held.stored[0]
        for low, high in merged(self.held.lake):
            last = int(self.market.second[high - 1])
            is_gap = any(after < (self.first + 1) * 10**6 for after, _ in self.ledger)
            if low < begins <= high and last <= self.first and not is_gap:
                return set(range(last, self.first + 1))
        return set()

    def bars(self, seconds: int) -> pd.DataFrame:
        """Bars from the first known with a trade to the last."""
        whole = self.market.bars(merged([*self.held.lake, *self.held.kept]), seconds)
        ticks = self.market.bars(self.held.kept, seconds)
        self._look_at_edges(seconds)
        rows: dict[int, tuple[float, ...]] = {}
        close = np.nan
        for open_s in range(T0_S, self._end(seconds), seconds):
            bar, missing = self._bar(open_s, seconds, whole, ticks)
            if not rows and bar is None:
                continue
            close = np.nan if missing else close if bar is None else bar[3]
            nothing = (close,) * 4 + (np.nan if np.isnan(close) else 0.0, 0)
            rows[open_s] = nothing if bar is None or missing else bar
        index = pd.to_datetime(list(rows), unit="s", utc=True).as_unit("us")
        names = ["open", "high", "low", "close", "volume", "trades"]
        return pd.DataFrame(list(rows.values()), index=index, columns=names)

    def _look_at_edges(self, seconds: int) -> None:
        """The first bar and the newest one are what the trades know of them."""
        begins, end = self.begins or 0, -(-self.end // seconds) * seconds
        self.early = self.sure | set(range(begins // seconds * seconds, begins))
        self.gaps, self.late, self.after = list(self.ledger), self.in_lake, None
        if self.end > self.newest + 1:
            self.after = end
            self.late = self.in_lake | set(range(self.end, end))
            self.gaps.append(((self.newest + 1) * 10**6 - 1, self.after * 10**6))

    def _end(self, seconds: int) -> int:
        end = self.newest // seconds * seconds + seconds
        return end if self.after is None else self.after // seconds * seconds

    def _bar(
        self, open_s: int, seconds: int, whole: dict[int, tuple[float, ...]],
        ticks: dict[int, tuple[float, ...]],
    ) -> tuple[tuple[float, ...] | None, bool]:  # fmt: skip
        """A bar where a trade of it is known, and whether it is missing all the same."""
        of, end = range(open_s, open_s + seconds), open_s + seconds
        if self.has_early and any(each <= self.first and each not in self.early for each in of):
            return None, True
        begins = self.first + 1 if self.has_early else self.first
        in_gap = {
            each
            for after, before in self.gaps
            for each in range(max(begins, after // 10**6, open_s), min(before // 10**6 + 1, end))
            if each < (self.after or self.newest + 1)
        }
        served, part = in_gap & self.late, in_gap - self.late
        if not in_gap:
            is_early = self.has_early and open_s <= self.first
            return (whole if is_early else ticks).get(open_s), False
        if served:
            return (None, True) if part else (whole.get(open_s), False)
        ends_in = any(after < end * 10**6 <= before for after, before in self.gaps)
        return self._known_to(open_s, seconds, ticks), ends_in

    def _known_to(
        self, open_s: int, seconds: int, ticks: dict[int, tuple[float, ...]]
    ) -> tuple[float, ...] | None:
        """What the trades know of a bar with a gap, and what stands before them in it."""
        if not (self.has_early and open_s <= self.first):
            return ticks.get(open_s)
        border = int(np.searchsorted(self.market.second, self.first, "right"))
        known = merged([*self.held.lake, *self.held.kept])
        early = [(low, min(high, border)) for low, high in known if low < border]
        late = [(max(low, border), high) for low, high in self.held.kept if high > border]
        return self.market.bars(early + late, seconds).get(open_s)


def merged(ids: Ids) -> Ids:
    """Join ranges that touch."""
    joined: Ids = []
    for low, high in sorted(ids):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(data=st.data(), seed=st.integers(0, 10**6), every_s=st.sampled_from([2.0, 8.0, 40.0]))
def test_bars_are_whole_or_missing_whatever_the_lake_and_the_database_hold(
    tmp_path_factory, data, seed, every_s
) -> None:
    market = Market(seed, every_s)
    held = data.draw(holdings(market))
    folder = tmp_path_factory.mktemp("one")
    market.put(folder / "lake", held.lake)
    with closing(TickWriter(folder / "ticks.db")) as writer:
        writer.write(market.ticks(held.kept))
    oracle = Oracle(market, held)
    with closing(TickReader(folder / "ticks.db", history=folder / "lake")) as reader:
        for name, seconds in INTERVALS.items():
            bars = reader.bars("BTCUSDT", name)
            want = oracle.bars(seconds)
            assert list(bars.index) == list(want.index), name
            for column in want:
                np.testing.assert_array_equal(
                    bars[column].to_numpy(float), want[column].to_numpy(float), f"{name} {column}"
                )
        ticks = reader.ticks("BTCUSDT")
        ids = sorted({n for low, high in [*held.lake, *held.kept] for n in range(low, high)})
        assert sorted(ticks.trade_id) == ids


@pytest.mark.parametrize("where", ["lake", "database", "both", "klines", "klines in the lake"])
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), cut=st.floats(0.01, 0.99))
def test_bars_are_those_of_a_file_of_the_same_trades(tmp_path_factory, where, seed, cut) -> None:
    market = Market(seed, 3.0)
    folder, at = tmp_path_factory.mktemp("same"), int(cut * len(market))
    database, lake = folder / "ticks.db", folder / "lake"
    everything = [(0, len(market))]
    if where == "lake":
        market.put(lake, everything)
    elif where == "database":
        write(database, market, everything)
    elif where == "both":
        market.put(lake, [(0, at)])
        write(database, market, [(at, len(market))])
    else:
        keep_klines(market, lake if "lake" in where else None, database)
    ticks = file_of(market)
    with closing(TickReader(database, history=lake)) as reader:
        assert reader.symbols() == ["BTCUSDT"]
        for name, seconds in INTERVALS.items():
            bars, want = reader.bars("BTCUSDT", name), resample_ticks(ticks, name)
            if "klines" in where:  # of the last bar they know a part
                assert len(want) - len(bars) in range(2)
                want = want.iloc[: len(bars)]
            said = {words for *_, words in bars.attrs["sources"]}
            assert said == SAID_BY.get(where, said), seconds
            bars.attrs = {}
            pd.testing.assert_frame_equal(bars, want, check_exact=True)
        if "klines" not in where:
            held = reader.ticks("BTCUSDT")
            assert held.attrs == {"non_trade_ids": {"BTCUSDT": []}}
            held.attrs = {}
            pd.testing.assert_frame_equal(held, ticks, check_exact=True)


SAID_BY = {
    "lake": {"imported trades"},
    "database": {"recorded trades"},
    "klines": {"the exchange's bars"},
    "klines in the lake": {"the exchange's bars"},
}


def write(path: Path, market: Market, ids: Ids) -> None:
    with closing(TickWriter(path)) as writer:
        writer.write(market.ticks(ids))


def keep_klines(market: Market, lake: Path | None, database: Path) -> None:
    """Bars of the exchange's that reach over all trades, without any of these."""
    rows = market.kline_rows(1)
    rows = rows[: int(np.flatnonzero(rows["trades"])[-1]) + 1]
    if lake is not None:
        with LakeWriter(lake) as writer:
            writer.put_klines("spot", "BTCUSDT", 1, rows, Source("rest", "klines 1s"))
        return
    with closing(TickWriter(database)) as stored:
        bars = (
            Kline(at * 10**6, o, h, lo, c, units / 1e8, trades, (at + 1) * 10**6 - 1)
            for at, o, h, lo, c, units, trades in rows.tolist()
        )
        stored.add_klines(KEY, 1, list(bars))


def file_of(market: Market) -> pd.DataFrame:
    """The ticks frame of a file of all trades."""
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(["BTCUSDT"] * len(market), dtype="str"),
            "price": market.price / 1e8,
            "quantity": market.units / 1e8,
            "trade_id": np.arange(len(market)),
            "buyer_is_maker": np.arange(len(market)) % 2 == 1,
        }
    )
    frame.index = pd.DatetimeIndex(market.time_us.view("M8[us]"), name="time").tz_localize("UTC")
    return frame


@pytest.fixture
def market() -> Market:
    return Market(5, 9.0)


@pytest.mark.parametrize("together", [False, True])
def test_the_part_from_the_lake_is_read_once_and_a_change_in_it_is_noticed(
    market, tmp_path, monkeypatch, together
) -> None:
    third = len(market) // 3
    lake, database = tmp_path / "lake", tmp_path / "ticks.db"
    market.put(lake, [(0, third)])
    writer = TickWriter(database)
    writer.write(market.ticks([(third, 2 * third)]))
    windows = BarWindows()
    read: list[tuple[int, int]] = []
    pieces = LakeSide.read

    def counted(self, length, low, high):
        read.append((low, high))
        return pieces(self, length, low, high)

    monkeypatch.setattr(LakeSide, "read", counted)
    same(windows, lake, database, together=together)
    read.clear()
    for n in range(2 * third, 2 * third + 40):
        writer.write(market.ticks([(n, n + 1)]))
        if together and n % 4 == 0:
            same(windows, lake, database, together=True)
            read.clear()  # of the fresh look
        view = windows.get(database, "BTCUSDT", "1min", history=lake).view(None)
    assert len(view.closed) > 60
    assert not read
    writer.write(market.ticks([(2 * third + 300, 2 * third + 302)]))  # a gap
    same(windows, lake, database, together=together)
    market.put(lake, [(2 * third - 50, 2 * third + 310)])  # fills it
    same(windows, lake, database, together=together)
    bars = windows.get(database, "BTCUSDT", "1min", history=lake).view(None).frame()
    assert "missing" not in set(bars.coverage)
    assert {words for *_, words in bars.attrs["sources"]} >= {"imported trades", "recorded trades"}
    assert "kline_spans" not in bars.attrs  # trades fill it, no bars of the exchange's
    market.put(lake, [(2 * third, len(market))])  # the lake goes on after the database
    same(windows, lake, database, together=together)
    writer.write(market.ticks([(2 * third + 302, len(market))]))  # which takes over
    same(windows, lake, database, together=together)
    days = (day_of(int(market.second[each]) // DAY_S) for each in (0, -1))
    assert Lake(lake).delete("spot", "aggTrade", "BTCUSDT", *days) > 0
    same(windows, lake, database, together=together)
    writer.close()


def same(windows: BarWindows, lake: Path, database: Path, *, together: bool = False) -> None:
    """Windows show what a fresh look reads, at every interval; `together` they look at once."""
    of_all = {name: windows.get(database, "BTCUSDT", name, history=lake) for name in INTERVALS}
    done = look_together(of_all.values()) if together else set()
    with closing(TickReader(database, history=lake)) as reader:
        for name, window in of_all.items():
            bars, view = reader.bars("BTCUSDT", name), window.view(None, look=window not in done)
            pd.testing.assert_frame_equal(view.frame(), bars, check_exact=True)
            assert view.frame().attrs == bars.attrs
            assert window.last_trade(look=window not in done) == reader.last_trade("BTCUSDT")


def test_a_lake_without_a_database_is_a_history(market, tmp_path) -> None:
    lake, database = tmp_path / "lake", tmp_path / "ticks.db"
    with pytest.raises(StoreError, match=r"no database at .*start the recorder"):
        TickReader(database, history=lake)
    with pytest.raises(StoreError, match=r"no database at .*start the recorder"):
        BarWindow(database, "BTCUSDT", "1min").view(None)
    market.put(lake, [(0, 600)])
    last_us = int(market.time_us[599])
    with closing(TickReader(database, history=lake)) as reader:
        assert [each.symbol for each in reader.series()] == ["BTCUSDT"]
        span = reader.span("BTCUSDT")
        assert span is not None
        assert [each.value // 1000 for each in span] == [int(market.time_us[0]), last_us]
        last = reader.last_trade("BTCUSDT")
        assert last is not None
        assert (last.time_us, last.price) == (last_us, int(market.price[599]) / 1e8)
        assert reader.newest_trade_us(["BTCUSDT", "NOPE"]) == last_us
        assert reader.begins_us("BTCUSDT", 300) == int(market.second[0]) * 10**6
        assert reader.gaps().empty
        assert reader.bars("NOPE", "1s").empty
        ticks = reader.ticks("BTCUSDT", int(market.time_us[10]), int(market.time_us[20]))
        assert list(ticks.trade_id) == list(range(10, 20))
    windows = BarWindows()
    same(windows, lake, database)
    write(database, market, [(600, 900)])  # the database comes
    same(windows, lake, database)
    with closing(TickReader(database)) as alone:
        span = alone.span("BTCUSDT")
        assert span is not None
        assert span[0].value // 1000 == int(market.time_us[600])
    with closing(TickReader(database, history=lake)) as reader:
        assert "missing" not in set(reader.bars("BTCUSDT", "1s").coverage)  # joined by their ids
        assert reader.gaps().empty
        assert len(reader.ticks("BTCUSDT")) == 900


def test_what_lies_between_lake_and_database_is_missing_where_no_id_joins_them(
    market, tmp_path
) -> None:
    market.put(tmp_path / "lake", [(0, 600)])
    write(tmp_path / "ticks.db", market, [(700, 900)])
    with closing(TickReader(tmp_path / "ticks.db", history=tmp_path / "lake")) as reader:
        (gap,) = reader.gaps("BTCUSDT").to_dict("records")
        assert gap["before"].value // 1000 == int(market.time_us[700])
        bars = reader.bars("BTCUSDT", "1s")
        missing = bars.index[bars.coverage == "missing"]
        assert missing[0].timestamp() == market.second[599] + 1
        assert market.second[700] <= missing[-1].timestamp() < market.second[701]


def test_years_are_read_in_parts_that_equal_the_whole(market, tmp_path, monkeypatch) -> None:
    market.put(tmp_path / "lake", [(0, 500), (520, 700)])
    write(tmp_path / "ticks.db", market, [(690, 800), (820, len(market))])
    with closing(TickReader(tmp_path / "ticks.db", history=tmp_path / "lake")) as reader:
        whole = {name: reader.bars("BTCUSDT", name) for name in INTERVALS}
        monkeypatch.setattr(bar_grid, "PIECES_AT_ONCE", 37)
        for name, bars in whole.items():
            parts = reader.bars("BTCUSDT", name)
            pd.testing.assert_frame_equal(parts, bars, check_exact=True)
            assert parts.attrs == bars.attrs
