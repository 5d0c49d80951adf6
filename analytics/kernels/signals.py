"""z and quantities of every bar for one window, in one pass each: what a sweep repeats."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled
from analytics.kernels.rolling import (
    DEVIATION,
    MOMENT_ROWS,
    SQUARES,
    SQUARES_STATE,
    SQUARES_TURN,
    rolling_squares,
    score_of,
)
from analytics.kernels.settle import X_UNITS, Y_UNITS

# How a spread is made of its legs.
DIFFERENCE: Final = 0
WITH_BETA: Final = 1
RATIO: Final = 2

# How many units of x go with one of y.
ONE: Final = 0
BETA: Final = 1
BETA_OF_MONEY: Final = 2
EQUAL_MONEY: Final = 3


@compiled
def spread_scores(
    y: FloatArray, x: FloatArray, beta: FloatArray, alpha: FloatArray, kind: int, window: int,
    rounding: float, first: int, z: FloatArray,
) -> None:  # fmt: skip
    """Fill the z-score of the spread of two legs, which for the log spread are logarithms.

    NaN where the window is not full, or its std no more than `rounding` of the numbers that the
    bar's spread is the difference of; 0 where no more than that lies off the mean. Sums are renewed
    by the number of a bar, from `first` on.
    """
    path, size = np.empty(y.size), np.empty(y.size)
    for t in range(y.size):
        if kind == RATIO:
            path[t] = y[t] / x[t]
            size[t] = abs(path[t])
        elif kind == WITH_BETA:
            path[t] = y[t] - (alpha[t] + beta[t] * x[t])
            size[t] = abs(y[t]) + abs(beta[t]) * abs(x[t]) + abs(alpha[t])
        else:
            path[t] = y[t] - x[t]
            size[t] = abs(y[t]) + abs(x[t])
    moments = np.empty((MOMENT_ROWS, y.size))
    state = np.zeros(SQUARES_STATE)
    state[SQUARES_TURN] = (first - 1) % window
    rolling_squares(path, window, 0, state, moments)
    for t in range(y.size):
        std = np.sqrt(moments[SQUARES, t] / (window - 1))
        z[t] = score_of(moments[DEVIATION, t], std, rounding * size[t])


@compiled
def position_units(
    y: FloatArray, x: FloatArray, beta: FloatArray, kind: int, notional: float, units: FloatArray,
    z: FloatArray,
) -> None:  # fmt: skip
    """Fill the quantities of a long position, together worth `notional`; without them no z."""
    for t in range(y.size):
        ratio = 1.0
        if kind == BETA:
            ratio = beta[t]
        elif kind == BETA_OF_MONEY:
            ratio = beta[t] * y[t] / x[t]
        elif kind == EQUAL_MONEY:
            ratio = y[t] / x[t]
        units[Y_UNITS, t] = notional / (y[t] + abs(ratio) * x[t])
        units[X_UNITS, t] = -ratio * units[Y_UNITS, t]
        if np.isnan(units[Y_UNITS, t]):
            z[t] = np.nan
