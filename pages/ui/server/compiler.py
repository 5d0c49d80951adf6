"""Compiles in a process of its own, so that what a compiler holds in memory goes with it.

    python -m pages.ui.server.compiler [all]

Only at the first start on a machine, or after an update: what is compiled lies in numba's cache,
and the app reads it from there. It is told names of parts, a line each, and answers a line for
each function compiled and one when the part is done.
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

from analytics import warm
from analytics.warm import PARTS, Part

ROOT: Final = Path(__file__).resolve().parents[3]
COMPILED: Final = "compiled"
DONE: Final = "done"
END_WITHIN_S: Final = 10.0


@contextmanager
def elsewhere() -> Iterator[Callable[[Part], None] | None]:
    """Give what has a part compiled by another process; None where all is in the cache.

    Whatever that process fails in, the part is then compiled here.
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
        yield lambda part: _have_compiled(process, part)
    finally:
        with suppress(OSError, subprocess.TimeoutExpired):
            process.communicate(timeout=END_WITHIN_S)


def _have_compiled(process: "subprocess.Popen[str]", part: Part) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # it has ended
        process.stdin.write(f"{part}\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.strip() == DONE:
                return
            warm.count(part)


def mark() -> Path:
    """Name the file that says that these sources are compiled, in the cache that they lie in."""
    cache = os.environ.get("NUMBA_CACHE_DIR")
    sources = [*(ROOT / "analytics").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]
    stamps = sorted(
        (str(path.relative_to(ROOT)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sources
    )
    told = repr((sys.version, version("numba"), version("numpy"), stamps))
    name = f"pairdesk-{hashlib.sha256(told.encode()).hexdigest()[:16]}.compiled"
    return (Path(cache) if cache else ROOT / "analytics" / "__pycache__") / name


def ensure() -> None:
    """Have all compiled now, unless it is; an error of that process is the caller's."""
    if not mark().exists():
        command = [sys.executable, "-m", "pages.ui.server.compiler", "all"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - us


def main() -> int:
    """Compile what is asked for; once that was everything, leave the mark."""
    from ingest.files import layout  # noqa: PLC0415 - the app itself need not wait for it

    asked = PARTS if sys.argv[1:] == ["all"] else (line.strip() for line in sys.stdin)
    missing = set(PARTS)
    for part in asked:
        warm.run_part(cast("Part", part), lambda: print(COMPILED, flush=True))
        if part == "live":
            layout.warm_up()
        missing.discard(cast("Part", part))
        print(DONE, flush=True)
    if not missing:
        with suppress(OSError):  # a cache that is read only: the next start asks again
            mark().touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
