"""Compiles in a process of its own, so that what a compiler holds in memory goes with it.

    python -m pages.ui.server.compiler

Only at the first start on a machine, or after an update: what is compiled lies in numba's cache,
and the app reads it from there. It answers with a line for each call that is done.
"""

import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Final

from analytics import warm
from ingest.files import layout

_LOG: Final = logging.getLogger("pairdesk.pages")

ROOT: Final = Path(__file__).resolve().parents[3]
# Numba compiles for the processor that these name, where they are set.
_PROCESSOR_SET: Final = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")
SILENT_S: Final = 120.0  # one call takes 10 s on two cores


def calls() -> dict[warm.Part, list[warm.Call]]:
    """Return what each part calls; the first page may read files too."""
    parts = warm.calls()
    parts["live"].append(layout.warm_up)
    return parts


def begin() -> "subprocess.Popen[str] | None":
    """Begin the process; None where all is in the cache, or where none can be begun."""
    command = [sys.executable, "-m", "pages.ui.server.compiler"]
    if not mark().exists():
        with suppress(OSError):
            return subprocess.Popen(  # noqa: S603 - us
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
    return None


def answers(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield the answers of a process until it ends; one that is silent for long is ended."""
    assert process.stdout is not None
    while True:
        limit = threading.Timer(SILENT_S, _end, [process])
        limit.daemon = True
        limit.start()
        try:
            answer = process.stdout.readline()
        finally:
            limit.cancel()
        if not answer:
            return
        yield answer


def _end(process: "subprocess.Popen[str]") -> None:
    _LOG.warning(
        "The process that compiles the statistics made no progress for %g s: it is ended, and the"
        " app compiles them itself.",
        SILENT_S,
    )
    process.kill()


def mark() -> Path:
    """Name the file that says that these sources are compiled, in the cache that they lie in.

    For this processor: what an image brings that was made on another one is compiled again.
    """
    cache = os.environ.get("NUMBA_CACHE_DIR")
    sources = [*(ROOT / "analytics").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]
    stamps = sorted(
        (str(path.relative_to(ROOT)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sources
    )
    versions = sys.version, version("numba"), version("numpy")
    facts = repr((*versions, warm.compiled_for(), *map(os.environ.get, _PROCESSOR_SET), stamps))
    name = f"pairdesk-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.compiled"
    return (Path(cache) if cache else ROOT / "analytics/kernels/__pycache__") / name


def main() -> int:
    """Make all calls, then leave the mark; nothing where it is there."""
    made, answers = mark(), sys.stdout
    if made.exists():
        return 0
    for call in chain.from_iterable(calls().values()):
        with redirect_stdout(None):  # what a library says is no answer
            call()
        print("compiled", file=answers, flush=True)
    with suppress(OSError):  # a cache that is read only: the next start asks again
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
