"""The verify command: stored bars against the ticks they were made of."""

import random
import re
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import StoreError
from ingest.settings import parse_settings
from ingest.store import TickReader, TickWriter, verify
from ingest.store.health import verification
from ingest.tick import Tick

T0_S = 1_700_000_000
# A bar of a single trade.
ONE_ID = "(SELECT close_id FROM bar_1s WHERE trades = 1 ORDER BY second LIMIT 1 OFFSET 60)"
ONE = f"stream_id = 1 AND close_id = {ONE_ID}"


def tick(trade_id: int, at_s: float, price: float = 100.0, quantity: float = 1.0, **more) -> Tick:
    time_us = round((T0_S + at_s) * 1_000_000)
    fields = {"market": "spot", "symbol": "BTCUSDT", "stream": "aggTrade"} | more
    return Tick(
        **fields, trade_id=trade_id, price=price, quantity=quantity, time_us=time_us,
        received_us=time_us + 1500, buyer_is_maker=False,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rng = random.Random(3)
    ticks = [
        tick(
            n,
            (n - n % 2) * 7 + rng.uniform(-0.05, 0.05),
            rng.uniform(99, 101),
            rng.choice([0.1, 1.5e-9, 2e8]),
        )
        for n in range(2000)
    ]
    writer = TickWriter(tmp_path / "ticks.db")
    late, ticks[500:520] = ticks[500:520], []
    for start in range(0, len(ticks), 300):
        writer.write(rng.sample(ticks[start : start + 300], len(ticks[start : start + 300])))
    writer.write(late)
    writer.write([tick(n, n, symbol="ETHUSDT") for n in range(5)])
    writer.close()
    return tmp_path / "ticks.db"


def run(path: Path) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return verify(path, lines.append), lines


def spoil(path: Path, sql: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize("step", [7, 100_000])
def test_bars_of_late_and_unordered_trades_agree(path: Path, monkeypatch, step: int) -> None:
    monkeypatch.setattr(verification, "_BARS_A_PART", step)
    with TickReader(path) as reader:
        bars = (reader.bars("BTCUSDT", "1s")["trades"] > 0).sum()
    agree, lines = run(path)
    assert agree
    assert lines == [
        f"BTCUSDT (spot aggTrade): {bars:,} bars of 2,000 trades, all equal",
        "ETHUSDT (spot aggTrade): 5 bars of 5 trades, all equal",
    ]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (f"UPDATE bar_1s SET close = close * (1 + 3e-16) WHERE {ONE}", r"1 differ: .*close \d"),
        (f"UPDATE bar_1s SET volume = volume + 1 WHERE {ONE}", r"1 differ: .* volume \d+ stored"),
        (f"DELETE FROM bar_1s WHERE {ONE}", r"1 differ: .* no bar for 1 trades"),
        (f"DELETE FROM tick WHERE stream_id = 1 AND trade_id = {ONE_ID}", r"a bar without trades"),
        ("UPDATE tick SET price = 1 WHERE stream_id = 1 AND trade_id > 1000", r"[6-9]\d\d differ"),
        (
            "UPDATE rollup SET low = low / 2 WHERE length_s = 60 AND second % 3600 = 0",
            r"[34] differ: .* the minute is not that of its seconds",
        ),
        (
            "UPDATE rollup SET volume = volume + 1 WHERE length_s = 3600 AND stream_id = 1",
            r"[23] differ: .* the hour is not that of its seconds",
        ),
        ("DELETE FROM rollup WHERE length_s = 60 AND second % 3600 = 60", r"the minute is missing"),
        ("DELETE FROM rollup WHERE length_s = 3600 AND stream_id = 1", r"the hour is missing"),
        ("UPDATE stream SET rolled_low = rolled_low + 60", r"the minute is outside of what is"),
    ],
)
def test_what_differs_is_said(path: Path, sql: str, words: str) -> None:
    spoil(path, sql)
    agree, lines = run(path)
    assert not agree
    assert re.search(words, lines[0]), lines[0]
    assert lines[1].endswith("all equal")


def test_trades_written_meanwhile_are_no_difference(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(verification, "_BARS_A_PART", 50)
    writer, one_at_a_time = TickWriter(path), threading.Lock()
    at = iter(range(100))

    def beside_a_writer(compare: Callable[..., Any]) -> Callable[..., Any]:
        def write_and_compare(*args: Any) -> Any:
            with one_at_a_time:
                n = next(at)
                writer.write([tick(2000 + n, 13_993 + n / 9), tick(-1 - n + 100_000, 50 + n)])
            return compare(*args)

        return write_and_compare

    for name in ("_compare", "difference_of"):
        monkeypatch.setattr(verification, name, beside_a_writer(getattr(verification, name)))
    assert run(path)[0]
    assert next(at) > 10
    writer.close()


def test_bars_whose_first_trades_were_deleted_as_too_old_are_left_out(path: Path) -> None:
    writer = TickWriter(path)
    writer.forget_before(T0_S + 3000, most_bars=211)
    writer.close()
    assert run(path)[0]


def test_the_option_and_a_missing_file(tmp_path: Path) -> None:
    assert parse_settings(["--verify"], {}).verify
    with pytest.raises(StoreError, match="no database at"):
        verify(tmp_path / "absent.db", print)
