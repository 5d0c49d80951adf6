"""A browser kept from visit to visit hands on the site's files, and nothing that a visit left."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from desk.chromium import DeskBrowser, launched

pytestmark = pytest.mark.browser

LEAVE = "() => { localStorage.setItem('a', '1'); document.cookie = 'b=2; max-age=600'; }"
LEFT = "() => [localStorage.getItem('a'), document.cookie]"
SEEN = "() => [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]"


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a site of one page."""
    (tmp_path / "index.html").write_text("<a href='/' target='_blank'>another tab</a>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_visit_has_nothing_that_the_one_before_left(browser: DeskBrowser, site: str) -> None:
    first = browser.new_page()
    first.goto(site)
    first.evaluate(LEAVE)
    first.reload()
    assert first.evaluate(LEFT) == ["1", "b=2"]
    browser.end(first)
    second = browser.new_page()
    second.goto(site)
    assert second.evaluate(LEFT) == [None, ""]
    browser.end(second)


def test_a_visit_beside_another_shares_nothing_with_it(browser: DeskBrowser, site: str) -> None:
    first = browser.new_page()
    first.goto(site)
    first.evaluate(LEAVE)
    other = browser.new_page()
    other.goto(site)
    assert other.evaluate(LEFT) == [None, ""]
    assert first.evaluate(LEFT) == ["1", "b=2"]
    browser.end(other)
    browser.end(first)


def test_a_visit_has_its_own_size_and_colours(browser: DeskBrowser, site: str) -> None:
    phone = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    phone.goto(site)
    assert phone.evaluate(SEEN) == [390, 844, True]
    browser.end(phone)
    plain = browser.new_page()
    plain.goto(site)
    assert plain.evaluate(SEEN) == [1280, 720, False]
    browser.end(plain)


def test_a_visit_ends_with_the_tabs_it_opened(browser: DeskBrowser, site: str) -> None:
    visit = browser.new_page()
    visit.goto(site)
    with visit.context.expect_page() as opening:
        visit.click("a")
    browser.end(visit)
    assert opening.value.is_closed()
    following = browser.new_page()
    assert following.context is visit.context  # the files are those of the one before
    browser.end(following)


def leave_and_look(profile: Path, site: str) -> list[str | None]:
    """Leave something in one browser, in a visit that nobody ends; look for it in the next."""
    with launched(profile) as before:
        visit = before.new_page()
        visit.goto(site)
        visit.evaluate(LEAVE)
    with launched(profile) as after:
        visit = after.new_page()
        visit.goto(site)
        found: list[str | None] = visit.evaluate(LEFT)
    return found


def leave_in_first_page(profile: Path, site: str) -> list[str | None]:
    """Leave something in the page that a browser begins with; look for it in a visit."""
    with launched(profile) as browser:
        first = browser._blank
        first.goto(site)
        first.evaluate(LEAVE)
        visit = browser.new_page()
        visit.goto(site)
        found: list[str | None] = visit.evaluate(LEFT)
    return found


@pytest.mark.parametrize("visits", [leave_and_look, leave_in_first_page])
def test_a_browser_has_nothing_that_another_left_in_its_profile(
    visits: Callable[[Path, str], list[str | None]], site: str, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright has one engine a thread
        assert thread.submit(visits, tmp_path / "profile", site).result() == [None, ""]
