"""Descriptive statistics of a leg against pandas and scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analytics.bars import resample_ticks
from analytics.errors import FrameError
from analytics.frames import empty_bars, utc_index
from analytics.pair.describe import describe_bars, describe_legs


def leg(n: int = 300, level: float = 100.0, ids: list[int] | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    ticks = pd.DataFrame(
        {
            "symbol": "A",
            "price": level + rng.standard_t(4, size=n).cumsum() * level / 1e4,
            "quantity": rng.integers(1, 1000, n) / 1000,
            "trade_id": np.arange(n) if ids is None else ids,
        },
        index=utc_index(np.arange(n, dtype=np.int64) * 1_000_000),
    )
    return resample_ticks(ticks, "1s")


@pytest.mark.parametrize("level", [1e-6, 100.0, 100_000.01])
def test_every_statistic_equals_its_library_value(level: float):
    bars = leg(level=level)
    table = describe_bars(bars)
    close, returns = bars["close"], np.log(bars["close"]).diff().dropna()
    assert table["bars"] == table["known bars"] == 300
    assert table["returns"] == 299
    assert [table["first"], table["last"]] == [close.iloc[0], close.iloc[-1]]
    assert [table["min"], table["max"]] == [close.min(), close.max()]
    assert table["mean"] == pytest.approx(close.mean(), rel=1e-13)
    assert table["std"] == pytest.approx(close.std(), rel=1e-9)
    # log differences carry about 1e-12 of the return; the moments inherit it.
    assert table["return std"] == pytest.approx(returns.std(), rel=1e-8)
    assert table["return skew"] == pytest.approx(stats.skew(returns, bias=False), abs=1e-7)
    assert table["return excess kurtosis"] == pytest.approx(
        stats.kurtosis(returns, bias=False), abs=1e-6
    )
    assert table["trades"] == 300
    assert table["volume"] == pytest.approx(bars["volume"].sum(), rel=1e-13)
    assert table["volume"] == round(table["volume"], 3)


def test_shares_add_up_and_missing_bars_are_left_out():
    ids = [*range(100), *range(105, 305)]
    bars = leg(ids=ids)
    table = describe_bars(bars)
    shares = [table[f"share {kind}"] for kind in ("traded", "quiet", "missing")]
    assert sum(shares) == pytest.approx(1)
    assert table["share missing"] == pytest.approx(1 / 300)
    assert table["known bars"] == 299
    assert table["returns"] == 297


def test_no_bars_and_few_bars_are_nan_not_an_error():
    table = describe_bars(empty_bars())
    assert table["bars"] == table["volume"] == table["trades"] == table["share traded"] == 0
    for name in ("first", "last", "mean", "std", "return std", "return skew"):
        assert math.isnan(table[name]), name
    one = describe_bars(leg(1))
    assert one["mean"] == one["first"]
    assert math.isnan(one["std"])
    assert math.isnan(describe_bars(leg(3))["return excess kurtosis"])


def test_a_flat_leg_has_no_shape():
    bars = leg()
    bars[["open", "high", "low", "close"]] = 100_000.01
    table = describe_bars(bars)
    assert table["std"] == table["return std"] == 0
    assert math.isnan(table["return skew"])
    assert math.isnan(table["return excess kurtosis"])


def test_legs_stand_side_by_side():
    table = describe_legs([("BTCUSDT", leg()), ("ETHUSDT", leg(level=5))])
    assert list(table.columns) == ["BTCUSDT", "ETHUSDT"]
    assert (table.dtypes == "float64").all()
    assert list(table.loc["bars"]) == [300, 300]


def test_what_is_no_bars_frame_is_refused():
    with pytest.raises(FrameError, match="missing open"):
        describe_bars(pd.DataFrame({"close": [1.0]}))
