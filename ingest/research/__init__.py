"""Research as a job: its closes and finished tasks on disk, its work in threads or on a cluster."""

from ingest.research.cluster import OnCluster
from ingest.research.reading import closes_of_database, what_is_there
from ingest.research.running import Executor, Progress, run_research
from ingest.research.saved import (
    RESEARCH_FOLDER,
    ResearchError,
    SavedResearch,
    begin,
    delete,
    open_saved,
    saved_names,
)
from ingest.research.threads import OnThreads

__all__ = [
    "RESEARCH_FOLDER",
    "Executor",
    "OnCluster",
    "OnThreads",
    "Progress",
    "ResearchError",
    "SavedResearch",
    "begin",
    "closes_of_database",
    "delete",
    "open_saved",
    "run_research",
    "saved_names",
    "what_is_there",
]
