"""The exchange's own bars for the gaps of the trades that are not filled: what to ask for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.binance import MAX_REST_ROWS
from ingest.repair.kline_seed import LENGTHS_US, SETTLED_US, SPANS_US, KlineName
from ingest.store import Gap, Spans, without_spans

# A gap longer than this takes a while to fill: its coarse bars are asked for meanwhile.
_LONG_GAP_US: Final = 600_000_000
_FARTHEST_US: Final = SPANS_US["5m"]


@dataclass(frozen=True, slots=True)
class Page:
    """One request: bars that open in ``low_us … high_us``, `high_us` excluded."""

    low_us: int
    high_us: int


def wanted(gaps: Iterable[Gap], name: KlineName, now_us: int, *, is_finest: bool) -> Spans:
    """Time ``(low, high)`` in µs that bars of a length are to cover, as far as they are closed.

    A given-up gap wants every length, a long one that is still open all but the finest; each from
    the bar that holds the gap's beginning through the one that holds its end. The finest reach a
    day back from now.
    """
    length_us = LENGTHS_US[name]
    reach_us = now_us - (SPANS_US[name] if is_finest else _FARTHEST_US)
    closed_us = (now_us - SETTLED_US) // length_us * length_us
    spans = []
    for gap in gaps:
        is_long = gap.state == "open" and gap.before_us - gap.after_us > _LONG_GAP_US
        if gap.state == "expired" or (is_long and not is_finest):
            low = max(gap.after_us, reach_us) // length_us * length_us
            high = min(gap.before_us // length_us * length_us + length_us, closed_us)
            spans.append((low, high))
    return joined(spans)


def next_page(missing: Spans, name: KlineName) -> Page | None:
    """The newest page of what is missing; it reaches over what lies between."""
    if not missing:
        return None
    high = missing[-1][1]
    lowest = high - MAX_REST_ROWS * LENGTHS_US[name]
    low = min(max(begin, lowest) for begin, end in missing if end > lowest)
    return Page(low, high)


def not_requested(wanted_spans: Spans, done: Spans) -> Spans:
    """What is wanted and was not asked for."""
    return without_spans(wanted_spans, done)


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Join spans that touch or overlap, in order; those without a length are left out."""
    merged: Spans = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def done_after(done: Spans, page: Page, now_us: int) -> Spans:
    """What was asked for, a page more; what lies too far back is forgotten."""
    return [span for span in joined([*done, (page.low_us, page.high_us)]) if span[1] > _old(now_us)]


def text_of(done: Spans) -> str:
    """The form in which it is remembered across a restart."""
    return " ".join(f"{low} {high}" for low, high in done)


def remembered(text: str | None) -> Spans:
    """What `text_of` gave; nothing of a text that it did not give."""
    words: Sequence[str] = (text or "").split()
    if len(words) % 2 or not all(word.isdecimal() and len(word) < 19 for word in words):
        return []
    times = [int(word) for word in words]
    return joined(zip(times[::2], times[1::2], strict=True))


def _old(now_us: int) -> int:
    return now_us - 2 * _FARTHEST_US
