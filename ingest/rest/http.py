"""One HTTPS GET, off the event loop."""

import asyncio
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO, TypeVar
from urllib.parse import urlsplit

from ingest.errors import HttpError
from ingest.interception import tunnel_refused

MAX_BODY_BYTES = 16 * 2**20  # spot's exchangeInfo, the longest answer, has a few MB
READ_TIMEOUT_S = 10.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of any status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Fetch = Callable[[str], Awaitable[HttpAnswer]]


async def urllib_fetch(url: str) -> HttpAnswer:
    """Get a URL, with certificates verified and the system's proxy unless it is the loopback's.

    Raises
    ------
    HttpError
        No whole answer came within 10 s, or it is longer than 16 MB.
    """
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await in_daemon_thread(lambda: _get(url))
    except TimeoutError as error:
        raise HttpError(f"no answer within {READ_TIMEOUT_S:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        refused = tunnel_refused(error)
        raise HttpError(refused.sentence if refused else _words(error), refused) from error


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Run blocking work beside the loop.

    Not `asyncio.to_thread`: its threads are waited for when the loop closes, and a server that
    answers byte by byte would then keep the recorder from stopping.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.done():  # given up meanwhile
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # no error: the work's own result

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            failure = error
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(finish, result, failure)
            except RuntimeError:
                return  # closed in between: nobody waits any more

    threading.Thread(target=run, name="pairdesk-rest", daemon=True).start()
    return await future


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like another: we ask the host the user chose, and no other."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


def _get(url: str) -> HttpAnswer:
    direct = urlsplit(url).hostname in _LOOPBACK
    proxies = urllib.request.ProxyHandler({} if direct else None)
    get = urllib.request.build_opener(proxies, _NoRedirect).open
    request = urllib.request.Request(url, headers={"User-Agent": "pairdesk"})  # noqa: S310 - the settings take http and https only
    try:
        with get(request, timeout=READ_TIMEOUT_S) as response:
            return _answer(response.status, response.headers, response)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error)


def _answer(status: int, headers: Message, body: IO[bytes]) -> HttpAnswer:
    content = body.read(MAX_BODY_BYTES + 1)
    if len(content) > MAX_BODY_BYTES:
        raise HttpError(f"the answer is longer than {MAX_BODY_BYTES:,} bytes")
    return HttpAnswer(status, {name.lower(): value for name, value in headers.items()}, content)


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {READ_TIMEOUT_S:g} s"
    plain = cause.strerror if isinstance(cause, OSError) else None  # without its number
    return plain or str(cause) or type(cause).__name__
