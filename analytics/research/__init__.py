"""All pairs of many symbols, with many settings, over long times: cut into tasks, put together."""

from analytics.research.closes import Closes, Grid, digest_of
from analytics.research.combining import VERDICTS, ResearchResult, combine
from analytics.research.grid import Task, Tasks, tasks
from analytics.research.spec import ResearchSpec
from analytics.research.work import TaskResult, run_task

__all__ = [
    "VERDICTS",
    "Closes",
    "Grid",
    "ResearchResult",
    "ResearchSpec",
    "Task",
    "TaskResult",
    "Tasks",
    "combine",
    "digest_of",
    "run_task",
    "tasks",
]
