"""How often a basket's page says "it returns" where nothing does, and how often where one does.

Unrelated legs of several kinds, and a basket that returns; 3, 5 and 8 symbols, each method, each
verdict that is shown. Prints the tables of analytics/baskets/README.md.

    python tests/benchmarks/properties/statistics_baskets.py --samples 2000
"""

import argparse
import os
from collections.abc import Callable
from multiprocessing.pool import Pool
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from analytics.baskets import METHODS, fit_basket, wild_basket_test
from analytics.baskets.judge import basket_adf, basket_half_life, basket_test
from analytics.frames import FloatArray

SEED: Final = 20240810
SYMBOLS: Final = (3, 5, 8)
VERDICTS: Final = ("the test by its table", "ADF", "plain ADF (the mistake)")
WILD_DRAWS: Final = 99
WILD_VERDICTS: Final = ("by draws alone", "by the larger p (the page's)")
Job = tuple[str, int, int, int]
"""Kind of legs, symbols, bars, samples."""
Maker = Callable[[np.random.Generator, int, int], FloatArray]


def gaussian(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    return rng.standard_normal((bars, symbols)).cumsum(axis=0)


def correlated(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    """One factor explains four fifths of each leg, as of most of crypto."""
    shocks = rng.standard_normal((bars, symbols)) + 2.0 * rng.standard_normal((bars, 1))
    return shocks.cumsum(axis=0)


def heavy(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    return rng.standard_t(3, (bars, symbols)).cumsum(axis=0)


def garch(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    """GARCH(0.13, 0.85) of a variance common to all legs."""
    shocks, variance = rng.standard_normal((bars + 200, symbols)), 1.0
    for t in range(len(shocks)):
        shocks[t] *= np.sqrt(variance)
        variance = 0.02 + 0.13 * float((shocks[t] ** 2).mean()) + 0.85 * variance
    return shocks[200:].cumsum(axis=0)


def stepped(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    """Volatility four times as large in the second half."""
    shocks = rng.standard_normal((bars, symbols))
    shocks[bars // 2 :] *= 4.0
    return shocks.cumsum(axis=0)


def bouncing(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
    """Last prices that jump between bid and ask: noise of half a bar's move on every close."""
    return gaussian(rng, bars, symbols) + 0.5 * rng.standard_normal((bars, symbols))


def returning(keep: float, share: float = 0.0) -> Maker:
    """An AR(1) beside walks, its shocks correlated by `share` with the first walk's."""

    def make(rng: np.random.Generator, bars: int, symbols: int) -> FloatArray:
        shocks = rng.standard_normal((bars, symbols))
        shocks[:, 0] = share * shocks[:, 1] + np.sqrt(1.0 - share**2) * shocks[:, 0]
        values = shocks.cumsum(axis=0)
        shocks[0, 0] /= np.sqrt(1.0 - keep**2)
        values[:, 0] = lfilter([1.0], [1.0, -keep], shocks[:, 0]) + values[:, 1:].mean(axis=1)
        return values

    return make


NULLS: Final[dict[str, Maker]] = {
    "Gaussian walks": gaussian,
    "one factor in common": correlated,
    "t(3) shocks": heavy,
    "GARCH(0.13, 0.85)": garch,
    "volatility × 4 halfway": stepped,
    "bid-ask noise, half a bar's move": bouncing,
}


def verdicts(values: FloatArray) -> FloatArray:
    """Whether each verdict says that it returns; shape (methods, verdicts)."""
    logs = pd.DataFrame(values, columns=[f"S{place}" for place in range(values.shape[1])])
    out = np.empty((len(METHODS), len(VERDICTS)))
    for place, method in enumerate(METHODS):
        fit = fit_basket(logs, method)
        spread = fit.spread(logs)
        adf = basket_adf(spread, fit)
        out[place] = (
            basket_test(adf, fit).pvalue < 0.05,
            adf.rejects(0.05),
            adf.plain_pvalue < 0.05,
        )
    return out


def covered(values: FloatArray, keep: float) -> FloatArray:
    """Whether the interval holds the half-life, and estimate over truth; shape (methods, 2)."""
    logs = pd.DataFrame(values, columns=[f"S{place}" for place in range(values.shape[1])])
    truth = np.log(2) / (1.0 - keep)
    out = np.empty((len(METHODS), 2))
    for place, method in enumerate(METHODS):
        fit = fit_basket(logs, method)
        found = basket_half_life(fit.spread(logs), fit, 0.0)
        low, high = found.interval
        out[place] = low <= truth and not high < truth, found.half_life / truth
    return out


def rejections(job: Job) -> FloatArray:
    kind, symbols, bars, samples = job
    rng = np.random.default_rng([SEED, symbols, bars, len(kind)])
    make = NULLS.get(kind) or returning(0.9, 0.5 if "0.5" in kind else 0.0)
    found = [verdicts(make(rng, bars, symbols)) for _ in range(samples)]
    share: FloatArray = np.mean(found, axis=0)
    return share


def wild_rejections(job: Job) -> FloatArray:
    """As `rejections`: by draws alone, and by the larger p of both; shape (methods, 2)."""
    kind, symbols, bars, samples = job
    rng = np.random.default_rng([SEED + 1, symbols, bars, len(kind)])
    names = [f"S{place}" for place in range(symbols)]
    found = np.empty((samples, len(METHODS), len(WILD_VERDICTS)))
    for at in range(samples):
        logs = pd.DataFrame(NULLS[kind](rng, bars, symbols), columns=names)
        for place, method in enumerate(METHODS):
            by_draws = wild_basket_test(logs, method, WILD_DRAWS).pvalue <= 0.05
            fit = fit_basket(logs, method)
            by_table = basket_test(basket_adf(fit.spread(logs), fit), fit).pvalue < 0.05
            found[at, place] = by_draws, by_draws and by_table
    share: FloatArray = found.mean(axis=0)
    return share


def coverage(job: tuple[float, float, int, int, int]) -> FloatArray:
    keep, share, symbols, bars, samples = job
    rng = np.random.default_rng([SEED, symbols, bars, round(1000 * keep), round(10 * share)])
    make = returning(keep, share)
    found = np.array([covered(make(rng, bars, symbols), keep) for _ in range(samples)])
    return np.column_stack([found[..., 0].mean(axis=0), np.nanmedian(found[..., 1], axis=0)])


def print_rates(
    title: str,
    jobs: list[Job],
    pool: Pool,
    rates: Callable[[Job], FloatArray] = rejections,
    verdicts_: tuple[str, ...] = VERDICTS,
) -> None:
    found = np.array(pool.map(rates, jobs, chunksize=1))
    print(
        f"\n{title}\n\n| legs | bars | verdict | {' | '.join(METHODS)} |\n|---|---|---|---|---|---|"
    )
    for kind, bars in dict.fromkeys((kind, bars) for kind, _, bars, _ in jobs):
        same = [job[0] == kind and job[2] == bars for job in jobs]
        table = 100 * found[same]
        for place, verdict in enumerate(verdicts_):
            cells = (
                " / ".join(f"{each:.1f}" for each in table[:, method, place])
                for method in range(len(METHODS))
            )
            print(f"| {kind} | {bars:,} | {verdict} | {' | '.join(cells)} |", flush=True)


def print_coverage(jobs: list[tuple[float, float, int, int, int]], pool: Pool) -> None:
    found = np.array(pool.map(coverage, jobs, chunksize=1))
    heads = " | ".join(METHODS)
    print(f"\n| keep | shocks' correlation | k | bars | {heads} | {heads} |")
    print(f"|---|---|---|---|{'---|' * (2 * len(METHODS))}")
    for (keep, share, symbols, bars, _), rates in zip(jobs, found, strict=True):
        held = " | ".join(f"{100 * each:.0f}" for each in rates[:, 0])
        ratio = " | ".join(f"{each:.2f}" for each in rates[:, 1])
        print(f"| {keep} | {share} | {symbols} | {bars:,} | {held} | {ratio} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2000)
    samples = parser.parse_args().samples
    with Pool(2) as pool:
        sizes = [("Gaussian walks", k, n, samples) for n in (120, 500, 2000) for k in SYMBOLS]
        print_rates("Rejections at 5 %, in %, of unrelated Gaussian walks.", sizes, pool)
        kinds = [(kind, k, 500, samples // 2) for kind in list(NULLS)[1:] for k in SYMBOLS]
        print_rates("The same on other unrelated legs.", kinds, pool)
        wild = [
            (kind, k, 500, max(samples // 10, 2))
            for kind in ("Gaussian walks", "GARCH(0.13, 0.85)", "volatility × 4 halfway")
            for k in SYMBOLS
        ]
        title = f"By {WILD_DRAWS} draws of the basket's own bars (wild bootstrap)."
        print_rates(title, wild, pool, wild_rejections, WILD_VERDICTS)
        power = [
            (kind, k, 500, samples // 4)
            for kind in ("returning, keep 0.9", "returning, keep 0.9, shocks 0.5")
            for k in SYMBOLS
        ]
        print_rates("Found, in %, of baskets that return.", power, pool)
        print("\nHalf-life: 95 % interval holds the truth, in %; median estimate over truth.")
        jobs = [
            (keep, share, k, 500, samples // 4)
            for keep in (0.9, 0.97)
            for share in (0.0, 0.5)
            for k in SYMBOLS
        ]
        print_coverage(jobs, pool)


if __name__ == "__main__":
    main()
