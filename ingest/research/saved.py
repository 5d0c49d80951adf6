"""A piece of research on disk, by name: the question, its closes, finished tasks, the result."""

import hashlib
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final
from zipfile import BadZipFile

import filelock
import numpy as np
import orjson
import pandas as pd

from analytics.errors import AnalyticsError
from analytics.research import (
    Closes,
    Grid,
    ResearchResult,
    ResearchSpec,
    Task,
    TaskResult,
    digest_of,
    tasks,
)
from ingest.errors import IngestError
from ingest.installation import DATA_FOLDER
from ingest.research.whole_files import write_whole
from ingest.version import VERSION

RESEARCH_FOLDER: Final = DATA_FOLDER / "research"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_FORMAT: Final = "pairdesk-research-1"
_QUESTION: Final = "question.json"
_RESULT: Final = "result.json"
# What a damaged or foreign file raises on its way to an array.
_DAMAGE: Final = (OSError, ValueError, KeyError, EOFError, BadZipFile)


class ResearchError(IngestError):
    """Research that cannot be begun, carried on or read, with the reason in a user's words."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedResearch:
    """A piece of research as it lies on disk.

    Attributes
    ----------
    folder
        Its own.
    spec, grid
        What is asked, and of which bars.
    source
        Where the closes are from, in words.
    is_synthetic
        They were made by a script.
    digests
        Of each symbol's closes.
    """

    folder: Path
    spec: ResearchSpec
    grid: Grid
    source: str
    is_synthetic: bool
    digests: dict[str, str]

    @property
    def name(self) -> str:
        """Under which it is kept."""
        return self.folder.name

    @property
    def key(self) -> str:
        """The same for the same question about the same closes: whose tasks may be used."""
        return key_of(self.spec, self.grid, self.digests)

    def tasks(self) -> list[Task]:
        """All tasks, done or not."""
        return tasks(self.spec, self.grid)

    def done(self) -> set[int]:
        """Return the numbers of the tasks whose results are there."""
        return {int(path.stem) for path in self._tasks.glob("[0-9]*.npz") if path.stem.isdecimal()}

    def closes(self) -> Closes:
        """Read the closes that it was begun with.

        Raises
        ------
        ResearchError
            One is gone, or is not what it was.
        """
        columns = {}
        for symbol in self.spec.symbols:
            path = self.closes_folder / closes_file(self.digests[symbol])
            try:
                values = np.load(path, allow_pickle=False)
            except _DAMAGE as error:
                raise ResearchError(
                    f"the closes of {symbol} that {self.name!r} was begun with cannot be read: "
                    "delete it and begin again"
                ) from error
            if digest_of(values) != self.digests[symbol]:
                raise ResearchError(
                    f"the closes of {symbol} are not those that {self.name!r} was begun with: "
                    "delete it and begin again"
                )
            columns[symbol] = values
        return Closes(self.grid, columns)

    @property
    def closes_folder(self) -> Path:
        """Where the closes lie, a file a symbol."""
        return self.folder / "closes"

    @property
    def _tasks(self) -> Path:
        return self.folder / "tasks"

    def keep(self, result: TaskResult) -> None:
        """Keep a task's result: whole, or not at all."""
        arrays = {**result.arrays, "key": np.array(self.key)}
        self._tasks.mkdir(exist_ok=True)
        path = self._tasks / f"{result.number}.npz"
        write_whole(path, partial(_write_arrays, arrays))

    def kept(self, number: int) -> TaskResult | None:
        """Return a task's result; None where it is not there, damaged, or of another question."""
        try:
            # Opened here: numpy leaves a file open that it finds damaged.
            with (
                (self._tasks / f"{number}.npz").open("rb") as file,
                np.load(file, allow_pickle=False) as stored,
            ):
                arrays = {name: stored[name] for name in stored.files}
            if str(arrays.pop("key")) != self.key:
                return None
        except _DAMAGE:
            return None
        return TaskResult(number, arrays)

    def finish(self, result: ResearchResult) -> None:
        """Keep the result; the tasks' own and the closes are then no longer needed."""
        columns = {name: result.table[name].tolist() for name in result.table.columns}
        record = {"format": _FORMAT, "facts": result.facts, "columns": columns}
        content = orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)
        write_whole(self.folder / _RESULT, lambda file: file.write(content))
        shutil.rmtree(self._tasks, ignore_errors=True)
        shutil.rmtree(self.closes_folder, ignore_errors=True)

    @property
    def is_finished(self) -> bool:
        """Whether the result is there."""
        return (self.folder / _RESULT).is_file()

    def result(self) -> ResearchResult:
        """Read the result back, equal to the bit.

        Raises
        ------
        ResearchError
            None is there, or one that this version cannot read.
        """
        try:
            record = orjson.loads((self.folder / _RESULT).read_bytes())
            columns = {key: _with_nan(values) for key, values in record["columns"].items()}
            return ResearchResult(pd.DataFrame(columns), record["facts"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResearchError(f"{self.name!r} has no result that can be read") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work on it alone; see `_locked`."""
        with _locked(self.folder):
            yield


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a piece of research.

    Raises
    ------
    ResearchError
        Another process, or another thread of this one, works on it.
    """
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise ResearchError(f"{folder.name!r} is being worked on already") from error
    try:
        yield
    finally:
        lock.release()


def key_of(spec: ResearchSpec, grid: Grid, digests: dict[str, str]) -> str:
    """Name a question and the bars it is asked of."""
    parts = [spec.fingerprint, *map(str, (grid.start_us, grid.step_us, grid.bars))]
    parts += [f"{symbol} {digests[symbol]}" for symbol in spec.symbols]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def closes_file(digest: str) -> str:
    """Name the file of a column by its content: whoever reads it can tell whether it is that."""
    return f"{digest}.npy"


def saved_names(folder: Path = RESEARCH_FOLDER) -> list[str]:
    """Names of what is kept, in order of the alphabet."""
    found = (path.parent.name for path in folder.glob(f"*/{_QUESTION}"))
    return sorted(name for name in found if NAME.fullmatch(name))


def begin(
    name: str,
    spec: ResearchSpec,
    closes: Closes,
    source: str,
    *,
    is_synthetic: bool = False,
    folder: Path = RESEARCH_FOLDER,
) -> SavedResearch:
    """Put a question and its closes down under a name, or find it there as it was.

    Raises
    ------
    ResearchError
        A name that is none or belongs to another question; a folder that cannot be written;
        a symbol without closes.
    AnalyticsError
        Bars too few for a single stretch.
    """
    _check_name(name)
    tasks(spec, closes.grid)
    lacking = [symbol for symbol in spec.symbols if symbol not in closes.by_symbol]
    if lacking:
        raise ResearchError(f"there are no closes of {lacking[0]}: leave it out, or fetch them")
    digests = {symbol: digest_of(closes.by_symbol[symbol]) for symbol in spec.symbols}
    made = SavedResearch(folder / name, spec, closes.grid, source, is_synthetic, digests)
    if name in saved_names(folder):
        if open_saved(name, folder).key == made.key:
            return made
        raise ResearchError(f"{name!r} is the name of another question: delete that, or choose one")
    try:
        _put_down(made, closes)
    except OSError as error:
        shutil.rmtree(made.folder, ignore_errors=True)
        raise ResearchError(f"cannot keep {name!r}: {error.strerror}") from error
    return made


def _put_down(made: SavedResearch, closes: Closes) -> None:
    """Write closes first: where the question is, all of it is."""
    made.closes_folder.mkdir(parents=True, exist_ok=True)
    for symbol in made.spec.symbols:
        values = closes.by_symbol[symbol]
        path = made.closes_folder / closes_file(made.digests[symbol])
        write_whole(path, partial(np.save, arr=values))
    record = {
        "format": _FORMAT, "version": VERSION, "spec": made.spec.to_json(),
        "grid": asdict(made.grid), "source": made.source, "is_synthetic": made.is_synthetic,
        "digests": made.digests,
    }  # fmt: skip
    content = orjson.dumps(record, option=orjson.OPT_INDENT_2)
    write_whole(made.folder / _QUESTION, lambda file: file.write(content))


def open_saved(name: str, folder: Path = RESEARCH_FOLDER) -> SavedResearch:
    """Open what is kept under a name.

    Raises
    ------
    ResearchError
        Nothing of that name, or of another version.
    """
    if name not in saved_names(folder):
        raise ResearchError(f"no research is kept as {name!r}")
    try:
        record: dict[str, Any] = orjson.loads((folder / name / _QUESTION).read_bytes())
        spec = ResearchSpec.from_json(record["spec"])
        return SavedResearch(
            folder / name, spec, Grid(**record["grid"]), str(record["source"]),
            bool(record["is_synthetic"]), dict(record["digests"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AnalyticsError) as error:
        raise ResearchError(f"{name!r} is nothing that this version can read") from error


def delete(name: str, folder: Path = RESEARCH_FOLDER) -> None:
    """Delete what is kept under a name.

    Raises
    ------
    ResearchError
        Nothing of that name; another process works on it; a folder that cannot be written.
    """
    if name not in saved_names(folder):
        raise ResearchError(f"no research is kept as {name!r}")
    with _locked(folder / name):
        try:
            (folder / name / _QUESTION).unlink()
            shutil.rmtree(folder / name)
        except OSError as error:
            raise ResearchError(f"cannot delete {name!r}: {error.strerror}") from error


def _write_arrays(arrays: dict[str, Any], file: BinaryIO) -> None:
    np.savez(file, allow_pickle=False, **arrays)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ResearchError(
            f"{name!r} is no name: letters, digits, spaces, dots, - and _, at most 60"
        )


def _with_nan(values: list[Any]) -> list[Any]:
    return [math.nan if value is None else value for value in values]
