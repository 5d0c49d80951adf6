"""NDJSON File mode: the bundled sample, a file in `data/`, or an upload, read once and kept."""

import dataclasses
import hashlib
import io
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from analytics.silence import RULE, Silence, recording_gaps
from ingest import installation
from ingest.errors import IngestError, SymbolNeededError
from ingest.files import read_ticks, symbol_in_name
from ingest.installation import tick_file
from pages.ui.desk import file_symbol
from pages.ui.desk.file_reading import Progress, Readings
from pages.ui.parts import formats, markup, plain
from pages.ui.parts.notices import Notice
from pages.ui.state import choices
from pages.ui.state.choices import SAMPLE, UPLOAD
from pages.ui.state.uploads import MOST_FILES, stored_uploads

DATA_FOLDER: Final = installation.DATA_FOLDER
SAMPLE_NAME: Final = installation.SAMPLE_NAME
SUFFIXES: Final = ("ndjson", "jsonl", "json", "csv", "gz", "zip", "txt")
# What reading may take of memory, of a file's bytes: rows and their frame; packed, of its text.
_NEED_PLAIN: Final = 2
_NEED_PACKED: Final = 30
_MOST_SILENCES: Final = 3
_UPLOADS_TAKEN: Final = "uploads_taken"
_BETWEEN_TOKENS: Final = "."


@dataclass(frozen=True)
class TickFile:
    """A file of ticks: its name, where to read it, and what identifies its content.

    `source` may be several files that are one data set; `symbol` is that of rows that name none.
    """

    name: str
    content: Hashable
    source: Path | BinaryIO | tuple[Path | BinaryIO, ...]
    is_synthetic: bool
    symbol: str | None = None


def joined(files: Sequence[TickFile]) -> TickFile:
    """Make several files one data set; the same content twice counts once."""
    known = {file.content: file for file in files}
    if len(known) == 1:
        return files[0]
    names = [file.name for file in known.values()]
    name = " and ".join(names) if len(names) == 2 else f"{names[0]} and {len(names) - 1} others"
    sources = tuple(s for file in known.values() for s in _sources(file))
    return TickFile(name, tuple(known), sources, is_synthetic=False)


def _sources(file: TickFile) -> tuple[Path | BinaryIO, ...]:
    return file.source if isinstance(file.source, tuple) else (file.source,)


def choose_file() -> TickFile | Notice:
    """Choose the sample, a name in `data/`, or an upload; the notice says why there is none.

    A file whose rows name no symbol has the reader type it.
    """
    file = _chosen()
    return file if isinstance(file, Notice) else _with_symbol(file)


def _with_symbol(file: TickFile) -> TickFile | Notice:
    try:
        load(file)
    except SymbolNeededError as error:
        symbol = file_symbol.ask_symbol(file.name, str(error))
        if isinstance(symbol, Notice):
            return symbol
        return dataclasses.replace(file, symbol=symbol, content=(file.content, symbol))
    except IngestError:
        return file  # said where the file is shown
    return file


def _chosen() -> TickFile | Notice:
    names = file_names(DATA_FOLDER)
    options = [SAMPLE, *names, UPLOAD]
    choices.recall("file", options)
    chosen = st.selectbox(
        "File", options, key="file", bind="query-params",
        help="Names are files in the data folder.",
    )  # fmt: skip
    if chosen == UPLOAD:
        return _uploaded()
    # Only a name that the folder listed: never a path of the visitor's making.
    name = SAMPLE_NAME if chosen == SAMPLE or chosen not in names else str(chosen)
    return _in_folder(tick_file(name, DATA_FOLDER))


def file_names(folder: Path) -> list[str]:
    """List the names of tick files in a folder, without the bundled sample."""
    if not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir() if path.is_file())
    endings = tuple(f".{suffix}" for suffix in SUFFIXES)
    return sorted(n for n in names if n.lower().endswith(endings) and n != SAMPLE_NAME)


def _in_folder(path: Path) -> TickFile | Notice:
    if not path.is_file():
        return Notice(f"{path.name} is not in the data folder", "Choose another or upload one.")
    return TickFile(path.name, content_of_path(path), path, path.name == SAMPLE_NAME)


def _uploaded() -> TickFile | Notice:
    """Take uploads, and show those that the link or the last upload names."""
    number = st.session_state.setdefault(_UPLOADS_TAKEN, 0)
    fresh: list[UploadedFile] = st.file_uploader(
        "Ticks as NDJSON or CSV", type=list(SUFFIXES), key=f"upload_{number}",
        accept_multiple_files=True,
        help="Several files chosen together are read as one: a dump for each symbol, say.",
    )  # fmt: skip
    if fresh:
        try:
            _take(fresh)
        except OSError as error:
            return Notice(
                f"The upload cannot be kept: {error.strerror or error}",
                "Make room on the server's disk.",
                offers_sample=True,
            )
    return _stored_upload()


