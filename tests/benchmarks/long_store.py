"""Databases of a recorder that ran for a day, and of one that ran for weeks before that day.

The day is written by the app's own writer. What is older is inserted by SQL, because tens of
millions of ticks through Python would take as long as the rest of the benchmarks: ticks of one
second have one price, and their bar is what the writer would have made of them
(``python app.py --verify --db`` says so). The benchmark command runs this file before its clock
starts.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from ingest.store import TickWriter
from ingest.store.schema import PAGE_BYTES, SCHEMA_VERSION, UNITS
from ingest.tick import Tick

SYMBOLS = ("BTCUSDT", "ETHUSDT")
PRICES = (60_000.0, 3_000.0)
FIRST_ID = 1_000_000_000
DAY_S = 86_400
# Of the whole benchmark; a quick one takes less.
DAY_TICKS, OLDER_TICKS = 1_000_000, 49_000_000
END_S = 1_790_000_000
_BATCH = 10_000
# Newest databases, kept for the next run: a long one takes a minute or two to make.
KEPT = Path(tempfile.gettempdir()) / f"pairdesk-benchmarks-{os.getuid()}"

_OLDER_TICKS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
INSERT INTO tick
SELECT :stream, :first_id + i, ((:start_s + i / :rate) * 1000 + (i % :rate) * 900 / :rate) * 1000,
       1500, :price + (((:start_s + i / :rate) * 7919) % 9973) * 1000000, 123000, 2
FROM n
"""
_OLDER_BARS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :seconds)
INSERT INTO bar_1s
SELECT :stream, s, p, p, p, p, 123000 * :rate, :rate, s * 1000000, f,
       (s * 1000 + (:rate - 1) * 900 / :rate) * 1000, f + :rate - 1, f, f + :rate - 1
FROM (SELECT :start_s + i AS s, :first_id + i * :rate AS f,
             (:price + (((:start_s + i) * 7919) % 9973) * 1000000) / 1e8 AS p FROM n)
"""


@dataclass(frozen=True)
class Stored:
    """A database and what is in it."""

    path: Path
    ticks: int

    @property
    def bytes_a_tick(self) -> float:
        return self.path.stat().st_size / self.ticks


def day_store(ticks: int, seconds: int = DAY_S + 600) -> Stored:
    """Make or find a day of about `ticks` trades of two symbols, written by the app's writer."""
    rate = max(1, round(ticks / seconds / len(SYMBOLS)))
    path = _place(f"day-{rate}-{seconds}")
    if not path.exists():
        making = path.with_suffix(".making")
        _remove(making)
        writer = TickWriter(making)
        batch: list[Tick] = []
        for tick in _ticks(rate, seconds):
            batch.append(tick)
            if len(batch) == _BATCH:
                writer.write(batch)
                batch = []
        writer.write(batch)
        writer.close()
        making.rename(path)
    return Stored(path, _count(path))


def long_store(day: Stored, older: int) -> Stored:
    """Make or find a copy of a day's database with about `older` trades before its first."""
    path = _place(f"{day.path.stem}-after-{older}")
    if not path.exists():
        making = path.with_suffix(".making")
        _remove(making)
        shutil.copyfile(day.path, making)
        with sqlite3.connect(making) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -200000")
            for stream, price in zip((1, 2), PRICES, strict=True):
                _insert_older(connection, stream, price, older // len(SYMBOLS))
            # The day's first minute has become fuller: the writer makes all of them again.
            connection.execute("DELETE FROM rollup")
            connection.execute("UPDATE stream SET rolled_low = NULL, rolled_high = NULL")
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        writer = TickWriter(making)
        while writer.roll_up_older():
            pass
        writer.close()
        making.rename(path)
    return Stored(path, _count(path))


def make_all() -> None:
    """Make the databases of the whole benchmark, or find them."""
    begun_s = time.monotonic()
    stored = long_store(day_store(DAY_TICKS), OLDER_TICKS)
    print(f"databases: {stored.ticks:,} ticks, {time.monotonic() - begun_s:.0f} s")


def working_copy(stored: Stored, folder: Path) -> Path:
    """Copy a database, to be written to."""
    target = folder / stored.path.name
    shutil.copyfile(stored.path, target)
    return target


def _insert_older(connection: sqlite3.Connection, stream: int, price: float, count: int) -> None:
    first_us, rate = connection.execute(
        "SELECT open_us, trades FROM bar_1s WHERE stream_id = ? ORDER BY second LIMIT 1", (stream,)
    ).fetchone()
    seconds = count // rate
    values = {
        "stream": stream,
        "rate": rate,
        "seconds": seconds,
        "count": seconds * rate,
        "start_s": first_us // 1_000_000 - seconds,
        "first_id": FIRST_ID - seconds * rate,
        "price": round(price * UNITS),
    }
    connection.execute(_OLDER_TICKS, values)
    connection.execute(_OLDER_BARS, values)
    connection.execute(
        "UPDATE stream SET first_id = ?, first_us = ? WHERE stream_id = ?",
        (values["first_id"], values["start_s"] * 1_000_000, stream),
    )


def _ticks(rate: int, seconds: int) -> Iterator[Tick]:
    rng = np.random.default_rng(5)
    factor = np.cumsum(rng.normal(size=seconds)) * 1e-5
    paths = [
        np.round(price * np.exp(factor + np.cumsum(rng.normal(size=seconds)) * 5e-6), 2).tolist()
        for price in PRICES
    ]
    for second in range(seconds):
        for symbol, path in zip(SYMBOLS, paths, strict=True):
            for n in range(rate):
                time_us = ((END_S - seconds + second) * 1000 + n * 900 // rate) * 1000
                yield Tick(
                    "spot", symbol, "aggTrade", FIRST_ID + second * rate + n, path[second],
                    0.00123, time_us, time_us + 1500, buyer_is_maker=bool(n % 2),
                )  # fmt: skip


def _place(name: str) -> Path:
    KEPT.mkdir(exist_ok=True)
    return KEPT / f"{name}-v{SCHEMA_VERSION}-{PAGE_BYTES}.db"


def _count(path: Path) -> int:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    # The bars know it: counting tens of millions of rows takes longer than reading them.
    ids = connection.execute("SELECT sum(last_id - first_id + 1) FROM stream").fetchone()[0]
    connection.close()
    return int(ids)


def _remove(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


if __name__ == "__main__":
    make_all()
