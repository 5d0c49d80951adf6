"""Entries that pay: the published example, exact integrals, and simulated paths."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma, erfcx, gammaln

from analytics.backtest.entries import SIDES, best_entry, trade_at
from analytics.errors import ParameterError

# Bertram (2010), section 5: speed and volatility a year; a cost of a trade of 0.1 %.
SPEED, VOLATILITY, COST = 180.967, 0.1538, 0.001
HALF_LIFE = math.log(2) / SPEED
DEVIATION = VOLATILITY / math.sqrt(2 * SPEED)


def test_the_published_example():
    best = best_entry(HALF_LIFE, DEVIATION, COST, "one side")
    assert best.length == pytest.approx(0.017122, abs=5e-7)
    assert best.mean == pytest.approx(0.492358, abs=5e-7)
    assert best.variance == pytest.approx(0.0021862, abs=5e-8)
    # Published with ten terms of its series, 3.86293; the whole series gives 3.86188.
    safest = best_entry(HALF_LIFE, DEVIATION, COST, "one side", criterion="sharpe", rate=0.01)
    ratio = (safest.mean - 0.01 / safest.length) / math.sqrt(safest.variance)
    assert ratio == pytest.approx(3.86293, rel=4e-4)
    assert ratio == pytest.approx(3.861879, abs=5e-6)


def series_variance(level: float, terms: int = 150) -> float:
    """Variance of Bertram's cycle in relaxation times, by the paper's series (eq. 17)."""
    k = np.arange(1, terms + 1)
    z = math.sqrt(2) * level  # √2 times the paper's argument
    plain = np.exp(gammaln(k / 2) + k * math.log(z) - gammaln(k + 1))
    odd = (2 * k - 1) / 2
    other = np.exp(gammaln(odd) + (2 * k - 1) * math.log(z) - gammaln(2 * k))
    first = (plain.sum() / 2) ** 2 - (((-1.0) ** k * plain).sum() / 2) ** 2
    return float(2 * first - 2 * (other * (digamma(odd) - digamma(1))).sum())


@pytest.mark.parametrize("level", [0.3, 1.0, 2.0, 3.0])
def test_the_variance_is_that_of_the_series(level):
    found = trade_at(level, math.log(2), 1.0, 0.0, "one side")
    variance = found.variance * found.length**3 / found.profit**2
    assert variance == pytest.approx(series_variance(level), rel=1e-6)


def test_the_way_back_and_the_way_out_are_exact():
    half = trade_at(1.3, math.log(2), 1.0, 0.0, "to the mean")
    root = math.sqrt(math.pi / 2)
    back = quad(lambda x: root * erfcx(-x / math.sqrt(2)), -1.3, 0)[0]
    out = quad(lambda x: root * math.exp(x * x / 2) * math.erf(x / math.sqrt(2)), 0, 1.3)[0]
    assert half.length == pytest.approx(back + out, rel=1e-9)
    assert half.bars_held == pytest.approx(back, rel=1e-9)
    one, reverse = (trade_at(1.3, math.log(2), 1.0, 0.0, each) for each in SIDES[:2])
    assert reverse.bars_held == reverse.length == one.bars_held == one.length / 2


def test_simulated_cycles_take_as_long_and_vary_as_much():
    rng = np.random.default_rng(7)
    level, step, paths = 1.0, 1e-3, 3_000
    keep = math.exp(-step)
    x, at_s, is_back = np.full(paths, level), np.full(paths, np.nan), np.zeros(paths, dtype=bool)
    for count in range(1, 30_000):
        x = keep * x + math.sqrt(1 - keep**2) * rng.normal(size=paths)
        is_back |= x <= 0
        ended = is_back & (np.abs(x) >= level) & np.isnan(at_s)
        at_s[ended] = count * step
    told = trade_at(level, math.log(2), 1.0, 0.0, "to the mean")
    # Looked at between steps it is seen a little late: 0.58 √(2 step) at each border.
    assert np.nanmean(at_s) == pytest.approx(told.length, rel=0.07)
    variance = told.variance * told.length**3 / told.profit**2
    assert np.nanstd(at_s) == pytest.approx(math.sqrt(variance), rel=0.07)


@pytest.mark.parametrize("sides", SIDES)
def test_nothing_near_it_is_better_and_costs_move_it_out(sides):
    before = 0.0
    for cost in (0.1, 0.5, 1.0, 2.0):
        best = best_entry(20.0, 1.0, cost, sides)
        assert best.level > before
        before = best.level
        for level in (best.level * 0.97, best.level * 1.03):
            assert trade_at(level, 20.0, 1.0, cost, sides).mean < best.mean


def test_reversing_earns_more_than_leaving_at_the_mean():
    for cost in (0.2, 1.0):
        found = [best_entry(20.0, 1.0, cost, sides).mean for sides in SIDES]
        one, reverse, to_mean = found
        assert reverse == pytest.approx(2 * one, rel=1e-6)
        assert reverse > to_mean


def test_a_unit_is_a_unit():
    small = best_entry(10.0, 1.0, 0.5)
    large = best_entry(30.0, 100.0, 50.0)
    assert large.level == pytest.approx(small.level, rel=1e-6)
    assert large.length == pytest.approx(3 * small.length, rel=1e-6)
    assert large.mean == pytest.approx(100 / 3 * small.mean, rel=1e-6)
    assert large.sharpe == pytest.approx(small.sharpe / math.sqrt(3), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("half_life", (0.0, 1.0, 0.1)),
        ("half_life", (math.inf, 1.0, 0.1)),
        ("deviation", (5.0, math.nan, 0.1)),
        ("cost", (5.0, 1.0, -0.1)),
        ("sides", (5.0, 1.0, 0.1, "both")),
    ],
)
def test_what_cannot_be_is_named(name, arguments):
    with pytest.raises(ParameterError, match=name):
        best_entry(*arguments)
