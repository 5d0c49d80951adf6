"""The Factors page's body: headline, counts, symbols, one symbol's residual, factors, download."""

from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from analytics.factors import OPEN_AT, FactorScores
from analytics.frames import bar_times_us
from pages.charts import factor_figures
from pages.charts.factor_figures import ResidualSeries
from pages.ui.chart.live_chart import live_chart
from pages.ui.factors import run, table, words
from pages.ui.factors.run import FactorResult
from pages.ui.parts import files, markup, plain
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.parts.files import Offer
from pages.ui.parts.markup import Html
from pages.ui.state.served_files import MadeFile

VIEWS: Final = ("Symbols", "Factors")


def show(result: FactorResult) -> None:
    """Show factors and residuals."""
    scores = result.scores
    markup.show(markup.block(
        markup.text(words.headline(scores), kind="p"), kind="section", css="pd-verdict"
    ))  # fmt: skip
    markup.show(markup.block(_covered(result), css="pd-covered"))
    markup.show(markup.block(markup.figures(words.figures(scores))))
    chosen = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="factors_view", required=True, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if chosen == VIEWS[1]:
        _show_factors(scores)
    else:
        _show_symbols(result)
    notes = words.left_out_notes(scores)
    if notes:
        markup.show(markup.block(markup.notes(notes)))
    _show_foot(result)


def head(name: str, *, is_synthetic: bool) -> None:
    """Name the page and what it looks at."""
    pieces = [markup.heading("Factors"), markup.text(name, "muted")]
    if is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    markup.show(markup.block(*pieces, css="pd-head"))


def _covered(result: FactorResult) -> Html:
    """Say which bars the figures stand on, and how old the last is where newer ones come."""
    said = words.provenance(
        result.scores, result.span, result.settings.interval, result.bars_behind
    )
    if not result.material.is_live:
        return markup.text(said, "muted")
    ago = Html("{} The last bar ended {} ago.").format(said, markup.age(result.age_s()))
    return Html('<span class="pd-muted">{}</span>').format(ago)


def _show_symbols(result: FactorResult) -> None:
    scores = result.scores
    markup.show(markup.block(table.symbols_table(scores)))
    if len(scores.table) > table.MOST_ROWS:
        plain.caption(f"The first {table.MOST_ROWS} shown; the CSV has all.")
    symbol = _choose_symbol(scores)
    lines = [words.symbol_words(scores, symbol), words.trade_words(scores, symbol)]
    markup.show(markup.block(markup.paragraphs(lines)))
    series = _series(result, symbol)
    if series is None:
        return
    view_id = f"{symbol}|{result.settings.interval}|{scores.window}"
    live_chart(
        factor_figures.residual_figure(series, symbol, threshold=OPEN_AT, view_id=view_id),
        key="factors_residual", label=f"Residual and s-score of {symbol}",
        height_px=factor_figures.RESIDUAL_PX,
    )  # fmt: skip
    plain.caption(
        "Above, the residual of the window, which ends at 0, with the level and the thresholds "
        "that were fitted to it. Below, s at earlier bars, each from the bars up to then; the "
        "symbols and the number of factors are those of the last bar."
    )


def _choose_symbol(scores: FactorScores) -> str:
    """Choose a residual; the one farthest from its level at first, and then what was chosen."""
    key = "factors_symbol"
    names = sorted(scores.names)
    if st.session_state.get(key) not in names:
        st.session_state[key] = str(scores.table["symbol"].iloc[0])
    return str(st.selectbox("Residual of", names, key=key, width=220))


def _series(result: FactorResult, symbol: str) -> ResidualSeries | None:
    scores = result.scores
    row = words.row_of(scores, symbol)
    if row["reason"]:
        return None
    path, walk = run.paths(result)[symbol], scores.walks[symbol]
    return ResidualSeries(
        bar_times_us(walk.index) / 1_000, 100.0 * walk.to_numpy(),
        100.0 * float(row["mean"]), 100.0 * float(row["std_eq"]),
        bar_times_us(path.index) / 1_000, path.to_numpy(),
    )  # fmt: skip


def _show_factors(scores: FactorScores) -> None:
    figure = factor_figures.eigenvalue_figure(
        scores.eigenvalues, scores.edge, scores.flipped, scores.factors
    )
    live_chart(
        figure, key="factors_eigenvalues", label="Eigenvalues of the returns' correlation",
        height_px=factor_figures.EIGENVALUES_PX,
    )  # fmt: skip
    plain.caption(
        "Blue: taken out. An eigenvalue says how many symbols' worth of variance a factor has. "
        "Above its mark it is more than the same returns give with random signs."
    )
    markup.show(markup.block(table.weights_table(scores)))


def _show_foot(result: FactorResult) -> None:
    """Explain and download."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("What the columns mean", key="factors_explain"):
            markup.show(markup.block(markup.explanations(words.EXPLAINED)))
        files.show([
            Offer("Symbols (CSV)", "factors-csv", partial(_symbols_csv, result)),
            Offer("Weights (CSV)", "factors-weights-csv", partial(_weights_csv, result)),
        ], key="factors_csv")  # fmt: skip


def _symbols_csv(result: FactorResult, _: str) -> MadeFile:
    return MadeFile(file_name(result, "factors"), "text/csv", csv_bytes(result.scores.table))


def _weights_csv(result: FactorResult, _: str) -> MadeFile:
    return MadeFile(file_name(result, "weights"), "text/csv", csv_bytes(weights(result.scores)))


def weights(scores: FactorScores) -> pd.DataFrame:
    """Return the factors' weights, a row a symbol."""
    names = [f"factor_{n}" for n in range(1, scores.factors + 1)]
    frame = pd.DataFrame(scores.weights, columns=names)
    frame.insert(0, "symbol", list(scores.names))
    return frame


def file_name(result: FactorResult, what: str) -> str:
    """Name a file by what it holds."""
    made = "_synthetic" if result.material.is_synthetic else ""
    count = len(result.scores.names)
    return f"{what}_{result.settings.interval}_{count}symbols{made}.csv"
