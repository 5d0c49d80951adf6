"""From z-score to SELL, BUY or NEUTRAL, with the reason in a trader's words."""

import math
from dataclasses import dataclass
from typing import Final, Literal, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.errors import ParameterError
from analytics.frames import FloatArray

CodeArray = npt.NDArray[np.int8]
Signal = Literal["SELL", "BUY", "NEUTRAL"]
SIGNALS: Final[tuple[Signal, ...]] = ("SELL", "BUY", "NEUTRAL")
_SELL, _BUY, _NEUTRAL = SIGNALS
_FROM_NEUTRAL: Final = {
    name: np.int8(SIGNALS.index(name) - SIGNALS.index(_NEUTRAL)) for name in (_SELL, _BUY)
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """z above `sell_above` is SELL, below `buy_below` is BUY; `name` says so in plain words."""

    sell_above: float
    buy_below: float
    name: str
    label: str


DEFAULT_THRESHOLDS: Final = Thresholds(2.0, 0.0, "above 2 or below 0", "z > +2 SELL, z < 0 BUY")
SYMMETRIC: Final = Thresholds(2.0, -2.0, "beyond 2 either way", "z > +2 SELL, z < −2 BUY")
PRESETS: Final[tuple[Thresholds, ...]] = (DEFAULT_THRESHOLDS, SYMMETRIC)


@dataclass(frozen=True, slots=True)
class SignalNow:
    """The signal of the latest closed bar.

    Attributes
    ----------
    signal
        SELL (S1 against S2), BUY or NEUTRAL.
    zscore
        Pure number; NaN where it is not known.
    time
        Open time of the bar, UTC; None while there is no bar at all.
    reason
        Why, in words: ``"z = +2.31 is above +2.00"``, ``"window not full: 42 of 60 bars"``.
    """

    signal: Signal
    zscore: float
    time: pd.Timestamp | None
    reason: str


@dataclass(frozen=True, slots=True)
class SignalChange:
    """A bar at which the signal changed: open time, UTC; before and after; its z-score or NaN."""

    time: pd.Timestamp
    previous: Signal
    signal: Signal
    zscore: float


def check_thresholds(sell_above: float, buy_below: float) -> None:
    """ParameterError unless both are finite and sell_above is not below buy_below."""
    for name, value in (("sell_above", sell_above), ("buy_below", buy_below)):
        if not math.isfinite(value):
            raise ParameterError(name, value, "a finite number")
    if sell_above < buy_below:
        raise ParameterError(
            "sell_above",
            sell_above,
            f"not below buy_below ({buy_below:g}): both would hold at once",
        )


@overload
def signal_for(zscore: float, sell_above: float = 2.0, buy_below: float = 0.0) -> Signal: ...
@overload
def signal_for(zscore: pd.Series, sell_above: float = 2.0, buy_below: float = 0.0) -> pd.Series: ...
def signal_for(
    zscore: float | pd.Series, sell_above: float = 2.0, buy_below: float = 0.0
) -> Signal | pd.Series:
    """Turn a z-score into a signal; a Series elementwise.

    Parameters
    ----------
    zscore : float or Series
        Pure number.
    sell_above, buy_below : float
        SELL strictly above the one, BUY strictly below the other, otherwise NEUTRAL.

    Returns
    -------
    str or Series of str
        ``"SELL"``, ``"BUY"`` or ``"NEUTRAL"``; NaN is NEUTRAL.

    Raises
    ------
    ParameterError
        A threshold that is not finite, or `sell_above` below `buy_below`.
    """
    check_thresholds(sell_above, buy_below)
    if isinstance(zscore, pd.Series):
        values = zscore.to_numpy(dtype=np.float64, na_value=np.nan)
        return signal_names(signal_codes(values, sell_above, buy_below), zscore.index)
    if zscore > sell_above:
        return _SELL
    return _BUY if zscore < buy_below else _NEUTRAL


def signal_codes(zscore: FloatArray, sell_above: float, buy_below: float) -> CodeArray:
    """Turn z-scores into places in `SIGNALS`; NaN is NEUTRAL."""
    sells = zscore > sell_above
    buys = (zscore < buy_below) & ~sells
    # Bytes are added up: to choose at every bar takes ten times as long.
    codes: CodeArray = sells.view(np.int8) * _FROM_NEUTRAL[_SELL]
    codes += buys.view(np.int8) * _FROM_NEUTRAL[_BUY]
    return codes + np.int8(SIGNALS.index(_NEUTRAL))


def signal_names(codes: CodeArray, index: pd.Index) -> pd.Series:
    """Spell out places in `SIGNALS`."""
    names = pd.array(list(SIGNALS), dtype="str").take(codes)
    return pd.Series(names, index=index, name="signal", copy=False)


def reason_for(zscore: float, sell_above: float, buy_below: float) -> str:
    """Say in words which threshold a known z-score passed, or between which it lies."""
    signal = signal_for(zscore, sell_above, buy_below)
    if signal == _SELL:
        return f"z = {zscore:+.2f} is above {sell_above:+.2f}"
    if signal == _BUY:
        return f"z = {zscore:+.2f} is below {_signed(buy_below)}"
    return f"z = {zscore:+.2f} is between {_signed(buy_below)} and {sell_above:+.2f}"


def _signed(value: float) -> str:
    """Format a threshold with its sign, zero without one."""
    return f"{value:+.2f}" if value else "0"


def signal_changes(codes: CodeArray, zscore: pd.Series, limit: int = 20) -> list[SignalChange]:
    """List the bars at which the signal changed, latest first.

    Parameters
    ----------
    codes : ndarray of int8, shape (n,)
        Places in `SIGNALS`, as `signal_codes` gives them; where a gate is closed, of NEUTRAL.
    zscore : Series, shape (n,)
        Indexed by bar open time, UTC.
    limit : int
        At most this many changes.

    Returns
    -------
    list of SignalChange
        The first bar is no change. Bars without a z-score are NEUTRAL, so a hole in the data ends
        a signal.
    """
    rows = (np.flatnonzero(codes[1:] != codes[:-1]) + 1)[::-1][:limit]
    names = [[SIGNALS[code] for code in codes[each].tolist()] for each in (rows - 1, rows)]
    values = zscore.to_numpy()[rows].tolist()
    return list(map(SignalChange, zscore.index[rows], *names, values))
