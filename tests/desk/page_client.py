"""An open page without a browser: Streamlit's own protocol, spoken over its WebSocket.

A session of the app is opened as a browser opens it, and its live part is drawn anew as the timer
in it does: the component's count goes up and only its fragment runs. Where a Chromium each would
drown the machine, a dozen of these cost next to nothing, so that what is measured is the server.
What the browser would do with the answer (draw it, fetch a script) is not done.

    async with PageClient("http://127.0.0.1:8501", query="?window=5") as page:
        refreshed = await page.refresh()
        print(refreshed.bytes, refreshed.seconds, page.text())

`open_pages` keeps several open for callers that are not asynchronous.
"""

import asyncio
import html
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

ANSWER_WITHIN_S = 60.0
_TAG = re.compile(r"<[^>]*>")
_ENDED_WELL = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}


class PageError(Exception):
    """The page failed: an exception stands on it, it has no timer, or no answer came."""


@dataclass(frozen=True)
class Answer:
    """What one run of the page, or of its live part, sent."""

    bytes: int
    messages: int
    seconds: float


@dataclass(frozen=True)
class Timer:
    """What has the live part drawn again: `st_autorefresh`, or a fragment's `run_every`."""

    fragment_id: str
    every_s: float
    component_id: str = ""


class PageClient:
    """One reader's open page.

    Parameters
    ----------
    url
        Of the server, as the browser has it: ``http://127.0.0.1:8501``.
    query
        What stands behind the page's address, with or without its question mark.
    page
        The page's name in the address (``feed``); empty for the first one.
    answer_within_s
        How long one run may take.

    Attributes
    ----------
    opened
        What the first, whole run sent.
    exceptions
        Exceptions that stood on the page, ever; `refresh` raises at the first.
    """

    def __init__(
        self,
        url: str,
        query: str = "",
        page: str = "",
        *,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._query = query.lstrip("?")
        self._page = page
        self._within_s = answer_within_s
        self._page_hash = ""
        self._count = 0
        self._auto_reruns: dict[str, Timer] = {}
        self._shown: dict[tuple[int, ...], ForwardMsg] = {}
        self._run_of: frozenset[str] = frozenset()
        self._drawn: set[tuple[int, ...]] = set()
        self._cache = _MessageCache()
        self._connection: ClientConnection
        self.opened: Answer
        self.exceptions: list[str] = []

    async def __aenter__(self) -> Self:
        """Open the page in a session of its own and wait until its first run has ended."""
        self._page_hash, self._count, self._cache = "", 0, _MessageCache()
        self._shown.clear()
        self._auto_reruns.clear()
        address = re.sub(r"^http", "ws", self._url, count=1) + "/_stcore/stream"
        self._connection = await connect(
            address,
            subprotocols=["streamlit"],  # type: ignore[list-item]  # a plain name
            max_size=None,
            max_queue=None,
            compression=None,
            proxy=None,
        )
        try:
            self.opened = await self._run(None)
        except BaseException:
            await self._connection.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the page."""
        await self._connection.close()

    @property
    def timer(self) -> Timer | None:
        """What has the live part drawn again; None on a page that stands still."""
        found = filter(None, map(_timer_in, self._shown.values()))
        return next(found, None) or next(iter(self._auto_reruns.values()), None)

    async def refresh(self) -> Answer:
        """Draw the live part again, as its timer does in a browser."""
        timer = self.timer
        if timer is None:
            raise PageError(f"{self._url}/{self._page} has no timer; it says: {self.text()[:500]}")
        return await self._run(timer)

    async def reload(self) -> Answer:
        """Run the whole page again, in the same session."""
        return await self._run(None)

    def text(self) -> str:
        """Give the words that stand on the page, without their markup, a line an element."""
        return "\n".join(filter(None, map(_words, self._shown.values())))

    async def _run(self, timer: Timer | None) -> Answer:
        begun_s = time.perf_counter()
        try:
            async with asyncio.timeout(self._within_s):
                await self._connection.send(self._request(timer).SerializeToString())
                size, messages = await self._answer()
        except TimeoutError:
            raise PageError(f"no answer within {self._within_s:g} s") from None
        except WebSocketException as error:
            raise PageError(f"the server ended the session: {error}") from error
        if self.exceptions:
            raise PageError(self.exceptions[-1])
        return Answer(size, messages, time.perf_counter() - begun_s)

    def _request(self, timer: Timer | None) -> BackMsg:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_script_hash = self._page_hash
        state.page_name = "" if self._page_hash else self._page
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en-GB"
        state.context_info.url = f"{self._url}/{self._page}"
        state.cached_message_hashes.extend(self._cache.hashes())
        if timer is None:
            return message
        state.fragment_id = timer.fragment_id
        state.is_auto_rerun = not timer.component_id
        self._count += 1
        if timer.component_id:
            state.widget_states.widgets.add(id=timer.component_id, json_value=str(self._count))
        return message

    async def _answer(self) -> tuple[int, int]:
        """Read until the run has ended; gives bytes and messages."""
        size, count = 0, 0
        async for raw in self._connection:
            assert isinstance(raw, bytes)
            size, count = size + len(raw), count + 1
            if self._take(self._cache.whole(ForwardMsg.FromString(raw))):
                return size, count
        raise PageError("the server ended the session")

    def _take(self, message: ForwardMsg) -> bool:
        """Do as the browser does with a message; tells whether it ends the run."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
            self._cache.longest_age = message.new_session.config.max_cached_message_age
            self._run_of = frozenset(message.metadata.run.fragment_ids)
            self._drawn.clear()
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message)
        elif kind == "auto_rerun":
            every = message.auto_rerun
            self._auto_reruns[every.fragment_id] = Timer(every.fragment_id, every.interval)
        elif kind == "script_finished":
            return self._finish(message.script_finished)
        return False

    def _draw(self, path: tuple[int, ...], message: ForwardMsg) -> None:
        self._shown[path] = message
        self._drawn.add(path)
        found = message.delta.new_element.exception
        if found.message or found.type:
            trace = "\n".join(found.stack_trace)
            self.exceptions.append(f"{found.type}: {found.message}\n{trace}")

    def _finish(self, how: int) -> bool:
        """Forget what the run that has just ended did not draw again."""
        if how == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return False
        if how == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.exceptions.append("the page does not compile")
            return True
        gone = [
            path
            for path, message in self._shown.items()
            if path not in self._drawn
            and (not self._run_of or message.delta.fragment_id in self._run_of)
        ]
        for path in gone:
            del self._shown[path]
        self._cache.run_ended()
        return True


