"""How often the backtest's own verdicts call the best of many worthless settings worth something.

    nice python tests/benchmarks/properties/statistics_trials.py [--pairs 300]

Unrelated seeded walks of 1,500 bars, no costs: whatever a rule earns is luck. Windows and entries
are tried as the page does; the best Sharpe ratio is then deflated by all settings that differ and
by as many as are independent, and the whole is put to Hansen's and to Romano & Wolf's test.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import pandas as pd

from analytics.backtest import (
    FREE,
    SYMMETRIC_RULES,
    deflated_sharpe,
    prepare_sweep,
    setting_returns,
    superiority,
)
from analytics.frames import utc_index
from analytics.pair import PairParams

BARS = 1_500
WINDOWS = tuple(sorted({round(float(each)) for each in np.geomspace(15, 240, 12)}))
ENTRIES = tuple(np.arange(0.5, 3.75, 0.25))
RULES = replace(SYMMETRIC_RULES, costs=FREE)
PLANS: dict[str, dict[str, Any]] = {
    "ratio, no hedge": {"spread": "ratio"},
    "expanding OLS": {"spread": "hedged", "hedge": "expanding_ols"},
    "rolling OLS": {"spread": "hedged", "hedge": "rolling_ols"},
    "Kalman": {"spread": "hedged", "hedge": "kalman"},
}
COLUMNS = "settings", "independent", "all count", "deflated > 95 %", "SPA < 5 %", "step-down"


def walk(rng: np.random.Generator) -> pd.DataFrame:
    """Bars of a minute whose closes are a random walk of 0.2 % a bar."""
    closes = 100 * np.exp(0.002 * rng.normal(size=BARS).cumsum())
    columns = dict.fromkeys(("open", "high", "low", "close"), closes)
    index = utc_index(np.arange(BARS) * 60_000_000)
    frame = pd.DataFrame({**columns, "volume": 1.0, "trades": 1, "coverage": "traded"}, index=index)
    return frame.astype({"coverage": "str"})


def judged(task: tuple[str, int]) -> tuple[float, ...]:
    """Try all settings on a pair of walks; gives a figure for each column."""
    plan, seed = task
    rng = np.random.default_rng(seed)
    params = PairParams("y", "x", "1min", window=60, **PLANS[plan])
    prepared = prepare_sweep(walk(rng), walk(rng), params, RULES, windows=WINDOWS, entries=ENTRIES)
    tried = setting_returns(prepared, 0, prepared.market.size)
    ratios = tried.returns.mean(axis=1) / tried.returns.std(axis=1)
    best, trials = tried.returns[int(np.argmax(ratios))], tried.independent
    plain = deflated_sharpe(best, replace(trials, number=float(trials.distinct)))
    told = superiority(tried.returns)
    return (
        trials.distinct,
        trials.number,
        100 * (plain.probability > 0.95),
        100 * (deflated_sharpe(best, trials).probability > 0.95),
        100 * (told.pvalue < 0.05),
        100 * bool(told.worth.any()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=300)
    count = parser.parse_args().pairs
    print(f"{count:,} pairs of walks, {BARS:,} bars; % of pairs, counts are means")
    print(f"{'':<18}" + "".join(f"{each:>17}" for each in COLUMNS))
    with ProcessPoolExecutor(max_workers=2) as pool:
        for plan in PLANS:
            found = list(pool.map(judged, [(plan, seed) for seed in range(count)], chunksize=10))
            figures = np.mean(found, axis=0)
            print(f"{plan:<18}" + "".join(f"{each:>17.1f}" for each in figures), flush=True)


if __name__ == "__main__":
    main()
