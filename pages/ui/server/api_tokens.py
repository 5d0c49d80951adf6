"""Who may read the API: whoever has signed in, or has a token of the secrets or the environment."""

import hmac
import os
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Final

from pages.ui.server import sign_in

API_BELOW: Final = "/api/"
TOKENS_VARIABLE: Final = "PAIRDESK_API_TOKENS"
_SECTION: Final = "pairdesk"
_TOKENS: Final = "api_tokens"
_SCHEME: Final = "bearer "


def tokens(section: Mapping[str, object], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tokens that are set up: a list or a text with commas, and the variable's.

    One of nothing but spaces is set up and nobody's: it keeps the API shut.
    """
    listed = section.get(_TOKENS, ())
    if isinstance(listed, str) or not isinstance(listed, Collection):
        listed = str(listed).split(",")
    from_environment = environment.get(TOKENS_VARIABLE, "")
    given = [*map(str, listed), *(from_environment.split(",") if from_environment else ())]
    return tuple(each.strip() for each in given)


def may_read(cookies: dict[str, str], authorization: Collection[str]) -> bool:
    """Whether who sends these cookies and this ``Authorization`` may read the API."""
    known = tokens(sign_in.section(_SECTION), os.environ)
    return is_let_in(
        known,
        authorization,
        lambda: sign_in.may_ask(cookies),
        has_sign_in=sign_in.is_configured(),
    )


def is_let_in(
    known: Collection[str],
    authorization: Collection[str],
    may_ask: Callable[[], bool],
    *,
    has_sign_in: bool,
) -> bool:
    """Whether one of the tokens is shown, or somebody is signed in.

    Without sign-in the API is open as the pages are, until a token is set up.
    """
    shown = [_is_shown(each, authorization) for each in known]  # all of them, for equal time
    return any(shown) or ((has_sign_in or not known) and may_ask())


def _is_shown(token: str, authorization: Collection[str]) -> bool:
    shown = next(iter(authorization), "")
    if len(authorization) != 1 or not shown.lower().startswith(_SCHEME) or not token:
        return False
    return hmac.compare_digest(_digest(token), _digest(shown[len(_SCHEME) :].strip()))


def _digest(text: str) -> bytes:
    """Make texts of all lengths equally long: comparing them takes equally long."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
