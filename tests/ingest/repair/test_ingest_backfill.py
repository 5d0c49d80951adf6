"""Backfill on virtual time: against the scripted exchange's REST and the real writer."""

import asyncio
import random
from contextlib import aclosing
from pathlib import Path

import pytest
from backfill_scene import BTC, HOUR_US, scene
from exchange.server import Exchange
from exchange.virtual import T0_US, VirtualDesk, tape_ids
from exchange.virtual_time import in_virtual_time

from ingest.repair.backfill import Backfill
from ingest.repair.limits import BackfillLimits
from ingest.repair.page import ABSENT_REASON
from ingest.rest import HttpClient, RestClient


@in_virtual_time
async def test_an_outage_of_ten_minutes_at_40_trades_a_second_is_filled(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        await s.trade("BTCUSDT", 40, 0.025, heard=True)
        await s.trade("BTCUSDT", 24_000, 0.025, heard=False)
        await s.trade("BTCUSDT", 40, 0.025, heard=True)
        took_s = await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(s.exchange.venue.tape("BTCUSDT"))
        assert took_s <= 60
        assert s.desk.duplicates == 0
        assert s.calls() <= 25


@in_virtual_time
async def test_pages_of_a_long_gap_are_asked_for_side_by_side_and_each_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 8002, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[-1])
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        asked = [request for request in s.exchange.requests if "fromId" in request.query]
        assert sorted(int(each.query["fromId"]) for each in asked) == [*range(2, 8002, 1000)]
        assert asked[-1].at_s - asked[0].at_s == pytest.approx(s.exchange.latency_s, rel=0.01)


@in_virtual_time
async def test_a_page_that_fails_is_asked_for_again_with_those_after_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 6002, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[-1])
        s.exchange.faults.answer_rest(503, times=1)
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        assert s.desk.duplicates == 0
        assert s.calls() == 4 + 6


async def test_on_real_sockets_a_gap_is_filled(tmp_path: Path) -> None:
    async with Exchange(["BTCUSDT"]) as exchange, aclosing(HttpClient()) as http:
        desk = VirtualDesk(tmp_path / "ticks.db")
        rest = RestClient(exchange.rest_url, "spot", fetch=http.get)
        limits = BackfillLimits(page=100)
        backfill = Backfill(desk.board, rest, desk.queue.put, "aggTrade", limits=limits)
        tasks = [asyncio.create_task(desk.run()), asyncio.create_task(backfill.run())]
        for number in range(1, 502):
            trade = exchange.push("BTCUSDT", "61837.63", "0.02")
            if number in {1, 501}:
                desk.receive(trade)
        async with asyncio.timeout(30):
            while len(desk.stored_ids(BTC)) < 501:
                await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert desk.gaps("open") == []
        assert len(exchange.requests) == 5
        desk.writer.close()


