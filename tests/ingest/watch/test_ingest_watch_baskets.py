"""Baskets in the watch: read on a bench beside the pairs, with the figures of the Baskets page."""

import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from market_cases import START_S, Market, Stepped, walk

from analytics.alerts import AlertRule
from analytics.baskets import analyse_basket, read_basket
from analytics.leg import Leg
from ingest.store import SECOND_US, TickReader
from ingest.watch import WatchedBasket, WatchedPair, WatchList
from ingest.watch.board import WatchRow
from ingest.watch.evaluation import basket_watch
from ingest.watch.pair_link import link_of, pair_key

NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
BASKET = WatchedBasket(NAMES, window=20, lookback_s=120)
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
WIDE = AlertRule("wide", list="one", level=1.0, rearm=0.5, channels=("desk",))
PATHS = {name: walk(400, seed) for seed, name in enumerate(NAMES)}
MOST_S = 20.0


@pytest.fixture
def market(tmp_path):
    made = Market(tmp_path / "ticks.db")
    made.seconds(0, **{name: path[:200] for name, path in PATHS.items()})
    yield made
    made.writer.close()


@pytest.fixture
def desk(market):
    made = Stepped(market.path)
    made.store.save_list(WatchList("one", (PAIR,), baskets=(BASKET,)))
    yield made
    made.engine.stop(1.0)
    made.store.close()


def bar_at(second: int) -> int:
    return (START_S + second) * SECOND_US


def basket_row(desk: Stepped) -> WatchRow:
    return desk.board.rows()["one"][1]


def until(desk: Stepped, is_so: Callable[[], bool], after_s: float = 0.0) -> None:
    """Step until something is so, which another thread brings about; time passes at each step."""
    latest_s = time.monotonic() + MOST_S
    while not is_so():
        assert time.monotonic() < latest_s, f"not within {MOST_S:g} s: {basket_row(desk)}"
        desk.step(after_s)
        time.sleep(0.002)


def is_read(desk: Stepped, second: int) -> Callable[[], bool]:
    def check() -> bool:
        reading = basket_row(desk).reading if desk.board.rows() else None
        return reading is not None and reading.time_us == bar_at(second)

    return check


def live(market: Market, desk: Stepped, first: int, last: int) -> None:
    for n in range(first, last):
        market.seconds(n, **{name: [path[n]] for name, path in PATHS.items()})
        until(desk, is_read(desk, n - 1))


