"""Legs brought up to date: late trades are counted, and one that cannot be read stops no other."""

import logging
from collections.abc import Callable, Container, Sequence
from typing import Final

from ingest.errors import StoreError
from ingest.watch.evaluation.bar_watch import BarWatch
from ingest.watch.evaluation.market import LegKey, WatchedLeg

_LOG: Final = logging.getLogger("pairdesk.watch")


class LegRefresh:
    """Brings legs up to date for what has them. The engine's thread.

    Parameters
    ----------
    clock
        Monotonic seconds.
    failed
        Called with the words of a leg that cannot be read, once until it can.

    Attributes
    ----------
    late_bars
        Evaluated bars that late trades changed.
    unread_since
        Legs that cannot be read, and since when.
    """

    def __init__(self, clock: Callable[[], float], failed: Callable[[str], None]) -> None:
        self._clock, self._failed = clock, failed
        self.late_bars = 0
        self.unread_since: dict[LegKey, float] = {}

    def keep(self, legs: Container[LegKey]) -> None:
        """Let go of all but these."""
        for gone in [each for each in self.unread_since if each not in legs]:
            del self.unread_since[gone]

    def refresh(self, leg: WatchedLeg, pairs: Sequence[BarWatch]) -> Sequence[BarWatch]:
        """Bring a leg up to date; returns what has it, or nothing where there is no news.

        Where it cannot be read, the problem of what has it says so.
        """
        try:
            newest_us = leg.look()
            from_us = min(each.needs_from_us(newest_us) for each in pairs)
            evaluated_us = max(each.evaluated_us for each in pairs)
            late = leg.refresh(from_us, evaluated_us) if newest_us else 0
        except StoreError as error:
            self._note_unread(leg.key, pairs, str(error))
            return pairs
        if self.unread_since.pop(leg.key, None) is not None:
            for each in pairs:
                each.problem = ""
        if late:
            self.late_bars += late
            _LOG.info(
                "%s %s: late trades changed %d evaluated bars; no alert follows", *leg.key, late
            )
        return pairs if newest_us else ()

    def _note_unread(self, leg: LegKey, pairs: Sequence[BarWatch], error: str) -> None:
        if leg not in self.unread_since:
            self.unread_since[leg] = self._clock()
            self._failed(error)
        for each in pairs:
            each.problem = f"{leg.symbol} cannot be read: {error}"
