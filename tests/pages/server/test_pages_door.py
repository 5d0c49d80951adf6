"""Who may come in: names and origins that are answered, what is open before sign-in, headers."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from desk.app_process import AppProcess, free_port, running_app
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    generate_xsrf_token_string,
)
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from ingest.errors import SettingsError
from ingest.settings import parse_settings
from pages.ui.server.door import Door, Rules, refuse_host, refuse_origin
from pages.ui.streamlit_private import shell_page, signed_in_user

SECRET = "a secret of this test only, long enough"
TOKEN = "a-token-of-this-test-only"
OPEN_PATHS = ("", "evidence", "feed", "healthz", "_stcore/health", "_stcore/host-config",
              "evidence/_stcore/health", "favicon.png")  # fmt: skip
SHUT_PATHS = ("_stcore/metrics", "pairdesk/pill", "pairdesk/bell", "pairdesk/chart/x",
              "pairdesk/file/x/bars.csv", "media/x.png",
              "component/x/index.html", "_stcore/agent/openapi.json",
              "pairdesk/plotly-cartesian-4.1.1.min.js", "_stcore/bidi-components/x/y.js",
              "healthz/x", "static", "pairdesk/../pairdesk/pill", "api/v1/pairs",
              "api/v1/stream", "api/v1/docs", "api/x", "api")  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app whose visitors have to sign in, and one of whose names is desk.example."""
    folder, port = tmp_path_factory.mktemp("door"), free_port()
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "https://sign-in.example/oauth2callback"\n'
        f'cookie_secret = "{SECRET}"\nclient_id = "x"\nclient_secret = "x"\n'
        'server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"\n'
        '[pairdesk]\nallowed_emails = ["trader@example.org"]\n'
        f'api_tokens = ["another", "{TOKEN}"]\n'
    )
    options = ("--no-ingest", "--db", folder / "t.db", "--allow-host", "Desk.Example")
    with running_app(folder, *options, port=port, base_path="tools/desk") as running:
        yield running


def asked(
    app: AppProcess, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage]:
    port = int(app.url.split(":")[2].split("/")[0])
    named = {"Host": f"127.0.0.1:{port}", **headers}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, f"/{path}", body, named)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers


def cookie_of(email: str) -> str:
    """The cookie that the sign-in gives somebody of this address."""
    user = {"email": email, "is_logged_in": True, "origin": "https://sign-in.example"}
    signed = create_signed_value(SECRET, USER_COOKIE_NAME, json.dumps(user))
    return f"{USER_COOKIE_NAME}={signed.decode()}"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example"])
@pytest.mark.parametrize("path", ["", "healthz", "tools/desk/healthz", "tools/desk/_stcore/health"])
def test_a_foreign_name_is_answered_nowhere(app: AppProcess, host: str, path: str) -> None:
    status, _ = asked(app, path, Host=host, Origin=f"http://{host}")
    assert status == 421


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("evil.example", "http://evil.example", 403),
        ("localhost:9999", "http://localhost:3000", 403),
        ("localhost:9999", "http://127.0.0.1:9999", 403),
        ("localhost:9999", "null", 403),
        ("localhost:9999", "http://localhost:9999", 101),  # a tunnel
        ("desk.example", "https://desk.example", 101),
        ("sign-in.example", "https://sign-in.example", 101),
    ],
)
def test_the_socket_opens_to_our_own_pages_only(app, host, origin, status) -> None:
    port = app.url.split(":")[2].split("/")[0]
    url = f"ws://{host}/tools/desk/_stcore/stream"
    try:
        with connect(url, address=("127.0.0.1", int(port)), origin=origin, proxy=None,
                     subprotocols=[Subprotocol("streamlit")]):  # fmt: skip
            found = 101
    except InvalidStatus as error:
        found = error.response.status_code
    assert found == status


@pytest.mark.parametrize("base", ["", "tools/desk/"])
@pytest.mark.parametrize("path", SHUT_PATHS)
def test_before_sign_in_nothing_else_answers(app: AppProcess, base: str, path: str) -> None:
    assert asked(app, base + path)[0] == 401
    assert asked(app, base + path, Cookie=cookie_of("stranger@example.org"))[0] == 401
    assert asked(app, base + path, Cookie=f"{USER_COOKIE_NAME}=forged")[0] == 401


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_the_sign_in_page_and_what_it_needs_answers(app: AppProcess, path: str) -> None:
    assert asked(app, f"tools/desk/{path}")[0] == 200


def test_who_has_signed_in_is_answered(app: AppProcess) -> None:
    cookie = cookie_of("trader@example.org")
    for path in ("pairdesk/pill", "_stcore/metrics", "pairdesk/plotly-cartesian-4.1.1.min.js"):
        assert asked(app, f"tools/desk/{path}", Cookie=cookie)[0] == 200


@pytest.mark.parametrize("base", ["", "tools/desk/"])
def test_the_api_answers_to_who_has_signed_in_and_to_a_token(app: AppProcess, base: str) -> None:
    path = f"{base}api/v1/pairs"
    token: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}
    assert asked(app, path, Cookie=cookie_of("trader@example.org"))[0] == 200
    assert asked(app, path, **token)[0] == 200
    assert asked(app, path, "POST", **token)[0] == 405
    assert asked(app, path, Authorization=f"Bearer {TOKEN}x")[0] == 401
    assert asked(app, path, Host="evil.example", **token)[0] == 421
    assert asked(app, f"{base}pairdesk/pill", **token)[0] == 401  # of the pages it opens none
    assert TOKEN not in app.log()


