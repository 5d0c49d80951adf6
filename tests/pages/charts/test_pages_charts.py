"""The pair figure: trace names and data, gaps, axes, and the thinning that keeps extremes."""

import tomllib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.charts import theme
from pages.charts.beta_figure import beta_figure
from pages.charts.correlation_figure import correlation_path_figure
from pages.charts.decimate import (
    bucket_lengths,
    bucket_rows,
    bucket_size,
    bucket_sums,
    decimate,
)
from pages.charts.pair_figure import PANELS, PairChart, pair_figure, panel_domains, span_words
from pages.charts.pair_series import BUY_HELD, SELL_HELD, PairLabels, PairSeries
from pages.charts.pair_tables import cut, pair_arrays
from pages.charts.residual_figure import ResidualSeries, residual_figure
from pages.ui.chart.live_chart import chart_payload

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
START_MS = 1.7e12


def series_of(
    length: int, missing: slice = slice(0, 0), held: dict[int, int] | None = None
) -> PairSeries:
    """Arrays that differ from each other, with one stretch not known."""
    step = np.arange(length, dtype=np.float64)
    waves = [np.sin(step / 7 + shift) + shift + 1.5 for shift in range(9)]
    for wave in waves:
        wave[missing] = np.nan
    signals = np.zeros(length, dtype=np.int8)
    for row, kind in (held or {}).items():
        signals[row] = kind
    names = ["price_y", "price_x", "spread", "mean", "std", "zscore", "correlation"]
    named: dict[str, Any] = dict(zip([*names, "volume_y", "volume_x"], waves, strict=True))
    return PairSeries(START_MS + step * 1_000, **named, held=signals)


def traces(series: PairSeries, panels=(*PANELS, "correlation"), **changes) -> dict[str, Any]:
    figure = pair_figure(series, replace(LABELS, **changes), panels=panels)
    return {trace.name: trace for trace in figure.data}


def test_every_series_is_drawn_under_its_name_with_its_values():
    series = series_of(100)
    drawn = traces(series)
    pairs = {
        "BTCUSDT": 100 * series.price_y / series.price_y[0],
        "ETHUSDT": 100 * series.price_x / series.price_x[0],
        "Spread": series.spread,
        "Mean": series.mean,
        "z-score": series.zscore,
        "Correlation": series.correlation,
    }
    for name, values in pairs.items():
        np.testing.assert_array_equal(drawn[name].x, series.time_ms)
        np.testing.assert_allclose(drawn[name].y, values, rtol=1e-12)
    assert {"Mean ± 2 std", "SELL", "BUY", "SELL threshold", "BUY threshold"} <= set(drawn)


def test_all_panels_share_one_utc_time_axis_and_the_word_stands_once():
    figure = pair_figure(series_of(50), LABELS)
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert figure.layout.xaxis.type == "date"
    assert figure.layout.hovermode == "x unified"
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis3", "yaxis4", "yaxis6")]
    volume = "Volume, USDT<br>per 1 s"
    assert titles == ["Price (start = 100)", "Spread (USDT)", "z-score (std)", volume]
    assert figure.layout.xaxis.title.text == "UTC"


@pytest.mark.parametrize(
    ("view", "axis", "title"),
    [
        ("rebased", "y", "Price (start = 100)"),
        ("raw", "y", "Price (USDT)"),
        ("two axes", "y2", "BTCUSDT (USDT)"),
        ("candles", "y2", "BTCUSDT (USDT)<br>candles of 1 s"),
    ],
)
def test_the_price_view_decides_the_axes(view, axis, title):
    figure = pair_figure(series_of(50), replace(LABELS, price_view=view))
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
    np.testing.assert_allclose(band.y[:30], series.mean + 2 * series.std)
    np.testing.assert_allclose(band.y[30:60], (series.mean - 2 * series.std)[::-1])


def test_entries_are_marked_once_at_their_bar_with_a_shape_of_their_own():
    series = series_of(50, held={3: SELL_HELD, 4: SELL_HELD, 10: BUY_HELD})
    drawn = traces(series)
    assert list(drawn["SELL"].x) == [series.time_ms[3]]
    assert list(drawn["SELL"].y) == [series.zscore[3]]
    assert list(drawn["BUY"].x) == [series.time_ms[10]]
    assert drawn["SELL"].marker.symbol != drawn["BUY"].marker.symbol


