"""The HTTP client: kept connections, and the bounds of size and time, on real sockets."""

import asyncio
import base64
import gc
import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from exchange.server import ThreadedExchange

from ingest.counts import Counts
from ingest.errors import HttpError
from ingest.event_queue import EventQueue
from ingest.feed import FeedLimits
from ingest.recorder.receiving import ReceivingLoop
from ingest.rest import HttpClient
from ingest.rest import http as http_get
from ingest.settings import Settings
from ingest.store import PublishedGaps

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request by `answer`, and knows the heads of all that came."""

    def __init__(self, answer: bytes | Answer) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.readers: list[asyncio.StreamReader] = []
        self.tasks: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        self.readers.append(reader)
        self.tasks.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                if isinstance(self.answer, bytes):
                    writer.write(self.answer)
                    await writer.drain()
                else:
                    await self.answer(head, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: bytes | Answer) -> AsyncIterator[tuple[Server, str]]:
    """Serve on the loopback; gives the server and its URL."""
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        try:
            yield server, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        finally:
            for writer in server.connections:
                writer.close()
            await asyncio.gather(*filter(None, server.tasks))


def no_such_name(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


async def fails(url: str) -> str:
    async with aclosing(HttpClient()) as http:
        with pytest.raises(HttpError) as caught:
            await http.get(url)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_requests_one_after_the_other_share_a_connection() -> None:
    async with serving(OK) as (server, url), aclosing(HttpClient()) as http:
        for _ in range(20):
            assert (await http.get(url)).body == b"ok"
        assert (len(server.heads), len(server.connections)) == (20, 1)
        await asyncio.gather(*(http.get(url) for _ in range(5)))
        assert len(server.connections) <= 5


async def test_a_connection_closed_while_it_was_idle_is_no_failure() -> None:
    """Its end and the next request may cross on the way: that request is sent again."""

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        if head.startswith(b"GET /second ") and len(server.connections) == 1:
            writer.transport.abort()
        else:
            writer.write(OK)

    async with serving(answer) as (server, url), aclosing(HttpClient()) as http:
        await http.get(f"{url}first")
        assert (await http.get(f"{url}second")).body == b"ok"
        assert [head.split()[1] for head in server.heads] == [b"/first", b"/second", b"/second"]


async def test_a_new_connection_that_is_closed_without_an_answer_is_a_failure() -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with serving(answer) as (server, url):
        await fails(url)
        assert len(server.heads) == 1


async def test_after_a_failure_the_other_kept_connections_are_not_trusted(monkeypatch) -> None:
    """After a change of network all of them are dead, and each would cost the whole time."""
    monkeypatch.setattr(http_get, "READ_TIMEOUT_S", 0.3)

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        if len(server.heads) <= 2:
            await both.wait()
        elif server.connections.index(writer) < 2:
            return
        writer.write(OK)

    both = asyncio.Barrier(2)
    async with serving(answer) as (server, url), aclosing(HttpClient()) as http:
        await asyncio.gather(http.get(url), http.get(url))
        with pytest.raises(HttpError, match=r"no answer within 0\.3 s"):
            await http.get(url)
        assert (await http.get(url)).body == b"ok"
        assert len(server.connections) == 3


async def test_a_host_that_is_not_there_is_an_error_in_the_systems_words() -> None:
    async with serving(OK) as (_, url):
        pass
    assert await fails(url) == "Connection refused"
    assert "not known" in await fails("http://no-such-host.invalid/")
    assert "out of range" in await fails("http://127.0.0.1:99999/")


async def test_a_redirect_is_an_answer_and_its_cookie_is_not_kept() -> None:
    head = (
        b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nSet-Cookie: hotel=1\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    async with serving(head) as (server, url), aclosing(HttpClient()) as http:
        answers = [await http.get(url), await http.get(url)]
        assert [(each.status, each.headers["location"]) for each in answers] == [
            (302, "http://[bad")
        ] * 2
        assert b"cookie" not in server.heads[1].lower()


async def test_rubbish_instead_of_http_is_an_error() -> None:
    async with serving(b"220 smtp ready\r\n\r\n") as (_, url):
        assert "status line" in await fails(url)


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_get, "MAX_BODY_BYTES", 1000)
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000) as (_, url):
        assert await fails(url) == "the answer is longer than 1,000 bytes"


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("text", [b'{"serverTime":1}' * 20_000, b""])
async def test_a_packed_answer_is_unpacked(text: bytes) -> None:
    async with (
        serving(packed(gzip.compress(text))) as (server, url),
        aclosing(HttpClient()) as http,
    ):
        assert (await http.get(url)).body == text
        assert b"accept-encoding: gzip\r\n" in server.heads[0].lower()


async def test_a_gzip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(bytes(400_000_000), 1)
    async with serving(packed(bomb)) as (_, url):
        tracemalloc.start()
        try:
            assert "longer than 16,777,216 bytes" in await fails(url)
            assert tracemalloc.get_traced_memory()[1] < 4 * http_get.MAX_BODY_BYTES
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "words"),
    [(gzip.compress(b"x" * 1000)[:-9], "ends too early"), (b"nonsense", "header")],
    ids=["cut", "nonsense"],  # by itself the first is named after its bytes, which hold the time
)
async def test_a_damaged_packed_answer_is_an_error(body: bytes, words: str) -> None:
    async with serving(packed(body)) as (_, url):
        assert words in await fails(url)


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
async def test_an_answer_that_drips_is_given_up_in_time(monkeypatch, begun: bytes) -> None:
    monkeypatch.setattr(http_get, "READ_TIMEOUT_S", 0.3)

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        while not writer.is_closing():
            writer.write(b"H")
            await asyncio.sleep(0.01)

    async with serving(answer) as (_, url):
        begun_s = time.monotonic()
        assert await fails(url) == "no answer within 0.3 s"
        assert time.monotonic() - begun_s < 1.0


async def test_a_name_that_is_looked_up_for_long_is_given_up_in_time(monkeypatch) -> None:
    monkeypatch.setattr(http_get, "READ_TIMEOUT_S", 0.3)
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20))
    try:
        assert await fails("http://slow.example/") == "no answer within 0.3 s"
    finally:
        release.set()


async def test_the_systems_proxy_is_used_but_for_the_loopback_and_what_no_proxy_names(
    monkeypatch,
) -> None:
    async with serving(OK) as (server, url), aclosing(HttpClient()) as http:
        port = url.split(":")[2].strip("/")
        monkeypatch.setenv("http_proxy", f"me:p%40ss@127.0.0.1:{port}")
        await http.get("http://api.example/api/v3/time")
        assert server.heads[0].startswith(b"GET http://api.example/api/v3/time HTTP/1.1\r\n")
        sign_in = b"Basic " + base64.b64encode(b"me:p@ss")
        assert b"proxy-authorization: " + sign_in.lower() in server.heads[0].lower()
        await http.get(url)
        assert server.heads[1].startswith(b"GET / HTTP/1.1\r\n")
        monkeypatch.setenv("no_proxy", "api.example")
        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        with pytest.raises(HttpError, match="no such name"):
            await http.get("http://api.example/api/v3/time")
        assert len(server.heads) == 2


@pytest.mark.parametrize(("status", "words"), [(407, "wants a sign-in"), (503, "refuses")])
async def test_a_tunnel_that_a_proxy_refuses_is_named(monkeypatch, status: int, words: str) -> None:
    refusal = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(refusal) as (server, url), aclosing(HttpClient()) as http:
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(HttpError, match=words) as caught:
            await http.get("https://api.example/api/v3/time")
        assert caught.value.interception is not None
        assert caught.value.interception.between == "proxy"
        assert server.heads[0].startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")


def certificate_for(host: str, folder: Path) -> Path:
    """Make a certificate signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, pkcs8, plain))
    return path


