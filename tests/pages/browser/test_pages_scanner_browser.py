"""The scanner page in a real Chromium: a scan of a file, its heatmap, a click that opens Live."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, open_when_up
from places import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

LINK = "/scanner?scan_source=Tick+files&scan_interval=5s"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records nothing."""
    folder = tmp_path_factory.mktemp("scanner")
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
def test_a_scan_its_heatmap_and_a_click_that_opens_the_pair(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_when_up(page, address + LINK)
    page.wait_for_selector(".pd-verdict:has-text('1 of 1 pair stays below')", timeout=READY_MS)
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    )
    page.get_by_role("radio", name="p-values").click()
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    page.get_by_role("radio", name="Table").click()
    page.locator(".pd-scan tbody tr").first.click(timeout=READY_MS)
    page.wait_for_selector(".pd-word", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    assert "/scanner" not in page.url
    assert "interval=5s" in page.url
    assert "mode=NDJSON" in page.url
    assert page.locator(".pd-head").first.inner_text().startswith("SYNAUSDT")
    page.close()
    assert errors == []
