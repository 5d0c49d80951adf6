"""Closed bars of all legs that are watched, brought up to date as trades are stored."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from analytics.frames import parse_interval
from analytics.leg import MISSING, Leg
from ingest.store import (
    SECOND_US,
    BarColumns,
    BarView,
    BarWindow,
    History,
    LastTrade,
    StreamChanges,
    look_together,
)

# Bars before the first that is asked for: as many as Live reads.
LAG_BARS: Final = 10
# So long a bar inside a gap waits for its trades to be fetched.
REPAIRED_WITHIN_S: Final = 15.0
# Bars that still form are looked at so often at most.
FORMING_EVERY_S: Final = 1.0


class LegKey(NamedTuple):
    """A leg that pairs share."""

    symbol: str
    interval: str


class WatchedLeg:
    """One symbol at one interval, shared by all pairs that have it. The engine's thread.

    Attributes
    ----------
    leg
        Closed bars; None before there are any.
    epoch
        Bars of one epoch never change.
    last
        The newest stored trade; None without any.
    end_us
        Open of the newest closed bar, µs; 0 without any.
    is_waited_for
        Whether a pair waits for a gap of it to be repaired.
    window
        Its bars as they are read.
    is_looked_at
        Whether the next look was made already, for many legs at once.
    """

    def __init__(
        self, path: Path, key: LegKey, clock: Callable[[], float], history: History | None = None
    ) -> None:
        self.key = key
        self.step_us = parse_interval(key.interval).us
        self.leg: Leg | None = None
        self.forming: BarColumns | None = None
        self.epoch = 0
        self.last: LastTrade | None = None
        self.end_us = 0
        self.is_waited_for = False
        self.window = BarWindow(path, key.symbol, key.interval, history=history)
        self.is_looked_at = False
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()  # moment, newest bar then
        self._ripe_us = 0
        self._reads = 0
        self._until: tuple[int, int, Leg] | None = None  # bar, read, bars up to it
        self._with_forming: tuple[int, int, Leg | None] | None = None

    def is_due(self, newest_us: int) -> bool:
        """Whether a trade of that time closes a bar that is not here yet, or is of a closed one."""
        since_us = newest_us - self.end_us
        return not self.step_us <= since_us < 2 * self.step_us or self.is_waited_for

    def look(self) -> int:
        """Look for news; returns the time of the newest trade, µs, 0 without any.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        self.last = self.window.last_trade(look=not self.is_looked_at)
        self.is_looked_at = False
        return 0 if self.last is None else self.last.time_us

    def refresh(self, from_us: int, evaluated_us: int) -> int:
        """Take what the last look found; returns how many evaluated bars are others now.

        Parameters
        ----------
        from_us
            The oldest bar that anybody needs.
        evaluated_us
            The newest bar that was evaluated.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        self.is_waited_for = False
        self._reads += 1
        view = self.window.view(max(0, from_us) // SECOND_US, look=False)
        before, epoch = self.leg, self.epoch
        self.leg, self.epoch, self.forming = leg_of(view), view.key[0], view.forming
        self.end_us = 0 if self.leg is None else self.leg.end_us
        self._note_seen()
        if before is None or self.leg is None:
            return 0
        if epoch == self.epoch:
            self.leg.continue_returns(before)
            return 0
        return _changed(before, self.leg, evaluated_us)

    def is_known(self, bar_us: int) -> bool:
        """Whether a bar can be evaluated: it is no part of a gap, or waited for long enough."""
        assert self.leg is not None
        row = (bar_us - self.leg.start_us) // self.step_us
        if self.leg.coverage[row] != MISSING:
            return True
        self._let_ripen()
        return bar_us <= self._ripe_us

    def until(self, bar_us: int) -> Leg:
        """Bars up to one that is there, as views: the same for all pairs that ask."""
        assert self.leg is not None
        if self._until is None or self._until[:2] != (bar_us, self._reads):
            part = self.leg.part(0, (bar_us - self.leg.start_us) // self.step_us + 1)
            self._until = (bar_us, self._reads, part)
        return self._until[2]

    def with_forming(self, bar_us: int) -> Leg | None:
        """Bars up to one that is there or still forms; None where it is not there at all."""
        if self.leg is None or bar_us <= self.end_us:
            return None if self.leg is None else self.until(bar_us)
        if self._with_forming is None or self._with_forming[:2] != (bar_us, self._reads):
            self._with_forming = (bar_us, self._reads, self._add_forming(self.leg, bar_us))
        return self._with_forming[2]

    def close(self) -> None:
        """Close the connection."""
        self.window.close()

    def _add_forming(self, leg: Leg, bar_us: int) -> Leg | None:
        forming = self.forming
        if forming is None or not len(forming) or forming.first * self.step_us != bar_us:
            return None
        return Leg(
            leg.start_us,
            self.step_us,
            np.concatenate((leg.close, forming.close)),
            np.concatenate((leg.volume, forming.volume)),
            np.concatenate((leg.trades, forming.trades)),
            np.concatenate((leg.coverage, forming.coverage)),
        )

    def _note_seen(self) -> None:
        if self.leg is not None and (not self._seen or self._seen[-1][1] < self.leg.end_us):
            self._seen.append((self._clock(), self.leg.end_us))
        self._let_ripen()

    def _let_ripen(self) -> None:
        until_s = self._clock() - REPAIRED_WITHIN_S
        while self._seen and self._seen[0][0] <= until_s:
            self._ripe_us = self._seen.popleft()[1]


class Market:
    """The legs of all watched pairs. The engine's thread.

    Parameters
    ----------
    path
        The tick database.
    clock
        Monotonic seconds.
    history
        Folder of the lake that is read with the database as one; None: the database alone.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        history: Path | None = None,
    ) -> None:
        self.path, self._clock = path, clock
        self._history = None if history is None else History(history)
        self.legs: dict[LegKey, WatchedLeg] = {}
        self._by_symbol: Mapping[str, list[WatchedLeg]] = {}
        self._changes = StreamChanges(path)
        self._new: set[LegKey] = set()
        self._moved: set[LegKey] = set()  # whose forming bar changed since it was looked at
        self._forming_due_s = -math.inf

    def watch(self, wanted: Iterable[LegKey]) -> None:
        """Have exactly these legs."""
        keys = set(wanted)
        for key in self.legs.keys() - keys:
            self.legs.pop(key).close()
        self._new = (self._new & keys) | (keys - self.legs.keys())
        for key in keys - self.legs.keys():
            self.legs[key] = WatchedLeg(self.path, key, self._clock, self._history)
        by_symbol: dict[str, list[WatchedLeg]] = {}
        for leg in self.legs.values():
            by_symbol.setdefault(leg.key.symbol, []).append(leg)
        self._by_symbol = by_symbol

    def renew(self, key: LegKey) -> None:
        """Have a leg among those due, whatever was committed: a pair that is new looks at it."""
        self._new.add(key)

    def due(self, *, with_forming: Iterable[LegKey] = ()) -> list[WatchedLeg]:
        """Legs that may have a new closed bar; with those whose forming bar changed, if asked for.

        The latter are all named at once, every `FORMING_EVERY_S` at most. One look is made for all.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        changed = self._changes.look()
        due, self._new = self._new, set()
        for symbol, newest_us in changed.items():
            for leg in self._by_symbol.get(symbol, ()):
                (due if leg.is_due(newest_us) else self._moved).add(leg.key)
        self._moved.intersection_update(with_forming)
        if self._moved and self._clock() >= self._forming_due_s:
            self._forming_due_s = self._clock() + FORMING_EVERY_S
            due |= self._moved
        self._moved -= due
        legs = [self.legs[key] for key in due]
        looked_at = look_together(leg.window for leg in legs)
        for leg in legs:
            leg.is_looked_at = leg.window in looked_at
        return legs

    def newest_us(self) -> int:
        """Time of the newest trade of all legs, µs; 0 without any."""
        return max((leg.last.time_us for leg in self.legs.values() if leg.last), default=0)

    def close(self) -> None:
        """Close all connections."""
        self.watch(())
        self._changes.close()


def leg_of(view: BarView) -> Leg | None:
    """Take the closed bars of a window's view; None without any."""
    bars = view.closed
    if not len(bars):
        return None
    step_us = bars.seconds * SECOND_US
    arrays = (bars.close, bars.volume, bars.trades, bars.coverage)
    return Leg(bars.first * step_us, step_us, *arrays)


def _changed(before: Leg, after: Leg, until_us: int) -> int:
    """Count the bars up to one that both have and whose trades or kind differ.

    A close carried on over bars without trades changes with the bar it is of, and counts once.
    """
    start, end = max(before.start_us, after.start_us), min(before.end_us, after.end_us, until_us)
    if end < start:
        return 0
    old, new = (
        leg.part((start - leg.start_us) // leg.step_us, (end - leg.start_us) // leg.step_us + 1)
        for leg in (before, after)
    )
    return int(np.count_nonzero((old.trades != new.trades) | (old.coverage != new.coverage)))
