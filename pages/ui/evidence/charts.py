"""The evidence in figures: results in, what the charts draw out."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from analytics.evidence.asynchrony import Asynchrony, LeadLag
from analytics.evidence.stability import BreakTest, Stability
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from pages.charts.asynchrony_figure import correlation_figure, lead_lag_figure
from pages.charts.stability_figure import StabilitySeries, stability_figure
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import lack_notice
from pages.ui.desk.pair_data import PairBars
from pages.ui.evidence import figures, tables
from pages.ui.evidence.words import level_key
from pages.ui.parts import formats, markup, plain
from pages.ui.state.clock import time_ms

STABILITY_PX = 720
SMALL_PX = 340


def stability_series(stability: Stability, level: float) -> StabilitySeries:
    """Take the arrays of a stability analysis; a half-life only where its window shows a return."""
    table, break_test = stability.table, stability.break_test
    path = break_test.path if isinstance(break_test, BreakTest) else None
    return StabilitySeries(
        time_ms=time_ms(pd.DatetimeIndex(table.index)),
        beta=table["beta"].to_numpy(),
        low=table["beta_low"].to_numpy(),
        high=table["beta_high"].to_numpy(),
        pvalue=table["pvalue"].to_numpy(),
        half_life=stability.half_lives(level).to_numpy(),
        cusum_time_ms=np.empty(0) if path is None else time_ms(pd.DatetimeIndex(path.index)),
        cusum=np.empty(0) if path is None else path.to_numpy(),
    )


def show_stability(stability: Stability, result: PairAnalytics) -> None:
    """Show how much of the time the pair held together, whether it broke, and the paths."""
    markup.show(
        markup.block(markup.figures(figures.stability_figures(stability, result.params.level)))
    )
    break_test, level = stability.break_test, result.params.level
    critical = (
        break_test.critical_values[level_key(level)]
        if isinstance(break_test, BreakTest)
        else math.nan
    )
    figure = stability_figure(
        stability_series(stability, level),
        level=level,
        cusum_critical=critical,
        window=stability.window,
        view_id=f"{result.params.label}|{result.params.interval}",
    )
    label = f"Hedge ratio, p-value, half-life and CUSUM of {result.params.label} in time"
    live_chart(figure, key="stability_chart", label=label, height_px=STABILITY_PX)
    plain.caption(
        f"{formats.count(stability.windows, 'window')} of "
        f"{formats.count(stability.window, 'bar')}, "
        f"{result.params.y} on {result.params.x}. A half-life is drawn where the window's p-value "
        "is below the level: elsewhere a random walk would show one too."
    )


def show_together(
    asynchrony: Asynchrony,
    lead: LeadLag | NotEnough | Degenerate,
    result: PairAnalytics,
    bars: PairBars,
) -> None:
    """Show how far the legs trade together, the correlation by interval, and who moves first."""
    markup.show(markup.block(markup.figures(figures.together_figures(asynchrony, lead))))
    left, right = st.columns(2, gap="medium")
    view_id = f"{result.params.label}|{result.params.interval}"
    table = asynchrony.by_interval
    with left:
        if len(table):
            figure = correlation_figure(
                [str(name) for name in table.index],
                *(table[name].to_numpy() for name in ("correlation", "low", "high")),
                view_id=view_id,
            )
            label = "Correlation of log returns by interval"
            live_chart(figure, key="correlation_chart", label=label, height_px=SMALL_PX)
        else:
            lack = NotEnough("A correlation", 21, result.coverage.known)
            lack_notice.show(lack, result.params, bars, key="lack_correlation")
    with right:
        _show_lead(lead, view_id, result, bars)
    if len(table):
        markup.show(markup.block(tables.intervals_table(asynchrony)))


def _show_lead(
    lead: LeadLag | NotEnough | Degenerate, view_id: str, result: PairAnalytics, bars: PairBars
) -> None:
    if isinstance(lead, NotEnough | Degenerate):
        lack_notice.show(lead, result.params, bars, key="lack_lead")
        return
    figure = lead_lag_figure(
        [lag_words(float(lag)) for lag in lead.table.index],
        lead.table["correlation"].to_numpy(),
        lead.table["stderr"].to_numpy(),
        view_id=view_id,
    )
    label = f"Cross-correlation of {lead.y_name} and {lead.x_name} by lag"
    live_chart(figure, key="lead_lag_chart", label=label, height_px=SMALL_PX)
    plain.caption(
        f"Right of 0: {lead.y_name} follows {lead.x_name}. Grey: what noise alone gives. Trades "
        "jump between bid and ask, so all values read low; the shape tells who leads."
    )


def lag_words(lag_s: float) -> str:
    """Name a lag: "−0.5 s", "0", "+2 s"."""
    return f"{lag_s:+g} s".replace("-", formats.MINUS) if lag_s else "0"
