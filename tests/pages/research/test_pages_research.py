"""The Research page: asked of a file or the recording, run as a job, shown, resumed, deleted."""

import io
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases.research import SYMBOLS, closes, spec_of, walks
from desk.script_page import said, shown, store, ticks_of
from streamlit.testing.v1 import AppTest

from analytics.errors import ParameterError
from analytics.research import combine, run_task, tasks
from ingest.history import Job, JobRunner, install_jobs
from ingest.research import OnCluster, OnThreads, begin, open_saved, run_research, saved_names
from ingest.settings import Settings, install_settings
from pages.ui.research import body, jobs, table, words
from pages.ui.research.settings import CLOSES, numbers
from pages.ui.state import choices
from pages.ui.state.source import research_folder

SPEC = spec_of()


class Quiet:
    def update(self, *_: object, **__: object) -> None:
        """Take no notice."""

    def check(self) -> None:
        """Nobody has cancelled it."""


@pytest.fixture(autouse=True)
def runner():
    made = JobRunner()
    install_jobs(made)
    yield made
    assert made.stop(20.0)
    install_jobs(None)


def opened(project_root: Path, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "research.py"))
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception, page.exception
    return page


def kept(name: str = "one", **changes: Any) -> None:
    saved = begin(name, spec_of(**changes), closes(), "walks.csv", folder=research_folder())
    run_research(saved, OnThreads(), Quiet())


def text_of(page: AppTest) -> str:
    return "\n".join([shown(page), said(page), *(each.value for each in page.caption)])


def fill_in(page: AppTest, name: str = "walks") -> AppTest:
    page.selectbox(key="research_interval").set_value("5min")
    page.text_input(key="research_windows").set_value("60, 120")
    page.text_input(key="research_entries").set_value("1.0 1.5;2")
    page.number_input(key="research_train").set_value(600 / 288)
    page.number_input(key="research_test").set_value(200 / 288)
    page.text_input(key="research_name").set_value(name)
    return page.run()


def of_closes(project_root: Path, data_folder: Path) -> AppTest:
    walks().to_csv(data_folder / "walks.csv")
    return fill_in(opened(project_root, research_source=CLOSES))


def test_research_of_a_file_is_begun_and_shown(project_root, database, data_folder, runner):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    page = of_closes(project_root, data_folder)
    assert "6 pairs × 6 settings: 36 are tried" in text_of(page)
    page.button(key="research_begin").click().run()
    (job,) = runner.jobs()
    assert (job.kind, job.request) == ("research", "walks")
    assert runner.wait(job.job_id, 60).state == "done"
    page.run()
    panel = closes()
    asked = open_saved("walks", research_folder()).spec
    done = [run_task(task, asked, panel) for task in tasks(asked, panel.grid)]
    plain = combine(asked, panel.grid, done)
    assert (asked.train_bars, asked.test_bars) == (600, 200)
    found = text_of(page)
    assert words.headline(plain, asked) in found
    assert "6 pairs × 6 settings (36 in all) were tried" in found
    assert "AUSDT / BUSDT" in found
    assert not page.exception


def test_research_without_a_name_has_one_that_is_free(project_root, database, data_folder, runner):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    first, last = (pd.Timestamp(walks().index[place]).date() for place in (0, -1))
    name = f"4 symbols 5min {first} to {last}"
    page = of_closes(project_root, data_folder)
    page.text_input(key="research_name").set_value("").run()
    for wanted in (name, f"{name} 2"):
        assert page.text_input(key="research_name").placeholder == wanted
        page.button(key="research_begin").click().run()
        job = runner.jobs()[-1]
        assert (job.request, runner.wait(job.job_id, 60).state) == (wanted, "done")
        page.run()
    assert saved_names(research_folder()) == [name, f"{name} 2"]


def test_what_cannot_be_asked_is_said_beside_the_form(project_root, database, data_folder):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    page = of_closes(project_root, data_folder)
    page.text_input(key="research_windows").set_value("60, many").run()
    assert "whole numbers with commas between them" in said(page)
    assert not [each for each in page.button if each.key == "research_begin"]


def test_too_few_bars_end_the_job_with_their_number(project_root, database, data_folder, runner):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    page = of_closes(project_root, data_folder)
    page.number_input(key="research_train").set_value(60.0).run()
    page.button(key="research_begin").click().run()
    assert runner.wait(1, 60).state == "failed"
    page.run()
    assert "17,283" in said(page) or "17283" in said(page)
    assert saved_names(research_folder()) == []


def test_the_recorded_symbols_are_on_offer_with_their_days(project_root, database, runner):
    store(database, *(ticks_of(name, 100.0, seed=n) for n, name in enumerate(SYMBOLS)))
    page = opened(project_root)
    page.selectbox(key="research_interval").set_value("1s")
    page.text_input(key="research_windows").set_value("10")
    page.text_input(key="research_entries").set_value("1, 2")
    page.number_input(key="research_train").set_value(0.01)
    page.text_input(key="research_name").set_value("recorded").run()
    assert page.multiselect(key="research_symbols").options == sorted(SYMBOLS)
    page.button(key="research_begin").click().run()
    # 200 seconds of trades, 864 to choose on.
    job = runner.wait(1, 60)
    assert (job.state, "867" in str(job.error)) == ("failed", True)


