"""Files as people have them, uploaded in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.app_process import AppProcess, running_app
from desk.chromium import READY_MS
from test_pages_desk_browser import opened

pytestmark = [pytest.mark.browser, pytest.mark.real_data]

ODD_PAIRS = (
    "sqlite_rowid.csv", "const_id.ndjson", "legacy_trade_frames.csv", "excel_de.csv",
    "array_one_line.json", "trailing_commas.ndjson", "two_dumps.zip", "bianrensheng.ndjson",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    folder = tmp_path_factory.mktemp("odd")
    with running_app(folder, "--no-ingest", "--db", str(folder / "ticks.db")) as running:
        yield running


def upload(page, *paths: Path) -> None:
    page.wait_for_selector("[data-testid=stFileUploaderDropzone]", timeout=READY_MS)
    page.set_input_files("[data-testid=stFileUploader] input[type=file]", list(map(str, paths)))


@pytest.mark.parametrize("name", ODD_PAIRS)
def test_an_uploaded_odd_file_is_read_as_its_table_says(browser, app, shared_data, name):
    with opened(browser, f"{app.url}/?mode=NDJSON+File&file=Upload+a+file") as page:
        upload(page, shared_data / "odd" / name)
        page.wait_for_selector("text=What was read of the file", timeout=READY_MS)
        told = page.text_content("[data-testid=stMain]")
        assert "400 of 400 rows kept" in told
        assert page.query_selector("[data-testid=stException]") is None


def test_shortened_times_are_refused_in_a_line_and_a_symbol_is_asked_for(browser, app, shared_data):
    with opened(browser, f"{app.url}/?mode=NDJSON+File&file=Upload+a+file") as page:
        upload(page, shared_data / "odd" / "excel_sci_times.csv")
        page.wait_for_selector("text=digits are lost", timeout=READY_MS)
    with opened(browser, f"{app.url}/?mode=NDJSON+File&file=Upload+a+file") as page:
        upload(page, shared_data / "odd" / "ETHBTC_TRADE_BINANCE.csv")
        asked = page.get_by_role("textbox", name="Symbol of its trades")
        asked.fill("ETHBTC")
        asked.press("Enter")
        page.wait_for_selector("text=holds a single symbol, ETHBTC", timeout=READY_MS)


def test_two_dumps_uploaded_together_are_a_pair(browser, app, shared_data, tmp_path):
    import zipfile

    with zipfile.ZipFile(shared_data / "odd" / "two_dumps.zip") as archive:
        archive.extractall(tmp_path)
    with opened(browser, f"{app.url}/?mode=NDJSON+File&file=Upload+a+file") as page:
        upload(page, *sorted(tmp_path.iterdir()))
        page.wait_for_selector("text=What was read of the file", timeout=READY_MS)
        assert "400 of 400 rows kept" in page.text_content("[data-testid=stMain]")
