"""Health of the database file: is it sound, on a local disk, with room to grow; copies of it."""

import ctypes
import os
import platform
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.errors import StoreError

WARN_FREE_BYTES = 1_000_000_000
PAUSE_FREE_BYTES = 200_000_000

# SQLite's locks and shared memory do not work across machines: WAL says so in its documentation.
_NETWORK_TYPES = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "9p"),
        *("afs", "ncpfs", "glusterfs", "ceph", "lustre", "fuse.sshfs", "fuse.rclone", "fuse.s3fs"),
    )
)
_DRIVE_REMOTE = 4  # GetDriveTypeW
_DAMAGE_CODES = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


@dataclass(frozen=True, slots=True)
class Damage:
    """A database that was set aside: what SQLite said, and where it is now."""

    reason: str
    moved_to: Path


def is_damage(error: BaseException) -> bool:
    """Whether a database error means that the file itself is damaged."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _DAMAGE_CODES


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found wrong, or None so far; and whether it came to its end."""

    damage: str | None = None
    was_finished: bool = True


def quick_check(path: Path, within_s: float = 5.0) -> Check:
    """Run SQLite's quick check on a database nobody has open.

    A check that takes longer than `within_s` is stopped: no damage was seen so far.
    """
    if not path.is_file():
        return Check()
    until_s = time.monotonic() + within_s
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > until_s, 10_000)
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return Check(was_finished=False)
        return Check(str(error) if is_damage(error) else None)
    return Check(None if answer == "ok" else str(answer).splitlines()[-1])


def remembered(path: Path) -> dict[str, str]:
    """Settings that a damaged database can still tell, without those about its own rows."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as connection:
            rows = connection.execute("SELECT key, value FROM setting").fetchall()
    except sqlite3.Error:
        return {}
    return without_own_rows(dict(rows))


def without_own_rows(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings that a new database may take over: not those that say what the old one holds."""
    about_rows = ("klines ", "gap klines ", "venue ")
    return {key: value for key, value in settings.items() if not key.startswith(about_rows)}


def set_aside(path: Path, reason: str, now: datetime | None = None) -> Damage:
    """Move a damaged database, with its -wal and -shm, to a name that says when.

    Nobody may have it open. Nothing is deleted.
    """
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S.%fZ")
    moved_to = path.with_name(f"{path.name}.damaged-{stamp}")
    for part in files_of(path):
        if part.exists():
            part.replace(moved_to.with_name(moved_to.name + part.name.removeprefix(path.name)))
    return Damage(reason, moved_to)


def files_of(path: Path) -> list[Path]:
    """A database's files, there or not: itself, its write-ahead log, its shared memory."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def refuse_network_filesystem(path: Path) -> None:
    """Raise `StoreError` where the database would lie on another machine's disk.

    Linux reads /proc/mounts, macOS asks `mount`, Windows asks for the drive's type (the last two
    are written from their documentation and were not tried).
    """
    filesystem = _filesystem_type(path.absolute().parent)
    if filesystem in _NETWORK_TYPES:
        raise StoreError(
            f"{path} lies on a network filesystem ({filesystem}), where SQLite's log does not work:"
            " choose a --db on a local disk"
        )


def network_type_in(mounts: str, folder: str) -> str:
    """Type of the filesystem that holds a folder, from the text of /proc/mounts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].encode().decode("unicode_escape")  # a space is written \\040
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def free_bytes(path: Path) -> int:
    """Free space on the disk that holds a path, for this user; its folder may be gone."""
    folder = path.absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def back_up(path: Path, target: Path) -> Path:
    """Write a compact copy by ``VACUUM INTO``, from a read-only connection.

    Recording goes on; the copy is the database as of one moment.

    Raises
    ------
    StoreError
        The target exists, or cannot be written; nothing is left there.
    """
    if target.exists():
        raise StoreError(f"{target} exists: a backup never overwrites")
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", (str(partial),))
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"no backup was made: {error}") from error
    return target


def _filesystem_type(folder: Path) -> str:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    system = platform.system()  # not sys.platform, which a type checker takes for a constant
    if system == "Linux":
        return network_type_in(
            Path("/proc/mounts").read_text(encoding="utf-8"), str(folder.resolve())
        )
    if system == "Windows":
        drive = os.path.splitdrive(folder.resolve())[0] + "\\"
        windows = getattr(ctypes, "windll")  # noqa: B009 - exists on Windows only
        remote = windows.kernel32.GetDriveTypeW(drive) == _DRIVE_REMOTE
        return "smb" if remote or drive.startswith("\\\\") else ""
    if system == "Darwin":
        return _macos_type(folder.resolve())
    return ""


def _macos_type(folder: Path) -> str:
    mounts = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=5, check=False)
    lines = []
    for line in mounts.stdout.splitlines():  # "<device> on <point> (<type>, <flags>)"
        device, _, rest = line.partition(" on ")
        point, _, flags = rest.rpartition(" (")
        lines.append(f"{device} {point} {flags.split(',')[0].rstrip(')')}")
    return network_type_in("\n".join(lines), str(folder))
