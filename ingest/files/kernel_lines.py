"""Lines of one layout into columns, byte by byte, compiled: the fast way through regular files.

A layout is the bytes that all lines share, and between them slots for values. A line that departs
from it by a byte, or holds a value whose meaning is not plain, ends the reading: the caller then
gives the same lines to the careful way. What is read is therefore exactly what that would read.

Importing numba takes half a second: import this inside the function that needs it.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., object])

# What a slot holds. SKIP_*: checked, not kept.
SKIP_TEXT, SKIP_NUMBER, SKIP_BOOL, SYMBOL, ISO_TIME, INT_TIME = range(6)
PRICE, QUANTITY, ID, MAKER, RAW_ID = range(6, 11)

_NEWLINE, _DOT, _ZERO, _QUOTE, _BACKSLASH, _SMALL_A = 10, 46, 48, 34, 92, 97
_MOST_DIGITS: Final = 18
_EXACT: Final = 2**53  # below it a mantissa is a double, and so is 10**22
_MOST_DECIMALS: Final = 22
_POWERS = 10.0 ** np.arange(_MOST_DECIMALS + 1)
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def _compiled(function: Function) -> Function:
    # numba's annotations lack the last: no C pointer to a kernel is ever asked for.
    options: Any = {"cache": True, "nogil": True, "no_cfunc_wrapper": True}
    return cast("Function", njit(**options)(function))


@_compiled
def _whole(text: Bytes, at: int) -> tuple[int, int]:
    """Digits from `at`: their value and where they end; a value of -1 where they are too many."""
    value, start = 0, at
    while _ZERO <= text[at] <= _ZERO + 9:
        if at - start < _MOST_DIGITS:
            value = value * 10 + (text[at] - _ZERO)
        at += 1
    return (value if 0 < at - start <= _MOST_DIGITS else -1), at


@_compiled
def _amount(text: Bytes, at: int, as_json: bool) -> tuple[float, int]:
    """A plain decimal, correctly rounded; -1.0 where it is not plain."""
    mantissa, end = _whole(text, at)
    if mantissa < 0 or (as_json and text[at] == _ZERO and end - at > 1):
        return -1.0, at
    decimals = 0
    if text[end] == _DOT:
        start = end + 1
        end = start
        while _ZERO <= text[end] <= _ZERO + 9:
            if mantissa >= _EXACT:
                return -1.0, at
            mantissa = mantissa * 10 + (text[end] - _ZERO)
            end += 1
        decimals = end - start
        if decimals == 0:
            return -1.0, at
    if mantissa >= _EXACT or decimals > _MOST_DECIMALS:
        return -1.0, at
    return mantissa / _POWERS[decimals], end


@_compiled
def _two(text: Bytes, at: int) -> int:
    """Two digits' value, or a very negative number."""
    high, low = int(text[at]) - _ZERO, int(text[at + 1]) - _ZERO
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else -1_000_000


