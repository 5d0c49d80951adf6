"""The baskets page's body: signal and orders, verdict, chart, weights, backtest, download."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from analytics.baskets import BasketAnalytics, analyse_basket
from analytics.signals import SIGNALS
from ingest.binance import LotSteps
from pages.charts import basket_figure
from pages.charts.basket_figure import BasketLabels, BasketSeries
from pages.ui.baskets import backtest, lacking, trade, watch, words
from pages.ui.baskets.data import BasketBars
from pages.ui.baskets.settings import BasketChoice
from pages.ui.chart.live_chart import live_chart
from pages.ui.parts import files, formats, markup, notices
from pages.ui.parts.csv_file import csv_bytes, file_stem
from pages.ui.parts.explain import explain
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Html
from pages.ui.state.clock import even_label, even_ms
from pages.ui.state.once import Once, once_for_each
from pages.ui.state.served_files import MadeFile

CHANGES: Final = 8
NOW: Final = "Now"
BACKTEST: Final = "Backtest"
VIEWS: Final = (NOW, BACKTEST)
VIEW_KEY: Final = "basket_view"

_results: Final[Once[BasketAnalytics]] = Once(16)


def for_view(choice: BasketChoice) -> BasketChoice:
    """Add the bars that the shown view needs; it is known before its control is drawn."""
    view = st.session_state.get(VIEW_KEY, st.query_params.get(VIEW_KEY))
    return replace(choice, with_backtest=view == BACKTEST)


def show(bars: BasketBars, choice: BasketChoice, lots: Mapping[str, LotSteps]) -> None:
    """Show a basket.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the controls ask for.
    """
    result = analysed(bars, choice)
    markup.show(_head(bars, result))
    if result.zscore.empty:
        notices.show(lacking.no_common_bar(choice.params))
        return
    markup.show(markup.block(
        words.signal(result, lots, choice.capital), markup.figures(words.figures(result)),
        css="pd-top",
    ))  # fmt: skip
    chosen = st.segmented_control(
        "View", list(VIEWS), default=NOW, key=VIEW_KEY, required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if chosen == BACKTEST:
        backtest.show(bars, choice)
    else:
        _show_now(bars, result, choice, lots)


def _show_now(
    bars: BasketBars,
    result: BasketAnalytics,
    choice: BasketChoice,
    lots: Mapping[str, LotSteps],
) -> None:
    verdict = markup.paragraphs(words.verdict(result))
    markup.show(markup.block(verdict, kind="section", css="pd-verdict"))
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        _show_chart(result)
    with right:
        _show_weights(result, choice, lots)
    markup.show(markup.block(markup.notes(result.notes)))
    with st.container(horizontal=True, vertical_alignment="center"):
        files.show([_offer(result, bars)], key="basket_files")
        if bars.is_live:
            watch.offer(choice.params)
        explain(words.figures(result), key="basket_explain")


def analysed(bars: BasketBars, choice: BasketChoice) -> BasketAnalytics:
    """Analyse a basket, once for each state of the bars, whichever view they were read for."""
    line = (bars.origin, choice.params)

    def analyse() -> BasketAnalytics:
        with st.spinner("Drawing baskets with the volatility of these bars"):
            return analyse_basket(bars.legs, choice.params)

    return _results.get((*line, bars.end_us), analyse, line)


def _head(bars: BasketBars, result: BasketAnalytics) -> Html:
    params = result.params
    pieces = [
        markup.heading(f"Basket: {', '.join(params.symbols)}"),
        markup.text(f"{formats.interval_label(params.interval)} bars", "muted"),
        markup.text(formats.clipped(bars.name), "muted"),
        _span(bars, result),
    ]
    if bars.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    return markup.block(*pieces, css="pd-head")


def _span(bars: BasketBars, result: BasketAnalytics) -> Html:
    """Say which bars the figures stand on, and how old the last is where newer ones come."""
    index = result.zscore.index
    if not len(index):
        return markup.NOTHING
    end = index[-1] + result.params.bar.timedelta
    span = formats.span(index[0], end)
    words_ = f"{formats.count(len(index), 'bar')}, {span}"
    if not bars.is_live:
        return markup.text(words_, "muted")
    ago = Html("{}, which was {} ago").format(words_, markup.age(time.time() - end.timestamp()))
    return Html('<span class="pd-muted">{}</span>').format(ago)


def _show_chart(result: BasketAnalytics) -> None:
    label = f"Spread and z-score of the basket {result.params.label}"
    live_chart(_figure(result), key="basket_chart", label=label, height_px=basket_figure.HEIGHT_PX)


@once_for_each
def _figure(result: BasketAnalytics) -> go.Figure:
    params, index = result.params, pd.DatetimeIndex(result.zscore.index)
    labels = BasketLabels(
        "log prices", params.sell_above, params.buy_below,
        view_id=f"{params.label}|{params.interval}|{params.method}", zone=even_label(index),
    )  # fmt: skip
    return basket_figure.basket_figure(series_of(result), labels)


def series_of(result: BasketAnalytics) -> BasketSeries:
    """Take what is drawn, with the bars at which the signal changed."""
    codes = result.signal_codes
    changed = np.r_[False, codes[1:] != codes[:-1]]
    marks = np.zeros(len(codes), dtype=np.int8)
    for name, mark in (("SELL", 1), ("BUY", -1)):
        marks[changed & (codes == SIGNALS.index(name))] = mark
    return BasketSeries(
        even_ms(pd.DatetimeIndex(result.zscore.index)), result.spread.to_numpy(),
        result.mean.to_numpy(), result.std.to_numpy(), result.zscore.to_numpy(), marks,
    )  # fmt: skip


def _show_weights(
    result: BasketAnalytics, choice: BasketChoice, lots: Mapping[str, LotSteps]
) -> None:
    size = trade.size_of(result, "BUY", lots, choice.capital)
    markup.show(markup.block(
        words.weights_table(result, size), markup.notes(words.weights_notes(result, size)),
        words.changes_table(result, CHANGES),
    ))  # fmt: skip


def _offer(result: BasketAnalytics, bars: BasketBars) -> Offer:
    return Offer("Series (CSV)", "basket-csv", partial(_csv, result, bars))


def _csv(result: BasketAnalytics, bars: BasketBars, _: str) -> MadeFile:
    return MadeFile(csv_name(result, bars), "text/csv", csv_bytes(result.to_frame()))


def csv_name(result: BasketAnalytics, bars: BasketBars) -> str:
    """Name the file by the basket, its interval and time span."""
    params, index = result.params, result.zscore.index
    made = ["synthetic"] if bars.is_synthetic else []
    others = "-".join(params.symbols[1:])
    return (
        file_stem(params.symbols[0], others, index[0], index[-1], params.interval, *made) + ".csv"
    )
