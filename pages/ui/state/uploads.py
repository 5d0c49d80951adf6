"""Uploads, kept while the server lives: a reload and a copied link show the same file.

Whoever has the token in a link sees the file; nobody guesses one. They lie in a folder of this
process that goes with it, as many and as large together as said here: the oldest goes first.
"""

import re
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import streamlit as st

MOST_FILES: Final = 8
MOST_BYTES: Final = 1_000_000_000
_PART_BYTES: Final = 2**20
_LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class Upload:
    """A kept file: its token, the reader's name for it, its content's identity, where it lies."""

    token: str
    name: str
    content: Hashable
    path: Path
    size: int

    def is_of(self, name: str, content: Hashable) -> bool:
        """Whether it is that content under that name."""
        return (self.name, self.content) == (name, content)


class Uploads:
    """Kept uploads, the oldest first; any thread may call.

    Parameters
    ----------
    most_files, most_bytes
        No more are kept; the newest one always is.
    """

    def __init__(self, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self._most_files, self._most_bytes = most_files, most_bytes
        self._folder = Path(tempfile.mkdtemp(prefix="pairdesk-uploads-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._writing = threading.Lock()  # taken first: who only reads does not wait for a copy
        self._lock = threading.Lock()
        self._by_token: dict[str, Upload] = {}

    def keep(self, name: str, content: Hashable, file: BinaryIO) -> Upload:
        """Keep a file, from its beginning; the same content under the same name is kept once.

        Raises
        ------
        OSError
            There is no room for it.
        """
        with self._writing:
            with self._lock:
                same = (each for each in self._by_token.values() if each.is_of(name, content))
                upload = next(same, None)
            upload = upload or self._write(name, content, file)
            with self._lock:
                self._by_token[upload.token] = self._by_token.pop(upload.token, upload)
                self._make_room()
            return upload

    def get(self, token: str) -> Upload | None:
        """Return the upload of a token; None where there is none, or none any more."""
        with self._lock:
            return self._by_token.get(token)

    def _write(self, name: str, content: Hashable, file: BinaryIO) -> Upload:
        token = secrets.token_urlsafe(16)
        # Under its own name, which tells a dump's symbol and stands in what is said of the file.
        path = self._folder / token / _plain(name)
        path.parent.mkdir()
        file.seek(0)
        try:
            with path.open("wb") as target:
                shutil.copyfileobj(file, target, _PART_BYTES)
        except OSError:
            shutil.rmtree(path.parent, ignore_errors=True)
            raise
        return Upload(token, name, content, path, path.stat().st_size)

    def _make_room(self) -> None:
        while len(self._by_token) > 1 and (
            len(self._by_token) > self._most_files
            or sum(each.size for each in self._by_token.values()) > self._most_bytes
        ):
            oldest = self._by_token.pop(next(iter(self._by_token)))
            shutil.rmtree(oldest.path.parent, ignore_errors=True)


def _plain(name: str) -> str:
    """A name that any file system takes, whatever the reader's machine called the file."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".")[-_LONGEST_NAME:] or "upload"


@st.cache_resource
def stored_uploads() -> Uploads:
    """Return the uploads of this process."""
    return Uploads()
