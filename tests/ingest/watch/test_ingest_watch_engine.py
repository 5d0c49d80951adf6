"""The engine over made-up bars: the figures of Live at every bar, whatever happens in between."""

import math
from dataclasses import astuple, replace

import pytest
from market_cases import START_S, Market, Stepped, idle_recorder, walk

from analytics.alerts import AlertRule
from analytics.leg import Leg
from analytics.pair import PairReading, analyse_pair
from ingest.errors import StoreError
from ingest.store import SECOND_US, TickReader
from ingest.watch import Alert, Silence, WatchedPair, WatchList
from ingest.watch.evaluation import ChannelFailures
from ingest.watch.pair_link import pair_key

PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
WIDE = AlertRule("wide", level=1.5, rearm=0.5, tells_resolved=True, channels=("desk",))
Y, X = walk(700, 1), walk(700, 2)


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
    made.store.save_rule(WIDE)
    yield made
    made.store.close()


def row(desk: Stepped, place: int = 0):
    return desk.board.rows()["one"][place]


def told(alerts: tuple[Alert, ...]) -> list[tuple[str, str, int, float]]:
    """What is the same wherever the same bars were seen."""
    return [(each.rule, each.kind, each.bar_us, round(each.zscore, 9)) for each in alerts]


def live(market: Market, desk: Stepped, first: int, last: int, *, restarts: tuple[int, ...] = ()):
    for n in range(first, last):
        market.seconds(n, ETHUSDT=[Y[n]], BTCUSDT=[X[n]])
        if n in restarts:
            desk.restart()
        desk.step()


