"""Ticks to bars and bars to coarser bars: order, coverage, exact volumes."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analytics.bars
from analytics.bars import exact_sum_by_group, resample_bars, resample_ticks
from analytics.errors import FrameError, ParameterError, SeveralSymbolsError
from analytics.frames import check_bars, empty_bars

NAN = math.nan


def make_ticks(
    rows: Sequence[tuple[float, float, float]],
    ids: list[int] | None = None,
    symbol: str = "BTCUSDT",
) -> pd.DataFrame:
    """Build ticks of (seconds since the epoch, price, quantity)."""
    times, prices, quantities = zip(*rows, strict=True)
    index = pd.to_datetime(np.round(np.array(times) * 1e6), unit="us", utc=True).as_unit("us")
    frame = pd.DataFrame(
        {"symbol": symbol, "price": prices, "quantity": quantities}, index=index.rename("time")
    )
    frame["price"] = frame["price"].astype("float64")
    return frame if ids is None else frame.assign(trade_id=ids)


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def seconds_of(bars: pd.DataFrame) -> list[float]:
    return [stamp.timestamp() for stamp in bars.index]


def test_a_bar_holds_its_open_time_and_not_its_end():
    bars = resample_ticks(make_ticks([(60, 1, 1), (119.999999, 2, 1), (120, 3, 1)]), "1min")
    assert seconds_of(bars) == [60, 120]
    assert bars["close"].tolist() == [2, 3]
    assert bars["trades"].tolist() == [2, 1]


def test_open_high_low_close_volume_and_trades():
    rows = [(0.1, 10, 0.1), (0.2, 12, 0.2), (0.3, 9, 0.3), (0.4, 11, 0.1), (1.5, 7, 2)]
    bars = resample_ticks(make_ticks(rows), "1s")
    assert bars.iloc[0].tolist() == [10, 12, 9, 11, 0.7, 4, "traded"]
    assert bars.iloc[1].tolist() == [7, 7, 7, 7, 2, 1, "traded"]


def test_the_same_instant_is_ordered_by_id_whatever_the_row_order():
    rows = [(1, 30, 1), (1, 10, 1), (1, 20, 1)]
    bars = resample_ticks(make_ticks(rows, ids=[3, 1, 2]), "1s")
    assert bars[["open", "close"]].iloc[0].tolist() == [10, 30]


def test_the_same_instant_without_ids_keeps_the_row_order():
    bars = resample_ticks(make_ticks([(2, 5, 1), (1, 30, 1), (1, 10, 1), (1, 20, 1)]), "1s")
    assert bars[["open", "close"]].iloc[0].tolist() == [30, 20]


def test_two_equal_trades_are_two_trades_without_ids_and_one_with_one_id():
    rows = [(1, 10, 0.5), (1, 10, 0.5)]
    assert resample_ticks(make_ticks(rows), "1s")["volume"].tolist() == [1.0]
    assert resample_ticks(make_ticks(rows, ids=[4, 5]), "1s")["trades"].tolist() == [2]
    assert resample_ticks(make_ticks(rows, ids=[4, 4]), "1s")["trades"].tolist() == [1]


def test_one_id_at_two_times_is_refused():
    with pytest.raises(FrameError, match="trade_id 4 occurs with two different times"):
        resample_ticks(make_ticks([(1, 10, 1), (2, 10, 1)], ids=[4, 4]), "1s")


def test_adjoining_ids_make_the_time_between_quiet_however_long():
    bars = resample_ticks(make_ticks([(0, 10, 1), (4000.5, 11, 1)], ids=[7, 8]), "1min")
    assert bars["coverage"].tolist() == ["traded", *["quiet"] * 65, "traded"]
    between = bars.iloc[1:-1]
    assert (between[["open", "high", "low", "close"]] == 10).all().all()
    assert between["volume"].eq(0).all()
    assert between["trades"].eq(0).all()


def test_a_hole_in_the_ids_is_missing_from_the_bar_it_begins_in():
    rows = [(0.5, 10, 1), (1.5, 11, 1), (4.5, 12, 1), (6.5, 13, 1)]
    bars = resample_ticks(make_ticks(rows, ids=[1, 2, 9, 10]), "1s")
    assert bars["coverage"].tolist() == [
        "traded", "missing", "missing", "missing", "traded", "quiet", "traded",
    ]  # fmt: skip
    hidden = bars[bars["coverage"] == "missing"]
    assert hidden[["open", "high", "low", "close", "volume"]].isna().all().all()
    assert hidden["trades"].eq(0).all()


def test_a_hole_that_ends_with_its_bar_hides_the_bar_and_one_inside_does_not():
    ending = resample_ticks(make_ticks([(0.5, 10, 1), (1, 11, 1)], ids=[1, 3]), "1s")
    assert ending["coverage"].tolist() == ["missing", "traded"]
    inside = resample_ticks(make_ticks([(0.5, 10, 1), (0.9, 11, 1)], ids=[1, 3]), "1s")
    assert inside["coverage"].tolist() == ["traded"]


def test_non_trades_that_used_up_an_id_are_no_hole():
    ticks = make_ticks([(0.5, 10, 1), (3.5, 11, 1)], ids=[1, 4])
    ticks.attrs["non_trade_ids"] = {"BTCUSDT": [3, 2, 3], "ETHUSDT": [9]}
    assert resample_ticks(ticks, "1s")["coverage"].tolist() == [
        "traded",
        "quiet",
        "quiet",
        "traded",
    ]
    ticks.attrs["non_trade_ids"] = {"BTCUSDT": [3]}
    assert resample_ticks(ticks, "1s")["coverage"].tolist()[:3] == ["missing"] * 3


def test_ids_out_of_time_order_are_no_hole():
    ticks = make_ticks([(0, 10, 1), (1, 11, 1), (2, 12, 1), (3, 13, 1)], ids=[5, 7, 6, 8])
    assert resample_ticks(ticks, "1s")["coverage"].eq("traded").all()


def test_silence_without_ids_is_quiet_up_to_the_limit_and_missing_past_it():
    at_limit = resample_ticks(make_ticks([(0.5, 10, 1), (300.5, 11, 1)]), "1min")
    assert at_limit["coverage"].tolist() == ["traded", *["quiet"] * 4, "traded"]
    past = resample_ticks(make_ticks([(0.5, 10, 1), (300.6, 11, 1)]), "1min")
    assert past["coverage"].tolist() == ["traded", *["missing"] * 4, "traded"]
    short = resample_ticks(make_ticks([(0.5, 10, 1), (3.5, 11, 1)]), "1s", quiet_limit="2s")
    assert short["coverage"].tolist() == ["traded", "missing", "missing", "traded"]


@pytest.mark.parametrize("limit", ["soon", "0s", "-1min", pd.NaT])
def test_quiet_limit_must_be_a_length_of_time(limit: Any):
    with pytest.raises(ParameterError, match="quiet_limit"):
        resample_ticks(make_ticks([(0, 10, 1)]), "1s", quiet_limit=limit)


def test_several_symbols_are_named():
    ticks = pd.concat([make_ticks([(0, 1, 1)], symbol=s) for s in ("ETHUSDT", "BTCUSDT")])
    with pytest.raises(SeveralSymbolsError, match="had 2: BTCUSDT, ETHUSDT") as caught:
        resample_ticks(ticks, "1s")
    assert caught.value.symbols == ("BTCUSDT", "ETHUSDT")


def test_no_ticks_make_the_empty_bars_frame():
    same(resample_ticks(make_ticks([(0, 1, 1)]).iloc[:0], "1s"), empty_bars())
    same(resample_bars(empty_bars(), "1min"), empty_bars())


def test_one_tick_makes_one_bar():
    bars = resample_ticks(make_ticks([(90, 5, 0.25)]), "1min")
    assert bars.iloc[0].tolist() == [5, 5, 5, 5, 0.25, 1, "traded"]
    assert seconds_of(bars) == [60]


def test_times_before_the_epoch_floor_downwards():
    assert seconds_of(resample_ticks(make_ticks([(-0.5, 5, 1)]), "1s")) == [-1]


def test_a_tick_with_a_wild_time_is_an_error_not_a_full_memory():
    with pytest.raises(FrameError, match=r"would make 1,7\d\d,\d{3},\d{3} bars of 1s"):
        resample_ticks(make_ticks([(0, 5, 1), (1.72e9, 5, 1)]), "1s")


def test_the_forming_bar_is_marked_only_on_request():
    ticks = make_ticks([(1, 5, 1), (70, 5, 1)])
    assert "forming" not in resample_ticks(ticks, "1s").attrs
    marked = resample_ticks(ticks, "1s", last_is_forming=True)
    assert marked.attrs["forming"] == marked.index[-1]
    coarse = resample_bars(marked, "1min")
    assert coarse.attrs["forming"] == coarse.index[-1]


def test_the_ticks_given_are_not_changed():
    ticks = make_ticks([(2, 5, 1), (1, 6, 1)], ids=[2, 1])
    before = ticks.copy(deep=True)
    resample_ticks(ticks, "1s")
    same(ticks, before)


# ---- coarser bars


def test_coarser_open_and_range_come_from_traded_bars_only():
    rows = [(59, 100, 1), (61, 50, 1), (62, 60, 1), (125, 55, 1)]
    ticks = make_ticks(rows, ids=[1, 2, 3, 4])
    coarse = resample_bars(resample_ticks(ticks, "1s"), "1min")
    same(coarse, resample_ticks(ticks, "1min"))
    assert coarse["high"].tolist() == [100, 60, 55]


def test_a_coarse_bar_is_missing_when_its_last_sub_bar_is():
    rows = [(0, 10, 1), (50, 11, 1), (70, 12, 1), (90, 13, 1), (130, 14, 1)]
    ticks = make_ticks(rows, ids=[1, 2, 5, 9, 10])
    fine = resample_ticks(ticks, "5s")
    coarse = resample_bars(fine, "1min")
    assert coarse["coverage"].tolist() == ["missing", "traded", "traded"]
    assert coarse["coverage"].tolist() == resample_ticks(ticks, "1min")["coverage"].tolist()
    assert math.isnan(coarse["volume"].iloc[0])
    assert coarse["close"].tolist()[1:] == [13, 14]


def test_quiet_slices_stay_quiet_at_their_carried_close():
    fine = resample_ticks(make_ticks([(0, 10, 1), (600, 11, 1)], ids=[1, 2]), "1s").iloc[60:180]
    coarse = resample_bars(fine, "1min")
    assert coarse["coverage"].tolist() == ["quiet", "quiet"]
    assert coarse["close"].tolist() == [10, 10]
    assert coarse["volume"].tolist() == [0, 0]


def test_all_missing_slices_stay_missing():
    fine = resample_ticks(make_ticks([(0, 10, 1), (600, 11, 1)], ids=[1, 5]), "1s").iloc[60:180]
    coarse = resample_bars(fine, "1min")
    assert coarse["coverage"].tolist() == ["missing", "missing"]
    assert coarse["close"].isna().all()


def test_the_same_interval_gives_the_same_bars():
    bars = resample_ticks(make_ticks([(0, 10, 1), (5, 11, 1), (9, 8, 1)], ids=[1, 2, 9]), "1s")
    same(resample_bars(bars, "1s"), bars)


def test_finer_bars_cannot_be_made():
    bars = resample_ticks(make_ticks([(0, 10, 1), (100, 11, 1)]), "30s")
    with pytest.raises(FrameError, match="30 s do not fit evenly into 5s"):
        resample_bars(bars, "5s")


# ---- exact sums


def test_decimals_sum_as_decimals():
    values = np.array([0.1, 0.2, 0.3, 0.7, 0.1])
    assert exact_sum_by_group(values, np.array([0, 2])).tolist() == [0.3, 1.1]
    assert exact_sum_by_group(np.array([]), np.array([], dtype=np.int64)).tolist() == []


quantities = st.integers(1, 10**12).map(lambda units: float(Decimal(units).scaleb(-8)))


@given(st.lists(quantities, min_size=1, max_size=40), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_sums_are_the_double_nearest_to_the_decimal_sum_in_any_order(values, random):
    exact = float(sum(Decimal(repr(value)) for value in values))
    shuffled = list(values)
    random.shuffle(shuffled)
    start = np.array([0])
    assert exact_sum_by_group(np.array(values), start)[0] == exact
    assert exact_sum_by_group(np.array(shuffled), start)[0] == exact


@given(
    st.lists(st.floats(0, 1e300, allow_subnormal=False), min_size=1, max_size=30),
)
@settings(deadline=None)
def test_sums_of_any_doubles_are_correctly_rounded(values):
    exact = float(sum(Fraction(value) for value in values))
    result = exact_sum_by_group(np.array(values), np.array([0]))[0]
    assert result == pytest.approx(exact, rel=1e-15)
    assert result == exact_sum_by_group(np.array(values[::-1]), np.array([0]))[0]


def test_sums_past_53_bits_are_rounded_once():
    values = np.array([40_000_000.12345678] * 5 + [0.00000001])
    exact = float(sum(Decimal(repr(value)) for value in values.tolist()))
    assert exact_sum_by_group(values, np.array([0]))[0] == exact


def test_huge_quantities_fall_back_to_the_sum_of_doubles():
    values = np.array([1e17, 3.0, 1e-3])
    assert exact_sum_by_group(values, np.array([0, 2])).tolist() == [math.fsum([1e17, 3.0]), 1e-3]


# ---- properties

trade = st.tuples(
    st.integers(0, 400_000_000),  # µs: some minutes
    st.integers(1, 10**7),  # price, cents
    st.integers(1, 10**9),  # quantity, 1e-5
)


@st.composite
def trades(draw, hole_chance: bool = False) -> pd.DataFrame:
    rows = sorted(draw(st.lists(trade, min_size=1, max_size=60)))
    steps = draw(
        st.lists(
            st.integers(1, 3) if hole_chance else st.just(1),
            min_size=len(rows),
            max_size=len(rows),
        )
    )
    made = [(time / 1e6, price / 100, quantity / 1e5) for time, price, quantity in rows]
    return make_ticks(made, ids=np.cumsum(steps).tolist())


@given(trades(hole_chance=True), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_of_arrival_does_not_matter_where_ids_are_known(ticks, random):
    order = list(range(len(ticks)))
    random.shuffle(order)
    same(resample_ticks(ticks.iloc[order], "5s"), resample_ticks(ticks, "5s"))


@given(trades())
@settings(max_examples=60, deadline=None)
def test_volume_and_trades_are_all_there_and_exact(ticks):
    bars = resample_ticks(ticks, "5s")
    total = sum(Decimal(repr(q)) for q in ticks["quantity"].tolist())
    assert sum(Decimal(repr(v)) for v in bars["volume"].tolist()) == total
    assert bars["trades"].sum() == len(ticks)


@given(trades(), st.sampled_from(["5s", "15s", "30s", "1min", "5min"]))
@settings(max_examples=60, deadline=None)
def test_coarser_bars_from_finer_ones_equal_those_from_the_ticks_to_the_bit(ticks, interval):
    same(resample_bars(resample_ticks(ticks, "1s"), interval), resample_ticks(ticks, interval))


@given(trades(hole_chance=True))
@settings(max_examples=60, deadline=None)
def test_coverage_of_coarser_bars_equals_that_from_the_ticks_with_holes_too(ticks):
    coarse = resample_bars(resample_ticks(ticks, "1s"), "15s")
    direct = resample_ticks(ticks, "15s")
    assert coarse.index.equals(direct.index)
    assert (coarse["coverage"] == "missing").tolist() == (direct["coverage"] == "missing").tolist()
    np.testing.assert_array_equal(coarse["close"], direct["close"])


@given(trades(hole_chance=True))
@settings(max_examples=60, deadline=None)
def test_bars_are_a_bars_frame_that_keeps_its_promises(ticks):
    bars = resample_ticks(ticks, "1s")
    check_bars(bars)
    missing = bars["coverage"] == "missing"
    assert bars["close"].isna().tolist() == missing.tolist()
    known = bars[~missing]
    assert (known["low"] <= known[["open", "close"]].min(axis=1)).all()
    assert (known["high"] >= known[["open", "close"]].max(axis=1)).all()
    quiet = known["coverage"] == "quiet"
    assert (known["trades"] == 0).tolist() == quiet.tolist()
    assert known["close"].ge(ticks["price"].min()).all()
    assert known["close"].le(ticks["price"].max()).all()


@given(trades(), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_later_ticks_change_no_closed_bar(ticks, keep):
    early = ticks.iloc[:keep]
    first, whole = resample_ticks(early, "5s"), resample_ticks(ticks, "5s")
    closed = first.iloc[:-1]
    same(closed, whole.loc[closed.index])


def test_bars_of_the_exact_size_limit_are_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(analytics.bars, "MAX_BARS", 10)
    assert len(resample_ticks(make_ticks([(0, 5, 1), (9, 5, 1)]), "1s")) == 10
    with pytest.raises(FrameError, match="11 bars of 1s, at most 10"):
        resample_ticks(make_ticks([(0, 5, 1), (10, 5, 1)]), "1s")
