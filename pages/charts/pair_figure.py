"""The linked figure of a pair: prices, spread, z-score and volume over one UTC axis."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.fill import filled
from pages.charts.frame import Table
from pages.charts.pair_legend import pair_legend, ranked
from pages.charts.pair_series import PairLabels, PairSeries, Panel
from pages.charts.pair_tables import cut, pair_arrays, pair_tables
from pages.charts.pair_traces import Trace, pair_traces

PANELS: Final[tuple[Panel, ...]] = ("prices", "spread", "zscore", "volume")
# Share of the height, and the gap between two panels.
WEIGHTS: Final[dict[Panel, float]] = {
    "prices": 0.3,
    "spread": 0.25,
    "zscore": 0.29,
    "volume": 0.16,
    "correlation": 0.16,
}
GAP: Final = 0.03
AXES: Final[dict[Panel, str]] = {
    "prices": "yaxis",
    "spread": "yaxis3",
    "zscore": "yaxis4",
    "volume": "yaxis6",
    "correlation": "yaxis5",
}
MARGIN: Final = {"l": 76, "r": 16, "t": 26, "b": 38}
MAX_CUTS: Final = 8
# Beside the panels, where a second axis stands there.
RIGHT_PX: Final = 76
# Rows that a bucket gives about: the extremes of four series, some of them the same bar.
ROWS_A_BUCKET: Final = 6


class PairChart:
    """The pair's figure as the page draws it: sent once, then fed with tables.

    Parameters
    ----------
    series
        Everything that is drawn.
    labels
        Symbols, units, thresholds and formats.
    panels
        Top to bottom.
    """

    def __init__(
        self, series: PairSeries, labels: PairLabels, panels: Sequence[Panel] = PANELS
    ) -> None:
        self.series = series
        self.labels = labels
        self.panels = tuple(panels)

    def figure_key(self) -> tuple[PairLabels, tuple[Panel, ...]]:
        """Return what `figure` depends on."""
        return self.labels, self.panels

    def figure(self) -> dict[str, Any]:
        """Return traces that say what they draw, and the layout."""
        return {
            "data": _traces(self.labels, self.panels),
            "layout": pair_layout(self.labels, self.panels),
        }

    def tables(
        self, start_ms: float, end_ms: float, buckets: int, decimals: dict[str, int]
    ) -> tuple[Mapping[str, Table], dict[str, Any]]:
        """Return the tables of a span of time, and the few numbers that go with them."""
        seen = cut(self.series, buckets, start_ms, end_ms)
        with_candles = self.labels.price_view == "candles"
        arrays = self.series.thinned.get((seen, with_candles))
        if arrays is None:
            # Shared by all who look at the same series; a few widths and zooms, no more.
            if len(self.series.thinned) >= MAX_CUTS:
                self.series.thinned.clear()
            arrays = pair_arrays(self.series, seen, with_candles=with_candles)
            self.series.thinned[seen, with_candles] = arrays
        head = {
            "bases": self.series.bases(),
            "span": self.series.time_ms[[0, -1]].tolist() if len(self.series) else [],
            "bucket_ms": seen.size * self.series.bar_ms,
            "bar_ms": self.series.bar_ms,
            "marks_ms": seen.mark_size * self.series.bar_ms,
            "candle_ms": seen.candle_size * self.series.bar_ms,
            "entries": self.series.entries(),
            "clock": self.series.clock,
            "offset_ms": self.series.offset_ms,
        }
        return pair_tables(arrays, self.labels, decimals), head


def pair_figure(
    series: PairSeries,
    labels: PairLabels,
    *,
    panels: Sequence[Panel] = PANELS,
    max_points: int = 2_000,
) -> go.Figure:
    """Draw one figure of linked panels, complete by itself.

    Parameters
    ----------
    series
        Everything that is drawn; thinned to about `max_points` rows.
    labels
        Symbols, units, thresholds and formats.
    panels
        Top to bottom.
    max_points
        Rows drawn at most, about.
    """
    seen = cut(series, max(max_points // ROWS_A_BUCKET, 1))
    arrays = pair_arrays(series, seen, with_candles=labels.price_view == "candles")
    traces = [filled(trace, arrays, series.bases()) for trace in _traces(labels, panels)]
    layout = pair_layout(labels, panels)
    layout["xaxis"] |= axes.within(series.time_ms)
    for axis in layout.values():
        if isinstance(axis, dict) and "title" in axis:
            words = axis["title"]["text"]
            for name, size in (("{bucket}", seen.size), ("{candle}", seen.candle_size)):
                words = words.replace(name, span_words(size * series.bar_ms))
            axis["title"]["text"] = words
    return axes.new_figure(traces, layout)


def _traces(labels: PairLabels, panels: Sequence[Panel]) -> list[Trace]:
    return ranked(pair_traces(labels, panels), pair_legend(labels, panels))


def span_words(span_ms: float) -> str:
    """Name a length of time: "1 s", "4 min", "1.5 h"."""
    seconds = span_ms / 1_000
    for unit, length in (("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def pair_layout(labels: PairLabels, panels: Sequence[Panel]) -> dict[str, Any]:
    """Lay out axes, hover and legend; the colours follow the reader's theme in the page."""
    domains = panel_domains(panels)
    layout = axes.base_layout(labels.view_id, margin=MARGIN)
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"}
    layout["meta"] = {"legend": pair_legend(labels, panels), "picture": _picture(labels)}
    foot = AXES[panels[-1]].replace("axis", "")
    layout["xaxis"] = axes.time_axis(axes.NO_TIMES, anchor=foot, zone=labels.zone)
    for panel in panels:
        layout[AXES[panel]] = axes.value_axis(_title(panel, labels), domains[panel])
    if "prices" in panels and labels.price_view in {"two axes", "candles"}:
        layout["margin"]["r"] = RIGHT_PX
        layout["yaxis2"] = _right(f"{labels.symbol_x} ({labels.price_unit_x})", "y")
    if "volume" in panels:
        layout["yaxis6"] |= {"nticks": 3, "rangemode": "tozero", "tickformat": "~s"}
        if labels.price_unit != labels.price_unit_x:
            layout["margin"]["r"] = RIGHT_PX
            layout["yaxis8"] = _right(labels.price_unit_x, "y6") | {"tickformat": "~s"}
    if "zscore" in panels:
        # What is held is shaded over the whole height of the panel.
        layout["yaxis7"] = {"overlaying": "y4", "range": [0, 1], "visible": False}
        layout["yaxis7"] |= {"fixedrange": True}
        layout["annotations"] = [
            axes.level_label(
                _rule("SELL above", labels.sell_above), labels.sell_above, "y4", theme.SELL
            ),
            axes.level_label(
                _rule("BUY below", labels.buy_below), labels.buy_below, "y4", theme.BUY
            ),
        ]
    if labels.mark_ms is not None:
        layout["shapes"] = [axes.upright(labels.mark_ms)]
        layout.setdefault("annotations", []).append(axes.upright_label("alert", labels.mark_ms))
    return layout


