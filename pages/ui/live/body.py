"""The body that both modes share: signal, figures, chart, tabs, latest signals, exports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.errors import AnalyticsError
from analytics.pair import PairAnalytics, PairParams
from ingest.errors import IngestError
from ingest.files import ReadReport
from ingest.store import LotsBySymbol
from pages.charts.pair_series import PriceView
from pages.ui.desk import coverage_note, lack_notice, pair_data, recording
from pages.ui.desk.controls import choose_range, marked_bar, range_of
from pages.ui.desk.header import Desk
from pages.ui.desk.slim_head import follow_scrolling, slim_head
from pages.ui.live import exports, figures, tabs, trends, watch
from pages.ui.live.pair_chart import show_pair_chart
from pages.ui.live.tables import latest_changes
from pages.ui.parts import files, markup, notices, plain
from pages.ui.parts.explain import explain
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Html
from pages.ui.parts.trade import Terms
from pages.ui.state.choices import PRICE_VIEWS, recall
from pages.ui.state.once import Once, once_for_each
from pages.ui.state.source import current_recorder

VIEWS: Final[tuple[PriceView, ...]] = PRICE_VIEWS  # named as the URL has them
MAX_POINTS: Final = 2_000


@dataclass(frozen=True)
class Source:
    """Where the data is from, as the reader must see it."""

    name: str
    is_synthetic: bool = False
    is_paused: bool = False

    @classmethod
    def of(cls, desk: Desk) -> "Source":
        """Take it from what the reader chose."""
        is_paused = desk.refresh.is_paused and not desk.is_file
        return cls(desk.source, desk.is_synthetic, is_paused)


@dataclass(frozen=True)
class Pair:
    """A pair, where it is from, and how its bars are read, anew at each call.

    `capital` and `lots` say how large a BUY or SELL of it is; `is_watchable` that its bars are
    those that are recorded now.
    """

    params: PairParams
    source: Source
    read: Callable[[], pair_data.PairBars]
    capital: float = Terms().capital
    lots: Callable[[], LotsBySymbol] = dict
    is_watchable: bool = False

    @property
    def stands_still(self) -> bool:
        """Whether its range ended, so that no bar is added to it."""
        return self.params.until is not None

    def terms(self) -> Terms:
        """What a size stands on now."""
        return Terms(self.capital, self.lots())


@dataclass(frozen=True)
class Parts:
    """What stands below the figures, chosen by the reader, and where its content is put."""

    view: PriceView
    tab: tabs.OpenTab
    changes: DeltaGenerator


@dataclass(frozen=True)
class Places:
    """Where a pair is shown; no parts while there is nothing to put into them.

    What moves is put there at each refresh: so that a refresh sends as few elements as can be,
    whatever the reader operates stands still around it.
    """

    top: DeltaGenerator
    chart: DeltaGenerator
    parts: Parts | None


@dataclass(frozen=True)
class _Shown:
    result: PairAnalytics
    bars: pair_data.PairBars


def lay_out(pair: Pair | None, *, may_read_all: bool = False) -> Places:
    """Draw what stands still; `show_pair` fills it. A file may be looked at whole."""
    shown = None if pair is None else _result_now(pair)
    with st.container(key="answers", gap="xsmall"):
        top = st.container(gap="xsmall")
        follow_scrolling()
        if pair is None:
            return Places(top, st.container(), None)
        # One frame, so that what chooses and explains can stand beside the chart's own buttons.
        chart = st.container(key="chart", gap="xsmall")
        with chart, st.container(horizontal=True, key="chart_choices"):
            choose_range(pair.params.interval, may_read_all=may_read_all)
            if shown is None:  # another range may have what this one lacks
                return Places(top, chart, None)
            view = _choose_price_view()
            _explain(pair)
            if pair.is_watchable:
                watch.offer(pair.params)
    plain.caption(_chart_caption(pair.source))
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        tab = tabs.choose()
    with st.container(key="exports"):
        files.show(_offers(pair, shown), key="pair_files")
    return Places(top, chart, Parts(view, tab, right))


def _result_now(pair: Pair) -> _Shown | None:
    try:
        return _find(pair, pair.read())
    except (IngestError, AnalyticsError):
        return None  # said where the result would have been


@st.fragment
def _explain(pair: Pair) -> None:
    """Offer what each figure means, as they are when it is opened."""
    with notices.shown_in_place():
        shown = _find(pair, pair.read())
        items = () if shown is None else _main_figures(shown.result, shown.bars)
        explain(items, key="explain_pair", reruns_on_open=True)


def show_pair(pair: Pair, places: Places, feed: Sequence[str] = ()) -> bool:
    """Analyse a pair and show all of it; says what is missing where it cannot.

    The chart is drawn where this is called. `feed` says how the recording goes.

    Returns
    -------
    bool
        The places fit; where they do not, they are to be laid out anew.
    """
    shown = None
    analysis = _result_now(pair)
    if analysis is not None and places.parts is not None:
        # Before the words: the browser fetches and draws it while their tests run.
        with notices.shown_in_place():
            show_pair_chart(
                analysis.result, view=places.parts.view, source=pair.source.name,
                mark=_mark_of(pair.params),
            )  # fmt: skip
    with places.top, notices.shown_in_place():
        shown = _show_top(pair, analysis, feed)
    if shown is None or places.parts is None:
        return shown is None and places.parts is None
    with notices.shown_in_place():
        _show_parts(shown, pair, places.parts)
    return True


def _mark_of(params: PairParams) -> int | None:
    """Return the bar to mark: one that an alert's link leads to, in the range around it."""
    return None if params.until is None else marked_bar()