def test_what_is_held_at_the_first_bar_is_shaded_but_is_no_entry():
    series = series_of(50, held={0: BUY_HELD, 1: BUY_HELD})
    drawn = traces(series)
    assert len(drawn["BUY"].x) == 0
    assert list(drawn["BUY held"].x[:4]) == [START_MS, START_MS, START_MS + 2e3, START_MS + 2e3]


def test_entries_close_together_have_one_triangle_that_says_how_many_it_stands_for():
    # 24 hours of 1-second bars: SELL, nothing, BUY, nothing without end.
    held = {row: (SELL_HELD, 0, BUY_HELD, 0)[row % 4] for row in range(86_400)}
    series = series_of(86_400, held=held)
    marks = pair_arrays(series, cut(series, 400))["marks"]
    assert len(marks["time"]) <= 2 * (400 / 8 + 1)  # a triangle of each kind in 24 px
    for kind, name in ((SELL_HELD, "SELL"), (BUY_HELD, "BUY")):
        entries = marks["entries"][marks["held"] == kind]
        assert entries.sum() == series.entries()[name] > 20_000
    rows = np.searchsorted(series.time_ms, marks["time"])
    np.testing.assert_array_equal(series.held[rows], marks["held"])
    np.testing.assert_array_equal(series.zscore[rows], marks["zscore"])


def candles_of(length: int, missing: slice = slice(0, 0)) -> PairSeries:
    generator = np.random.default_rng(5)
    opens, closes = generator.normal(100, 1, size=(2, length))
    highs = np.maximum(opens, closes) + generator.random(length)
    lows = np.minimum(opens, closes) - generator.random(length)
    for values in (opens, highs, lows, closes):
        values[missing] = np.nan
    changes = {"open_y": opens, "high_y": highs, "low_y": lows, "price_y": closes}
    times = 1_000.0 * np.arange(length, dtype=np.float64)
    return replace(series_of(length), time_ms=times, **changes)


def test_a_candle_has_the_first_open_the_extremes_and_the_last_close_of_its_bars():
    series = candles_of(1_000, slice(100, 101))
    seen = cut(series, 60)
    candles = pair_arrays(series, seen, with_candles=True)["candles"]
    size = seen.candle_size
    assert size > 1
    for place, begin in enumerate(range(0, 1_000, size)):
        rows = [row for row in range(begin, min(begin + size, 1_000)) if row != 100]
        assert candles["time"][place] == begin * 1_000
        assert candles["end"][place] == (begin + size) * 1_000
        assert series.open_y is not None
        assert series.high_y is not None
        assert series.low_y is not None
        assert candles["open"][place] == series.open_y[rows[0]]
        assert candles["high"][place] == series.high_y[rows].max()
        assert candles["low"][place] == series.low_y[rows].min()
        assert candles["close"][place] == series.price_y[rows[-1]]


def test_a_missing_stretch_has_no_candle_and_no_open_means_none_at_all():
    series = candles_of(40, slice(10, 20))
    candles = pair_arrays(series, cut(series, 400), with_candles=True)["candles"]
    assert np.flatnonzero(np.isnan(candles["close"])).tolist() == list(range(10, 20))
    drawn = pair_figure(series, replace(LABELS, price_view="candles"))
    outlines = [trace for trace in drawn.data if trace.legendgroup == "leg-BTCUSDT"]
    assert sum(int(np.isnan(trace.y).sum()) for trace in outlines) == 30
    rising, falling = outlines
    assert (rising.fill, falling.fill) == (None, "toself")
    assert series.open_y is not None
    assert len(rising.x) == 11 * int((series.price_y >= series.open_y).sum())
    closes_only = pair_arrays(series_of(40), cut(series, 400), with_candles=True)["candles"]
    assert np.isnan(closes_only["open"]).all()


def test_the_legs_are_told_apart_without_colours():
    for view in ("rebased", "raw", "two axes"):
        drawn = traces(series_of(50), price_view=view)
        first, second = (drawn[name].line for name in ("BTCUSDT", "ETHUSDT"))
        assert first.dash == "solid" != second.dash
        assert first.width > second.width
    opacities = [
        float(trace.fillcolor.split(",")[-1].rstrip(")"))
        for name, trace in drawn.items()
        if name.endswith("volume")
    ]
    assert opacities[0] > 2 * opacities[1]


