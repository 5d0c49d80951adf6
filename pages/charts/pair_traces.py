"""The traces of the pair figure without their data.

Each says which columns it `draws`, and how; `fade` is the opacity of its filling.

The browser fills them from the tables it holds (`chart_fill.js`), `fill` does for a figure that
leaves the page.
"""

from collections.abc import Sequence
from typing import Any

from pages.charts import theme
from pages.charts.pair_legend import leg_key
from pages.charts.pair_series import BUY_HELD, SELL_HELD, PairLabels, Panel

Trace = dict[str, Any]


def pair_traces(labels: PairLabels, panels: Sequence[Panel]) -> list[Trace]:
    """List the traces of the chosen panels, in the order they are drawn."""
    makers = {
        "prices": _price_traces,
        "spread": _spread_traces,
        "zscore": _zscore_traces,
        "volume": _volume_traces,
        "correlation": _correlation_traces,
    }
    return [trace for panel in panels for trace in makers[panel](labels)]


def _line(name: str, column: str, axis: str, color: str, number_format: str) -> Trace:
    """Make a line that leaves missing stretches open."""
    return {
        "type": "scatter",
        "uid": f"{axis}-{name}",
        "name": name,
        "xaxis": "x",
        "yaxis": axis,
        "mode": "lines",
        "connectgaps": False,
        "line": {"color": color, "width": theme.LINE_WIDTH},
        "hovertemplate": f"%{{y:{number_format}}}",
        "draws": {"kind": "line", "table": "bars", "column": column},
    }


def _price_traces(labels: PairLabels) -> list[Trace]:
    """Both legs; in the rebased view the hover says the price too.

    Candles are the first leg's: two sets of them over each other could not be read.
    """
    second = "y2" if labels.price_view in {"two axes", "candles"} else "y"
    legs = (
        (labels.symbol_y, "price_y", "y", theme.LEG_Y, labels.price_decimals_y),
        (labels.symbol_x, "price_x", second, theme.LEG_X, labels.price_decimals_x),
    )
    traces = []
    for place, (symbol, column, axis, color, decimals) in enumerate(legs):
        trace = _line(symbol, column, axis, color, f",.{decimals}f")
        trace |= {"uid": leg_key(symbol), "name": symbol}
        trace["line"] |= {"width": theme.LEG_WIDTHS[place], "dash": theme.LEG_DASHES[place]}
        if labels.price_view == "rebased":
            trace["draws"]["kind"] = "rebased"
            trace["hovertemplate"] = f"%{{y:.3f}}  (%{{customdata:,.{decimals}f}})"
        traces.append(trace)
    if labels.price_view == "candles":
        traces[:1] = _candles(traces[0])
    return traces


def _candles(leg: Trace) -> list[Trace]:
    """Candles in place of a leg's line: hollow where the price rose, filled where it fell."""
    base = leg | {
        "legendgroup": leg["uid"],
        "line": {"color": theme.LEG_Y, "width": 1},
        "hoverinfo": "skip",
    }
    rising = base | {"draws": {"kind": "candles", "table": "candles", "rises": True}}
    falling = base | {
        "uid": f"{leg['uid']}-falling",
        "fill": "toself",
        "fillcolor": theme.LEG_Y,
        "showlegend": False,
        "draws": {"kind": "candles", "table": "candles", "rises": False},
    }
    return [rising, falling]


def _spread_traces(labels: PairLabels) -> list[Trace]:
    """The band first, so that the lines lie on it."""
    number_format = f",.{labels.spread_decimals}f"
    mean = _line("Mean", "mean", "y3", theme.MUTED, number_format)
    mean["line"]["dash"] = "dot"
    mean["uid"] = "mean"
    band = _area(f"Mean ± {labels.band_std:g} std", "band", "y3", theme.BAND, 1.0)
    band["draws"] = {"kind": "band", "table": "bars", "times": labels.band_std}
    spread = _line("Spread", "spread", "y3", theme.SERIES, number_format) | {"uid": "spread"}
    return [band, mean, spread]


