"""Ticks to bars, bars to coarser bars: exact volumes, and never a price carried over a hole."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.errors import FrameError, ParameterError, SeveralSymbolsError
from analytics.frames import (
    COVERAGE,
    BoolArray,
    FloatArray,
    IntArray,
    Interval,
    bar_times_us,
    check_bars,
    check_ticks,
    empty_bars,
    parse_interval,
    utc_index,
)
from analytics.silence import SECOND_US, active_seconds, implausible_gaps, silences_together

# A year of 1-second bars. More means a tick with a wrong time, which would otherwise fill memory.
MAX_BARS = 366 * 24 * 3600

_MAX_DECIMALS = 8
_PROBED = 1_024  # so many values tell that all have not so few decimals
_EXACT_FLOAT = 2**53
_MAX_SUM = 2.0**62
_TRADED, _QUIET, _MISSING = (np.int8(code) for code in range(len(COVERAGE)))


@dataclass(frozen=True, slots=True)
class _Trades:
    """One symbol's ticks as arrays in (time, id) order."""

    time_us: IntArray
    price: FloatArray
    quantity: FloatArray
    trade_id: IntArray | None


@dataclass(frozen=True, slots=True)
class _TradedBars:
    """The bars that hold a trade; `number` counts bars from the first of the span."""

    number: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    trades: IntArray


def resample_ticks(
    ticks: pd.DataFrame,
    interval: str | Interval,
    *,
    quiet_limit: str | pd.Timedelta = "5min",
    last_is_forming: bool = False,
) -> pd.DataFrame:
    """Build the bars of one symbol's ticks.

    Parameters
    ----------
    ticks : DataFrame
        A ticks frame of one symbol, in any order. Rows with the same ``trade_id`` are one trade.
        ``attrs["non_trade_ids"]`` ({symbol: ids}) names ids used up by events that are no trades,
        ``attrs["shared_ids"]`` those of more than one trade. Of ticks without ids
        ``attrs["active_seconds"]`` may say when any symbol of their file traded (`read_ticks`).
    interval : str or Interval
        Length of a bar; a bar holds ``[open, open + interval)``, aligned to the epoch.
    quiet_limit : str or Timedelta
        Only for ticks without ids: a silence longer than this is not known to be quiet; nor is a
        shorter one that the rates around it make incredible (`analytics.silence`). With ids the
        ids decide.
    last_is_forming : bool
        Mark the last bar as still forming in ``attrs["forming"]``.

    Returns
    -------
    DataFrame
        A bars frame from the bar of the first tick to that of the last. Open and close are decided
        by (time, trade_id), or (time, row order) without ids. Volume is the exact decimal sum, so
        it does not depend on the order of the ticks. ``missing`` bars hold NaN and 0 trades: ids
        lack between two trades, and the hole covers the end of the bar, so its close is not known.

    Raises
    ------
    SeveralSymbolsError
        Ticks of more than one symbol.
    FrameError
        No ticks frame; prices that are NaN or <= 0; one id with two times; more than MAX_BARS.
    """
    spec = parse_interval(interval)
    check_ticks(ticks)
    limit_us = _quiet_limit_us(quiet_limit)
    if ticks.empty:
        return empty_bars()
    _check_single_symbol(ticks)
    trades = _sorted_trades(ticks)
    absolute = np.floor_divide(trades.time_us, spec.us)
    _check_span(trades.time_us, absolute, spec)
    first = int(absolute[0])
    number = absolute - first
    traded = _traded_bars(trades, number)
    if trades.trade_id is None:
        together = np.floor_divide(silences_together(ticks) * SECOND_US, spec.us) - first
        missing = _missing_by_silence(trades.time_us, number, limit_us, together)
    else:
        missing = _missing_by_id(trades.trade_id, number, _ids_named(ticks, "non_trade_ids"))
    bars = _fill_span(traded, _carried_close(traded, missing), missing, first, spec)
    if last_is_forming:
        bars.attrs["forming"] = bars.index[-1]
    return bars


def resample_bars(bars: pd.DataFrame, interval: str | Interval) -> pd.DataFrame:
    """Build coarser bars from finer ones.

    Equal to the bit to `resample_ticks` of the same ticks where these carry ids and no bar is
    missing. A coarse bar is ``missing`` when its last sub-bar is, otherwise ``traded`` if any
    sub-bar traded, otherwise ``quiet``; trades the finer frame hid in missing bars stay hidden.
    The forming mark moves to the coarse bar that holds it.

    Raises
    ------
    FrameError
        No bars frame, or bars that do not fit evenly into the coarser interval.
    """
    spec = parse_interval(interval)
    check_bars(bars)
    if bars.empty:
        return empty_bars()
    times_us = bar_times_us(bars.index)
    step_us = int(times_us[1] - times_us[0]) if len(bars) > 1 else spec.us
    if spec.us % step_us:
        raise FrameError(f"bars of {step_us / 1e6:g} s do not fit evenly into {spec.name}")
    number = np.floor_divide(times_us, spec.us)
    ends = np.append(np.flatnonzero(np.diff(number)), number.size - 1)
    coverage = bars["coverage"].to_numpy(dtype=object)
    with_trades = coverage == "traded"
    merged = _merged_bars(bars[with_trades], number[with_trades] - number[0])
    close = bars["close"].to_numpy(dtype=np.float64)[ends]
    coarse = _fill_span(merged, close, coverage[ends] == "missing", int(number[0]), spec)
    forming = bars.attrs.get("forming")
    if forming is not None:
        coarse.attrs["forming"] = pd.Timestamp(forming).floor(spec.timedelta)
    return coarse


