"""What is changed in Streamlit: fewer wakes of its loop, the same messages in the same order."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.runtime import Runtime
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.query_params import QueryParams
from streamlit.runtime.state.session_state import SessionState

from pages.ui import streamlit_private

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar")


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often other threads wake it, and keeps what goes wrong in it."""

    def __init__(self) -> None:
        super().__init__()
        self.wakes = 0
        self.troubles: list[BaseException] = []
        self.set_exception_handler(lambda _, told: self.troubles.append(told["exception"]))

    def call_soon_threadsafe(self, *args: Any, **named: Any) -> asyncio.Handle:  # type: ignore[override]
        self.wakes += 1
        return super().call_soon_threadsafe(*args, **named)


@pytest.fixture
def batched(monkeypatch) -> None:
    for owner, name in (
        (AppSession, "_call_soon_on_event_loop"),
        (Runtime, "_enqueued_some_message"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # as it was, afterwards
    streamlit_private.hand_over_in_batches()


def handed_over(sayings: list[list[Callable[[], None]]]) -> CountingLoop:
    """Say these from a thread each to one session's loop; gives it once all have been called."""
    loop = CountingLoop()
    session: Any = SimpleNamespace(_event_loop=loop)
    begun, left = threading.Barrier(len(sayings)), len(sayings)

    def ended() -> None:
        nonlocal left
        left -= 1
        if not left:
            loop.stop()

    def say(callbacks: list[Callable[[], None]]) -> None:
        begun.wait()
        for callback in [*callbacks, ended]:
            AppSession._call_soon_on_event_loop(session, callback)

    threads = [threading.Thread(target=say, args=(each,)) for each in sayings]
    try:
        for thread in threads:
            thread.start()
        loop.call_later(20, loop.stop)
        loop.run_forever()
    finally:
        for thread in threads:
            thread.join()
        loop.close()
    assert left == 0, "something was never called"
    return loop


def test_what_a_page_says_at_once_wakes_the_loop_once_and_keeps_its_order(batched) -> None:
    heard: list[int] = []
    loop = handed_over([[partial(heard.append, number) for number in range(50)]])
    assert heard == list(range(50))
    assert loop.wakes < 10  # a few at most, were the thread held up between two of them


def test_nothing_is_lost_where_several_threads_speak_to_one_session(batched) -> None:
    heard: list[tuple[int, int]] = []

    def sayings(thread: int) -> list[Callable[[], None]]:
        return [partial(heard.append, (thread, number)) for number in range(2_000)]

    handed_over([sayings(thread) for thread in range(4)])
    assert len(heard) == 8_000
    for thread in range(4):
        assert [number for who, number in heard if who == thread] == list(range(2_000))


def test_what_fails_holds_nothing_else_up(batched) -> None:
    heard: list[str] = []

    def fail() -> None:
        raise LookupError

    loop = handed_over([[lambda: heard.append("a"), fail, lambda: heard.append("b")]])
    assert heard == ["a", "b"]
    assert [type(each) for each in loop.troubles] == [LookupError]


def test_a_loop_that_is_closed_drops_what_is_said(batched) -> None:
    loop = CountingLoop()
    session: Any = SimpleNamespace(_event_loop=loop)
    loop.close()
    AppSession._call_soon_on_event_loop(session, lambda: None)


def test_the_server_hears_of_a_message_on_its_loop_without_a_wake_and_off_it_with_one(
    batched,
) -> None:
    loop = CountingLoop()

    async def told(*, elsewhere: bool) -> int:
        objects = SimpleNamespace(eventloop=loop, need_send_data=asyncio.Event())
        runtime: Any = SimpleNamespace(_get_async_objs=lambda: objects)
        before = loop.wakes
        if elsewhere:
            thread = threading.Thread(target=Runtime._enqueued_some_message, args=(runtime,))
            thread.start()
            await objects.need_send_data.wait()
            thread.join()
        else:
            Runtime._enqueued_some_message(runtime)
            assert objects.need_send_data.is_set()
        return loop.wakes - before

    try:
        assert loop.run_until_complete(told(elsewhere=False)) == 0
        assert loop.run_until_complete(told(elsewhere=True)) == 1
    finally:
        loop.close()


def themed() -> bytes:
    """The colours as a new session is told them."""
    message = ForwardMsg()
    theme = message.new_session.custom_theme
    for section in SECTIONS:
        place = theme
        for name in section.split(".")[1:]:
            place = getattr(place, name)
        app_session._populate_theme_msg(place, section)
    return bytes(message.SerializeToString(deterministic=True))


def test_the_colours_told_once_are_those_streamlit_looks_up(monkeypatch) -> None:
    wanted = {"theme.light.primaryColor": "#123456", "theme.baseFontSize": 14}
    before = {name: config.get_option(name) for name in wanted}
    monkeypatch.setattr(app_session, "_populate_theme_msg", app_session._populate_theme_msg)
    try:
        for name, value in wanted.items():
            config._set_option(name, value, "a test")
        asked = themed()
        streamlit_private.tell_theme_once()
        assert themed() == themed() == asked
        assert b"#123456" in asked
    finally:
        for name, value in before.items():
            config._set_option(name, value, "a test")


@pytest.fixture
def address(monkeypatch) -> QueryParams:
    """An address whose `interval` is 1s at first; what the browser is told is counted."""
    sent: list[dict[str, object]] = []
    for name in ("remove_param", "discard_param_no_forward_msg"):
        kept = getattr(QueryParams, name)
        monkeypatch.setattr(QueryParams, name, lambda self, key, kept=kept: kept(self, key))
    monkeypatch.setattr(
        QueryParams, "_send_query_param_msg", lambda self: sent.append(dict(self._query_params))
    )
    streamlit_private.keep_defaults_in_address({"interval": "1s"}.get)
    found = QueryParams()
    found.sent = sent  # type: ignore[attr-defined]
    return found


def test_what_is_as_at_first_stays_in_the_address_without_a_message(address) -> None:
    address.set_with_no_forward_msg("interval", "1s")
    assert not address.remove_param("interval")
    assert not address.discard_param_no_forward_msg("interval")
    assert address.to_dict() == {"interval": "1s"}
    assert address.sent == []


def test_what_cannot_be_is_corrected_in_the_address(address) -> None:
    address.set_with_no_forward_msg("interval", "7x")
    address.remove_param("interval")
    assert address.sent == [{"interval": "1s"}]


def test_a_parameter_that_is_not_ours_goes_as_before(address) -> None:
    address.set_with_no_forward_msg("scan_train", "70")
    assert address.remove_param("scan_train")
    assert address.sent == [{}]
    assert not address.discard_param_no_forward_msg("interval"), "nothing is put where nothing was"
    assert address.to_dict() == {}


@pytest.fixture
def asked(monkeypatch) -> Callable[..., bool]:
    """Ask a session to run a page, or a part of it; gives whether it is run."""
    ran: list[ClientState] = []
    assert callable(AppSession.request_rerun)
    monkeypatch.setattr(AppSession, "request_rerun", lambda _, state: ran.append(state))
    streamlit_private.stay_on_the_page_asked_for()
    session: Any = SimpleNamespace(_client_state=ClientState())

    def ask(page: str, part: str = "", *, runs: str = "") -> bool:
        if runs:  # Streamlit's own note of what began to run
            session._client_state.page_script_hash = runs
        ran.clear()
        state = ClientState(page_script_hash=page)
        if part:
            state.fragment_id = part
        AppSession.request_rerun(session, state)
        return bool(ran)

    return ask


def test_a_refresh_of_a_page_that_was_left_does_not_lead_back_to_it(asked) -> None:
    assert asked("")  # the first visit: no page has a name yet
    assert asked("live", "refresh", runs="live")
    assert asked("evidence")
    assert not asked("live", "refresh"), "a click on a link, and the refresh after it"
    assert not asked("live", "refresh", runs="evidence")
    assert asked("evidence", "refresh")


def test_a_page_that_the_server_opens_by_itself_refreshes(asked) -> None:
    assert asked("scanner")
    assert asked("live", "refresh", runs="live")
    assert not asked("scanner", "refresh")
    assert asked("scanner")


def test_where_nobody_asked_for_a_page_every_refresh_runs(asked) -> None:
    assert asked("")
    assert asked("live", "refresh", runs="main")


@pytest.fixture
def state() -> SessionState:
    """What the server has of four widgets: two of the page, one each of its parts."""
    made = SessionState()
    for name, part in (("window", None), ("refresh", "live"), ("tab", "desk"), ("swap", None)):
        metadata = WidgetMetadata(
            name, lambda value: value, lambda value: value, "int_value", fragment_id=part
        )
        made._set_widget_metadata(metadata)
    return made


@pytest.fixture
def told(monkeypatch, state: SessionState) -> Callable[..., str | None]:
    """Tell a session what widgets say, as a part of its page asks; gives which part is run."""
    ran: list[ClientState] = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda _, asked: ran.append(asked))
    streamlit_private.run_all_that_was_changed()
    streamlit_private.stay_on_the_page_asked_for()
    session: Any = SimpleNamespace(_session_state=state, _client_state=ClientState())

    def tell(part: str, *, page: str = "live", **widgets: int | bool) -> str | None:
        said = [
            WidgetState(id=name, trigger_value=value)
            if value is True
            else WidgetState(id=name, int_value=value)
            for name, value in widgets.items()
        ]
        states = WidgetStates(widgets=said)
        asked = ClientState(fragment_id=part, page_script_hash=page, widget_states=states)
        ran.clear()
        AppSession.request_rerun(session, asked)
        assert asked.fragment_id == part, "what was asked stays as it was"
        return ran[0].fragment_id if ran else None

    return tell


def test_a_refresh_alone_runs_its_part(told) -> None:
    assert told("live", refresh=1, window=60) == "live"
    assert told("live", refresh=2, window=60) == "live"
    assert told("", refresh=2, window=40) == ""
    assert told("live", refresh=3, window=40) == "live"


def test_a_refresh_that_a_choice_elsewhere_came_with_runs_all(told) -> None:
    assert told("live", refresh=1, window=60, tab=1) == "live"
    assert told("live", refresh=2, window=40, tab=1) == ""
    assert told("live", refresh=3, window=40, tab=1) == "live"
    assert told("live", refresh=4, window=40, tab=2) == "", "one of another part as well"
    assert told("live", refresh=5, window=40, tab=2, gone=7) == "live"


def test_what_is_told_for_the_first_time_runs_all_where_the_server_has_other(told, state) -> None:
    for name, value in (("window", 60), ("tab", 1)):
        state._new_widget_state.set_from_value(name, value)
    assert told("live", refresh=1, window=60) == "live"
    assert told("live", refresh=2, window=60, tab=2) == "", "a tab tells nothing before it is used"


def test_what_the_server_changed_itself_is_no_choice(told, state) -> None:
    state._new_widget_state.set_from_value("window", 60)
    assert told("live", refresh=1, window=60) == "live"
    state._new_widget_state.set_from_value("window", 40)
    assert told("live", refresh=2, window=60) == "live", "the browser has not heard of it yet"
    assert told("live", refresh=3, window=40) == "live"


def test_a_button_elsewhere_is_pressed_anew_each_time(told) -> None:
    assert told("live", refresh=1, swap=True) == ""
    assert told("live", refresh=2, swap=True) == ""
    assert told("live", refresh=3) == "live"


def test_a_refresh_of_a_page_that_was_left_runs_nothing_whatever_it_tells(told) -> None:
    assert told("live", refresh=1, window=60) == "live"
    assert told("", page="evidence", window=60) == ""
    assert told("live", refresh=2, window=40) is None
