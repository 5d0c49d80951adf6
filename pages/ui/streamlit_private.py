"""Names that Streamlit does not promise, in one guarded place; a test tells when they are gone."""

import socket
from collections.abc import Callable
from typing import Any


def ignore_pages_folder() -> None:
    """Keep Streamlit from taking our `pages` folder for its old way of making pages.

    Otherwise the first deep link of a process (``/pair`` before ``/``) shows that page alone.
    """
    from streamlit.runtime.pages_manager import PagesManager  # noqa: PLC0415 - private, kept here

    if hasattr(PagesManager, "uses_pages_directory"):
        PagesManager.uses_pages_directory = False


def send_without_delay() -> None:
    """Set TCP_NODELAY on the listening socket: without it each rerun waits 40 ms for an ACK."""
    from streamlit.web.server.starlette import starlette_server  # noqa: PLC0415 - private, kept here

    bind: Callable[..., Any] | None = getattr(starlette_server, "_bind_socket", None)
    if bind is None or getattr(bind, "without_delay", False):
        return

    def bind_without_delay(*args: Any, **kwargs: Any) -> Any:
        bound = bind(*args, **kwargs)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound

    bind_without_delay.without_delay = True  # type: ignore[attr-defined]
    starlette_server._bind_socket = bind_without_delay