def test_a_database_of_one_symbol_says_what_is_lacking(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    assert "hold 1 symbol: research needs 2 or more" in said(opened(project_root))


def test_a_job_under_way_is_shown_and_can_be_cancelled(project_root, database, runner):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    begun, cancelled = threading.Event(), threading.Event()

    def work(progress):
        progress.on_cancel(cancelled.set)
        progress.update(3, 12, "on this machine")
        begun.set()
        assert cancelled.wait(60)
        progress.check()

    runner.submit("research", "Research years", work, unit="tasks", request="years")
    assert begun.wait(60)
    page = opened(project_root)
    assert "Research years: 3 of 12 tasks" in str(page.get("progress")[0].proto)
    page.button(key="research_cancel_1").click().run()
    assert runner.wait(1, 60).state == "cancelled"
    assert "Research years was cancelled. What was done is kept" in said(page.run())


def test_what_was_cut_off_is_resumed_and_deleted(project_root, database, runner):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    saved = begin("half", SPEC, closes(), "walks.csv", folder=research_folder())
    first = tasks(SPEC, saved.grid)[0]
    saved.keep(run_task(first, SPEC, closes()))
    page = opened(project_root)
    assert "1 of 2 tasks are done and kept" in said(page)
    page.button(key="research_resume").click().run()
    assert runner.wait(1, 60).state == "done"
    page.run()
    assert "AUSDT / BUSDT" in text_of(page)
    page.button(key="research_delete").click().run()
    assert saved_names(research_folder()) == []
    assert "No research is kept yet" in said(page)


def test_filters_leave_what_they_ask_for(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0))
    kept(null_runs=0)
    page = opened(project_root)
    page.selectbox(key="research_with").set_value("CUSDT").run()
    assert "3 pairs of 6" in text_of(page)
    page.number_input(key="research_trades").set_value(1_000_000).run()
    assert "None of 6 pairs passes the filters" in said(page)
    assert "What luck alone gives was not measured" in text_of(page)


def test_a_pair_opens_on_backtest_with_its_setting(project_root, database):
    store(database, *(ticks_of(name, 100.0, seed=n) for n, name in enumerate(SYMBOLS)))
    kept(null_runs=0, scan=False)
    page = opened(project_root)
    name = page.selectbox(key="research_pair").options[0]
    page.button(key="research_open").click().run()
    assert not page.exception
    saved = open_saved("one", research_folder())
    row = saved.result().table.iloc[0]
    assert name == f"{row['y']} / {row['x']}"
    state = page.session_state
    assert (state["s1"], state["s2"]) == (row["y"], row["x"])
    assert (state["window"], state["bt_sell"]) == (row["window"], row["entry"])
    wanted = body.setting_on_backtest(saved, {str(key): value for key, value in row.items()})
    assert all(choices.CHOICES[key].admits(value) for key, value in wanted.items())


def test_a_pair_that_is_not_here_is_named(project_root, database):
    store(database, ticks_of("AUSDT", 60_000.0))
    kept(null_runs=0, scan=False)
    page = opened(project_root)
    page.button(key="research_open").click().run()
    assert "is neither recorded nor in the history here" in said(page)


def test_the_csv_has_every_pair_and_every_digit(database):
    kept(null_runs=0)
    saved = open_saved("one", research_folder())
    results = saved.result().table
    made = body._csv(saved, results, "")
    assert made.name == "research_5min_6pairs.csv"
    back = pd.read_csv(io.BytesIO(made.content))
    pd.testing.assert_series_equal(back["net"], results["net"], check_exact=True)
    assert list(back.columns) == list(results.columns)


def test_a_cluster_is_used_where_the_desk_was_started_with_one(tmp_path):
    assert jobs.executor() == OnThreads()
    install_settings(Settings(cluster="tcp://127.0.0.1:8786", cluster_folder="memory://c"))
    assert jobs.executor() == OnCluster("tcp://127.0.0.1:8786", "memory://c")
    assert jobs.executor().words == "on the cluster at tcp://127.0.0.1:8786"


def test_how_far_a_job_is_is_said_with_rate_and_time_left():
    job = Job(1, "research", "Research x", state="running", done=3, total=12, rate=0.5,
              seconds_left=18.0)  # fmt: skip
    assert jobs.words_of(job) == "Research x: 3 of 12 tasks, 30.0 a minute, 18 s left"


def test_numbers_are_read_as_people_write_them():
    assert numbers("Windows", "60,120; 240  480", int) == [60, 120, 240, 480]
    with pytest.raises(ParameterError, match="Entries"):
        numbers("Entries", "1,x", float)


def test_each_column_has_its_form(database):
    kept(null_runs=0, name="forms")
    results = open_saved("forms", research_folder()).result().table
    assert {name for name, _ in table._COLUMNS} == set(table._FORMATS) <= set(results.columns)
