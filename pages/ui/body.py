"""The body that both modes share: signal, figures, chart, tables, notes, download."""

import time
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from analytics.pair import PairAnalytics, PairParams
from ingest.files import ReadReport
from pages.charts.pair_figure import pair_figure
from pages.charts.pair_series import PriceView
from pages.ui import (
    chart_view,
    coverage_note,
    evidence,
    exports,
    figures,
    formats,
    markup,
    notices,
    pair_data,
)
from pages.ui.leg_table import legs_table
from pages.ui.live_chart import live_chart
from pages.ui.signal_table import latest_changes

# Named as the URL has them: a bound selection puts what it shows there.
VIEWS: tuple[PriceView, ...] = get_args(PriceView)
MAX_POINTS = 2_000


@dataclass(frozen=True)
class Source:
    """Where the data is from, as the reader must see it."""

    name: str
    strip: str = ""
    is_synthetic: bool = False
    is_paused: bool = False


def show_pair(bars: pair_data.PairBars, params: PairParams, source: Source) -> None:
    """Analyse a pair and show all of it; says what is missing where it cannot."""
    head = _head(params, source)
    try:
        result = pair_data.analyse(bars, params)
    finally:
        # The head and the recorder's state stand above whatever is said about the bars.
        st.html(head)
    _show_result(result, bars, source)


def _show_result(result: PairAnalytics, bars: pair_data.PairBars, source: Source) -> None:
    closed = len(result.zscore)
    if closed == 0:
        interval = result.params.interval
        notices.show(notices.bars_so_far(0, result.params.window, "The analysis", interval))
        return
    items = figures.all_figures(result, bars, time.time_ns() // 1_000)
    st.html(markup.block(figures.signal(result), markup.figures(items), css="pd-top"))
    with st.container(horizontal=True, vertical_alignment="center"):
        words = coverage_note.coverage_words(result, bars)
        st.html(markup.block(markup.text(" ".join(words), "muted"), css="pd-covered"))
        figures.explain(items, key="explain_pair")
    _show_chart(result, source)
    _show_tables(result)
    exports.offer_analytics(result, is_synthetic=source.is_synthetic)


def _head(params: PairParams, source: Source) -> str:
    pair = f"{markup.text(params.y, 'leg-y')} / {markup.text(params.x, 'leg-x')}"
    pieces = [
        f"<h1>{pair}</h1>",
        markup.text(f"{formats.interval_label(params.interval)} bars", "muted"),
        markup.text(source.name, "muted"),
    ]
    if source.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    if source.is_paused:
        pieces.append(markup.badge("Paused", "wait"))
    return markup.block(*pieces, css="pd-head") + source.strip


def _show_chart(result: PairAnalytics, source: Source) -> None:
    view = _choose_price_view()
    series = chart_view.pair_series(result, view)
    figure = pair_figure(
        series,
        chart_view.labels(result, view, source.name),
        sell=chart_view.markers(result, "SELL"),
        buy=chart_view.markers(result, "BUY"),
        max_points=MAX_POINTS,
    )
    pair = f"{result.params.y} and {result.params.x}"
    live_chart(figure, key="pair_chart", label=f"Prices, spread, z-score, correlation of {pair}")
    st.caption(_chart_caption(result, source))


def _choose_price_view() -> PriceView:
    """Choose how the two prices share a panel."""
    chosen = st.segmented_control(
        "Prices", VIEWS, default=VIEWS[0], key="prices", required=True, bind="query-params",
        help="rebased: both start at 100. raw: one axis in quote currency. two axes: one each.",
    )  # fmt: skip
    return chosen if chosen in VIEWS else VIEWS[0]


def _chart_caption(result: PairAnalytics, source: Source) -> str:
    index = result.zscore.index
    told = [
        f"{formats.count(len(index), 'closed bar')}, {formats.span(index[0], index[-1])}.",
        "Drag to zoom in time, double-click to see all, click a name to hide it.",
    ]
    if len(index) > MAX_POINTS:
        points = f"Drawn with about {MAX_POINTS:,} points: extremes and gaps are kept"
        told.insert(1, f"{points}, the CSV has every bar.")
    if source.is_synthetic:
        told.insert(0, "Synthetic data, made by a script: no market.")
    return " ".join(told)


def _show_tables(result: PairAnalytics) -> None:
    left, right = st.columns(2, gap="large")
    left.html(markup.block(latest_changes(result)))
    right.html(markup.block(legs_table(result)))
    told = markup.notes([*evidence.words(result), *result.notes])
    st.html(markup.block(evidence.tests_table(result), told, css="pd-evidence"))


def show_report(report: ReadReport) -> None:
    """Say what was read of a file, and what was left out and why."""
    with st.expander("What was read of the file", expanded=bool(report.dropped)):
        st.html(markup.block(markup.notes(report.sentences())))
