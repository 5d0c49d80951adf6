"""The pace of a replay: it puts recorded trades into the queue as their time comes."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from ingest.counts import Counts
from ingest.errors import IngestError, ReplayError
from ingest.event_queue import EventQueue
from ingest.feed import Feed
from ingest.repair import Repair
from ingest.replay.source import US_PER_S, ReplayRequest, ReplaySource, open_source
from ingest.status import RecorderState, ReplayStatus
from ingest.tick import Event, Tick

_WAKE_S = 0.05
_MOST_QUEUED = 0.5  # of the queue: a replay waits for the disk, where a market would not


class ReplayLoop:
    """Stands where a recorder's receiving loop stands: the rest of the recorder is the same.

    Parameters
    ----------
    request
        What to play.
    queue, counts
        Shared with the writing side.
    speed
        Market seconds a second, above 0.
    clock
        Monotonic seconds.
    """

    # A replay has neither a connection nor a REST side.
    feed: Feed | None = None
    repair: Repair | None = None

    def __init__(
        self,
        request: ReplayRequest,
        queue: EventQueue,
        counts: Counts,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.symbols: tuple[str, ...] = ()
        self.error: str | None = None
        self._request, self._queue, self._counts, self._clock = request, queue, counts, clock
        self._source: ReplaySource | None = None
        self._slices: Iterator[list[Event]] = iter(())
        self._due: deque[Event] = deque()
        self._changed = threading.Condition()
        self._stopping = self._paused = self._ended = False
        self._speed = speed
        # The market's time `_from_us` was reached when the clock showed `_at_s`.
        self._from_us, self._at_s, self._target_us = 0, 0.0, 0

    # Called from other threads.

    def run(self) -> None:
        """Play to the end, then wait to be stopped; a file that cannot be read ends it at once."""
        if self._source is None:
            try:
                self.load()
            except IngestError as error:
                self.error = str(error)
                return
        while not self._stopping:
            self.play_due()
            with self._changed:
                self._changed.wait(None if self._ended else _WAKE_S)

    def stop(self) -> None:
        """End; what was played is in the queue."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def pause(self) -> None:
        """Hold the market's clock."""
        with self._changed:
            self._anchor()
            self._paused = True

    def resume(self) -> None:
        """Let the market's clock run on from where it stands."""
        with self._changed:
            self._paused = False
            self._at_s = self._clock()
            self._changed.notify_all()

    def step(self, seconds: float) -> None:
        """Play this much of the market's time at once, and hold there.

        Raises
        ------
        ReplayError
            The step is not above 0.
        """
        if not 0 < seconds < math.inf:
            raise ReplayError(f"a step is some seconds above 0, not {seconds:g}")
        with self._changed:
            self._anchor()
            self._paused = True
            self._from_us = min(self._from_us + round(seconds * US_PER_S), self._end_us())
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Play at another speed from now on.

        Raises
        ------
        ReplayError
            It is not above 0.
        """
        if not speed > 0:
            raise ReplayError(f"a replay's speed is above 0, not {speed:g}")
        with self._changed:
            self._anchor()
            self._speed = speed
            self._changed.notify_all()

    def position_us(self) -> int:
        """The market's time, µs since the epoch: what stands for now while a replay runs."""
        return self._target_us

    def status(self) -> ReplayStatus:
        """How far it is."""
        source = self._source
        return ReplayStatus(
            name=self._request.path.name,
            start_us=source.start_us if source else 0,
            end_us=source.end_us if source else 0,
            position_us=self._target_us,
            speed=self._speed,
            is_paused=self._paused,
            is_loading=source is None,
            has_ended=self._ended,
        )

    # What a receiving loop is asked, where it means nothing here.

    def set_symbols(self, symbols: tuple[str, ...], reason: str = "") -> None:
        """Nothing: the symbols are the file's."""

    def reconnect(self, reason: str) -> None:
        """Nothing: there is no connection."""

    def clock_jumped(self) -> None:
        """Nothing: a replay goes by the market's clock."""

    def repair_now(self) -> None:
        """Nothing: there is nobody to ask for what the file lacks."""

    def skew_ms(self) -> float | None:
        """Not known: there is no exchange whose clock could be asked for."""
        return None

    def retry_in_s(self) -> float | None:
        """Nothing is retried."""
        return None

    def state(self) -> RecorderState:
        """Whether it plays, and whether its file is read yet."""
        if self._source is None:
            return "connecting" if self.error is None else "failed"
        return "paused" if self._paused else "live"

    # In the thread.

    def load(self) -> None:
        """Read what the request names.

        Raises
        ------
        IngestError
            It cannot be read, or holds nothing of what was asked for.
        """
        source = open_source(self._request)
        with self._changed:
            self._from_us = self._target_us = source.start_us
            self._at_s = self._clock()
            self._slices, self.symbols = source.slices(), source.symbols
            self._source = source

    def play_due(self) -> None:
        """Hand over what is due, as far as there is room."""
        with self._changed:
            self._play()

    def _play(self) -> None:
        self._target_us = self._now_us()
        most = int(self._queue.capacity * _MOST_QUEUED)
        while len(self._queue) < most:
            event = self._next()
            if event is None:
                break
            self._hand_over(event)
        else:  # the disk is behind: the market's clock waits for it
            if self._due and not math.isinf(self._speed):
                self._from_us, self._at_s = self._due[0].time_us, self._clock()
        if math.isinf(self._speed) and not self._paused:
            self._from_us = self._target_us = self._due[0].time_us if self._due else self._end_us()
        self._ended = not self._due and self._target_us >= self._end_us() and not self._fill()

    def _next(self) -> Event | None:
        """Take the next event if its time has come."""
        if not self._due and not self._fill():
            return None
        fastest = math.isinf(self._speed) and not self._paused
        return self._due.popleft() if fastest or self._due[0].time_us <= self._target_us else None

    def _fill(self) -> bool:
        for events in self._slices:
            if events:
                self._due.extend(events)
                return True
        return False

    def _hand_over(self, event: Event) -> None:
        counts = self._counts.of(event.symbol)
        counts.received += 1
        counts.last_received_us = event.time_us
        counts.last_id = max(counts.last_id or 0, event.trade_id)
        if isinstance(event, Tick):
            counts.last_trade_us, counts.last_price = event.time_us, event.price
        self._queue.put(event)

    def _now_us(self) -> int:
        if self._paused or math.isinf(self._speed):
            return self._from_us
        passed_us = round((self._clock() - self._at_s) * self._speed * US_PER_S)
        return min(self._from_us + passed_us, self._end_us())

    def _anchor(self) -> None:
        self._from_us, self._at_s = self._now_us(), self._clock()

    def _end_us(self) -> int:
        return self._source.end_us if self._source else 0
