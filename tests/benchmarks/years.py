"""What a year of 1-min bars costs: cold, and at each new bar, beside 24 hours.

CPU time of this process, by turns in one run. Analysis and chart are given arrays, as the shared
windows give them; the reading is measured from the lake, each in a process of its own, beside
DuckDB's bare read of the same files, and from a database that holds the exchange's 1-min bars.
"""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import numpy as np
from bench_row import Row, Samples, measured, ratio_row, value_row
from lake_import import YEAR_MINUTES, duckdb_reads_s, pair_lake

from analytics.frames import FloatArray
from analytics.leg import TRADED, Leg
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.warm import warm_up
from ingest.binance import Kline
from ingest.settings import Settings, install_settings
from ingest.store import TickWriter
from ingest.tick import StreamKey, Tick
from pages.ui.chart.store import ChartRequest, ServedChart, new_chart
from pages.ui.desk import pair_data
from pages.ui.live import chart_view
from pages.ui.live.pair_chart import publish

YEAR_BARS, DAY_SECONDS, DAY_MINUTES = 525_600, 86_400, 1_440
QUICK_BARS = 110_000
WIDTH_PX = 1_200
ALL = (float("-inf"), float("inf"))
SYMBOLS = ("ETHUSDT", "BTCUSDT")
BEFORE, STEPS = 400, 40
FIRST_S = 1_672_531_200
PARAMS = PairParams(*SYMBOLS, interval="1min", lookback=YEAR_BARS)


def closes(bars: int) -> tuple[FloatArray, FloatArray]:
    """Two legs, of which one returns to a line of the other."""
    rng = np.random.default_rng(17)
    x = 30_000 * np.exp(rng.normal(0, 2e-4, bars).cumsum())
    apart = np.convolve(rng.normal(0, 0.3, bars), 0.99 ** np.arange(600))[:bars]
    return np.round(0.05 * x + apart, 2), np.round(x, 2)


class Session:
    """A reader of a range, to whom a bar comes at each `refresh`."""

    def __init__(self, interval: str, bars: int) -> None:
        self.params = PairParams(*SYMBOLS, interval=interval, lookback=bars)
        self.closes = closes(bars + BEFORE + STEPS)
        rng = np.random.default_rng(3)
        self.volume = np.round(rng.gamma(2, 3, self.closes[0].size), 3)
        self.chart: ServedChart = new_chart()
        self.stop = bars + BEFORE
        self.legs: tuple[Leg, Leg] | None = None
        self.result: PairAnalytics | None = None
        self.had: int | None = None

    def refresh(self) -> int:
        """Do what a refresh does behind the reading; gives the bytes that the browser is sent."""
        self.stop += 1
        legs = self._leg(0), self._leg(1)
        for leg, old in zip(legs, self.legs or (), strict=False):
            leg.continue_returns(old)
        self.legs = legs
        self.result = analyse_pair(*legs, self.params, self.result)
        publish(self.chart, self.result, chart_view.labels(self.result, "rebased", "Live"))
        told = None if self.had is None else 1
        sent = self.chart.answer(ChartRequest(*ALL, WIDTH_PX, self.had, told))
        self.had = (self.had or 0) + 1
        return len(sent or b"")

    def _leg(self, which: int) -> Leg:
        bars, step_us = self.stop, self.params.bar.us
        close, volume = self.closes[which][:bars], self.volume[:bars]
        trades, coverage = np.ones(bars, np.int64), np.full(bars, TRADED, np.int8)
        begins_us = FIRST_S * 1_000_000
        return Leg(begins_us, step_us, close, volume, trades, coverage, close, close, close)


def rows(quick: bool) -> list[Row]:
    """Measure everything."""
    warm_up()
    bars = QUICK_BARS if quick else YEAR_BARS
    refreshes = _refreshes(bars, 3 if quick else 25)
    return [*refreshes, *_cold(bars, 1 if quick else 5), *_from_lake(quick)]


def _refreshes(bars: int, times: int) -> list[Row]:
    sessions = [Session("1min", bars), Session("1s", DAY_SECONDS), Session("1min", DAY_MINUTES)]
    first = sessions[0].refresh()
    for session in sessions:
        for _ in range(3):
            session.refresh()
    spent: list[list[float]] = [[], [], []]
    sent: list[int] = []
    for _ in range(times):
        for session, taken in zip(sessions, spent, strict=True):
            spent_s, found = measured(session.refresh, time.process_time)
            taken.append(1e3 * spent_s)
            if session is sessions[0] and isinstance(found, int):
                sent.append(found)
    year, day, minutes = map(Samples.of, spent)
    return [
        ratio_row(
            "refresh, one new bar: a year of 1-min bars against 24 h of 1-s bars", year, day,
            unit="ms CPU", at_most=1.2, note="behind the reading",
        ),
        ratio_row(
            "the same against 24 h of 1-min bars", year, minutes, unit="ms CPU",
            note="1,440 bars",
        ),
        value_row("first draw of a year of 1-min bars", first / 1e3, unit="kB", at_most=600),
        value_row("refresh of it", Samples.of(each / 1e3 for each in sent), unit="kB", at_most=40),
    ]  # fmt: skip


