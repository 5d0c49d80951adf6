"""A file of closes is read within bounds, whatever it unpacks to, or refused in a line."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from pages.ui.scanner import files as scanner_files
from pages.ui.scanner.files import ClosesFileError, read_closes

ROW = b"2024-01-01T00:%02d:00,1.5,2.5\n"
CLOSES = b"time,A,B\n" + b"".join(ROW % minute for minute in range(60))


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [CLOSES, gzip.compress(CLOSES), zipped(a=CLOSES), b"\xef\xbb\xbf" + CLOSES],
    ids=["plain", "gzip", "zip", "BOM"],  # by themselves after their bytes, which hold the time
)
def test_closes_are_read_as_they_are_or_packed_whatever_the_name(content: bytes) -> None:
    closes = read_closes(io.BytesIO(content), "closes")
    assert list(closes.columns) == ["A", "B"]
    assert len(closes) == 60
    assert closes["B"].eq(2.5).all()


def test_closes_read_in_many_pieces_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal(100, 1, (500, 4)), columns=list("ABCD")).round(3)
    table.iloc[40:60, 1] = np.nan
    table.insert(0, "time", 1_700_000_000 + 60 * np.arange(500))
    table["note"] = ["x" if row == 450 else "" for row in range(500)]
    table["late"] = [str(row) if row < 300 else "n/k" for row in range(500)]
    text = table.to_csv(index=False).encode()
    whole = read_closes(io.BytesIO(text), "a.csv")
    monkeypatch.setattr(scanner_files, "_CELLS_A_PART", 100)
    monkeypatch.setattr(scanner_files, "_BUFFER_BYTES", 64)
    pieces = read_closes(io.BytesIO(text), "a.csv")
    # A column that is no number anywhere is no symbol, however it began.
    assert list(pieces.columns) == ["A", "B", "C", "D"]
    pd.testing.assert_frame_equal(pieces, whole)
    np.testing.assert_array_equal(pieces["B"].to_numpy(), table["B"].to_numpy())


def bomb(row: bytes, size: int, head: bytes = b"time,A,B\n") -> bytes:
    return gzip.compress(head + row * (size // len(row)), compresslevel=6)


REFUSED = {
    "the same row without end": (bomb(ROW % 1, 40 * 2**20), "unpacks to more than 200 times"),
    "line ends": (bomb(b"\n", 40 * 2**20, CLOSES), "unpacks to more than 200 times"),
    "a line without end": (bomb(b",", 2**20, CLOSES), "has a line of more than 262,144 bytes"),
    "a header without end": (b"time," + b"A," * 100_000, "columns"),
    "a first row without end": (b"time,A,B\n1" + b",1" * 3_000, "more cells than its header"),
    "a first row of quoted cells": (b'time,A,B\n"1","2","3","4"\n', "more cells than its header"),
    "a long row later": (CLOSES + b"1" + b",1" * 5_000, "no CSV of closes"),
    "two files": (zipped(a=CLOSES, b=CLOSES), "a zip of 2 files, needs one"),
    "cut short": (gzip.compress(CLOSES)[:-9], "damaged or cut short"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "is a picture"),
    "no UTF-8": (CLOSES + b"\xff\xfe,1,2\n", "no CSV of closes"),
    "no ISO time": (b"time,A,B\nMonday,1,2\nTuesday,1,2\n", "the column time holds no times"),
    "no time among ISO times": (CLOSES + b",1,2\n", "the column time lacks a time"),
    "no time in a row": (b"time,A,B\n1700000000,1,2\n,1,2\n", "holds no times"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_of_closes_beyond_its_bounds_is_refused_in_a_line(
    content: bytes, words: str
) -> None:
    with pytest.raises(ClosesFileError) as caught:
        read_closes(io.BytesIO(content), "closes.csv.gz")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "needs trades" not in str(caught.value)


def test_more_cells_than_can_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner_files, "MAX_CELLS", 100)
    monkeypatch.setattr(scanner_files, "_CELLS_A_PART", 30)
    with pytest.raises(ClosesFileError, match="more than 100 cells"):
        read_closes(io.BytesIO(CLOSES), "a.csv")


def test_more_text_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner_files, "MAX_TEXT_BYTES", 1_000)
    with pytest.raises(ClosesFileError, match="holds more than 1,000 bytes of text"):
        read_closes(io.BytesIO(gzip.compress(CLOSES)), "a.csv.gz")
