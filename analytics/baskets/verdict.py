"""What a basket is judged by: the tests of its sample, and the half-life that goes with them."""

from dataclasses import dataclass

import pandas as pd

from analytics.baskets.judge import BasketHalfLife, basket_adf, basket_half_life, basket_test
from analytics.baskets.params import BasketMethod
from analytics.baskets.weights import BasketFit
from analytics.baskets.wild import default_draws, wild_basket_test
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.stationarity import ADFResult, SpreadTest

Lack = NotEnough | Degenerate


@dataclass(frozen=True, slots=True, eq=False)
class BasketVerdict:
    """The tests of one sample, as `BasketAnalytics` has them.

    Attributes
    ----------
    residual, adf, by_table, by_draws, half_life
        As `BasketAnalytics` has them.
    """

    residual: pd.Series | Lack
    adf: ADFResult | Lack
    by_table: SpreadTest | Lack
    by_draws: SpreadTest | Lack | None
    half_life: BasketHalfLife | Lack

    @property
    def test(self) -> SpreadTest | Lack:
        """The one that counts."""
        return larger_p(self.by_table, self.by_draws)


def judge_sample(
    sample: pd.DataFrame,
    fit: BasketFit | Lack,
    method: BasketMethod,
    draws: int | None = None,
) -> BasketVerdict:
    """Test the sample that weights were fitted to.

    Parameters
    ----------
    sample : DataFrame, shape (n, k)
        Log prices of the bars that the weights stand on, a column a symbol, NaN missing.
    fit : BasketFit, NotEnough or Degenerate
        The weights, or why there are none: then that is said of each test, too.
    method
        How they were found, and are found in each draw.
    draws : int, optional
        As `analyse_basket` takes it.
    """
    count = default_draws(len(sample)) if draws is None else draws
    by_draws = attempt(lambda: wild_basket_test(sample, method, count)) if count else None
    if not isinstance(fit, BasketFit):
        return BasketVerdict(fit, fit, fit, by_draws, fit)
    residual = fit.spread(sample)
    adf = attempt(lambda: basket_adf(residual, fit))
    by_table = basket_test(adf, fit) if isinstance(adf, ADFResult) else adf
    half_life = _half_life(residual, fit, larger_p(by_table, by_draws))
    return BasketVerdict(residual, adf, by_table, by_draws, half_life)


def larger_p(by_table: SpreadTest | Lack, by_draws: SpreadTest | Lack | None) -> SpreadTest | Lack:
    """Choose the test with the larger p-value; the one by its table without the other."""
    if not isinstance(by_table, SpreadTest) or not isinstance(by_draws, SpreadTest):
        return by_table
    return by_draws if by_draws.pvalue > by_table.pvalue else by_table


def _half_life(
    residual: pd.Series, fit: BasketFit, test: SpreadTest | Lack
) -> BasketHalfLife | Lack:
    if not isinstance(test, SpreadTest):
        return test
    return attempt(lambda: basket_half_life(residual, fit, test.pvalue))
