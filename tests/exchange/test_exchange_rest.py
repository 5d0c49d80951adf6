"""The scripted exchange's REST: listings, trades and bars, as Binance answers."""

from typing import Any

import pandas as pd
import pytest

from exchange.client import SYMBOLS, T0_US, client, get, receive
from exchange.feeds import LiveFeed
from exchange.market import MarketName, e8
from exchange.server import Exchange


async def test_exchange_info_lists_what_was_asked_for() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.venue.tape("ETHUSDT").status = "HALT"
        everything = await get(exchange, "/api/v3/exchangeInfo")
        one = await get(exchange, "/api/v3/exchangeInfo?symbol=ETHUSDT")
        some = await get(exchange, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D")
        none = await get(exchange, "/api/v3/exchangeInfo?symbol=NOPEUSDT")
    assert [item["symbol"] for item in everything.body["symbols"]] == list(SYMBOLS)
    assert [(item["symbol"], item["status"]) for item in one.body["symbols"]] == [
        ("ETHUSDT", "HALT")
    ]
    assert [item["baseAsset"] for item in some.body["symbols"]] == ["BTC"]
    assert (none.status, none.body["code"]) == (400, -1121)


SPOT_FILTERS = {
    "PRICE_FILTER", "LOT_SIZE", "ICEBERG_PARTS", "MARKET_LOT_SIZE", "TRAILING_DELTA",
    "PERCENT_PRICE_BY_SIDE", "NOTIONAL", "MAX_NUM_ORDERS", "MAX_NUM_ORDER_LISTS",
    "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ORDER_AMENDS",
}  # fmt: skip


FUTURES_FILTERS = {
    "PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS",
    "MIN_NOTIONAL", "PERCENT_PRICE", "POSITION_RISK_CONTROL",
}  # fmt: skip


async def test_spot_and_futures_tell_of_a_symbol_in_forms_of_their_own() -> None:
    async with Exchange(["BTCUSDT"]) as exchange:
        (spot,) = (await get(exchange, "/api/v3/exchangeInfo")).body["symbols"]
        halted = await get(exchange, "/api/v3/exchangeInfo?symbolStatus=HALT")
    async with Exchange(["ADAUSDT", "BTCUSDT_260327"], market="usdm") as exchange:
        told = (await get(exchange, "/fapi/v1/exchangeInfo")).body
    ada, quarter = told["symbols"]
    assert halted.body["symbols"] == []
    assert {each["filterType"] for each in spot["filters"]} == SPOT_FILTERS
    assert {"baseAssetPrecision", "orderTypes", "permissionSets"} <= spot.keys()
    assert "contractType" not in spot
    assert {each["filterType"] for each in ada["filters"]} == FUTURES_FILTERS
    assert (ada["contractType"], ada["marginAsset"]) == ("PERPETUAL", "USDT")
    assert (ada["pricePrecision"], ada["quantityPrecision"]) == (4, 0)
    assert "permissions" not in ada
    assert (quarter["pair"], quarter["baseAsset"]) == ("BTCUSDT", "BTC")
    assert quarter["contractType"] == "CURRENT_QUARTER"
    assert quarter["deliveryDate"] == 1_774_598_400_000  # 2026-03-27 08:00 UTC
    assert told["futuresType"] == "U_MARGINED"


LEVELS = {
    "ADAUSDT": 0.38,
    "BNBUSDT": 590,
    "ETHBTC": 0.0406,
    "BTCUSDT": 64_000,
    "币安人生USDT": 0.2,
}


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_well_known_symbol_trades_at_its_own_level_in_the_steps_it_is_listed_with(
    market: MarketName,
) -> None:
    feed = LiveFeed(10, history_s=60, after_clients=1)
    async with Exchange(LEVELS, market=market, feed=feed) as exchange:
        prefix = "/api/v3" if market == "spot" else "/fapi/v1"
        for symbol in (await get(exchange, f"{prefix}/exchangeInfo")).body["symbols"]:
            name, filters = (
                symbol["symbol"],
                {each["filterType"]: each for each in symbol["filters"]},
            )
            tick, lot = filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]
            for trade in exchange.trades(name, history=True):
                assert trade.price == pytest.approx(LEVELS[name], rel=0.02)
                assert trade.price_e8 % e8(tick) == trade.quantity_e8 % e8(lot) == 0


