"""The lake: bars equal to the bit, known only where ids prove it, the first row stays."""

import os
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pytest
from cases.dump_files import DAY_S, OCTOBER_S
from cases.lake import DAY_US, FILE, STREAM, WHOLE, frame_of, put, ticks_of, trades_of
from hypothesis import given
from hypothesis import strategies as st

from analytics.bars import resample_ticks
from ingest.errors import LakeError
from ingest.store import TickReader, TickWriter
from ingest.store.bars import STORED_ROW, StoredRows, without_spans
from ingest.store.lake import IdSpan, Lake, LakeWriter, Source, TradeColumns
from ingest.store.lake.known import HeldDay, known_seconds, merged_spans
from ingest.store.lake.whole_files import write_whole
from ingest.store.pieces import LakeStream

T0 = OCTOBER_S * 1_000_000
EVER = (0, 2**40)
LENGTHS = {1: "1s", 60: "1min", 3600: "1h"}
KLINES = Source("rest", "klines")


def steady(count: int, *, first_id: int = 1, start_us: int = T0, step_us: int = 400_000):
    """Trades one after the other, prices and quantities that differ."""
    numbers = range(count)
    return trades_of(
        (first_id + n for n in numbers),
        (start_us + n * step_us for n in numbers),
        (round(100 + 0.01 * ((n * 7919) % 997), 2) for n in numbers),
        (round(0.001 * (1 + n * 31 % 97), 3) for n in numbers),
    )


def klines(*rows: tuple[int, int], length: int = 60) -> StoredRows:
    """Klines from (number of the kline since October, trades)."""
    made = [
        (OCTOBER_S + at * length, 5.0, 7.0, 4.0, 6.0, 10**8 * trades, trades) for at, trades in rows
    ]
    return np.array(made, dtype=STORED_ROW)


def is_equal(rows: StoredRows, bars: pd.DataFrame) -> None:
    """Held to every traded bar of the frame that the rows tell of."""
    bars = bars[bars["coverage"] == "traded"]
    at = pd.DatetimeIndex(bars.index).as_unit("us").asi8 // 1_000_000
    bars = bars[np.isin(at, rows["at"])]
    assert len(bars) == rows.size > 0
    for name in ("open", "high", "low", "close", "trades"):
        assert np.array_equal(bars[name].to_numpy(), rows[name]), name
    volume = [int(units) / 10**8 for units in rows["volume"]]
    assert np.array_equal(bars["volume"].to_numpy(), volume)


# Trades


def test_a_folder_that_is_not_there_is_an_empty_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "none")
    pieces = lake.pieces(STREAM)
    assert (lake.streams(), lake.holdings(), lake.id_spans(STREAM)) == ([], [], [])
    assert (pieces.lengths(), pieces.first(60), pieces.last(1)) == ([], None, None)
    assert pieces.read(60, *EVER).rows.size == 0
    assert lake.ticks(STREAM, *EVER).trade_id.size == 0
    assert isinstance(lake.state(STREAM), int)


def test_trades_come_back_in_order_of_time_then_id(tmp_path: Path) -> None:
    trades = trades_of([5, 6, 7, 8], [T0 + 9, T0 + 3, T0 + 9, T0 + 1], [1, 2, 3, 0], [1, 1, 2, 0])
    put(tmp_path, trades)
    held = Lake(tmp_path).ticks(STREAM, T0, T0 + 10)
    assert held.trade_id.tolist() == [6, 5, 7]
    assert held.price.tolist() == [2.0, 1.0, 3.0]
    assert held.buyer_is_maker.tolist() == [True, False, False]
    assert held.non_trades == [8]
    assert Lake(tmp_path).ticks(STREAM, T0 + 4, T0 + 9).trade_id.size == 0
    assert Lake(tmp_path).id_spans(STREAM) == [IdSpan(5, 8, T0 + 9, T0 + 1)]


