"""Pieces of research under way: begun, resumed, cancelled, and how far each is."""

from collections.abc import Callable
from typing import Final

from analytics.research import Closes
from ingest.history import Job, JobProgress, JobRunner, current_jobs, install_jobs
from ingest.research import Executor, OnCluster, OnThreads, begin, open_saved, run_research
from ingest.settings import current_settings
from pages.ui.parts import formats
from pages.ui.research.settings import Wanted
from pages.ui.state.source import research_folder

KIND: Final = "research"
ReadCloses = Callable[[JobProgress], Closes]


def runner() -> JobRunner:
    """Return what does this process's jobs."""
    jobs = current_jobs()
    if jobs is None:
        jobs = JobRunner()
        install_jobs(jobs)
    return jobs


def executor() -> Executor:
    """Where tasks are done: on the cluster that the desk was started with, or here."""
    settings = current_settings()
    if settings.cluster:
        return OnCluster(settings.cluster, settings.cluster_folder)
    return OnThreads()


def start(wanted: Wanted, read: ReadCloses, source: str, *, is_synthetic: bool = False) -> int:
    """Queue a new piece of research: read its closes, put them down, do its tasks."""
    folder = research_folder()

    def work(progress: JobProgress) -> None:
        progress.update(step="reading closes")
        closes = read(progress)
        saved = begin(
            wanted.name, wanted.spec, closes, source, is_synthetic=is_synthetic, folder=folder
        )
        run_research(saved, executor(), progress)

    return _submit(wanted.name, work)


def resume(name: str) -> int:
    """Queue what is left of a piece of research."""
    saved = open_saved(name, research_folder())
    return _submit(name, lambda progress: _go_on(saved.name, progress))


def _go_on(name: str, progress: JobProgress) -> None:
    run_research(open_saved(name, research_folder()), executor(), progress)


def _submit(name: str, work: Callable[[JobProgress], None]) -> int:
    words = f"Research {name}"
    return runner().submit(KIND, words, work, unit="tasks", request=name)


def running() -> list[Job]:
    """Those queued or running."""
    return [job for job in runner().jobs() if job.kind == KIND and not job.has_ended]


def ended() -> list[Job]:
    """Those that ended, the latest first."""
    return [job for job in reversed(runner().jobs()) if job.kind == KIND and job.has_ended]


def is_busy(name: str) -> bool:
    """Whether a piece of research is queued or running."""
    return any(job.request == name for job in running())


def words_of(job: Job) -> str:
    """Say how far a job is."""
    if job.state == "queued":
        return f"{job.words}: waits for the jobs before it"
    if not job.total:
        return f"{job.words}: {job.step or 'begins'}"
    parts = [f"{job.words}: {job.done:,} of {job.total:,} tasks"]
    if job.rate:
        parts.append(f"{formats.number(job.rate * 60, 1)} a minute")
    if job.seconds_left is not None:
        parts.append(f"{formats.age(job.seconds_left)} left")
    return ", ".join([*parts, job.step] if job.step else parts)
