"""Pairs as they are typed and as a CSV has them; each line that is no pair is named."""

import pytest

from ingest.watch import WatchedPair
from pages.ui.watch.parsing import MOST_LINES, csv_pairs, typed_pairs

LIST = WatchedPair("", "", "5s", 90)


@pytest.mark.parametrize(
    "text",
    [
        "ETHUSDT BTCUSDT",
        "ethusdt btcusdt",
        "ETH/USDT BTC/USDT",
        "eth-usdt / btc-usdt",
        "ETHUSDT/BTCUSDT",
        "ETHUSDT-BTCUSDT",
        "ETH/USDT/BTC/USDT",
        "ETH-USDT/BTC-USDT",
        "ETHUSDT vs BTCUSDT",
        "ETHUSDT, BTCUSDT",
        "  ETHUSDT\tBTCUSDT ;",
    ],
)
def test_a_pair_may_be_typed_in_any_form(text):
    (pair,) = typed_pairs(text, LIST).pairs
    assert pair == WatchedPair("ETHUSDT", "BTCUSDT", "5s", 90)


def test_several_pairs_come_on_lines_or_between_commas():
    parsed = typed_pairs("ETHUSDT BTCUSDT, SOLUSDT BTCUSDT\nBNBUSDT SOLUSDT; XRPUSDT BTCUSDT", LIST)
    assert [pair.y for pair in parsed.pairs] == ["ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"]
    assert parsed.refused == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ETH/USDT", "a pair is two symbols"),
        ("ETHUSDT", "a pair is two symbols"),
        ("A B C", "a pair is two symbols"),
        ("BTCUSDT BTC/USDT", "both legs are BTCUSDT"),
        ("ETH BTC", "ETH is a coin, not a symbol such as ETHUSDT"),
        ("ETHUSDT !", "is not a symbol"),
    ],
)
def test_what_is_no_pair_is_named_with_the_reason(text, reason):
    parsed = typed_pairs(f"{text}\nETHUSDT BTCUSDT", LIST)
    assert len(parsed.pairs) == 1
    (refused,) = parsed.refused
    assert refused.startswith(text)
    assert reason in refused


def test_a_coin_is_its_known_symbol_in_usdt():
    known = {"ETHUSDT", "BTCUSDT", "WBTCUSDT", "ETHBTC"}
    parsed = typed_pairs("ETH BTC\nwbtc ETHBTC\nSOL BTC\nSOLUSDT BTC", LIST, known)
    assert [(pair.y, pair.x) for pair in parsed.pairs] == [
        ("ETHUSDT", "BTCUSDT"), ("WBTCUSDT", "ETHBTC"), ("SOLUSDT", "BTCUSDT"),
    ]  # fmt: skip
    assert parsed.left == ("SOL BTC",)
    from_csv = csv_pairs(b"y,x\nETH,BTC\nSOL,BTC\n", LIST, known)
    assert [(pair.y, pair.x) for pair in from_csv.pairs] == [("ETHUSDT", "BTCUSDT")]
    assert "not a symbol such as SOLUSDT" in from_csv.refused[0]


def test_a_csv_takes_what_it_does_not_say_from_the_list():
    content = "y;x;window;range;sell;group\nethusdt;BTC/USDT;30;1h;1,5;big\nSOLUSDT;BTCUSDT;;;;\n"
    first, second = csv_pairs(content.encode(), LIST).pairs
    assert first == WatchedPair(
        "ETHUSDT", "BTCUSDT", "5s", 30, lookback_s=3_600, sell_above=1.5, group="big"
    )
    assert second == WatchedPair("SOLUSDT", "BTCUSDT", "5s", 90)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",BTCUSDT,1s,60,auto,log", "y is missing"),
        ("ETHUSDT,,1s,60,auto,log", "x is missing"),
        (",,1s,60,auto,log", "y and x are missing"),
        ("ETHUSDT,BTCUSDT,7s,60,auto,log", "7s"),
        ("ETHUSDT,BTCUSDT,1s,1,auto,log", "window is 5 to 10000, not 1"),
        ("ETHUSDT,BTCUSDT,1s,nan,auto,log", "window is 5 to 10000, not nan"),
        ("ETHUSDT,BTCUSDT,1s,60,30d,log", "range is one of auto, 5min"),
        ("ETHUSDT,BTCUSDT,1s,60,auto,cubic", "spread is one of"),
    ],
)
def test_a_bad_line_of_a_csv_is_named_by_its_number(line, reason):
    content = f"y,x,interval,window,range,spread\nSOLUSDT,BTCUSDT,,,,\n\n{line}\n"
    parsed = csv_pairs(content.encode(), LIST)
    assert [pair.y for pair in parsed.pairs] == ["SOLUSDT"]
    (refused,) = parsed.refused
    assert refused.startswith("line 4: ")
    assert reason in refused


def test_a_csv_without_the_two_columns_and_columns_that_are_not_read_are_named():
    assert csv_pairs(b"a,b\n1,2\n", LIST).refused == ("line 1: needs the columns y and x",)
    assert csv_pairs(b"", LIST).refused == ("line 1: needs the columns y and x",)
    assert csv_pairs(b"S1,S2,colour\nETHUSDT,BTCUSDT,red\n", LIST).unread == ("colour",)


def test_no_file_is_read_without_end():
    content = b"y,x\n" + b"ETHUSDT,BTCUSDT\n" * (MOST_LINES + 5)
    parsed = csv_pairs(content, LIST)
    assert len(parsed.pairs) == MOST_LINES
    assert "only 1,000 lines are read" in parsed.refused[0]


def test_a_range_of_the_list_is_not_taken_to_another_interval():
    at_5s = WatchedPair("", "", "5s", 90, lookback_s=3_600)
    (pair,) = csv_pairs(b"y,x,interval\nETHUSDT,BTCUSDT,1h\n", at_5s).pairs
    assert pair.lookback_s is None
