"""The app as its users run it, at high rates and for long, with pages open and refreshing."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from desk.app_process import AppProcess, running_app
from desk.page_client import OpenPages, open_pages
from exchange.feeds import LiveFeed
from exchange.market import Trade
from exchange.server import Exchange, ThreadedExchange

from faults.children import SYMBOLS
from faults.process import stored_counts, stored_ids
from faults.result import Figure, Result, at_least, at_most, equal, holds, quantile, told
from faults.storage import until

# Three readers: two on the pair, each its own way, and one on the recorder.
PAGES = (("", "?lookback=5min"), ("", "?window=60&interval=5s&spread=log"), ("feed", ""))
SAMPLE_EVERY_S = 5.0


@contextmanager
def recording_app(exchange: ThreadedExchange, database: Path) -> Iterator[AppProcess]:
    """Run the app against the exchange; gives it once it is subscribed."""
    options = ["--db", database, "--symbols", ",".join(SYMBOLS)]
    options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
    with running_app(database.parent, *options) as app:
        exchange.wait_for_subscribers(1, timeout_s=60.0)
        yield app


def missing_and_made_up(exchange: ThreadedExchange, database: Path) -> tuple[int, int]:
    """Count the exchange's trades that are not stored, and stored ones that it never had."""
    found = stored_ids(database)
    wanted = {each: {t.trade_id for t in exchange.trades(each)} for each in SYMBOLS}
    missing = sum(len(wanted[each].difference(found[each])) for each in SYMBOLS)
    return missing, sum(len(set(found[each]) - wanted[each]) for each in SYMBOLS)


def health(app: AppProcess) -> dict[str, object]:
    """Give what the app tells monitors; a bad state is an error."""
    told_now: dict[str, object] = json.loads(app.answer("healthz"))
    return told_now


def page_figures(seen: OpenPages, least: float) -> list[Figure]:
    """Judge what the open pages were sent."""
    took_s = [each.seconds for each in seen.refreshed]
    size = sum(each.bytes for each in seen.refreshed) / max(1, len(seen.refreshed))
    return [
        holds("pages that failed", seen.failures[:2] or 0, not seen.failures, "0"),
        at_least("refreshes", len(seen.refreshed), least),
        told("refresh p50 and p99, ms", f"{_ms(took_s, 0.5)} and {_ms(took_s, 0.99)}"),
        told("kB a refresh", round(size / 1000, 1)),
    ]


def _ms(values_s: list[float], share: float) -> str:
    return f"{1000 * quantile(values_s, share):.0f}"


# --- burst ---


def burst(folder: Path, *, rate_per_s: int, for_s: float, seed: int = 1) -> Result:
    """Trade at a high rate while three pages refresh every second."""
    database = folder / "burst.db"
    with ThreadedExchange(SYMBOLS) as exchange, recording_app(exchange, database) as app:
        with open_pages(app.url, PAGES) as seen:
            until(lambda: len(seen.opened) == len(PAGES), 60.0)
            begun_s, used_s = time.monotonic(), app.cpu_s()
            sent, deepest = _trade_at(exchange, app, rate_per_s, for_s)
            traded_s = time.monotonic() - begun_s
            drained_s = until(lambda: sum(stored_counts(database).values()) >= sent, 60.0, 0.1)
            cores = _cores(app, used_s, time.monotonic() - begun_s)
        connections = len(exchange.handshakes())
        status = app.stop()
        missing, made_up = missing_and_made_up(exchange, database)
    return Result(
        f"{sent:,} trades in {traded_s:.0f} s to the app, three pages refreshing every second",
        seed,
        (
            at_least("trades/s", sent / traded_s, 0.9 * rate_per_s),
            equal("trades lost", missing, 0),
            equal("trades too many", made_up, 0),
            at_most("queue drained after", drained_s, 30.0, "s"),
            equal("connections lost", connections - 1, 0),
            told("deepest queue seen", deepest),
            *page_figures(seen, 0.3 * len(PAGES) * for_s),
            told("cores used by the app", cores),
            equal("exit status", status, 0),
        ),
    )


def _trade_at(
    exchange: ThreadedExchange, app: AppProcess, rate_per_s: int, for_s: float
) -> tuple[int, int]:
    """Trade for so long; gives how many trades, and the deepest queue seen meanwhile."""
    begun_s, sent, deepest, looked_s = time.monotonic(), 0, 0, 0.0
    while (passed_s := time.monotonic() - begun_s) < for_s:
        due = int(passed_s * rate_per_s) - sent
        if due > 0:
            exchange.call(partial(_trade, first=sent, count=due))
            sent += due
        if passed_s - looked_s >= 1.0:
            looked_s = passed_s
            depth = health(app)["queue_depth"]
            assert isinstance(depth, int)
            deepest = max(deepest, depth)
        time.sleep(0.01)
    return sent, deepest


