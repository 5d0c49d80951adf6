"""The page without a browser: it sees what a browser would be sent, and notices what is wrong."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

from desk.app_process import free_port, running_app, running_script
from desk.page_client import PageClient, PageError, open_pages

SCRIPT = """
import streamlit as st
from streamlit_autorefresh import st_autorefresh

whole = st.session_state.whole = st.session_state.get("whole", 0) + 1
st.html("<p>whole %d</p>" % whole)
st.html("<p>" + "long " * 20_000 + "</p>")
st.text_input("Named", key="named", bind="query-params")

@st.fragment(run_every=30.0 if "every" in st.query_params else None)
def live():
    drawn = st.session_state.drawn = st.session_state.get("drawn", 0) + 1
    st.html("<p>drawn %d for %s</p>" % (drawn, st.session_state.named))
    if "fail" in st.query_params and drawn > 1:
        raise ValueError("made to fail")
    if "restart" in st.query_params and drawn == 2:
        st.rerun()
    if drawn < 4:
        st.html("<p>soon gone</p>")
    if "every" not in st.query_params and "still" not in st.query_params:
        st_autorefresh(500, key="timer")

live()
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A small page on its own server."""
    folder = tmp_path_factory.mktemp("script")
    path = folder / "page.py"
    path.write_text(SCRIPT, encoding="utf-8")
    with running_script(folder, path) as served:
        yield served.url


async def test_a_refresh_runs_the_fragment_alone_and_counts_its_bytes(script):
    async with PageClient(script, "?named=me") as page:
        assert "whole 1\n" in page.text()
        assert "drawn 1 for me" in page.text()
        assert page.opened.bytes > 100_000
        assert page.timer is not None
        assert page.timer.every_s == 0.5
        answer = await page.refresh()
        assert "whole 1\n" in page.text()
        assert "drawn 2 for me" in page.text()
        assert 0 < answer.bytes < 10_000
        assert answer.messages > 2
        assert 0 < answer.seconds < 10
        assert "soon gone" in page.text()
        for _ in range(2):
            await page.refresh()
        assert "soon gone" not in page.text()


async def test_what_the_browser_would_have_kept_is_not_sent_again(script):
    async with PageClient(script) as page:
        again = await page.reload()
        assert "whole 2\n" in page.text()
        assert page.text().count("long") == 20_000
        assert again.bytes < page.opened.bytes / 10


async def test_a_fragment_that_asks_for_a_whole_run_gets_it(script):
    async with PageClient(script, "restart") as page:
        await page.refresh()
        assert "whole 2\n" in page.text()
        assert "drawn 3" in page.text()
        await page.refresh()
        assert "whole 2\n" in page.text()


async def test_a_timer_of_the_fragment_itself_is_found_too(script):
    async with PageClient(script, "every") as page:
        assert page.timer is not None
        assert page.timer.every_s == 30.0
        await page.refresh()
        assert "whole 1\n" in page.text()
        assert "drawn 2" in page.text()


async def test_an_exception_on_the_page_and_a_page_without_a_timer_are_errors(script):
    async with PageClient(script, "fail") as page:
        with pytest.raises(PageError, match="ValueError: made to fail"):
            await page.refresh()
    async with PageClient(script, "still") as page:
        with pytest.raises(PageError, match="has no timer"):
            await page.refresh()


def test_open_pages_run_a_page_without_a_timer_as_a_whole(script):
    with open_pages(script, [("still", "")], every_s=0.1) as seen:
        end_s = time.monotonic() + 30
        while len(seen.refreshed) < 2 and time.monotonic() < end_s:
            time.sleep(0.02)  # the pages give no event
    assert len(seen.refreshed) >= 2
    assert not seen.failures


async def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(OSError, match=r"Connect|refused"):
        await PageClient(f"http://127.0.0.1:{free_port()}").__aenter__()


def test_open_pages_refresh_side_by_side_and_note_what_fails(script):
    with open_pages(script, [("", "named=a"), ("", "named=b"), ("", "fail")], every_s=0.1) as seen:
        end_s = time.monotonic() + 30
        while len(seen.refreshed) < 10 and time.monotonic() < end_s:
            time.sleep(0.02)  # the pages give no event
    assert len(seen.refreshed) >= 10
    assert len(seen.opened) >= 3
    assert any("made to fail" in each for each in seen.failures)
    # The page that fails is opened again and again: its words may be among them, without a name.
    named = {name for each in seen.texts for name in re.findall(r"drawn \d+ for (\w)", each)}
    assert named == {"a", "b"}


def test_the_app_refreshes_and_is_measured_from_outside(tmp_path: Path):
    symbols = ("BTCUSDT", "ETHUSDT")
    feed = LiveFeed(10.0, history_s=120, after_clients=1)

    async def look(url: str) -> None:
        async with PageClient(url, "?window=5") as page:
            before = page.text()
            while before == page.text() or not re.search(r"z [+−]\d", page.text()):
                answer = await page.refresh()
                await asyncio.sleep(0.2)
            assert "trades stored" in page.text()
            assert answer.bytes > 1000
        async with PageClient(url, page="feed") as page:
            await page.refresh()
            assert "Coverage" in page.text()

    with ThreadedExchange(symbols, feed=feed) as exchange:
        options = ["--db", tmp_path / "ticks.db", "--symbols", ",".join(symbols)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(tmp_path, *options) as app:
            asyncio.run(asyncio.wait_for(look(app.url), 100))
            if Path("/proc/self/statm").exists():
                assert (app.memory_bytes() or 0) > 50_000_000
                assert (app.cpu_s() or 0) > 0.1
                assert (app.threads() or 0) > 3
                assert (app.handles() or 0) > 10
            assert app.stop() == 0
    assert app.memory_bytes() is None
    assert "Traceback" not in app.log()
