"""M-TAR: a search over thresholds equals plain fits, and neither test says more than 5 %."""

import math

import numpy as np
import pytest

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.evidence.momentum import (
    PHI_QUANTILES,
    PHI_SHARES,
    momentum_test,
    phi_distribution,
)

SEED = 20240808


def pair(
    n: int = 500, *, rising: float = 0.1, falling: float = 0.1, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """y = 5 + 2 x + gap; the gap closes at two speeds."""
    rng = np.random.default_rng(seed)
    x, gap = 100 + rng.normal(size=n).cumsum(), np.zeros(n)
    for t in range(2, n):
        speed = rising if gap[t - 1] >= gap[t - 2] else falling
        gap[t] = (1 - speed) * gap[t - 1] + rng.normal()
    return 5 + 2 * x + gap, x


def walks(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, n)).cumsum(axis=1)


def by_trial(y: np.ndarray, x: np.ndarray, lags: int) -> tuple[float, float, float]:
    """Fit each threshold by itself: phi, threshold and F of equal speeds."""
    design = np.column_stack([np.ones(x.size), x])
    gap = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    change = np.diff(gap)
    moved, level = change[lags:], gap[lags:-1]
    past = np.column_stack([change[lags - lag : -lag] for lag in range(1, lags + 1)])

    def squares(*columns: np.ndarray) -> float:
        design = np.column_stack([*columns, past])
        return float(((moved - design @ np.linalg.lstsq(design, moved, rcond=None)[0]) ** 2).sum())

    ordered = np.sort(past[:, 0])
    tried = ordered[int(0.15 * ordered.size) : int(0.85 * ordered.size) + 1]
    least, threshold = min(
        (squares(level * (past[:, 0] >= tau), level * (past[:, 0] < tau)), tau) for tau in tried
    )
    variance = least / (moved.size - 2 - lags)
    return (squares() - least) / 2 / variance, threshold, (squares(level) - least) / variance


@pytest.mark.parametrize("lags", [1, 3])
def test_the_search_equals_a_regression_at_each_threshold(lags: int):
    y, x = pair(300, falling=0.4)
    test = momentum_test(y, x, lags=lags, draws=0)
    phi, threshold, symmetry = by_trial(y, x, lags)
    assert test.phi == pytest.approx(phi, rel=1e-8)
    assert test.threshold == pytest.approx(threshold, rel=1e-8)
    assert test.symmetry == pytest.approx(symmetry, rel=1e-6)
    assert math.isnan(test.symmetry_pvalue)


def test_carried_prices_do_not_part_equal_changes():
    """Where neither leg trades the gap does not change: half of the changes are 0."""
    y, x = pair(400)
    y, x = np.repeat(y, 2), np.repeat(x, 2)
    test = momentum_test(y, x, lags=2, draws=0)
    phi, threshold, symmetry = by_trial(y, x, 2)
    assert (test.phi, test.threshold) == pytest.approx((phi, threshold), rel=1e-8)
    assert test.symmetry == pytest.approx(symmetry, rel=1e-6)


def test_unequal_speeds_are_found_and_named():
    test = momentum_test(*pair(2_000, rising=0.02, falling=0.3))
    assert test.verdict() == "the gap closes faster while it falls"
    assert test.falling == pytest.approx(0.3, abs=0.08)
    assert test.rising < 0.1
    other = momentum_test(*pair(2_000, rising=0.3, falling=0.02))
    assert other.verdict() == "the gap closes faster while it rises"


def test_equal_speeds_are_called_unequal_in_about_five_of_a_hundred():
    said = [momentum_test(*pair(250, seed=s), draws=199).symmetry_pvalue < 0.05 for s in range(300)]
    assert 0.01 < np.mean(said) < 0.09


def test_the_bootstrap_is_the_plain_one_within_its_noise():
    """Errors with random signs, each threshold fitted by itself: about as many are as large."""
    y, x = pair(120, falling=0.15)
    test = momentum_test(y, x, lags=1)
    design = np.column_stack([np.ones(x.size), x])
    gap = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    change = np.diff(gap)
    moved, level, past = change[1:], gap[1:-1], change[:-1]
    ordered = np.sort(past)
    tried = ordered[int(0.15 * ordered.size) : int(0.85 * ordered.size) + 1]
    hats = []
    for sides in [level, *(level * (past >= tau) for tau in tried)]:
        q = np.linalg.qr(np.column_stack([level, past, sides][: 2 if sides is level else 3]))[0]
        hats.append(np.eye(moved.size) - q @ q.T)
    is_up = past >= test.threshold
    design = np.column_stack([level * is_up, level * ~is_up, past])
    errors = moved - design @ np.linalg.lstsq(design, moved, rcond=None)[0]
    signs = np.random.default_rng(1).choice([-1.0, 1.0], size=(moved.size, 400))
    squares = [np.einsum("ij,ij->j", hat @ (errors[:, None] * signs), errors[:, None] * signs)
               for hat in hats]  # fmt: skip
    least = np.min(squares[1:], axis=0)
    best = (squares[0] - least) / (least / (moved.size - 3))
    assert 0.05 < test.symmetry_pvalue < 0.95
    assert test.symmetry_pvalue == pytest.approx(np.mean(best >= test.symmetry), abs=0.08)


def test_unrelated_walks_are_rejected_in_about_five_of_a_hundred():
    tests = [momentum_test(*walks(250, s), draws=0) for s in range(600)]
    assert 0.03 < np.mean([test.rejects(0.05) for test in tests]) < 0.075
    quiet = next(test for test in tests if not test.rejects(0.05))
    assert quiet.verdict() == "no evidence of cointegration, at two speeds either"


def test_the_tables_columns_give_their_own_shares():
    for bars, row in PHI_QUANTILES.items():
        assert list(row) == sorted(row)
        for share, quantile in zip(PHI_SHARES, row, strict=True):
            pvalue, critical = phi_distribution(quantile, bars)
            assert pvalue == pytest.approx(share)
            if share == 0.05:
                assert critical["5%"] == pytest.approx(quantile)
    assert phi_distribution(0.1, 500)[0] == 0.5
    assert phi_distribution(99.0, 500)[0] == 0.001
    between = phi_distribution(8.0, 900)[1]["5%"]
    ends = sorted((phi_distribution(8.0, 500)[1]["5%"], phi_distribution(8.0, 2_000)[1]["5%"]))
    assert ends[0] <= between <= ends[1]


def test_the_answer_is_the_same_twice():
    legs = pair(falling=0.3)
    assert momentum_test(*legs) == momentum_test(*legs)


def test_what_cannot_be_tested_is_named():
    y, x = pair()
    with pytest.raises(DegenerateSeriesError, match="exactly collinear"):
        momentum_test(2 * x, x)
    with pytest.raises(NotEnoughDataError, match="M-TAR of y and x"):
        momentum_test(y[:55], x[:55])
    steps = np.arange(200.0)
    with pytest.raises(DegenerateSeriesError, match="do not differ"):
        momentum_test((steps == 100) * 1.0, (steps == 150) * 1.0)
