"""The writing thread's work: what would lose a trade, or leave its id without a word."""

import asyncio
import os
import sqlite3
import time
from collections import deque
from pathlib import Path

import pytest
from exchange.virtual_time import in_virtual_time

from ingest.binance import Kline
from ingest.counts import Counts
from ingest.errors import StoreError
from ingest.event_queue import Call, EventQueue, Item
from ingest.feed import FeedLimits
from ingest.recorder import writing
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.writing import WritingLoop
from ingest.repair.delivery import Delivery
from ingest.settings import Settings
from ingest.store import PublishedGaps, TickReader, TickWriter, verify
from ingest.store.schema import PAGE_BYTES
from ingest.tick import StreamKey, Tick

T0 = 1_700_000_000_000_000
KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")


def tick(trade_id: int, quantity: float = 1.0) -> Tick:
    time_us = T0 + trade_id * 100_000
    return Tick("spot", "BTCUSDT", "aggTrade", trade_id, 0.5, quantity, time_us, time_us, False)


@pytest.fixture
def loop(tmp_path: Path) -> WritingLoop:
    return WritingLoop(tmp_path / "ticks.db", EventQueue(), PublishedGaps(), Counts(), lambda: T0)


def store(loop: WritingLoop, *items: Item) -> None:
    for item in items:
        loop._queue.put(item)
    loop._queue.close()
    loop.run()


@pytest.mark.parametrize("quantity", [9.3e10, 5e17])
def test_a_quantity_beyond_what_an_integer_of_units_holds_is_stored(
    loop: WritingLoop, quantity: float
) -> None:
    """Coins that cost a millionth are traded by the hundred thousand million."""
    store(loop, tick(1), tick(2, quantity), tick(3), tick(4, quantity))
    assert loop._counts.rejected == 0
    with TickReader(loop.path) as reader:
        assert list(reader.ticks("BTCUSDT").quantity) == [1.0, quantity, 1.0, quantity]
        assert list(reader.bars("BTCUSDT", "1s").trades) == [4]
        assert reader.gaps().empty
    told: list[str] = []
    verify(loop.path, told.append)
    assert "BTCUSDT" in told[0]


def test_the_exchange_s_bars_of_such_a_coin_are_kept(loop: WritingLoop) -> None:
    bar = Kline(T0, 0.5, 0.5, 0.5, 0.5, 9.3e10, 7, T0 + 59_999_000)
    store(loop, Call(lambda writer: writer.add_klines(KEY, 60, [bar])))
    assert [each.kind for each in loop._counts.history] == []


