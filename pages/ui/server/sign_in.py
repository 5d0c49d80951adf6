"""Who may come in: Streamlit's sign-in by OpenID Connect, where the secrets set it up."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import streamlit as st

from pages.ui.parts import formats, markup
from pages.ui.streamlit_private import signed_in_user

_AUTH: Final = "auth"
_OURS: Final = "pairdesk"
_ALLOWED: Final = "allowed_emails"


def is_configured() -> bool:
    """Whether ``.streamlit/secrets.toml`` has an ``[auth]`` section."""
    return bool(section(_AUTH))


def require() -> None:
    """Let the page be shown only to somebody signed in and allowed; without sign-in to everybody.

    The ``[auth]`` section names the provider, as Streamlit documents it. ``[pairdesk]`` may hold
    ``allowed_emails``, a list; without it whoever the provider knows may come in.
    """
    if not is_configured():
        return
    if not st.user.get("is_logged_in"):
        st.title("Pairdesk")
        st.write("This desk is open to people who have signed in.")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    if not is_allowed(st.user.to_dict(), section(_OURS)):
        st.title("Pairdesk")
        st.error("This account may not see this desk. Ask whoever runs it, or use another account.")
        st.button("Sign out", on_click=st.logout)
        st.stop()
    with st.sidebar:
        who = formats.clipped(st.user.get("email") or st.user.get("name") or "you")
        markup.show(markup.block(markup.text(f"Signed in as {who}.", "muted")))
        st.button("Sign out", on_click=st.logout)


def is_allowed(user: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether the list of allowed addresses names this user; an address counts once verified."""
    allowed = ours.get(_ALLOWED)
    if allowed is None:
        return True
    email = str(user.get("email") or "").casefold()
    is_verified = user.get("email_verified", True) is True
    return bool(email) and is_verified and email in {str(each).casefold() for each in allowed}


def may_ask(cookies: dict[str, str]) -> bool:
    """Whether who sends these cookies may see the desk: the check of what is no page."""
    if not is_configured():
        return True
    user = signed_in_user(cookies)
    return bool(user.get("is_logged_in")) and is_allowed(user, section(_OURS))


def redirect_host() -> str | None:
    """Give the host that the provider sends people back to, where the desk is served; or None."""
    return urlsplit(str(section(_AUTH).get("redirect_uri", ""))).hostname


def section(name: str) -> Mapping[str, Any]:
    """Give a section of the secrets file; empty without it."""
    if not st.secrets.load_if_toml_exists():
        return {}
    found = st.secrets.get(name, {})
    return found if isinstance(found, Mapping) else {}
