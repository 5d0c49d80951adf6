"""The jobs of this process, for whoever looks for them."""

import sys

from ingest.history.jobs import JobRunner

# Kept where neither a cleared cache nor a reloaded module can make a second one.
_HOLDER = "_pairdesk_jobs"


def current_jobs() -> JobRunner | None:
    """Return what does this process's jobs; None where nothing was installed."""
    jobs = sys.__dict__.get(_HOLDER)
    return jobs if isinstance(jobs, JobRunner) else None


def install_jobs(jobs: JobRunner | None) -> None:
    """Make this the one that does this process's jobs, for the pages to find."""
    sys.__dict__[_HOLDER] = jobs
