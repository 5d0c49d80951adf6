"""The basket's figures: what is drawn, at which bars the signal changed, and what stays thin."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.charts.basket_figure import (
    MAX_POINTS,
    BasketLabels,
    BasketSeries,
    EquitySeries,
    basket_figure,
    equity_figure,
)

LABELS = BasketLabels("log prices", 2.0, -1.5, "view", "Europe/Berlin")


def series(bars: int) -> BasketSeries:
    spread = np.random.default_rng(1).normal(0, 0.01, bars)
    std = np.full(bars, 0.01)
    std[:5] = np.nan
    marks = np.zeros(bars, dtype=np.int8)
    marks[[10, 20]], marks[30] = 1, -1
    return BasketSeries(np.arange(float(bars)) * 1_000, spread, 0 * std, std, spread / std, marks)


def trace(figure: go.Figure, name: str) -> Any:
    (found,) = [each for each in figure.data if each.name == name]
    return found


def test_the_spread_lies_over_its_band_and_z_between_its_thresholds():
    drawn, figure = series(100), basket_figure(series(100), LABELS)
    np.testing.assert_array_equal(trace(figure, "Spread").y, drawn.spread)
    np.testing.assert_array_equal(trace(figure, "z").y, drawn.zscore)
    band = np.asarray(trace(figure, "Mean ± 2 std").y)
    assert (np.nanmin(band), np.nanmax(band)) == (-0.02, 0.02)
    assert set(trace(figure, "SELL above").y) == {2.0}
    assert set(trace(figure, "BUY below").y) == {-1.5}
    assert "SELL above +2" in str(figure.layout.annotations)
    assert figure.layout.xaxis.title.text == "Europe/Berlin"
    assert "log prices" in figure.layout.yaxis.title.text


def test_each_change_of_the_signal_is_marked_at_its_z():
    drawn, figure = series(100), basket_figure(series(100), LABELS)
    sold, bought = trace(figure, "became SELL"), trace(figure, "became BUY")
    assert list(sold.x) == [10_000.0, 20_000.0]
    assert list(sold.y) == [drawn.zscore[10], drawn.zscore[20]]
    assert list(bought.x) == [30_000.0]


def test_long_series_are_thinned_and_keep_their_extremes_and_every_mark():
    drawn = series(40_000)
    figure = basket_figure(drawn, LABELS)
    spread = np.asarray(trace(figure, "Spread").y)
    assert len(spread) < 3 * MAX_POINTS
    assert (spread.min(), spread.max()) == (drawn.spread.min(), drawn.spread.max())
    assert len(trace(figure, "became SELL").x) == 2


def test_the_equity_is_drawn_before_and_after_costs():
    net, gross = np.linspace(0, -1, 50), np.linspace(0, 1, 50)
    figure = equity_figure(EquitySeries(np.arange(50.0) * 1e3, net, gross, net), view_id="v")
    np.testing.assert_array_equal(trace(figure, "After costs").y, net)
    np.testing.assert_array_equal(trace(figure, "Before costs").y, gross)
    np.testing.assert_array_equal(trace(figure, "Drawdown").y, net)
    assert figure.layout.xaxis.title.text == "UTC"
