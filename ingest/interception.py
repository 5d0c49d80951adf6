"""Answers that are not the exchange's: from a login page or a proxy in between. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

Between = Literal["login page", "proxy"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LOGIN_REQUIRED: Final = 511  # RFC 6585, for networks that want a sign-in
_PROXY_SIGN_IN: Final = 407
_TUNNEL: Final = re.compile(r"(\d{3})\b")
_OLD_HTTP: Final = re.compile(r"HTTP/1\.0 (\d{3})")
_SHOWN_CHARS: Final = 60

_SIGN_IN: Final = "a login page or proxy is in between: sign in to the network in a browser"


@dataclass(frozen=True, slots=True)
class Interception:
    """Who answered in the exchange's place, and a sentence with what to do."""

    between: Between
    sentence: str


def interception(
    url: str, status: int, headers: Mapping[str, str], body: bytes
) -> Interception | None:
    """Look whether an answer is another's than the exchange's, which answers in JSON.

    Parameters
    ----------
    url
        What was asked.
    status, headers, body
        The answer; names of headers in lower case.
    """
    if status == _PROXY_SIGN_IN:
        return proxy_refuses(status)
    if status == _LOGIN_REQUIRED:
        return Interception("login page", f"HTTP {status} in the exchange's place: {_SIGN_IN}")
    if status in _REDIRECTS:
        return _sent_on(urlsplit(url), urlsplit(urljoin(url, headers.get("location", ""))), status)
    if status == 200 and _is_page(headers, body):
        return Interception("login page", f"an HTML page in the exchange's place: {_SIGN_IN}")
    return None


def proxy_refuses(status: int) -> Interception:
    """Say that a proxy lets nothing through."""
    if status == _PROXY_SIGN_IN:
        reason = f"a proxy in between wants a sign-in (HTTP {status})"
        return Interception("proxy", f"{reason}: HTTPS_PROXY takes user and password")
    return Interception("proxy", f"a proxy in between refuses the connection (HTTP {status})")


def old_http_answer(error: BaseException | None) -> Interception | None:
    """Look whether a handshake was answered in HTTP/1.0, which `websockets` does not read."""
    match = _OLD_HTTP.search(str(error))
    status = int(match[1]) if match else 0
    if status == _PROXY_SIGN_IN:
        return proxy_refuses(status)
    if status in _REDIRECTS | {200, _LOGIN_REQUIRED}:
        return Interception("login page", f"HTTP {status} in the exchange's place: {_SIGN_IN}")
    return None


def tunnel_refused(error: Exception) -> Interception | None:
    """Look whether a proxy refused a tunnel, as `httpx` words it: by status and reason."""
    match = _TUNNEL.match(str(error))
    return proxy_refuses(int(match[1])) if match else None


def _sent_on(requested: SplitResult, to: SplitResult, status: int) -> Interception | None:
    """Judge a redirect: the exchange makes none, but for http in the place of https."""
    if (to.hostname, to.path) == (requested.hostname, requested.path):
        return None
    shown = (to.hostname or "nowhere")[:_SHOWN_CHARS]
    reason = f"HTTP {status} sends us on to {shown}, as the exchange does not: {_SIGN_IN}"
    return Interception("login page", reason)


def _is_page(headers: Mapping[str, str], body: bytes) -> bool:
    kind = headers.get("content-type", "").lower()
    return kind.startswith(("text/html", "application/xhtml")) or body.lstrip()[:1] == b"<"
