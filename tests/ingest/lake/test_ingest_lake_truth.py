"""What the lake says is so: numberings apart, sources named, times of two sources, names, power."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from cases import dump_files
from cases.dump_files import DAY_S, OCTOBER_S
from cases.lake import DAY_US, FILE, STREAM, WHOLE, put, ticks_of, trades_of

from ingest.errors import LakeError
from ingest.history.dumps import import_dump
from ingest.history.jobs import JobProgress
from ingest.history.keeping import TradeKeeper
from ingest.store import IdRange, TickReader, TickWriter
from ingest.store.bars import STORED_ROW
from ingest.store.lake import Lake, LakeWriter, Source, TradeColumns
from ingest.store.pieces import LakeStream

T0 = OCTOBER_S * 1_000_000
RECORDING = Source("recording", "ticks.db")


def of_day(number: int, first_id: int, count: int = 100) -> TradeColumns:
    """Trades of a day counted from the first of October, one every ten minutes."""
    times = [T0 + number * DAY_US + n * 600_000_000 + 500_000 for n in range(count)]
    ids = range(first_id, first_id + count)
    return trades_of(ids, times, [5.0 + n % 7 for n in range(count)], [1.0] * count)


def sources(db: Path, root: Path, interval: str = "1h") -> list[str]:
    with TickReader(db, history=root) as reader:
        return [words for *_, words in reader.bars("AAAUSDT", interval).attrs["sources"]]


def test_ids_that_an_exchange_gave_twice_prove_nothing(tmp_path: Path) -> None:
    put(tmp_path, of_day(0, 1))
    put(tmp_path, of_day(5, 51))  # it was reset in between
    lake = Lake(tmp_path)
    spans = [(each.first_id, each.last_id) for each in lake.id_spans(STREAM)]
    assert spans == [(1, 100), (51, 150)]
    low, high = OCTOBER_S + DAY_S, OCTOBER_S + 5 * DAY_S
    assert lake.pieces(STREAM).read(1, low, high).known == []
    assert len(lake.pieces(STREAM).known(60, OCTOBER_S, high + DAY_S)) == 2


def test_ids_that_overtake_each_other_at_midnight_are_of_one_numbering(tmp_path: Path) -> None:
    midnight = T0 + DAY_US
    times = [midnight - 5, midnight + 7, midnight - 2, midnight + 9]
    put(tmp_path, trades_of([1, 2, 3, 4], times, [1.0] * 4, [1.0] * 4))
    assert [each[:2] for each in Lake(tmp_path).id_spans(STREAM)] == [(1, 4)]


def test_a_database_of_another_numbering_does_not_join_the_lake(tmp_path: Path) -> None:
    put(tmp_path / "lake", of_day(0, 1))
    writer = TickWriter(tmp_path / "ticks.db")
    writer.write(ticks_of(of_day(5, 51)))
    writer.close()
    with TickReader(tmp_path / "ticks.db", history=tmp_path / "lake") as reader:
        bars = reader.bars("AAAUSDT", "1h")
        ticks = reader.ticks("AAAUSDT")
    between = bars[(bars.index >= "2024-10-02") & (bars.index < "2024-10-06")]
    assert (between["coverage"] == "missing").all()
    assert len(ticks) == 200


def test_a_fetch_asks_for_ids_that_were_given_before_a_reset(tmp_path: Path) -> None:
    put(tmp_path, of_day(0, 1))
    keeper = TradeKeeper(tmp_path, STREAM, JobProgress())
    assert keeper.missing(IdRange(51, 150), date(2024, 10, 6), date(2024, 10, 6)) == [(51, 150)]
    assert keeper.missing(IdRange(51, 150), date(2024, 10, 1), date(2024, 10, 1)) == [(101, 150)]


def test_days_of_which_there_are_bars_only_are_fetched_as_trades(tmp_path: Path) -> None:
    rows = np.zeros(DAY_S, dtype=STORED_ROW)
    rows["at"] = OCTOBER_S + np.arange(DAY_S)
    rows["open"] = rows["high"] = rows["low"] = rows["close"] = 5.0
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", 1, rows, Source("rest", "klines 1s"))
    first, last = date(2024, 10, 1), date(2024, 10, 2)
    keeper = TradeKeeper(tmp_path, STREAM, JobProgress())
    assert keeper.unknown_days(first, last) == [first, last]
    put(tmp_path, of_day(0, 1), WHOLE)
    assert keeper.unknown_days(first, last) == [last]


@pytest.mark.parametrize("rest_first", [True, False], ids=["rest first", "dump first"])
def test_a_dump_in_microseconds_and_rest_in_milliseconds_agree(
    tmp_path: Path, rest_first: bool
) -> None:
    start_s = OCTOBER_S + 92 * DAY_S  # 2025-01-01: dumps of spot are in µs from then on
    trades = dump_files.walk(3_000, days=1.0, start_s=start_s)
    fine = trades.time_us + np.arange(3_000) % 1_000
    fine = np.minimum(np.sort(fine), (start_s + DAY_S) * 1_000_000 - 1)
    columns = {name: getattr(trades, name) for name in TradeColumns.__slots__}
    dumped = TradeColumns(**columns | {"time_us": fine})
    over_rest = TradeColumns(**columns | {"time_us": fine // 1_000 * 1_000})
    path = tmp_path / "AAAUSDT-aggTrades-2025-01-01.zip"
    dump_files.write_agg_dump(path, dumped, in_us=True)
    root = tmp_path / "lake"
    rest = Source("rest", "aggTrades")
    if rest_first:
        put(root, over_rest, rest)
        report = import_dump(root, path)
        assert (report.added, report.same, report.conflicts) == (0, 3_000, 0)
    else:
        import_dump(root, path)
        (added,) = put(root, over_rest, rest)
        assert (added.added, added.same, added.conflicts) == (0, 3_000, ())
    held = Lake(root).ticks(STREAM, 0, 2**62)
    assert np.array_equal(np.sort(held.time_us), over_rest.time_us if rest_first else fine)
    assert Lake(root).holdings()[0].whole_day


def test_an_id_that_is_no_trade_has_no_time_to_contradict(tmp_path: Path) -> None:
    put(tmp_path, trades_of([1, 2], [T0, T0 + 10], [1.0, 0.0], [1.0, 0.0]))
    (report,) = put(tmp_path, trades_of([1, 2], [T0, T0 + 90_000], [1.0, 0.0], [1.0, 0.0]))
    assert (report.same, report.conflicts) == (2, ())
    (report,) = put(tmp_path, trades_of([2], [T0 + 10], [3.0], [1.0]))
    assert report.conflicts == (2,)


def test_each_source_is_called_what_it_is(tmp_path: Path) -> None:
    put(tmp_path, of_day(0, 1, 144), WHOLE)
    put(tmp_path, of_day(1, 145, 144), RECORDING)
    rows = np.zeros(3_600, dtype=STORED_ROW)
    rows["at"] = OCTOBER_S + 3 * DAY_S + np.arange(3_600)
    rows["open"] = rows["high"] = rows["low"] = rows["close"] = 5.0
    rows["trades"], rows["volume"] = 1, 1
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", 1, rows, Source("file", "no ids"))
    none = tmp_path / "none.db"
    assert sources(none, tmp_path) == ["imported trades", "recorded trades", "imported trades"]
    rows["at"] += 86_400 * 30
    with LakeWriter(tmp_path) as writer:
        writer.put_klines("spot", "AAAUSDT", 1, rows, Source("rest", "klines 1s"))
    assert sources(none, tmp_path)[-1] == "the exchange's bars"
    put(tmp_path, of_day(1, 145, 144), WHOLE)  # a dump says the same: it is checked by it now
    assert sources(none, tmp_path)[:2] == ["imported trades", "imported trades"]


def test_symbols_of_any_script_are_folders_and_ways_out_are_refused(tmp_path: Path) -> None:
    stream = LakeStream("spot", "币安人生USDT", "aggTrade")
    put(tmp_path, of_day(0, 1), FILE, stream)
    assert Lake(tmp_path).streams() == [stream]
    assert Lake(tmp_path).ticks(stream, 0, 2**62).trade_id.size == 100
    for name in ("..", "../x", "a/b", ".", "", "a\\b", "/tmp"):
        with pytest.raises(LakeError, match="is no name that"):
            put(tmp_path, of_day(0, 1), FILE, LakeStream("spot", name, "aggTrade"))


def test_new_folders_outlast_a_loss_of_power(tmp_path: Path, monkeypatch) -> None:
    flushed: set[Path] = set()
    fsync = os.fsync

    def noting(handle: int) -> None:
        flushed.add(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    root = tmp_path / "lake"
    put(root, of_day(0, 1))
    (month,) = root.glob("spot/aggTrade/AAAUSDT/2024-10")
    assert {month, *list(month.parents)[:4]} <= flushed


def test_counts_of_raw_trades_that_a_file_does_not_tell_are_added(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    whole = of_day(0, 1)
    unknown = replace(whole, trades=np.zeros(100, dtype=np.int32))
    put(tmp_path, unknown)
    (report,) = put(tmp_path, replace(whole, trades=np.arange(100, dtype=np.int32)), RECORDING)
    assert (report.added, report.same, report.conflicts) == (0, 100, ())
    put(tmp_path, whole)  # the first one that tells it stays
    (path,) = tmp_path.glob("spot/aggTrade/AAAUSDT/*/*.parquet")
    assert pq.read_table(path)["trades"].to_pylist() == [1, *range(1, 100)]