def _trade(exchange: Exchange, first: int, count: int) -> None:
    now_us = exchange.venue.now_us()
    for number in range(first, first + count):
        symbol = SYMBOLS[number % 2]
        tape = exchange.venue.tape(symbol)
        price = 6_000_000_000_000 + (number * 7919) % 1_000_000_000
        exchange.publish(Trade(symbol, tape.next_id, price, 2_000_000, now_us, now_us, True))
    exchange.hub.flush()


def _cores(app: AppProcess, used_before_s: float | None, for_s: float) -> float | str:
    used_s = app.cpu_s()
    if used_s is None or used_before_s is None:
        return "not told by this system"
    return round((used_s - used_before_s) / for_s, 2)


# --- soak ---


@dataclass(frozen=True)
class Sample:
    """The app from outside, so many seconds after the beginning."""

    at_s: float
    memory: int
    threads: int
    handles: int

    @classmethod
    def of(cls, app: AppProcess, at_s: float) -> "Sample":
        return cls(at_s, app.memory_bytes() or 0, app.threads() or 0, app.handles() or 0)

    def __str__(self) -> str:
        return (
            f"{self.at_s:7.0f} s  {self.memory / 1e6:7.1f} MB  {self.threads:3} threads"
            f"  {self.handles:3} handles"
        )


def soak(
    folder: Path, *, minutes: float, warm_up_minutes: float, rate_per_s: float = 500.0
) -> Result:
    """Record for long with three pages open; measure what grows after the warm-up."""
    database = folder / "soak.db"
    feed = LiveFeed(rate_per_s / len(SYMBOLS), after_clients=1)
    with (
        ThreadedExchange(SYMBOLS, feed=feed) as exchange,
        recording_app(exchange, database) as app,
    ):
        begun_s, used_s = time.monotonic(), app.cpu_s()
        with open_pages(app.url, PAGES) as seen:
            samples = _samples(app, minutes * 60)
            cores = _cores(app, used_s, time.monotonic() - begun_s)
        connections = len(exchange.handshakes())
        exchange.call(Exchange.stop_feed)
        sent = sum(len(exchange.trades(each)) for each in SYMBOLS)
        until(lambda: sum(stored_counts(database).values()) >= sent, 30.0, 0.5)
        status = app.stop()
        missing, made_up = missing_and_made_up(exchange, database)
    late = [each for each in samples if each.at_s >= warm_up_minutes * 60]
    growth_mb = slope_per_hour([(each.at_s, each.memory / 1e6) for each in late])
    return Result(
        f"{sent:,} trades in {minutes:g} min at {rate_per_s:g}/s to the app, three pages open",
        None,
        (
            at_most(f"memory growth after {warm_up_minutes:g} min", growth_mb, 5.0, "MB/h"),
            told("memory at the end, MB", late[-1].memory / 1e6),
            at_most("threads, largest less first", _grown([each.threads for each in late]), 3),
            at_most("handles, largest less first", _grown([each.handles for each in late]), 6),
            equal("trades lost", missing, 0),
            equal("trades too many", made_up, 0),
            equal("connections lost", connections - 1, 0),
            at_least("trades/s", sent / (minutes * 60), 0.8 * rate_per_s),
            *page_figures(seen, 0.3 * len(PAGES) * minutes * 60),
            told("cores used by the app", cores),
            equal("exit status", status, 0),
        ),
    )


def _samples(app: AppProcess, for_s: float) -> list[Sample]:
    """Look at the app every few seconds; tell of it once a minute."""
    samples: list[Sample] = []
    begun_s = time.monotonic()
    while (passed_s := time.monotonic() - begun_s) < for_s:
        samples.append(Sample.of(app, passed_s))
        if len(samples) % round(60 / SAMPLE_EVERY_S) == 1:
            print(f"  {samples[-1]}", flush=True)
        time.sleep(SAMPLE_EVERY_S)
    return samples


def _grown(values: list[int]) -> int:
    return max(values) - values[0]


def slope_per_hour(points: list[tuple[float, float]]) -> float:
    """Give the least-squares slope of (seconds, value) points, an hour's worth."""
    mean_s = sum(x for x, _ in points) / len(points)
    mean = sum(y for _, y in points) / len(points)
    across = sum((x - mean_s) ** 2 for x, _ in points)
    return 3600.0 * sum((x - mean_s) * (y - mean) for x, y in points) / across
