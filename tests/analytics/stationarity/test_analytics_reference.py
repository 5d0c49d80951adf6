"""Published answers: Chan's pairs, Stata, MATLAB, NIST; sources in reference/expected.json."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.hedge import fit_hedge
from analytics.spread import spread
from analytics.stationarity import adf_test, engle_granger_test, half_life, johansen_test

pytestmark = pytest.mark.real_data

LEVELS = ["1%", "5%", "10%"]


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> Path:
    return shared_data / "reference"


@pytest.fixture(scope="module")
def expected(reference: Path) -> dict[str, dict[str, Any]]:
    cases = json.loads((reference / "expected.json").read_text(encoding="utf-8"))["cases"]
    return {case["id"]: case for case in cases}


def legs(path: Path, y: str, x: str, rows: int | None = None) -> tuple[pd.Series, pd.Series]:
    frame = pd.read_csv(path, encoding="utf-8-sig")
    return frame[y].iloc[:rows], frame[x].iloc[:rows]


CHAN = {
    "chan_gld_gdx_train": ("GLD_GDX_merged.csv", "Adj Close_GLD", "Adj Close_GDX", 252),
    "chan_gld_gdx_full": ("GLD_GDX_merged.csv", "Adj Close_GLD", "Adj Close_GDX", None),
    "chan_ko_pep": ("KO_PEP_adjclose.csv", "Adj Close_KO", "Adj Close_PEP", None),
}


@pytest.mark.parametrize("case_id", CHAN)
def test_chan_engle_granger(reference: Path, expected: dict[str, dict[str, Any]], case_id: str):
    name, y_name, x_name, rows = CHAN[case_id]
    y, x = legs(reference / "epchan" / name, y_name, x_name, rows)
    case = expected[case_id]
    result = engle_granger_test(y, x)
    # Printed from uncentred statsmodels, whose own rounding reaches about 1e-10 here.
    assert result.stat == pytest.approx(case["published"]["t"], abs=1e-8)
    assert result.pvalue == pytest.approx(case["published"]["p"], abs=1e-8)
    crit = [result.critical_values[level] for level in LEVELS]
    assert crit == pytest.approx(case["published"]["crit"], abs=5e-9)  # 8 decimals printed
    assert (result.dependent, result.regressor) == (y_name, x_name)


@pytest.mark.parametrize("case_id", CHAN)
def test_chan_hedge_ratio_without_intercept(
    reference: Path, expected: dict[str, dict[str, Any]], case_id: str
):
    name, y_name, x_name, rows = CHAN[case_id]
    y, x = legs(reference / "epchan" / name, y_name, x_name, rows)
    fit = fit_hedge(y, x, intercept=False)
    assert fit.beta == pytest.approx(expected[case_id]["ols_no_const_hedge"], abs=5e-7)
    assert fit.alpha == 0
    assert math.isnan(fit.alpha_stderr)


def test_chan_gld_gdx_half_life(reference: Path, expected: dict[str, dict[str, Any]]):
    y, x = legs(reference / "epchan/GLD_GDX_merged.csv", "Adj Close_GLD", "Adj Close_GDX")
    case = expected["chan_gld_gdx_full"]
    hedged = spread(y, x, "hedged", fit_hedge(y, x, intercept=False).beta)
    result = half_life(hedged)
    assert result.theta == pytest.approx(case["theta"], abs=5e-7)
    assert float(result) == pytest.approx(case["half_life_bars"], abs=5e-7)
    assert result.mean_reverting


def test_chan_ko_pep_return_correlation(reference: Path, expected: dict[str, dict[str, Any]]):
    # The book's number is of daily simple returns: the plain Pearson correlation of all of them.
    y, x = legs(reference / "epchan/KO_PEP_adjclose.csv", "Adj Close_KO", "Adj Close_PEP")
    returns = fit_hedge(y.pct_change(), x.pct_change())
    correlation = math.copysign(math.sqrt(returns.r_squared), returns.beta)
    assert correlation == pytest.approx(expected["chan_ko_pep"]["return_corr"], abs=1e-12)
    assert returns.dropped == 1


def test_chan_ewa_ewc(reference: Path, expected: dict[str, dict[str, Any]]):
    frame = pd.read_csv(reference / "epchan/inputData_EWA_EWC_IGE.csv")
    case = expected["chan_ewa_ewc"]["computed"]
    fit = fit_hedge(frame["EWC"], frame["EWA"])
    assert fit.alpha == pytest.approx(case["alpha"], abs=5e-9)
    assert fit.beta == pytest.approx(case["beta"], abs=5e-8)
    assert fit.nobs == 1500
    result = engle_granger_test(frame["EWC"], frame["EWA"], max_lags=1, autolag=None)
    assert result.stat == pytest.approx(case["t"], abs=1e-9)
    assert result.pvalue == pytest.approx(case["p"], abs=1e-9)
    assert result.beta == pytest.approx(fit.beta, rel=1e-13)
    assert result.alpha == pytest.approx(fit.alpha, rel=1e-12)
    two = johansen_test(frame[["EWA", "EWC"]])
    assert two.trace_stat == pytest.approx(case["johansen2_trace"], abs=5e-8)
    three = johansen_test(frame[["EWA", "EWC", "IGE"]])
    assert three.trace_stat == pytest.approx(case["johansen3_trace"], abs=5e-8)
    portfolio = frame[["EWA", "EWC", "IGE"]].to_numpy() @ three.eigenvectors[:, 0]
    assert float(half_life(portfolio)) == pytest.approx(case["half_life_3"], abs=5e-8)


def test_the_two_orderings_of_engle_granger_differ(reference: Path):
    frame = pd.read_csv(reference / "epchan/inputData_EWA_EWC_IGE.csv")
    # statsmodels 0.15, coint with its defaults; the difference is why results name the leg.
    first = engle_granger_test(frame["EWA"], frame["EWC"])
    second = engle_granger_test(frame["EWC"], frame["EWA"])
    assert (first.dependent, first.regressor) == ("EWA", "EWC")
    assert (second.dependent, second.regressor) == ("EWC", "EWA")
    assert first.pvalue == pytest.approx(0.09586561374353214, abs=1e-9)
    assert second.pvalue == pytest.approx(0.06633459774817929, abs=1e-9)


@pytest.mark.parametrize("trend", ["c", "ct", "ctt"])
def test_stata_egranger(reference: Path, expected: dict[str, dict[str, Any]], trend: str):
    y, x = legs(reference / "statsmodels/stata_egranger_y.csv", "y0", "y1")
    case = expected["stata_egranger"]
    result = engle_granger_test(y, x, trend, max_lags=4, autolag=None)
    assert result.stat == pytest.approx(case["published"][trend], rel=case["rtol"])
    assert result.lags == 4
    if trend == "c":
        crit = [result.critical_values[level] for level in LEVELS]
        assert crit == pytest.approx(case["crit_c"], rel=1e-11)


@pytest.mark.parametrize("trend", ["c", "ct", "n"])
@pytest.mark.parametrize(("name", "lags"), [("realgdp", 4), ("infl", 1)])
def test_stata_adf_on_macrodata(
    reference: Path, expected: dict[str, dict[str, Any]], name: str, lags: int, trend: str
):
    series = pd.read_csv(reference / "statsmodels/macrodata.csv")[name]
    stat, pvalue = expected["stata_adf_macrodata"]["published"][name][trend]
    result = adf_test(series, trend, max_lags=lags, autolag=None)
    # Printed with up to 8 decimals, of which the case promises 5.
    assert result.stat == pytest.approx(stat, abs=1.5e-5)
    assert result.pvalue == pytest.approx(pvalue, abs=1.5e-5)
    assert result.nobs == len(series) - lags - 1


def test_johansen_against_matlab(reference: Path, expected: dict[str, dict[str, Any]]):
    data = np.loadtxt(reference / "statsmodels/johansen_jplv_test_coint.txt")
    case = expected["johansen_jplv"]["published"]
    result = johansen_test(pd.DataFrame(data), det_order=1, lags=2)
    assert result.trace_stat[:3] == pytest.approx(case["trace"], rel=1e-9)
    assert result.max_eigen_stat[:3] == pytest.approx(case["max_eig"], rel=1e-9)


def test_nist_norris(reference: Path, expected: dict[str, dict[str, Any]]):
    y, x = legs(reference / "nist/norris.csv", "y", "x")
    case = expected["nist_norris"]["published"]
    fit = fit_hedge(y, x)
    # Lower difficulty by NIST: double precision gives 13 digits and more.
    assert fit.beta == pytest.approx(case["b1"], rel=1e-13)
    assert fit.alpha == pytest.approx(case["b0"], rel=1e-12)
    assert [fit.alpha_stderr, fit.beta_stderr] == pytest.approx(case["se"], rel=1e-12)
    assert fit.residual_std == pytest.approx(case["rsd"], rel=1e-12)
    assert fit.r_squared == pytest.approx(case["r2"], rel=1e-13)


def test_nist_noint1(reference: Path, expected: dict[str, dict[str, Any]]):
    y, x = legs(reference / "nist/noint1.csv", "y", "x")
    case = expected["nist_noint1"]["published"]
    fit = fit_hedge(y, x, intercept=False)
    assert fit.beta == pytest.approx(case["b1"], rel=1e-14)
    assert fit.beta_stderr == pytest.approx(case["se"], rel=1e-13)
    assert fit.residual_std == pytest.approx(case["rsd"], rel=1e-13)
    assert fit.r_squared == pytest.approx(case["r2"], rel=1e-14)


def test_nist_noint2(reference: Path):
    # NIST StRD NoInt2 (certified): b1 = 0.727272727272727, se = 0.420827318078432E-01,
    # residual sd = 0.369274472937998.
    y, x = legs(reference / "nist/noint2.csv", "y", "x")
    fit = fit_hedge(y, x, intercept=False)
    assert fit.beta == pytest.approx(0.727272727272727, rel=1e-14)
    assert fit.beta_stderr == pytest.approx(0.0420827318078432, rel=1e-13)
    assert fit.residual_std == pytest.approx(0.369274472937998, rel=1e-13)


def test_nist_longley_one_regressor_agrees_with_exact_arithmetic(reference: Path):
    # Longley has six regressors; of a pair fit only one can stand. GNP and TOTEMP are integers, so
    # the exact least-squares line follows from integer sums.
    frame = pd.read_csv(reference / "nist/longley.csv")
    y, x = frame["y"].tolist(), frame["x2"].tolist()
    n, sum_x, sum_y = len(x), sum(x), sum(y)
    sum_xy = sum(a * b for a, b in zip(x, y, strict=True))
    sum_xx = sum(a * a for a in x)
    top, bottom = n * sum_xy - sum_x * sum_y, n * sum_xx - sum_x**2
    fit = fit_hedge(frame["y"], frame["x2"])
    assert fit.beta == pytest.approx(top / bottom, rel=1e-14)
    assert fit.alpha == pytest.approx((sum_y * bottom - top * sum_x) / (n * bottom), rel=1e-14)
