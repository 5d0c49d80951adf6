"""Rules of p-value and half-life: which bars they look at follows from the bars, not the clock."""

from collections import Counter
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from market_cases import START_S, Market, Stepped, walk

from analytics.alerts import AlertRule
from ingest.store import SECOND_US
from ingest.watch import WatchedPair, WatchList
from ingest.watch.evaluation.basket_tests import SHARE as BASKETS_SHARE
from ingest.watch.evaluation.basket_tests import BasketTests
from ingest.watch.evaluation.basket_watch import BasketBars, BasketWatch
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.evaluation.rounds import MOST_AHEAD_S, SHARE, Rounds, is_for_rules
from ingest.watch.pair_link import pair_key

PAIRS = tuple(WatchedPair("ETHUSDT", "BTCUSDT", window=window) for window in (20, 30, 40))
RULES = (
    AlertRule("tied", when="pvalue", crosses="below", level=0.5, tells_resolved=True),
    AlertRule("slow", when="half_life", crosses="above", level=20.0, tells_resolved=True),
)
Y, X = walk(700, 1), walk(700, 2)


def told(path: Path, every: int) -> list[tuple[str, str, str, int, float]]:
    """Watch 500 s of a market with a pass every so many bars; returns what was told."""
    market = Market(path)
    market.seconds(0, ETHUSDT=Y[:150], BTCUSDT=X[:150])
    desk = Stepped(path)
    desk.store.save_list(WatchList("one", PAIRS))
    for rule in RULES:
        desk.store.save_rule(rule)
    desk.step()
    for n in range(150, 650, every):
        market.seconds(n, ETHUSDT=Y[n : n + every], BTCUSDT=X[n : n + every])
        desk.step(every)
    desk.step()
    alerts = [(a.params, a.rule, a.kind, a.bar_us, a.value) for a in desk.store.alerts()]
    desk.store.close()
    market.writer.close()
    return sorted(alerts)


def test_what_tests_tell_does_not_hang_on_how_fast_the_bars_come(tmp_path) -> None:
    slowly = told(tmp_path / "slowly.db", 1)
    assert len(slowly) > 6
    assert {rule for _, rule, *_ in slowly} == {"tied", "slow"}
    assert told(tmp_path / "fast.db", 50) == slowly
    for params, _, _, bar_us, _ in slowly:
        (pair,) = (each for each in PAIRS if f"window={each.window}" in params)
        assert is_for_rules(pair_key(pair.params), bar_us, SECOND_US)


def test_each_pair_has_bars_of_its_own_one_in_thirty() -> None:
    first = START_S * SECOND_US
    bars = range(first, first + 60 * SECOND_US, SECOND_US)
    at = {
        key: [bar for bar in bars if is_for_rules(key, bar, SECOND_US)]
        for key in map(str, range(99))
    }
    assert all(len(each) == 2 and each[1] - each[0] == 30 * SECOND_US for each in at.values())
    assert max(Counter(each[0] for each in at.values()).values()) < 15
    assert is_for_rules("any", first, 60 * SECOND_US)  # each bar that is longer than 30 s


@dataclass
class Costly:
    """Stands for a pair, or for the bars of a basket, whose tests take a time on a core."""

    spent_s: float = 0.0
    has_tests_rule: bool = True
    key: str = "any"
    step_us: int = 60 * SECOND_US
    tests: None = None
    has_new_tests: bool = True
    taken: int = 0

    def read_tests(self) -> None:
        self.spent_s += 1.0

    def test(self) -> None:
        self.spent_s += 1.0

    def bars_to_test(self) -> "Costly":
        return self

    def take_tests(self, found: Future[None]) -> None:
        found.result()
        self.taken += 1


def test_tests_beyond_the_share_are_left_out_and_counted_but_for_a_replay() -> None:
    for is_replay in (False, True):
        pair = Costly()
        rounds = Rounds(lambda: 1000.0, lambda pair=pair: pair.spent_s, is_replay=is_replay)  # type: ignore[misc] # bound at once
        for n in range(10):
            rounds.run_for_rules(cast(PairWatch, pair), n * pair.step_us)
        ran = 10 if is_replay else int(MOST_AHEAD_S * SHARE) + 1
        assert pair.spent_s == ran
        left_out = rounds.pop_left_out()
        assert ("all pairs take more than 5 %" in left_out) is not is_replay
        assert rounds.pop_left_out() == ""


def test_those_of_baskets_have_a_share_of_their_own() -> None:
    for is_replay in (False, True):
        basket = Costly()
        clock = partial(getattr, basket, "spent_s")
        tests = BasketTests(lambda: 1000.0, clock, is_replay=is_replay)
        for n in range(10):
            bars = SimpleNamespace(bar_us=n * basket.step_us, test=basket.test)
            begun = tests.begin_for_rules(cast(BasketWatch, basket), cast(BasketBars, bars))
            if begun is not None:
                begun.result(10.0)
        tests.stop()
        ran = 10 if is_replay else int(MOST_AHEAD_S * BASKETS_SHARE) + 1
        assert basket.spent_s == ran
        left_out = tests.pop_left_out()
        assert ("all baskets take more than 10 %" in left_out) is not is_replay


def test_what_is_shown_of_baskets_is_tested_in_turn_and_within_the_share() -> None:
    baskets, now_s = (Costly(key="one"), Costly(key="two")), [1000.0]
    tests = BasketTests(lambda: now_s[0], lambda: sum(each.spent_s for each in baskets))
    listed = cast(tuple[BasketWatch, ...], baskets)
    for n in range(4):
        assert tests.run_one(listed) is None  # begun
        shown = tests._shown
        assert shown is not None
        wait([shown[1]], 10.0)
        now_s[0] += 1.0 / BASKETS_SHARE - 0.01
        assert tests.run_one(listed) is listed[n % 2]  # taken, and the share is spent
        assert tests._shown is None
        now_s[0] += 0.02
    assert [each.taken for each in baskets] == [2, 2]
    tests.stop()
