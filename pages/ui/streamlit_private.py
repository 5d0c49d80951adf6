"""Names that Streamlit does not promise, in one guarded place; a test tells when they are gone."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from streamlit import config

BATCH_S: Final = 0.004  # what a page says within it is one hand-over
_OUTBOX: Final = "_pairdesk_outbox"
_ASKED: Final = "_pairdesk_page_asked_for"
_TOLD: Final = "_pairdesk_widgets_told"
# What the browser tells once, as it is pressed.
_PRESSED: Final = {
    "trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value",
}  # fmt: skip


def ignore_pages_folder() -> None:
    """Keep Streamlit from taking our `pages` folder for its old way of making pages.

    Otherwise the first deep link of a process (``/pair`` before ``/``) shows that page alone.
    """
    from streamlit.runtime.pages_manager import PagesManager  # noqa: PLC0415 - private, kept here

    if hasattr(PagesManager, "uses_pages_directory"):
        PagesManager.uses_pages_directory = False


def configure(script: Path, options: Mapping[str, object]) -> None:
    """Read Streamlit's configuration as its own command will: the same files, the same options.

    Once somebody has asked for an option, a later reading with another address or port is to
    Streamlit a change of a running server's, and it asks in the terminal to be restarted.

    Parameters
    ----------
    script
        What the command will run; its folder's ``.streamlit`` counts.
    options
        As the command line has them, without dashes: ``{"server.port": 8501}``.
    """
    from streamlit.web import bootstrap  # noqa: PLC0415 - private, kept here

    if hasattr(config, "_main_script_path"):
        config._main_script_path = str(script)
    bootstrap.load_config_options(dict(options))


def send_without_delay() -> None:
    """Set TCP_NODELAY on the listening socket: without it each rerun waits 40 ms for an ACK."""
    from streamlit.web.server.starlette import starlette_server  # noqa: PLC0415 - private, kept here

    bind: Callable[..., Any] | None = getattr(starlette_server, "_bind_socket", None)
    if bind is None or getattr(bind, "without_delay", False):
        return

    def bind_without_delay(*args: Any, **kwargs: Any) -> Any:
        """Bind as before, then set the option."""
        bound = bind(*args, **kwargs)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound

    bind_without_delay.without_delay = True  # type: ignore[attr-defined]
    starlette_server._bind_socket = bind_without_delay


def hand_over_in_batches() -> None:
    """Have the server's loop woken once for several messages of a page, not twice for each.

    Every wake lets go of the interpreter's lock, so that page and loop take turns at it: half of
    what a small page costs. The loop itself waits 10 ms between two rounds of sending.
    """
    from streamlit.runtime.app_session import AppSession  # noqa: PLC0415 - private, kept here
    from streamlit.runtime.runtime import Runtime  # noqa: PLC0415

    wake: Callable[..., None] | None = getattr(AppSession, "_call_soon_on_event_loop", None)
    note: Callable[..., None] | None = getattr(Runtime, "_enqueued_some_message", None)
    if wake is None or note is None or getattr(wake, "in_batches", False):
        return

    def wake_once(self: Any, callback: Callable[[], None]) -> None:
        """Keep a callback; wake the loop for the first one only."""
        outbox = self.__dict__.get(_OUTBOX) or self.__dict__.setdefault(_OUTBOX, _Outbox())
        if outbox.put(callback):
            wake(self, lambda: self._event_loop.call_later(BATCH_S, hand_over, self, outbox))

    def hand_over(self: Any, outbox: _Outbox) -> None:
        """Run all that is kept, in the loop."""
        for callback in outbox.take():
            self._event_loop.call_soon(callback)

    def note_here(self: Any) -> None:
        """Set the event at once where this is the loop's own thread."""
        objects = self._get_async_objs()
        if asyncio._get_running_loop() is objects.eventloop:
            objects.need_send_data.set()
        else:
            note(self)

    wake_once.in_batches = True  # type: ignore[attr-defined]
    AppSession._call_soon_on_event_loop = wake_once  # type: ignore[method-assign]
    Runtime._enqueued_some_message = note_here  # type: ignore[method-assign]


