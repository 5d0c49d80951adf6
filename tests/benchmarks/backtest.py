"""How fast a backtest and a sweep of 3,600 settings are, beside a plain loop, also under numba."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from bench_row import Row, Samples, interleaved, measured, ratio_row, value_row
from cases.backtest import plain_walk, reverting_pair
from strong_ways import numba_walk

from analytics.backtest import SYMMETRIC_RULES, run_backtest, sweep_backtest
from analytics.backtest.market import prepare, signals
from analytics.backtest.sweep import prepare_sweep, sweep_span
from analytics.pair import PairParams

PARAMS = PairParams("A", "B", "1min", spread="log", hedge="rolling_ols", window=120)
MONTH = 43_200
SIDE = 60


def rows(quick: bool) -> list[Row]:
    """Measure on one month of one-minute bars."""
    bars, side, times = (3_000, 6, 1) if quick else (MONTH, SIDE, 5)
    y, x = reverting_pair(bars)
    windows = np.unique(np.geomspace(20, 480, side).astype(int) + np.arange(side)).tolist()
    entries = np.linspace(0.5, 3.45, side).round(3).tolist()

    def sweep() -> object:
        return sweep_backtest(y, x, PARAMS, SYMMETRIC_RULES, windows=windows, entries=entries)

    def run() -> object:
        return run_backtest(y, x, PARAMS, SYMMETRIC_RULES, draws=0)

    sweep(), run()  # compiled and loaded
    settings = f"{side} × {side} settings, {bars:,} bars"
    wall = Samples.of(measured(sweep)[0] for _ in range(times))
    cpu = Samples.of(measured(sweep, time.process_time)[0] for _ in range(times))
    return [
        value_row(f"Sweep with its β and z, {settings}", wall, unit="s", at_most=1.0,
                  note="all cores; rolling β and z of every window included"),
        value_row(f"CPU time of that sweep, {settings}", cpu, unit="s", at_most=2.0,
                  note="of all threads together: what two cores do in a second, busy or not"),
        _against_a_loop(y, x, windows, entries, times),
        value_row(f"One backtest with ledger and books, {bars:,} bars",
                  Samples.of(measured(run)[0] * 1e3 for _ in range(times)), unit="ms"),
    ]  # fmt: skip


def _against_a_loop(y, x, windows, entries, times: int) -> Row:
    """Compare the walk of a setting: compiled in a sweep, and bar by bar in Python."""
    made = prepare_sweep(y, x, PARAMS, SYMMETRIC_RULES, windows=windows, entries=entries)
    settings = len(windows) * len(entries)
    market = prepare(y, x, PARAMS, SYMMETRIC_RULES)
    z = signals(market, PARAMS, SYMMETRIC_RULES).zscore
    trades = np.empty((z.size // 2 + 2, 3), dtype=np.int64)

    def ours() -> object:
        return sweep_span(made, 0, made.market.size)

    def plain() -> object:
        return plain_walk(z, market.tradable, SYMMETRIC_RULES)

    def under_numba() -> int:
        rules = (SYMMETRIC_RULES.with_entry(entry) for entry in entries)
        return sum(numba_walk(z, market.tradable, tuple(r.as_row()), trades) for r in rules)

    under_numba()  # compiled
    swept, slow, loop = interleaved(
        ours, plain, under_numba, times=times, clock=time.process_time
    )  # fmt: skip
    row = ratio_row(
        "A setting of the sweep, walked and booked", swept.scaled(1e6 / settings),
        slow.scaled(1e6), unit="µs CPU", at_least=100.0,
        note="the others only walk, ours books too; equal trade by trade in the tests",
    )  # fmt: skip
    return row.beside({"the same lines under njit": loop.scaled(1e6 / len(entries))})