TICKER_FIELDS = {
    "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "lastPrice", "lastQty",
    "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count",
}  # fmt: skip


NOT_IN_MINI = {"priceChange", "priceChangePercent", "weightedAvgPrice", "lastQty"}


SPOT_TICKER_FIELDS = {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"}


async def test_a_ticker_is_complete_and_a_mini_one_small() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for price, quantity in ((100, 1), (90, 2), (120, "0.5"), (99, 1)):
            exchange.push("BTCUSDT", price, quantity)
        full = (await get(exchange, "/api/v3/ticker/24hr?symbol=BTCUSDT")).body
        mini = (await get(exchange, "/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI")).body
        quiet = (await get(exchange, "/api/v3/ticker/24hr?symbol=ETHUSDT")).body
    assert full.keys() == quiet.keys() == TICKER_FIELDS | SPOT_TICKER_FIELDS
    assert mini.keys() == TICKER_FIELDS - NOT_IN_MINI
    numbers = ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")
    assert [float(full[name]) for name in numbers] == [100, 120, 90, 99, 4.5, 439]
    assert (full["priceChange"], full["priceChangePercent"]) == ("-1.00000000", "-1.000")
    assert (full["count"], quiet["count"], quiet["lastId"]) == (4, 0, -1)
    async with Exchange(SYMBOLS, market="usdm") as exchange:
        exchange.push("BTCUSDT", 100, 1)
        futures = (await get(exchange, "/fapi/v1/ticker/24hr?symbol=BTCUSDT")).body
    assert futures.keys() == TICKER_FIELDS


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v3/klines?symbol=NOPEUSDT&interval=1m", 400, -1121),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", 400, -1120),
        ("/api/v3/aggTrades", 400, -1102),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=-1", 400, -1100),
        ("/api/v3/aggTrades?symbol=BTCUSDT&limit=0", 400, -1130),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", 400, -1128),
        ("/api/v3/historicalTrades?symbol=BTCUSDT", 404, -5000),
        ("/fapi/v1/time", 404, -5000),
        ("/", 404, -5000),
    ],
)
async def test_a_bad_rest_request_is_refused(path: str, status: int, code: int) -> None:
    async with Exchange(SYMBOLS) as exchange:
        reply = await get(exchange, path)
    assert (reply.status, reply.body["code"]) == (status, code)


async def test_futures_have_no_second_bars() -> None:
    async with Exchange(SYMBOLS, market="usdm") as exchange:
        reply = await get(exchange, "/fapi/v1/klines?symbol=BTCUSDT&interval=1s")
    assert (reply.status, reply.body["code"]) == (400, -1120)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 6, 7]),
        ("&limit=2", [6, 7]),
        ("&fromId=2", [2, 3, 6, 7]),
        ("&fromId=4&limit=1", [6]),
        ("&fromId=8", []),
        (f"&startTime={T0_US // 1000 + 2000}", [3, 6, 7]),
        (f"&startTime={T0_US // 1000}&endTime={T0_US // 1000 + 2000}", [1, 2, 3]),
        (f"&endTime={T0_US // 1000 + 1000}&limit=1", [2]),
        (f"&startTime={T0_US + 2_000_000}&limit=1", [3]),
    ],
)
async def test_agg_trades_are_chosen_by_id_time_and_limit(query: str, ids: list[int]) -> None:
    async with Exchange(SYMBOLS) as exchange:
        for second in range(3):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + second * 1_000_000)
        assert exchange.skip_ids("BTCUSDT", 2) == range(4, 6)
        for second in range(3, 5):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + second * 1_000_000)
        reply = await get(exchange, f"/api/v3/aggTrades?symbol=BTCUSDT{query}")
    assert [row["a"] for row in reply.body] == ids


