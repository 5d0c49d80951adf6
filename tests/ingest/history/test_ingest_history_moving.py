"""Recorded days move from the database to the lake: all of it, compared, and only then deleted."""

import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingest.history.moving import Mover
from ingest.store import BarWindow, History, LakeStream, TickReader, TickWriter, verify
from ingest.store.lake import Lake, LakeWriter, Source
from ingest.store.window.window_database import WindowDatabase
from ingest.tick import Event, NonTrade, StreamKey, Tick

FIRST_DAY = date(2026, 1, 5)
DAY_S = 86_400
T0_S = (FIRST_DAY - date(1970, 1, 1)).days * DAY_S
STREAM = LakeStream("spot", "BTCUSDT", "aggTrade")
KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")
EVERY_S = 600
A_DAY = DAY_S // EVERY_S


def tick(trade_id: int, second: float | None = None, **more: Any) -> Tick:
    at_s = trade_id * EVERY_S if second is None else second
    time_us = round((T0_S + at_s) * 1_000_000) + trade_id % 1000
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "price": 100 + trade_id % 7 / 100,
        "quantity": 3e9 if trade_id % 50 == 7 else 0.5,
    }
    return Tick(
        market="spot",
        stream="aggTrade",
        trade_id=trade_id,
        time_us=time_us,
        received_us=time_us + 1500,
        buyer_is_maker=bool(trade_id % 2),
        trades=3,
        **(fields | more),
    )


def non_trade(trade_id: int) -> NonTrade:
    time_us = (T0_S + trade_id * EVERY_S) * 1_000_000 + trade_id % 1000
    return NonTrade("spot", "BTCUSDT", "aggTrade", trade_id, time_us, time_us, "no trade")


@pytest.fixture
def writer(tmp_path: Path):
    writer = TickWriter(tmp_path / "ticks.db")
    yield writer
    writer.close()


def events(first: int, last: int) -> list[Event]:
    return [non_trade(n) if n % 40 == 11 else tick(n) for n in range(first, last)]


def mover(
    writer: TickWriter, days: int = 1, today: float = 4.5, before=lambda: None, most=None
) -> Mover:
    """A mover on day `today`, counted from the first; `before` runs before each deletion."""

    def ask(do: Callable[[TickWriter], object]) -> bool:
        before()
        do(writer)
        return True

    root = writer.path.parent / "history"
    return Mover(writer.path, root, days, ask, lambda: int((T0_S + today * DAY_S) * 1e6), most)


def stored_ids(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT trade_id FROM tick UNION ALL SELECT trade_id FROM non_trade ORDER BY 1"
        ).fetchall()
    connection.close()
    return [row[0] for row in rows]


def lake_ids(writer: TickWriter) -> list[int]:
    ticks = Lake(writer.path.parent / "history").ticks(STREAM, 0, 2**62)
    return sorted([*ticks.trade_id.tolist(), *ticks.non_trades])


def test_days_that_are_old_enough_move_with_all_they_have(writer: TickWriter) -> None:
    writer.write(events(50, 5 * A_DAY - 70))
    with TickReader(writer.path) as reader:
        before = reader.ticks("BTCUSDT")
    moving = mover(writer)
    moving.look()
    assert moving.problem is None
    assert (moving.summary or "").startswith("moved 3 days of 1 symbol to the lake, 0.")
    assert stored_ids(writer.path) == list(range(3 * A_DAY, 5 * A_DAY - 70))
    assert lake_ids(writer) == list(range(50, 3 * A_DAY))
    lake = Lake(writer.path.parent / "history")
    moved = lake.ticks(STREAM, 0, 2**62)
    for name in ("time_us", "trade_id", "price", "quantity", "buyer_is_maker"):
        expected = (
            before[name] if name != "time_us" else pd.DatetimeIndex(before.index).as_unit("us").asi8
        )
        assert list(getattr(moved, name)) == list(expected[: len(moved.time_us)]), name
    assert [each.whole_day for each in lake.holdings()] == [False, True, True]
    assert writer.streams()[KEY].first_id == 3 * A_DAY
    assert verify(writer.path, print)
    said = moving.summary
    moving.look()
    assert moving.summary == said  # nothing more to do


