"""What the whole app holds on a long history: server, recorder and three pages that refresh.

    python tests/benchmarks --only app_memory [--quick]

``python app.py`` records on into a database that holds 50 M ticks: the scripted exchange's clock
and ids go on where the stored ones end, so that the pages' window of a day is full.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_row import Row, value_row
from desk.app_process import AppProcess, running_app
from desk.page_client import open_pages
from exchange.feeds import LiveFeed
from exchange.server import Exchange, ThreadedExchange
from long_store import DAY_TICKS, OLDER_TICKS, SYMBOLS, day_store, long_store, working_copy

from ingest.store import TickWriter

RATE = 20.0
PAGES = 3
WINDOWS = ("24h", "4h", "1h")
OPEN_WITHIN_S = 120.0


class _GoesOn(LiveFeed):
    """Trades whose ids follow those that are stored."""

    def __init__(self, last_ids: dict[str, int]) -> None:
        super().__init__(RATE, after_clients=1)
        self._last_ids = last_ids

    def prepare(self, exchange: Exchange) -> None:
        super().prepare(exchange)
        for symbol, last_id in self._last_ids.items():
            exchange.venue.tapes[symbol].next_id = last_id + 1


def rows(quick: bool) -> list[Row]:
    """Measure the app once, for a while."""
    day = day_store(10_000, 2_000) if quick else day_store(DAY_TICKS)
    stored = long_store(day, 50_000 if quick else OLDER_TICKS)
    seconds = 4.0 if quick else 24.0
    with (
        tempfile.TemporaryDirectory() as place,
        _recording_on(working_copy(stored, Path(place))) as app,
    ):
        taken = _while_pages_refresh(app, seconds)
        app.stop()
    middle = len(taken) // 2
    early, late = statistics.median(taken[:middle]), statistics.median(taken[middle:])
    note = f"{stored.ticks:,} ticks stored, {2 * RATE:g} trades/s, {PAGES} pages a second each"
    return [
        value_row(
            "memory of the app, three sessions, 50 M ticks stored", max(taken), unit="MB",
            at_most=600, note=f"most in {seconds:g} s, server and recorder included; {note}",
        ),
        value_row(
            "its growth from one half of that time to the other", late - early, unit="MB",
            at_most=10, note=f"median {early:.0f} and {late:.0f} MB, {min(taken):.0f} to"
            f" {max(taken):.0f} at any time",
        ),
    ]  # fmt: skip


@contextmanager
def _recording_on(database: Path) -> Iterator[AppProcess]:
    writer = TickWriter(database)
    edges = {key[1]: edge for key, edge in writer.edges().items()}
    writer.close()
    ahead_us = max(time_us for _, time_us in edges.values()) + 1_000_000 - time.time_ns() // 1000
    exchange = ThreadedExchange(
        SYMBOLS,
        feed=_GoesOn({symbol: last_id for symbol, (last_id, _) in edges.items()}),
        clock_us=lambda: time.time_ns() // 1000 + ahead_us,
    )
    with exchange:
        options = ["--db", database, "--symbols", ",".join(SYMBOLS)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(database.parent, *options) as app:
            yield app


def _while_pages_refresh(app: AppProcess, seconds: float) -> list[float]:
    """Give the resident memory, MB, twice a second from when all pages are open and drawn."""
    pages = [("", f"interval=1s&window=60&lookback={name}") for name in WINDOWS]
    taken = []
    with open_pages(app.url, pages, every_s=1.0) as seen:
        end_s = time.monotonic() + OPEN_WITHIN_S
        while len(seen.refreshed) < 2 * PAGES:
            assert not seen.failures, seen.failures[0]
            assert time.monotonic() < end_s, "the pages did not open"
            time.sleep(0.05)  # the pages count, and tell nobody
        app.settle(within_s=seconds)
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            taken.append((app.memory_bytes() or 0) / 1e6)
            time.sleep(0.5)  # from sample to sample
        assert not seen.failures, seen.failures[0]
    return taken
