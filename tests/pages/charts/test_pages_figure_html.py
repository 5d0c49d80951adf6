"""Figures in files: a moment stands at the same place of the axis in every browser."""

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.charts import axes, theme
from pages.ui.chart import plotly_library
from pages.ui.parts.figure_html import figure_block, in_words

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# From a winter night over the hour that Europe skips on 2026-03-29.
BEGIN_MS = 1_774_742_400_000.0
TIMES = BEGIN_MS + 60_000.0 * np.arange(600, dtype=np.float64)
DRAWN = """() => {
  const { _fullLayout: told, calcdata } = document.querySelector('.js-plotly-plot');
  const { xaxis } = told;
  return {
    times: calcdata[0].map((point) => point.x),
    range: xaxis.range.map((edge) => xaxis.r2l(edge)),
    shape: [told.shapes[0].x0, told.shapes[0].x1].map((edge) => xaxis.r2l(edge)),
    word: xaxis.r2l(told.annotations[0].x),
  };
}"""


def dated() -> go.Figure:
    line = axes.line("A line", TIMES, np.arange(600, dtype=np.float64))
    layout = axes.base_layout("view") | {
        "xaxis": axes.time_axis(TIMES),
        "shapes": [{"type": "rect", "xref": "x", "x0": TIMES[100], "x1": TIMES[200]}],
        "annotations": [
            {"text": "here", "xref": "x", "x": TIMES[300], "font": {"color": theme.MUTED}}
        ],
    }
    return axes.new_figure([line], layout)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_numbers_stand_where_the_axis_says_in_every_zone(browser, zone, tmp_path):
    file = tmp_path / "figure.html"
    script = f"<meta charset=utf-8><script>{plotly_library.script()}</script>"
    file.write_text(f"{script}{figure_block('A title', dated())}", encoding="utf-8")
    page = browser.new_page(timezone_id=zone)
    page.goto(file.as_uri())
    page.wait_for_selector(".js-plotly-plot .xtick", state="attached")
    drawn = page.evaluate(DRAWN)
    page.close()
    assert drawn["times"] == TIMES.tolist()
    assert drawn["range"] == [TIMES[0], TIMES[-1]]
    assert drawn["shape"] == [TIMES[100], TIMES[200]]
    assert drawn["word"] == TIMES[300]


def test_what_is_no_time_stays_a_number():
    figure = go.Figure(go.Scatter(x=[1.0, 2.0], y=[1.0, 2.0]))
    figure.add_shape(type="line", x0=1.0, x1=2.0, y0=0, y1=1)
    shown = in_words(figure)
    assert list(shown.data[0].x) == [1.0, 2.0]
    assert shown.layout.shapes[0].x0 == 1.0


def test_a_hole_in_the_times_stays_a_hole():
    line = axes.line("A line", np.array([BEGIN_MS, np.nan, BEGIN_MS + 1.0]), np.zeros(3))
    figure = in_words(axes.new_figure([line], {"xaxis": axes.time_axis(axes.NO_TIMES)}))
    assert np.isnat(figure.data[0].x).tolist() == [False, True, False]
