"""What the reader asks to be repaired: beyond the limits, until it is stopped."""

import asyncio
from pathlib import Path

import pytest
from backfill_scene import BTC, HOUR_US, Scene, scene
from exchange.virtual import T0_US, tape_ids
from exchange.virtual_time import in_virtual_time

from ingest.repair.limits import BackfillLimits
from ingest.repair.page import ABSENT_REASON
from ingest.status import Progress
from ingest.store.requested_repairs import STOPPED
from ingest.tick import StreamKey


def being_fetched(s: Scene) -> Progress:
    assert s.backfill.requested_progress is not None
    return s.backfill.requested_progress


def ask_for_given_up(s: Scene, *keys: StreamKey) -> int:
    """Ask as the recorder does: in the writing thread, before it publishes."""
    reopened = s.desk.board.requested.reopen(s.desk.writer, keys or (BTC,))
    s.backfill.repair_now()
    s.desk.store()
    return reopened


@in_virtual_time
async def test_what_lies_beyond_both_limits_is_fetched_when_the_reader_asks(tmp_path: Path) -> None:
    limits = BackfillLimits(max_requests=3, page=100, max_span_s=3600.0)
    async with scene(tmp_path, limits=limits) as s:
        s.exchange.history("BTCUSDT", 5000, 30_000_000)  # 42 hours, a trade every 30 s
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[4999])
        await s.until(s.is_whole)
        assert s.backfill.requested_progress is None
        assert [gap[:2] for gap in s.desk.gaps("expired")] == [(2, 4879)]
        before = s.calls()
        assert ask_for_given_up(s) == 4878
        assert s.backfill.notices == ()
        told = being_fetched(s)
        assert (told.symbol, told.done, told.total, told.unit) == ("BTCUSDT", 0, 49, "requests")
        assert told.what == "4,878 given-up trades to be fetched"
        await s.until(lambda: s.calls() - before >= 20)
        told = being_fetched(s)
        assert 20 <= told.done <= 30
        assert told.total == pytest.approx(49, abs=9)  # those on their way count twice
        assert told.eta_s is not None
        assert 0.5 < told.eta_s < 3
        assert s.backfill.progress == ()  # one bar for all of them
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        assert s.desk.gaps("expired") == []
        assert s.backfill.requested_progress is None
        assert s.calls() - before == 49


@in_virtual_time
async def test_a_repair_that_was_asked_for_can_be_stopped_and_asked_for_again(
    tmp_path: Path,
) -> None:
    limits = BackfillLimits(max_requests=1, page=100)
    async with scene(tmp_path, limits=limits) as s:
        s.exchange.history("BTCUSDT", 5000, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[4999])
        await s.until(s.is_whole)
        ask_for_given_up(s)
        before = s.calls()
        await s.until(lambda: s.calls() - before >= 10)
        assert s.desk.board.requested.give_up(s.desk.writer) > 0
        s.desk.store()
        asked = s.calls()
        await asyncio.sleep(60)
        assert s.calls() <= asked + limits.pages_at_once  # some may have been under way
        (gap,) = s.desk.gaps("expired")
        assert gap[2] == STOPPED
        assert s.is_whole()
        stored = set(s.desk.stored_ids(BTC))
        assert set(range(gap[0], gap[1] + 1)) == set(tape_ids(tape)) - stored
        ask_for_given_up(s)
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)


@in_virtual_time
async def test_what_was_asked_for_keeps_the_half_of_the_weight_and_new_gaps_come_first(
    tmp_path: Path,
) -> None:
    limits = BackfillLimits(max_requests=1, page=50)
    async with scene(tmp_path, limits=limits) as s:
        s.exchange.history("BTCUSDT", 100_001, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])
        s.desk.receive(tape[100_000])
        await s.until(s.is_whole)
        ask_for_given_up(s)
        await asyncio.sleep(3)
        await s.trade("BTCUSDT", 40, 0.01, heard=False)
        await s.trade("BTCUSDT", 1, 0.3, heard=True)
        took_s = await s.until(lambda: _newest_gap(s) < 100_001)
        assert took_s <= 1
        assert _newest_gap(s) > 0
        await s.until(s.is_whole, within_s=300)
        assert len(s.desk.stored_ids(BTC)) == len(tape)
        for begin_s in range(0, 180, 10):
            moment_s = s.exchange.begun_s + begin_s
            spent = [r.weight for r in s.exchange.requests if moment_s <= r.at_s < moment_s + 60]
            assert sum(spent) <= 2700  # nine tenths of half of 6,000


def _newest_gap(s: Scene) -> int:
    return max((gap.from_id for gap in s.desk.board.gaps), default=0)


@in_virtual_time
async def test_of_what_was_asked_for_futures_give_out_48_hours_and_the_rest_says_so(
    tmp_path: Path,
) -> None:
    key: StreamKey = ("usdm", "BTCUSDT", "aggTrade")
    async with scene(tmp_path, market="usdm") as s:
        s.exchange.history("BTCUSDT", 101, HOUR_US)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0], "usdm")
        s.desk.receive(tape[100], "usdm")
        await s.until(s.is_whole)
        assert "6 h back" in s.desk.gaps("expired")[0][2]
        ask_for_given_up(s, key)
        await s.until(s.is_whole)
        (gap,) = s.desk.gaps("expired")
        assert gap[:2] == (2, 101 - 48)
        assert "the exchange gives out the last 48 h only" in gap[2]
        assert s.desk.stored_ids(key) == [1, *range(54, 102)]
        # Stopping a repair that is over changes nothing, not even the reason.
        s.desk.board.requested.give_up(s.desk.writer)
        assert s.desk.gaps("expired") == [gap]


@in_virtual_time
async def test_of_what_was_asked_for_ids_the_exchange_has_not_are_absent(tmp_path: Path) -> None:
    limits = BackfillLimits(max_requests=1, page=100)
    async with scene(tmp_path, limits=limits) as s:
        s.exchange.history("BTCUSDT", 300, 1000)
        tape = s.exchange.venue.tape("BTCUSDT")
        hole = tape.skip_ids(40)
        s.exchange.history("BTCUSDT", 300, 1000, T0_US + 1_000_000)
        s.desk.receive(tape[0])
        s.desk.receive(tape[599])
        await s.until(s.is_whole)
        ask_for_given_up(s)
        await s.until(s.is_whole)
        assert s.desk.stored_ids(BTC) == tape_ids(tape)
        assert s.desk.gaps("absent") == [(hole[0], hole[-1], ABSENT_REASON)]
        assert s.desk.gaps("expired") == []
