"""Ranges of time as a reader writes them: back from the last bar, or from one time to another."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

DAY_S: Final = 86_400
UNITS_S: Final = {
    "min": 60,
    "h": 3_600,
    "d": DAY_S,
    "w": 7 * DAY_S,
    "mo": 30 * DAY_S,
    "y": 365 * DAY_S,
}
_SPOKEN: Final = {
    "m": "min", "minute": "min", "hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y",
}  # fmt: skip
_LENGTH: Final = re.compile(r"(\d{1,5}) ?([a-z]{1,7})")
LONGEST_S: Final = 20 * UNITS_S["y"]
EXAMPLES: Final = "36h, 10d, 2w, 18mo or 1y"
MOMENT_EXAMPLES: Final = "2024-01-31 or 2024-01-31 12:30"
_TIME_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def length_name(text: str) -> str | None:
    """Write a length as the address has it: ``"10d"`` for "10 Days"; None where it is none."""
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None:
        return None
    count, word = int(found[1]), found[2]
    unit = next((_known(each) for each in (word, word.removesuffix("s")) if _known(each)), None)
    if unit is None or not 0 < count * UNITS_S[unit] <= LONGEST_S:
        return None
    return f"{count}{unit}"


def _known(word: str) -> str | None:
    return word if word in UNITS_S else _SPOKEN.get(word)


def length_s(name: str) -> int:
    """Seconds of a length written as `length_name` writes it; a month has 30 days, a year 365."""
    digits = name.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * UNITS_S[name.removeprefix(digits)]


def moment_s(text: str) -> int | None:
    """Read a time, UTC, as seconds since the epoch; None where it is none."""
    words = text.strip().upper().removesuffix("UTC").strip().removesuffix("Z").replace(" ", "T")
    for form in _TIME_FORMS:
        try:
            second = int(datetime.strptime(words, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
        return second if second > 0 else None
    return None


def moment_name(second: int) -> str:
    """Write a time as the address has it: the day alone at midnight, no seconds where none are."""
    time = datetime.fromtimestamp(second, UTC)
    if second % DAY_S == 0:
        return f"{time:%Y-%m-%d}"
    return f"{time:%Y-%m-%dT%H:%M}" if second % 60 == 0 else f"{time:%Y-%m-%dT%H:%M:%S}"


def moment_words(second: int) -> str:
    """Write a time for a reader: "2024-01-31", "2024-01-31 12:30"."""
    return moment_name(second).replace("T", " ")


@dataclass(frozen=True, slots=True)
class Range:
    """What a reader wants to look at.

    Attributes
    ----------
    lookback_s
        Its length in seconds; None for all there is.
    until
        Its end, seconds since the epoch, UTC; None for the last trade.
    """

    lookback_s: int | None
    until: int | None = None

    @property
    def words(self) -> str:
        """From – to, in UTC: "2024-01-01 to 2024-02-01"; nothing for one that ends now."""
        if self.until is None or self.lookback_s is None:
            return ""
        return f"{moment_words(self.until - self.lookback_s)} to {moment_words(self.until)}"


@dataclass(frozen=True, slots=True)
class FromTo:
    """Two times as the reader wrote them, and what is wrong with them; "" where nothing is."""

    range: Range | None = None
    wrong: str = ""


def from_to(first: str, last: str) -> FromTo:
    """Read from – to; no range where neither is written."""
    if not first and not last:
        return FromTo()
    if not first or not last:
        return FromTo(wrong=f"from – to takes both times: {'to' if first else 'from'} is not said")
    times = {"from": moment_s(first), "to": moment_s(last)}
    for name, second in times.items():
        if second is None:
            said = first if name == "from" else last
            return FromTo(wrong=f"{name} is no time: {said[:40]!r}. Write {MOMENT_EXAMPLES} (UTC)")
    begin, end = times["from"] or 0, times["to"] or 0
    if end <= begin:
        return FromTo(wrong=f"to ({moment_words(end)}) is not after from ({moment_words(begin)})")
    return FromTo(Range(end - begin, end))
