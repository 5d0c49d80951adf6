"""What identifies a file by its content: the same trades under another name are not read again."""

import hashlib
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.files import symbol_in_name

_PART_BYTES = 2**20
_MOST_KNOWN = 100


def content_of_path(path: Path) -> Hashable:
    """Identify a file of the data folder; it is read again only where time or size changed."""
    stat = path.stat()
    known = (str(path), stat.st_mtime_ns, stat.st_size)

    def digest() -> str:
        with path.open("rb") as file:
            return _digest(file)

    return _content(path.name, known, digest)


def content_of_upload(upload: UploadedFile) -> Hashable:
    """Identify an upload; it is looked through once, and not again at each run of the page."""

    def digest() -> str:
        try:
            return _digest(upload)
        finally:
            upload.seek(0)

    return _content(upload.name, ("upload", upload.file_id), digest)


def _content(name: str, known: Hashable, digest: Callable[[], str]) -> Hashable:
    digests = _known_digests()
    found = digests.get(known)
    if found is None:
        while len(digests) >= _MOST_KNOWN:
            digests.pop(next(iter(digests)), None)
        found = digests[known] = digest()
    # A dump's rows do not say their symbol: there the name is part of what is read.
    return found, symbol_in_name(name)


def _digest(file: BinaryIO) -> str:
    """Digest of a file, a part at a time: the whole of an upload would be copied."""
    digest = hashlib.blake2b(digest_size=16)
    while part := file.read(_PART_BYTES):
        digest.update(part)
    return digest.hexdigest()


@st.cache_resource
def _known_digests() -> dict[Hashable, str]:
    """Digests of files and uploads seen before, oldest first."""
    return {}