def exact_sum_by_group(values: FloatArray, starts: IntArray) -> FloatArray:
    """Sum decimals group by group as if they were exact, in whatever order they come.

    Parameters
    ----------
    values : ndarray
        Non-negative finite numbers that were printed as decimals, such as quantities.
    starts : ndarray
        First position of each group, increasing from 0, as for ``numpy.add.reduceat``.

    Returns
    -------
    ndarray
        The double nearest to each group's decimal sum, while all values have at most 8 decimals.
        Otherwise, or past 2**62, the correctly rounded sum of the doubles (``math.fsum``).
    """
    if values.size == 0:
        return np.empty(0, dtype=np.float64)
    scaled = _as_scaled_integers(values)
    if scaled is None:
        stops = [*starts[1:].tolist(), values.size]
        groups = zip(starts.tolist(), stops, strict=True)
        return np.array([math.fsum(values[start:stop].tolist()) for start, stop in groups])
    integers, scale = scaled
    sums = np.add.reduceat(integers, starts)
    result: FloatArray = sums / scale
    for big in np.flatnonzero(sums > _EXACT_FLOAT):
        # numpy rounds the sum to a double before dividing; Python divides integers in one rounding.
        result[big] = int(sums[big]) / scale
    return result


def _as_scaled_integers(values: FloatArray) -> tuple[IntArray, int] | None:
    some = values[:: values.size // _PROBED + 1]
    for decimals in range(_MAX_DECIMALS + 1):
        scale = 10**decimals
        if not np.array_equal(np.rint(some * scale) / scale, some):
            continue  # nor are all of them
        integers = np.rint(values * scale)
        if integers.max() > _EXACT_FLOAT or integers.sum() > _MAX_SUM:
            return None
        if np.array_equal(integers / scale, values):
            return integers.astype(np.int64), scale
    return None


def _quiet_limit_us(quiet_limit: str | pd.Timedelta) -> int:
    allowed = "a length of time above 0, such as '5min'"
    try:
        limit = pd.Timedelta(quiet_limit)
    except ValueError as error:
        raise ParameterError("quiet_limit", quiet_limit, allowed) from error
    if pd.isna(limit) or limit <= pd.Timedelta(0):
        raise ParameterError("quiet_limit", quiet_limit, allowed)
    return int(limit / pd.Timedelta(1, unit="us"))


def _check_single_symbol(ticks: pd.DataFrame) -> None:
    symbols = sorted(str(symbol) for symbol in ticks["symbol"].unique())
    if len(symbols) > 1:
        raise SeveralSymbolsError(symbols)


def _ids_named(ticks: pd.DataFrame, name: str) -> IntArray:
    """Ids of the one symbol of `ticks` that an attribute names."""
    ids = ticks.attrs.get(name, {}).get(str(ticks["symbol"].iloc[0]), ())
    return np.unique(np.asarray(ids, dtype=np.int64))


def _sorted_trades(ticks: pd.DataFrame) -> _Trades:
    """Put ticks in (time, id) order, one row an id; in (time, row) order without ids."""
    time_us = bar_times_us(ticks.index)
    price = ticks["price"].to_numpy(dtype=np.float64)
    quantity = ticks["quantity"].to_numpy(dtype=np.float64)
    if "trade_id" not in ticks.columns:
        order = np.argsort(time_us, kind="stable")
        return _Trades(time_us[order], price[order], quantity[order], None)
    trade_id = ticks["trade_id"].to_numpy(dtype=np.int64)
    order = np.lexsort((trade_id, time_us))
    trade_id, time_us = trade_id[order], time_us[order]
    is_shared = np.isin(trade_id, _ids_named(ticks, "shared_ids"))
    again = (np.diff(trade_id, prepend=trade_id[0] - 1) == 0) & (
        np.diff(time_us, prepend=time_us[0] - 1) == 0
    )
    again &= ~is_shared
    order, trade_id, time_us = order[~again], trade_id[~again], time_us[~again]
    _check_one_time_an_id(trade_id[~is_shared[~again]])
    return _Trades(time_us, price[order], quantity[order], trade_id)


def _check_one_time_an_id(trade_id: IntArray) -> None:
    if (np.diff(trade_id) > 0).all():
        return
    ordered = np.sort(trade_id)
    twice = ordered[1:][np.diff(ordered) == 0]
    if twice.size:
        raise FrameError(
            f"trade_id {twice[0]} occurs with two different times; {twice.size} such ids. "
            "Ids of aggTrade and trade streams never mix"
        )


def _check_span(time_us: IntArray, number: IntArray, spec: Interval) -> None:
    count = int(number[-1] - number[0]) + 1
    if count > MAX_BARS:
        first, last = utc_index(time_us[[0, -1]])
        raise FrameError(
            f"ticks from {first} to {last} would make {count:,} bars of {spec.name}, "
            f"at most {MAX_BARS:,}: choose a longer interval, or mend a tick's time"
        )


def _group_starts(number: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(number, prepend=-1))


def _traded_bars(trades: _Trades, number: IntArray) -> _TradedBars:
    starts = _group_starts(number)
    ends = np.append(starts[1:], number.size)
    return _TradedBars(
        number=number[starts],
        open=trades.price[starts],
        high=np.maximum.reduceat(trades.price, starts),
        low=np.minimum.reduceat(trades.price, starts),
        close=trades.price[ends - 1],
        volume=exact_sum_by_group(trades.quantity, starts),
        trades=ends - starts,
    )


def _merged_bars(bars: pd.DataFrame, number: IntArray) -> _TradedBars:
    """Merge traded sub-bars; quiet ones carry a price nobody paid, so they are not among them."""
    starts = _group_starts(number)
    ends = np.append(starts[1:], number.size)[: starts.size]
    return _TradedBars(
        number=number[starts],
        open=bars["open"].to_numpy()[starts],
        high=np.maximum.reduceat(bars["high"].to_numpy(), starts),
        low=np.minimum.reduceat(bars["low"].to_numpy(), starts),
        close=bars["close"].to_numpy()[ends - 1],
        volume=exact_sum_by_group(bars["volume"].to_numpy(), starts),
        trades=np.add.reduceat(bars["trades"].to_numpy(dtype=np.int64), starts),
    )


def _mark(firsts: IntArray, stops: IntArray, count: int) -> BoolArray:
    """Mark the positions inside any of the half-open ranges [first, stop)."""
    edges = np.zeros(count + 1, dtype=np.int64)
    np.add.at(edges, firsts, 1)
    np.add.at(edges, stops, -1)
    return np.cumsum(edges[:-1]) > 0


def _missing_by_silence(
    time_us: IntArray, number: IntArray, limit_us: int, together: IntArray
) -> BoolArray:
    """Mark the bars strictly between two trades too far apart to be a quiet market.

    `together` holds the bars (of the last trade of any symbol, of the next one) of silences of all
    symbols: whatever this one traded in such a hole, it is not known until its next trade.
    """
    seconds = active_seconds(time_us)
    lasts = np.searchsorted(time_us, (seconds[implausible_gaps(seconds)] + 1) * SECOND_US) - 1
    long = np.union1d(np.flatnonzero(np.diff(time_us) > limit_us), lasts)
    after = np.searchsorted(number, together[:, 0], side="right")
    inside = (after > 0) & (after < number.size)
    firsts = np.concatenate([number[long], together[inside, 0]]) + 1
    stops = np.maximum(np.concatenate([number[long + 1], number[after[inside]]]), firsts)
    return _mark(firsts, stops, int(number[-1]) + 1)


def _missing_by_id(trade_id: IntArray, number: IntArray, non_trades: IntArray) -> BoolArray:
    """Mark the bars whose end lies in a hole between two known trades whose ids do not join."""
    order = np.argsort(trade_id, kind="stable")
    ids, bar = trade_id[order], number[order]
    known_between = np.diff(np.searchsorted(non_trades, ids))
    holes = np.flatnonzero(np.diff(ids) - 1 > known_between)
    firsts, stops = bar[holes], bar[holes + 1]
    forward = firsts < stops
    return _mark(firsts[forward], stops[forward], int(bar.max()) + 1)


def _carried_close(traded: _TradedBars, missing: BoolArray) -> FloatArray:
    """Carry each traded close to the next trade, but never into a missing bar."""
    latest = np.searchsorted(traded.number, np.arange(missing.size), side="right") - 1
    return np.where(missing, np.nan, traded.close[latest])


def _fill_span(
    traded: _TradedBars, close: FloatArray, missing: BoolArray, first: int, spec: Interval
) -> pd.DataFrame:
    """Lay the traded bars on the whole span: quiet ones are flat at the close, missing ones NaN."""
    code = np.full(missing.size, _QUIET)
    code[traded.number] = _TRADED
    code[missing] = _MISSING
    shown = ~missing[traded.number]
    at = traded.number[shown]
    columns: dict[str, FloatArray | IntArray] = {}
    for name in ("open", "high", "low"):
        columns[name] = close.copy()
        columns[name][at] = getattr(traded, name)[shown]
    columns["close"] = close
    columns["volume"] = np.where(missing, np.nan, 0.0)
    columns["volume"][at] = traded.volume[shown]
    columns["trades"] = np.zeros(missing.size, dtype=np.int64)
    columns["trades"][at] = traded.trades[shown]
    frame = pd.DataFrame(columns)
    frame["coverage"] = pd.Series(pd.array(list(COVERAGE), dtype="str").take(code))
    frame.index = utc_index((np.arange(missing.size, dtype=np.int64) + first) * spec.us)
    return frame
