"""UTC days as seconds since the epoch, and spans of time in words. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY_S: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)


def day_second(day: date) -> int:
    """Second at which a day begins."""
    return (day - _EPOCH).days * DAY_S


def day_of(second: int) -> date:
    """Day that holds a second."""
    return _EPOCH + timedelta(days=second // DAY_S)


def runs_of_days(days: list[date]) -> list[tuple[date, date]]:
    """First and last day of each run of days that follow each other; `days` are in order."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def days_words(first: date, last: date) -> str:
    """Name days: ``2024-01-01``, or ``2024-01-01 to 2024-01-31``."""
    return f"{first}" if first == last else f"{first} to {last}"


def span_words(low: int, high: int) -> str:
    """Name seconds, `high` excluded: whole days by their names, else with times."""
    if low % DAY_S == high % DAY_S == 0:
        return days_words(day_of(low), day_of(high - 1))
    return f"{moment_words(low)} to {moment_words(high)}"


def moment_words(second: int) -> str:
    """Name a second: ``2024-01-31``, ``2024-01-31 12:00`` or ``2024-01-31 12:00:05``, UTC."""
    moment = datetime.fromtimestamp(second, UTC)
    form = "%Y-%m-%d" if second % DAY_S == 0 else "%Y-%m-%d %H:%M"
    return f"{moment:{form}}" if second % 60 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"
