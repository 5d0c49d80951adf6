"""A login page or a proxy in between is named as what it is, and gone when it is gone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from exchange.server import ThreadedExchange
from exchange.virtual import VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.errors import LinkLostError, RestFailedError, RestRefusedError
from ingest.feed import open_socket
from ingest.feed.link import Link, LinkLimits
from ingest.interception import interception, tunnel_refused
from ingest.recorder import Recorder
from ingest.rest import RestClient
from ingest.rest.http import HttpAnswer
from ingest.settings import Settings
from pages.ui.parts.status import pill_of

URL = "https://api.binance.com/api/v3/time"
PAGE = b"<!DOCTYPE html><html><body>Welcome to the hotel</body></html>"
HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "between", "words"),
    [
        (200, HTML, PAGE, "login page", "an HTML page in the exchange's place"),
        (200, {}, b"\n  <html>", "login page", "sign in to the network"),
        (302, {"location": "http://hotel.example/in"}, b"", "login page", "on to hotel.example"),
        (307, {"location": "/login"}, b"", "login page", "sends us on"),
        (511, HTML, PAGE, "login page", "HTTP 511"),
        (407, HTML, PAGE, "proxy", "wants a sign-in (HTTP 407)"),
        (301, {"location": "https://api.binance.com/api/v3/time"}, b"", None, ""),
        (200, {"content-type": "application/json"}, b'{"serverTime":1}', None, ""),
        (403, HTML, PAGE, None, ""),  # the exchange's firewall answers so
        (502, HTML, PAGE, None, ""),
    ],
)
def test_who_answered_is_told_by_the_answer(status, headers, body, between, words) -> None:
    found = interception(URL, status, headers, body)
    assert (found and found.between) == between
    assert words in (found.sentence if found else "")


def test_a_tunnel_that_a_proxy_refuses_is_known_by_its_status() -> None:
    found = tunnel_refused(OSError("407 Proxy Authentication Required"))
    assert found is not None
    assert (found.between, "HTTP 407" in found.sentence) == ("proxy", True)
    assert tunnel_refused(OSError("Connection refused")) is None


@in_virtual_time
async def test_a_proxy_is_no_refusal_by_the_exchange_and_is_over_with_the_next_answer() -> None:
    """A refusal makes the repair give trades up: a proxy must not."""
    exchange = VirtualExchange("BTCUSDT")
    answers = [HttpAnswer(407, {}, b""), HttpAnswer(200, HTML, PAGE)]

    async def fetch(url: str) -> HttpAnswer:
        return answers.pop(0) if answers else await exchange.fetch(url)

    rest = RestClient("https://rest.invalid", "spot", fetch=fetch, now_us=exchange.now_us)
    for between in ("proxy", "login page"):
        with pytest.raises(RestFailedError) as caught:
            await rest.server_time_us()
        assert not isinstance(caught.value, RestRefusedError)
        assert rest.interception is not None
        assert rest.interception.between == between
    await rest.server_time_us()
    assert (rest.interception, rest.last_error) == (None, None)


@contextmanager
def between(
    status: int, headers: dict[str, str], version: str = "HTTP/1.1", body: bytes = PAGE
) -> Iterator[int]:
    """Answer every request alike, as a hotel's network does; gives the port."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = version
        close_connection = True

        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "headers", "who"),  # by a server of HTTP/1.1, and by one of HTTP/1.0
    [
        (200, HTML, "login page"),
        (302, {"Location": "http://hotel.example/login"}, "login page"),
        (407, HTML, "proxy"),
        (400, HTML, None),
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
async def test_a_handshake_that_another_answers_says_who(status, headers, who, version) -> None:
    with between(status, headers, version) as port:
        with pytest.raises(LinkLostError) as caught:
            await open_socket(f"ws://127.0.0.1:{port}/stream", LinkLimits(open_s=5.0))
        assert caught.value.between == who


def test_pill_terminal_and_error_name_it_until_it_is_gone(tmp_path: Path, capsys) -> None:
    def until(condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 10.0
        while not condition():
            assert time.monotonic() < end_s, "did not come true in time"
            time.sleep(0.005)

    with (
        between(200, HTML) as port,
        ThreadedExchange(["BTCUSDT"]) as exchange,
    ):
        hotel = f"127.0.0.1:{port}"
        settings = Settings(
            symbols=("BTCUSDT",),
            db=tmp_path / "ticks.db",
            ws_url=f"ws://{hotel}",
            rest_url=f"http://{hotel}",
        )
        recorder = Recorder(settings)
        recorder.start()
        try:
            until(lambda: recorder.status().between == "login page")
            until(lambda: any("REST cannot" in each for each in recorder.status().notices))
            status = recorder.status()
            assert pill_of(status, time.time_ns() // 1000).word == "LOGIN PAGE"
            assert "HTML page in the exchange's place" in (status.last_error or "")
            assert [each for each in status.history if "HTML page" in each.detail]
            until(lambda: recorder.status().attempts >= 2)
            assert capsys.readouterr().err.count("HTML page") == 1
            feed = recorder._receiving.feed
            assert feed is not None
            address = type(feed.address)(exchange.ws_url, "spot", "aggTrade")
            feed.address = address  # somebody signed in
            exchange.wait_for_subscribers(1)
            until(lambda: recorder.status().state == "live")
            assert (recorder.status().between, recorder.status().last_error) == (None, None)
        finally:
            recorder.stop()


async def test_what_the_exchange_refused_is_over_once_nobody_wants_it() -> None:
    class Silent:
        async def send(self, message: str) -> None: ...

        async def close(self) -> None: ...

    link = Link(Silent(), None, None, LinkLimits(), {"BTCUSDT"})  # type: ignore[arg-type]
    link._refused, link.refusal = frozenset({"ZZZZ"}), "the exchange refused ZZZZ"
    await link.change({"BTCUSDT"})
    assert link.refusal is None
