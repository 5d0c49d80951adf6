"""The sign of life: while all is well, and never while it is not."""

import threading

import pytest
from cases.status import NOW_US, status_of
from faults.outbox.receivers import answers, free_port, receiving
from watch_cases import Clock

from ingest.watch.addresses import Addresses, Secrets
from ingest.watch.heartbeat import Heartbeat, is_well
from ingest.watch.posting import Poster


@pytest.fixture
def poster():
    made = Poster(5.0)
    yield made
    made.close()


def known(url: str, minutes: str = "1") -> Addresses:
    values = {"PAIRDESK_HEARTBEAT_URL": url, "PAIRDESK_HEARTBEAT_MINUTES": minutes}
    return Addresses({}, Secrets([]), values)


def test_it_asks_for_the_url_while_all_is_well(poster):
    with receiving() as receiver:
        clock = Clock()
        heart = Heartbeat(known(f"http://127.0.0.1:{receiver.port}/ping/x"), lambda: True, clock)
        assert heart.beat(poster) == 60.0
        assert [(command, path) for command, path, _ in receiver.requests] == [("GET", "/ping/x")]
    standing = heart.standing()
    assert (standing.state, standing.last_us) == ("sent", clock.us)
    assert standing.source == "environment PAIRDESK_HEARTBEAT_URL"


def test_it_is_held_back_while_the_desk_is_not_well(poster):
    with receiving() as receiver:
        heart = Heartbeat(known(f"http://127.0.0.1:{receiver.port}/"), lambda: False)
        assert heart.beat(poster) == 10.0
        assert receiver.requests == []
    assert heart.standing().state == "held back: the desk is not well"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:CLOSED/", "connection refused"),
        ("ftp://127.0.0.1/", "its address is no http:// or https://"),
        ("http://127.0.0.1:99999999/", "the address cannot be used"),
        ("http://[MARKER/", "the address cannot be used"),
    ],
)
def test_a_failure_is_told_and_tried_again_sooner(poster, url, words):
    url = url.replace("CLOSED", str(free_port()))
    heart = Heartbeat(known(url, minutes="5"), lambda: True)
    assert heart.beat(poster) == 10.0
    assert heart.beat(poster) == 10.0
    standing = heart.standing()
    assert (standing.failures_in_a_row, standing.last_error) == (2, words)


def test_a_success_ends_the_count_of_failures(poster):
    with receiving() as receiver:
        receiver.does.append(answers(500))
        heart = Heartbeat(known(f"http://127.0.0.1:{receiver.port}/"), lambda: True)
        heart.beat(poster)
        assert heart.standing().last_error == "HTTP 500 Internal Server Error"
        heart.beat(poster)
    assert heart.standing().failures_in_a_row == 0


def test_without_an_address_it_does_nothing(poster):
    heart = Heartbeat(Addresses({}, Secrets([]), {}), lambda: True)
    heart.beat(poster)
    assert heart.standing().state == "not set up"


def test_its_thread_beats_at_once_and_survives_a_failing_question():
    asked = []
    seen = threading.Event()

    def is_well():
        asked.append(1)
        seen.set()
        raise RuntimeError("MARKER")

    heart = Heartbeat(known("http://127.0.0.1:1/"), is_well)
    heart.start()
    assert seen.wait(10)
    assert heart.stop(10)
    assert heart.standing().state == "held back: the desk is not well"
    assert "MARKER" not in heart.standing().last_error


@pytest.mark.parametrize(
    ("changes", "behind_s", "is_well_then"),
    [
        ({}, 0.5, True),
        ({"state": "reconnecting"}, 0.5, False),
        ({"state": "paused"}, 0.5, False),
        ({"write_error": "disk full"}, 0.5, False),
        ({"last_received_us": None}, 0.5, False),
        ({"last_received_us": NOW_US - 121 * 10**6}, 0.5, False),
        ({}, 61.0, False),
    ],
)
def test_a_desk_is_well_while_it_receives_stores_and_evaluates(changes, behind_s, is_well_then):
    assert is_well(status_of(**changes), behind_s, NOW_US) is is_well_then
