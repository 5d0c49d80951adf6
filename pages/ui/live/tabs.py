"""The tabs below the figure: only the open one is computed and sent."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analytics.evidence.residuals import residual_diagnostics
from analytics.evidence.stability import Stability
from analytics.hedge import HedgeFit
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import PairAnalytics
from pages.charts.beta_figure import beta_figure
from pages.charts.correlation_figure import correlation_path_figure
from pages.charts.residual_figure import ResidualSeries, residual_figure
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import lack_notice
from pages.ui.desk.pair_data import PairBars
from pages.ui.live import test_table, trends, zscore_note
from pages.ui.live.chart_view import spread_unit
from pages.ui.live.payment import payment
from pages.ui.live.tables import legs_table
from pages.ui.parts import formats, markup, plain
from pages.ui.parts.markup import Html
from pages.ui.state.choices import TABS, recall
from pages.ui.state.clock import even_label, even_ms, zone_label
from pages.ui.state.once import once_for_each

Tab = Callable[[PairAnalytics, PairBars, str], None]
NORMAL_95: Final = 1.96


@dataclass(frozen=True)
class OpenTab:
    """The tab that is open, and its place."""

    name: str
    place: DeltaGenerator


def choose() -> OpenTab:
    """Offer the tabs; the open one stays open, and the URL has its name."""
    recall("tab", TABS)
    shown = st.tabs(TABS, key="tab", on_change="rerun", bind="query-params")
    open_tabs = [OpenTab(name, tab) for name, tab in zip(TABS, shown, strict=True) if tab.open]
    return open_tabs[0] if open_tabs else OpenTab(TABS[0], shown[0])


def fill(name: str, result: PairAnalytics, bars: PairBars, source: str) -> None:
    """Show what belongs into the tab of that name."""
    _TABS[name](result, bars, source)


def _view_id(result: PairAnalytics, source: str) -> str:
    params = result.params
    return f"{source}|{params.y}|{params.x}|{params.interval}|{zone_label()}"


def _show_statistics(result: PairAnalytics, bars: PairBars, source: str) -> None:  # noqa: ARG001
    markup.show(_statistics(result))
    costs = payment(result)
    if costs is not None:
        markup.show(costs)


@once_for_each
def _statistics(result: PairAnalytics) -> Html:
    notes = markup.notes([*test_table.words(result), *result.notes])
    tests = markup.block(test_table.tests_table(result), notes, css="pd-evidence")
    return markup.block(legs_table(result)) + tests


def _show_beta(result: PairAnalytics, bars: PairBars, source: str) -> None:
    fit, params = result.hedge, result.params
    if not isinstance(fit, HedgeFit):
        lack_notice.show(fit, params, bars, key="lack_fit")
        return
    band = beta_path(result, bars)
    if isinstance(band, NotEnough | Degenerate):
        lack_notice.show(band, params, bars, key="lack_beta")
        return
    path, low, high, words = band
    index = pd.DatetimeIndex(path.index)
    figure = beta_figure(
        even_ms(index), path.to_numpy(), low.to_numpy(), high.to_numpy(),
        level="95 % band", fixed=fit.beta if fit.beta_path is None else None,
        symbol_y=params.y, symbol_x=params.x, view_id=_view_id(result, source),
    )  # fmt: skip
    figure.update_xaxes(title_text=even_label(index))
    live_chart(figure, key="beta_chart", label=f"Hedge ratio of {params.label} in time",
               height_px=340)  # fmt: skip
    plain.caption(words)


# Filters whose errors hold the truth too seldom to draw them.
WITHOUT_BAND: Final = ("kalman_walks", "kalman_chan")
Band = tuple[pd.Series, pd.Series, pd.Series, str]


def beta_path(result: PairAnalytics, bars: PairBars) -> Band | NotEnough | Degenerate:
    """Give β in time with a 95 % band: the method's own path, or that of trailing windows."""
    fit = result.hedge
    if isinstance(fit, HedgeFit) and fit.beta_path is not None:
        path, error = fit.beta_path.loc[result.y.index[0] :], fit.beta_stderr_path
        if error is None or fit.method in WITHOUT_BAND:
            half = path * np.nan
        else:
            half = NORMAL_95 * error.loc[path.index[0] :]
        if np.isfinite(fit.beta_hac_stderr) and fit.beta_stderr > 0:
            # Each bar's error counts its rows as unrelated: widened as the last window's asks.
            half *= fit.beta_hac_stderr / fit.beta_stderr
        return path, path - half, path + half, f"β by {fit.method}, {fit.looks_back}."
    trend = trends.path(result, bars)
    if not isinstance(trend, Stability):
        return trend
    table = trend.table
    words = (
        f"Least squares in {formats.count(len(table), 'trailing window')} of {trend.window:,} bars "
        "each, 95 % band that allows for autocorrelation. A β that wanders out of its own band is "
        "no constant."
    )
    return table["beta"], table["beta_low"], table["beta_high"], words


def _show_correlation(result: PairAnalytics, bars: PairBars, source: str) -> None:  # noqa: ARG001
    params = result.params
    on = "log returns" if params.correlation_on == "returns" else "prices"
    index = pd.DatetimeIndex(result.correlation.index)
    figure = correlation_path_figure(
        even_ms(index), result.correlation.to_numpy(), on=on,
        window=params.window, view_id=_view_id(result, source),
    )  # fmt: skip
    figure.update_xaxes(title_text=even_label(index))
    live_chart(figure, key="correlation_chart", label=f"Correlation of {params.label} in time",
               height_px=300)  # fmt: skip
    plain.caption(f"Pearson correlation of {on} in trailing windows of {params.window:,} bars.")


def _show_residuals(result: PairAnalytics, bars: PairBars, source: str) -> None:
    residual = result.sample.spread - result.sample.spread.mean()
    diagnostics = attempt(lambda: residual_diagnostics(residual))
    if isinstance(diagnostics, NotEnough | Degenerate):
        lack_notice.show(diagnostics, result.params, bars, key="lack_residuals")
        return
    figure = residual_figure(
        ResidualSeries(
            **{each.name: getattr(diagnostics, each.name) for each in fields(ResidualSeries)}
        ),
        unit=spread_unit(result),
        view_id=_view_id(result, source),
    )
    live_chart(figure, key="residual_chart", label=f"Residuals of {result.params.label}",
               height_px=320)  # fmt: skip
    plain.caption(
        f"The spread less its mean, {formats.sample(int(residual.notna().sum()))}: its "
        f"distribution, its quantiles against a normal one, and {_lasts(result)}."
    )
    for sentence in zscore_note.sentences(result, bars):
        plain.caption(sentence)


def _lasts(result: PairAnalytics) -> str:
    follows = isinstance(result.hedge, HedgeFit) and result.hedge.causal
    if follows and result.params.uses_beta:
        return "how long a deviation lasts while β follows: no evidence of a return"
    return "how long a deviation lasts"


_TABS: Final[dict[str, Tab]] = dict(
    zip(TABS, (_show_statistics, _show_beta, _show_correlation, _show_residuals), strict=True)
)
