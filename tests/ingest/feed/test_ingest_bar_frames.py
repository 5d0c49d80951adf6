"""Kline frames into bars: closed, forming, and whatever else comes on such a connection."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import Ack, BarUpdate, Kline, parse_bar_frame
from ingest.errors import MalformedMessageError

OPEN_MS = 1_723_161_300_000
BAR: dict[str, Any] = {
    "t": OPEN_MS, "T": OPEN_MS + 59_999, "s": "BTCUSDT", "i": "1m", "f": 100, "L": 101,
    "o": "61837.63000000", "c": "61840.00000000", "h": "61841.50000000", "l": "61830.01000000",
    "v": "1.25000000", "n": 2, "x": True, "q": "77.1", "V": "1.0", "Q": "61.0", "B": "0",
}  # fmt: skip
CLOSED = Kline(
    OPEN_MS * 1000, 61837.63, 61841.5, 61830.01, 61840.0, 1.25, 2, (OPEN_MS + 59_999) * 1000
)

TRADE = (
    b'{"e":"aggTrade","E":1723161360001,"s":"BTCUSDT","a":1,"p":"1","q":"1","f":1,"l":1,'
    b'"T":1723161360000,"m":true,"M":true}'
)


def frame(stream: str = "btcusdt@kline_1m", symbol: str = "BTCUSDT", **bar: Any) -> bytes:
    event = {"e": "kline", "E": OPEN_MS + 60_001, "s": symbol, "k": BAR | bar}
    return json.dumps({"stream": stream, "data": event}).encode()


def test_a_closed_bar_is_the_exchanges_kline() -> None:
    assert parse_bar_frame(frame(), 7) == BarUpdate("spot", "BTCUSDT", "kline_1m", CLOSED, 7)
    assert parse_bar_frame(frame().decode(), 7, "usdm") == BarUpdate(
        "usdm", "BTCUSDT", "kline_1m", CLOSED, 7
    )


def test_microseconds_are_the_same_bar() -> None:
    close_us = (OPEN_MS + 60_000) * 1000 - 1
    update = parse_bar_frame(frame(t=OPEN_MS * 1000, T=close_us), 7)
    assert isinstance(update, BarUpdate)
    assert update.kline is not None
    assert (update.kline.open_us, update.kline.close_us) == (OPEN_MS * 1000, close_us)


def test_a_forming_bar_tells_only_that_the_stream_lives() -> None:
    assert parse_bar_frame(frame(x=False), 7) == BarUpdate("spot", "BTCUSDT", "kline_1m", None, 7)


def test_a_bar_nobody_traded_in_is_a_bar() -> None:
    quiet: dict[str, Any] = dict.fromkeys("ochl", "5.0") | {"v": "0.0", "n": 0, "f": -1, "L": -1}
    update = parse_bar_frame(frame(**quiet), 7)
    assert isinstance(update, BarUpdate)
    assert update.kline is not None
    assert (update.kline.volume, update.kline.trades, update.kline.close) == (0.0, 0, 5.0)


def test_answers_are_answers_and_other_lengths_are_not_ours() -> None:
    assert parse_bar_frame(b'{"result":null,"id":3}', 7) == Ack(3)
    assert parse_bar_frame(frame(stream="btcusdt@kline_5m", i="5m"), 7) is None


@pytest.mark.parametrize(
    "raw",
    [
        frame(stream="ethusdt@kline_1m"),
        frame(t=OPEN_MS + 1),
        frame(T=OPEN_MS + 60_000),
        frame(h="1.0"),
        frame(l="0"),
        frame(o="nan"),
        frame(n=-1),
        frame(x="true"),
        b'{"stream":"btcusdt@kline_1m","data":{"e":"kline","s":"BTCUSDT"}}',
        TRADE,
    ],
    ids=[
        "another symbol", "opens inside a minute", "too long", "high too low", "low is 0",
        "no number", "a count below 0", "no truth", "no bar", "a trade",
    ],
)  # fmt: skip
def test_what_is_no_bar_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        parse_bar_frame(raw, 7)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_gives_a_value_or_the_one_error(raw: bytes | str) -> None:
    try:
        parse_bar_frame(raw, 7)
    except MalformedMessageError:
        return
