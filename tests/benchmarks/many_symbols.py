"""Many symbols: a scanner's look after a closed bar, and pages beside a market of 200.

    python tests/benchmarks --only many_symbols [--quick]

A look at 64, 65 and 400 symbols: no step, and no seconds. Then ``python app.py`` records 200
symbols at 20 trades/s each, which another process sends, while three Live pages on different pairs
refresh each second: how long each refresh takes.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).resolve().parents[up]) for up in (0, 1, 2)]

from bench_row import Row, Samples
from desk.page_client import OpenPages, open_pages
from ingest_load import market_app, store_past

from ingest.binance import Kline
from ingest.store import BarWindow, BarWindows, TickReader, TickWriter
from ingest.store.schema import UNITS
from ingest.tick import StreamKey, Tick

T0_S: Final = 1_700_000_040 // 60 * 60
MINUTE_US: Final = 60_000_000
BARS: Final = 1_440
MOST_MS: Final = 60.0
COUNTS: Final = (64, 65, 400)
RECORDED: Final = 200
TRADES_A_SECOND: Final = 20.0  # of each
MOST_REFRESH_MS: Final = 81.0  # of 99 in 100, as it was before universes
OPEN_WITHIN_S: Final = 60.0
# Beside it, of each symbol: all streams asked for its newest trade, and a window of its own.
_BAR: Final = f"INSERT OR REPLACE INTO bar_1s VALUES ({', '.join('?' * 14)})"
_TICK: Final = f"INSERT OR REPLACE INTO tick VALUES ({', '.join('?' * 7)})"
_KLINE: Final = f"INSERT OR REPLACE INTO kline VALUES ({', '.join('?' * 9)})"
_REVISION: Final = "UPDATE stream SET revision = revision + 1 WHERE stream_id = ?"
_EDGE: Final = (
    "UPDATE stream SET last_id = ?, last_us = ?, revision = revision + 1 WHERE stream_id = ?"
)


class Recording:
    """A database of many symbols, a trade a minute each; or of each a bar a minute and no trade."""

    def __init__(self, path: Path, symbols: int, bars: int, *, bars_only: bool = False) -> None:
        self.path, self.minute, self._bars_only = path, 1, bars_only
        self.symbols = [f"S{number:03d}USDT" for number in range(symbols)]
        with closing(TickWriter(path)) as writer:
            if bars_only:
                first = self._first_bar()
                keys: list[StreamKey] = [("spot", each, "aggTrade") for each in self.symbols]
                writer.add_all_klines(60, {key: [first] for key in keys})
            else:
                writer.write([self._first_trade(each) for each in self.symbols])
        self._connection = sqlite3.connect(path)
        for _ in range(bars - 1):
            self._store_minute(symbols)
        self._connection.commit()

    def close_minute(self, symbols: int) -> None:
        """Let each of the first symbols have its next minute."""
        self._store_minute(symbols)
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def _first_trade(self, symbol: str) -> Tick:
        at = T0_S * 1_000_000
        return Tick("spot", symbol, "aggTrade", 1, 100.0, 1.0, at, at, buyer_is_maker=False)

    def _first_bar(self) -> Kline:
        at = T0_S * 1_000_000
        return Kline(at, 100.0, 100.0, 100.0, 100.0, 1.0, 1, at + MINUTE_US - 1)

    def _store_minute(self, symbols: int) -> None:
        second, ids = T0_S + self.minute * 60, range(1, symbols + 1)
        price = 100.0 + self.minute % 7
        if self._bars_only:
            bar = (60, second, *[price] * 4, UNITS, 1)
            self._connection.executemany(_KLINE, [(each, *bar) for each in ids])
            self._connection.executemany(_REVISION, [(each,) for each in ids])
        else:
            self._store_trades(second, price, ids)
        self.minute += 1

    def _store_trades(self, second: int, price: float, ids: range) -> None:
        at, trade_id = second * 1_000_000, self.minute + 1
        bar = (*[price] * 4, UNITS, 1, at, trade_id, at, trade_id, trade_id, trade_id)
        self._connection.executemany(_BAR, [(each, second, *bar) for each in ids])
        self._connection.executemany(
            _TICK, [(each, trade_id, at, 0, int(price) * UNITS, UNITS, 2) for each in ids]
        )
        self._connection.executemany(_EDGE, [(trade_id, at, each) for each in ids])


def rows(quick: bool) -> list[Row]:
    """Measure; `quick` only shows that it works."""
    return [*_look_rows(quick), _refresh_row(quick)]


def _look_rows(quick: bool) -> list[Row]:
    counts, bars, repeats = ((3, 4), 20, 2) if quick else (COUNTS, BARS, 9)
    made = []
    for bars_only in (False, True):
        some = (counts[0], counts[-1]) if bars_only else counts
        with recording(max(counts), bars, bars_only=bars_only) as desk:
            found = [_looks(desk, count, repeats) for count in some]
        made += _rows_of(some, bars, found, " recorded in bars only" if bars_only else "")
    return made


def _rows_of(
    counts: Sequence[int], bars: int, found: list[tuple[Samples, Samples]], kind: str
) -> list[Row]:
    per_symbol = [ours.median / count for count, (ours, _) in zip(counts, found, strict=True)]
    return [
        Row(
            measure=f"Look at {count} symbols{kind} after a closed 1-min bar, {bars:,} bars each",
            ours=ours.median * 1e3,
            alternative=old.median * 1e3,
            unit="ms CPU",
            ratio=old.median / ours.median,
            bar=f"at most {MOST_MS:g} ms; a symbol costs no more than 1.3 times what it does at 64",
            met=ours.median * 1e3 <= MOST_MS and cost <= 1.3 * per_symbol[0],
            spread=ours.scaled(1e3).quartiles,
            note="a window of its own read anew for each symbol, and its newest trade asked for",
        )
        for count, cost, (ours, old) in zip(counts, per_symbol, found, strict=True)
    ]


def _refresh_row(quick: bool) -> Row:
    count, seconds = (6, 1.0) if quick else (RECORDED, 40.0)
    symbols = [f"S{number:03d}USDT" for number in range(count)]
    query = "interval=1s&window=60&lookback=30min"
    pages = [("", f"s1={y}&s2={x}&{query}") for y, x in zip(symbols[:3], symbols[3:6], strict=True)]
    with tempfile.TemporaryDirectory() as place:
        store_past(Path(place), symbols, 4 if quick else 40, every_s=60)
        with (
            market_app(Path(place), symbols, TRADES_A_SECOND * count) as app,
            open_pages(app.url, pages, every_s=1.0) as seen,
        ):
            _wait_for(seen, 5 * len(pages))
            app.settle(within_s=1.0 if quick else 20.0)
            before, used_s, begun_s = len(seen.refreshed), app.cpu_s() or 0.0, time.monotonic()
            _wait_for(seen, before + int(seconds * len(pages)))
            cores = ((app.cpu_s() or 0.0) - used_s) / (time.monotonic() - begun_s)
            taken = Samples.of(1e3 * each.seconds for each in seen.refreshed[before:])
    late_ms = sorted(taken.values)[int(0.99 * len(taken.values))]
    return Row(
        measure=f"a refresh beside {count} symbols at {TRADES_A_SECOND:g} trades/s each, three "
        "pages on different pairs",
        ours=taken.median, unit="ms", spread=taken.quartiles,
        bar=f"p99 ≤ {MOST_REFRESH_MS:g} ms", met=late_ms <= MOST_REFRESH_MS,
        note=f"p99 {late_ms:.0f}, longest {max(taken.values):.0f} ms of {len(taken.values)} "
        f"refreshes, one a second and page, 30 min of 1-s bars, from its request to its last "
        f"message; the app, which records and watches as well, used {cores:.2f} cores",
    )  # fmt: skip


def _wait_for(seen: OpenPages, refreshes: int) -> None:
    end_s = time.monotonic() + OPEN_WITHIN_S + refreshes
    while len(seen.refreshed) < refreshes:
        assert not seen.failures, seen.failures[0]
        assert time.monotonic() < end_s, "the pages did not refresh"
        time.sleep(0.05)  # the pages count, and tell nobody


@contextmanager
def recording(symbols: int, bars: int, *, bars_only: bool = False) -> Iterator[Recording]:
    """Make the database in a folder of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Recording(Path(folder) / "ticks.db", symbols, bars, bars_only=bars_only)) as made,
    ):
        yield made


def _looks(made: Recording, count: int, repeats: int) -> tuple[Samples, Samples]:
    """CPU time of looks, a bar closed before each: through shared windows, and the old way."""
    windows, names, ours, old = BarWindows(), made.symbols[:count], [], []

    def shared() -> None:
        with TickReader(made.path) as reader:
            reader.newest_trade_us(names)
        windows.views(made.path, names, "1min", T0_S)

    def anew() -> None:
        with TickReader(made.path) as reader:
            for name in names:
                reader.last_trade(name)
        for name in names:
            with closing(BarWindow(made.path, name, "1min")) as window:
                window.view(T0_S)

    shared()
    for number in range(repeats):
        made.close_minute(count)
        ours.append(_cpu_s(shared))
        if number < max(2, repeats // 3):
            old.append(_cpu_s(anew))
    return Samples.of(ours), Samples.of(old)


def _cpu_s(do: Callable[[], None]) -> float:
    begun = time.process_time()
    do()
    return time.process_time() - begun


if __name__ == "__main__":
    for row in rows("--quick" in sys.argv):
        print(row.measure, f"{row.ours:.1f} {row.unit}", f"before {row.alternative:.1f}", row.met)
