"""Files as people have them: what reads them, what is said, and that no row is lost on the way."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from odd_rows import PLAIN, START_MS, lines, named, read, report_of, rows
from pandas.testing import assert_frame_equal

from analytics.bars import resample_ticks
from ingest.errors import FileError, SymbolNeededError
from ingest.files import read_ticks, write_ticks_ndjson

ODD = Path("odd")


def coverage(frame: pd.DataFrame, symbol: str, interval: str = "1s") -> set[str]:
    return set(resample_ticks(frame[frame["symbol"] == symbol], interval)["coverage"])


# --- the shared files, each with the answer its README gives -------------------------------------


READ_WHOLE = {
    "sqlite_rowid.csv": ("BTCUSDT", "ETHUSDT"),
    "const_id.ndjson": ("BTCUSDT", "ETHUSDT"),
    "legacy_trade_frames.csv": ("BTCUSDT", "ETHUSDT"),
    "excel_de.csv": ("BTCUSDT", "ETHUSDT"),
    "array_one_line.json": ("BTCUSDT", "ETHUSDT"),
    "trailing_commas.ndjson": ("BTCUSDT", "ETHUSDT"),
    "two_dumps.zip": ("BTCUSDT", "ETHUSDT"),
    "bianrensheng.ndjson": ("币安人生USDT", "ETHUSDT"),
}


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "symbols"), READ_WHOLE.items(), ids=READ_WHOLE)
def test_an_odd_file_gives_its_400_trades_and_no_bar_is_missing_or_quiet(
    shared_data: Path, name: str, symbols: tuple[str, str]
) -> None:
    frame = read_ticks(shared_data / ODD / name)
    assert report_of(frame).symbols == dict.fromkeys(sorted(symbols), 200)
    first = frame[frame["symbol"] == symbols[0]]
    assert resample_ticks(first, "1min")["volume"].sum() == pytest.approx(50.167, abs=1e-9)
    for symbol in symbols:
        assert coverage(frame, symbol) == {"traded"}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "reason"),
    [("sqlite_rowid.csv", "as row numbers do"), ("const_id.ndjson", "repeat with other content")],
)
def test_ids_that_are_none_are_left_out_with_a_sentence(
    shared_data: Path, name: str, reason: str
) -> None:
    frame = read_ticks(shared_data / ODD / name)
    assert "trade_id" not in frame
    (message,) = [each for each in report_of(frame).sentences() if "no trade ids" in each]
    assert reason in message
    assert "BTCUSDT, ETHUSDT" in message


@pytest.mark.real_data
def test_the_old_trade_event_keeps_its_own_id(shared_data: Path) -> None:
    frame = read_ticks(shared_data / ODD / "legacy_trade_frames.csv")
    for symbol, first in (("BTCUSDT", 1000), ("ETHUSDT", 5000)):
        ids = frame.loc[frame["symbol"] == symbol, "trade_id"]
        assert ids.tolist() == list(range(first, first + 200))


@pytest.mark.real_data
def test_times_that_a_spreadsheet_shortened_are_refused_in_one_line(shared_data: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_ticks(shared_data / ODD / "excel_sci_times.csv")
    message = str(caught.value)
    assert "a spreadsheet shortened the times and digits are lost" in message
    assert "1.76589E+15" in message
    assert "\n" not in message


@pytest.mark.real_data
def test_a_file_without_a_symbol_is_read_once_the_reader_names_it(shared_data: Path) -> None:
    path = shared_data / ODD / "ETHBTC_TRADE_BINANCE.csv"
    with pytest.raises(SymbolNeededError, match="does not say which symbol its rows are of"):
        read_ticks(path)
    assert report_of(read_ticks(path, symbol="eth-btc".replace("-", ""))).symbols == {"ETHBTC": 200}


@pytest.mark.real_data
def test_two_trades_under_one_aggregate_id_are_both_kept(shared_data: Path, tmp_path: Path) -> None:
    frame = read_ticks(shared_data / ODD / "ZILBTC-aggTrades-353.csv")
    assert report_of(frame).symbols == {"ZILBTC": 6}
    assert frame.attrs["shared_ids"] == {"ZILBTC": [12027555]}
    bars = resample_ticks(frame, "1min")
    minute = bars.loc[pd.Timestamp(1614556823276, unit="ms", tz="UTC").floor("1min")]
    assert minute["volume"] == 19332
    assert (bars["coverage"] != "missing").all()
    # Written and read again no row goes either.
    write_ticks_ndjson(frame, tmp_path / "again.ndjson")
    again = read_ticks(tmp_path / "again.ndjson")
    assert again["quantity"].tolist() == frame["quantity"].tolist()


@pytest.mark.real_data
def test_two_files_chosen_are_one_data_set_as_a_zip_of_them_is(
    shared_data: Path, tmp_path: Path
) -> None:
    packed = shared_data / ODD / "two_dumps.zip"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    paths = sorted(tmp_path.iterdir())
    frame = read_ticks(paths)
    assert_frame_equal(frame, read_ticks(packed))
    assert report_of(frame).name == " and ".join(path.name for path in paths)


# --- the kinds, made here ------------------------------------------------------------------------


FALSE_IDS = {
    "row numbers": (lambda n: n + 1, "as row numbers do"),
    "row numbers from far up": (lambda n: 10**9 + n, "as row numbers do"),
    "row numbers, newest first": (lambda n: 10**6 - n, "as row numbers do"),
    "constant": (lambda n: 7, "repeat with other content"),
    "a batch's place": (lambda n: n // 2 % 10, "repeat with other content"),
    "a counter that starts over": (lambda n: n // 2 % 60, "repeat with other content"),
    "a counter that starts over lower": (
        lambda n: 10_000 + 9 * (n % 2) + n // 2 if n < 200 else n // 2 + 9_000 * (n % 2),
        "fall where time goes on",
    ),
    "random": (lambda n: hash((n, 11)) % 2**60, ""),
    "the time": (lambda n: START_MS + 250 * n, "leave out numbers at most steps"),
}


@pytest.mark.parametrize(("number", "reason"), FALSE_IDS.values(), ids=FALSE_IDS)
def test_numbers_that_are_no_trade_ids_cost_no_row_and_no_bar(
    number: Callable[[int], int], reason: str
) -> None:
    frame = read(lines(rows(240, id=number)))
    assert report_of(frame).kept == 240
    assert "trade_id" not in frame
    assert any(reason in note for note in report_of(frame).notes)
    assert coverage(frame, "BTCUSDT") == coverage(frame, "ETHUSDT") == {"traded"}


@pytest.mark.parametrize("order", ["by symbol", "newest first", "shuffled"])
def test_row_numbers_are_known_in_whatever_order_the_rows_come(order: str) -> None:
    records = rows(200, id=lambda n: n + 1)
    if order == "by symbol":
        records.sort(key=lambda record: str(record["symbol"]))
    elif order == "newest first":
        records.reverse()
    else:
        np.random.default_rng(5).shuffle(records)
    frame = read(lines(records))
    assert report_of(frame).kept == 200
    assert "trade_id" not in frame


def test_row_numbers_of_rows_of_size_zero_leave_nothing_behind() -> None:
    records = rows(100, id=lambda n: n + 1)
    records[10]["size"] = 0
    frame = read(lines(records))
    assert report_of(frame).kept == 99
    assert "non_trade_ids" not in frame.attrs


TRUE_IDS = {
    "each symbol its own": lambda n: n // 2 + 10**6 * (n % 2),
    "the same of both": lambda n: n // 2,
    "one above the other": lambda n: n // 2 + 500 * (n % 2),
    "with holes": lambda n: n // 2 + n // 20 + 10**6 * (n % 2),
}


@pytest.mark.parametrize("number", TRUE_IDS.values(), ids=TRUE_IDS)
@pytest.mark.parametrize("order", ["as they came", "newest first", "shuffled"])
def test_ids_of_each_symbols_trades_are_kept_in_any_order(
    number: Callable[[int], int], order: str
) -> None:
    records = rows(240, id=number)
    if order == "newest first":
        records.reverse()
    if order == "shuffled":
        np.random.default_rng(5).shuffle(records)
    frame = read(lines(records))
    assert report_of(frame).kept == 240
    assert sorted(frame["trade_id"]) == sorted(number(n) for n in range(240))


def test_one_id_that_is_wrong_does_not_take_the_others_away() -> None:
    records = rows(400, id=lambda n: n // 2 + 10**6 * (n % 2))
    records[100]["id"] = 2**60
    frame = read(lines(records))
    assert "trade_id" in frame
    assert report_of(frame).kept == 400


def test_a_repeat_with_other_content_is_kept_where_nothing_says_it_is_the_same_trade() -> None:
    records = rows(400, id=lambda n: n // 2 + 10**6 * (n % 2))
    records[102]["id"] = records[100]["id"]
    again = dict(records[50])
    frame = read(lines([*records, again]))
    assert report_of(frame).dropped == {"the same trade id again": 1}
    assert report_of(frame).kept == 400
    assert frame.attrs["shared_ids"] == {"BTCUSDT": [50]}
    assert resample_ticks(frame[frame["symbol"] == "BTCUSDT"], "1h")["trades"].sum() == 200


def test_binances_own_ids_are_believed_where_their_content_differs() -> None:
    frame = '{"e":"aggTrade","s":"BTCUSDT","a":%d,"p":"%d","q":"1","f":%d,"l":%d,"T":%d,"m":true}'
    texts = [frame % (n, 100 + n, n, n, START_MS + n) for n in range(5)]
    other_print = frame % (4, 99, 4, 4, START_MS + 4)
    other_trade = frame % (4, 98, 5, 5, START_MS + 9)
    read_back = read("\n".join([*texts, other_print, other_trade]))
    assert report_of(read_back).kept == 6
    assert report_of(read_back).dropped == {
        "the same trade id with other content: the first was kept": 1
    }
    assert read_back.attrs["shared_ids"] == {"BTCUSDT": [4]}


DUMP = "60,87162.00,0.003,20,21,1765892498698,true\n60,87163.00,0.003,22,22,1765892498698,true\n"


@pytest.mark.parametrize("compiled", [True, False])
def test_the_compiled_reader_tells_two_trades_of_one_aggregate_id_apart(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiled:
        from ingest.files import layout

        layout.warm_up()
    else:
        monkeypatch.setattr("ingest.files.layout.LayoutReader.add", lambda *_: 0)
        monkeypatch.setattr("ingest.files.csv_lines.add_batch", lambda *_: False)
    frame = read(DUMP, name="BTCUSDT-aggTrades-2025-12-16.csv")
    assert frame["price"].tolist() == [87162.0, 87163.0]
    assert resample_ticks(frame, "1s")["trades"].tolist() == [2]


ARRAYS = {
    "one line": json.dumps(PLAIN),
    "one line, no spaces": json.dumps(PLAIN, separators=(",", ":")),
    "a line each": "[\n" + ",\n".join(map(json.dumps, PLAIN)) + "\n]\n",
    "spread": json.dumps(PLAIN, indent=2),
    "spread, CRLF": json.dumps(PLAIN, indent=2).replace("\n", "\r\n"),
    "BOM": "\ufeff" + json.dumps(PLAIN),
    "a comma too many": json.dumps(PLAIN)[:-1] + ",]",
    "trailing commas": ",\n".join(map(json.dumps, PLAIN)) + ",\n",
    "trailing commas, CRLF": ",\r\n".join(map(json.dumps, PLAIN)) + ",",
    "commas on some": lines(PLAIN[:30]) + ",\n" + ",\n".join(map(json.dumps, PLAIN[30:])),
}


@pytest.mark.parametrize("text", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("at_once", [True, False])
def test_arrays_and_trailing_commas_give_the_same_ticks_as_lines(
    text: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = read(lines(PLAIN))
    if not at_once:
        monkeypatch.setattr("ingest.files.json_lines.add_batch", lambda *_: False)
    frame = read(text)
    assert_frame_equal(frame, usual)
    assert report_of(frame).rows_read == 50
    assert report_of(frame).first_bad == ()


def test_strings_that_look_like_the_end_of_an_object_part_nothing() -> None:
    records = rows(20, note=lambda n: '}, {"[]\\' * (n % 3), extra=lambda n: [{"a": {"b": [n]}}])
    assert report_of(read(json.dumps(records))).rows_read == 20


def test_a_large_array_in_one_line_is_read_piece_by_piece() -> None:
    records = rows(20_000, note=lambda n: "x" * 100)
    text = json.dumps(records)
    assert len(text) > 3 * 2**20
    assert_frame_equal(read(text), read(lines(records)))


def test_a_malformed_object_of_an_array_is_counted_with_its_place() -> None:
    texts = list(map(json.dumps, PLAIN))
    texts[3] = '{"symbol": "BTCUSDT", "ts": }'
    texts[7] = "17"
    report = report_of(read("[" + ", ".join(texts) + "]", name="a.json"))
    assert (report.rows_read, report.kept, report.format) == (50, 48, "JSON array")
    assert [bad.line_number for bad in report.first_bad] == [4, 8]
    assert any(message.startswith("Row 4: not a JSON object") for message in report.sentences())


def test_an_array_cut_short_gives_what_came_before() -> None:
    report = report_of(read(json.dumps(PLAIN)[:-40]))
    assert (report.rows_read, report.kept) == (50, 49)


def test_trailing_commas_keep_the_numbers_of_lines() -> None:
    texts = [json.dumps(record) + "," for record in PLAIN]
    texts[20] = "{broken,"
    report = report_of(read("\n".join(texts)))
    assert (report.rows_read, report.kept) == (50, 49)
    assert [bad.line_number for bad in report.first_bad] == [21]


def table(header: str, *cells: str, end: str = "\n") -> str:
    return end.join([header, *cells]) + end


NUMBERS = {
    "decimal comma": table("symbol;time;price;qty", "BTCUSDT;1765892498698;87162,5;0,003"),
    "thousands with points": table(
        "symbol;time;price;qty", "BTCUSDT;1765892498698;87.162,5;0,003", end="\r\n"
    ),
    "tabs": table("symbol\ttime\tprice\tqty", "BTCUSDT\t1765892498698\t87162,5\t0,003"),
    "quoted": table("symbol,time,price,qty", 'BTCUSDT,1765892498698,"87162,5","0,003"'),
    "thousands with commas": table(
        "symbol,time,price,qty", 'BTCUSDT,1765892498698,"87,162.5",0.003'
    ),
    "thousands with commas, semicolons": table(
        "symbol;time;price;qty", "BTCUSDT;1765892498698;87,162.5;0.003"
    ),
    "seconds with a decimal comma": table(
        "symbol;time;price;qty", "BTCUSDT;1765892498,698;87162,5;0,003"
    ),
}


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_numbers_as_spreadsheets_write_them_mean_the_same(
    text: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr("ingest.files.csv_lines.add_batch", lambda *_: False)
    frame = read(text, name="a.csv")
    assert frame[["price", "quantity"]].to_numpy().tolist() == [[87162.5, 0.003]]
    assert pd.DatetimeIndex(frame.index).asi8.tolist() == [1_765_892_498_698_000]
    assert any("numbers were read with" in note for note in report_of(frame).notes)


def test_a_whole_price_among_decimal_commas_is_read_as_the_others_are() -> None:
    cells = ["BTCUSDT;1765892498698;87162;1", "BTCUSDT;1765892498699;1.234;0,5"]
    frame = read(table("symbol;time;price;qty", *cells), name="a.csv")
    assert frame["price"].tolist() == [87162.0, 1234.0]


SHORTENED = ("1.76589E+15", "1,76589E+12", "1.7658925e+12", "41:38.7", "13:41:38", "13:41")


@pytest.mark.parametrize("time", SHORTENED)
@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_shortened_time_is_no_time_but_a_loss(time: str, mark: str) -> None:
    text = table("symbol;time;price;qty", f"BTCUSDT;{time};1;2").replace(";", mark)
    with pytest.raises(FileError, match="digits are lost"):
        read(text, name="a.csv")


def test_a_time_in_powers_of_ten_with_all_its_digits_is_a_time() -> None:
    text = table("symbol,time,price,qty", "BTCUSDT,1.765892498698e+12,1,2")
    assert pd.DatetimeIndex(read(text, name="a.csv").index).asi8.tolist() == [1_765_892_498_698_000]


NAMELESS = {
    "CSV": table("timestamp,size,price,side", f"{START_MS},1,2,buy"),
    "NDJSON": json.dumps({"ts": START_MS, "price": 2, "size": 1}),
    "JSON array": json.dumps([{"ts": START_MS, "price": 2, "size": 1}]),
    "dump": f"60,2,1,20,21,{START_MS},true\n",
}


@pytest.mark.parametrize("text", NAMELESS.values(), ids=NAMELESS)
def test_rows_without_a_symbol_ask_for_it_and_take_it(text: str) -> None:
    with pytest.raises(SymbolNeededError, match="which symbol its rows are of"):
        read(text, name="mine")
    assert read(text, name="mine", symbol="ethbtc")["symbol"].tolist() == ["ETHBTC"]


def test_a_zip_of_several_is_one_data_set_and_what_cannot_be_read_is_said() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-trades-2025-12-16.csv", f"60,2,1,2,{START_MS},true\n")
        archive.writestr("eth/ETHUSDT-trades-2025-12-16.csv", f"60,3,1,3,{START_MS},true\nx,y\n")
        archive.writestr("README.txt", "What this is")
    report = report_of(read(packed.getvalue(), name="all.zip"))
    assert report.symbols == {"BTCUSDT": 1, "ETHUSDT": 1}
    assert (report.rows_read, report.format) == (3, "Binance trades dump")
    assert report.first_bad[0].reason.startswith(
        "another number of columns than the first row in ETHUSDT-trades-2025-12-16.csv"
    )
    (left,) = [note for note in report.notes if note.startswith("left out")]
    assert "README.txt in all.zip is neither JSON lines nor CSV" in left


def test_several_files_overlap_without_a_trade_twice_and_the_symbol_fills_in() -> None:
    one = named(f"60,2,1,2,{START_MS},true\n61,2,1,2,{START_MS},true\n", "BTCUSDT-trades-1.csv")
    two = named(f"61,2,1,2,{START_MS},true\n62,2,1,2,{START_MS},true\n", "BTCUSDT-trades-2.csv")
    mine = named(NAMELESS["CSV"], "mine.csv")
    seen: list[tuple[int, int]] = []
    frame = read_ticks(
        [one, two, mine], symbol="ETHBTC", progress=lambda *place: seen.append(place)
    )
    report = report_of(frame)
    assert report.symbols == {"BTCUSDT": 3, "ETHBTC": 1}
    assert report.dropped == {"the same trade id again": 1}
    assert report.name == "BTCUSDT-trades-1.csv and 2 others"
    size = sum(len(each.getvalue()) for each in (one, two, mine))
    assert seen == sorted(seen)
    assert seen[-1] == (size, size)


def test_of_several_files_none_of_which_can_be_read_the_first_is_named() -> None:
    with pytest.raises(FileError, match=r"none of 2 files can be read: left out: a\.txt is"):
        read_ticks([named("prose", "a.txt"), named(b"%PDF-1.7", "b.pdf")])


NAMES = {
    "币安人生USDT": "币安人生USDT",
    "币安人生usdt": "币安人生USDT",
    "BTC/USDT:USDT": "BTCUSDT",
    "btc-usdt": "BTCUSDT",
}


@pytest.mark.parametrize(("text", "symbol"), NAMES.items())
@pytest.mark.parametrize("shape", ["NDJSON", "CSV"])
def test_a_symbol_is_known_however_it_is_written(text: str, symbol: str, shape: str) -> None:
    if shape == "CSV":
        frame = read(table("symbol,time,price,qty", f"{text},{START_MS},1,2"), name="a.csv")
    else:
        frame = read(json.dumps({"symbol": text, "ts": START_MS, "price": 1, "size": 2}))
    assert frame["symbol"].tolist() == [symbol]


@pytest.mark.parametrize("digits", ["１２", "١٢"])
def test_digits_of_other_scripts_are_no_number_whichever_way_they_are_read(digits: str) -> None:
    text = table(
        "symbol,time,price,qty", f"BTCUSDT,{START_MS},{digits},2", f"BTCUSDT,{START_MS},1,2"
    )
    report = report_of(read(text, name="a.csv"))
    assert (report.rows_read, report.kept) == (2, 1)