class _Outbox:
    """What a page says until the loop comes for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []

    def put(self, callback: Callable[[], None]) -> bool:
        """Add one; tells whether it is the first, for which the loop is to be woken."""
        with self._lock:
            self._waiting.append(callback)
            return len(self._waiting) == 1

    def take(self) -> list[Callable[[], None]]:
        """Empty it, in order."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            return taken


def tell_theme_once() -> None:
    """Have the configured colours looked up once: each run of a page sends them again.

    They are read from the configuration when the process starts and stay as they are.
    """
    from streamlit.runtime import app_session  # noqa: PLC0415 - private, kept here

    look_up: Callable[..., None] | None = getattr(app_session, "_populate_theme_msg", None)
    if look_up is None or getattr(look_up, "kept", None) is not None:
        return
    kept: dict[str, bytes] = {}

    def fill(message: Any, section: str = "theme") -> None:
        """Look a section up once, then fill in what was found."""
        if section not in kept:
            look_up(message, section)
            kept[section] = message.SerializeToString()
        elif kept[section]:  # an empty one must stay absent
            message.MergeFromString(kept[section])

    fill.kept = kept  # type: ignore[attr-defined]
    app_session._populate_theme_msg = fill  # type: ignore[assignment]


def stay_on_the_page_asked_for() -> None:
    """Drop what a part of a page still asks for once another page was asked for.

    Otherwise the refresh of a page, sent in the moment after a click on a link, names its own page
    as the one to run: the reader is thrown back.
    """
    from streamlit.runtime.app_session import AppSession  # noqa: PLC0415 - private, kept here

    run: Callable[..., None] | None = getattr(AppSession, "request_rerun", None)
    if run is None or getattr(run, "stays", False):
        return

    def run_there(self: Any, client_state: Any) -> None:
        """Run, unless a part of another page asks than the one asked for last."""
        current = getattr(self, "_client_state", None)
        if client_state is not None and current is not None:
            page = client_state.page_script_hash
            if not client_state.fragment_id:
                self.__dict__[_ASKED] = page
                if page:  # empty at the first visit: the server finds it by its name
                    current.page_script_hash = page
            elif self.__dict__.get(_ASKED) and page != current.page_script_hash:
                return
        run(self, client_state)

    run_there.stays = True  # type: ignore[attr-defined]
    AppSession.request_rerun = run_there  # type: ignore[method-assign]


def run_all_that_was_changed() -> None:
    """Run the whole page where something outside the part that asks was changed with it.

    The browser gathers what changes within one turn, and asks for the first part that it finds
    among it: a choice that is made in the moment of a refresh would be kept and written into the
    address, but nothing that stands on it drawn anew.
    """
    from streamlit.runtime.app_session import AppSession  # noqa: PLC0415 - private, kept here

    run: Callable[..., None] | None = getattr(AppSession, "request_rerun", None)
    if run is None or getattr(run, "runs_all", False):
        return

    def run_all(self: Any, client_state: Any) -> None:
        """Run the part that is asked for, or all."""
        if client_state is not None:
            before = self.__dict__.get(_TOLD, {})
            told = {each.id: each for each in client_state.widget_states.widgets}
            self.__dict__[_TOLD] = told
            part, state = client_state.fragment_id, getattr(self, "_session_state", None)
            if part and any(
                _is_changed(each, before.get(name), state)
                for name, each in told.items()
                if _part_of(name, state) not in (part, None)
            ):
                asked, client_state = client_state, type(client_state)()
                client_state.CopyFrom(asked)
                client_state.ClearField("fragment_id")
        run(self, client_state)

    run_all.runs_all = True  # type: ignore[attr-defined]
    AppSession.request_rerun = run_all  # type: ignore[method-assign]


