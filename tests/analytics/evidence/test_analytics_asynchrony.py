"""Asynchronous trading: the Epps effect shows, Hayashi-Yoshida equals its double sum."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bars import resample_ticks
from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.evidence.asynchrony import asynchrony, lead_lag
from analytics.frames import empty_bars, utc_index

SEED = 20240808
START_US = 1_723_161_600_000_000


def ticks(name: str, times_us: np.ndarray, prices: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"symbol": name, "price": prices, "quantity": 1.0, "trade_id": np.arange(len(prices))},
        index=utc_index(START_US + times_us.astype(np.int64)),
    )
    return frame.astype({"symbol": "str"})


def pair(
    seconds: int = 3_600, rate: float = 0.5, delay_s: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two legs of one hidden price (correlation 0.9), traded at their own random times."""
    rng = np.random.default_rng(SEED)
    steps = rng.normal(size=(2, seconds * 10)) * 1e-5
    hidden = np.cumsum([steps[0], 0.9 * steps[0] + math.sqrt(0.19) * steps[1]], axis=1)
    made = []
    for name, path, late in (("Y", hidden[0], delay_s), ("X", hidden[1], 0.0)):
        when = np.sort(rng.uniform(20, seconds, int(rate * seconds)))
        seen = path[((when - late) * 10).astype(np.int64)]
        made.append(ticks(name, np.round(when * 1e6), 100 * np.exp(seen)))
    return made[0], made[1]


def bars(frame: pd.DataFrame, interval: str = "1s") -> pd.DataFrame:
    return resample_ticks(frame, interval)


def test_correlation_falls_at_short_intervals_and_the_warning_says_why():
    y, x = pair(rate=0.4)
    result = asynchrony(bars(y), bars(x), "1s")
    table = result.by_interval
    assert list(table.index) == ["1s", "5s", "15s", "30s", "1min"]
    correlation = table["correlation"]
    assert correlation.loc["1s"] < 0.5 < 0.75 < correlation.loc["30s"]
    assert table["share_both_traded"].is_monotonic_increasing
    assert (table["low"] < table["correlation"]).all()
    assert (table["high"] > table["correlation"]).all()
    warning = result.warning()
    assert result.carried_dominates
    assert warning is not None
    assert "Both legs traded in only 1" in warning


def test_legs_that_trade_together_get_no_warning():
    y, x = pair(rate=8)
    result = asynchrony(bars(y), bars(x), "1s")
    assert result.warning() is None
    assert result.coverage.share_both_traded > 0.95
    assert result.by_interval["correlation"].loc["1s"] > 0.75


def test_each_correlation_is_that_of_the_bars_own_returns():
    y, x = (bars(leg) for leg in pair(rate=2))
    left, right = (resample_ticks(leg, "5s")["close"] for leg in pair(rate=2))
    returns = pd.DataFrame({"y": np.log(left).diff(), "x": np.log(right).diff()}).iloc[2:-1]
    found = asynchrony(y, x, "1s").by_interval.loc["5s", "correlation"]
    assert found == pytest.approx(returns.corr().iloc[0, 1], abs=1e-3)


def test_no_bars_flat_bars_and_identical_legs():
    empty = asynchrony(empty_bars(), empty_bars(), "1s")
    assert empty.by_interval.empty
    assert empty.warning() is None
    y, _ = pair()
    flat = ticks("F", np.arange(600) * 1e6, np.full(600, 100_000.01))
    assert asynchrony(bars(flat), bars(flat), "1s").by_interval["correlation"].isna().all()
    same = asynchrony(bars(y), bars(y), "1s").by_interval
    assert same["correlation"].to_numpy() == pytest.approx(1.0)
    assert not np.isinf(same.to_numpy()).any()


# ---- Hayashi-Yoshida


def double_sum(y: pd.DataFrame, x: pd.DataFrame, lag_s: float) -> float:
    """The estimator as defined: all pairs of changes whose intervals overlap."""
    y_time = pd.DatetimeIndex(y.index).as_unit("us").asi8
    x_time = pd.DatetimeIndex(x.index).as_unit("us").asi8 + round(lag_s * 1e6)
    dy, dx = np.diff(np.log(y["price"])), np.diff(np.log(x["price"]))
    overlap = np.maximum.outer(y_time[:-1], x_time[:-1]) < np.minimum.outer(y_time[1:], x_time[1:])
    return float(dy @ overlap @ dx / math.sqrt((dy @ dy) * (dx @ dx)))


@given(st.integers(0, 10_000), st.sampled_from([-2.0, -0.1, 0.0, 0.3, 1.0]))
@settings(max_examples=40, deadline=None)
def test_the_quick_sum_equals_the_double_sum_over_overlapping_changes(seed: int, lag_s: float):
    rng = np.random.default_rng(seed)
    made = []
    for name in ("Y", "X"):
        when = np.unique(np.r_[0, rng.integers(1, 600, 90), 600]) * 100_000
        made.append(ticks(name, when, 100 + rng.normal(size=when.size).cumsum()))
    y, x = made
    found = lead_lag(y, x, lags_s=[lag_s]).table["correlation"].iloc[0]
    assert found == pytest.approx(double_sum(y, x, lag_s), abs=1e-12)


def test_ticks_keep_the_correlation_that_short_bars_lose():
    y, x = pair(rate=0.4)
    by_ticks = lead_lag(y, x).table["correlation"].loc[0.0]
    assert by_ticks == pytest.approx(0.9, abs=0.12)


@pytest.mark.parametrize(("delay_s", "first"), [(0.5, "X"), (0.0, "")])
def test_the_leg_that_follows_is_named_with_its_delay(delay_s: float, first: str):
    y, x = pair(rate=5, delay_s=delay_s)
    result = lead_lag(y, x)
    assert result.best_lag_s == delay_s
    if first:
        assert result.verdict() == "Y follows X by about 0.5 s"
        assert result.lead_lag_ratio > 1
        assert lead_lag(x, y).verdict() == "Y follows X by about 0.5 s"
    else:
        assert result.verdict().startswith("Y and X move together")


def test_unrelated_legs_have_no_leader():
    rng = np.random.default_rng(SEED)
    legs = []
    for name in ("A", "B"):
        when = np.sort(rng.choice(10**8, 2_000, replace=False))
        legs.append(ticks(name, when, 100 + rng.normal(size=2_000).cumsum() * 0.01))
    y, x = legs
    result = lead_lag(y, x)
    assert result.verdict() == "no lag stands out: neither leg leads"
    # The standard error is that of unrelated legs.
    assert (result.table["correlation"].abs() < 3.5 * result.table["stderr"]).all()


def test_the_last_price_of_a_time_stamp_counts():
    y, x = pair(rate=1)
    doubled = pd.concat([y.assign(price=1.0), y])
    pd.testing.assert_frame_equal(lead_lag(doubled, x).table, lead_lag(y, x).table)


def test_too_few_flat_and_wrong_input_are_named():
    y, x = pair()
    with pytest.raises(NotEnoughDataError, match="needs 51 time stamps of Y, had 1"):
        lead_lag(y.iloc[:1], x)
    with pytest.raises(NotEnoughDataError, match="had 0"):
        lead_lag(y.iloc[:0], x)
    with pytest.raises(DegenerateSeriesError, match="X never changed"):
        lead_lag(y, x.assign(price=5.0))
    for lags in ([], [math.nan]):
        with pytest.raises(ParameterError, match="lags_s"):
            lead_lag(y, x, lags)
