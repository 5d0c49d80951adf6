"""E-mail through Apprise, against a mail server that refuses, asks to come back, and takes."""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from faults.outbox.receivers import free_port
from watch_cases import Clock, addresses, fire, opened, states, until_idle

from ingest.watch import WatchStore
from ingest.watch.apprise_call import AppriseCall, service_of
from ingest.watch.channel import Channel


class Mailbox:
    """Answers RCPT and DATA as told, then takes everything."""

    def __init__(self) -> None:
        self.at_rcpt: deque[str] = deque()
        self.at_data: deque[str] = deque()
        self.letters: list[tuple[str, str]] = []

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        answer = self.at_rcpt.popleft() if self.at_rcpt else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.at_data:
            return self.at_data.popleft()
        letter = message_from_bytes(envelope.content, policy=policy.default)
        body = letter.get_content()
        self.letters.append((letter["Subject"], body.replace("\r\n", "\n").strip()))
        return "250 taken"


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[str]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield f"mailto://127.0.0.1:{controller.port}?from=desk@example.com&to=me@example.com"
    finally:
        controller.stop()


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch):
    """Apprise waits 5.5 s between two mails: not here."""
    monkeypatch.setattr("apprise.plugins.email.NotifyEmail.request_rate_per_sec", 0.0)


@pytest.fixture
def store(tmp_path):
    return opened(tmp_path)


def channel_to(store: WatchStore, clock: Clock, address: str) -> Channel:
    return Channel("mail", store, addresses(mail=address), clock)


def test_a_mail_holds_several_alerts_in_words(store):
    clock, mailbox = Clock(), Mailbox()
    fire(store, "z of A/B is 2.5", "z of C/D is −3", channels=("mail",))
    with mail_server(mailbox) as address:
        until_idle(channel_to(store, clock, address), clock)
    assert mailbox.letters == [("Pairdesk: 2 alerts", "z of A/B is 2.5\nz of C/D is −3")]


@pytest.mark.parametrize(
    ("at_rcpt", "at_data", "words"),
    [
        (
            ["451 4.7.1 greylisted, come back"] * 2,
            [],
            "the mail server answers 451: not now, try again",
        ),
        (["550 5.1.1 no such user here"] * 2, [], "the mail server answers 550: refused"),
        ([], ["554 5.7.1 looks like spam"] * 2, "the mail server answers 554: refused"),
    ],
)
def test_a_mail_that_is_not_taken_at_first_arrives_once_and_in_order(
    store, at_rcpt, at_data, words
):
    clock, mailbox = Clock(), Mailbox()
    mailbox.at_rcpt.extend(at_rcpt)
    mailbox.at_data.extend(at_data)
    fire(store, "first", channels=("mail",))
    with mail_server(mailbox) as address:
        channel = channel_to(store, clock, address)
        channel.deliver()
        assert channel.standing(1).last_error == words
        fire(store, "second", channels=("mail",))
        until_idle(channel, clock)
    assert "\n".join(body for _, body in mailbox.letters).split("\n") == ["first", "second"]
    assert states(store) == ["delivered", "delivered"]


def test_a_mail_server_that_is_down_is_named(store):
    clock = Clock()
    fire(store, "a", channels=("mail",))
    address = f"mailto://127.0.0.1:{free_port()}?from=desk@example.com&to=me@example.com"
    channel = channel_to(store, clock, address)
    channel.deliver()
    assert channel.standing(1).last_error == "connection refused"
    assert not store.deliveries()[0].is_repeated


class HangingService:
    """A service of Apprise's that does not come back until told."""

    body_maxlen = 1000

    def __init__(self) -> None:
        self.goes_on = threading.Event()


def test_a_call_that_hangs_is_left_alone_and_their_number_is_bounded(monkeypatch):
    service = HangingService()

    class Sender:
        def __init__(self, asset):
            pass

        def add(self, service):
            self.service = service

        def notify(self, **_):
            return service.goes_on.wait(30)

    monkeypatch.setattr("ingest.watch.apprise_call.apprise.Apprise", Sender)
    call = AppriseCall(service, limit_s=0.05)
    answers = [call.send("title", "body", "info") for _ in range(5)]
    assert [each.words for each in answers] == ["no answer within 0.05 s"] * 3 + [
        "3 calls hang"
    ] * 2
    assert [each.may_have_arrived for each in answers] == [True] * 3 + [False] * 2
    service.goes_on.set()
    for each in threading.enumerate():
        if each.name == "pairdesk-apprise":
            each.join(5)
    assert call.send("title", "body", "info").delivered


def test_a_mail_server_that_says_nothing_is_left_after_the_time_limit():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"mailto://127.0.0.1:{silent.getsockname()[1]}?from=a@b.com&to=me@example.com"
        answer = AppriseCall(service_of(address), limit_s=0.1).send("title", "body", "info")
    for each in threading.enumerate():  # closing the socket has broken the connection off
        if each.name == "pairdesk-apprise":
            each.join(5)
            assert not each.is_alive()
    assert (answer.delivered, answer.words) == (False, "no answer within 0.1 s")
    assert answer.may_have_arrived
