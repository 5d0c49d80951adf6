"""The backtest page in a real Chromium: charts drawn, a row of the ledger jumps to its trade."""

import pytest
from desk.chromium import READY_MS, open_when_up, until

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
from test_pages_evidence_browser import address

__all__ = ["address"]

pytestmark = pytest.mark.browser

LINK = "/backtest?mode=NDJSON+File&interval=5s&spread=log"


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_row_of_the_ledger_jumps_to_its_place_in_the_chart(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 2_600}, color_scheme=scheme)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_when_up(page, address + LINK)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    seen = "() => document.querySelector('.pairdesk-plot')._fullLayout.xaxis.range.map(Date.parse)"
    whole = page.evaluate(seen)
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 35 * 4 + 10)
    page.get_by_text("Around the").wait_for(timeout=READY_MS)
    until(
        page,
        "([from, to]) => { const [a, b] = document.querySelector('.pairdesk-plot')"
        "._fullLayout.xaxis.range.map(Date.parse); return b - a < 0.6 * (to - from); }",
        arg=whole,
    )
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    )
    page.get_by_role("radio", name="Settings tried").click()
    page.wait_for_selector("[aria-label^='What each setting came to'] .main-svg", timeout=READY_MS)
    page.close()
    assert errors == []
