"""Values of options out of their text; a `SettingsError` says what is wrong with one."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from ingest.errors import IngestError, SettingsError

T = TypeVar("T")
Name = TypeVar("Name", bound=str)


def converted(option: str, convert: Callable[[str], T], text: str) -> T:
    """Convert the text of an option; `SettingsError` names the option where it cannot be."""
    try:
        return convert(text)
    except (ValueError, IngestError) as error:
        raise SettingsError(f"{option}: {error}") from error


def path_value(option: str, text: str) -> Path | None:
    """Give the path, ``~`` written out; None where none was given."""
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:  # there is no such home
        raise SettingsError(f"{option}: {text!r}: {error}") from error


def choice_value(option: str, text: str, allowed: tuple[Name, ...]) -> Name:
    """Give one of the allowed names."""
    for each in allowed:
        if each == text:
            return each
    raise SettingsError(f"{option}: {text!r} is not one of {', '.join(allowed)}")


def port_value(text: str) -> int:
    """Give a port, 1 to 65535."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is not a port: a number from 1 to 65535")
    return int(text)


def positive(text: str) -> float:
    """Give a number above 0."""
    number = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if number <= 0:
        raise ValueError(f"{text!r} is not a number above 0")
    return number


def whole_days(text: str) -> int:
    """Give a whole number of days, 1 or more."""
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:
        raise ValueError(f"{text!r} is not a whole number of days, 1 or more")
    return int(text)


def utc_day(text: str) -> date | None:
    """Give a day like 2024-01-31; None where none was given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError(f"{text!r} is not a day like 2024-01-31") from None


def base_path_value(text: str) -> str:
    """Give a path below which the desk is served, without slashes around it."""
    path = text.strip("/")
    if path and not all(
        re.fullmatch(r"[\w~-][\w.~-]*", part, re.ASCII) for part in path.split("/")
    ):
        raise ValueError(f"{text!r} is not a path like desk or tools/desk")
    return path


def host_names(text: str) -> tuple[str, ...]:
    """Read names in the form in which a browser sends them."""
    names = [name.strip().lower().rstrip(".") for name in text.split(",") if name.strip()]
    for name in names:
        if not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", name):
            raise ValueError(f"{name!r} is not a name like desk.example.org, without port")
    return tuple(name.encode("idna").decode("ascii") for name in names)


def speed_value(text: str) -> float:
    """Give the pace of a replay: a number above 0, or infinite for "max"."""
    return math.inf if text == "max" else positive(text)


def moment_value(text: str) -> datetime | None:
    """Give a time, UTC where it names no zone; None where none was given."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time like 2026-01-31T12:00, UTC") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def venue_value(text: str) -> str:
    """Give the name of an exchange in small letters."""
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", text.lower()):
        raise ValueError(f"{text!r} is not a name like binance.com")
    return text.lower()


def cluster_value(text: str) -> str:
    """Give the address of a Dask scheduler."""
    if text and not re.fullmatch(
        r"(tcp|tls|ucx|wss?)://[^\s/:]+(:\d+)?|\w+://\[[0-9a-f:]+\]:\d+", text
    ):
        raise ValueError(f"{text!r} is no address of a Dask scheduler like tcp://scheduler:8786")
    return text


def websocket_url(text: str) -> str:
    """Give an address of a WebSocket."""
    return _url(text, ("ws://", "wss://"))


def http_url(text: str) -> str:
    """Give an address of HTTP."""
    return _url(text, ("http://", "https://"))


def _url(text: str, schemes: tuple[str, str]) -> str:
    if text and not text.startswith(schemes):
        raise ValueError(f"{text!r} does not begin with {schemes[0]} or {schemes[1]}")
    return text
