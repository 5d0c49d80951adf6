"""Tests over many trailing spans: each equal to the one test of that span, holes and all."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

from analytics.outcome import attempt
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    adf_test,
    engle_granger_test,
    half_life,
    trailing_adf,
    trailing_engle_granger,
    trailing_half_life,
)

SEED = 20240808


def legs(kind: str, n: int = 1_500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    x = 2_600 + rng.normal(size=n).cumsum()
    y = 5_000 + 2 * x + 5 * rng.normal(size=n)
    if kind == "holes":
        y[rng.integers(0, n, 12)] = np.nan
        x[400:700] = np.nan
    if kind == "flat":
        y[300:900], x[500:1_200] = 100_000.01, 3.0
    if kind == "collinear":
        y[200:1_000] = 2 * x[200:1_000] + 3
    if kind == "tiny":
        y, x = y * 1e-6, x * 1e6
    return y, x


def spans(n: int, length: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    ends = np.arange(step, n + 1, step)
    return np.maximum(ends - length, 0), ends


def by_hand(test, result, name: str, rows: list[slice], *series: np.ndarray) -> list[float]:
    found = [attempt(partial(test, *(each[row] for each in series))) for row in rows]
    return [getattr(each, name) if isinstance(each, result) else math.nan for each in found]


@pytest.mark.parametrize("kind", ["whole", "holes", "flat", "collinear", "tiny"])
def test_every_span_is_the_test_of_that_span_alone(kind: str):
    y, x = legs(kind)
    starts, ends = spans(y.size, 200, 50)
    rows = [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    spread = y - 2 * x
    tolerance: dict[str, Any] = {"rel": 1e-8, "abs": 1e-12, "nan_ok": True}
    tested = trailing_engle_granger(y, x, starts, ends)
    assert tested.pvalue == pytest.approx(
        by_hand(engle_granger_test, EngleGrangerResult, "pvalue", rows, y, x), **tolerance
    )
    alone = [attempt(partial(engle_granger_test, y[row], x[row])) for row in rows]
    for level in (0.01, 0.05, 0.2):
        assert tested.rejects(level).tolist() == [
            isinstance(each, EngleGrangerResult) and each.rejects(level) for each in alone
        ]
    lines = [
        y[row] - (each.alpha + each.beta * x[row])
        if isinstance(each, EngleGrangerResult)
        else np.full(y[row].size, np.nan)
        for row, each in zip(rows, alone, strict=True)
    ]
    on_lines = [attempt(partial(half_life, line)) for line in lines]
    assert trailing_half_life(y, starts, ends, on=x)[0] == pytest.approx(
        [each.half_life if isinstance(each, HalfLife) else math.nan for each in on_lines],
        rel=1e-7,
        nan_ok=True,
    )
    assert trailing_adf(spread, starts, ends).pvalue == pytest.approx(
        by_hand(adf_test, ADFResult, "pvalue", rows, spread), **tolerance
    )
    values, estimated = trailing_half_life(spread, starts, ends)
    found = by_hand(half_life, HalfLife, "half_life", rows, spread)
    assert values == pytest.approx(found, **tolerance)
    thetas = by_hand(half_life, HalfLife, "theta", rows, spread)
    assert estimated.tolist() == [not math.isnan(theta) for theta in thetas]


def test_spans_too_short_have_no_answer():
    y, x = legs("whole", 60)
    starts, ends = np.array([0, 0, 0]), np.array([10, 22, 60])
    assert np.isnan(trailing_engle_granger(y, x, starts, ends).pvalue).tolist() == [
        True,
        True,
        False,
    ]
    none = np.array([], dtype=np.int64)
    assert trailing_adf(y, none, none).pvalue.size == 0


def test_a_span_knows_nothing_of_what_lies_beyond_it():
    y, x = legs("holes")
    starts, ends = spans(y.size, 200, 50)
    whole = trailing_engle_granger(y, x, starts, ends).pvalue
    early = ends <= 700
    cut = trailing_engle_granger(y[:700], x[:700], starts[early], ends[early]).pvalue
    np.testing.assert_array_equal(whole[early], cut)
