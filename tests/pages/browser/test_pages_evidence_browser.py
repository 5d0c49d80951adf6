"""The evidence page in a real Chromium: reached from a linked live page with the same choices."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, open_when_up, until
from places import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

LINK = "/?mode=NDJSON+File&interval=15s&spread=log&window=30&rule=custom&sell=3&level=10"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records nothing."""
    folder = tmp_path_factory.mktemp("evidence")
    port = usual_port()
    command = [sys.executable, "app.py", "--no-browser", "--no-ingest", "--port", str(port)]
    command += ["--db", str(folder / "ticks.db")]
    log = folder / "app.log"
    with log.open("wb") as output, subprocess.Popen(
        command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
    ) as process:  # fmt: skip
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        status = process.wait(timeout=15)
    assert status == 0, log.read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_choices_go_along_and_the_figures_are_drawn(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    open_when_up(page, address + LINK)
    page.wait_for_selector(".pd-word", timeout=READY_MS)
    if width < 640:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Evidence", exact=True).click()
    page.wait_for_selector(".pd-verdict:has-text('at 10 %')", timeout=READY_MS)
    until(
        page,
        "() => ['interval=15s', 'spread=log', 'window=30', 'sell=3', 'level=10']"
        ".every(each => location.search.includes(each))",
    )
    if width < 640:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.get_by_role("radio", name="Stability").click()
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    )
    page.close()
    assert errors == []
