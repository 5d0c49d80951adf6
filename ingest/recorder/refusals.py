"""Trades that are not of this recording: another exchange's, or of ids that start over."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.counts import Counts
from ingest.errors import RecorderError, StoreError
from ingest.settings import Settings, say
from ingest.store import TickReader, TickWriter
from ingest.tick import StreamKey
from ingest.venue import Refusal, Restart, ids_start_over, other_venue, venue_setting

_LOG: Final = logging.getLogger("pairdesk.recorder")


class Refusals:
    """Says which symbols are refused and why, once at the terminal.

    Parameters
    ----------
    settings
        Market, symbols' stream and endpoints.
    venue
        The exchange to be recorded; None where any will do: a replay.
    counts, now_us
        Of the recording.

    Attributes
    ----------
    other_venue
        Why nothing at all is stored; None where the database is of the same exchange.
    """

    def __init__(
        self, settings: Settings, venue: str | None, counts: Counts, now_us: Callable[[], int]
    ) -> None:
        self.other_venue: Refusal | None = None
        self._settings, self._venue = settings, venue
        self._counts, self._now_us = counts, now_us
        self._has_restarts = False

    def compare(self, database: TickWriter | TickReader) -> Refusal | None:
        """Compare the exchange to be recorded with that of a database; None where all is well."""
        market = self._settings.market
        stored = database.setting(venue_setting(market))
        if self._venue is None or stored in {None, self._venue}:
            return None
        return other_venue(market, str(stored), self._venue, self._settings.ws_base)

    def refuse_another_venue(self, path: Path) -> None:
        """RecorderError where a database holds another exchange's trades."""
        refusal = None
        with suppress(StoreError), TickReader(path) as reader:  # none yet, or the writer refuses it
            refusal = self.compare(reader)
        if refusal is not None:
            raise RecorderError(refusal.sentence)

    def current(
        self, symbols: tuple[str, ...], restarts: Mapping[StreamKey, Restart]
    ) -> Refusal | None:
        """Why what comes is not stored, where that is so of one of these symbols."""
        if self.other_venue is not None:
            return self.other_venue
        of_symbols = {key: each for key, each in restarts.items() if key[1] in symbols}
        return ids_start_over(of_symbols) if of_symbols else None

    def note_restarts(self, refusal: Refusal | None) -> None:
        """Say that ids start over, in a line for all symbols until none is refused any more."""
        if refusal is not None and not self._has_restarts:
            self.note(refusal)
        self._has_restarts = refusal is not None

    def note(self, refusal: Refusal) -> None:
        """Write a refusal down where a person sees it."""
        self._counts.note(self._now_us(), "refused", refusal.sentence)
        _LOG.info("%s", refusal.sentence)
        say(refusal.sentence)
