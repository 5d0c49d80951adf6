"""An import into the lake may be killed at any moment: nothing is lost, doubled or half there."""

from pathlib import Path

import pytest

from faults.children import MAY_FORK
from faults.history import lake_kills


@pytest.mark.skipif(not MAY_FORK, reason="a life is a fork")
def test_a_killed_import_leaves_whole_files_and_is_completed(tmp_path: Path) -> None:
    assert not lake_kills.kill_while_importing(tmp_path, kills=12, seed=1, rows=20_000).failures
