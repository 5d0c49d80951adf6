"""Fixtures of the pages' tests: a database and a data folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from ingest.settings import Settings, install_settings
from ingest.watch import Watch, install_watch
from pages.ui.desk import file_choice


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    install_settings(Settings())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The path of a database that this process was started with; not made yet."""
    path = tmp_path / "ticks.db"
    install_settings(Settings(db=path))
    return path


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(file_choice, "DATA_FOLDER", folder)
    return folder


@pytest.fixture
def watch(database: Path) -> Iterator[Watch]:
    """This process's watch; its board has what a test publishes, for no engine runs."""
    found = Watch(Settings(db=database), None)
    install_watch(found)
    yield found
    install_watch(None)
    found.stop()