async def test_through_a_proxys_tunnel_certificates_are_verified_and_connections_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("api.example", tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    far = Server(OK)
    listener = await asyncio.start_server(far.serve, "127.0.0.1", 0, ssl=context)

    async def tunnel(_: bytes, writer: asyncio.StreamWriter) -> None:
        port = listener.sockets[0].getsockname()[1]
        reader, onward = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        there = copied(proxy.readers[-1], onward)
        await asyncio.gather(there, copied(reader, writer))

    async with listener, serving(tunnel) as (proxy, proxy_url):
        monkeypatch.setenv("https_proxy", proxy_url)
        assert "certificate verify failed" in await fails("https://api.example/")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with aclosing(HttpClient()) as http:
            for _ in range(3):
                assert (await http.get("https://api.example/")).body == b"ok"
        assert (len(far.heads), len(proxy.heads)) == (3, 2)
        assert "certificate verify failed" in await fails("https://other.example/")


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until it ends."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


async def test_a_proxy_without_a_valid_address_is_an_error(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:many")
    assert "system's proxy cannot be used" in await fails("http://api.example/")


def stopped_within(receiving: ReceivingLoop, is_under_way: threading.Event) -> float:
    """Stop once a request is under way; seconds until the thread has ended."""
    thread = threading.Thread(target=receiving.run, daemon=True)
    thread.start()
    try:
        assert is_under_way.wait(10)
    finally:
        begun_s = time.monotonic()
        receiving.stop()
        thread.join(20)
    assert not thread.is_alive()
    gc.collect()  # what was left open warns, and a warning is an error
    return time.monotonic() - begun_s


def receiving_from(ws_url: str, rest_url: str, folder: Path) -> ReceivingLoop:
    settings = Settings(("BTCUSDT",), db=folder / "ticks.db", ws_url=ws_url, rest_url=rest_url)
    queue, now_us = EventQueue(1000), lambda: time.time_ns() // 1000
    receiving = ReceivingLoop(settings, queue, PublishedGaps(), Counts(), FeedLimits(), now_us)
    receiving.symbols = ("BTCUSDT",)
    return receiving


def test_a_request_under_way_does_not_keep_the_recorder_from_stopping(tmp_path: Path) -> None:
    is_under_way = threading.Event()

    def accept(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            is_under_way.set()
            assert connection.recv(1000) == b"", "closed by the recorder"

    with (
        ThreadedExchange(["BTCUSDT"]) as exchange,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        server = threading.Thread(target=accept, args=[listener], daemon=True)
        server.start()
        rest_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        receiving = receiving_from(exchange.ws_url, rest_url, tmp_path)
        assert stopped_within(receiving, is_under_way) < 2.0
        server.join(5)
        assert not server.is_alive()


def test_a_name_being_looked_up_does_not_keep_the_recorder_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's resolver may take half a minute, and cannot be interrupted."""
    is_under_way, release = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slow(host: object, *args: object, **options: object) -> object:
        if host not in {"slow.example", b"slow.example"}:  # anyio has encoded it
            return look_up(host, *args, **options)  # type: ignore[arg-type]
        is_under_way.set()
        release.wait(15)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with ThreadedExchange(["BTCUSDT"]) as exchange:
            receiving = receiving_from(exchange.ws_url, "http://slow.example", tmp_path)
            assert stopped_within(receiving, is_under_way) < 2.0
    finally:
        release.set()


def test_the_library_is_not_loaded_before_the_first_request(project_root: Path) -> None:
    code = "import sys, ingest.recorder; sys.exit('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=project_root, check=False)
    assert done.returncode == 0
