"""One HTTP request within a time limit, of whose address nothing is told."""

import asyncio
import logging
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ingest.recorder import DaemonExecutor
from ingest.watch.failures import failure_words, reached_none

if TYPE_CHECKING:
    import httpx

LIMIT_S: Final = 10.0
_MOST_ANSWER_BYTES: Final = 64 * 1024
_LOOPBACK: Final = frozenset(("127.0.0.1", "localhost", "::1"))
_SENT: Final = "send_request_headers.started"  # httpcore's word for it, behind the protocol's
# What libraries write of a request at their lower levels holds its address.
_LOGGERS: Final = ("httpcore", "httpx", "requests", "urllib3")


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What is asked of whom. It has no `repr`: that may end in a log."""

    method: str
    url: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    verifies: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    `status` is None without an answer, and `words` then say why; `retry_after` is the header's
    text; `was_sent` is False where the receiver has certainly not seen the request.
    """

    status: int | None = None
    retry_after: str | None = None
    words: str = ""
    was_sent: bool = True


class Poster:
    """Makes requests one after the other, over connections that are kept. Of one thread.

    Redirects are not followed, and of an answer at most 64 kB are read.

    Parameters
    ----------
    limit_s
        Of a whole request, from the look-up of the name to the end of the answer.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_default_executor(DaemonExecutor())
        self._transports: dict[tuple[str | None, bool], httpx.AsyncHTTPTransport] = {}

    def request(self, request: Request) -> Answer:
        """Make a request; whatever goes wrong is an answer, too."""
        return self._runner.run(self._request(request))

    def close(self) -> None:
        """Close all connections."""
        self._runner.run(self._close())
        self._runner.close()

    async def _request(self, request: Request) -> Answer:
        steps = _Steps()
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._answer(request, steps)
        except TimeoutError:
            words = f"no answer within {self._limit_s:g} s"
            was_sent = steps.was_sent
        except Exception as error:  # noqa: BLE001 - of three libraries; our words for all of them
            words, was_sent = failure_words(error), steps.was_sent and not reached_none(error)
        await self._close()  # the network may have changed: the other connections are as dead
        return Answer(words=words, was_sent=was_sent)

    async def _answer(self, request: Request, steps: "_Steps") -> Answer:
        response = await self._send(request, steps)
        try:
            with suppress(Exception):  # the status has arrived: the rest is of no weight
                await _read(response)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers.get("retry-after"))

    async def _send(self, request: Request, steps: "_Steps") -> "httpx.Response":
        """Send once: after a connection that broke nobody knows whether it arrived."""
        transport = self._transport(_proxy_for(request.url), request.verifies)
        return await transport.handle_async_request(_made(request, steps))

    def _transport(self, proxy: str | None, verifies: bool) -> "httpx.AsyncHTTPTransport":
        import httpx  # noqa: PLC0415 - 60 ms, when needed

        key = proxy, verifies
        if key not in self._transports:
            quiet_libraries()
            self._transports[key] = httpx.AsyncHTTPTransport(
                verify=_context(verifies), trust_env=False, proxy=proxy
            )
        return self._transports[key]

    async def _close(self) -> None:
        transports, self._transports = self._transports, {}
        for each in transports.values():
            with suppress(Exception):
                await each.aclose()


class _Steps(list[str]):
    """What was done for a request, in httpcore's words."""

    async def note(self, step: str, _: dict[str, Any]) -> None:
        """Append a step: httpcore calls this as its ``trace``."""
        self.append(step)

    @property
    def was_sent(self) -> bool:
        """Whether the request may have reached the other side."""
        return any(each.endswith(_SENT) for each in self)


def quiet_libraries() -> None:
    """Let no library write what it is doing: their own words hold the address."""
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _made(request: Request, steps: _Steps) -> "httpx.Request":
    import httpx  # noqa: PLC0415 - as above

    try:
        url = httpx.URL(request.url).copy_merge_params(dict(request.params))
    except httpx.InvalidURL as error:
        raise ValueError(request.method) from error
    made = httpx.Request(
        request.method,
        url,
        headers={"User-Agent": "Pairdesk", **request.headers},
        content=request.content,
        extensions={"trace": steps.note},
    )
    if request.user:
        made = next(httpx.BasicAuth(*request.user).auth_flow(made))
    return made


async def _read(response: "httpx.Response") -> None:
    """Read an answer to its end, so that the connection can be kept; not beyond the bound."""
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > _MOST_ANSWER_BYTES:
            return


def _context(verifies: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy_for(url: str) -> str | None:
    """Find the system's proxy for a URL, as `urllib` does, and speak plain HTTP to it."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or parts.hostname in _LOOPBACK or urllib.request.proxy_bypass(parts.netloc):
        return None
    return f"http://{proxy.rpartition('://')[2]}"
