"""The REST client: weight, waits, refusals, answers; on virtual time, and once on real sockets."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import pairwise

import pytest
from exchange.client import T0_US
from exchange.server import Exchange
from exchange.virtual import VirtualExchange
from exchange.virtual_time import in_virtual_time
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import REST_WEIGHT_PER_MINUTE
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.repair.skew import Skew, SkewMeter, measure_skew
from ingest.rest import SEED_SHARE, HttpClient, RestClient
from ingest.rest.budget import WeightBudget
from ingest.rest.http import HttpAnswer
from ingest.tick import NonTrade, Tick


def answering(body: object, status: int = 200, **headers: str) -> RestClient:
    """Give a client of an exchange that answers everything alike."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def fetch(_url: str) -> HttpAnswer:
        return HttpAnswer(status, headers, raw)

    return RestClient("https://x", "spot", fetch=fetch, now_us=lambda: T0_US)


async def fails(work: Awaitable[object]) -> RestFailedError:
    with pytest.raises(RestFailedError) as caught:
        await work
    return caught.value


@in_virtual_time
async def test_calls_give_events_bars_time_and_status() -> None:
    exchange = VirtualExchange("BTCUSDT", historical_trades=True)
    exchange.history("BTCUSDT", 120, 1_000_000)
    rest = exchange.client()
    newest = await rest.agg_trades("BTCUSDT", limit=2)
    assert [event.trade_id for event in newest] == [119, 120]
    (event,) = await rest.agg_trades("BTCUSDT", from_id=7, limit=1)
    assert isinstance(event, Tick)
    assert (event.trade_id, event.stream, event.price) == (7, "aggTrade", 100.0)
    since = await rest.agg_trades("BTCUSDT", start_us=event.time_us + 1000, limit=1)
    assert since[0].trade_id == 8
    until = await rest.agg_trades("BTCUSDT", start_us=event.time_us, end_us=event.time_us)
    assert [each.trade_id for each in until] == [7]
    (raw,) = await rest.historical_trades("BTCUSDT", from_id=7, limit=1)
    assert raw.stream == "trade"
    bars = await rest.klines("BTCUSDT", "1s", T0_US - 3_000_000, end_us=T0_US - 1)
    assert [bar.open_us for bar in bars] == [T0_US - 3_000_000 + n * 1_000_000 for n in range(3)]
    assert await rest.server_time_us() == pytest.approx(exchange.now_us(), abs=100_000)
    assert await rest.symbol_status("BTCUSDT") == "TRADING"
    assert await rest.symbol_status("NOSUCH") is None
    assert rest.last_error is not None
    assert rest.used_weight == 4 * 4 + 25 + 2 + 1 + 20 + 20


@in_virtual_time
async def test_the_newest_ids_of_many_symbols_come_in_one_cheap_call() -> None:
    names = [f"A{number}USDT" for number in range(20)]
    exchange = VirtualExchange(*names)
    exchange.history("A3USDT", 7, 1_000_000)
    exchange.history("A4USDT", 7, 1_000_000, T0_US - 2 * 86_400_000_000)  # none in a day
    rest = exchange.client()
    found = await rest.last_ids(names)
    assert found == dict.fromkeys(names, -1) | {"A3USDT": 7}
    assert rest.used_weight == exchange.requests[-1].weight == 2
    assert await rest.last_ids(["A3USDT"]) == {"A3USDT": 7}
    error = await fails(rest.last_ids(["A3USDT", "NOSUCH"]))
    assert isinstance(error, RestRefusedError)
    assert error.code == -1121
    assert await rest.last_ids(None) == found
    assert exchange.requests[-1].weight == 80
    assert rest.used_weight == 2 + 2 + 2 + 80


@in_virtual_time
async def test_futures_tell_the_newest_id_of_one_symbol_or_of_all() -> None:
    exchange = VirtualExchange("BTCUSDT", "ETHUSDT", market="usdm")
    exchange.history("ETHUSDT", 3, 1_000_000)
    rest = exchange.client("usdm")
    assert await rest.last_ids(["ETHUSDT"]) == {"ETHUSDT": 3}
    assert await rest.last_ids(None) == {"BTCUSDT": -1, "ETHUSDT": 3}
    assert [request.weight for request in exchange.requests] == [1, 40]
    assert rest.used_weight == 41