def test_a_new_database_that_cannot_be_made_at_once_is_made_later(
    loop: WritingLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk that also damaged the database must not end the recording for good."""
    fails, made = deque([True, True]), []

    def make(path: Path, venue: str | None = None) -> TickWriter:
        if fails and fails.popleft():
            raise StoreError("no space left")
        made.append(TickWriter(path, venue))
        return made[-1]

    def write_damaged(_events: object) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    monkeypatch.setattr(writing, "TickWriter", make)
    monkeypatch.setattr(loop.writer, "write", write_damaged)
    store(loop, tick(1), tick(2))
    assert len(made) == 1
    assert loop.damage is not None
    assert loop.error is None
    with TickReader(loop.path) as reader:
        assert list(reader.ticks("BTCUSDT").trade_id) == [1, 2]


def test_a_database_begun_anew_remembers_what_the_old_one_was_told(
    loop: WritingLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_damaged(_events: object) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    loop.writer.remember("symbols spot aggTrade", "BTCUSDT,SOLUSDT")
    monkeypatch.setattr(loop.writer, "write", write_damaged)
    store(loop, tick(1))
    with TickWriter(loop.path)._connection as connection:
        rows = connection.execute("SELECT key, value FROM setting").fetchall()
    connection.close()
    assert ("symbols spot aggTrade", "BTCUSDT,SOLUSDT") in rows


async def test_a_task_that_fails_in_the_writing_thread_holds_no_place_on_the_way() -> None:
    items: list[Item] = []

    def put(item: Item) -> bool:
        items.append(item)
        return True

    delivery = Delivery(put, window=1, stall_s=60.0)

    def fail(_writer: object) -> None:
        raise KeyError("a stream that the new database does not know")

    landed: list[bool] = []
    await delivery.call(fail, lambda: landed.append(True))
    (call,) = items
    assert isinstance(call, Call)
    with pytest.raises(KeyError):
        call.do(None)  # type: ignore[arg-type] # not looked at
    async with asyncio.timeout(5):
        assert await delivery.room()
    assert landed == []


def test_a_refusing_queue_that_is_emptied_meanwhile_does_not_fail() -> None:
    """The taker may empty it between the look at its length and the look at its last item."""
    queue = EventQueue(capacity=1)

    class Emptied(deque[Item]):
        def __len__(self) -> int:
            length = super().__len__()
            self.clear()
            return length

    queue._items = Emptied([tick(1)])
    assert not queue.put(tick(2))


def test_a_trade_that_closes_bars_is_taken_before_its_batch_is_due() -> None:
    """Whoever evaluates closed bars waits for it; others of its second wait for their batch."""
    queue = EventQueue()
    queue.put(tick(1))
    assert len(queue.take(10, 60.0)) == 1  # nothing came before it
    queue.put(tick(2))
    queue.put(tick(12))
    assert len(queue.take(10, 60.0)) == 2
    queue.put(tick(13))
    begun_s = time.monotonic()
    assert len(queue.take(10, 0.2)) == 1
    assert time.monotonic() - begun_s >= 0.2


def receiving_into(queue: EventQueue) -> ReceivingLoop:
    return ReceivingLoop(
        Settings(("BTCUSDT",)), queue, PublishedGaps(), Counts(), FeedLimits(), lambda: T0
    )


@in_virtual_time
async def test_a_receiver_far_ahead_waits_for_the_writer_to_catch_up() -> None:
    """Parsing what a full queue then refuses kept the writer from the interpreter."""
    queue = EventQueue(capacity=400)
    room = receiving_into(queue).room
    for number in range(queue.deep + 60):
        queue.put(tick(number))
    waiting = asyncio.create_task(room())
    for _ in range(3):
        await asyncio.sleep(0.5)
        assert not waiting.done()
        queue.take(20, 0.0)
    await asyncio.sleep(0.1)
    assert waiting.done()
    assert queue.refused == 0


@in_virtual_time
async def test_a_writer_that_stands_is_waited_for_once_and_not_for_each_read() -> None:
    """A connection that is not read for long is lost; a gap by a full queue has its name."""
    queue = EventQueue(capacity=400)
    room = receiving_into(queue).room
    for number in range(queue.deep + 1):
        queue.put(tick(number))
    time = asyncio.get_running_loop().time
    begun_s = time()
    await room()
    first_s = time() - begun_s
    for _ in range(100):
        await room()
    assert 0 < first_s < 2.0
    assert time() - begun_s == pytest.approx(first_s, abs=0.01)
    queue.take(1, 0.0)  # it works again, and now is at the mark
    queue.put(tick(1000))
    again = asyncio.create_task(room())
    await asyncio.sleep(0.1)
    assert not again.done()
    queue.take(1, 0.0)
    await again


def compact(loop: WritingLoop) -> None:
    """Have another program make the file larger, and then much shorter."""
    other = sqlite3.connect(loop.path, isolation_level=None)
    other.execute("CREATE TABLE filling AS SELECT zeroblob(400000) AS bytes")
    other.execute("PRAGMA wal_checkpoint")
    assert not loop._file.is_shrunk()
    other.execute("DROP TABLE filling")
    other.execute("VACUUM")
    other.execute("PRAGMA wal_checkpoint")
    other.close()


@pytest.mark.parametrize("written_at_once", [1, 3_000])
def test_a_database_that_its_user_compacts_is_not_a_damaged_one(
    loop: WritingLoop, written_at_once: int
) -> None:
    """VACUUM makes the file shorter, and all in it is sound: what is new may be in the log only."""

    def compact_and_go_on(writer: TickWriter) -> None:
        compact(loop)
        writer.write([tick(each) for each in range(2, 2 + written_at_once)])

    store(loop, tick(1), Call(compact_and_go_on), tick(4_000))
    assert loop.damage is None
    with TickReader(loop.path) as reader:
        kept = [*range(1, 2 + written_at_once), 4_000]
        assert list(reader.ticks("BTCUSDT").trade_id) == kept


def test_a_database_that_is_cut_while_its_log_grows_is_a_damaged_one(loop: WritingLoop) -> None:
    def cut(writer: TickWriter) -> None:
        writer.write([tick(each) for each in range(2, 3_000)])
        writer.checkpoint()
        assert not loop._file.is_shrunk()
        writer.write([tick(each) for each in range(3_000, 6_000)])
        os.truncate(loop.path, 8 * PAGE_BYTES)

    store(loop, tick(1), Call(cut), tick(7_000))
    assert loop.damage is not None
