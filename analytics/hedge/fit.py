"""What every hedge method takes and gives: the legs, the options, the fit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import BoolArray, FloatArray
from analytics.series import ROUNDING

if TYPE_CHECKING:
    from analytics.hedge.innovations import InnovationCheck


@dataclass(frozen=True, eq=False)
class HedgeFit:
    """The fit of y = alpha + beta * x.

    Attributes
    ----------
    beta, alpha
        Slope (units of y per unit of x) and intercept (units of y; 0 when left out): of a path, its
        last known value.
    nobs, dropped
        Rows used, and rows left out because y or x was NaN.
    beta_stderr, alpha_stderr
        Standard errors, of the kind `stderr_kind` names; NaN where the method has none. The
        classical ones are too small on prices, whose residuals are autocorrelated.
    beta_hac_stderr, alpha_hac_stderr, hac_lags
        Beside those of `stderr_kind`: errors that allow for the residual's memory, as
        `analytics.hedge.long_run` has them, or Newey-West with `hac_lags` lags where those were
        asked for. NaN where the method has none, or too few bars.
    beta_interval
        95 % interval of beta: 1.96 standard errors (HAC where there are such), or the method's own;
        NaN where none that was tried holds beta often enough. An end may be infinite.
    r_squared
        Centred with intercept, uncentred without (as NIST and statsmodels do); of the last window
        for a rolling line; NaN for the Kalman filter, whose line moves at every bar.
    residual_std
        Square root of SSR over (nobs - number of coefficients), units of y.
    causal
        True where the value at bar t uses bars up to t only.
    looks_back
        In words: which bars the estimate has seen.
    settings
        What was chosen or estimated on the way, by name: window, lags, noise variances.
    paths, index
        Arrays over all rows given, by name, and the times of the rows: see the properties.
    """

    beta: float
    alpha: float
    nobs: int
    dropped: int
    beta_stderr: float
    alpha_stderr: float
    r_squared: float
    residual_std: float
    method: str
    intercept: bool
    causal: bool
    looks_back: str
    y_name: str
    x_name: str
    reference: str
    stderr_kind: str = "classical"
    beta_hac_stderr: float = math.nan
    alpha_hac_stderr: float = math.nan
    hac_lags: int = 0
    beta_interval: tuple[float, float] = (math.nan, math.nan)
    settings: tuple[tuple[str, float], ...] = ()
    paths: Mapping[str, FloatArray] = field(default_factory=dict)
    index: pd.Index = field(default_factory=lambda: pd.RangeIndex(0))

    @cached_property
    def beta_path(self) -> pd.Series | None:
        """Slope at each row, NaN where not known; None for a method without a path."""
        return self._path("beta", "hedge_ratio")

    @cached_property
    def alpha_path(self) -> pd.Series | None:
        """Intercept at each row."""
        return self._path("alpha", "intercept")

    @cached_property
    def beta_stderr_path(self) -> pd.Series | None:
        """Standard error of the slope at each row."""
        return self._path("beta_stderr", "hedge_ratio_stderr")

    @cached_property
    def level(self) -> pd.Series | None:
        """Kalman with a residual that returns: how far y stands from its line; else None."""
        return self._path("level", "level")

    @cached_property
    def level_variance(self) -> pd.Series | None:
        """Variance about 0 that the model gives that level in the long run."""
        return self._path("level_variance", "level_variance")

    @cached_property
    def forecast_error(self) -> pd.Series | None:
        """Kalman: y less its forecast from the bars before; None for other methods."""
        return self._path("forecast_error", "forecast_error")

    @cached_property
    def forecast_variance(self) -> pd.Series | None:
        """Kalman: the variance that the filter gives that error."""
        return self._path("forecast_variance", "forecast_variance")

    @cached_property
    def innovations(self) -> "InnovationCheck | None":
        """Kalman: whether the forecast errors behave as the model says; None with fewer than 30."""
        from analytics.hedge.innovations import check_innovations  # noqa: PLC0415 - when asked for

        if "forecast_error" not in self.paths:
            return None
        try:
            return check_innovations(self.paths["forecast_error"], self.paths["forecast_variance"])
        except NotEnoughDataError:
            return None

    def _path(self, name: str, label: str) -> pd.Series | None:
        values = self.paths.get(name)
        if values is None:
            return None
        return pd.Series(values, index=self.index, name=label, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Two legs of the same times; `y`, `x` hold the complete rows only, `all_y`, `all_x` all."""

    all_y: FloatArray
    all_x: FloatArray
    known: BoolArray
    index: pd.Index
    y_name: str
    x_name: str
    y: FloatArray
    x: FloatArray

    @classmethod
    def of(cls, y: FloatArray, x: FloatArray, index: pd.Index, y_name: str, x_name: str) -> "Legs":
        """Split off the rows that are known on both legs."""
        known = ~(np.isnan(y) | np.isnan(x))
        if known.all():
            return cls(y, x, known, index, y_name, x_name, y, x)
        return cls(y, x, known, index, y_name, x_name, y[known], x[known])

    @property
    def what(self) -> str:
        """The statistic as messages name it."""
        return f"hedge ratio of {self.y_name} on {self.x_name}"

    @property
    def nobs(self) -> int:
        """Complete rows."""
        return int(self.y.size)

    @property
    def last(self) -> int:
        """Row of the last complete one."""
        return int(np.flatnonzero(self.known)[-1]) if self.nobs < self.known.size else self.nobs - 1

    @property
    def dropped(self) -> int:
        """Rows with NaN on either leg."""
        return int(self.known.size - self.y.size)

    def need(self, rows: int) -> None:
        """Raise NotEnoughDataError for fewer complete rows."""
        if self.nobs < rows:
            raise NotEnoughDataError(self.what, rows, self.nobs, "complete rows")

    def check_x_varies(self, intercept: bool = True) -> None:
        """Raise DegenerateSeriesError for a constant x (zero, without intercept)."""
        least, most = float(self.x.min()), float(self.x.max())
        size = max(abs(least), abs(most))
        if not intercept:
            if size == 0:
                raise DegenerateSeriesError(self.what, f"{self.x_name} is zero in all rows")
        elif most - least <= ROUNDING * size:
            raise DegenerateSeriesError(
                self.what, f"{self.x_name} is constant at {self.x[0]:g} over {self.x.size} rows"
            )

    def check_y_varies(self) -> None:
        """Raise DegenerateSeriesError for a constant y, which the method cannot take."""
        if float(np.ptp(self.y)) <= ROUNDING * float(np.abs(self.y).max()):
            raise DegenerateSeriesError(
                self.what, f"{self.y_name} is constant at {self.y[0]:g} over {self.y.size} rows"
            )

    def path(self, values: FloatArray, name: str) -> pd.Series:
        """Lay values, made for this fit alone, over all rows."""
        return pd.Series(values, index=self.index, name=name, copy=False)