def analysed(market: Market, basket: WatchedBasket, bar_us: int, draws: int | None = 0):
    params = basket.params
    with TickReader(market.path) as reader:
        legs = [Leg.of(reader.bars(each, basket.interval), params.bar.us)
                for each in basket.symbols]  # fmt: skip
    cut = [leg.part(0, (bar_us - leg.start_us) // leg.step_us + 1) for leg in legs]
    return analyse_basket(cut, params, draws=draws)


def test_each_closed_bar_has_the_figures_of_the_baskets_page(market, desk) -> None:
    for n in range(200, 225):
        live(market, desk, n, n + 1)
        row = basket_row(desk)
        whole = analysed(market, BASKET, bar_at(n - 1))
        assert row.reading is not None
        assert row.reading.signal == whole.signal_now.signal
        for name in ("zscore", "spread", "mean", "std", "correlation"):
            last = float(getattr(whole, name).iloc[-1])
            assert getattr(row.reading, name) == pytest.approx(last, rel=1e-9), name
        assert row.weights == pytest.approx(tuple(whole.weights))
        assert row.closes == tuple(PATHS[name][n - 1] for name in NAMES)
    assert len(row.zscores) == 25
    assert row.problem == ""


def test_a_rule_of_its_list_fires_on_a_basket_by_its_label(market, desk) -> None:
    desk.store.save_rule(WIDE)
    live(market, desk, 200, 260)
    alerts = [each for each in desk.store.alerts() if each.x == ""]
    assert alerts
    assert {each.y for each in alerts} == {BASKET.params.label} == {"BTCUSDT/ETHUSDT+SOLUSDT"}
    assert all(abs(each.zscore) >= 1.0 for each in alerts)
    assert "BTCUSDT/ETHUSDT+SOLUSDT" in alerts[0].words
    assert alerts[0].params == link_of(BASKET)
    assert basket_row(desk).last_alert == alerts[-1]
    assert any(each.x for each in desk.store.alerts())  # the pair's, by the same rule


def test_restarts_in_between_change_no_alert_of_a_basket(market, desk, tmp_path) -> None:
    desk.store.save_rule(WIDE)
    for first, last in ((200, 215), (215, 231), (231, 245)):
        live(market, desk, first, last)
        desk.restart()
    other = Market(tmp_path / "other.db")
    other.seconds(0, **{name: path[:200] for name, path in PATHS.items()})
    whole = Stepped(other.path)
    whole.store.save_list(WatchList("one", (PAIR,), baskets=(BASKET,)))
    whole.store.save_rule(WIDE)
    live(other, whole, 200, 245)
    found, expected = (
        [(each.kind, each.bar_us, round(each.zscore, 9)) for each in store.alerts() if not each.x]
        for store in (desk.store, whole.store)
    )
    assert found == expected
    assert len(found) > 1
    whole.engine.stop(1.0)
    whole.store.close()
    other.writer.close()


def test_a_basket_that_is_being_read_holds_up_no_pair(market, desk, monkeypatch) -> None:
    goes_on = threading.Event()

    def slow(*given):
        assert goes_on.wait(MOST_S)
        return read_basket(*given)

    monkeypatch.setattr("ingest.watch.evaluation.basket_watch.read_basket", slow)
    for n in range(200, 210):
        market.seconds(n, **{name: [path[n]] for name, path in PATHS.items()})
        desk.step()
        pair_row = desk.board.rows()["one"][0]
        assert pair_row.reading.time_us == bar_at(n - 1)
    assert basket_row(desk).reading is None
    assert desk.engine.status().behind_s == 0
    goes_on.set()
    until(desk, is_read(desk, 208))
    assert len(basket_row(desk).zscores) == 10  # each bar was read, none passed over


def test_far_behind_it_is_said_and_what_is_too_old_is_passed_over(
    market, desk, monkeypatch
) -> None:
    live(market, desk, 200, 202)
    monkeypatch.setattr(basket_watch, "MOST_BACK_BARS", 30)
    desk.restart()
    desk.step()
    market.seconds(202, **{name: path[202:302] for name, path in PATHS.items()})
    seen: list[WatchRow] = []

    def is_up_to_date() -> bool:
        seen.append(basket_row(desk))
        return is_read(desk, 300)()

    until(desk, is_up_to_date)
    read = {row.reading.time_us for row in seen if row.reading is not None}
    assert min(each for each in read if each > bar_at(201)) >= bar_at(300 - 30)
    assert any(" s behind: baskets are read one after the other" in row.problem for row in seen)
    assert seen[-1].problem == ""


def test_a_leg_that_is_not_recorded_is_named(market, desk) -> None:
    lacking = WatchedBasket(("BTCUSDT", "XRPUSDT", "SOLUSDT"))
    desk.store.save_list(WatchList("one", (PAIR,), baskets=(lacking,)))
    desk.step()
    desk.step()
    assert basket_row(desk).problem == "no trade of XRPUSDT is stored: is it recorded?"


def test_settings_that_cannot_be_are_said_in_its_row(market, desk) -> None:
    long = WatchedBasket(NAMES, lookback_s=86_400)
    desk.store.save_list(WatchList("one", (PAIR,), baskets=(long,)))
    desk.step()
    assert "20,000 bars at most, had 86,400" in basket_row(desk).problem


def test_a_list_written_before_baskets_is_read(desk) -> None:
    with desk.store._database.transaction() as connection:
        connection.execute(
            """INSERT INTO watch_list VALUES ('old', 9, '{"name": "old", "pairs": []}')"""
        )
    assert desk.store.lists()[-1] == WatchList("old")
    assert desk.store.lists()[0].baskets == (BASKET,)


def test_key_and_link_say_what_is_not_as_usual() -> None:
    assert pair_key(BASKET.params) == "BTCUSDT/ETHUSDT+SOLUSDT 1s lookback=120 window=20"
    query = parse_qs(link_of(BASKET))
    assert query["basket_symbols"] == list(NAMES)
    assert query["basket_method"] == ["Johansen"]
    assert query["basket_gates"] == ["data"]
