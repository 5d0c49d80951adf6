"""Trades (aggTrades) of a symbol over days, by their ids, as far as the lake lacks them."""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import date, timedelta
from typing import Final

from ingest.errors import IngestError
from ingest.history import paging
from ingest.history.days import DAY_S, day_second, days_words, runs_of_days
from ingest.history.jobs import JobProgress
from ingest.history.keeping import TradeKeeper, absent
from ingest.history.paging import PatientRest, in_order
from ingest.store import SECOND_US, IdRange
from ingest.tick import Event

MOST_ABSENT: Final = 100_000  # ids of a day that the exchange does not have; beyond it they restart


class TradeFetch:
    """Brings the trades of one symbol.

    Parameters
    ----------
    rest
        Asks the exchange.
    keeper
        Takes them.
    progress
        Counts ids.
    first, last
        Days to be covered, both included.
    """

    def __init__(
        self, rest: PatientRest, keeper: TradeKeeper, progress: JobProgress,
        first: date, last: date,
    ) -> None:  # fmt: skip
        self._rest, self._keeper, self._progress = rest, keeper, progress
        self._first, self._last = first, last
        self._first_ids: dict[date, int] = {}
        self._quiet: list[date] = []
        self._absent = 0

    @property
    def _symbol(self) -> str:
        return self._keeper.stream.symbol

    def lacking(self) -> list[date]:
        """Days that the lake does not tell all of."""
        return self._keeper.unknown_days(self._first, self._last)

    async def count(self) -> int:
        """Ids that are lacking; raises as `run` does."""
        total = 0
        for first, last in runs_of_days(self.lacking()):
            ids = await self._ids(first, last)
            parts = [] if ids is None else self._keeper.missing(ids, first, last)
            total += sum(part.to_id - part.from_id + 1 for part in parts)
        return total

    async def run(self) -> None:
        """Fetch what is lacking; what was written stays, whatever it is ended by.

        Raises
        ------
        RestFailedError
            The exchange does not answer, or knows no such symbol.
        LakeError
            What came cannot be written.
        """
        lacking = self.lacking()
        if not lacking:
            self._progress.note(f"{self._symbol}: all its trades are held already")
            return
        try:
            for day in lacking:
                self._progress.update(step=f"{self._symbol} {day}")
                await self._fetch_day(day)
                self._keeper.refresh_bars(before=day)
        finally:
            self._keeper.write()
            self._keeper.refresh_bars()
        self._say_quiet()

    async def _fetch_day(self, day: date) -> None:
        ids = await self._ids(day, day)
        if ids is None:
            self._quiet.append(day)
            return
        self._absent = 0
        pages = pages_of(self._keeper.missing(ids, day, day))
        async with aclosing(in_order(pages, self._page)) as answers:
            async for page, events in answers:
                self._keeper.add(self._whole(page, events, day))
                self._progress.add(page.to_id - page.from_id + 1)
        self._keeper.write(whole=day)

    async def _page(self, ids: IdRange) -> list[Event]:
        """Trades from an id on: those of a range of ids, and maybe more."""
        return await self._rest.answer(
            lambda: self._rest.rest.agg_trades(
                self._symbol,
                from_id=ids.from_id,
                limit=paging.PAGE_ROWS,
                share=self._rest.share,
            )
        )

    def _whole(self, page: IdRange, events: Sequence[Event], day: date) -> list[Event]:
        """Give the events of a page, with an event for each id that the exchange does not have."""
        if not events:
            raise IngestError(
                f"{self._symbol}: REST gives no trade from id {page.from_id} on, though it gave"
                " later ones: try again later"
            )
        inside = [event for event in events if page.from_id <= event.trade_id <= page.to_id]
        given = {event.trade_id for event in inside}
        holes = [number for number in range(page.from_id, page.to_id + 1) if number not in given]
        if not holes:
            return inside
        self._absent += len(holes)
        if self._absent > MOST_ABSENT:
            raise IngestError(
                f"{self._symbol} {day}: more than {MOST_ABSENT:,} ids are not at the exchange"
            )
        self._progress.note(
            f"{self._symbol} {day}: the exchange has no trades of {len(holes):,} ids, as"
            f" {holes[0]}: marked as known to be absent"
        )
        low_us = day_second(day) * SECOND_US
        time_us = min(max(events[0].time_us, low_us), low_us + DAY_S * SECOND_US - 1)
        return inside + absent(self._keeper.stream, holes, time_us)

    async def _ids(self, first: date, last: date) -> IdRange | None:
        """Ids of days; None where nothing was traded."""
        begin = await self._first_id(first)
        end = await self._first_id(last + timedelta(days=1))
        return IdRange(begin, end - 1) if begin < end else None

    async def _first_id(self, day: date) -> int:
        """First id of a day or after it; where nothing was traded since, the next one to come."""
        if day not in self._first_ids:
            rows = await self._rest.answer(
                lambda: self._rest.rest.agg_trades(
                    self._symbol,
                    start_us=day_second(day) * SECOND_US,
                    limit=1,
                    share=self._rest.share,
                )
            )
            self._first_ids[day] = rows[0].trade_id if rows else await self._next_id()
        return self._first_ids[day]

    async def _next_id(self) -> int:
        rows = await self._rest.answer(
            lambda: self._rest.rest.agg_trades(self._symbol, limit=1, share=self._rest.share)
        )
        return rows[-1].trade_id + 1 if rows else 0

    def _say_quiet(self) -> None:
        """Name the days of which the exchange has no trades."""
        for first, last in runs_of_days(self._quiet):
            words = f"{self._symbol}: no trades on {days_words(first, last)}"
            if (first, last) == (self._first, self._last):
                self._progress.lacks(f"{words}: it was not listed, or halted")
            else:
                self._progress.note(f"{words}: not listed, or nobody traded")


def pages_of(parts: Sequence[IdRange]) -> Iterator[IdRange]:
    """Ranges of ids, each as long as an answer may be."""
    for part in parts:
        for at in range(part.from_id, part.to_id + 1, paging.PAGE_ROWS):
            yield IdRange(at, min(at + paging.PAGE_ROWS - 1, part.to_id))
