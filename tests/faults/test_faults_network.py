"""The network and the exchange at their worst: no storm, no ban, no loss."""

from pathlib import Path

import pytest

from faults import network, sockets


def test_connections_that_end_in_every_way_cost_no_trade(tmp_path: Path) -> None:
    count = 2 * len(sockets.ENDINGS)
    assert not sockets.disconnects(tmp_path, count=count, seed=1).failures


def test_planned_rotation_of_real_connections_loses_and_asks_nothing(tmp_path: Path) -> None:
    assert not sockets.planned_rotation(tmp_path, times=4).failures


def test_real_handshakes_wait_as_long_as_the_refusal_says(tmp_path: Path) -> None:
    assert not sockets.refused_handshakes(tmp_path, retry_after_s=1).failures


@pytest.mark.parametrize(
    "kind",
    [
        "accept and close",
        "accept, one trade, close",
        "refuse with 503",
        "shutdown at once",
        "successor dies",
        "receiving thread fails",
    ],
)
def test_no_server_makes_us_connect_more_than_sixty_times_in_five_minutes(kind: str) -> None:
    assert not network.attempts_storm(kind, for_s=420.0).failures


@pytest.mark.parametrize(("status", "retry_after_s"), [(429, 7), (418, 300)])
@pytest.mark.parametrize("where", ["handshake", "hand-over", "REST"])
def test_nothing_is_asked_before_retry_after_has_passed(
    where: str, status: int, retry_after_s: int
) -> None:
    result = network.refused_with_wait(where, status, retry_after_s=retry_after_s)
    assert not result.failures


def test_planned_rotation_needs_no_rest_and_leaves_no_gap() -> None:
    assert not network.rotation(times=5).failures


@pytest.mark.parametrize("rest_lag_s", [0.0, 30.0])
def test_ten_minutes_without_network_are_filled_or_marked_absent(rest_lag_s: float) -> None:
    assert not network.outage(rate=10.0, rest_lag_s=rest_lag_s).failures


@pytest.mark.parametrize("kind", ["symbol", "connection", "from the start", "after a quiet hour"])
def test_a_silent_stream_is_found(kind: str) -> None:
    assert not network.silent_stream(kind).failures


@pytest.mark.parametrize(
    "doing",
    [
        *("connecting", "waiting to try again", "handing over", "making the next connection"),
        *("in a black hole", "receiving"),
    ],
)
def test_stopping_never_waits_for_the_other_side(doing: str) -> None:
    assert not network.stop_while(doing).failures


def test_a_reconnect_that_the_clock_asks_for_happens_once() -> None:
    assert not network.clock_jumps().failures


def test_a_quiet_market_is_left_alone_for_an_hour() -> None:
    assert not network.quiet_market().failures
