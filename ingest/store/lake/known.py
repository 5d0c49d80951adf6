"""Of which seconds the trades held tell all: ids prove it. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from ingest.store.bars import SECOND_US, Spans, without_spans
from ingest.store.lake.holding import IdSpan
from ingest.store.lake.places import DAY_S

# So much may an id be dated after a greater one; what is later still begins another numbering.
_ORDER_SLACK_US: Final = 60 * SECOND_US


class HeldDay(NamedTuple):
    """A day of trades: its number since the epoch, its ids, whether a source has all of it."""

    day: int
    ids: tuple[IdSpan, ...]
    whole: bool


_Part = tuple[IdSpan, HeldDay]


class Known(NamedTuple):
    """Seconds ``(low, high)``, `high` excluded, in order and merged.

    Attributes
    ----------
    spans
        Of which the trades tell all.
    edges
        The seconds of the very first and the very last trade that no hole touches, where others
        may know more of them.
    """

    spans: Spans
    edges: Spans


class _Run(NamedTuple):
    """Ids without a hole over any number of days: the days it begins and ends in."""

    ids: IdSpan
    first: HeldDay
    last: HeldDay


def merged_ids(days: Sequence[HeldDay]) -> list[IdSpan]:
    """Ids held, in order, merged over days; numberings one after the other, in order of time."""
    return [run.ids for run in _runs(days)]


def known_seconds(days: Sequence[HeldDay]) -> Known:
    """Seconds of which the trades of these days tell all, and the edges that they know in part.

    Seconds that a hole in the ids touches are not known. Where the next trade that is held is not
    of the next day, a whole day is known to its midnight.
    """
    runs = _runs(days)
    spans: Spans = []
    for place, run in enumerate(runs):
        before = runs[place - 1] if place else None
        after = runs[place + 1] if place + 1 < len(runs) else None
        low, high = _low(before, run), _high(run, after)
        if spans:
            low = max(low, spans[-1][1])
        if low < high:
            spans.append((low, high))
    return Known(spans, without_spans(merged_spans(_edges(runs)), spans))


def whole_pieces(spans: Spans, length: int) -> Spans:
    """Narrow spans to whole pieces of a length."""
    pieces = [(-(-low // length) * length, high // length * length) for low, high in spans]
    return [(low, high) for low, high in pieces if low < high]


def clipped(spans: Spans, low: int, high: int) -> Spans:
    """What of spans, in order, lies in ``low … high``."""
    parts: Spans = []
    for begin, end in spans[bisect_left(spans, low + 1, key=lambda span: span[1]) :]:
        if begin >= high:
            break
        parts.append((max(begin, low), min(end, high)))
    return parts


def merged_spans(*several: Spans) -> Spans:
    """Put spans together, in order, those that touch as one."""
    spans: Spans = []
    for low, high in sorted(span for each in several for span in each):
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    return spans


def only_in(spans: Spans, bounds: Spans) -> Spans:
    """What of spans lies in others as well."""
    return without_spans(spans, without_spans(spans, bounds))


def _runs(days: Sequence[HeldDay]) -> list[_Run]:
    return [run for numbering in _numberings(days) for run in _merged(sorted(numbering))]


def _numberings(days: Sequence[HeldDay]) -> list[list[_Part]]:
    """Ids by their numbering: an exchange that is reset gives the same ids once more, later."""
    parts = [(span, day) for day in days for span in day.ids]
    numberings: list[list[_Part]] = []
    last: IdSpan | None = None
    for span, day in sorted(parts, key=lambda part: part[0].first_us):
        is_known = last is not None and span.first_id <= last.last_id
        if last is None or (is_known and span.first_us > last.last_us + _ORDER_SLACK_US):
            numberings.append([])
            last = span
        numberings[-1].append((span, day))
        last = max(last, span, key=lambda each: each.last_id)
    return numberings


def _merged(parts: list[_Part]) -> list[_Run]:
    runs: list[_Run] = []
    for span, day in parts:
        last = runs[-1] if runs else None
        if last is None or span.first_id > last.ids.last_id + 1:
            runs.append(_Run(span, day, day))
        elif span.last_id > last.ids.last_id:
            ids = last.ids._replace(last_id=span.last_id, last_us=span.last_us)
            runs[-1] = _Run(ids, last.first, day)
    return runs


def _low(before: _Run | None, run: _Run) -> int:
    if run.first.whole and (before is None or run.first.day - before.last.day > 1):
        return run.first.day * DAY_S
    return run.ids.first_us // SECOND_US + 1


def _high(run: _Run, after: _Run | None) -> int:
    if run.last.whole and (after is None or after.first.day - run.last.day > 1):
        return (run.last.day + 1) * DAY_S
    return run.ids.last_us // SECOND_US


def _edges(runs: list[_Run]) -> Spans:
    """Seconds of the very first and the very last trade, but for those that a hole touches."""
    edges: Spans = []
    for run, place in ((runs[0], 0), (runs[-1], 1)) if runs else ():
        ends = run.ids.first_us // SECOND_US, run.ids.last_us // SECOND_US
        if len(runs) == 1 or ends[0] < ends[1]:
            edges.append((ends[place], ends[place] + 1))
    return edges
