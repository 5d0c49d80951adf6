"""A basket's log prices beside those of the bar before, with missing bars left out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray
from analytics.series import as_floats

# A series that moves less than this share of its size moves by rounding only.
_NOISE: Final = 1e-12
_COLLINEAR: Final = 1e-10
# Rows beyond the coefficients of a model.
_FREE: Final = 20
HARDLY_MOVES: Final = "a symbol hardly moves in the rows used, or only as the others do"


@dataclass(frozen=True, slots=True, eq=False)
class LaggedRows:
    """Rows whose bar before is known too, each set about its own mean: x(t), and x(t-1)."""

    now: FloatArray
    before: FloatArray

    @classmethod
    def of(cls, values: FloatArray, what: str) -> "LaggedRows":
        """Take the rows of checked values: see `check_values`.

        Raises
        ------
        NotEnoughDataError
            Fewer than 20 rows beyond a vector autoregression's coefficients.
        DegenerateSeriesError
            A symbol that hardly moves in these rows, or only as the others do.
        """
        missing: BoolArray = np.isnan(values.sum(axis=1))
        known = ~missing
        rows = np.flatnonzero(known[1:] & known[:-1]) + 1
        needed = _FREE + values.shape[1] + 1
        if rows.size < needed:
            raise NotEnoughDataError(what, needed, int(rows.size), "changes between known bars")
        now, before = _about_mean(values[rows]), _about_mean(values[rows - 1])
        for each in (now, before):
            check_rank(each, values, what)
        return cls(now, before)


def _about_mean(values: FloatArray) -> FloatArray:
    deviations: FloatArray = values - values.mean(axis=0)
    return deviations


def check_rank(rows: FloatArray, values: FloatArray, what: str) -> None:
    """Refuse rows, made of values, in which a column is rounding or follows from the others.

    `check_values` looks at every known bar; a fit looks at fewer.

    Raises
    ------
    DegenerateSeriesError
    """
    triangle = np.linalg.qr(rows, mode="r")
    lengths = np.linalg.norm(triangle, axis=0)
    rounding = _NOISE * np.nanmax(np.abs(values), axis=0)
    if (np.abs(np.diag(triangle)) <= np.maximum(_COLLINEAR * lengths, rounding)).any():
        raise DegenerateSeriesError(what, HARDLY_MOVES)


def check_values(logs: pd.DataFrame, what: str) -> FloatArray:
    """Return the columns as an array, NaN kept.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 bars known of all symbols beyond the coefficients of a model.
    DegenerateSeriesError
        A constant symbol, or exactly collinear ones.
    InvalidSeriesError
        Infinite values.
    """
    names = [str(name) for name in logs.columns]
    columns = [as_floats(logs.iloc[:, place], name) for place, name in enumerate(names)]
    values: FloatArray = np.column_stack(columns)
    known = values[~np.isnan(values).any(axis=1)]
    needed = _FREE + len(names) + 2
    if len(known) < needed:
        raise NotEnoughDataError(what, needed, len(known), "bars known of all symbols")
    for place, name in enumerate(names):
        if np.ptp(known[:, place]) <= _NOISE * np.abs(known[:, place]).max():
            raise DegenerateSeriesError(what, f"{name} is constant over {len(known)} bars")
    _check_collinear(known, names, what)
    return values


def _check_collinear(known: FloatArray, names: list[str], what: str) -> None:
    """Refuse a symbol that the ones before it reproduce, and name it."""
    deviations = _about_mean(known)
    scaled = deviations / np.sqrt((deviations**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    if left.min() <= _COLLINEAR:
        name = names[int(np.argmax(left <= _COLLINEAR))]
        raise DegenerateSeriesError(
            what, f"{name} is an exact combination of the symbols before it"
        )