def _take(fresh: Sequence[UploadedFile]) -> None:
    """Keep them on disk; the run begins anew with an empty uploader, which held them in memory."""
    uploads = [stored_uploads().keep(each.name, content_of_upload(each), each) for each in fresh]
    st.session_state[choices.UPLOAD_SHOWN] = _BETWEEN_TOKENS.join(each.token for each in uploads)
    st.session_state[_UPLOADS_TAKEN] += 1
    st.rerun()


def _stored_upload() -> TickFile | Notice:
    tokens = choices.upload_token()
    if not tokens:
        return Notice(
            "No file chosen yet", "Upload one in the sidebar, at most 300 MB.", is_fault=False,
            offers_sample=True,
        )  # fmt: skip
    stored = [stored_uploads().get(token) for token in tokens.split(_BETWEEN_TOKENS)]
    uploads = [each for each in stored if each is not None]
    if len(uploads) < len(stored):
        return Notice(
            "This upload is gone", f"The server keeps the newest {MOST_FILES} while it runs: "
            "upload the file again in the sidebar.", is_fault=False, offers_sample=True,
        )  # fmt: skip
    file = joined([
        TickFile(each.name, each.content, each.path, is_synthetic=False) for each in uploads
    ])  # fmt: skip
    caption = f"Shown: {file.name}, {formats.data_size(sum(each.size for each in uploads))}"
    markup.show(markup.block(markup.text(caption, "muted")))
    return file


def load(file: TickFile) -> pd.DataFrame:
    """Return a file's ticks, read the first time with a progress bar.

    The frame is shared between sessions and never changed: a copy for each would cost memory.

    Raises
    ------
    IngestError
        The file cannot be read as ticks.
    """
    place: list[DeltaGenerator] = []
    started_s = time.monotonic()

    def show(done: int, size: int) -> None:
        """Move the bar on; it is there only once there is something to show."""
        if not place:
            place.append(st.empty())
        share, text = _progress(file.name, done, size, time.monotonic() - started_s)
        place[0].progress(share, plain.text(text))

    try:
        ticks = _readings().get(file.content, _need_bytes(file), partial(_read, file), show)
    finally:
        if place:
            place[0].empty()
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
def _readings() -> Readings:
    return Readings()


def _read(file: TickFile, progress: Progress) -> pd.DataFrame:
    """Read a file; what it says of itself also names the silences that are no quiet market."""
    ticks = read_ticks(file.source, symbol=file.symbol, progress=progress)
    silences = recording_gaps(ticks)
    if silences:
        report = ticks.attrs["report"]
        notes = (*report.notes, *map(_silence_words, silences[:_MOST_SILENCES]))
        more = len(silences) - _MOST_SILENCES
        if more > 0:
            notes = (*notes, f"{more:,} more silences are missing")
        ticks.attrs["report"] = dataclasses.replace(report, notes=(*notes, RULE))
    return ticks


def _silence_words(silence: Silence) -> str:
    whose = "no symbol" if silence.symbol is None else f"no {silence.symbol}"
    span = f"{silence.start:%Y-%m-%d %H:%M:%S} to {silence.end:%Y-%m-%d %H:%M:%S} UTC"
    lasted_s = (silence.end - silence.start).total_seconds()
    return f"{whose} traded from {span} ({lasted_s:,.0f} s): missing, not quiet"


def _need_bytes(file: TickFile) -> int:
    def need(source: Path | BinaryIO) -> int:
        """Memory that a source takes, by its size and packing."""
        if isinstance(source, Path):
            return source.stat().st_size * _factor(source.name)
        return source.seek(0, io.SEEK_END) * _factor(str(getattr(source, "name", "")))

    return sum(map(need, _sources(file)))


def _factor(name: str) -> int:
    return _NEED_PACKED if name.lower().endswith((".gz", ".zip")) else _NEED_PLAIN


def _progress(name: str, done: int, size: int, took_s: float) -> tuple[float, str]:
    """Say how much of a file is read, and how long the rest will take."""
    share = min(done / size, 1.0) if size else 1.0
    text = f"Reading {name}: {formats.data_size(done)} of {formats.data_size(size)}"
    if took_s > 0.5 and share > 0:
        text = f"{text}, about {formats.age(took_s * (1 - share) / share)} left"
    return share, text


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
    content = digests.get(known)
    if content is None:
        while len(digests) >= _MOST_KNOWN:
            digests.pop(next(iter(digests)), None)
        content = digests[known] = digest()
    # A dump's rows do not say their symbol: there the name is part of what is read.
    return content, symbol_in_name(name)


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
