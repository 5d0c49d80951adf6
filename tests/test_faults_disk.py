"""The database refuses, is damaged, held or stalled: nothing stored is lost, all else is known."""

from pathlib import Path

import fault_disk
import fault_process
import fault_storage
import pytest


def test_any_statement_of_the_writer_may_fail_and_nothing_is_lost_or_doubled() -> None:
    result = fault_disk.fail_at_every_write(seed=1, sampled=True)
    assert not result.failures


def test_a_full_database_stores_everything_once_there_is_room(tmp_path: Path) -> None:
    assert not fault_storage.full_database(tmp_path).failures


def test_a_damaged_log_opens_to_an_exact_batch_prefix(tmp_path: Path) -> None:
    assert not fault_storage.damaged_log(tmp_path, seeds=range(1, 51)).failures


def test_what_a_damaged_log_cost_comes_back_from_the_exchange(tmp_path: Path) -> None:
    assert not fault_process.damaged_log_repaired(tmp_path, seeds=range(1, 3)).failures


@pytest.mark.parametrize("quiet_after", [False, True])
def test_the_log_drains_after_a_long_reader(tmp_path: Path, quiet_after: bool) -> None:
    result = fault_storage.long_reader(
        tmp_path, hold_s=2.0, trades_per_s=40_000, quiet_after=quiet_after
    )
    assert not result.failures


@pytest.mark.parametrize(("capacity", "refused"), [(200_000, 0), (2000, 501)])
def test_what_a_stalled_writer_makes_the_queue_refuse_is_in_the_ledger(
    tmp_path: Path, capacity: int, refused: int
) -> None:
    result = fault_storage.stalled_writer(
        tmp_path, stall_s=1.0, trades_per_s=2500, capacity=capacity
    )
    assert not result.failures
    assert result["events the queue refused"] == refused
