"""Would it have paid: 20 real symbols, April to May 2021, walk-forward, net of 7.5 bps a leg.

    python tests/benchmarks/properties/walk_forward_2021.py [--quick] [--data PATH]

All 190 pairs of the recorded one-minute closes (../shared/data). Log spread, rolling β, both legs
worth 10,000 at each entry. On every 7 days the window and entry with the best net Sharpe ratio are
chosen from 25 settings and traded over the next 3 days; only those are counted. A close decides,
the first one-minute close inside the next bar fills. Prints the table as it comes out.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import pandas as pd

from analytics.backtest import (
    RULE_PRESETS,
    SYMMETRIC_RULES,
    BacktestRules,
    WalkForward,
    walk_forward,
)
from analytics.backtest.null import permuted_leg
from analytics.frames import parse_interval
from analytics.pair import PairParams
from analytics.signals import SYMMETRIC

SHARED = Path(__file__).resolve().parents[4] / "shared/data"
DATA = SHARED / "binance_spot_closes_1m_20symbols_202104.csv.gz"
TRAIN_DAYS, TEST_DAYS = 7, 3
WINDOWS = {
    "5min": (48, 96, 192, 288, 576),
    "15min": (24, 48, 96, 192, 288),
    "1h": (12, 24, 36, 48, 72),
}
ENTRIES = (1.5, 2.0, 2.5, 3.0, 3.5)
RULES = RULE_PRESETS
BEST = 10
SEED = 20210420
HEAD = (
    f"{'bars':<6}{'rule':<21}{'legs':<11}{'trades':>8}{'gross':>8}{'costs':>8}{'net':>8}"
    f"{'paid':>6}{'median':>8}{'best 10':>9}   best and worst pair (net)"
)


@dataclass(frozen=True)
class Task:
    y: str
    x: str
    interval: str
    rules: BacktestRules
    y_bars: pd.DataFrame
    x_bars: pd.DataFrame


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4 symbols, hourly bars")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    closes = read_closes(options.data)
    closes = closes.iloc[:, :4] if options.quick else closes
    intervals = ["1h"] if options.quick else list(WINDOWS)
    sample = f"{closes.shape[1]} symbols, {closes.index[0]:%Y-%m-%d} to {closes.index[-1]:%Y-%m-%d}"
    print(f"{sample}; money in % of the capital, mean over pairs; 7.5 bps a fill and leg\n{HEAD}")
    for interval in intervals:
        bars = {str(each): bars_of_closes(closes[each], interval) for each in closes}
        for name, rules in RULES.items():
            print(line(interval, name, "real", run_all(bars, interval, rules)), flush=True)
        unrelated = run_all(permuted(bars), interval, SYMMETRIC_RULES)
        print(line(interval, SYMMETRIC.name, "unrelated", unrelated), flush=True)
    return 0


def read_closes(path: Path) -> pd.DataFrame:
    """Read one-minute closes, a column a symbol, every minute of the span present."""
    closes = pd.read_csv(path, index_col=0)
    times = closes.index
    index = pd.to_datetime(times, utc=True, unit="ms" if times.dtype.kind in "iuf" else None)
    closes.index = pd.DatetimeIndex(index).as_unit("us").rename("time")
    return closes.asfreq("1min")


def bars_of_closes(closes: pd.Series, interval: str) -> pd.DataFrame:
    """Make bars of one-minute closes; a bar whose last minute is missing is missing."""
    groups = closes.groupby(
        pd.DatetimeIndex(closes.index).floor(parse_interval(interval).timedelta)
    )
    bars = pd.DataFrame(
        {"open": groups.first(), "high": groups.max(), "low": groups.min(), "close": groups.last()}
    )
    known = groups.apply(lambda minutes: bool(np.isfinite(minutes.iloc[-1])))
    bars.loc[~known] = np.nan
    bars["volume"], bars["trades"] = np.nan, groups.count()
    bars["coverage"] = pd.Series(np.where(known, "traded", "missing"), bars.index, dtype="str")
    return bars


def permuted(bars: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Put every symbol's days into an order of its own: no two belong together any more."""
    rng = np.random.default_rng(SEED)
    day = {"5min": 288, "15min": 96, "1h": 24}
    block = day[{300: "5min", 900: "15min", 3600: "1h"}[_step_s(bars)]]
    return {symbol: permuted_leg(each, block, rng) for symbol, each in bars.items()}


def _step_s(bars: dict[str, pd.DataFrame]) -> int:
    index = next(iter(bars.values())).index
    return int((index[1] - index[0]).total_seconds())


def run_all(
    bars: dict[str, pd.DataFrame], interval: str, rules: BacktestRules
) -> dict[str, WalkForward]:
    """Walk every pair forward; the symbol that comes first is S1."""
    tasks = [
        Task(y, x, interval, rules, bars[y], bars[x]) for y, x in combinations(sorted(bars), 2)
    ]
    with ProcessPoolExecutor() as pool:
        runs = pool.map(run_pair, tasks, chunksize=8)
        return {f"{task.y}/{task.x}": each for task, each in zip(tasks, runs, strict=True)}


def run_pair(task: Task) -> WalkForward:
    params = PairParams(task.y, task.x, task.interval, spread="log", hedge="rolling_ols")
    a_day = 86_400_000_000 // params.bar.us
    return walk_forward(
        task.y_bars, task.x_bars, params, task.rules, windows=WINDOWS[task.interval],
        entries=ENTRIES, train_bars=TRAIN_DAYS * a_day, test_bars=TEST_DAYS * a_day, draws=0,
    )  # fmt: skip


def line(interval: str, rule: str, legs: str, runs: dict[str, WalkForward]) -> str:
    performances = {pair: each.performance for pair, each in runs.items()}
    capital = next(iter(runs.values())).rules.capital / 100
    gross, net = (
        np.array([getattr(each, name) for each in performances.values()]) / capital
        for name in ("gross", "net")
    )
    trades = sum(each.trades for each in performances.values())
    order = np.argsort(net)
    pairs = list(performances)
    ends = " ".join(f"{pairs[at]} {net[at]:+.1f}" for at in (order[-1], order[0]))
    bearable = np.nanmedian([each.break_even_bps for each in performances.values()])
    return (
        f"{interval:<6}{rule:<21}{legs:<11}{trades:>8,}{gross.mean():>+8.2f}"
        f"{(gross - net).mean():>8.2f}{net.mean():>+8.2f}{(net > 0).mean():>6.0%}"
        f"{bearable:>8.1f}{best_of_training(runs) / capital:>+9.2f}   {ends}"
    )


def best_of_training(runs: dict[str, WalkForward]) -> float:
    """Net of the pairs that looked best in each block's training, chosen anew for each block."""
    return sum(_of_block(rows) for rows in _by_block(runs))


def _by_block(runs: dict[str, WalkForward]) -> Iterator[pd.DataFrame]:
    blocks = pd.concat([each.blocks for each in runs.values()], ignore_index=True)
    for _, rows in blocks.groupby("test_start"):
        yield rows


def _of_block(rows: pd.DataFrame) -> float:
    best = rows.nlargest(BEST, "train_sharpe")
    return float(best["test_net"].mean()) if len(best) else 0.0


if __name__ == "__main__":
    sys.exit(main())
