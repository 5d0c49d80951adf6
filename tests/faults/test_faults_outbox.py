"""Alerts go out though processes die and receivers fail: none lost, none twice unsaid."""

from pathlib import Path

import pytest

from faults import outbox
from faults.children import MAY_FORK


@pytest.mark.skipif(not MAY_FORK, reason="a life is a fork")
def test_a_killed_process_loses_no_alert_and_doubles_none_unsaid(tmp_path: Path) -> None:
    assert not outbox.kill_while_sending(tmp_path, kills=15, seed=1).failures


@pytest.mark.timeout(300)
@pytest.mark.skipif(not MAY_FORK, reason="a life is a fork")
def test_a_killed_watch_tells_what_an_unbroken_one_does(tmp_path: Path) -> None:
    assert not outbox.kill_while_watching(tmp_path, kills=6, seed=1).failures


def test_receivers_that_fail_for_a_while_get_all_of_it_in_order(tmp_path: Path) -> None:
    result = outbox.receivers_down(tmp_path, for_s=2.0, alerts=20, limit_s=1.0)
    assert not result.failures
