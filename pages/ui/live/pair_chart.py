"""The pair's live figure on the page."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from analytics.pair import PairAnalytics
from pages.charts.pair_figure import PANELS, PairChart
from pages.charts.pair_series import PairLabels, Panel, PriceView
from pages.ui.chart.live_chart import streamed_chart
from pages.ui.chart.store import ServedChart, new_chart
from pages.ui.live import chart_view

KEY: Final = "pair_chart"


def show_pair_chart(
    result: PairAnalytics,
    *,
    view: PriceView,
    source: str,
    panels: Sequence[Panel] = PANELS,
    mark: int | None = None,
) -> None:
    """Show prices, spread, z-score and volume of a pair over one time axis.

    Parameters
    ----------
    result
        The analysis; the same object again means that nothing is new.
    view
        How the two prices share a panel.
    source
        Name of the data: zoom lasts as long as source, pair and interval are the same.
    panels
        Top to bottom.
    mark
        A bar to mark, seconds since the epoch.
    """
    served = _served()
    labels = chart_view.marked(chart_view.labels(result, view, source), mark)
    publish(served, result, labels, panels)
    params = result.params
    label = f"{', '.join(panels)} of {params.y} and {params.x} over time"
    file = f"{params.y}-{params.x}_{params.interval}"
    streamed_chart(served, key=KEY, label=label, file=file)


def publish(
    served: ServedChart,
    result: PairAnalytics,
    labels: PairLabels,
    panels: Sequence[Panel] = PANELS,
) -> int:
    """Put a state of the analysis where the browser fetches it; return its version."""

    def make() -> PairChart:
        return PairChart(chart_view.pair_series(result), labels, panels)

    return served.publish(result, (labels, tuple(panels)), make)


def _served() -> ServedChart:
    """Return this session's chart: as long as the session holds it, browsers find it."""
    name = f"_{KEY}_served"
    if name not in st.session_state:
        st.session_state[name] = new_chart()
    served: ServedChart = st.session_state[name]
    return served
