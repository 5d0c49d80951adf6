"""Keys of the objects in a watch file: what each may be, and what is said where it is not."""

import difflib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from ingest.errors import SymbolError, WatchFileError, printable

Check = Callable[[object], object]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_MOST_NAME_CHARS: Final = 120
_MOST_TEXT_CHARS: Final = 2_000
_MOST_SHOWN_CHARS: Final = 40
# What a count of bars or seconds stays below: any that is meant does, and a database takes it.
_MOST: Final = 1_000_000_000


class UnfitError(ValueError):
    """A value that a key cannot have; the message is what it must be."""


def read_object(node: object, where: str, keys: Mapping[str, Check]) -> dict[str, object]:
    """Check an object of the file by its keys; those that it leaves out are left out.

    Raises
    ------
    WatchFileError
        It is no object, has a key that is not one of `keys`, or a value that it cannot have.
    """
    if not isinstance(node, dict):
        raise WatchFileError(f"{where} = {shown(node)}: must be an object with {', '.join(keys)}")
    for key in node:
        if key not in keys:
            raise WatchFileError(f"{where}: unknown key {printable(key)!r}{_hint(key, keys)}")
    return {key: read_value(value, where, key, keys[key]) for key, value in node.items()}


def read_array(node: object, where: str) -> list[object]:
    """Return an array of the file.

    Raises
    ------
    WatchFileError
        It is none.
    """
    if not isinstance(node, list):
        raise WatchFileError(f"{where} = {shown(node)}: must be an array")
    return node


def read_value(value: object, where: str, key: str, check: Check) -> object:
    """Check the value of a key.

    Raises
    ------
    WatchFileError
        It cannot have that value.
    """
    try:
        return check(value)
    except UnfitError as error:
        raise WatchFileError(f"{where}: {key} = {shown(value)}: must be {error}") from None
    except SymbolError as error:
        raise WatchFileError(f"{where}: {key}: {error}") from None


def shown(value: object) -> str:
    """Write a value as the file does, in one line of 40 characters at most."""
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _MOST_SHOWN_CHARS else f"{text[: _MOST_SHOWN_CHARS - 1]}…"


def _hint(key: str, keys: Mapping[str, Check]) -> str:
    near = difflib.get_close_matches(key, keys, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it may have {', '.join(keys)}"


def optional(check: Check) -> Check:
    """Let a key be null, too."""
    return lambda value: None if value is None else check(value)


def tuple_of(check: Check, allowed: str) -> Check:
    """Let a key be an array of what another may be."""

    def check_each(value: object) -> object:
        if not isinstance(value, list):
            raise UnfitError(f"an array of {allowed}")
        return tuple(map(check, value))

    return check_each


def one_of(choices: Sequence[str]) -> Check:
    """Let a key be one of these words."""

    def check_choice(value: object) -> object:
        if value not in choices or not isinstance(value, str):
            raise UnfitError(f"one of {', '.join(choices)}")
        return value

    return check_choice


def name(value: object) -> str:
    """Check what something is called."""
    if (
        isinstance(value, str)
        and 0 < len(value) <= _MOST_NAME_CHARS
        and value.isprintable()
        and value == value.strip()
    ):
        return value
    raise UnfitError(f"1 to {_MOST_NAME_CHARS} printable characters, no space at either end")


def text(value: object) -> str:
    """Check words, which may be none."""
    if isinstance(value, str) and len(value) <= _MOST_TEXT_CHARS and _is_whole(value):
        return value
    raise UnfitError(f"text of up to {_MOST_TEXT_CHARS:,} characters")


def _is_whole(value: str) -> bool:
    """Whether no character is half of a pair, which JSON can write and UTF-8 cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def flag(value: object) -> bool:
    """Check a choice between two."""
    if isinstance(value, bool):
        return value
    raise UnfitError("true or false")


def number(value: object) -> float:
    """Check a number that is finite."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise UnfitError("a finite number")


def whole_number(value: object) -> int:
    """Check a count; what is too few of it is for others to say."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST:
        return value
    raise UnfitError(f"a whole number, {_MOST:,} at most")


def seconds(value: object) -> int:
    """Check a span of time in whole seconds."""
    number = whole_number(value)
    if number < 1:
        raise UnfitError("a whole number of seconds, 1 or more")
    return number


def time_us(value: object) -> int:
    """Check a moment that says its zone; µs since the epoch."""
    try:
        moment = datetime.fromisoformat(str(value))
        if isinstance(value, str) and moment.tzinfo is not None and moment >= _EPOCH:
            return (moment - _EPOCH) // _US
    except (ValueError, OverflowError):
        pass
    raise UnfitError("a time in UTC, such as 2026-12-31T00:00:00Z")


def iso_time(moment_us: int) -> str:
    """Write a moment as ISO 8601 in UTC: ``2026-12-31T00:00:00Z``."""
    moment = _EPOCH + moment_us * _US
    return moment.isoformat().replace("+00:00", "Z")