def _show_top(pair: Pair, analysis: _Shown | None, feed: Sequence[str]) -> _Shown | None:
    """Set what stands above the chart; what was not found is looked for again, to say why."""
    bars = pair.read() if analysis is None else analysis.bars
    shown, below = analysis, Html()
    try:
        if analysis is None:
            shown = _find(pair, bars)
        if shown is not None:
            sentences = [_covered(shown.result, bars), *_feed_sentence(feed)]
            covered = markup.block(markup.join(sentences, " "), css="pd-covered pd-muted")
            answers = _answers(shown.result, bars, pair.terms())
            below = answers + covered + slim_head(shown.result)
    finally:
        # The head stands above whatever is said about the bars.
        markup.show(_head(bars, pair) + below)
    params = pair.params
    lack = None if shown is None else lack_notice.latest_lack(shown.result)
    if lack is not None:
        lack_notice.show(lack, params, bars, key="lack")
    if shown is None:
        lack_notice.show(lack_notice.without_zscore(params, bars), params, bars, key="lack")
    return shown


def _find(pair: Pair, bars: pair_data.PairBars) -> _Shown | None:
    """Analyse the bars; None before the first that both legs have."""
    result = pair_data.analyse(bars, pair.params)
    return None if len(result.zscore) == 0 else _Shown(result, bars)


def _show_parts(shown: _Shown, pair: Pair, parts: Parts) -> None:
    result, bars, source = shown.result, shown.bars, pair.source.name
    files.serve(_offers(pair, shown))
    with parts.tab.place, notices.shown_in_place():
        tabs.fill(parts.tab.name, result, bars, source)
    markup.show(_changes(result), parts.changes)


def _offers(pair: Pair, shown: _Shown) -> tuple[Offer, ...]:
    """Offer the pair as it is at the click; while paused as the page shows it."""

    def look() -> exports.Looked:
        if pair.source.is_paused:
            return exports.Looked(shown.result, shown.bars, pair.terms())
        bars = pair.read()
        return exports.Looked(pair_data.analyse(bars, pair.params), bars, pair.terms())

    source = pair.source
    return exports.analytics_offers(look, source.name, is_synthetic=source.is_synthetic)


@once_for_each
def _main_figures(result: PairAnalytics, bars: pair_data.PairBars) -> tuple[markup.Figure, ...]:
    return tuple(figures.main_figures(result, trends.relation(result, bars)))


def _answers(result: PairAnalytics, bars: pair_data.PairBars, terms: Terms) -> Html:
    """Set the signal and its figures, once for a result and the money of a reader."""
    return _answers_by_terms(result).get(
        terms.key(result.params), lambda: _new_answers(result, bars, terms)
    )


@once_for_each
def _answers_by_terms(_result: PairAnalytics) -> Once[Html]:
    return Once(8)


def _new_answers(result: PairAnalytics, bars: pair_data.PairBars, terms: Terms) -> Html:
    items = markup.figures(_main_figures(result, bars))
    return markup.block(figures.signal(result, terms), items, css="pd-top")


@once_for_each
def _covered(result: PairAnalytics, bars: pair_data.PairBars) -> Html:
    sentences = coverage_note.coverage_words(result, bars)
    span = coverage_note.first_bar(result)
    if result.params.until is not None:
        span = f"{coverage_note.last_bar(result)} {span}"
    words = [markup.text(each) for each in (*sentences[:1], span, *sentences[1:])]
    return markup.join([*(markup.about("bars", each) for each in words[:1]), *words[1:]], " ")


@once_for_each
def _changes(result: PairAnalytics) -> Html:
    return markup.block(latest_changes(result))


def _feed_sentence(feed: Sequence[str]) -> list[Html]:
    words = f"{', '.join(feed)}.".replace("..", ".")
    return [markup.text(words)] if feed else []


def _head(bars: pair_data.PairBars, pair: Pair) -> Html:
    params, source = pair.params, pair.source
    now_us = recording.now_us(current_recorder())
    pieces = [
        markup.heading(f"{params.y} / {params.x}", is_seen=False),
        *figures.leg_prices(bars, (params.y, params.x), now_us),
        markup.text(source.name, "muted"),
    ]
    if source.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    if source.is_paused:
        pieces.append(markup.badge("Paused", "wait"))
    if params.until is not None:
        pieces.append(markup.badge(f"{range_of(params).words}, not live", "wait"))
    return markup.block(*pieces, css="pd-head")


def _choose_price_view() -> PriceView:
    """Choose how the two prices share a panel."""
    recall("prices", VIEWS)
    chosen = st.segmented_control(
        "Prices", VIEWS, default=VIEWS[0], key="prices", required=True, bind="query-params",
        help="rebased: both start at 100. raw: one axis in quote currency. two axes: one each. "
        "candles: of S1, with S2 as a line on an axis of its own.",
        label_visibility="collapsed",
    )  # fmt: skip
    return chosen if chosen in VIEWS else VIEWS[0]


def _chart_caption(source: Source) -> str:
    drawn = f"About {MAX_POINTS:,} points are drawn at most: extremes and gaps are kept"
    sentences = [
        "Drag to zoom in time, or move the window in the strip below.",
        "Double-click to see all, click a name to hide it.",
        f"{drawn}, the CSV has every bar.",
        "A triangle stands for the first of entries close together (point at it for how many),",
        "the shading for what is said most of the time.",
    ]
    if source.is_synthetic:
        sentences.insert(0, "Synthetic data, made by a script: no market.")
    return " ".join(sentences)


def show_report(report: ReadReport) -> None:
    """Say what was read of a file, and what was left out and why."""
    with st.expander("What was read of the file", expanded=bool(report.dropped)):
        markup.show(markup.block(markup.notes(report.sentences())))