@pytest.mark.parametrize(
    ("price", "quantity"),
    [
        (9.07e-6, 28_445_331.0),
        (1.234e-12, 0.5),
        (123_456_789_012.25, 1e-8),
        (0.1, 98_765_432_109.5),
        (99_999.99, 123_456_789.12345678),
    ],
)
def test_numbers_of_any_size_are_kept_as_they_were_printed(
    tmp_path: Path, price: float, quantity: float
) -> None:
    put(tmp_path, trades_of([1, 2], [T0, T0 + 1], [price, 2.5], [quantity, 3.0]))
    held = Lake(tmp_path).ticks(STREAM, T0, T0 + 2)
    assert held.price.tolist() == [price, 2.5]
    assert held.quantity.tolist() == [quantity, 3.0]
    assert put(tmp_path, trades_of([1], [T0], [price], [quantity]))[0].same == 1


def test_the_first_content_of_an_id_stays_and_the_conflict_is_named(tmp_path: Path) -> None:
    put(tmp_path, trades_of([1, 2], [T0, T0 + 1], [1.0, 2.0], [1.0, 1.0]))
    (report,) = put(tmp_path, trades_of([3, 2, 1], [T0 + 2, T0 + 1, T0], [3, 9, 1], [1, 1, 1]))
    assert (report.rows, report.added, report.same, report.conflicts) == (3, 1, 1, (2,))
    assert Lake(tmp_path).ticks(STREAM, T0, T0 + 9).price.tolist() == [1.0, 2.0, 3.0]


def test_milliseconds_of_one_source_agree_with_microseconds_of_another(tmp_path: Path) -> None:
    put(tmp_path, trades_of([1], [T0 + 1234], [1.0], [1.0]))
    (report,) = put(tmp_path, trades_of([1], [T0 + 1000], [1.0], [1.0]))
    assert (report.same, report.conflicts) == (1, ())
    (report,) = put(tmp_path, trades_of([1], [T0 + 1300], [1.0], [1.0]))
    assert report.conflicts == (1,)


def test_the_same_rows_again_change_no_file_but_that_a_day_is_whole(tmp_path: Path) -> None:
    trades = steady(50)
    put(tmp_path, trades)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    put(tmp_path, trades)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == files
    put(tmp_path, trades, WHOLE)
    (kept,) = Lake(tmp_path).holdings()
    assert kept.sources == (FILE, WHOLE)
    pieces = Lake(tmp_path).pieces(STREAM)
    assert (pieces.first(3600), pieces.last(3600)) == (OCTOBER_S, OCTOBER_S + DAY_S)


@pytest.mark.parametrize(
    "change",
    [
        lambda trades: trades.trade_id.__setitem__(0, -1),
        lambda trades: trades.price.__setitem__(0, -0.5),
        lambda trades: trades.quantity.__setitem__(0, float("nan")),
        lambda trades: trades.time_us.__setitem__(0, T0 - 1),
    ],
    ids=["id", "price", "quantity", "day"],
)
def test_rows_that_cannot_be_are_refused_in_one_line(tmp_path: Path, change) -> None:
    trades = steady(3)
    change(trades)
    with LakeWriter(tmp_path) as writer, pytest.raises(LakeError) as error:
        writer.put_trades(STREAM, date(2024, 10, 1), trades, FILE)
    assert "\n" not in str(error.value)
    assert Lake(tmp_path).holdings() == []


# Bars


def test_bars_are_those_of_the_database_and_of_the_frame_to_the_bit(tmp_path: Path) -> None:
    trades = steady(40_000)  # 4.4 hours, but for the ends not in order of time
    late_ms = trades.trade_id[5:-5] * 7919 % 1000
    trades.time_us[5:-5] += late_ms * 1000
    assert (np.diff(trades.time_us) < 0).any()
    put(tmp_path / "lake", trades)
    writer = TickWriter(tmp_path / "ticks.db")
    writer.write(ticks_of(trades))
    writer.close()
    pieces = Lake(tmp_path / "lake").pieces(STREAM)
    with TickReader(tmp_path / "ticks.db") as reader:
        for length, name in LENGTHS.items():
            rows = pieces.read(length, *EVER).rows
            is_equal(rows, reader.bars("AAAUSDT", name))
            is_equal(rows, resample_ticks(frame_of(trades), name))


