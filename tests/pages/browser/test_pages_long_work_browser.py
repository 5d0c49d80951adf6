"""In a real Chromium: work that would never end is ended by Cancel, and by what leaves it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, open_when_up
from places import ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ended"
    made.mkdir()
    return made


@pytest.fixture
def address(tmp_path: Path, folder: Path) -> Iterator[str]:
    port = usual_port()
    command = [sys.executable, "-m", "streamlit", "run", "tests/desk/long_work_page.py"]
    command += ["--server.headless", "true", "--server.port", str(port), "--", str(folder)]
    with (tmp_path / "log").open("wb") as output, subprocess.Popen(
        command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
    ) as process:  # fmt: skip
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def test_cancel_ends_the_work_which_begins_again_and_another_button_leaves_it(
    browser, address, folder
):
    page = browser.new_page()
    open_when_up(page, address)
    for ended in (1, 2):
        page.wait_for_selector("text=/Counting: [0-9]+ of 1,000 sheep/", timeout=READY_MS)
        assert len(list(folder.iterdir())) == ended - 1
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_selector("text=The count was cancelled", timeout=READY_MS)
        assert page.locator("text=Counting:").count() == 0
        assert len(list(folder.iterdir())) == ended
        page.get_by_role("button", name="Count again").click()
    page.wait_for_selector("text=/Counting: [0-9]+ of 1,000 sheep/", timeout=READY_MS)
    page.get_by_role("button", name="Leave").click()
    page.wait_for_selector("text=Left.", timeout=READY_MS)
    assert page.locator("text=Counting:").count() == 0
    assert len(list(folder.iterdir())) == 3
    page.close()
