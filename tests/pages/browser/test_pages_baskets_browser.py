"""The baskets page in a real Chromium: charts, both views, files at every click, a link."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, open_when_up
from desk.script_page import store, ticks_of
from places import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")
LINK = "/baskets?basket_interval=1s&basket_window=20"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records nothing, on a database of four symbols."""
    folder = tmp_path_factory.mktemp("baskets")
    store(folder / "ticks.db", *(ticks_of(name, 9_000.0, 900, n) for n, name in enumerate(SYMBOLS)))
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


def width_of(page) -> int:
    return int(page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth"))


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_basket_its_files_its_backtest_and_its_link(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_when_up(page, address + LINK)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    assert "than unrelated walks show" in page.locator(".pd-verdict").inner_text()
    assert page.locator(".pd-table").first.locator("tbody tr").count() == len(SYMBOLS)
    assert width_of(page) <= width
    for _ in range(2):
        with page.expect_download(timeout=READY_MS) as download:
            page.get_by_text("Series (CSV)").click()
        assert download.value.suggested_filename.startswith("AUSDT-BUSDT-CUSDT-DUSDT_1s_")
    page.get_by_role("radio", name="Backtest").click()
    page.wait_for_selector(".pd-verdict:has-text('of the capital after costs')", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    page.wait_for_url("**basket_view=Backtest**", timeout=READY_MS)
    assert width_of(page) <= width
    link = page.url
    page.close()
    other = browser.new_page()
    open_when_up(other, link)
    other.wait_for_selector(".pd-verdict:has-text('of the capital after costs')", timeout=READY_MS)
    other.close()
    assert errors == []
