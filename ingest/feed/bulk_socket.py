"""A WebSocket that hands out all messages of a read at once: `websockets`, but for plain frames.

A market at its peak sends tens of thousands of small messages a second, and a step of several
coroutines for each costs more than to understand it. Whole, unfragmented messages are therefore
cut out of what was read; everything else (the handshake, pings, pongs, closing, fragments,
whatever breaks the protocol) goes the way of `websockets`, byte for byte.
"""

import asyncio
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State

_HANDSHAKE_END = b"\r\n\r\n"
_TEXT, _BINARY = 0x81, 0x82  # whole messages: FIN and opcode, no extension bits
_PING, _PONG = 0x89, 0x8A
_MAX_CONTROL_BYTES = 125
_MAX_MESSAGE_BYTES = 2**20  # as `websockets` has it, which refuses longer ones
_MOST_WAITING = 20_000  # messages that were not taken yet: more are left in the socket


class BulkConnection(ClientConnection):
    """A connection whose messages are taken with `recv_many`, never with `recv`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # "frames": we cut, and what `websockets` has seen ends where a frame ends.
        self._stage: Literal["handshake", "frames", "left to websockets"] = "handshake"
        self._rest = b""  # of the answer's head, or of a frame that is not all here
        self._messages: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._lost = self._is_paused = False

    async def recv_many(self) -> list[bytes]:
        """All messages that are here, in order, or the next one.

        Raises
        ------
        ConnectionClosed
            The connection ended, and all it brought was taken.
        """
        while not self._messages:
            if self._lost or self._stage == "left to websockets":
                return [await self.recv(decode=False)]
            self._waiter = self.loop.create_future()
            await self._waiter
        messages, self._messages = self._messages, []
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()
        return messages

    def data_received(self, data: bytes) -> None:
        """Take what was read from the socket."""
        if self._stage == "handshake":
            data = self._after_handshake(data)
        if self._stage == "frames":
            self._rest = self._cut(self._rest + data)
        elif data:
            super().data_received(data)
        if len(self._messages) > _MOST_WAITING and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()
        if self._messages or self._stage == "left to websockets":
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that nothing comes any more."""
        super().connection_lost(exc)
        self._lost = True
        self._wake()

    def _after_handshake(self, data: bytes) -> bytes:
        """Hand the answer's head on; what follows it is returned."""
        seen = len(self._rest)
        end = (self._rest + data).find(_HANDSHAKE_END)
        if end < 0:
            self._rest = (self._rest + data)[1 - len(_HANDSHAKE_END) :]
            super().data_received(data)
            return b""
        end += len(_HANDSHAKE_END) - seen
        self._rest = b""
        super().data_received(data[:end])
        is_open = self.protocol.state is State.OPEN
        self._stage = "frames" if is_open else "left to websockets"
        return data[end:]

    def _cut(self, data: bytes) -> bytes:
        """Take all whole messages; returns the beginning of the one that is not all here."""
        at, size, messages = 0, len(data), self._messages
        while size - at >= 2:
            first, length, start = data[at], data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, start = data[at + 2] << 8 | data[at + 3], at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
            elif length > 127:  # masked, which a server's never is
                length = _MAX_MESSAGE_BYTES + 1
            end = start + length
            if first in {_TEXT, _BINARY} and length <= _MAX_MESSAGE_BYTES:
                if end > size:
                    break
                messages.append(data[start:end])
            elif first in {_PING, _PONG} and length <= _MAX_CONTROL_BYTES:
                if end > size:
                    break
                super().data_received(data[at:end])
            else:
                self._stage = "left to websockets"
                super().data_received(data[at:])
                return b""
            at = end
        return data[at:]

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