def analysed(market: Market, pair: WatchedPair, bar_us: int):
    """What Live shows with both legs as they were at a bar."""
    with TickReader(market.path) as reader:
        legs = [Leg.of(reader.bars(each, pair.interval), pair.params.bar.us) for each in
                (pair.y, pair.x)]  # fmt: skip
    rows = [(bar_us - leg.start_us) // leg.step_us + 1 for leg in legs]
    y, x = (leg.part(0, row) for leg, row in zip(legs, rows, strict=True))
    return analyse_pair(y, x, pair.params)


SETTINGS = {
    "price difference": PAIR,
    "log, ols": replace(PAIR, spread="log"),
    "hedged, rolling": replace(PAIR, spread="hedged", hedge="rolling_ols"),
    "hedged, kalman": replace(PAIR, spread="hedged", hedge="kalman"),
    "five seconds": replace(PAIR, interval="5s", window=10),
}


@pytest.mark.parametrize("pair", SETTINGS.values(), ids=SETTINGS.keys())
def test_each_closed_bar_has_the_figures_of_live(market, desk, pair) -> None:
    desk.store.save_list(WatchList("one", (pair,)))
    seen: dict[int, PairReading] = {}
    for n in range(200, 225):
        live(market, desk, n, n + 1)
        if row(desk).reading is not None:
            seen[row(desk).reading.time_us] = row(desk).reading
    step_us = pair.params.bar.us
    bars = sorted(seen)
    assert bars == list(range(bars[0], bars[0] + len(bars) * step_us, step_us))
    assert bars[-1] == (START_S + 224) * SECOND_US // step_us * step_us - step_us
    for bar_us, reading in seen.items():
        whole = analysed(market, pair, bar_us)
        assert reading.signal == whole.signal_now.signal
        for name, path in (
            ("zscore", whole.zscore), ("spread", whole.spread), ("beta", whole.hedge_ratio),
            ("correlation", whole.correlation), ("mean", whole.mean), ("y", whole.y),
        ):  # fmt: skip
            expected = float(path.iloc[-1])
            assert getattr(reading, name) == pytest.approx(expected, rel=1e-9, nan_ok=True), name


def test_alerts_are_in_the_database_once_each_and_the_outbox_is_woken(market, desk) -> None:
    live(market, desk, 200, 500)
    alerts = desk.store.alerts()
    fired = [each for each in alerts if each.kind == "fired"]
    assert len(fired) > 3
    assert desk.woken > 3
    assert len({each.bar_us for each in fired}) == len(fired)
    assert all(abs(each.zscore) >= 1.5 for each in fired)
    assert [each.kind for each in alerts[:4]] == ["fired", "resolved"] * 2
    assert row(desk).last_alert == alerts[-1]
    assert "s1=ETHUSDT&s2=BTCUSDT&interval=1s&window=20" in alerts[0].params


def test_restarts_in_between_change_no_alert(market, desk, tmp_path) -> None:
    live(market, desk, 200, 320, restarts=(211, 250, 251, 300))
    other = Market(tmp_path / "other.db")
    other.seconds(0, ETHUSDT=Y[:200], BTCUSDT=X[:200])
    whole = Stepped(other.path)
    whole.store.save_list(WatchList("one", (PAIR,)))
    whole.store.save_rule(WIDE)
    live(other, whole, 200, 320)
    assert told(desk.store.alerts()) == told(whole.store.alerts())
    assert len(desk.store.alerts()) > 4


def test_a_crossing_while_it_was_down_is_found_after_the_restart(market, desk) -> None:
    live(market, desk, 200, 210)
    desk.engine.stop(1.0)
    before = desk.store.newest_alert_id()
    for n in range(210, 500):
        market.seconds(n, ETHUSDT=[Y[n]], BTCUSDT=[X[n]])
    desk.restart()
    desk.step()
    desk.step()
    found = desk.store.alerts(before)
    assert len(found) > 3
    assert "late" in found[0].words
    assert row(desk).reading.time_us == (START_S + 498) * SECOND_US


def test_what_is_older_than_six_hours_is_left_out(market, desk) -> None:
    live(market, desk, 200, 202)
    desk.engine.stop(1.0)
    hours = 8 * 3600
    market.seconds(hours, ETHUSDT=Y[:40], BTCUSDT=X[:40])
    desk.store.record((), {}, {pair_key(PAIR.params): START_S * SECOND_US})
    desk.restart()
    desk.step()
    first_us = (START_S + 2 * 3600) * SECOND_US
    assert row(desk).reading.time_us >= first_us


def test_a_bar_in_a_gap_waits_for_its_trades(market, desk) -> None:
    live(market, desk, 200, 203)
    lost = market.trade("ETHUSDT", 203, Y[203])  # never stored for now
    market.seconds(203, BTCUSDT=[X[203]])
    market.seconds(204, ETHUSDT=Y[204:208], BTCUSDT=X[204:208])
    desk.step()
    assert row(desk).reading.time_us == (START_S + 201) * SECOND_US
    desk.step(10.0)
    assert row(desk).reading.time_us == (START_S + 201) * SECOND_US
    market.write(lost)
    desk.step()
    assert row(desk).reading.time_us == (START_S + 206) * SECOND_US
    assert not any(math.isnan(each) for each in row(desk).zscores)


def test_a_gap_that_stays_is_no_data_after_fifteen_seconds(market, desk) -> None:
    live(market, desk, 200, 203)
    market.trade("ETHUSDT", 203, Y[203])
    market.seconds(203, BTCUSDT=[X[203]])
    market.seconds(204, ETHUSDT=Y[204:208], BTCUSDT=X[204:208])
    desk.step()
    desk.step(14.0)
    assert row(desk).reading.time_us == (START_S + 201) * SECOND_US
    desk.step(2.0)
    assert row(desk).reading.time_us == (START_S + 206) * SECOND_US
    assert math.isnan(row(desk).zscores[-4])


def test_late_trades_are_counted_and_fire_nothing(market, desk) -> None:
    lost = market.trade("ETHUSDT", 200, 200.0)  # twice the price: it would fire
    market.trade("ETHUSDT", 200.5, Y[200])
    market.seconds(200, BTCUSDT=[X[200]])
    live(market, desk, 201, 203)
    desk.step(20.0)
    live(market, desk, 203, 205)
    before, was = desk.store.alerts(), desk.engine.status().late_bars
    market.write(lost)
    live(market, desk, 205, 206)
    assert desk.engine.status().late_bars == was + 1
    bars = [each.bar_us for each in desk.store.alerts()[len(before) :]]
    assert all(bar >= (START_S + 204) * SECOND_US for bar in bars)


def test_a_trade_dated_ahead_makes_no_storm(market, desk) -> None:
    live(market, desk, 200, 210)
    before = len(desk.store.alerts())
    market.write(market.trade("ETHUSDT", 900, Y[210]), market.trade("BTCUSDT", 900, X[210]))
    for _ in range(5):
        desk.step()
    live(market, desk, 211, 260)
    assert len(desk.store.alerts()) - before <= 2
    assert row(desk).reading.time_us == (START_S + 899) * SECOND_US


def test_rules_and_lists_change_while_it_runs(market, desk) -> None:
    live(market, desk, 200, 205)
    desk.store.remove_rule("wide")
    live(market, desk, 205, 300)
    before = len(desk.store.alerts())
    assert row(desk).reading.time_us == (START_S + 298) * SECOND_US
    desk.store.save_rule(AlertRule("any", level=0.0))
    desk.store.save_list(WatchList("one", (PAIR, replace(PAIR, window=30))))
    live(market, desk, 300, 302)
    alerts = desk.store.alerts()[before:]
    assert [each.rule for each in alerts] == ["any", "any"]
    assert {each.bar_us for each in alerts} == {(START_S + 299) * SECOND_US}
    desk.store.remove_list("one")
    desk.step()
    assert desk.board.rows() == {}
    assert desk.engine.status().pairs == 0


def test_a_rule_that_looks_at_something_else_begins_anew(market, desk) -> None:
    desk.store.save_rule(AlertRule("wide", level=0.0))
    live(market, desk, 200, 203)
    assert [each.value for each in desk.store.alerts()] == [desk.store.alerts()[0].zscore]
    desk.store.save_rule(AlertRule("wide", when="correlation", crosses="above", level=-0.99))
    live(market, desk, 203, 206)
    values = [each.value for each in desk.store.alerts()[1:]]
    assert len(values) == 1
    assert values[0] != desk.store.alerts()[1].zscore


def test_a_channel_that_fails_is_told_of_by_name(market, desk) -> None:
    desk.store.remove_rule("wide")
    desk.store.save_rule(AlertRule("mute", when="channel", crosses="above", level=3.0))
    for failures in (0, 2, 3, 4, 5):
        desk.failures = [ChannelFailures("desk", failures), ChannelFailures("other", 0)]
        desk.step(1.1)
    (alert,) = desk.store.alerts()
    assert alert.words.startswith("channel desk: ")
    assert alert.value == 3.0


def test_equal_pairs_of_two_lists_are_evaluated_once(market, desk) -> None:
    pinned = replace(PAIR, is_pinned=True)
    desk.store.save_list(WatchList("two", (pinned,)))
    live(market, desk, 200, 300)
    assert desk.engine.status().pairs == 1
    assert desk.board.rows()["two"][0].pair == pinned
    assert desk.board.rows()["two"][0].reading == row(desk).reading
    fired = [each.bar_us for each in desk.store.alerts() if each.kind == "fired"]
    assert len(set(fired)) == len(fired)


def test_a_rule_of_a_list_looks_at_no_other(market, desk) -> None:
    desk.store.save_rule(replace(WIDE, list="two"))
    desk.store.save_list(WatchList("two", (replace(PAIR, window=30),)))
    live(market, desk, 200, 400)
    assert desk.store.alerts()
    assert all("window=30" in each.params for each in desk.store.alerts())


def test_a_store_that_refuses_for_a_while_loses_nothing(market, desk, monkeypatch) -> None:
    record, refusing = desk.store.record, True

    def sometimes(*what):
        if refusing:
            raise StoreError("the watch cannot be written: no room")
        return record(*what)

    monkeypatch.setattr(desk.store, "record", sometimes)
    live(market, desk, 200, 300)
    assert desk.store.alerts() == ()
    assert "no room" in desk.engine.status().last_error
    refusing = False
    live(market, desk, 300, 301)
    late = told(desk.store.alerts())
    assert [bar for _, _, bar, _ in late] == sorted(bar for _, _, bar, _ in late)
    assert late[0][2] < (START_S + 250) * SECOND_US
    assert len(late) > 3


def test_a_silenced_alert_is_kept_and_not_sent(market, desk) -> None:
    until_us = (START_S + 300) * SECOND_US
    desk.store.add_silence(Silence(0, until_us, rule="wide", y="ETHUSDT", why="maintenance"))
    live(market, desk, 200, 420)
    alerts = desk.store.alerts()
    silenced = [each for each in alerts if each.suppressed]
    assert silenced
    assert silenced[0].suppressed == "silenced: maintenance"
    assert all(each.bar_us < until_us for each in silenced)
    assert all(each.bar_us + SECOND_US >= until_us for each in alerts if not each.suppressed)
    states = {each.alert_id: each.state for each in desk.store.deliveries()}
    assert states[silenced[0].alert_id] == "suppressed"


def test_a_pair_that_cannot_be_says_why_and_holds_up_no_other(market, desk) -> None:
    wrong = replace(PAIR, window=0)
    unknown = replace(PAIR, y="NOSUCH")
    desk.store.save_list(WatchList("one", (wrong, unknown, PAIR)))
    live(market, desk, 200, 202)
    assert "window" in row(desk, 0).problem
    assert "NOSUCH" in row(desk, 1).problem
    assert row(desk, 2).reading is not None


def test_tests_are_looked_at_in_turn(market, desk) -> None:
    desk.store.save_list(WatchList("one", (PAIR, replace(PAIR, window=30))))
    live(market, desk, 200, 203)
    desk.step(60.0)
    assert all(each.tests is not None for each in desk.board.rows()["one"])
    assert row(desk).tests.time_us <= row(desk).reading.time_us


def test_the_forming_bar_fires_before_it_closes_and_once(market, desk) -> None:
    desk.store.remove_rule("wide")
    desk.store.save_rule(AlertRule("now", level=2.5, forming=True))
    live(market, desk, 200, 205)
    before = desk.store.newest_alert_id()
    market.write(market.trade("ETHUSDT", 205, 2 * Y[205]), market.trade("BTCUSDT", 205, X[205]))
    desk.step()
    (forming,) = desk.store.alerts(before)
    assert forming.is_forming
    assert forming.bar_us == (START_S + 205) * SECOND_US
    market.seconds(206, ETHUSDT=[2 * Y[206]], BTCUSDT=[X[206]])
    desk.step()
    assert not [each for each in desk.store.alerts(forming.alert_id) if each.kind == "fired"]


def test_desk_rules_fire_once_and_a_feed_that_is_down_is_told_of_alone(market, desk) -> None:
    desk.store.remove_rule("wide")
    desk.store.save_rule(AlertRule("down", when="recorder", crosses="above", level=5.0))
    desk.store.save_rule(AlertRule("full", when="disk", crosses="below", level=1.0))
    desk.store.save_rule(AlertRule("stale", when="stale", crosses="above", level=3.0))
    now_us, told_by = START_S * SECOND_US, desk.recorder.told
    object.__setattr__(desk.recorder, "clock_us", lambda: now_us)
    told_by.state = "reconnecting"
    for _ in range(12):
        now_us += SECOND_US
        desk.step(1.0)
    told_by.disk.free = 10**8
    desk.step(1.0)
    assert [each.rule for each in desk.store.alerts()] == ["down", "full"]


def test_a_pair_that_a_scan_finds_is_told_once_while_it_holds(market, desk) -> None:
    desk.store.remove_rule("wide")
    desk.store.save_rule(AlertRule("new", when="find", for_bars=2))
    for found in ([PAIR], [PAIR], [PAIR], [], [PAIR], [PAIR]):
        desk.engine.report_finds(found)
        desk.step(1.1)
    assert [(each.y, each.x) for each in desk.store.alerts()] == [("ETHUSDT", "BTCUSDT")] * 2


def test_rows_say_how_long_ago_each_leg_traded(market, desk) -> None:
    live(market, desk, 200, 202)
    market.seconds(202, BTCUSDT=X[202:232])
    desk.step(1.1)
    assert row(desk).y_age_s == 30.0
    assert row(desk).x_age_s == 0.0
    assert astuple(row(desk))[2] > 0


def test_idle_recorder_stands_for_one_that_is_well() -> None:
    assert idle_recorder().status().state == "live"
