"""Files into the lake: trades with their ids, bars of those without, and what was there before."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from fetch_cases import Said, held_trades

from ingest.errors import SettingsError
from ingest.files import read_ticks
from ingest.history import ImportRequest, JobCancelledError, JobProgress
from ingest.history.importing import files_of, import_files
from ingest.store import LakeStream
from ingest.store.lake import Lake

MIDNIGHT_US = 1_772_409_600_000_000  # 2026-03-02

Trade = tuple[int, int, float, float, bool]  # id, time in µs, price, quantity, buyer is maker


def made(count: int = 4000, step_us: int = 700_000, first_id: int = 1) -> list[Trade]:
    """Trades around a midnight, each tenth of the same millisecond as the one before."""
    rng = np.random.default_rng(5)
    trades: list[Trade] = []
    for n in range(count):
        at_us = MIDNIGHT_US + (n - count // 2) * step_us - (step_us if n % 10 == 9 else 0)
        price = round(9.1e-06 + 1e-08 * int(rng.integers(0, 40)), 8)
        quantity = round(float(rng.integers(1, 10**9)) / 100, 2)
        trades.append((first_id + n, at_us, price, quantity, n % 3 == 0))
    return trades


def ndjson(path: Path, trades: Sequence[Trade], *, ids: bool = True, symbol: str = "PEPEUSDT"):
    def line(trade: Trade) -> str:
        number, at_us, price, quantity, maker = trade
        ts = datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds")
        named = {"id": number, "m": maker} if ids else {}
        return json.dumps({"symbol": symbol, "ts": ts, "price": price, "size": quantity} | named)

    path.write_text("\n".join(map(line, trades)) + "\n", encoding="utf-8")
    return path


def imported(root: Path, *paths: Path, symbol: str | None = None) -> Said:
    progress = JobProgress()
    import_files(root, ImportRequest(tuple(map(str, paths)), symbol=symbol), progress)
    return Said(progress)


def second_bars(trades: Sequence[Trade]) -> dict[int, tuple[float, ...]]:
    """Bars of one second in plain Python: open, high, low, close, volume in 1e-8, trades."""
    bars: dict[int, list[Trade]] = {}
    for trade in sorted(trades, key=lambda each: (each[1], each[0])):
        bars.setdefault(trade[1] // 10**6, []).append(trade)
    return {
        second: (
            *(inside[0][2], max(each[2] for each in inside), min(each[2] for each in inside)),
            *(inside[-1][2], sum(round(each[3] * 1e8) for each in inside), len(inside)),
        )
        for second, inside in bars.items()
    }


def held_bars(root: Path, low: int = 0, high: int = 2**40) -> dict[int, tuple[float, ...]]:
    pieces = Lake(root).pieces(LakeStream("spot", "PEPEUSDT", "aggTrade"))
    return {row[0]: row[1:] for row in pieces.read(1, low, high).rows.tolist()}


def states(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in root.rglob("*.parquet")
    }


def test_trades_with_ids_become_days_of_trades_and_their_bars(tmp_path: Path) -> None:
    trades = made()
    said = imported(tmp_path / "lake", ndjson(tmp_path / "pepe.ndjson", trades))
    assert held_trades(tmp_path / "lake", "PEPEUSDT") == [
        (number, at_us, price, quantity, maker)
        for number, at_us, price, quantity, maker in sorted(trades, key=lambda each: each[1])
    ]
    assert held_bars(tmp_path / "lake") == second_bars(trades)
    periods = [each.period for each in Lake(tmp_path / "lake").holdings()]
    assert periods == ["2026-03-01", "2026-03-02"]
    assert said.notes[-1] == (
        "pepe.ndjson: 4,000 aggTrades of PEPEUSDT, 2026-03-01 to 2026-03-02: 4,000 new"
    )
    assert said.done == said.total == (tmp_path / "pepe.ndjson").stat().st_size


def test_the_same_file_twice_changes_nothing_and_says_so(tmp_path: Path) -> None:
    lake, file = tmp_path / "lake", ndjson(tmp_path / "pepe.ndjson", made())
    imported(lake, file)
    before = states(lake)
    again = imported(lake, file)
    assert states(lake) == before
    assert again.notes[-1].endswith("all of it was held already: nothing changed")


def test_overlapping_files_agree_or_the_conflict_is_named_and_the_first_one_stays(
    tmp_path: Path,
) -> None:
    lake, trades = tmp_path / "lake", made()
    imported(lake, ndjson(tmp_path / "a.ndjson", trades[:2500]))
    other = [
        (number, at_us, price + (1e-08 if number == 2400 else 0), quantity, maker)
        for number, at_us, price, quantity, maker in trades[2300:]
    ]
    said = imported(lake, ndjson(tmp_path / "b.ndjson", other))
    assert said.notes[-1].endswith(
        ": 1,500 new, 199 held already, 1 held with other figures (id 2400): the first ones stay"
    )
    assert held_bars(lake) == second_bars(trades)


def test_without_ids_bars_are_kept_and_it_is_said_why(tmp_path: Path) -> None:
    lake, trades = tmp_path / "lake", made()
    for at in range(2000, 4000):  # a silence that no market explains
        number, at_us, price, quantity, maker = trades[at]
        trades[at] = (number, at_us + 90_000_000, price, quantity, maker)
    said = imported(lake, ndjson(tmp_path / "pepe.ndjson", trades, ids=False))
    assert "carry no trade ids, so that only bars of one second can be kept" in said.notes[-1]
    assert "silences of more than 60 s, left as missing: 1" in said.notes[-1]
    truth, held = second_bars(trades), held_bars(lake)
    first, last = min(truth), max(truth)
    del truth[first], truth[last]  # cut by the file's ends
    assert {at: bar for at, bar in held.items() if bar[-1]} == truth
    quiet = [at for at, bar in held.items() if not bar[-1]]
    assert quiet
    assert all(held[at][:5] == (held[at - 1][3],) * 4 + (0,) for at in quiet)
    pieces = Lake(lake).pieces(LakeStream("spot", "PEPEUSDT", "aggTrade"))
    silent_from = max(at for at in truth if at < MIDNIGHT_US // 10**6) + 1
    ends_at = min(at for at in truth if at > silent_from)
    assert ends_at - silent_from > 80
    assert pieces.known(1, 0, 2**40) == [(first + 1, silent_from), (ends_at, last)]


def test_the_stream_of_ids_is_told_by_the_rows_where_they_tell_it(tmp_path: Path) -> None:
    rows = [
        f'{{"e":"trade","E":{at},"s":"BTCUSDT","t":{at - 1772409600000},"p":"100.5","q":"0.5",'
        f'"T":{at},"m":true,"M":true}}'
        for at in range(1772409600000, 1772409600050)
    ]
    (tmp_path / "frames.txt").write_text("\n".join(rows), encoding="utf-8")
    assert read_ticks(tmp_path / "frames.txt").attrs["kinds"] == {"BTCUSDT": "trade"}
    imported(tmp_path / "lake", tmp_path / "frames.txt")
    assert Lake(tmp_path / "lake").streams() == [LakeStream("spot", "BTCUSDT", "trade")]


def test_an_id_that_is_no_trade_leaves_no_hole(tmp_path: Path, shared_data: Path) -> None:
    said = imported(tmp_path, shared_data / "binance_futures_trades_TRXUSDT_20250304.csv",
                    symbol="TRXUSDT")  # fmt: skip
    (stream,) = Lake(tmp_path).streams()
    (span,) = Lake(tmp_path).id_spans(stream)
    assert span.last_id - span.first_id + 1 == 10_000
    ticks = Lake(tmp_path).ticks(stream, 0, 2**60)
    assert (len(ticks.trade_id), len(ticks.non_trades)) == (9_999, 1)
    assert said.lacking == ()


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "deep"
    folder.mkdir(parents=True)
    ndjson(folder / "good.ndjson", made(100))
    (folder / "bad.csv").write_text("nonsense\n1\n", encoding="utf-8")
    (folder / "notes.md").write_text("not looked at", encoding="utf-8")
    (folder / ".hidden.csv").write_text("not looked at", encoding="utf-8")
    said = imported(tmp_path / "lake", tmp_path / "mine")
    assert [words.partition(":")[0] for words in said.lacking] == ["bad.csv"]
    assert len(held_trades(tmp_path / "lake", "PEPEUSDT")) == 100


def test_a_path_that_is_not_there_and_a_folder_without_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.zip cannot be imported: there is no such file"):
        files_of([str(tmp_path / "none.zip")])
    with pytest.raises(SettingsError, match="no file of trades or bars in it"):
        files_of([str(tmp_path)])


def test_a_cancelled_import_keeps_whole_days_and_goes_on(tmp_path: Path) -> None:
    class Cancelled(JobProgress):
        def update(self, *values, **named) -> None:
            super().update(*values, **named)
            if "rows" in str(named.get("step")):  # a day was written
                self.cancel()
                self.check()

    lake, trades = tmp_path / "lake", made()
    file = ndjson(tmp_path / "pepe.ndjson", trades)
    with pytest.raises(JobCancelledError):
        import_files(lake, ImportRequest((str(file),)), Cancelled())
    assert [each.period for each in Lake(lake).holdings()] == ["2026-03-01"]
    said = imported(lake, file)
    assert "2,000 new" in said.notes[-1]
    assert held_bars(lake) == second_bars(trades)


def test_a_folder_of_dumps_is_taken_and_each_one_says_what_it_was(
    tmp_path: Path, shared_data: Path
) -> None:
    lake = tmp_path / "lake"
    folder = tmp_path / "dumps"
    folder.mkdir()
    name = "PEPEUSDT-aggTrades-2024-10-27.zip"
    (folder / name).symlink_to(shared_data / name)
    first, again = imported(lake, folder), imported(lake, folder)
    assert first.notes[0] == (f"{name}: 57,229 aggTrades of PEPEUSDT, 2024-10-27: 57,229 new")
    assert sum("CHECKSUM" in each for each in first.notes) == 1
    assert "all of it was held already: nothing changed" in again.notes[0]
    ticks = read_ticks(shared_data / name)
    held = Lake(lake).ticks(LakeStream("spot", "PEPEUSDT", "aggTrade"), 0, 2**60)
    assert np.array_equal(held.trade_id, ticks["trade_id"])
    assert np.array_equal(held.price, ticks["price"])
    # The same trades as a file of another name: nothing is new in it, whatever its form.
    (tmp_path / "mine.csv.zip").symlink_to(shared_data / name)
    other = imported(lake, tmp_path / "mine.csv.zip", symbol="PEPEUSDT")
    assert other.notes[-1].endswith("all of it was held already: nothing changed")