def fit_quality(
    legs: Legs, beta: float, alpha: float, intercept: bool = True
) -> tuple[float, float]:
    """R squared (centred with intercept) and residual std of a line on the complete rows."""
    from analytics.kernels.lines import line_squares  # noqa: PLC0415 - numba, when needed

    y_squares, squares = line_squares(legs.y, legs.x, beta, alpha, intercept)
    free = legs.nobs - (2 if intercept else 1)
    r_squared = 1.0 - squares / y_squares if y_squares > 0 else math.nan
    return r_squared, math.sqrt(squares / free) if free > 0 else math.nan


def only_with_intercept(method: str, intercept: bool) -> None:
    """ParameterError for a method that is not defined through the origin."""
    if not intercept:
        raise ParameterError("intercept", intercept, f"True with method {method!r}")


def check_options(method: str, options: Mapping[str, object], *known: str) -> None:
    """ParameterError for an option the method does not have."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        allowed = f"among {', '.join(known)}" if known else f"empty: method {method!r} has none"
        raise ParameterError("options", unknown, allowed)


def whole_option(options: Mapping[str, object], name: str, default: int, least: int) -> int:
    """Return a whole number of at least `least`."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ParameterError(name, value, f"a whole number, {least} or more")
    return int(value)


def positive_option(options: Mapping[str, object], name: str) -> float:
    """Return a finite number above 0."""
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        raise ParameterError(name, value, "a number above 0")
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ParameterError(name, value, "a finite number above 0")
    return number
