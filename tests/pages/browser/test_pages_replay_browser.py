"""A replay begun, held, stepped and ended from the page, in a real Chromium."""

import re
from pathlib import Path

import pytest
from desk.app_process import running_app
from desk.chromium import DeskBrowser
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample_ticks.ndjson.gz"


def market_time(page: Page) -> str:
    told = page.get_by_text(re.compile(r"Replay of sample_ticks")).first.text_content() or ""
    return told.split(": ", 1)[1]


def wait_for_change(page: Page, before: str) -> None:
    expect(page.get_by_text(re.compile(r"Replay of sample_ticks")).first).not_to_contain_text(
        before, timeout=20_000
    )


def test_a_replay_is_begun_held_stepped_and_ended(browser: DeskBrowser, tmp_path: Path) -> None:
    with running_app(tmp_path, "--no-ingest", "--db", tmp_path / "ticks.db") as app:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{app.url}/?mode=Replay&every=1")
        expect(page.get_by_text("Nothing is being replayed").first).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Start the replay").click()
        expect(page.locator(".pd-pill-word")).to_have_text("REPLAY", timeout=30_000)
        expect(page.locator(".pairdesk-plot .main-svg").first).to_be_visible(timeout=60_000)
        wait_for_change(page, market_time(page))
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_text(re.compile("Replay of .* paused"))).to_be_visible(timeout=20_000)
        held = market_time(page)
        page.get_by_role("button", name="Step 1 s").click()
        wait_for_change(page, held)
        assert "paused" in market_time(page)
        page.get_by_role("button", name="End", exact=True).click()
        expect(page.get_by_text("Nothing is being replayed").first).to_be_visible(timeout=20_000)
        assert errors == []
        page.close()
        assert (tmp_path / "replay.db").exists()
        assert app.stop() == 0


def test_an_app_started_for_a_replay_says_so_throughout(
    browser: DeskBrowser, tmp_path: Path
) -> None:
    options = ("--replay", SAMPLE, "--speed", "max", "--db", tmp_path / "replay.db")
    with running_app(tmp_path, *options) as app:
        page = browser.new_page()
        for path in ("", "feed", "evidence"):
            page.goto(f"{app.url}/{path}")
            expect(page.locator(".pd-pill-word")).to_have_text("REPLAY", timeout=60_000)
        for path in ("evidence", "backtest"):
            page.goto(f"{app.url}/{path}")
            head = page.locator(".pd-head").first
            expect(head).to_contain_text("Replay", timeout=60_000)
            expect(head).to_contain_text("SYNTHETIC")
        page.close()
        assert app.stop() == 0
        assert "replaying sample_ticks.ndjson.gz into" in app.log()
