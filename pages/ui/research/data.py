"""What research can be asked of: the symbols there are, and how their closes are read."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from analytics.errors import NotEnoughDataError
from analytics.research import Closes
from analytics.scanner import coarser_closes
from ingest.history import JobProgress
from ingest.research import closes_of_database, what_is_there
from ingest.settings import current_settings
from pages.ui.research.settings import Wanted
from pages.ui.state.source import database_path

Days = tuple[date, date]
Read = Callable[[JobProgress], Closes]


def history_folder() -> Path | None:
    """Return the folder of history; None where this desk has none."""
    folder = getattr(current_settings(), "history", None)
    return folder if isinstance(folder, Path) else None


def recorded() -> tuple[list[str], Days | None]:
    """Return the recorded symbols with those of the history, and the days there are.

    Raises
    ------
    IngestError
        There is no database and no history.
    """
    return what_is_there(database_path(), history_folder())


def reading(wanted: Wanted) -> Read:
    """Return what reads the closes asked for, in the job's own thread."""
    path, history = database_path(), history_folder()

    def read(progress: JobProgress) -> Closes:
        return closes_of_database(
            path, wanted.spec.symbols, wanted.spec.interval, wanted.start, wanted.end,
            history=history, progress=lambda symbol: progress.update(step=f"reading {symbol}"),
        )  # fmt: skip

    return read


def days_of(closes: pd.DataFrame) -> Days:
    """Return the first and the last day of a file's closes."""
    index = pd.DatetimeIndex(closes.index)
    return index[0].date(), index[-1].date()


def reading_file(closes: pd.DataFrame, wanted: Wanted) -> Read:
    """Return what takes the closes asked for from a file's."""

    def read(_: JobProgress) -> Closes:
        chosen = closes[list(wanted.spec.symbols)]
        coarser = coarser_closes(chosen, wanted.spec.interval)
        last = wanted.end - timedelta(microseconds=1)
        part = coarser.loc[wanted.start : last]
        if part.empty:
            raise NotEnoughDataError("research", wanted.spec.train_bars + 3, 0)
        return Closes.of_frame(part)

    return read