@pytest.mark.real_data
def test_bars_of_real_trades_are_equal_to_the_bit(tmp_path: Path, shared_data: Path) -> None:
    from ingest.files import read_ticks

    frame = read_ticks(shared_data / "binance_futures_trades_TRXUSDT_20250304.csv")
    others = frame.attrs["non_trade_ids"]["TRXUSDT"]
    times = pd.DatetimeIndex(frame.index).as_unit("us").asi8
    at = np.interp(others, frame["trade_id"], times).astype(np.int64)
    trades = trades_of(
        [*frame["trade_id"], *others],
        [*times, *at],
        [*frame["price"], *(0.0 for _ in others)],
        [*frame["quantity"], *(0.0 for _ in others)],
    )
    stream = LakeStream("usdm", "TRXUSDT", "trade")
    put(tmp_path, trades, stream=stream)
    assert len(others) == 1
    assert len(Lake(tmp_path).id_spans(stream)) == 1
    pieces = Lake(tmp_path).pieces(stream)
    for length in (1, 60):
        is_equal(pieces.read(length, *EVER).rows, resample_ticks(frame, LENGTHS[length]))


def test_a_piece_whose_volume_is_beyond_bigint_is_not_known(tmp_path: Path) -> None:
    trades = steady(3_600, step_us=1_000_000)
    trades.quantity[70] = 95e9
    put(tmp_path, trades, WHOLE)
    pieces = Lake(tmp_path).pieces(STREAM)
    for length, lost in ((1, 70), (60, 60), (3600, 0)):
        got = pieces.read(length, *EVER)
        assert OCTOBER_S + lost not in got.rows["at"]
        assert without_spans([(OCTOBER_S, OCTOBER_S + DAY_S)], got.known) == [
            (OCTOBER_S + lost, OCTOBER_S + lost + length)
        ]


def test_stale_bars_are_made_of_the_trades_and_made_again(tmp_path: Path) -> None:
    trades = steady(5_000)
    half = TradeColumns(*(getattr(trades, name)[::2] for name in TradeColumns.__slots__))
    put(tmp_path, half)
    old = {path: path.read_bytes() for path in tmp_path.glob("spot/aggTrade_*/*/*/*.parquet")}
    put(tmp_path, trades, refreshed=False)
    for path, content in old.items():
        path.write_bytes(content)  # as if killed after the trades were written
        os.utime(path.parent)
    pieces = Lake(tmp_path).pieces(STREAM)
    is_equal(pieces.read(1, *EVER).rows, resample_ticks(frame_of(trades), "1s"))
    assert pieces.read(60, *EVER).known == []
    put(tmp_path, trades)
    for length in (1, 60):
        is_equal(pieces.read(length, *EVER).rows, resample_ticks(frame_of(trades), LENGTHS[length]))


# What is known


def test_ids_that_adjoin_are_known_over_midnight(tmp_path: Path) -> None:
    edge = T0 + DAY_US
    put(tmp_path, trades_of([1, 2], [edge - 900_000_000, edge + 900_000_000], [1, 2], [1, 1]))
    got = Lake(tmp_path).pieces(STREAM).read(60, *EVER)
    second = OCTOBER_S + DAY_S
    assert got.known == [(second - 840, second + 900)]
    put(tmp_path, trades_of([9], [edge + 1_800_000_000], [1], [1]))
    got = Lake(tmp_path).pieces(STREAM).read(1, *EVER)
    assert got.known == [(second - 900, second + 900)]  # what the ids lack ends in that second


