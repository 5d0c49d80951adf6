"""One attempt to get a message through: to a JSON webhook ourselves, to all else by Apprise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ingest.retry import refusal_wait_s
from ingest.watch.failures import status_words
from ingest.watch.message import Outgoing, alert_document, text, title, together
from ingest.watch.posting import Answer, Poster, Request

if TYPE_CHECKING:
    from ingest.watch.apprise_call import AppriseCall

LONGEST_WAIT_S: Final = 3600.0
_JSON: Final = frozenset(("json", "jsons"))
_JSON_VERSION: Final = "1.0"  # of Apprise's own document
_KINDS: Final = {"JSON": "JSON webhook", "E-Mail": "e-mail"}
_UNUSABLE: Final = "an address that cannot be used"
_REDIRECTS: Final = range(300, 400)
_WAITS: Final = frozenset((HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE))
# The receiver does not take this very message, whoever asks: a wrong address answers otherwise.
_REFUSES_MESSAGE: Final = frozenset(
    (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    Attributes
    ----------
    delivered
        The service has said that it took it.
    words
        Its answer in our words; nothing of the address is in them.
    retry_after_s
        How long it asks us to stay away, at most an hour; None where it does not say.
    is_final
        It refuses this message, so that the same one again is of little use.
    may_have_arrived
        Whether the receiver may have taken it nevertheless.
    """

    delivered: bool
    words: str
    retry_after_s: float | None = None
    is_final: bool = False
    may_have_arrived: bool = True


class Sender(Protocol):
    """Makes attempts at one address, one after the other, in one thread."""

    def fitting(self, waiting: Sequence[Outgoing]) -> int:
        """How many, from the first on, go into one attempt; at least one."""

    def send(self, outgoing: Sequence[Outgoing]) -> Outcome:
        """Make one attempt; whatever goes wrong is an outcome."""

    def close(self) -> None:
        """Let go of what is kept from one attempt to the next."""


def open_sender(address: str) -> Sender | None:
    """Return what sends to an address; None where nobody knows how."""
    service = _service(address)
    if service is None:
        return None
    from ingest.watch.apprise_call import AppriseCall  # noqa: PLC0415 - 0.1 s, when needed

    return JsonSender(service) if service.schema in _JSON else TextSender(AppriseCall(service))


def load() -> None:
    """Load what the first attempt needs, in half a second, ahead of it."""
    import httpx  # noqa: F401, PLC0415 - when needed

    _service("json://127.0.0.1")


@lru_cache(64)
def kind_of_address(address: str) -> str:
    """Name the service that an address is of."""
    service = _service(address)
    return (
        _UNUSABLE
        if service is None
        else _KINDS.get(service.service_name, str(service.service_name))
    )


class JsonSender:
    """Posts alerts one by one to a webhook that reads JSON.

    The address is in Apprise's syntax, its host, path, headers, parameters, user and further fields
    as Apprise reads them; the body is Apprise's with the fields of the alert.
    """

    def __init__(self, service: Any, poster: Poster | None = None) -> None:
        self._service = service
        self._poster = Poster() if poster is None else poster

    def fitting(self, waiting: Sequence[Outgoing]) -> int:
        """One: a body is an alert."""
        return min(1, len(waiting))

    def send(self, outgoing: Sequence[Outgoing]) -> Outcome:
        """Post one alert."""
        return outcome_of(self._poster.request(self._request(outgoing[0])))

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _request(self, outgoing: Outgoing) -> Request:
        service = self._service
        port = f":{service.port}" if service.port else ""
        scheme = "https" if service.secure else "http"
        return Request(
            method=service.method,
            url=f"{scheme}://{service.host}{port}{service.fullpath}",
            content=msgspec.json.encode(self._body(outgoing)),
            headers={"Content-Type": "application/json", **service.headers},
            params=service.params,
            user=(service.user, service.password or "") if service.user else None,
            verifies=service.verify_certificate,
        )

    def _body(self, outgoing: Outgoing) -> dict[str, object]:
        body = {
            "version": _JSON_VERSION,
            "title": title((outgoing,)),
            "message": text((outgoing,)),
            "type": _apprise_type(outgoing),
            **alert_document(outgoing),
        }
        for name, value in self._service.payload_extras.items():
            if name not in body:
                body[name] = value
            elif not value:
                del body[name]
            else:  # a field of ours under another name
                body[value] = body.pop(name)
        return body


class TextSender:
    """Sends words, several alerts at once, through Apprise."""

    def __init__(self, call: "AppriseCall") -> None:
        self._call = call

    def fitting(self, waiting: Sequence[Outgoing]) -> int:
        """As many as the service takes in one message."""
        return together(waiting, self._call.most_chars)

    def send(self, outgoing: Sequence[Outgoing]) -> Outcome:
        """Send one message of all these alerts."""
        answer = self._call.send(title(outgoing), text(outgoing), _apprise_type(outgoing[-1]))
        return Outcome(answer.delivered, answer.words, may_have_arrived=answer.may_have_arrived)

    def close(self) -> None:
        """Keep nothing."""


def outcome_of(answer: Answer) -> Outcome:
    """Judge an answer to a post."""
    if answer.status is None:
        return Outcome(False, answer.words, may_have_arrived=answer.was_sent)
    words = status_words(answer.status)
    if answer.status in _REDIRECTS:
        return Outcome(False, f"{words}: a redirect, which is not followed")
    return Outcome(
        delivered=HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES,
        words=words,
        retry_after_s=_retry_after_s(answer),
        is_final=answer.status in _REFUSES_MESSAGE,
    )


def _retry_after_s(answer: Answer) -> float | None:
    if answer.status not in _WAITS or answer.retry_after is None:
        return None
    wait_s = refusal_wait_s(HTTPStatus.OK, answer.retry_after)
    return min(wait_s, LONGEST_WAIT_S) or None


def _apprise_type(outgoing: Outgoing) -> str:
    if outgoing.is_test:
        return "info"
    return "warning" if outgoing.alert.kind == "fired" else "success"


def _service(address: str) -> Any:
    """Return Apprise's reading of an address; None where it can make nothing of it."""
    from ingest.watch.apprise_call import service_of  # noqa: PLC0415 - 0.1 s, when needed

    return service_of(address)