@in_virtual_time
async def test_a_ticker_that_is_none_is_a_failure() -> None:
    for body in (b"[", [{"symbol": "BTCUSDT"}], {"lastId": 1}, [{"symbol": 1, "lastId": 1}], 7):
        await fails(answering(body).last_ids(["BTCUSDT"]))


@in_virtual_time
async def test_futures_list_all_symbols_and_one_is_picked() -> None:
    exchange = VirtualExchange("BTCUSDT", "ETHUSDT", market="usdm")
    exchange.venue.tape("ETHUSDT").status = "SETTLING"
    rest = exchange.client("usdm")
    assert await rest.symbol_status("ETHUSDT") == "SETTLING"
    assert await rest.symbol_status("NOSUCH") is None
    assert exchange.requests[0].path == "/fapi/v1/exchangeInfo"


@in_virtual_time
async def test_a_raw_trade_of_nothing_is_no_trade() -> None:
    row = {"id": 5, "price": "0", "qty": "0", "time": T0_US // 1000, "isBuyerMaker": True}
    (event,) = await answering([row]).historical_trades("BTCUSDT", from_id=5)
    assert isinstance(event, NonTrade)


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_half_the_weight_is_never_passed_and_is_used(market: str) -> None:
    @in_virtual_time
    async def run() -> None:
        exchange = VirtualExchange("BTCUSDT", market=market)  # type: ignore[arg-type]
        exchange.latency_s = 0.001
        exchange.history("BTCUSDT", 1, 1)
        rest = exchange.client(market)  # type: ignore[arg-type]
        half = REST_WEIGHT_PER_MINUTE[market] // 2  # type: ignore[index]

        async def ask_on() -> None:
            while True:
                await rest.agg_trades("BTCUSDT", limit=1)

        tasks = [asyncio.create_task(ask_on()) for _ in range(3)]
        await asyncio.sleep(200)
        for task in tasks:
            task.cancel()
        at = [(request.at_s, request.weight) for request in exchange.requests]
        most = max(
            sum(weight for when, weight in at if begin <= when < begin + 59.99)
            for begin in sorted({when for when, _ in at})[::20]
        )
        assert most <= half
        assert sum(weight for _, weight in at) >= 3 * half
        assert all(request.status == 200 for request in exchange.requests)

    run()


@in_virtual_time
async def test_the_exchanges_higher_count_is_believed() -> None:
    weight = {"x-mbx-used-weight-1m": "2990"}
    rest = answering({"serverTime": T0_US // 1000}, 200, **weight)
    await rest.server_time_us()
    assert rest.used_weight == 2990
    begun_s = asyncio.get_running_loop().time()
    await rest.server_time_us()  # 2991, and 2990 again: others' requests ended
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(58):
            await rest.symbol_status("BTCUSDT")
    assert asyncio.get_running_loop().time() - begun_s == pytest.approx(58, abs=0.1)


@in_virtual_time
async def test_who_has_the_smaller_share_waits_first() -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 1, 1)
    rest = exchange.client(most_weight=100)
    for _ in range(15):
        await rest.agg_trades("BTCUSDT", limit=1, share=SEED_SHARE)
    seeding = asyncio.create_task(rest.agg_trades("BTCUSDT", limit=1, share=SEED_SHARE))
    for _ in range(10):
        await rest.agg_trades("BTCUSDT", limit=1)
    assert not seeding.done()
    await asyncio.sleep(70)
    assert seeding.done()


@pytest.mark.parametrize(
    ("status", "retry_after", "wait_s"),
    [
        (429, "7", 7),
        (418, "900", 900),
        (403, "20", 20),
        (429, None, 60),
        (418, None, 120),
        (403, None, 300),
        (503, "33", 33),
        (418, "9" * 400, 7 * 86400),
    ],
)
def test_a_refusal_holds_all_calls_back_to_the_second(
    status: int, retry_after: str | None, wait_s: float
) -> None:
    @in_virtual_time
    async def run() -> None:
        asked_s: list[float] = []
        loop = asyncio.get_running_loop()

        async def fetch(_url: str) -> HttpAnswer:
            asked_s.append(loop.time())
            headers = {"retry-after": retry_after} if retry_after else {}
            if len(asked_s) == 1:
                return HttpAnswer(status, headers, b"")
            return HttpAnswer(200, {}, b"[]")

        rest = RestClient("https://x", "spot", fetch=fetch)
        error = await fails(rest.agg_trades("BTCUSDT"))
        assert error.status == status
        assert rest.last_error
        assert str(status) in rest.last_error
        assert rest.blocked_until_s == pytest.approx(asked_s[0] + wait_s)
        calls = [rest.agg_trades("BTCUSDT"), rest.agg_trades("ETHUSDT")]
        await asyncio.gather(*calls)
        assert [each - asked_s[0] for each in asked_s[1:]] == pytest.approx([wait_s] * 2)
        assert min(asked_s[1:]) >= asked_s[0] + wait_s
        assert rest.blocked_until_s is None

    run()


@in_virtual_time
async def test_a_blocked_country_stops_all_calls_for_an_hour() -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.faults.answer_rest(451)
    rest = exchange.client()
    with pytest.raises(RestBlockedError, match="451: it does not serve this country"):
        await rest.agg_trades("BTCUSDT")
    await asyncio.sleep(3000)
    with pytest.raises(RestBlockedError) as caught:
        await rest.klines("BTCUSDT", "1s", 0)
    assert caught.value.wait_s == pytest.approx(600, abs=1)
    assert len(exchange.requests) == 1
    assert rest.blocked_reason == "REST aggTrades: HTTP 451: it does not serve this country"
    await asyncio.sleep(601)
    assert await rest.agg_trades("BTCUSDT") == []
    assert rest.blocked_reason is None


@in_virtual_time
async def test_failures_wait_longer_each_time_and_success_begins_anew() -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.latency_s = 0.0
    rest = exchange.client()
    exchange.faults.answer_rest(502, times=12)
    for _ in range(12):
        await fails(rest.agg_trades("BTCUSDT"))
    await rest.agg_trades("BTCUSDT")
    assert rest.last_error is None
    at = [request.at_s for request in exchange.requests]
    waits = [after - before for before, after in pairwise(at)]
    assert min(waits) >= 0.5
    assert max(waits) <= 15.6
    assert sum(waits[:3]) < sum(waits[-3:])
    exchange.faults.answer_rest(502)
    await fails(rest.agg_trades("BTCUSDT"))
    begun_s = exchange.now_s()
    await rest.agg_trades("BTCUSDT")
    assert exchange.now_s() - begun_s <= 1.1


@in_virtual_time
async def test_no_network_is_a_failure_with_its_reason() -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.offline = True
    error = await fails(exchange.client().agg_trades("BTCUSDT"))
    assert str(error) == "REST aggTrades: no network"
    assert error.status is None


@in_virtual_time
async def test_a_call_the_exchange_will_not_do_is_told_apart() -> None:
    exchange = VirtualExchange("BTCUSDT")
    rest = exchange.client()
    with pytest.raises(RestRefusedError, match="HTTP 400: Invalid symbol") as caught:
        await rest.agg_trades("NOSUCH")
    assert caught.value.code == -1121
    with pytest.raises(RestRefusedError, match="HTTP 404") as caught:
        await rest.historical_trades("BTCUSDT", from_id=1)
    assert caught.value.status == 404
    assert exchange.now_s() - exchange.begun_s < 1  # nothing to wait for


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"{}", b"[{}]", b"\xff", b""])
def test_a_body_that_is_no_answer_is_a_failure(body: bytes) -> None:
    @in_virtual_time
    async def run() -> None:
        calls: list[Callable[[RestClient], Awaitable[object]]] = [
            lambda rest: rest.agg_trades("BTCUSDT"),
            lambda rest: rest.historical_trades("BTCUSDT", from_id=1),
            lambda rest: rest.klines("BTCUSDT", "1s", 0),
            lambda rest: rest.server_time_us(),
            lambda rest: rest.symbol_status("BTCUSDT"),
        ]
        for call in calls:
            rest = answering(body)
            told = str(await fails(call(rest)))
            assert ("login page" if body.startswith(b"<") else "malformed") in told
            assert rest.last_error is not None

    run()


