"""The compiled way through a file gives what the careful way gives, or leaves the lines to it."""

import io
import random
import threading

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ingest.errors import FileError
from ingest.files import layout as file_layout
from ingest.files import read_ticks
from ingest.files.columns import TickColumns
from ingest.files.layout import LayoutReader
from ingest.files.line_layout import csv_layout, json_layout
from ingest.files.records import Fields

MS = 1_765_892_498_698
ISO = "2025-12-16T13:41:38.698"
SHAPES = {
    "collector": '{"symbol":"%(s)s","ts":"%(iso)sZ","price":%(p)s,"size":%(q)s}',
    "export": (
        '{"symbol":"%(s)s","ts":"%(iso)s123Z","price":%(p)s,"size":%(q)s,"id":%(n)d,"m":%(m)s}'
    ),
    "ms": '{"symbol":"%(s)s","timestamp":%(ms)d,"price":%(p)s,"quantity":%(q)s}',
    "texts": '{"time":"%(ms)d", "symbol":"%(s)s", "price":"%(p)s", "qty":"%(q)s", "id":"%(n)d"}',
    "more": (
        '{"x":null,"n":1.50,"ok":%(m)s,"s":"%(s)s","p":"%(p)s","q":"%(q)s","T":%(ms)d,"w":"a b"}'
    ),
    "zoneless": '{"symbol":"%(s)s","ts":"%(iso)s","price":%(p)s,"size":%(q)s}',
    "csv": "%(s)s,%(ms)d,%(p)s,%(q)s",
    "csv iso, CRLF": "%(s)s;%(iso)sZ;%(p)s;%(q)s;%(n)d\r",
    "dump": "%(n)d,%(p)s,%(q)s,20,21,%(ms)d,%(M)s,True",
    "python": '{"symbol": "%(s)s", "ts": %(ms)d, "price": %(e)s, "size": %(q)s}',
    "python times": '{"symbol":"%(s)s","ts":"%(iso)s500+00:00","price":%(p)s,"size":%(q)s}',
    "csv of pandas": "%(s)s,%(iso)s,%(p)s,%(e)s",
    "bare frames": (
        '{"e":"aggTrade","E":%(ms)d,"a":%(n)d,"s":"%(s)s","p":"%(p)s","q":"%(q)s","nq":"1.0",'
        '"f":%(n)d,"l":%(n)d,"T":%(ms)d,"m":%(m)s,"M":true}'
    ),
    "frames": (
        '{"stream":"%(S)s@aggTrade","data":{"e":"aggTrade","E":%(ms)d,"s":"%(s)s","a":%(n)d,'
        '"p":"%(p)s","q":"%(q)s","f":%(n)d,"l":%(n)d,"T":%(ms)d000,"m":%(m)s}}'
    ),
    "stamped frames": (
        '1723161254087896568 {"stream":"%(S)s@trade","data":{"e":"trade","E":%(ms)d,"T":%(ms)d,'
        '"s":"%(s)s","t":%(n)d,"p":"%(p)s","q":"%(q)s","X":"%(X)s","m":%(m)s,"st":1}}'
    ),
    "marked records": (
        '{"s":"%(s)s","p":"%(p)s","q":"%(q)s","T":%(ms)d,"t":%(n)d,"X":"%(X)s","m":%(m)s}'
    ),
}
HEADERS = {"csv": "symbol,time,price,qty\n", "csv iso, CRLF": "symbol;date;price;size;id\r\n"}
HEADERS["csv of pandas"] = HEADERS["csv"]
EVIL = (
    *("", " ", "-", "+", ".", "0", "00", "007", "-1", "1e5", "1E400", "NaN", "nan", "inf", "null"),
    *("true", "True", "TRUE", "false", '"', "\\", "\\u0041", "é", "\x7f", "\x01", "\t", "\r", "\n"),
    *(
        "{",
        "}",
        ",",
        ":",
        "[1]",
        "1_0",
        "5.",
        ".5",
        "0.1.2",
        "9007199254740993",
        "9" * 25,
        "1" * 19,
    ),
    *("0.1000000000000000055511151231257827", "123456789.123456789", "BTC/USDT", "btcusdt", "!"),
    *("1e-05", "1E-7", "1.5e-400", "1e-22", "12e-23", "1e-", "aggTrade", "trade", "NA", "ETHUSDT"),
    *("ethusdt@trade", "btcusdt@aggTrade", "BTCUSDT@trade", "@", '"e":', '"stream":', "9" * 18),
    *('"NA"', "2025-02-29T00:00:00.000", "2024-02-29T23:59:59.999", "2025-13-01T00:00:00.000"),
    *(
        "1999-01-01T00:00:00.000",
        "2025-12-16 13:41:38.698",
        "24:00",
        ":60",
        "Z",
        "+01:00",
        "+00:00",
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _compiled_reader() -> None:
    file_layout.warm_up()


def line(shape: str, number: int, rng: random.Random) -> str:
    time_ms = MS + 37 * number
    instant = pd.Timestamp(time_ms, unit="ms")
    symbol = rng.choice(("BTCUSDT", "ETHUSDT"))
    return SHAPES[shape] % {
        "s": symbol,
        "S": symbol.lower(),
        "X": rng.choice(("MARKET", "RPI", "NA")),
        "e": rng.choice(("1e-05", "9.27e-06", "0.5", "1234.5", "2E-7")),
        "iso": instant.isoformat(timespec="milliseconds"),
        "ms": time_ms,
        "p": rng.choice(("87162", "87162.5", "0.00001234", "3000.00000000", "0.1", "2.675")),
        "q": rng.choice(("0.003", "1", "12345.6789", "0.00000001", "0")),
        "n": 1000 + number,
        "m": rng.choice(("true", "false")),
        "M": rng.choice(("True", "False")),
    }


def mutated(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + rng.choice(EVIL) + text[at:]
    if kind == 1:
        return text[:at] + text[at + rng.randint(1, 3) :]
    if kind == 2:
        return text[:at] + chr(rng.randrange(1, 200)) + text[at + 1 :]
    # A whole value for another.
    cuts = [place for place, letter in enumerate(text) if letter in '",:;{}'] or [0]
    begin = rng.choice(cuts) + 1
    end = next((place for place in cuts if place > begin), len(text))
    return text[:begin] + rng.choice(EVIL) + text[end:]


def outcome(text: str, name: str) -> tuple[pd.DataFrame | None, object]:
    file = io.BytesIO(text.encode())
    file.name = name
    try:
        frame = read_ticks(file)
    except FileError as error:
        return None, str(error)
    report = frame.attrs["report"]
    ids = (frame.attrs.get("non_trade_ids"), frame.attrs.get("shared_ids"))
    counts = (report.rows_read, report.dropped, report.first_bad, report.symbols, ids)
    return frame, (*counts, report.time_assumption, report.format, report.notes)


@pytest.mark.parametrize("shape", SHAPES)
def test_mutated_files_read_alike_either_way(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(shape)
    name = "BTCUSDT-aggTrades-2025.csv"
    files = []
    for _ in range(60):
        lines = [line(shape, number, rng) for number in range(rng.randint(1, 6))]
        for _ in range(rng.choice((0, 1, 1, 2))):
            place = rng.randrange(len(lines))
            lines[place] = mutated(lines[place], rng)
        files.append(HEADERS.get(shape, "") + "\n".join(lines) + rng.choice(("", "\n", "\n\n")))
    fast = [outcome(text, name) for text in files]
    monkeypatch.setattr(LayoutReader, "add", lambda *_: 0)
    monkeypatch.setattr("ingest.files.json_lines.add_batch", lambda *_: False)
    monkeypatch.setattr("ingest.files.csv_lines.add_batch", lambda *_: False)
    for text, (frame, report) in zip(files, fast, strict=True):
        careful, careful_report = outcome(text, name)
        assert report == careful_report, text
        if frame is not None:
            assert careful is not None
            assert_frame_equal(frame, careful, check_exact=True, obj=text)


@pytest.mark.parametrize("shape", SHAPES)
def test_regular_lines_go_the_fast_way(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.files.json_lines.JsonLines._add_collected", None)
    monkeypatch.setattr("ingest.files.json_lines.JsonLines._add_line", None)
    monkeypatch.setattr("ingest.files.csv_lines.CsvLines._add_line", None)
    monkeypatch.setattr("ingest.files.csv_lines.add_batch", None)
    rng = random.Random(1)
    lines = [line(shape, number, rng) for number in range(500)]
    text = HEADERS.get(shape, "") + "\n".join(lines)
    _, report = outcome(text, "BTCUSDT-aggTrades-2025.csv")
    assert isinstance(report, tuple)
    assert report[0] == 500


def fast(lines: list[str]) -> pd.DataFrame | None:
    """What the compiled way alone makes of lines; None where it leaves them to the others."""
    columns = TickColumns()
    reader = LayoutReader(columns, lambda first: json_layout(first, None))
    return columns.to_frame() if reader.add("\n".join(lines).encode()) else None


def test_every_printed_decimal_of_many_is_rounded_correctly() -> None:
    rng = random.Random(5)
    digits = [rng.randrange(1, 10 ** rng.randint(1, 15)) for _ in range(20_000)]
    prices = [f"{n // 10**k}.{n % 10**k:0{k}d}" for n in digits for k in [rng.randint(1, 8)]]
    prices += [f"{price}e-{rng.randint(0, 14):02}" for price in prices]
    lines = [f"""{{"symbol":"BTCUSDT","ts":{MS},"price":{price},"size":1}}""" for price in prices]
    frame = fast(lines)
    assert frame is not None
    assert frame["price"].tolist() == [float(price) for price in prices if float(price)]


def test_every_day_is_counted_as_the_calendar_does() -> None:
    days = pd.date_range("2009-01-01", "2099-12-31", unit="us")
    instants = days + pd.to_timedelta(range(len(days)), unit="s") * 2 + pd.Timedelta(milliseconds=7)
    texts = [instant.isoformat(timespec="milliseconds") for instant in instants]
    frame = fast(
        [f"""{{"symbol":"BTCUSDT","ts":"{text}Z","price":1,"size":1}}""" for text in texts]
    )
    assert frame is not None
    assert pd.DatetimeIndex(frame.index).tz_localize(None).equals(instants)


FRAME = (
    '{"stream":"%(stream)s","data":{"e":"aggTrade","s":"BTCUSDT","a":%(id)d,"p":"1.5","q":"2",'
    '"f":%(first)d,"l":%(last)d,"T":%(time)d,"m":true}}'
)
GOOD = {"stream": "btcusdt@aggTrade", "id": 7, "first": 1, "last": 2, "time": MS}


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream": "ethusdt@aggTrade"},
        {"stream": "btcusdt@trade"},
        {"stream": "btcusdt"},
        {"first": 3},
        {"time": MS // 1000},
        {"time": MS * 1_000_000},
    ],
)
def test_a_frame_that_contradicts_itself_is_no_regular_line(wrong: dict[str, object]) -> None:
    frame = fast([FRAME % GOOD])
    assert frame is not None
    assert frame["trade_id"].tolist() == [7]
    assert fast([FRAME % GOOD, FRAME % {**GOOD, **wrong}]) is None


def test_more_symbols_than_are_looked_through_at_each_line_go_another_way() -> None:
    lines = [f"""{{"symbol":"S{n}USDT","ts":{MS},"price":1,"size":1}}""" for n in range(101)]
    assert fast(lines) is None
    few = fast(lines[:100])
    assert few is not None
    assert len(few) == 100


def test_an_id_under_a_name_of_its_own_is_read_before_the_compiler_is_warm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LayoutReader, "add", lambda *_: 0)
    row = '{"symbol":"BTCUSDT","ts":%d,"price":1.5,"size":2,"tradeId":%d}'
    frame, _ = outcome("\n".join(row % (MS + n, 1000 + n) for n in range(3)), "a.ndjson")
    assert frame is not None
    assert frame["trade_id"].tolist() == [1000, 1001, 1002]


@pytest.mark.parametrize(
    "text",
    [
        '{"symbol":"A","ts":1,"price":1,"size":1,"price":2}',
        '{"symbol":"A","ts":[1],"price":1,"size":1}',
        '{"symbol":"A","ts":1,"price":null,"size":1}',
        '{"price":1,"size":1}',
        '{"a":{"b":1}}',
        "{}",
        "",
        '{"symbol":"A","ts":1,"price":1,"size":1} {}',
        '{"symbol":"A" "ts":1,"price":1,"size":1}',
    ],
)
def test_what_is_not_plain_has_no_layout(text: str) -> None:
    assert json_layout(text.encode(), None) is None


@pytest.mark.parametrize("cut", [b"BT", b"BTCUSDT"])
def test_a_line_that_ends_inside_a_symbol_is_no_new_symbol(cut: bytes) -> None:
    line = b'{"symbol":"BTCUSDT","ts":1765892498698,"price":1,"size":1}\n'
    layout = json_layout(line.strip(), None)
    assert layout is not None
    lines = file_layout._RegularLines(layout, TickColumns(), None)
    assert lines.add(line) == 1
    assert lines.add(line + b'{"symbol":"' + cut + b"\n") == 0
    assert lines._texts == ["BTCUSDT"]


def test_a_quote_that_a_cell_does_not_close_has_no_layout() -> None:
    fields = Fields(symbol=0, time=2, price=3, quantity=4)
    assert csv_layout(b'BTCUSDT,"ab",1765892498698,1.5,2', b",", fields, None) is not None
    assert csv_layout(b'BTCUSDT,"ab,1765892498698,1.5,2', b",", fields, None) is None


def test_a_file_that_is_never_alike_is_not_tried_for_ever() -> None:
    tried: list[bytes] = []
    reader = LayoutReader(TickColumns(), tried.append)
    for _ in range(200):
        assert reader.add(b"nothing") == 0
    assert len(tried) == 50


def test_a_small_file_does_not_wait_for_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_layout, "_compiled", threading.Event())
    lines = "\n".join(line("collector", number, random.Random(1)) for number in range(50)).encode()
    reader = LayoutReader(TickColumns(), lambda first: json_layout(first, None))
    assert reader.add(lines) == 0
    monkeypatch.setattr(file_layout, "_COMPILE_FROM_BYTES", 2 * len(lines))
    assert reader.add(lines) == 50
    assert file_layout._compiled.is_set()
