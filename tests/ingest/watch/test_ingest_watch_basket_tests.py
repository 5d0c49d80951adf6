"""Tests of watched baskets: those of the Baskets page, shown with their age, and rules of them."""

import threading
from concurrent.futures import Future
from typing import cast

import pytest
from market_cases import Market, Stepped
from test_ingest_watch_baskets import (
    BASKET,
    MOST_S,
    NAMES,
    PATHS,
    analysed,
    bar_at,
    live,
    until,
)

from analytics.alerts import AlertRule
from analytics.baskets import read_basket_tests
from analytics.errors import DegenerateSeriesError
from analytics.pair import PairTestsReading
from ingest.store import SECOND_US
from ingest.watch import WatchedBasket, WatchList
from ingest.watch.evaluation import basket_watch
from ingest.watch.evaluation.basket_watch import BasketWatch
from ingest.watch.evaluation.market import WatchedLeg
from ingest.watch.evaluation.rounds import is_for_rules
from ingest.watch.pair_link import pair_key

BASKETS = (BASKET, WatchedBasket(NAMES, window=20, lookback_s=120, method="box_tiao"))
RULES = (
    AlertRule("tied", when="pvalue", crosses="below", level=0.4, tells_resolved=True),
    AlertRule("slow", when="half_life", crosses="above", level=4.0, tells_resolved=True),
    AlertRule("wide", level=1.0, rearm=0.5),
)


def open_market(tmp_path, name: str) -> Market:
    market = Market(tmp_path / name)
    market.seconds(0, **{each: path[:200] for each, path in PATHS.items()})
    return market


@pytest.fixture
def market(tmp_path):
    made = open_market(tmp_path, "ticks.db")
    yield made
    made.writer.close()


@pytest.fixture
def desk(market):
    made = Stepped(market.path)
    made.store.save_list(WatchList("one", baskets=BASKETS))
    yield made
    made.engine.stop(1.0)
    made.store.close()


def rows(desk: Stepped):
    return desk.board.rows()["one"]


def test_a_row_has_the_tests_of_the_baskets_page_draws_and_all(market, desk) -> None:
    desk.step()
    until(desk, lambda: all(row.tests is not None for row in rows(desk)), 1.0)
    for basket, row in zip(BASKETS, rows(desk), strict=True):
        whole = analysed(market, basket, bar_at(198), draws=None)
        assert row.tests.time_us == bar_at(198)
        assert (row.tests.pvalue, row.tests.test) == (whole.pvalue, whole.test.name)
        assert row.tests.half_life == whole.half_life.half_life
        assert row.tests.returns == (whole.pvalue < basket.level)


def told(tmp_path, name: str, every: int, restarts: tuple[int, ...] = ()):
    """Watch 100 s with a pass every so many bars; returns the market and what was told."""
    market = open_market(tmp_path, name)
    desk = Stepped(market.path)
    desk.store.save_list(WatchList("one", baskets=BASKETS))
    for rule in RULES:
        desk.store.save_rule(rule)
    desk.step()
    until(desk, lambda: all(row.reading is not None for row in rows(desk)))
    for n in range(200, 300, every):
        market.seconds(n, **{each: path[n : n + every] for each, path in PATHS.items()})
        last = n + every - 2
        if n in restarts:
            desk.engine.stop(1.0)
            desk.restart()
        desk.step(every)
        until(desk, lambda last=last: all(_is_at(row, last) for row in rows(desk)))  # type: ignore[misc] # bound at once
    desk.engine.stop(1.0)
    alerts = desk.store.alerts()
    desk.store.close()
    market.writer.close()
    return market, sorted((a.params, a.rule, a.kind, a.bar_us, a.value) for a in alerts)


def _is_at(row, second: int) -> bool:
    return row.reading is not None and row.reading.time_us == bar_at(second)


def test_rules_of_tests_tell_of_baskets_at_bars_of_their_own(tmp_path) -> None:
    market, slowly = told(tmp_path, "slowly.db", 1)
    of_tests = [each for each in slowly if each[1] != "wide"]
    assert {rule for _, rule, *_ in of_tests} == {"tied", "slow"}
    for params, rule, _, bar_us, value in of_tests:
        (basket,) = (each for each in BASKETS if _is_of(params, each))
        assert is_for_rules(pair_key(basket.params), bar_us, SECOND_US)
        whole = analysed(market, basket, bar_us, draws=None)
        assert value == (whole.pvalue if rule == "tied" else whole.half_life.half_life)
    assert told(tmp_path, "fast.db", 20)[1] == slowly
    assert told(tmp_path, "killed.db", 1, restarts=(217, 233, 260, 261))[1] == slowly


def _is_of(params: str, basket: WatchedBasket) -> bool:
    return ("Johansen" in params) == (basket.method == "johansen")


def test_a_basket_that_is_tested_holds_up_no_other_and_is_read_on(
    market, desk, monkeypatch
) -> None:
    goes_on, tested = threading.Event(), read_basket_tests

    def slow(*given):
        assert goes_on.wait(MOST_S)
        return tested(*given)

    monkeypatch.setattr(basket_watch, "read_basket_tests", slow)
    for n in range(200, 206):
        live(market, desk, n, n + 1)
    assert all(row.reading.time_us == bar_at(204) for row in rows(desk))
    assert all(row.tests is None for row in rows(desk))
    goes_on.set()
    until(desk, lambda: rows(desk)[0].tests is not None, 1.0)


def test_tests_that_cannot_be_made_are_said_and_the_figures_stay(market, desk, monkeypatch) -> None:
    def fail(*_given):
        raise DegenerateSeriesError("the tests", "all is flat")

    monkeypatch.setattr(basket_watch, "read_basket_tests", fail)
    live(market, desk, 200, 201)
    until(desk, lambda: any("all is flat" in row.problem for row in rows(desk)), 1.0)
    assert all(row.reading is not None for row in rows(desk))


def test_older_tests_do_not_take_the_place_of_later_ones() -> None:
    basket = BasketWatch(BASKET, cast(tuple[WatchedLeg, ...], ()), 0)
    later, older = (PairTestsReading(bar_at(n), 0.5, "a test", 9.0, False) for n in (240, 210))
    for tests in (later, older):
        found: Future[PairTestsReading] = Future()
        found.set_result(tests)
        basket.take_tests(found)
    assert basket.tests == later
    assert basket.tests_at(bar_at(240)) == later
    assert basket.tests_at(bar_at(241)) is None
