"""From an analysis to what the pair figure draws: arrays, what is held, words."""

from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final, Self
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.growing import Growing
from analytics.leg import Leg
from analytics.pair import Moving, PairAnalytics
from analytics.signals import SIGNALS
from pages.charts.decimate import Thinned
from pages.charts.pair_series import (
    BUY_HELD,
    SELL_HELD,
    Floats,
    PairLabels,
    PairSeries,
    PriceView,
    entered_rows,
)
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
    moving = result.carried.moving
    if isinstance(moving, Moving) and reader_zone() is UTC:
        return _moving_series(result, moving)
    index = pd.DatetimeIndex(result.zscore.index)
    times = even_ms(index)
    return _series_of(result, times, clock_changes(index, times), _Drawn.of(result))


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What is drawn beside the paths: turnover of both legs, and what is held."""

    volumes: NDArray[np.float64]
    held: NDArray[np.int8]

    @classmethod
    def of(cls, result: PairAnalytics, came: int | None = None) -> Self:
        """Take it of the bars that came last, or of all."""
        rows = slice(None if came is None else len(result.zscore) - came, None)
        volumes = np.array([turnover(leg)[rows] if came is None else _latest_turnover(leg, came)
                            for leg in result.legs])  # fmt: skip
        return cls(volumes, positions(result.signal_codes[rows]))


def _latest_turnover(leg: Leg, came: int) -> Floats:
    return turnover(leg.last(came))


@dataclass(frozen=True, eq=False)
class _Grown:
    """The same as it grows with the bars, by the number of the first."""

    first: int
    times: Growing
    volumes: Growing
    held: Growing
    entered: NDArray[np.int64]
    thinned: Thinned


# By the memory that the paths of successive analyses share.
_grown: Final[WeakKeyDictionary[object, _Grown]] = WeakKeyDictionary()


def _moving_series(result: PairAnalytics, moving: Moving) -> PairSeries:
    """Take the arrays of an analysis that moved on: those before, and of the bars that came."""
    leg, shared = result.legs[0], moving.rows.memory
    first, known = leg.start_us // leg.step_us, _grown.get(shared)
    index = pd.DatetimeIndex(result.zscore.index)
    left = 0 if known is None else first - known.first
    came = 0 if known is None else first + len(leg) - known.first - known.times.values.size
    if known is None or left < 0 or came < 0 or came > len(leg) // 2:
        drawn = _Drawn.of(result)
        times = Growing.of(even_ms(index))
        entered = first + entered_rows(drawn.held)
        grown = _Grown(
            first, times, Growing.of(drawn.volumes), Growing.of(drawn.held), entered, Thinned()
        )
    elif came == 0 and left == 0:
        grown = known
    else:
        drawn = _Drawn.of(result, came)
        times = known.times.moved(left, even_ms(index[len(index) - came :]))
        held = known.held.moved(left, drawn.held)
        new = first + len(leg) - came - 1
        entered = np.concatenate([
            known.entered[known.entered > first], new + entered_rows(held.values[-came - 1 :]),
        ])  # fmt: skip
        volumes = known.volumes.moved(left, drawn.volumes)
        grown = _Grown(first, times, volumes, held, entered, known.thinned)
    _grown[shared] = grown
    drawn = _Drawn(grown.volumes.values, grown.held.values)
    series = _series_of(result, grown.times.values, (), drawn, grown.thinned)
    vars(series)["entered"] = grown.entered - first
    return series


def _series_of(
    result: PairAnalytics,
    times: Floats,
    clock: tuple[tuple[float, float], ...],
    drawn: _Drawn,
    moving: Thinned | None = None,
) -> PairSeries:
    index = pd.DatetimeIndex(result.zscore.index)
    return PairSeries(
        time_ms=times,
        clock=clock,
        price_y=result.y.to_numpy(),
        price_x=result.x.to_numpy(),
        spread=result.spread.to_numpy(),
        mean=result.mean.to_numpy(),
        std=result.std.to_numpy(),
        zscore=result.zscore.to_numpy(),
        correlation=result.correlation.to_numpy(),
        volume_y=drawn.volumes[0],
        volume_x=drawn.volumes[1],
        held=drawn.held,
        offset_ms=float(times[-1] - time_ms(index[-1:])[0]) if len(index) else 0.0,
        open_y=result.legs[0].open,
        high_y=result.legs[0].high,
        low_y=result.legs[0].low,
        moving=moving,
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
