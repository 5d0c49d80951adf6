"""What a chart holds of its series at one moment, and the bytes that bring another there.

A frame is a few tables; a column holds whole numbers of a decimal step, so that what does not
change is equal to the bit and what is printed with decimals comes back as printed. Given the
frame that a reader has, only what differs from it is packed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

Codes = NDArray[np.int64]

UNKNOWN: Final = np.int64(-(2**62))
UNKNOWN_STEP: Final = -(2**31)
WIDEST_STEP: Final = 2**31 - 1
# Levels between the lowest and the highest value of a series: far finer than any screen.
LEVELS: Final = (2e5, 1e6, 5e7)


@dataclass(frozen=True, eq=False)
class Column:
    """Whole numbers of a decimal step.

    Attributes
    ----------
    codes
        Value times ten to the `decimals`, rounded; `UNKNOWN` where not known.
    decimals
        May be negative for large numbers.
    """

    codes: Codes
    decimals: int


Table = dict[str, Column]


@dataclass(frozen=True, eq=False)
class Frame:
    """All tables of a chart; `number` names it between server and browser."""

    number: int
    tables: Mapping[str, Table]


def coded(values: NDArray[np.floating], decimals: int) -> Column:
    """Round values to a decimal step; NaN becomes `UNKNOWN`."""
    scaled = np.rint(values * 10.0**decimals)
    known = np.isfinite(scaled)
    if known.all():
        return Column(scaled.astype(np.int64), decimals)
    codes = np.full(len(values), UNKNOWN)
    codes[known] = scaled[known].astype(np.int64)
    return Column(codes, decimals)


def fitting_decimals(values: NDArray[np.floating], shown: int, before: int | None) -> int:
    """Choose a step fine enough to draw with, and never coarser than what is shown in words.

    Parameters
    ----------
    values
        The series.
    shown
        Decimals that its hover prints.
    before
        The choice at the last refresh, kept while it still fits: a new step changes every code.
    """
    known = values[np.isfinite(values)]
    span = float(np.ptp(known)) if len(known) else 0.0
    if span == 0.0:
        return shown if before is None else before
    if before is not None and before >= shown:
        levels = span * 10.0**before
        if LEVELS[0] <= levels and (levels <= LEVELS[2] or before == shown):
            return before
    return max(shown, math.ceil(math.log10(LEVELS[1] / span)))


def packed(frame: Frame, had: Frame | None, head: Mapping[str, Any]) -> bytes:
    """Pack a frame, or what brings `had` there.

    Returns
    -------
    bytes
        Length of the header (4 bytes, little endian), the header as JSON, the columns' bytes.
        A column has rows ``[keep[0], keep[1])`` in common with the one that was had, which has
        them `shift` rows further on; the other rows are in the bytes.
    """
    described: dict[str, list[dict[str, Any]]] = {}
    pieces: list[bytes] = []
    for name, table in frame.tables.items():
        old = had.tables.get(name) if had is not None else None
        described[name] = [_packed_column(each, pieces) for each in _changes(table, old)]
    fields = {**head, "number": frame.number, "had": had.number if had else None}
    header = orjson.dumps({**fields, "tables": described})
    return b"".join([len(header).to_bytes(4, "little"), header, *pieces])


@dataclass(frozen=True, eq=False)
class _Change:
    name: str
    column: Column
    shift: int
    keep: tuple[int, int]


def _changes(table: Table, old: Table | None) -> list[_Change]:
    """Tell for each column which rows the reader has already."""
    if old is None or table.keys() != old.keys():
        return [_Change(name, column, 0, (0, 0)) for name, column in table.items()]
    start, end, shift = common_rows(old["time"].codes, table["time"].codes)
    changes = []
    for name, column in table.items():
        before = old[name]
        keep = (0, 0)
        if before.decimals == column.decimals:
            same = column.codes[start:end] == before.codes[start + shift : end + shift]
            first, last = longest_run(same)
            keep = (start + first, start + last)
        changes.append(_Change(name, column, shift, keep))
    return changes


def common_rows(old: Codes, new: Codes) -> tuple[int, int, int]:
    """Find the longest block of times that both have.

    Returns
    -------
    tuple
        Start and end of the block in `new`, and how many rows further on it stands in `old`.
    """
    if not len(old) or not len(new):
        return 0, 0, 0
    places = np.searchsorted(old, new)
    matched = old[np.minimum(places, len(old) - 1)] == new
    shifts = places - np.arange(len(new))
    # A block is a run of matches that all lie equally far on.
    joined = matched[1:] & matched[:-1] & (shifts[1:] == shifts[:-1])
    first, last = longest_run(joined)
    if first == last:
        return 0, 0, 0
    return first, last + 1, int(shifts[first])


def longest_run(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and end of the longest run of true; (0, 0) where there is none."""
    # Runs stand between places that are false, the ends among them.
    breaks = np.concatenate([[-1], np.flatnonzero(~mask), [len(mask)]])
    longest = int((breaks[1:] - breaks[:-1]).argmax())
    start, end = int(breaks[longest]) + 1, int(breaks[longest + 1])
    return (start, end) if start < end else (0, 0)


def _packed_column(change: _Change, pieces: list[bytes]) -> dict[str, Any]:
    """Describe a column and put its new rows to the pieces: steps of 4 bytes, or plain numbers."""
    first, last = change.keep
    codes = change.column.codes
    sent = np.concatenate([codes[:first], codes[last:]])
    steps, start = _steps(sent)
    description = {
        "name": change.name,
        "rows": len(codes),
        "decimals": change.column.decimals,
        "keep": [first, last],
        "shift": change.shift,
        "start": start,
        "plain": steps is None,
    }
    if steps is None:
        pieces.append(np.where(sent == UNKNOWN, np.nan, sent.astype(np.float64)).tobytes())
    else:
        # The four bytes of each step apart: those above the lowest are mostly equal, so they
        # compress to little.
        pieces.append(steps.view(np.uint8).reshape(-1, 4).T.tobytes())
    return description


def _steps(codes: Codes) -> tuple[NDArray[np.int32] | None, int]:
    """Give each code as its distance from the one known before it; None where one is too wide."""
    known = codes != UNKNOWN
    if not known.any():
        return np.full(len(codes), UNKNOWN_STEP, dtype=np.int32), 0
    values = codes[known]
    distances = np.zeros(len(values), dtype=np.int64)
    np.subtract(values[1:], values[:-1], out=distances[1:])
    if np.abs(distances).max() > WIDEST_STEP:
        return None, 0
    steps = np.full(len(codes), UNKNOWN_STEP, dtype=np.int32)
    steps[known] = distances
    return steps, int(values[0])
