"""Weights of a basket: published numbers, other libraries, and what a method must not depend on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases.baskets import NAMES, logs_frame, related, walks
from scipy.optimize import minimize
from statsmodels.datasets import danish_data
from statsmodels.multivariate.cancorr import CanCorr
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from analytics.baskets import METHODS, BasketMethod, fit_basket
from analytics.baskets.johansen import leading_vector
from analytics.baskets.weights import least_predictable
from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.stationarity import half_life, johansen_test


def test_chan_published_johansen_of_three_funds(shared_data: Path):
    # Chan (2013), Algorithmic Trading, example 2.7: prices of EWA, EWC and IGE.
    frame = pd.read_csv(shared_data / "reference/epchan/inputData_EWA_EWC_IGE.csv")
    fit = fit_basket(frame[["EWA", "EWC", "IGE"]])
    assert fit.stat == pytest.approx(34.429, abs=5e-4)
    # Printed: 0.7600, -1.0460, 0.2233.
    assert fit.weights == pytest.approx(np.array([0.7600, -1.0460, 0.2233]) / 0.7600, abs=2e-4)
    # Printed: 23 days, from the portfolio of these weights.
    spread = fit.spread(frame[["EWA", "EWC", "IGE"]])
    assert float(half_life(spread)) == pytest.approx(22.662578, abs=5e-6)


def test_johansen_equals_statsmodels_on_the_danish_data():
    frame = danish_data.load().data[["lrm", "lry", "ibo", "ide"]]
    theirs = coint_johansen(frame.to_numpy(), 0, 1)
    ours = leading_vector(frame.to_numpy(), "the Danish data")
    assert ours.eigenvalues == pytest.approx(theirs.eig, abs=1e-10)
    assert ours.trace == pytest.approx(theirs.trace_stat[0], abs=1e-8)


@pytest.mark.parametrize("symbols", range(3, 9))
def test_johansen_equals_statsmodels(symbols: int):
    frame = logs_frame(related(400, symbols, seed=symbols))
    fit = fit_basket(frame, "johansen")
    theirs = coint_johansen(frame.to_numpy(), 0, 1)
    assert fit.stat == pytest.approx(theirs.trace_stat[0], abs=1e-8)
    assert fit.weights == pytest.approx(theirs.evec[:, 0] / theirs.evec[0, 0], abs=1e-8)
    assert johansen_test(frame).trace_stat[0] == pytest.approx(fit.stat, abs=1e-8)
    model = VECM(frame.to_numpy(), k_ar_diff=1, coint_rank=1, deterministic="co").fit()
    assert fit.weights == pytest.approx(model.beta[:, 0], abs=1e-8)
    assert fit.stderr == pytest.approx(model.stderr_beta[:, 0], abs=1e-8)


def test_box_tiao_of_a_known_autoregression():
    # x = M z, z three AR(1) with keep 0.9, 0.5, 0.2: the last is the least predictable.
    keep = np.array([0.9, 0.5, 0.2])
    mix = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0], [2.0, 0.0, 1.0]])
    gamma = mix @ np.diag(1.0 / (1.0 - keep**2)) @ mix.T
    step = mix @ np.diag(keep) @ np.linalg.inv(mix)
    # Rows whose sample moments are exactly these: shocks and levels orthogonal to each other.
    draws = np.random.default_rng(1).standard_normal((50, 6))
    level, shock = np.hsplit(np.linalg.qr(draws)[0], 2)
    before = level @ np.linalg.cholesky(gamma).T
    now = before @ step.T + shock @ np.linalg.cholesky(gamma - step @ gamma @ step.T).T
    least, vector = least_predictable(now, before)
    assert least == pytest.approx(0.2**2, abs=1e-12)
    expected = np.linalg.inv(mix)[2]
    assert vector / vector[0] == pytest.approx(expected / expected[0], abs=1e-10)


@pytest.mark.parametrize("symbols", range(3, 9))
def test_box_tiao_is_the_smallest_canonical_correlation(symbols: int):
    values = related(300, symbols, seed=symbols)
    fit = fit_basket(logs_frame(values), "box_tiao")
    theirs = CanCorr(values[1:], values[:-1])
    assert fit.stat == pytest.approx(theirs.cancorr.min() ** 2, abs=1e-8)
    weights = theirs.y_cancoef[:, -1]
    assert fit.weights == pytest.approx(weights / weights[0], abs=1e-6)


@pytest.mark.parametrize("symbols", [3, 5, 8])
def test_no_combination_has_a_shorter_half_life(symbols: int):
    frame = logs_frame(related(300, symbols, seed=symbols))
    fit = fit_basket(frame, "min_half_life")
    # The number that the method makes small is the one that the page shows.
    assert half_life(fit.spread(frame)).theta == pytest.approx(fit.stat, abs=1e-10)

    def theta(rest: np.ndarray) -> float:
        return half_life(frame.to_numpy() @ np.r_[1.0, rest]).theta

    searched = minimize(theta, fit.weights[1:] * 1.3 + 0.05, method="Nelder-Mead",
                        options={"maxiter": 4_000, "xatol": 1e-9, "fatol": 1e-13})  # fmt: skip
    assert searched.fun >= fit.stat - 1e-10
    assert searched.fun == pytest.approx(fit.stat, abs=2e-4)


@pytest.mark.parametrize("method", METHODS)
def test_the_relation_is_found(method: BasketMethod):
    fit = fit_basket(logs_frame(related(2_000, 5, seed=7)), method)
    assert fit.weights == pytest.approx([1.0, -0.5, 1.0, 0.0, 0.0], abs=0.1)
    assert np.abs(fit.money).sum() == pytest.approx(1.0, abs=1e-15)
    assert fit.money[0] > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_recombination_of_the_symbols_gives_the_same_spread(method: BasketMethod):
    values = related(400, 4, seed=3)
    mix = np.random.default_rng(5).standard_normal((4, 4))
    first = fit_basket(logs_frame(values), method).spread(logs_frame(values))
    mixed = logs_frame(values @ mix)
    second = fit_basket(mixed, method).spread(mixed)
    scale = first.std() / second.std()
    same = min(np.abs(first - scale * second).max(), np.abs(first + scale * second).max())
    assert same < 1e-7 * first.std()


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_reach_over_a_missing_bar_are_left_out(method: BasketMethod):
    values = related(400, 4, seed=4)
    holed = values.copy()
    holed[200, 2] = np.nan
    fit = fit_basket(logs_frame(holed), method)
    # A hole costs its own row and those after it that look back to it.
    lagged = 3 if method == "johansen" else 2
    before = fit_basket(logs_frame(values), method)
    assert before.nobs - fit.nobs == lagged
    assert np.isnan(fit.spread(logs_frame(holed)).iloc[200])
    assert not np.isnan(fit.spread(logs_frame(holed)).drop(200)).any()
    # What the missing bar would have been plays no part.
    holed[200, [0, 1, 3]] = 99.0
    assert np.array_equal(fit_basket(logs_frame(holed), method).weights, fit.weights)


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_and_a_collinear_symbol_are_named(method: BasketMethod):
    values = walks(200, 4, seed=1)
    values[:, 2] = 4.0
    with pytest.raises(DegenerateSeriesError, match="CCC is constant over 200 bars"):
        fit_basket(logs_frame(values), method)
    values[:, 2] = 0.3 * values[:, 0] + 0.7 * values[:, 1]
    with pytest.raises(DegenerateSeriesError, match="CCC is an exact combination"):
        fit_basket(logs_frame(values), method)


def test_too_few_bars_are_counted():
    with pytest.raises(NotEnoughDataError, match=r"needs 25 bars known of all symbols, had 24"):
        fit_basket(logs_frame(walks(24, 3, seed=1)))
    holed = walks(80, 3, seed=1)
    holed[::2, 1] = np.nan
    with pytest.raises(NotEnoughDataError, match="needs 28 bars with two known before, had 0"):
        fit_basket(logs_frame(holed))
    with pytest.raises(NotEnoughDataError, match="needs 24 changes between known bars, had 0"):
        fit_basket(logs_frame(holed), "box_tiao")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (NAMES[:2], "3 to 8 symbols, had 2"),
        ((*NAMES, "III"), "3 to 8 symbols, had 9"),
        (("AAA", "BBB", "AAA"), "each symbol once: AAA stands twice"),
        (("AAA", "", "BBB"), "none empty"),
    ],
)
def test_the_symbols_are_three_to_eight_each_once(names: tuple[str, ...], words: str):
    frame = pd.DataFrame(walks(100, len(names), seed=1), columns=list(names))
    with pytest.raises(ParameterError, match=words):
        fit_basket(frame)


def test_an_unknown_method_is_refused():
    with pytest.raises(ParameterError, match="one of johansen, box_tiao, min_half_life"):
        fit_basket(logs_frame(walks(100, 3, seed=1)), "pca")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_a_first_symbol_that_plays_no_part_is_said(method: BasketMethod):
    values = related(500, 4, seed=2)
    # All but exactly, the relation is of the other three.
    noise = 1e-9 * np.random.default_rng(1).standard_normal(500)
    values[:, 1] = 0.5 * values[:, 2] - values[:, 3] + noise
    with pytest.raises(DegenerateSeriesError, match="leaves AAA out: put another symbol first"):
        fit_basket(logs_frame(values), method)


def step_at(row: int) -> np.ndarray:
    """Walks, of which the second moves in one bar only."""
    values = walks(300, 4, seed=1)
    values[:, 1] = 5.0
    values[row:, 1] += 0.01
    return values


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("row", [1, 299])
def test_a_symbol_that_moves_at_an_end_only_is_said_where_a_fit_does_not_see_it(
    method: BasketMethod, row: int
):
    with pytest.raises(DegenerateSeriesError, match="hardly moves in the rows used"):
        fit_basket(logs_frame(step_at(row)), method)


@pytest.mark.parametrize("method", METHODS)
def test_symbols_that_part_in_the_last_bar_only_are_said(method: BasketMethod):
    values = walks(300, 4, seed=1)
    values[:-1, 2] = 0.5 * values[:-1, 1]
    with pytest.raises(DegenerateSeriesError, match="only as the others do"):
        fit_basket(logs_frame(values), method)


def test_a_matrix_that_cannot_be_inverted_is_a_reason_and_no_error(monkeypatch):
    def singular(*_: object) -> np.ndarray:
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(np.linalg, "solve", singular)
    with pytest.raises(DegenerateSeriesError, match="hardly moves in the rows used"):
        fit_basket(logs_frame(walks(300, 4, seed=1)))
