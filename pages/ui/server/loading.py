"""What is loaded and compiled beside the server, so that it answers a second after its start.

Pages wait for the imports only, and for the compiled code that they need (`server.warming`).
"""

import asyncio
import gc
import importlib
import threading
from contextlib import nullcontext
from typing import Final

FIRST_PAGE_WITHIN_S: Final = 5.0
DRAWN_WITHIN_S: Final = 2.0  # by the browser, after the server is done
COLLECT_EVERY_S: Final = 10.0
# What only one page imports, with what is compiled for it.
BODIES: Final[dict[str, str]] = {
    "evidence": "pages.ui.evidence.body",
    "backtest": "pages.ui.backtest.body",
    "scan": "pages.ui.scanner.body",
}
# The heavy modules of the first page and of the light ones: no visitor waits for them. Not the
# pages themselves and not `streamlit_autorefresh`: those ask for a visitor when imported.
FIRST_IMPORTS: Final = (
    "plotly.graph_objects",
    "pages.charts.coverage_figure",
    "pages.charts.pair_figure",
    "pages.ui.live.body",
    "pages.ui.feed.body",
    "pages.ui.desk.file_choice",
)
_loaded = threading.Event()
_begun = threading.Lock()
_ending = threading.Event()


def begin() -> None:
    """Load what any page uses, then compile what is compiled, in a thread of its own; once.

    A daemon, so that stopping does not wait for it: compiling takes seconds at the very first
    start, while nothing is cached yet.
    """
    if _begun.acquire(blocking=False):
        threading.Thread(target=_load, name="pairdesk-warm-up", daemon=True).start()


async def collect_now_and_then() -> None:
    """Look for garbage every so often, instead of after every run of every page.

    Python itself looks where many objects are made; few large ones, as a page that was closed
    leaves them in cycles, it would not find for long.
    """
    while True:
        await asyncio.sleep(COLLECT_EVERY_S)
        gc.collect()


def end() -> None:
    """Say that the app ends: what is still being compiled may break off."""
    _ending.set()


def wait() -> None:
    """Wait until the imports are done, where they have begun: two threads must not share one."""
    if _begun.locked():
        _loaded.wait()


def _load() -> None:
    try:
        for name in FIRST_IMPORTS:
            _import(name)
        _keep_from_collector()
    finally:
        _loaded.set()  # what failed fails again where a page imports it, and is reported there
    _compile()


def _compile() -> None:
    """Compile beside the pages; what that leaves in memory stays for good."""
    from pages.ui.server import compiler  # noqa: PLC0415 - after the imports
    from pages.ui.server.compiling import PREPARATION  # noqa: PLC0415

    def after_each(part: str) -> None:
        if part == "live":  # all that the first page needs: it does not share its time
            PREPARATION.let_a_page_go_first(FIRST_PAGE_WITHIN_S, DRAWN_WITHIN_S)
        if part in BODIES:
            _import(BODIES[part])
        _keep_from_collector()

    try:
        with compiler.begin() or nullcontext() as process:
            PREPARATION.run(process and compiler.answers(process), after_each)
    except RuntimeError:
        if not _ending.is_set():  # an app that ends starts no more threads
            raise


def _import(name: str) -> None:
    """Import without looking for garbage meanwhile: none of it is."""
    gc.disable()
    try:
        importlib.import_module(name)
    finally:
        gc.enable()


def _keep_from_collector() -> None:
    """Freeze what lives now: a collection holds all threads up for as long as it looks at it."""
    gc.collect()
    gc.freeze()
