"""The browser of the tests, and how a page of a starting server is opened."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from places import skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame, Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


READY_MS = 40_000


STEP_MS = 30_000


LOOK_EVERY_MS = 50


def chromium_path() -> str:
    """Find the browser; its absence is a failure where browser tests are required."""
    named = os.environ.get("PAIRDESK_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = named or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        skip_or_fail("no Chromium: install one or set PAIRDESK_CHROMIUM")
    return str(found)


# What a page can be given itself; any other option needs a context of its own.
_OPTIONS_OF_A_PAGE: Final = {"viewport", "color_scheme"}
_SIZE: Final = {"width": 1280, "height": 720}  # Playwright's own
# All that a site can leave in a browser but its files.
_LEFT_BY_A_VISIT: Final = (
    "file_systems,indexeddb,local_storage,service_workers,cache_storage,storage_buckets"
)


class DeskBrowser:
    """A browser that has the desk's files, compiled, from one visit to the next, and no more.

    A visit that needs options of its own, or is beside another one, is one of a browser that was
    never there: most of what it costs is to compile the files.
    """

    def __init__(self, kept: "BrowserContext") -> None:
        browser = kept.browser
        assert browser is not None
        self._kept, self._browser = kept, browser
        self._blank = kept.pages[0]  # without a page the browser ends
        self._session = kept.new_cdp_session(self._blank)
        self._origins: set[str] = set()
        self._follow(self._blank)  # there before anything is followed
        kept.on("page", self._follow)

    def new_page(self, **options: Any) -> "Page":
        """Begin a visit: a page of a browser that remembers none."""
        if self._is_visiting() or not options.keys() <= _OPTIONS_OF_A_PAGE:
            return self._browser.new_page(**options)
        self._forget()
        page = self._kept.new_page()
        page.set_viewport_size(options.get("viewport", _SIZE))
        page.emulate_media(color_scheme=options.get("color_scheme", "light"))
        return page

    def new_context(self, **options: Any) -> "BrowserContext":
        """A context that has nothing of any visit, compiled files neither."""
        return self._browser.new_context(**options)

    def end(self, page: "Page") -> None:
        """End a visit, with the tabs that it opened."""
        for each in list(page.context.pages):
            if each not in (self._blank, page):
                each.close()
        page.close()

    def close(self) -> None:
        """End visits and browser; the next one on the profile has the desk's files, and no more."""
        for page in self._kept.pages[1:]:
            page.close()
        self._forget()  # what it does not forget stays in the profile
        self._kept.close()

    def _forget(self) -> None:
        self._kept.clear_cookies()
        for origin in self._origins:
            what = {"origin": origin, "storageTypes": _LEFT_BY_A_VISIT}
            self._session.send("Storage.clearDataForOrigin", what)
        self._origins.clear()

    def _is_visiting(self) -> bool:
        return len(self._kept.pages) > 1

    def _follow(self, page: "Page") -> None:
        page.on("framenavigated", self._note)

    def _note(self, frame: "Frame") -> None:
        parts = urlsplit(frame.url)
        self._origins.add(f"{parts.scheme}://{parts.netloc}")


@contextmanager
def launched(profile: Path) -> Iterator[DeskBrowser]:
    """A browser of its own, ended with the block; it has the files that are in its profile."""
    with playwright.sync_playwright() as engine:
        kept = engine.chromium.launch_persistent_context(
            profile, executable_path=chromium_path(), args=["--no-sandbox"], headless=True
        )
        browser = DeskBrowser(kept)
        yield browser
        browser.close()


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


def until(page: "Page", condition: str, *, arg: Any = None, timeout: float | None = None) -> Any:
    """Wait until a condition on the page, in JavaScript, holds; gives what it answered, a handle.

    By a clock: to ask at each frame, as Playwright does otherwise, has a page draw without rest.
    """
    return page.wait_for_function(condition, arg=arg, timeout=timeout, polling=LOOK_EVERY_MS)
