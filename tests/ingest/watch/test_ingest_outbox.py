"""The workers of the outbox: none waits for another, and a stop leaves the rest for a start."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from faults.outbox.receivers import answers, free_port, receiving
from watch_cases import TAKEN, ScriptedSender, addresses, fire, opened, states

from analytics.alerts import AlertRule
from ingest.watch import WatchStore
from ingest.watch.addresses import Addresses
from ingest.watch.channel import OpenSender
from ingest.watch.outbox import Outbox
from ingest.watch.sending import open_sender


@pytest.fixture
def store(tmp_path):
    return opened(tmp_path)


def now_us() -> int:
    return time.time_ns() // 1000


@contextmanager
def running(
    store: WatchStore, places: Addresses, opens: OpenSender = open_sender
) -> Iterator[Outbox]:
    outbox = Outbox(store, places, opens=opens)
    outbox.start()
    try:
        yield outbox
    finally:
        assert outbox.stop(10.0)


def until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s, "it did not come to that"
        threading.Event().wait(0.005)


class HangingSender(ScriptedSender):
    """Begins, and comes back when told."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.before = self.hang

    def hang(self) -> None:
        self.begun.set()
        assert self.goes_on.wait(20)


def test_a_channel_that_hangs_holds_up_no_other(store):
    hanging, quick = HangingSender(), ScriptedSender()
    places = addresses(slow="json://slow", desk="json://quick")
    senders = {"json://slow": hanging, "json://quick": quick}
    with running(store, places, opens=senders.__getitem__) as outbox:
        fire(store, "a", channels=("slow", "desk"), at_us=now_us())
        outbox.wake()
        assert hanging.begun.wait(10)
        fire(store, "b", "c", channels=("slow", "desk"), at_us=now_us())
        outbox.wake()
        until(lambda: quick.words == ["a", "b", "c"])
        assert hanging.sent == []
        hanging.goes_on.set()
        until(lambda: hanging.words == ["a", "b", "c"])


def test_a_stop_leaves_what_waits_for_the_next_start(store):
    hanging = HangingSender()
    places = addresses(desk="json://slow")
    outbox = Outbox(store, places, opens=lambda _: hanging)
    outbox.start()
    fire(store, "a", "b", at_us=now_us())
    outbox.wake()
    assert hanging.begun.wait(10)
    assert not outbox.stop(0.05)
    hanging.goes_on.set()
    assert outbox.stop(10.0)
    assert states(store) == ["delivered", "waiting"]
    later = ScriptedSender()
    with running(store, places, opens=lambda _: later):
        until(lambda: later.words == ["b"])


def test_a_stop_before_the_start_and_a_second_one_do_no_harm(store):
    outbox = Outbox(store, addresses())
    assert outbox.stop(1.0)
    assert outbox.stop(1.0)


def test_all_is_delivered_in_order_when_a_receiver_comes_back(store):
    port = free_port()
    places = addresses(desk=f"json://127.0.0.1:{port}/hook")
    with running(store, places) as outbox:
        fire(store, "a", "b", at_us=now_us())
        outbox.wake()
        until(lambda: outbox.standing()[0].last_error == "connection refused")
        assert outbox.standing()[0].waiting == 2
        with receiving(port=port) as receiver:
            receiver.does.append(answers(500))
            receiver.wait_for(lambda: len(receiver.taken) == 2)
        assert [(each["words"], each["repeated"]) for each in receiver.bodies] == [
            ("a", False),
            ("a", True),
            ("b", False),
        ]
        until(lambda: states(store) == ["delivered", "delivered"])


def test_a_sender_that_fails_in_an_unforeseen_way_is_called_again(store):
    sender = ScriptedSender()
    failures = [RuntimeError("MARKER")]

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    sender.before = fail_once
    with running(store, addresses(desk="json://x"), opens=lambda _: sender) as outbox:
        fire(store, "a", at_us=now_us())
        outbox.wake()
        until(lambda: sender.words == ["a*"])


def test_every_channel_that_has_an_address_or_a_rule_stands_in_the_list(store):
    store.save_rule(AlertRule("wide", channels=("pager",)))
    outbox = Outbox(store, addresses(desk="json://127.0.0.1/hook"))
    fire(store, "a", channels=("gone",))
    assert [(each.name, each.kind, each.state, each.waiting) for each in outbox.standing()] == [
        ("desk", "JSON webhook", "ready", 0),
        ("pager", "", "no address: it waits for one", 0),
        ("gone", "", "no address: it waits for one", 1),
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "delivered: HTTP 200 OK"),
        (404, "not delivered: HTTP 404 Not Found"),
    ],
)
def test_a_test_message_gives_the_services_answer(store, status, words):
    with receiving() as receiver:
        receiver.does.append(answers(status))
        outbox = Outbox(store, addresses(desk=receiver.url()))
        assert outbox.test("desk") == words
        assert receiver.bodies[0]["kind"] == "test"
    assert outbox.test("other") == "not sent: it has no address"
    assert states(store) == []


def test_a_test_message_does_not_wait_for_a_delivery_that_hangs(store):
    hanging = HangingSender()
    senders = iter([hanging, ScriptedSender([TAKEN])])
    with running(store, addresses(desk="json://x"), opens=lambda _: next(senders)) as outbox:
        fire(store, "a", at_us=now_us())
        outbox.wake()
        assert hanging.begun.wait(10)
        assert outbox.test("desk") == "delivered: HTTP 200 OK"
        hanging.goes_on.set()