class _MessageCache:
    """Large messages the browser keeps, so that the server may name them instead of sending."""

    def __init__(self) -> None:
        self.longest_age = 0
        self._kept: dict[str, tuple[ForwardMsg, int]] = {}
        self._run = 0

    def hashes(self) -> list[str]:
        return list(self._kept)

    def whole(self, message: ForwardMsg) -> ForwardMsg:
        """Give a message itself where only its name was sent; keep what may be kept."""
        if message.WhichOneof("type") == "ref_hash":
            kept = self._kept[message.ref_hash][0]
            whole = ForwardMsg()
            whole.CopyFrom(kept)
            whole.metadata.CopyFrom(message.metadata)
            self._kept[message.ref_hash] = (kept, self._run)
            return whole
        if message.metadata.cacheable:
            self._kept[message.hash] = (message, self._run)
        return message

    def run_ended(self) -> None:
        self._run += 1
        oldest = self._run - self.longest_age
        self._kept = {name: kept for name, kept in self._kept.items() if kept[1] >= oldest}


def _timer_in(message: ForwardMsg) -> Timer | None:
    instance = message.delta.new_element.component_instance
    if "autorefresh" not in instance.component_name:
        return None
    every_s = json.loads(instance.json_args)["interval"] / 1000
    return Timer(message.delta.fragment_id, every_s, instance.id)


def _words(message: ForwardMsg) -> str:
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    part = getattr(element, kind) if kind else None
    body = getattr(part, "body", "") or getattr(part, "label", "")
    if not isinstance(body, str) or "{" in body:  # a style sheet
        return ""
    return html.unescape(_TAG.sub(" ", body)).strip()


# --- several pages, for callers that are not asynchronous ---


@dataclass
class OpenPages:
    """What several open pages have seen so far."""

    opened: list[Answer] = field(default_factory=list)
    refreshed: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@contextmanager
def open_pages(
    url: str, pages: Sequence[tuple[str, str]] = (("", ""),) * 3, *, every_s: float = 1.0
) -> Iterator[OpenPages]:
    """Keep pages open, each refreshed as often as asked, until the block ends.

    A page that fails is opened again, as a reader would, and its failure is noted.

    Parameters
    ----------
    url
        Of the server.
    pages
        Name in the address and query of each.
    every_s
        From the start of one refresh to the next; one that takes longer is followed at once. A
        page without a timer is run as a whole.

    Returns
    -------
    OpenPages
        Grows while the pages are open; whole once the block has ended.
    """
    seen = OpenPages()
    ended = threading.Event()

    async def keep_all() -> None:
        async with asyncio.TaskGroup() as group:
            for page, query in pages:
                group.create_task(_keep_open(PageClient(url, query, page), every_s, ended, seen))

    def run() -> None:
        asyncio.run(keep_all())

    thread = threading.Thread(target=run, name="open-pages", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join(ANSWER_WITHIN_S + every_s)


async def _keep_open(
    client: PageClient, every_s: float, ended: threading.Event, seen: OpenPages
) -> None:
    while not ended.is_set():
        try:
            async with client:
                seen.opened.append(client.opened)
                await _keep_refreshing(client, every_s, ended, seen)
        except (PageError, OSError, WebSocketException) as error:
            seen.failures.append(str(error))
            client.exceptions.clear()
            await asyncio.sleep(every_s)


async def _keep_refreshing(
    client: PageClient, every_s: float, ended: threading.Event, seen: OpenPages
) -> None:
    due_s = time.perf_counter()
    while not ended.is_set():
        due_s = max(due_s + every_s, time.perf_counter())
        await asyncio.sleep(due_s - time.perf_counter())
        again = client.reload if client.timer is None else client.refresh
        seen.refreshed.append(await again())
    seen.texts.append(client.text())
