"""Who may reach the desk: addresses, sign-in, paths behind a proxy, and the container's files."""

import asyncio
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message
from streamlit.testing.v1 import AppTest

from ingest.errors import SettingsError
from ingest.settings import Settings, parse_settings
from pages.ui.server.exposure import check_exposure, is_loopback, probe_routes, under_base_path
from pages.ui.server.sign_in import is_allowed

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("address", "is_near"),
    [
        *[(each, True) for each in ("127.0.0.1", "127.8.8.8", "::1", "localhost")],
        *[(each, False) for each in ("0.0.0.0", "::", "", None, "192.168.1.5", "desk.example")],
    ],
)
def test_an_address_that_others_reach_needs_sign_in_or_the_users_word(address, is_near) -> None:
    assert is_loopback(address) is is_near
    check_exposure(address, Settings(allow_remote=True), has_sign_in=False)
    check_exposure(address, Settings(), has_sign_in=True)
    if is_near:
        check_exposure(address, Settings(), has_sign_in=False)
    else:
        with pytest.raises(SettingsError, match=r"set up sign-in .* or say --allow-remote"):
            check_exposure(address, Settings(), has_sign_in=False)


def test_our_routes_answer_under_the_path_of_a_proxy_too() -> None:
    route = Route("/healthz", lambda _: PlainTextResponse("well"))
    app = Starlette(routes=under_base_path([route], "/tools/desk/"))
    answers = [asyncio.run(body_of(app, path)) for path in ("/healthz", "/tools/desk/healthz")]
    assert answers == [b"well", b"well"]
    assert under_base_path([route], "") == [route]


async def body_of(app: Starlette, path: str) -> bytes:
    body = b""

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": [],
             "query_string": b"", "scheme": "http"}  # fmt: skip
    await app(scope, receive, send)
    return body


@pytest.mark.parametrize("text", ["a b", "../x", "a//b", "a?b"])
def test_a_base_path_is_a_path(text) -> None:
    assert parse_settings(["--base-path", "/tools/desk/"], {}).base_path == "tools/desk"
    with pytest.raises(SettingsError, match="is not a path like desk"):
        parse_settings(["--base-path", text], {})


@pytest.mark.parametrize(
    ("user", "ours", "may"),
    [
        ({"email": "a@b.c"}, {}, True),
        ({"email": "A@B.c"}, {"allowed_emails": ["a@b.C"]}, True),
        ({"email": "x@b.c"}, {"allowed_emails": ["a@b.c"]}, False),
        ({"email": "a@b.c", "email_verified": False}, {"allowed_emails": ["a@b.c"]}, False),
        ({}, {"allowed_emails": ["a@b.c"]}, False),
        ({"email": ""}, {"allowed_emails": [""]}, False),
    ],
)
def test_only_verified_addresses_on_the_list_come_in(user, ours, may) -> None:
    assert is_allowed(user, ours) is may


def test_nothing_of_the_desk_is_shown_before_sign_in(tmp_path) -> None:
    test = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=30)
    test.secrets["auth"] = {
        "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
        "cookie_secret": "only for this test",
        "client_id": "pairdesk",
        "client_secret": "none",
        "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
    }
    test.run()
    assert not test.exception
    assert [button.label for button in test.button] == ["Sign in"]
    assert not test.radio
    assert not test.selectbox


def test_the_container_holds_what_it_needs_and_runs_as_nobody_special() -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root)\w+", docker, re.MULTILINE)
    assert "HEALTHCHECK" in docker
    assert "VOLUME /app/data" in docker
    # Every variable it sets is an option that the app knows.
    known = set(re.findall(r"PAIRDESK_[A-Z_]+", docker + (ROOT / "compose.yaml").read_text()))
    words = {f"--{name.removeprefix('PAIRDESK_').lower().replace('_', '-')}" for name in known}
    options = (ROOT / "ingest" / "settings.py").read_text(encoding="utf-8")
    assert all(f'("{word.removeprefix("--")}"' in options for word in words), words
    shipped = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"]
    assert {"app.py", "analytics", "ingest", "pages", "requirements.txt"} <= set(shipped)
    assert all((ROOT / name.rstrip("*")).exists() for name in shipped if "*" not in name)


def test_what_the_browser_asks_below_a_page_is_answered_but_with_no_configuration() -> None:
    app = Starlette(routes=probe_routes())
    for path in ("/evidence/_stcore/health", "/feed/_stcore/host-config"):
        assert asyncio.run(body_of(app, path)) == b"null"


def test_a_base_path_named_as_a_page_is_leaves_streamlit_its_own_answers() -> None:
    paths = [route.path for route in under_base_path(probe_routes(), "feed")]
    assert "/feed/_stcore/health" not in paths
    assert "/feed/feed/_stcore/health" in paths
    assert "/evidence/_stcore/health" in paths
