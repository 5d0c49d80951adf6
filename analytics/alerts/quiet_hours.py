"""Hours of the day, UTC, in which an alert is kept in the log and not sent."""

import re
from typing import Final

from analytics.errors import ParameterError

MINUTE_US: Final = 60_000_000
DAY_US: Final = 24 * 60 * MINUTE_US
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def parse_quiet_hours(text: str) -> tuple[int, int]:
    """Return begin and end of ``"22:00-06:30"``, µs since midnight; the end is left out.

    Raises
    ------
    ParameterError
        It is no such text, or begins where it ends.
    """
    found = _HOURS.fullmatch(text)
    if found is None or text[:5] == text[6:]:
        raise ParameterError("quiet_hours", text, 'two times of the day, UTC, as "22:00-06:30"')
    hours = [int(each) for each in found.groups()]
    return (hours[0] * 60 + hours[1]) * MINUTE_US, (hours[2] * 60 + hours[3]) * MINUTE_US


def is_quiet(text: str | None, time_us: int) -> bool:
    """Say whether a time, µs since the epoch, is within quiet hours; they may go over midnight."""
    if text is None:
        return False
    begin, end = parse_quiet_hours(text)
    time = time_us % DAY_US
    return begin <= time < end if begin < end else time >= begin or time < end
