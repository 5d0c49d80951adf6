"""What is done to the outbox, and what came of it."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from faults.outbox.receivers import (
    Does,
    Handler,
    Receiver,
    answers,
    free_port,
    receiving,
    resets,
    self_signed,
)
from faults.result import Figure, Result, at_most, equal, holds, told
from faults.storage import TESTS, child_environment, until
from ingest.watch import Alert, WatchStore
from ingest.watch.addresses import Addresses, Secrets
from ingest.watch.apprise_call import service_of
from ingest.watch.outbox import Outbox
from ingest.watch.posting import Poster
from ingest.watch.sending import JsonSender, Sender, load, open_sender

LONGEST_LIFE_S = 0.4


def kill_while_sending(folder: Path, kills: int, seed: int) -> Result:
    """Kill the process at random moments while it fires and delivers; then let it finish."""
    rng, database = random.Random(seed), folder / "ticks.watch.db"
    with (
        receiving() as receiver,
        nursery(TESTS / "faults/outbox/child.py", database, receiver.url()) as (begin, said),
    ):
        for _ in range(kills):
            pid = int(begin("fire"))
            time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not lives(pid))  # type: ignore[misc] # bound at once
        begin("end")
        assert said() == "done"
    store = WatchStore(database)
    recorded = [store.public_id(each.alert_id) for each in store.alerts(limit=10**9)]
    store.close()
    return Result(
        f"{kills} SIGKILLs while alerts go out",
        seed,
        (told("alerts", len(recorded)), *arrival_figures(recorded, arrived(receiver))),
    )


@contextmanager
def nursery(script: Path, *words: object) -> Iterator[Any]:
    """Run a script that forks a life a line; gives what begins one, and what it says."""
    command = [sys.executable, str(script), *map(str, words)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    hears, says = process.stdin, process.stdout

    def begin(word: str) -> str:
        print(word, file=hears, flush=True)
        return says.readline().strip()

    with process:
        try:
            yield begin, lambda: says.readline().strip()
        finally:
            hears.close()
            process.kill()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def arrival_figures(recorded: list[str], arrived: list[tuple[str, bool]]) -> tuple[Figure, ...]:
    first = list(dict.fromkeys(name for name, _ in arrived))
    unmarked = Counter(name for name, is_repeated in arrived if not is_repeated)
    return (
        equal("lost", len(set(recorded) - set(first)), 0),
        equal("doubles that do not say so", sum(count > 1 for count in unmarked.values()), 0),
        equal("out of order", sum(a != b for a, b in zip(first, recorded, strict=False)), 0),
        told("sent again, marked", sum(is_repeated for _, is_repeated in arrived)),
    )


class Outage:
    """What the receivers do until it is over."""

    def __init__(self) -> None:
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        self._over.set()

    def during(self, does: Does) -> "Always":
        """Return what is done to each request: this, or to take it once all is well."""

        def chosen(handler: Handler) -> None:
            does_now = answers(200) if self.is_over else does
            does_now(handler)

        return Always([chosen])

    def hangs(self, handler: Handler) -> None:
        self._over.wait()
        handler.close_connection = True


class Always(deque[Does]):
    """Does the same to each request."""

    def popleft(self) -> Does:
        return self[0]


class Mailbox:
    """Greylists until all is well."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self.words: list[str] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if not self._outage.is_over:
            return "451 4.7.1 greylisted"
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.words += letter.get_content().split()
        return "250 taken"


def receivers_down(folder: Path, for_s: float, alerts: int, limit_s: float) -> Result:
    """Let receivers fail for a while, each in its way, beside one that is well."""
    load()  # as an outbox does a few seconds after its start
    store, outage = WatchStore(folder / "ticks.watch.db"), Outage()
    fails = {
        "well": answers(200),
        "failing": answers(500),
        "busy": answers(429, Retry_After="2"),
        "hanging": outage.hangs,
        "breaking off": resets,
    }
    with ExitStack() as stack:
        receivers = {name: stack.enter_context(receiving()) for name in fails}
        for name, does in fails.items():
            receivers[name].does = outage.during(does)
        receivers["TLS"] = stack.enter_context(receiving(self_signed(folder)))
        mailbox, port = Mailbox(outage), free_port()
        urls = {name: each.url() for name, each in receivers.items()}
        urls["TLS"] = urls["TLS"].replace("json:", "jsons:")
        urls["down"] = f"json://127.0.0.1:{port}/hook"
        urls["mail"] = stack.enter_context(_mail(mailbox))
        places = Addresses(urls, Secrets([]), {})
        outbox = Outbox(store, places, opens=partial(_opened, limit_s=limit_s))
        outbox.start()
        fired = _fire(store, outbox, tuple(urls), for_s, alerts)
        outage.end()
        receivers["down"] = stack.enter_context(receiving(port=port))
        places.take_up({"TLS": urls["TLS"] + "?verify=no"})  # the reader has put it right
        whole_s = until(lambda: not store.waiting_channels(), 400.0)
        outbox.stop()
    late_s = max(b - a for a, b in zip(fired.values(), receivers["well"].taken_s, strict=True))
    figures = [at_most("latest at the one that is well", late_s, 1.0, "s")]
    for name, each in receivers.items():
        figures += _named(name, arrival_figures(list(fired), arrived(each)))
        figures.append(equal(f"{name}: taken", len({body["id"] for body in each.taken}), alerts))
    figures.append(holds("mail: in order", len(mailbox.words), mailbox.words == _words(alerts)))
    figures.append(told("delivered to all after", f"{whole_s:.1f} s"))
    return Result(f"receivers fail for {for_s:g} s, {alerts} alerts", None, tuple(figures))


@contextmanager
def _mail(mailbox: Mailbox) -> Iterator[str]:
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield f"mailto://127.0.0.1:{server.port}?from=desk@example.com&to=me@example.com"
    finally:
        server.stop()


def _opened(address: str, limit_s: float) -> Sender | None:
    if address.startswith("mailto:"):
        return open_sender(address)
    return JsonSender(service_of(address), Poster(limit_s))


def _fire(
    store: WatchStore, outbox: Outbox, channels: tuple[str, ...], for_s: float, alerts: int
) -> dict[str, float]:
    """Fire alerts evenly over a time; when each was, by its name outside."""
    fired: dict[str, float] = {}
    for words in _words(alerts):
        now_us = time.time_ns() // 1000
        alert = Alert("wide", "fired", now_us, now_us, words, channels=channels)
        (recorded,) = store.record([alert], {}, {})
        fired[store.public_id(recorded.alert_id)] = time.monotonic()
        outbox.wake()
        time.sleep(for_s / alerts)
    return fired


def _words(alerts: int) -> list[str]:
    return [f"z-{number}" for number in range(alerts)]


def arrived(receiver: Receiver) -> list[tuple[str, bool]]:
    return [(str(each["id"]), bool(each["repeated"])) for each in receiver.bodies]


def _named(name: str, figures: tuple[Figure, ...]) -> list[Figure]:
    return [replace(each, name=f"{name}: {each.name}") for each in figures]
