"""The engine: one thread that evaluates each watched pair at each closed bar."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from analytics.alerts import Sample
from analytics.errors import AnalyticsError
from analytics.pair import PairReading
from ingest.errors import StoreError
from ingest.recorder import FailureLog, Recorder, RestartingThread
from ingest.watch.board import Board
from ingest.watch.evaluation.desk_rules import CLOCKED, ChannelFailures, DeskRules
from ingest.watch.evaluation.journal import Journal
from ingest.watch.evaluation.market import LegKey, Market, WatchedLeg
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.evaluation.rounds import Rounds
from ingest.watch.evaluation.rows import Rows
from ingest.watch.evaluation.rule_book import RuleBook
from ingest.watch.gone import Gone
from ingest.watch.model import SECOND_US, Alert, WatchedPair, WatchList
from ingest.watch.pair_link import pair_key
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")

# A commit, and a change of lists or rules, is seen within this.
LOOK_EVERY_S: Final = 0.04
# What no alert followed from is written so often.
WRITE_EVERY_S: Final = 5.0
# In a long pass what is found is handed on so often.
HAND_ON_EVERY_S: Final = 0.1
_AGAIN_S: Final = 1.0
_RATE_OVER_S: Final = 10.0
# Alerts looked through for the last one of each pair.
_LAST_ALERTS: Final = 2_000


class Engine:
    """Evaluates each watched pair at each closed bar, in a thread of its own.

    Parameters
    ----------
    store, board
        What is watched, and where the rows go.
    path
        The tick database.
    recorder
        What records into it.
    recorded
        Called after alerts were recorded.
    channels
        How often in a row each channel failed.
    now_us, clock
        Our clock, µs since the epoch, and monotonic seconds.
    is_replay
        Every bar is evaluated, from the first on, however fast they come.
    """

    def __init__(
        self,
        store: WatchStore,
        board: Board,
        path: Path,
        recorder: Recorder,
        *,
        recorded: Callable[[], None],
        channels: Callable[[], Sequence[ChannelFailures]],
        now_us: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
        is_replay: bool = False,
    ) -> None:
        self._store, self._recorded = store, recorded
        self._now_us, self._clock, self._is_replay = now_us, clock, is_replay
        self._market = Market(path, clock)
        self._journal = Journal(store)
        self._book = RuleBook(store, self._journal, now_us)
        self._desk = DeskRules(self._book, recorder, channels)
        self._rows = Rows(board)
        self._tests = Rounds(clock)
        self._evaluated_before = store.evaluated()
        self._last_alerts: dict[str, Alert] | None = None
        self._pairs: dict[str, PairWatch] = {}
        self._by_leg: dict[LegKey, list[PairWatch]] = {}
        self._forming: frozenset[LegKey] = frozenset()
        self._unfinished: set[PairWatch] = set()
        self._changed: set[PairWatch] = set()
        self._revision = -1
        self._late_bars = 0
        self._behind_s = 0.0
        self._counts: deque[tuple[float, int]] = deque()
        self._looked_s = self._written_s = self._passed_s = clock()
        self._ending = threading.Event()
        self._failures = FailureLog()
        self._last_error: str | None = None
        self._thread = RestartingThread("watch", self._run, self._failed)

    def start(self) -> None:
        """Show what is watched, then begin."""
        self._take_up_changes()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End after the pair that is evaluated; whether it did within the time."""
        self._ending.set()
        self._thread.end()
        return self._thread.join(timeout_s)

    def report_finds(self, found: Sequence[WatchedPair]) -> None:
        """Take what a scan found. Any thread."""
        self._desk.report_finds(found)

    def status(self) -> WatchStatus:
        """What is happening; any thread, never waits."""
        now_s = self._clock()
        stands_s = now_s - self._passed_s
        counts = [count for at_s, count in tuple(self._counts) if at_s > now_s - _RATE_OVER_S]
        return WatchStatus(
            is_evaluating=True,
            pairs=len(self._pairs),
            evaluated_per_s=sum(counts) / _RATE_OVER_S,
            behind_s=max(self._behind_s, stands_s if stands_s > 2 * _AGAIN_S else 0.0),
            late_bars=self._late_bars,
            last_error=self._last_error,
        )

    def _run(self) -> None:
        while not self._ending.wait(LOOK_EVERY_S):
            try:
                self.run_once()
            except StoreError as error:
                self._note_error(str(error))
                self._ending.wait(_AGAIN_S)
        self._write(everything=True)
        self._market.close()

    def _failed(self, thread: str, error: BaseException) -> None:
        self._last_error = self._failures.note(thread, error)

    def _note_error(self, error: str) -> None:
        if error != self._last_error:
            _LOG.warning("%s", error)
        self._last_error = error

    def run_once(self) -> None:
        """Evaluate what closed since the last pass, write what came of it, and show it."""
        self._take_up_changes()
        due = self._market.due(with_forming=self._forming)
        pairs = self._unfinished.union(*(self._refresh(leg) for leg in due))
        self._unfinished = set()
        self._evaluate(pairs)
        self._behind_s = max((each.behind_us for each in pairs), default=0) / SECOND_US
        self._look_at_desk()
        self._hand_on()
        if not self._unfinished and (tested := self._tests.run_one(tuple(self._pairs.values()))):
            self._changed.add(tested)
            self._publish()
        self._passed_s = self._clock()

    # What is watched.

    def _take_up_changes(self) -> None:
        revision = self._store.revision()
        if revision == self._revision:
            return
        self._book.take_up_changes()
        if self._last_alerts is None:
            self._last_alerts = _last_alerts(self._store)
        lists_of = self._take_up_lists(self._store.lists())
        for pair in self._pairs.values():
            pair.rules = self._book.of_pair(pair.pair, lists_of[pair.key])
        self._book.keep_pairs({key: pair.rules for key, pair in self._pairs.items()})
        self._forming = frozenset(
            leg.key for pair in self._pairs.values() if pair.has_forming_rule for leg in pair.legs
        )
        self._journal.forget(Gone(pairs=frozenset(self._evaluated_before.keys() - lists_of.keys())))
        self._evaluated_before = {}  # a pair added from now on begins with its next bar
        self._revision = revision
        self._rows.update(self._pairs.values(), self._market.newest_us())
        self._rows.publish()

    def _take_up_lists(self, lists: Sequence[WatchList]) -> dict[str, set[str]]:
        """Watch the pairs of these lists; returns the lists that each is in."""
        self._rows.begin_anew()
        lists_of: dict[str, set[str]] = {}
        wanted: dict[str, WatchedPair] = {}
        for watched in lists:
            self._rows.add_list(watched.name)
            for pair in watched.pairs:
                try:
                    key = pair_key(pair.params)
                except AnalyticsError as error:
                    self._rows.add(watched.name, pair, "", str(error))
                    continue
                self._rows.add(watched.name, pair, key)
                lists_of.setdefault(key, set()).add(watched.name)
                wanted.setdefault(key, pair)
        self._watch(wanted)
        return lists_of

    def _watch(self, wanted: dict[str, WatchedPair]) -> None:
        legs = {key: _legs(pair) for key, pair in wanted.items()}
        self._market.watch(leg for both in legs.values() for leg in both)
        before, self._pairs = self._pairs, {}
        self._journal.forget(Gone(pairs=frozenset(before.keys() - wanted.keys())))
        for key, pair in wanted.items():
            self._pairs[key] = before.get(key) or self._new_pair(key, pair, legs[key])
        self._by_leg = {}
        for each in self._pairs.values():
            for leg in each.legs:
                self._by_leg.setdefault(leg.key, []).append(each)
        self._unfinished.intersection_update(self._pairs.values())
        self._changed.intersection_update(self._pairs.values())

    def _new_pair(self, key: str, pair: WatchedPair, legs: tuple[LegKey, LegKey]) -> PairWatch:
        both = (self._market.legs[legs[0]], self._market.legs[legs[1]])
        evaluated_us = self._evaluated_before.get(key, 0)
        made = PairWatch(pair, both, evaluated_us, is_whole=self._is_replay)
        assert self._last_alerts is not None
        made.last_alert = self._last_alerts.get(made.link)
        for leg in both:
            self._market.renew(leg.key)
        return made

    # Bars.

    def _refresh(self, leg: WatchedLeg) -> Iterable[PairWatch]:
        """Bring a leg up to date; returns the pairs that have it."""
        pairs = self._by_leg.get(leg.key, [])
        newest_us = leg.look()
        if not newest_us:
            return ()
        from_us = min(each.needs_from_us(newest_us) for each in pairs)
        late = leg.refresh(from_us, max(each.evaluated_us for each in pairs))
        if late:
            self._late_bars += late
            _LOG.info(
                "%s %s: late trades changed %d evaluated bars; no alert follows", *leg.key, late
            )
        return pairs

    def _evaluate(self, pairs: set[PairWatch]) -> None:
        count, handed_on_s = 0, self._clock()
        for pair in [each for each in self._pairs.values() if each in pairs]:
            if self._ending.is_set():
                return
            count += self._evaluate_pair(pair)
            if self._clock() - handed_on_s > HAND_ON_EVERY_S:
                self._hand_on()
                handed_on_s = self._clock()
        if count:
            self._counts.append((self._clock(), count))
        while self._counts and self._counts[0][0] < self._clock() - _RATE_OVER_S:
            self._counts.popleft()

    def _evaluate_pair(self, pair: PairWatch) -> int:
        count = 0
        try:
            for reading in pair.evaluate():
                self._step_rules(pair, reading)
                count += 1
            if pair.has_forming_rule and (forming := pair.read_forming()) is not None:
                self._step_rules(pair, forming, is_forming=True)
        except AnalyticsError as error:
            pair.skip(str(error))
        except Exception as error:  # noqa: BLE001 - one pair's failure is not the others'
            pair.skip(f"it could not be evaluated: {error!r}")
            self._note_error(f"{pair.params.label} could not be evaluated: {error!r}")
            _LOG.debug("where it failed", exc_info=error)
        if count:
            pair.evaluated_at_us = self._now_us()
            self._journal.note_evaluated(pair.key, pair.evaluated_us)
        if pair.behind_us:
            self._unfinished.add(pair)
        self._changed.add(pair)
        return count

    def _step_rules(
        self, pair: PairWatch, reading: PairReading, *, is_forming: bool = False
    ) -> None:
        if not pair.rules:
            return
        bar_us = reading.time_us
        sample = Sample(bar_us, pair.step_us, reading, pair.tests, is_forming=is_forming)
        remark = " (late: found after a restart)" if pair.is_late(bar_us) else ""
        for rule in pair.rules:
            if rule.when not in CLOCKED:
                self._book.step(rule, pair.key, sample, pair.pair, remark=remark)

    # What is not of a bar, and what goes out.

    def _look_at_desk(self) -> None:
        now_s = self._clock()
        if now_s - self._looked_s < 1.0:
            return
        self._looked_s = now_s
        self._desk.look(self._pairs.values(), self.status().behind_s)
        now_us = self._now_us()
        self._changed.update(
            each for each in self._pairs.values() if now_us - each.evaluated_at_us > 2 * SECOND_US
        )

    def _hand_on(self) -> None:
        """Write what came of the bars, and show it."""
        self._write()
        self._publish()

    def _write(self, *, everything: bool = False) -> None:
        """Write alerts at once, and the rest now and then; what cannot be written stays."""
        now_s = self._clock()
        everything = everything or now_s - self._written_s >= WRITE_EVERY_S
        if not (everything or self._journal.has_alerts):
            return
        try:
            alerts = self._journal.write_all() if everything else self._journal.write_alerts()
        except StoreError as error:
            self._note_error(str(error))
            return
        if everything:
            self._written_s = now_s
        if alerts:
            self._note_recorded(alerts)
            self._recorded()

    def _note_recorded(self, alerts: Sequence[Alert]) -> None:
        by_link = {each.params: each for each in alerts}
        for pair in self._pairs.values():
            alert = by_link.get(pair.link)
            if alert is not None:
                pair.last_alert = alert
                self._changed.add(pair)

    def _publish(self) -> None:
        if self._changed:
            self._rows.update(self._changed, self._market.newest_us())
            self._rows.publish()
            self._changed = set()


def _legs(pair: WatchedPair) -> tuple[LegKey, LegKey]:
    interval = pair.params.interval
    return LegKey(pair.y, interval), LegKey(pair.x, interval)


def _last_alerts(store: WatchStore) -> dict[str, Alert]:
    """Find the newest alert of each pair, by its link."""
    newest: dict[str, Alert] = {}
    for alert in store.alerts(limit=_LAST_ALERTS, newest_first=True):
        if alert.params:
            newest.setdefault(alert.params, alert)
    return newest
