"""NDJSON File mode: the bundled sample, a file in `data/`, or an upload, read once and kept."""

import dataclasses
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.files import read_ticks
from pages.ui import choices, formats, markup
from pages.ui.choices import SAMPLE, UPLOAD
from pages.ui.file_content import content_of_path, content_of_upload
from pages.ui.notices import Notice
from pages.ui.uploads import MOST_FILES, kept_uploads

DATA_FOLDER: Final = Path(__file__).resolve().parents[2] / "data"
SAMPLE_NAME: Final = "sample_ticks.ndjson.gz"
SUFFIXES: Final = ("ndjson", "jsonl", "json", "csv", "gz", "zip", "txt")
MAX_KEPT: Final = 3
_UPLOADS_TAKEN: Final = "uploads_taken"
_READING: Final = threading.Lock()  # one file at a time: two large ones would be twice the memory


@dataclass(frozen=True)
class TickFile:
    """A file of ticks: its name, where to read it, and what identifies its content."""

    name: str
    content: Hashable
    source: Path | BinaryIO
    is_synthetic: bool


def choose_file() -> TickFile | Notice:
    """Choose the sample, a name in `data/`, or an upload; the notice says why there is none."""
    names = file_names(DATA_FOLDER)
    options = [SAMPLE, *names, UPLOAD]
    choices.recall("file", options)
    chosen = st.selectbox(
        "File", options, key="file", bind="query-params",
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


def _in_folder(path: Path) -> TickFile | Notice:
    if not path.is_file():
        return Notice(f"{path.name} is not in the data folder", "Choose another or upload one.")
    return TickFile(path.name, content_of_path(path), path, path.name == SAMPLE_NAME)


def _uploaded() -> TickFile | Notice:
    """Take an upload, and show the one that the link or the last upload names."""
    number = st.session_state.setdefault(_UPLOADS_TAKEN, 0)
    fresh: UploadedFile | None = st.file_uploader(
        "Ticks as NDJSON or CSV", type=list(SUFFIXES), key=f"upload_{number}"
    )
    if fresh is not None:
        try:
            _take(fresh)
        except OSError as error:
            return Notice(
                f"{fresh.name} cannot be kept: {error.strerror}", "Make room on the server's disk.",
                offers_sample=True,
            )  # fmt: skip
    return _kept_upload()


def _take(fresh: UploadedFile) -> None:
    """Keep it on disk; the run begins anew with an empty uploader, which held it in memory."""
    kept = kept_uploads().keep(fresh.name, content_of_upload(fresh), fresh)
    st.session_state[choices.UPLOAD_SHOWN] = kept.token
    st.session_state[_UPLOADS_TAKEN] += 1
    st.rerun()


def _kept_upload() -> TickFile | Notice:
    token = choices.upload_token()
    if not token:
        return Notice(
            "No file chosen yet", "Upload one in the sidebar, at most 300 MB.", is_fault=False,
            offers_sample=True,
        )  # fmt: skip
    kept = kept_uploads().get(token)
    if kept is None:
        return Notice(
            "This upload is gone", f"The server keeps the newest {MOST_FILES} while it runs: "
            "upload the file again in the sidebar.", is_fault=False, offers_sample=True,
        )  # fmt: skip
    told = f"Shown: {kept.name}, {formats.data_size(kept.size)}"
    st.html(markup.block(markup.text(told, "muted")))
    return TickFile(kept.name, kept.content, kept.path, is_synthetic=False)


def load(file: TickFile) -> pd.DataFrame:
    """Return a file's ticks, read the first time with a progress bar.

    The frame is shared between sessions and never changed: a copy for each would cost memory.

    Raises
    ------
    IngestError
        The file cannot be read as ticks.
    """
    kept = _kept_files()
    with _READING:
        ticks = kept.get(file.content)
        if ticks is None:
            ticks = _read(file)
            while len(kept) >= MAX_KEPT:
                kept.pop(next(iter(kept)), None)
            kept[file.content] = ticks
    return _named(ticks, file.name)


def _named(ticks: pd.DataFrame, name: str) -> pd.DataFrame:
    """Give the same ticks with a report of this name: they may have been read under another."""
    report = ticks.attrs["report"]
    if report.name == name:
        return ticks
    named = ticks.copy(deep=False)
    named.attrs = {**ticks.attrs, "report": dataclasses.replace(report, name=name)}
    return named


@st.cache_resource
def _kept_files() -> dict[Hashable, pd.DataFrame]:
    """Ticks by content, oldest first. A plain cache would replay the progress bar at each hit."""
    return {}


def _read(file: TickFile) -> pd.DataFrame:
    place, started_s = st.empty(), time.monotonic()

    def progress(done: int, size: int) -> None:
        place.progress(*_progress(file.name, done, size, time.monotonic() - started_s))

    try:
        return read_ticks(file.source, progress=progress)
    finally:
        place.empty()


def _progress(name: str, done: int, size: int, took_s: float) -> tuple[float, str]:
    """Say how much of a file is read, and how long the rest will take."""
    share = min(done / size, 1.0) if size else 1.0
    told = f"Reading {name}: {formats.data_size(done)} of {formats.data_size(size)}"
    if took_s > 0.5 and share > 0:
        told = f"{told}, about {formats.age(took_s * (1 - share) / share)} left"
    return share, told
