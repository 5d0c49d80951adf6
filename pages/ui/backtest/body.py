"""The backtest page's body: parameters left, what they came to right, one section at a time."""

from collections.abc import Callable
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from analytics.backtest import BacktestResult
from analytics.errors import ParameterError
from pages.charts import backtest_figure, backtest_heatmap
from pages.ui.backtest import charts, data, files
from pages.ui.backtest import words as backtest_words
from pages.ui.backtest.controls import Plan, choose_plan, refused
from pages.ui.backtest.data import Runs
from pages.ui.backtest.explained import EXPLAINED
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import lack_notice
from pages.ui.desk.material import Material, take_anew
from pages.ui.parts import formats, markup, notices, plain
from pages.ui.parts.markup import Html
from pages.ui.state.clock import zone_label

Section = Callable[[Material, Plan, Runs], None]
SWEEP_VALUES: Final = ("net", "before costs", "Sharpe")
# What a browser scrolls through without pain; the CSV has them all.
LEDGER_ROWS: Final = 2_000


def show(material: Material) -> None:
    """Show what the rule would have earned.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the controls ask for.
    """
    markup.show(_head(material))
    left, right = st.columns([1, 3.4], gap="medium")
    plan: Plan | None = None
    with left:
        try:
            plan = choose_plan(material.params)
        except ParameterError as error:
            notices.show(refused(error))
    with right, notices.shown_in_place():
        if plan is not None:
            _show_results(material, plan)


def _head(material: Material) -> Html:
    params = material.params
    pieces = [
        markup.heading(Html("Backtest: {}").format(markup.pair(params.y, params.x))),
        markup.text(f"{formats.interval_label(params.interval)} bars", "muted"),
        markup.text(material.name, "muted"),
    ]
    if material.is_synthetic:
        pieces.append(markup.badge("SYNTHETIC", "wait"))
    return markup.block(*pieces, css="pd-head")