@in_virtual_time
async def test_rest_that_lags_30_s_is_asked_until_it_has_caught_up(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.faults.rest_lag_s = 30.0
        await s.trade("BTCUSDT", 40, 0.1, heard=True)
        await s.trade("BTCUSDT", 100, 0.1, heard=False)
        await s.trade("BTCUSDT", 5, 0.1, heard=True)
        assert s.desk.gaps("absent") == []
        took_s = await s.until(s.is_whole)
        assert 20 < took_s <= 60
        assert s.desk.stored_ids(BTC) == tape_ids(s.exchange.venue.tape("BTCUSDT"))
        assert s.desk.gaps("absent") == []
        # A retry comes after 1 to 2 s: neither a storm nor a long wait.
        assert 15 <= s.calls() <= 40


@in_virtual_time
async def test_holes_at_the_exchange_are_absent_once_rest_answers_from_beyond(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        tape = s.exchange.venue.tape("BTCUSDT")
        await s.trade("BTCUSDT", 10, 0.1, heard=True)
        first = tape.skip_ids(3)  # right after the last one heard
        await s.trade("BTCUSDT", 5, 0.1, heard=False)
        middle = tape.skip_ids(1)
        await s.trade("BTCUSDT", 5, 0.1, heard=False)
        last = tape.skip_ids(7)  # right before the next one heard
        s.exchange.faults.rest_lag_s = 5.0
        await s.trade("BTCUSDT", 1, 0.5, heard=True)
        assert s.desk.gaps("absent") == []  # REST lags: it has said nothing of them yet
        await s.until(s.is_whole)
        assert s.desk.gaps("absent") == [
            (ids[0], ids[-1], ABSENT_REASON) for ids in (first, middle, last)
        ]
        assert s.desk.stored_ids(BTC) == tape_ids(tape)


@in_virtual_time
async def test_past_the_span_limit_the_older_part_is_named_and_given_up(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 4001, 10_000_000, T0_US - HOUR_US)  # a trade every 10 s
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[4000])
        await s.until(s.is_whole)
        (gap,) = s.desk.gaps("expired")
        # Six hours before id 4001: 2160 trades of 10 s back, the first of them included.
        assert gap[:2] == (2, 4001 - 2160 - 1)
        assert s.desk.stored_ids(BTC) == [1, *range(4001 - 2160, 4002)]
        assert "will not be fetched: a gap is filled 6 h back" in gap[2]
        assert s.backfill.notices == (gap[2],)
        assert gap[2].startswith("BTCUSDT: 1,839 trades after 2024-08-")


@in_virtual_time
async def test_past_the_request_limit_the_newest_are_fetched(tmp_path: Path) -> None:
    limits = BackfillLimits(max_requests=3, page=100)
    async with scene(tmp_path, limits=limits) as s:
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.trade("BTCUSDT", 1000, 0.01, heard=False)
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.until(s.is_whole)
        (gap,) = s.desk.gaps("expired")
        assert gap[:2] == (2, 701)
        assert "more than 3 requests" in gap[2]
        assert s.desk.stored_ids(BTC) == [1, *range(702, 1003)]
        assert s.calls() == 3


@in_virtual_time
async def test_futures_are_fetched_no_further_than_rest_reaches(tmp_path: Path) -> None:
    limits = BackfillLimits(max_span_s=500 * 3600.0)
    async with scene(tmp_path, market="usdm", limits=limits) as s:
        s.exchange.history("BTCUSDT", 101, HOUR_US)  # the last one now
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0], "usdm")
        s.desk.receive(tape[100], "usdm")
        await s.until(s.is_whole)
        (gap,) = s.desk.gaps("expired")
        assert gap[:2] == (2, 101 - 48)
        assert "the exchange gives out the last 48 h only" in gap[2]
        assert s.desk.stored_ids(("usdm", "BTCUSDT", "aggTrade")) == [1, *range(54, 102)]


@in_virtual_time
async def test_raw_trades_are_filled_where_the_host_has_them(tmp_path: Path) -> None:
    limits = BackfillLimits(max_span_s=100.0)
    async with scene(tmp_path, stream="trade", historical_trades=True, limits=limits) as s:
        s.exchange.history("BTCUSDT", 301, 1_000_000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0], kind="trade")
        s.desk.receive(tape[300], kind="trade")
        await s.until(s.is_whole)
        assert s.desk.stored_ids(("spot", "BTCUSDT", "trade")) == [1, *range(201, 302)]
        assert [gap[:2] for gap in s.desk.gaps("expired")] == [(2, 200)]
        assert s.calls("aggTrades") == 0


@in_virtual_time
async def test_raw_trades_the_host_has_not_are_given_up_with_the_reason(tmp_path: Path) -> None:
    async with scene(tmp_path, stream="trade") as s:
        s.exchange.history("BTCUSDT", 5, 1_000_000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0], kind="trade")
        s.desk.receive(tape[4], kind="trade")
        await s.until(s.is_whole)
        (gap,) = s.desk.gaps("expired")
        assert gap[:2] == (2, 4)
        assert "https://rest.invalid gives out no raw trades (HTTP 404)" in gap[2]


@pytest.mark.parametrize("status", [429, 418, 403])
def test_nothing_is_asked_before_retry_after_ends(tmp_path: Path, status: int) -> None:
    @in_virtual_time
    async def run() -> None:
        async with scene(tmp_path) as s:
            s.exchange.faults.answer_rest(status, retry_after_s=137)
            await s.trade("BTCUSDT", 1, 0.1, heard=True)
            await s.trade("BTCUSDT", 10, 0.1, heard=False)
            await s.trade("BTCUSDT", 1, 0.1, heard=True)
            await s.until(lambda: len(s.exchange.requests) == 1)
            refused_s = s.exchange.requests[0].at_s
            await asyncio.sleep(1.0)
            s.backfill.repair_now()  # which may shorten our own waits, never the exchange's
            (progress,) = s.backfill.progress
            assert progress.waiting_s == pytest.approx(136, abs=0.2)
            await s.until(s.is_whole, within_s=200)
            assert 137 <= s.exchange.requests[1].at_s - refused_s < 138
            assert s.desk.stored_ids(BTC) == list(range(1, 13))

    run()


