"""Days move to the lake though processes die: no trade is lost, and none is there twice."""

from pathlib import Path

import pytest

from faults.children import MAY_FORK
from faults.history.move_kills import kill_while_moving


@pytest.mark.skipif(not MAY_FORK, reason="a life is a fork")
def test_a_killed_process_loses_no_trade_on_its_way_to_the_lake(tmp_path: Path) -> None:
    assert not kill_while_moving(tmp_path, kills=15, seed=1).failures
