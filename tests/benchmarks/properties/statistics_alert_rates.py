"""What noise alone gives: how often a rule of |z| ≥ 2 fires on pairs that nothing holds together.

    nice python tests/benchmarks/properties/statistics_alert_rates.py [--days 8]

Days of 86,400 bars of a second, log prices that move by 1 bp a bar: z as the watch reads it, by the
real `preview` of rules with and without hysteresis, pending for 3 bars, and with a cool-down:
alerts a day; and of those with re-arm 1 when z crossed 0, and where the spread was then. Then
rules of β, which moved by so many errors of plain OLS since the last alert. Two processes.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from statistics_draws import SEED

from analytics.alerts import AlertRule, PreviewEvent, Sample, check_rule, preview
from analytics.pair import PairReading
from analytics.spread import SpreadKind, rolling_correlation, rolling_moments, zscore

DAY, LOOKBACK, SIZE, SECOND_US = 86_400, 1_800, 1e-4, 1_000_000
# GARCH(1, 1) shocks with Student's t of 5 degrees of freedom; a trade is on either side by chance.
ARCH, GARCH, FREEDOM, START, BOUNCE = 0.13, 0.85, 5, 300, 0.5
KINDS = ("Gaussian walks", "GARCH(0.13, 0.85), t(5)", "the same, bid-ask bounce of ±0.5 bp")
SPREADS = ("log, OLS over 1,800 bars", "price difference")
WINDOWS = (60, 300)
RULES = {
    "no hysteresis": AlertRule("off"),
    "re-arm 1": AlertRule("on", rearm=1.0),
    "re-arm 1, pending 3 bars": AlertRule("pending", rearm=1.0, for_bars=3),
    "re-arm 1, cool-down 60 s": AlertRule("cool-down", rearm=1.0, cooldown_s=60.0),
    "no hysteresis, cool-down 60 s": AlertRule("off, cool-down", cooldown_s=60.0),
}

BETA_RULES = [AlertRule(f"{level:g}", when="beta", level=level) for level in (2.0, 3.0, 10.0)]


def legs(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Logarithms of two prices that know nothing of each other: a day after the first range."""
    bars = LOOKBACK + DAY
    shocks = rng.normal(size=(2, bars)) if kind == KINDS[0] else garch(rng, bars)
    logs = SIZE * shocks.cumsum(axis=1) + np.log(100.0)
    if kind == KINDS[2]:
        logs += SIZE * BOUNCE * rng.choice([-1.0, 1.0], size=logs.shape)
    return np.asarray(logs)


