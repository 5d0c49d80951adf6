"""Compiled kernels against their plain NumPy form; compiled once, for every kind of input."""

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numba import njit

from analytics import kernels
from analytics.frames import utc_index
from analytics.hedge import CAUSAL_HEDGES
from analytics.kernels import (
    adf,
    lines,
    numba_private,
)
from analytics.pair import PairParams, analyse_pair
from analytics.pair.gates import ALL_GATES
from analytics.stationarity import adf_test, engle_granger_test
from analytics.stationarity import dickey_fuller as numpy_form
from analytics.warm import warm_up

SEED = 20240808
TRENDS = ("n", "c", "ct", "ctt")
CRITERIA = ("aic", "bic", "t-stat", None)


def series(kind: str, n: int) -> np.ndarray:
    noise = np.random.default_rng(n).normal(size=n)
    values = {
        "walk": noise.cumsum(),
        "noise": noise,
        "moving average": (noise - 0.8 * np.roll(noise, 1)).cumsum(),
        "jumps": np.round(noise.cumsum() * 0.01, 2) + np.where(np.arange(n) > n // 2, 50.0, 0.0),
    }[kind]
    return np.asarray(values - values.mean())


@pytest.mark.parametrize("autolag", CRITERIA)
@pytest.mark.parametrize("trend", TRENDS)
@pytest.mark.parametrize("kind", ["walk", "noise", "moving average", "jumps"])
@pytest.mark.parametrize("n", [61, 1_000])
def test_the_compiled_regression_equals_the_numpy_one(
    monkeypatch: pytest.MonkeyPatch, n: int, kind: str, trend: str, autolag: str | None
):
    values = series(kind, n)
    quick = adf_test(values, trend, autolag=autolag)
    monkeypatch.setattr(numpy_form, "_unbroken_fit", lambda *_: None)
    plain = adf_test(values, trend, autolag=autolag)
    assert (quick.lags, quick.nobs, quick.max_lags) == (plain.lags, plain.nobs, plain.max_lags)
    assert quick.stat == pytest.approx(plain.stat, rel=1e-9, abs=1e-9)
    assert quick.coefficient == pytest.approx(plain.coefficient, rel=1e-8)


@pytest.mark.parametrize("trend_terms", [0, 1, 2, 3])
@pytest.mark.parametrize("lags", [0, 1, 4, 11])
@pytest.mark.parametrize("level_last", [False, True])
def test_the_compiled_sums_equal_those_of_the_whole_design(
    trend_terms: int, lags: int, level_last: bool
):
    values = series("walk", 400)
    change = np.diff(values)
    place = 2.0 * np.arange(change.size) / (change.size - 1) - 1.0
    trend = place ** np.arange(trend_terms)[:, np.newaxis]
    rows = np.arange(lags, change.size)
    lagged = [change[rows - lag] for lag in range(1, lags + 1)]
    middle = [*lagged, values[rows]] if level_last else [values[rows], *lagged]
    design = np.column_stack([*trend[:, rows], *middle, change[rows]])
    found = adf.gram_of(values, change, trend, lags, level_last)
    np.testing.assert_allclose(found, design.T @ design, rtol=1e-10, atol=1e-9)


def test_where_digits_would_be_lost_the_kernel_gives_up_and_qr_answers(
    monkeypatch: pytest.MonkeyPatch,
):
    smooth = np.sin(np.arange(300) / 30) + 1e-6 * series("noise", 300)
    assert adf.fit_unbroken(smooth, 1, 15, 0, np.empty(adf.FIT_SIZE)) == -1
    result = adf_test(smooth)
    monkeypatch.setattr(numpy_form, "_unbroken_fit", lambda *_: None)
    assert adf_test(smooth).stat == result.stat
    assert adf.fit_unbroken(smooth[:20], 1, 15, 0, np.empty(adf.FIT_SIZE)) == -1


def test_engle_granger_in_compiled_code_equals_the_numpy_one():
    y, x = series("walk", 500) + 1e5, series("moving average", 500) + 3e3
    quick = engle_granger_test(y, x)
    # A missing bar at the start sends the same rows through the NumPy form.
    plain = engle_granger_test(np.r_[np.nan, y], np.r_[np.nan, x])
    assert quick.stat == pytest.approx(plain.stat, abs=1e-8)
    assert quick.beta == pytest.approx(plain.beta, rel=1e-12)
    assert quick.alpha == pytest.approx(plain.alpha, rel=1e-12)
    assert quick.lags == plain.lags


@pytest.mark.parametrize("lags", [0, 1, 7, 49])
def test_the_bartlett_variance_is_the_weighted_sum_over_lags(lags: int):
    values = series("walk", 50)
    plain = values @ values
    for lag in range(1, lags + 1):
        plain += 2 * (1 - lag / (lags + 1)) * (values[lag:] @ values[:-lag])
    assert lines.bartlett_variance(values, lags) == pytest.approx(plain, rel=1e-11)


def dispatchers() -> dict[str, Any]:
    """All kernels, by module and name."""
    found = {}
    for each in pkgutil.iter_modules(kernels.__path__):
        module = importlib.import_module(f"{kernels.__name__}.{each.name}")
        for name, value in vars(module).items():
            function = getattr(value, "py_func", None)
            if function is not None and function.__module__ == module.__name__:
                found[f"{each.name}.{name}"] = value
    return found


def called_from_python() -> set[str]:
    """What sources outside of the kernels import of them, or name through a module of them."""
    folder = Path(kernels.__path__[0])
    names = set()
    for path in folder.parent.rglob("*.py"):
        nodes = [] if folder in path.parents else list(ast.walk(ast.parse(path.read_bytes())))
        modules: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and node.module:
                inside = node.module.removeprefix(kernels.__name__).removeprefix(".")
                names |= {f"{inside}.{each.name}" for each in node.names}
                if node.module == kernels.__name__:
                    modules |= {each.asname or each.name: each.name for each in node.names}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names.add(f"{modules.get(node.value.id)}.{node.attr}")
    return names


def test_after_warming_up_no_page_compiles_anything():
    warm_up()
    before = {name: len(each.signatures) for name, each in dispatchers().items()}
    assert len(before) > 80
    assert max(before.values()) == 1, before
    called = called_from_python() & before.keys()
    assert len(called) > 25
    assert [name for name in called if before[name] == 0] == []  # others are compiled inside these
    rng = np.random.default_rng(SEED)
    for seed in (1, 2):
        legs = []
        for _ in range(2):
            close = np.round(100 * np.exp(1e-4 * rng.normal(size=400).cumsum()), 2)
            frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close))
            frame["volume"], frame["trades"] = 1.0, seed
            frame["coverage"] = pd.Series(["traded"] * 400, dtype="str")
            frame.index = utc_index(1_723_161_600_000_000 + np.arange(400) * 1_000_000)
            legs.append(frame)
        for hedge in CAUSAL_HEDGES:
            params = PairParams("A", "B", hedge=hedge, spread="log", gates=ALL_GATES)
            result = analyse_pair(legs[0][:-2], legs[1][:-2], params)
            result = analyse_pair(legs[0][:-1], legs[1][:-1], params, result)
            analyse_pair(legs[0], legs[1], params, result)
    after = {name: len(each.signatures) for name, each in dispatchers().items()}
    assert after == before


def test_private_names_of_numba_are_where_we_look_for_them():
    """When this fails, a new numba has moved them: see analytics/kernels/numba_private.py."""
    once = numba_private.compile_once_per_type(njit(lambda value: value))

    @njit
    def caller() -> int:
        return int(once(1) + once(2))

    assert caller() == 3  # type: ignore[call-arg, comparison-overlap] # numba lies
    assert len(once.signatures) == 1  # without the names: one for each of the two values
