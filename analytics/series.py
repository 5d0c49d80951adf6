"""Series and arrays as the statistics take them: float64, one-dimensional, of the same times."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analytics.errors import InvalidSeriesError
from analytics.frames import BoolArray, FloatArray


def series_name(values: pd.Series | FloatArray, fallback: str) -> str:
    """Name of a Series, or the fallback for an array or a nameless Series."""
    name = getattr(values, "name", None)
    return fallback if name is None else str(name)


def as_floats(values: pd.Series | FloatArray, name: str = "series") -> FloatArray:
    """Turn a Series or array into one-dimensional float64; NaN stays.

    Raises
    ------
    InvalidSeriesError
        For numbers that are none, more than one dimension, or infinite values.
    """
    try:
        floats = np.asarray(
            values.to_numpy(dtype=np.float64, na_value=np.nan)
            if isinstance(values, pd.Series)
            else values,
            dtype=np.float64,
        )
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"{name} must hold numbers: {error}") from error
    if floats.ndim != 1:
        raise InvalidSeriesError(f"{name} must have one dimension, had shape {floats.shape}")
    if not np.isfinite(floats).all() and np.isinf(floats).any():
        infinite = int(np.isinf(floats).sum())
        raise InvalidSeriesError(f"{name} holds {infinite} infinite values of {floats.size}")
    return for_kernel(floats)


def for_kernel(values: FloatArray) -> FloatArray:
    """Give the one memory layout: a read-only or strided one would make numba compile again."""
    return _writeable(np.ascontiguousarray(values, dtype=np.float64))


def _writeable(floats: FloatArray) -> FloatArray:
    """Lift pandas' mark of a read-only view where the memory allows it, else copy.

    Nothing here writes to what it is given; the mark alone would cost a copy of each series.
    """
    if floats.flags.writeable:
        return floats
    view = floats.view()
    try:
        view.flags.writeable = True
    except ValueError:
        return floats.copy()
    return view


def as_float_pair(
    y: pd.Series | FloatArray, x: pd.Series | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Turn two legs into arrays, after checking that their rows belong together.

    Raises
    ------
    InvalidSeriesError
        Different lengths; two Series with different indexes; and as `as_floats`.
    """
    y_name, x_name = series_name(y, "y"), series_name(x, "x")
    y_values, x_values = as_floats(y, y_name), as_floats(x, x_name)
    if y_values.size != x_values.size:
        raise InvalidSeriesError(
            f"{y_name} and {x_name} must have the same length, "
            f"had {y_values.size} and {x_values.size}"
        )
    if isinstance(y, pd.Series) and isinstance(x, pd.Series) and not y.index.equals(x.index):
        raise InvalidSeriesError(f"{y_name} and {x_name} have different times: align them first")
    return y_values, x_values


def same_bits(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Whether two arrays of one length are equal to the bit; so NaN may equal NaN."""
    if left.ctypes.data == right.ctypes.data and left.strides == right.strides:
        return True  # they are the same memory
    whole = np.dtype(f"i{left.dtype.itemsize}")
    return bool((left.view(whole) == right.view(whole)).all())


def index_of(*values: pd.Series | FloatArray) -> pd.Index:
    """Index of the first Series given, or a plain count when all are arrays."""
    for item in values:
        if isinstance(item, pd.Series):
            return item.index
    return pd.RangeIndex(len(values[0]))


def longest_run(known: BoolArray) -> slice:
    """Rows of the longest unbroken run of known ones, the latest among equals."""
    edges = np.r_[-1, np.flatnonzero(~known), known.size]
    lengths = np.diff(edges) - 1
    longest = lengths.size - 1 - int(np.argmax(lengths[::-1]))
    return slice(int(edges[longest]) + 1, int(edges[longest + 1]))


ROUNDING = 4 * np.finfo(np.float64).eps


def centred(values: FloatArray) -> tuple[FloatArray, float]:
    """Subtract the mean, twice: the second pass removes what the first mean was rounded by."""
    mean = float(values.mean())
    deviations = values - mean
    rest = float(deviations.mean())
    return deviations - rest, mean + rest


def interval_95(value: float, stderr: float) -> tuple[float, float]:
    """Two-sided 95 % interval by the normal distribution."""
    return value - 1.959963984540054 * stderr, value + 1.959963984540054 * stderr
