"""The socket that cuts frames itself gives what `websockets` gives, however the bytes are split."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.utils import accept_key

from ingest.errors import LinkLostError
from ingest.feed import bulk_socket, open_socket
from ingest.feed.bulk_socket import BulkConnection
from ingest.feed.link import LinkLimits


def frame(payload: bytes, opcode: int = 0x81) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes([opcode, size]) + payload
    if size < 2**16:
        return bytes([opcode, 126]) + struct.pack(">H", size) + payload
    return bytes([opcode, 127]) + struct.pack(">Q", size) + payload


CLOSING = frame(struct.pack(">H", 1001) + b"bye", 0x88)
PLAIN = [b"", b"a", b"x" * 125, b"y" * 126, b"z" * 65_535, b"w" * 70_000, "é".encode(), b"last"]


async def answer_to(reader: asyncio.StreamReader) -> bytes:
    """The answer to a handshake, once it is all here."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = next(
        line.split(b":")[1].strip()
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"sec-websocket-key")
    )
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key.decode())}\r\n\r\n"
    ).encode()


@asynccontextmanager
async def server_of(parts: list[bytes]) -> AsyncIterator[int]:
    """A server that writes these bytes, part by part, once a client stands."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await answer_to(reader)
        for part in [answer + parts[0], *parts[1:]] if parts else [answer]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read(100)  # the client's close frame, or its end
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def received(parts: list[bytes]) -> tuple[list[bytes], str]:
    """All messages of these bytes, and how the connection ended."""
    async with server_of(parts) as port:
        return await received_from(port)


async def received_from(port: int) -> tuple[list[bytes], str]:
    """All messages of a server, and how the connection ended."""
    connection = await connect(
        f"ws://127.0.0.1:{port}", create_connection=BulkConnection, compression=None,
        close_timeout=0.2, proxy=None,
    )  # fmt: skip
    assert isinstance(connection, BulkConnection)
    messages: list[bytes] = []
    try:
        while True:
            async with asyncio.timeout(5):
                messages += await connection.recv_many()
    except ConnectionClosed as error:
        return messages, str(error)


def split(data: bytes, rng: random.Random, most: int) -> list[bytes]:
    parts = []
    while data:
        size = rng.randint(1, most)
        parts.append(data[:size])
        data = data[size:]
    return parts


@pytest.mark.parametrize(("seed", "most"), [(1, 3), (2, 200), (3, 50_000), (4, 10**6)])
async def test_messages_come_whole_and_in_order_wherever_reads_end(seed: int, most: int) -> None:
    rng = random.Random(seed)
    short = [message for message in PLAIN if most > 1000 or len(message) < 1000]
    wanted = [rng.choice(short) for _ in range(30)]
    data = b"".join(frame(message, rng.choice((0x81, 0x82))) for message in wanted) + CLOSING
    messages, ended = await received(split(data, rng, most))
    assert messages == wanted
    assert "1001" in ended
    assert "bye" in ended


async def test_fragments_and_what_follows_them_come_in_order() -> None:
    data = frame(b"one") + frame(b"tw", 0x01) + frame(b"", 0x89) + frame(b"o", 0x80)
    messages, _ = await received([data + frame(b"three") + CLOSING])
    assert messages == [b"one", b"two", b"three"]


FRAGMENTED = (
    frame(b"tw", 0x01)
    + frame(b"", 0x89)
    + frame(b"o", 0x00)
    + frame(b"!", 0x8A)
    + frame(b"s", 0x80)
)


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
async def test_pings_and_pongs_between_fragments_change_nothing_wherever_reads_end(
    most: int,
) -> None:
    rng = random.Random(most)
    data = (
        frame(b"one") + FRAGMENTED + frame(b"three") + FRAGMENTED + frame(b"five", 0x82) + CLOSING
    )
    messages, ended = await received(split(data, rng, most))
    assert messages == [b"one", b"twos", b"three", b"twos", b"five"]
    assert "1001" in ended


async def test_a_fragmented_message_longer_than_allowed_ends_the_connection() -> None:
    half = b"x" * (2**19 + 1)
    data = frame(b"good") + frame(half, 0x01) + frame(half, 0x80) + CLOSING
    messages, ended = await received([data])
    assert messages == [b"good"]
    assert "sent 1009" in ended


async def test_the_longest_message_allowed_comes_whole() -> None:
    longest = random.Random(1).randbytes(2**20)
    messages, _ = await received(split(frame(longest, 0x82) + CLOSING, random.Random(2), 70_000))
    assert messages == [longest]


async def test_text_that_is_no_utf_8_is_the_parsers_to_refuse() -> None:
    messages, ended = await received([frame(b"\xff\xfe") + frame(b"next") + CLOSING])
    assert messages == [b"\xff\xfe", b"next"]
    assert "1001" in ended


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999])
@pytest.mark.parametrize("most", [1, 1000])
async def test_close_codes_and_reasons_come_as_they_were_sent(code: int, most: int) -> None:
    close = frame(struct.pack(">H", code) + "später".encode(), 0x88)
    data = frame(b"last") + close
    messages, ended = await received(split(data, random.Random(1), most))
    assert messages == [b"last"]
    assert f"received {code}" in ended
    assert "später" in ended


@pytest.mark.parametrize(
    ("close", "sent"),
    [
        (frame(b"", 0x88), "received 1005"),
        (frame(b"x", 0x88), "sent 1002"),
        (frame(struct.pack(">H", 1006), 0x88), "sent 1002"),
        (frame(struct.pack(">H", 1000) + b"\xff", 0x88), "sent 1007"),
    ],
    ids=["no code", "half a code", "a code that is never sent", "a reason that is no text"],
)
async def test_odd_close_frames_end_the_connection_with_what_came_before(
    close: bytes, sent: str
) -> None:
    messages, ended = await received([frame(b"last") + close])
    assert messages == [b"last"]
    assert sent in ended


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 100])
async def test_an_end_in_the_midst_of_a_frame_gives_what_was_whole(cut: int) -> None:
    data = frame(b"whole") + frame(b"y" * 300)[:cut]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answer_to(reader) + data)
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        messages, ended = await received_from(port)
    assert messages == [b"whole"]
    assert "no close frame received" in ended


async def test_a_close_frame_behind_held_back_messages_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk_socket, "_MOST_WAITING", 10)
    wanted = [b"%d" % number * 200 for number in range(5000)]
    data = b"".join(map(frame, wanted)) + CLOSING
    messages, ended = await received(split(data, random.Random(4), 100_000))
    assert messages == wanted
    assert "1001" in ended


async def test_a_taker_that_was_cancelled_loses_nothing() -> None:
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await connect(
            f"ws://127.0.0.1:{port}", create_connection=BulkConnection, compression=None, proxy=None
        )
        assert isinstance(connection, BulkConnection)
        client = next(iter(server.connections))
        for number in range(20):
            waiting = asyncio.create_task(connection.recv_many())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await client.send(str(number))
            async with asyncio.timeout(5):
                assert await connection.recv_many() == [str(number).encode()]
        await connection.close()


async def test_what_comes_while_we_close_is_still_given() -> None:
    """The recorder stores what was sent before the exchange took our close frame in."""
    taken = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answer_to(reader) + frame(b"one"))
        await reader.readexactly(2)  # the client's close frame begins
        writer.write(frame(b"two") + frame(struct.pack(">H", 1000), 0x88))
        await writer.drain()
        taken.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        connection = await open_socket(
            f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", LinkLimits()
        )
        closing = asyncio.create_task(connection.close())
        messages: list[bytes] = []
        ended = ""
        while not ended:
            try:
                async with asyncio.timeout(5):
                    received = await connection.recv()
                assert isinstance(received, list)
                messages += received
            except LinkLostError as error:
                ended = str(error)
        await closing
    assert taken.is_set()
    assert "1000" in ended
    assert messages == [b"one", b"two"]


BROKEN: dict[str, Callable[[], bytes]] = {
    "reserved bits": lambda: frame(b"no", 0xC1),
    "unknown opcode": lambda: frame(b"no", 0x83),
    "masked": lambda: bytes([0x81, 0x82]) + b"mask" + b"no",
    "a continuation of nothing": lambda: frame(b"no", 0x80),
    "longer than allowed": lambda: frame(b"x" * (2**20 + 1)),
    "an oversized ping": lambda: frame(b"x" * 126, 0x89),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_breaks_the_protocol_ends_the_connection_as_websockets_ends_it(
    broken: Callable[[], bytes],
) -> None:
    messages, ended = await received([frame(b"good") + broken() + frame(b"late")])
    assert messages == [b"good"]
    assert "sent 100" in ended


async def test_pings_are_answered_and_keepalive_works() -> None:
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0, ping_interval=0.05) as s:
        port = next(iter(s.sockets)).getsockname()[1]
        limits = LinkLimits(ping_every_s=0.05, ping_within_s=0.5)
        connection = await open_socket(f"ws://127.0.0.1:{port}", limits)
        waiting = asyncio.create_task(connection.recv())
        await asyncio.sleep(0.4)
        client = next(iter(s.connections))
        assert client.latency > 0
        assert not waiting.done()
        await client.send("now")
        assert await waiting == [b"now"]
        await client.close(1001, "bye")
        with pytest.raises(LinkLostError, match="1001"):
            await connection.recv()


async def test_a_server_that_vanishes_is_a_lost_connection() -> None:
    async with serve(lambda socket: socket.wait_closed(), "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await connect(
            f"ws://127.0.0.1:{port}", create_connection=BulkConnection, proxy=None
        )
        assert isinstance(connection, BulkConnection)
        waiting = asyncio.create_task(connection.recv_many())
        await asyncio.sleep(0.05)
        next(iter(server.connections)).transport.abort()
        with pytest.raises(ConnectionClosedError):
            await waiting


async def test_what_nobody_takes_stays_in_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_socket, "_MOST_WAITING", 100)
    wanted = [b"%d" % number * 50 for number in range(20_000)]
    async with server_of([b"".join(map(frame, wanted))]) as port:
        connection = await connect(
            f"ws://127.0.0.1:{port}", create_connection=BulkConnection, compression=None,
            close_timeout=0.2, proxy=None,
        )  # fmt: skip
        assert isinstance(connection, BulkConnection)
        await asyncio.sleep(0.2)
        assert len(connection._messages) < len(wanted)
        messages: list[bytes] = []
        while len(messages) < len(wanted):
            async with asyncio.timeout(5):
                messages += await connection.recv_many()
        assert messages == wanted
        await connection.close()