@in_virtual_time
async def test_a_blocked_country_is_said_and_asked_again_after_an_hour(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.faults.answer_rest(451, code=0, msg="Unavailable For Legal Reasons")
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.trade("BTCUSDT", 10, 0.1, heard=False)
        await s.trade("BTCUSDT", 1, 3500, heard=True)
        assert len(s.exchange.requests) == 1
        assert s.backfill.blocked == "REST aggTrades: HTTP 451: it does not serve this country"
        await s.until(s.is_whole, within_s=200)
        assert s.backfill.blocked is None


@in_virtual_time
async def test_a_full_queue_is_waited_for_and_nothing_is_marked_absent(tmp_path: Path) -> None:
    async with scene(tmp_path, capacity=50) as s:
        s.exchange.history("BTCUSDT", 502, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[501])
        await asyncio.sleep(0.3)
        s.desk.stalled = True
        await asyncio.sleep(60)
        assert len(s.desk.queue) == 51  # 50, and the word that it is full
        s.desk.stalled = False
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        assert s.desk.gaps("absent") == []


@in_virtual_time
async def test_what_a_dead_writing_thread_took_along_is_fetched_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 502, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[501])
        await asyncio.sleep(0.3)
        s.desk.stalled = True
        await s.until(lambda: s.calls() == 1 and len(s.desk.queue) > 500)
        s.desk.queue.take(1000, 0.0)  # gone
        s.desk.stalled = False
        await s.until(s.is_whole, within_s=180)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)


@in_virtual_time
async def test_the_network_goes_while_filling_and_a_second_gap_opens(tmp_path: Path) -> None:
    limits = BackfillLimits(page=100)
    async with scene(tmp_path, limits=limits) as s:
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.trade("BTCUSDT", 3000, 0.01, heard=False)
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.until(lambda: s.calls() >= 5)
        s.exchange.offline = True
        await s.trade("BTCUSDT", 700, 0.1, heard=False)
        s.exchange.offline = False
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        assert s.backfill.progress
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(s.exchange.venue.tape("BTCUSDT"))
        assert s.calls() <= 45


@in_virtual_time
async def test_the_newest_gap_comes_first_and_symbols_take_turns(tmp_path: Path) -> None:
    limits = BackfillLimits(page=10)
    async with scene(tmp_path, "BTCUSDT", "ETHUSDT", limits=limits) as s:
        s.exchange.offline = True
        for heard in (True, False, True, False, True):
            for symbol in ("BTCUSDT", "ETHUSDT"):
                await s.trade(symbol, 30, 0.01, heard=heard)
        await asyncio.sleep(1)
        s.exchange.offline = False
        s.backfill.repair_now()
        await s.until(s.is_whole)
        asked = [(r.query["symbol"], int(r.query["fromId"])) for r in s.exchange.requests]
        newest, older = [91, 101, 111], [31, 41, 51]  # pages of a gap are asked for side by side
        turns = [sorted(asked[at : at + 3]) for at in range(0, 12, 3)]
        assert turns == [
            [(symbol, from_id) for from_id in pages]
            for pages in (newest, older)
            for symbol in ("BTCUSDT", "ETHUSDT")
        ]


