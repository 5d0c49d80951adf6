"""The stream of alerts and signals: one answer that goes on until its listener or the server ends.

A listener is asked for nothing and holds up nobody: what it has not taken is read again from the
database once it does.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from ingest.errors import StoreError
from pages.ui.server.api_events import Events

MOST_LISTENERS: Final = 20
LOOK_EVERY_S: Final = 0.25
HEARTBEAT_EVERY_S: Final = 15.0
# A listener that takes nothing for so long is cut off.
TAKES_WITHIN_S: Final = 30.0
_LOG: Final = logging.getLogger("pairdesk.pages")
_RETRY_MS: Final = 2_000
EVENT_STREAM: Final = "text/event-stream"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stream:
    """The listeners of this process: so many at most, until it ends. On the server's loop alone."""

    def __init__(
        self,
        most: int = MOST_LISTENERS,
        heartbeat_every_s: float = HEARTBEAT_EVERY_S,
        takes_within_s: float = TAKES_WITHIN_S,
    ) -> None:
        self.most, self.listening = most, 0
        self.heartbeat_every_s, self.takes_within_s = heartbeat_every_s, takes_within_s
        self.ends = False

    def end(self) -> None:
        """Let every listener go: the server waits for open answers before it ends."""
        self.ends = True


STREAM: Final = Stream()
"""Of this process."""


class Listener:
    """The answer to one listener; 503 where there are as many as there may be."""

    def __init__(self, stream: Stream, events: Events) -> None:
        self._stream, self._events = stream, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell it what comes, for as long as it listens."""
        stream = self._stream
        if stream.listening >= stream.most:
            words = f"{stream.most} listen already, which is all that may: try again later"
            await JSONResponse({"error": words}, 503, {"Retry-After": "10"})(scope, receive, send)
            return
        stream.listening += 1
        answer = StreamingResponse(self._messages(), headers=_HEADERS, media_type=EVENT_STREAM)
        try:
            await answer(scope, receive, self._within_time(send))
        except TimeoutError:
            _LOG.info("a listener of the stream takes nothing, and is cut off")
        finally:
            stream.listening -= 1

    async def _messages(self) -> AsyncIterator[bytes]:
        """Say at once that it listens, then what came, and now and then that all is well."""
        yield f"retry: {_RETRY_MS}\n: listening\n\n".encode()
        spoken_s = time.monotonic()
        with suppress(StoreError):  # it comes again, with the number of the last alert it had
            while not self._stream.ends:
                if said := await run_in_threadpool(self._events.take) or self._beat(spoken_s):
                    yield said
                    spoken_s = time.monotonic()
                else:
                    await asyncio.sleep(LOOK_EVERY_S)

    def _beat(self, spoken_s: float) -> bytes:
        silent_s = time.monotonic() - spoken_s
        return b": all is well\n\n" if silent_s >= self._stream.heartbeat_every_s else b""

    def _within_time(self, send: Send) -> Send:
        """Give up on a listener that takes nothing: at once where the server ends."""

        async def send_within_time(message: Message) -> None:
            sending = asyncio.ensure_future(send(message))
            begun_s = time.monotonic()
            try:
                while not (await asyncio.wait([sending], timeout=LOOK_EVERY_S))[0]:
                    waited_s = time.monotonic() - begun_s
                    if self._stream.ends or waited_s > self._stream.takes_within_s:
                        raise TimeoutError
                sending.result()
            finally:
                sending.cancel()

        return send_within_time
