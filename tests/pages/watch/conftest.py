"""The fixtures of the Watch page's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.fixtures import data_folder, database, fresh_caches

from ingest.settings import Settings
from ingest.watch import Watch, install_watch

__all__ = ["data_folder", "database", "fresh_caches", "watch"]


@pytest.fixture
def watch(database: Path) -> Iterator[Watch]:
    """This process's watch; its board has what a test publishes, for no engine runs."""
    found = Watch(Settings(db=database), None)
    install_watch(found)
    yield found
    install_watch(None)
    found.stop()
