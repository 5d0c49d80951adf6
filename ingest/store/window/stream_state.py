"""Where a stream stood at a look, and whether a later one may go on from there."""

from typing import NamedTuple

from ingest.clock import now_us
from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, Spans
from ingest.store.connecting import EVER_S
from ingest.store.future_rows import last_second
from ingest.store.last_trade import LastTrade
from ingest.store.sources.lake_side import LakeSide
from ingest.store.sources.stream_tips import Tip


class StreamState(NamedTuple):
    """Where a stream stands: its revision, what its bars are made of, last trade, gaps.

    `newest_bar` holds the newest trade; without any it is the last that pieces tell of.
    """

    stream_id: int
    revision: int
    source: BarSource
    last: LastTrade | None
    gaps: Spans
    newest_bar: int | None

    def may_be_followed(self, stream_id: int, lake: LakeSide | None) -> bool:
        """Whether the ticks alone can tell what is new."""
        source = self.source
        if self.last is None or self.stream_id != stream_id or source.newest is None:
            return False
        if source.is_behind_pieces or source.lake is not lake or source.end != EVER_S[1]:
            return False
        return self.last.time_us // SECOND_US <= source.newest  # else it is of a kline

    def is_followed_by(self, tip: Tip) -> bool:
        """Whether nothing but trades from the newest bar on came, where it may be followed."""
        source, newest = self.source, tip.newest
        if tip.first_us != source.first_us or tip.repaired > self.revision:
            return False
        if source.newest is None or newest is None:
            return False
        return source.newest <= newest <= last_second(now_us())

    def is_of_other_kind(self, later: "StreamState") -> bool:
        """Whether ticks came where there were none, or went, or pieces go on after them."""
        before, now = self.newest_bar, later.newest_bar
        if before is None or now is None or now < before:
            return True
        sources = self.source, later.source
        is_first = (sources[0].newest is None) != (sources[1].newest is None)
        if is_first or any(each.is_behind_pieces for each in sources):
            return True
        return (sources[1].newest or 0) < (sources[0].newest or 0)

    def changed_gaps(self, later: "StreamState", low: int) -> Spans:
        """First and last bar, both inclusive, that touch a gap which came, went or changed.

        Of bars from second `low` on: what a gap says of the time before does not matter.
        """
        if later.gaps == self.gaps:
            return []
        low_us, step_us = low * SECOND_US, self.source.seconds * SECOND_US
        old, new = (
            {
                (max(after_us, low_us), before_us)
                for after_us, before_us in gaps
                if before_us >= low_us
            }
            for gaps in (self.gaps, later.gaps)
        )
        return [(after_us // step_us, before_us // step_us) for after_us, before_us in new ^ old]
