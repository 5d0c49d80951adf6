"""All pairs at once: against others pair by pair, its size, and discoveries in nothing."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# As app.py sets it: the scan has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from bench_row import Row, Samples, measured
from statsmodels.tsa.stattools import coint
from strong_ways import gram_engle_granger

from analytics.scanner import scan_pairs

FAMILIES, SYMBOLS, BARS = 500, 20, 500
MOST_SECONDS, MOST_GB = 2.0, 1.0


def rows(quick: bool) -> list[Row]:
    """Measure; `quick` only shows that it works."""
    symbols, bars, repeats = (12, 200, 2) if quick else (100, 1_440, 5)
    closes = walks(symbols, bars, seed=1)
    scan_pairs(closes.iloc[:, :4])  # compiled or read from the cache
    return [
        against_statsmodels(closes, None, "aic", 1_000, repeats, pairs=4 if quick else 40),
        against_statsmodels(closes, 1, None, 100, repeats, pairs=4 if quick else 200),
        *large(*(20, 200) if quick else (400, 1_440)),
        *discoveries(10 if quick else FAMILIES),
    ]


def walks(symbols: int, bars: int, seed: int) -> pd.DataFrame:
    """Unrelated random walks in log price."""
    steps = np.random.default_rng(seed).normal(0, 1e-3, (bars, symbols))
    names = [f"S{number:03d}" for number in range(symbols)]
    return pd.DataFrame(np.exp(steps.cumsum(axis=0)), columns=names)


def against_statsmodels(
    closes: pd.DataFrame, max_lags: int | None, autolag: str | None, least: int, repeats: int,
    pairs: int,
) -> Row:  # fmt: skip
    """Both orderings of all pairs; the others' times are extrapolated from some pairs."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        table = scan_pairs(closes, train_share=1.0, max_lags=max_lags, autolag=autolag)
        times.append(time.perf_counter() - begun)
    ours = Samples.of(times)
    logs = pd.DataFrame(np.log(closes))
    step = max(1, len(table) // pairs)
    sample = table.iloc[::step]
    legs = [(logs[row.y].to_numpy(), logs[row.x].to_numpy()) for row in sample.itertuples()]
    legs += [(x, y) for y, x in legs]

    def with_statsmodels() -> None:
        for y, x in legs:
            coint(y, x, maxlag=max_lags, autolag=autolag)

    def with_numpy() -> None:
        for y, x in legs:
            gram_engle_granger(y, x, max_lags)

    theirs, gram = (
        measured(each)[0] / len(sample) * len(table) for each in (with_statsmodels, with_numpy)
    )
    ratio = theirs / ours.median
    how = "lags by AIC" if max_lags is None else f"{max_lags} lag"
    row = Row(
        measure=f"Scan of {len(closes.columns)} symbols x {len(closes):,} bars, {how}",
        ours=ours.median * 1e3,
        alternative=theirs * 1e3,
        unit="ms",
        ratio=ratio,
        bar=f"at least {least:,} times",
        met=ratio >= least,
        spread=ours.scaled(1e3).quartiles,
        note=f"statsmodels.coint, both orderings, {len(sample)} of {len(table):,} pairs timed",
        floor="one matrix product a lag, shared by all pairs",
    )
    return row.beside({"Gram and Cholesky in NumPy, pair by pair": gram * 1e3})


def large(symbols: int, bars: int) -> list[Row]:
    """Time and memory of a large scan with a held-out part, in a process of its own."""
    command = [sys.executable, __file__, str(symbols), str(bars)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, least, cpu_s, peak_gb = (float(word) for word in output.split())
    pairs = symbols * (symbols - 1) // 2
    name = f"{symbols} symbols x {bars:,} bars, {pairs:,} pairs"
    return [
        Row(
            measure=f"Scan of {name}, lags by AIC, 30 % held out", ours=seconds, unit="s",
            bar=f"at most {MOST_SECONDS:g} s on two cores", met=seconds <= MOST_SECONDS,
            note=f"both orderings, all columns; best of 5 {least:.2f} s, {cpu_s:.2f} s of CPU",
        ),
        Row(
            measure=f"Memory of a process that scans {name}", ours=peak_gb, unit="GB",
            bar=f"at most {MOST_GB:g} GB", met=peak_gb <= MOST_GB, note="peak, with Python itself",
        ),
    ]  # fmt: skip


def discoveries(families: int) -> list[Row]:
    """Share of families of unrelated walks with a discovery at 5 %, by correction."""
    rng = np.random.default_rng(20210425)
    names = ("pvalue_ordered", "pvalue", "qvalue", "pvalue_bonferroni")
    counts = np.zeros(len(names))
    for _ in range(families):
        closes = pd.DataFrame(np.exp(rng.normal(0, 1e-3, (BARS, SYMBOLS)).cumsum(axis=0)))
        table = scan_pairs(closes, train_share=1.0, max_lags=1, autolag=None)
        counts += [(table[name] < 0.05).any() for name in names]
    shares = counts / families
    bound = 0.05 + 2 * np.sqrt(0.05 * 0.95 / families)
    corrections = ("uncorrected, smaller ordering", "uncorrected, both orderings paid for",
            "Benjamini-Hochberg", "Bonferroni")  # fmt: skip
    return [
        Row(
            measure=f"Families of {SYMBOLS} unrelated walks with a discovery at 5 %: {name}",
            ours=share * 100,
            unit="%",
            bar="" if number < 2 else f"at most 5 %, simulation error 2 s.e.: {bound * 100:.1f} %",
            met=None if number < 2 else bool(share <= bound),
            note=f"{families} families, 190 pairs each, {BARS} bars, one lag",
        )
        for number, (name, share) in enumerate(zip(corrections, shares, strict=True))
    ]


def _measure(symbols: int, bars: int) -> None:
    closes, times = walks(symbols, bars, seed=2), []
    scan_pairs(closes.iloc[:, :4])
    cpu_s = time.process_time()
    for _ in range(5):
        begun = time.perf_counter()
        scan_pairs(closes)
        times.append(time.perf_counter() - begun)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(np.median(times), min(times), (time.process_time() - cpu_s) / 5, peak_gb)


if __name__ == "__main__" and len(sys.argv) == 3:
    _measure(int(sys.argv[1]), int(sys.argv[2]))
