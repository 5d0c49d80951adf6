"""The section that asks whether z says anything: distribution, forecast, table."""

from collections.abc import Hashable
from typing import Final

import streamlit as st

from analytics.evidence.zscore_distribution import Beyond, ZscoreDistribution
from analytics.evidence.zscore_forecast import ZscoreForecast
from analytics.evidence.zscore_study import ZscoreStudy, zscore_study
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics, PairParams
from pages.charts.zscore_figure import (
    HEIGHT_PX,
    ZscoreChanges,
    ZscoreShares,
    change_figure,
    zscore_figure,
)
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import lack_notice
from pages.ui.desk.material import Material
from pages.ui.methods import ENTRIES
from pages.ui.parts import formats, markup
from pages.ui.parts.markup import Cell, Figure, Html, table

Lack = NotEnough | Degenerate

FITTED: Final = {
    "autoregression": "Fitted autoregression",
    "walk": "Fitted: a walk",
    "normal": "Normal, as the filter has it",
}


def study(material: Material, result: PairAnalytics) -> ZscoreStudy:
    """Study the pair's z, once for these bars."""
    return _study(result, material.bars.key, material.params)


@st.cache_resource(max_entries=8, show_spinner=False)
def _study(
    _result: PairAnalytics,
    key: Hashable,  # noqa: ARG001 - stands for the result in the cache key
    params: PairParams,  # noqa: ARG001 - in the cache key
) -> ZscoreStudy:
    return zscore_study(_result)


def show(material: Material, result: PairAnalytics) -> None:
    """Show both figures, the tables, and how they are made."""
    with st.spinner("Setting z beside walks of the same moves"):
        found = study(material, result)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_shares(found.distribution, material, result)
    with right:
        _show_changes(found.forecast, material, result)
    tables = [shares_table(found.distribution), forecast_table(found.forecast, result)]
    markup.show(markup.block(*[each for each in tables if each is not None]))
    with st.popover("How it is made, and references", key="explain_zscore"):
        markup.show(markup.block(markup.explanations(explained())))


def explained() -> list[Figure]:
    """Explain both figures as the Methods page does."""
    entries = [ENTRIES[key] for key in ("zscore-distribution", "zscore-forecast")]
    return [
        Figure(each.name, "", tip=f"{each.what} {each.assumptions} {each.reference}")
        for each in entries
    ]


def _view_id(result: PairAnalytics) -> str:
    return f"{result.params.label}|{result.params.interval}"


def _show_shares(
    found: ZscoreDistribution | Lack, material: Material, result: PairAnalytics
) -> None:
    params = result.params
    if isinstance(found, NotEnough | Degenerate):
        lack_notice.show(found, params, material.bars, key="lack_zscore_shares")
        return
    figure = zscore_figure(
        ZscoreShares(found.bin_edges, found.share, found.fitted_share, found.walk_share),
        sell_above=params.sell_above,
        buy_below=params.buy_below,
        fitted=FITTED[found.fitted],
        view_id=_view_id(result),
    )
    label = f"Distribution of the z-score of {params.label}"
    live_chart(figure, key="zscore_shares_chart", label=label, height_px=HEIGHT_PX)


def _show_changes(found: ZscoreForecast | Lack, material: Material, result: PairAnalytics) -> None:
    params = result.params
    if isinstance(found, NotEnough | Degenerate):
        lack_notice.show(found, params, material.bars, key="lack_zscore_changes")
        return
    figure = change_figure(
        ZscoreChanges(found.mean_zscore, found.mean_change, found.slope, found.walk_slope),
        horizon=formats.count(found.horizon, "bar"),
        unit=formats.spread_unit(params.spread, params.y),
        view_id=_view_id(result),
    )
    label = f"Next change of the spread of {params.label} by z-score"
    live_chart(figure, key="zscore_changes_chart", label=label, height_px=HEIGHT_PX)


def shares_table(found: ZscoreDistribution | Lack) -> Html | None:
    """Set the shares beyond the thresholds; None where there are none."""
    if isinstance(found, NotEnough | Degenerate):
        return None
    rows = [
        _beyond("This pair", found.beyond, f"{found.nobs:,}"),
        _beyond(FITTED[found.fitted], found.fitted_beyond, "simulated"),
    ]
    if found.fitted != "normal":
        rows.append(_beyond("A walk", found.walk_beyond, "simulated"))
    return table("z beyond the thresholds", ("", "Above", "Below", "n"), rows)


def _beyond(name: str, shares: Beyond, nobs: str) -> tuple[str, ...]:
    return (name, formats.percent(shares.above, 1), formats.percent(shares.below, 1), nobs)


def forecast_table(found: ZscoreForecast | Lack, result: PairAnalytics) -> Html | None:
    """Set slope, error, R² and verdict beside what walks give; None where there is none."""
    if isinstance(found, NotEnough | Degenerate):
        return None
    verdict = Cell(formats.capital(found.verdict(result.params.level)), words=True)
    slope = f"{formats.estimate(found.slope)} ± {formats.error(found.stderr, found.slope)}"
    rows = [
        (
            "This pair", slope, formats.percent(found.r_squared, 1), formats.pvalue(found.pvalue),
            formats.count(found.horizon, "bar"), f"{found.nobs:,}", verdict,
        ),
        (
            f"Median of {found.draws} walks", formats.estimate(found.walk_slope),
            formats.percent(found.walk_r_squared, 1), formats.NOT_KNOWN,
            formats.count(found.horizon, "bar"), f"{found.nobs:,}",
            Cell("What the way of measuring gives where z says nothing", words=True),
        ),
    ]  # fmt: skip
    unit = formats.spread_unit(result.params.spread, result.params.y)
    head = (
        Cell("Held-out half, one line of the first", words=True),
        f"Slope a unit of z ({unit})", "R²", "p-value", "Change over", "n",
        Cell("Verdict", words=True),
    )  # fmt: skip
    return table("z now, and the spread's change over the next half-life", head, rows)
