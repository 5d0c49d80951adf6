"""Apprise, held to a time limit, and its log read for why a message did not get through."""

import logging
import re
import sys
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import apprise

from ingest.watch.failures import failure_words, reached_none, status_words
from ingest.watch.posting import quiet_libraries

LIMIT_S: Final = 30.0
# Calls that hang are left alone; no more than these a channel.
_MOST_HANGING: Final = 3
_STATUS: Final = re.compile(r"\berror=(\d{3})\b")
_LOG: Final = logging.getLogger("apprise")
_MOST_CHARS: Final = 3000


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What came of a call, in our words."""

    delivered: bool
    words: str
    may_have_arrived: bool = True


def service_of(address: str) -> Any:
    """Return Apprise's service of an address; None where it can make nothing of it."""
    _listen()
    try:
        return apprise.Apprise.instantiate(address, asset=_asset())
    except Exception:  # noqa: BLE001 - whatever it stumbles over: its words may hold the address
        return None


class AppriseCall:
    """Sends text to one service; a call that does not come back in time counts as failed.

    Parameters
    ----------
    service
        Of `service_of`.
    limit_s
        After which a call is left alone.
    """

    def __init__(self, service: Any, limit_s: float = LIMIT_S) -> None:
        self._service, self._limit_s = service, limit_s
        self._hanging: list[threading.Thread] = []
        self.most_chars = min(_MOST_CHARS, int(service.body_maxlen))

    def send(self, title: str, body: str, kind: str) -> CallAnswer:
        """Send one message."""
        self._hanging = [each for each in self._hanging if each.is_alive()]
        if len(self._hanging) >= _MOST_HANGING:
            return CallAnswer(False, f"{_MOST_HANGING} calls hang", may_have_arrived=False)
        call = _Call(self._service, title, body, kind)
        thread = threading.Thread(target=call.run, name="pairdesk-apprise", daemon=True)
        thread.start()
        thread.join(self._limit_s)
        if call.answer is None:
            self._hanging.append(thread)
            return CallAnswer(False, f"no answer within {self._limit_s:g} s")
        return call.answer


@dataclass(slots=True, repr=False)
class _Call:
    """One call, in a thread of its own."""

    service: Any
    title: str
    body: str
    kind: str
    answer: CallAnswer | None = None

    def run(self) -> None:
        """Deliver, and leave how it went in `answer`; raises nothing."""
        log = _LISTENER.begin()
        try:
            self.answer = self._answer(log)
        except Exception as error:  # noqa: BLE001 - whatever it is, it was not delivered
            self.answer = CallAnswer(False, failure_words(error), not reached_none(error))

    def _answer(self, log: "_CallLog") -> CallAnswer:
        sender = apprise.Apprise(asset=_asset())
        sender.add(self.service)
        if sender.notify(
            body=self.body, title=self.title, notify_type=self.kind, body_format="text"
        ):
            return CallAnswer(True, "the service took it")
        return log.answer()


@dataclass(slots=True)
class _CallLog:
    """What Apprise wrote about one call: errors that it caught, and HTTP statuses."""

    errors: list[BaseException] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def note(self, record: logging.LogRecord) -> None:
        """Keep the error and the HTTP status that a record of Apprise's log has."""
        if (error := sys.exc_info()[1]) is not None:
            self.errors.append(error)
        self.statuses += map(int, _STATUS.findall(record.getMessage()))

    def answer(self) -> CallAnswer:
        """Say why it failed: the last status, else the last error."""
        if self.statuses:
            status = self.statuses[-1]
            is_refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            return CallAnswer(False, status_words(status), not is_refused)
        if self.errors:
            error = self.errors[-1]
            return CallAnswer(False, failure_words(error), not reached_none(error))
        return CallAnswer(False, "the service did not take it")


class _Listener(logging.Filter):
    """Hands each thread what Apprise writes in it, and lets nothing of it through to a log."""

    def __init__(self) -> None:
        super().__init__()
        self._of_thread = threading.local()

    def begin(self) -> _CallLog:
        """Give this thread a log of its own, empty."""
        log = self._of_thread.log = _CallLog()
        return log

    def filter(self, record: logging.LogRecord) -> bool:
        """Note the record for its thread and let no handler see it."""
        if (log := getattr(self._of_thread, "log", None)) is not None:
            log.note(record)
        return False


_LISTENER: Final = _Listener()


def _listen() -> None:
    """Take Apprise's log to ourselves: it names hosts, and at its lower levels more."""
    quiet_libraries()
    _LOG.addFilter(_LISTENER)
    _LOG.setLevel(logging.DEBUG)


def _asset() -> apprise.AppriseAsset:
    """Keep nothing on the disk, and one call in one thread: the time limit is ours."""
    return apprise.AppriseAsset(
        app_id="Pairdesk",
        app_desc="Pairs trading alerts",
        app_url="",
        async_mode=False,
        service_timeout=0,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
