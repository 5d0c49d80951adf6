"""What read_ticks and write_ticks_ndjson promise, on recorded files and all shapes of others."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analytics.bars import resample_ticks
from ingest.errors import FileError, IngestError
from ingest.files import ReadReport, read_ticks, source, write_ticks_ndjson

ROW = '{"symbol":"BTCUSDT","ts":"2025-12-16T13:41:38.698Z","price":87162,"size":0.003}'
ROW_US = 1_765_892_498_698_000
ROW_MS = ROW_US // 1000
TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1765892498699,"s":"BTCUSDT","t":%d,'
    '"p":"87162.00","q":"0.00300000","T":1765892498698,"m":true,"M":true}}'
)
AGG = (
    '{"e":"aggTrade","E":1765892498699,"s":"BTCUSDT","a":%d,"p":"87162.00","q":"0.003","f":1,'
    '"l":2,"T":1765892498698,"m":true}'
)
SNAPSHOT = '{"lastUpdateId":5,"bids":[["1.0","2.0"]],"asks":[]}'
ZERO = "price or size is zero: not a trade"


def read(text: str | bytes, name: str = "ticks.ndjson", **options: Any) -> pd.DataFrame:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    file.name = name
    return read_ticks(file, **options)


def report_of(frame: pd.DataFrame) -> ReadReport:
    report = frame.attrs["report"]
    assert isinstance(report, ReadReport)
    assert report.kept == len(frame) == sum(report.symbols.values())
    assert report.rows_read == report.kept + sum(report.dropped.values())
    return report


def only_tick(frame: pd.DataFrame) -> tuple[str, int, float, float]:
    assert len(frame) == 1
    row = frame.iloc[0]
    return row["symbol"], int(pd.DatetimeIndex(frame.index).asi8[0]), row["price"], row["quantity"]


THE_TICK = ("BTCUSDT", ROW_US, 87162.0, 0.003)


def test_a_ticks_frame_has_the_columns_and_types_of_the_contract() -> None:
    frame = read(TRADE % 5)
    assert frame.index.name == "time"
    assert frame.index.dtype == "datetime64[us, UTC]"
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "symbol": "str", "price": "float64", "quantity": "float64", "trade_id": "int64",
        "buyer_is_maker": "bool",
    }  # fmt: skip
    assert list(read(ROW).columns) == ["symbol", "price", "quantity"]


SHAPES = {
    "the collector's": ROW,
    "lower-case symbol, ms": '{"symbol":"btcusdt","ts":1765892498698,"price":87162,"size":0.003}',
    "timestamp": '{"symbol":"btcusdt","timestamp":1765892498698,"price":87162.0,"size":0.003}',
    "quantity": '{"symbol":"BTCUSDT","ts":1765892498698,"price":87162,"quantity":0.003}',
    "qty as text": '{"symbol":"BTCUSDT","time":"1765892498698","price":"87162","qty":"0.003"}',
    "capitalised": '{"Symbol":"BTCUSDT","Timestamp":1765892498698,"Price":87162,"Size":0.003}',
    "16 digits": '{"symbol":"BTCUSDT","ts":1765892498698000,"price":87162,"size":0.003}',
    "19 digits": '{"symbol":"BTCUSDT","ts":1765892498698000000,"price":87162,"size":0.003}',
    "seconds": '{"symbol":"BTCUSDT","ts":1765892498.698,"price":87162,"size":0.003}',
    "without zone": ROW.replace("Z", ""),
    "a blank for T": ROW.replace("16T", "16 "),
    "price in e notation": ROW.replace("87162", "8.7162e4"),
    "another zone": (
        '{"symbol":"BTCUSDT","ts":"2025-12-16T14:41:38.698+01:00","price":87162,"size":0.003}'
    ),
    "ccxt symbol": '{"symbol":"BTC/USDT","timestamp":1765892498698,"price":87162,"amount":0.003}',
    "other order, more keys": (
        '{"x":null,"size":0.003,"ts":1765892498698,"extra":[1,{}],"price":87162,"symbol":"BTCUSDT"}'
    ),
    "enveloped trade": TRADE % 5,
    "bare aggTrade": AGG % 5,
    "frame after its receive time": f"1765892498699123456 {TRADE % 5}",
    "letters without event": '{"s":"BTCUSDT","p":"87162","q":"0.003","T":1765892498698,"m":true}',
    "letters, small t": '{"s":"BTCUSDT","p":87162,"q":0.003,"t":1765892498698}',
    "CSV": "symbol,time,price,qty\nBTCUSDT,1765892498698,87162,0.003",
    "CSV, semicolons, quotes": (
        'Symbol;Date;Price;Size\n"BTCUSDT";"2025-12-16 13:41:38.698";"87162.0";"0.003"'
    ),
    "CSV, tabs, CRLF, blank line": (
        "symbol\ttimestamp\tprice\tquantity\r\n\r\nBTCUSDT\t1765892498698\t87162\t0.003\r\n"
    ),
    "CSV with BOM": "\ufeffsymbol,time,price,qty\nBTCUSDT,1765892498698,87162,0.003",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_every_shape_seen_in_the_wild_gives_the_same_tick(text: str) -> None:
    assert only_tick(read(text)) == THE_TICK


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_the_fast_way_and_row_by_row_give_the_same_ticks(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, _, row = (
        text.rpartition("\n") if text.startswith(("s", "S", "\ufeff")) else ("", "", text)
    )
    lines = "\n".join([head, *[row.strip()] * 3] if head else [row] * 3)
    fast = read(lines)
    monkeypatch.setattr("ingest.files.json_lines.add_batch", lambda *_: False)
    monkeypatch.setattr("ingest.files.csv_lines.add_batch", lambda *_: False)
    slow = read(lines)
    assert_frame_equal(fast, slow)
    assert report_of(fast).time_assumption == report_of(slow).time_assumption


@pytest.mark.parametrize("packing", ["gz", "zip"])
@pytest.mark.parametrize(
    "text", [SHAPES["the collector's"], SHAPES["CSV"], SHAPES["bare aggTrade"]]
)
def test_packed_files_are_recognised_by_content_not_by_name(packing: str, text: str) -> None:
    packed = io.BytesIO()
    if packing == "gz":
        packed.write(gzip.compress(text.encode()))
    else:
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("folder/.DS_Store", b"\0")
            archive.writestr("folder/ticks.txt", text)
            archive.writestr("folder/ticks.txt.CHECKSUM", "abc")
    assert only_tick(read(packed.getvalue(), name="anything")) == THE_TICK


def test_a_path_may_be_a_text_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "ticks.ndjson"
    path.write_text(ROW)
    assert_frame_equal(read_ticks(path), read_ticks(str(path)))
    assert report_of(read_ticks(path)).name == "ticks.ndjson"


DUMPS = {
    "spot aggTrades": "60,87162.00,0.00300000,20,21,1765892498698,True,True\n",
    "futures aggTrades": "60,87162.00,0.003,20,21,1765892498698,true\n",
    "spot trades in µs": "60,87162.00,0.003,261.48,1765892498698000,True,True\n",
    "futures trades": "60,87162.00,0.003,261.48,1765892498698,true\n",
    "futures aggTrades with header": (
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
        "60,87162.00,0.003,20,21,1765892498698,true\n"
    ),
    "futures trades with header": (
        "id,price,qty,quote_qty,time,is_buyer_maker\n60,87162.00,0.003,261.48,1765892498698,true\n"
    ),
}


@pytest.mark.parametrize("text", DUMPS.values(), ids=DUMPS)
def test_a_dump_takes_its_symbol_from_its_name(text: str) -> None:
    frame = read(text, name="BTCUSDT-aggTrades-2025-12-16.csv")
    assert only_tick(frame) == THE_TICK
    assert frame["trade_id"].tolist() == [60]
    assert frame["buyer_is_maker"].tolist() == [True]
    assert only_tick(read(text, name="a.csv", symbol="btcusdt")) == THE_TICK
    with pytest.raises(FileError, match="does not say which symbol its rows are of"):
        read(text, name="a.csv")


def test_times_are_sorted_and_ties_keep_the_order_of_the_file() -> None:
    row = '{"symbol":"BTCUSDT","ts":%d,"price":%d,"size":1}\n'
    text = "".join(row % (ROW_MS + ms, price) for ms, price in [(5, 1), (0, 2), (5, 3), (0, 4)])
    assert read(text)["price"].tolist() == [2, 4, 1, 3]


def test_rows_of_price_or_size_zero_are_dropped_with_their_reason() -> None:
    zeros = ROW.replace("87162", "0") + "\n" + ROW.replace("0.003", "0") + "\n"
    report = report_of(read(zeros + ROW))
    assert report.dropped == {ZERO: 2}
    assert report.first_bad == ()


def test_an_id_used_up_by_no_trade_is_kept_as_such() -> None:
    na = (
        (TRADE % 6)
        .replace('"m"', '"X":"NA","m"')
        .replace("87162.00", "0")
        .replace("0.00300000", "0")
    )
    frame = read("\n".join([TRADE % 5, na, TRADE % 7]))
    assert frame["trade_id"].tolist() == [5, 7]
    assert frame.attrs["non_trade_ids"] == {"BTCUSDT": [6]}
    assert report_of(frame).dropped == {"marked NA by the exchange: not a trade": 1}


def test_only_the_id_tells_a_repeated_trade() -> None:
    assert len(read("\n".join([ROW] * 3))) == 3
    frame = read(
        "\n".join([TRADE % 6, TRADE % 5, TRADE % 6, (TRADE % 5).replace("87162", "90000")])
    )
    assert frame["trade_id"].tolist() == [6, 5]
    assert set(frame["price"]) == {87162.0}
    assert report_of(frame).dropped == {
        "the same trade id again": 1,
        "the same trade id with other content: the first was kept": 1,
    }


def test_the_same_id_of_two_symbols_is_two_trades() -> None:
    other = (TRADE % 5).replace("btcusdt", "ethusdt").replace("BTCUSDT", "ETHUSDT")
    assert report_of(read("\n".join([TRADE % 5, other]))).symbols == {"BTCUSDT": 1, "ETHUSDT": 1}


def test_ids_of_the_two_stream_kinds_never_mix() -> None:
    frame = read("\n".join([AGG % 5, TRADE % 5, TRADE % 6]))
    assert frame["trade_id"].tolist() == [5, 6]
    assert report_of(frame).dropped == {
        "ids of the other stream kind (trade and aggTrade never mix)": 1
    }


def test_where_some_rows_lack_ids_no_id_is_shown_and_it_is_said() -> None:
    frame = read("\n".join([ROW.replace("}", ',"id":5}'), ROW]))
    assert "trade_id" not in frame
    assert report_of(frame).notes == ("1 of 2 ticks carry no trade id: ids left out",)


def test_other_streams_and_answers_are_counted_as_such_and_not_as_malformed() -> None:
    lines = [SNAPSHOT, f"1765892498699123456 {SNAPSHOT}", '{"result":null,"id":1}', TRADE % 5]
    report = report_of(read("\n".join(lines)))
    assert report.dropped == {"not a trade stream": 2, "an answer of the server, no trade": 1}
    assert report.first_bad == ()


BROKEN = {
    '{"symbol":"BTCUSDT","ts":"2025-12-16T13:41': "not a JSON object",
    "[1,2]": "not a JSON object",
    '{"symbol":"BTCUSDT"}': "no time, price or size in it",
    ROW.replace("BTCUSDT", "!"): "the symbol cannot be one",
    ROW.replace("BTCUSDT", "").replace("symbol", "sym"): "no symbol in it",
    ROW.replace("2025-12-16T", "2025-13-16T"): "the time cannot be read",
    ROW.replace("2025-", "1999-"): "the time cannot be read, or is not between 2009 and 2100",
    ROW.replace('"2025-12-16T13:41:38.698Z"', "12345"): "the time cannot be read",
    ROW.replace("87162", "-1"): "price or size is not a number of 0 or more",
    ROW.replace("87162", '"nan"'): "price or size is not a number",
    ROW.replace("87162", "1e300"): "price or size is not a number",
    ROW.replace("87162", "true"): "price or size is not a number",
    ROW.replace("0.003", "null"): "price or size is not a number",
    ROW.replace("87162", "NaN"): "not a JSON object",
    ROW.replace("87162", "1e999"): "not a JSON object",
    ROW.replace("87162", "9" * 5000): "not a JSON object",
    "[" * 100_000: "not a JSON object",
    '{"a":' * 50_000: "not a JSON object",
    (TRADE % 5).replace("87162", "-1"): "a malformed Binance message",
    "\0\1\2": "not a JSON object",
}


@pytest.mark.parametrize(("line", "reason"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_malformed_line_is_counted_with_its_number_and_is_not_fatal(
    line: str, reason: str
) -> None:
    frame = read("\n".join([ROW, "", line, ROW]))
    report = report_of(frame)
    assert (len(frame), report.rows_read) == (2, 3)
    ((number, message, excerpt),) = report.first_bad
    assert number == 3
    assert message.startswith(reason)
    assert excerpt.isprintable()
    assert len(excerpt) <= 200


def test_a_malformed_line_deep_in_a_large_file_keeps_its_number() -> None:
    lines = [ROW] * 30_000
    lines[20_000] = "{broken"
    report = report_of(read("\n".join(lines)))
    assert report.kept == 29_999
    assert [bad.line_number for bad in report.first_bad] == [20_001]
    csv = ["symbol,time,price,qty", *["BTCUSDT,1765892498698,1,2"] * 60_000]
    csv[50_000] = "BTCUSDT,1765892498698,1"
    report = report_of(read("\n".join(csv)))
    assert report.kept == 59_999
    assert [bad.line_number for bad in report.first_bad] == [50_001]
    assert "another number of columns" in report.first_bad[0].reason


def test_only_the_first_twenty_malformed_lines_are_kept() -> None:
    report = report_of(read("\n".join([ROW, *["{broken"] * 50])))
    assert [bad.line_number for bad in report.first_bad] == list(range(2, 22))
    assert sum(report.dropped.values()) == 50


def test_a_line_beyond_all_measure_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_LINE_BYTES", 100_000)
    monkeypatch.setattr(source, "BLOCK_BYTES", 10_000)
    report = report_of(read("\n".join([ROW, "x" * 250_000, ROW, "{broken", ROW])))
    assert (report.rows_read, report.kept) == (5, 3)
    assert [bad.line_number for bad in report.first_bad] == [2, 4]
    assert report.first_bad[0].reason.startswith("longer than")


def gz_cut_short() -> bytes:
    rows = "\n".join(ROW.replace("87162", str(n)) for n in range(1, 20_000)).encode()
    packed = gzip.compress(rows)
    return packed[: len(packed) // 2]


def test_a_packed_file_cut_short_gives_what_came_before_and_says_so() -> None:
    report = report_of(read(gz_cut_short()))
    assert 5_000 < report.kept < 15_000
    assert "damaged or cut short" in report.notes[0]
    assert "what came before it was read" in report.sentences()[-1]


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, ROW)
    return packed.getvalue()


UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n ", "is empty"),
    "binary": (bytes(range(256)) * 10, "is a binary file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "is a picture"),
    "a database": (b"SQLite format 3\0" + b"0" * 100, "is an SQLite database"),
    "UTF-16": ("\ufeff" + ROW).encode("utf-16-le"),
    "xz": (b"\xfd7zXZ\0abc", "is an xz archive"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "gzip header only": (gzip.compress(ROW.encode())[:10], "cannot be read"),
    "gzip of a letter": (gzip.compress(ROW.encode())[:12], "damaged or cut short"),
    "gzip in gzip": (gzip.compress(gzip.compress(ROW.encode())), "is packed twice"),
    "zip of clutter": (zipped(".DS_Store", "a.csv.CHECKSUM"), "is a zip of 0 files, needs 1 to"),
    "zip of too many": (zipped(*(f"{n}.csv" for n in range(1_001))), "is a zip of 1,001 files"),
    "zip cut short": (zipped("a.csv")[:60], "is a zip that cannot be read"),
    "prose": (b"Once upon a time\nthere was a file", "is neither JSON lines nor CSV"),
    "prose with commas": (b"Once, upon, a time\nthere, was, a file", "has no time and no price"),
    "a lone CR": (b"\1\r;", "cannot be read as CSV"),
    "klines": (b"1499040000000,1,1,1,1,1,1499644799999,1,308,1,1,0\n", "looks like bars"),
    "klines with header": (b"open_time,open,high,low,close,volume\n1,1,1,1,1,1\n", "like bars"),
    "CSV without header": (b"1765892498698,87162,0.003\n", "has no header line"),
    "no row a trade": (b'{"a":1}\n{"a":2}\n', "none of its 2 rows is a trade; line 1: no time"),
    "no trades": (SNAPSHOT.encode(), "holds no trades (1 rows: not a trade stream)"),
    "only zeros": (ROW.replace("87162", "0").encode(), f"holds no trades (1 rows: {ZERO})"),
    "header only": (b"symbol,time,price,qty\n", "holds no trades (no rows)"),
}
UNREADABLE["UTF-16"] = (UNREADABLE["UTF-16"], "saved as UTF-16 (save it as UTF-8)")  # type: ignore[assignment]


@pytest.mark.parametrize(("content", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_is_refused_in_one_line_that_says_why(
    content: bytes, words: str
) -> None:
    with pytest.raises(FileError) as caught:
        read(content, name="their-file")
    message = str(caught.value)
    assert words in message
    assert message.startswith("their-file")
    assert "needs" in message or "unpack" in message or "cannot be read" in message
    assert "\n" not in message
    assert isinstance(caught.value, IngestError)


def test_a_missing_path_or_a_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nothing\.csv does not exist: check the path"):
        read_ticks(tmp_path / "nothing.csv")
    with pytest.raises(FileError, match="is a folder: choose a file in it"):
        read_ticks(tmp_path)


def test_a_bomb_ends_at_the_limit() -> None:
    bomb = gzip.compress((ROW + "\n").encode() * 100_000)
    assert len(bomb) < 100_000
    with pytest.raises(FileError, match="holds more than 1,000,000 bytes of text: split it"):
        read(bomb, max_bytes=1_000_000)


def test_progress_runs_to_the_size_of_the_file() -> None:
    seen: list[tuple[int, int]] = []
    text = (ROW + "\n") * 40_000
    read(text, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert {total for _, total in seen} == {len(text)}
    assert seen[-1][0] == len(text)


def test_the_report_says_in_words_what_was_read_and_left_out() -> None:
    naive = ROW.replace("Z", "")
    report = report_of(read("\n".join([naive, naive.replace("87162", "0"), "{b"]), name="a.ndjson"))
    assert report.sentences() == [
        "a.ndjson (NDJSON): 1 of 3 rows kept: 1 BTCUSDT.",
        f"1 left out: {ZERO}.",
        "1 left out: not a JSON object.",
        "Line 3: not a JSON object (JSON is malformed: object keys must be strings (byte 1)): {b",
        "Times without a zone were read as UTC.",
    ]


def test_how_numeric_times_were_read_is_said() -> None:
    text = SHAPES["lower-case symbol, ms"] + "\n" + SHAPES["16 digits"]
    assert report_of(read(text)).time_assumption == (
        "numeric times were read as milliseconds since 1970, UTC; "
        "numeric times were read as microseconds since 1970, UTC"
    )
    assert report_of(read(ROW)).time_assumption == ""


def ticks_or_file_error(content: bytes) -> None:
    try:
        frame = read(content, name="BTCUSDT-trades-x.csv")
    except FileError:
        return
    report_of(frame)
    assert ((frame["price"] > 0) & (frame["quantity"] > 0)).all()
    assert frame.index.is_monotonic_increasing


@given(st.binary(max_size=400))
def test_any_bytes_are_ticks_or_a_file_error(content: bytes) -> None:
    ticks_or_file_error(content)


@given(
    st.lists(
        st.sampled_from([*SHAPES.values(), *DUMPS.values(), SNAPSHOT, "", "\0"])
        | st.sampled_from([line[:200] for line in BROKEN]),
        min_size=1,
        max_size=6,
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
def test_any_mixture_of_lines_is_ticks_or_a_file_error(lines: list[str]) -> None:
    ticks_or_file_error("\n".join(lines).encode())


TICKS = st.lists(
    st.tuples(
        st.sampled_from(["BTCUSDT", "ETHUSDT"]),
        st.integers(1_230_768_000_000_000, 4_102_444_799_999_999),
        st.floats(min_value=5e-324, max_value=9.9e17),
        st.floats(min_value=5e-324, max_value=9.9e17),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


def frame_of(rows: list[tuple[str, int, float, float, bool]], *, with_ids: bool) -> pd.DataFrame:
    rows = sorted(rows, key=lambda row: row[1])
    symbols, times, prices, quantities, makers = zip(*rows, strict=True)
    time_us = np.array(times, "datetime64[us]")
    frame = pd.DataFrame(
        {"symbol": pd.array(symbols, dtype="str"), "price": prices, "quantity": quantities},
        index=pd.DatetimeIndex(time_us, name="time").tz_localize("UTC"),
    )
    if with_ids:
        # Each symbol counts its own trades, with a hole here and there.
        number = frame.groupby("symbol").cumcount().to_numpy()
        frame["trade_id"] = number + number // 4 + np.where(frame["symbol"] == "BTCUSDT", 2**62, 5)
        frame["buyer_is_maker"] = makers
    return frame


@settings(deadline=None)  # the first example may have the reader compiled
@given(TICKS, st.booleans())
def test_written_ticks_read_back_to_the_bit(
    rows: list[tuple[str, int, float, float, bool]], with_ids: bool
) -> None:
    ticks = frame_of(rows, with_ids=with_ids)
    file = io.BytesIO()
    assert write_ticks_ndjson(ticks, file) == len(ticks)
    file.seek(0)
    assert_frame_equal(read_ticks(file), ticks, check_exact=True)


def test_a_written_row_is_the_collectors_shape_with_id_and_maker() -> None:
    file = io.BytesIO()
    write_ticks_ndjson(read(TRADE % 5), file)
    assert json.loads(file.getvalue()) == {
        "symbol": "BTCUSDT", "ts": "2025-12-16T13:41:38.698000Z", "price": 87162.0, "size": 0.003,
        "id": 5, "m": True,
    }  # fmt: skip


def test_ids_of_non_trades_survive_writing_and_only_between_trades_written() -> None:
    ticks = read("\n".join([TRADE % 5, TRADE % 8]))
    ticks.attrs["non_trade_ids"] = {"BTCUSDT": [1, 6, 7, 9], "XRPUSDT": [4]}
    file = io.BytesIO()
    assert write_ticks_ndjson(ticks, file) == 4
    file.seek(0)
    again = read_ticks(file)
    assert_frame_equal(again, ticks)
    assert again.attrs["non_trade_ids"] == {"BTCUSDT": [6, 7]}


def test_a_name_that_ends_in_gz_is_packed(tmp_path: Path) -> None:
    ticks = read(TRADE % 5)
    for name in ("out.ndjson.gz", "out.ndjson"):
        assert write_ticks_ndjson(ticks, tmp_path / name) == 1
        assert_frame_equal(read_ticks(tmp_path / name), ticks)
    assert (tmp_path / "out.ndjson.gz").read_bytes().startswith(b"\x1f\x8b")


def test_no_ticks_write_no_rows() -> None:
    file = io.BytesIO()
    assert write_ticks_ndjson(read(TRADE % 5).iloc[:0], file) == 0
    assert file.getvalue() == b""


@pytest.mark.real_data
def test_the_collectors_file_keeps_51281_ticks_and_drops_32(shared_data: Path) -> None:
    frame = read_ticks(shared_data / "binance_futures_ticks_20251216.ndjson")
    report = report_of(frame)
    assert (report.rows_read, report.kept) == (51_313, 51_281)
    assert report.dropped == {ZERO: 32}
    assert report.format == "NDJSON"
    assert frame.index.is_monotonic_increasing
    assert frame["price"].min() > 0
    oracle = pd.read_json(shared_data / "binance_futures_ticks_20251216.ndjson", lines=True)
    for symbol, rows in oracle.groupby("symbol"):
        ours = frame.loc[frame["symbol"] == symbol, "quantity"].sum()
        assert ours == pytest.approx(rows["size"].sum(), rel=1e-12)


@pytest.mark.real_data
def test_the_recorded_frames_give_their_trades_with_ids_without_a_hole(shared_data: Path) -> None:
    frame = read_ticks(shared_data / "binance_spot_frames_20240808.txt.gz")
    report = report_of(frame)
    assert report.symbols == {"BTCUSDT": 19_904, "ETHUSDT": 14_515}
    assert report.dropped == {"not a trade stream": 131_932}
    assert (report.rows_read, report.format) == (166_351, "Binance frames")
    for _, trades in frame.groupby("symbol"):
        assert (np.diff(np.sort(trades["trade_id"])) == 1).all()


@pytest.mark.real_data
def test_the_frames_of_2026_give_trades_and_non_trade_ids(shared_data: Path) -> None:
    frame = read_ticks(shared_data / "binance_frame_examples_2026.jsonl")
    assert report_of(frame).symbols == {"1000PEPEUSDT": 1, "BTCUSDT": 1, "ETHUSDT": 1}
    assert frame.attrs["non_trade_ids"]["DOGEUSDT"] == [3488255295]


@pytest.mark.real_data
def test_the_published_dump_reads_whole(shared_data: Path) -> None:
    frame = read_ticks(shared_data / "PEPEUSDT-aggTrades-2024-10-27.zip")
    report = report_of(frame)
    assert report.symbols == {"PEPEUSDT": 57_229}
    assert (report.rows_read, report.format) == (57_229, "Binance aggTrades dump")
    assert frame.iloc[0].to_list() == ["PEPEUSDT", 0.00000908, 3591711.0, 60953854, False]
    assert frame.index[0] == pd.Timestamp("2024-10-27T00:00:02.368Z")


@pytest.mark.real_data
def test_the_futures_csv_has_one_id_that_is_no_trade(shared_data: Path) -> None:
    frame = read_ticks(shared_data / "binance_futures_trades_TRXUSDT_20250304.csv")
    report = report_of(frame)
    assert (report.rows_read, report.kept) == (10_000, 9_999)
    (non_trade,) = frame.attrs["non_trade_ids"]["TRXUSDT"]
    assert sum(report.dropped.values()) == 1
    known = np.sort([*frame["trade_id"], non_trade])
    assert (np.diff(known) >= 1).all()


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["binance_futures_ticks_20251216.ndjson", "binance_futures_trades_TRXUSDT_20250304.csv"]
)
def test_a_recorded_file_written_and_read_again_gives_the_same_ticks_and_bars(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    ticks = read_ticks(shared_data / name)
    write_ticks_ndjson(ticks, tmp_path / "again.ndjson")
    again = read_ticks(tmp_path / "again.ndjson")
    assert_frame_equal(again, ticks, check_exact=True)
    assert again.attrs.get("non_trade_ids") == ticks.attrs.get("non_trade_ids")
    for symbol in ticks["symbol"].unique():
        left, right = (resample_ticks(f[f["symbol"] == symbol], "1s") for f in (ticks, again))
        assert_frame_equal(left, right, check_exact=True)