def test_a_whole_day_without_a_neighbour_is_known_to_midnight(tmp_path: Path) -> None:
    noon = T0 + DAY_US // 2
    put(tmp_path, trades_of([1], [noon], [1], [1]), WHOLE)
    pieces = Lake(tmp_path).pieces(STREAM)
    assert pieces.read(3600, *EVER).known == [(OCTOBER_S, OCTOBER_S + DAY_S)]
    put(tmp_path, trades_of([5], [noon + 2 * DAY_US], [1], [1]), WHOLE)
    days = [(OCTOBER_S + n * DAY_S, OCTOBER_S + (n + 1) * DAY_S) for n in (0, 2)]
    assert pieces.read(3600, *EVER).known == days
    put(tmp_path, trades_of([3], [noon + DAY_US], [1], [1]), WHOLE)  # 2 and 4 are missing
    half = DAY_S // 2
    assert pieces.known(1, *EVER) == [
        (OCTOBER_S, OCTOBER_S + half),
        (OCTOBER_S + 2 * DAY_S + half + 1, OCTOBER_S + 3 * DAY_S),
    ]


def put_in_parts(root: Path, trades: TradeColumns, rng: np.random.Generator) -> None:
    """Put trades in two parts, each of them in some order."""
    order = rng.permutation(len(trades))
    for part in (order[::2], order[1::2]):
        put(root, TradeColumns(*(getattr(trades, name)[part] for name in TradeColumns.__slots__)))


