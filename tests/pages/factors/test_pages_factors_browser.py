"""The factors page in a real Chromium: symbols, one residual's chart, the factors, a download."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, open_when_up
from desk.script_page import store
from places import ROOT
from test_pages_factors import legs

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

LINK = "/factors?factors_interval=1s&factors_window=60"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records nothing, over six recorded symbols."""
    folder = tmp_path_factory.mktemp("factors")
    store(folder / "ticks.db", *legs(6))
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
def test_symbols_a_residual_the_factors_and_a_download(browser, address, width, scheme):
    page = browser.new_page(
        viewport={"width": width, "height": 1000}, color_scheme=scheme, accept_downloads=True
    )
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_when_up(page, address + LINK)
    page.wait_for_selector(".pd-verdict:has-text('The first factor explains')", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    assert page.locator(".pd-table tbody tr").count() == 6
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    )
    with page.expect_download(timeout=READY_MS) as download:
        page.get_by_role("button", name="Symbols (CSV)", exact=True).click()
    assert download.value.suggested_filename == "factors_1s_6symbols.csv"
    page.get_by_role("radio", name="Factors", exact=True).click()
    page.wait_for_selector(".pd-table:has-text('Factor 1')", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    assert "factors_view=Factors" in page.url
    page.close()
    assert errors == []