def _part_of(name: str, state: Any) -> str | None:
    """Give the part of a page that a widget stands in; "" is the page itself, None not known."""
    find = getattr(state, "get_widget_metadata", None)
    found = None if find is None else find(name)
    return None if found is None else found.fragment_id or ""


def _is_changed(told: Any, before: Any, state: Any) -> bool:
    """Whether a widget was pressed, or says what neither it said before nor the server has.

    What the server has changed itself the browser tells with the next request. Some widgets tell
    nothing before they are used.
    """
    if told.WhichOneof("value") in _PRESSED:
        return True
    if before is not None and told == before:
        return False
    serialized = getattr(getattr(state, "_new_widget_state", None), "get_serialized", None)
    known = None if serialized is None else serialized(told.id)
    if known is None:
        return before is not None
    return bool(_value_of(told) != _value_of(known))


def _value_of(widget: Any) -> Any:
    """Give what a widget's message says."""
    name = widget.WhichOneof("value")
    if name is None:
        return None
    value = getattr(widget, name)
    return json.loads(value) if name == "json_value" else value


def keep_defaults_in_address(default_of: Callable[[str], str | None]) -> None:
    """Have the address say a choice that is as it was at first, too.

    Streamlit takes such a parameter out of the address, a message and a step of the browser's
    history for each. Here it is what is corrected to where something else cannot be.

    Parameters
    ----------
    default_of
        What a parameter is at first, as the address has it; None for one that is not ours.
    """
    from streamlit.runtime.state.query_params import QueryParams  # noqa: PLC0415 - private, here

    remove: Callable[..., bool] | None = getattr(QueryParams, "remove_param", None)
    discard: Callable[..., bool] | None = getattr(QueryParams, "discard_param_no_forward_msg", None)
    if remove is None or discard is None or getattr(remove, "keeps_defaults", False):
        return

    def put_back(self: Any, key: str) -> bool:
        """Write the default into the address where Streamlit would take it out."""
        default = default_of(key)
        if default is None or key not in self:
            return remove(self, key)
        if self[key] != default:
            self.set_with_no_forward_msg(key, default)
            self._send_query_param_msg()
        return False

    def keep(self: Any, key: str) -> bool:
        """The same without a message to the browser."""
        default = default_of(key)
        if default is None or key not in self:
            return discard(self, key)
        self.set_with_no_forward_msg(key, default)
        return False

    put_back.keeps_defaults = True  # type: ignore[attr-defined]
    QueryParams.remove_param = put_back  # type: ignore[assignment, method-assign]
    QueryParams.discard_param_no_forward_msg = keep  # type: ignore[assignment, method-assign]


def signed_in_user(cookies: dict[str, str]) -> dict[str, Any]:
    """Read who sends these cookies, as the sign-in signed them; nothing where nobody signed in.

    Nothing, too, where a later Streamlit signs them otherwise.
    """
    from streamlit.web.server.starlette import starlette_websocket  # noqa: PLC0415 - private, here

    name = getattr(starlette_websocket, "USER_COOKIE_NAME", None)
    read: Callable[..., bytes | None] | None = getattr(
        starlette_websocket, "_get_signed_cookie_with_chunks", None
    )
    try:
        signed = None if name is None or read is None else read(cookies, name)
        user = json.loads(signed or b"{}")
    except ValueError:
        return {}
    return user if isinstance(user, dict) else {}


def shell_page() -> str:
    """Give the page in which everything is shown; nothing where a later Streamlit keeps none."""
    from streamlit import file_util  # noqa: PLC0415 - private, kept here

    folder: Callable[[], str] | None = getattr(file_util, "get_static_dir", None)
    page = Path(folder(), "index.html") if folder is not None else Path()
    return page.read_text(encoding="utf-8") if page.is_file() else ""


def is_step_of_history() -> bool:
    """Whether this run answers the browser's Back or Forward: the address is right then.

    False where a later Streamlit keeps that elsewhere.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415 - kept here

    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


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
