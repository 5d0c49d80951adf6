"""Nothing of an address gets out, whatever goes wrong: no log, no error, no database, no page."""

import logging
from pathlib import Path
from threading import Event

import pytest
from faults.outbox.receivers import (
    Does,
    Handler,
    answers,
    free_port,
    hangs,
    receiving,
    resets,
    self_signed,
)
from watch_cases import Clock, addresses, fire, opened

from ingest.watch.addresses import Addresses, Secrets
from ingest.watch.apprise_call import AppriseCall, service_of
from ingest.watch.channel import Channel, OpenSender
from ingest.watch.heartbeat import Heartbeat
from ingest.watch.outbox import Outbox
from ingest.watch.posting import Poster
from ingest.watch.sending import JsonSender, TextSender, open_sender

MARKER = "qZsecret7"
PLACES = f"/{MARKER}-path?+X-Token={MARKER}-header&-get={MARKER}-query"
USER = f"{MARKER}-user:{MARKER}-password"


def echoes(status: int) -> Does:
    """Answer with all that was in the request."""

    def does(handler: Handler) -> None:
        told = f"{handler.path} {handler.headers}".encode()
        headers = {"Location": f"http://{MARKER}.example/", "X-Echo": handler.path}
        handler.answer(status, headers, told)

    return does


DOES = {
    "taken": echoes(200),
    "failing": echoes(500),
    "redirecting": echoes(302),
    "unauthorised": echoes(401),
    "busy": answers(429, Retry_After=MARKER),
    "breaking off": resets,
}


@pytest.fixture(autouse=True)
def all_loggers_write_all(caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("pairdesk").setLevel(logging.DEBUG)


def attempts(address: str, folder: Path, opens: OpenSender = open_sender) -> str:
    """Let an alert and a test message fail there; returns all that is said of it."""
    store, clock = opened(folder), Clock()
    fire(store, "a")
    places = addresses(desk=address)
    channel = Channel("desk", store, places, clock, opens)
    channel.deliver()
    outbox = Outbox(store, places, clock, opens)
    said = [repr(channel.standing(1)), repr(outbox.standing()), outbox.test("desk")]
    channel.close()
    said += map(repr, store.deliveries())
    store.close()
    kept = b"".join(each.read_bytes() for each in folder.iterdir())
    return " ".join(said) + kept.decode("latin-1")


def check(said: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = capfd.readouterr()
    everything = "\n".join((said, caplog.text, out, err))
    assert "desk" in everything
    assert MARKER.lower() not in everything.lower()


@pytest.mark.parametrize("name", DOES)
@pytest.mark.parametrize("schema", ["json", "xml", "form"])
def test_no_answer_of_a_receiver_lets_it_out(name, schema, tmp_path, caplog, capfd):
    with receiving() as receiver:
        receiver.does.extend([DOES[name]] * 2)
        address = f"{schema}://{USER}@127.0.0.1:{receiver.port}{PLACES}"
        said = attempts(address, tmp_path)
        assert receiver.requests
        assert MARKER in receiver.requests[0][1]
    check(said, caplog, capfd)


@pytest.mark.parametrize("schema", ["json", "jsons", "xml", "gotify", "ntfy", "mailto"])
def test_no_receiver_that_is_down_lets_it_out(schema, tmp_path, caplog, capfd):
    rest = f"?from=a@b.com&to={MARKER}@c.com" if schema == "mailto" else PLACES
    address = f"{schema}://{USER}@127.0.0.1:{free_port()}{rest}"
    check(attempts(address, tmp_path), caplog, capfd)


@pytest.mark.parametrize("schema", ["json", "xml"])
def test_no_receiver_that_hangs_lets_it_out(schema, tmp_path, caplog, capfd):
    until = Event()

    def opens(address):
        service = service_of(address)
        if schema == "json":
            return JsonSender(service, Poster(0.2))
        return TextSender(AppriseCall(service, 0.2))

    with receiving() as receiver:
        receiver.does.extend([hangs(until)] * 2)
        address = f"{schema}://{USER}@127.0.0.1:{receiver.port}{PLACES}"
        said = attempts(address, tmp_path, opens)
        until.set()
    check(said, caplog, capfd)


@pytest.mark.parametrize("schema", ["jsons", "xmls"])
def test_no_certificate_lets_it_out(schema, tmp_path, caplog, capfd):
    folder = tmp_path / "store"
    folder.mkdir()
    with receiving(self_signed(tmp_path)) as receiver:
        address = f"{schema}://{USER}@127.0.0.1:{receiver.port}{PLACES}"
        check(attempts(address, folder), caplog, capfd)


@pytest.mark.parametrize(
    "address",
    [
        f"{MARKER}://x",
        f"json://{MARKER}\x00/",
        f"json://{MARKER} {MARKER}/",
        f"json://127.0.0.1:99999/{MARKER}",
        f"mailto://{MARKER}",
        f"tgram://{MARKER}",
        f"json://127.0.0.1/?method={MARKER}",
        f"{MARKER}",
    ],
)
def test_no_address_that_cannot_be_used_lets_it_out(address, tmp_path, caplog, capfd):
    check(attempts(address, tmp_path), caplog, capfd)


def test_no_host_that_is_not_there_lets_it_out(tmp_path, caplog, capfd, monkeypatch):
    def refuses(host, *_, **__):
        raise OSError(f"cannot look up {host}")

    monkeypatch.setattr("socket.getaddrinfo", refuses)
    for number, schema in enumerate(("json", "jsons", "xml")):
        folder = tmp_path / str(number)
        folder.mkdir()
        check(attempts(f"{schema}://{MARKER}.invalid/x", folder), caplog, capfd)


def test_no_failing_heartbeat_lets_it_out(caplog, capfd):
    with receiving() as receiver:
        receiver.does.extend([echoes(500), echoes(302)])
        url = f"http://{MARKER}:{MARKER}@127.0.0.1:{receiver.port}/{MARKER}"
        known = Addresses({}, Secrets([]), {"PAIRDESK_HEARTBEAT_URL": url})
        heart, poster = Heartbeat(known, lambda: True), Poster()
        said = []
        for _ in range(2):
            heart.beat(poster)
            said.append(repr(heart.standing()))
        poster.close()
    check("desk" + " ".join(said), caplog, capfd)
