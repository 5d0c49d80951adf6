"""Signals: the default rule to the letter, and the reason beside it."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import ParameterError
from analytics.signals import (
    DEFAULT_THRESHOLDS,
    PRESETS,
    SYMMETRIC,
    SignalChange,
    reason_for,
    signal_changes,
    signal_codes,
    signal_for,
)

Z = [2.01, 2.0, 1.0, 0.0, -0.0, -0.01, -2.0, -2.5, math.nan]


def zscores(values: list[float]) -> pd.Series:
    index = pd.date_range("2024-08-09", periods=len(values), freq="s", tz="UTC", name="time")
    return pd.Series(values, index=index, name="zscore", dtype="float64")


@pytest.mark.parametrize(
    ("z", "signal"),
    [
        (2.0000001, "SELL"),
        (2.0, "NEUTRAL"),
        (1.0, "NEUTRAL"),
        (0.0, "NEUTRAL"),
        (-1e-12, "BUY"),
        (-5.0, "BUY"),
        (math.nan, "NEUTRAL"),
    ],
)
def test_the_default_rule(z: float, signal: str):
    assert signal_for(z) == signal


def test_the_symmetric_preset():
    limits = (SYMMETRIC.sell_above, SYMMETRIC.buy_below)
    assert limits == (2.0, -2.0)
    assert [signal_for(z, *limits) for z in (2.1, -1.9, -2.0, -2.1)] == [
        "SELL",
        "NEUTRAL",
        "NEUTRAL",
        "BUY",
    ]
    assert (DEFAULT_THRESHOLDS.sell_above, DEFAULT_THRESHOLDS.buy_below) == (2.0, 0.0)
    assert PRESETS == (DEFAULT_THRESHOLDS, SYMMETRIC)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
    st.floats(-3, 3),
    st.floats(0, 3),
)
@settings(deadline=None)
def test_a_series_is_the_scalar_rule_elementwise(values, buy_below, width):
    series = zscores(values)
    limits = (buy_below + width, buy_below)
    result = signal_for(series, *limits)
    assert result.tolist() == [signal_for(z, *limits) for z in values]
    assert result.index.equals(series.index)
    assert result.name == "signal"
    assert result.dtype == "str"


def test_thresholds_that_would_hold_at_once_are_refused():
    with pytest.raises(ParameterError, match=r"sell_above = -1\.0: must be not below buy_below"):
        signal_for(0.0, -1.0, 1.0)
    with pytest.raises(ParameterError, match="finite"):
        signal_for(0.0, math.nan)
    assert signal_for(0.5, 1.0, 1.0) == "BUY"


@pytest.mark.parametrize(
    ("z", "limits", "words"),
    [
        (2.31, (2.0, 0.0), "z = +2.31 is above +2.00"),
        (-0.4, (2.0, 0.0), "z = -0.40 is below 0"),
        (1.2, (2.0, 0.0), "z = +1.20 is between 0 and +2.00"),
        (-2.4, (2.0, -2.0), "z = -2.40 is below -2.00"),
        (0.0, (2.0, -2.0), "z = +0.00 is between -2.00 and +2.00"),
    ],
)
def test_reasons_are_in_a_traders_words(z: float, limits: tuple[float, float], words: str):
    assert reason_for(z, *limits) == words


def changes_of(values: list[float], *limits: float, **options: int) -> list[SignalChange]:
    z = zscores(values)
    codes = signal_codes(z.to_numpy(), *(limits or (2.0, 0.0)))
    return signal_changes(codes, z, **options)


def test_changes_are_listed_latest_first():
    changes = changes_of([math.nan, 1.0, 2.5, 2.6, math.nan, -1.0, -2.0])
    assert [each.signal for each in changes] == ["BUY", "NEUTRAL", "SELL"]
    assert [each.previous for each in changes] == ["NEUTRAL", "SELL", "NEUTRAL"]
    assert [each.time.second for each in changes] == [5, 4, 2]
    np.testing.assert_array_equal([each.zscore for each in changes], [-1.0, np.nan, 2.5])


@pytest.mark.parametrize("values", [[], [1.0], [math.nan] * 5, [0.5, 1.0, 1.9]])
def test_a_signal_that_stays_has_no_change(values: list[float]):
    assert changes_of(values) == []


def test_only_the_latest_changes_up_to_the_limit():
    changes = changes_of([3.0, -3.0] * 50, limit=7)
    assert [each.time.second for each in changes] == [39, 38, 37, 36, 35, 34, 33]
    assert changes_of([3.0, -3.0] * 50, 5.0, -5.0) == []
