"""Files written whole or not at all: under another name, flushed, renamed."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from ingest.errors import LakeError

# A leading dot, so that no glob of a notebook reads what is half written.
_UNFINISHED: Final = ".unfinished"
INDEX_NAME: Final = ".index"
_MOST_NEW: Final = 5  # of a month: with those of symbol, kind and market, and what these are in


def write_whole(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Put a file in the place of the old one; a kill leaves one of the two.

    Raises
    ------
    LakeError
        The disk is full, or the folder cannot be written to.
    """
    hidden = path.with_name(f".{path.name}{_UNFINISHED}")
    with in_words(path):
        is_new = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with hidden.open("wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            hidden.replace(path)
        except BaseException:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)
            raise
        for folder in (path.parent, *(path.parents[1:_MOST_NEW] if is_new else ())):
            _flush_folder(folder)
        mark_changed(path.parent)


def remove_file(path: Path) -> int:
    """Delete a file and give its size; 0 where it is not there."""
    with in_words(path):
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        mark_changed(path.parent)
        _remove_if_empty(path.parent)
        return size


def clear_unfinished(folder: Path) -> None:
    """Delete what a writer that was killed left in a month's folder."""
    for left in folder.glob(f".*{_UNFINISHED}"):
        with suppress(OSError):
            left.unlink()


def mark_changed(month: Path) -> None:
    """Give a month's folder, its symbol's and its market's a time of change of their own, in ns.

    Two changes within one tick of the file system's clock would otherwise look like one.
    """
    now_ns = time.time_ns()
    for folder in (month, month.parent, month.parents[2]):
        with suppress(OSError):  # it is gone, or another's: the next full look sees the change
            os.utime(folder, ns=(now_ns, now_ns))


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn errors of the file system into one line."""
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"cannot write {path}: {error.strerror or error}; make room or give rights, and do it"
            " again: what is held is whole"
        ) from error


def _remove_if_empty(month: Path) -> None:
    """Delete a month's folder, and those above it up to the kind's, where nothing is left."""
    clear_unfinished(month)
    with suppress(OSError):
        month.rmdir()
        symbol = month.parent
        if all(each.name == INDEX_NAME for each in symbol.iterdir()):
            (symbol / INDEX_NAME).unlink(missing_ok=True)
            symbol.rmdir()
            symbol.parent.rmdir()


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a loss of power, where folders can be flushed."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
