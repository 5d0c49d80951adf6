"""What can be taken home of a backtest: ledger and paths as CSV, a report as one HTML file."""

from collections.abc import Callable
from functools import partial
from typing import Final

import pandas as pd

from analytics.backtest import BacktestResult
from analytics.frames import bar_times_us, utc_index
from pages.charts import backtest_figure, backtest_heatmap
from pages.ui.backtest import charts, words
from pages.ui.backtest.data import Runs
from pages.ui.backtest.explained import EXPLAINED
from pages.ui.chart import plotly_library
from pages.ui.parts import files, formats, markup
from pages.ui.parts.csv_file import csv_bytes, file_stem
from pages.ui.parts.figure_html import document, figure_block
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Html
from pages.ui.state.served_files import MadeFile, MakeFile

LEDGER_ROWS: Final = 200


def trades_csv(result: BacktestResult) -> bytes:
    """Write the ledger, oldest first, times as ISO 8601 UTC, numbers with every digit."""
    trades = result.trades.copy(deep=False)
    for name in ("decided_time", "entry_time", "exit_time"):
        trades[name] = [
            f"{pd.Timestamp(each):%Y-%m-%dT%H:%M:%SZ}"
            for each in utc_index(bar_times_us(pd.DatetimeIndex(trades[name])))
        ]
    return csv_bytes(trades)


def bars_csv(result: BacktestResult) -> bytes:
    """Write z, position, cash and equity, a row a bar."""
    return csv_bytes(result.to_frame())


def report(runs: Runs, source: str, notes: list[str]) -> bytes:
    """Write the run as one HTML file that loads nothing from anywhere; all times in UTC."""
    result = runs.whole
    index, params = result.y.index, result.params
    head = markup.block(
        markup.heading(f"Backtest: {params.y} / {params.x}"),
        *(markup.text(each, "muted") for each in (
            source, f"{formats.interval_label(params.interval)} bars",
            f"{index[0]:%Y-%m-%d %H:%M:%S} to {index[-1]:%Y-%m-%d %H:%M:%S} UTC",
        )),
        css="pd-head",
    )  # fmt: skip
    verdict = markup.paragraphs(words.headline(runs))
    pieces = [
        head,
        markup.block(verdict, kind="section", css="pd-verdict"),
        markup.block(markup.figures(words.main_figures(runs))),
        figure_block("Equity, drawdown, z", charts.figure_of(runs, view="report"),
                     height_px=backtest_figure.HEIGHT_PX),
        markup.block(words.parts_table(runs)),
        figure_block("Net by setting, in training",
                     charts.heatmap_of(runs.swept, result, "net"),
                     height_px=backtest_heatmap.HEIGHT_PX),
        markup.block(markup.notes([
            words.sweep_caption(runs.swept, "net"),
            *words.sweep_words(runs.swept, runs.whole),
            words.best_words(runs.best, runs.swept),
        ])),
        markup.block(ledger_table(result)),
        markup.block(markup.notes([*notes, *result.notes])),
        markup.block(settings_table(result)),
        markup.block(markup.definitions(EXPLAINED.items())),
    ]  # fmt: skip
    return document(f"Pairdesk backtest {params.label}", pieces, plotly_library.script())


def ledger_table(result: BacktestResult) -> Html:
    """Set the latest trades for the report."""
    latest = result.trades.iloc[::-1].head(LEDGER_ROWS)
    currency = formats.quote_currency(result.params.y)
    rows = [
        (
            f"{trade['entry_time']:%Y-%m-%d %H:%M:%S}", f"{trade['exit_time']:%Y-%m-%d %H:%M:%S}",
            trade["side"], formats.zscore(trade["entry_z"]), formats.zscore(trade["exit_z"]),
            formats.estimate(trade["beta"]), f"{trade['bars']:,}",
            formats.number(trade["gross"], 2), formats.number(trade["net"], 2), trade["reason"],
        )
        for trade in latest.to_dict("records")
    ]  # fmt: skip
    head = (
        "Entry (UTC)",
        "Exit (UTC)",
        "Side",
        "z in",
        "z out",
        "β",
        "Bars",
        f"Gross ({currency})",
        f"Net ({currency})",
        "Left by",
    )
    return markup.table(f"Trades ({len(rows):,} of {len(result.trades):,})", head, rows)


def settings_table(result: BacktestResult) -> Html:
    """Set everything that would be needed to run it again."""
    params, rules = result.params, result.rules
    rows = [
        (name.replace("_", " "), formats.with_minus(str(value)))
        for source, names in (
            # A rule that fits its entries fits its own line, whatever the hedge.
            (params, ("interval", "lookback", "window", "spread",
                      *(() if rules.is_fitted else ("hedge",)))),
            (rules, ("sell_above", "buy_below", "exit_short", "exit_long", "stop", "time_stop",
                     "reentry", "sizing", "fill", "capital", "leverage", "scale")),
            (rules.costs, ("liquidity", "fee_bps", "spread_bps", "impact", "impact_factor",
                           "funding_y_bps", "funding_x_bps")),
        )
        for name, value in ((each, getattr(source, each)) for each in names)
    ]  # fmt: skip
    return markup.table("Settings", ("", "Value"), rows)


def offer(runs: Runs, source: str, notes: list[str], *, is_synthetic: bool) -> None:
    """Offer all three."""
    result = runs.whole
    extra = ("synthetic",) if is_synthetic else ()
    params, index = result.params, result.y.index
    stem = file_stem(params.y, params.x, index[0], index[-1], params.interval, "backtest", *extra)

    def making(ending: str, mime: str, write: Callable[[], bytes]) -> MakeFile:
        """Make a file under the stem that all of them share."""
        return lambda _: MadeFile(f"{stem}{ending}", mime, write())

    files.show(
        (
            Offer("Trades (CSV)", "backtest-trades",
                  making("_trades.csv", "text/csv", partial(trades_csv, result))),
            Offer("Bars (CSV)", "backtest-bars",
                  making("_bars.csv", "text/csv", partial(bars_csv, result))),
            Offer("Report (HTML)", "backtest-report",
                  making(".html", "text/html", partial(report, runs, source, notes))),
        ),
        key="backtest_files",
    )  # fmt: skip
