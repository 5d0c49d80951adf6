"""The pair as one HTML file that needs nothing else: figures, charts, tables, how it was made."""

from html import escape
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from pages.charts.beta_figure import beta_figure
from pages.charts.correlation_figure import correlation_path_figure
from pages.charts.pair_figure import pair_figure
from pages.ui import (
    chart_view,
    choices,
    coverage_note,
    evidence,
    figures,
    formats,
    markup,
    plotly_library,
    tabs,
    trends,
)
from pages.ui.clock import axis_ms
from pages.ui.figure_html import figure_block
from pages.ui.leg_table import legs_table
from pages.ui.pair_data import PairBars
from pages.ui.signal_table import latest_changes

STYLE: Final = Path(__file__).parent / "style.css"
PAGE_STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1120px; padding: 1.5rem; background: #fff;
  font: 14px/1.5 "Source Sans", "Segoe UI", system-ui, sans-serif; }
h2 { font-size: 1.05rem; margin: 1.4rem 0 0.3rem; }
.pd-about { color: inherit; text-decoration: none; }
"""


def page(result: PairAnalytics, bars: PairBars, source: str, link: str) -> bytes:
    """Write the report. All times in it are UTC; nothing is loaded from anywhere."""
    body = "\n".join([
        _head(result, bars, source),
        markup.block(
            figures.signal(result, is_linked=False),
            markup.figures(_unlinked(figures.main_figures(result, trends.path(result, bars)))),
            css="pd-top",
        ),
        *_charts(result, bars, source),
        markup.block(latest_changes(result)),
        markup.block(legs_table(result)),
        markup.block(evidence.tests_table(result),
                     markup.notes([*evidence.words(result), *result.notes])),
        _made(result, link),
    ])  # fmt: skip
    title = escape(f"Pairdesk {result.params.label}")
    style = STYLE.read_text(encoding="utf-8")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}{PAGE_STYLE}</style><script>{plotly_library.script()}</script></head>"
        f"<body><main>{body}</main></body></html>"
    ).encode()


def _unlinked(items: list[markup.Figure]) -> list[markup.Figure]:
    """Leave out the links to the Methods page, which is not in the file."""
    return [
        markup.Figure(item.label, item.value, item.notes, item.tone, item.tip, item.spark)
        for item in items
    ]


def _head(result: PairAnalytics, bars: PairBars, source: str) -> str:
    index, params = result.zscore.index, result.params
    told = [
        source,
        f"{formats.interval_label(params.interval)} bars",
        formats.span(index[0], index[-1]),
        *coverage_note.coverage_words(result, bars),
    ]
    return markup.block(
        markup.heading(f"{params.y} / {params.x}"),
        *(markup.text(words, "muted") for words in told),
        css="pd-head",
    )


def _charts(result: PairAnalytics, bars: PairBars, source: str) -> list[str]:
    params, index = result.params, pd.DatetimeIndex(result.zscore.index)
    series = chart_view.pair_series(result)
    labels = chart_view.labels(result, "rebased", source)
    on = "log returns" if params.correlation_on == "returns" else "prices"
    drawn = [("Prices, spread, z-score, volume", pair_figure(series, labels))]
    found = tabs.beta_path(result, bars)
    if not isinstance(found, NotEnough | Degenerate):
        path, low, high, words = found
        figure = beta_figure(
            axis_ms(pd.DatetimeIndex(path.index)), path.to_numpy(), low.to_numpy(),
            high.to_numpy(), level="95 % band", fixed=None, symbol_y=params.y, symbol_x=params.x,
            view_id="report",
        )  # fmt: skip
        drawn.append((words, figure))
    path_of_correlation = correlation_path_figure(
        axis_ms(index), result.correlation.to_numpy(), on=on, window=params.window,
        view_id="report",
    )  # fmt: skip
    drawn.append((f"Correlation of {on}", path_of_correlation))
    return [figure_block(title, figure) for title, figure in drawn]


def _made(result: PairAnalytics, link: str) -> str:
    """List every choice, so that the numbers can be made again."""
    params = result.params
    rows = [
        ("Interval, bars analysed", f"{params.interval}, {len(result.zscore):,}"),
        ("Rolling window", formats.count(params.window, "bar")),
        ("Spread", params.spread),
        ("Hedge ratio", params.hedge),
        ("Thresholds", f"SELL above {params.sell_above:g}, BUY below {params.buy_below:g}"),
        ("Level of tests", formats.percent(params.level)),
        ("Gates", ", ".join(_gates_on(result)) or "none"),
        ("Made at", formats.moment(pd.Timestamp.now(tz="UTC"))),
        ("The same view", link or formats.NOT_KNOWN),
    ]
    cells = [(name, markup.Cell(formats.with_minus(value), words=True)) for name, value in rows]
    return markup.block(markup.table("How this was made", ("Choice", "Value"), cells))


def _gates_on(result: PairAnalytics) -> list[str]:
    gates = result.params.gates
    return [name.replace("_", " ") for name in choices.GATE_FIELDS if getattr(gates, name)]
