"""Legs as arrays: what a later state of the same bars takes over from an earlier one."""

import numpy as np
import pytest

from analytics.errors import NonPositivePriceError
from analytics.leg import Leg
from analytics.spread import log_returns

STEP_US = 1_000_000
PRICES = np.round(60_000 * np.exp(np.random.default_rng(8).normal(size=80).cumsum() * 1e-4), 2)
PRICES[[20, 21, 50]] = np.nan


def leg(start: int, stop: int, prices: np.ndarray = PRICES) -> Leg:
    close = prices[start:stop].copy()
    kinds = np.where(np.isnan(close), 2, 0).astype(np.int8)
    return Leg(start * STEP_US, STEP_US, close, close * 0 + 1, np.ones(close.size, int), kinds)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 60), (0, 61), (5, 70), (20, 60), (21, 80), (59, 75)]
)
def test_returns_go_on_from_an_earlier_state_to_the_bit(start: int, stop: int) -> None:
    earlier, later = leg(0, 60), leg(start, stop)
    assert earlier.log_returns.size == 60
    later.continue_returns(earlier)
    assert "log_returns" in vars(later)
    np.testing.assert_array_equal(later.log_returns, log_returns(leg(start, stop).close))


def test_returns_that_nobody_asked_for_and_bars_apart_are_left() -> None:
    unasked, asked = leg(10, 60), leg(10, 60)
    assert asked.log_returns.size == 50
    for later, earlier in ((leg(11, 61), unasked), (leg(9, 61), asked), (leg(60, 80), asked),
                           (leg(12, 40), asked)):  # fmt: skip
        later.continue_returns(earlier)
        assert "log_returns" not in vars(later)


def test_a_price_of_zero_among_the_new_bars_is_refused_when_its_return_is_asked_for() -> None:
    earlier, prices = leg(0, 60), PRICES.copy()
    assert earlier.log_returns.size == 60
    prices[70] = 0.0
    later = leg(1, 75, prices)
    later.continue_returns(earlier)
    with pytest.raises(NonPositivePriceError):
        assert later.log_returns.size
