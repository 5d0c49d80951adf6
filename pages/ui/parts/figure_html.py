"""A figure in an HTML file of its own, the same in every browser's time zone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes
from pages.charts.plain_text import plain_json
from pages.ui.parts import markup
from pages.ui.parts.markup import Html

UI: Final = Path(__file__).parent.parent
STYLES: Final = (UI / "style.css", UI / "report.css")
EDGES: Final = ("x0", "x1", "x")


def figure_block(title: str, figure: go.Figure, *, caption: str = "", height_px: int = 420) -> Html:
    """Write a figure under its title, `caption` between them; the file must hold plotly.js."""
    drawn = _plain(in_words(figure)).to_html(
        full_html=False, include_plotlyjs=False, default_height=f"{height_px}px",
        config={"displaylogo": False, "responsive": True},
    )  # fmt: skip
    under = Html('<p class="pd-under">{}</p>').format(caption) if caption else ""
    return Html("<h2>{}</h2>{}{}").format(title, under, Html(drawn))


def document(title: str, pieces: Iterable[Html], script: str) -> bytes:
    """Write a file that loads nothing from anywhere; `script` is what its figures need."""
    style = "".join(path.read_text(encoding="utf-8") for path in STYLES)
    return (
        Html(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<style>{}</style><script>{}</script></head><body><main>{}</main></body></html>"
        )
        .format(title, Html(style), Html(script), markup.join(pieces, "\n"))
        .encode()
    )


def _plain(figure: go.Figure) -> go.Figure:
    return go.Figure(orjson.loads(plain_json(figure.to_json(engine="orjson"))))


def in_words(figure: go.Figure) -> go.Figure:
    """Write out each number that stands on an axis of times, in place.

    plotly.js takes such a number for a moment in the zone of the browser and moves it.

    Parameters
    ----------
    figure
        Times of its traces, shapes and annotations in ms; those in words stay.
    """
    names = (str(axis.plotly_name) for axis in figure.select_xaxes({"type": "date"}))
    dated = {name.replace("axis", "") for name in names}
    for trace in figure.data:
        if "x" in trace and trace.x is not None and (trace.xaxis or "x") in dated:
            trace.x = _moments(trace.x)
    for item in (*figure.layout.shapes, *figure.layout.annotations):
        if (item.xref or "x") in dated:
            for edge in EDGES:
                if edge in item and isinstance(item[edge], int | float):
                    item[edge] = axes.time_words(item[edge])
    return figure


def _moments(times: Any) -> NDArray[Any]:
    given = np.asarray(times)
    if given.dtype.kind not in "iuf":
        return given
    return given.astype(np.float64).astype("datetime64[ms]")
