"""Prices and quantities: whole units of 1e-8, doubles, and decimals of Parquet."""

from decimal import Decimal
from typing import Any, Final, TypeGuard

import numpy as np

from ingest.errors import LakeError
from ingest.store.bars import BoolArray, FloatArray, IntArray
from ingest.store.schema import EXACT_UNITS, UNITS

_DECIMALS: Final = 8
_NARROW, _WIDE = 18, 38  # digits of a decimal in 8 bytes, and in 16
_NARROW_END: Final = 10**_NARROW
_WORDS: Final = 2  # of eight bytes, in a decimal of Arrow's
_MOST_UNITS: Final = 2.0**63


def are_doubles(values: IntArray | FloatArray) -> TypeGuard[FloatArray]:
    """Whether numbers are doubles, not units."""
    return values.dtype == np.float64


def as_doubles(values: IntArray | FloatArray) -> FloatArray:
    """Doubles nearest to the decimals, as the database's reader has them."""
    if are_doubles(values):
        return values
    doubles: FloatArray = values / UNITS
    for big in np.flatnonzero(values >= EXACT_UNITS):
        # numpy rounds to a double before dividing; Python divides integers in one rounding.
        doubles[big] = int(values[big]) / UNITS
    return doubles


def as_units(values: IntArray | FloatArray) -> IntArray | FloatArray:
    """Units of 1e-8 where all values are exact in them; else the doubles as they are."""
    if not are_doubles(values):
        return values.astype(np.int64, copy=False)
    rounded = np.rint(values * UNITS)
    small = rounded < EXACT_UNITS
    if not np.array_equal(rounded[small] / UNITS, values[small]):
        return values
    units = np.where(small, rounded, 0.0).astype(np.int64)
    for big in np.flatnonzero(~small):
        printed = Decimal(repr(float(values[big]))) * UNITS
        if printed >= 2**63 or printed != int(printed):
            return values
        units[big] = int(printed)
    return units


def volume_units(values: IntArray | FloatArray) -> FloatArray | IntArray:
    """Units of 1e-8, rounded as the database rounds what has more decimals.

    As floats where the values are doubles: they may be beyond int64.
    """
    return np.rint(values * UNITS) if are_doubles(values) else values


def fits(units: FloatArray) -> BoolArray:
    """Which of the sums, as doubles, are within BIGINT."""
    within: BoolArray = units < _MOST_UNITS
    return within


def decimal_type(values: IntArray | FloatArray) -> Any:
    """Type of Arrow's that holds all values: DECIMAL(18, 8), or a wider one."""
    import pyarrow as pa  # noqa: PLC0415 - nobody but the lake needs it

    if are_doubles(values):
        exponents = [_printed(value).as_tuple().exponent for value in values.tolist()]
        decimals = max((-int(each) for each in exponents), default=0)
        # One more than units of 1e-8 have, so that a column of doubles is known by its scale.
        return pa.decimal128(_WIDE, min(max(decimals, _DECIMALS + 1), _WIDE))
    is_narrow = not values.size or int(values.max()) < _NARROW_END
    return pa.decimal128(_NARROW if is_narrow else _WIDE, _DECIMALS)


def to_decimals(values: IntArray | FloatArray, kind: Any) -> Any:
    """Arrow decimals of a type that `decimal_type` gave.

    Raises
    ------
    LakeError
        A number that 38 digits do not hold.
    """
    import pyarrow as pa  # noqa: PLC0415

    if are_doubles(values):
        try:
            return pa.array([_printed(value) for value in values.tolist()], type=kind)
        except (pa.ArrowException, ValueError) as error:
            raise LakeError(f"a price or quantity needs over {_WIDE} digits: {error}") from error
    words = np.zeros((values.size, _WORDS), dtype=np.int64)
    words[:, 0] = values
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(words)])


def from_decimals(column: Any) -> IntArray | FloatArray:
    """Units of 1e-8 of a column with eight decimals that fit; else the nearest doubles."""
    import pyarrow as pa  # noqa: PLC0415

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.type.scale != _DECIMALS:
        doubles: FloatArray = array.cast(pa.string()).cast(pa.float64()).to_numpy()
        return doubles
    words = np.frombuffer(array.buffers()[1], dtype=np.int64).reshape(-1, _WORDS)
    return np.ascontiguousarray(words[array.offset : array.offset + len(array), 0])


def _printed(value: float) -> Decimal:
    """The shortest decimal that means this double: the one it was read from, up to 15 digits."""
    return Decimal(repr(value))
