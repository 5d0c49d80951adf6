"""What an odd file may cost: its time and memory have bounds, whatever it holds."""

import gzip
import io
import json
import time
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from odd_rows import PLAIN, START_MS, lines, read, report_of, rows

from ingest.errors import FileError, FileLimitError
from ingest.files import read_ticks


@pytest.mark.parametrize("text", ["1" * 500_000 + "x", "1" * 500_000, "1." + "1" * 500_000 + "x"])
def test_a_line_of_digits_costs_no_more_than_its_length(text: str) -> None:
    begun_s = time.process_time()
    with pytest.raises(FileError):
        read(f"{text},a,b,c", name="a.csv")
    assert time.process_time() - begun_s < 2


WIDE = {
    "words": '{"symbol": "BTCUSDT", ' + "0 " * 2_000_000,
    "braces": "[" + json.dumps(PLAIN[0]) + "," + "}" * 3_000_000,
    "one long key": '{"' + "k" * 4_000_000 + '":1}\n' + json.dumps(PLAIN[0]),
}


@pytest.mark.parametrize("text", WIDE.values(), ids=WIDE)
def test_a_wide_line_costs_little_memory_and_is_not_remembered(text: str) -> None:
    from ingest.files import layout
    from ingest.files import records as file_records

    layout.warm_up()
    file_records._fields_named.cache_clear()
    tracemalloc.start()
    try:
        with suppress(FileError):
            read(text)
        used, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2**20
    assert peak < 80 * 2**20


def test_line_ends_without_end_cost_next_to_nothing_and_end_at_the_bound() -> None:
    packed = gzip.compress(json.dumps(PLAIN[0]).encode() + b"\n" * (40 * 2**20))
    assert len(packed) < 50_000
    begun_s = time.process_time()
    with pytest.raises(FileLimitError, match="unpacks to more than 200 times its size"):
        read(packed)
    assert time.process_time() - begun_s < 2


def test_blank_lines_between_rows_cost_nothing_and_keep_the_numbers_of_lines() -> None:
    text = ("\n" * 100_000).join([json.dumps(PLAIN[0]), " \t", "{broken", json.dumps(PLAIN[1])])
    report = report_of(read(text))
    assert (report.rows_read, report.kept) == (3, 2)
    assert [bad.line_number for bad in report.first_bad] == [200_001]
    cells = ["symbol,time,price,qty", f"BTCUSDT,{START_MS},1,2", "x", f"BTCUSDT,{START_MS},1,2"]
    report = report_of(read(("\n" * 50_000).join(cells), name="a.csv"))
    assert (report.rows_read, report.kept) == (3, 2)
    assert [bad.line_number for bad in report.first_bad] == [100_001]


@pytest.mark.parametrize("with_ids", [True, False])
def test_forty_thousand_symbols_cost_linear_time(with_ids: bool) -> None:
    def text(symbols: int) -> str:
        more = '"id":%d' if with_ids else '"n":%d'
        row = '{"symbol":"S%dUSDT","ts":%d,"price":1,"size":2,' + more + "}"
        return "\n".join(
            row % (n % symbols, START_MS + n, n // symbols) for n in range(2 * symbols)
        )

    taken_s = []
    for symbols in (4_000, 40_000):
        content = text(symbols)
        begun_s = time.process_time()
        report = report_of(read(content))
        taken_s.append(time.process_time() - begun_s)
        assert len(report.symbols) == symbols
        assert len(report.sentences()[0]) < 500
    assert taken_s[1] < 40 * taken_s[0]


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.files.budget._BASE_CPU_S", -1.0)
    with pytest.raises(FileLimitError, match="s of computing, far more than trades do"):
        read(lines(PLAIN))


def test_what_the_progress_raises_ends_the_reading() -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def stop(done: int, size: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        read(lines(PLAIN), progress=stop)


def gzip_with_name(length: int) -> bytes:
    packed = gzip.compress(lines(PLAIN).encode(), mtime=0)
    return packed[:3] + b"\x08" + packed[4:10] + b"n" * length + b"\0" + packed[10:]


def test_long_names_and_empty_members_in_a_gzip_cost_little() -> None:
    begun_s = time.process_time()
    assert len(read(gzip_with_name(5_000_000))) == 50
    nothing = gzip.compress(b"", mtime=0)
    members = nothing * 50_000 + gzip.compress(lines(PLAIN).encode()) + nothing + b"\0" * 512
    assert len(read(members)) == 50
    assert time.process_time() - begun_s < 5


def test_a_zip_that_packs_in_a_way_without_bounds_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.csv", "x" * 1000)
    with pytest.raises(FileError, match="pack it by deflate"):
        read(packed.getvalue())


def test_the_head_of_a_large_array_in_one_line_holds_trades(tmp_path: Path) -> None:
    from ingest.files import read_head

    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows(5_000)), encoding="utf-8")
    assert path.stat().st_size > 300_000
    report = report_of(read_ticks(read_head(path)))
    assert report.kept > 2_000
    assert report.rows_read - report.kept <= 1


def test_a_name_or_header_of_others_does_not_break_the_line_of_an_error() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a\nb\x1b.txt", "no trades")
        archive.writestr("c.txt", "none either")
    for content in (packed.getvalue(), b"one\x1b,two\x07,three"):
        with pytest.raises(FileError) as caught:
            read(content, name="x\r.zip")
        assert str(caught.value).isprintable()
