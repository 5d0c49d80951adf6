"""Alerts, stores and senders for the tests of the way out."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ingest.watch import Alert, WatchStore
from ingest.watch.addresses import Addresses, Secrets
from ingest.watch.channel import Channel
from ingest.watch.message import Outgoing
from ingest.watch.sending import Outcome, Sender

BAR_US = 1_769_860_800_000_000  # 2026-01-31T12:00:00Z
TAKEN = Outcome(True, "HTTP 200 OK")
FAILED = Outcome(False, "HTTP 500 Internal Server Error")
NOT_REACHED = Outcome(False, "connection refused", may_have_arrived=False)


class Clock:
    """Our clock, put forward by hand."""

    def __init__(self) -> None:
        self.us = BAR_US + 1_000_000

    def __call__(self) -> int:
        return self.us

    def forward(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


class ScriptedSender:
    """Gives the outcomes it was given, then takes all; keeps what it was sent."""

    def __init__(self, outcomes: Sequence[Outcome] = (), most: int = 1) -> None:
        self.outcomes, self.most = deque(outcomes), most
        self.sent: list[list[Outgoing]] = []
        self.before: Callable[[], None] = lambda: None

    def fitting(self, waiting: Sequence[Outgoing]) -> int:
        return min(self.most, len(waiting))

    def send(self, outgoing: Sequence[Outgoing]) -> Outcome:
        self.before()
        self.sent.append(list(outgoing))
        return self.outcomes.popleft() if self.outcomes else TAKEN

    def close(self) -> None:
        pass

    @property
    def words(self) -> list[str]:
        """Words of what was sent, with a star where it said to be a repeat."""
        return [each.alert.words + "*" * each.is_repeated for sent in self.sent for each in sent]


def addresses(**channels: str) -> Addresses:
    """Addresses of a watch file alone."""
    return Addresses(channels, Secrets([]), {})


def opened(folder: Path) -> WatchStore:
    return WatchStore(folder / "ticks.watch.db")


def fire(
    store: WatchStore, *words: str, channels: tuple[str, ...] = ("desk",), at_us: int = BAR_US
) -> tuple[Alert, ...]:
    """Record alerts of these words."""
    alerts = [
        Alert(
            "wide",
            "fired",
            BAR_US,
            at_us,
            each,
            y="ETHUSDT",
            x="BTCUSDT",
            interval="1s",
            zscore=2.5,
            level=2.0,
            signal="SELL",
            channels=channels,
        )
        for each in words
    ]
    return store.record(alerts, {}, {})


def channel_for(
    store: WatchStore,
    sender: Sender,
    clock: Callable[[], int],
    known: Mapping[str, str] | None = None,
    steady: Callable[[], float] | None = None,
) -> Channel:
    """Return channel "desk" that sends through `sender`."""
    places = addresses(**({"desk": "json://receiver"} if known is None else known))
    return Channel(
        "desk", store, places, clock, lambda _: sender, clock=steady or (lambda: clock() / 1e6)
    )


def until_idle(channel: Channel, clock: Clock, most_s: float = 200_000.0) -> list[float]:
    """Let the clock run until nothing waits; returns the waits."""
    waits: list[float] = []
    while (wait_s := channel.deliver()) is not None:
        clock.forward(wait_s)
        waits.append(wait_s)
        assert sum(waits) < most_s, "something waits for ever"
    return waits


def states(store: WatchStore) -> list[str]:
    return [each.state for each in store.deliveries()]
