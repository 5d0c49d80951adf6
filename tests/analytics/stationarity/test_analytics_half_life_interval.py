"""Half-lives: median-unbiased, with intervals that hold the truth near a random walk too."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from analytics.scanner.verdict import dickey_fuller_pvalues, engle_granger_pvalues
from analytics.stationarity import half_life, unbiased_thetas
from analytics.stationarity.memory_table import DISTANCES, SIZES, T_QUANTILES

SEED = 20240808
BARS = 300


def spreads(count: int, memory: float, on_line: bool) -> np.ndarray:
    """Stationary AR(1) of BARS; with a line, the residual on a walk of its own."""
    rng = np.random.default_rng(SEED)
    u = lfilter([1.0], [1.0, -memory], rng.normal(size=(count, BARS + 400)), axis=1)[:, 400:]
    if not on_line:
        return np.asarray(u)
    x = rng.normal(size=u.shape).cumsum(axis=1)
    x -= x.mean(axis=1, keepdims=True)
    return np.asarray(u - ((u * x).sum(axis=1) / (x * x).sum(axis=1))[:, np.newaxis] * x)


@pytest.mark.parametrize(
    ("bars", "quantiles"),
    [(25, (-3.33, 0.34)), (50, (-3.22, 0.29)), (100, (-3.17, 0.26)), (500, (-3.13, 0.24))],
)
def test_at_a_random_walk_the_table_is_fullers(bars: int, quantiles: tuple[float, float]):
    # Fuller (1976), Introduction to Statistical Time Series, table 8.5.2, with a constant.
    size, walk = int(np.flatnonzero(bars == SIZES)[0]), int(np.flatnonzero(DISTANCES == 0)[0])
    assert T_QUANTILES[0, [0, 2], size, walk] == pytest.approx(quantiles, abs=0.03)


@pytest.mark.parametrize("memory", [0.95, 0.98])
@pytest.mark.parametrize("on_line", [False, True])
def test_intervals_hold_the_half_life_and_the_middle_is_in_the_middle(memory: float, on_line: bool):
    found = [half_life(u, on_estimated_line=on_line) for u in spreads(1_000, memory, on_line)]
    theta, stderr = (np.array([getattr(each, name) for each in found])
                     for name in ("theta", "theta_stderr"))  # fmt: skip
    bars = np.full(theta.size, BARS)
    slow, middle, fast = unbiased_thetas(theta, stderr, bars, on_line)
    truth = memory - 1.0
    holds = (fast <= truth) & (truth <= slow)
    assert 0.93 <= holds.mean() <= 0.97
    assert np.mean(middle < truth) == pytest.approx(0.5, abs=0.05)
    assert np.mean(theta < truth) > 0.7
    # Rows chosen because a test at 5 % rejects: still four in five.
    pvalues = (engle_granger_pvalues if on_line else dickey_fuller_pvalues)(theta / stderr)
    chosen = pvalues < 0.05
    assert chosen.sum() > 50
    assert holds[chosen].mean() >= (0.88 if memory == 0.95 else 0.70)


def test_the_interval_in_bars_is_that_of_theta_and_an_open_end_is_not_known():
    result = half_life(spreads(1, 0.9, on_line=False)[0])
    estimate = np.array([result.theta]), np.array([result.theta_stderr]), np.array([BARS])
    slow, middle, fast = unbiased_thetas(*estimate, on_estimated_line=False)[:, 0]
    assert result.interval == pytest.approx((math.log(2) / -fast, math.log(2) / -slow))
    assert result.median_unbiased == pytest.approx(math.log(2) / -middle)
    assert result.interval[0] < result.half_life < result.median_unbiased < result.interval[1]
    wandering = half_life(np.random.default_rng(SEED).normal(size=BARS).cumsum())
    assert math.isnan(wandering.interval[1])


def test_far_from_a_walk_the_interval_is_nearly_the_normal_one():
    theta, stderr = np.array([-0.5]), np.array([0.004])
    ends = unbiased_thetas(theta, stderr, np.array([50_000]), on_estimated_line=False)[:, 0]
    assert ends == pytest.approx(-0.5 + 0.004 * np.array([1.96, 0.0, -1.96]), abs=4e-4)


def test_a_theta_that_is_not_known_has_no_interval_and_one_that_grows_is_open():
    theta, stderr = np.array([np.nan, 0.01, -0.01]), np.array([0.1, 0.01, np.nan])
    ends = unbiased_thetas(theta, stderr, np.array([0, 100, 100]), on_estimated_line=True)
    assert np.isnan(ends[:, [0, 2]]).all()
    assert (ends[:, 1] == 0).all()


def test_a_verdict_without_any_bound_says_if_ever():
    rng = np.random.default_rng(SEED)
    for _ in range(200):
        result = half_life(rng.normal(size=100).cumsum(), on_estimated_line=True)
        if result.mean_reverting and math.isnan(result.interval[0]):
            assert result.verdict(0.9999).endswith("bars, if ever")
            return
    pytest.fail("no walk of 200 is without a bound")