def _picture(labels: PairLabels) -> dict[str, str]:
    """What a saved picture says of itself, beside the span in sight."""
    return {
        "pair": f"{labels.symbol_y} / {labels.symbol_x}",
        "interval": f"{labels.interval} bars",
        "source": labels.source,
        "zone": labels.zone,
    }


def panel_domains(panels: Sequence[Panel]) -> dict[Panel, tuple[float, float]]:
    """Share the height between the panels, the first on top."""
    room = 1.0 - GAP * (len(panels) - 1)
    unit = room / sum(WEIGHTS[panel] for panel in panels)
    domains, top = {}, 1.0
    for panel in panels:
        bottom = max(top - WEIGHTS[panel] * unit, 0.0)
        domains[panel] = (round(bottom, 4), round(top, 4))
        top = bottom - GAP
    return domains


def _right(title: str, overlaying: str) -> dict[str, Any]:
    return axes.value_axis(title, overlaying=overlaying, side="right", showgrid=False)


def _title(panel: Panel, labels: PairLabels) -> str:
    """Title of a panel's axis, with its unit."""
    return {
        "prices": _price_title(labels),
        "spread": f"Spread ({labels.spread_unit})",
        "zscore": "z-score (std)",
        "volume": f"Volume, {labels.price_unit}<br>per {{bucket}}",
        "correlation": "Correlation",
    }[panel]


def _price_title(labels: PairLabels) -> str:
    if labels.price_view == "rebased":
        return "Price (start = 100)"
    if labels.price_view == "two axes":
        return f"{labels.symbol_y} ({labels.price_unit})"
    if labels.price_view == "candles":
        return f"{labels.symbol_y} ({labels.price_unit})<br>candles of {{candle}}"
    return f"Price ({labels.price_unit})"


def _rule(text: str, at: float) -> str:
    return f"{text} {at:+g}".replace("-", "−") if at else f"{text} 0"
