"""Where rules stand over a restart, while they are off, and when our clock is set back."""

from dataclasses import astuple, replace
from types import SimpleNamespace

import pytest
from market_cases import START_S, Market, Stepped

from analytics.alerts import AlertRule, RuleState, Sample
from analytics.pair import PairReading
from ingest.store import SECOND_US
from ingest.watch import WatchedPair, WatchList
from ingest.watch.evaluation import ChannelFailures
from ingest.watch.evaluation.journal import Journal
from ingest.watch.evaluation.rule_book import RuleBook

HOUR_S = 3_600
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
DOWN = AlertRule("down", when="recorder", crosses="above", level=5.0)
MUTE = AlertRule("mute", when="channel", crosses="above", level=3.0, cooldown_s=10.0)
STALE = AlertRule("still", when="stale", crosses="above", level=5.0)
GAP = AlertRule("open", when="gap", crosses="above", level=5.0)
WIDE = AlertRule("wide", level=2.0, for_bars=3)


class Clocked(Stepped):
    """A desk whose clock can be set, apart from the one that nobody sets."""

    clock_s = float(START_S)

    def pass_s(self, seconds: int) -> None:
        self.recorder.clock_us = lambda: round(self.clock_s * SECOND_US)  # type: ignore[method-assign]
        for _ in range(seconds):
            self.clock_s += 1.0
            self.step(1.0)

    @property
    def told(self):
        """What the recorder says."""
        return self.recorder.told  # type: ignore[attr-defined]

    @property
    def fired(self) -> list[str]:
        return [each.rule for each in self.store.alerts() if each.kind == "fired"]


@pytest.fixture
def desk(tmp_path):
    market = Market(tmp_path / "ticks.db")
    made = Clocked(market.path)
    made.store.save_list(WatchList("one", (PAIR,)))
    traded_us = round((START_S - 1) * SECOND_US)
    made.told.per_symbol.clear()
    for symbol in ("ETHUSDT", "BTCUSDT"):
        made.told.per_symbol[symbol] = SimpleNamespace(last_trade_us=traded_us, open_gaps=0)
    yield made
    made.store.close()
    market.writer.close()


def trade(desk: Clocked) -> None:
    for each in desk.told.per_symbol.values():
        each.last_trade_us += SECOND_US


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("rule", [DOWN, STALE, GAP], ids=lambda rule: rule.name)
def test_a_clock_that_is_set_back_silences_nothing(desk, rule: AlertRule, is_restarted) -> None:
    desk.store.save_rule(rule)
    for _ in range(8):
        trade(desk)
        desk.pass_s(1)
    desk.clock_s -= HOUR_S
    if is_restarted:
        desk.restart()
        trade(desk)
        desk.pass_s(1)
    if rule is DOWN:
        desk.told.state = "reconnecting"
    for each in desk.told.per_symbol.values():
        each.open_gaps = int(rule is GAP)
    assert desk.fired == []
    desk.pass_s(8)
    assert desk.fired == [rule.name]
    desk.pass_s(8)
    assert desk.fired == [rule.name]


def test_a_clock_that_is_set_forward_makes_no_leg_stale(desk) -> None:
    desk.store.save_rule(STALE)
    for _ in range(20):
        desk.clock_s += HOUR_S if desk.now_s == 1_010 else 0
        trade(desk)
        desk.pass_s(1)
    assert desk.fired == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_cool_down_ends_though_the_clock_was_set_back(desk, is_restarted) -> None:
    desk.store.save_rule(MUTE)
    desk.failures = [ChannelFailures("desk", 3)]
    desk.pass_s(2)
    desk.clock_s -= HOUR_S
    if is_restarted:
        desk.restart()
    desk.failures = [ChannelFailures("desk", 0)]
    desk.pass_s(2)
    desk.failures = [ChannelFailures("desk", 3)]
    desk.pass_s(5)
    assert desk.fired == ["mute"]
    desk.pass_s(8)
    assert desk.fired == ["mute", "mute"]


def sample(bar: int, zscore: float) -> Sample:
    bar_us = (START_S + bar) * SECOND_US
    reading = PairReading(
        time_us=bar_us, y=100.0, x=50.0, beta=1.0, alpha=0.0, beta_stderr=0.1, spread=50.0,
        mean=0.0, std=1.0, zscore=zscore, correlation=0.5, signal="SELL", reason="", gate="",
        y_coverage=0, x_coverage=0,
    )  # fmt: skip
    return Sample(bar_us, SECOND_US, reading)


class Booked:
    """A book of one rule, which is written after each bar and can be opened again."""

    def __init__(self, desk: Stepped, rule: AlertRule) -> None:
        self.store = desk.store
        self.open(rule)

    def open(self, rule: AlertRule) -> None:
        self.journal = Journal(self.store)
        self.book = RuleBook(self.store, self.journal, lambda: START_S * SECOND_US)
        self.change(rule)

    def change(self, rule: AlertRule) -> None:
        self.rule = rule
        self.store.save_rule(rule)
        self.book.take_up_changes()

    def see(self, bar: int, zscore: float) -> None:
        seen = sample(bar, zscore)
        self.book.step(self.rule, "pair", seen, PAIR)
        self.journal.note_evaluated("pair", seen.bar_us)
        self.journal.write_all()

    @property
    def told(self) -> list[tuple[int, float]]:
        return [(each.bar_us // SECOND_US - START_S, each.value) for each in self.store.alerts()]


def test_a_state_comes_back_as_it_was_stored(desk) -> None:
    state = RuleState("firing", 5, 1, False, 5, 2, 0.25, 7, was_quiet=True)
    desk.store.record((), {("wide", "pair"): state}, {})
    assert astuple(desk.store.states()["wide", "pair"]) == astuple(state)


def test_the_same_bar_again_after_a_restart_is_not_counted(desk) -> None:
    booked = Booked(desk, WIDE)
    booked.see(0, 2.5)
    booked.see(1, 2.5)
    booked.open(WIDE)
    booked.see(1, 2.5)
    assert booked.told == []
    booked.see(2, 2.5)
    assert booked.told == [(2, 2.5)]


def test_a_rule_that_was_off_begins_anew(desk) -> None:
    booked = Booked(desk, replace(WIDE, for_bars=1))
    booked.see(0, 2.5)
    booked.change(replace(booked.rule, enabled=False))
    booked.open(replace(booked.rule, enabled=False))
    booked.see(1, 0.0)
    booked.change(replace(booked.rule, enabled=True))
    booked.see(2, -3.0)
    assert booked.told == [(0, 2.5), (2, -3.0)]
    (state,) = desk.store.states().values()
    assert (state.fired, state.name) == (2, "firing")


def test_a_rule_that_fires_on_through_a_short_stop_tells_nothing_again(desk) -> None:
    booked = Booked(desk, replace(WIDE, for_bars=1))
    for bar in range(0, 3 * HOUR_S, HOUR_S // 2):
        booked.see(bar, 2.5)
    booked.open(booked.rule)
    booked.see(bar + HOUR_S // 2, -3.0)
    assert booked.told == [(0, 2.5)]
