"""Ticks frames, bars frames, intervals and the alignment of two legs."""

import numpy as np
import pandas as pd
import pytest

from analytics.bars import resample_ticks
from analytics.errors import AnalyticsError, FrameError, ParameterError
from analytics.frames import (
    BAR_COLUMNS,
    INTERVALS,
    align_pair,
    bar_times_us,
    check_bars,
    check_ticks,
    closed_bars,
    empty_bars,
    parse_interval,
)


def ticks(seconds: list[float], prices: list[float] | None = None) -> pd.DataFrame:
    index = pd.to_datetime(np.array(seconds) * 1e6, unit="us", utc=True).as_unit("us")
    prices = prices or [100.0] * len(seconds)
    return pd.DataFrame(
        {"symbol": "BTCUSDT", "price": prices, "quantity": 1.0}, index=index.rename("time")
    )


def bars(seconds: list[float], interval: str = "1s") -> pd.DataFrame:
    return resample_ticks(ticks(seconds), interval)


def test_intervals_have_canonical_names_and_short_labels():
    assert [i.name for i in INTERVALS] == ["1s", "5s", "15s", "30s", "1min", "5min", "15min", "1h"]
    assert [i.label for i in INTERVALS] == ["1S", "5S", "15S", "30S", "1T", "5T", "15T", "1H"]
    for interval in INTERVALS:
        assert pd.Timedelta(interval.name) == interval.timedelta
        assert interval.us == interval.timedelta // pd.Timedelta(1, unit="us")


@pytest.mark.parametrize(
    ("alias", "name"),
    [("1S", "1s"), ("1T", "1min"), ("5T", "5min"), ("1m", "1min"), ("1H", "1h"), ("30s", "30s")],
)
def test_interval_aliases_mean_the_canonical_one(alias: str, name: str):
    assert parse_interval(alias).name == name
    assert parse_interval(parse_interval(alias)) is parse_interval(name)


@pytest.mark.parametrize("name", ["", "2s", "1M", "60", "T", "min"])
def test_unknown_interval_lists_those_known(name: str):
    with pytest.raises(ParameterError, match=r"interval.*1s, 5s.*1h") as caught:
        parse_interval(name)
    assert caught.value.name == "interval"
    assert isinstance(caught.value, AnalyticsError)


def test_years_of_this_market_have_365_days_of_24_hours():
    assert parse_interval("1h").bars_per_year == 365 * 24
    assert parse_interval("1s").bars_per_year == 365 * 86400


def test_ticks_frame_names_its_missing_columns():
    with pytest.raises(FrameError, match="missing price, quantity"):
        check_ticks(pd.DataFrame({"symbol": ["A"]}))


def test_ticks_frame_must_be_a_dataframe():
    with pytest.raises(FrameError, match="had list"):
        check_ticks([1, 2])  # type: ignore[arg-type] # on purpose


def test_ticks_without_zone_are_refused_with_the_remedy():
    with pytest.raises(FrameError, match=r"tz_localize"):
        check_ticks(ticks([1, 2]).tz_localize(None))


def test_ticks_without_time_index_are_refused():
    with pytest.raises(FrameError, match="RangeIndex"):
        check_ticks(ticks([1, 2]).reset_index(drop=True))


def test_ticks_with_unknown_times_are_refused():
    frame = ticks([1, 2])
    frame.index = pd.DatetimeIndex([frame.index[0], pd.NaT], name="time")
    with pytest.raises(FrameError, match="1 of 2 ticks have no time"):
        check_ticks(frame)


@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_bad_prices_are_counted_and_placed(price: float):
    with pytest.raises(FrameError, match=r"price .* 1 of 3 ticks are not, first .*00:00:02"):
        check_ticks(ticks([1, 2, 3], [100.0, price, 100.0]))


@pytest.mark.parametrize("quantity", [-1.0, np.nan, np.inf])
def test_bad_quantities_are_refused(quantity: float):
    with pytest.raises(FrameError, match="quantity must be finite and not negative"):
        check_ticks(ticks([1, 2]).assign(quantity=quantity))


def test_trade_ids_must_be_integers():
    with pytest.raises(FrameError, match="trade_id must hold integers, had float64"):
        check_ticks(ticks([1, 2]).assign(trade_id=[1.0, 2.0]))


def test_other_zones_and_units_mean_the_same_instants():
    frame = ticks([0.5, 61])
    elsewhere = frame.tz_convert("Asia/Tokyo")
    elsewhere.index = pd.DatetimeIndex(elsewhere.index).as_unit("ns")
    assert bar_times_us(elsewhere.index).tolist() == bar_times_us(frame.index).tolist()
    pd.testing.assert_frame_equal(resample_ticks(elsewhere, "1min"), resample_ticks(frame, "1min"))


def test_empty_bars_have_every_column_and_type():
    empty, full = empty_bars(), bars([1, 2, 3])
    assert tuple(empty.columns) == BAR_COLUMNS
    assert empty.dtypes.equals(full.dtypes)
    assert empty.index.dtype == full.index.dtype == "datetime64[us, UTC]"
    assert empty.index.name == full.index.name == "time"
    check_bars(empty)


def test_bars_with_a_hole_in_the_grid_are_refused():
    with pytest.raises(FrameError, match="from 1 s to 2 s"):
        check_bars(bars([1, 2, 3, 4]).drop(pd.Timestamp(3, unit="s", tz="UTC")))


def test_bars_backwards_are_refused():
    with pytest.raises(FrameError, match="every bar of its span"):
        check_bars(bars([1, 2, 3]).iloc[::-1])


def test_closed_bars_drops_the_forming_bar_and_changes_nothing_given():
    frame = resample_ticks(ticks([1, 2, 3]), "1s", last_is_forming=True)
    closed = closed_bars(frame)
    assert len(closed) == 2
    assert len(frame) == 3
    assert "forming" in frame.attrs
    assert "forming" not in closed.attrs
    assert len(closed_bars(closed)) == 2


def test_align_pair_takes_the_intersection_with_every_bar_of_it():
    y, x = align_pair(bars([10, 15, 20]), bars([13, 30]))
    assert y.index.equals(x.index)
    assert len(y) == 8
    assert y.index[0] == pd.Timestamp(13, unit="s", tz="UTC")
    assert y.index[-1] == pd.Timestamp(20, unit="s", tz="UTC")


def test_align_pair_of_spans_that_do_not_meet_is_empty():
    y, x = align_pair(bars([1, 2]), bars([5, 6]))
    assert y.empty
    assert x.empty
    y, x = align_pair(bars([1, 2]), empty_bars())
    assert y.empty
    assert x.empty


def test_align_pair_refuses_two_intervals():
    with pytest.raises(FrameError, match="different bars"):
        align_pair(bars([0, 100]), bars([0, 100], "5s"))
