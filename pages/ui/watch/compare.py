"""Two watched pairs beside each other: their latest z-scores between their thresholds."""

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from analytics.frames import parse_interval
from ingest.watch import WatchRow
from pages.charts.zscore_figure import PATH_HEIGHT_PX, zscore_path
from pages.ui.chart.live_chart import live_chart
from pages.ui.parts import formats, markup, plain
from pages.ui.state import clock
from pages.ui.watch.rows import caution_words, problem_words, row_words

COMPARED: Final = 2


def show(rows: tuple[WatchRow, ...]) -> None:
    """Show two pairs side by side; one below the other where the screen is narrow."""
    for place, row, side in zip(st.columns(COMPARED, gap="medium"), rows, "lr", strict=True):
        with place:
            _show_one(row, f"watch_compared_{side}")


def _show_one(row: WatchRow, key: str) -> None:
    pair, reading = row.pair, row.reading
    head = [
        markup.pair(pair.y, pair.x),
        markup.text(row_words(pair), "muted"),
        *([] if reading is None else [markup.text(f"z {formats.zscore(reading.zscore)}")]),
    ]
    markup.show(markup.block(*head, css="pd-head"))
    if reading is None or not np.isfinite(row.zscores).any():
        plain.caption(problem_words(row))
        return
    index = _times(row, reading.time_us)
    figure = zscore_path(
        clock.even_ms(index), np.asarray(row.zscores), sell_above=pair.sell_above,
        buy_below=pair.buy_below, zone=clock.even_label(index), view_id=f"{pair.y}{pair.x}",
    )  # fmt: skip
    label = f"z-score of {pair.y} / {pair.x} over the latest {len(index)} bars"
    live_chart(figure, key=key, label=label, height_px=PATH_HEIGHT_PX)
    plain.caption(caution_words(row) or f"The latest {formats.count(len(index), 'bar')}.")


def _times(row: WatchRow, last_us: int) -> pd.DatetimeIndex:
    """Return the open of each bar that has a z-score in the row, the last one its reading's."""
    step_us = parse_interval(row.pair.interval).us
    opens_us = last_us - step_us * np.arange(len(row.zscores) - 1, -1, -1)
    return pd.DatetimeIndex(opens_us.astype("M8[us]"), tz="UTC")
