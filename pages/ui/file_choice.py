"""NDJSON File mode: the bundled sample, a file in `data/`, or an upload, read once and kept."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.files import read_ticks
from pages.ui.notices import Notice, show

DATA_FOLDER: Final = Path(__file__).resolve().parents[2] / "data"
SAMPLE_NAME: Final = "sample_ticks.ndjson.gz"
SUFFIXES: Final = ("ndjson", "jsonl", "json", "csv", "gz", "zip", "txt")
SAMPLE: Final = "Bundled sample (synthetic)"
UPLOAD: Final = "Upload a file"
MAX_KEPT: Final = 3


@dataclass(frozen=True)
class TickFile:
    """A file of ticks: its name, where to read it, and what identifies its content."""

    name: str
    content: Hashable
    source: Path | BinaryIO
    is_synthetic: bool


def choose_file() -> TickFile | None:
    """Choose the sample, a name in `data/`, or an upload; None until there is one."""
    names = file_names(DATA_FOLDER)
    chosen = st.sidebar.selectbox(
        "File", [SAMPLE, *names, UPLOAD], key="file", bind="query-params",
        help="Names are files in the project's data folder.",
    )  # fmt: skip
    if chosen == UPLOAD:
        return _uploaded()
    # Only a name that the folder listed: never a path of the visitor's making.
    name = SAMPLE_NAME if chosen == SAMPLE or chosen not in names else str(chosen)
    return _in_folder(DATA_FOLDER / name)


def file_names(folder: Path) -> list[str]:
    """List the names of tick files in a folder, without the bundled sample."""
    if not folder.is_dir():
        return []
    found = (path.name for path in folder.iterdir() if path.is_file())
    endings = tuple(f".{suffix}" for suffix in SUFFIXES)
    return sorted(n for n in found if n.lower().endswith(endings) and n != SAMPLE_NAME)


def _in_folder(path: Path) -> TickFile | None:
    if not path.is_file():
        show(Notice(f"{path.name} is not in the data folder", "Choose another file or upload one."))
        return None
    stat = path.stat()
    content = (path.name, stat.st_mtime_ns, stat.st_size)
    return TickFile(path.name, content, path, path.name == SAMPLE_NAME)


def _uploaded() -> TickFile | None:
    upload: UploadedFile | None = st.sidebar.file_uploader(
        "Ticks as NDJSON or CSV", type=list(SUFFIXES), key="upload"
    )
    if upload is None:
        show(
            Notice(
                "No file chosen yet", "Upload one in the sidebar, at most 300 MB.", is_fault=False
            )
        )
        return None
    digest = hashlib.blake2b(upload.getbuffer(), digest_size=16).hexdigest()
    upload.seek(0)
    return TickFile(upload.name, (upload.name, digest), upload, is_synthetic=False)


def load(file: TickFile) -> pd.DataFrame:
    """Return a file's ticks, read the first time with a progress bar.

    The frame is shared between sessions and never changed: a copy for each would cost memory.

    Raises
    ------
    IngestError
        The file cannot be read as ticks.
    """
    kept = _kept_files()
    ticks = kept.get(file.content)
    if ticks is None:
        ticks = _read(file)
        while len(kept) >= MAX_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[file.content] = ticks
    return ticks


@st.cache_resource
def _kept_files() -> dict[Hashable, pd.DataFrame]:
    """Ticks by content, oldest first. A plain cache would replay the progress bar at each hit."""
    return {}


def _read(file: TickFile) -> pd.DataFrame:
    place = st.empty()

    def progress(done: int, size: int) -> None:
        share = min(done / size, 1.0) if size else 1.0
        place.progress(share, f"Reading {file.name}: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB")

    try:
        return read_ticks(file.source, progress=progress)
    finally:
        place.empty()