@in_virtual_time
async def test_skew_is_the_exchanges_clock_minus_ours_by_the_quickest_round_trip() -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.skew_us = 1_234_000
    rng = random.Random(5)
    rest = exchange.client()

    async def vary() -> None:
        while True:
            exchange.faults.rest_delay_s = rng.choice([0.0, 0.4, 1.0])
            await asyncio.sleep(0.01)

    varying = asyncio.create_task(vary())
    skew = await measure_skew(rest, samples=8)
    varying.cancel()
    assert skew.skew_ms == pytest.approx(1234, abs=skew.uncertainty_ms + 1)
    assert skew.uncertainty_ms == pytest.approx(25, abs=1)


def newest_of(meter: SkewMeter) -> Skew:
    assert meter.newest is not None
    return meter.newest


@in_virtual_time
async def test_skew_is_measured_every_ten_minutes_and_sooner_after_a_failure() -> None:
    exchange = VirtualExchange("BTCUSDT")
    meter = SkewMeter(exchange.client())
    exchange.faults.answer_rest(500)
    running = asyncio.create_task(meter.run())
    await asyncio.sleep(30)
    assert meter.newest is None
    await asyncio.sleep(60)
    assert abs(newest_of(meter).skew_ms) <= 1
    before = newest_of(meter).checked_us
    await asyncio.sleep(600)
    assert newest_of(meter).checked_us - before == pytest.approx(600_000_000, rel=0.01)
    running.cancel()


