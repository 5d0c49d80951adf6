"""The database refuses, is damaged, held or stalled: nothing stored is lost, all else is known."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from faults import disk, process, storage
from ingest.event_queue import Call
from ingest.store import TickWriter


@pytest.mark.parametrize("seed", [1, 2])
def test_any_statement_of_the_writer_may_fail_and_nothing_is_lost_or_doubled(seed: int) -> None:
    result = disk.fail_at_every_write(seed=seed, sampled=True)
    assert not result.failures


def test_a_full_database_stores_everything_once_there_is_room(tmp_path: Path) -> None:
    assert not storage.full_database(tmp_path).failures


def test_a_damaged_log_opens_to_an_exact_batch_prefix(tmp_path: Path) -> None:
    assert not storage.damaged_log(tmp_path, seeds=range(1, 51)).failures


def test_what_a_damaged_log_cost_comes_back_from_the_exchange(tmp_path: Path) -> None:
    assert not process.damaged_log_repaired(tmp_path, seeds=range(1, 3)).failures


@pytest.mark.parametrize("quiet_after", [False, True])
def test_the_log_drains_after_a_long_reader(tmp_path: Path, quiet_after: bool) -> None:
    result = storage.long_reader(tmp_path, hold_s=2.0, trades_per_s=40_000, quiet_after=quiet_after)
    assert not result.failures


def test_a_log_that_no_commit_folds_in_drains_too(tmp_path: Path) -> None:
    """One of 2 to 4 MB, as a market leaves that falls quiet."""
    result = storage.long_reader(tmp_path, hold_s=1.0, trades_per_s=50_000, quiet_after=True)
    assert not result.failures


@pytest.mark.parametrize(("capacity", "refused"), [(200_000, 0), (2000, 500)])
def test_what_a_stalled_writer_makes_the_queue_refuse_is_in_the_ledger(
    tmp_path: Path, capacity: int, refused: int
) -> None:
    result = storage.stalled_writer(tmp_path, stall_s=1.0, trades_per_s=2500, capacity=capacity)
    assert not result.failures
    assert result["events the queue refused"] == refused


def test_retention_takes_a_gap_at_its_edge_with_it(tmp_path: Path) -> None:
    """Else what the gap's repair brings is stored and missing at once."""
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        writer.write([disk.tick("BTCUSDT", number) for number in (1, 2, 3, 50, 51)])
        (gap,) = writer.open_gaps()
        assert (gap.from_id, gap.to_id) == (4, 49)
        writer.forget_before(disk.tick("BTCUSDT", 50).time_us // 1_000_000)
        assert writer.open_gaps() == ()
        writer.write([disk.tick("BTCUSDT", number) for number in range(4, 50)])
        assert writer.open_gaps() == ()
        ledger = writer.streams()[disk.BTC]
        assert (ledger.first_id, ledger.last_id, ledger.missing()) == (4, 51, 0)


def test_a_task_that_can_never_succeed_holds_nothing_up(tmp_path: Path) -> None:
    """A gap of a stream that a new database does not know, closed by the old one's repair."""
    loop = disk.writing_loop(tmp_path / "ticks.db")

    def close_unknown(writer: TickWriter) -> None:
        writer.close_gap(disk.ETH, 1, 2, "absent", "no such id")

    loop._steps.extend([Call(close_unknown), [disk.tick("BTCUSDT", 1)]])
    loop._work_off()
    loop.writer.close()
    with closing(sqlite3.connect(tmp_path / "ticks.db")) as connection:
        assert connection.execute("SELECT count(*) FROM tick").fetchone() == (1,)
    (entry,) = loop._counts.history
    assert (entry.kind, "KeyError" in entry.detail) == ("failed", True)
