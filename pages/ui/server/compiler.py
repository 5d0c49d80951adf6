"""Compiles in a process of its own, so that what a compiler holds in memory goes with it.

    python -m pages.ui.server.compiler

Only at the first start on a machine, or after an update: what is compiled lies in numba's cache,
and the app reads it from there. It answers with a line for each call that is done.
"""

import hashlib
import os
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from analytics.warm import PARTS, Call, Part, calls_of
from ingest.files import layout

ROOT: Final = Path(__file__).resolve().parents[3]


def calls() -> dict[Part, list[Call]]:
    """Return what each part calls; the first page may read files too."""
    return {
        part: [*calls_of(part), *([layout.warm_up] if part == "live" else [])] for part in PARTS
    }


def begin() -> "subprocess.Popen[str] | None":
    """Begin the process; None where all is in the cache, or where none can be begun."""
    command = [sys.executable, "-m", "pages.ui.server.compiler"]
    if not mark().exists():
        with suppress(OSError):
            return subprocess.Popen(  # noqa: S603 - us
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
    return None


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
    """Make all calls, then leave the mark; nothing where it is there."""
    made, answers = mark(), sys.stdout
    if made.exists():
        return 0
    for call in (each for part in calls().values() for each in part):
        with redirect_stdout(None):  # what a library says is no answer
            call()
        print("compiled", file=answers, flush=True)
    with suppress(OSError):  # a cache that is read only: the next start asks again
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