@_compiled
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date; -1 of one that does not exist, or before."""
    if year < 1970 or month < 1 or month > 12 or day < 1:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] + (leap and month == 2):
        return -1
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    for earlier in range(month - 1):
        days += _MONTH_DAYS[earlier]
    return days + (leap and month > 2) + day - 1


@_compiled
def _iso(text: Bytes, at: int, length: int) -> int:
    """``YYYY-MM-DDTHH:MM:SS[.fff[fff]][Z]`` of `length` bytes as µs; -1 of anything else."""
    year = _two(text, at) * 100 + _two(text, at + 2)
    days = _days(year, _two(text, at + 5), _two(text, at + 8))
    hour, minute, second = _two(text, at + 11), _two(text, at + 14), _two(text, at + 17)
    marks = text[at + 4] == 45 and text[at + 7] == 45 and text[at + 13] == 58
    marks = marks and text[at + 16] == 58 and (text[at + 10] == 84 or text[at + 10] == 32)
    zoned = length in (20, 24, 27)
    if days < 0 or not marks or (zoned and text[at + length - 1] != 90):
        return -1
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return -1
    time_us = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000
    if length <= 20:
        return time_us
    fraction, end = _whole(text, at + 20)
    digits = length - zoned - 20
    if text[at + 19] != _DOT or fraction < 0 or end != at + 20 + digits:
        return -1
    return time_us + fraction * (1 if digits == 6 else 1000)


@_compiled
def _word(text: Bytes, at: int) -> tuple[int, int]:
    """``true`` or ``false``, small or with a capital: 1 or 0 and where it ends; else -1."""
    first = text[at]
    if first in (116, 84) and text[at + 1] == 114 and text[at + 2] == 117 and text[at + 3] == 101:
        return 1, at + 4
    like_false = first in (102, 70) and text[at + 1] == 97 and text[at + 2] == 108
    if like_false and text[at + 3] == 115 and text[at + 4] == 101:
        return 0, at + 5
    return -1, at


@_compiled
def _text_end(text: Bytes, at: int, stop: int) -> int:
    """Where plain printable ASCII ends, at the byte `stop`; -1 where something else is in it."""
    while text[at] != stop and text[at] != _NEWLINE:
        byte = text[at]
        if byte < 32 or byte > 126 or byte in (_QUOTE, _BACKSLASH):
            return -1
        at += 1
    return at


@_compiled
def _symbol_at(text: Bytes, at: int, end: int, names: Bytes, ends: Ints) -> int:
    """Which of the known names stands at `at`; -1 where it is none of them."""
    start = 0
    for code in range(ends.size):
        same = ends[code] - start == end - at
        for place in range(end - at if same else 0):
            if text[at + place] != names[start + place]:
                same = False
                break
        if same:
            return code
        start = ends[code]
    return -1


@_compiled
def _past_literal(text: Bytes, at: int, literals: Bytes, start: int, end: int) -> int:
    """Where the fixed bytes end that stand at `at`; -1 where others stand there."""
    for place in range(start, end):
        if text[at] != literals[place]:
            return -1
        at += 1
    return at


@_compiled
def _past_number(
    text: Bytes, at: int, kind: int, as_json: bool, row: int, numbers: Ints, amounts: Floats
) -> int:
    if kind in (ID, INT_TIME, RAW_ID):
        whole, end = _whole(text, at)
        numbers[row, 1 if kind == ID else 0 if kind == INT_TIME else 4] = whole
        return -1 if whole < 0 or (as_json and text[at] == _ZERO and end - at > 1) else end
    value, end = _amount(text, at, as_json)
    if kind != SKIP_NUMBER:
        amounts[row, kind - PRICE] = value
    return -1 if value < 0 else end


@_compiled
def _past_word(text: Bytes, at: int, kind: int, as_json: bool, row: int, numbers: Ints) -> int:
    whole, end = _word(text, at)
    if kind == MAKER:
        numbers[row, 2] = whole
    return -1 if whole < 0 or (as_json and text[at] < _SMALL_A) else end


@_compiled
def _past_text(
    text: Bytes, at: int, kind: int, stop: int, row: int, numbers: Ints, names: Bytes, ends: Ints
) -> int:
    """Where it ends; -1 where it is not plain, below -1 an unknown symbol: minus its end."""
    end = _text_end(text, at, stop)
    if end < 0 or kind == SKIP_TEXT:
        return end
    numbers[row, 3] = _symbol_at(text, at, end, names, ends)
    return end if numbers[row, 3] >= 0 else -end


@_compiled
def read_lines(
    text: Bytes,
    size: int,
    literals: Bytes,
    literal_ends: Ints,
    kinds: Ints,
    details: Ints,
    names: Bytes,
    name_ends: Ints,
    numbers: Ints,
    amounts: Floats,
) -> tuple[int, int, int]:
    """Read all lines.

    Parameters
    ----------
    text, size
        The lines; after `size` bytes come 64 newlines or more, so that no look ahead leaves it.
    literals, literal_ends
        The bytes before each slot, and after the last, one after the other.
    kinds, details
        Of each slot: what it holds; and the length of an ISO time, 1 of a bare JSON value.
    names, name_ends
        Known symbols, one after the other.
    numbers, amounts
        Filled: (time, id, maker, symbol, raw id) and (price, quantity) of each row.

    Returns
    -------
    tuple of int
        Rows, or -1 where a line needs a closer look; where an unknown symbol begins and ends in
        that case, else 0 and 0.
    """
    # Typed, or numba would compile what is called once more for these very numbers.
    start: Any = np.int64(0)
    at, row = start, start
    while at < size:
        if text[at] == _NEWLINE:
            at += 1
            continue
        at = _past_literal(text, at, literals, start, literal_ends[0])
        for slot in range(kinds.size):
            if at < 0:
                return -1, 0, 0
            kind, detail, begin, end = kinds[slot], details[slot], at, literal_ends[slot]
            stop = literals[end] if end < literals.size else _NEWLINE
            if kind == ISO_TIME:
                numbers[row, 0] = _iso(text, at, detail)
                at = at + detail if numbers[row, 0] >= 0 else -1
            elif kind in (SKIP_TEXT, SYMBOL):
                at = _past_text(text, at, kind, stop, row, numbers, names, name_ends)
            elif kind in (SKIP_BOOL, MAKER):
                at = _past_word(text, at, kind, detail == 1, row, numbers)
            else:
                at = _past_number(text, at, kind, detail == 1, row, numbers, amounts)
            if at < 0:
                return (-1, begin, -at) if at < -1 else (-1, 0, 0)
            at = _past_literal(text, at, literals, end, literal_ends[slot + 1])
        if at < 0 or text[at] != _NEWLINE:
            return -1, 0, 0
        at += 1
        row += 1
    return row, 0, 0
