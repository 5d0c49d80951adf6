"""Unit root and cointegration tests against statsmodels, simulated truth, degenerate input."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tools.sm_exceptions import CollinearityWarning
from statsmodels.tsa.stattools import adfuller, coint

from analytics.errors import (
    DegenerateSeriesError,
    InvalidSeriesError,
    NotEnoughDataError,
    ParameterError,
)
from analytics.stationarity import adf_test, engle_granger_test, half_life, johansen_test
from analytics.stationarity import dickey_fuller as kernel
from analytics.stationarity.dickey_fuller import Trend
from analytics.stationarity.mackinnon import mackinnon_pvalue

SEED = 20240808
TRENDS = ["n", "c", "ct", "ctt"]
CRITERIA = ["aic", "bic", "t-stat", None]

# Statistic within 1e-8 of statsmodels on centred input, and the same lag (SPEED.md).
ATOL = 1e-8


def walk(n: int, seed: int = SEED) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(size=n)
    values = steps.cumsum()
    return np.asarray(values - values.mean())


def series_of(kind: str, n: int) -> np.ndarray:
    noise = np.random.default_rng(n).normal(size=n)
    made = {
        "walk": noise.cumsum(),
        "noise": noise,
        "smooth": np.convolve(noise, np.ones(9), "same").cumsum(),
        "twice integrated": noise.cumsum().cumsum(),
        "moving average": (noise - 0.8 * np.roll(noise, 1)).cumsum(),
    }[kind]
    return np.asarray(made - made.mean())


# ---- ADF


@pytest.mark.parametrize("autolag", CRITERIA)
@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("kind", ["walk", "noise", "smooth", "twice integrated", "moving average"])
@pytest.mark.parametrize("n", [30, 61, 250])
def test_adf_equals_statsmodels(kind: str, n: int, trend: str, autolag: str | None):
    values = series_of(kind, n)
    oracle = adfuller(values, regression=trend, autolag=autolag, result_object=True)
    result = adf_test(values, trend, autolag=autolag)
    assert result.lags == oracle.lags
    assert result.stat == pytest.approx(oracle.statistic, rel=ATOL, abs=ATOL)
    assert result.pvalue == pytest.approx(oracle.pvalue, abs=ATOL)
    assert result.nobs == oracle.nobs
    assert dict(result.critical_values) == pytest.approx(oracle.critical_values, rel=1e-12)


def test_adf_of_a_long_series_equals_statsmodels():
    values = series_of("moving average", 5_000)
    oracle = adfuller(values, maxlag=12, result_object=True)
    result = adf_test(values, max_lags=12)
    assert result.lags == oracle.lags
    assert result.stat == pytest.approx(oracle.statistic, abs=1e-9)


def test_adf_does_not_depend_on_the_price_level():
    # Adding 1e9 changes statsmodels' answer by 2.04; quarters keep the shifted walk exact.
    values = np.round(walk(500) * 4) / 4
    shifted = adf_test(values + 1e9)
    plain = adf_test(values)
    assert shifted.lags == plain.lags
    assert shifted.stat == pytest.approx(plain.stat, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6, -1.0])
def test_adf_does_not_depend_on_scale_or_sign(scale: float):
    values = walk(300)
    assert adf_test(values * scale).stat == pytest.approx(adf_test(values).stat, abs=1e-9)


def test_the_qr_path_and_the_cholesky_path_agree():
    regression = kernel._regression(walk(400), "c")
    for level_last in (False, True):
        by_cholesky = kernel._factor(regression, 8, level_last=level_last)
        by_qr = kernel._qr_factor(regression, 8, level_last=level_last)
        np.testing.assert_allclose(by_cholesky, by_qr, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("holes", [[], [0, 1, 150], [60, 100, 399]])
@pytest.mark.parametrize("lags", [0, 1, 9])
def test_the_quick_sums_equal_those_of_the_whole_design(trend: Trend, holes: list[int], lags: int):
    values = walk(400)
    values[holes] = np.nan
    regression = kernel._regression(values, trend)
    design = np.vstack(list(regression.blocks(lags, level_last=False)))
    np.testing.assert_allclose(
        kernel._gram(regression, lags), design.T @ design, rtol=1e-11, atol=1e-11
    )


def test_many_holes_are_summed_in_blocks_to_the_same_answer(monkeypatch: pytest.MonkeyPatch):
    values = walk(1_000)
    values[::100] = np.nan
    result = adf_test(values)
    monkeypatch.setattr(kernel, "_MAX_STRETCHES", 1)
    assert adf_test(values).lags == result.lags
    assert adf_test(values).stat == pytest.approx(result.stat, abs=1e-10)


def test_a_smooth_series_falls_back_to_qr(monkeypatch: pytest.MonkeyPatch):
    calls = []
    honest = kernel._qr_factor

    def counted(*args, **named):
        calls.append(1)
        return honest(*args, **named)

    monkeypatch.setattr(kernel, "_qr_factor", counted)
    time = np.arange(300)
    values = np.sin(time / 40) + 1e-6 * np.random.default_rng(SEED).normal(size=300)
    values -= values.mean()
    oracle = adfuller(values, maxlag=6, result_object=True)
    result = adf_test(values, max_lags=6)
    assert calls
    assert result.lags == oracle.lags
    assert result.stat == pytest.approx(oracle.statistic, rel=1e-7)


def test_blocks_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch):
    values = walk(700)
    whole = adf_test(values)
    monkeypatch.setattr(kernel, "_BLOCK_ROWS", 64)
    assert adf_test(values).stat == pytest.approx(whole.stat, abs=1e-11)


def test_missing_bars_are_left_out_and_nothing_is_joined_across_them():
    values = walk(400)
    values[[100, 101, 250]] = np.nan
    result = adf_test(values, max_lags=2, autolag=None)
    difference = np.diff(values)
    design = np.column_stack([values[2:-1], difference[1:-1], difference[:-2], np.ones(397)])
    known = ~np.isnan(np.column_stack([design, difference[2:]])).any(axis=1)
    x, y = design[known], difference[2:][known]
    coefficients, ssr, *_ = np.linalg.lstsq(x, y)
    variance = ssr[0] / (len(y) - 4) * np.linalg.inv(x.T @ x)[0, 0]
    assert result.stat == pytest.approx(coefficients[0] / math.sqrt(variance), rel=1e-10)
    assert result.nobs == known.sum()


def test_leading_and_trailing_missing_bars_change_nothing():
    values = walk(200)
    padded = np.r_[np.full(59, np.nan), values, [np.nan]]
    assert adf_test(padded).stat == pytest.approx(adf_test(values).stat, abs=1e-11)
    assert adf_test(padded).lags == adf_test(values).lags


def test_scattered_holes_shorten_the_lags_instead_of_the_sample():
    values = walk(2_000)
    values[::20] = np.nan
    result = adf_test(values)
    assert result.max_lags < adf_test(walk(2_000)).max_lags
    assert result.nobs > 850


def test_adf_tells_a_walk_from_noise():
    assert adf_test(walk(500)).pvalue > 0.1
    assert adf_test(series_of("noise", 500)).pvalue < 1e-6


def test_adf_rejects_a_true_null_about_five_times_in_a_hundred():
    rng = np.random.default_rng(SEED)
    rejected = sum(adf_test(rng.normal(size=200).cumsum(), max_lags=2).pvalue < 0.05
                   for _ in range(600))  # fmt: skip
    # 600 draws at 5 % scatter by 0.9 %; four of those.
    assert 0.015 < rejected / 600 < 0.09


def test_the_result_says_its_null_and_what_it_used():
    result = adf_test(pd.Series(walk(100), name="BTCUSDT/ETHUSDT"), autolag="AIC")
    assert "unit root" in result.null_hypothesis
    assert (result.trend, result.autolag) == ("c", "aic")
    assert list(result.critical_values) == ["1%", "5%", "10%"]
    with pytest.raises(AttributeError):
        result.stat = 0.0  # type: ignore[misc] # frozen


@pytest.mark.parametrize(("trend", "needed"), [("n", 22), ("c", 23), ("ct", 24), ("ctt", 25)])
def test_too_few_bars_say_had_and_needed(trend: str, needed: int):
    short = pd.Series(walk(needed - 1), name="BTCUSDT/ETHUSDT")
    message = f"ADF on BTCUSDT/ETHUSDT needs {needed} bars, had {needed - 1}"
    with pytest.raises(NotEnoughDataError, match=message):
        adf_test(short, trend)
    assert math.isfinite(adf_test(walk(needed), trend).stat)
    with pytest.raises(NotEnoughDataError, match="had 0"):
        adf_test(np.full(50, np.nan), trend)


def test_more_lags_than_the_bars_allow_say_so():
    with pytest.raises(NotEnoughDataError, match="needs 84 bars, had 60"):
        adf_test(walk(60), max_lags=40)
    holed = walk(400)
    holed[::10] = np.nan
    with pytest.raises(NotEnoughDataError, match="with 12 lags and no hole between them"):
        adf_test(holed, max_lags=12)


@pytest.mark.parametrize("level", [0.0, 0.1, 100_000.01, 1e-6])
def test_a_constant_series_is_degenerate(level: float):
    with pytest.raises(DegenerateSeriesError, match="constant over 100 bars"):
        adf_test(np.full(100, level))
    with pytest.raises(DegenerateSeriesError, match="constant"):
        half_life(np.full(100, level))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(100.0),
        5 - 0.1 * np.arange(100.0),
        np.sin(np.arange(200) / 7),
        np.tile([1.0, 2], 50),
    ],
    ids=["line", "falling line", "sine", "alternating"],
)
def test_a_series_without_noise_is_degenerate_not_strong_evidence(values: np.ndarray):
    with pytest.raises(DegenerateSeriesError):
        adf_test(values)


def test_a_single_jump_gives_a_finite_answer():
    values = np.zeros(200)
    values[120:] = 1.0
    result = adf_test(values)
    assert math.isfinite(result.stat)
    assert 0 <= result.pvalue <= 1


def test_wrong_parameters_are_named():
    with pytest.raises(ParameterError, match="trend = 'x': must be one of n, c, ct, ctt"):
        adf_test(walk(50), "x")
    with pytest.raises(ParameterError, match="autolag"):
        adf_test(walk(50), autolag="hqic")
    for max_lags in (-1, 1.5, True):
        with pytest.raises(ParameterError, match="max_lags"):
            adf_test(walk(50), max_lags=max_lags)  # type: ignore[arg-type] # on purpose
    with pytest.raises(InvalidSeriesError, match="infinite"):
        adf_test(np.r_[walk(50), np.inf])


# ---- Engle-Granger


@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("cointegrated", [True, False])
@pytest.mark.parametrize("n", [40, 300])
def test_engle_granger_equals_statsmodels(n: int, cointegrated: bool, trend: str):
    x = walk(n, 3)
    y = 2 * x + series_of("noise", n) if cointegrated else walk(n, 4)
    oracle = coint(y, x, trend=trend)
    result = engle_granger_test(y, x, trend)
    assert result.stat == pytest.approx(oracle.coint_t, rel=ATOL, abs=ATOL)
    assert result.pvalue == pytest.approx(oracle.pvalue, abs=ATOL)
    np.testing.assert_allclose(
        list(result.critical_values.values()), oracle.critical_values, rtol=1e-12
    )


def test_engle_granger_does_not_depend_on_the_price_level():
    x = np.round(walk(400, 3) * 64) / 64
    y = np.round((0.5 * x + series_of("noise", 400)) * 64) / 64
    plain, shifted = engle_granger_test(y, x), engle_granger_test(y + 2**17, x + 2**20)
    assert shifted.lags == plain.lags
    assert shifted.stat == pytest.approx(plain.stat, abs=1e-9)
    assert shifted.beta == pytest.approx(plain.beta, rel=1e-11)


def test_engle_granger_on_unrelated_walks_rejects_about_five_times_in_a_hundred():
    rng = np.random.default_rng(SEED)
    right = naive = 0
    for _ in range(600):
        y, x = rng.normal(size=(2, 200)).cumsum(axis=1)
        result = engle_granger_test(y, x, max_lags=2)
        right += result.pvalue < 0.05
        residual = y - result.alpha - result.beta * x
        naive += adf_test(residual, max_lags=2).pvalue < 0.05
    assert 0.015 < right / 600 < 0.09
    # The reason for this test: a plain ADF on the same residuals rejects about 15 %.
    assert naive / 600 > 0.10


def test_a_verdict_needs_the_critical_value_of_so_few_bars_too():
    # Between the infinite sample's 5 % point, -3.336, and that of 60 bars, -3.44.
    borderline = replace(
        engle_granger_test(*np.random.default_rng(0).normal(size=(2, 60)).cumsum(axis=1)),
        stat=-3.37, pvalue=mackinnon_pvalue(-3.37, "c", 2),
    )  # fmt: skip
    assert borderline.pvalue < 0.05
    assert not borderline.rejects(0.05)
    assert borderline.verdict(0.05) == (
        "no evidence of cointegration (p = 0.046, but the statistic falls short of the critical "
        "value for so few bars)"
    )
    clear = replace(borderline, stat=-4.5, pvalue=mackinnon_pvalue(-4.5, "c", 2))
    assert clear.rejects(0.05)
    assert clear.verdict(0.05).startswith("cointegrated (p = 0.001")
    # No critical value is published at 4 %: the p-value decides.
    assert not borderline.rejects(0.04)
    assert replace(borderline, pvalue=0.03).rejects(0.04)


def test_engle_granger_names_the_dependent_leg():
    y, x = pd.Series(walk(100, 1), name="BTCUSDT"), pd.Series(walk(100, 2), name="ETHUSDT")
    result = engle_granger_test(y, x)
    assert (result.dependent, result.regressor) == ("BTCUSDT", "ETHUSDT")
    assert "not cointegrated" in result.null_hypothesis
    plain = engle_granger_test(y.to_numpy(), x.to_numpy())
    assert (plain.dependent, plain.regressor) == ("y", "x")
    assert result.bars == 100
    assert result.nobs == 100 - 1 - result.lags


def test_engle_granger_leaves_missing_rows_out():
    y, x = walk(300, 1), walk(300, 2)
    clean = engle_granger_test(y, x, max_lags=1, autolag=None)
    padded = engle_granger_test(
        np.r_[np.nan, y, 1.0], np.r_[5.0, x, np.nan], max_lags=1, autolag=None
    )
    assert padded.stat == pytest.approx(clean.stat, abs=1e-10)
    assert padded.bars == 300


def test_degenerate_legs_are_named_where_statsmodels_says_p_zero():
    y = walk(200) + 100
    with pytest.warns(CollinearityWarning):
        assert coint(y, y).pvalue == 0
    for x in (y, 2 * y + 3, -0.1 * y, y / 3 - 50):
        with pytest.raises(DegenerateSeriesError, match="identical or exactly collinear"):
            engle_granger_test(y, x)
    with pytest.raises(DegenerateSeriesError, match="other leg is constant"):
        engle_granger_test(y, np.full(200, 7.7))
    with pytest.raises(DegenerateSeriesError, match="dependent leg is constant"):
        engle_granger_test(np.full(200, 7.7), y)
    with pytest.raises(DegenerateSeriesError, match="nothing but the trend"):
        engle_granger_test(y, 0.1 * np.arange(200.0), "ct")


def test_legs_a_cent_apart_are_cointegrated_not_degenerate():
    # R² is above 1 - 1.5e-6 here, where statsmodels gives up: spot against its own future.
    rng = np.random.default_rng(SEED)
    x = 60_000 + rng.normal(size=1000).cumsum() * 10
    y = np.round(x + rng.normal(size=1000) * 0.02, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollinearityWarning)
        assert coint(y, x).coint_t == -math.inf
    result = engle_granger_test(y, x)
    assert -100 < result.stat < -10


def test_engle_granger_with_too_few_bars():
    with pytest.raises(NotEnoughDataError, match="Engle-Granger of y on x needs 23 bars, had 22"):
        engle_granger_test(walk(22), walk(22, 2))
    with pytest.raises(InvalidSeriesError, match="same length"):
        engle_granger_test(walk(50), walk(49))


# ---- Johansen


def johansen_frame(n: int = 400) -> pd.DataFrame:
    x = walk(n, 3) + 50
    return pd.DataFrame({"A": 2 * x + series_of("noise", n), "B": x})


def test_johansen_finds_one_relation_and_its_weights():
    result = johansen_test(johansen_frame())
    crit = result.critical_values["trace"]
    assert list(crit.columns) == ["10%", "5%", "1%"]
    assert (crit.diff(axis=1).iloc[:, 1:] > 0).all().all()
    assert result.trace_stat[0] > crit.loc["r <= 0", "1%"]
    assert result.trace_stat[1] < crit.loc["r <= 1", "5%"]
    weights = result.eigenvectors[:, 0]
    assert weights[1] / weights[0] == pytest.approx(-2, abs=0.02)
    assert result.max_eigen_stat[1] == pytest.approx(result.trace_stat[1])
    assert (result.names, result.lags, result.det_order) == (("A", "B"), 1, 0)
    assert result.nobs == 398
    assert "at most r" in result.null_hypothesis


def test_johansen_does_not_depend_on_scale():
    frame = johansen_frame()
    scaled = johansen_test(frame * [1e-6, 1e6])
    np.testing.assert_allclose(scaled.trace_stat, johansen_test(frame).trace_stat, rtol=1e-8)


def test_johansen_refuses_what_it_cannot_answer():
    frame = johansen_frame()
    with pytest.raises(InvalidSeriesError, match="no missing bars, had 1 of 400"):
        johansen_test(frame.drop(7).reindex(frame.index))
    with pytest.raises(InvalidSeriesError, match="2 to 12 series, had 1"):
        johansen_test(frame[["A"]])
    with pytest.raises(NotEnoughDataError, match="needs 26 bars, had 25"):
        johansen_test(frame.iloc[:25])
    with pytest.raises(ParameterError, match="det_order"):
        johansen_test(frame, 2)
    with pytest.raises(ParameterError, match="lags"):
        johansen_test(frame, lags=-1)


@pytest.mark.parametrize("other", [lambda b: b, lambda b: 2 * b + 1, lambda b: -b])
def test_johansen_of_collinear_series_is_degenerate(other):
    frame = johansen_frame()
    with pytest.raises(DegenerateSeriesError, match="collinear"):
        johansen_test(frame.assign(A=other(frame["B"])))


def test_johansen_of_a_constant_series_is_degenerate():
    with pytest.raises(DegenerateSeriesError, match="A is constant"):
        johansen_test(johansen_frame().assign(A=0.1))


# ---- half-life


def test_half_life_of_a_known_process_is_recovered():
    rng = np.random.default_rng(SEED)
    spread = np.zeros(20_000)
    for t, shock in enumerate(rng.normal(size=19_999), start=1):
        spread[t] = 0.95 * spread[t - 1] + shock
    result = half_life(pd.Series(spread))
    assert float(result) == pytest.approx(math.log(2) / 0.05, rel=0.05)
    assert result.theta == pytest.approx(-0.05, abs=3 * result.theta_stderr)
    assert result.half_life == float(result)
    assert result.pvalue < 1e-6


def test_a_spread_that_runs_away_has_no_half_life():
    rng = np.random.default_rng(SEED)
    result = half_life(1.05 ** np.arange(100) + rng.normal(size=100) * 0.01)
    assert not result.mean_reverting
    assert math.isnan(result.half_life)
    assert result.theta > 0
    assert result.pvalue > 0.9


def test_half_life_with_too_few_bars_says_so():
    with pytest.raises(NotEnoughDataError, match="half-life of the spread needs 23 bars, had 22"):
        half_life(walk(22))


def test_half_life_does_not_depend_on_level_or_scale():
    values = series_of("noise", 300)
    moved = half_life(values * 1e-6 + 100)
    assert float(moved) == pytest.approx(float(half_life(values)), rel=1e-6)
