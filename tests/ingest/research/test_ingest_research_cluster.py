"""Research on a Dask cluster of processes on this machine, some of them killed in the middle."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from cases.research import closes, spec_of

from analytics.research import Closes, combine, run_task, tasks
from analytics.research import grid as grid_module
from ingest.research import OnCluster, OnThreads, ResearchError, begin, run_research
from ingest.research.cluster import check_versions, versions

SPEC = spec_of(tuple(f"{letter}USDT" for letter in "ABCDEFG"), null_runs=0, scan=False)
TASKS = 21


class Told:
    """Who is told of the progress, and does something when so many tasks are done."""

    def __init__(self, at: int = -1, call: Callable[[], object] = int) -> None:
        self._at, self._call = at, call
        self.done = 0

    def update(
        self, done: int | None = None, total: int | None = None, step: str | None = None
    ) -> None:
        if done is not None:
            self.done = done
            if done == self._at:
                self._call()

    def check(self) -> None:
        """Nobody has cancelled it."""


class Cluster:
    """A scheduler and two workers of a thread each; all of them end with the test."""

    def __init__(self, folder: Path, project_root: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": str(project_root)}
        self._folder = folder
        at = folder / "scheduler.json"
        self.scheduler = self._dask(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(at),
        )  # fmt: skip
        self.workers = [
            self._dask("worker", "--scheduler-file", str(at), "--nthreads", "1", "--no-nanny",
                       "--host", "127.0.0.1", "--no-dashboard", "--memory-limit", "0")
            for _ in range(2)
        ]  # fmt: skip
        self.address = self._address()

    def _dask(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=self._environment, cwd=self._folder, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _address(self) -> str:
        assert self.scheduler.stderr is not None
        for line in self.scheduler.stderr:
            if "Scheduler at:" in line:
                return line.split()[-1]
        raise AssertionError("the scheduler said no address")

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def panel() -> Closes:
    return closes(symbols=SPEC.symbols)


@pytest.fixture
def cluster(tmp_path, project_root) -> Iterator[Cluster]:
    made = Cluster(tmp_path, project_root)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def one_pair_a_task(monkeypatch):
    monkeypatch.setattr(grid_module, "_STEPS_A_TASK", 1)


def plain_table(panel: Closes) -> pd.DataFrame:
    done = [run_task(task, SPEC, panel) for task in tasks(SPEC, panel.grid)]
    assert len(done) == TASKS
    return combine(SPEC, panel.grid, done).table


def test_a_killed_worker_costs_its_tasks_and_a_killed_scheduler_leaves_what_is_done(
    panel, cluster, tmp_path
):
    """One cluster for both: processes that import all of it are what takes time here."""
    plain = plain_table(panel)
    saved = begin("worker", SPEC, panel, "a file", folder=tmp_path)
    kill_worker = Told(4, lambda: cluster.workers[0].send_signal(signal.SIGKILL))
    shared = OnCluster(cluster.address, str(tmp_path / "shared"))
    result = run_research(saved, shared, kill_worker)
    assert cluster.workers[0].wait() == -signal.SIGKILL
    pd.testing.assert_frame_equal(result.table, plain, check_exact=True)

    saved = begin("scheduler", SPEC, panel, "a file", folder=tmp_path)
    kill_scheduler = Told(3, lambda: cluster.scheduler.send_signal(signal.SIGKILL))
    with pytest.raises(ResearchError, match="is gone; what is done is kept: start it and resume"):
        run_research(saved, OnCluster(cluster.address), kill_scheduler)
    assert TASKS > len(saved.done()) >= 3
    with pytest.raises(ResearchError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1"):
        run_research(saved, OnCluster(cluster.address, connect_s=0.5), Told())
    told = Told()
    rest = run_research(saved, OnThreads(), told)
    pd.testing.assert_frame_equal(rest.table, plain, check_exact=True)


def test_versions_that_differ_are_named_with_both():
    here = versions()
    check_versions(here, dict(here), "here")
    other = {**here, "numpy": "1.0"}
    said = f"worker w1 has numpy 1.0 where the desk has {here['numpy']}"
    with pytest.raises(ResearchError, match=re.escape(said)):
        check_versions(here, other, "w1")


def test_a_folder_that_cannot_be_written_is_one_line(panel, tmp_path):
    saved = begin("one", SPEC, panel, "a file", folder=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResearchError, match="cannot write closes to"):
        run_research(saved, OnCluster("tcp://127.0.0.1:1", str(tmp_path / "file" / "x")), Told())


def test_dask_is_imported_only_where_a_cluster_is_asked_for(project_root):
    code = (
        "import sys, ingest.research, pages.ui.research.body\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'dask', 'distributed', 'fsspec'}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
