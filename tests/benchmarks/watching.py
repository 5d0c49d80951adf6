"""What watched pairs cost at each closed bar: a latest reading, beside an analysis of all bars.

    python tests/benchmarks --only watching [--quick]

CPU time of this process, of legs that grew by a bar, as they come out of the bar windows; and a
whole pass of the engine over 500 pairs of 33 symbols with three rules, a second's trades stored.
"""

import itertools
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_row import Row, Samples, measured, ratio_row, value_row

sys.path.append(str(Path(__file__).resolve().parents[1] / "ingest" / "watch"))

from market_cases import Market, Stepped, walk

from analytics.alerts import AlertRule
from analytics.leg import MISSING, TRADED, Leg
from analytics.pair import LatestPair, PairAnalytics, PairParams, analyse_pair, read_latest
from analytics.warm import warm_up
from ingest.watch import WatchedPair, WatchList

PARAMS = PairParams("BTCUSDT", "ETHUSDT", window=60, spread="hedged")
Legs = tuple[Leg, Leg]


def rows(quick: bool) -> list[Row]:
    """Measure short ranges and long ones, with and without missing bars."""
    warm_up()
    ranges = (1_800, 3_600) if quick else (1_800, 86_400)
    rows = [_row(bars, holes, 10 if quick else 400) for bars in ranges for holes in (0, 5)]
    return [*rows, _pass_row(50 if quick else 500, 5 if quick else 40)]


def _pass_row(count: int, times: int) -> Row:
    """Measure the engine's passes over so many pairs, each at a new bar."""
    symbols = [f"W{number:03d}USDT" for number in range(33)]
    paths = {name: walk(_BEFORE + times, seed) for seed, name in enumerate(symbols, start=1)}
    took_ms = []
    with tempfile.TemporaryDirectory() as folder:
        market = Market(Path(folder) / "ticks.db")
        market.seconds(0, **{name: path[:_BEFORE] for name, path in paths.items()})
        watch = Stepped(market.path)
        both = itertools.islice(itertools.combinations(symbols, 2), count)
        pairs = tuple(WatchedPair(y, x, spread="log") for y, x in both)
        watch.store.save_list(WatchList("all", pairs))
        for level in (2.0, 2.5, 3.0):
            watch.store.save_rule(AlertRule(f"|z| {level:g}", crosses="outside", level=level))
        for second in range(_BEFORE, _BEFORE + times):
            trades = [market.trade(name, second, path[second]) for name, path in paths.items()]
            market.write(*trades)
            took_ms.append(1e3 * measured(lambda: watch.step(1.0), _CLOCK)[0])
        watch.store.close()
        market.writer.close()
    return value_row(
        f"watch: a pass over {count} pairs of {len(symbols)} symbols at a new bar, 3 rules",
        Samples.of(took_ms[3:]), unit="ms CPU", at_most=250, note="a quarter of a core at 1 s",
    )  # fmt: skip


def _row(bars: int, holes: int, times: int) -> Row:
    params = replace(PARAMS, lookback=bars)
    assert params.reach is not None
    market = _market(params.reach + times + 2, holes)
    state: LatestPair | None = None
    before: PairAnalytics | None = None
    ours, whole = [], []
    every = max(times // 25, 3)
    for stop in range(params.reach + 1, params.reach + times + 2):
        legs = _cut(market, stop - params.reach - 1, stop)
        took_s, found = measured(lambda: read_latest(legs, params, state, epoch=1), _CLOCK)  # noqa: B023
        state = found[1]  # type: ignore[index] # a reading, and what it leaves
        ours.append(1e3 * took_s)
        if stop % every < 2:
            took_s, found = measured(lambda: analyse_pair(*legs, params, before), _CLOCK)  # noqa: B023
            before = found  # type: ignore[assignment] # measured has no type for it
            if stop % every == 1:
                whole.append(1e3 * took_s)
    missing = f", {holes} gaps in them" if holes else ""
    return ratio_row(
        f"watch: one pair, one bar, over {bars:,} bars{missing}", Samples.of(ours[1:]),
        Samples.of(whole), unit="ms CPU", at_least=10,
        note="the analysis of all bars that moves on, as Live has it, by turns",
    )  # fmt: skip


_CLOCK = time.process_time
_BEFORE = 400


def _market(bars: int, holes: int) -> Legs:
    rng = np.random.default_rng(16)
    x = 2_600.0 + 0.2 * rng.normal(size=bars).cumsum()
    y = 100.0 + 20.0 * x + rng.normal(size=bars)
    for start in rng.integers(0, bars, size=holes):
        y[start : start + 3] = np.nan
    return _leg(np.round(y, 2)), _leg(np.round(x, 2))


def _leg(close: np.ndarray) -> Leg:
    known = ~np.isnan(close)
    coverage = np.where(known, TRADED, MISSING).astype(np.int8)
    return Leg(0, 1_000_000, close, known.astype(np.float64), known.astype(np.int64), coverage)


def _cut(legs: Legs, start: int, stop: int) -> Legs:
    """Cut both to legs of their own, that know nothing of the whole."""
    y, x = (replace(leg.part(start, stop), whole=None) for leg in legs)
    return y, x
