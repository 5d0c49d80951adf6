"""A fetch of history killed at random moments, over and over, and begun again."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from exchange import rest
from exchange.days import DAY_S, FIRST, DaysOfTrades
from exchange.market import INTERVALS
from exchange.server import Exchange, ThreadedExchange

from faults.result import Result, at_least, equal, told
from faults.storage import TESTS, child_environment, until
from ingest.history.days import day_of, day_second
from ingest.store import LakeStream
from ingest.store.lake import Lake

TRADES, BARS = "BTCUSDT", "ETHUSDT"  # what is fetched of each
STREAM = LakeStream("spot", TRADES, "aggTrade")
EARLY = 0.1  # share of kills during the start
MOST_REQUESTS = 12  # of a life that gets so far
LONGEST_S = 0.05  # from a request on

Row = tuple[object, ...]


@dataclass
class Found:
    """What was found in the lake after each kill."""

    trades: dict[int, Row] = field(default_factory=dict)
    bars: dict[int, Row] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    grown: int = 0

    def look(self, root: Path) -> None:
        """Compare the lake with what was in it before."""
        trades, bars = held(root)
        self.doubled += len(trades) - len(dict(trades)) + len(bars) - len(dict(bars))
        for before, after in ((self.trades, dict(trades)), (self.bars, dict(bars))):
            self.lost += sum(after.get(key) != row for key, row in before.items())
        self.grown += len(trades) + len(bars) > len(self.trades) + len(self.bars)
        self.trades, self.bars = dict(trades), dict(bars)


def kill_while_fetching(folder: Path, *, kills: int, seed: int) -> Result:
    """Kill fetches of trades and of bars `kills` times; look each time; then let both end."""
    rng, found, root = random.Random(seed), Found(), folder / "lake"
    days = max(2, kills // 5)
    begun_s = time.monotonic()
    with (
        _without_weights(),
        ThreadedExchange((TRADES, BARS), feed=DaysOfTrades(days, seed=seed)) as exchange,
        _nursery() as port,
    ):
        for number in range(kills):
            with _life(port) as (_, pid, says):
                print(json.dumps(_words(exchange, root, days, number % 2)), file=says, flush=True)
                _live_for_a_while(exchange, rng)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                until(partial(_is_dead, pid), 10.0, 0.001)
            found.look(root)
        killed_s = time.monotonic() - begun_s
        statuses = [_to_the_end(port, _words(exchange, root, days, kind)) for kind in (0, 1)]
        truth = exchange.call(lambda inner: _truth(inner, days))
    found.look(root)
    return Result(
        f"killed {kills} times in {killed_s:.0f} s while {len(truth[0]):,} trades and "
        f"{len(truth[1]):,} bars were fetched",
        seed,
        (
            told("kills", kills),
            equal("rows lost", found.lost, 0),
            equal("rows doubled", found.doubled, 0),
            at_least("lives that wrote something", found.grown, kills // 4),
            equal("exit status of the last two", sum(statuses), 0),
            equal("trades that differ", _difference(found.trades, truth[0]), 0),
            equal("bars that differ", _difference(found.bars, truth[1]), 0),
            equal("holes in the ids", len(Lake(root).id_spans(STREAM)) - 1, 0),
            equal("files left behind", len(list(root.rglob(".*.parquet*"))), 0),
            equal("files that the index has wrong", _untrue(root), 0),
        ),
    )


def _live_for_a_while(exchange: ThreadedExchange, rng: random.Random) -> None:
    """Let a fetch run to the moment of its kill."""
    if rng.random() >= EARLY:
        before = exchange.call(lambda inner: len(inner.requests))
        count = before + rng.randint(1, MOST_REQUESTS)
        with suppress(TimeoutError):  # there was not so much left to fetch
            exchange.run(lambda inner: inner.wait_for_requests(count, timeout_s=2.0))
    time.sleep(rng.uniform(0, LONGEST_S))


def held(root: Path) -> tuple[list[tuple[int, Row]], list[tuple[int, Row]]]:
    """Trades by id and bars by their open."""
    lake = Lake(root)
    ticks = lake.ticks(STREAM, 0, 2**60)
    columns = (ticks.time_us, ticks.price, ticks.quantity, ticks.buyer_is_maker)
    rows = zip(*(each.tolist() for each in columns), strict=True)
    trades = list(zip(ticks.trade_id.tolist(), rows, strict=True))
    pieces = lake.pieces(LakeStream("spot", BARS, "aggTrade")).read(60, 0, 2**40)
    return trades, [(row[0], row[1:]) for row in pieces.rows.tolist()]


def _words(exchange: ThreadedExchange, root: Path, days: int, kind: int) -> list[str]:
    last = day_of(day_second(FIRST) + (days - 1) * DAY_S)
    symbol, rows = ((TRADES, ["--trades"]), (BARS, ["--bars", "1m"]))[kind]
    where = ["--rest-url", exchange.rest_url, "--history", str(root)]
    return [*where, "--fetch", symbol, "--from", str(FIRST), "--to", str(last), *rows]


def _truth(exchange: Exchange, days: int) -> tuple[dict[int, Row], dict[int, Row]]:
    """What the exchange has."""
    trades: dict[int, Row] = {
        each.trade_id: (each.time_us, each.price, each.quantity, each.buyer_is_maker)
        for each in exchange.trades(TRADES, history=True)
    }
    tape, begin_us = exchange.venue.tape(BARS), day_second(FIRST) * 10**6
    end_us = begin_us + days * DAY_S * 10**6 - 1
    bars = tape.klines(INTERVALS["1m"], begin_us, end_us, 10**9, len(tape))
    return trades, {
        bar.open_us // 10**6: (
            *(bar.open_e8 / 1e8, bar.high_e8 / 1e8, bar.low_e8 / 1e8, bar.close_e8 / 1e8),
            *(bar.volume_e8, bar.trades),
        )
        for bar in bars
    }


def _difference(one: dict[int, Row], other: dict[int, Row]) -> int:
    return sum(one.get(key) != other.get(key) for key in one.keys() | other.keys())


def _untrue(root: Path) -> int:
    """Holdings that are others once the index is made again from the files."""
    by_index = Lake(root).holdings()
    copy = root.with_name("copy")
    for path in root.rglob("*.parquet"):
        place = copy / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    by_files = Lake(copy).holdings()
    return len(set(by_index) ^ set(by_files))


@contextmanager
def _without_weights() -> Iterator[None]:
    """Let the exchange count no weight: here nobody is to wait for the next minute."""
    before = rest.BUDGET_PER_MINUTE["spot"]
    rest.BUDGET_PER_MINUTE["spot"] = 10**9
    try:
        yield
    finally:
        rest.BUDGET_PER_MINUTE["spot"] = before


@contextmanager
def _nursery() -> Iterator[int]:
    """Run `faults.history.fetch_child`; gives its port."""
    with subprocess.Popen(
        [sys.executable, str(TESTS / "faults/history/fetch_child.py")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=child_environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def _life(port: int) -> Iterator[tuple[TextIO, int, TextIO]]:
    """A process that waits to be told what to fetch: what it says, its number, what it hears."""
    with (
        socket.create_connection(("127.0.0.1", port)) as line,
        line.makefile("r") as hears,
        line.makefile("w") as says,
    ):
        word, pid = hears.readline().split()
        assert word == "ready"
        yield hears, int(pid), says


def _to_the_end(port: int, words: list[str]) -> int:
    with _life(port) as (hears, _, says):
        print(json.dumps(words), file=says, flush=True)
        word, status = hears.readline().split()
        assert word == "ended"
        return int(status)


def _is_dead(pid: int) -> bool:
    """Whether a process is gone; the nursery's dead leave nothing behind."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True
