"""Signals of many windows over one market: what does not depend on the window is computed once."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.market import Market, Signals, signals
from analytics.backtest.rules import BacktestRules
from analytics.frames import FloatArray, first_bar
from analytics.hedge import FILTERS
from analytics.pair import SPREAD_ROUNDING, PairParams, fitted_legs, make_spread
from analytics.series import ROUNDING, as_floats

# As `analytics.kernels.signals` numbers them; that module is imported with numba, when needed.
_KINDS: Final = {"price difference": 0, "hedged": 1, "log": 1, "ratio": 2}
_RATIOS: Final = {"price difference": 0, "hedged": 1, "log": 2, "ratio": 3}
_EQUAL_MONEY: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class WindowSignals:
    """Makes the signals of any window, equal to `analytics.backtest.market.signals` to the bit.

    Attributes
    ----------
    market, params, rules
        Of all windows; the window of `params` plays no part.
    closes, legs
        Closes of y and x, and what the hedge ratio relates: the same, or their logarithms.
    line
        Hedge ratio and intercept of every bar; None where each window has its own.
    """

    market: Market
    params: PairParams
    rules: BacktestRules
    closes: tuple[FloatArray, FloatArray]
    legs: tuple[FloatArray, FloatArray]
    line: tuple[FloatArray, FloatArray] | None

    @classmethod
    def of(cls, market: Market, params: PairParams, rules: BacktestRules) -> "WindowSignals":
        """Compute what all windows share."""
        closes, line = _floats(market.y, market.x), None
        legs = _floats(*fitted_legs(market.y, market.x, params))
        has_line = params.hedge != "rolling_ols" or params.hedge_window is not None
        if has_line and not rules.is_fitted:
            pair_spread = make_spread(market.y, market.x, params)
            line = _floats(pair_spread.hedge_ratio, pair_spread.intercept)
        return cls(market, params, rules, closes, legs, line)

    @property
    def has_window(self) -> bool:
        """Whether z depends on the window: a Kalman filter has a scale of its own."""
        is_filter = self.params.uses_beta and self.params.hedge in FILTERS
        return self.rules.is_fitted or not is_filter

    def at(self, window: int) -> Signals:
        """z, hedge ratio and quantities of every bar for a window, in bars."""
        if not self.has_window or self.rules.is_fitted:
            return signals(self.market, replace(self.params, window=window), self.rules)
        from analytics.kernels import signals as kernel  # noqa: PLC0415 - numba, when needed

        size, spread = self.market.size, self.params.spread
        beta, alpha = self._line(window)
        z, units = np.empty(size), np.empty((2, size))
        first = first_bar(self.market.y.index)
        kernel.spread_scores(
            *self.legs, beta, alpha, _KINDS[spread], window, SPREAD_ROUNDING, first, z
        )
        ratio = _EQUAL_MONEY if self.rules.sizing == "dollar" else _RATIOS[spread]
        kernel.position_units(*self.closes, beta, ratio, self.rules.notional, units, z)
        return Signals(z, beta, units)

    def _line(self, window: int) -> tuple[FloatArray, FloatArray]:
        if self.line is not None:
            return self.line
        from analytics.kernels.line_paths import (  # noqa: PLC0415 - numba, when needed
            ALPHA,
            BETA,
            LINE_ROWS,
            rolling_lines,
        )
        from analytics.kernels.rolling import COUNTED_ROWS  # noqa: PLC0415

        path, last = np.empty((LINE_ROWS, self.market.size)), np.empty(COUNTED_ROWS)
        bars = replace(self.params, window=window).hedge_options["window"]
        rolling_lines(*self.legs, bars, ROUNDING, path, last)
        return path[BETA], path[ALPHA]


def _floats(first: pd.Series, second: pd.Series) -> tuple[FloatArray, FloatArray]:
    return as_floats(first), as_floats(second)