def _cold(bars: int, times: int) -> list[Row]:
    alone, whole = [], []
    params = PairParams(*SYMBOLS, interval="1min", lookback=bars)
    for _ in range(times):
        session = Session("1min", bars)
        session.stop += 1
        legs = session._leg(0), session._leg(1)
        alone.append(measured(partial(analyse_pair, *legs, params))[0])
    with tempfile.TemporaryDirectory() as folder:
        for number in range(min(times, 2)):
            path = Path(folder, f"{number}.db")
            _store(path, bars)

            def read(path: Path = path) -> PairAnalytics:
                return pair_data.analyse(pair_data.read_pair(path, params), params)

            whole.append(measured(read)[0])
    return [
        value_row(
            "a year of 1-min bars of a pair, cold: the analysis", Samples.of(alone), unit="s",
            at_most=0.3,
        ),
        value_row(
            "the same with the reading, from the database's klines", Samples.of(whole), unit="s",
            at_most=0.6,
        ),
    ]  # fmt: skip


def _from_lake(quick: bool) -> list[Row]:
    """Cold from the lake to the figure, in a new process whose statistics are loaded."""
    times, bars = (1, 3_000) if quick else (3, None)
    names = {
        "1min": ("a year of 1-min bars of a pair", 60, bars or YEAR_MINUTES, 0.6),
        "1s": ("30 days of 1-s bars of a pair", 1, bars or 30 * DAY_SECONDS, 2.5),
    }
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        root = pair_lake(Path(folder, "history"), quick)
        for interval, (name, length, count, most_s) in names.items():
            ours, bare = [], []
            for _ in range(times):
                ours.append(_in_process(Path(folder), interval, count))
                bare.append(duckdb_reads_s(root, length))
            seconds, memory_mb = (list(each) for each in zip(*ours, strict=True))
            found += [
                value_row(
                    f"{name}, cold, from the lake to the figure", Samples.of(seconds), unit="s",
                    at_most=most_s,
                ).beside({"DuckDB's bare read": Samples.of(bare)}),
                value_row(
                    f"{name}: peak memory of that process", max(memory_mb), unit="MB", at_most=700,
                    note="statistics and libraries included",
                ),
            ]  # fmt: skip
    return found


def _in_process(folder: Path, interval: str, bars: int) -> list[float]:
    command = [sys.executable, __file__, str(folder), interval, str(bars)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def _measure_lake(folder: Path, interval: str, bars: int) -> None:
    """Print seconds from a cold lake to the analysis, and the peak of memory in MB."""
    database = folder / "ticks.db"
    install_settings(replace(Settings(), db=database, history=folder / "history"))
    warm_up()
    params = PairParams(*SYMBOLS, interval=interval, lookback=bars)
    begun_s = time.perf_counter()
    result = pair_data.analyse(pair_data.read_pair(database, params), params)
    taken_s = time.perf_counter() - begun_s
    if result.coverage.bars < 0.99 * bars:
        raise SystemExit(f"{result.coverage.bars} of {bars} bars were read")
    print(taken_s, _peak_mb())


def _peak_mb() -> float:
    """Peak of this program's memory: what `getrusage` tells begins with its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1e3


def _store(path: Path, bars: int) -> None:
    """Store the exchange's 1-min bars of both legs, and a trade after the last."""
    last_us = (FIRST_S + bars * 60) * 1_000_000
    writer = TickWriter(path)
    for symbol, prices in zip(SYMBOLS, closes(bars), strict=True):
        price = float(prices[-1])
        ids = enumerate((last_us - 1_000, last_us + 59_000_000), start=1)
        writer.write([
            Tick("spot", symbol, "aggTrade", number, price, 1.0, at_us, at_us + 1_500, True)
            for number, at_us in ids
        ])  # fmt: skip
        key: StreamKey = ("spot", symbol, "aggTrade")
        klines = [
            Kline(
                (FIRST_S + row * 60) * 1_000_000, price, price, price, price, 1.0, 5,
                (FIRST_S + row * 60 + 60) * 1_000_000 - 1_000,
            )
            for row, price in enumerate(prices.tolist())
        ]  # fmt: skip
        for start in range(0, len(klines), 50_000):
            writer.add_klines(key, 60, klines[start : start + 50_000])
    writer.close()


if __name__ == "__main__":
    _measure_lake(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
