"""A recorder killed at random moments, over and over, while the exchange trades on."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from exchange.feeds import LiveFeed
from exchange.server import Exchange, ThreadedExchange

from faults.children import SYMBOLS, Child, Nursery
from faults.result import Result, at_least, at_most, equal, holds, told
from faults.storage import TESTS, child_environment, until
from ingest.recorder import Recorder
from ingest.recorder.writing import BATCH_WAIT_S
from ingest.settings import Settings
from ingest.store.schema import PAGE_BYTES


@dataclass
class Kills:
    """What was found after each kill."""

    stored: dict[str, list[int]] = field(default_factory=dict)
    early: int = 0  # during the start
    lost: int = 0
    torn: int = 0
    unsound: int = 0
    grown: int = 0  # lives that stored something

    def look(self, database: Path, seen: dict[str, list[int]]) -> None:
        """Compare the database with the rows `seen` in it before the kill."""
        found, after = examine(database), stored_ids(database)
        self.unsound += not found.sound
        self.torn += found.torn
        self.lost += _missing(seen, after)
        self.grown += _count(after) > _count(self.stored)
        self.stored = after


def kill_at_random(
    folder: Path,
    *,
    kills: int,
    seed: int,
    rate_per_s: float = 100.0,
    longest_s: float = 0.4,
    batch_wait_s: float = BATCH_WAIT_S,
) -> Result:
    """Kill the recorder `kills` times; look at the database each time; then let it repair."""
    rng, database, seen = random.Random(seed), folder / "killed.db", Kills()
    begun_s = time.monotonic()
    feed = LiveFeed(rate_per_s, seed=seed, history_s=0)
    with (
        ThreadedExchange(SYMBOLS, feed=feed) as exchange,
        Nursery() as nursery,
        ExitStack() as stack,
    ):
        child = stack.enter_context(nursery.child())
        for _ in range(kills):
            child.begin(database, exchange, batch_wait_s)
            seen.early += _live_for_a_while(child, exchange, rng, longest_s)
            follower = stack.enter_context(nursery.child())  # ready once the other is dead
            stored = stored_ids(database)
            child.kill()
            child = follower
            seen.look(database, stored)
        exchange.call(Exchange.stop_feed)
        for symbol in SYMBOLS:
            exchange.push(symbol, 1, 1)
        child.begin(database, exchange, batch_wait_s)
        child.wait_recording()
        exchange.wait_for_subscribers(1)
        killed_s = time.monotonic() - begun_s
        sent, whole_s = _repair(exchange, database)
        child.kill()
    ids, wanted = stored_ids(database), _since_first(sent, database)
    return Result(
        f"killed {kills} times in {killed_s:.0f} s while {_count(sent):,} trades ran",
        seed,
        (
            told("kills", kills),
            told("kills during the start", seen.early),
            equal("stored rows lost", seen.lost, 0),
            equal("torn batches", seen.torn, 0),
            equal("quick_check not ok", seen.unsound, 0),
            at_least("lives that stored something", seen.grown, kills // 2),
            equal("ids missing after the restart", _missing(wanted, ids), 0),
            equal("ids too many", _missing(ids, wanted), 0),
            at_most("ids equal the exchange's after", whole_s, 60.0, "s"),
        ),
    )


def _live_for_a_while(
    child: Child, exchange: ThreadedExchange, rng: random.Random, longest_s: float
) -> bool:
    """Let a recorder run to the moment of its kill; says whether that is in its start."""
    is_early = rng.random() < 0.1
    if is_early:
        time.sleep(rng.uniform(0, 0.2))  # anywhere
    else:
        child.wait_recording()
        exchange.wait_for_subscribers(1)
        time.sleep(rng.uniform(0, longest_s))
    return is_early


def _repair(exchange: ThreadedExchange, database: Path) -> tuple[dict[str, list[int]], float]:
    """Give all ids the exchange has sent, and the seconds until the database has those it owes."""
    for symbol in SYMBOLS:  # live trades from beyond: what lies between is the gap
        exchange.push(symbol, 2, 1)
    sent = {each: [trade.trade_id for trade in exchange.trades(each)] for each in SYMBOLS}
    try:
        return sent, until(lambda: _is_whole(database, sent), 60.0, 0.05)
    except TimeoutError:
        return sent, float("inf")


def _count(ids: dict[str, list[int]]) -> int:
    return sum(map(len, ids.values()))


def _since_first(sent: dict[str, list[int]], database: Path) -> dict[str, list[int]]:
    """Give the ids the recorder owes: all from the first it ever stored."""
    stored = stored_ids(database)
    return {
        each: [number for number in sent[each] if stored[each] and number >= stored[each][0]]
        for each in sent
    }


def _is_whole(database: Path, sent: dict[str, list[int]]) -> bool:
    stored = stored_ids(database)
    newest = all(stored[each][-1:] == sent[each][-1:] for each in sent)
    return newest and stored == _since_first(sent, database)


def _missing(wanted: dict[str, list[int]], found: dict[str, list[int]]) -> int:
    return sum(len(set(wanted[each]) - set(found.get(each, ()))) for each in wanted)


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)


def stored_counts(database: Path) -> dict[str, int]:
    """Give how many rows a reader sees just now; nothing where there is no database yet."""
    try:
        with closing(_read_only(database)) as connection:
            sql = "SELECT symbol, count(*) FROM tick JOIN stream USING (stream_id) GROUP BY symbol"
            return dict(connection.execute(sql).fetchall())
    except sqlite3.OperationalError:
        return {}


def stored_ids(database: Path) -> dict[str, list[int]]:
    """Give the stored ids by symbol, of events that are no trade too."""
    found: dict[str, list[int]] = {each: [] for each in SYMBOLS}
    if not database.exists():
        return found
    with closing(_read_only(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'stream'").fetchone():
            return found
        sql = (
            "SELECT symbol, trade_id FROM (SELECT stream_id, trade_id FROM tick UNION ALL"
            " SELECT stream_id, trade_id FROM non_trade) JOIN stream USING (stream_id)"
            " ORDER BY trade_id"
        )
        for symbol, trade_id in connection.execute(sql):
            found[symbol].append(trade_id)
        return found


class Examination(NamedTuple):
    """Whether a database is sound, and how many of its tables disagree."""

    sound: bool
    torn: int


def examine(database: Path) -> Examination:
    """Check a database nobody writes: sound, bars and ledger agree with the rows.

    A batch writes trades, bars and ledger in one transaction: where they disagree it was torn.
    """
    if not database.exists():
        return Examination(sound=True, torn=0)
    with closing(sqlite3.connect(database, timeout=5.0)) as connection:
        sound = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'tick'").fetchone():
            return Examination(sound, torn=0)
        torn = sum(
            _torn(connection, *row)
            for row in connection.execute(
                "SELECT stream_id, first_id, last_id FROM stream WHERE last_id IS NOT NULL"
            ).fetchall()
        )
    return Examination(sound, torn)


def _torn(connection: sqlite3.Connection, stream_id: int, first_id: int, last_id: int) -> int:
    """Count the ways in which a stream's tables disagree."""

    def one(sql: str) -> int:
        return int(connection.execute(sql, (stream_id,)).fetchone()[0] or 0)

    ticks = one("SELECT count(*) FROM tick WHERE stream_id = ?")
    others = one("SELECT count(*) FROM non_trade WHERE stream_id = ?")
    in_bars = one("SELECT sum(trades) FROM bar_1s WHERE stream_id = ?")
    in_gaps = one(
        "SELECT sum(to_id - from_id + 1) FROM gap WHERE stream_id = ? AND state <> 'filled'"
    )
    newest = one("SELECT max(trade_id) FROM tick WHERE stream_id = ?")
    whole = ticks + others + in_gaps == last_id - first_id + 1
    return (ticks != in_bars) + (not whole) + (newest > last_id)


