"""Trades fetched over REST: by their ids, once, whole days of them, and their bars."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from exchange.days import DaysOfTrades
from exchange.server import ThreadedExchange
from fetch_cases import (
    as_tuples,
    day,
    fetched,
    held_klines,
    held_trades,
    klines_at,
    request,
    trades_at,
)

from ingest.errors import IngestError, RestRefusedError
from ingest.history import FetchRequest, JobCancelledError, JobProgress, keeping
from ingest.history.days import DAY_S, day_second
from ingest.history.fetch import fetch
from ingest.store import LakeStream
from ingest.store.lake import Lake

STREAM = LakeStream("spot", "BTCUSDT", "aggTrade")


def pages(exchange: ThreadedExchange) -> list[int]:
    """Ids that pages were asked for from."""
    requests = exchange.call(lambda inner: list(inner.requests))
    return [int(each.query["fromId"]) for each in requests if "fromId" in each.query]


def test_fetched_trades_are_the_exchanges_and_so_are_their_bars(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"], feed=DaysOfTrades(3, 3000)) as exchange:
        said = fetched(tmp_path, request(exchange, "BTCUSDT,ETHUSDT", 0, 1, None))
        for symbol in ("BTCUSDT", "ETHUSDT"):
            truth = [
                each
                for each in trades_at(exchange, symbol)
                if each.time_us < day_second(day(2)) * 10**6
            ]
            assert held_trades(tmp_path, symbol) == as_tuples(truth)
            klines = klines_at(exchange, symbol, "1h", 0, 1)
            assert np.array_equal(held_klines(tmp_path, symbol, 3600, 0, 1), klines)
            minutes = klines_at(exchange, symbol, "1m", 0, 1)
            traded = minutes[minutes["trades"] > 0]
            assert np.array_equal(held_klines(tmp_path, symbol, 60, 0, 1), traded)
    assert said.done == said.total == 2 * 2 * 3000
    low = day_second(day(0))
    assert Lake(tmp_path).pieces(STREAM).known(60, low, low + 2 * DAY_S) == [(low, low + 2 * DAY_S)]


def test_days_that_are_held_whole_are_not_asked_for(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(4)) as exchange:
        fetched(tmp_path, request(exchange, "BTCUSDT", 1, 1, None))
        exchange.call(lambda inner: inner.requests.clear())
        fetched(tmp_path, request(exchange, "BTCUSDT", 0, 2, None))
        assert sorted(pages(exchange)) == [1, 1001, 4001, 5001]
        exchange.call(lambda inner: inner.requests.clear())
        said = fetched(tmp_path, request(exchange, "BTCUSDT", 0, 2, None))
        assert exchange.call(lambda inner: list(inner.requests)) == []
        assert len(held_trades(tmp_path, "BTCUSDT")) == 6000
    assert said.notes == ("BTCUSDT: all its trades are held already",)


def test_ids_that_the_exchange_does_not_have_are_known_to_be_none(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2, holes=3)) as exchange:
        said = fetched(tmp_path, request(exchange, "BTCUSDT", 0, 1, None))
        assert held_trades(tmp_path, "BTCUSDT") == as_tuples(trades_at(exchange, "BTCUSDT"))
        exchange.call(lambda inner: inner.requests.clear())
        fetched(tmp_path, request(exchange, "BTCUSDT", 0, 1, None))
        assert pages(exchange) == []
    (span,) = Lake(tmp_path).id_spans(STREAM)
    assert span.first_id == 1
    ticks = Lake(tmp_path).ticks(STREAM, 0, 2**60)
    assert len(ticks.non_trades) == span.last_id - len(ticks.trade_id)
    assert any("the exchange has no trades of" in note for note in said.notes)


def test_quiet_days_are_said(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(4, quiet=(0, 2))) as exchange:
        said = fetched(tmp_path, request(exchange, "BTCUSDT", -1, 3, None))
        none = fetched(tmp_path, request(exchange, "BTCUSDT", -3, -2, None))
        assert len(held_trades(tmp_path, "BTCUSDT")) == 4000
    assert said.notes == (
        "BTCUSDT: no trades on 2026-02-28 to 2026-03-01: not listed, or nobody traded",
        "BTCUSDT: no trades on 2026-03-03: not listed, or nobody traded",
    )
    assert none.lacking == (
        "BTCUSDT: no trades on 2026-02-26 to 2026-02-27: it was not listed, or halted",
    )


class CancelledAt(JobProgress):
    """Is cancelled once so much is done."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self._at = done

    def add(self, count: int) -> None:
        super().add(count)
        if self._done >= self._at:
            self.cancel()


