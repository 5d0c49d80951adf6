"""A sign of life to a URL, so that a desk that falls silent is noticed from outside."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ingest.clock import now_us as our_now_us
from ingest.status import RecorderStatus
from ingest.watch.addresses import Address, Addresses
from ingest.watch.model import SECOND_US
from ingest.watch.posting import Answer, Poster, Request
from ingest.watch.sending import outcome_of

_LOG: Final = logging.getLogger("pairdesk.watch")
_AGAIN_S: Final = 10.0
_SILENT_AFTER_US: Final = 120 * SECOND_US  # as `/healthz` has it
_BEHIND_AFTER_S: Final = 60.0
_NOT_SET: Final = "not set up"
_NOT_WELL: Final = "held back: the desk is not well"
_SENT: Final = "sent"


@dataclass(frozen=True, slots=True)
class HeartbeatStanding:
    """How the heartbeat does.

    Attributes
    ----------
    source
        Where its address stands; "" where it has none. Never the address.
    state
        In words.
    last_us
        When it was last taken, on our clock; None before the first since the start.
    failures_in_a_row, last_error
        Attempts that failed since the last that did not, and why.
    """

    source: str = ""
    state: str = _NOT_SET
    last_us: int | None = None
    failures_in_a_row: int = 0
    last_error: str = ""


class Heartbeat:
    """Asks for a URL every few minutes while all is well, and for nothing while it is not.

    What watches the URL (healthchecks.io or another) raises the alarm when nothing comes.

    Parameters
    ----------
    addresses
        Which know the URL, and how often it is asked for.
    is_well
        Whether the desk records and evaluates.
    now_us
        Our clock, µs since the epoch.
    """

    def __init__(
        self,
        addresses: Addresses,
        is_well: Callable[[], bool],
        now_us: Callable[[], int] = our_now_us,
    ) -> None:
        self._addresses, self._is_well, self._now_us = addresses, is_well, now_us
        self._standing = HeartbeatStanding()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pairdesk-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """End; whether it did in time."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def standing(self) -> HeartbeatStanding:
        """Tell how it does; from any thread."""
        return self._standing

    def beat(self, poster: Poster) -> float:
        """Ask once, if all is well; seconds until the next time."""
        address = self._addresses.heartbeat()
        every_s = self._addresses.heartbeat_every_s()
        if address is None:
            self._standing = HeartbeatStanding()
            return every_s
        self._standing = replace(self._standing, source=address.source)
        if not self._is_well():
            self._standing = replace(self._standing, state=_NOT_WELL)
            return min(every_s, _AGAIN_S)
        return every_s if self._ask(poster, address) else min(every_s, _AGAIN_S)

    def _ask(self, poster: Poster, address: Address) -> bool:
        outcome = outcome_of(_answer(poster, address.url))
        if outcome.delivered:
            self._standing = HeartbeatStanding(address.source, _SENT, self._now_us())
        else:
            failures = self._standing.failures_in_a_row + 1
            self._standing = replace(
                self._standing,
                state="failing: it is tried again",
                failures_in_a_row=failures,
                last_error=outcome.words,
            )
            if failures == 1:
                _LOG.warning("%s", f"the heartbeat fails: {outcome.words}")
        return outcome.delivered

    def _run(self) -> None:
        poster = Poster()
        while not self._stopping.wait(self._beat_safely(poster)):
            pass
        poster.close()

    def _beat_safely(self, poster: Poster) -> float:
        try:
            return self.beat(poster)
        except Exception as error:  # noqa: BLE001 - of whoever says whether all is well
            words = f"it failed ({type(error).__name__})"
            self._standing = replace(self._standing, state=_NOT_WELL, last_error=words)
            return _AGAIN_S


def is_well(status: RecorderStatus, behind_s: float, now_us: int) -> bool:
    """Judge whether trades come in, are stored, and are evaluated.

    Parameters
    ----------
    status
        Of the recorder.
    behind_s
        Seconds of market time that evaluating lags behind what is stored.
    now_us
        Our clock, µs since the epoch.
    """
    silent_us = now_us - (status.last_received_us or 0)
    is_recording = status.state == "live" and status.write_error is None
    return is_recording and silent_us < _SILENT_AFTER_US and behind_s < _BEHIND_AFTER_S


def _answer(poster: Poster, url: str) -> Answer:
    if not url.startswith(("http://", "https://")):
        return Answer(words="its address is no http:// or https://", was_sent=False)
    return poster.request(Request("GET", url))
