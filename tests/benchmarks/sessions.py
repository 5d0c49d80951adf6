"""What one more reader of the same pair costs the app, Streamlit's own run included.

    python tests/benchmarks --only sessions [--quick]

The app records from the scripted exchange while pages are open that refresh each second, spoken to
by Streamlit's own protocol (`page_client`): one page, then five, by turns. The floor is the same of
a script whose fragment writes one line, under the same server.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_row import Row, Samples, value_row
from desk.app_process import AppProcess, running_app, running_script
from desk.page_client import OpenPages, open_pages
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

SYMBOLS = ("BTCUSDT", "ETHUSDT")
QUERY = "interval=1s&window=60&lookback=30min"
HISTORY_S = 2_400
MANY = 5
BARE = """
import gc
import streamlit as st
from streamlit_autorefresh import st_autorefresh

@st.cache_resource
def once():
    gc.collect()
    gc.freeze()

once()

@st.fragment
def live():
    st.session_state.drawn = st.session_state.get("drawn", 0) + 1
    st.html("<p>drawn %d</p>" % st.session_state.drawn)
    st_autorefresh(1000, key="timer")

live()
"""


def rows(quick: bool) -> list[Row]:
    """Measure the app and a bare script."""
    seconds, turns = (1.0, 1) if quick else (4.0, 2)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _recording_app(folder / "app") as app:
            _load(app, ("", QUERY), 1, 1.0)  # after a first page the rest is compiled
            app.settle()
            ours = _extra_ms(app, ("", QUERY), seconds, turns)
            app.stop()
        script = folder / "bare.py"
        script.write_text(BARE, encoding="utf-8")
        with running_script(folder, script) as bare:
            _load(bare, ("", ""), 1, 1.0)
            floor = _extra_ms(bare, ("", ""), seconds, 1)
    return [
        value_row(
            "page CPU per refresh of an extra session, Streamlit's run included", ours,
            unit="ms CPU", at_most=10,
            note=f"{MANY} pages against 1, a refresh a second each, 2 trades/s a leg",
            floor=f"a fragment that writes one line costs Streamlit {floor.median:.1f} ms here",
        )
    ]  # fmt: skip


@contextmanager
def _recording_app(folder: Path) -> Iterator[AppProcess]:
    folder.mkdir()
    feed = LiveFeed(2.0, history_s=HISTORY_S, after_clients=1)
    with ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        options = ["--db", folder / "ticks.db", "--symbols", ",".join(SYMBOLS)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(folder, *options) as app:
            yield app


def _extra_ms(app: AppProcess, page: tuple[str, str], seconds: float, turns: int) -> Samples:
    """CPU of one refresh of a page beside another, by turns of one page and of several."""
    found = []
    for _ in range(turns):
        alone_s, alone = _load(app, page, 1, seconds)
        beside_s, beside = _load(app, page, MANY, seconds)
        found.append(1e3 * (beside_s - alone_s) / (beside - alone))
    return Samples.of(found)


def _load(app: AppProcess, page: tuple[str, str], pages: int, seconds: float) -> tuple[float, int]:
    """CPU seconds and refreshes of so many pages in a while, once all are open."""
    with open_pages(app.url, [page] * pages, every_s=1.0) as seen:
        _wait(lambda: len(seen.opened) >= pages and len(seen.refreshed) >= 2 * pages, seen)
        before_s, refreshed = app.cpu_s() or 0.0, len(seen.refreshed)
        time.sleep(seconds)
        return (app.cpu_s() or 0.0) - before_s, len(seen.refreshed) - refreshed


def _wait(condition: Callable[[], bool], seen: OpenPages) -> None:
    end_s = time.monotonic() + 60.0
    while not condition():
        assert not seen.failures, seen.failures[0]
        assert time.monotonic() < end_s, "the pages did not open"
        time.sleep(0.02)
