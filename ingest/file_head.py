"""The beginning of a file that a user chose: enough to see whether it holds trades."""

import io
from pathlib import Path

_HEAD_BYTES = 256 * 1024
_PACKED = b"\x1f\x8b"


def read_head(path: Path) -> io.BytesIO:
    """Read a file's beginning up to its last whole line (if it has one), under the file's name.

    A zip archive is read whole: its directory stands at its end.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(-1 if path.suffix.lower() == ".zip" else _HEAD_BYTES)
    if len(head) == _HEAD_BYTES and not head.startswith(_PACKED) and b"\n" in head:
        head = head[: head.rfind(b"\n") + 1]
    part = io.BytesIO(head)
    part.name = path.name
    return part
