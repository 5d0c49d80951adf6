"""One attempt at a webhook: what is sent, and how each answer is judged."""

import base64
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest
from faults.outbox.receivers import (
    answers,
    endless,
    free_port,
    hangs,
    receiving,
    resets,
    self_signed,
)
from watch_cases import BAR_US

from ingest.watch import Alert
from ingest.watch.apprise_call import service_of
from ingest.watch.message import Outgoing, together
from ingest.watch.posting import Poster
from ingest.watch.sending import JsonSender, Outcome, kind_of_address, open_sender

ALERT = Alert(
    "wide",
    "fired",
    BAR_US,
    BAR_US + 1_500_000,
    "ETHUSDT/BTCUSDT z 2.50",
    y="ETHUSDT",
    x="BTCUSDT",
    interval="1s",
    zscore=2.5,
    value=float("nan"),
    level=float("inf"),
    signal="SELL",
    channels=("desk",),
)
OUT = Outgoing(ALERT, "ab12-7")


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


def post(address: str, outgoing: Outgoing = OUT, limit_s: float = 5.0) -> Outcome:
    sender = JsonSender(service_of(address), Poster(limit_s))
    try:
        return sender.send([outgoing])
    finally:
        sender.close()


def test_the_body_is_the_contract_and_apprises_own(receiver):
    assert post(receiver.url()).delivered
    assert receiver.bodies == [
        {
            "version": "1.0",
            "title": "Pairdesk: wide ETHUSDT/BTCUSDT",
            "message": "ETHUSDT/BTCUSDT z 2.50",
            "type": "warning",
            "id": "ab12-7",
            "kind": "fired",
            "rule": "wide",
            "y": "ETHUSDT",
            "x": "BTCUSDT",
            "interval": "1s",
            "bar": "2026-01-31T12:00:00Z",
            "zscore": 2.5,
            "value": None,
            "level": None,
            "signal": "SELL",
            "words": "ETHUSDT/BTCUSDT z 2.50",
            "forming": False,
            "fired": "2026-01-31T12:00:01Z",
            "repeated": False,
        }
    ]


def test_a_repeat_has_the_same_id_and_says_so_in_field_and_words(receiver):
    post(receiver.url())
    post(receiver.url(), Outgoing(ALERT, "ab12-7", is_repeated=True))
    first, second = receiver.bodies
    assert first["id"] == second["id"]
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert second["message"] == "ETHUSDT/BTCUSDT z 2.50 (sent again)"


def test_a_test_message_cannot_be_taken_for_an_alert(receiver):
    post(receiver.url(), Outgoing(ALERT, "test-1", is_test=True))
    assert receiver.bodies[0]["kind"] == "test"


def test_the_address_is_read_as_apprise_reads_it(receiver):
    address = (
        f"json://anna:s%40lt@127.0.0.1:{receiver.port}/a%20b/c"
        "?method=PUT&+X-Token=abc&-group=7&:team=fx&:message=text&:version="
    )
    assert post(address).delivered
    command, path, headers = receiver.requests[0]
    assert (command, path) == ("PUT", "/a%20b/c?group=7")
    assert headers["X-Token"] == "abc"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"anna:s@lt").decode()
    body = receiver.bodies[0]
    assert (body["team"], body["text"]) == ("fx", ALERT.words)
    assert "message" not in body
    assert "version" not in body


