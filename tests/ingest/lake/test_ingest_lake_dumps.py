"""Binance's dumps into the lake: every form, checked, whole days, nothing twice."""

import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from cases import dump_files
from cases.dump_files import DAY_S, OCTOBER_S

from ingest.errors import FileError, LakeError
from ingest.history.dumps import DumpProgress, import_dump, is_dump
from ingest.store.lake import Lake, LakeTicks, LakeWriter, TradeColumns
from ingest.store.pieces import LakeStream
from ingest.tick import Market, StreamKind

EVER = (0, 2**62)


def ticks(
    root: Path, market: Market = "spot", kind: StreamKind = "aggTrade", symbol: str = "AAAUSDT"
) -> LakeTicks:
    return Lake(root).ticks(LakeStream(market, symbol, kind), *EVER)


def same(held: LakeTicks, trades: TradeColumns) -> None:
    order = np.lexsort((trades.trade_id, trades.time_us))
    assert np.array_equal(held.trade_id, trades.trade_id[order])
    assert np.array_equal(held.time_us, trades.time_us[order])
    assert np.array_equal(held.price, trades.price[order] / 1e8)
    assert np.array_equal(held.quantity, trades.quantity[order] / 1e8)
    assert np.array_equal(held.buyer_is_maker, trades.buyer_is_maker[order])


def days_on_disk(root: Path) -> dict[Path, bytes]:
    return {each: each.read_bytes() for each in root.rglob("*.parquet")}


@pytest.mark.parametrize("market", ["spot", "usdm"])
@pytest.mark.parametrize("kind", ["aggTrade", "trade"])
@pytest.mark.parametrize("suffix", ["zip", "csv"])
def test_each_form_is_read_as_it_was_traded(
    tmp_path: Path, market: Market, kind: StreamKind, suffix: str
) -> None:
    in_us = market == "spot"  # since 2025
    start_s = OCTOBER_S + (92 * DAY_S if in_us else 0)
    trades = dump_files.walk(2_000, days=2.0, start_s=start_s)
    if kind == "trade":
        trades.trades[:] = 1
    word = "aggTrades" if kind == "aggTrade" else "trades"
    write = dump_files.write_agg_dump if kind == "aggTrade" else dump_files.write_trade_dump
    month = "2025-01" if in_us else "2024-10"
    path = tmp_path / f"AAAUSDT-{word}-{month}.{suffix}"
    write(path, trades, market=market, in_us=in_us)
    root = tmp_path / "lake"
    assert is_dump(path)
    report = import_dump(root, path)
    assert (report.market, report.symbol, report.kind) == (market, "AAAUSDT", kind)
    assert (report.rows, report.added, report.same, report.gaps) == (2_000, 2_000, 0, 0)
    assert report.checked
    assert report.notes == ()
    same(ticks(root, market, kind), trades)
    kept = Lake(root).holdings()
    assert [each.period for each in kept] == [f"{month}-01", f"{month}-02"]
    assert all(each.whole_day and len(each.sources[0].checksum) == 64 for each in kept)


