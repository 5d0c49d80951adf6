"""The body that both modes share: signal, figures, chart, tabs, latest signals, exports."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.pair import PairAnalytics, PairParams
from ingest.files import ReadReport
from pages.charts.pair_series import PriceView
from pages.ui import (
    coverage_note,
    exports,
    figures,
    formats,
    markup,
    notices,
    pair_data,
    recording,
    tabs,
    trends,
)
from pages.ui.choices import PRICE_VIEWS, recall
from pages.ui.header import Desk
from pages.ui.once import once_for_each
from pages.ui.pair_chart import show_pair_chart
from pages.ui.signal_table import latest_changes

VIEWS: Final[tuple[PriceView, ...]] = PRICE_VIEWS  # named as the URL has them
MAX_POINTS: Final = 2_000


@dataclass(frozen=True)
class Source:
    """Where the data is from, as the reader must see it; `feed` says how the recording goes."""

    name: str
    feed: tuple[str, ...] = ()
    is_synthetic: bool = False
    is_paused: bool = False

    @classmethod
    def of(cls, desk: Desk, feed: list[str]) -> "Source":
        """Take it from what the reader chose."""
        is_paused = desk.refresh.is_paused and not desk.is_file
        return cls(desk.source, tuple(feed), desk.is_synthetic, is_paused)


def show_pair(bars: pair_data.PairBars, params: PairParams, source: Source) -> None:
    """Analyse a pair and show all of it; says what is missing where it cannot."""
    head = _head(bars, params, source)
    try:
        result = pair_data.analyse(bars, params)
    finally:
        # The head stands above whatever is said about the bars.
        st.html(head)
    if len(result.zscore) == 0:
        notices.show(notices.bars_so_far(0, params.window, "The analysis", params.interval))
        return
    _show_result(result, bars, source)


def _show_result(result: PairAnalytics, bars: pair_data.PairBars, source: Source) -> None:
    items = _main_figures(result, bars)
    told = [_covered(result, bars), *_feed_sentence(source)]
    with st.container(key="answers", gap="xsmall"):
        st.html(_top(result, items))
        st.html(markup.block(" ".join(told), css="pd-covered pd-muted"))
        # One frame, so that what chooses and explains can stand beside the chart's own buttons.
        with st.container(key="chart", gap="xsmall"):
            with st.container(horizontal=True, key="chart_choices"):
                view = _choose_price_view()
                figures.explain(items, key="explain_pair")
            show_pair_chart(result, view=view, source=source.name)
    st.caption(_chart_caption(result, source))
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        tabs.show(result, bars, source.name)
    right.html(_changes(result))
    exports.offer_analytics(result, bars, source.name, is_synthetic=source.is_synthetic)


@once_for_each
def _main_figures(result: PairAnalytics, bars: pair_data.PairBars) -> tuple[markup.Figure, ...]:
    return tuple(figures.main_figures(result, trends.relation(result, bars)))


@once_for_each
def _top(result: PairAnalytics, items: tuple[markup.Figure, ...]) -> str:
    return markup.block(figures.signal(result), markup.figures(items), css="pd-top")


@once_for_each
def _covered(result: PairAnalytics, bars: pair_data.PairBars) -> str:
    words = [markup.text(each) for each in coverage_note.coverage_words(result, bars)]
    return " ".join([*(markup.about("bars", each) for each in words[:1]), *words[1:]])


@once_for_each
def _changes(result: PairAnalytics) -> str:
    return markup.block(latest_changes(result))


def _feed_sentence(source: Source) -> list[str]:
    words = f"{', '.join(source.feed)}.".replace("..", ".")
    return [markup.text(words)] if source.feed else []


def _head(bars: pair_data.PairBars, params: PairParams, source: Source) -> str:
    now_us = recording.now_us(recording.current_recorder())
    pieces = [
        markup.heading(f"{params.y} / {params.x}", is_seen=False),
        *figures.leg_prices(bars, (params.y, params.x), now_us),
        markup.text(source.name, "muted"),
    ]
    if source.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    if source.is_paused:
        pieces.append(markup.badge("Paused", "wait"))
    return markup.block(*pieces, css="pd-head")


def _choose_price_view() -> PriceView:
    """Choose how the two prices share a panel."""
    recall("prices", VIEWS)
    chosen = st.segmented_control(
        "Prices", VIEWS, default=VIEWS[0], key="prices", required=True, bind="query-params",
        help="rebased: both start at 100. raw: one axis in quote currency. two axes: one each.",
        label_visibility="collapsed",
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


def show_report(report: ReadReport) -> None:
    """Say what was read of a file, and what was left out and why."""
    with st.expander("What was read of the file", expanded=bool(report.dropped)):
        st.html(markup.block(markup.notes(report.sentences())))
