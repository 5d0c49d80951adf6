"""Uploads that outlive a visit: kept once by content, bounded, gone with their token."""

import io
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st
from desk.script_page import run_page, said, shown, ticks_of, write_ndjson

from pages.ui.state import choices
from pages.ui.state.uploads import Upload, Uploads


def test_the_same_file_is_kept_once_and_another_name_is_another() -> None:
    kept = Uploads()
    first = kept.keep("a.ndjson", "content", io.BytesIO(b"rows"))
    assert kept.keep("a.ndjson", "content", io.BytesIO(b"rows")) == first
    other = kept.keep("b.ndjson", "content", io.BytesIO(b"rows"))
    assert other.token != first.token
    assert kept.get(first.token) == first
    assert first.path.read_bytes() == b"rows"
    assert kept.get("guessed") is None


def test_the_oldest_goes_where_there_are_too_many_or_too_much_and_the_newest_stays() -> None:
    kept = Uploads(most_files=3, most_bytes=100)
    small = [kept.keep(f"{n}.csv", n, io.BytesIO(b"1234567890")) for n in range(4)]
    assert [kept.get(each.token) is not None for each in small] == [False, True, True, True]
    assert not small[0].path.exists()
    large = kept.keep("large.csv", "large", io.BytesIO(b"x" * 200))
    assert kept.get(large.token) == large
    assert all(kept.get(each.token) is None for each in small)


class Asking(io.BytesIO):
    """A file that asks for another upload while it is copied."""

    def __init__(self, ask: Callable[[], Upload | None]) -> None:
        super().__init__(b"rows")
        self.ask = ask
        self.answers: list[Upload | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        with ThreadPoolExecutor(1) as beside:
            self.answers.append(beside.submit(self.ask).result(timeout=10))
        return super().read(size)


def test_a_copy_under_way_holds_no_reader_up() -> None:
    kept = Uploads()
    small = kept.keep("a", "a", io.BytesIO(b"1"))
    large = Asking(lambda: kept.get(small.token))
    kept.keep("b", "b", large)
    assert large.answers[0] == small


def test_one_that_comes_again_is_the_newest() -> None:
    kept = Uploads(most_files=2)
    first, second = (kept.keep(name, name, io.BytesIO(b"1")) for name in ("a", "b"))
    kept.keep("a", "a", io.BytesIO(b"1"))
    kept.keep("c", "c", io.BytesIO(b"1"))
    assert kept.get(first.token) is not None
    assert kept.get(second.token) is None


@pytest.mark.parametrize("name", ["../../x.csv", "..", "", "a\x00b/c.csv", "𝔁" * 5_000, "é ü.csv"])
def test_a_name_leads_nowhere_else(name: str) -> None:
    kept = Uploads()
    found = kept.keep(name, "content", io.BytesIO(b"rows"))
    assert found.name == name
    assert found.path.parent.name == found.token
    assert found.path.read_bytes() == b"rows"


def test_a_disk_that_takes_no_more_leaves_nothing_behind(monkeypatch) -> None:
    kept = Uploads()
    before = kept.keep("a", "a", io.BytesIO(b"1"))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", refuse)
    with pytest.raises(OSError, match="No space"):
        kept.keep("b", "b", io.BytesIO(b"2"))
    assert list(before.path.parent.parent.iterdir()) == [before.path.parent]


def write_pair(path: Path) -> bytes:
    write_ndjson(path, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    return path.read_bytes()


def test_a_reload_and_another_visitor_with_the_link_see_the_upload(
    project_root, database, data_folder, tmp_path
):
    page = run_page(project_root, mode=choices.FILE, file=choices.UPLOAD)
    page.file_uploader[0].upload("mine.ndjson", write_pair(tmp_path / "mine.ndjson")).run()
    assert "400 of 400 rows kept" in shown(page)
    token = page.session_state[choices.UPLOAD_SHOWN]
    link = {"mode": choices.FILE, "file": choices.UPLOAD, choices.UPLOAD_KEY: token}
    again = run_page(project_root, **link)
    assert "NDJSON file: mine.ndjson" in shown(again)
    assert again.selectbox(key="file_s1").value == "BTCUSDT"
    assert "mine.ndjson" not in shown(run_page(project_root, **{**link, "upload": "guessed"}))


def test_an_upload_that_is_gone_is_one_line_and_the_uploader(project_root, database, data_folder):
    link = {"mode": choices.FILE, "file": choices.UPLOAD, choices.UPLOAD_KEY: "gone"}
    page = run_page(project_root, **link)
    assert "This upload is gone" in said(page)
    assert len(page.info) + len(page.error) == 1
    assert len(page.file_uploader) == 1


def test_a_bare_visit_after_an_upload_shows_the_database(
    project_root, database, data_folder, tmp_path
):
    outside = dict(st.session_state)  # of no session: whatever ran before in this process
    page = run_page(project_root, mode=choices.FILE, file=choices.UPLOAD)
    page.file_uploader[0].upload("mine.ndjson", write_pair(tmp_path / "mine.ndjson")).run()
    page.number_input(key="window").set_value(25).run()
    again = run_page(project_root)
    assert again.radio(key="mode").value == choices.LIVE
    assert again.number_input(key="window").value == 25
    assert dict(st.session_state) == outside
