"""The exchange's bars of a symbol over any span, as far as the lake lacks them."""

from collections.abc import Iterator
from contextlib import aclosing
from datetime import date
from typing import Final, NamedTuple

from ingest.binance import Kline
from ingest.history import paging
from ingest.history.days import DAY_S, day_second, moment_words, span_words
from ingest.history.jobs import JobProgress
from ingest.history.keeping import KlineKeeper
from ingest.history.paging import PatientRest, in_order
from ingest.store import SECOND_US, Spans, without_spans

LENGTHS_S: Final = {"1s": 1, "1m": 60, "5m": 300, "1h": 3600}
_SHOWN_HOLES: Final = 5


class Page(NamedTuple):
    """One request: bars that open in the seconds ``low … high``, `high` excluded."""

    low: int
    high: int


class KlineFetch:
    """Brings the bars of one symbol.

    Parameters
    ----------
    rest
        Asks the exchange.
    keeper
        Takes them.
    progress
        Counts bars.
    low, high
        Seconds to be covered, `high` excluded; whole bars.
    """

    def __init__(
        self, rest: PatientRest, keeper: KlineKeeper, progress: JobProgress, low: int, high: int
    ) -> None:
        self._rest, self._keeper, self._progress = rest, keeper, progress
        self._low, self._high = low, high

    def lacking(self) -> Spans:
        """Seconds that the lake does not tell of."""
        known = self._keeper.known(self._low, self._high)
        return without_spans([(self._low, self._high)], known)

    def count(self) -> int:
        """Bars that are lacking."""
        return sum(high - low for low, high in self.lacking()) // self._keeper.length_s

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
            self._progress.note(f"{self._keeper.symbol}: all its bars are held already")
            return
        begins = await self._first_bar(lacking[0][0])
        pages = pages_of(without_spans(lacking, [(0, begins)]), self._keeper.length_s)
        try:
            self._leave_out(begins, lacking)
            async with aclosing(in_order(pages, self._page)) as answers:
                async for page, klines in answers:
                    self._take(page, klines)
        finally:
            self._keeper.write()
        self._say_holes()

    def _take(self, page: Page, klines: list[Kline]) -> None:
        self._keeper.add(klines)
        self._progress.update(step=f"{self._keeper.symbol} {moment_words(page.low)[:10]}")
        self._progress.expect_less((page.high - page.low) // self._keeper.length_s - len(klines))
        self._progress.add(len(klines))

    async def _first_bar(self, low: int) -> int:
        """Second at which the first bar from a second on opens; the end where there is none."""
        symbol, name = self._keeper.symbol, self._keeper.name
        rows = await self._rest.answer(
            lambda: self._rest.rest.klines(
                symbol, name, low * SECOND_US, limit=1, share=self._rest.share
            )
        )
        opens = rows[0].open_us // SECOND_US if rows else self._high
        return min(max(opens, low), self._high)

    def _leave_out(self, second: int, lacking: Spans) -> None:
        """Expect nothing of what lies before the exchange's first bar: it is not asked for."""
        before = without_spans(lacking, [(second, self._high)])
        length_s = self._keeper.length_s
        self._progress.expect_less(sum(high - low for low, high in before) // length_s)

    async def _page(self, page: Page) -> list[Kline]:
        low_us, high_us = page.low * SECOND_US, page.high * SECOND_US
        rows = await self._rest.answer(
            lambda: self._rest.rest.klines(
                self._keeper.symbol,
                self._keeper.name,
                low_us,
                end_us=high_us - 1,
                limit=paging.PAGE_ROWS,
                share=self._rest.share,
            )
        )
        return [each for each in rows if low_us <= each.open_us < high_us]

    def _say_holes(self) -> None:
        """Name what the exchange has no bars of."""
        symbol, holes = self._keeper.symbol, self.lacking()
        if holes == [(self._low, self._high)]:
            span = span_words(self._low, self._high)
            self._progress.lacks(f"{symbol}: the exchange has no bars of {span}: it was not listed")
            return
        if holes and holes[0][0] == self._low:
            until = moment_words(holes.pop(0)[1])
            self._progress.note(f"{symbol}: not listed before {until}: its first bar")
        if holes and holes[-1][1] == self._high and self._high - holes[-1][0] >= DAY_S:
            since = moment_words(holes.pop()[0])
            self._progress.note(f"{symbol}: no bars since {since}: not listed any more, or halted")
        for low, high in holes[:_SHOWN_HOLES]:
            self._progress.note(f"{symbol}: the exchange has no bars of {span_words(low, high)}")
        if len(holes) > _SHOWN_HOLES:
            more = len(holes) - _SHOWN_HOLES
            self._progress.note(f"{symbol}: nor of {more:,} more spans")


def pages_of(spans: Spans, length_s: int) -> Iterator[Page]:
    """Requests that cover spans of whole bars, each as long as an answer may be."""
    step = paging.PAGE_ROWS * length_s
    for low, high in spans:
        for at in range(low, high, step):
            yield Page(at, min(at + step, high))


def kline_span(first: date, last: date) -> tuple[int, int]:
    """Seconds of days, both included."""
    return day_second(first), day_second(last) + DAY_S
