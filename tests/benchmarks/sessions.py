"""What one more reader costs the app, Streamlit's own run included: of the same pair, of another.

    python tests/benchmarks --only sessions [--quick]

The app records from the scripted exchange while Live pages are open that refresh each second,
spoken to by Streamlit's own protocol (`page_client`): one page, then several, by turns. First all
look at one pair of the two symbols recorded, so that words and figures are made once for them.
Then each looks at a pair of its own, of 200 symbols recorded, so that each refresh reads and
analyses a pair with a new bar and says everything anew. The browser's own requests for the chart's
points and the pill are not among it. The floor is the same of a script whose fragment writes one
line, under the same server.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench_row import Row, Samples, value_row
from desk.app_process import AppProcess, running_app, running_script
from desk.page_client import OpenPages, open_pages
from exchange.feeds import LiveFeed
from exchange.server import Exchange, ThreadedExchange
from exchange.synthetic import default_symbols

from ingest.store import TickWriter
from ingest.tick import Tick

SYMBOLS = ("BTCUSDT", "ETHUSDT")
QUERY = "interval=1s&window=60&lookback=30min"
HISTORY_S = 2_400
TRADES_A_SECOND = 2.0
MANY = 5
RECORDED, PAIRS = 200, 10

# Name in the address and query.
Page = tuple[str, str]
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
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        same = _same_pair_ms(folder / "same", quick)
        other = _other_pairs_ms(folder / "other", quick)
        floor = _bare_ms(folder, 1.0 if quick else 4.0)
    beneath = f"a fragment that writes one line costs Streamlit {floor.median:.1f} ms here"
    return [
        value_row(
            "page CPU per refresh of an extra session, Streamlit's run included", same,
            unit="ms CPU", at_most=10, floor=beneath,
            note=f"{MANY} pages against 1, a refresh a second each, 2 trades/s a leg",
        ),
        value_row(
            "page CPU per refresh of an extra session on another pair, 200 symbols recorded", other,
            unit="ms CPU", at_most=15, floor=beneath,
            note=f"{PAIRS} Live pages on as many pairs against 1, a refresh a second each over 30 "
            "min of 1-s bars, a new bar at each: read, analysed, said and sent. Streamlit's run "
            "included, the browser's requests for the chart's points are not",
        ),
    ]  # fmt: skip


def _same_pair_ms(folder: Path, quick: bool) -> Samples:
    pages = [("", QUERY)] * MANY
    feed = LiveFeed(TRADES_A_SECOND, history_s=HISTORY_S, after_clients=1)
    with _recording_app(folder, SYMBOLS, feed) as app:
        _load(app, pages[:1], 1.0)  # after a first page the rest is compiled
        app.settle()
        return _extra_ms(app, pages, *((1.0, 1) if quick else (4.0, 2)))


def _other_pairs_ms(folder: Path, quick: bool) -> Samples:
    pairs = 3 if quick else PAIRS
    count = 2 * pairs if quick else RECORDED
    symbols = [*SYMBOLS, *(f"C{number:03d}USDT" for number in range(2, count))]
    shown = symbols[: 2 * pairs]
    legs = zip(shown[::2], shown[1::2], strict=True)
    pages = [("", f"s1={y}&s2={x}&{QUERY}") for y, x in legs]
    with _recording_app(folder, symbols, _GoesOn(shown), stored=shown) as app:
        _load(app, pages[:1], 1.0)
        app.settle()
        return _extra_ms(app, pages, *((1.0, 1) if quick else (5.0, 7)))


class _GoesOn(LiveFeed):
    """A market that goes on after the trades of some symbols that are stored already."""

    def __init__(self, stored: Sequence[str]) -> None:
        super().__init__(TRADES_A_SECOND, after_clients=1)
        self._stored = stored

    def prepare(self, exchange: Exchange) -> None:
        super().prepare(exchange)
        for symbol in self._stored:
            exchange.venue.tapes[symbol].next_id = HISTORY_S + 1


def _store_history(path: Path, symbols: Sequence[str]) -> None:
    """Store a trade a second of each symbol up to now: REST's weight would take minutes for it."""
    known = default_symbols(list(symbols), TRADES_A_SECOND)
    steps = np.random.default_rng(1).normal(size=(HISTORY_S, len(known))).cumsum(axis=0) * 1e-5
    prices = np.round(np.exp(steps) * [each.price for each in known], 6).tolist()
    first_us = (int(time.time()) - HISTORY_S) * 1_000_000
    writer = TickWriter(path)
    writer.write(
        [
            Tick("spot", leg.name, "aggTrade", row + 1, price, 1.0, at_us, at_us + 1500, True)
            for row, line in enumerate(prices)
            for leg, price in zip(known, line, strict=True)
            for at_us in (first_us + row * 1_000_000,)
        ]
    )
    writer.close()


def _bare_ms(folder: Path, seconds: float) -> Samples:
    script = folder / "bare.py"
    script.write_text(BARE, encoding="utf-8")
    with running_script(folder, script) as bare:
        _load(bare, [("", "")], 1.0)
        return _extra_ms(bare, [("", "")] * MANY, seconds, 1)


@contextmanager
def _recording_app(
    folder: Path, symbols: Sequence[str], feed: LiveFeed, stored: Sequence[str] = ()
) -> Iterator[AppProcess]:
    folder.mkdir()
    if stored:
        _store_history(folder / "ticks.db", stored)
    with ThreadedExchange(symbols, feed=feed) as exchange:
        options = ["--db", folder / "ticks.db", "--symbols", ",".join(symbols)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(folder, *options) as app:
            yield app
            app.stop()


def _extra_ms(app: AppProcess, pages: Sequence[Page], seconds: float, turns: int) -> Samples:
    """CPU of one refresh of a page beside another, by turns of the first page and of all."""
    found = []
    for _ in range(turns):
        alone_s, alone = _load(app, pages[:1], seconds)
        beside_s, beside = _load(app, pages, seconds)
        found.append(1e3 * (beside_s - alone_s) / (beside - alone))
    return Samples.of(found)


def _load(app: AppProcess, pages: Sequence[Page], seconds: float) -> tuple[float, int]:
    """CPU seconds and refreshes of pages in a while, once all are open."""
    count = len(pages)
    with open_pages(app.url, pages, every_s=1.0) as seen:
        _wait(lambda: len(seen.opened) >= count and len(seen.refreshed) >= 2 * count, seen)
        before_s, refreshed = app.cpu_s() or 0.0, len(seen.refreshed)
        time.sleep(seconds)  # what is measured
        return (app.cpu_s() or 0.0) - before_s, len(seen.refreshed) - refreshed


def _wait(condition: Callable[[], bool], seen: OpenPages) -> None:
    end_s = time.monotonic() + 60.0
    while not condition():
        assert not seen.failures, seen.failures[0]
        assert time.monotonic() < end_s, "the pages did not open"
        time.sleep(0.02)  # the pages count, and tell nobody
