"""Research as a job: what is kept survives a kill, and only what belongs to the question counts."""

import itertools
import signal
import subprocess
import sys
import threading
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases.research import SYMBOLS, closes, spec_of

from analytics.errors import NotEnoughDataError
from analytics.research import Closes, combine, run_task, tasks
from analytics.research import grid as grid_module
from ingest.binance import Kline
from ingest.research import (
    OnThreads,
    ResearchError,
    SavedResearch,
    begin,
    delete,
    open_saved,
    run_research,
    saved_names,
    threads,
    what_is_there,
)
from ingest.store import TickWriter

SPEC = spec_of(null_runs=0)


class Told:
    """Who is told of the progress; ends the work after so many tasks."""

    def __init__(self, end_after: int | None = None) -> None:
        self.counts: list[tuple[int, int | None]] = []
        self._end_after = end_after

    def update(
        self, done: int | None = None, total: int | None = None, step: str | None = None
    ) -> None:
        if done is not None:
            self.counts.append((done, total))
            if done == self._end_after:
                raise EndedError

    def check(self) -> None:
        """Nobody has cancelled it."""


class EndedError(Exception):
    """As a cancelled job's progress raises."""


class Nowhere:
    """Does no task: who asks it wants something done again."""

    words = "nowhere"

    def results(self, *_: Any) -> Any:
        raise AssertionError("nothing was left to do")


@pytest.fixture(autouse=True)
def one_pair_a_task(monkeypatch):
    monkeypatch.setattr(grid_module, "_STEPS_A_TASK", 1)


@pytest.fixture(scope="module")
def panel() -> Closes:
    return closes()


def make(panel: Closes, folder: Path, name: str = "one") -> SavedResearch:
    return begin(name, SPEC, panel, "a file", folder=folder)


def test_what_comes_out_is_what_the_tasks_come_to(panel, tmp_path):
    saved, told = make(panel, tmp_path), Told()
    result = run_research(saved, OnThreads(2), told)
    plain = combine(SPEC, panel.grid, [run_task(t, SPEC, panel) for t in tasks(SPEC, panel.grid)])
    pd.testing.assert_frame_equal(result.table, plain.table, check_exact=True)
    assert told.counts == [(done, 7) for done in range(8)]
    again = open_saved("one", tmp_path)
    pd.testing.assert_frame_equal(
        again.result().table, plain.table, check_exact=True, check_dtype=False
    )
    assert again.result().facts == plain.facts
    assert again.spec == SPEC
    assert not list(again.folder.glob("closes/*")) + list(again.folder.glob("tasks/*"))


def test_a_cancelled_job_goes_on_with_what_is_left(panel, tmp_path):
    saved = make(panel, tmp_path)
    with pytest.raises(EndedError):
        run_research(saved, OnThreads(1), Told(end_after=3))
    done = saved.done()
    assert len(done) == 3
    before = {n: (saved.folder / f"tasks/{n}.npz").stat().st_mtime_ns for n in done}
    told = Told()
    coming = OnThreads(1)
    kept = {number: saved.kept(number) for number in done}
    run_research(open_saved("one", tmp_path), coming, told)
    assert told.counts[0] == (3, 7)
    assert len(told.counts) == 5
    assert all(result is not None for result in kept.values()), before


def test_a_cancel_does_not_wait_for_the_tasks_under_way(panel, tmp_path, monkeypatch):
    """A task that never ends by itself: what ends it is the look of who waits."""
    begun, ended = threading.Event(), threading.Event()

    def endless(task, spec, closes, progress):
        begun.set()
        while True:
            try:
                progress()
            except BaseException:
                ended.set()
                raise

    class Cancelled(Told):
        def check(self) -> None:
            if begun.is_set():
                raise EndedError

    monkeypatch.setattr(threads, "run_task", endless)
    with pytest.raises(EndedError):
        run_research(make(panel, tmp_path), OnThreads(1), Cancelled())
    assert ended.wait(10)


