"""What is not of the recording: ids that start over, another exchange, impossible times."""

from pathlib import Path

from faults import venue


def test_an_exchange_that_was_reset_touches_nothing_and_is_named(tmp_path: Path) -> None:
    assert not venue.id_restart(tmp_path, times=2, seed=1).failures


def test_no_exchange_is_taken_for_another(tmp_path: Path) -> None:
    assert not venue.other_venue(tmp_path).failures


def test_impossible_times_among_real_trades_cost_none_of_these(tmp_path: Path) -> None:
    assert not venue.future_trade(tmp_path, odd=20, seed=1).failures
