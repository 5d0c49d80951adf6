"""Closes from a CSV file: a time column, and a column of closes for each symbol."""

import csv
import hashlib
import io
from collections.abc import Hashable, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from analytics.frames import utc_index
from ingest.errors import FileError, IngestError
from ingest.files import WANTED, FileSource, FileText, TextStream
from ingest.installation import tick_file
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile
from pages.ui.parts import formats
from pages.ui.parts.notices import Notice, show
from pages.ui.state.choices import SAMPLE

UPLOAD: Final = "Upload a file"
MAX_SYMBOLS: Final = 1_000
MAX_TEXT_BYTES: Final = 512 * 2**20
MAX_CELLS: Final = 60_000_000
LONGEST_NAME: Final = 40  # letters of a column's name
WIDER_ROW: Final = "its first row has more cells than its header"
_MAX_COLUMNS: Final = 2 * MAX_SYMBOLS
_CELLS_A_PART: Final = 1_000_000
_BUFFER_BYTES: Final = 2**18
_TIME_NAMES: Final = ("time", "timestamp", "date", "open_time", "ts")
# Below each of these a whole number counts seconds, milliseconds, microseconds since 1970.
_MAGNITUDES: Final = ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1))


class ClosesFileError(IngestError):
    """A file that cannot be read as closes, with the reason in a user's words."""


def read_closes(source: Path | BinaryIO, name: str) -> pd.DataFrame:
    """Read closes of many symbols.

    Parameters
    ----------
    source
        CSV, also compressed by gzip or zip. The first column, or one named time, timestamp, date,
        open_time or ts (an ending such as _ms may follow), is when each bar opens: seconds,
        milliseconds or microseconds since 1970, or ISO 8601, taken as UTC where no zone is said.
        Each other column of numbers is a symbol.
    name
        Of the file, for messages.

    Returns
    -------
    DataFrame
        UTC index ``time``, sorted; a column a symbol, NaN where a field is empty.

    Raises
    ------
    ClosesFileError
        No CSV, no time, fewer than two columns of numbers, repeated times, too much of it.
    """
    table = _Table(name)
    try:
        with FileSource(source, max_bytes=MAX_TEXT_BYTES) as file:
            table.read(_only_text(file))
    except (ValueError, OverflowError, FileError) as error:
        cause = " ".join(str(error).partition(f": {WANTED}")[0].split())
        raise ClosesFileError(f"{name} is no CSV of closes: {cause}") from error
    column, closes = table.time_column, table.closes()
    if len(closes.columns) < 2 or len(closes.columns) > MAX_SYMBOLS:
        raise ClosesFileError(
            f"{name} has {len(closes.columns)} columns of numbers beside {column}: "
            f"2 to {MAX_SYMBOLS:,} symbols can be scanned"
        )
    closes = closes.sort_index()
    if closes.index.has_duplicates:
        twice = closes.index[closes.index.duplicated()][0]
        raise ClosesFileError(f"{name} has more than one row at {twice}")
    return closes.astype("float64")


def _only_text(file: FileSource) -> FileText:
    if len(file.members) > 1:
        raise FileError(f"it is a zip of {len(file.members)} files, needs one")
    return file.text(0)


