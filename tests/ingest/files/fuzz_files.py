"""Mutated files through every reader: no traceback, no wrong total, no more than a file may cost.

    python tests/ingest/files/fuzz_files.py --count 100000 --seed 1

Each file is a good one of some shape, damaged in one to four ways, packed or not, and packed files
are damaged too. A file must give ticks (or closes) or an `IngestError`, within 10 s of processor
time and 200 MB; the rows kept and dropped must be the rows read, and these the rows that an
independent count finds. Ends with exit code 1 and the files in `--keep` where one did not.
"""

import argparse
import gzip
import io
import json
import random
import resource
import signal
import sys
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import pandas as pd

from analytics.bars import resample_ticks
from analytics.silence import recording_gaps
from ingest.errors import IngestError
from ingest.files import layout, read_ticks
from ingest.files.array import is_array
from pages.ui.scanner.files import read_closes

MAX_CPU_S = 10
MAX_BYTES = 200 * 2**20
START_MS = 1_765_892_498_000
NAMES = ("BTCUSDT-aggTrades-2025-12-16.csv", "ETHUSDT-trades-1.zip", "a.csv.gz", "mine", "b.json")


# --- good files ----------------------------------------------------------------------------------


def records(rng: random.Random, count: int) -> list[dict[str, object]]:
    start_ms = START_MS + rng.randrange(10**6)
    return [
        {
            "symbol": rng.choice(("BTCUSDT", "ETHUSDT", "币安人生USDT")),
            "ts": start_ms + 137 * n,
            "price": round(rng.uniform(1e-6, 9e4), 8),
            "size": rng.choice((0, 0.003, 1, 250.75)),
            "id": 1000 + n,
        }
        for n in range(count)
    ]


def ndjson(rng: random.Random, count: int) -> str:
    keys = rng.choice((("symbol", "ts", "price", "size"), ("symbol", "ts", "price", "size", "id")))
    iso = rng.random() < 0.5
    lines = []
    for row in records(rng, count):
        if iso:
            row["ts"] = pd.Timestamp(int(str(row["ts"])), unit="ms").isoformat() + "Z"
        lines.append(json.dumps({key: row[key] for key in keys}))
    return rng.choice(("\n", ",\n", "\r\n", "\n\n")).join(lines)


def array(rng: random.Random, count: int) -> str:
    return json.dumps(records(rng, count), indent=rng.choice((None, None, 2)))


def frames(rng: random.Random, count: int) -> str:
    kind, letter = rng.choice((("aggTrade", "a"), ("trade", "t")))
    lines = []
    for n, row in enumerate(records(rng, count)):
        event = {
            "e": kind, "E": row["ts"], "s": "BTCUSDT", letter: n, "p": str(row["price"]),
            "q": str(row["size"]), "f": n, "l": n, "T": row["ts"], "m": True, "M": True,
        }  # fmt: skip
        wrapped = {"stream": f"btcusdt@{kind}", "data": event}
        lines.append(json.dumps(rng.choice((event, wrapped)), separators=(",", ":")))
    return "\n".join(lines)


def table(rng: random.Random, count: int) -> str:
    mark = rng.choice((",", ";", "\t", "|"))
    comma = mark != "," and rng.random() < 0.5
    lines = [mark.join(("id", "symbol", "time", "price", "qty"))]
    for row in records(rng, count):
        cells = [str(row[key]) for key in ("id", "symbol", "ts", "price", "size")]
        lines.append(mark.join(cell.replace(".", ",") if comma else cell for cell in cells))
    return rng.choice(("\n", "\r\n")).join(lines) + rng.choice(("", "\n"))


def dump(rng: random.Random, count: int) -> str:
    aggregated = rng.random() < 0.5
    lines = []
    for n, row in enumerate(records(rng, count)):
        more = f"{n},{n}" if aggregated else "1.5"
        lines.append(f"{n},{row['price']},{row['size']},{more},{row['ts']},True,True\n")
    return "".join(lines)


def closes(rng: random.Random, count: int) -> str:
    lines = [
        f"{START_MS + 60_000 * n},{rng.random():.5f},{rng.random():.5f}," for n in range(count)
    ]
    return "\n".join(["time,A,B,C", *lines])


SHAPES = (ndjson, array, frames, table, dump, closes)


# --- and how they are damaged --------------------------------------------------------------------


