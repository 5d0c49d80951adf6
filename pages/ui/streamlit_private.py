"""Names that Streamlit does not promise, in one guarded place; a test tells when they are gone."""

import socket
from collections.abc import Callable, Mapping
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


def complete_address(wanted: Mapping[str, str]) -> None:
    """Put into the page's address what controls bound to it show and it lacks.

    A change of page while the browser still mounts the controls drops the part of those that it
    had not reached; Streamlit keeps their values, and `st.query_params` refuses bound names.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415 - kept here

    context = get_script_run_ctx()
    if context is None:
        return
    with context.session_state.query_params() as address:
        lost = {key: wanted[key] for key in wanted if address.is_bound(key) and key not in address}
        if not lost:
            return
        for key, value in lost.items():
            address.set_with_no_forward_msg(key, value)
        # In the browser's own order: the same address must not become a step of its history.
        address._query_params = dict(sorted(address._query_params.items()))
        address._send_query_param_msg()


def is_click_waiting(key: str) -> bool:
    """Whether a click on a button waits for this run to end: inside a fragment none interrupts it.

    False where a later Streamlit keeps its requests elsewhere: the click then counts at the end.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415 - kept here

    requests: Any = getattr(get_script_run_ctx(), "script_requests", None)
    if getattr(getattr(requests, "_state", None), "name", "") != "RERUN":
        return False
    widgets = getattr(requests._rerun_data, "widget_states", None)
    return widgets is not None and any(
        widget.trigger_value and widget.id.endswith(f"-{key}") for widget in widgets.widgets
    )
