"""A clock of ours that is wrong by days, shown by the trades where the exchange cannot be asked."""

from collections.abc import Mapping
from statistics import median
from typing import Final, NamedTuple

from ingest.counts import SymbolCounts
from ingest.tick import Event
from ingest.trade_times import AHEAD_UNKNOWN_US

LEAST: Final = 20  # trades of a like offset: fewer may be bad ones
ALIKE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
_OVER_US: Final = 2_000_000  # a burst of bad ones is over by then
_MOST: Final = 20_000
_SHARE: Final = 0.95


class AheadTrade(NamedTuple):
    """A trade dated too far ahead, and whether it was counted as rejected when it came."""

    event: Event
    is_rejected: bool


class ClockWatch:
    """Holds trades dated too far ahead, until they show whose clock is wrong.

    Where nearly all that comes for 2 s and more, `LEAST` trades at the least, is ahead of its
    receipt by the same, it is our clock that is behind. Bad trades among good ones show nothing.
    """

    def __init__(self) -> None:
        self._pending: list[AheadTrade] = []
        self._others = 0  # trades received before the first one held

    def take(self, event: Event, received: int, *, is_rejected: bool = True) -> list[AheadTrade]:
        """Hold a trade; gives all that were held once it is our clock that is wrong.

        Parameters
        ----------
        event
            A trade dated more than a day after it came.
        received
            How many trades came so far, with this one.
        is_rejected
            Whether it was counted as rejected.
        """
        if not self._pending or self._is_stale(event, received):
            self._pending, self._others = [], received - 1
        pending = self._pending
        pending.append(AheadTrade(event, is_rejected))
        is_over = (
            event.received_us - pending[0].event.received_us >= _OVER_US or len(pending) >= _MOST
        )
        if len(pending) < LEAST or not is_over:
            return []
        self._pending = []
        return pending if are_alike([ahead_us(each.event) for each in pending]) else []

    def _is_stale(self, event: Event, received: int) -> bool:
        """Whether what is held says nothing: good ones came since, or our clock went back."""
        is_one_of_many = not are_nearly_all(len(self._pending) + 1, received - self._others)
        return is_one_of_many or event.received_us < self._pending[-1].event.received_us


class LagWatch:
    """Looks now and then at the newest trades, until they show that our clock is ahead.

    Where all that comes for 2 s and more, `LEAST` trades at the least, is dated more than a day
    before its receipt, by the same: no network explains that. Trades that somebody plays again at
    their own speed look alike, where nobody can be asked for the time.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._offset_us: int | None = None  # of the first such trade
        self._since_us = self._came = 0
        self.are_dated_as_they_come = False  # the newest of those that came

    def look(self, symbols: Mapping[str, SymbolCounts]) -> int | None:
        """Look at what came since the last time.

        Returns the exchange's clock minus ours in µs, while that is shown.
        """
        newest_us = self._since_us
        for name, counts in list(symbols.items()):
            came = counts.received - self._seen.get(name, 0)
            self._seen[name] = counts.received
            if came and counts.last_trade_us is not None and counts.last_received_us is not None:
                self._take(counts.last_trade_us, counts.last_received_us, came)
                newest_us = max(newest_us, counts.last_received_us)
        is_shown = self._came >= LEAST and newest_us - self._since_us >= _OVER_US
        return self._offset_us if is_shown else None

    def _take(self, time_us: int, received_us: int, came: int) -> None:
        offset_us, first_us = time_us - received_us, self._offset_us
        self.are_dated_as_they_come = offset_us > -AHEAD_UNKNOWN_US
        if self.are_dated_as_they_come:
            self._offset_us, self._came = None, 0
        elif first_us is None or abs(offset_us - first_us) > ALIKE_US:
            self._offset_us, self._since_us, self._came = offset_us, received_us, came
        else:
            self._came += came


def ahead_us(event: Event) -> int:
    """By how much a trade is dated after its receipt."""
    return event.time_us - event.received_us


def are_nearly_all(count: int, of: int) -> bool:
    """Whether trades are too large a share of what came to be bad ones."""
    return count >= _SHARE * of


def are_alike(offsets_us: list[int]) -> bool:
    """Whether trades are ahead of their receipt by the same, but for the way they took."""
    if len(offsets_us) < LEAST:
        return False
    middle = median(offsets_us)
    near = sum(abs(each - middle) <= ALIKE_US for each in offsets_us)
    return near >= _SHARE * len(offsets_us)


def sentence(skew_us: int | None, *, is_measured: bool) -> str | None:
    """Say that our clock is wrong by days, by its skew; None where it is not, or not known."""
    if skew_us is None or abs(skew_us) < AHEAD_UNKNOWN_US:
        return None
    days = f"{abs(skew_us) / DAY_US:,.1f}".removesuffix(".0")
    where = "behind" if skew_us > 0 else "ahead"
    why = (
        "by the exchange's own time"
        if is_measured
        else "by the dates of all that comes; the exchange itself cannot be asked"
    )
    return (
        f"This machine's clock is {days} days {where}, {why}. Trades are stored as the exchange"
        " dates them; set the clock right, for ages and ranges are wrong until then."
    )
