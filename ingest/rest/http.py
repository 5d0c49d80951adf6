"""HTTPS GETs over connections that are kept from one request to the next."""

import asyncio
import os
import ssl
import urllib.request
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ingest.errors import HttpError, IngestError
from ingest.interception import tunnel_refused

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES = 16 * 2**20  # spot's exchangeInfo, the longest answer, has a few MB
READ_TIMEOUT_S = 10.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_HEADERS = {"User-Agent": "pairdesk", "Accept-Encoding": "gzip"}
_GZIP_NAMES = {"gzip", "x-gzip"}
_GZIP_WINDOW = 31  # zlib's word for a gzip header before the data
_KEPT_IDLE_S = 30.0  # less than servers keep theirs
_MOST_KEPT = 8
_CONNECTING = "connection.connect_tcp.started"  # httpcore's word for it


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of any status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Fetch = Callable[[str], Awaitable[HttpAnswer]]


class HttpClient:
    """Gets URLs, side by side, with the connections of earlier requests where they still stand.

    Certificates are verified; the system's proxy is used, unless the host is the loopback. Belongs
    to the event loop it is used in, until `aclose`; a `get` after it opens them again.
    """

    def __init__(self) -> None:
        self._pools: dict[str | None, _Pool] = {}  # by proxy

    async def get(self, url: str) -> HttpAnswer:
        """Get a URL; a redirect is an answer like another.

        Raises
        ------
        HttpError
            No whole answer came within 10 s, or it is longer than 16 MB, unpacked.
        """
        _check_port(url, "the address")
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await self._get(url, _proxy_for(url))
        except TimeoutError as error:
            raise HttpError(f"no answer within {READ_TIMEOUT_S:g} s") from error

    async def aclose(self) -> None:
        """Close all connections; a request under way fails."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    async def _get(self, url: str, proxy: str | None) -> HttpAnswer:
        pool = self._pools.get(proxy)
        if pool is None:
            opened = _Pool(await asyncio.to_thread(_transport, proxy))
            pool = self._pools.setdefault(proxy, opened)
        pool.requests += 1
        try:
            return await pool.get(url)
        except BaseException:
            # The network may have changed: the other connections would then be as dead.
            if self._pools.get(proxy) is pool:
                del self._pools[proxy]
            raise
        finally:
            pool.requests -= 1
            if not pool.requests and self._pools.get(proxy) is not pool:
                await pool.aclose()


class _Pool:
    """Connections that are opened as needed; `requests` of them are in use."""

    def __init__(self, transport: "httpx.AsyncHTTPTransport") -> None:
        self.requests = 0
        self._transport = transport

    async def get(self, url: str) -> HttpAnswer:
        """Ask for an address; HttpError where no answer came."""
        import httpx  # noqa: PLC0415 - 60 ms, when needed: `_transport` has loaded it in a thread

        try:
            response = await self._send(url)
            try:
                body = await _body(response)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, zlib.error) as error:
            refused = tunnel_refused(error) if isinstance(error, httpx.ProxyError) else None
            raise HttpError(refused.sentence if refused else _words(error), refused) from error
        return HttpAnswer(response.status_code, dict(response.headers.multi_items()), body)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _send(self, url: str) -> "httpx.Response":
        """Send a request: once more where the server has just closed a connection we kept."""
        import httpx  # noqa: PLC0415 - as above

        while True:
            steps = _Steps()
            extensions = {"trace": steps.note}
            request = httpx.Request("GET", url, headers=_HEADERS, extensions=extensions)
            try:
                # No `AsyncClient`: it keeps cookies, and unpacks without bound.
                return await self._transport.handle_async_request(request)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                if _CONNECTING in steps:
                    raise


class _Steps(list[str]):
    """What was done for a request, in httpcore's words."""

    async def note(self, step: str, _: dict[str, Any]) -> None:
        """Append a step: httpcore calls this as its ``trace``."""
        self.append(step)


def _transport(proxy: str | None) -> "httpx.AsyncHTTPTransport":
    """Make what holds connections. For a thread: it reads the system's certificates."""
    import httpx  # noqa: PLC0415 - when needed

    context = ssl.create_default_context()
    limits = httpx.Limits(max_keepalive_connections=_MOST_KEPT, keepalive_expiry=_KEPT_IDLE_S)
    try:
        return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits, proxy=proxy)
    except httpx.InvalidURL as error:
        raise HttpError(f"the system's proxy cannot be used: {error}") from error


def _proxy_for(url: str) -> str | None:
    """Find the system's proxy for a URL, as `urllib` does, and speak plain HTTP to it."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or parts.hostname in _LOOPBACK or urllib.request.proxy_bypass(parts.netloc):
        return None
    plain = f"http://{proxy.rpartition('://')[2]}"
    _check_port(plain, "the system's proxy")
    return plain


def _check_port(url: str, whose: str) -> None:
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise HttpError(f"{whose} cannot be used: {error}") from error


async def _body(response: "httpx.Response") -> bytes:
    """Read an answer; what is packed is unpacked up to the bound, and not beyond."""
    is_packed = response.headers.get("content-encoding", "").lower() in _GZIP_NAMES
    gunzip = zlib.decompressobj(_GZIP_WINDOW)
    body = bytearray()
    async with aclosing(response.aiter_raw()) as pieces:  # type: ignore[type-var] # a generator
        async for piece in pieces:
            room = MAX_BODY_BYTES + 1 - len(body)
            body += gunzip.decompress(piece, room) if is_packed else piece
            if len(body) > MAX_BODY_BYTES:
                raise HttpError(f"the answer is longer than {MAX_BODY_BYTES:,} bytes")
    if is_packed and body and not gunzip.eof:
        raise HttpError("the answer ends too early")
    return bytes(body)


def _words(error: Exception) -> str:
    """Give the system's own words for what went wrong, without its number, where it has some."""
    words = str(error) or type(error).__name__
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, IngestError):  # that is of another request
        if isinstance(cause, OSError):
            words = _system_words(cause) or words
        several = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()  # addresses
        cause = several[0] if several else cause.__cause__ or cause.__context__
    return words


def _system_words(error: OSError) -> str | None:
    if error.errno is not None and str(error.strerror).startswith("Connect call failed"):
        return os.strerror(error.errno)  # asyncio tells the address in its place
    return error.strerror
