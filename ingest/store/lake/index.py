"""What files there are and what they say: footers kept in memory, and beside the files as a cache.

The files are the truth. A month is looked at again when its folder's time of change is another one,
and of its files those are read whose size or time differ. The cache that lies beside them only
saves opening them all at the start: lost or stale, it is made again.
"""

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from ingest.store.lake.footer import FORM, Footer
from ingest.store.lake.parquet import read_footer
from ingest.store.lake.places import is_month
from ingest.store.lake.whole_files import INDEX_NAME, clear_unfinished, write_whole

LONGEST_NAME: Final = 255  # bytes of a name that a folder can have
_SUFFIX: Final = ".parquet"
_OURS: Final = re.compile(r"\d{4}-\d{2}(-\d{2})?\.parquet", re.ASCII)


class _Known(msgspec.Struct, array_like=True, frozen=True):
    changed_ns: int
    size: int
    footer: Footer


class _Month(msgspec.Struct, array_like=True):
    changed_ns: int
    files: dict[str, _Known]


class _Index(msgspec.Struct, array_like=True):
    form: int
    months: dict[str, _Month]


@dataclass(frozen=True, slots=True)
class LakeFile:
    """One file: its period's name, where it is, bytes, and what it says of itself."""

    period: str
    path: Path
    size: int
    footer: Footer


@dataclass(frozen=True, slots=True)
class Listing:
    """Files of one kind and symbol, in order of time; `version` is another one after any change."""

    version: int
    files: tuple[LakeFile, ...]

    def by_period(self) -> dict[str, LakeFile]:
        """Files by the names of their periods."""
        return {each.period: each for each in self.files}


class FolderIndex:
    """Index of one kind and symbol. Any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._months: dict[str, _Month] | None = None
        self._listing = Listing(0, ())

    def listing(self) -> Listing:
        """Files as they are now.

        Raises
        ------
        LakeError
            One of them cannot be read.
        """
        with self._lock:
            if self._look():
                self._listing = Listing(self._listing.version + 1, tuple(self._files()))
            return self._listing

    def save(self) -> None:
        """Keep what is known beside the files. By the one who writes only."""
        self.listing()
        with self._lock:
            if not self._months:
                return
            clear_unfinished(self.folder)
            text = msgspec.msgpack.encode(_Index(FORM, self._months))
            path = self.folder / INDEX_NAME
            if not path.exists() or path.read_bytes() != text:
                write_whole(path, lambda file: file.write(text))

    def _look(self) -> bool:
        """Take up what changed; whether anything did."""
        fresh = self._months is None
        known = _cached(self.folder) if self._months is None else self._months
        there = _months_there(self.folder)
        changed = fresh or there.keys() != known.keys()
        months: dict[str, _Month] = {}
        for name, changed_ns in there.items():
            month = known.get(name)
            if month is None or month.changed_ns != changed_ns:
                month = _read_month(self.folder / name, changed_ns, month)
                changed = True
            months[name] = month
        self._months = months
        return changed

    def _files(self) -> list[LakeFile]:
        months = self._months or {}
        return [
            LakeFile(name.removesuffix(_SUFFIX), self.folder / month / name, each.size, each.footer)
            for month in sorted(months)
            for name, each in sorted(months[month].files.items())
        ]


def _months_there(folder: Path) -> dict[str, int]:
    """Folders of months with their times of change."""
    try:
        with os.scandir(folder) as entries:
            return {each.name: each.stat().st_mtime_ns for each in entries if is_month(each.name)}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        if len(folder.name.encode()) <= LONGEST_NAME:
            raise
        return {}


def _read_month(folder: Path, changed_ns: int, known: _Month | None) -> _Month:
    files: dict[str, _Known] = {}
    try:
        with os.scandir(folder) as entries:
            found = [each for each in entries if _OURS.fullmatch(each.name)]
        for each in found:
            status = each.stat()
            old = known.files.get(each.name) if known is not None else None
            if old is None or (old.changed_ns, old.size) != (status.st_mtime_ns, status.st_size):
                footer = read_footer(Path(each.path))
                old = _Known(status.st_mtime_ns, status.st_size, footer)
            files[each.name] = old
    except FileNotFoundError:  # renamed or deleted meanwhile: the folder's time says so next time
        return _Month(-1, files)
    return _Month(changed_ns, files)


def _cached(folder: Path) -> dict[str, _Month]:
    try:
        index = msgspec.msgpack.decode((folder / INDEX_NAME).read_bytes(), type=_Index)
    except (OSError, msgspec.MsgspecError):
        return {}
    return index.months if index.form == FORM else {}


_folders: dict[Path, FolderIndex] = {}
_folders_lock = threading.Lock()


def folder_index(folder: Path) -> FolderIndex:
    """The index of a folder that the whole process shares."""
    with _folders_lock:
        index = _folders.get(folder)
        if index is None:
            index = _folders[folder] = FolderIndex(folder)
        return index