def test_a_killed_process_leaves_whole_tasks_and_the_result_is_the_same(
    panel, tmp_path, project_root
):
    make(panel, tmp_path)
    code = (
        f"import sys; sys.path[:0] = [{str(project_root)!r}, {str(project_root / 'tests')!r}]\n"
        "from pathlib import Path\n"
        "from analytics.research import grid\n"
        "grid._STEPS_A_TASK = 1\n"
        "from ingest.research import OnThreads, open_saved, run_research\n"
        "class Told:\n"
        "    def update(self, done=None, total=None, step=None):\n"
        "        if done: print(done, flush=True)\n"
        "    def check(self): pass\n"
        f"run_research(open_saved('one', Path({str(tmp_path)!r})), OnThreads(1), Told())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    list(itertools.islice(child.stdout, 2))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    saved = open_saved("one", tmp_path)
    done = saved.done()
    assert 2 <= len(done) < 7
    result = run_research(saved, OnThreads(), Told())
    plain = combine(SPEC, panel.grid, [run_task(t, SPEC, panel) for t in tasks(SPEC, panel.grid)])
    pd.testing.assert_frame_equal(result.table, plain.table, check_exact=True)


def test_a_damaged_or_foreign_task_is_done_again(panel, tmp_path):
    saved = make(panel, tmp_path)
    with pytest.raises(EndedError):
        run_research(saved, OnThreads(1), Told(end_after=3))
    first, second, third = sorted(saved.done())
    (saved.folder / f"tasks/{first}.npz").write_bytes(b"no array")
    whole = (saved.folder / f"tasks/{second}.npz").read_bytes()
    (saved.folder / f"tasks/{second}.npz").write_bytes(whole[: len(whole) // 2])
    with np.load(saved.folder / f"tasks/{third}.npz") as stored:
        foreign = {**{name: stored[name] for name in stored.files}, "key": np.array("other")}
    np.savez(saved.folder / f"tasks/{third}.npz", **foreign)
    told = Told()
    run_research(saved, OnThreads(), told)
    assert told.counts[0] == (0, 7)


def test_a_finished_one_is_read_and_not_done_again(panel, tmp_path):
    first = run_research(make(panel, tmp_path), OnThreads(), Told())
    again = run_research(make(panel, tmp_path), Nowhere(), Told())
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True, check_dtype=False)


def test_a_name_belongs_to_one_question_about_the_same_closes(panel, tmp_path):
    make(panel, tmp_path)
    for spec, other in ((SPEC, closes(seed=2)), (spec_of(entries=(9.0,)), panel)):
        with pytest.raises(ResearchError, match="'one' is the name of another question"):
            begin("one", spec, other, "a file", folder=tmp_path)


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "n" * 61])
def test_a_name_that_is_none_is_refused(panel, tmp_path, name):
    with pytest.raises(ResearchError, match="is no name"):
        make(panel, tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_put_down_of_what_cannot_be_done(panel, tmp_path):
    with pytest.raises(ResearchError, match="no closes of EUSDT"):
        begin("one", spec_of((*SYMBOLS, "EUSDT")), panel, "a file", folder=tmp_path)
    with pytest.raises(NotEnoughDataError):
        begin("one", spec_of(train_bars=2_999), panel, "a file", folder=tmp_path)
    assert saved_names(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_closes_that_changed_on_disk_are_noticed(panel, tmp_path):
    saved = make(panel, tmp_path)
    path = next(saved.closes_folder.iterdir())
    values = np.load(path)
    values[5] += 1e-9
    np.save(path, values)
    with pytest.raises(ResearchError, match="not those that 'one' was begun with"):
        run_research(saved, OnThreads(), Told())


def test_one_piece_is_worked_on_once_at_a_time(panel, tmp_path):
    saved = make(panel, tmp_path)
    with saved.locked():
        with pytest.raises(ResearchError, match="being worked on already"):
            run_research(saved, OnThreads(), Told())
        with pytest.raises(ResearchError, match="being worked on already"):
            delete("one", tmp_path)
    delete("one", tmp_path)
    assert saved_names(tmp_path) == []
    with pytest.raises(ResearchError, match="no research is kept as 'one'"):
        delete("one", tmp_path)


def test_a_file_of_another_version_is_said_to_be_one(panel, tmp_path):
    saved = make(panel, tmp_path)
    path = saved.folder / "question.json"
    path.write_text(path.read_text().replace('"form": 1', '"form": 99'))
    with pytest.raises(ResearchError, match="nothing that this version can read"):
        open_saved("one", tmp_path)


def test_days_of_symbols_that_are_recorded_in_bars_only_can_be_chosen(tmp_path):
    path, first_s = tmp_path / "ticks.db", 1_700_006_400  # 2023-11-15
    opens_us = [(first_s + minute * 60) * 1_000_000 for minute in range(2 * 1_440)]
    with closing(TickWriter(path)) as writer:
        for symbol in SYMBOLS[:2]:
            klines = [Kline(at, 1.0, 1.0, 1.0, 1.0, 1.0, 5, at + 59_999_000) for at in opens_us]
            writer.add_klines(("spot", symbol, "aggTrade"), 60, klines)
    symbols, days = what_is_there(path)
    assert set(symbols) == set(SYMBOLS[:2])
    assert days == (date(2023, 11, 15), date(2023, 11, 16))