class _Table:
    """A CSV of closes, read a bounded piece at a time."""

    def __init__(self, name: str) -> None:
        self.time_column = ""
        self._name = name
        self._parts: list[pd.DataFrame] = []
        self._columns: list[str] = []  # of numbers, in all parts so far

    def read(self, text: FileText) -> None:
        """Take the numbers of a text in; FileError for one that is no table or too large."""
        width = self._width(text)
        stream = io.BufferedReader(TextStream(text), _BUFFER_BYTES)
        cells, rows_a_part = 0, max(_CELLS_A_PART // width, 1)
        with pd.read_csv(stream, chunksize=rows_a_part, low_memory=False) as parts:
            for part in parts:
                if not isinstance(part.index, pd.RangeIndex):
                    # Cells beyond the header's are taken for names of rows.
                    raise FileError(WIDER_ROW)
                cells += part.size
                if cells > MAX_CELLS:
                    raise FileError(f"it holds more than {MAX_CELLS:,} cells: split it")
                self._add(part)
        if text.damage:
            raise FileError(text.damage)

    def closes(self) -> pd.DataFrame:
        """Columns of numbers by time, in the order of the file."""
        joined = pd.concat([part[self._columns] for part in self._parts])
        joined.columns = pd.Index([formats.clipped(name, LONGEST_NAME) for name in self._columns])
        if joined.columns.has_duplicates:
            raise FileError(f"two of its columns begin with the same {LONGEST_NAME} letters")
        return joined

    def _width(self, text: FileText) -> int:
        """Columns of the first line, which decide what a row may hold."""
        head = csv.reader(io.StringIO(text.head.decode("utf-8", "replace"), newline=""))
        try:
            rows = list(islice(filter(None, head), 2))
        except csv.Error as error:
            raise FileError(f"its first lines cannot be read: {error}") from None
        width = len(rows[0]) if rows else 0
        if width < 3 or len(rows) < 2:
            raise ClosesFileError(
                f"{self._name} needs a time column and at least two columns of closes, had "
                f"{width} columns and {max(len(rows) - 1, 0)} rows"
            )
        if width > _MAX_COLUMNS:
            raise FileError(f"it has more than {_MAX_COLUMNS:,} columns")
        if len(rows[1]) > width:
            raise FileError(WIDER_ROW)
        return width

    def _add(self, part: pd.DataFrame) -> None:
        if not self._parts:
            self.time_column = _time_column(part.columns)
        numbers = part.drop(columns=self.time_column).select_dtypes("number")
        candidates = self._columns if self._parts else list(numbers.columns)
        self._columns = [column for column in candidates if column in numbers]
        index = utc_index(_times_us(part[self.time_column], self._name))
        self._parts.append(numbers[self._columns].set_axis(index, axis=0))


def _time_column(columns: pd.Index) -> str:
    for name in columns:
        if str(name).lower().removesuffix("_ms").removesuffix("_us") in _TIME_NAMES:
            return str(name)
    return str(columns[0])


def _times_us(times: pd.Series, name: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(times):
        numbers = times.to_numpy(dtype=np.float64, na_value=np.nan)
        largest = np.abs(numbers).max()  # NaN is below no limit
        scale = next((scale for limit, scale in _MAGNITUDES if largest < limit), None)
        if scale is not None:
            return np.asarray(np.rint(numbers * scale), dtype=np.int64)
        raise ClosesFileError(f"{name}: the column {times.name} holds no times")
    try:
        texts = times.astype("str")
        stamps = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format="ISO8601"))
    except (ValueError, TypeError) as error:
        cause = str(error).partition("\n")[0]
        raise ClosesFileError(f"{name}: the column {times.name} holds no times: {cause}") from error
    if stamps.hasnans:
        raise ClosesFileError(f"{name}: the column {times.name} lacks a time")
    return stamps.as_unit("us").asi8


def choose_closes() -> tuple[str, Hashable, pd.DataFrame] | None:
    """Choose a file of closes in `data/`, or upload one; None until there is one."""
    names = [
        name
        for name in file_choice.file_names(file_choice.DATA_FOLDER)
        if name.lower().endswith((".csv", ".csv.gz", ".csv.zip"))
    ]
    chosen = st.selectbox(
        "File of closes", [*names, UPLOAD], key="scan_file", bind="query-params",
        help="Names are CSV files in the data folder.",
    )  # fmt: skip
    if chosen in names:
        path = file_choice.DATA_FOLDER / str(chosen)
        known = _identity(path)
        return path.name, known, _cached_closes(path, path.name, known)
    upload: UploadedFile | None = st.file_uploader(
        "Closes as CSV", type=["csv", "gz", "zip"], key="scan_upload"
    )
    if upload is None:
        show(Notice(
            "No file of closes chosen yet",
            "Upload a CSV above: a time column, then a column of closes for each symbol.",
            is_fault=False,
        ))  # fmt: skip
        return None
    content = _digest(upload)
    return upload.name, content, _cached_closes(upload, upload.name, content)


@st.cache_resource(max_entries=3, show_spinner="Reading closes")
def _cached_closes(_source: Path | BinaryIO, name: str, content: Hashable) -> pd.DataFrame:  # noqa: ARG001
    return read_closes(_source, name)


def _identity(path: Path) -> Hashable:
    stat = path.stat()
    return path.name, stat.st_mtime_ns, stat.st_size


def _digest(upload: UploadedFile) -> tuple[str, str]:
    digest = hashlib.blake2b(upload.getbuffer(), digest_size=16).hexdigest()
    upload.seek(0)
    return upload.name, digest


def choose_tick_files() -> Sequence[TickFile]:
    """Choose one or more tick files; none until there are some."""
    names = [SAMPLE, *file_choice.file_names(file_choice.DATA_FOLDER)]
    chosen = st.multiselect(
        "Tick files", names, [SAMPLE], key="scan_tick_files",
        help="The bundled sample, and files in the data folder.",
    )  # fmt: skip
    uploads = st.file_uploader(
        "More tick files", type=list(file_choice.SUFFIXES), accept_multiple_files=True,
        key="scan_tick_uploads",
    )  # fmt: skip
    files = []
    for name in chosen:
        real = file_choice.SAMPLE_NAME if name == SAMPLE else str(name)
        path = tick_file(real, file_choice.DATA_FOLDER)
        files.append(TickFile(real, _identity(path), path, real == file_choice.SAMPLE_NAME))
    files += [TickFile(each.name, _digest(each), each, is_synthetic=False) for each in uploads]
    if not files:
        show(Notice(
            "No tick file chosen yet", "Choose the bundled sample or other files above.",
            is_fault=False,
        ))  # fmt: skip
    return files
