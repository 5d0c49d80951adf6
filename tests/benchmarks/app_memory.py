"""What the whole app holds: on a long history, and on a market of 400 symbols.

    python tests/benchmarks --only app_memory [--quick]

``python app.py`` records on into a database that holds 50 M ticks: the scripted exchange's clock
and ids go on where the stored ones end, so that the pages' window of a day is full. Then it records
1-min bars of 400 symbols, a day of them stored, while Live, Scanner and Watch (100 pairs) are open.
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from bench_row import Row, value_row
from desk.app_process import AppProcess, running_app
from desk.page_client import OpenPages, open_pages
from exchange.feeds import LiveFeed
from exchange.server import Exchange, ThreadedExchange
from long_store import DAY_TICKS, OLDER_TICKS, SYMBOLS, day_store, long_store, working_copy

from ingest.binance import Kline
from ingest.store import TickWriter
from ingest.tick import StreamKey
from ingest.watch import WatchedPair, WatchList
from ingest.watch.watch_file import write_watch

RATE = 20.0
PAGES = 3
MARKET = 400
MINUTE_US = 60_000_000
WATCHED = 100
MOST_MARKET_MB = 900
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
    """Measure each app once, for a while."""
    return [*_long_rows(quick), *_market_rows(quick)]


def _long_rows(quick: bool) -> list[Row]:
    day = day_store(10_000, 2_000) if quick else day_store(DAY_TICKS)
    stored = long_store(day, 50_000 if quick else OLDER_TICKS)
    seconds = 4.0 if quick else 24.0
    with (
        tempfile.TemporaryDirectory() as place,
        _recording_on(working_copy(stored, Path(place))) as app,
    ):
        pages = [("", f"interval=1s&window=60&lookback={name}") for name in WINDOWS]
        with _refreshing(app, pages, seconds):
            taken = _memory_mb(app, seconds)
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


def _market_rows(quick: bool) -> list[Row]:
    """Record a whole market."""
    count, bars, seconds = (6, 60, 2.0) if quick else (MARKET, 1_440, 20.0)
    symbols = [f"S{number:03d}USDT" for number in range(count)]
    pairs = itertools.islice(itertools.combinations(symbols, 2), WATCHED)
    watched = tuple(WatchedPair(y, x, interval="1min", window=30) for y, x in pairs)
    live = f"s1={symbols[0]}&s2={symbols[1]}&interval=1min&lookback=24h&window=30"
    pages = [("", live), ("scanner", ""), ("watch", "list=all")]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _store_bars(folder / "ticks.db", symbols, bars)
        (folder / "watch.json").write_text(write_watch([WatchList("all", watched)], (), ()))
        with _following_all(folder, symbols) as app:
            before = (app.memory_bytes() or 0) / 1e6
            with _refreshing(app, pages, seconds) as seen:
                taken = _memory_mb(app, seconds)
    scanned = f"{count * (count - 1) // 2:,}"
    assert any(scanned in each for each in seen.texts), "the scanner has no scan"
    return [
        value_row(
            f"memory of the app, bars of {count} symbols recorded, Live, Scanner and Watch open",
            max(taken), unit="MB", at_most=MOST_MARKET_MB,
            note=f"most in {seconds:g} s; {count * bars:,} 1-min bars stored, {len(watched)} pairs"
            f" watched; {before:.0f} MB before a page was open, median"
            f" {statistics.median(taken):.0f}",
        ),
    ]  # fmt: skip


def _store_bars(path: Path, symbols: Sequence[str], bars: int) -> None:
    """Store minutes up to now, as REST would have brought them."""
    steps = np.random.default_rng(1).normal(size=(len(symbols), bars)).cumsum(axis=1) * 1e-4
    first_us = time.time_ns() // 1000 // MINUTE_US * MINUTE_US - bars * MINUTE_US
    klines: dict[StreamKey, list[Kline]] = {}
    for symbol, path_of in zip(symbols, (100 * np.exp(steps)).round(4).tolist(), strict=True):
        opens_us = range(first_us, first_us + bars * MINUTE_US, MINUTE_US)
        klines["spot", symbol, "aggTrade"] = [
            Kline(at_us, price, price, price, price, 1.0, 1, at_us + MINUTE_US - 1)
            for at_us, price in zip(opens_us, path_of, strict=True)
        ]
    with closing(TickWriter(path)) as writer:
        writer.add_all_klines(60, klines)


@contextmanager
def _following_all(folder: Path, symbols: Sequence[str]) -> Iterator[AppProcess]:
    with ThreadedExchange(symbols, feed=LiveFeed(0.2, after_clients=1)) as exchange:
        options = ["--db", folder / "ticks.db", "--watch", folder / "watch.json"]
        options += ["--universe", "USDT", "--universe-bars", "1m"]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(folder, *options) as app:
            yield app
            app.stop()


@contextmanager
def _refreshing(
    app: AppProcess, pages: Sequence[tuple[str, str]], seconds: float
) -> Iterator[OpenPages]:
    """Keep pages open that refresh each second, from when all are drawn."""
    with open_pages(app.url, pages, every_s=1.0) as seen:
        _wait_for(seen, 2 * PAGES)
        app.settle(within_s=seconds)
        yield seen
        assert not seen.failures, seen.failures[0]


def _wait_for(seen: OpenPages, refreshes: int) -> None:
    end_s = time.monotonic() + OPEN_WITHIN_S
    while len(seen.refreshed) < refreshes:
        assert not seen.failures, seen.failures[0]
        assert time.monotonic() < end_s, "the pages did not open"
        time.sleep(0.05)  # the pages count, and tell nobody


def _memory_mb(app: AppProcess, seconds: float) -> list[float]:
    """Give the resident memory, MB, twice a second."""
    taken, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        taken.append((app.memory_bytes() or 0) / 1e6)
        time.sleep(0.5)  # from sample to sample
    return taken