def test_the_raw_trades_inside_an_aggregate_are_kept(tmp_path: Path) -> None:
    import duckdb

    trades = dump_files.walk(500, days=1.0)
    path = dump_files.write_agg_dump(tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip", trades)
    import_dump(tmp_path / "lake", path)
    files = tmp_path / "lake/spot/aggTrade/AAAUSDT/*/*.parquet"
    rows = duckdb.sql(f"SELECT trades FROM '{files}' ORDER BY trade_id").fetchnumpy()
    assert np.array_equal(rows["trades"], trades.trades)


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10.zip"
    dump_files.write_agg_dump(path, dump_files.walk(3_000, days=3.0))
    root = tmp_path / "lake"
    import_dump(root, path)
    before = days_on_disk(root)
    report = import_dump(root, path)
    assert (report.rows, report.added, report.same) == (3_000, 0, 3_000)
    assert days_on_disk(root) == before


def test_days_and_their_month_agree_and_a_conflict_is_named(tmp_path: Path) -> None:
    trades, root = dump_files.walk(3_000, days=2.0), tmp_path / "lake"
    first = trades.time_us < (OCTOBER_S + DAY_S) * 1_000_000
    day = TradeColumns(*(getattr(trades, name)[first] for name in TradeColumns.__slots__))
    day.price[7] += 10**6
    import_dump(root, dump_files.write_agg_dump(tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip", day))
    report = import_dump(
        root, dump_files.write_agg_dump(tmp_path / "AAAUSDT-aggTrades-2024-10.zip", trades)
    )
    assert report.conflicts == 1
    assert report.shown == (int(trades.trade_id[7]),)
    assert report.added == int((~first).sum())
    assert ticks(root).price[7] == day.price[7] / 1e8  # the first one stays


def test_a_wrong_checksum_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip"
    beside = dump_files.write_checksum(dump_files.write_agg_dump(path, dump_files.walk(10, days=1)))
    beside.write_text(f"{'0' * 64}  {path.name}\n")
    with pytest.raises(FileError, match=r"is not what .*CHECKSUM says.*nothing was imported"):
        import_dump(tmp_path / "lake", path)
    assert not (tmp_path / "lake").exists()


def test_an_absent_checksum_is_said(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10-01.csv"
    dump_files.write_agg_dump(path, dump_files.walk(10, days=1.0), checksum=False)
    report = import_dump(tmp_path / "lake", path)
    assert not report.checked
    assert "not checked" in report.notes[0]


KLINES = [
    "1727740800000,1.50,2.00,1.25,1.75,10.00000000,1727740859999,17.5,3,5.0,8.0,0",
    "1727740860000,1.75,1.75,1.75,1.75,0.00000000,1727740919999,0.0,0,0.0,0.0,0",
    "1727740980000,1.75,9.5e0,1.75,9.50,0.12345678,1727741039999,1.0,2,0.0,0.0,0",
]


def test_klines_are_kept_with_the_quiet_ones_and_holes_are_counted(tmp_path: Path) -> None:
    path = dump_files.write_packed(tmp_path / "AAAUSDT-1m-2024-10-01.zip", KLINES)
    report = import_dump(tmp_path / "lake", path)
    assert (report.market, report.kind, report.rows, report.gaps) == ("spot", "kline_1min", 3, 1)
    assert any("taken as spot" in note for note in report.notes)
    pieces = Lake(tmp_path / "lake").pieces(LakeStream("spot", "AAAUSDT", "trade"))
    assert pieces.lengths() == [60]
    got = pieces.read(60, *EVER)
    rows = [
        (OCTOBER_S, 1.5, 2.0, 1.25, 1.75, 10 * 10**8, 3),
        (OCTOBER_S + 60, 1.75, 1.75, 1.75, 1.75, 0, 0),
        (OCTOBER_S + 180, 1.75, 9.5, 1.75, 9.5, 12_345_678, 2),
    ]
    assert got.rows.tolist() == rows
    assert got.known == [(OCTOBER_S, OCTOBER_S + 120), (OCTOBER_S + 180, OCTOBER_S + 240)]


def test_a_folder_of_the_exchange_says_the_market(tmp_path: Path) -> None:
    folder = tmp_path / "futures/um/daily/klines/AAAUSDT/1m"
    folder.mkdir(parents=True)
    path = dump_files.write_packed(folder / "AAAUSDT-1m-2024-10-01.csv", KLINES)
    assert import_dump(tmp_path / "lake", path).market == "usdm"


def test_an_id_that_is_no_trade_counts_as_one(tmp_path: Path) -> None:
    lines = [
        dump_files.TRADE_HEADER,
        "7,0.23103,243.0,56.14,1727740804349,false",
        "8,0,0,0,1727740804400,false",
        "9,0.23102,85.0,19.63,1727740804500,true",
    ]
    path = dump_files.write_packed(tmp_path / "AAAUSDT-trades-2024-10-01.zip", lines)
    report = import_dump(tmp_path / "lake", path)
    assert (report.market, report.rows, report.non_trades, report.gaps) == ("usdm", 3, 1, 0)
    held = ticks(tmp_path / "lake", "usdm", "trade")
    assert held.trade_id.tolist() == [7, 9]
    assert held.non_trades == [8]


def test_what_is_not_plain_is_read_all_the_same(tmp_path: Path) -> None:
    lines = [
        "7,0.000000001234,200000000000.5,1,1,1727740804349,True,True",
        "8,1E-9,3,2,4,1727740804400,FALSE,True",
    ]
    path = dump_files.write_packed(tmp_path / "AAAUSDT-aggTrades-2024-10-01.csv", lines)
    import_dump(tmp_path / "lake", path)
    held = ticks(tmp_path / "lake")
    assert held.price.tolist() == [0.000000001234, 1e-9]
    assert held.quantity.tolist() == [200_000_000_000.5, 3.0]


AGG = "7,0.5,2.0,1,1,1727740804349,True,True"
REFUSED = {
    "columns": ("AAAUSDT-aggTrades-2024-10-01.csv", ["7,0.5,2.0,True"], "other columns"),
    "header": ("AAAUSDT-aggTrades-2024-10-01.csv", ["a,b,c,d,e,f,g", AGG], "other columns"),
    "kind": ("AAAUSDT-trades-2024-10-01.csv", [AGG], "other columns"),
    "text": ("AAAUSDT-aggTrades-2024-10-01.csv", [AGG, "8,x,2.0,1,1,1,True,True"], "line 2"),
    "cut": ("AAAUSDT-aggTrades-2024-10-01.csv", [AGG, "8,0.5"], "line 2"),
    "another day": ("AAAUSDT-aggTrades-2023-10-01.csv", [AGG], "outside of its days"),
    "empty": ("AAAUSDT-aggTrades-2024-10-01.csv", [], "is empty"),
    "length": ("AAAUSDT-5m-2024-10-01.csv", KLINES, "named as klines of 300 s"),
    "weeks": ("AAAUSDT-1w-2024-10-01.csv", KLINES, "lengths that divide a day"),
    "name": ("AAAUSDT-ticks-2024-10-01.csv", [AGG], "not named as a dump"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_dump_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    file, lines, words = REFUSED[name]
    path = dump_files.write_packed(tmp_path / file, lines)
    with pytest.raises(FileError, match=words) as error:
        import_dump(tmp_path / "lake", path)
    assert "\n" not in str(error.value)
    assert days_on_disk(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [("AAAUSDT-aggTrades-2024-10-01.zip", "cannot be read"), ("two.zip", "not named")],
    ids=["no zip", "no name"],
)
def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(FileError, match=words):
        import_dump(tmp_path / "lake", tmp_path / name)


def test_a_zip_of_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", AGG)
        archive.writestr("b.csv", AGG)
    with pytest.raises(FileError, match="must hold one csv file, has 2"):
        import_dump(tmp_path / "lake", path)


def test_whole_days_before_a_damaged_line_are_kept(tmp_path: Path) -> None:
    trades = dump_files.walk(120_000, days=3.0)  # three blocks of text, the last one damaged
    path = tmp_path / "AAAUSDT-aggTrades-2024-10.csv"
    dump_files.write_agg_dump(path, trades, checksum=False)
    with path.open("ab") as file:
        file.write(b"3200120000,1.0,oops,1,1,1727999999000,True,True\n")
    with pytest.raises(FileError, match="line 120001"):
        import_dump(tmp_path / "lake", path)
    (kept,) = Lake(tmp_path / "lake").holdings()
    first = trades.time_us < (OCTOBER_S + DAY_S) * 1_000_000
    assert (kept.period, kept.rows) == ("2024-10-01", first.sum())


def test_a_cancelled_import_keeps_whole_days_and_goes_on_later(tmp_path: Path) -> None:
    trades = dump_files.walk(250_000, days=20.0)
    path = dump_files.write_agg_dump(tmp_path / "AAAUSDT-aggTrades-2024-10.zip", trades)
    seen: list[DumpProgress] = []

    def cancel(progress: DumpProgress) -> None:
        seen.append(progress)
        if progress.day is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_dump(tmp_path / "lake", path, cancel)
    kept = Lake(tmp_path / "lake").holdings()
    assert 1 <= len(kept) < 20
    assert 0 < seen[-1].done <= seen[-1].total
    report = import_dump(tmp_path / "lake", path)
    assert report.same == sum(each.rows for each in kept)
    same(ticks(tmp_path / "lake"), trades)


def test_the_last_progress_is_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip"
    dump_files.write_agg_dump(path, dump_files.walk(1_000, days=1.0))
    seen: list[DumpProgress] = []
    import_dump(tmp_path / "lake", path, seen.append)
    assert seen[-1].done == seen[-1].total > 0
    assert seen[-1].rows == 1_000
    assert seen[-1].day == date(2024, 10, 1)


def test_two_writers_are_not_let_in(tmp_path: Path) -> None:
    path = tmp_path / "AAAUSDT-aggTrades-2024-10-01.zip"
    dump_files.write_agg_dump(path, dump_files.walk(10, days=1.0))
    with LakeWriter(tmp_path / "lake"), pytest.raises(LakeError, match="another import or fetch"):
        import_dump(tmp_path / "lake", path)


@pytest.mark.real_data
def test_a_real_dump(tmp_path: Path, shared_data: Path) -> None:
    from ingest.files import read_ticks

    path = shared_data / "PEPEUSDT-aggTrades-2024-10-27.zip"
    report = import_dump(tmp_path, path)
    assert (report.market, report.rows, report.gaps) == ("spot", 57_229, 0)
    frame, held = read_ticks(path), ticks(tmp_path, symbol="PEPEUSDT")
    assert np.array_equal(held.price, frame["price"].to_numpy())
    assert np.array_equal(held.quantity, frame["quantity"].to_numpy())
    size = sum(each.stat().st_size for each in tmp_path.rglob("*.parquet"))
    assert size <= 14 * report.rows