def test_a_database_that_is_too_large_moves_every_day_before_today(writer: TickWriter) -> None:
    writer.write(events(0, 5 * A_DAY))
    mover(writer, days=30, most=writer.size_bytes()).look()
    assert lake_ids(writer) == []
    mover(writer, days=30, most=1).look()
    assert lake_ids(writer) == list(range(4 * A_DAY))
    assert stored_ids(writer.path) == list(range(4 * A_DAY, 5 * A_DAY))


def test_a_day_with_a_gap_that_may_be_filled_waits(writer: TickWriter) -> None:
    writer.write([*events(0, 200), *events(210, 5 * A_DAY)])
    moving = mover(writer)
    moving.look()
    assert lake_ids(writer) == list(range(A_DAY))
    writer.close_gap(KEY, 200, 209, "absent", "the exchange has no such ids")
    moving.look()
    assert lake_ids(writer) == [*range(200), *range(210, 3 * A_DAY)]
    holdings = Lake(writer.path.parent / "history").holdings()
    assert [each.gaps for each in holdings] == [(), ((200, 209),), ()]
    assert [each.whole_day for each in holdings] == [False, False, True]


def test_what_comes_while_a_day_moves_stays_until_it_has_moved_too(writer: TickWriter) -> None:
    writer.write([*events(0, 30), *events(33, 5 * A_DAY)])
    writer.close_gap(KEY, 30, 32, "expired", "too long ago")
    late = [tick(30), tick(31)]
    moving = mover(writer, before=lambda: writer.write([late.pop()]) if late else None)
    moving.look()
    assert lake_ids(writer) != list(range(3 * A_DAY))
    moving.look()
    moving.look()
    assert not late
    assert sorted({*lake_ids(writer), *stored_ids(writer.path)}) == [
        *range(32), *range(33, 5 * A_DAY)
    ]  # fmt: skip
    assert moving.problem is None
    assert verify(writer.path, print)


def test_trades_that_contradict_the_history_are_named_and_stay(writer: TickWriter) -> None:
    writer.write(events(0, 5 * A_DAY))
    root = writer.path.parent / "history"
    mover(writer).look()
    writer2 = TickWriter(writer.path.with_name("other.db"))
    writer2.write([tick(n, price=90.0) for n in range(5 * A_DAY)])
    moving = mover(writer2)
    moving.look()
    assert "recorded trades of BTCUSDT on 2026-01-05 are not those that" in (moving.problem or "")
    assert stored_ids(writer2.path) == list(range(5 * A_DAY))
    assert Lake(root).ticks(STREAM, 0, 2**62).price[0] == 100.0
    writer2.close()


@pytest.mark.parametrize("spoiled", ["a price", "a time", "a row"])
def test_nothing_is_deleted_that_does_not_come_back_as_it_was(
    writer: TickWriter, monkeypatch, spoiled: str
) -> None:
    writer.write(events(0, 5 * A_DAY))
    put = LakeWriter.put_trades

    def put_wrongly(self, stream, day, trades, source):
        kept = slice(None, -1) if spoiled == "a row" else slice(None)
        columns = [getattr(trades, name)[kept].copy() for name in type(trades).__slots__]
        columns[{"a price": 2, "a time": 1}.get(spoiled, 5)][20] += 1
        return put(self, stream, day, type(trades)(*columns), source)

    monkeypatch.setattr(LakeWriter, "put_trades", put_wrongly)
    moving = mover(writer)
    moving.look()
    assert "1 trades of BTCUSDT on 2026-01-05 are not in the history as they" in (
        moving.problem or ""
    )
    assert stored_ids(writer.path) == list(range(5 * A_DAY))
    assert moving.summary is None


