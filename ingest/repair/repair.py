"""What repairs and watches the feed over REST: backfill, earlier bars, silence, the clock."""

import random
from collections.abc import Callable, Coroutine
from typing import Any

from ingest.counts import Counts
from ingest.event_queue import EventQueue, Item
from ingest.feed import Feed
from ingest.repair.backfill import Backfill
from ingest.repair.clock_ahead import ClockAhead
from ingest.repair.gap_klines import GapKlines
from ingest.repair.kline_seed import KlineName
from ingest.repair.limits import BackfillLimits
from ingest.repair.skew import SkewMeter
from ingest.repair.warm_start import WarmStart
from ingest.repair.watchdog import Received, Watchdog
from ingest.rest import RestClient
from ingest.settings import Settings
from ingest.status import Progress, SymbolState
from ingest.store import PublishedGaps
from ingest.tick import Event, NonTrade, Tick
from ingest.trade_times import TradeTimes


class Repair:
    """One REST client and the tasks that use it. Made in the event loop it runs in.

    Parameters
    ----------
    settings
        Market, stream, endpoint, how far back to fetch.
    feed
        Whose symbols are repaired and whose silence is watched.
    queue, published, counts
        Shared with the writing side.
    rest
        Asks the exchange; outlives this object, with the waits it was asked to keep.
    times, set_aside
        Judges trades' times; takes a trade whose time cannot be, and why.
    now_us, rng
        Replaceable for tests.
    """

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        queue: EventQueue,
        published: PublishedGaps,
        counts: Counts,
        *,
        rest: RestClient,
        times: TradeTimes,
        set_aside: Callable[[Event, str], None],
        now_us: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._feed, self._counts, self._queue = feed, counts, queue
        self._published, self._times, self._set_aside = published, times, set_aside
        self._rest = rest
        self._seeded: set[str] = set()
        self._backfill = Backfill(
            published,
            rest,
            self._put,
            settings.stream,
            wanted=lambda symbol: symbol in self._seeded,
            limits=BackfillLimits(
                max_span_s=settings.backfill_hours * 3600, max_requests=settings.backfill_requests
            ),
            now_us=now_us,
            rng=rng,
        )
        self._warm_start = WarmStart(
            rest,
            self._put,
            settings.stream,
            now_us=now_us,
            is_received=lambda symbol: counts.of(symbol).received > 0,
        )
        self._gap_klines = GapKlines(rest, self._put, settings.stream, published, now_us=now_us)
        self._watchdog = Watchdog(
            feed,
            rest,
            settings.stream,
            symbols=lambda: feed.symbols,
            received=self._received,
            published=published,
            put=self._put_newest,
        )
        self._skew = SkewMeter(rest, times.know_skew)
        self._clock_ahead = ClockAhead(counts, times, lambda: self._skew.newest is not None, now_us)

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What is to run beside the feed, until cancelled."""
        return [
            self._backfill.run(),
            self._warm_start.run(),
            self._gap_klines.run(),
            self._watchdog.run(),
            self._skew.run(),
            self._clock_ahead.run(),
        ]

    def symbols_change(self, symbols: tuple[str, ...]) -> None:
        """Seed new symbols, leave those that went. Called before the feed subscribes."""
        for symbol in set(symbols) - self._seeded:
            self._warm_start.add(symbol)
            self._gap_klines.add(symbol)
        for symbol in self._seeded - set(symbols):
            self._warm_start.remove(symbol)
            self._gap_klines.remove(symbol)
        self._seeded = set(symbols)
        self._backfill.symbols_changed()

    def database_changed(self) -> None:
        """Seed every symbol again: another database does not hold what was fetched."""
        symbols = tuple(self._seeded)
        self.symbols_change(())
        self.symbols_change(symbols)
        self._backfill.forget_pending()

    def fetch_klines(self, symbol: str, name: KlineName, span_us: int) -> None:
        """See to it that bars of a length reach so far back."""
        self._warm_start.fetch(symbol, name, span_us)

    def clock_jumped(self) -> None:
        """Compare the clocks again: ours has moved."""
        self._skew.clock_jumped()
        self._clock_ahead.clock_jumped()

    def repair_now(self) -> None:
        """Ask at once where the backfill would wait."""
        self._backfill.repair_now()

    # Read from other threads.

    @property
    def no_data(self) -> str | None:
        """A sentence while a connection is open on which nothing ever came."""
        return self._watchdog.no_data

    @property
    def skew_ms(self) -> float | None:
        """The exchange's clock minus ours; None until measured."""
        newest = self._skew.newest
        return None if newest is None else newest.skew_ms

    def symbol_state(self, symbol: str) -> SymbolState:
        """Whether a symbol's trades come."""
        return self._watchdog.state(symbol)

    def backfill_progress(self) -> tuple[Progress, ...]:
        """Gaps being filled."""
        return self._backfill.progress

    def requested_progress(self) -> Progress | None:
        """Given-up ids that the reader asked for; None with none left."""
        return self._backfill.requested_progress

    def warm_start_progress(self) -> tuple[Progress, ...]:
        """Symbols whose earlier bars, or bars over gaps, are being fetched."""
        return (*self._warm_start.progress, *self._gap_klines.progress)

    def notices(self) -> list[str]:
        """Sentences for the person at the desk."""
        link = self._feed.link
        refusal = None if link is None else link.refusal
        blocked = None if self._rest.blocked_reason is None else self._backfill.blocked
        said = (self.no_data, refusal, blocked)
        alarms = [each for each in said if each is not None]
        if (interception := self._rest.interception) is not None:
            alarms.append(f"The exchange's REST cannot be asked: {interception.sentence}.")
        return [*alarms, *self._backfill.notices, *self._warm_start.notices]

    def _put(self, item: Item) -> bool:
        """Queue something; half of the room is kept for the live feed."""
        is_queued = len(self._queue) < self._queue.capacity // 2 and self._queue.put(item)
        if is_queued and isinstance(item, Tick | NonTrade):
            self._counts.of(item.symbol).fetched += 1
        return is_queued

    def _put_newest(self, item: Item) -> bool:
        """Queue the exchange's newest trade, unless its time cannot be."""
        if isinstance(item, Tick | NonTrade):
            last = self._published.last((item.market, item.symbol, item.stream))
            oddity = self._times.oddity(item, None if last is None else last[1])
            if oddity is not None:
                self._set_aside(item, oddity)
                return True
        return self._queue.put(item)

    def _received(self, symbol: str) -> Received:
        counts = self._counts.of(symbol)
        return Received(counts.received, counts.last_id, counts.last_raw_id)
