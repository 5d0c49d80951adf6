"""What parse_frame and its neighbours promise: a value for what Binance sends, one error else."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.binance import (
    MAX_STREAMS,
    Ack,
    ErrorReply,
    Kline,
    ServerShutdown,
    combined_stream_url,
    decode_agg_trades,
    decode_klines,
    decode_rest_error,
    default_rest_url,
    default_ws_url,
    parse_frame,
    parse_symbols,
    rest_call_url,
    stream_name,
    subscribe_message,
    unsubscribe_message,
    valid_symbol,
)
from ingest.binance.frames import SubscriptionList
from ingest.binance.rest_rows import kline_from_row
from ingest.binance.wire import RestError
from ingest.errors import IngestError, MalformedMessageError, SymbolError
from ingest.tick import NonTrade, Tick

RECEIVED_US = 1_723_161_254_087_896

# Recorded: spot trade of 2024-08-08, futures aggTrade of 2026.
TRADE = {
    "e": "trade", "E": 1723161255343, "s": "BTCUSDT", "t": 3735683259, "p": "61837.63000000",
    "q": "0.02000000", "T": 1723161255342, "m": True, "M": True,
}  # fmt: skip
AGG_TRADE = {
    "e": "aggTrade", "E": 1785048482872, "a": 300238285, "s": "BTCUSDT", "p": "64346.70",
    "q": "0.0200", "nq": "0.0200", "f": 521512568, "l": 521512570, "T": 1785048482718,
    "m": False, "st": 1,
}  # fmt: skip
AGG_ROW = {
    "a": 26129, "p": "0.01633102", "q": "4.70443515", "f": 27781, "l": 27782,
    "T": 1498793709153, "m": True, "M": True,
}  # fmt: skip
# Binance's documentation of GET /api/v3/klines.
KLINE_ROW = [
    1499040000000, "0.01634790", "0.80000000", "0.01575800", "0.01577100", "148976.11427815",
    1499644799999, "2434.19055334", 308, "1756.87402397", "28.46694368", "0",
]  # fmt: skip


def envelope(event: dict[str, Any], stream: str | None = None) -> str:
    name = f"{event['s'].lower()}@{event['e']}" if stream is None else stream
    return json.dumps({"stream": name, "data": event})


TRADE_TICK = Tick(
    "spot", "BTCUSDT", "trade", 3735683259, 61837.63, 0.02, 1723161255342000, RECEIVED_US, True, 1,
    3735683259,
)  # fmt: skip
AGG_TICK = Tick(
    "usdm", "BTCUSDT", "aggTrade", 300238285, 64346.7, 0.02, 1785048482718000, RECEIVED_US,
    False, 3, 521512570,
)  # fmt: skip


@pytest.mark.parametrize("raw", [envelope(TRADE), json.dumps(TRADE), envelope(TRADE).encode()])
def test_a_trade_parses_enveloped_or_bare_text_or_bytes(raw: str | bytes) -> None:
    assert parse_frame(raw, RECEIVED_US) == TRADE_TICK


@pytest.mark.parametrize("raw", [envelope(AGG_TRADE), json.dumps(AGG_TRADE)])
def test_an_aggregate_counts_the_trades_inside(raw: str) -> None:
    assert parse_frame(raw, RECEIVED_US, "usdm") == AGG_TICK


def test_the_order_of_keys_and_blanks_do_not_matter() -> None:
    reordered = dict(sorted(TRADE.items(), reverse=True))
    assert parse_frame(json.dumps(reordered, indent=2), RECEIVED_US) == TRADE_TICK


def test_microsecond_times_are_told_by_magnitude() -> None:
    tick = parse_frame(envelope(TRADE | {"T": 1723161255342123}), RECEIVED_US)
    assert isinstance(tick, Tick)
    assert tick.time_us == 1723161255342123


@given(st.integers(1, 10**12), st.integers(0, 8))
def test_a_printed_decimal_of_15_digits_comes_back_as_it_was(units: int, places: int) -> None:
    text = f"{units // 10**places}.{units % 10**places:0{places}d}" if places else str(units)
    tick = parse_frame(envelope(TRADE | {"p": text}), 0)
    assert isinstance(tick, Tick)
    assert f"{tick.price:.{places}f}" == text


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (TRADE | {"X": "NA", "p": "0", "q": "0"}, "NA"),
        (TRADE | {"X": "NA"}, "NA"),
        (TRADE | {"p": "0.00000000"}, "zero"),
        (TRADE | {"q": "0"}, "zero"),
        (AGG_TRADE | {"f": -1, "l": -1}, "no trades"),
        (AGG_TRADE | {"q": "0"}, "zero"),
    ],
)
def test_a_non_trade_keeps_its_id_and_says_why(event: dict[str, Any], reason: str) -> None:
    for raw in (envelope(event), json.dumps(event)):
        result = parse_frame(raw, RECEIVED_US)
        assert isinstance(result, NonTrade)
        assert result.trade_id == event.get("t", event.get("a"))
        assert (result.symbol, result.stream, result.time_us) == (
            "BTCUSDT", event["e"], event["T"] * 1000,
        )  # fmt: skip
        assert reason in result.reason


@pytest.mark.parametrize(
    ("raw", "control"),
    [
        ('{"result":null,"id":1}', Ack(1)),
        ('{"id":"abc","result":null}', Ack("abc")),
        ('{"result":null,"id":null}', Ack(None)),
        ('{"result":["btcusdt@aggTrade"],"id":3}', SubscriptionList(3, ("btcusdt@aggTrade",))),
        ('{"result":[],"id":3}', SubscriptionList(3, ())),
        (
            '{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":2}',
            ErrorReply(2, 2, "Invalid request: unknown stream"),
        ),
        ('{"error":{"code":-1,"msg":"?"}}', ErrorReply(None, -1, "?")),
        ('{"code":3,"msg":"Invalid JSON"}', ErrorReply(None, 3, "Invalid JSON")),
        ('{"e":"serverShutdown","E":1770123456789}', ServerShutdown(1770123456789000)),
        (
            '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
            ServerShutdown(1770123456789000),
        ),
    ],
)
def test_answers_and_notices_of_the_server_are_controls(raw: str, control: object) -> None:
    assert parse_frame(raw, 0) == control


BOOK_TICKER = {"u": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}
DEPTH = {"lastUpdateId": 1, "bids": [["1", "2"]], "asks": []}


@pytest.mark.parametrize(
    "message",
    [
        BOOK_TICKER,
        DEPTH,
        {"stream": "btcusdt@bookTicker", "data": BOOK_TICKER},
        {"stream": "btcusdt@depth20@100ms", "data": DEPTH},
        {"stream": "btcusdt@kline_1s", "data": {"e": "kline", "s": "BTCUSDT", "k": {}}},
        {"stream": "btcusdt@markPrice@1s", "data": {"e": "markPriceUpdate"}},
        {"stream": "!miniTicker@arr", "data": [{"e": "24hrMiniTicker"}]},
        {"e": "kline", "s": "BTCUSDT", "k": {}},
        {"e": "depthUpdate"},
        [{"e": "24hrMiniTicker", "s": "BTCUSDT"}],
    ],
)
def test_known_streams_that_are_not_ours_are_none(message: object) -> None:
    assert parse_frame(json.dumps(message), 0) is None


MALFORMED = {
    "empty": "",
    "blank": "  ",
    "cut short": envelope(TRADE)[:-5],
    "two values": envelope(TRADE) * 2,
    "a bare word": "hello",
    "NaN": '{"e":NaN}',
    "1e999": '{"e":1e999}',
    "a 5,000-digit number": "9" * 5000,
    "a 5,000-digit field": '{"e":"trade","x":' + "9" * 5000 + ',"s":"BTCUSDT"}',
    "deep arrays": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "deep unknown field": envelope(TRADE)[:-2] + ',"x":' + "[" * 100_000 + "]" * 100_000 + "}}",
    "bad UTF-8": b'{"e":"\xff"}',
    "bad UTF-8 in a field nobody reads": envelope(TRADE).encode()[:-2] + b',"x":"\xff"}}',
    "lone surrogate": '{"e":"\ud800"}',
    "huge": "[" + '{"e":"kline"},' * 400_000 + '{"e":"kline"}]',
    "null": "null",
    "empty object": "{}",
    "empty array": "[]",
    "array of trades": json.dumps([TRADE]),
    "unknown object": '{"hello":1}',
    "event kind no text": '{"e":5}',
    "stream no text": '{"stream":5,"data":{}}',
    "stream empty": '{"stream":"","data":{}}',
    "no data": '{"stream":"btcusdt@trade"}',
    "data no object": '{"stream":"btcusdt@bookTicker","data":5}',
    "other symbol": envelope(TRADE, "ethusdt@trade"),
    "other kind": envelope(TRADE, "btcusdt@aggTrade"),
    "trade on a foreign stream": envelope(TRADE, "btcusdt@bookTicker"),
    "foreign event on a trade stream": '{"stream":"btcusdt@trade","data":{"e":"kline"}}',
    "bookTicker on a trade stream": json.dumps({"stream": "btcusdt@trade", "data": BOOK_TICKER}),
    "shutdown without time": '{"e":"serverShutdown"}',
    "shutdown in seconds": '{"e":"serverShutdown","E":1770123456}',
    "answer id beyond int64": '{"result":null,"id":9223372036854775808}',
    "answer id a list": '{"result":null,"id":[]}',
    "result a number": '{"result":5,"id":1}',
    "error no object": '{"error":5,"id":1}',
    "error code a text": '{"error":{"code":"2","msg":""},"id":1}',
    "error code beyond int32": '{"error":{"code":99999999999999999999,"msg":""},"id":1}',
}  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_message_is_the_one_named_error(raw: str | bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse_frame(raw, 0)
    error = caught.value
    assert isinstance(error, IngestError)
    assert 0 < len(error.reason) <= 200
    assert len(error.excerpt) <= 200
    (str(error) + error.excerpt).encode()  # any file, database or terminal takes it
    assert error.excerpt.isprintable()


BAD_FIELDS = [
    ("s", "btcusdt"), ("s", "BTC/USDT"), ("s", ""), ("s", "B" * 21), ("s", 5), ("s", "İ" * 5),
    ("t", -1), ("t", 2**63), ("t", 1.5), ("t", "3735683259"), ("t", None), ("t", True),
    ("p", "-1"), ("p", "nan"), ("p", "inf"), ("p", "1e5"), ("p", "1_0"), ("p", " 1"), ("p", ""),
    ("p", "."), ("p", "1.2.3"), ("p", "١"), ("p", "9" * 5000), ("p", "1" + "0" * 18),
    ("p", "0." + "0" * 400 + "1"), ("p", 61837.63), ("p", None),
    ("q", "-0.5"), ("q", "+1"), ("q", 1), ("q", []),
    ("T", 0), ("T", -1723161255342), ("T", 1723161255), ("T", 1723161255342000000), ("T", 2**63),
    ("T", 1230767999999), ("T", 4102444800000), ("T", "1723161255342"), ("T", 1723161255342.0),
    ("m", "true"), ("m", 1), ("m", None), ("X", 5),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_a_field_out_of_range_or_of_another_type_is_malformed(field: str, value: object) -> None:
    event = TRADE | {field: value}
    with pytest.raises(MalformedMessageError):
        parse_frame(envelope(event, "btcusdt@trade"), 0)
    with pytest.raises(MalformedMessageError):
        parse_frame(json.dumps(event), 0)


@pytest.mark.parametrize("field", ["s", "t", "p", "q", "T", "m"])
def test_a_missing_field_is_malformed_and_named(field: str) -> None:
    event = {name: value for name, value in TRADE.items() if name != field}
    with pytest.raises(MalformedMessageError, match=f"`{field}`"):
        parse_frame(envelope(event, "btcusdt@trade"), 0)


@pytest.mark.parametrize("ids", [(5, 4), (-1, 5), (-2, -2), (5, 2**63)])
def test_an_aggregate_needs_a_range_of_trade_ids(ids: tuple[int, int]) -> None:
    with pytest.raises(MalformedMessageError):
        parse_frame(envelope(AGG_TRADE | {"f": ids[0], "l": ids[1]}), 0)


def test_the_error_says_reason_and_how_the_message_began() -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse_frame(envelope(TRADE | {"p": "-1"}), 0)
    assert caught.value.reason == "price or quantity '-1' is not a decimal of 0 to 1e+18"
    assert caught.value.excerpt == envelope(TRADE | {"p": "-1"})[:200]


def parses_or_is_malformed(raw: str | bytes) -> object:
    """The promise of parse_frame, checked; the value it gave, or None."""
    try:
        value = parse_frame(raw, RECEIVED_US)
    except MalformedMessageError:
        return None
    assert value is None or isinstance(
        value, (Tick, NonTrade, Ack, ErrorReply, SubscriptionList, ServerShutdown)
    )
    if isinstance(value, Tick):
        assert 0 < value.price < 1e18
        assert 0 < value.quantity < 1e18
        assert 0 <= value.trade_id < 2**63
        assert 1_230_768_000_000_000 <= value.time_us < 4_102_444_800_000_000
        assert value.trades >= 1
    return value


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_and_any_text_parse_or_are_malformed(raw: str | bytes) -> None:
    parses_or_is_malformed(raw)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["e", "s", "t", "a", "p", "q", "f", "l", "T", "m", "X", "stream", "data", "result", "error",
     "id", "code", "msg", "E"]
)  # fmt: skip


@given(st.dictionaries(KEYS, JSON_VALUES), st.sampled_from([TRADE, AGG_TRADE, {}]), st.booleans())
@example({"error": {"code": 1, "msg": "\x00" * 500}}, {}, False)
def test_any_json_under_the_names_of_the_wire_parses_or_is_malformed(
    fields: dict[str, Any], base: dict[str, Any], enveloped: bool
) -> None:
    event = base | fields
    message = {"stream": "btcusdt@trade", "data": event} if enveloped else event
    parses_or_is_malformed(json.dumps(message))


@given(st.sampled_from([envelope(TRADE), json.dumps(AGG_TRADE)]), st.data())
def test_a_mutated_frame_parses_or_is_malformed(frame: str, data: st.DataObject) -> None:
    raw = bytearray(frame.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not raw:
            break
    parses_or_is_malformed(bytes(raw))


@pytest.mark.real_data
def test_every_example_frame_parses_to_what_it_is(shared_data: Path) -> None:
    lines = (shared_data / "binance_frame_examples_2026.jsonl").read_text().splitlines()
    parsed = [parse_frame(line, 0, "usdm") for line in lines]
    kinds = [type(value).__name__ for value in parsed]
    assert kinds == [
        "NoneType", "Tick", "Tick", "NonTrade", "Tick", "Tick", "NonTrade", "NonTrade", "NonTrade",
        "Ack", "ErrorReply", "ServerShutdown",
    ]  # fmt: skip
    assert [v.trade_id for v in parsed if isinstance(v, NonTrade)] == [
        3488255295, 2332526925, 6587981240, 7979344737,
    ]  # fmt: skip
    assert isinstance(parsed[2], Tick)
    assert parsed[2].price == 0.0044478


@pytest.mark.real_data
def test_the_recorded_session_parses_whole_and_its_ids_have_no_hole(shared_data: Path) -> None:
    ids: dict[str, list[int]] = {}
    kinds: Counter[str] = Counter()
    with gzip.open(shared_data / "binance_spot_frames_20240808.txt.gz", "rt") as lines:
        for line in lines:
            value = parse_frame(line.partition(" ")[2], 0)
            kinds[type(value).__name__] += 1
            if isinstance(value, Tick):
                ids.setdefault(value.symbol, []).append(value.trade_id)
    assert kinds == {"Tick": 34_419, "NoneType": 131_932}
    assert {symbol: len(found) for symbol, found in ids.items()} == {
        "BTCUSDT": 19_904, "ETHUSDT": 14_515,
    }  # fmt: skip
    for found in ids.values():
        assert found == list(range(found[0], found[0] + len(found)))


def test_a_row_of_rest_becomes_the_same_tick_as_the_stream_would_give() -> None:
    (tick,) = decode_agg_trades(json.dumps([AGG_ROW]), "BNBBTC", "spot", 7)
    assert tick == Tick(
        "spot", "BNBBTC", "aggTrade", 26129, 0.01633102, 4.70443515, 1498793709153000, 7, True, 2,
        27782,
    )  # fmt: skip
    streamed = AGG_ROW | {"e": "aggTrade", "E": 1, "s": "BNBBTC"}
    assert parse_frame(json.dumps(streamed), 7) == tick


def test_a_body_of_rows_keeps_their_order_and_its_markers() -> None:
    marker = AGG_ROW | {"a": 26130, "p": "0", "q": "0", "f": -1, "l": -1}
    events = decode_agg_trades(json.dumps([AGG_ROW, marker]), "BNBBTC", "spot", 7)
    assert [type(event) for event in events] == [Tick, NonTrade]
    assert [event.trade_id for event in events] == [26129, 26130]
    assert decode_agg_trades(b"[]", "BNBBTC", "spot", 7) == []


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"code":-1121,"msg":"Invalid symbol."}', '[{"a":1}]', "[1]", b"\xff", "[" * 100_000,
     json.dumps([AGG_ROW | {"p": "-1"}]), json.dumps([AGG_ROW | {"T": 5}])],
)  # fmt: skip
def test_a_body_that_is_no_rows_is_malformed(body: str | bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_agg_trades(body, "BNBBTC", "spot", 7)
    with pytest.raises(MalformedMessageError):
        decode_klines(body)


def test_a_row_without_an_id_is_malformed_and_the_field_is_named() -> None:
    with pytest.raises(MalformedMessageError, match="`a`"):
        decode_agg_trades('[{"p":"1"}]', "BNBBTC", "spot", 7)


def test_a_kline_row_becomes_a_bar() -> None:
    bar = Kline(
        1499040000000000, 0.0163479, 0.8, 0.015758, 0.015771, 148976.11427815, 308, 1499644799999000
    )
    assert kline_from_row(KLINE_ROW) == bar
    assert decode_klines(json.dumps([KLINE_ROW])) == [bar]


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, "1499040000000"), (0, 5), (1, 0.01), (2, "0.01"), (3, "0.9"), (4, "0"), (5, "-1"),
     (5, "nan"), (6, None), (8, -1), (8, 1.5)],
)  # fmt: skip
def test_a_kline_row_out_of_shape_is_malformed(place: int, value: object) -> None:
    row = list(KLINE_ROW)
    row[place] = value
    with pytest.raises(MalformedMessageError):
        kline_from_row(row)
    with pytest.raises(MalformedMessageError):
        kline_from_row(KLINE_ROW[:8])


def test_a_refused_call_is_told_from_rows() -> None:
    body = '{"code":-1121,"msg":"Invalid symbol."}'
    assert decode_rest_error(body) == RestError(-1121, "Invalid symbol.")
    assert decode_rest_error("[]") is None
    assert decode_rest_error("<html>403</html>") is None


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("btcusdt", "BTCUSDT"),
        (" 1000pepeusdt ", "1000PEPEUSDT"),
        ("BTCUSDT_260925",) * 2,
        ("SOL/USDT", "SOLUSDT"),
        ("btc-usdt", "BTCUSDT"),
        ("BTC/USDT:USDT", "BTCUSDT"),
        ("BTC/USDT:USDT-260925", "BTCUSDT_260925"),
        ("币安人生USDT",) * 2,
        ("币安人生/usdt", "币安人生USDT"),
    ],
)
def test_a_symbol_comes_back_as_binance_writes_it(text: str, symbol: str) -> None:
    assert valid_symbol(text) == symbol


@pytest.mark.parametrize(
    "text",
    ["", "B", "/BTC", "BTC/", "BTC//USDT", "BTC:", "_BTC", "ßßß", "x" * 500, "a b", "Ｂ/ＴＣ"],
)
def test_what_cannot_be_a_symbol_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SymbolError, match="is not a symbol: needs 2 to 20") as caught:
        valid_symbol(text)
    assert len(str(caught.value)) < 120
    assert "\n" not in str(caught.value)


def test_symbols_are_split_cleaned_and_named_once() -> None:
    assert parse_symbols("btcusdt, ETHUSDT,BTCUSDT") == ("BTCUSDT", "ETHUSDT")
    with pytest.raises(SymbolError, match="no symbol given"):
        parse_symbols(" , ")
    with pytest.raises(SymbolError, match="201 symbols given: at most 200"):
        parse_symbols(",".join(f"S{n}USDT" for n in range(201)))


def test_spot_and_futures_stream_on_paths_of_their_own() -> None:
    pair = ("BTCUSDT", "ETHUSDT")
    spot = combined_stream_url(default_ws_url("spot"), "spot", pair, "aggTrade")
    assert spot == (
        "wss://data-stream.binance.vision/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade"
    )
    futures = combined_stream_url(default_ws_url("usdm"), "usdm", pair[:1], "aggTrade")
    assert futures == "wss://fstream.binance.com/market/stream?streams=btcusdt@aggTrade"


@pytest.mark.parametrize("base", ["ws://h:1", "ws://h:1/", "ws://h:1/ws", "ws://h:1/stream"])
def test_a_base_address_may_carry_a_path(base: str) -> None:
    assert combined_stream_url(base, "spot", [], "trade") == "ws://h:1/stream"
    url = combined_stream_url(base, "spot", ["BTCUSDT"], "trade", microseconds=True)
    assert url == "ws://h:1/stream?streams=btcusdt@trade&timeUnit=MICROSECOND"


def test_a_name_outside_ascii_is_in_percents_in_an_address_and_as_it_is_in_a_message() -> None:
    url = combined_stream_url("ws://h", "spot", ["BTCUSDT", "币安人生USDT"], "aggTrade")
    encoded = "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@aggTrade"
    assert url == f"ws://h/stream?streams=btcusdt@aggTrade/{encoded}"
    stream = stream_name("币安人生/USDT", "aggTrade")
    assert stream == "币安人生usdt@aggTrade"
    assert json.loads(subscribe_message(1, [stream]))["params"] == [stream]


def test_more_streams_than_a_connection_carries_are_refused() -> None:
    symbols = [f"S{n}USDT" for n in range(MAX_STREAMS["usdm"] + 1)]
    with pytest.raises(SymbolError, match="201 streams: a usdm connection carries at most 200"):
        combined_stream_url("wss://h", "usdm", symbols, "aggTrade")


def test_messages_to_the_server_are_as_documented() -> None:
    streams = [stream_name("BTCUSDT", "aggTrade")]
    expected = {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 4}
    assert json.loads(subscribe_message(4, streams)) == expected
    assert json.loads(unsubscribe_message(4, streams)) == expected | {"method": "UNSUBSCRIBE"}


def test_rest_calls_have_the_path_of_their_market() -> None:
    spot = rest_call_url(default_rest_url("spot"), "spot", "aggTrades")
    assert spot == "https://data-api.binance.vision/api/v3/aggTrades"
    assert rest_call_url("http://h:1/", "usdm", "time") == "http://h:1/fapi/v1/time"
