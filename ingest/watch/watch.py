"""The watch of a desk: what is watched, the engine that evaluates it, and what carries alerts."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ingest.clock import now_us as wall_clock_us
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.watch.addresses import Addresses
from ingest.watch.board import Board
from ingest.watch.channel import ChannelStanding
from ingest.watch.database import try_lock
from ingest.watch.evaluation import ChannelFailures, Engine
from ingest.watch.heartbeat import Heartbeat, HeartbeatStanding, is_well
from ingest.watch.market_scan import MarketScan, MarketScanStatus
from ingest.watch.model import WatchedPair
from ingest.watch.onlooker import NOT_HERE, Onlooker
from ingest.watch.outbox import Outbox
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore, watch_path
from ingest.watch.watch_file import read_watch_file, take_up_once

_LOG: Final = logging.getLogger("pairdesk.watch")
TAKEN: Final = "nothing is evaluated here: another process evaluates and sends with this watch"


class Watch:
    """Watches pairs with no browser open. Once per process; any thread.

    Parameters
    ----------
    settings
        Where the database is, and the watch file to take up.
    recorder
        What records into it, a replay too; None where this process only shows: then nothing is
        evaluated, and nothing sent. The same where another process does so with this watch.
    now_us
        Our clock, µs since the epoch.

    Attributes
    ----------
    store
        Lists, rules, silences, alerts and their deliveries.
    board
        The latest figures of each row.
    addresses
        Where the channels go.

    Raises
    ------
    StoreError
        The watch's database cannot be opened.
    WatchFileError
        The watch file cannot be taken up.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder | None,
        *,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self.settings = settings
        self.store = WatchStore(watch_path(settings.db))
        self.board = Board()
        self.addresses = Addresses()
        self._lock = try_lock(self.store.path) if recorder is not None else None
        self._recorder = recorder if self._lock is not None else None
        if recorder is not self._recorder:
            _LOG.warning("%s", f"{TAKEN} ({self.store.path})")
        self._outbox = Outbox(self.store, self.addresses, now_us)
        self._heartbeat = Heartbeat(self.addresses, self._is_well, now_us)
        self._now_us = now_us
        if settings.watch is not None:
            self._take_up(settings.watch)
        if settings.replay is not None and self._recorder is not None:  # the market begins anew
            self.store.forget_states()
        self._engine = self._make_engine(now_us, NOT_HERE if recorder is None else TAKEN)
        self._market_scan = MarketScan(
            settings.db, self.store, self._report_market, history=settings.read_history
        )
        self._stopped = False

    def start(self) -> None:
        """Show the rows, then evaluate them from bar to bar and send what comes of it."""
        self._engine.start()
        if self._recorder is not None:
            self._outbox.start()
            self._heartbeat.start()
            self._market_scan.start()

    def stop(self, timeout_s: float = 4.0) -> bool:
        """Finish what is being evaluated and sent, and close; whether it did within the time.

        A second call does nothing.
        """
        if self._stopped:
            return True
        self._stopped = True
        until_s = time.monotonic() + timeout_s
        parts = (self._engine, self._outbox, self._market_scan, self._heartbeat)
        for each in parts:  # told all at once, so that none has the time of the others
            each.stop(0.0)
        ended = [each.stop(max(0.0, until_s - time.monotonic())) for each in parts]
        if all(ended[:3]):  # closed under a thread that still uses it, it ends the process
            self.store.close()
            if self._lock is not None:
                self._lock.release()
        return all(ended)

    def status(self) -> WatchStatus:
        """What is happening; safe from any thread, never waits."""
        return self._engine.status()

    def channels(self) -> tuple[ChannelStanding, ...]:
        """How every channel does that has an address, or that a rule names.

        Raises
        ------
        StoreError
            The watch cannot be read.
        """
        return self._outbox.standing()

    def heartbeat(self) -> HeartbeatStanding:
        """How the sign of life to a URL does; safe from any thread."""
        return self._heartbeat.standing()

    def test_channel(self, name: str) -> str:
        """Send a test message now; returns the service's answer in words. Takes up to 30 s."""
        return self._outbox.test(name)

    def market_scan(self) -> MarketScanStatus:
        """How the latest scan of all recorded symbols was; safe from any thread, never waits."""
        return self._market_scan.status()

    def report_finds(self, finds: Sequence[WatchedPair]) -> None:
        """Take the pairs that a scan found, all of them; those of an earlier scan are over."""
        if isinstance(self._engine, Engine):
            self._engine.report_finds(finds)

    def _report_market(self, finds: Sequence[WatchedPair]) -> None:
        if isinstance(self._engine, Engine):
            self._engine.report_finds(finds, "market")

    def _take_up(self, path: Path) -> None:
        file = read_watch_file(path)
        take_up_once(self.store, file)
        self.addresses.take_up({name: url for name, url in file.channels.items() if url})

    def _make_engine(self, now_us: Callable[[], int], why_not: str) -> Engine | Onlooker:
        if self._recorder is None:
            return Onlooker(self.store, self.board, why_not)
        return Engine(
            self.store,
            self.board,
            self.settings.db,
            self._recorder,
            recorded=self._outbox.wake,
            channels=self._failures,
            now_us=now_us,
            is_replay=self.settings.replay is not None,
            history=self.settings.read_history,
        )

    def _failures(self) -> list[ChannelFailures]:
        return [ChannelFailures(*each) for each in self._outbox.failures().items()]

    def _is_well(self) -> bool:
        """Whether trades come in, are stored, and are evaluated."""
        if self._recorder is None:
            return False
        return is_well(self._recorder.status(), self.status().behind_s, self._now_us())
