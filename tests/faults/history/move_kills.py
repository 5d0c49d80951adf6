"""A recorder killed at random moments while old days move from its database to the lake.

    python tests/faults/history/move_kills.py [--kills N] [--seed N]

Run with ``--life DATABASE`` it is the process that is killed: for each line on its input it forks a
life, which records and moves days until it is killed; one that is told ``end`` moves what is left
and says ``done``. Every trade follows from its id, so each can be looked for afterwards.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    sys.path[:1] = map(str, Path(__file__).resolve().parents[2:4])

import numpy as np
import numpy.typing as npt

from faults.outbox.scenarios import lives, nursery
from faults.result import Result, at_least, equal, told
from faults.storage import TESTS, until
from ingest.history.moving import Mover
from ingest.store import LakeStream, TickWriter
from ingest.store.connecting import open_for_reading
from ingest.store.lake import Lake
from ingest.tick import Event, NonTrade, Tick

STREAMS = (LakeStream("spot", "BTCUSDT", "aggTrade"), LakeStream("spot", "ETHUSDT", "aggTrade"))
DAY_S = 86_400
T0_S = 20_000 * DAY_S
EVERY_S = 120  # between two trades
BATCH = 180
KEPT_DAYS = 1
LONGEST_LIFE_S = 0.5
LOST_EVERY, NON_TRADE_EVERY = 499, 97


@dataclass
class Seen:
    """What was found after the kills."""

    last: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    untrue: int = 0
    halfway: int = 0  # kills that left a day in both

    def look(self, database: Path) -> None:
        """Look for every id, in the database or in what the lake's files say of themselves."""
        lake = Lake(root_of(database))
        stored = stored_ids(database)
        halves = 0
        for stream in STREAMS:
            ids, spans = stored[stream.symbol], lake.id_spans(stream)
            self.doubled += sum(count - 1 for count in Counter(ids).values())
            self.untrue += any(two.first_id <= one.last_id for one, two in pairwise(spans))
            last = max([0, *ids, *(span.last_id for span in spans)])
            moved, here = np.zeros(last + 1, dtype=np.bool_), np.zeros(last + 1, dtype=np.bool_)
            here[ids] = True
            for span in spans:
                moved[span.first_id : span.last_id + 1] = True
            halves += bool((moved & here).any())
            self.lost += int((wanted(last) & ~moved & ~here).sum())
            self.lost += last < self.last[stream.symbol]
            self.last[stream.symbol] = last
        self.halfway += bool(halves)

    def look_closely(self, database: Path) -> int:
        """Read every trade of both, compare it with what was recorded; gives those in the lake."""
        lake, stored = Lake(root_of(database)), stored_ids(database)
        rows = 0
        for stream in STREAMS:
            ticks = lake.ticks(stream, 0, 2**62)
            ids = [*ticks.trade_id.tolist(), *ticks.non_trades]
            rows += len(ids)
            self.doubled += len(ids) - len(set(ids))
            is_wanted = wanted(self.last[stream.symbol])
            is_wanted[[*ids, *stored[stream.symbol]]] = False
            self.lost += int(is_wanted.sum())
            columns = (ticks.trade_id, ticks.time_us, ticks.price, ticks.quantity)
            for trade_id, *values in zip(*(each.tolist() for each in columns), strict=True):
                trade = event(stream, trade_id)
                assert isinstance(trade, Tick)
                self.untrue += values != [trade.time_us, trade.price, trade.quantity]
        held = sum(each.rows for each in lake.holdings())
        self.untrue += held != rows
        return rows