@in_virtual_time
async def test_requests_that_fail_side_by_side_are_one_failure_to_wait_for() -> None:
    exchange = VirtualExchange("BTCUSDT")
    rest = exchange.client()
    exchange.faults.answer_rest(503, times=6)
    calls = [rest.agg_trades("BTCUSDT") for _ in range(6)]
    await asyncio.gather(*calls, return_exceptions=True)
    begun_s = exchange.now_s()
    assert await rest.agg_trades("BTCUSDT") == []
    assert 0.5 <= exchange.now_s() - begun_s <= 1.0 + exchange.latency_s


async def test_on_real_sockets_answers_refusals_and_headers_come_through() -> None:
    async with Exchange(["BTCUSDT"]) as exchange, aclosing(HttpClient()) as http:
        exchange.push("BTCUSDT", "61837.63", "0.02")
        rest = RestClient(exchange.rest_url, "spot", fetch=http.get)
        (event,) = await rest.agg_trades("BTCUSDT", from_id=1)
        assert isinstance(event, Tick)
        assert event.price == 61837.63
        skew = await measure_skew(rest)
        assert abs(skew.skew_ms) < 1000
        exchange.faults.answer_rest(429, retry_after_s=120)
        assert (await fails(rest.agg_trades("BTCUSDT"))).status == 429
        asked = len(exchange.requests)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await rest.agg_trades("BTCUSDT")
        assert len(exchange.requests) == asked


@given(
    costs=st.lists(
        st.tuples(st.integers(1, 60), st.floats(0, 20), st.sampled_from([0.5, 0.9, 1.0])),
        max_size=40,
    )
)
def test_any_60_seconds_stay_within_the_budget(costs: list[tuple[int, float, float]]) -> None:
    budget, now_s, spent = WeightBudget(100), 0.0, []
    for weight, pause_s, share in costs:
        now_s += pause_s
        while (wait_s := budget.wait_s(weight, now_s, share)) > 0:
            assert wait_s < 60.001
            now_s += wait_s + 1e-9
        budget.spend(weight, now_s)
        spent.append((now_s, weight))
    for end_s, _ in spent:
        inside = [weight for when, weight in spent if end_s - 59.999 <= when <= end_s]
        assert sum(inside) <= 100