@in_virtual_time
async def test_many_small_gaps_are_filled_by_few_requests(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 2001, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        for index in range(0, 2001, 2):  # every other one lost: 1,000 gaps
            s.desk.receive(tape[index])
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        assert s.calls() <= 6


@in_virtual_time
async def test_rest_that_never_catches_up_is_given_up_after_an_hour(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.faults.rest_lag_s = 1e6
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.trade("BTCUSDT", 10, 0.1, heard=False)
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        took_s = await s.until(s.is_whole, within_s=4000)
        assert 3590 < took_s < 3610
        (gap,) = s.desk.gaps("expired")
        assert gap[:2] == (2, 11)
        assert "REST has not known them for 1 h" in gap[2]


@in_virtual_time
async def test_a_symbol_the_exchange_has_dropped_is_given_up(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 5, 1000)
        tape = s.exchange.venue.tapes.pop("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[4])
        await s.until(s.is_whole)
        assert "does not know the symbol any more" in s.desk.gaps("expired")[0][2]


@in_virtual_time
async def test_gaps_of_symbols_not_recorded_and_of_other_streams_are_left(tmp_path: Path) -> None:
    async with scene(tmp_path, wanted=lambda symbol: symbol != "BTCUSDT") as s:
        s.exchange.history("BTCUSDT", 5, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        for kind in ("aggTrade", "trade"):
            s.desk.receive(tape[0], kind=kind)
            s.desk.receive(tape[4], kind=kind)
        await asyncio.sleep(600)
        assert s.exchange.requests == []
        assert len(s.desk.board.gaps) == 2


@in_virtual_time
async def test_gaps_of_a_symbol_recorded_again_are_filled_without_waiting_for_news(
    tmp_path: Path,
) -> None:
    recorded = {"ETHUSDT"}
    async with scene(tmp_path, "BTCUSDT", "ETHUSDT", wanted=recorded.__contains__) as s:
        s.exchange.history("BTCUSDT", 5, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[4])
        await asyncio.sleep(600)
        assert s.calls() == 0
        recorded.add("BTCUSDT")
        s.backfill.symbols_changed()
        assert await s.until(s.is_whole) < 2


@in_virtual_time
async def test_progress_tells_how_far_it_is(tmp_path: Path) -> None:
    limits = BackfillLimits(page=100)
    async with scene(tmp_path, limits=limits) as s:
        await s.trade("BTCUSDT", 1, 0.1, heard=True)
        await s.trade("BTCUSDT", 1000, 0.001, heard=False)
        await s.trade("BTCUSDT", 1, 0.0, heard=True)
        await s.until(lambda: s.calls() == 8)
        (progress,) = s.backfill.progress
        assert (progress.symbol, progress.what) == ("BTCUSDT", "trades up to id 1001")
        assert progress.total == 1000
        assert progress.done in {400, 800}
        assert progress.waiting_s is None
        assert progress.eta_s == pytest.approx(0.1, abs=0.1)
        await s.until(s.is_whole)
        await asyncio.sleep(1)
        assert s.backfill.progress == ()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_was_lost_the_ledger_ends_as_the_exchange_has_it(
    tmp_path: Path, seed: int
) -> None:
    @in_virtual_time
    async def run() -> None:
        rng = random.Random(seed)
        limits = BackfillLimits(page=rng.choice([7, 50, 1000]))
        async with scene(tmp_path, limits=limits, capacity=rng.choice([60, 200_000])) as s:
            tape = s.exchange.venue.tape("BTCUSDT")
            for _ in range(40):
                s.exchange.offline = rng.random() < 0.2
                s.exchange.faults.rest_lag_s = rng.choice([0.0, 0.0, 8.0])
                if rng.random() < 0.3:
                    tape.skip_ids(rng.randint(1, 9))
                if rng.random() < 0.1:
                    status = rng.choice([429, 500, 502, 418])
                    s.exchange.faults.answer_rest(status, retry_after_s=rng.choice([None, 3]))
                await s.trade("BTCUSDT", rng.randint(1, 60), 0.05, heard=rng.random() < 0.5)
            s.exchange.offline, s.exchange.faults.rest_lag_s = False, 0.0
            while not s.desk.receive(s.exchange.trade("BTCUSDT")):  # the queue may be full
                await asyncio.sleep(0.3)
            await asyncio.sleep(1.0)
            await s.until(s.is_whole, within_s=1000)
            stored = s.desk.stored_ids(BTC)
            begun = stored[0]
            assert stored == [each for each in tape_ids(tape) if each >= begun]
            absent = {
                each for low, high, _ in s.desk.gaps("absent") for each in range(low, high + 1)
            }
            assert absent == set(range(begun, tape.next_id)) - set(stored)

    run()


@in_virtual_time
async def test_a_row_that_rest_dates_in_the_future_is_absent_and_asked_for_once(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        await s.trade("BTCUSDT", 3, 1.0, heard=True)
        await s.trade("BTCUSDT", 5, 1.0, heard=False)
        tape = s.exchange.venue.tape("BTCUSDT")
        tape._times_us[5] = 4_080_000_000_000_000  # id 6, in 2099
        await s.trade("BTCUSDT", 3, 1.0, heard=True)
        await s.until(s.is_whole)
        calls = s.calls()
        await asyncio.sleep(600.0)
        assert s.calls() == calls
        assert s.desk.stored_ids(BTC) == [each for each in tape_ids(tape) if each != 6]
        ((from_id, to_id, reason),) = s.desk.gaps("absent")
        assert (from_id, to_id) == (6, 6)
        assert "dates it 2099-04-16" in reason


@in_virtual_time
async def test_a_page_of_times_that_do_not_fit_is_of_another_numbering(tmp_path: Path) -> None:
    """An exchange that was reset and whose ids are beyond ours by now: no id of it is stored."""
    async with scene(tmp_path) as s:
        await s.trade("BTCUSDT", 30, 1.0, heard=True)
        reset = s.exchange.venue.tape("BTCUSDT")
        reset.__init__("BTCUSDT")  # type: ignore[misc] # as wiped
        s.exchange.history("BTCUSDT", 2_000, 1_000_000)  # an hour ago and less, ids 1 to 2,000
        await s.trade("BTCUSDT", 3, 1.0, heard=True)
        await s.until(lambda: bool(s.desk.writer.restarted))
        assert s.desk.writer.restarted[BTC].last_id == 30
        assert s.desk.gaps("absent") == []
        assert s.desk.stored_ids(BTC) == [*range(1, 31), 2_001]
