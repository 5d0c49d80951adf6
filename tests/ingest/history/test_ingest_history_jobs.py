"""Jobs: one after the other, seen, cancelled at whole places, and never an exception lost."""

import threading
from functools import partial
from pathlib import Path

import pytest

from ingest.errors import IngestError
from ingest.history.job_file import INTERRUPTED
from ingest.history.jobs import MOST_ENDED, Job, JobCancelledError, JobProgress, JobRunner

PATIENCE_S = 10.0


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Steps:
    """Work that goes on a step at a time, as the test lets it."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.written: list[int] = []

    def __call__(self, progress: JobProgress) -> None:
        progress.update(0, 3)
        for number in range(3):
            self.begun.set()
            assert self.let_go.wait(PATIENCE_S)
            self.written.append(number)
            progress.add(1)


def ended(runner: JobRunner, job_id: int) -> Job:
    job = runner.wait(job_id, PATIENCE_S)
    assert job is not None
    assert job.has_ended
    return job


def test_jobs_are_done_one_after_the_other_in_their_order() -> None:
    runner = JobRunner()
    order: list[tuple[int, int]] = []

    def work(number: int, _: JobProgress) -> None:
        order.append((number, threading.get_ident()))

    ids = [runner.submit("fetch", f"job {n}", partial(work, n)) for n in range(5)]
    jobs = [ended(runner, each) for each in ids]
    assert [n for n, _ in order] == [0, 1, 2, 3, 4]
    assert len({thread for _, thread in order}) == 1
    assert [job.state for job in jobs] == ["done"] * 5
    assert all(job.queued_us <= (job.started_us or 0) <= (job.ended_us or 0) for job in jobs)


def test_what_work_raises_is_a_line_of_its_job_and_the_next_one_is_done() -> None:
    def refuse(_: JobProgress) -> None:
        raise IngestError("the disk is\nfull")

    def break_down(_: JobProgress) -> None:
        raise ZeroDivisionError

    runner = JobRunner()
    refused, broken, good = (
        runner.submit("import", "x", work) for work in (refuse, break_down, lambda _: None)
    )
    assert (ended(runner, refused).state, ended(runner, refused).error) == (
        *("failed", "the disk is full"),
    )
    assert ended(runner, broken).error == "ZeroDivisionError:"
    assert ended(runner, good).state == "done"


def test_a_cancelled_job_ends_at_its_next_whole_place() -> None:
    runner, steps = JobRunner(), Steps()
    job_id = runner.submit("import", "three steps", steps)
    assert steps.begun.wait(PATIENCE_S)
    assert runner.cancel(job_id)
    steps.let_go.set()
    job = ended(runner, job_id)
    assert (job.state, job.error, job.done, job.total) == ("cancelled", None, 1, 3)
    assert steps.written == [0]
    assert not runner.cancel(job_id)


def test_a_queued_job_that_is_cancelled_never_begins() -> None:
    runner, steps, second = JobRunner(), Steps(), Steps()
    first_id = runner.submit("import", "first", steps)
    second_id = runner.submit("import", "second", second)
    assert runner.cancel(second_id)
    steps.let_go.set()
    assert ended(runner, first_id).state == "done"
    assert ended(runner, second_id).state == "cancelled"
    assert second.written == []


def test_cancelling_wakes_work_that_waits() -> None:
    woken, begun = threading.Event(), threading.Event()

    def wait(progress: JobProgress) -> None:
        progress.on_cancel(woken.set)
        begun.set()
        assert woken.wait(PATIENCE_S)
        progress.check()

    runner = JobRunner()
    job_id = runner.submit("fetch", "waits", wait)
    assert begun.wait(PATIENCE_S)
    runner.cancel(job_id)
    assert ended(runner, job_id).state == "cancelled"


def test_rate_and_time_left_are_those_of_the_last_quarter_of_a_minute() -> None:
    clock = Clock()
    progress = JobProgress(clock)
    job = Job(1, "fetch", "x", state="running")
    progress.update(0, 10_000, step="BTCUSDT")
    assert progress.applied_to(job).rate is None
    for _ in range(60):  # slow for a minute
        clock.now_s += 1
        progress.add(10)
    assert progress.applied_to(job).rate == pytest.approx(10)
    for _ in range(20):
        clock.now_s += 1
        progress.add(100)
    now = progress.applied_to(job)
    assert (now.done, now.total, now.step) == (2600, 10_000, "BTCUSDT")
    assert now.rate == pytest.approx(100)
    assert now.seconds_left == pytest.approx(74)


def test_sentences_are_kept_once_and_in_order() -> None:
    def work(progress: JobProgress) -> None:
        for words in ("b", "a", "b"):
            progress.note(words)
        progress.lacks("ETHUSDT")

    runner = JobRunner()
    job = ended(runner, runner.submit("fetch", "x", work))
    assert (job.notes, job.lacking) == (("b", "a"), ("ETHUSDT",))


def test_jobs_cut_off_by_a_kill_are_named_by_the_next_process(tmp_path: Path) -> None:
    file, steps = tmp_path / "desk.jobs.json", Steps()
    killed = JobRunner(file)
    done = killed.submit("fetch", "a short one", lambda _: None, request="0")
    ended(killed, done)
    for n in (1, 2):
        killed.submit("fetch", f"job {n}", steps, request=f'{{"n":{n}}}')
    assert steps.begun.wait(PATIENCE_S)
    after = JobRunner(file)  # the first process is as good as dead: its file is all there is
    assert [(job.words, job.request, job.state, job.error) for job in after.jobs()] == [
        (f"job {n}", f'{{"n":{n}}}', "failed", INTERRUPTED) for n in (1, 2)
    ]
    assert after.forget(1)
    assert after.forget(2)
    assert JobRunner(file).jobs() == []
    steps.let_go.set()


def test_jobs_that_the_end_of_the_process_cancels_are_named_too(tmp_path: Path) -> None:
    file, steps = tmp_path / "desk.jobs.json", Steps()
    runner = JobRunner(file)
    runner.submit("fetch", "long", steps)
    runner.submit("fetch", "next", steps)
    assert steps.begun.wait(PATIENCE_S)
    steps.let_go.set()
    assert runner.stop(PATIENCE_S)
    with pytest.raises(IngestError, match="Pairdesk is ending"):
        runner.submit("fetch", "late", steps)
    assert [job.words for job in JobRunner(file).jobs()] == ["long", "next"]


def test_a_file_of_jobs_that_is_damaged_or_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "desk.jobs.json"
    file.write_text("[{")
    runner = JobRunner(file)
    assert runner.jobs() == []
    file.unlink()
    file.mkdir()
    assert ended(runner, runner.submit("fetch", "x", lambda _: None)).state == "done"


def test_ended_jobs_are_forgotten_in_time() -> None:
    runner = JobRunner()
    ids = [runner.submit("fetch", "x", lambda _: None) for _ in range(MOST_ENDED + 5)]
    ended(runner, ids[-1])
    assert [job.job_id for job in runner.jobs()] == ids[5:]


def test_a_cancelled_work_says_so_by_raising() -> None:
    progress = JobProgress()
    progress.cancel()
    with pytest.raises(JobCancelledError):
        progress.update(1)
    called: list[bool] = []
    progress.on_cancel(lambda: called.append(True))  # it came too late to be called by `cancel`
    assert called == [True]
