"""What has to be so before a recorder begins: the lock is ours, and the database is sound."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ingest.errors import RecorderError, StoreError
from ingest.settings import Settings
from ingest.store.health.database_health import (
    Check,
    Damage,
    quick_check,
    refuse_network_filesystem,
    remembered,
    set_aside,
)
from ingest.store.writer import TickWriter

_LOG: Final = logging.getLogger("pairdesk.store")

CHECK_WITHIN_S = 5.0  # a check that takes longer would keep the recorder from the market
_CHECK_BEFORE_S = 0.5


@dataclass(frozen=True, slots=True)
class Opening:
    """What became of a database at the start.

    Attributes
    ----------
    damage
        It was damaged, and is set aside; None otherwise.
    was_checked
        To its end: False where the check took too long.
    settings
        What a damaged one could still tell, for the new one to remember.
    """

    damage: Damage | None = None
    was_checked: bool = True
    settings: dict[str, str] = field(default_factory=dict)


def lock_database(path: Path) -> FileLock:
    """Take the lock file beside the database; held until the recorder stops or its process ends."""
    # Not of one thread: the writing one takes it anew where the database was deleted under it.
    lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
    take_lock(lock, path)
    return lock


def take_lock(lock: FileLock, path: Path) -> None:
    """Take a database's lock; anew where it is held, since its file may have been deleted.

    Raises
    ------
    RecorderError
        Another recorder has it, or the folder cannot be written.
    """
    try:
        lock.release(force=True)
        refuse_network_filesystem(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RecorderError(
            f"another recorder is writing {path}: stop it, or choose another --db"
        ) from error
    except OSError as error:
        raise RecorderError(f"cannot write beside {path}: {error.strerror}") from error


def check_start(settings: Settings) -> None:
    """Raise what a recorder with these options would raise at its start, one line; else nothing."""
    lock = lock_database(settings.db)
    try:
        if _check(settings.db, within_s=_CHECK_BEFORE_S).damage is None:
            TickWriter(settings.db).close()
    finally:
        lock.release()


def make_sound(path: Path) -> Opening:
    """Set a damaged database aside. Its lock is held, and nobody has it open."""
    check = _check(path, within_s=CHECK_WITHIN_S)
    if check.damage is None:
        return Opening(was_checked=check.was_finished)
    settings = remembered(path)
    damage = set_aside(path, check.damage)
    _LOG.warning("%s is damaged (%s): set aside", path, check.damage)
    return Opening(damage, settings=settings)


def _check(path: Path, within_s: float) -> Check:
    """Check our database; a file that is not ours raises, and is left as it is."""
    check = quick_check(path, within_s)
    ours = path.with_name(path.name + "-wal").exists()
    if check.damage is not None and "not a database" in check.damage and not ours:
        raise StoreError(f"{path} is not a database: choose another --db, or move it away")
    return check