@pytest.mark.parametrize("seed", range(4))
def test_bars_of_trades_with_holes_put_in_any_order(tmp_path: Path, seed: int) -> None:
    """Known is what no hole touches; there the bars are those of the frame, missing elsewhere."""
    rng = np.random.default_rng(seed)
    times = T0 + DAY_US - 300_000_000 + np.cumsum(rng.integers(0, 12_000_000, 60))
    ids = np.flatnonzero(rng.random(60) > 0.15)
    prices = rng.integers(1, 99, ids.size) / 4
    trades = trades_of(ids, times[ids], prices, np.full(ids.size, 0.5))
    put_in_parts(tmp_path, trades, rng)
    got = Lake(tmp_path).pieces(STREAM).read(1, *EVER)
    bars = resample_ticks(frame_of(trades), "1s")
    is_equal(got.rows, bars)
    told = {second for low, high in got.known for second in range(low, high)}
    seconds = pd.DatetimeIndex(bars.index).as_unit("us").asi8 // 1_000_000
    missing = set(seconds[(bars["coverage"] == "missing").to_numpy()].tolist())
    assert not told & missing
    for hole in np.flatnonzero(np.diff(ids) > 1):
        low, high = times[ids[hole : hole + 2]] // 1_000_000
        assert told.isdisjoint(range(low, high + 1))
    ends = set((times[ids] // 1_000_000).tolist())
    assert set(got.rows["at"].tolist()) == ends & told
    # Beside what the frame misses, the lake lacks no more than seconds that a hole ends in.
    assert set(seconds.tolist()) - missing - told <= ends


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 40_000_000)), min_size=1, max_size=30),
    st.sets(st.integers(0, 2)),
)
def test_ids_prove_what_is_known(steps, whole) -> None:
    """Held to a loop over trades, whatever is lost, over several midnights."""
    times = (T0 + DAY_US - 300_000_000 + np.cumsum([step for _, step in steps]) * 300).tolist()
    held = [n for n, (lost, _) in enumerate(steps) if not lost]
    days = []
    for day in sorted({times[n] // DAY_US for n in held}):
        own = [n for n in held if times[n] // DAY_US == day]
        spans = tuple(IdSpan(n, n, times[n], times[n]) for n in own)
        days.append(HeldDay(day, spans, day % 3 in whole))
    known = known_seconds(days)
    told = merged_spans(known.spans, known.edges)
    is_whole = {day.day: day.whole for day in days}
    for before, after in pairwise(held):
        inside = range(times[before] // 1_000_000 + 1, times[after] // 1_000_000)
        ends = times[before] // DAY_US, times[after] // DAY_US
        for second in {inside[0], inside[-1], inside[len(inside) // 2]} if inside else ():
            apart = ends[1] - ends[0] > 1
            own_day = second // DAY_S in ends and is_whole[second // DAY_S]
            is_known = after == before + 1 or (apart and own_day)
            assert any(low <= second < high for low, high in told) == is_known, second


# Klines


def test_bars_of_trades_win_where_klines_know_the_same(tmp_path: Path) -> None:
    put(tmp_path, steady(600))  # 4 minutes from October on
    with LakeWriter(tmp_path) as writer:
        rows = klines((1, 9), (2, 0), (3, 9), (4, 9), (5, 0))
        report = writer.put_klines("spot", "AAAUSDT", 60, rows, KLINES)
    assert (report.rows, report.added, report.same) == (5, 5, 0)
    for kind in ("aggTrade", "trade"):
        got = Lake(tmp_path).pieces(LakeStream("spot", "AAAUSDT", kind)).read(60, *EVER)
        opens = (got.rows["at"] - OCTOBER_S) // 60
        counts = dict(zip(opens.tolist(), got.rows["trades"].tolist(), strict=True))
        held = {1: 150, 2: 150} if kind == "aggTrade" else {1: 9, 2: 0}
        assert counts == {**held, 3: 9, 4: 9, 5: 0}
        assert got.known == [(OCTOBER_S + 60, OCTOBER_S + 360)]


def test_a_kline_tells_more_of_a_second_that_the_first_trade_is_in(tmp_path: Path) -> None:
    put(tmp_path, steady(10, start_us=T0 + 500_000))
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", 1, klines((0, 7), (1, 7), length=1), KLINES)
    rows = Lake(tmp_path).pieces(STREAM).read(1, *EVER).rows
    assert rows["trades"].tolist() == [7, 2, 3, 2, 1]


def test_klines_over_a_month_are_merged_by_their_open(tmp_path: Path) -> None:
    day = klines(*((n, 2) for n in range(30, 33)), length=DAY_S)
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", DAY_S, day, KLINES)
        other = klines((29, 2), (30, 5), (31, 2), length=DAY_S)
        report = writer.put_klines("spot", "AAAUSDT", DAY_S, other, KLINES)
        unfit = klines((28, 1), length=DAY_S)
        unfit["volume"] = -1
        assert writer.put_klines("spot", "AAAUSDT", DAY_S, unfit, KLINES).unfit == 1
    assert (report.rows, report.added, report.same) == (4, 1, 1)
    assert report.conflicts == (OCTOBER_S + 30 * DAY_S,)
    kept = Lake(tmp_path).holdings()
    assert [(each.kind, each.period, each.rows) for each in kept] == [
        ("kline_1d", "2024-10", 2),
        ("kline_1d", "2024-11", 2),
    ]
    pieces = Lake(tmp_path).pieces(STREAM)
    assert (pieces.lengths(), Lake(tmp_path).streams()) == ([DAY_S], [STREAM])
    assert pieces.first(DAY_S) == OCTOBER_S + 29 * DAY_S


def test_a_length_that_divides_no_day_is_refused(tmp_path: Path) -> None:
    with LakeWriter(tmp_path) as writer, pytest.raises(LakeError, match="must divide a day"):
        writer.put_klines("spot", "AAAUSDT", 7 * DAY_S, klines((0, 1), length=7 * DAY_S), KLINES)


# Files


def test_the_state_changes_with_each_file_and_with_no_look(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(tmp_path, steady(10))
    states = [lake.state(STREAM), lake.state(STREAM)]
    put(tmp_path, steady(10, first_id=11, start_us=T0 + 4_000_000))
    states.append(lake.state(STREAM))
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", 60, klines((9, 1)), KLINES)
    states.append(lake.state(STREAM))
    assert states[0] == states[1]
    assert len(set(states)) == 3
    put(tmp_path, steady(5), stream=LakeStream("spot", "BBBUSDT", "aggTrade"))
    assert lake.state(STREAM) == states[-1]


def test_a_lost_or_spoiled_index_is_made_again_from_the_files(tmp_path: Path) -> None:
    from ingest.store.lake.index import FolderIndex

    put(tmp_path, steady(300))
    folder = tmp_path / "spot/aggTrade/AAAUSDT"
    before = FolderIndex(folder).listing().files
    for content in (None, b"nonsense", b""):
        (folder / ".index").unlink() if content is None else (folder / ".index").write_bytes(
            content
        )
        assert FolderIndex(folder).listing().files == before


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "2024-10" / "file"
    write_whole(path, lambda file: file.write(b"old"))

    def fail(file: IO[bytes]) -> None:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        raise OSError(28, "No space left on device")

    with pytest.raises(LakeError, match=r"cannot write .*No space left on device"):
        write_whole(path, fail)
    assert [each.name for each in path.parent.iterdir()] == ["file"]
    inode = path.stat().st_ino
    write_whole(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino != inode  # renamed, not written over


def test_what_a_killed_writer_left_is_cleared(tmp_path: Path) -> None:
    put(tmp_path, steady(5))
    (path,) = tmp_path.glob("spot/aggTrade/*/*/*.parquet")
    left = path.with_name(".2024-10-09.parquet.unfinished")
    left.write_bytes(b"half")
    put(tmp_path, steady(6))
    assert not left.exists()


def test_a_damaged_file_is_named_in_one_line(tmp_path: Path) -> None:
    put(tmp_path, steady(300))
    (path,) = tmp_path.glob("spot/aggTrade/*/*/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    os.utime(path.parent)
    with pytest.raises(LakeError, match=r"2024-10-01.parquet cannot be read .*import its days"):
        Lake(tmp_path).holdings()


def test_a_file_of_a_later_form_or_of_others_is_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "spot/aggTrade/AAAUSDT/2024-10/2024-10-01.parquet"
    path.parent.mkdir(parents=True)
    table = pa.table({"a": [1]})
    for metadata, words in (
        ({}, "no file of this history"),
        ({"pairdesk": '{"form": 9}'}, "form 9"),
    ):
        pq.write_table(table.replace_schema_metadata(metadata), path)
        os.utime(path.parent)
        with pytest.raises(LakeError, match=words):
            Lake(tmp_path).holdings()


def test_days_are_deleted_with_their_bars_and_the_month_says_so(tmp_path: Path) -> None:
    put(tmp_path, steady(3_000, start_us=T0 + DAY_US - 600_000_000))
    lake, second = Lake(tmp_path), OCTOBER_S + DAY_S
    size = sum(each.size for each in lake.holdings()[:1])
    freed = lake.delete("spot", "aggTrade", "AAAUSDT", date(2024, 9, 1), date(2024, 10, 1))
    assert freed == size > 0
    assert [each.period for each in lake.holdings()] == ["2024-10-02"]
    assert lake.pieces(STREAM).read(60, *EVER).known == [(second + 60, second + 540)]
    lake.delete("spot", "aggTrade", "AAAUSDT", date(2024, 10, 2), date(2024, 10, 2))
    assert list(tmp_path.rglob("*.parquet")) == []
    assert lake.streams() == []


def test_days_of_klines_are_cut_out_of_their_month(tmp_path: Path) -> None:
    with LakeWriter(tmp_path) as writer:
        day = klines(*((n, 2) for n in range(4)), length=DAY_S)
        writer.put_klines("spot", "AAAUSDT", DAY_S, day, KLINES)
    lake = Lake(tmp_path)
    lake.delete("spot", "kline_1d", "AAAUSDT", date(2024, 10, 2), date(2024, 10, 3))
    (kept,) = lake.holdings()
    assert (kept.rows, kept.gaps) == (2, ((OCTOBER_S + DAY_S, OCTOBER_S + 3 * DAY_S),))
    files = lake.files("spot", "kline_1d", "AAAUSDT", date(2024, 10, 1), date(2024, 10, 1))
    assert [path.name for path in files] == ["2024-10.parquet"]


def test_a_second_writer_waits_for_the_first_or_is_told(tmp_path: Path) -> None:
    with LakeWriter(tmp_path):
        with pytest.raises(LakeError, match="another import or fetch is writing"):
            LakeWriter(tmp_path)
        with pytest.raises(LakeError):
            Lake(tmp_path).delete("spot", "aggTrade", "A", date(2024, 1, 1), date(2024, 1, 1))
    LakeWriter(tmp_path, wait_s=1.0).close()
