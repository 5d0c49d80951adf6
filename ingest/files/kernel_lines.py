"""Lines of one layout into columns, compiled: the fast path through regular files.

A layout is the bytes that all lines share, and between them slots for values. A line that departs
from it by a byte, or holds a value whose meaning is not plain, ends the reading: the caller then
gives the same lines to the row-by-row path. What is read is therefore exactly what that would read.

Eight bytes are looked at at once, as one little-endian number; how eight digits become a number
in three multiplications: D. Lemire, "Number parsing at a gigabyte per second", Software: Practice
and Experience 51 (2021), section 5.

Importing numba takes half a second: import this inside the function that needs it.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from ingest.files import slots
from ingest.files.slots import BARE, WORD_BYTES, Floats, Ints, Slots, Texts, U64s

Function = TypeVar("Function", bound=Callable[..., object])

_NEWLINE, _DOT, _ZERO, _QUOTE, _BACKSLASH, _MINUS = 10, 46, 48, 34, 92, 45
_SMALL_E, _BIG_E, _BIG_T, _SPACE = 101, 69, 84, 32
_MOST_DIGITS: Final = 18
_EXACT: Final = 2**53  # below it a mantissa is a double, and so is 10**22
_MOST_DECIMALS: Final = 22
_POWERS = 10.0 ** np.arange(_MOST_DECIMALS + 1)
_WHOLE_POWERS = 10 ** np.arange(_MOST_DIGITS + 1)
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_DAYS_BEFORE_MONTH = np.concatenate(([0], _MONTH_DAYS[:-1].cumsum()))


def _each(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte]) * WORD_BYTES, "little"))


def _text(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_ZEROS, _ONES, _TOPS = _each(_ZERO), _each(1), _each(0x80)
_ABOVE_NINE = _each(0x76)  # added to a byte above 9, it sets the byte's highest bit
_ONE, _TEN, _BYTE = np.uint64(1), np.uint64(10), np.uint64(0xFF)
_BY_8, _BY_16, _BY_32, _BY_48, _BY_56 = (np.uint64(bits) for bits in (8, 16, 32, 48, 56))
_PAIRS = np.uint64(0x000000FF000000FF)
_HUNDREDS = np.uint64(100 + (1_000_000 << 32))
_UNITS = np.uint64(1 + (10_000 << 32))
_FIRST_2, _FIRST_4, _FIRST_5 = (_text(b"\xff" * count) for count in (2, 4, 5))
_THIRD_4TH, _FIFTH_6TH = _text(b"\0\0\xff\xff"), _text(b"\0\0\0\0\xff\xff")
_DASHES, _DASH_PLACES = _text(b"\0\0\0\0-\0\0-"), _text(b"\0\0\0\0\xff\0\0\xff")
_COLONS, _COLON_PLACES = _text(b"\0\0:\0\0:\0\0"), _text(b"\0\0\xff\0\0\xff\0\0")
_TRUE, _BIG_TRUE = _text(b"true"), _text(b"True")
_FALSE, _BIG_FALSE = _text(b"false"), _text(b"False")


class Outcome(NamedTuple):
    """What came of the lines.

    Attributes
    ----------
    rows
        How many were read, or -1 where one needs the row-by-row path.
    kind, begin, end
        In that case: where a text stands that is not known yet, and in a slot of which kind.
        `end` is 0 where it is not that.
    """

    rows: int
    kind: int
    begin: int
    end: int


def _compiled(function: Function) -> Function:
    # numba's annotations lack the third: no C pointer to a kernel is ever asked for. Without the
    # last each call counts the references to all arrays, which takes longer than what it does.
    options: Any = {"cache": True, "nogil": True, "no_cfunc_wrapper": True, "forceinline": True}
    return cast("Function", njit(**options)(function))


@_compiled
def _byte(words: U64s, at: int) -> int:
    return int(np.int64(words[at] & _BYTE))


@_compiled
def _eight_digits(digits: np.uint64) -> int:
    """The number that eight bytes of 0 to 9 are."""
    pairs = digits * _TEN + (digits >> _BY_8)
    value = (pairs & _PAIRS) * _HUNDREDS + ((pairs >> _BY_16) & _PAIRS) * _UNITS
    return int(np.int64(value >> _BY_32))


@_compiled
def _digits(words: U64s, at: int) -> tuple[int, int]:
    """Up to eight digits from `at`: their value and how many they are."""
    digits = words[at] ^ _ZEROS
    others = ((digits + _ABOVE_NINE) | digits) & _TOPS
    if others == 0:
        return _eight_digits(digits), WORD_BYTES
    below = (others & (~others + _ONE)) - _ONE
    count = int(np.int64(((below & _ONES) * _ONES) >> _BY_56)) - 1
    if count == 0:
        return 0, 0
    return _eight_digits(digits << np.uint64(8 * (WORD_BYTES - count))), count


@_compiled
def _all_digits(word: np.uint64, count: int) -> int:
    """The value of a word's first `count` bytes; -1 where one of them is no digit."""
    digits = (word ^ _ZEROS) << np.uint64(8 * (WORD_BYTES - count))
    if ((digits + _ABOVE_NINE) | digits) & _TOPS:
        return -1
    return _eight_digits(digits)