def test_no_upload_is_read_before_sign_in(app: AppProcess) -> None:
    token = generate_xsrf_token_string()
    named = {"X-Xsrftoken": token, "Content-Length": "100000000"}
    path = "tools/desk/_stcore/upload_file/session/file"
    xsrf = f"_streamlit_xsrf={token}"
    # Of the 100 MB that it announces not one byte is sent: the answer does not wait for them.
    assert asked(app, path, "PUT", None, Cookie=xsrf, **named)[0] == 401
    signed_in = f"{xsrf}; {cookie_of('trader@example.org')}"
    assert asked(app, path, "PUT", None, Cookie=signed_in, **named)[0] == 400  # no such session


@pytest.mark.parametrize("path", ["", "healthz", "_stcore/metrics"])
def test_every_answer_says_what_a_browser_may_do_with_it(app: AppProcess, path: str) -> None:
    _, headers = asked(app, f"tools/desk/{path}")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["frame-ancestors"] == policy["default-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert "http" not in policy["img-src"]
    assert "unsafe" not in policy["script-src"]


def opened(rules: Rules, headers: list[tuple[str, str]], *, kind: str = "http") -> object:
    """What a desk of these rules answers: a status, or a socket's first message."""

    async def socket(asked) -> None:
        await asked.accept()

    routes = [Route("/x", lambda _: PlainTextResponse("well")), WebSocketRoute("/x", socket)]
    door = Middleware(Door, rules=lambda: rules, may_ask=lambda _: True)
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request" if kind == "http" else "websocket.connect"}

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "method": "GET", "path": "/x", "root_path": "", "query_string": b"",
             "scheme": "http", "headers": raw}  # fmt: skip
    asyncio.run(Starlette(routes=routes, middleware=[door])(scope, receive, send))
    return said[0].get("status", said[0]["type"])


@pytest.mark.parametrize(
    ("address", "hosts", "status"),
    [
        *[("127.0.0.1", [host], 200) for host in (
            "127.0.0.1:8501", "localhost", "LOCALHOST.:9999", "[::1]:1", "desk.example:8443")],
        *[("127.0.0.1", [host], 421) for host in (
            "evil.example", "192.168.1.5", "localhost.evil.example", "[fe80::1]", "0.0.0.0")],
        *[(None, [host], 200) for host in ("192.168.1.5:8501", "[fe80::1]", "localhost")],
        *[("0.0.0.0", [host], 421) for host in ("evil.example", "mybox", "1.2.3.4.nip.io")],
        *[("192.168.1.5", [host], 200) for host in ("192.168.1.5", "127.0.0.1")],
        ("192.168.1.5", ["192.168.1.6"], 421),
        ("mybox", ["MyBox:8501"], 200),
        *[("127.0.0.1", hosts, 400) for hosts in (
            [], [""], ["localhost", "evil.example"], ["localhost:x"], ["a@localhost"],
            ["localhost/x"], ["<b>"], ["localhost:99999"], ["x" * 300], ["."], ["[::1"])],
    ],
)  # fmt: skip
def test_names_follow_where_it_listens_and_the_option(address, hosts, status) -> None:
    rules = Rules(address, {"desk.example"})
    headers = [("host", host) for host in hosts]
    assert opened(rules, headers) == status
    met = opened(rules, headers, kind="websocket")
    assert met == ("websocket.accept" if status == 200 else "websocket.close")
    refusal = refuse_host(hosts, rules)
    if status == 421:
        assert refusal is not None
        assert f"--allow-host {hosts[0].strip('[]')}" in refusal.words


@pytest.mark.parametrize("origin", ["http://[", "file://localhost:1", "localhost:1", ""])
def test_what_is_no_origin_is_not_ours(origin: str) -> None:
    refusal = refuse_origin([origin], "localhost:1", Rules(None))
    assert refusal is not None
    assert refusal.status == 403
    assert refuse_origin(["http://LOCALHOST:1"], "localhost:1", Rules(None)) is None
    assert refuse_origin([], "localhost:1", Rules(None)) is None


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        ("https://desk.example", "desk.example:443", True),
        ("https://desk.example:443", "desk.example", True),
        ("https://desk.example:8443", "desk.example", True),
        ("https://desk.example:8443", "desk.example:8501", False),
        ("https://evil.example", "desk.example", False),
        ("http://localhost:9999", "localhost", False),
        ("http://localhost:9999", "localhost:8501", False),
        ("https://desk.example", "127.0.0.1:8501", False),
    ],
)
def test_a_proxy_may_leave_its_port_out_or_say_that_of_the_scheme(
    origin: str, host: str, is_ours: bool
) -> None:
    rules = Rules("127.0.0.1", {"desk.example"})
    assert (refuse_origin([origin], host, rules) is None) == is_ours


def test_the_option_takes_names_as_a_browser_sends_them() -> None:
    found = parse_settings(["--allow-host", "Desk.Example., börse.example"], {})
    assert found.allow_hosts == ("desk.example", "xn--brse-5qa.example")
    for text in ("https://desk.example", "desk.example:8443", "*.example", "a b", "x" * 70):
        with pytest.raises(SettingsError, match="--allow-host"):
            parse_settings(["--allow-host", text], {})


def test_a_streamlit_without_these_names_lets_nobody_in(monkeypatch) -> None:
    from streamlit.web.server.starlette import starlette_websocket

    monkeypatch.delattr(starlette_websocket, "_get_signed_cookie_with_chunks")
    assert signed_in_user({USER_COOKIE_NAME: "x"}) == {}


def test_the_shell_of_streamlit_is_where_its_inline_script_is_looked_for() -> None:
    assert shell_page().count("<script>") == 1
