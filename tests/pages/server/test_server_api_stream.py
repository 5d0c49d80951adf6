"""The stream: what a listener is told, once, also over broken connections, and who is let go."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases.api import PAIR, ROW, alert_of, asked, desk, record, row_at, served, until
from cases.openapi import faults

from ingest.watch import Watch, WatchRow
from pages.ui.server import api
from pages.ui.server.api_description import description
from pages.ui.server.api_events import AT_ONCE, Events
from pages.ui.server.api_stream import Stream


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with desk(tmp_path) as watch:
        yield watch


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    """The listeners of this test alone: three at most."""
    stream = Stream(most=3, heartbeat_every_s=0.05, takes_within_s=0.5)
    monkeypatch.setattr(api, "STREAM", stream)
    return stream


@pytest.fixture
def port(watch: Watch, stream: Stream) -> Iterator[int]:
    with served() as port:
        yield port
        stream.end()


class Listening:
    """A listener's side of the stream, event by event."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer
        assert self.block() == ["retry: 2000", ": listening"]

    def block(self) -> list[str]:
        """The lines up to the next empty one; none where the stream ended."""
        lines = iter(lambda: self._answer.readline().decode().rstrip("\n"), "")
        return list(lines)

    def event(self) -> tuple[str, str | None, Any]:
        """Kind, id and data of the next event; comments are passed over."""
        while (block := self.block()) and all(line.startswith(":") for line in block):
            pass
        fields = dict(line.split(": ", 1) for line in block)
        return fields["event"], fields.get("id"), json.loads(fields["data"])


@contextmanager
def listening(port: int, query: str = "", **headers: str) -> Iterator[Listening]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", f"/api/v1/stream{query}", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        yield Listening(answer)


def events_of(said: bytes) -> list[tuple[str, Any]]:
    blocks = [dict(line.split(": ", 1) for line in each.splitlines())
              for each in said.decode().split("\n\n") if each]  # fmt: skip
    return [(each["event"], json.loads(each["data"])) for each in blocks]


def test_an_alert_goes_out_as_the_api_says_it(watch: Watch, port: int) -> None:
    record(watch, alert_of("before"))
    with listening(port) as listener:
        record(watch, alert_of("line\nbreak"))
        kind, number, values = listener.event()
    assert (kind, number) == ("alert", "2")
    assert values == asked(port, "alerts?since=1")[1]["alerts"][0]
    assert values["words"] == "line\nbreak"


def test_a_listener_that_was_cut_off_loses_nothing_and_hears_nothing_twice(
    watch: Watch, port: int, stream: Stream
) -> None:
    stream.most = 50  # those that were cut off count until the server notices
    count, found = 150, list[str]()

    def fire() -> None:
        for number in range(count):
            record(watch, alert_of(str(number)))

    firing = threading.Thread(target=fire)
    firing.start()
    last: dict[str, str] = {}
    while len(found) < count:
        with listening(port, "?since=0", **last) as listener:
            for _ in range(min(7, count - len(found))):
                _, number, values = listener.event()
                found.append(values["words"])
                last = {"Last-Event-ID": str(number)}
    firing.join()
    assert found == [str(number) for number in range(count)]


def test_a_new_listener_begins_with_the_next_alert(watch: Watch, port: int) -> None:
    record(watch, *(alert_of() for _ in range(5)))
    with listening(port) as listener:
        record(watch, alert_of())
        assert listener.event()[1] == "6"


def test_a_long_way_to_catch_up_is_told_whole_and_in_order(watch: Watch) -> None:
    count = 2 * AT_ONCE + 1
    record(watch, *(alert_of(str(number)) for number in range(count)))
    events, found = Events(watch, 0), list[str]()
    while said := events_of(events.take()):
        found += [values["words"] for _, values in said]
    assert found == [str(number) for number in range(count)]


@pytest.mark.parametrize("number", ["x", "9", "-1"])
def test_a_number_that_cannot_be_is_refused(watch: Watch, port: int, number: str) -> None:
    for status, found, _ in (
        asked(port, f"stream?since={number}"),
        asked(port, "stream", **{"Last-Event-ID": number}),
    ):
        assert status == 400
        assert found["error"].split(" = ")[0] in {"since", "Last-Event-ID"}


def test_a_signal_is_told_when_it_changes_and_only_then(watch: Watch) -> None:
    other = replace(PAIR, y="SOLUSDT")
    watch.board.publish({"a": (row_at("SELL"), row_at("BUY", other)), "b": (row_at("SELL"),)})
    events = Events(watch, 0)
    assert events.take() == b""
    later = replace(row_at("SELL"), evaluated_us=9)
    watch.board.publish({"a": (row_at("BUY", other), later), "b": (row_at("NEUTRAL"),)})
    [(kind, values)] = events_of(events.take())
    assert (kind, values["list"], values["y"]) == ("signal", "b", "ETHUSDT")
    assert (values["signal"], values["previous"]) == ("NEUTRAL", "SELL")
    assert events.take() == b""


def test_the_first_signal_of_a_row_is_told(watch: Watch) -> None:
    watch.board.publish({"a": (WatchRow(ROW.pair, problem="not yet"),)})
    events = Events(watch, 0)
    watch.board.publish({"a": (row_at("SELL"),)})
    [(_, values)] = events_of(events.take())
    assert (values["signal"], values["previous"]) == ("SELL", None)


def test_what_is_streamed_is_as_described(watch: Watch, port: int) -> None:
    document = description()
    watch.board.publish({"a": (row_at("BUY"),)})
    with listening(port) as listener:
        record(watch, alert_of())
        watch.board.publish({"a": (row_at("SELL"),)})
        found = {kind: values for kind, _, values in (listener.event(), listener.event())}
    for kind, schema in (("alert", "Alert"), ("signal", "Signal")):
        ref = {"$ref": f"#/components/schemas/{schema}"}
        assert not list(faults(document, found[kind], ref))


def test_a_quiet_stream_says_that_it_lives(port: int) -> None:
    with listening(port) as listener:
        assert listener.block() == [": all is well"]


def test_so_many_listen_and_no_more(port: int, stream: Stream) -> None:
    with listening(port), listening(port):
        with listening(port):
            status, found, headers = asked(port, "stream")
            assert (status, headers["Retry-After"]) == (503, "10")
            assert found["error"] == "3 listen already, which is all that may: try again later"
        until(lambda: stream.listening == 2)
        with listening(port):
            assert asked(port, "state")[0] == 200


def test_the_servers_end_ends_the_stream(port: int, stream: Stream) -> None:
    with listening(port) as listener:
        stream.end()
        while listener.block():
            pass
    until(lambda: stream.listening == 0)


def test_a_watch_that_is_closed_ends_the_stream(watch: Watch, port: int, stream: Stream) -> None:
    with listening(port):
        watch.store.close()
        until(lambda: stream.listening == 0)


def test_who_takes_nothing_is_cut_off_and_holds_up_nobody(
    watch: Watch, port: int, stream: Stream
) -> None:
    words = "x" * 20_000
    record(watch, *(alert_of(words) for _ in range(AT_ONCE)))  # more than sockets hold
    with closing(socket.create_connection(("127.0.0.1", port))) as deaf:
        deaf.sendall(b"GET /api/v1/stream?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: stream.listening == 1)
        with listening(port) as listener:
            record(watch, alert_of("next"))
            assert listener.event()[2]["words"] == "next"
        until(lambda: stream.listening == 0)
