"""Days that files hold, and how whole each is. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from ingest.store.lake import Holding

DayState = Literal["held", "holes", "part"]

_US_PER_S: Final = 1_000_000
_DAY_S: Final = 86_400
_ORDER: Final[tuple[DayState, ...]] = ("held", "part", "holes")


def days_of(holdings: Iterable[Holding]) -> dict[date, DayState]:
    """Say of each day that files touch how whole it is.

    ``held``: no hole inside, and from midnight to midnight as far as its source can say; ``part``:
    the file begins or ends inside it; ``holes``: something is missing inside.
    """
    days: dict[date, DayState] = {}
    for each in holdings:
        found = _day_of_trades(each) if len(each.period) == len("2024-10-27") else _days(each)
        for day, state in found.items():
            known = days.get(day)
            # Of two files of one day the more whole one counts.
            days[day] = state if known is None else min(known, state, key=_ORDER.index)
    return days


def _day_of_trades(holding: Holding) -> dict[date, DayState]:
    if holding.gaps:
        return {date.fromisoformat(holding.period): "holes"}
    return {date.fromisoformat(holding.period): "held" if holding.whole_day else "part"}


def _days(holding: Holding) -> dict[date, DayState]:
    """Days of a month of bars."""
    first, last = (each // _US_PER_S for each in (holding.first_us, holding.last_us))
    days: dict[date, DayState] = {}
    for number in range(first // _DAY_S, last // _DAY_S + 1):
        begins = number * _DAY_S
        ends = begins + _DAY_S
        is_part = first > begins or last + _longest_bar_s(holding.kind) < ends
        state: DayState = "part" if is_part else "held"
        inside = [gap for gap in holding.gaps if gap[0] < ends and gap[1] > begins]
        if any(low <= begins and high >= ends for low, high in inside):
            continue
        days[day_at(begins)] = "holes" if inside else state
    return days


def _longest_bar_s(kind: str) -> int:
    """Seconds of a bar, by its kind's name: the last one reaches so far beyond its open."""
    length = kind.removeprefix("kline_")
    for unit, seconds in (("min", 60), ("h", 3_600), ("d", _DAY_S), ("s", 1)):
        count = length.removesuffix(unit)
        if count != length and count.isdigit():
            return int(count) * seconds
    return 0


def day_at(second: int) -> date:
    """UTC day of a second since the epoch."""
    return datetime.fromtimestamp(second, UTC).date()


def months_between(first: date, last: date) -> list[date]:
    """First days of all months from one to another, both included."""
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months