async def test_agg_trades_give_at_most_1000_rows() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for _ in range(1001):
            exchange.push("BTCUSDT", 60000, 1)
        reply = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&limit=5000")
        default = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    assert (len(reply.body), len(default.body)) == (1000, 500)


async def test_streams_and_rest_tell_the_same_trades() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push("BTCUSDT", "61837.63", "0.02", buyer_is_maker=True)
        exchange.push("BTCUSDT", "61837.64", "0.00001")
        streamed = [(await receive(websocket))["data"] for _ in range(2)]
        rows = (await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")).body
    seen = [{name: event[name] for name in rows[0]} for event in streamed]
    assert rows == seen


async def test_raw_trades_by_id_where_the_host_has_them() -> None:
    async with Exchange(SYMBOLS, historical_trades=True) as exchange:
        for price in ("1", "2", "3"):
            exchange.push("BTCUSDT", price, 1)
        reply = await get(exchange, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=2")
    assert [(row["id"], row["price"]) for row in reply.body] == [
        (2, "2.00000000"),
        (3, "3.00000000"),
    ]


async def test_klines_hold_their_trades_and_carry_the_close_through_quiet() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.push("BTCUSDT", "100.5", "1", time_us=T0_US, buyer_is_maker=True)
        exchange.push("BTCUSDT", "99", "2", time_us=T0_US + 500_000)
        exchange.push("BTCUSDT", "101", "0.25", time_us=T0_US + 999_999)
        exchange.push("BTCUSDT", "102", "4", time_us=T0_US + 2_000_000)
        seconds = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1s")
        minutes = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m")
        ethereum = await get(exchange, "/api/v3/klines?symbol=ETHUSDT&interval=1m")
    open_ms = T0_US // 1000
    d = "{:.8f}".format
    first = [d(100.5), d(101), d(99), d(101), d(3.25)]
    assert seconds.body[0][:7] == [open_ms, *first, open_ms + 999]
    assert seconds.body[0][7:] == [d(323.75), 3, d(2.25), d(223.25), "0"]
    assert seconds.body[1][1:6] == [d(101)] * 4 + [d(0)]
    assert seconds.body[1][8] == 0
    assert seconds.body[2][0] == open_ms + 2000
    assert len(minutes.body) == 1
    assert minutes.body[0][1:6] == [d(100.5), d(102), d(99), d(102), d(7.25)]
    assert ethereum.body == []


async def test_bars_of_days_before_the_tape_agree_whatever_their_length() -> None:
    feed = LiveFeed(5, history_s=200, past_days=2, after_clients=1)
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        tape = exchange.venue.tape("BTCUSDT")
        begins_ms = tape[0].time_us // 1_000_000 * 1000

        async def rows(interval: str, start_ms: int, end_ms: int) -> list[list[Any]]:
            query = f"interval={interval}&startTime={start_ms}&endTime={end_ms}&limit=1000"
            reply = await get(exchange, f"/api/v3/klines?symbol=BTCUSDT&{query}")
            return [[*row[:1], *map(float, row[1:6]), row[8]] for row in reply.body]

        start_ms = begins_ms // 300_000 * 300_000 - 300_000
        end_ms = start_ms + 900_000 - 1  # over the beginning of the tape
        seconds = await rows("1s", start_ms, end_ms)
        for interval, length_ms in (("1m", 60_000), ("5m", 300_000)):
            bars = await rows(interval, start_ms, end_ms)
            assert bars[0][0] == start_ms
            for opens, *prices, volume, count in bars:
                inside = [b for b in seconds if opens <= b[0] < opens + length_ms and b[6]]
                assert prices[0] == inside[0][1]
                assert prices[1:3] == [max(b[2] for b in inside), min(b[3] for b in inside)]
                assert prices[3] == inside[-1][4]
                assert volume == pytest.approx(sum(b[5] for b in inside))
                assert count == sum(b[6] for b in inside)
        long_ago_ms = begins_ms - 86_400_000 - 12_345_000
        page = await rows("1s", long_ago_ms, long_ago_ms + 59_999)
        assert [row[0] for row in page] == [long_ago_ms + 1000 * n for n in range(60)]
        assert page == await rows("1s", long_ago_ms, long_ago_ms + 59_999)
        assert page[7:9] == await rows("1s", long_ago_ms + 7000, long_ago_ms + 8999)
        assert any(row[6] == 0 for row in page + seconds[:90])
        days = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=0")
        assert len(days.body) in {3, 4}  # no more than two whole days before
        assert seconds[0][4] == pytest.approx(tape[0].price, rel=0.02)


async def test_long_bars_open_as_binances_do_and_hold_their_days() -> None:
    feed = LiveFeed(1, history_s=60, past_days=35, after_clients=1)
    now_us = 1_764_720_000_000_000  # Wednesday, 2025-12-03
    async with Exchange(["BTCUSDT"], feed=feed, clock_us=lambda: now_us) as exchange:

        async def bars(interval: str) -> pd.DataFrame:
            target = f"/api/v3/klines?symbol=BTCUSDT&interval={interval}&limit=1000"
            found = pd.DataFrame((await get(exchange, target)).body).iloc[:, [0, 2, 5, 6]]
            found.columns = ["opens", "high", "volume", "closes"]
            for name in ("opens", "closes"):
                found[name] = pd.to_datetime(found[name], unit="ms")
            return found.astype({"high": float, "volume": float})

        days, long = await bars("1d"), {name: await bars(name) for name in ("3d", "1w", "1M")}
    assert set((long["3d"].opens - pd.Timestamp(0)).dt.days % 3) == {0}
    assert set(long["1w"].opens.dt.day_name()) == {"Monday"}
    assert long["1M"].opens.dt.strftime("%Y-%m-%d").tolist()[-2:] == ["2025-11-01", "2025-12-01"]
    for each in long.values():
        ends = each.opens.iloc[1:] - pd.Timedelta("1ms")
        assert each.closes.iloc[:-1].tolist() == ends.tolist()
        for bar in each.itertuples():
            inside = days[(days.opens >= bar.opens) & (days.opens <= bar.closes)]
            assert bar.high == inside.high.max()
            assert bar.volume == pytest.approx(inside.volume.sum())


async def test_klines_are_chosen_by_open_time_and_limit() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for second in range(10):
            exchange.push("BTCUSDT", 100 + second, 1, time_us=T0_US + second * 1_000_000)

        async def opens(query: str) -> list[int]:
            reply = await get(exchange, f"/api/v3/klines?symbol=BTCUSDT&interval=1s{query}")
            return [row[0] - T0_US // 1000 for row in reply.body]

        start_ms = T0_US // 1000
        assert await opens("&limit=2") == [8000, 9000]
        assert await opens(f"&startTime={start_ms + 3500}&limit=2") == [4000, 5000]
        assert await opens(f"&startTime={start_ms + 7000}&endTime={start_ms + 8000}") == [
            7000,
            8000,
        ]
        assert await opens(f"&endTime={start_ms + 1000}") == [0, 1000]
        assert await opens(f"&startTime={start_ms + 60_000}") == []


async def test_weight_is_counted_and_the_budget_ends() -> None:
    async with Exchange(SYMBOLS, clock_us=lambda: T0_US + 17_000_000) as exchange:
        first = await get(exchange, "/api/v3/time")
        second = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
        exchange._rest._used_weight = 5999
        third = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    used = [reply.headers["X-MBX-USED-WEIGHT-1M"] for reply in (first, second, third)]
    assert used == ["1", "5", "6003"]
    assert (third.status, third.headers["Retry-After"]) == (429, "43")


async def test_requests_are_recorded() -> None:
    async with Exchange(SYMBOLS) as exchange:
        await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m")
        await exchange.wait_for_requests(1, "/klines")
        (request,) = exchange.requests
        assert request.path == "/api/v3/klines"
        assert request.query == {"symbol": "BTCUSDT", "interval": "1m"}
        assert (request.weight, request.status) == (2, 200)
        assert request.at_s <= exchange.now_s()