def test_the_legend_has_the_order_of_the_panels_in_the_page_and_in_the_report():
    figure = PairChart(series_of(50), LABELS).figure()
    keys = [entry["key"] for entry in figure["layout"]["meta"]["legend"]]
    assert keys == [
        *("leg-BTCUSDT", "leg-ETHUSDT", "spread", "mean", "band", "zscore", "SELL", "BUY"),
        *("volume-BTCUSDT", "volume-ETHUSDT"),
    ]
    shown = [trace for trace in pair_figure(series_of(50), LABELS).data if trace.showlegend is None]
    names = [trace.name for trace in sorted(shown, key=lambda trace: trace.legendrank)]
    assert names == ["BTCUSDT", "ETHUSDT", "Spread", "Mean", "Mean ± 2 std", "SELL", "BUY"]
    found = {trace.get("legendgroup", trace["uid"]) for trace in figure["data"]}
    assert {key for key in keys if key != "zscore"} <= found


def test_what_the_reader_hides_of_a_leg_goes_by_its_symbol():
    swapped = replace(LABELS, symbol_y="ETHUSDT", symbol_x="BTCUSDT")
    for labels in (LABELS, swapped):
        drawn = {trace.name: trace.uid for trace in pair_figure(series_of(50), labels).data}
        assert drawn["BTCUSDT"] == "leg-BTCUSDT"
        assert drawn["ETHUSDT"] == "leg-ETHUSDT"


def test_volume_stacks_the_legs_and_tells_each_by_itself():
    series = series_of(40)
    drawn = traces(series)
    np.testing.assert_allclose(drawn["BTCUSDT volume"].y, series.volume_y)
    above = drawn["ETHUSDT volume"]
    np.testing.assert_allclose(above.y, series.volume_y + series.volume_x)
    np.testing.assert_allclose(above.customdata, series.volume_x)
    other = traces(series, price_unit_x="BTC")["ETHUSDT volume"]
    np.testing.assert_allclose(other.y, series.volume_x)
    assert other.yaxis == "y8"


def test_thresholds_are_drawn_at_their_levels_and_named():
    drawn = traces(series_of(50), sell_above=1.5, buy_below=-1.5)
    assert set(drawn["SELL threshold"].y) == {1.5}
    assert set(drawn["BUY threshold"].y) == {-1.5}
    figure = pair_figure(series_of(50), LABELS)
    assert [note.text for note in figure.layout.annotations] == ["SELL above +2", "BUY below 0"]


def test_the_price_in_the_hover_keeps_every_digit():
    series = replace(series_of(3), price_y=np.array([87_162.01, 123_456.78, 9.1e-06]))
    np.testing.assert_array_equal(traces(series)["BTCUSDT"].customdata, series.price_y)
    table = PairChart(series, replace(LABELS, price_decimals_y=7)).tables(-np.inf, np.inf, 9, {})[0]
    column = table["bars"]["price_y"]
    np.testing.assert_array_equal(column.codes / 10.0**column.decimals, series.price_y)


def test_an_empty_or_single_row_series_draws_without_error():
    for length in (0, 1):
        assert len(traces(series_of(length))["Spread"].x) == length


def test_uids_and_uirevision_stay_equal_between_calls_so_that_zoom_survives():
    first = pair_figure(series_of(50), LABELS)
    second = pair_figure(series_of(60), LABELS)
    assert [trace.uid for trace in first.data] == [trace.uid for trace in second.data]
    assert len({trace.uid for trace in first.data}) == len(first.data)
    assert first.layout.uirevision == second.layout.uirevision == "one view"


def test_arrays_travel_as_bytes_and_colours_as_css_variables():
    figure = pair_figure(series_of(50), LABELS)
    payload = orjson.loads(chart_payload(figure, "a label", 700))
    arrays = [trace["y"] for trace in payload["figure"]["data"] if trace["name"] == "z-score"]
    assert arrays[0]["dtype"] == "f8"
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


@given(
    length=st.integers(3, 2_000),
    size=st.integers(2, 50),
    first=st.integers(0, 10**9),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=80, deadline=None)