@pytest.mark.parametrize(
    ("does", "words", "retry_after_s", "is_final"),
    [
        (answers(500), "HTTP 500 Internal Server Error", None, False),
        (answers(599), "HTTP 599", None, False),
        (answers(404), "HTTP 404 Not Found", None, False),
        (answers(408, Retry_After="5"), "HTTP 408 Request Timeout", None, False),
        (answers(429), "HTTP 429 Too Many Requests", None, False),
        (answers(429, Retry_After="7"), "HTTP 429 Too Many Requests", 7.0, False),
        (answers(429, Retry_After="999999999"), "HTTP 429 Too Many Requests", 3600.0, False),
        (answers(429, Retry_After="soon"), "HTTP 429 Too Many Requests", None, False),
        (answers(429, Retry_After="-3"), "HTTP 429 Too Many Requests", None, False),
        (answers(503, Retry_After="11"), "HTTP 503 Service Unavailable", 11.0, False),
        (answers(400), "HTTP 400 Bad Request", None, True),
        (answers(413), "HTTP 413 Request Entity Too Large", None, True),
        (
            answers(302, Location="http://127.0.0.1:1/x"),
            "HTTP 302 Found: a redirect, which is not followed",
            None,
            False,
        ),
        (resets, "connection reset by peer", None, False),
    ],
)
def test_each_answer_is_judged(receiver, does, words, retry_after_s, is_final):
    receiver.does.append(does)
    outcome = post(receiver.url())
    assert (outcome.delivered, outcome.words) == (False, words)
    assert (outcome.retry_after_s, outcome.is_final) == (retry_after_s, is_final)
    assert outcome.may_have_arrived
    assert len(receiver.requests) == 1


def test_retry_after_may_be_a_date(receiver):
    until = datetime.now(UTC) + timedelta(seconds=90)
    receiver.does.append(answers(503, Retry_After=format_datetime(until, usegmt=True)))
    assert post(receiver.url()).retry_after_s == pytest.approx(85.0, abs=5.0)


def test_an_answer_without_end_is_not_read_to_its_end(receiver):
    receiver.does.append(endless)
    begun_s = time.monotonic()
    outcome = post(receiver.url())
    assert outcome.delivered
    assert time.monotonic() - begun_s < 4.0


def test_a_receiver_that_hangs_is_left_after_the_time_limit(receiver):
    until = Event()
    receiver.does.append(hangs(until))
    outcome = post(receiver.url(), limit_s=0.3)
    until.set()
    assert outcome.words == "no answer within 0.3 s"
    assert outcome.may_have_arrived


def test_a_receiver_that_is_down_has_not_taken_it():
    outcome = post(f"json://127.0.0.1:{free_port()}/hook")
    assert (outcome.words, outcome.may_have_arrived) == ("connection refused", False)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_named(tmp_path):
    with receiving(self_signed(tmp_path)) as behind_tls:
        address = behind_tls.url().replace("json://", "jsons://")
        outcome = post(address)
        assert not outcome.delivered
        assert outcome.words == "TLS: the certificate is not accepted, it is self-signed"
        assert not outcome.may_have_arrived
        assert behind_tls.requests == []
        assert post(f"{address}?verify=no").delivered


def test_tls_to_a_receiver_without_it_is_named(receiver):
    outcome = post(receiver.url().replace("json://", "jsons://"))
    assert outcome.words.startswith("TLS: ")


def test_a_connection_is_kept_from_one_alert_to_the_next(receiver):
    sender = JsonSender(service_of(receiver.url()))
    for _ in range(3):
        assert sender.send([OUT]).delivered
    sender.close()
    assert len(receiver.taken) == 3
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("json://127.0.0.1:9000/hook", "JSON webhook"),
        ("jsons://desk.example/hook", "JSON webhook"),
        ("mailto://127.0.0.1?from=a@b.com&to=c@d.com", "e-mail"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", "Telegram"),
        ("nonsense://x", "an address that cannot be used"),
        ("", "an address that cannot be used"),
    ],
)
def test_a_kind_is_named(address, kind):
    assert kind_of_address(address) == kind


def test_nothing_is_opened_for_an_address_that_cannot_be_used():
    assert open_sender("nonsense://x") is None


def test_as_many_alerts_as_fit_go_into_one_message():
    waiting = [OUT] * 50
    line = len(ALERT.words) + 1
    assert together(waiting, 10_000) == 20
    assert together(waiting, 3 * line) == 3
    assert together(waiting, 1) == 1
    assert together(waiting[:2], 10_000) == 2