@pytest.mark.parametrize("done", [1000, 4000, 7000])
def test_a_cancelled_fetch_goes_on_where_it_was(tmp_path: Path, done: int) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(3, 4000)) as exchange:
        wanted = request(exchange, "BTCUSDT", 0, 2, None)
        with pytest.raises(JobCancelledError):
            fetch(tmp_path, wanted, CancelledAt(done))
        held = held_trades(tmp_path, "BTCUSDT")
        assert done <= len(held) < 12_000
        exchange.call(lambda inner: inner.requests.clear())
        said = fetched(tmp_path, wanted)
        assert min(pages(exchange)) > len(held)
        assert said.total == 12_000 - len(held)
        assert held_trades(tmp_path, "BTCUSDT") == as_tuples(trades_at(exchange, "BTCUSDT"))


def test_what_came_before_a_refusal_is_kept(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(2, 4000)) as exchange:
        wanted = request(exchange, "BTCUSDT", 0, 1, None)

        class Refused(JobProgress):
            def add(self, count: int) -> None:
                super().add(count)
                if self._done == 2000:
                    exchange.faults.answer_rest(400, code=-1100, msg="No.", times=None)

        with pytest.raises(RestRefusedError, match=r"REST aggTrades: HTTP 400: No\."):
            fetch(tmp_path, wanted, Refused())
        assert len(held_trades(tmp_path, "BTCUSDT")) >= 2000
        exchange.faults.clear()
        fetched(tmp_path, wanted)
        assert held_trades(tmp_path, "BTCUSDT") == as_tuples(trades_at(exchange, "BTCUSDT"))


def test_the_wait_that_the_exchange_asks_for_is_kept_and_the_fetch_ends_whole(
    tmp_path: Path,
) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(1, 4000)) as exchange:
        exchange.faults.answer_rest(429, retry_after_s=1, path="aggTrades")
        fetched(tmp_path, request(exchange, "BTCUSDT", 0, 0, None))
        refused, after = exchange.call(lambda inner: list(inner.requests))[:2]
        assert refused.status == 429
        assert after.at_s - refused.at_s >= 1.0
        assert len(held_trades(tmp_path, "BTCUSDT")) == 4000


def test_rows_are_written_while_more_are_fetched(tmp_path: Path, monkeypatch) -> None:
    held: list[int] = []

    class Looking(JobProgress):
        def add(self, count: int) -> None:
            super().add(count)
            held.append(len(held_trades(tmp_path, "BTCUSDT")))

    monkeypatch.setattr(keeping, "LEAST_ROWS", 1500)
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(1, 6000)) as exchange:
        fetch(tmp_path, request(exchange, "BTCUSDT", 0, 0, None), Looking())
    assert 0 in held
    assert any(0 < count < 6000 for count in held)


def test_futures_hand_out_no_old_trades(tmp_path: Path) -> None:
    with ThreadedExchange(["BTCUSDT"], feed=DaysOfTrades(1), market="usdm") as exchange:
        wanted = request(exchange, "BTCUSDT", 0, 0, None, market="usdm")
        with pytest.raises(IngestError, match="trades of the last 48 hours only: of earlier days"):
            fetch(tmp_path, wanted, JobProgress())
        assert exchange.call(lambda inner: list(inner.requests)) == []


def test_a_day_that_is_not_over_at_the_exchange_is_refused(tmp_path: Path) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    late_us = time.time_ns() // 1000 - 30 * 3600 * 10**6  # its clock is 30 h behind ours
    with ThreadedExchange(
        ["BTCUSDT"], feed=DaysOfTrades(1, first=yesterday), clock_us=lambda: late_us
    ) as exchange:
        wanted = FetchRequest("spot", exchange.rest_url, ("BTCUSDT",), yesterday, yesterday)
        with pytest.raises(IngestError, match=f"{yesterday} is not over at the exchange, whose"):
            fetch(tmp_path, wanted, JobProgress())
    assert Lake(tmp_path).holdings() == []
