"""The whole market scanned: at a closed minute from the database to the table, and over a month."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# As app.py sets it: the scan has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from bench_row import Row, measured
from strong_ways import gram_engle_granger

from analytics.alerts import AlertRule
from analytics.scanner import moments, scan_pairs
from ingest.store import SECOND_US, TickWriter
from ingest.tick import Tick
from ingest.watch import WatchStore, watch_path
from ingest.watch.market_scan import MarketScan, market_closes

START_MINUTE = 29_830_000
MOST_MINUTE_S, MOST_MINUTE_CPU_S, MOST_MONTH_S = 1.5, 2.0, 12.0
REPEATS = 5
MINUTES_A_WRITE = 120


def rows(quick: bool) -> list[Row]:
    """Measure; `quick` only shows that it works."""
    symbols, bars, month = (12, 200, 2_000) if quick else (400, 1_440, 43_200)
    return [
        lag_products(*(2_000, 10) if quick else (30_240, 50)),
        closed_minute(symbols, bars),
        thin_market(symbols, bars),
        long_scan(symbols, month),
    ]


def market(symbols: int, bars: int, seed: int = 2) -> pd.DataFrame:
    """Walks with a common part of heavy tails; of each ten symbols one follows another."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, (bars, 1)) * 1e-3
    steps = rng.normal(0, 8e-4, (bars, symbols)) + common * rng.uniform(0.5, 1.5, symbols)
    logs = steps.cumsum(axis=0)
    for follower in range(0, symbols - 1, 10):
        gap = np.zeros(bars)
        for t, shock in enumerate(rng.normal(0, 5e-4, bars - 1), start=1):
            gap[t] = 0.95 * gap[t - 1] + shock
        logs[:, follower] = 0.9 * logs[:, follower + 1] + gap
    names = [f"S{number:03d}USDT" for number in range(symbols)]
    return pd.DataFrame(100.0 * np.exp(logs), columns=names)


def lag_products(bars: int, lags: int) -> Row:
    """All lags of a tile, by turns with one matrix product a lag."""
    levels = np.random.default_rng(1).normal(size=(2, moments.TILE, bars)).cumsum(axis=2)
    ours: list[float] = []
    direct: list[float] = []
    for _ in range(3):
        ways = ((direct, moments.direct_products), (ours, moments.cross_products))
        for times, products in ways:
            left, right = (_sample(each) for each in levels)
            begun = time.thread_time()
            products(moments.Tile(left, right), lags)
            times.append(time.thread_time() - begun)
    mine, theirs = float(np.median(ours)), float(np.median(direct))
    return Row(
        measure=f"Products at {lags} lags of 64 x 64 symbols over {bars:,} bars",
        ours=mine * 1e3, alternative=theirs * 1e3, unit="ms", ratio=theirs / mine,
        note="CPU, transforms of both sides included (shared by all tiles of a symbol in a scan);"
        " the other way: a matrix product a lag",
    )  # fmt: skip


def _sample(levels: np.ndarray) -> moments.Sample:
    symbols, bars = levels.shape
    numbers, whole = np.arange(symbols), np.arange(bars)
    return moments.sample(levels, numbers, whole >= 0)


def closed_minute(symbols: int, bars: int) -> Row:
    """From a stored minute to the ranked table, in a process of its own."""
    wall_s, cpu_s, read_s, peak_mb, pairwise_s = _in_process("minute", symbols, bars)
    pairs = symbols * (symbols - 1) // 2
    return Row(
        measure=f"A closed minute to the ranked table, {symbols} symbols x {bars:,} bars",
        ours=wall_s, alternative=pairwise_s, unit="s", ratio=pairwise_s / wall_s,
        bar=f"at most {MOST_MINUTE_S:g} s, {MOST_MINUTE_CPU_S:g} s of CPU",
        met=wall_s <= MOST_MINUTE_S and cpu_s <= MOST_MINUTE_CPU_S,
        note=f"{pairs:,} pairs, {cpu_s:.2f} s of CPU, of which {read_s * 1e3:.0f} ms read the bars;"
        f" median of {REPEATS} minutes; peak {peak_mb:.0f} MB. The other way: Gram and Cholesky in"
        " NumPy, pair by pair, both orderings of the tests alone, from 40 pairs",
    )  # fmt: skip


def thin_market(symbols: int, bars: int) -> Row:
    """Half of the symbols miss bars of their own, in a process of its own."""
    wall_s, cpu_s, whole_s, pairwise_s = _in_process("thin", symbols, bars)
    return Row(
        measure=f"Scan of {symbols} symbols x {bars:,} bars, half of them with holes of their own",
        ours=wall_s, alternative=pairwise_s, unit="s", ratio=pairwise_s / wall_s,
        note=f"{cpu_s:.2f} s of CPU; up to 29 single bars missing of each; {whole_s:.2f} s with"
        f" none missing; median of {REPEATS}. The other way as above, on the whole bars",
    )  # fmt: skip


