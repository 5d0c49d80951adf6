"""How much of the exchange's own bars a symbol needs, and how far it has come. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from ingest.binance import FINEST_KLINE, MAX_REST_ROWS
from ingest.tick import Market

KlineName = Literal["1s", "1m", "5m"]

DAY_US: Final = 24 * 3600 * 1_000_000
LENGTHS_US: Final[dict[KlineName, int]] = {"1s": 1_000_000, "1m": 60_000_000, "5m": 300_000_000}
# 30 days of hours, the longest that `auto` takes, and the window before them.
SPANS_US: Final[dict[KlineName, int]] = {"1s": DAY_US, "1m": 7 * DAY_US, "5m": 35 * DAY_US}
SETTLED_US: Final = 10_000_000  # REST lags behind the stream, but not by so much
_AFTER_PAGE: Final = 2  # bars asked for beyond a page: they prove that its last one is closed
PAGE: Final = MAX_REST_ROWS - _AFTER_PAGE


@dataclass(slots=True)
class KlineSeed:
    """Bars of one symbol and length: wanted from `start_us` to `until_us`, all in µs.

    Those from `next_us` to `end_us` are there. `until_us` 0: up to now, as soon as that is known.
    """

    length_us: int
    start_us: int = 0
    next_us: int = 0
    end_us: int = 0
    until_us: int = 0
    pages: int = 0
    not_before_s: float = 0.0  # time of the loop before which nothing is asked
    not_up_before_s: float = 0.0  # … nothing newer, since it is not closed yet
    lagged: int = 0  # answers in a row that did not reach as far as they were to

    def text(self) -> str:
        """The form in which it is remembered across a restart."""
        return f"{self.start_us} {self.end_us} {self.next_us}"

    @property
    def is_done(self) -> bool:
        """Whether all that is wanted is there."""
        return self.until_us != 0 and self.end_us >= self.until_us and self.next_us <= self.start_us

    @property
    def goes_up(self) -> bool:
        """Whether newer bars are still to come."""
        return self.end_us < self.until_us or self.until_us == 0

    def next_way(self, now_s: float) -> Literal["up", "down"] | None:
        """Which page to ask for now: the newest bars first; None while there is nothing to ask."""
        if now_s < self.not_before_s:
            return None
        if self.goes_up and now_s >= self.not_up_before_s:
            return "up"
        return "down" if self.end_us and self.next_us > self.start_us else None

    def begin(self, now_us: int, span_us: int) -> None:
        """Fix the bounds, by the exchange's clock: what is closed by now, so far back."""
        now_us = now_us // self.length_us * self.length_us
        self.until_us = self.until_us or max(self.end_us, now_us)
        if self.end_us == 0:
            self.start_us = min(now_us - span_us, self.until_us)
            self.next_us = max(self.start_us, self.until_us - PAGE * self.length_us)
            self.end_us = self.next_us

    def reach(self, first_us: int, *, is_finest: bool) -> None:
        """Go up to a stream's first trade: the finest bars through the one that holds it."""
        self.until_us = max(self.until_us, top_for(first_us, self.length_us, through=is_finest))

    def page_up(self) -> tuple[int, int]:
        """Bounds of the next newer page, and beyond its end by what proves it closed."""
        length_us = self.length_us
        stop_us = min(self.end_us + PAGE * length_us, self.until_us)
        return self.end_us, stop_us + _AFTER_PAGE * length_us

    def closed_up_to(self, newest_us: int, now_us: int) -> int:
        """Where the answer to `page_up` ends to be final.

        A bar is once the exchange has a later one, or once it is over for long enough.
        """
        settled_us = (now_us - SETTLED_US) // self.length_us * self.length_us
        stop_us = self.page_up()[1] - _AFTER_PAGE * self.length_us
        return max(self.end_us, min(stop_us, max(newest_us, settled_us)))

    def page_down(self) -> tuple[int, int]:
        """Bounds of the next older page."""
        return max(self.start_us, self.next_us - MAX_REST_ROWS * self.length_us), self.next_us


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of a symbol's stream and of its bars of one length.

    `first_us` is the time of the first trade, 0 without any; `remembered` is the text of a seed,
    `has_bars` whether bars of that length are stored.
    """

    first_us: int
    remembered: str | None
    has_bars: bool


def intervals(market: Market) -> tuple[KlineName, ...]:
    """Lengths that a market's symbols are seeded with, coarse ones first."""
    finest = LENGTHS_US[finest_of(market)]
    return tuple(name for name in ("5m", "1m", "1s") if LENGTHS_US[name] >= finest)


def finest_of(market: Market) -> KlineName:
    """The finest kline of a market."""
    return "1s" if FINEST_KLINE[market] == "1s" else "1m"


def seed_for(
    known: Known, now_us: int, length_us: int, span_us: int, *, is_finest: bool
) -> KlineSeed | None:
    """What a symbol needs of one length; None where nothing.

    Bars reach up to the first trade: the finest through the one that holds it, of which the trades
    know only a part; coarser ones too where that one is over, for the finest may not reach back so
    far. Work that was begun goes on, downwards and up to a first trade that has come since. Bars
    that retention deleted are left so.
    """
    old = _remembered(known.remembered, length_us)
    fresh_us = now_us - span_us
    is_over = known.first_us + length_us < now_us - SETTLED_US
    top_us = top_for(known.first_us, length_us, through=is_finest or is_over)
    if old is not None and old.end_us > old.next_us and not known.has_bars and known.first_us:
        return None
    if old is not None and (top_us or old.end_us > fresh_us) and top_us <= old.end_us + span_us:
        old.start_us = min(old.start_us, _floor(fresh_us, length_us))
        old.until_us = max(old.end_us, top_us) if top_us else 0
        return None if old.is_done else old
    if known.first_us == 0 or known.first_us > fresh_us:
        return KlineSeed(length_us, until_us=top_us)
    return None


def asked_back_to(text: str | None, length_us: int) -> int | None:
    """From when on all bars were asked for, by what is remembered; None while some were not."""
    seed = _remembered(text, length_us)
    if seed is None or seed.next_us > seed.start_us or seed.end_us == seed.next_us:
        return None
    return seed.start_us


def top_for(first_us: int, length_us: int, *, through: bool) -> int:
    """Where bars are to end that stand before a trade, or reach through it; 0 without one."""
    if first_us == 0:
        return 0
    return _floor(first_us, length_us) + (length_us if through else 0)


def _floor(time_us: int, length_us: int) -> int:
    return time_us // length_us * length_us


def _remembered(text: str | None, length_us: int) -> KlineSeed | None:
    words = (text or "").split()
    if len(words) != 3 or not all(word.isdecimal() and len(word) < 19 for word in words):
        return None
    start_us, end_us, next_us = map(int, words)
    whole = all(each % length_us == 0 for each in (start_us, end_us, next_us))
    is_sound = whole and start_us <= next_us <= end_us
    return KlineSeed(length_us, start_us, next_us, end_us) if is_sound else None
