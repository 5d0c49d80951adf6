"""The browser of the tests, and how a page of a starting server is opened."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from places import skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


READY_MS = 40_000


STEP_MS = 15_000


def chromium_path() -> str:
    """Find the browser; its absence is a failure where browser tests are required."""
    named = os.environ.get("PAIRDESK_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = named or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        skip_or_fail("no Chromium: install one or set PAIRDESK_CHROMIUM")
    return str(found)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def launched() -> Iterator["Browser"]:
    """A browser of its own, ended with the block."""
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"], headless=True
        )
        yield chromium
        chromium.close()


def open_when_up(page: "Page", url: str) -> None:
    """Open a page of a server that may still be starting."""
    page.set_default_timeout(STEP_MS)
    for _ in range(100):
        try:
            page.goto(url)
        except playwright.Error:
            page.wait_for_timeout(300)
        else:
            return
    page.goto(url)
