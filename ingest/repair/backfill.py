"""Fills the gaps of the ledger from REST, through the same queue as the live trades."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Final

from ingest.binance import UNKNOWN_SYMBOL_CODE
from ingest.clock import now_us as wall_clock_us
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.event_queue import Item
from ingest.repair.awaiting_commit import AwaitingCommit
from ingest.repair.delivery import Delivery
from ingest.repair.limits import (
    BackfillLimits,
    Job,
    abandoned_sentence,
    oldest_fetched_us,
    requested_progress,
)
from ingest.repair.page import compare_page
from ingest.repair.trade_requests import TradeRequests
from ingest.rest import RestClient
from ingest.status import Progress
from ingest.store import (
    RESTARTED_AFTER,
    IdRange,
    OpenGap,
    PublishedGaps,
    TickWriter,
    first_from,
)
from ingest.tick import Event, StreamKey, StreamKind
from ingest.trade_times import is_ahead

_LOG: Final = logging.getLogger("pairdesk.repair")

_FAILED_WAIT_S = 1.0  # the client itself backs off: this only keeps one gap from going first
_REFUSED_WAIT_S = 60.0
_EVER_S, _ANY_NUMBER = 100 * 365 * 86_400.0, 10**15


class Backfill:
    """Asks for what is missing, newest first within a symbol, some pages from each in turn.

    What is to be done is read from the published gaps at every step: they may change while a
    request is under way.

    Parameters
    ----------
    published
        Open gaps, as the writing thread publishes them.
    rest
        Asks the exchange.
    put
        Appends to the queue, or returns False when it has no room.
    stream
        The kind recorded; gaps of other kinds and markets are left alone.
    wanted
        Whether a symbol is recorded just now.
    limits, now_us, rng
        How far back; wall clock and jitter, replaceable for tests.

    Attributes
    ----------
    blocked
        Why nothing is fetched, while the country is blocked; None otherwise.
    """

    def __init__(
        self,
        published: PublishedGaps,
        rest: RestClient,
        put: Callable[[Item], bool],
        stream: StreamKind,
        *,
        wanted: Callable[[str], bool] = lambda _symbol: True,
        limits: BackfillLimits | None = None,
        now_us: Callable[[], int] = wall_clock_us,
        rng: random.Random | None = None,
    ) -> None:
        self.limits = limits or BackfillLimits()
        self._no_limits = replace(self.limits, max_span_s=_EVER_S, max_requests=_ANY_NUMBER)
        self.blocked: str | None = None
        self._published = published
        self._rest = rest
        self._stream: StreamKind = stream
        self._requests = TradeRequests(rest, stream)
        self._wanted = wanted
        self._now_us = now_us
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._delivery = Delivery(put)
        self._jobs: dict[tuple[StreamKey, int], Job] = {}
        self._notices: deque[str] = deque(maxlen=20)
        self._wake = asyncio.Event()
        self._time = asyncio.get_running_loop().time
        self._awaiting = AwaitingCommit(self._time)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on what was not fetched, oldest first."""
        return tuple(self._notices)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """Every gap being filled; safe from any thread."""
        now_s, blocked_until_s = self._time(), self._rest.blocked_until_s
        return tuple(
            job.progress(key[1], to_id, now_s, blocked_until_s)
            for (key, to_id), job in list(self._jobs.items())
            if job.left and not job.is_requested
        )

    @property
    def requested_progress(self) -> Progress | None:
        """How far the given-up ids are that the reader asked for; safe from any thread."""
        by_key, requested = self._published.by_key, self._published.requested
        gaps = [
            gap
            for key in requested.ranges
            if self._is_ours(key)
            for gap in by_key.get(key, ())
            if requested.covers(key, gap.from_id, gap.to_id)
        ]
        blocked_until_s = self._rest.blocked_until_s
        return requested_progress(gaps, requested, self.limits.page, self._time(), blocked_until_s)

    def repair_now(self) -> None:
        """Ask at once where we would wait; the exchange's own waits are kept. From the loop."""
        for job in self._jobs.values():
            job.not_before_s = 0.0
        self._awaiting.forget_abandoned()
        self._notices.clear()  # what they say is not fetched may be asked for now
        self._wake.set()

    def symbols_changed(self) -> None:
        """Look at the ledger anew: gaps of a symbol that is wanted again are no news. In the loop.

        Without this they would wait for the next gap of any symbol.
        """
        self._wake.set()

    def forget_pending(self) -> None:
        """Forget what is on its way to a database that is another one now."""
        self._awaiting.clear()
        self._wake.set()

    async def run(self) -> None:
        """Fill gaps until cancelled."""
        while True:
            worked = False
            for gap in self._newest_due():
                worked = True
                await self._work_on(gap)
            if not worked:
                await self._wait_for_change()

    async def _wait_for_change(self) -> None:
        """Wait for other gaps, `repair_now`, or the first time to look again."""
        times_s = [job.not_before_s for job in self._jobs.values() if job.left]
        if (settles_s := self._awaiting.next_s()) is not None:
            times_s.append(settles_s)
        timeout_s = max(0.0, min(times_s) - self._time()) if times_s else None
        waits = {
            asyncio.ensure_future(self._published.changed()),
            asyncio.ensure_future(self._wake.wait()),
        }
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._wake.clear()

    def _newest_due(self) -> list[OpenGap]:
        """One gap of every symbol: the newest that is not waiting."""
        self._awaiting.forget_published()
        self._forget_closed()
        newest: list[OpenGap] = []
        for key, gaps in self._published.by_key.items():
            if self._is_ours(key):
                newest += islice(filter(self._is_due, reversed(gaps)), 1)
        return newest

    def _is_due(self, gap: OpenGap) -> bool:
        job = self._job(gap)
        job.left = sum(part.size for part in self._remainder(gap))
        return job.left > 0 and job.not_before_s <= self._time()

    def _forget_closed(self) -> None:
        """Forget the gaps that are not open, or not ours, any more."""
        for key, to_id in list(self._jobs):
            gaps = self._published.by_key.get(key, ())
            at = first_from(gaps, to_id)
            if at == len(gaps) or gaps[at].to_id != to_id or not self._is_ours(key):
                del self._jobs[key, to_id]

    async def _work_on(self, gap: OpenGap) -> None:
        """Some pages of a gap, or the decision not to fetch it."""
        if not await self._delivery.room():
            self._awaiting.clear()  # lost with the writing thread: the gaps say what is missing
        job, now_s = self._job(gap), self._time()
        try:
            if self._may_exceed(gap, job):
                job.within_limits = await self._trim(gap, job)
            else:
                await self._fetch_pages(gap, job)
        except RestBlockedError as error:
            self.blocked = str(error)
            job.later(self._time(), error.wait_s, str(error))
        except RestRefusedError as error:
            await self._refused(gap, job, error)
        except RestFailedError as error:
            job.later(max(now_s, self._time()), _FAILED_WAIT_S, str(error))
        else:
            self.blocked = None

    def _may_exceed(self, gap: OpenGap, job: Job) -> bool:
        """Whether some of a gap may lie beyond the limits."""
        if job.within_limits:
            return False
        limits = self._limits_of(job)
        oldest_us, _ = oldest_fetched_us(gap, limits, self._rest.market, self._now_us())
        return gap.after_us < oldest_us or gap.missing > limits.max_ids

    async def _trim(self, gap: OpenGap, job: Job) -> bool:
        """Give up what lies beyond the limits; False when REST cannot tell yet where that is."""
        limits = self._limits_of(job)
        oldest_us, why = oldest_fetched_us(gap, limits, self._rest.market, self._now_us())
        first_id: int | None = gap.from_id
        if gap.before_us <= oldest_us:
            first_id = gap.to_id + 1
        elif gap.after_us < oldest_us:
            ids = IdRange(gap.from_id, gap.to_id)
            first_id = await self._requests.first_id_since(
                gap.key[1], ids, oldest_us, lambda: self._count(job)
            )
        if first_id is None:
            await self._lagging(gap, job)
            return False
        if gap.to_id + 1 - first_id > limits.max_ids:
            first_id = gap.to_id + 1 - limits.max_ids
            why = f"more than {limits.max_requests:,} requests would be needed"
        if first_id > gap.from_id:
            await self._give_up(gap, min(first_id - 1, gap.to_id), why)
        return True

    def _limits_of(self, job: Job) -> BackfillLimits:
        """What the reader asked for is fetched as far back as the exchange has it."""
        return self._no_limits if job.is_requested else self.limits

    def _count(self, job: Job) -> None:
        if job.is_requested:
            self._published.requested.count(self._time())

    async def _fetch_pages(self, gap: OpenGap, job: Job) -> None:
        """The next pages of a gap, asked for side by side and taken in order up to a failure."""
        starts = self._page_starts(gap)
        pages = await asyncio.gather(
            *(self._page(gap.key[1], job, from_id) for from_id in starts), return_exceptions=True
        )
        for from_id, page in zip(starts, pages, strict=True):
            if isinstance(page, BaseException):
                raise page
            if not await self._take_page(gap, job, from_id, page):
                return

    async def _page(self, symbol: str, job: Job, from_id: int) -> list[Event]:
        self._count(job)
        return await self._requests.page(symbol, from_id, self.limits.page)

    async def _take_page(self, gap: OpenGap, job: Job, from_id: int, page: list[Event]) -> bool:
        """Settle what a page brought; False where the pages after it are of no use."""
        rows = sorted(
            (each for each in page if each.trade_id >= from_id), key=lambda each: each.trade_id
        )
        if rows:
            job.lagging_since_s = None
            if not await self._settle(gap.key, IdRange(from_id, rows[-1].trade_id), rows):
                return False
        if not rows or (len(page) < self.limits.page and rows[-1].trade_id < gap.to_id):
            await self._lagging(gap, job)
            return False
        return True

    def _page_starts(self, gap: OpenGap) -> list[int]:
        """Ids to ask from: an id's page is known beforehand, as ids have no holes but rare ones."""
        first = self._page_start(gap)
        if first is None:
            return []
        starts, page = [first], self.limits.page
        for part in self._remainder(gap):
            starts += range(max(part.from_id, starts[-1] + page), part.to_id + 1, page)
        return starts[: self.limits.pages_at_once]

    def _page_start(self, gap: OpenGap) -> int | None:
        """Id to ask from: the gap's own, or an older gap's where one page reaches over both."""
        remainder = self._remainder(gap)
        if not remainder:
            return None
        start = remainder[0].from_id
        gaps = self._published.by_key.get(gap.key, [])
        for other in reversed(gaps[: first_from(gaps, gap.from_id)]):
            if gap.to_id - other.from_id >= self.limits.page:
                break
            if not self._may_exceed(other, self._job(other)):
                start = min([start, *(part.from_id for part in self._remainder(other))])
        return start

    async def _settle(self, key: StreamKey, covered: IdRange, rows: list[Event]) -> bool:
        """Store what a page brought for any open gap, then say which ids do not exist.

        False where the page showed that the stream is of another numbering, and was given up.
        """
        gaps = self._published.by_key.get(key, [])
        page = compare_page(gaps, self._remainder, covered, rows)
        odd = page.odd
        if len(odd) == len(page.events) >= RESTARTED_AFTER and not any(map(is_ahead, odd)):
            await self._refuse(key, odd[0])
            return False
        for event in page.fitting:
            await self._delivery.put(event)
        if page.covered is not None:
            settled = self._awaiting.add(key, page.covered)
            await self._delivery.call(lambda writer: page.close(writer, key), settled)
        return True

    async def _refuse(self, key: StreamKey, event: Event) -> None:
        """Give a stream up: a whole page of times that do not fit is of another numbering."""
        await self._delivery.call(lambda writer: writer.refuse(key, event))

    async def _lagging(self, gap: OpenGap, job: Job) -> None:
        """REST does not know the gap's end yet: ask again soon, for so long."""
        now_s, limits = self._time(), self.limits
        if job.lagging_since_s is None:
            job.lagging_since_s = now_s
        if now_s - job.lagging_since_s >= limits.lag_s:
            hours = f"{limits.lag_s / 3600:g} h"
            await self._give_up(gap, gap.to_id, f"REST has not known them for {hours}")
            return
        wait_s = self._rng.uniform(limits.retry_s, 2 * limits.retry_s)
        job.later(now_s, wait_s, "REST lags behind the stream")

    async def _refused(self, gap: OpenGap, job: Job, error: RestRefusedError) -> None:
        if error.code == UNKNOWN_SYMBOL_CODE:
            await self._give_up(gap, gap.to_id, "the exchange does not know the symbol any more")
        elif self._stream == "trade":
            why = f"{self._rest.rest_base} gives out no raw trades (HTTP {error.status})"
            await self._give_up(gap, gap.to_id, why)
        else:
            job.later(self._time(), _REFUSED_WAIT_S, str(error))

    async def _give_up(self, gap: OpenGap, to_id: int, why: str) -> None:
        sentence, requested = abandoned_sentence(gap, to_id, why), self._published.requested
        was_requested = self._job(gap).is_requested

        def close(writer: TickWriter) -> None:
            """Close the gap unless the user has asked for it meanwhile."""
            # Requested since it was beyond the limits, which then do not count.
            if was_requested or not requested.covers(gap.key, gap.from_id, to_id):
                writer.close_gap(gap.key, gap.from_id, to_id, "expired", sentence)

        settled = self._awaiting.add(gap.key, IdRange(gap.from_id, to_id), abandoned=True)
        await self._delivery.call(close, settled)
        self._notices.append(sentence)
        symbol, _, rest = sentence.partition(": ")
        _LOG.info("%s: %s", symbol, rest)  # one kind of message, whichever symbol it is of

    def _remainder(self, gap: OpenGap) -> list[IdRange]:
        return self._awaiting.left_of(gap.key, IdRange(gap.from_id, gap.to_id))

    def _is_ours(self, key: StreamKey) -> bool:
        market, symbol, kind = key
        return market == self._rest.market and kind == self._stream and self._wanted(symbol)

    def _job(self, gap: OpenGap) -> Job:
        job = self._jobs.get((gap.key, gap.to_id))
        if job is None:
            job = Job(gap.missing, self._time(), gap.missing)
            self._jobs[gap.key, gap.to_id] = job
        is_requested = self._published.requested.covers(gap.key, gap.from_id, gap.to_id)
        if is_requested != job.is_requested:
            job.is_requested, job.within_limits = is_requested, False
        return job
