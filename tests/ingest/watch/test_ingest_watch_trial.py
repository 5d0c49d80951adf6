"""What the trial of a rule says would have fired is what the engine fires on the same trades.

The trades come a second at a time into a database, an engine evaluates each bar as it closes (with
a gap, seconds without a trade and restarts in between), and then the Alerts page's trial runs over
what is stored: equal in kind, bar, side and number.
"""

from dataclasses import replace
from typing import NamedTuple

import pytest
from market_cases import START_S, Market, Stepped, walk

from analytics.alerts import AlertRule
from ingest.store import SECOND_US
from ingest.watch import WatchedPair, WatchList
from ingest.watch.pair_link import link_of
from pages.ui.alerts import trial
from pages.ui.desk import pair_data

BEFORE, SECONDS = 150, 500
# Seconds in which X has no trade: of some it is known that nobody traded, of others it is not.
QUIET, GAP = frozenset((230, 231, 390)), range(300, 306)
RESTARTS = frozenset((201, 260, 303, 411))
AFTER_GAP = 20  # passes a second apart: a gap that is not repaired is waited for
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=20)
PAIRS = {
    "price difference": PAIR,
    "log, ols, ten minutes": replace(PAIR, spread="log", lookback_s=600, window=30),
    "hedged, rolling": replace(PAIR, spread="hedged", hedge="rolling_ols", window=25),
    "hedged, kalman": replace(PAIR, spread="hedged", hedge="kalman", window=15),
    "five seconds": replace(PAIR, spread="log", interval="5s", window=10),
}
RULES = (
    AlertRule("wide", level=1.5, rearm=0.5, tells_resolved=True),
    AlertRule("plain", crosses="above", level=1.2),
    AlertRule("back", crosses="inside", level=0.5, rearm=1.0),
    AlertRule("patient", level=1.0, rearm=0.2, for_bars=3, hold_bars=5, tells_resolved=True),
    AlertRule("rested", crosses="below", level=-1.0, cooldown_s=40.0, tells_resolved=True),
    AlertRule("open", level=1.0, gated=True, tells_resolved=True),
    AlertRule("night", level=1.0, rearm=0.5, quiet_hours="14:15-14:18", tells_resolved=True),
    AlertRule("once", level=1.5, once=True),
    AlertRule("turns", when="signal", to=("BUY", "SELL"), tells_resolved=True),
    AlertRule("apart", when="correlation", crosses="below", level=-0.1, tells_resolved=True),
    AlertRule("moved", when="beta", crosses="above", level=3.0),
    AlertRule("tied", when="pvalue", crosses="below", level=0.5, tells_resolved=True),
    AlertRule("slow", when="half_life", crosses="above", level=8.0, tells_resolved=True),
)


class Told(NamedTuple):
    """An alert, live or tried."""

    kind: str
    bar_us: int
    signal: str
    suppressed: str
    value: float
    zscore: float


class Lived(NamedTuple):
    """What the engine fired, by pair and rule, and between which bars it looked."""

    market: Market
    told: dict[tuple[str, str], list[Told]]
    spans: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Lived:
    """Watch some minutes of a market, a second at a time."""
    market = Market(tmp_path_factory.mktemp("trial") / "ticks.db")
    y, x = walk(SECONDS, 1), walk(SECONDS, 2)
    market.seconds(0, ETHUSDT=y[:BEFORE], BTCUSDT=x[:BEFORE])
    desk = Stepped(market.path)
    desk.store.save_list(WatchList("one", tuple(PAIRS.values())))
    for rule in RULES:
        desk.store.save_rule(rule)
    desk.step()
    first = _bars(desk)
    for n in range(BEFORE, SECONDS):
        if n in RESTARTS:
            desk.restart()
            desk.step()
        market.write(market.trade("ETHUSDT", n, y[n]))
        if n not in QUIET and n not in GAP:
            skip = len(GAP) if n == GAP.stop else 0
            market.write(market.trade("BTCUSDT", n, x[n], skip=skip))
        desk.step(1.0)
    for _ in range(AFTER_GAP):
        desk.step(1.0)
    last = _bars(desk)
    told: dict[tuple[str, str], list[Told]] = {}
    for each in desk.store.alerts(limit=100_000):
        one = Told(each.kind, each.bar_us, each.signal, each.suppressed, each.value, each.zscore)
        told.setdefault((each.params, each.rule), []).append(one)
    desk.store.close()
    market.writer.close()
    return Lived(market, told, {key: (first[key], last[key]) for key in first})


def _bars(desk: Stepped) -> dict[str, int]:
    rows = desk.board.rows()["one"]
    read = {link_of(row.pair): row.reading.time_us for row in rows if row.reading is not None}
    assert len(read) == len(rows)
    return read


def _tried(lived: Lived, pair: WatchedPair, rule: AlertRule, monkeypatch) -> list[Told]:
    """Try a rule, as the page does, over the bars at which the engine looked."""
    step_us = pair.params.bar.us
    first_us, last_us = lived.spans[link_of(pair)]
    bars = (last_us - first_us) // step_us + 1
    monkeypatch.setattr(trial, "MOST_BARS", bars)
    monkeypatch.setattr(trial, "MOST_SLOW_BARS", bars)
    legs = pair_data.read_pair(lived.market.path, trial.reaching_back(pair)).closed.legs
    ran = trial.run(legs, trial.what_counts(rule), pair, lambda *_: None).preview
    assert (ran.first_us, ran.last_us, ran.bars) == (first_us, last_us, bars)
    return [
        Told(each.event, each.bar_us, each.signal, each.suppressed, each.value, each.zscore)
        for each in ran.events
    ]


@pytest.mark.parametrize("name", PAIRS)
def test_a_trial_says_what_live_fired(lived, monkeypatch, name) -> None:
    pair = PAIRS[name]
    for rule in RULES:
        fired = lived.told.get((link_of(pair), rule.name), [])
        tried = _tried(lived, pair, rule, monkeypatch)
        assert [each[:4] for each in tried] == [each[:4] for each in fired], rule.name
        for one, other in zip(tried, fired, strict=True):
            assert one[4:] == pytest.approx(other[4:], rel=1e-9, abs=1e-12, nan_ok=True), rule.name
            assert (one.zscore > 0) == (other.zscore > 0)


def test_what_is_compared_is_worth_it(lived) -> None:
    """All rules fired, some were over, some were kept; bars without data were among the bars."""
    alerts = [each for told in lived.told.values() for each in told]
    assert {rule for _, rule in lived.told} == {rule.name for rule in RULES}
    assert {each.kind for each in alerts} == {"fired", "resolved"}
    assert {each.suppressed for each in alerts} == {"", "quiet hours"}
    assert len(alerts) > 300
    gap_us = (START_S + GAP.start) * SECOND_US
    legs = pair_data.read_pair(lived.market.path, PAIR.params).closed.legs
    row = (gap_us - legs[1].start_us) // SECOND_US
    assert set(legs[1].coverage[row : row + len(GAP)].tolist()) == {2}
