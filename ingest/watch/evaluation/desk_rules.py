"""Rules of what is of no bar: looked at once a second, and timed by a clock that nobody sets."""

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from analytics.alerts import AlertRule, Sample
from ingest.recorder import Recorder
from ingest.status import RecorderStatus
from ingest.watch.evaluation.bar_watch import BarWatch
from ingest.watch.evaluation.rule_book import RuleBook
from ingest.watch.model import SECOND_US, WatchedPair
from ingest.watch.store import NO_PAIR

# Of pairs, and yet by the clock: a leg that does not trade closes no bar.
CLOCKED: Final = frozenset(("stale", "gap"))
_BYTES_A_GB: Final = 1e9
_DESK: Final[tuple[str, ...]] = ("recorder", "disk", "clock", "engine")


@dataclass(frozen=True, slots=True)
class ChannelFailures:
    """How often in a row a channel failed."""

    name: str
    failures: int


class DeskRules:
    """Steps the rules of the desk and the clocked ones of pairs. The engine's thread.

    What follows from a recorder that records nothing is no data for the rules of pairs: the feed
    that is down is told of once.

    Parameters
    ----------
    book
        The rules.
    recorder
        Whose state they look at.
    channels
        How often in a row each channel failed.
    clock
        Monotonic seconds: our own clock may be set back, and what lasts goes on all the same.
    """

    def __init__(
        self,
        book: RuleBook,
        recorder: Recorder,
        channels: Callable[[], Sequence[ChannelFailures]],
        clock: Callable[[], float],
    ) -> None:
        self._book, self._recorder, self._channels = book, recorder, channels
        self._clock = clock
        self._clocks_us: tuple[int, int] | None = None
        self._moment_us = self._running_us = self._passed_us = 0
        self._idle_since_us: int | None = None
        self._gap_since_us: dict[str, int] = {}
        self._traded_us: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._scans: list[tuple[str, tuple[WatchedPair, ...]]] = []
        self._finds: dict[str, dict[str, WatchedPair]] = {}

    def report_finds(self, finds: Sequence[WatchedPair], source: str) -> None:
        """Take what a scan found; a pair that no source's latest one found is over."""
        with self._lock:
            self._scans.append((source, tuple(finds)))

    def look(self, pairs: Iterable[BarWatch], behind_s: float) -> None:
        """Step each rule once, with how far the engine is behind."""
        rules = [rule for rule in self._book.rules if not _is_of_bars(rule)]
        status = self._recorder.status() if rules else None
        self._take_time(is_replay=status is not None and status.replay is not None)
        if status is not None:
            self._note(status)
            for rule in rules:
                self._step(rule, status, behind_s)
            self._step_clocked(pairs)
        self._step_finds([rule for rule in rules if rule.when == "find"])

    def _take_time(self, *, is_replay: bool) -> None:
        """Go on to this moment; what lasts is timed by the market's clock in a replay alone."""
        now_us, steady_us = self._recorder.clock_us(), round(self._clock() * SECOND_US)
        before = self._clocks_us or (now_us, steady_us)
        passed_us = now_us - before[0] if is_replay else steady_us - before[1]
        self._passed_us = max(0, passed_us)
        self._running_us += self._passed_us
        if self._clocks_us is None or now_us < self._moment_us - SECOND_US:
            self._moment_us = now_us
            names = {rule.name for rule in self._book.rules if not _is_of_bars(rule)}
            self._book.set_back(names, now_us)
        else:
            self._moment_us = max(self._moment_us + 1, now_us)
        self._clocks_us = now_us, steady_us

    def _note(self, status: RecorderStatus) -> None:
        """Remember since when nothing is recorded, and when each symbol had a gap and a trade."""
        if status.state == "live" or status.replay is not None:
            self._idle_since_us = None
        elif self._idle_since_us is None:
            self._idle_since_us = self._running_us
        since = self._gap_since_us
        self._gap_since_us = {
            symbol: since.get(symbol, self._running_us)
            for symbol, each in status.per_symbol.items()
            if each.open_gaps
        }
        for symbol, each in status.per_symbol.items():
            if each.last_trade_us is not None:
                self._note_trade(symbol, each.last_trade_us)

    def _note_trade(self, symbol: str, time_us: int) -> None:
        """Remember when a symbol traded; a trade that is new came since the last look."""
        before = self._traded_us.get(symbol)
        if before is not None and before[0] == time_us:
            return
        age_us = max(0, self._moment_us - time_us)
        if before is not None:
            age_us = min(age_us, self._passed_us)
        self._traded_us[symbol] = time_us, self._running_us - age_us

    def _step(self, rule: AlertRule, status: RecorderStatus, behind_s: float) -> None:
        if rule.when in _DESK:
            value = self._desk_value(rule.when, status, behind_s)
            self._book.step(rule, NO_PAIR, Sample(self._moment_us, value=value))
        elif rule.when == "channel":
            for each in self._channels():
                sample = Sample(self._moment_us, value=float(each.failures))
                self._book.step(rule, f"channel {each.name}", sample, about=f"channel {each.name}")

    def _desk_value(self, when: str, status: RecorderStatus, behind_s: float) -> float:
        if when == "recorder":
            return self._seconds_since(self._idle_since_us)
        if when == "disk":
            return status.disk.free / _BYTES_A_GB if status.disk.free else math.nan
        if when == "clock":
            return math.nan if status.skew_ms is None else status.skew_ms
        return behind_s

    def _step_clocked(self, pairs: Iterable[BarWatch]) -> None:
        for pair in pairs:
            for rule in pair.rules:
                if rule.when in CLOCKED:
                    value = self._pair_value(rule.when, pair)
                    sample = Sample(self._moment_us, value=value)
                    self._book.step(rule, pair.key, sample, pair.pair)

    def _pair_value(self, when: str, pair: BarWatch) -> float:
        if self._idle_since_us is not None:
            return math.nan
        symbols = [leg.key.symbol for leg in pair.legs]
        if when == "gap":
            return max(self._seconds_since(self._gap_since_us.get(each)) for each in symbols)
        traded = [self._traded_us[each][1] for each in symbols if each in self._traded_us]
        return max((self._seconds_since(each) for each in traded), default=math.nan)

    def _step_finds(self, rules: Sequence[AlertRule]) -> None:
        with self._lock:
            scans, self._scans = self._scans, []
        for source, scan in scans:
            before = self._all_finds()
            self._finds[source] = {f"{pair.y}/{pair.x}": pair for pair in scan}
            finds = self._all_finds()
            for key, pair in {**before, **finds}.items():
                self._moment_us += 1
                sample = Sample(self._moment_us, value=float(key in finds))
                for rule in rules:
                    if rule.y in (None, pair.y) and rule.x in (None, pair.x):
                        self._book.step(rule, key, sample, pair)

    def _all_finds(self) -> dict[str, WatchedPair]:
        return {key: pair for pairs in self._finds.values() for key, pair in pairs.items()}

    def _seconds_since(self, since_us: int | None) -> float:
        return 0.0 if since_us is None else (self._running_us - since_us) / SECOND_US


def _is_of_bars(rule: AlertRule) -> bool:
    return rule.when in {"zscore", "signal", "correlation", "pvalue", "half_life", "beta"}