@_compiled
def _whole(words: U64s, at: int) -> tuple[int, int]:
    """Digits from `at`: their value and where they end; a value of -1 where they are too many."""
    value, count = _digits(words, at)
    end = at + count
    while count == WORD_BYTES:
        more, count = _digits(words, end)
        end += count
        if end - at > _MOST_DIGITS:
            return -1, at
        value = value * _WHOLE_POWERS[count] + more
    return (value if end > at else -1), end


@_compiled
def _has_leading_zero(words: U64s, at: int, end: int) -> bool:
    return _byte(words, at) == _ZERO and end - at > 1


@_compiled
def _amount(words: U64s, at: int, detail: int) -> tuple[float, int]:
    """A decimal, correctly rounded; -1.0 where it is not plain."""
    mantissa, end = _whole(words, at)
    if mantissa < 0 or (detail & BARE and _has_leading_zero(words, at, end)):
        return -1.0, at
    decimals = 0
    if _byte(words, end) == _DOT:
        fraction, stop = _whole(words, end + 1)
        decimals = stop - end - 1
        if fraction < 0 or stop - at > _MOST_DIGITS + 1:
            return -1.0, at
        mantissa, end = mantissa * _WHOLE_POWERS[decimals] + fraction, stop
    if _byte(words, end) in (_SMALL_E, _BIG_E) and not detail & slots.NO_EXPONENT:
        exponent, stop = _whole(words, end + 2)
        if _byte(words, end + 1) != _MINUS or not 0 <= exponent <= _MOST_DECIMALS:
            return -1.0, at
        decimals, end = decimals + exponent, stop
    if mantissa >= _EXACT or decimals > _MOST_DECIMALS:
        return -1.0, at
    return mantissa / _POWERS[decimals], end


@_compiled
def _days(date: int) -> int:
    """Days since 1970 of a date as YYYYMMDD; -1 of one that does not exist, or before."""
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    if year < 1970 or month < 1 or month > 12 or day < 1:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] + (leap and month == 2):
        return -1
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    return int(days + _DAYS_BEFORE_MONTH[month - 1] + (leap and month > 2) + day - 1)


@_compiled
def _clock_s(clock: np.uint64) -> int:
    """Seconds of a day of ``HH:MM:SS``; -1 of anything else."""
    minutes_seconds = ((clock >> _BY_8) & _THIRD_4TH) | ((clock >> _BY_16) & _FIFTH_6TH)
    time = _all_digits((clock & _FIRST_2) | minutes_seconds, 6)
    hour, minute, second = time // 10_000, time // 100 % 100, time % 100
    if time < 0 or hour > 23 or minute > 59 or second > 59 or clock & _COLON_PLACES != _COLONS:
        return -1
    return (hour * 60 + minute) * 60 + second


@_compiled
def _iso(words: U64s, at: int, length: int) -> int:
    """``YYYY-MM-DDTHH:MM:SS[.fff[fff]]`` of `length` bytes as µs; -1 of anything else."""
    date = words[at]
    month_day = ((date >> _BY_8) & _FIFTH_6TH) | (words[at + 8] << _BY_48)
    days = _days(_all_digits((date & _FIRST_4) | month_day, 8))
    clock_s = _clock_s(words[at + 11])
    if days < 0 or clock_s < 0 or date & _DASH_PLACES != _DASHES:
        return -1
    if _byte(words, at + 10) not in (_BIG_T, _SPACE):
        return -1
    time_us = (days * 86_400 + clock_s) * 1_000_000
    if length == 19:
        return time_us
    decimals = length - 20
    fraction = _all_digits(words[at + 20], decimals)
    if _byte(words, at + 19) != _DOT or fraction < 0:
        return -1
    return int(time_us + fraction * _WHOLE_POWERS[6 - decimals])


@_compiled
def _past_bool(words: U64s, at: int, as_json: bool) -> tuple[int, int]:
    """``true`` or ``false``, with a capital outside of JSON: 1 or 0 and where it ends; else -1."""
    word = words[at]
    if word & _FIRST_4 == _TRUE or (not as_json and word & _FIRST_4 == _BIG_TRUE):
        return 1, at + 4
    if word & _FIRST_5 == _FALSE or (not as_json and word & _FIRST_5 == _BIG_FALSE):
        return 0, at + 5
    return -1, -1


