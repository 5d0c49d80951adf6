"""When a silence of trades without ids is no quiet market but a broken recording.

The rule: a silence counts as missing where it is longer than 8 times the gap that nine in ten of
the 100 gaps before it keep within, and 8 times that of the 100 after it; or where all symbols of
the file together are silent so long by their common arrivals.

Why: arrivals at a steady rate λ leave gaps that exceed t with probability exp(-λt) (a Poisson
process; Ross, Introduction to Probability Models, ch. 5), so that nine in ten stay within
ln 10 / λ, and 8 times that is exceeded once in 10^8 gaps. With the quantile taken from n gaps it is
the product of j / (j + 8) over the ranks above it: 1.5e-7 for n = 100, 6e-7 for n = 45, the fewest
that are asked for. Trades come in bursts (Engle and Russell 1998), hence gaps between *seconds*
with a trade instead of between trades, and the slower of both sides: in a day of PEPEUSDT, night
and crowd, no gap of 30,249 that ids prove quiet exceeds 5.5 times.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.frames import BoolArray, IntArray, bar_times_us

SECOND_US: Final = 1_000_000
TIMES: Final = 8
NEIGHBOURS: Final = 100
FEWEST: Final = 45  # gaps needed to judge one
_QUANTILE = 0.9
_ROWS_AT_ONCE = 10_000

RULE: Final = (
    f"Without ids a silence is missing, not quiet, where it is more than {TIMES} times as long as "
    f"nine in ten of the {NEIGHBOURS} gaps (of a second or more) before it and after it, for the "
    "symbol or for all symbols of the file together, and always beyond 5 minutes: of trades at a "
    "steady rate fewer than one gap in a million is so long"
)


@dataclass(frozen=True)
class Silence:
    """A silence that is no quiet market; `symbol` is None where all symbols were silent."""

    symbol: str | None
    start: pd.Timestamp
    end: pd.Timestamp


def active_seconds(time_us: IntArray) -> IntArray:
    """Seconds since 1970 in which there is a trade; `time_us` is sorted."""
    seconds = np.floor_divide(time_us, SECOND_US)
    return seconds[np.diff(seconds, prepend=seconds[:1] - 1) > 0]


def implausible_gaps(seconds: IntArray) -> IntArray:
    """Places i where the silence between active seconds i and i + 1 is no quiet market."""
    gaps = np.diff(seconds)
    places = np.flatnonzero(gaps > TIMES)
    pieces = [
        places[start : start + _ROWS_AT_ONCE] for start in range(0, places.size, _ROWS_AT_ONCE)
    ]
    silent = [piece[gaps[piece] > TIMES * _usual_gap(gaps, piece)] for piece in pieces]
    return np.concatenate([np.empty(0, np.int64), *silent])


def silences_together(ticks: pd.DataFrame) -> IntArray:
    """Spans in which all symbols of the file of `ticks` were silent, as rows of two seconds.

    The last second with a trade of any symbol, and the next; none where
    ``attrs["active_seconds"]`` (int64 as bytes) does not say when the file's symbols traded.
    """
    seconds = np.frombuffer(ticks.attrs.get("active_seconds", b""), np.int64)
    places = implausible_gaps(seconds)
    return np.column_stack([seconds[places], seconds[places + 1]])


def recording_gaps(ticks: pd.DataFrame) -> list[Silence]:
    """The silences of a ticks frame without ids that are no quiet market, in order of time.

    Those of all symbols come first and once; frames with ids have none.
    """
    if "trade_id" in ticks or ticks.empty:
        return []
    together = silences_together(ticks)
    silences = [Silence(None, _time(start), _time(end)) for start, end in together.tolist()]
    for symbol, rows in ticks.groupby("symbol", sort=True):
        seconds = active_seconds(np.sort(bar_times_us(rows.index)))
        for place in implausible_gaps(seconds).tolist():
            start, end = int(seconds[place]), int(seconds[place + 1])
            inside = (together[:, 0] >= start) & (together[:, 1] <= end)
            if not inside.any():
                silences.append(Silence(str(symbol), _time(start), _time(end)))
    return silences


def _time(second: int) -> pd.Timestamp:
    return pd.Timestamp(second, unit="s", tz="UTC")


def _usual_gap(gaps: IntArray, places: IntArray) -> IntArray:
    """What nine in ten of the gaps around each place keep within: the longer of both sides.

    Of a side with few gaps that of both together; where these are few too, so long that no
    silence exceeds it.
    """
    before, n_before = _quantile(gaps, places, np.arange(-NEIGHBOURS, 0))
    after, n_after = _quantile(gaps, places, np.arange(1, NEIGHBOURS + 1))
    around = np.r_[np.arange(-NEIGHBOURS, 0), np.arange(1, NEIGHBOURS + 1)]
    pooled, n_pooled = _quantile(gaps, places, around)
    has_both = (n_before >= FEWEST) & (n_after >= FEWEST)
    usual = np.where(has_both, np.maximum(before, after), pooled)
    return np.where(has_both | (n_pooled >= FEWEST), usual, gaps[places])


def _quantile(gaps: IntArray, places: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray]:
    """The quantile of the gaps at those offsets from each place, and how many there are."""
    at = places[:, np.newaxis] + offsets
    is_inside: BoolArray = (at >= 0) & (at < gaps.size)
    values = np.where(is_inside, gaps[np.clip(at, 0, gaps.size - 1)], -1)
    values.sort(axis=1)
    count = is_inside.sum(axis=1)
    rank = offsets.size - count + np.ceil(_QUANTILE * count).astype(np.int64) - 1
    return values[np.arange(places.size), np.maximum(rank, 0)], count
