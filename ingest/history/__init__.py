"""History brought in: dumps, files, and what the exchange hands out over REST."""

from ingest.history.current import current_jobs, install_jobs
from ingest.history.jobs import Job, JobCancelledError, JobProgress, JobRunner, JobState

__all__ = [
    "Job",
    "JobCancelledError",
    "JobProgress",
    "JobRunner",
    "JobState",
    "current_jobs",
    "install_jobs",
]
