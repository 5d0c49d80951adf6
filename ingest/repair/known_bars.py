"""Which of the exchange's bars of one symbol are there, and which to ask for next. Pure.

Times are µs since the epoch, spans ``(low, high)`` with `high` excluded.
"""

from dataclasses import dataclass, field
from typing import Final

from ingest.repair.gap_seed import Page, joined, next_page
from ingest.repair.kline_seed import LENGTHS_US, SETTLED_US, KlineName
from ingest.store import Spans, without_spans

# An answer about so new a time that lacks bars may lag behind the stream.
MAY_LAG_US: Final = 120_000_000


@dataclass(slots=True)
class KnownBars:
    """Bars of one length, wanted from `from_us` on and up to now, or to `until_us`.

    Attributes
    ----------
    known
        What is there, or of which the exchange was asked in vain; in order and merged.
    has_looked
        Whether what is stored is among it.
    """

    name: KlineName
    from_us: int
    until_us: int | None = None
    known: Spans = field(default_factory=list)
    has_looked: bool = False
    pages: int = 0
    not_before_s: float = 0.0  # time of the loop before which nothing is asked
    newest_from_us: int = 0  # bars from here on are the newest …
    newest_not_before_s: float = 0.0  # … of which nothing is asked before this time
    lagged: int = 0  # answers in a row that lacked some of these
    note: str = ""

    @property
    def length_us(self) -> int:
        """Length of a bar."""
        return LENGTHS_US[self.name]

    def add(self, low_us: int, high_us: int) -> None:
        """Take a span as known."""
        if self.known and self.known[-1][1] == low_us:  # the next bar, as a rule
            self.known[-1] = (self.known[-1][0], high_us)
        else:
            self.known = joined([*self.known, (low_us, high_us)])

    def top_us(self, now_us: int) -> int:
        """Up to where bars are wanted: those that closed long enough ago to be asked for."""
        closed_us = (now_us - SETTLED_US) // self.length_us * self.length_us
        return closed_us if self.until_us is None else min(closed_us, self.until_us)

    def missing(self, now_us: int) -> Spans:
        """What is wanted and not known."""
        top_us = self.top_us(now_us)
        low_us = -(-self.from_us // self.length_us) * self.length_us
        return without_spans([(low_us, top_us)], self.known) if low_us < top_us else []

    def next_page(self, now_us: int, now_s: float) -> Page | None:
        """The newest page of what is missing and may be asked for now; None where nothing is."""
        if now_s < self.not_before_s:
            return None
        missing = self.missing(now_us)
        if now_s < self.newest_not_before_s:
            missing = without_spans(missing, [(self.newest_from_us, now_us)])
        return next_page(missing, self.name)

    def known_after(self, page: Page, newest_us: int | None, now_us: int) -> int:
        """Up to where an answer settles its page; `newest_us` is the open of its last bar.

        Bars that are not in it do not exist, but for those so new that REST may lag.
        """
        if page.high_us < now_us - MAY_LAG_US:
            return page.high_us
        return page.low_us if newest_us is None else newest_us + self.length_us