@_compiled
def _past_plain_text(words: U64s, at: int, stop: int) -> int:
    """Where plain printable ASCII ends, at the byte `stop`; -1 where something else is in it."""
    byte = _byte(words, at)
    while byte not in (stop, _NEWLINE):
        if byte < 32 or byte > 126 or byte in (_QUOTE, _BACKSLASH):
            return -1
        at += 1
        byte = _byte(words, at)
    return at


@_compiled
def _past_digits(words: U64s, at: int) -> int:
    """Where any number of digits ends, -1 where there is none."""
    end, count = at, WORD_BYTES
    while count == WORD_BYTES:
        _, count = _digits(words, end)
        end += count
    return end if end > at else -1


@_compiled
def _past_known(words: U64s, at: int, texts: Texts, place: int) -> int:
    """Where the text of that place ends if it stands at `at`; -1 where another stands there."""
    first = texts.ends[place - 1] if place else 0
    for word in range(first, texts.ends[place]):
        if words[at + WORD_BYTES * (word - first)] & texts.masks[word] != texts.words[word]:
            return -1
    return int(at + texts.lengths[place])


@_compiled
def _past_named(words: U64s, at: int, stop: int, names: Texts) -> tuple[int, int]:
    """Which of the known names stands at `at`, and where it ends; -1 where it is none of them."""
    for place in range(names.ends.size):
        end = _past_known(words, at, names, place)
        if end >= 0 and _byte(words, end) == stop:
            return place, end
    return -1, -1


@_compiled
def _past_whole(words: U64s, at: int, detail: int) -> tuple[int, int]:
    value, end = _whole(words, at)
    if value < 0 or (detail & BARE and _has_leading_zero(words, at, end)):
        return -1, -1
    return value, end


@_compiled
def _past_skipped(words: U64s, at: int, kind: int, detail: int, stop: int) -> int:
    if kind == slots.SKIPPED_TEXT:
        return _past_plain_text(words, at, stop)
    if kind == slots.SKIPPED_BOOL:
        return _past_bool(words, at, detail & BARE != 0)[1]
    if kind == slots.SKIPPED_DIGITS:
        return _past_digits(words, at)
    value, end = _amount(words, at, detail)
    return end if value >= 0 else -1


@_compiled
def _past_kept(
    words: U64s, at: int, kind: int, detail: int, stop: int, names: Texts
) -> tuple[int, int]:
    """The value of a slot of whole numbers, and where it ends; -1 where it is not plain."""
    if kind == slots.ISO_TIME:
        time_us = _iso(words, at, detail)
        return time_us, (at + detail if time_us >= 0 else -1)
    if kind == slots.MAKER:
        return _past_bool(words, at, detail & BARE != 0)
    if kind >= slots.SYMBOL:
        return _past_named(words, at, stop, names)
    return _past_whole(words, at, detail)


@_compiled
def read_lines(
    words: U64s, literals: Texts, values: Slots, names: Texts, wholes: Ints, amounts: Floats
) -> Outcome:
    """Read all lines.

    Parameters
    ----------
    words
        The lines, of `slots.words_of`.
    literals, values
        The bytes before each slot, and after the last; and what the slots hold.
    names
        Texts that are known: of symbols, streams and markers.
    wholes, amounts
        Filled: a row a kind, a column a line.
    """
    # Typed, or numba would compile what is called once more for these very numbers.
    start: Any = np.int64(0)
    at, line = start, start
    while at < words.size - WORD_BYTES:
        if _byte(words, at) == _NEWLINE:
            at += 1
            continue
        at = _past_known(words, at, literals, start)
        for slot in range(values.kinds.size):
            if at < 0:
                return Outcome(-1, 0, 0, 0)
            kind, detail, stop = values.kinds[slot], values.details[slot], values.stops[slot]
            begin = at
            if kind in (slots.PRICE, slots.QUANTITY):
                amount, at = _amount(words, begin, detail)
                amounts[kind - slots.PRICE, line] = amount
                at = at if amount >= 0 else -1
            elif kind > slots.ISO_TIME:
                at = _past_skipped(words, begin, kind, detail, stop)
            else:
                value, at = _past_kept(words, begin, kind, detail, stop, names)
                wholes[slots.TIME if kind == slots.ISO_TIME else kind, line] = value
                if at < 0 and slots.SYMBOL <= kind < slots.PRICE:
                    end = _past_plain_text(words, begin, stop)
                    if end < 0 or _byte(words, end) != stop:  # the line ends inside the text
                        return Outcome(-1, 0, 0, 0)
                    return Outcome(-1, kind, begin, end)
            at = _past_known(words, at, literals, slot + 1) if at >= 0 else -1
        if at < 0 or _byte(words, at) != _NEWLINE:
            return Outcome(-1, 0, 0, 0)
        at += 1
        line += 1
    return Outcome(line, 0, 0, 0)
