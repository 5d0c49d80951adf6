"""An import killed at random moments, over and over: each file whole, and all rows in the end.

    python tests/faults/history/lake_kills.py [--kills 1000] [--seed 1]

A life is a fork of this process, which has everything imported: it begins to import one of several
dumps into one lake, and is killed at any moment of that.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:1] = map(str, Path(__file__).resolve().parents[2:4])

import numpy as np
from cases import dump_files

from faults.result import Result, at_least, equal, told
from ingest.errors import LakeError
from ingest.history.dumps import import_dump
from ingest.store.connecting import EVER_S
from ingest.store.lake import Lake, TradeColumns
from ingest.store.lake.index import FolderIndex
from ingest.store.pieces import LakeStream

SYMBOLS = ("AAAUSDT", "BBBUSDT")
DAYS = 6.0
EVER = (0, 2**62)  # µs


@dataclass
class Dump:
    """A dump, and what is in it."""

    path: Path
    stream: LakeStream
    trades: TradeColumns

    def missing(self, lake: Lake) -> tuple[int, int]:
        """Rows of it that the lake lacks, and rows that it holds too many."""
        held = lake.ticks(self.stream, *EVER).trade_id
        given = self.trades.trade_id
        return int(np.setdiff1d(given, held).size), int(held.size - np.unique(held).size)


@dataclass
class Seen:
    """What was found after each kill."""

    unreadable: int = 0
    untrue: int = 0
    lost: int = 0
    doubled: int = 0
    grown: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def look(self, root: Path, dumps: list[Dump]) -> None:
        """Read every file; hold the index to a new one; hold the rows to those of the dumps."""
        lake = Lake(root)
        try:
            for dump in dumps:
                self._look_at(lake, dump)
        except LakeError:
            self.unreadable += 1
        for folder in {path.parent.parent for path in root.rglob("*.parquet")}:
            kept, made = FolderIndex(folder).listing().files, _without_cache(folder)
            self.untrue += kept != made

    def _look_at(self, lake: Lake, dump: Dump) -> None:
        held = lake.ticks(dump.stream, *EVER)
        before = self.rows.get(dump.stream.symbol, 0)
        told_rows = sum(each.rows for each in lake.holdings() if each.symbol == dump.stream.symbol)
        count = held.trade_id.size
        self.untrue += told_rows != count
        self.lost += max(before - count, 0)
        self.doubled += count - np.unique(held.trade_id).size
        self.grown += count > before
        self.rows[dump.stream.symbol] = count
        pieces = lake.pieces(dump.stream)
        for length in pieces.lengths():
            known = pieces.read(length, *EVER_S)
            inside = sum(high - low for low, high in known.known)
            self.untrue += known.rows.size * length > inside


def kill_while_importing(folder: Path, *, kills: int, seed: int, rows: int = 60_000) -> Result:
    """Kill the import `kills` times, look at the lake each time; then import all once more.

    A lake that is whole is begun anew, so that the kills go on.
    """
    rng, seen = random.Random(seed), Seen()
    dumps = [_dump(folder, symbol, rows, seed + number) for number, symbol in enumerate(SYMBOLS)]
    begun_s = time.perf_counter()
    import_dump(folder / "warm", dumps[0].path)  # everything imported and compiled
    usual_s = _usual_s(folder, dumps[0])
    lakes, root, whole = 0, folder / "lake-0", 0
    for number in range(kills):
        dump = dumps[number % len(dumps)]
        _live(root, dump, rng.uniform(0.0, usual_s))
        seen.look(root, dumps)
        if all(seen.rows[each.stream.symbol] == rows for each in dumps):
            whole += _import_again(root, dumps, seen)
            lakes += 1
            root, seen.rows = folder / f"lake-{lakes}", {}
    whole += _import_again(root, dumps, seen)
    return Result(
        f"an import killed {kills} times in {time.perf_counter() - begun_s:.0f} s",
        seed,
        (
            told("lakes begun", lakes + 1),
            at_least("lives that stored something", seen.grown, kills // 20),
            equal("lakes that could not be read", seen.unreadable, 0),
            equal("indexes or manifests that were not true", seen.untrue, 0),
            equal("stored rows lost", seen.lost, 0),
            equal("rows doubled", seen.doubled, 0),
            equal("lakes not whole after importing again", lakes + 1 - whole, 0),
        ),
    )


def _dump(folder: Path, symbol: str, rows: int, seed: int) -> Dump:
    trades = dump_files.walk(rows, days=DAYS, seed=seed)
    path = dump_files.write_agg_dump(folder / f"{symbol}-aggTrades-2024-10.zip", trades)
    return Dump(path, LakeStream("spot", symbol, "aggTrade"), trades)


def _usual_s(folder: Path, dump: Dump) -> float:
    begun_s = time.perf_counter()
    import_dump(folder / "usual", dump.path)
    return time.perf_counter() - begun_s


def _live(root: Path, dump: Dump, for_s: float) -> None:
    """Import in a process of its own, and kill it."""
    pid = os.fork()
    if pid == 0:
        try:
            import_dump(root, dump.path)
        finally:
            os._exit(0)
    time.sleep(for_s)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _import_again(root: Path, dumps: list[Dump], seen: Seen) -> bool:
    """Import everything once more; whether all is there, once, with bars, and nothing is left."""
    for dump in dumps:
        import_dump(root, dump.path)
    lake, whole = Lake(root), True
    for dump in dumps:
        lost, doubled = dump.missing(lake)
        seen.lost += lost
        seen.doubled += doubled
        pieces = lake.pieces(dump.stream)
        whole &= not lost and all(len(pieces.known(each, *EVER_S)) == 1 for each in (1, 60, 3600))
    return whole and not list(root.rglob("*.unfinished"))


def _without_cache(folder: Path) -> object:
    index = folder / ".index"
    content = index.read_bytes() if index.exists() else None
    index.unlink(missing_ok=True)
    made = FolderIndex(folder).listing().files
    if content is not None:
        index.write_bytes(content)
    return made


def main() -> int:
    """Run the long form and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = kill_while_importing(Path(folder), kills=options.kills, seed=options.seed)
    print(result.done)
    for figure in result.figures:
        print(f"  {'ok  ' if figure.met else 'FAIL'} {figure}")
    return int(not result.passed)


if __name__ == "__main__":
    raise SystemExit(main())
