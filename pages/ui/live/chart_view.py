"""From an analysis to what the pair figure draws: arrays, what is held, words."""

from dataclasses import replace
from datetime import UTC
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.leg import Leg
from analytics.pair import PairAnalytics
from analytics.signals import SIGNALS
from pages.charts.pair_series import BUY_HELD, SELL_HELD, Floats, PairLabels, PairSeries, PriceView
from pages.ui.parts import formats
from pages.ui.state.clock import axis_ms, even_ms, reader_zone, time_ms, zone_label
from pages.ui.state.once import once_for_each

# By analysis, for as long as that is kept, and by what of the reader's is in them: the zone.
_series: Final[WeakKeyDictionary[PairAnalytics, dict[str, PairSeries]]] = WeakKeyDictionary()
_labels: Final[WeakKeyDictionary[PairAnalytics, dict[tuple[str, ...], PairLabels]]] = (
    WeakKeyDictionary()
)

BAND_STD: Final = 2.0
# In less the clock is not put forward and back again, in any zone that people live by.
SEASON: Final = pd.Timedelta(days=20)


def pair_series(result: PairAnalytics) -> PairSeries:
    """Take the arrays of an analysis, and each bar's turnover; once for all of the same zone."""
    known, zone = _series.setdefault(result, {}), zone_label()
    if zone not in known:
        known[zone] = _pair_series(result)
    return known[zone]


def _pair_series(result: PairAnalytics) -> PairSeries:
    index = pd.DatetimeIndex(result.zscore.index)
    times = even_ms(index)
    return PairSeries(
        time_ms=times,
        clock=clock_changes(index, times),
        price_y=result.y.to_numpy(),
        price_x=result.x.to_numpy(),
        spread=result.spread.to_numpy(),
        mean=result.mean.to_numpy(),
        std=result.std.to_numpy(),
        zscore=result.zscore.to_numpy(),
        correlation=result.correlation.to_numpy(),
        volume_y=turnover(result.legs[0]),
        volume_x=turnover(result.legs[1]),
        held=positions(result.signal_codes),
        offset_ms=float(times[-1] - time_ms(index[-1:])[0]) if len(index) else 0.0,
        open_y=result.legs[0].open,
        high_y=result.legs[0].high,
        low_y=result.legs[0].low,
    )


def clock_changes(index: pd.DatetimeIndex, times: Floats) -> tuple[tuple[float, float], ...]:
    """Find where the reader's clock is put forward or back, as `PairSeries.clock` has it.

    Parameters
    ----------
    index
        UTC, ascending.
    times
        Its `even_ms`.
    """
    if reader_zone() is UTC or not len(index):
        return ()
    ends = index[[0, -1]]
    if index[-1] - index[0] < SEASON and np.ptp(axis_ms(ends) - time_ms(ends)) == 0:
        return ()
    ahead = axis_ms(index) - times
    last = np.flatnonzero(np.diff(ahead))
    return tuple((float(times[row + 1]), float(ahead[row])) for row in last)


def turnover(leg: Leg) -> Floats:
    """Give volume times close of each bar, quote currency; NaN where missing."""
    values: Floats = leg.volume * leg.close
    return values


def positions(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Code what the rule says at each bar."""
    sells = (codes == SIGNALS.index("SELL")).view(np.int8)
    buys = (codes == SIGNALS.index("BUY")).view(np.int8)
    coded: NDArray[np.int8] = sells * np.int8(SELL_HELD) + buys * np.int8(BUY_HELD)
    return coded


def count_changes(codes: NDArray[np.int8]) -> int:
    """Count the bars whose signal differs from the bar before."""
    return int(np.count_nonzero(codes[1:] != codes[:-1]))


def labels(result: PairAnalytics, view: PriceView, source: str) -> PairLabels:
    """Collect the words and formats of the figure; once for all who look at it so."""
    known, key = _labels.setdefault(result, {}), (view, source, zone_label())
    if key not in known:
        known[key] = _make_labels(result, view, source)
    return known[key]


def marked(labels: PairLabels, second: int | None) -> PairLabels:
    """Mark a bar, seconds since the epoch, on the axis of the labels' zone."""
    if second is None:
        return labels
    bar = pd.DatetimeIndex([pd.Timestamp(second, unit="s", tz="UTC")])
    return replace(labels, mark_ms=float(even_ms(bar)[0]))


def _make_labels(result: PairAnalytics, view: PriceView, source: str) -> PairLabels:
    params = result.params
    decimals_y, decimals_x = leg_decimals(result)
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
        zone=zone_label(),
        interval=params.interval,
        source=source,
        # Zoom and hidden traces last as long as the same pair of the same source is looked at,
        # whichever leg comes first.
        view_id="|".join([source, *sorted([params.y, params.x])]),
    )


def spread_unit(result: PairAnalytics) -> str:
    """Name the unit of the spread of this kind."""
    return formats.spread_unit(result.params.spread, result.params.y)


def spread_decimals(result: PairAnalytics) -> int:
    """Return the decimals of the spread: the legs' own, or five where it is a pure number."""
    if result.params.spread in {"log", "ratio"}:
        return 5
    return max(leg_decimals(result))


@once_for_each
def leg_decimals(result: PairAnalytics) -> tuple[int, int]:
    """Return the decimals that the prices of each leg need."""
    y, x = (formats.price_decimals(leg.to_numpy()) for leg in (result.y, result.x))
    return y, x
