"""The door before everything that is served: by which name, from whose page, and who signed in.

A page of a stranger may make a browser believe that the stranger's name is this machine (DNS
rebinding): what then arrives has a foreign Host. An address in digits cannot be taken over so.
"""

import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pages.ui.server import api_tokens, content_policy
from pages.ui.server.api_tokens import API_BELOW
from pages.ui.server.exposure import is_loopback
from pages.ui.server.health import HEALTH_PATH
from pages.ui.state.page_parts import SUB_PAGES

# The sign-in page and what it needs: Streamlit's shell and socket, and the way to the provider.
_SHELL: Final = {"", "/index.html", "/favicon.png", "/manifest.json"}
_PAGES: Final = {f"/{page.path}" for page in SUB_PAGES}
_PROBES: Final = {
    f"{page}/_stcore/{name}" for page in ("", *_PAGES) for name in ("health", "host-config")
}
_WAY_IN: Final = {"/_stcore/stream", "/auth/login", "/auth/logout", "/oauth2callback"}
OPEN: Final = {HEALTH_PATH, *_SHELL, *_PAGES, *_PROBES, *_WAY_IN}
OPEN_BELOW: Final = "/static/"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_READING: Final = {"GET", "HEAD", "OPTIONS"}
_LONGEST_NAME: Final = 253  # RFC 1035
_POLICY_VIOLATION: Final = 1008  # RFC 6455


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in.

    Attributes
    ----------
    address
        Where the server listens; None or nothing is every interface.
    names
        Names besides the loopback's under which the desk is served, in small letters.
    base_path
        The path under which it is served too, without slashes at its ends.
    """

    address: str | None
    names: Collection[str] = ()
    base_path: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: the sentence, and HTTP's number for it."""

    words: str
    status: HTTPStatus


NO_TOKEN: Final = Refusal(
    "The API answers to a token (Authorization: Bearer …) and to people who have signed in.",
    HTTPStatus.UNAUTHORIZED,
)


class Door:
    """Let in what may come in, and give every answer the headers that keep a page to itself.

    Parameters
    ----------
    app
        What is behind the door.
    rules
        Gives the rules; asked for at the first request.
    may_ask
        Whether whoever sends these cookies may see the desk.
    may_read
        Whether whoever sends these cookies and this ``Authorization`` may read the API.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: Callable[[], Rules],
        may_ask: Callable[[dict[str, str]], bool],
        may_read: Callable[[dict[str, str], Collection[str]], bool] = api_tokens.may_read,
    ) -> None:
        self._app = app
        self._rules = rules
        self._may_ask, self._may_read = may_ask, may_read
        self._known: Rules | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        is_socket = scope["type"] == "websocket"
        if refusal is not None and is_socket:
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
            return
        path = self._path(scope)
        answer = self._app if refusal is None else _answer_of(refusal, path)
        await answer(scope, receive, send if is_socket else _with_headers(path, send))

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Say why this may not come in; None where it may."""
        if self._known is None:
            self._known = self._rules()
        asked = HTTPConnection(scope)
        hosts, origins = asked.headers.getlist("host"), asked.headers.getlist("origin")
        refusal = refuse_host(hosts, self._known) or refuse_origin(origins, hosts[0], self._known)
        if refusal is not None or self._is_open(scope):
            return refusal
        if self._path(scope).startswith(API_BELOW):
            is_let_in = self._may_read(asked.cookies, asked.headers.getlist("authorization"))
            return None if is_let_in else NO_TOKEN
        if self._may_ask(asked.cookies):
            return None
        return Refusal("This desk is open to people who have signed in.", HTTPStatus.UNAUTHORIZED)

    def _is_open(self, scope: Scope) -> bool:
        """Whether it is part of the sign-in page, or for monitors."""
        if scope.get("method", "GET") not in _READING:
            return False
        path = self._path(scope)
        return path.rstrip("/") in OPEN or path.startswith(OPEN_BELOW)

    def _path(self, scope: Scope) -> str:
        """Give the path that is asked for, without that of a proxy."""
        path: str = scope["path"]
        base = self._known.base_path if self._known else ""
        return (
            path.removeprefix(f"/{base}") if base and f"{path}/".startswith(f"/{base}/") else path
        )


def refuse_host(hosts: Collection[str], rules: Rules) -> Refusal | None:
    """Say why a desk of these rules does not answer under the Host it is asked by.

    Any port will do: that of a tunnel or a proxy is the one before it, and a page that was
    taken over cannot choose the name that its browser sends.
    """
    name = _name_in(next(iter(hosts))) if len(hosts) == 1 else None
    if name is None:
        return Refusal("A request names one host.", HTTPStatus.BAD_REQUEST)
    if is_loopback(name) or name in rules.names or _is_served_address(name, rules.address):
        return None
    words = (
        f"Pairdesk does not answer to the name {name}. If it is yours, start Pairdesk with"
        f" --allow-host {name}"
    )
    return Refusal(words, HTTPStatus.MISDIRECTED_REQUEST)


def refuse_origin(origins: Collection[str], host: str, rules: Rules) -> Refusal | None:
    """Say why a page of another origin, also of another port of this machine, is not answered.

    A proxy may say the port that its scheme has anyway, or leave its own port out: of a name that
    it serves any port is its.
    """
    if all(_is_ours(each, host.lower(), rules) for each in origins):
        return None
    words = (
        "Pairdesk answers its own pages only. A proxy has to pass on the Host that the browser"
        " sent, with its port."
    )
    return Refusal(words, HTTPStatus.FORBIDDEN)


def _is_ours(origin: str, host: str, rules: Rules) -> bool:
    try:
        page, asked = urlsplit(origin), urlsplit(f"//{host}")
        default = _DEFAULT_PORTS[page.scheme]
        page_port, asked_port = page.port or default, asked.port or default
    except (KeyError, ValueError):  # another scheme, a port that is none
        return False
    if page.hostname is None or page.hostname != asked.hostname:
        return False
    return page_port == asked_port or (asked.port is None and page.hostname in rules.names)


def _name_in(host: str) -> str | None:
    """Give the name in a Host header, in small letters; None where it is no host."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port  # a port that is none raises
    except ValueError:
        return None
    is_more = "@" in host or parts.path or parts.query or parts.fragment
    if name is None or is_more or len(name) > _LONGEST_NAME or not _is_name(name):
        return None
    return name.rstrip(".") or None


def _is_name(text: str) -> bool:
    return text.isascii() and all(each.isalnum() or each in ".-_:" for each in text)


def _is_served_address(name: str, address: str | None) -> bool:
    """Whether it is where the server listens; on every interface, any address in digits is."""
    listens = (address or "::").lower()
    if name == listens:
        return True
    try:
        return bool(ipaddress.ip_address(listens).is_unspecified and ipaddress.ip_address(name))
    except ValueError:
        return False


def _answer_of(refusal: Refusal, path: str) -> ASGIApp:
    """Say why: in JSON to whoever asks the API."""
    if not path.startswith(API_BELOW):
        return PlainTextResponse(f"{refusal.words}\n", refusal.status)
    is_unknown = refusal.status is HTTPStatus.UNAUTHORIZED
    headers = {"WWW-Authenticate": "Bearer"} if is_unknown else {}
    return JSONResponse({"error": refusal.words}, refusal.status, headers)


def _with_headers(path: str, send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        """Add the policy to the head of an answer."""
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(content_policy.headers_for(path))
        await send(message)

    return send_with_headers