def test_buckets_stand_still_while_bars_are_appended_and_dropped(length, size, first, seed):
    generator = np.random.default_rng(seed)
    walk = generator.normal(size=length).cumsum()
    walk[generator.random(length) < 0.05] = np.nan
    drop = min(int(generator.integers(1, 2 * size)), length - 2)
    before = bucket_rows([walk[:-1]], first, size) + first
    after = bucket_rows([walk[drop:]], first + drop, size) + first + drop
    # Whole buckets that both windows hold are thinned to the same rows.
    low = -(-(first + drop + 1) // size) * size
    high = (first + length - 2) // size * size
    for rows in (before, after):
        assert set(rows[(rows >= low) & (rows < high)]) == set(
            before[(before >= low) & (before < high)]
        )


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0, np.nan]), min_size=3, max_size=40),
    first=st.integers(0, 20),
    size=st.integers(2, 50),
)
def test_the_rows_of_a_bucket_are_its_first_lowest_and_first_highest_known_bar(values, first, size):
    walk = np.array(values)
    expected = {0, len(walk) - 1}
    for bucket in np.unique((np.arange(len(walk)) + first) // size):
        rows = np.flatnonzero((np.arange(len(walk)) + first) // size == bucket)
        known = rows[~np.isnan(walk[rows])]
        if known.size:
            expected |= {known[walk[known].argmin()], known[walk[known].argmax()]}
        gaps = [row for row in rows if row and np.isnan(walk[row]) and not np.isnan(walk[row - 1])]
        expected |= {int(row) for row in gaps[:1]}
    assert bucket_rows([walk], first, size).tolist() == sorted(expected)


@pytest.mark.parametrize(("length", "first", "size"), [(1, 0, 4), (3, 5, 4), (9, 6, 4), (12, 8, 4)])
def test_lengths_of_buckets_count_the_bars_that_are_there(length: int, first: int, size: int):
    sums = bucket_sums(np.ones(length), first, size)
    assert bucket_lengths(length, first, size).tolist() == sums.tolist()


def test_sums_of_buckets_add_up_to_the_whole_and_holes_count_as_none():
    values = np.arange(100, dtype=np.float64)
    values[50:60] = np.nan
    sums = bucket_sums(values, 7, 10)
    assert len(sums) == 11
    assert sums.sum() == np.nansum(values)
    assert sums[0] == values[:3].sum()


@pytest.mark.parametrize(("bars", "buckets"), [(1, 10), (100, 100), (86_400, 350), (10**7, 60)])
def test_a_bucket_is_no_smaller_than_needed_and_seldom_much_larger(bars, buckets):
    size = bucket_size(bars, buckets)
    assert bars <= size * buckets <= max(2 * bars, buckets)


def test_rows_drawn_are_bounded_by_the_screen_not_by_the_history():
    for length in (500, 20_000, 200_000):
        series = series_of(length, held=dict.fromkeys(range(0, length, 2), BUY_HELD))
        arrays = pair_arrays(series, cut(series, 350))
        assert max(len(table["time"]) for table in arrays.values()) <= 350 * 9


def test_a_zoomed_span_comes_with_every_bar_once_the_screen_holds_them():
    series = series_of(100_000)
    seen = cut(series, 350, START_MS + 5_000_000, START_MS + 5_400_000)
    arrays = pair_arrays(series, seen)
    np.testing.assert_array_equal(arrays["bars"]["time"], series.time_ms[5_000:5_401])


def test_a_span_without_bars_gives_empty_tables():
    series = series_of(100)
    tables, head = PairChart(series, LABELS).tables(0.0, 1.0, 100, {})
    assert {len(table["time"].codes) for table in tables.values()} == {0}
    assert head["span"] == [series.time_ms[0], series.time_ms[-1]]


def test_most_of_a_bucket_decides_what_is_shaded():
    held = dict.fromkeys(range(60), BUY_HELD) | dict.fromkeys(range(300, 303), SELL_HELD)
    series = replace(
        series_of(1_000, held=held), time_ms=1_000.0 * np.arange(1_000, dtype=np.float64)
    )
    found = pair_arrays(series, cut(series, 100))["held"]
    assert found["time"].tolist() == [0.0]
    assert found["end"].tolist() == [60_000.0]
    assert found["held"].tolist() == [BUY_HELD]


@pytest.mark.parametrize(
    "panels", [PANELS, ("prices",), ("zscore", "volume"), (*PANELS, "correlation")]
)
def test_panels_can_be_chosen_and_share_the_height(panels):
    figure = pair_figure(series_of(50), LABELS, panels=panels)
    domains = list(panel_domains(panels).values())
    assert domains[0][1] == 1.0
    assert domains[-1][0] == pytest.approx(0.0, abs=0.001)
    for upper, lower in pairwise(domains):
        assert upper[0] > lower[1]
    anchor = {"volume": "y6", "prices": "y", "correlation": "y5"}[panels[-1]]
    assert figure.layout.xaxis.anchor == anchor


def test_the_readers_zone_is_named_on_the_axis_and_in_the_hover():
    figure = pair_figure(series_of(50), replace(LABELS, zone="Europe/Berlin"))
    assert figure.layout.xaxis.title.text == "Europe/Berlin"
    assert figure.layout.xaxis.hoverformat.endswith(" Europe/Berlin")


@pytest.mark.parametrize(
    ("span_ms", "words"), [(1_000, "1 s"), (5_000, "5 s"), (256_000, "4.27 min"), (5.4e6, "1.5 h")]
)
def test_lengths_of_time_have_words(span_ms, words):
    assert span_words(span_ms) == words


def test_beta_is_drawn_with_its_band_over_the_whole_samples():
    series = series_of(5_000, slice(100, 200))
    beta, time_ms = series.spread, series.time_ms
    figure = beta_figure(
        time_ms, beta, beta - 1, beta + 1,
        level="95 % band", fixed=1.5, symbol_y="A", symbol_x="B", view_id="v",
    )  # fmt: skip
    drawn = {trace.name: trace for trace in figure.data}
    assert len(drawn["β"].x) <= 2_002
    assert np.nanmax(drawn["β"].y) == np.nanmax(beta)
    assert np.isnan(drawn["β"].y).any()
    assert set(drawn["Whole sample"].y) == {1.5}
    assert np.nanmax(drawn["95 % band"].y) == pytest.approx(np.nanmax(beta) + 1)


def test_a_band_that_knows_next_to_nothing_does_not_press_its_path_flat():
    time_ms = np.arange(90, dtype=np.float64) * 1e3
    beta = 1.5 + 0.1 * np.sin(time_ms)
    half = np.where(np.arange(90) < 30, 9.0, 0.05)
    options: dict[str, Any] = {"level": "", "symbol_y": "A", "symbol_x": "B", "view_id": "v"}
    wild = beta_figure(time_ms, beta, beta - half, beta + half, fixed=None, **options)
    low, high = wild.layout.yaxis.range
    assert np.ptp(beta) > 0.15 * (high - low)
    assert low < (beta - 0.05).min()
    assert high > (beta + 0.05).max()
    calm = beta_figure(time_ms, beta, beta - 0.05, beta + 0.05, fixed=None, **options)
    assert calm.layout.yaxis.range is None


def test_a_beta_without_band_or_data_draws_without_error():
    for length in (0, 1, 30):
        time_ms = np.arange(length, dtype=np.float64) * 1e3
        unknown = np.full(length, np.nan)
        options: dict[str, Any] = {
            "level": "none",
            "symbol_y": "A",
            "symbol_x": "B",
            "view_id": "v",
        }
        figure = beta_figure(time_ms, unknown + 1, unknown, unknown, fixed=None, **options)
        assert not figure.data[0].showlegend


def test_the_correlation_path_keeps_its_extremes():
    series = series_of(10_000)
    figure = correlation_path_figure(
        series.time_ms, series.correlation, on="log returns", window=60, view_id="v"
    )
    drawn = {trace.name: trace for trace in figure.data}["Correlation"]
    assert drawn.y.min() == series.correlation.min()
    assert figure.layout.yaxis.title.text == "Correlation of log returns, 60 bars"


def test_residuals_are_drawn_in_three_panels_with_their_bounds():
    edges, grid = np.linspace(-3, 3, 31), np.linspace(-2, 2, 50)
    share = np.full(30, 1 / 30)
    series = ResidualSeries(
        edges, share, share, grid, grid * 1.1, np.arange(1.0, 21), np.full(20, 0.4), 0.05
    )
    figure = residual_figure(series, unit="USDT", view_id="v")
    assert {trace.xaxis for trace in figure.data} == {"x", "x2", "x3"}
    low, high = figure.layout.yaxis3.range
    assert low < -0.05 < 0.4 < high
    assert figure.layout.xaxis.title.text == "Residual (USDT)"


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
