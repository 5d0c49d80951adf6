"""Work that takes minutes or hours: one job after the other in one thread, seen by all."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from ingest.clock import now_us as wall_clock_us
from ingest.errors import IngestError
from ingest.history.job_file import INTERRUPTED, UnfinishedJob, read_unfinished, write_unfinished

_LOG: Final = logging.getLogger("pairdesk.history")

JobState = Literal["queued", "running", "done", "failed", "cancelled"]

MOST_ENDED: Final = 50  # jobs that are remembered after their end
RATE_OVER_S: Final = 15.0
_SHORTEST_S: Final = 0.5  # before it no rate is said
_MOST_SENTENCES: Final = 200


class JobCancelledError(Exception):
    """Ends a job's work at a place where everything written is whole."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands at one moment.

    Attributes
    ----------
    job_id
        Counts up from 1 in a process.
    kind
        ``import``, ``fetch``, …: what a page groups by.
    words
        What is done, for a reader.
    request
        What was asked for, in the form of its own that its kind reads back; "" where it has none.
    step
        What it is at just now.
    done, total, unit
        How far it is, of how much (None while that is not known), counted in `unit`.
    rate
        Units a second, of the last quarter of a minute; None before it can be said.
    seconds_left
        At that rate; None before it can be said.
    error
        Why it failed, in one line.
    notes, lacking
        Sentences: what a reader should know, and what was asked for and is not there.
    queued_us, started_us, ended_us
        Wall clock; None of what has not come yet.
    """

    job_id: int
    kind: str
    words: str
    request: str = ""
    state: JobState = "queued"
    step: str = ""
    done: int = 0
    total: int | None = None
    unit: str = "rows"
    rate: float | None = None
    seconds_left: float | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    queued_us: int = 0
    started_us: int | None = None
    ended_us: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in {"queued", "running"}


class JobProgress:
    """What a job's work tells of itself, and how it learns that it is to end.

    Its methods belong to the thread that works, `cancel` to any.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._on_cancel: Callable[[], object] | None = None
        self._marks: deque[tuple[float, int]] = deque()
        self._done, self._total, self._step = 0, None, ""  # type: tuple[int, int | None, str]
        self._notes: list[str] = []
        self._lacking: list[str] = []

    def update(
        self, done: int | None = None, total: int | None = None, step: str | None = None
    ) -> None:
        """Say how far the work is; what is None stays as it was.

        Raises
        ------
        JobCancelledError
            The work is to end: what was written stays.
        """
        with self._lock:
            self._total = self._total if total is None else total
            self._step = self._step if step is None else step
            self._count(self._done if done is None else done)
        self.check()

    def add(self, count: int) -> None:
        """Say that so much more is done; raises as `update` does."""
        self.update(self._done + count)

    def expect_less(self, count: int) -> None:
        """Say that so much of the total will not come."""
        with self._lock:
            self._total = None if self._total is None else max(self._total - count, self._done)

    def check(self) -> None:
        """Raise `JobCancelledError` where the work is to end."""
        if self._is_cancelled:
            raise JobCancelledError

    def note(self, sentence: str) -> None:
        """Tell a reader something that is worth to know; the same once."""
        self._append(self._notes, sentence)

    def lacks(self, sentence: str) -> None:
        """Tell a reader what was asked for and is not there; the same once."""
        self._append(self._lacking, sentence)

    def on_cancel(self, call: Callable[[], object] | None) -> None:
        """Have something called by `cancel`, from its thread: what wakes work that waits."""
        with self._lock:
            self._on_cancel = call
            is_late = self._is_cancelled
        if is_late and call is not None:
            call()

    def cancel(self) -> None:
        """Ask the work to end at its next whole place."""
        with self._lock:
            self._is_cancelled = True
            call = self._on_cancel
        if call is not None:
            call()

    def applied_to(self, job: Job) -> Job:
        """Give a job with what its work has said."""
        with self._lock:
            rate = self._rate()
            left = None if self._total is None else max(self._total - self._done, 0)
            return replace(
                job,
                step=self._step,
                done=self._done,
                total=self._total,
                rate=rate,
                seconds_left=left / rate if rate and left is not None else None,
                notes=tuple(self._notes),
                lacking=tuple(self._lacking),
            )

    def _append(self, sentences: list[str], sentence: str) -> None:
        with self._lock:
            if sentence not in sentences and len(sentences) < _MOST_SENTENCES:
                sentences.append(sentence)

    def _count(self, done: int) -> None:
        now_s = self._clock()
        self._done = done
        self._marks.append((now_s, done))
        while len(self._marks) > 2 and self._marks[1][0] < now_s - RATE_OVER_S:
            self._marks.popleft()

    def _rate(self) -> float | None:
        if not self._marks:
            return None
        begun_s, before = self._marks[0]
        passed_s = self._clock() - begun_s
        return (self._done - before) / passed_s if passed_s >= _SHORTEST_S else None


Work = Callable[[JobProgress], None]


@dataclass(slots=True)
class _Entry:
    """A job with its work; `progress` outlives the work."""

    job: Job
    work: Work | None
    progress: JobProgress