def test_ids_that_overtake_each_other_at_midnight_are_moved_once(writer: TickWriter) -> None:
    swapped = [
        tick(A_DAY - 1, DAY_S + 0.001),
        tick(A_DAY, DAY_S - 0.002),
        tick(2 * A_DAY - 1, 2 * DAY_S - 0.5),
        tick(2 * A_DAY, 2 * DAY_S - 0.4),
    ]
    ids = {each.trade_id for each in swapped}
    others = [each for each in events(0, 5 * A_DAY) if each.trade_id not in ids]
    writer.write(sorted([*others, *swapped], key=lambda each: each.trade_id))
    moving = mover(writer)
    moving.look()
    assert moving.problem is None
    assert lake_ids(writer) == list(range(3 * A_DAY))
    assert stored_ids(writer.path) == list(range(3 * A_DAY, 5 * A_DAY))
    assert verify(writer.path, print)


def test_a_busy_lake_and_a_missing_database_are_said(writer: TickWriter, monkeypatch) -> None:
    monkeypatch.setattr("ingest.history.moving.WAIT_FOR_WRITER_S", 0.0)
    writer.write(events(0, 5 * A_DAY))
    moving = mover(writer)
    with LakeWriter(writer.path.parent / "history"):
        moving.look()
    assert (moving.problem or "").startswith(
        "Old trades are not moved to the history just now: another"
    )
    moving.look()
    assert moving.problem is None
    assert Source("recording", "ticks.db", "", whole_day=True) in (
        Lake(writer.path.parent / "history").holdings()[1].sources
    )


def test_a_day_that_is_asked_for_again_stays(writer: TickWriter) -> None:
    writer.write([*events(0, 30), *events(33, 5 * A_DAY)])
    writer.close_gap(KEY, 30, 32, "expired", "too long ago")
    moving = mover(writer, before=lambda: writer.reopen_gaps([KEY]))
    moving.look()
    assert stored_ids(writer.path) == [*range(30), *range(33, 5 * A_DAY)]
    writer.write([tick(30), tick(31), tick(32)])
    moving.look()
    assert lake_ids(writer) == list(range(3 * A_DAY))
    assert writer.streams()[KEY].gaps == []


def test_a_stream_that_was_moved_whole_goes_on_where_it_was(writer: TickWriter) -> None:
    root = writer.path.parent / "history"
    writer.write(events(0, 2 * A_DAY))
    mover(writer, today=9.0).look()
    assert stored_ids(writer.path) == []
    writer.write([tick(2 * A_DAY, 6.5 * DAY_S), tick(2 * A_DAY + 1, 6.6 * DAY_S)])
    with TickReader(writer.path, history=root) as reader:
        bars = reader.bars("BTCUSDT", "1h")
    assert (bars["coverage"] != "missing").all()
    assert bars["trades"].sum() == len([e for e in events(0, 2 * A_DAY) if isinstance(e, Tick)]) + 2
    assert verify(writer.path, print)


def test_a_day_that_moves_between_two_looks_is_seen_by_a_window(writer: TickWriter) -> None:
    root = writer.path.parent / "history"
    writer.write(events(0, 5 * A_DAY))
    window = BarWindow(writer.path, "BTCUSDT", "1h", history=History(root))
    whole = len(window.view(None).frame())
    writer.write([tick(5 * A_DAY)])
    lend = WindowDatabase.reading

    @contextmanager
    def reading(self, opening):
        moving.look()
        with lend(self, opening) as connection:
            yield connection

    moving = mover(writer)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WindowDatabase, "reading", reading)
        bars = window.view(None).frame()
    assert len(bars) == whole + 1
    assert (bars["coverage"] != "missing").all()
    window.close()


def test_moved_trades_of_another_script_are_read_back(writer: TickWriter) -> None:
    name = "币安人生USDT"
    writer.write([tick(n, symbol=name) for n in range(5 * A_DAY)])
    moving = mover(writer)
    moving.look()
    assert moving.problem is None
    with TickReader(writer.path, history=writer.path.parent / "history") as reader:
        assert len(reader.ticks(name)) == 5 * A_DAY