EVIL = (
    b"", b"\0", b"\n", b"\r", b"\n\n", b",", b";", b'"', b"'", b"\\", b"{", b"}", b"[", b"]",
    b"},{", b'"}', b"\xff", b"\xef\xbb\xbf", "é１".encode(), b"NaN", b"null", b"true", b"-1", b"0",
    b"1e999",
    b"1e-400", b"1.76589E+15", b"41:38.7", b"87.006,4", b"9" * 30, b"9" * 5000,
    b"2025-02-30T00:00:00Z",
    b"1e308", b"18446744073709551616", b"\x1f\x8b", b"PK\x03\x04", b"SQLite format 3\0", b" ",
    b"\t",
    b'{"result":null,"id":1}', b"=1+1", b"a,b,c", b"time,price,qty,symbol\n", b"# ",
)  # fmt: skip


def flip(rng: random.Random, text: bytearray) -> None:
    for _ in range(rng.randint(1, 8)):
        text[rng.randrange(len(text))] = rng.randrange(256)


def insert(rng: random.Random, text: bytearray) -> None:
    at = rng.randrange(len(text) + 1)
    text[at:at] = rng.choice(EVIL) * rng.choice((1, 1, 1, 3, 50))


def replace(rng: random.Random, text: bytearray) -> None:
    at = rng.randrange(len(text))
    text[at : at + rng.randint(1, 12)] = rng.choice(EVIL)


def delete(rng: random.Random, text: bytearray) -> None:
    at = rng.randrange(len(text))
    del text[at : at + rng.choice((1, 1, 5, 60, 2000))]


def cut(rng: random.Random, text: bytearray) -> None:
    at = rng.randrange(len(text) + 1)
    text[:] = text[:at] if rng.random() < 0.7 else text[at:]


def copy(rng: random.Random, text: bytearray) -> None:
    start = rng.randrange(len(text))
    part = text[start : start + rng.choice((5, 80, 400))]
    at = rng.randrange(len(text) + 1)
    text[at:at] = part * rng.choice((1, 2, 30))


def everywhere(rng: random.Random, text: bytearray) -> None:
    """Replace a byte or a word all through the file, as a careless tool does."""
    old = rng.choice((b",", b":", b'"', b"\n", b".", b"BTCUSDT", b"symbol", b"1", b"}", b" "))
    text[:] = text.replace(old, rng.choice(EVIL)[:40], rng.choice((-1, -1, 5)))


def swell(rng: random.Random, text: bytearray) -> None:
    """Make a large file of a small piece, at most 3 MB."""
    start = rng.randrange(len(text))
    part = bytes(text[start : start + rng.choice((1, 2, 60, 300))])
    at = rng.randrange(len(text) + 1)
    text[at:at] = part * (rng.choice((10_000, 100_000, 3 * 2**20)) // max(len(part), 1))


MUTATIONS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    *(flip, insert, replace, delete, cut, copy) * 6, everywhere, everywhere, swell,
)  # fmt: skip


def mutated(rng: random.Random, content: bytes, most: int) -> bytes:
    text = bytearray(content)
    for _ in range(rng.randint(0, most)):
        if text:
            rng.choice(MUTATIONS)(rng, text)
    return bytes(text)


def packed(rng: random.Random, text: bytes) -> bytes:
    how = rng.random()
    if how < 0.5:
        content = gzip.compress(text, compresslevel=1, mtime=0)
        return content * rng.choice((1, 1, 2))
    file = io.BytesIO()
    method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(rng.choice((1, 1, 1, 2, 5))):
            member = zipfile.ZipInfo(f"{rng.choice(NAMES)}{number}", (2025, 12, 16, 0, 0, 0))
            member.compress_type = method
            archive.writestr(member, text)
    return file.getvalue()


@dataclass(frozen=True)
class Case:
    """A file to read: its content, its name, and its text where it is not packed."""

    content: bytes
    name: str
    text: bytes | None
    is_closes: bool
    symbol: str | None


def case(seed: int, number: int) -> Case:
    rng = random.Random(f"{seed}/{number}")
    make = rng.choice(SHAPES)
    text = mutated(rng, make(rng, rng.choice((1, 3, 30, 200))).encode(), 4)
    name, symbol = rng.choice(NAMES), rng.choice((None, "ETHBTC"))
    is_closes = make is closes and rng.random() < 0.8
    if rng.random() < 0.5:
        return Case(text, name, text, is_closes, symbol)
    content = mutated(rng, packed(rng, text), rng.choice((0, 1, 1)))
    return Case(content, name, None, is_closes, symbol)


