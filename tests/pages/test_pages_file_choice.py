"""A file is read once by its content, whatever it is called, and told by the name it has now."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from ingest.files import read_ticks
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile, content_of_path, content_of_upload, load
from pages.ui.desk.file_reading import MAX_FRAMES

ROW = '{"symbol":"BTCUSDT","ts":"2025-12-16T13:41:38.698Z","price":%d,"size":1}\n'


def upload(name: str, text: str, file_id: str) -> UploadedFile:
    from streamlit.proto.Common_pb2 import FileURLs

    return UploadedFile(UploadedFileRec(file_id, name, "text/plain", text.encode()), FileURLs())


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    original = read_ticks

    def counted(source: Any, **options: Any) -> pd.DataFrame:
        found.append(str(getattr(source, "name", source)))
        return original(source, **options)

    monkeypatch.setattr(file_choice, "read_ticks", counted)
    file_choice._readings().clear()
    file_choice._known_digests().clear()
    return found


def chosen(path: Path) -> TickFile:
    return TickFile(path.name, content_of_path(path), path, is_synthetic=False)


def test_the_same_content_under_another_name_is_not_read_again(
    tmp_path: Path, reads: list[str]
) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    for path in (first, second):
        path.write_text(ROW % 5)
    sent = upload("c.ndjson", ROW % 5, "1")
    files = [chosen(first), chosen(second)]
    files.append(TickFile(sent.name, content_of_upload(sent), sent, is_synthetic=False))
    frames = [load(file) for file in files]
    assert len(reads) == 1
    assert [frame.attrs["report"].name for frame in frames] == ["a.ndjson", "b.ndjson", "c.ndjson"]
    assert all(frame["price"].tolist() == [5.0] for frame in frames)


def test_other_content_under_the_same_name_is_read(tmp_path: Path, reads: list[str]) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(ROW % 5)
    load(chosen(path))
    path.write_text(ROW % 66)
    assert load(chosen(path))["price"].tolist() == [66.0]
    assert len(reads) == 2


def test_the_name_counts_where_it_tells_the_symbol() -> None:
    text = "60,87162.00,0.003,20,21,1765892498698,True,True\n"
    names = ("BTCUSDT-aggTrades-2025.csv", "ETHUSDT-aggTrades-2025.csv", "BTCUSDT-aggTrades-9.csv")
    one, other, same = (content_of_upload(upload(name, text, name)) for name in names)
    assert one != other
    assert one == same


def test_an_upload_is_looked_through_once_and_stands_at_its_beginning(reads: list[str]) -> None:
    sent = upload("a.ndjson", ROW % 5, "7")
    content = content_of_upload(sent)
    assert sent.tell() == 0
    again = upload("a.ndjson", ROW % 5, "7")
    again.read = None  # type: ignore[method-assign, assignment]
    assert content_of_upload(again) == content


def test_no_more_frames_are_kept_than_said(reads: list[str]) -> None:
    for number in range(MAX_FRAMES + 3):
        sent = upload("a.ndjson", ROW % (number + 1), str(number))
        load(TickFile(sent.name, content_of_upload(sent), io.BytesIO(sent.getvalue()), False))
    assert len(file_choice._readings()) == MAX_FRAMES
