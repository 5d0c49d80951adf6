"""The Data page: what it says of days, its table and calendar, its forms and jobs."""

import csv
import io
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from desk.script_page import said
from streamlit.testing.v1 import AppTest

from ingest.history import FetchRequest, JobProgress, JobRunner, current_jobs, install_jobs
from ingest.settings import Settings, install_settings
from ingest.store.bars import STORED_ROW
from ingest.store.lake import Holding, Lake, LakeWriter, Source
from pages.ui.data import fetching, held, importing, jobs
from pages.ui.data.days import days_of, months_between

MINUTE, DAY = 60, 86_400
FIRST = int(datetime(2024, 2, 28, tzinfo=UTC).timestamp())


def klines(seconds: np.ndarray) -> np.ndarray:
    rows = np.zeros(seconds.size, dtype=STORED_ROW)
    rows["at"], rows["trades"], rows["volume"] = seconds, 1, 10**8
    for name in ("open", "high", "low", "close"):
        rows[name] = 100.0
    return rows


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Path]:
    """A lake that pages read, with three days and a bit of minutes, 2 h of which are missing."""
    root = tmp_path / "history"
    minutes = FIRST + MINUTE * np.arange(3 * 1_440 + 90)
    minutes = minutes[(minutes < FIRST + DAY) | (minutes >= FIRST + DAY + 7_200)]
    with LakeWriter(root) as writer:
        writer.put_klines("spot", "BTCUSDT", MINUTE, klines(minutes), Source("rest", "=klines"))
    install_settings(Settings(db=tmp_path / "ticks.db", history=root, ingest=False))
    yield root
    install_settings(Settings())


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    jobs_before, made = current_jobs(), JobRunner()
    install_jobs(made)
    yield made
    assert made.stop(10.0)
    install_jobs(jobs_before)


def open_data(project_root: Path) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.switch_page(str(project_root / "pages" / "data.py"))
    page.run()
    assert not page.exception, page.exception
    return page


def text_of(page: AppTest) -> str:
    return "\n".join([said(page), *(each.proto.body for each in page.get("html"))])


def test_each_day_says_how_whole_it_is(lake: Path) -> None:
    (february, march) = Lake(lake).holdings()
    assert days_of([february, march]) == {
        date(2024, 2, 28): "held",
        date(2024, 2, 29): "holes",
        date(2024, 3, 1): "held",
        date(2024, 3, 2): "part",
    }


def test_a_day_of_trades_is_whole_only_where_its_source_says_so() -> None:
    def of(day: str, *, whole: bool, gaps: tuple[tuple[int, int], ...] = ()) -> Holding:
        source = Source("dump", "x", whole_day=whole)
        return Holding("spot", "trade", "BTCUSDT", day, 9, 9, 1, 2, gaps, (source,))

    held_days = [
        of("2024-01-01", whole=True),
        of("2024-01-02", whole=False),
        of("2024-01-03", whole=True, gaps=((5, 6),)),
    ]
    assert list(days_of(held_days).values()) == ["held", "part", "holes"]


def test_months_run_over_a_new_year() -> None:
    months = months_between(date(2023, 11, 30), date(2024, 2, 1))
    assert [f"{each:%Y-%m}" for each in months] == ["2023-11", "2023-12", "2024-01", "2024-02"]


def test_the_page_shows_what_is_held_and_offers_it(
    project_root: Path, lake: Path, runner: JobRunner
) -> None:
    words = text_of(open_data(project_root))
    assert "1-min bars of the exchange" in words
    assert "2024-02-28" in words
    assert "2024-03-02" in words
    assert f"{3 * 1_440 + 90 - 120:,}" in words
    assert "No history is held yet" not in words


def test_an_empty_lake_says_how_to_fill_it(
    project_root: Path, tmp_path: Path, runner: JobRunner
) -> None:
    install_settings(Settings(db=tmp_path / "t.db", history=tmp_path / "none", ingest=False))
    assert "No history is held yet" in text_of(open_data(project_root))
    install_settings(Settings())


def test_the_manifest_has_a_row_a_file_and_runs_no_formula(lake: Path) -> None:
    made = held._manifest_file(tuple(Lake(lake).holdings()), "")
    rows = list(csv.DictReader(io.StringIO(made.content.decode())))
    assert [each["period"] for each in rows] == ["2024-02", "2024-03"]
    assert [int(each["rows"]) for each in rows] == [2 * 1_440 - 120, 1_440 + 90]
    assert all(each["sources"] == "'=klines" for each in rows)


