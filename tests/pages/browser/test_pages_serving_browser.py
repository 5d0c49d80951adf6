"""Behind a proxy's path and behind sign-in, in a real Chromium."""

from pathlib import Path

import pytest
from desk.app_process import free_port, running_app
from desk.chromium import DeskBrowser
from desk.oidc_provider import running_provider
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SAMPLE = "?mode=NDJSON+File&file=sample_ticks.ndjson.gz"


def watched(browser: DeskBrowser) -> tuple[Page, list[str]]:
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    return page, errors


def test_the_desk_works_under_the_path_of_a_proxy(browser: DeskBrowser, tmp_path: Path) -> None:
    with running_app(
        tmp_path, "--no-ingest", "--db", tmp_path / "t.db", base_path="tools/desk"
    ) as app:
        page, errors = watched(browser)
        page.goto(f"{app.url}/{SAMPLE}")
        expect(page.locator(".pairdesk-plot .main-svg").first).to_be_visible(timeout=60_000)
        page.get_by_role("link", name="Evidence", exact=True).click()
        expect(page.get_by_role("heading", name="Evidence").first).to_be_visible(timeout=30_000)
        assert "/tools/desk/evidence" in page.url
        assert app.answer("healthz").startswith(b"{")
        assert errors == []
        page.close()


def test_only_who_signed_in_and_is_allowed_sees_the_desk(
    browser: DeskBrowser, tmp_path: Path
) -> None:
    port = free_port()
    with running_provider() as provider:
        folder = tmp_path / ".streamlit"
        folder.mkdir()
        (folder / "secrets.toml").write_text(provider.secrets(f"http://127.0.0.1:{port}"))
        with running_app(
            tmp_path, "--no-ingest", "--db", tmp_path / "t.db", port=port
        ) as app:  # fmt: skip
            page, _ = watched(browser)
            page.goto(f"{app.url}/{SAMPLE}")
            sign_in = page.get_by_role("button", name="Sign in")
            expect(sign_in).to_be_visible(timeout=30_000)
            assert page.get_by_text("SYNAUSDT").count() == 0
            provider.email = "stranger@example.org"
            sign_in.click()
            expect(page.get_by_text("This account may not see this desk")).to_be_visible(
                timeout=30_000
            )
            page.get_by_role("button", name="Sign out").click()
            expect(sign_in).to_be_visible(timeout=30_000)
            provider.email = "trader@example.org"
            sign_in.click()
            expect(page.get_by_text("Signed in as trader@example.org")).to_be_visible(
                timeout=30_000
            )
            assert provider.sign_ins == 2
            page.close()
