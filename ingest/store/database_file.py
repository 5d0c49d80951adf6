"""The file that is open as the database: is it still what its path names, and where is it else."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from ingest.store.health.database_health import files_of

Change = Literal["deleted", "moved"]

_OPEN_FILES = Path("/proc/self/fd")  # Linux: no other system says where a renamed file is


class Identity(NamedTuple):
    """What tells a file from any other, whatever its name, as long as someone has it open."""

    device: int
    inode: int


def identity(path: Path) -> Identity | None:
    """The file a path names at this moment; None where there is none. It is not opened."""
    stat = _stat(path)
    return None if stat is None else Identity(stat.st_dev, stat.st_ino)


@dataclass(frozen=True, slots=True)
class Departure:
    """What became of a database under its writer.

    Attributes
    ----------
    change
        ``deleted`` (no name is left), ``moved`` (it has another name, or may have).
    moved_to
        Its new name; None where that cannot be known.
    is_replaced
        Another file has its name.
    """

    change: Change
    moved_to: Path | None = None
    is_replaced: bool = False


class DatabaseFile:
    """The files of a database that its writer has opened. Any thread; nothing is opened or read.

    To open and close the file once more would set SQLite's locks on it free: POSIX has them so.

    Parameters
    ----------
    path
        Of the database; its writer has begun its log.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = {part: identity(part) for part in files_of(path)}
        self._most_bytes = 0

    def is_there(self) -> bool:
        """Whether the path still names the file."""
        return identity(self.path) == self._parts[self.path]

    def is_shrunk(self) -> bool:
        """Whether it became shorter, which the recorder never does: cut, or compacted by VACUUM."""
        stat = _stat(self.path)
        if stat is None or not self.is_there():
            return False
        is_shorter = stat.st_size < self._most_bytes
        self._most_bytes = stat.st_size
        return is_shorter

    def has_log(self) -> bool:
        """Whether its log and shared memory are what the writer has open, as far as it had them."""
        return all(
            opened is None or identity(part) == opened for part, opened in self._parts.items()
        )

    def departure(self) -> Departure:
        """Say what became of the file. Its writer still has it open."""
        is_replaced = identity(self.path) is not None
        opened = self._parts[self.path]
        for place in _open_files():
            if identity(place) == opened and (stat := _stat(place)) is not None:
                if stat.st_nlink == 0:
                    return Departure("deleted", None, is_replaced)
                return Departure("moved", self._name_of(place), is_replaced)
        return Departure("moved", None, is_replaced)

    def clear_log(self, moved_to: Path | None) -> None:
        """Take our log and shared memory away from the path: another file's is not ours to touch.

        SQLite would take the log for that of the next database under this path, and lay its pages
        over it. The log goes to the database it belongs to, where that is known.

        Raises
        ------
        OSError
            They cannot be moved or deleted.
        """
        for part, opened in self._parts.items():
            if part == self.path or opened is None or identity(part) != opened:
                continue
            suffix = part.name.removeprefix(self.path.name)
            target = None if moved_to is None else moved_to.with_name(moved_to.name + suffix)
            if suffix == "-wal" and target is not None and not target.exists():
                part.rename(target)
            else:
                part.unlink(missing_ok=True)

    def _name_of(self, place: Path) -> Path | None:
        """Name an open file has now; None where it is out of our sight."""
        try:
            name = place.readlink()
        except OSError:
            return None
        return name if identity(name) == self._parts[self.path] else None


def _open_files() -> list[Path]:
    try:
        return list(_OPEN_FILES.iterdir())
    except OSError:
        return []


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
