"""The database is deleted, renamed or replaced under the recorder: said, and nothing is lost."""

from pathlib import Path

import pytest

from faults import departure


@pytest.mark.parametrize("with_log", [False, True])
def test_a_deleted_database_is_begun_anew_with_all_that_came_since(
    tmp_path: Path, with_log: bool
) -> None:
    assert not departure.unlink(tmp_path, with_log=with_log, trades=100).failures


@pytest.mark.parametrize(
    "scenario",
    [
        departure.rename,
        departure.replace,
    ],
)
def test_another_database_is_recorded_into_and_nothing_is_lost(scenario, tmp_path: Path) -> None:
    assert not scenario(tmp_path, trades=100).failures


@pytest.mark.parametrize(
    "scenario",
    [
        departure.replace_by_other,
        departure.replace_by_other_venue,
        departure.emptied,
        departure.log_deleted,
    ],
)
def test_what_cannot_be_gone_on_with_is_said(scenario, tmp_path: Path) -> None:
    assert not scenario(tmp_path).failures
