"""Rows of Binance's dumps into whole numbers, compiled.

What is plain is read: digits, a point, at most eight decimals that are not 0, true or false. A row
with anything else ends the reading, and the caller gives the same lines to `dump_rows`, which
decides what they mean. Byte by byte: 0.13 µs a row of aggTrades; eight bytes at once, as
`ingest.files.kernel_lines` has it for longer numbers, took 0.16 here.

Importing numba takes half a second: import this inside the function that needs it.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit

from ingest.history.dump_form import BOOL, DECIMAL, SKIPPED, WHOLE, Bytes, Ints

Function = TypeVar("Function", bound=Callable[..., object])

_NEWLINE, _RETURN, _COMMA, _DOT, _MINUS, _ZERO = 10, 13, 44, 46, 45, 48
_SMALL_T, _BIG_T, _SMALL_F, _BIG_F = 116, 84, 102, 70
_DECIMALS: Final = 8
_MOST_DIGITS: Final = 17
_MOST_BEFORE_DOT: Final = 10  # so that the units of 1e-8 stay below 10**18
_NOT_PLAIN: Final = -1
_NOTHING: Any = np.int64(0)  # typed, for numba


def _compiled(function: Function) -> Function:
    # numba's annotations lack the third: no C pointer to a kernel is ever asked for. Without the
    # last each call counts the references to all arrays.
    options: Any = {"cache": True, "nogil": True, "no_cfunc_wrapper": True, "forceinline": True}
    return cast("Function", njit(**options)(function))


@_compiled
def _number(text: Bytes, at: int, is_decimal: bool) -> tuple[int, int]:
    """A number from `at`, of a decimal in units of 1e-8, and where it ends; or `_NOT_PLAIN`."""
    begin, value = at, _NOTHING
    digit = np.int64(text[at]) - _ZERO
    while digit >= 0 and digit <= 9:
        value = value * 10 + digit
        at += 1
        digit = np.int64(text[at]) - _ZERO
    if at == begin or at - begin > (_MOST_BEFORE_DOT if is_decimal else _MOST_DIGITS):
        return value, _NOT_PLAIN
    if not is_decimal:
        return value, at
    decimals = 0
    if text[at] == _DOT:
        at += 1
        digit = np.int64(text[at]) - _ZERO
        while digit >= 0 and digit <= 9:
            if decimals < _DECIMALS:
                value = value * 10 + digit
                decimals += 1
            elif digit != 0:
                return value, _NOT_PLAIN
            at += 1
            digit = np.int64(text[at]) - _ZERO
    while decimals < _DECIMALS:
        value *= 10
        decimals += 1
    return value, at


@_compiled
def _truth(byte: int) -> int:
    """Whether a letter begins true (1) or false (0); `_NOT_PLAIN` of any other."""
    if byte == _BIG_T or byte == _SMALL_T:  # noqa: PLR1714, SIM109 - a tuple takes longer
        return 1
    return 0 if byte == _BIG_F or byte == _SMALL_F else _NOT_PLAIN  # noqa: PLR1714, SIM109


@_compiled
def read_rows(text: Bytes, kinds: Ints, out: Ints) -> int:
    """Read whole lines, and give how many rows they are; `_NOT_PLAIN` where one is not plain.

    Parameters
    ----------
    text
        Whole lines, and after them at least eight newlines; empty lines are passed over.
    kinds
        Of the fields of a row, in order.
    out
        Filled: a row for each field that is not `SKIPPED`, a column for each line. Decimals in
        units of 1e-8.
    """
    at, row, size, last = 0, 0, text.size, kinds.size - 1
    while at < size:
        if text[at] == _NEWLINE or text[at] == _RETURN:
            at += 1
            continue
        slot = 0
        for field in range(kinds.size):
            kind = kinds[field]
            if kind == SKIPPED:
                while text[at] != _COMMA and text[at] != _NEWLINE and text[at] != _RETURN:
                    at += 1
            elif kind == BOOL:
                truth = _truth(text[at])
                if truth < 0:
                    return _NOT_PLAIN
                out[slot, row] = truth
                slot += 1
                at += 5 - truth
            else:
                negative = kind == WHOLE and text[at] == _MINUS
                value, at = _number(text, at + negative, kind == DECIMAL)
                if at < 0:
                    return _NOT_PLAIN
                out[slot, row] = -value if negative else value
                slot += 1
            if field < last:
                if text[at] != _COMMA:
                    return _NOT_PLAIN
                at += 1
        if text[at] != _NEWLINE and text[at] != _RETURN:
            return _NOT_PLAIN
        row += 1
    return row
