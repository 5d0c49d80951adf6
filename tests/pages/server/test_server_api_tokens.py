"""Who may read the API: tokens, the sign-in, and a desk without either."""

import asyncio
import json
from collections.abc import Collection
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from pages.ui.server.api_tokens import is_let_in, may_read, tokens
from pages.ui.server.door import Door, Rules

TOKEN = "4Zc1_this-is-a-token"


@pytest.mark.parametrize(
    ("section", "environment", "known"),
    [
        ({}, {}, ()),
        ({"api_tokens": []}, {"PAIRDESK_API_TOKENS": ""}, ()),
        ({"api_tokens": ["a", " b "]}, {}, ("a", "b")),
        ({"api_tokens": "a,b"}, {"PAIRDESK_API_TOKENS": "c, d"}, ("a", "b", "c", "d")),
        ({"api_tokens": 5}, {}, ("5",)),
        ({"api_tokens": [" "]}, {}, ("",)),
    ],
)
def test_tokens_are_those_of_the_secrets_and_of_the_environment(
    section: dict[str, object], environment: dict[str, str], known: tuple[str, ...]
) -> None:
    assert tokens(section, environment) == known


@pytest.mark.parametrize(
    ("shown", "is_in"),
    [
        ([f"Bearer {TOKEN}"], True),
        ([f"bearer {TOKEN} "], True),
        ([f"Bearer {TOKEN}x"], False),
        ([f"Bearer {TOKEN[:-1]}"], False),
        ([f"Bearer {TOKEN.lower()}"], False),
        ([f"Basic {TOKEN}"], False),
        ([TOKEN], False),
        (["Bearer "], False),
        (["Bearer", TOKEN], False),
        ([f"Bearer {TOKEN}", f"Bearer {TOKEN}"], False),
        ([], False),
    ],
)
def test_a_token_is_shown_as_a_bearer(shown: list[str], is_in: bool) -> None:
    for known in ((TOKEN,), ("other", TOKEN)):
        assert is_let_in(known, shown, lambda: True, has_sign_in=False) is is_in


@pytest.mark.parametrize(
    ("known", "has_sign_in", "is_signed_in", "is_in"),
    [
        ((), False, True, True),  # open, as the pages are
        ((TOKEN,), False, True, False),
        (("",), False, True, False),  # set up, and nobody's
        ((), True, True, True),
        ((), True, False, False),
        ((TOKEN,), True, True, True),
        ((TOKEN,), True, False, False),
    ],
)
@pytest.mark.parametrize("shown", [[], ["Bearer "], ["Bearer wrong"]])
def test_without_a_token_the_sign_in_decides(
    known: tuple[str, ...], has_sign_in: bool, is_signed_in: bool, is_in: bool, shown: list[str]
) -> None:
    assert is_let_in(known, shown, lambda: is_signed_in, has_sign_in=has_sign_in) is is_in


def test_the_environment_shuts_the_api_of_a_desk_without_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PAIRDESK_API_TOKENS", raising=False)
    assert may_read({}, [])
    monkeypatch.setenv("PAIRDESK_API_TOKENS", f"other,{TOKEN}")
    assert not may_read({}, [])
    assert may_read({}, [f"Bearer {TOKEN}"])


def through_the_door(
    path: str, base_path: str = "", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of a desk whose pages are open, and whose API wants the token."""

    def may_read(_: dict[str, str], authorization: Collection[str]) -> bool:
        return list(authorization) == [f"Bearer {TOKEN}"]

    everything = Route("/{rest:path}", lambda _: PlainTextResponse("well"))
    door = Middleware(
        Door,
        rules=lambda: Rules("127.0.0.1", base_path=base_path),
        may_ask=lambda _: True,
        may_read=may_read,
    )
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    named = {"host": "127.0.0.1:8501", **headers}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": b"",
             "scheme": "http", "headers": raw}  # fmt: skip
    asyncio.run(Starlette(routes=[everything], middleware=[door])(scope, receive, send))
    begun = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], said[1]["body"].decode(), begun


@pytest.mark.parametrize("base_path", ["", "tools/desk"])
def test_the_api_wants_its_token_and_the_pages_do_not(base_path: str) -> None:
    base = f"/{base_path}" if base_path else ""
    status, body, headers = through_the_door(f"{base}/api/v1/pairs", base_path)
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(body)["error"].startswith("The API answers to a token")
    assert "content-security-policy" in headers
    token = {"authorization": f"Bearer {TOKEN}"}
    assert through_the_door(f"{base}/api/v1/pairs", base_path, **token)[0] == 200
    assert through_the_door(f"{base}/pairdesk/pill", base_path)[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8501"}, 200),
    ],
)
def test_a_token_opens_no_foreign_name(headers: dict[str, str], status: int) -> None:
    token = {"authorization": f"Bearer {TOKEN}"}
    found, body, _ = through_the_door("/api/v1/pairs", **token, **headers)
    assert found == status
    assert found == 200 or json.loads(body).keys() == {"error"}