def garch(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Fat-tailed shocks of variance 1 that come in clusters, each leg its own."""
    shocks = rng.standard_t(FREEDOM, size=(2, START + bars)) * np.sqrt(1 - 2 / FREEDOM)
    variance = np.ones(2)
    for t in range(shocks.shape[1]):
        shocks[:, t] *= np.sqrt(variance)
        variance = 1.0 - ARCH - GARCH + ARCH * shocks[:, t] ** 2 + GARCH * variance
    return np.asarray(shocks[:, START:])


def zscores(logs: np.ndarray, spread: str, window: int) -> tuple[np.ndarray, np.ndarray]:
    """z and β at each bar of the day as the range that ends there has them: one line for it."""
    if spread == "price difference":
        y, x = np.exp(logs)
        return zscore(y - x, window).to_numpy()[LOOKBACK:], np.ones(DAY)
    y, x = logs
    beta, _ = line(logs)
    of_y, of_x = rolling_moments(y, window), rolling_moments(x, window)
    shared = rolling_correlation(y, x, window, on="prices").to_numpy()
    s_y, s_x = of_y.std.to_numpy(), beta * of_x.std.to_numpy()
    std = np.sqrt(s_y**2 + s_x**2 - 2 * shared * s_y * s_x)
    deviation = of_y.deviation.to_numpy() - beta * of_x.deviation.to_numpy()
    return (deviation / std)[LOOKBACK:], beta[LOOKBACK:]


def line(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """β of the range that ends at each bar, and its error by plain OLS."""
    y, x = logs
    y_std, x_std = (rolling_moments(leg, LOOKBACK).std.to_numpy() for leg in (y, x))
    shared = rolling_correlation(y, x, LOOKBACK, on="prices").to_numpy()
    error = np.sqrt((1 - shared**2) / (LOOKBACK - 2)) * y_std / x_std
    return shared * y_std / x_std, error


def samples(logs: np.ndarray, values: np.ndarray, beta: np.ndarray) -> list[Sample]:
    """Closed bars of which z, the prices and the hedge ratio are looked at."""
    nan = float("nan")
    rows = zip(*np.exp(logs[:, LOOKBACK:]).tolist(), values.tolist(), beta.tolist(), strict=True)
    seen = []
    for bar, (y, x, z, ratio) in enumerate(rows, start=1):
        time_us = bar * SECOND_US
        reading = PairReading(
            time_us, y, x, ratio, 0.0, nan, nan, nan, nan, z, nan, "NEUTRAL", "", "", 0, 0
        )
        seen.append(Sample(time_us, SECOND_US, reading))
    return seen


def a_day(task: tuple[str, str, int, int]) -> list[tuple[PreviewEvent, ...]]:
    """What each rule tells of one day."""
    kind, spread, window, day = task
    logs = legs(kind, np.random.default_rng([SEED, day]))
    seen = samples(logs, *zscores(logs, spread, window))
    of_spread: SpreadKind = "log" if spread.startswith("log") else "price difference"
    return [preview(rule, seen, of_spread).fired for rule in RULES.values()]


def a_day_of_beta(task: tuple[str, int]) -> list[int]:
    """How often each rule of β tells of one day."""
    kind, day = task
    beta, error = line(legs(kind, np.random.default_rng([SEED, day])))
    nan = float("nan")
    rows = zip(beta[LOOKBACK:].tolist(), error[LOOKBACK:].tolist(), strict=True)
    seen = []
    for bar, (ratio, stderr) in enumerate(rows, start=1):
        time_us = bar * SECOND_US
        reading = PairReading(
            time_us, nan, nan, ratio, nan, stderr, nan, nan, nan, nan, nan, "NEUTRAL", "", "", 0, 0
        )
        seen.append(Sample(time_us, SECOND_US, reading))
    return [len(preview(rule, seen).fired) for rule in BETA_RULES]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=8)
    days = parser.parse_args().days
    columns = ["", "window", *RULES, "bars to the mean", "worst z", "spread moved back, bps"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for rule in (*RULES.values(), *BETA_RULES):
        check_rule(rule)
    with ProcessPoolExecutor(2) as workers:
        for kind, spread, window in product(KINDS, SPREADS, WINDOWS):
            tasks = [(kind, spread, window, day) for day in range(days)]
            by_day = list(workers.map(a_day, tasks))
            rates = [with_error([len(day[row]) for day in by_day]) for row in range(len(RULES))]
            unit = 1e4 if spread.startswith("log") else 1e2
            words = (f"{kind}: {spread}", str(window), *rates, *after(by_day, unit))
            print(f"| {' | '.join(words)} |", flush=True)
        print(f"\n| β moved by errors | {' | '.join(rule.name for rule in BETA_RULES)} |")
        print(f"|{'---|' * (1 + len(BETA_RULES))}")
        for kind in KINDS:
            counts = list(workers.map(a_day_of_beta, [(kind, day) for day in range(days)]))
            rates = [with_error(each) for each in zip(*counts, strict=True)]
            print(f"| {' | '.join((kind, *rates))} |", flush=True)


def after(by_day: list[list[tuple[PreviewEvent, ...]]], unit: float) -> tuple[str, str, str]:
    """What became of the alerts with re-arm 1: medians, and the mean move of the spread."""
    told = [event for day in by_day for event in day[list(RULES).index("re-arm 1")]]
    bars = np.median([each.bars_to_mean for each in told if each.bars_to_mean is not None])
    worst = np.median([each.worst_zscore for each in told])
    moves = [each.favour * unit for each in told if each.bars_to_mean is not None]
    return f"{bars:.0f}", f"{worst:.2f}", with_error(moves, ".2f")


def with_error(values: Sequence[float], spec: str = ",.0f") -> str:
    """Mean ± its error."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{np.mean(values):{spec}} ± {error:{spec}}"


if __name__ == "__main__":
    main()