# --- and what must hold --------------------------------------------------------------------------


def check(each: Case) -> str:
    """Read it and check all that can be checked; how it ended."""
    file = io.BytesIO(each.content)
    file.name = each.name
    try:
        if each.is_closes:
            frame = read_closes(file, each.name)
            assert frame.index.is_monotonic_increasing
            return "closes"
        ticks = read_ticks(file, symbol=each.symbol)
    except IngestError as error:
        return f"{type(error).__name__} of several lines" if "\n" in str(error) else "refused"
    check_ticks(ticks)
    if each.text is not None:
        check_rows(each.text, ticks.attrs["report"].rows_read)
    return "ticks"


def check_ticks(ticks: pd.DataFrame) -> None:
    report = ticks.attrs["report"]
    assert report.kept == len(ticks) == sum(report.symbols.values()), "kept is not what is there"
    assert report.rows_read == report.kept + sum(report.dropped.values()), "a wrong total"
    assert ticks.index.is_monotonic_increasing
    assert ((ticks["price"] > 0) & (ticks["quantity"] > 0)).all()
    assert all(message.isprintable() for message in report.sentences())
    recording_gaps(ticks)
    if (ticks.index[-1] - ticks.index[0]).days < 10:
        for symbol in list(report.symbols)[:3]:
            mine = ticks[ticks["symbol"] == symbol]
            bars = resample_ticks(mine, "1min")
            if (bars["coverage"] != "missing").all():
                assert bars["trades"].sum() == len(mine), "bars of other trades"


def check_rows(text: bytes, rows_read: int) -> None:
    """Compare with a count of lines; an array's rows are no lines."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    lines = [line.strip() for line in text.split(b"\n")]
    filled = sum(bool(line) for line in lines)
    if is_array(text[: 64 * 1024]):
        return
    as_json = sum(line.rstrip(b", \t") not in {b"", b"[", b"]"} for line in lines)
    assert rows_read in {as_json, filled, filled - 1}, f"{rows_read} rows of {filled} lines"


@dataclass
class Outcome:
    """What a run came to."""

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    longest_s: float = 0.0
    most_bytes: int = 0


def run(seed: int, numbers: range, keep: Path | None = None, every: int = 0) -> Outcome:
    """Read the files of these numbers; faults are those that broke a promise."""
    outcome = Outcome()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in numbers:
            each = case(seed, number)
            before, begun_s = _forget_peak(), time.process_time()
            try:
                with _within(MAX_CPU_S):
                    outcome.ends[check(each)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                outcome.faults.append((number, traceback.format_exc(limit=-6)))
            took_s = time.process_time() - begun_s
            rose = _peak_bytes() - before
            outcome.longest_s = max(outcome.longest_s, took_s)
            outcome.most_bytes = max(outcome.most_bytes, rose)
            if rose > MAX_BYTES:
                outcome.faults.append((number, f"took {rose:,} bytes"))
            if keep is not None and outcome.faults and outcome.faults[-1][0] == number:
                (keep / f"fuzz-{seed}-{number}").write_bytes(each.content)
            if every and (number + 1) % every == 0:
                print(number + 1, summary(outcome), flush=True)
    return outcome


def summary(outcome: Outcome) -> str:
    ends = ", ".join(f"{count:,} {name}" for name, count in outcome.ends.most_common())
    return (
        f"{ends}; {len(outcome.faults)} faults; longest {outcome.longest_s:.2f} s of processor "
        f"time, most memory {outcome.most_bytes / 2**20:.0f} MB"
    )


@contextmanager
def _within(cpu_s: float) -> Iterator[None]:
    def ended(*_: object) -> None:
        raise TimeoutError(f"more than {cpu_s} s of processor time")

    before = signal.signal(signal.SIGVTALRM, ended)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> int:
    """Memory in use; the mark of the most starts again from it (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS:")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _peak_bytes() -> int:
    with suppress(OSError):
        return _status("VmHWM:")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description="Read mutated files.")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for files that broke a promise")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    layout.warm_up()
    numbers = range(options.first, options.first + options.count)
    outcome = run(options.seed, numbers, options.keep, every=max(options.count // 20, 1))
    for number, fault in outcome.faults[:20]:
        print(f"--- {options.seed}/{number}\n{fault}")
    print(summary(outcome))
    return int(bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())