def kill_while_moving(folder: Path, kills: int, seed: int) -> Result:
    """Kill the process at random moments while it records and moves; then let it finish."""
    rng, database, seen = random.Random(seed), folder / "ticks.db", Seen()
    TickWriter(database).close()  # a kill while the tables are made is another test's
    with nursery(TESTS / "faults/history/move_kills.py", "--life", database) as (begin, said):
        for _ in range(kills):
            pid = int(begin("go on"))
            time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not lives(pid))  # type: ignore[misc] # bound at once
            seen.look(database)
        begin("end")
        assert said() == "done"
    seen.look(database)
    rows = seen.look_closely(database)
    return Result(
        f"{kills:,} kills while days move from the database to the lake",
        seed,
        (
            equal("ids lost", seen.lost, 0),
            equal("ids doubled", seen.doubled, 0),
            equal("files that say what is not so", seen.untrue, 0),
            at_least("trades in the lake", rows, 1),
            at_least("trades recorded", sum(seen.last.values()), 1),
            told("kills that left a day in both", seen.halfway),
        ),
    )


def root_of(database: Path) -> Path:
    return database.with_name("history")


def event(stream: LakeStream, trade_id: int) -> Event:
    """Give the trade of an id, or what takes up an id and is none."""
    time_us = (T0_S + trade_id * EVERY_S) * 1_000_000 + trade_id % 1_000_000
    key = (*stream, trade_id)
    if trade_id % NON_TRADE_EVERY == 0:
        return NonTrade(*key, time_us, time_us, "no trade")
    price = 100.0 + trade_id % 89 / 100
    return Tick(*key, price, 1.0 + trade_id % 7, time_us, time_us + 900, bool(trade_id % 2))


def wanted(last: int) -> npt.NDArray[np.bool_]:
    """Tell of the ids from 0 to the last whether they were recorded."""
    return np.arange(last + 1) % LOST_EVERY > 0


def stored_ids(database: Path) -> dict[str, list[int]]:
    """Ids in the database by symbol, read as any reader does."""
    connection = open_for_reading(database)
    rows = connection.execute(
        "SELECT symbol, trade_id FROM tick JOIN stream USING (stream_id) UNION ALL"
        " SELECT symbol, trade_id FROM non_trade JOIN stream USING (stream_id)"
    ).fetchall()
    connection.close()
    return {
        stream.symbol: [trade_id for symbol, trade_id in rows if symbol == stream.symbol]
        for stream in STREAMS
    }


class Life:
    """Records on, and moves what is old by the clock of its trades."""

    def __init__(self, database: Path) -> None:
        self._writer = TickWriter(database)
        self._last = {key[1]: ledger.last_id or 0 for key, ledger in self._writer.streams().items()}
        self._mover = Mover(database, root_of(database), KEPT_DAYS, self._ask, self._now_us)

    def run(self, *, ends: bool) -> None:
        """Move and record until killed, or once more."""
        while True:
            self._mover.look()
            assert self._mover.problem is None, self._mover.problem
            self._record()
            if ends:
                return

    def _record(self) -> None:
        for stream in STREAMS:
            first = self._last.get(stream.symbol, 0) + 1
            ids = [n for n in range(first, first + BATCH) if n % LOST_EVERY]
            self._writer.write([event(stream, n) for n in ids])
            key = (stream.market, stream.symbol, stream.kind)
            self._writer.close_gap(key, first, ids[-1], "expired", "never came")
            self._last[stream.symbol] = ids[-1]

    def _ask(self, do: Callable[[TickWriter], object]) -> bool:
        do(self._writer)
        return True

    def _now_us(self) -> int:
        return (T0_S + min(self._last.values()) * EVERY_S) * 1_000_000


def nurse(database: Path) -> None:
    """Fork a life a line. It has no threads, so that it may."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            Life(database).run(ends=line.strip() == "end")
            print("done", flush=True)
            os._exit(0)
        print(pid, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill a recorder while days move to the lake.")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--life", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.life is not None:
        nurse(options.life)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        begun_s = time.monotonic()
        result = kill_while_moving(Path(folder), options.kills, options.seed)
        print(result.done, f"{time.monotonic() - begun_s:.0f} s", *result.figures, sep="\n  ")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
