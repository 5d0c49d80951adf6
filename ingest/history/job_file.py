"""Which jobs are under way, in a small file: after a kill the next process says what it cut off."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

_LOG: Final = logging.getLogger("pairdesk.history")

INTERRUPTED: Final = "was interrupted: start it again, it goes on where it was"


class UnfinishedJob(msgspec.Struct, frozen=True):
    """A job that was queued or running, as `Job` names its parts."""

    kind: str
    words: str
    request: str
    queued_us: int


def read_unfinished(path: Path) -> list[UnfinishedJob]:
    """Give the jobs that the last process left unfinished; none of a file that cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[UnfinishedJob])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        _LOG.warning("%s cannot be read (%s): interrupted jobs are not named", path, error)
        return []


def write_unfinished(path: Path, jobs: Sequence[UnfinishedJob]) -> None:
    """Write the list whole, or take its file away where it is empty; never a job's end."""
    try:
        if not jobs:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(msgspec.json.encode(list(jobs)))
        part.replace(path)
    except OSError as error:
        _LOG.warning("%s cannot be written (%s): a job cut off now is not named", path, error)