def _area(name: str, uid: str, axis: str, color: str, opacity: float) -> Trace:
    return {
        "type": "scatter",
        "uid": uid,
        "name": name,
        "xaxis": "x",
        "yaxis": axis,
        "mode": "lines",
        "line": {"width": 0, "color": color},
        "fill": "toself",
        "fillcolor": color,
        "fade": opacity,
        "hoverinfo": "skip",
    }


def _zscore_traces(labels: PairLabels) -> list[Trace]:
    """What is held behind, the thresholds, the line, and the entries on it."""
    rules = (
        ("SELL", SELL_HELD, labels.sell_above, theme.SELL, "triangle-down"),
        ("BUY", BUY_HELD, labels.buy_below, theme.BUY, "triangle-up"),
    )
    zscore = _line("z-score", "zscore", "y4", theme.SERIES, "+.2f") | {"showlegend": False}
    zscore["hovertemplate"] += "  %{text}"
    zscore["draws"]["words"] = {str(SELL_HELD): "SELL", str(BUY_HELD): "BUY"}
    shades, levels, marks = [], [], []
    for name, kind, at, color, symbol in rules:
        shade = _area(f"{name} held", f"held-{name}", "y7", color, theme.HELD_OPACITY)
        shade |= {"legendgroup": name, "showlegend": False}
        shades.append(shade | {"draws": {"kind": "stretches", "table": "held", "is": kind}})
        levels.append(_level(f"{name} threshold", at, color))
        marks.append(_marks(name, kind, color, symbol))
    return [*shades, *levels, zscore, *marks]


def _level(name: str, at: float, color: str) -> Trace:
    """A threshold is a trace, so that the axis includes it."""
    return {
        "type": "scatter",
        "uid": f"y4-{name}",
        "name": name,
        "xaxis": "x",
        "yaxis": "y4",
        "mode": "lines",
        "line": {"color": color, "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
        "showlegend": False,
        "draws": {"kind": "level", "table": "bars", "at": at},
    }


def _marks(name: str, kind: int, color: str, symbol: str) -> Trace:
    """Where the rule began to say `name`; shape and colour both say which."""
    return {
        "type": "scatter",
        "uid": f"marker-{name}",
        "name": name,
        "legendgroup": name,
        "xaxis": "x",
        "yaxis": "y4",
        "mode": "markers",
        "marker": {
            "symbol": symbol,
            "size": 9,
            "color": color,
            "line": {"color": theme.PAPER, "width": 1},
        },
        "hoverinfo": "skip",
        "draws": {"kind": "marks", "table": "marks", "column": "zscore", "is": kind},
    }


def _volume_traces(labels: PairLabels) -> list[Trace]:
    """Turnover of both legs, one upon the other where their currency is the same."""
    shared = labels.price_unit == labels.price_unit_x
    dense, pale = theme.VOLUME_OPACITIES
    below = _volume(labels.symbol_y, theme.LEG_Y, dense, "y6", ["volume_y"])
    if shared:
        above = _volume(labels.symbol_x, theme.LEG_X, pale, "y6", ["volume_y", "volume_x"])
        return [below, above | {"fill": "tonexty"}]
    return [below, _volume(labels.symbol_x, theme.LEG_X, pale, "y8", ["volume_x"])]


def _volume(symbol: str, color: str, opacity: float, axis: str, columns: list[str]) -> Trace:
    return {
        "type": "scatter",
        "uid": f"volume-{symbol}",
        "name": f"{symbol} volume",
        "xaxis": "x",
        "yaxis": axis,
        "mode": "lines",
        "line": {"color": color, "width": 0.8, "shape": "hv"},
        "fill": "tozeroy",
        "fillcolor": color,
        "fade": opacity,
        "hovertemplate": "%{customdata:,.4s}",
        "showlegend": False,
        "draws": {"kind": "stack", "table": "volume", "columns": columns},
    }


def _correlation_traces(_: PairLabels) -> list[Trace]:
    line = _line("Correlation", "correlation", "y5", theme.SERIES, ".3f")
    return [line | {"showlegend": False}]
