"""Spread, trailing mean and deviation, z-score, rolling correlation: trailing windows only."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analytics.errors import InvalidSeriesError, NonPositivePriceError, ParameterError
from analytics.frames import FloatArray
from analytics.series import as_float_pair, as_floats, for_kernel, index_of
from analytics.trailing import Inputs, TrailingPath, trailing_path

SpreadKind = Literal["price difference", "hedged", "log", "ratio"]
CorrelationOn = Literal["returns", "prices"]

SPREAD_KINDS: Final[tuple[SpreadKind, ...]] = get_args(SpreadKind)
CORRELATION_ON: Final[tuple[CorrelationOn, ...]] = get_args(CorrelationOn)
KINDS_WITH_BETA: Final[tuple[SpreadKind, ...]] = ("hedged", "log")

# A log return is exact to about this much, so a deviation below it is rounding, not movement.
_RETURN_ROUNDING = 4 * float(np.finfo(np.float64).eps)

BetaPath = pd.Series | float | None


def spread(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    kind: SpreadKind = "price difference",
    beta: BetaPath = None,
    alpha: BetaPath = None,
) -> pd.Series:
    """Compute the spread of a pair.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices of S1 and S2, quote currency.
    kind : str
        ``"price difference"``: y - x. ``"hedged"``: y - (alpha + beta * x).
        ``"log"``: ln y - (alpha + beta * ln x). ``"ratio"``: y / x.
    beta, alpha : float or Series, shape (n,)
        Hedge ratio and intercept, or their paths. Needed by ``"hedged"`` and ``"log"`` (there: of
        the logarithms; alpha defaults to 0), ignored by the other kinds.

    Returns
    -------
    Series, shape (n,)
        Quote currency for the first two kinds, a pure number for the others. NaN where a leg or a
        path is NaN.

    Raises
    ------
    ParameterError
        Unknown kind, or no beta where the kind needs one.
    NonPositivePriceError
        A price <= 0 for ``"log"``, or an x <= 0 for ``"ratio"``.
    InvalidSeriesError
        Different lengths or times.
    """
    if kind not in SPREAD_KINDS:
        raise ParameterError("kind", kind, f"one of {', '.join(SPREAD_KINDS)}")
    y_values, x_values = as_float_pair(y, x)
    index = index_of(y, x)
    if kind not in KINDS_WITH_BETA:
        return _on(index, plain_spread(y_values, x_values, kind), "spread")
    if beta is None:
        raise ParameterError("beta", beta, f"a number or a Series for the {kind} spread")
    if kind == "log":
        y_values, x_values = (
            log_price(y_values, "a log spread"),
            log_price(x_values, "a log spread"),
        )
    line = _path(beta, "beta", index), _path(alpha, "alpha", index)
    return _on(index, off_line(y_values, x_values, *line), "spread")


def plain_spread(y: FloatArray, x: FloatArray, kind: SpreadKind) -> FloatArray:
    """Spread of a kind that needs no line; NonPositivePriceError for a ratio to no price."""
    if kind == "price difference":
        return y - x
    check_positive(x, "a ratio spread")
    return y / x


def off_line(
    y: FloatArray, x: FloatArray, beta: FloatArray | float, alpha: FloatArray | float
) -> FloatArray:
    """What a line, or a path of lines, leaves of y: prices, or for the log spread logarithms."""
    return y - (alpha + beta * x)


def _path(value: BetaPath, name: str, index: pd.Index) -> FloatArray:
    if value is None:
        return np.zeros(1)
    if not isinstance(value, pd.Series):
        return np.atleast_1d(as_floats(np.atleast_1d(np.asarray(value, dtype=np.float64)), name))
    if not value.index.equals(index):
        raise InvalidSeriesError(f"the path of {name} has other times than the prices")
    return as_floats(value, name)


def check_positive(prices: FloatArray, what: str) -> None:
    """Raise NonPositivePriceError for any price at or below zero; NaN passes."""
    bad = prices <= 0
    if bad.any():
        raise NonPositivePriceError(what, int(bad.sum()), float(prices[bad].min()))


def log_price(prices: FloatArray, what: str) -> FloatArray:
    """Natural logarithm of prices; NaN stays NaN.

    Raises
    ------
    NonPositivePriceError
        For any price at or below zero; `what` names what needed the logarithm.
    """
    check_positive(prices, what)
    return np.log(prices)


def log_returns(prices: FloatArray, what: str = "log returns") -> FloatArray:
    """Log return of each bar over the one before, first one NaN.

    By ``log1p`` of the relative change: the difference of two logarithms loses the digits that a
    1-second return is made of. A return from or to a missing price is NaN.

    Raises
    ------
    NonPositivePriceError
        For any price at or below zero; `what` names what needed the logarithm.
    """
    check_positive(prices, what)
    from analytics.kernels.rolling import fill_log_returns  # noqa: PLC0415 - numba, when needed

    returns = np.empty(prices.size)
    returns[:1] = np.nan
    fill_log_returns(prices, 1, returns)
    return returns


def check_window(window: int, name: str = "window", least: int = 2) -> int:
    """Return a window as int; ParameterError unless it is a whole number of `least` or more."""
    if isinstance(window, bool) or not isinstance(window, int | np.integer) or window < least:
        raise ParameterError(name, window, f"a whole number of bars, {least} or more")
    return int(window)


@dataclass(frozen=True, slots=True, eq=False)
class RollingMoments:
    """Trailing mean and std, and how far the current bar lies from that mean.

    The deviation is measured inside the window: mean and value subtracted afterwards would lose,
    at prices of 100,000, the digits that a z-score near 0 consists of.
    """

    mean: pd.Series
    std: pd.Series
    deviation: pd.Series

    def zscore(self, rounding: float | FloatArray = 0.0) -> pd.Series:
        """The z of each bar as a Series, by `zscores`: NaN where the window is not full or flat."""
        values = zscores(self.deviation.to_numpy(), self.std.to_numpy(), rounding)
        return _on(self.std.index, values, "zscore")


def zscores(deviation: FloatArray, std: FloatArray, rounding: float | FloatArray) -> FloatArray:
    """Deviation over std, where each is more than `rounding` (one, or one a bar).

    Less is noise: a std of at most that has no z, NaN, and a deviation of at most that one of 0,
    not of the sign that the last digits happen to have.
    """
    from analytics.kernels.rolling import fill_scores  # noqa: PLC0415 - numba, when needed

    if not (isinstance(rounding, np.ndarray) and rounding.shape == std.shape):
        rounding = np.broadcast_to(rounding, std.shape)
    least = for_kernel(rounding)
    values = np.empty(std.size)
    fill_scores(for_kernel(deviation), for_kernel(std), least, values)
    return values


def rolling_mean_std(values: pd.Series | FloatArray, window: int) -> tuple[pd.Series, pd.Series]:
    """Trailing mean and standard deviation over `window` bars, the current one included.

    Parameters
    ----------
    values : Series or ndarray, shape (n,)
        Any unit; the results have the same.
    window : int
        Bars, 2 or more.

    Returns
    -------
    mean, std : Series, shape (n,)
        ddof 1. NaN until the window is full. A window is full when all its `window` bars are
        known: after a missing bar it fills anew. A flat window has a std of exactly 0. Each value
        equals a two-pass computation on its own window to 1e-9 relative.

    Raises
    ------
    ParameterError
        A window below 2 or not a whole number.
    """
    moments = rolling_moments(values, window)
    return moments.mean, moments.std


def rolling_moments(values: pd.Series | FloatArray, window: int) -> RollingMoments:
    """Compute `rolling_mean_std` and the deviation of the current bar in one pass."""
    path = moments_path(as_floats(values, "values"), check_window(window))
    return moments_on(index_of(values), path)


def moments_path(
    values: FloatArray, window: int, first: int = 0, before: TrailingPath | None = None
) -> TrailingPath:
    """Mean, std and deviation of each trailing window, as rows; `first` counts its first bar.

    `before` is such a path some bars ago, from which this one moves on.
    """
    from analytics.kernels.rolling import (  # noqa: PLC0415 - numba, when needed
        MOMENT_ROWS,
        SQUARES,
        SQUARES_STATE,
        SQUARES_TURN,
        rolling_squares,
    )

    def fill(inputs: Inputs, begin: int, state: FloatArray, rows: FloatArray) -> None:
        rolling_squares(inputs[0], window, begin, state, rows)
        # In place: each array of a long range that is made for a moment costs as much as the sum.
        std = rows[SQUARES, begin:]
        std /= window - 1
        np.sqrt(std, out=std)

    shape = (MOMENT_ROWS, SQUARES_STATE, SQUARES_TURN)
    return trailing_path((values,), window, shape, fill, first, before)


def moments_on(index: pd.Index, path: TrailingPath) -> RollingMoments:
    """Lay the rows of a `moments_path` on an index."""
    mean, std, deviation = path.rows
    return RollingMoments(
        mean=_on(index, mean, "spread_mean"),
        std=_on(index, std, "spread_std"),
        deviation=_on(index, deviation, "deviation"),
    )


def _on(index: pd.Index, values: FloatArray, name: str) -> pd.Series:
    """Lay an array, made for this alone, on an index."""
    return pd.Series(values, index=index, name=name, copy=False)


def zscore(
    spread: pd.Series | FloatArray, window: int, *, rounding: float | FloatArray = 0.0
) -> pd.Series:
    """Distance of the spread from its trailing mean, in trailing standard deviations.

    Parameters
    ----------
    spread : Series or ndarray, shape (n,)
    window : int
        Bars, 2 or more; trailing, the current bar included, ddof 1.
    rounding : float or ndarray, shape (n,)
        A standard deviation up to this much is rounding noise of the prices: the window counts as
        flat. So is a distance from the mean: z is 0. Same unit as the spread.

    Returns
    -------
    Series, shape (n,)
        NaN until the window is full (all its bars known), and on a flat window: never infinity.

    Raises
    ------
    ParameterError
        A window below 2 or not a whole number.
    """
    return rolling_moments(spread, window).zscore(rounding)


def rolling_correlation(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    window: int,
    on: CorrelationOn = "returns",
) -> pd.Series:
    """Trailing Pearson correlation of two legs.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices, quote currency, of the same bars.
    window : int
        Observations, 2 or more: `window` log returns (so `window` + 1 prices) or `window` prices.
    on : {"returns", "prices"}
        Log returns of one bar, or the prices themselves.

    Returns
    -------
    Series, shape (n,)
        In [-1, 1]. NaN until the window is full (all its bars known) and where a leg is flat.

    Raises
    ------
    ParameterError
        Unknown `on`, or a window below 2.
    NonPositivePriceError
        A price <= 0 on returns.
    InvalidSeriesError
        Different lengths or times.
    """
    window = check_window(window)
    if on not in CORRELATION_ON:
        raise ParameterError("on", on, f"one of {', '.join(CORRELATION_ON)}")
    y_values, x_values = as_float_pair(y, x)
    if on == "returns":
        y_values = log_returns(y_values, "correlation of log returns")
        x_values = log_returns(x_values, "correlation of log returns")
    path = correlation_path((y_values, x_values), window, on)
    return _on(index_of(y, x), path.rows[0], "correlation")


def correlation_path(
    legs: tuple[FloatArray, FloatArray],
    window: int,
    on: CorrelationOn,
    first: int = 0,
    before: TrailingPath | None = None,
) -> TrailingPath:
    """Correlate log returns or prices, as `on` says, in each trailing window: one row.

    `first` counts the first bar; `before` is such a path some bars ago, from which this one moves
    on.
    """
    from analytics.kernels.rolling import (  # noqa: PLC0415 - numba, when needed
        STATE_SIZE,
        TURN,
        rolling_correlations,
    )

    rounding = _RETURN_ROUNDING if on == "returns" else 0.0
    floor = float(rounding * np.sqrt(window))

    def fill(inputs: Inputs, begin: int, state: FloatArray, rows: FloatArray) -> None:
        rolling_correlations(inputs[0], inputs[1], window, floor, begin, state, rows[0])

    return trailing_path(legs, window, (1, STATE_SIZE, TURN), fill, first, before)
