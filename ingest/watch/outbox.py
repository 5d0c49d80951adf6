"""The way out of all alerts: a worker a channel, so that one that hangs holds up nothing."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from ingest.clock import now_us as our_now_us
from ingest.errors import StoreError
from ingest.retry import Backoff
from ingest.watch.addresses import Addresses
from ingest.watch.channel import Channel, ChannelStanding, OpenSender
from ingest.watch.message import Outgoing
from ingest.watch.model import Alert
from ingest.watch.sending import load, open_sender
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")
# How often it looks for what waits, should a wake-up have been missed.
_LOOK_S: Final = 10.0
_AGAIN_S: Final = 1.0
_RNG: Final = random.Random()  # noqa: S311 - no secret


class Outbox:
    """Delivers alerts to their channels, in the background. Any thread.

    Parameters
    ----------
    store
        Where alerts and deliveries are kept.
    addresses
        Where the channels go.
    now_us
        Our clock, µs since the epoch.
    opens
        Makes what sends to an address.
    """

    def __init__(
        self,
        store: WatchStore,
        addresses: Addresses,
        now_us: Callable[[], int] = our_now_us,
        opens: OpenSender = open_sender,
    ) -> None:
        self._store, self._addresses, self._now_us, self._opens = store, addresses, now_us, opens
        self._lock = threading.Lock()
        self._workers: dict[str, _Worker] = {}
        self._prune_at_s = 0.0
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pairdesk-outbox", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def wake(self) -> None:
        """Look for new alerts at once."""
        self._woken.set()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """End the attempts under way; whether they did in time. What is left waits for a start."""
        deadline_s = time.monotonic() + timeout_s
        self._stopping.set()
        self._woken.set()
        with self._lock:
            workers = list(self._workers.values())
        for each in workers:
            each.wake()
        threads = [each.thread for each in workers]
        if self._thread.ident is not None:
            threads.append(self._thread)
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def standing(self) -> tuple[ChannelStanding, ...]:
        """How every channel does that has an address, or that a rule names.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        waiting = self._store.unsent_counts()
        ruled = (name for rule in self._store.rules() for name in rule.channels)
        names = dict.fromkeys((*self._addresses.names(), *ruled, *waiting))
        return tuple(self._channel(name).standing(waiting.get(name, 0)) for name in names)

    def failures(self) -> dict[str, int]:
        """How many attempts of each channel failed since the last that did not; asks nobody."""
        with self._lock:
            return {name: worker.channel.failures for name, worker in self._workers.items()}

    def test(self, name: str) -> str:
        """Send a test message now; returns the service's answer in words. Takes up to 30 s."""
        address = self._addresses.address_of(name)
        if address is None:
            return "not sent: it has no address"
        sender = self._opens(address.url)
        if sender is None:
            return "not sent: its address cannot be used"
        try:
            outcome = sender.send([_test_message(name, self._now_us())])
        finally:
            sender.close()
        return f"{'delivered' if outcome.delivered else 'not delivered'}: {outcome.words}"

    def _channel(self, name: str) -> Channel:
        """Return the channel that is worked for, or one that has done nothing yet."""
        with self._lock:
            worker = self._workers.get(name)
        return self._new_channel(name) if worker is None else worker.channel

    def _new_channel(self, name: str) -> Channel:
        return Channel(
            name,
            self._store,
            self._addresses,
            self._now_us,
            self._opens,
            stops=self._stopping.is_set,
        )

    def _run(self) -> None:
        is_loaded = False
        while not self._stopping.is_set():
            self._woken.clear()
            self._wake_waiting()
            self._prune_now_and_then()
            self._woken.wait(_LOOK_S)
            if not is_loaded and self._addresses.names():
                load()
                is_loaded = True

    def _prune_now_and_then(self) -> None:
        if time.monotonic() < self._prune_at_s:
            return
        self._prune_at_s = time.monotonic() + _LOOK_S
        try:
            self._store.prune()
        except StoreError as error:
            _LOG.warning("%s", f"old alerts cannot be deleted: {error}")

    def _wake_waiting(self) -> None:
        try:
            waiting = self._store.waiting_channels()
        except StoreError as error:
            _LOG.warning("%s", f"the outbox cannot look for alerts: {error}")
            return
        for name in waiting:
            self._wake_worker(name)

    def _wake_worker(self, name: str) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            worker = self._workers.get(name)
            if worker is None:
                worker = self._workers[name] = _Worker(self._new_channel(name), self._stopping)
                worker.thread.start()
        worker.wake()


class _Worker:
    """A thread that delivers for one channel."""

    def __init__(self, channel: Channel, stopping: threading.Event) -> None:
        self.channel, self._stopping = channel, stopping
        self._woken = threading.Event()
        self._backoff, self._said = Backoff(base_s=_AGAIN_S, cap_s=60.0, floor_s=_AGAIN_S), ""
        name = f"pairdesk-channel-{channel.name}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def wake(self) -> None:
        """Have it look for deliveries now, not at the end of its wait."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            wait_s = self._deliver()
            if wait_s != 0.0:
                self._woken.wait(wait_s)
        try:
            self.channel.close()
        except StoreError as error:
            _LOG.warning(
                "%s", f"channel {self.channel.name} could not write how it stands: {error}"
            )

    def _deliver(self) -> float | None:
        try:
            wait_s = self.channel.deliver()
        except StoreError as error:
            self._say(str(error))
            return _AGAIN_S
        except Exception as error:  # noqa: BLE001 - its words may hold an address
            self._say(f"it failed ({type(error).__name__})")
            return self._backoff.next_wait_s(_RNG)
        self._backoff.reset()
        self._said = ""
        return wait_s

    def _say(self, words: str) -> None:
        """Write it to the log, once in a row."""
        if words != self._said:
            _LOG.warning("%s", f"channel {self.channel.name}: {words}")
        self._said = words


def _test_message(channel: str, now_us: int) -> Outgoing:
    words = f"Test message of Pairdesk: channel {channel} works."
    alert = Alert("test", "fired", bar_us=now_us, fired_us=now_us, words=words)
    return Outgoing(alert, f"test-{now_us}", is_test=True)
