"""One look for many windows of a database: what is new of all their streams, by few questions.

A window whose stream did nothing but go on (trades from its newest bar on; or, where only the
exchange's bars are recorded, bars after the last one) is brought up to date here, to the bit as its
own look would have. All others are left to that.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ingest.errors import StoreError
from ingest.store.bars import SECOND_US, Spans, StoredRows
from ingest.store.connecting import EVER_S, one_transaction
from ingest.store.last_trade import later_of
from ingest.store.repair_log import KEPT_REVISIONS
from ingest.store.sources.origins import EXCHANGE, RECORDED
from ingest.store.sources.rolled_up import MINUTE_S
from ingest.store.sources.stream_tips import (
    KlineTip,
    Tip,
    numbered,
    read_gaps,
    read_kline_tips,
    read_klines,
    read_seconds,
    read_tips,
)
from ingest.store.window.bar_window import BarWindow
from ingest.store.window.side_by_side import Strip, lay_side_by_side
from ingest.store.window.stream_state import StreamState
from ingest.store.window.window_database import Sight, StreamSight, window_database

# A few windows are as quickly looked at one by one.
FEWEST: Final = 4
# Of so many seconds rows are read at once; windows that are farther behind read by themselves.
_MOST_S: Final = 1_000_000


class _Step(NamedTuple):
    """How far a window goes on: to which state, and which bars are read again or new.

    Attributes
    ----------
    window, state
        Which, and where its stream stands then.
    first, last
        The bars, both inclusive; none where `last` is before `first`.
    length
        Of the klines to read, in seconds; 0: ticks.
    """

    window: BarWindow
    state: StreamState
    first: int
    last: int
    length: int = 0

    @property
    def span(self) -> tuple[int, int]:
        """Seconds, the end excluded."""
        return self.first * self.window.seconds, (self.last + 1) * self.window.seconds


class _Found(NamedTuple):
    """What was found of the streams."""

    connection: sqlite3.Connection
    tips: Mapping[int, Tip]
    klines: Mapping[int, KlineTip]
    gaps: Mapping[int, Spans]


def look_together(windows: Iterable[BarWindow]) -> set[BarWindow]:
    """Bring windows up to date by one look; returns those that are: others need their own.

    Of several databases each is looked at once. One that cannot be read is left to the windows' own
    looks, which say why.
    """
    by_database: dict[tuple[Path, bool], list[BarWindow]] = {}
    for window in dict.fromkeys(windows):
        by_database.setdefault((window.path, window.may_be_absent), []).append(window)
    done: set[BarWindow] = set()
    for (path, may_be_absent), some in by_database.items():
        if len(some) >= FEWEST:
            done |= _look(path, some, may_be_absent=may_be_absent)
    return done


def _look(path: Path, windows: Sequence[BarWindow], *, may_be_absent: bool) -> set[BarWindow]:
    database = window_database(path)
    with _locked(windows):
        try:
            sight = database.look(may_be_absent=may_be_absent)
        except StoreError:
            return set()
        done = {each for each in windows if each.is_up_to_date(sight)}
        behind = _behind((each for each in windows if each not in done), sight)
        if not behind:
            return done
        with database.reading(sight.opening) as connection, one_transaction(connection):
            steps = _steps(connection, behind)
            rows, is_whole = _read(connection, steps)
        if not steps:
            return done
        laid, begins = lay_side_by_side([_strip(each) for each in steps], rows)
        arrays = laid.arrays()
        for step, is_told, at in zip(steps, is_whole, begins, strict=True):
            if is_told:
                step.window.go_on(step.state, step.first, arrays, at)
                done.add(step.window)
    return done


@contextmanager
def _locked(windows: Sequence[BarWindow]) -> Iterator[None]:
    """Hold the locks of all; taken in one order, whoever takes them."""
    held: list[BarWindow] = []
    try:
        for window in sorted(windows, key=id):
            window.lock.acquire()
            held.append(window)
        yield
    finally:
        for window in held:
            window.lock.release()


_Behind = list[tuple[BarWindow, StreamSight, StreamState]]


def _behind(windows: Iterable[BarWindow], sight: Sight) -> _Behind:
    """Windows that may go on from where they stand."""
    behind: _Behind = []
    for window in windows:
        found, state = sight.streams.get(window.symbol), window.state_at(sight)
        if found is not None and state is not None and found.stream_id == state.stream_id:
            behind.append((window, found, state))
    return behind


def _steps(connection: sqlite3.Connection, behind: _Behind) -> list[_Step]:
    streams = sorted({found.stream_id for _, found, _ in behind})
    tips = read_tips(connection, streams)
    without = [stream_id for stream_id, tip in tips.items() if tip.newest is None]
    klines, gaps = read_kline_tips(connection, without), read_gaps(connection, streams)
    known = _Found(connection, tips, klines, gaps)
    steps: list[_Step] = []
    left_s = _MOST_S
    for window, found, state in behind:
        step = _step(window, found, state, known)
        if step is not None and (length_s := step.span[1] - step.span[0]) <= left_s:
            left_s -= length_s
            steps.append(step)
    return steps


def _step(window: BarWindow, found: StreamSight, state: StreamState, known: _Found) -> _Step | None:
    """How a window goes on; None where more may have changed than what follows its newest bar."""
    tip = known.tips.get(state.stream_id)
    if (
        tip is None
        or tip.repaired > state.revision
        or tip.revision - state.revision >= KEPT_REVISIONS
    ):
        return None
    if state.newest_bar != window.newest_in_memory or not window.has_same_lake(found):
        return None
    gaps, before = (
        window.gaps_in_memory(each) for each in (known.gaps.get(state.stream_id, []), state.gaps)
    )
    if sorted(gaps) != sorted(before):
        return None
    if tip.newest is None:
        return None if gaps else _step_of_klines(window, state, tip, known)
    return _step_of_ticks(window, state, tip, gaps, known.connection)


def _step_of_ticks(
    window: BarWindow, state: StreamState, tip: Tip, gaps: Spans, connection: sqlite3.Connection
) -> _Step | None:
    source, first = state.source, state.newest_bar
    may_go_on = state.may_be_followed(state.stream_id, source.lake) and state.is_followed_by(tip)
    if not may_go_on or tip.last is None or tip.newest is None or first is None:
        return None
    low = first * window.seconds
    is_early = bool(source.lengths) and low < source.border
    if is_early or any(before_us // SECOND_US >= low for _, before_us in gaps):
        return None
    last = tip.newest // window.seconds
    is_rolled = window.seconds > MINUTE_S
    newest = tip.newest
    later = source.followed(connection, newest) if is_rolled else source.moved_on(newest)
    new = StreamState(state.stream_id, tip.revision, later, tip.last, gaps, last)
    return _Step(window, new, first, last)


def _step_of_klines(window: BarWindow, state: StreamState, tip: Tip, known: _Found) -> _Step | None:
    """How a window goes on where there are no ticks."""
    source, newest, found = state.source, state.newest_bar, known.klines.get(state.stream_id)
    if found is None or newest is None or source.newest is not None:
        return None
    first, lake = newest + 1, source.lake
    low = first * window.seconds
    is_beside_lake = lake is not None and (lake.end > low or source.lake_ends is not None)
    ends = {each: end for each, end in found.ends.items() if window.seconds % each == 0}
    if is_beside_lake or source.end != EVER_S[1] or not ends.keys() <= {*source.divisors}:
        return None
    last = max(newest, max(ends.values(), default=0) // window.seconds - 1)
    later = source.moved_on(None)
    length = 0
    if last > newest:
        length = max(each for each, end in ends.items() if end > low)
        later.reach = max(later.reach or 0, (last + 1) * window.seconds)
        later.until = max(later.until or 0, (last + 1) * window.seconds)
    trade = found.last if lake is None else later_of(found.last, lake.last_trade)
    new = StreamState(state.stream_id, tip.revision, later, trade, [], last)
    return _Step(window, new, first, last, length)


def _strip(step: _Step) -> Strip:
    source = RECORDED if step.state.source.newest is not None else EXCHANGE
    before = step.window.close_before(step.first)
    return Strip(step.window.seconds, step.first, step.last, before, source)


def _read(connection: sqlite3.Connection, steps: Sequence[_Step]) -> tuple[StoredRows, list[bool]]:
    """Read rows of all steps, with their numbers; and of each whether its rows tell all of it."""
    ticks = [(n, each) for n, each in enumerate(steps) if each.state.source.newest is not None]
    fine = [
        (n, each.state.stream_id, *each.span)
        for n, each in ticks
        if each.window.seconds <= MINUTE_S
    ]
    rolled = [
        numbered(each.state.source.ticks(*each.span), n)
        for n, each in ticks
        if each.window.seconds > MINUTE_S
    ]
    klines, is_whole = _read_klines(connection, steps)
    rows: StoredRows = np.concatenate([read_seconds(connection, fine), *rolled, klines])
    return rows, is_whole


def _read_klines(
    connection: sqlite3.Connection, steps: Sequence[_Step]
) -> tuple[StoredRows, list[bool]]:
    """Read what klines say; one that is missing, or of another grid, and they do not tell all."""
    parts = [
        (n, each.state.stream_id, *each.span, each.length)
        for n, each in enumerate(steps)
        if each.length
    ]
    rows, is_whole = read_klines(connection, parts), [True] * len(steps)
    counts = np.bincount(rows["number"], minlength=len(steps)).tolist()
    begins, lengths = np.zeros((2, len(steps)), dtype=np.int64)
    for n, _, low, high, length in parts:
        begins[n], lengths[n] = low, length
        is_whole[n] = counts[n] * length == high - low
    is_beside = (rows["at"] - begins[rows["number"]]) % lengths[rows["number"]] != 0
    for n in rows["number"][is_beside].tolist():
        is_whole[n] = False
    return rows[rows["trades"] > 0], is_whole
