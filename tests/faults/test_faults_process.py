"""Killed processes, dead threads, damaged files, jumping clocks, and more than it was made for."""

from pathlib import Path

import pytest

from faults import frames, load, process, supervision


@pytest.mark.timeout(300)
def test_a_hundred_kills_lose_no_row_and_the_exchange_gives_back_the_rest(tmp_path: Path) -> None:
    result = process.kill_at_random(tmp_path, kills=100, seed=1, longest_s=0.2, batch_wait_s=0.02)
    assert not result.failures


def test_a_second_recorder_is_refused_with_one_line(tmp_path: Path) -> None:
    assert not process.second_recorder(tmp_path).failures


@pytest.mark.parametrize(
    "scenario",
    [
        supervision.start_and_stop_at_once,
        supervision.disk_low,
        supervision.dead_threads,
        supervision.damaged_at_start,
        supervision.damaged_while_running,
        supervision.wall_clock_jumps,
    ],
)
def test_the_recorder_goes_on_by_itself(scenario, tmp_path: Path) -> None:
    assert not scenario(tmp_path).failures


def test_no_frame_ends_the_loop_or_makes_a_bad_row() -> None:
    assert not frames.mutated_frames(count=20_000, seed=1).failures


def test_five_thousand_trades_a_second_beside_three_pages(tmp_path: Path) -> None:
    assert not load.burst(tmp_path, rate_per_s=5000, for_s=3.0).failures
