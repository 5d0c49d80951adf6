"""Bars fetched over REST: all of the exchange's, once, and only what is lacking is asked for."""

from pathlib import Path

import numpy as np
import pytest
from exchange.days import DaysOfTrades
from exchange.server import ThreadedExchange
from fetch_cases import day, fetched, held_klines, held_trades, klines_at, request

from ingest.history.days import day_second


def asked(exchange: ThreadedExchange) -> list[tuple[int, int | None]]:
    """Seconds that the pages of bars were asked for from, and how many rows each."""
    return [
        (int(each.query["startTime"]) // 1000, int(each.query["limit"]))
        for each in exchange.call(lambda inner: list(inner.requests))
        if each.path.endswith("/klines") and each.query["limit"] != "1"
    ]


@pytest.mark.parametrize(("bars", "length_s"), [("1m", 60), ("5m", 300), ("1h", 3600)])
def test_fetched_bars_are_the_exchanges_to_the_bit(tmp_path: Path, bars, length_s) -> None:
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"], feed=DaysOfTrades(3)) as exchange:
        said = fetched(tmp_path, request(exchange, "BTCUSDT,ETHUSDT", 0, 1, bars))
        came = 0
        for symbol in ("BTCUSDT", "ETHUSDT"):
            truth = klines_at(exchange, symbol, bars, 0, 1)
            came += len(truth)
            # The first bar opens with the first trade, a while after midnight.
            assert np.array_equal(held_klines(tmp_path, symbol, length_s, 0, 1), truth)
    assert said.lacking == ()
    assert said.done == said.total == came


def test_what_is_held_is_not_asked_for_again(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(5, past_days=2)) as exchange:
        fetched(tmp_path, request(exchange, "BTCUSDT", 1, 2))
        exchange.call(lambda inner: inner.requests.clear())
        said = fetched(tmp_path, request(exchange, "BTCUSDT", 0, 3))
        starts = [start for start, _ in asked(exchange)]
        first, second, fourth = (day_second(day(number)) for number in (0, 1, 3))
        assert len(starts) == 4  # two pages of each of the two days
        assert all(first <= each < second or fourth <= each for each in starts)
        truth = klines_at(exchange, "BTCUSDT", "1m", 0, 3)
        assert np.array_equal(held_klines(tmp_path, "BTCUSDT", 60, 0, 3), truth)
        assert len(truth) == 4 * 1440
        exchange.call(lambda inner: inner.requests.clear())
        again = fetched(tmp_path, request(exchange, "BTCUSDT", 0, 3))
        assert asked(exchange) == []
    assert said.done == said.total == 2 * 1440
    assert again.notes == ("BTCUSDT: all its bars are held already",)


def test_days_before_a_symbol_was_listed_are_said_and_cost_no_pages(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2, past_days=3)) as exchange:
        said = fetched(tmp_path, request(exchange, "BTCUSDT", -400, 1))
        assert len(asked(exchange)) == 8
        assert len(held_klines(tmp_path, "BTCUSDT", 60, -400, 1)) == 5 * 1440
    assert said.notes == ("BTCUSDT: not listed before 2026-02-26: its first bar",)
    assert said.lacking == ()
    assert said.done == said.total == 5 * 1440  # what came, not what was asked for


def test_bars_that_the_exchange_does_not_have_are_named(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(3)) as exchange:
        after = fetched(tmp_path, request(exchange, "BTCUSDT", 2, 5))
        never = fetched(tmp_path, request(exchange, "BTCUSDT", 4, 5))
    assert "BTCUSDT: no bars since" in after.notes[-1]
    assert after.lacking == ()
    (words,) = never.lacking
    assert words == (
        "BTCUSDT: the exchange has no bars of 2026-03-05 to 2026-03-06: it was not listed"
    )


def test_an_unknown_symbol_is_one_line_and_the_others_are_fetched(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2)) as exchange:
        for bars in ("1m", None):
            said = fetched(tmp_path, request(exchange, "NOPEUSDT,BTCUSDT", 0, 1, bars))
            assert said.lacking == ("NOPEUSDT: Binance spot knows no such symbol",)
        assert len(held_trades(tmp_path, "BTCUSDT")) == 4000