def long_scan(symbols: int, bars: int) -> Row:
    """A month of minutes, in a process of its own."""
    wall_s, cpu_s, peak_mb, own_mb, pairwise_s = _in_process("month", symbols, bars)
    return Row(
        measure=f"Scan of {symbols} symbols x {bars:,} bars",
        ours=wall_s, alternative=pairwise_s, unit="s", ratio=pairwise_s / wall_s,
        bar=f"at most {MOST_MONTH_S:g} s on two cores", met=wall_s <= MOST_MONTH_S,
        note=f"{cpu_s:.1f} s of CPU; peak {peak_mb:.0f} MB, {own_mb:.0f} MB above the closes"
        " themselves. The other way as above, from 4 pairs",
    )  # fmt: skip


def _in_process(what: str, symbols: int, bars: int) -> list[float]:
    command = [sys.executable, __file__, what, str(symbols), str(bars)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in output.split()]


def _measure_minute(symbols: int, bars: int) -> list[float]:
    closes = market(symbols, bars + REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.db"
        store, writer = WatchStore(watch_path(path)), TickWriter(path)
        store.save_rule(AlertRule("new", when="find"))
        now_s = 0.0
        scan = MarketScan(path, store, lambda _: None, clock=lambda: now_s)
        _trade(writer, closes.iloc[:bars], 0)
        times = []
        for minute in range(bars, len(closes)):
            _trade(writer, closes.iloc[minute : minute + 1], minute)
            scan.run_once()
            now_s += 1.0
            scan.run_once()
            times.append((scan.status().took_s, scan.status().cpu_s))
        end = START_MINUTE + len(closes) - 1
        read_s = measured(lambda: market_closes(path, list(closes.columns), end))[0]
        writer.close()
        store.close()
    wall_s, cpu_s = np.median(times, axis=0)
    return [wall_s, cpu_s, read_s, _peak_mb(), _pairwise_s(closes.iloc[:bars], 40)]


def _trade(writer: TickWriter, closes: pd.DataFrame, first: int) -> None:
    """Store a trade a minute of each symbol."""
    prices = closes.to_numpy()
    for begin in range(0, len(prices), MINUTES_A_WRITE):
        part = prices[begin : begin + MINUTES_A_WRITE]
        writer.write(
            [
                _tick(symbol, first + begin + number, float(row[place]))
                for number, row in enumerate(part)
                for place, symbol in enumerate(closes.columns)
                if not np.isnan(row[place])
            ]
        )


def _tick(symbol: str, minute: int, price: float) -> Tick:
    time_us = (START_MINUTE + minute) * 60 * SECOND_US
    return Tick("spot", symbol, "aggTrade", minute + 1, price, 1.0, time_us, time_us, False)


def _measure_month(symbols: int, bars: int) -> list[float]:
    closes = market(symbols, bars)
    scan_pairs(closes.iloc[:2_000, :4])
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    begun, begun_cpu = time.perf_counter(), time.process_time()
    scan_pairs(closes)
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    peak_mb = _peak_mb()
    return [wall_s, cpu_s, peak_mb, peak_mb - before_mb, _pairwise_s(closes, 4)]


def _measure_thin(symbols: int, bars: int) -> list[float]:
    whole = market(symbols, bars)
    rng, prices = np.random.default_rng(5), whole.to_numpy().copy()
    for symbol in range(symbols // 2):
        prices[rng.integers(0, bars, rng.integers(1, 30)), symbol] = np.nan
    thin = pd.DataFrame(prices, columns=whole.columns)
    scan_pairs(thin.iloc[:, :4])
    scan_pairs(whole.iloc[:, :4])
    times = []
    for _ in range(REPEATS):
        begun_cpu = time.process_time()
        thin_s = measured(lambda: scan_pairs(thin))[0]
        cpu_s = time.process_time() - begun_cpu
        times.append((thin_s, cpu_s, measured(lambda: scan_pairs(whole))[0]))
    return [*np.median(times, axis=0), _pairwise_s(whole, 40)]


def _pairwise_s(closes: pd.DataFrame, pairs: int) -> float:
    """Both orderings of all pairs, from some of them."""
    logs = np.log(closes.to_numpy()[: int(0.7 * len(closes))]).T
    legs = [(logs[2 * n], logs[2 * n + 1]) for n in range(min(pairs, len(logs) // 2))]

    def both_orderings() -> None:
        for y, x in legs:
            gram_engle_granger(y, x)
            gram_engle_granger(x, y)

    count = len(closes.columns) * (len(closes.columns) - 1) // 2
    return measured(both_orderings)[0] / len(legs) * count


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__" and len(sys.argv) == 4:
    measures = {"minute": _measure_minute, "thin": _measure_thin, "month": _measure_month}
    print(*measures[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3])))
