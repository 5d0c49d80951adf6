"""Minutes and hours kept beside the seconds: equal to the bit to those from the trades."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.store import TickWriter
from ingest.store.schema import APPLICATION_ID, MIGRATIONS
from ingest.tick import Tick

Row = tuple[Any, ...]
T0_S = 1_700_000_000 // 3600 * 3600
DAY_S = 86_400


def tick(trade_id: int, second: float, price: float = 100.0, quantity: float = 1.0, **more) -> Tick:
    time_us = round((T0_S + second) * 1_000_000)
    fields = {"market": "spot", "symbol": "BTCUSDT", "stream": "aggTrade"} | more
    return Tick(
        **fields,
        trade_id=trade_id,
        price=price,
        quantity=quantity,
        time_us=time_us,
        received_us=time_us + 1500,
        buyer_is_maker=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticks.db"


def merged(ticks: list[Row], length: int) -> dict[int, Row]:
    """Oracle: bars straight from rows ``(second, time_us, trade_id, price, units)`` of trades."""
    bars: dict[int, list[Row]] = {}
    for row in sorted(ticks, key=lambda row: (row[1], row[2])):
        bars.setdefault(row[0] // length * length, []).append(row)
    made = {}
    for second, rows in bars.items():
        prices, units = [row[3] for row in rows], sum(row[4] for row in rows)
        volume = units if units < 2**63 else float
        made[second] = (prices[0], max(prices), min(prices), prices[-1], volume, len(rows))
    return made


def expected(
    connection: sqlite3.Connection, stream_id: int, low: int, high: int
) -> dict[tuple[int, int], Row]:
    ticks = [
        (time_us // 1_000_000, time_us, trade_id, price / 1e8, in_units(quantity))
        for time_us, trade_id, price, quantity in connection.execute(
            "SELECT time_us, trade_id, price, quantity FROM tick WHERE stream_id = ?", (stream_id,)
        )
    ]
    return {
        (length, second): bar
        for length in (60, 3600)
        for second, bar in merged(ticks, length).items()
        if low <= second and second + length <= high
    }


def in_units(quantity: float) -> int:
    return quantity if isinstance(quantity, int) else round(quantity * 1e8)


def stored(connection: sqlite3.Connection, stream_id: int) -> dict[tuple[int, int], Row]:
    rows = connection.execute(
        "SELECT length_s, second, open, high, low, close, volume, trades FROM rollup"
        " WHERE stream_id = ?",
        (stream_id,),
    )
    return {
        row[:2]: (*row[2:6], float if isinstance(row[6], float) else row[6], row[7]) for row in rows
    }


def check(path: Path, *, whole: bool = True) -> list[tuple[int, int]]:
    """Compare every row, and that none is outside; returns the spans."""
    spans = []
    with sqlite3.connect(path) as connection:
        for stream_id, low, high in connection.execute(
            "SELECT stream_id, rolled_low, rolled_high FROM stream ORDER BY stream_id"
        ).fetchall():
            oldest, newest = connection.execute(
                "SELECT min(second), max(second) FROM bar_1s WHERE stream_id = ?", (stream_id,)
            ).fetchone()
            if low is None:
                assert not stored(connection, stream_id)
                assert newest is None or not whole or newest - newest % 60 - oldest < 120
                continue
            assert low % 60 == high % 60 == 0
            assert low <= high
            if newest is not None:
                assert high == max(newest // 60 * 60, low)
                assert not whole or low - 60 <= oldest or low == high
            assert stored(connection, stream_id) == expected(connection, stream_id, low, high)
            spans.append((low, high))
    connection.close()
    return spans


ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"),
            st.integers(0, 5 * 3600),
            st.lists(
                st.tuples(
                    st.integers(0, 900),
                    st.integers(1, 10**6),
                    st.sampled_from([0.1, 3.0, 7e9, 8e10]),
                    st.sampled_from(["BTCUSDT", "ETHUSDT"]),
                ),
                min_size=1,
                max_size=20,
            ),
        ),
        st.tuples(st.just("forget"), st.integers(0, 6 * 3600), st.integers(1, 30)),
        st.tuples(st.just("late"), st.integers(0, 40), st.integers(1, 10**6)),
        st.tuples(st.just("reopen"), st.none(), st.none()),
        st.tuples(st.just("refused"), st.none(), st.none()),
        st.tuples(st.just("older"), st.none(), st.none()),
    ),
    max_size=14,
)


def events(start: int, drawn: list[Any], ids: Iterator[int], skipped: list[Tick]) -> list[Tick]:
    """Trades in the order of their ids and times; each seventh stays away, to come late."""
    made: list[Tick] = []
    for offset, price, quantity, symbol in sorted(drawn, key=lambda each: each[0]):
        event = tick(next(ids), start + offset, price / 100, quantity, symbol=symbol)
        (skipped if event.trade_id % 7 == 3 else made).append(event)
    return made


@settings(max_examples=30, deadline=None)
@given(actions=ACTIONS)
def test_they_equal_the_trades_after_whatever_is_written(
    tmp_path_factory, actions: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("rollups") / "ticks.db"
    writer, ids, at = TickWriter(path), iter(range(1, 10**9)), 0
    skipped: list[Tick] = []
    for kind, *values in actions:
        if kind == "write":
            at += values[0] // 4
            writer.write(events(at, values[1], ids, skipped))
            at += max(each[0] for each in values[1])
        elif kind == "late" and skipped:
            writer.write([skipped.pop(values[0] % len(skipped))])
        elif kind == "forget":
            writer.forget_before(T0_S + values[0], values[1])
        elif kind == "reopen":
            writer.close()
            writer = TickWriter(path)
        elif kind == "refused":
            with pytest.raises(sqlite3.IntegrityError):
                writer.write([tick(next(ids), at + 4000), tick(next(ids), at + 4000, price=-1.0)])
        elif kind == "older":
            writer.roll_up_older()
        check(path, whole=False)
    while writer.roll_up_older():
        check(path, whole=False)
    check(path)
    writer.close()


def test_a_minute_is_rolled_up_with_the_batch_that_goes_past_it(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(60)])
    assert check(path) == []
    writer.write([tick(60, 60)])
    assert check(path) == [(T0_S, T0_S + 60)]
    writer.write([tick(n, n) for n in range(61, 3600, 7)])
    with sqlite3.connect(path) as connection:
        hours = "SELECT count(*) FROM rollup WHERE length_s = 3600"
        assert connection.execute(hours).fetchone() == (0,)
        writer.write([tick(3600, 3601)])
        assert connection.execute(hours).fetchone() == (1,)
    connection.close()
    assert check(path) == [(T0_S, T0_S + 3600)]
    writer.close()


def test_a_sum_that_no_integer_holds_is_marked_and_so_is_its_hour(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(n, 60 * n, quantity=5e10 if n < 2 else 1.0) for n in range(100)])
    assert volume_types(path) == [(60, 0, "integer"), (60, 60, "integer"), (3600, 0, "real")]
    writer.write([tick(100, 1, quantity=8e10)])
    assert volume_types(path) == [(60, 0, "real"), (60, 60, "integer"), (3600, 0, "real")]
    writer.close()


def volume_types(path: Path) -> list[tuple[int, int, str]]:
    with sqlite3.connect(path) as connection:
        types = connection.execute(
            "SELECT length_s, second - ?, typeof(volume) FROM rollup WHERE second < ? + 61"
            " ORDER BY 1, 2",
            (T0_S, T0_S),
        ).fetchall()
    connection.close()
    return types


def test_a_database_of_before_is_rolled_up_backwards_in_small_steps(path: Path) -> None:
    with sqlite3.connect(path) as old:
        old.executescript(
            f"{' '.join(MIGRATIONS[:3])}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 3;"
            "INSERT INTO stream VALUES (1, 'spot', 'BTCUSDT', 'aggTrade', 5, 0, 0, 0, 0);"
            "INSERT INTO stream VALUES (2, 'spot', 'ETHUSDT', 'aggTrade', 5, 0, 0, 0, 0);"
        )
        for n in (*range(0, 30_000, 13), *range(5 * DAY_S, 5 * DAY_S + 7000, 11)):
            at, price = T0_S + 47 + n, 1.0 + n % 977
            old.execute(
                "INSERT INTO bar_1s VALUES (1, ?, ?, ?, ?, ?, 5, 1, ?, ?, ?, ?, ?, ?)",
                (at, *[price] * 4, *[at * 10**6, n] * 2, n, n),
            )
            old.execute(
                "INSERT INTO tick VALUES (1, ?, ?, 0, ?, 5, 2)", (n, at * 10**6, int(price * 1e8))
            )
        last_id, last_us = n, at * 10**6
        old.execute("UPDATE stream SET last_id = ?, last_us = ?", (last_id, last_us))
    old.close()
    writer = TickWriter(path)
    writer.write([tick(last_id + 1, 5 * DAY_S + 7200)])
    steps, longest_s = 0, 0.0
    before_s = time.thread_time()
    while writer.roll_up_older():
        longest_s = max(longest_s, time.thread_time() - before_s)
        steps += 1
        check(path, whole=False)
        before_s = time.thread_time()
    (span,) = check(path)
    assert span == (T0_S, T0_S + 5 * DAY_S + 7200)
    assert 5 <= steps <= 10
    assert longest_s < 0.1
    writer.close()


def test_trades_dated_far_in_the_future_leave_no_trace(path: Path) -> None:
    writer = TickWriter(path)
    writer.write([tick(n, n) for n in range(200)])
    future = 40 * DAY_S
    wrong = tick(200, future)
    received_us = (T0_S + 200) * 1_000_000
    writer.write([Tick(**{**as_fields(wrong), "received_us": received_us})])
    assert check(path) == [(T0_S, T0_S + future // 60 * 60)]
    assert writer.set_aside_future(received_us) == 1
    assert check(path) == [(T0_S, T0_S + 180)]
    writer.write([tick(n, n) for n in range(201, 300)])
    assert check(path) == [(T0_S, T0_S + 240)]
    writer.close()


def as_fields(event: Tick) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
