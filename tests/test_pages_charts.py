"""The pair figure: trace names and data, gaps, axes, and the thinning that keeps extremes."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.charts import theme
from pages.charts.decimate import decimate
from pages.charts.pair_figure import pair_figure
from pages.charts.pair_series import Markers, PairLabels, PairSeries
from pages.ui.live_chart import chart_payload

LABELS = PairLabels(
    symbol_y="BTCUSDT",
    symbol_x="ETHUSDT",
    price_view="rebased",
    price_unit="USDT",
    price_unit_x="USDT",
    spread_unit="USDT",
    band_std=2.0,
    sell_above=2.0,
    buy_below=0.0,
    price_decimals_y=2,
    price_decimals_x=2,
    spread_decimals=2,
    view_id="one view",
)
NONE = Markers(np.empty(0), np.empty(0))


def series_of(length: int, missing: slice = slice(0, 0)) -> PairSeries:
    """Arrays that differ from each other, with one stretch not known."""
    step = np.arange(length, dtype=np.float64)
    waves = [np.sin(step / 7 + shift) + shift for shift in range(10)]
    for wave in waves:
        wave[missing] = np.nan
    return PairSeries(1.7e12 + step * 1_000, *waves)


def traces(series: PairSeries, **changes) -> dict:
    labels = replace(LABELS, **changes)
    figure = pair_figure(series, labels, sell=NONE, buy=NONE)
    return {trace.name: trace for trace in figure.data}


def test_every_series_is_drawn_under_its_name_with_its_values():
    series = series_of(100)
    drawn = traces(series)
    pairs = {
        "BTCUSDT": series.drawn_y,
        "ETHUSDT": series.drawn_x,
        "Spread": series.spread,
        "Mean": series.mean,
        "z-score": series.zscore,
        "Correlation": series.correlation,
    }
    for name, values in pairs.items():
        np.testing.assert_array_equal(drawn[name].x, series.time_ms)
        np.testing.assert_allclose(drawn[name].y, values, rtol=1e-6)
    assert {"Mean ± 2 std", "SELL", "BUY", "SELL threshold", "BUY threshold"} <= set(drawn)


def test_all_panels_share_one_utc_time_axis_and_the_word_stands_once():
    figure = pair_figure(series_of(50), LABELS, sell=NONE, buy=NONE)
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert figure.layout.xaxis.type == "date"
    assert figure.layout.hovermode == "x unified"
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis3", "yaxis4", "yaxis5")]
    assert titles == ["Price (start = 100)", "Spread (USDT)", "z-score (std)", "Correlation"]
    assert figure.layout.xaxis.title.text == "UTC"


@pytest.mark.parametrize(
    ("view", "axis", "title"),
    [
        ("rebased", "y", "Price (start = 100)"),
        ("raw", "y", "Price (USDT)"),
        ("two axes", "y2", "BTCUSDT (USDT)"),
    ],
)
def test_the_price_view_decides_the_axes(view, axis, title):
    figure = pair_figure(series_of(50), replace(LABELS, price_view=view), sell=NONE, buy=NONE)
    drawn = {trace.name: trace for trace in figure.data}
    assert drawn["ETHUSDT"].yaxis == axis
    assert figure.layout.yaxis.title.text == title


def test_a_missing_stretch_stays_open_in_lines_and_band():
    drawn = traces(series_of(100, slice(40, 50)))
    assert drawn["Spread"].connectgaps is False
    assert np.isnan(drawn["Spread"].y[40:50]).all()
    # One closed outline on each side of the hole, each ended by its NaN.
    assert int(np.isnan(drawn["Mean ± 2 std"].y).sum()) == 2


def test_the_band_runs_between_its_two_edges():
    series = series_of(30)
    band = traces(series)["Mean ± 2 std"]
    np.testing.assert_allclose(band.y[:30], series.upper, rtol=1e-6)
    np.testing.assert_allclose(band.y[30:60], series.lower[::-1], rtol=1e-6)


def test_markers_carry_times_scores_and_a_shape_of_their_own():
    sell = Markers(np.array([1.7e12]), np.array([2.5]))
    figure = pair_figure(series_of(50), LABELS, sell=sell, buy=NONE)
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["SELL"].x) == [1.7e12]
    assert list(drawn["SELL"].y) == [2.5]
    assert drawn["SELL"].marker.symbol != drawn["BUY"].marker.symbol


def test_thresholds_are_drawn_at_their_levels_and_named():
    drawn = traces(series_of(50), sell_above=1.5, buy_below=-1.5)
    assert set(drawn["SELL threshold"].y) == {1.5}
    assert set(drawn["BUY threshold"].y) == {-1.5}
    figure = pair_figure(series_of(50), LABELS, sell=NONE, buy=NONE)
    assert [note.text for note in figure.layout.annotations] == ["SELL above +2", "BUY below 0"]


def test_the_price_in_the_hover_keeps_every_digit():
    series = replace(series_of(3), price_y=np.array([87_162.01, 123_456.78, 9.1e-06]))
    np.testing.assert_array_equal(traces(series)["BTCUSDT"].customdata, series.price_y)


def test_an_empty_or_single_row_series_draws_without_error():
    for length in (0, 1):
        assert len(traces(series_of(length))["Spread"].x) == length


def test_uids_and_uirevision_stay_equal_between_calls_so_that_zoom_survives():
    first = pair_figure(series_of(50), LABELS, sell=NONE, buy=NONE)
    second = pair_figure(series_of(60), LABELS, sell=NONE, buy=NONE)
    assert [trace.uid for trace in first.data] == [trace.uid for trace in second.data]
    assert len({trace.uid for trace in first.data}) == len(first.data)
    assert first.layout.uirevision == second.layout.uirevision == "one view"


def test_arrays_travel_as_bytes_and_colours_as_css_variables():
    figure = pair_figure(series_of(50), LABELS, sell=NONE, buy=NONE)
    payload = orjson.loads(chart_payload(figure, "a label", 700))
    arrays = [trace["y"] for trace in payload["figure"]["data"] if trace["name"] == "z-score"]
    assert arrays[0]["dtype"] == "f4"
    used = {trace.line.color for trace in figure.data if trace.line.color}
    assert used <= set(payload["css_variables"])


@given(
    length=st.integers(1, 3_000),
    seed=st.integers(0, 1_000),
    max_points=st.integers(40, 400),
)
@settings(max_examples=60, deadline=None)
def test_thinning_keeps_the_extremes_the_ends_and_the_bound(length, seed, max_points):
    generator = np.random.default_rng(seed)
    walks = [generator.normal(size=length).cumsum() for _ in range(3)]
    rows = decimate(walks, max_points)
    assert rows[0] == 0
    assert rows[-1] == length - 1
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= max(max_points, 0) + 2 or len(rows) == length
    for walk in walks:
        assert walk[rows].min() == walk.min()
        assert walk[rows].max() == walk.max()


def test_thinning_leaves_short_series_alone():
    np.testing.assert_array_equal(decimate([np.zeros(10)], 10), np.arange(10))


def test_thinning_keeps_a_short_gap_open():
    walk = np.arange(10_000, dtype=np.float64)
    walk[5_003] = np.nan
    rows = decimate([walk], 100)
    assert 5_003 in rows


def test_colours_agree_between_figure_theme_file_and_style_sheet(project_root: Path):
    config = tomllib.loads((project_root / ".streamlit/config.toml").read_text("utf-8"))
    light = config["theme"]["light"]
    named = {"greenColor": theme.LEG_Y, "violetColor": theme.LEG_X, "blueColor": theme.BUY}
    named |= {"orangeColor": theme.SELL, "textColor": theme.SERIES, "borderColor": theme.GRID}
    assert {name: light[name] for name in named} == named
    style = (project_root / "pages/ui/style.css").read_text("utf-8")
    for variable, name in (("leg-y", "greenColor"), ("buy", "blueColor"), ("sell", "orangeColor")):
        pair = f"light-dark({light[name]}, {config['theme']['dark'][name]})"
        assert f"--pd-{variable}: {pair};" in style
