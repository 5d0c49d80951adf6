"""The engine: one thread that evaluates each watched pair at each closed bar."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from analytics.alerts import Sample
from analytics.errors import AnalyticsError
from analytics.pair import PairReading
from ingest.errors import StoreError
from ingest.recorder import FailureLog, Recorder, RestartingThread
from ingest.watch.board import Board
from ingest.watch.evaluation.bar_watch import BarWatch, leg_keys
from ingest.watch.evaluation.basket_bench import BasketBench, BasketJob
from ingest.watch.evaluation.basket_tests import BasketTests
from ingest.watch.evaluation.basket_watch import BasketWatch
from ingest.watch.evaluation.desk_rules import CLOCKED, ChannelFailures, DeskRules
from ingest.watch.evaluation.journal import Journal
from ingest.watch.evaluation.leg_refresh import LegRefresh
from ingest.watch.evaluation.market import LegKey, Market, WatchedLeg
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.evaluation.rate import Rate
from ingest.watch.evaluation.rounds import Rounds
from ingest.watch.evaluation.rows import Rows, last_alerts
from ingest.watch.evaluation.rule_book import RuleBook
from ingest.watch.model import SECOND_US, Alert, Watched, WatchedBasket, WatchedPair, WatchList
from ingest.watch.pair_link import pair_key
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")

# A commit, and a change of lists or rules, is seen within this.
LOOK_EVERY_S: Final = 0.01
# What no alert followed from is written so often.
WRITE_EVERY_S: Final = 5.0
# In a long pass what is found is handed on so often.
HAND_ON_EVERY_S: Final = 0.1
_AGAIN_S: Final = 1.0


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
    history
        Folder of the lake that is read with the database as one; None: the database alone.
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
        history: Path | None = None,
    ) -> None:
        self._store, self._recorded = store, recorded
        self._now_us, self._clock, self._is_replay = now_us, clock, is_replay
        self._market = Market(path, clock, history)
        self._journal = Journal(store)
        self._book = RuleBook(store, self._journal, now_us)
        self._desk = DeskRules(self._book, recorder, channels, clock)
        self._rows = Rows(board)
        self._tests = Rounds(clock, is_replay=is_replay)
        self._evaluated_before = store.evaluated()
        self._last_alerts: dict[str, Alert] | None = None
        self._basket_tests = BasketTests(clock, is_replay=is_replay)
        self._bench = BasketBench(self._basket_tests)
        self._pairs: dict[str, PairWatch] = {}
        self._baskets: dict[str, BasketWatch] = {}
        self._by_leg: dict[LegKey, list[BarWatch]] = {}
        self._forming: frozenset[LegKey] = frozenset()
        self._unfinished: set[PairWatch] = set()
        self._changed: set[BarWatch] = set()
        self._revision = -1
        self._reads = LegRefresh(clock, self._note_error)
        self._behind_s = 0.0
        self._unwritten_since: float | None = None
        self._rate = Rate(clock)
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
        has_ended = self._thread.join(timeout_s)
        self._bench.stop()
        return has_ended

    def report_finds(self, found: Sequence[WatchedPair], source: str = "page") -> None:
        """Take what a scan found. Any thread."""
        self._desk.report_finds(found, source)

    def status(self) -> WatchStatus:
        """What is happening; any thread, never waits."""
        now_s = self._clock()
        stands_s = now_s - self._passed_s
        stuck_s = stands_s if stands_s > 2 * _AGAIN_S else 0.0
        return WatchStatus(
            is_evaluating=True,
            pairs=len(self._pairs) + len(self._baskets),
            evaluated_per_s=self._rate.per_s(),
            behind_s=max(self._behind_s, self._trouble_s(now_s), stuck_s),
            late_bars=self._reads.late_bars,
            last_error=self._last_error,
        )

    def _trouble_s(self, now_s: float) -> float:
        """Seconds since a leg could not be read, or what came of the bars not be written."""
        since = tuple(self._reads.unread_since.values())
        if self._unwritten_since is not None:
            since = (*since, self._unwritten_since)
        return now_s - min(since, default=now_s)

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
        watches: set[BarWatch] = set().union(
            *(self._reads.refresh(leg, self._by_leg.get(leg.key, [])) for leg in due)
        )
        pairs = self._unfinished | {each for each in watches if isinstance(each, PairWatch)}
        self._unfinished = set()
        self._changed.update(watches)
        self._evaluate(pairs)
        self._behind_s = max((each.behind_us for each in pairs), default=0) / SECOND_US
        self._take_baskets()
        self._look_at_desk()
        self._hand_on()
        self._run_tests()
        self._passed_s = self._clock()

    def _run_tests(self) -> None:
        """Test what is shown, where no bar is left to evaluate."""
        tested: list[BarWatch | None] = [self._basket_tests.run_one(tuple(self._baskets.values()))]
        if all(each.is_waiting for each in self._unfinished):
            tested.append(self._tests.run_one(tuple(self._pairs.values())))
        self._changed.update(each for each in tested if each is not None)
        self._publish()

    # What is watched.

    def _take_up_changes(self) -> None:
        revision = self._store.revision()
        if revision == self._revision:
            return
        self._book.take_up_changes()
        if self._last_alerts is None:
            self._last_alerts = last_alerts(self._store)
        lists_of = self._take_up_lists(self._store.lists())
        for each in self._watched():
            each.rules = self._book.of_pair(each.pair, lists_of[each.key])
        self._book.keep_pairs({each.key: each.rules for each in self._watched()})
        self._forming = frozenset(
            leg.key for pair in self._pairs.values() if pair.has_forming_rule for leg in pair.legs
        )
        self._evaluated_before = {}  # a pair added from now on begins with its next bar
        self._revision = revision
        self._rows.update(self._watched(), self._market.newest_us())
        self._rows.publish()

    def _watched(self) -> list[BarWatch]:
        return [*self._pairs.values(), *self._baskets.values()]

    def _take_up_lists(self, lists: Sequence[WatchList]) -> dict[str, set[str]]:
        """Watch the rows of these lists; returns the lists that each is in."""
        self._rows.begin_anew()
        lists_of: dict[str, set[str]] = {}
        wanted: dict[str, Watched] = {}
        for watched in lists:
            self._rows.add_list(watched.name)
            for pair in watched.rows:
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

    def _watch(self, wanted: dict[str, Watched]) -> None:
        self._market.watch(leg for pair in wanted.values() for leg in leg_keys(pair))
        pairs, self._pairs = self._pairs, {}
        baskets, self._baskets = self._baskets, {}
        for key, pair in wanted.items():
            if isinstance(pair, WatchedBasket):
                self._baskets[key] = baskets.get(key) or self._new_basket(key, pair)
            else:
                self._pairs[key] = pairs.get(key) or self._new_pair(key, pair)
        self._by_leg, alerts = {}, self._last_alerts or {}
        for each in self._watched():
            each.last_alert = each.last_alert or alerts.get(each.link)
            for leg in each.legs:
                self._by_leg.setdefault(leg.key, []).append(each)
        self._reads.keep(self._by_leg)
        self._unfinished.intersection_update(self._pairs.values())
        self._changed.intersection_update(self._watched())

    def _new_pair(self, key: str, pair: WatchedPair) -> PairWatch:
        y, x = self._begin_legs(pair)
        return PairWatch(pair, (y, x), self._begin_us(key, pair), is_whole=self._is_replay)

    def _new_basket(self, key: str, basket: WatchedBasket) -> BasketWatch:
        begin_us = self._begin_us(key, basket)
        return BasketWatch(basket, self._begin_legs(basket), begin_us, is_whole=self._is_replay)

    def _begin_us(self, key: str, pair: Watched) -> int:
        """Bar before the last evaluated one, which is read again to be shown: rules saw it."""
        return max(0, self._evaluated_before.get(key, 0) - pair.params.bar.us)

    def _begin_legs(self, pair: Watched) -> tuple[WatchedLeg, ...]:
        keys = leg_keys(pair)
        for key in keys:
            self._market.renew(key)
        return tuple(self._market.legs[key] for key in keys)

    def _evaluate(self, pairs: set[PairWatch]) -> None:
        count, handed_on_s = 0, self._clock()
        for pair in [each for each in self._pairs.values() if each in pairs]:
            if self._ending.is_set():
                return
            count += self._evaluate_pair(pair)
            if self._clock() - handed_on_s > HAND_ON_EVERY_S:
                self._hand_on()
                handed_on_s = self._clock()
        self._rate.note(count)

    def _evaluate_pair(self, pair: PairWatch) -> int:
        count = 0
        try:
            for reading in pair.evaluate():
                self._step_rules(pair, reading)
                count += 1
            if pair.has_forming_rule and (forming := pair.read_forming()) is not None:
                self._step_rules(pair, forming, is_forming=True)
        except Exception as error:  # noqa: BLE001 - one pair's failure is not the others'
            self._skip(pair, error)
        if count:
            self._note_evaluated(pair)
        if pair.behind_us:
            self._unfinished.add(pair)
        self._changed.add(pair)
        return count

    def _take_baskets(self) -> None:
        """Take what was read of baskets, and have the next bars read."""
        for basket, job in self._bench.done():
            if self._baskets.get(basket.key) is basket:
                self._take_basket(basket, job)
        for basket in self._baskets.values():
            self._bench.begin(basket)

    def _take_basket(self, basket: BasketWatch, job: BasketJob) -> None:
        try:
            basket.take(job.reading.result(), job.tests)
            assert basket.reading is not None
            self._step_rules(basket, basket.reading)
            self._note_evaluated(basket)
        except Exception as error:  # noqa: BLE001 - one basket's failure is not the others'
            self._skip(basket, error)
        self._changed.add(basket)

    def _skip(self, pair: BarWatch, error: Exception) -> None:
        if isinstance(error, AnalyticsError):
            pair.skip(str(error))
            return
        pair.skip(f"it could not be evaluated: {error!r}")
        self._note_error(f"{pair.label} could not be evaluated: {error!r}")
        _LOG.debug("where it failed", exc_info=error)

    def _note_evaluated(self, pair: BarWatch) -> None:
        pair.evaluated_at_us = self._now_us()
        self._journal.note_evaluated(pair.key, pair.evaluated_us)

    def _step_rules(
        self, pair: BarWatch, reading: PairReading, *, is_forming: bool = False
    ) -> None:
        if not pair.rules:
            return
        bar_us = reading.time_us
        if isinstance(pair, PairWatch) and not is_forming:
            self._tests.run_for_rules(pair, bar_us)
        tests = None if is_forming else pair.tests_at(bar_us)
        at_us = pair.traded_us if is_forming else 0
        sample = Sample(bar_us, pair.step_us, reading, tests, is_forming=is_forming, at_us=at_us)
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
        for leg in self._reads.unread_since:
            self._market.renew(leg)
        for left_out in (self._tests.pop_left_out(), self._basket_tests.pop_left_out()):
            if left_out:
                self._note_error(left_out)
        self._desk.look(self._watched(), self.status().behind_s)
        now_us = self._now_us()
        self._changed.update(
            each for each in self._watched() if now_us - each.evaluated_at_us > 2 * SECOND_US
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
            if self._unwritten_since is None:
                self._unwritten_since = now_s
            return
        self._unwritten_since = None
        if everything:
            self._written_s = now_s
        if alerts:
            self._note_recorded(alerts)
            self._recorded()

    def _note_recorded(self, alerts: Sequence[Alert]) -> None:
        by_link = {each.params: each for each in alerts}
        for pair in self._watched():
            if alert := by_link.get(pair.link):
                pair.last_alert = alert
                self._changed.add(pair)

    def _publish(self) -> None:
        if self._changed:
            self._rows.update(self._changed, self._market.newest_us())
            self._rows.publish()
            self._changed = set()
