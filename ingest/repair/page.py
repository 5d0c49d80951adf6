"""What a page of REST's rows settles of the open gaps. Pure, but for the writer's calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.errors import printable
from ingest.store import IdRange, OpenGap, TickWriter, first_from, holes, merged, overlap
from ingest.tick import Event, StreamKey
from ingest.trade_times import is_between, utc

ABSENT_REASON = "REST has answered from beyond: the exchange has no such ids"


@dataclass(frozen=True, slots=True)
class PageResult:
    """The ids and rows of a page that open gaps lack.

    Attributes
    ----------
    parts
        What was missing of the ids that the page covers, in order.
    events
        Its rows inside these, in order of their ids.
    odd
        Those of `events` whose time cannot be where they stand.
    """

    parts: Sequence[IdRange]
    events: Sequence[Event]
    odd: Sequence[Event]

    @property
    def fitting(self) -> list[Event]:
        """Events to be stored."""
        odd_ids = {event.trade_id for event in self.odd}
        return [event for event in self.events if event.trade_id not in odd_ids]

    @property
    def covered(self) -> IdRange | None:
        """Ids that need not be asked for again; None where nothing was missing.

        Up to the last that was missing, not the page's last: what lies beyond the newest id we know
        may yet get lost, and is then to be asked for.
        """
        if not self.parts:
            return None
        return IdRange(self.parts[0].from_id, max(part.to_id for part in self.parts))

    def close(self, writer: TickWriter, key: StreamKey) -> None:
        """Mark the ids that do not exist, and those whose row cannot be stored."""
        received_ids = [event.trade_id for event in self.events]
        for hole in [hole for part in self.parts for hole in holes(part, received_ids)]:
            writer.close_gap(key, hole.from_id, hole.to_id, "absent", ABSENT_REASON)
        for ids in merged(IdRange(event.trade_id, event.trade_id) for event in self.odd):
            dated = next(event for event in self.odd if event.trade_id == ids.from_id)
            reason = f"the exchange dates it {utc(dated.time_us)}, which cannot be"
            writer.close_gap(key, ids.from_id, ids.to_id, "absent", reason)
            writer.quarantine([(dated.received_us, reason, printable(repr(dated)))])


def compare_page(
    gaps: Sequence[OpenGap],
    remainder: Callable[[OpenGap], list[IdRange]],
    covered: IdRange,
    rows: Sequence[Event],
) -> PageResult:
    """Compare a page's rows with the open gaps of its stream.

    Parameters
    ----------
    gaps
        Of the stream, in order.
    remainder
        What of a gap is still to be fetched.
    covered
        Ids that the page covers.
    rows
        Its rows, in order of their ids.
    """
    parts: list[IdRange] = []
    for gap in gaps[first_from(gaps, covered.from_id) :]:
        if gap.from_id > covered.to_id:
            break
        shared = (overlap(part, covered) for part in remainder(gap))
        parts += [part for part in shared if part is not None]
    events = [
        row for row in rows if any(part.from_id <= row.trade_id <= part.to_id for part in parts)
    ]
    return PageResult(parts, events, [event for event in events if not _may_be(gaps, event)])


def _may_be(gaps: Sequence[OpenGap], event: Event) -> bool:
    """Whether a row's time lies between those of its gap's neighbours."""
    at = first_from(gaps, event.trade_id)
    if at == len(gaps) or gaps[at].from_id > event.trade_id:
        return True  # filled meanwhile
    return is_between(event.time_us, gaps[at].after_us, gaps[at].before_us)
