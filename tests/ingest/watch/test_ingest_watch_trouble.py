"""The engine where a leg, a pair or the watch's own database is in trouble: the rest goes on."""

import pytest
from market_cases import START_S, Market, Stepped, walk

from analytics.alerts import AlertRule
from ingest.errors import StoreError
from ingest.store import SECOND_US
from ingest.watch import WatchedPair, WatchList
from ingest.watch.evaluation.market import WatchedLeg
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.pair_link import pair_key

PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
OTHER = WatchedPair("SOLUSDT", "BTCUSDT", window=20)
ETH, BTC, SOL = (walk(400, seed) for seed in (1, 2, 3))


@pytest.fixture
def market(tmp_path):
    made = Market(tmp_path / "ticks.db")
    yield made
    made.writer.close()


@pytest.fixture
def desk(market):
    market.seconds(0, ETHUSDT=ETH[:200], BTCUSDT=BTC[:200], SOLUSDT=SOL[:200])
    made = Stepped(market.path)
    made.store.save_list(WatchList("one", (PAIR, OTHER)))
    yield made
    made.store.close()


def row(desk: Stepped, place: int = 0):
    return desk.board.rows()["one"][place]


def live(market: Market, desk: Stepped, first: int, last: int) -> None:
    for n in range(first, last):
        market.seconds(n, ETHUSDT=[ETH[n]], BTCUSDT=[BTC[n]], SOLUSDT=[SOL[n]])
        desk.step()


def at(second: int) -> int:
    return (START_S + second) * SECOND_US


def test_legs_that_share_no_bar_are_no_lag_and_hold_up_no_tests(market, desk) -> None:
    market.seconds(8 * 3600, SOLUSDT=SOL[:60], BTCUSDT=BTC[:60])  # ETH ended eight hours before
    desk.store.record((), {}, {pair_key(PAIR.params): at(100)})
    desk.restart()
    desk.step()
    desk.step(60.0)
    assert desk.engine.status().behind_s == 0.0
    assert row(desk, 1).tests is not None


def test_a_pair_that_waits_at_a_gap_holds_up_no_tests(market, desk) -> None:
    desk.store.save_list(WatchList("one", (OTHER,)))
    live(market, desk, 200, 203)
    desk.store.save_list(WatchList("one", (PAIR, OTHER)))
    desk.step()
    market.trade("ETHUSDT", 203, ETH[203])  # never stored
    market.seconds(203, BTCUSDT=[BTC[203]], SOLUSDT=[SOL[203]])
    desk.step()
    live(market, desk, 204, 206)
    assert row(desk).reading.time_us == at(201)
    desk.step(10.0)
    assert row(desk).reading.time_us == at(201)  # it waits still
    assert row(desk, 1).tests.time_us == at(204)


def test_a_trade_dated_ahead_freezes_no_leg(market, desk) -> None:
    live(market, desk, 200, 205)
    market.write(market.trade("ETHUSDT", 265, ETH[205]))
    desk.step()
    for n in range(205, 230):
        market.seconds(n, ETHUSDT=[ETH[n]], BTCUSDT=[BTC[n]], SOLUSDT=[SOL[n]])
        desk.step()
        assert row(desk).reading.time_us == at(n - 1)
        assert row(desk).reading.y == pytest.approx(ETH[n - 1])


def test_a_late_trade_after_one_dated_ahead_is_counted_once(market, desk) -> None:
    live(market, desk, 200, 205)
    market.write(*(market.trade(each, 265, 100.0) for each in ("ETHUSDT", "BTCUSDT")))
    desk.step()
    market.write(market.trade("ETHUSDT", 210, ETH[210]))
    desk.step()
    market.write(market.trade("ETHUSDT", 211, ETH[211]))
    desk.step()
    assert row(desk).reading.time_us == at(264)
    assert desk.engine.status().late_bars == 2


def test_alerts_that_cannot_be_written_count_as_being_behind(market, desk, monkeypatch) -> None:
    desk.store.save_rule(AlertRule("any", level=0.0))
    record = desk.store.record

    def refuse(*_):
        raise StoreError("the watch cannot be written: no room")

    monkeypatch.setattr(desk.store, "record", refuse)
    live(market, desk, 200, 202)
    desk.step(70.0)
    desk.step(5.0)
    assert desk.engine.status().behind_s == pytest.approx(75.0, abs=1.0)
    assert desk.store.alerts() == ()
    monkeypatch.setattr(desk.store, "record", record)
    desk.step()
    assert desk.engine.status().behind_s == 0.0
    assert len(desk.store.alerts()) == 2


def test_a_leg_that_cannot_be_read_stops_no_other_pair(market, desk, monkeypatch) -> None:
    live(market, desk, 200, 203)
    look, is_broken = WatchedLeg.look, True

    def sometimes(leg):
        if is_broken and leg.key.symbol == "ETHUSDT":
            raise StoreError("cannot read the database: disk I/O error")
        return look(leg)

    monkeypatch.setattr(WatchedLeg, "look", sometimes)
    live(market, desk, 203, 210)
    desk.step(70.0)
    assert "ETHUSDT cannot be read: cannot read the database" in row(desk).problem
    assert row(desk).reading.time_us == at(201)
    assert row(desk, 1).reading.time_us == at(208)
    assert row(desk, 1).problem == ""
    assert desk.engine.status().behind_s >= 70.0
    assert "disk I/O" in desk.engine.status().last_error
    is_broken = False
    desk.step(1.1)  # no commit: it is tried again by itself
    desk.step()
    assert row(desk).reading.time_us == at(208)
    assert row(desk).problem == ""
    assert desk.engine.status().behind_s == 0.0


def test_forming_bars_are_read_once_a_second_and_the_last_trade_is_not_missed(
    market, desk, monkeypatch
) -> None:
    five = WatchedPair("ETHUSDT", "BTCUSDT", interval="5s", window=10)
    desk.store.save_list(WatchList("one", (five,)))
    desk.store.save_rule(AlertRule("now", level=2.5, forming=True))
    desk.step()
    desk.step(1.1)
    reads, read_forming = [], PairWatch.read_forming

    def counted(pair):
        reads.append(desk.now_s)
        return read_forming(pair)

    monkeypatch.setattr(PairWatch, "read_forming", counted)
    for n in range(20):  # a commit every 0.1 s within one bar
        prices = ETH[200] * (2 if n == 19 else 1), BTC[200]
        market.write(*map(market.trade, ("ETHUSDT", "BTCUSDT"), (200 + n / 10,) * 2, prices))
        desk.step(0.1)
    assert len(reads) <= 3
    assert desk.store.alerts() == ()
    desk.step(1.0)  # no commit: what moved since the last look is looked at
    (alert,) = desk.store.alerts()
    assert alert.is_forming
    assert len(reads) <= 4
