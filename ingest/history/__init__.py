"""History brought in: dumps, files, and what the exchange hands out over REST."""

from ingest.history.command import run_history
from ingest.history.current import current_jobs, install_jobs
from ingest.history.fetch import FETCH, FetchRequest, fetch_request, submit_fetch
from ingest.history.importing import IMPORT, ImportRequest, import_request, submit_import
from ingest.history.jobs import Job, JobCancelledError, JobProgress, JobRunner, JobState
from ingest.history.moving import Mover, mover_of

__all__ = [
    "FETCH",
    "IMPORT",
    "FetchRequest",
    "ImportRequest",
    "Job",
    "JobCancelledError",
    "JobProgress",
    "JobRunner",
    "JobState",
    "Mover",
    "current_jobs",
    "fetch_request",
    "import_request",
    "install_jobs",
    "mover_of",
    "run_history",
    "submit_fetch",
    "submit_import",
]
