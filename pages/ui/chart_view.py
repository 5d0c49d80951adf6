"""From an analysis to what the pair figure draws: rebasing, bands, markers, words."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.pair import PairAnalytics
from pages.charts.pair_series import Floats, Markers, PairLabels, PairSeries, PriceView
from pages.ui import formats

BAND_STD: Final = 2.0
BASE: Final = 100.0
MS_PER_US: Final = 1_000


def rebase(prices: Floats, row: int) -> Floats:
    """Scale prices so that the one at `row` is 100; NaN stays NaN."""
    rebased: Floats = prices / prices[row] * BASE
    return rebased


def first_known(y: Floats, x: Floats) -> int | None:
    """Find the first row where both legs are known; None if there is none."""
    rows = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    return int(rows[0]) if len(rows) else None


def time_ms(index: pd.DatetimeIndex) -> Floats:
    """Turn a UTC index into milliseconds since the epoch, as Plotly takes them fastest."""
    return index.as_unit("us").asi8 / MS_PER_US


def pair_series(result: PairAnalytics, view: PriceView) -> PairSeries:
    """Take the arrays of an analysis, with prices as the view wants them."""
    y, x = result.y.to_numpy(), result.x.to_numpy()
    start = first_known(y, x)
    rebased = view == "rebased" and start is not None
    mean, std = result.mean.to_numpy(), result.std.to_numpy()
    return PairSeries(
        time_ms=time_ms(pd.DatetimeIndex(result.zscore.index)),
        price_y=y,
        price_x=x,
        drawn_y=rebase(y, start) if rebased and start is not None else y,
        drawn_x=rebase(x, start) if rebased and start is not None else x,
        spread=result.spread.to_numpy(),
        mean=mean,
        upper=mean + BAND_STD * std,
        lower=mean - BAND_STD * std,
        zscore=result.zscore.to_numpy(),
        correlation=result.correlation.to_numpy(),
    )


def markers(result: PairAnalytics, word: str) -> Markers:
    """Find where the signal changed to `word`."""
    changed = changes(result.signal) & (result.signal == word)
    rows = result.zscore[changed]
    return Markers(time_ms(pd.DatetimeIndex(rows.index)), rows.to_numpy())


def changes(signal: pd.Series) -> pd.Series:
    """Mark the bars whose signal differs from the bar before; the first bar is no change."""
    before = signal.shift(1)
    return (signal != before) & before.notna()


def labels(result: PairAnalytics, view: PriceView, source: str) -> PairLabels:
    """Collect the words and formats of the figure."""
    params = result.params
    decimals_y = formats.price_decimals(result.y.to_numpy())
    decimals_x = formats.price_decimals(result.x.to_numpy())
    return PairLabels(
        symbol_y=params.y,
        symbol_x=params.x,
        price_view=view,
        price_unit=formats.quote_currency(params.y),
        price_unit_x=formats.quote_currency(params.x),
        spread_unit=spread_unit(result),
        band_std=BAND_STD,
        sell_above=params.sell_above,
        buy_below=params.buy_below,
        price_decimals_y=decimals_y,
        price_decimals_x=decimals_x,
        spread_decimals=spread_decimals(result),
        # Zoom and hidden traces last as long as the same bars are looked at.
        view_id=f"{source}|{params.y}|{params.x}|{params.interval}",
    )


def spread_unit(result: PairAnalytics) -> str:
    """Name the unit of the spread of this kind."""
    units = {"log": "log", "ratio": "ratio"}
    return units.get(result.params.spread, formats.quote_currency(result.params.y))


def spread_decimals(result: PairAnalytics) -> int:
    """Return the decimals of the spread: the legs' own, or five where it is a pure number."""
    if result.params.spread in {"log", "ratio"}:
        return 5
    return max(formats.price_decimals(leg.to_numpy()) for leg in (result.y, result.x))
