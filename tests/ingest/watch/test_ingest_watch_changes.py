"""Rules and lists that change: what comes back begins anew, in memory and in the database."""

import pytest
from market_cases import Market, Stepped, walk

from analytics.alerts import AlertRule
from ingest.watch import WatchedPair, WatchList
from ingest.watch.pair_link import pair_key
from ingest.watch.store import NO_PAIR

PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
KEY = pair_key(PAIR.params)
ANY = AlertRule("any", level=0.0)
Y, X = walk(260, 1), walk(260, 2)


@pytest.fixture
def market(tmp_path):
    made = Market(tmp_path / "ticks.db")
    yield made
    made.writer.close()


@pytest.fixture
def desk(market):
    market.seconds(0, ETHUSDT=Y[:200], BTCUSDT=X[:200])
    made = Stepped(market.path)
    made.store.save_list(WatchList("one", (PAIR,)))
    made.store.save_rule(ANY)
    yield made
    made.store.close()


def live(market: Market, desk: Stepped, first: int, last: int) -> None:
    for n in range(first, last):
        market.seconds(n, ETHUSDT=[Y[n]], BTCUSDT=[X[n]])
        desk.step()


def test_after_a_restart_in_a_market_that_stands_still_the_figures_are_there(market, desk):
    live(market, desk, 200, 215)
    desk.step(after_s=60.0)  # how far it came is written now and then
    before, alerts = desk.board.rows()["one"][0].reading, desk.store.alerts()
    assert desk.store.evaluated()[KEY] == before.time_us
    desk.restart()
    for _ in range(3):
        desk.step()
    [row] = desk.board.rows()["one"]
    assert row.reading.time_us == before.time_us
    assert row.reading.zscore == pytest.approx(before.zscore, rel=1e-9)
    assert desk.store.alerts() == alerts
    assert desk.engine.status().behind_s == 0.0


def test_a_rule_made_again_between_two_looks_fires_again(market, desk):
    live(market, desk, 200, 203)
    desk.store.remove_rule("any")
    desk.store.save_rule(ANY)
    live(market, desk, 203, 206)
    assert len(desk.store.alerts()) == 2


def test_a_pair_that_comes_back_fires_again(market, desk):
    live(market, desk, 200, 203)
    desk.store.remove_list("one")
    desk.step()
    desk.step(6.0)
    assert (desk.store.states(), desk.store.evaluated()) == ({}, {})
    desk.store.save_list(WatchList("one", (PAIR,)))
    live(market, desk, 203, 206)
    first, second = desk.store.alerts()
    assert second.bar_us > first.bar_us + 10**6


def test_a_pair_that_no_list_has_at_the_start_is_forgotten(market, desk):
    live(market, desk, 200, 203)
    desk.step(6.0)
    desk.store.remove_list("one")
    desk.restart()
    desk.step(6.0)
    assert (desk.store.states(), desk.store.evaluated()) == ({}, {})


def test_a_pair_that_a_rule_no_longer_looks_at_is_forgotten(market, desk):
    live(market, desk, 200, 203)
    desk.store.save_rule(AlertRule("any", level=0.0, y="SOLUSDT"))
    desk.step()
    desk.store.save_rule(ANY)
    live(market, desk, 203, 206)
    assert len(desk.store.alerts()) == 2


def test_a_rule_of_the_desk_stands_nowhere_on_a_pair(market, desk):
    desk.store.save_rule(AlertRule("full", when="disk", crosses="below", level=1.0))
    live(market, desk, 200, 203)
    desk.step(6.0)
    assert {key for rule, key in desk.store.states() if rule == "full"} <= {NO_PAIR}
    assert ("any", KEY) in desk.store.states()