def test_the_files_of_a_series_are_given_as_they_are(lake: Path) -> None:
    (series,) = held.series_of(Lake(lake).holdings())
    made = held._series_zip(lake, series, "")
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        for name in archive.namelist():
            assert archive.read(name) == (lake / name).read_bytes()
        assert len(archive.namelist()) == 2


def test_days_are_deleted_only_when_it_is_said_twice(
    project_root: Path, lake: Path, runner: JobRunner
) -> None:
    page = open_data(project_root)
    form = page.date_input(key="delete_days_spot_kline_1min_BTCUSDT")
    form.set_value((date(2024, 3, 1), date(2024, 3, 2)))
    press(page, "Delete")
    assert "tick the box" in text_of(page)
    assert len(Lake(lake).holdings()) == 2
    page.checkbox(key="delete_is_sure").check()
    press(page, "Delete")
    (left,) = Lake(lake).holdings()
    assert left.period == "2024-02"


def press(page: AppTest, label: str) -> None:
    next(each for each in page.button if each.label == label).click().run()
    assert not page.exception, page.exception


def test_a_fetch_that_cannot_be_is_refused_in_a_line(
    project_root: Path, lake: Path, runner: JobRunner
) -> None:
    page = open_data(project_root)
    press(page, "Fetch")
    assert "Choose a symbol" in text_of(page)
    page.multiselect(key="fetch_symbols").set_value(["BTCUSDT"])
    page.date_input(key="fetch_from").set_value(date(2024, 3, 2))
    page.date_input(key="fetch_to").set_value(date(2024, 3, 1))
    press(page, "Fetch")
    assert "From 2024-03-02 is after to 2024-03-01" in text_of(page)
    assert runner.jobs() == []


def test_a_job_shows_how_far_it_is_and_ends_when_told(
    project_root: Path, lake: Path, runner: JobRunner
) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def work(progress: JobProgress) -> None:
        progress.update(1_200, 5_000, "BTCUSDT 2024-03")
        progress.on_cancel(cancelled.set)
        begun.set()
        assert cancelled.wait(20.0)
        progress.check()

    job_id = runner.submit("fetch", "fetch 1m bars of BTCUSDT", work, unit="bars")
    assert begun.wait(10.0)
    running = runner.job(job_id)
    assert running is not None
    assert jobs.progress_words(running).startswith("BTCUSDT 2024-03: 1,200 of 5,000 bars")
    assert jobs.share_of(running) == pytest.approx(0.24)
    page = open_data(project_root)
    press(page, "Cancel")
    ended = runner.wait(job_id, 10.0)
    assert ended is not None
    assert ended.state == "cancelled"
    page.run()
    assert "ended as asked" in text_of(page)
    press(page, "Dismiss")
    assert runner.jobs() == []


@pytest.mark.parametrize(
    ("host", "path", "may"),
    [
        ("127.0.0.1", "/etc/hostname", True),
        ("0.0.0.0", "/etc/hostname", False),
        ("0.0.0.0", "data/../../etc/hostname", False),
        ("0.0.0.0", "data/dump.zip", True),
    ],
    ids=["own machine", "elsewhere", "out of the folder", "data folder"],
)
def test_readers_from_elsewhere_import_from_the_data_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, path: str, may: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(db=tmp_path / "data" / "ticks.db", host=host)
    assert importing.may_read(Path(path), settings) is may


def test_bars_of_a_fetch_are_named_as_its_form_names_them() -> None:
    day = date(2024, 1, 31)
    for words, rows in fetching.ROWS.items():
        request = FetchRequest("spot", "http://127.0.0.1", ("BTCUSDT",), day, day, rows)
        assert request.words.startswith(f"fetch {words[0].lower()}{words[1:]} of BTCUSDT, ")


def test_each_sentence_of_a_job_that_ended_ends(
    project_root: Path, lake: Path, runner: JobRunner
) -> None:
    job_id = runner.submit("fetch", "fetch", lambda progress: progress.note("BTCUSDT: all is held"))
    assert runner.wait(job_id, 10.0) is not None
    page = open_data(project_root)
    assert "BTCUSDT: all is held." in [each.value for each in page.caption]