def second_recorder(folder: Path) -> Result:
    """Start a second process on a database that is being recorded, by the app's own command."""
    with ThreadedExchange(SYMBOLS) as exchange:
        database = folder / "taken.db"
        settings = Settings(
            symbols=SYMBOLS, db=database, ws_url=exchange.ws_url, rest_url=exchange.rest_url
        )
        recorder = Recorder(settings)
        recorder.start()
        exchange.wait_for_subscribers(1)
        second = subprocess.run(
            [sys.executable, str(TESTS.parent / "app.py"), "--db", str(database), "--no-browser"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=child_environment(),
        )
        alive = recorder.status().state
        recorder.stop()
    lines = second.stderr.strip().splitlines()
    return Result(
        "a second app.py on the same database",
        None,
        (
            equal("exit status", second.returncode, 2),
            equal("lines on standard error", len(lines), 1),
            holds("says", lines[-1:], "another recorder" in second.stderr, "another recorder"),
            holds("the first one", alive, alive == "live", "live"),
        ),
    )


def damaged_log_repaired(folder: Path, *, seeds: range) -> Result:
    """Damage the log that a killed recorder left; the exchange gives back what it lost."""
    with Nursery() as nursery:
        found = [_damage_and_repair(folder, nursery, seed) for seed in seeds]
    costs, lefts, times_s = zip(*found, strict=True)
    return Result(
        f"{len(seeds)} logs of killed recorders damaged, then recorded on",
        seeds.start,
        (
            at_least("trades the damage cost, most", max(costs), 1),
            equal("ids missing after the repair", sum(lefts), 0),
            at_most("repaired after", max(times_s), 60.0, "s"),
        ),
    )


def _damage_and_repair(folder: Path, nursery: Nursery, seed: int) -> tuple[int, int, float]:
    """Give the trades lost to the damage, those lost after the repair, and its seconds."""
    rng = random.Random(seed)
    database = folder / f"log{seed}.db"
    with ThreadedExchange(SYMBOLS) as exchange:
        for trades in (20, 400):
            with nursery.child() as child:
                _record(child, exchange, trades, database)
                if trades == 20:
                    child.end()  # in order: these are safe
        log = database.with_name(database.name + "-wal")
        content = bytearray(log.read_bytes())
        for at in range(rng.randrange(len(content)), len(content), PAGE_BYTES + 24):
            content[at] ^= 0x5A
        log.write_bytes(content)
        database.with_name(database.name + "-shm").unlink(missing_ok=True)
        cost = _missing(_sent(exchange), stored_ids(database))
        with nursery.child() as child:
            _record(child, exchange, 1, database, wait=False)
            sent, begun_s = _sent(exchange), time.monotonic()
            with suppress(TimeoutError):
                until(lambda: stored_ids(database) == sent, 60.0, 0.02)
            return cost, _missing(sent, stored_ids(database)), time.monotonic() - begun_s


def _sent(exchange: ThreadedExchange) -> dict[str, list[int]]:
    return {each: [trade.trade_id for trade in exchange.trades(each)] for each in SYMBOLS}


def _record(
    child: Child, exchange: ThreadedExchange, trades: int, database: Path, *, wait: bool = True
) -> None:
    """Let a child record this many trades of each symbol."""
    child.begin(database, exchange)
    child.wait_recording()
    exchange.run(lambda e: e.wait_until(lambda: len(e.connections) == 1))
    for number in range(trades):
        for symbol in SYMBOLS:
            exchange.push(symbol, 100 + number % 7, "0.5")
    sent = {each: len(exchange.trades(each)) for each in SYMBOLS}
    if wait:
        until(lambda: stored_counts(database) == sent)