def _show_results(material: Material, plan: Plan) -> None:
    with st.spinner("Walking through the bars"):
        runs = data.runs(material, plan)
    lines = markup.paragraphs(backtest_words.headline(runs))
    markup.show(markup.block(lines, kind="section", css="pd-verdict"))
    _show_provenance(material, runs.whole, is_cut=data.is_cut(material, plan))
    # What a fit lacks its own note says.
    if runs.whole.zscore.isna().all() and not plan.rules.is_fitted:
        lack_notice.show(
            lack_notice.without_zscore(plan.params, material.bars),
            plan.params,
            material.bars,
            key="bt_lack",
        )
    markup.show(markup.block(markup.figures(backtest_words.main_figures(runs))))
    _show_chart(runs)
    chosen = st.segmented_control(
        "Section", list(SECTIONS), default="Trades", key="bt_section", required=True,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS.get(str(chosen), _show_trades)(material, plan, runs)
    notes = [plan.hedge_note] if plan.hedge_note else []
    markup.show(markup.block(markup.notes([*notes, *runs.whole.notes])))
    with st.container(horizontal=True, vertical_alignment="center"):
        files.offer(runs, material.name, notes, is_synthetic=material.is_synthetic)
        with st.popover("What the figures mean"):
            markup.show(markup.block(markup.definitions(EXPLAINED.items())))


def _show_provenance(material: Material, result: BacktestResult, *, is_cut: bool) -> None:
    index = result.y.index
    words = [f"{formats.count(len(index), 'bar')}, {formats.span(index[0], index[-1])}."]
    if is_cut:
        words.append("Only the last day: filling at the volume-weighted price reads every trade.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if material.may_change:
            words.append("This page waits for you.")
        markup.show(markup.block(markup.text(" ".join(words), "muted"), css="pd-covered"))
        if material.may_change and st.button("Recompute", key="bt_recompute"):
            take_anew()
            st.rerun()


def _show_chart(runs: Runs) -> None:
    row = _selected(runs.whole)
    figure = charts.figure_of(runs, row)
    label = f"Equity, drawdown and z-score of the rule on {runs.whole.params.label}"
    live_chart(figure, key="bt_chart", label=label, height_px=backtest_figure.HEIGHT_PX)
    if row is not None:
        trade = runs.whole.trades.iloc[row]
        when = formats.span(trade["entry_time"], trade["exit_time"])
        plain.caption(f"Around the {trade['side']} of {when}. Deselect its row to see all again.")


def ledger_key(result: BacktestResult) -> str:
    """Name the ledger by what made it: a selection belongs to one run."""
    made_of = (result.params, result.rules, len(result.y), len(result.trades))
    return f"bt_ledger_{abs(hash(made_of))}"


def _selected(result: BacktestResult) -> int | None:
    """Row of the ledger that the reader selected, counted from the oldest trade."""
    state = st.session_state.get(ledger_key(result))
    rows = state["selection"]["rows"] if state else []
    # Shown newest first.
    place = len(result.trades) - 1 - rows[0] if rows else -1
    return place if place >= 0 else None


def _show_trades(material: Material, plan: Plan, runs: Runs) -> None:  # noqa: ARG001
    trades = runs.whole.trades
    markup.show(markup.block(backtest_words.parts_table(runs)))
    if trades.empty:
        plain.info(backtest_words.no_trade(runs.whole))
        return
    shown = min(len(trades), LEDGER_ROWS)
    currency = formats.quote_currency(runs.whole.params.y)
    plain.caption(
        f"Trades, newest first ({shown:,} of {len(trades):,}), times in {zone_label()}, money in "
        f"{currency}. Select a row to see its place in the chart."
    )
    st.dataframe(
        ledger_frame(runs.whole), hide_index=True, on_select="rerun",
        selection_mode="single-row", key=ledger_key(runs.whole), height=380,
        column_config=_columns(runs.whole),
    )  # fmt: skip


def ledger_frame(result: BacktestResult) -> pd.DataFrame:
    """Lay the ledger out for the eye: newest first, costs of a trade in one column."""
    trades = result.trades.iloc[::-1].head(LEDGER_ROWS)
    y, x = result.params.y, result.params.x
    return pd.DataFrame(
        {
            "Side": trades["side"],
            "Entry": trades["entry_time"],
            "Exit": trades["exit_time"],
            "Bars": trades["bars"],
            "Net": trades["net"],
            "Left by": trades["reason"],
            "z in": trades["entry_z"],
            "z out": trades["exit_z"],
            **({"Entry from": trades["entry_level"]} if result.rules.is_fitted else {}),
            f"{y} in": trades["entry_y"],
            f"{y} out": trades["exit_y"],
            f"{x} in": trades["entry_x"],
            f"{x} out": trades["exit_x"],
            "β": trades["beta"],
            "Gross": trades["gross"],
            "Fees": trades["fees"],
            "Slippage": trades["half_spread"] + trades["slippage"],
            "Funding": trades["funding"],
        }
    )


def _columns(result: BacktestResult) -> dict[str, ColumnConfig | str | None]:
    time = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone=zone_label())
    two = st.column_config.NumberColumn(format="%.2f")
    signed = st.column_config.NumberColumn(format="%+.2f")
    columns: dict[str, ColumnConfig | str | None] = {
        "Entry": time,
        "Exit": time,
        "z in": signed,
        "z out": signed,
    }
    columns |= dict.fromkeys(("Gross", "Net"), signed)
    columns |= dict.fromkeys(("Fees", "Slippage", "Funding", "Entry from"), two)
    columns["β"] = st.column_config.NumberColumn(format="%.4f")
    for name, closes in ((result.params.y, result.y), (result.params.x, result.x)):
        decimals = formats.price_decimals(closes.to_numpy())
        price = st.column_config.NumberColumn(format=f"%.{decimals}f")
        columns |= {f"{name} in": price, f"{name} out": price}
    return columns


def _show_sweep(material: Material, plan: Plan, runs: Runs) -> None:  # noqa: ARG001
    what = str(
        st.segmented_control(
            "Value", SWEEP_VALUES, default=SWEEP_VALUES[0], key="bt_value", required=True,
            bind="query-params", label_visibility="collapsed",
        )
    )  # fmt: skip
    plain.caption(backtest_words.sweep_caption(runs.swept, what))
    figure = charts.heatmap_of(runs.swept, runs.whole, what)
    label = "What each setting came to in training: window against entry"
    live_chart(figure, key="bt_heatmap", label=label, height_px=backtest_heatmap.HEIGHT_PX)
    sentences = backtest_words.sweep_words(runs.swept, runs.whole)
    best = backtest_words.best_words(runs.best, runs.swept)
    markup.show(markup.block(markup.notes([*sentences, best])))


def _show_walk(material: Material, plan: Plan, runs: Runs) -> None:  # noqa: ARG001
    walk = data.walk(material, plan)
    if walk is None:
        return
    markup.show(markup.block(backtest_words.walk_table(walk)))
    markup.show(markup.block(markup.notes(backtest_words.walk_words(walk))))


def _show_null(material: Material, plan: Plan, runs: Runs) -> None:
    null_runs = data.null_runs(material, plan)
    if null_runs is None:
        return
    figure = charts.null_of(null_runs, runs.whole)
    label = "Profits of the rule on legs whose relation was broken"
    live_chart(figure, key="bt_null", label=label, height_px=backtest_heatmap.NULL_PX)
    capital = runs.whole.rules.capital
    markup.show(markup.block(markup.notes(backtest_words.null_words(null_runs, capital))))


SECTIONS: Final[dict[str, Section]] = {
    "Trades": _show_trades,
    "Settings tried": _show_sweep,
    "Walk-forward": _show_walk,
    "Unrelated legs": _show_null,
}
