"""A fetch of history that is killed again and again brings every row, and each of them once."""

import sys
from pathlib import Path

import pytest

from faults.history import fetch_kills


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process cannot go on in a fork")
def test_a_killed_fetch_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert not fetch_kills.kill_while_fetching(tmp_path, kills=20, seed=1).failures
