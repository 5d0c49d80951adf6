"""The scripted exchange as from another continent: each answer takes a round trip.

A relay on the loopback in front of its REST. It keeps connections open, as the real one does, and
holds each answer back for a round trip. A new connection costs one round trip more; over the
internet TCP and TLS 1.3 take two, and a name look-up more. Bandwidth and TCP's slow start, which
favours kept connections further, are not simulated.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from exchange.server import HOST

_HEAD_END = b"\r\n\r\n"


class FarExchange:
    """The relay; `connections` and `requests` are what it has taken so far."""

    def __init__(self, port: int, round_trip_s: float) -> None:
        self.connections = self.requests = 0
        self.url = ""
        self._port, self._round_trip_s = port, round_trip_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection's requests until it is closed."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        waits_s = 2 * self._round_trip_s
        try:
            while True:
                head = await reader.readuntil(_HEAD_END)
                self.requests += 1
                answer, _ = await asyncio.gather(self._answer(head), asyncio.sleep(waits_s))
                writer.write(answer)
                await writer.drain()
                if b"connection: close\r\n" in head.lower():
                    return
                waits_s = self._round_trip_s
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self._tasks.discard(task)

    async def closed(self) -> None:
        """Wait until all connections are closed by the other side."""
        await asyncio.gather(*self._tasks)

    async def _answer(self, head: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self._port)
        writer.write(head)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.replace(b"Connection: close\r\n", b"", 1)


@asynccontextmanager
async def far_exchange(port: int, round_trip_s: float) -> AsyncIterator[FarExchange]:
    """Relay to the exchange at a port of the loopback."""
    relay = FarExchange(port, round_trip_s)
    server = await asyncio.start_server(relay.serve, HOST, 0)
    relay.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield relay
        await relay.closed()