class JobRunner:
    """Does jobs one after the other, in a daemon thread that begins with the first.

    Every method may be called from any thread.

    Parameters
    ----------
    unfinished
        File that names the jobs under way, so that the next process can say which were
        interrupted; None keeps no such file.
    clock, now_us
        Monotonic seconds and wall clock; replaceable for tests.
    """

    def __init__(
        self,
        unfinished: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._file, self._clock, self._now_us = unfinished, clock, now_us
        self._changed = threading.Condition()
        self._entries: dict[int, _Entry] = {}
        self._last_id = 0
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        for each in read_unfinished(unfinished) if unfinished is not None else ():
            self._add_interrupted(each)

    def submit(
        self, kind: str, words: str, work: Work, *, unit: str = "rows", request: str = ""
    ) -> int:
        """Queue work and give its job's id.

        Raises
        ------
        IngestError
            The runner was stopped.
        """
        with self._changed:
            if self._is_stopping:
                raise IngestError("Pairdesk is ending: no work is begun any more")
            self._last_id += 1
            job = Job(self._last_id, kind, words, request, unit=unit, queued_us=self._now_us())
            self._entries[job.job_id] = _Entry(job, work, JobProgress(self._clock))
            self._note_change()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()
            return job.job_id

    def jobs(self) -> list[Job]:
        """All jobs as they stand, in the order they were submitted in."""
        with self._changed:
            entries = list(self._entries.values())
        return [_now(entry) for entry in entries]

    def job(self, job_id: int) -> Job | None:
        """One job as it stands; None where it is not known, or forgotten."""
        with self._changed:
            entry = self._entries.get(job_id)
        return None if entry is None else _now(entry)

    def cancel(self, job_id: int) -> bool:
        """End a job at its next whole place, or before it begins; False where it has ended."""
        with self._changed:
            entry = self._entries.get(job_id)
            if entry is None or entry.job.has_ended:
                return False
            if entry.job.state == "queued":
                self._end(entry, "cancelled")
                return True
        entry.progress.cancel()
        return True

    def forget(self, job_id: int) -> bool:
        """Leave an ended job out of the list; False where it has not ended, or is not known."""
        with self._changed:
            entry = self._entries.get(job_id)
            if entry is None or not entry.job.has_ended:
                return False
            del self._entries[job_id]
            self._note_change()
            return True

    def wait(self, job_id: int, timeout_s: float | None = None) -> Job | None:
        """Wait until a job has ended, or for a time, and give it as it stands."""

        def is_over() -> bool:
            entry = self._entries.get(job_id)
            return entry is None or entry.job.has_ended

        with self._changed:
            self._changed.wait_for(is_over, timeout_s)
        return self.job(job_id)

    def stop(self, within_s: float) -> bool:
        """Cancel all and wait for the thread; False where it does not end in time.

        What is under way or queued is named as interrupted by the next process.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            running = [each for each in self._entries.values() if each.job.state == "running"]
        for entry in running:
            entry.progress.cancel()
        if self._thread is not None:
            self._thread.join(within_s)
            return not self._thread.is_alive()
        return True

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            state, error = self._outcome(entry)
            with self._changed:
                self._end(entry, state, error)

    def _next(self) -> _Entry | None:
        """Wait for the next job, and mark it as running; None where none will be begun."""
        with self._changed:
            while not self._is_stopping:
                queued = (each for each in self._entries.values() if each.job.state == "queued")
                entry = next(queued, None)
                if entry is not None:
                    entry.job = replace(entry.job, state="running", started_us=self._now_us())
                    self._note_change()
                    return entry
                self._changed.wait()
        return None

    def _outcome(self, entry: _Entry) -> tuple[JobState, str | None]:
        """Do the work; whatever it raises becomes a line of its job."""
        assert entry.work is not None, "it was queued"
        try:
            entry.work(entry.progress)
        except JobCancelledError:
            return "cancelled", None
        except IngestError as error:
            return "failed", _line(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next job is done
            _LOG.exception("job %s failed", entry.job.words)
            return "failed", _line(f"{type(error).__name__}: {error}")
        return "done", None

    def _end(self, entry: _Entry, state: JobState, error: str | None = None) -> None:
        """Settle a job; the caller holds the lock."""
        job = entry.progress.applied_to(entry.job)
        was_interrupted = self._is_stopping and state == "cancelled"
        entry.job = replace(job, state=state, error=error, ended_us=self._now_us())
        entry.work = None
        ended = [each.job.job_id for each in self._entries.values() if each.job.has_ended]
        for job_id in ended[:-MOST_ENDED]:
            del self._entries[job_id]
        self._note_change(keep_file=was_interrupted)

    def _add_interrupted(self, unfinished: UnfinishedJob) -> None:
        self._last_id += 1
        job = Job(
            self._last_id, unfinished.kind, unfinished.words, unfinished.request,
            state="failed", error=INTERRUPTED, queued_us=unfinished.queued_us,
            ended_us=unfinished.queued_us,
        )  # fmt: skip
        self._entries[job.job_id] = _Entry(job, None, JobProgress(self._clock))

    def _note_change(self, *, keep_file: bool = False) -> None:
        """Wake who waits, and keep the list of unfinished jobs; the caller holds the lock."""
        self._changed.notify_all()
        if self._file is None or keep_file:
            return
        jobs = [entry.job for entry in self._entries.values()]
        unfinished = [
            UnfinishedJob(job.kind, job.words, job.request, job.queued_us)
            for job in jobs
            if not job.has_ended or job.error == INTERRUPTED
        ]
        write_unfinished(self._file, unfinished)


def _now(entry: _Entry) -> Job:
    job = entry.job
    return entry.progress.applied_to(job) if job.state == "running" else job


def _line(words: str) -> str:
    return " ".join(words.split()) or "no reason given"
