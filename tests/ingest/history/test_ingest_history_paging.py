"""Pages come in order, whatever answers first; and patience with the network has an end."""

import asyncio

import pytest
from exchange.virtual import VirtualExchange
from exchange.virtual_time import run_virtual

from ingest.binance import Kline
from ingest.errors import RestFailedError, RestRefusedError
from ingest.history import JobProgress
from ingest.history.paging import LONGEST_PAUSE_S, PATIENCE_S, PatientRest, in_order


def test_answers_come_in_order_and_no_more_are_under_way_than_allowed() -> None:
    async def scenario() -> tuple[list[tuple[int, int]], int]:
        under_way, most = 0, 0

        async def ask(number: int) -> int:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(10 - number)  # the last one answers first
            under_way -= 1
            return number * number

        return [pair async for pair in in_order(range(10), ask, ahead=3)], most

    pairs, most = run_virtual(scenario())
    assert pairs == [(n, n * n) for n in range(10)]
    assert most == 3


def test_what_fails_is_raised_in_its_place_and_the_rest_is_left() -> None:
    given: list[int] = []
    ended: list[int] = []

    async def ask(number: int) -> int:
        try:
            await asyncio.sleep(100 if number > 2 else 1)
        finally:
            ended.append(number)
        if number == 2:
            raise RestFailedError("no network")
        return number

    async def taken() -> None:
        async for _, answer in in_order(range(10), ask, ahead=4):
            given.append(answer)

    with pytest.raises(RestFailedError):
        run_virtual(taken())
    assert given == [0, 1]
    assert sorted(ended) == [0, 1, 2, 3]  # and the fifth never began


async def _klines(exchange: VirtualExchange, progress: JobProgress) -> list[Kline]:
    rest = exchange.client()
    patient = PatientRest(rest, progress)
    return await patient.answer(lambda: rest.klines("BTCUSDT", "1m", 0))


def test_a_network_that_comes_back_within_a_minute_is_waited_for() -> None:
    async def scenario() -> float:
        exchange = VirtualExchange("BTCUSDT")
        exchange.history("BTCUSDT", 10, 60_000_000)
        exchange.offline = True

        def back() -> None:
            exchange.offline = False

        begun_s = exchange.now_s()
        asyncio.get_running_loop().call_later(60.0, back)
        assert await _klines(exchange, JobProgress())
        return exchange.now_s() - begun_s

    assert 60 <= run_virtual(scenario()) < 80


def test_a_network_that_stays_away_ends_the_fetch_with_its_reason() -> None:
    async def scenario() -> float:
        exchange = VirtualExchange("BTCUSDT")
        exchange.offline = True
        begun_s = exchange.now_s()
        with pytest.raises(RestFailedError, match="no network"):
            await _klines(exchange, JobProgress())
        return exchange.now_s() - begun_s

    assert PATIENCE_S < run_virtual(scenario()) < PATIENCE_S + 20


@pytest.mark.parametrize("asked_s", [3 * 3600, int(LONGEST_PAUSE_S) + 60])
def test_a_wait_of_hours_is_kept_or_the_fetch_ends_at_once(asked_s: int) -> None:
    async def scenario() -> tuple[float, bool]:
        exchange = VirtualExchange("BTCUSDT")
        exchange.history("BTCUSDT", 10, 60_000_000)
        exchange.faults.answer_rest(418, retry_after_s=asked_s)
        begun_s = exchange.now_s()
        try:
            await _klines(exchange, JobProgress())
        except RestFailedError:
            return exchange.now_s() - begun_s, False
        return exchange.now_s() - begun_s, True

    waited_s, is_answered = run_virtual(scenario(), most_s=10 * 3600)
    assert is_answered == (asked_s <= LONGEST_PAUSE_S)
    assert waited_s >= asked_s if is_answered else waited_s < 1


def test_a_refusal_is_not_asked_again() -> None:
    async def scenario() -> int:
        exchange = VirtualExchange("ETHUSDT")
        with pytest.raises(RestRefusedError, match="Invalid symbol"):
            await _klines(exchange, JobProgress())
        return len(exchange.requests)

    assert run_virtual(scenario()) == 1
