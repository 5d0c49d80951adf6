"""The pair as one HTML file that needs nothing else: figures, charts, tables, how it was made."""

from typing import Final

import pandas as pd

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from pages.charts import beta_figure, correlation_figure
from pages.charts.pair_figure import pair_figure
from pages.ui.chart import plotly_library
from pages.ui.desk import coverage_note
from pages.ui.desk.pair_data import PairBars
from pages.ui.live import chart_view, figures, tabs, test_table, trends
from pages.ui.live.tables import latest_changes, legs_table
from pages.ui.parts import formats, markup
from pages.ui.parts.figure_html import document, figure_block
from pages.ui.parts.markup import Html
from pages.ui.parts.trade import Terms
from pages.ui.state import choices
from pages.ui.state.clock import axis_ms

PAIR_HEIGHT_PX: Final = 780
PATH_TITLE: Final = "Hedge ratio β in time"
FOOT: Final = (
    "All times in UTC. A signal is a statement about the z-score, not advice. No costs are counted."
)


def page(
    result: PairAnalytics, bars: PairBars, source: str, link: str, terms: Terms | None = None
) -> bytes:
    """Write the report. All times in it are UTC; nothing is loaded from anywhere.

    With `terms` it says what a BUY or SELL comes to.
    """
    pieces = [
        _head(result, bars, source),
        markup.block(
            figures.signal(result, terms, is_linked=False),
            markup.figures(_unlinked(figures.main_figures(result, trends.path(result, bars)))),
            css="pd-top",
        ),
        *_charts(result, bars, source),
        markup.block(latest_changes(result), legs_table(result), css="pd-beside"),
        markup.block(test_table.tests_table(result),
                     markup.notes([*test_table.words(result), *result.notes])),
        _made(result, link),
        markup.block(markup.text(FOOT), css="pd-foot"),
    ]  # fmt: skip
    title = f"{result.params.y} / {result.params.x}, pair report"
    return document(title, pieces, plotly_library.script())


def _unlinked(items: list[markup.Figure]) -> list[markup.Figure]:
    """Leave out the links to the Methods page, which is not in the file."""
    return [
        markup.Figure(item.label, item.value, item.notes, item.tone, item.tip, item.spark)
        for item in items
    ]


def _head(result: PairAnalytics, bars: PairBars, source: str) -> Html:
    index, params = result.zscore.index, result.params
    facts = [
        source,
        f"{formats.interval_label(params.interval)} bars",
        formats.span(index[0], index[-1]),
        *coverage_note.coverage_words(result, bars),
    ]
    return markup.block(
        markup.heading(f"{params.y} / {params.x}, pair report"),
        *(markup.text(words, "muted") for words in facts),
        css="pd-head",
    )


def _charts(result: PairAnalytics, bars: PairBars, source: str) -> list[Html]:
    params, index = result.params, pd.DatetimeIndex(result.zscore.index)
    series = chart_view.pair_series(result)
    labels = chart_view.labels(result, "rebased", source)
    on = "log returns" if params.correlation_on == "returns" else "prices"
    drawn = [figure_block("Prices, spread, z-score, volume", pair_figure(series, labels),
                          height_px=PAIR_HEIGHT_PX)]  # fmt: skip
    band = tabs.beta_path(result, bars)
    if not isinstance(band, NotEnough | Degenerate):
        path, low, high, words = band
        figure = beta_figure.beta_figure(
            axis_ms(pd.DatetimeIndex(path.index)), path.to_numpy(), low.to_numpy(),
            high.to_numpy(), level="95 % band", fixed=None, symbol_y=params.y, symbol_x=params.x,
            view_id="report",
        )  # fmt: skip
        drawn.append(
            figure_block(PATH_TITLE, figure, caption=words, height_px=beta_figure.HEIGHT_PX)
        )
    path_of_correlation = correlation_figure.correlation_path_figure(
        axis_ms(index), result.correlation.to_numpy(), on=on, window=params.window,
        view_id="report",
    )  # fmt: skip
    words = f"Pearson correlation in trailing windows of {params.window:,} bars."
    drawn.append(figure_block(f"Correlation of {on}", path_of_correlation, caption=words,
                              height_px=correlation_figure.HEIGHT_PX))  # fmt: skip
    return drawn


def _made(result: PairAnalytics, link: str) -> Html:
    """List every choice, so that the numbers can be made again."""
    params = result.params
    rows = [
        ("Interval, bars analysed", f"{params.interval}, {len(result.zscore):,}"),
        ("Rolling window", formats.count(params.window, "bar")),
        ("Spread", params.spread),
        ("Hedge ratio", params.hedge),
        ("Signal rule", f"SELL above {params.sell_above:g}, BUY below {params.buy_below:g}"),
        ("Level of tests", formats.percent(params.level)),
        ("Gates", ", ".join(_gates_on(result)) or "none"),
        ("Made at", formats.moment(pd.Timestamp.now(tz="UTC"))),
    ]
    cells = [(name, markup.Cell(formats.with_minus(value), words=True)) for name, value in rows]
    cells.append(
        ("The same view", markup.Cell(markup.whole(link or formats.NOT_KNOWN), words=True))
    )
    return markup.block(
        markup.table("How this was made", ("Choice", markup.Cell("Value", words=True)), cells)
    )


def _gates_on(result: PairAnalytics) -> list[str]:
    gates = result.params.gates
    return [name.replace("_", " ") for name in choices.GATE_FIELDS if getattr(gates, name)]
