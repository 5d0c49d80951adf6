"""Compiles in a process of its own, so that what a compiler holds in memory goes with it.

    python -m pages.ui.server.compiler [all]

Only at the first start on a machine, or after an update: what is compiled lies in numba's cache,
and the app reads it from there. It reads names of parts, a line each, and answers with the number
of calls that are done, from 0, and a last line when the part is.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast

from analytics.warm import PARTS, Part, calls_of
from ingest.files import layout

ROOT: Final = Path(__file__).resolve().parents[3]
DONE: Final = "done"
END_WITHIN_S: Final = 10.0


@contextmanager
def child_process(
    count: Callable[[Part, int], object],
) -> Iterator[Callable[[Part], None] | None]:
    """Give what has a part compiled by another process; None where all is in the cache.

    `count` is called with the number of a part's calls that are done. Whatever that process fails
    in, the caller compiles as it calls it.
    """
    if mark().exists():
        yield None
        return
    command = [sys.executable, "-m", "pages.ui.server.compiler"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - us
            command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        yield None
        return
    try:
        yield lambda part: _compile(process, part, count)
    finally:
        with suppress(OSError, subprocess.TimeoutExpired):
            process.communicate(timeout=END_WITHIN_S)


def _compile(
    process: "subprocess.Popen[str]", part: Part, count: Callable[[Part, int], object]
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # it has ended
        process.stdin.write(f"{part}\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.strip() == DONE:
                return
            if line.strip().isdecimal():  # else a word of what runs there, and not of ours
                count(part, int(line))


def prepare(part: Part) -> Iterator[int]:
    """Make a part's calls in this process; yield how many are done, from 0."""
    done = 0
    for done, call in enumerate(calls_of(part)):
        yield done
        call()
    if part == "live":
        layout.warm_up()
    yield done + 1


def mark() -> Path:
    """Name the file that says that these sources are compiled, in the cache that they lie in."""
    cache = os.environ.get("NUMBA_CACHE_DIR")
    sources = [*(ROOT / "analytics").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]
    stamps = sorted(
        (str(path.relative_to(ROOT)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sources
    )
    facts = repr((sys.version, version("numba"), version("numpy"), stamps))
    name = f"pairdesk-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.compiled"
    return (Path(cache) if cache else ROOT / "analytics/kernels/__pycache__") / name


def main() -> int:
    """Compile what is asked for; once that was everything, leave the mark."""
    everything = sys.argv[1:] == ["all"]
    if everything and mark().exists():
        return 0
    missing = set(PARTS)
    for name in PARTS if everything else (line.strip() for line in sys.stdin):
        part = cast("Part", name)
        for done in prepare(part):
            print(done, flush=True)
        missing.discard(part)
        print(DONE, flush=True)
    if not missing:
        with suppress(OSError):  # a cache that is read only: the next start asks again
            mark().parent.mkdir(parents=True, exist_ok=True)
            mark().touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
