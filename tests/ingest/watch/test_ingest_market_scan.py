"""The market scanned at each closed minute with no page open: the table of the same closes."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from market_cases import START_S, Market

from analytics.alerts import AlertRule
from analytics.scanner import scan_pairs
from ingest.binance import Kline
from ingest.store import SECOND_US
from ingest.watch import WatchedPair, WatchStore, watch_path
from ingest.watch.market_scan import BARS, MarketScan, found_pairs, market_closes

# START_S is 40 s into its minute.
INTO_S = START_S % 60
SYMBOLS = [f"S{number}USDT" for number in range(6)]


def prices(minutes: int) -> pd.DataFrame:
    """Five walks, and one that follows the first."""
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 1e-3, (minutes, len(SYMBOLS)))
    logs = 3.0 + steps.cumsum(axis=0)
    gap = np.zeros(minutes)
    for t in range(1, minutes):
        gap[t] = 0.5 * gap[t - 1] + rng.normal(0, 1e-3)
    logs[:, -1] = logs[:, 0] + gap
    return pd.DataFrame(np.exp(logs).round(6), columns=SYMBOLS)


@dataclass
class Desk:
    path: Path
    market: Market = field(init=False)
    store: WatchStore = field(init=False)
    scan: MarketScan = field(init=False)
    reported: list[list[WatchedPair]] = field(default_factory=list)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.market = Market(self.path)
        self.store = WatchStore(watch_path(self.path))
        self.scan = MarketScan(
            self.path, self.store, lambda found: self.reported.append(list(found)), 2,
            clock=lambda: self.now_s,
        )  # fmt: skip

    def trade(self, closes: pd.DataFrame, first: int) -> None:
        """Write a trade a minute a symbol, 10 s into it."""
        for symbol in SYMBOLS:
            at = (60 * (first + n) + 10 - INTO_S for n in range(len(closes)))
            trades = zip(at, closes[symbol].tolist(), strict=True)
            self.market.write(*(self.market.trade(symbol, *each) for each in trades))

    def pass_by(self) -> bool:
        """Look, and again when what was stored has settled."""
        self.scan.run_once()
        self.now_s += 1.0
        return self.scan.run_once()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path / "ticks.db")
    yield made
    made.store.close()
    made.market.writer.close()


def test_nothing_is_scanned_where_no_rule_asks_for_it(desk):
    desk.trade(prices(400), 1)
    assert not desk.pass_by()
    assert desk.reported == []
    assert not desk.scan.status().is_asked


def test_each_closed_minute_is_scanned_once_as_the_same_closes_are(desk):
    made = prices(402)
    desk.store.save_rule(AlertRule("new", when="find"))
    desk.trade(made.iloc[:401], 1)
    assert desk.pass_by()
    assert not desk.pass_by()
    desk.trade(made.iloc[401:], 402)
    assert desk.pass_by()
    status = desk.scan.status()
    assert (status.symbols, status.pairs, status.error) == (6, 15, "")
    last_minute = (START_S - INTO_S) // 60 + 401
    assert status.bar_us == last_minute * 60 * SECOND_US
    for number, bars in enumerate((400, 401)):
        expected = scan_pairs(made.iloc[:bars])
        assert desk.reported[number] == found_pairs(expected)
    pairs = {frozenset((pair.y, pair.x)) for pair in desk.reported[1]}
    assert frozenset({"S0USDT", "S5USDT"}) in pairs


def test_closes_go_back_a_day_and_a_symbol_without_bars_is_left_out(desk):
    made = prices(BARS + 30)
    desk.trade(made, 1)
    end = (START_S - INTO_S) // 60 + len(made)
    closes = market_closes(desk.path, [*SYMBOLS, "NONEUSDT"], end)
    np.testing.assert_array_equal(closes.to_numpy(), made.iloc[29:-1].to_numpy())
    assert list(closes.columns) == SYMBOLS


def test_a_market_too_short_to_scan_says_why_and_is_scanned_once_it_is_not(desk):
    desk.store.save_rule(AlertRule("new", when="find"))
    made = prices(120)
    desk.trade(made.iloc[:3], 1)
    desk.pass_by()
    assert "needs 23 bars" in desk.scan.status().error
    assert desk.reported == []
    desk.trade(made.iloc[3:], 4)
    assert desk.pass_by()
    assert desk.scan.status().error == ""
    assert len(desk.reported) == 1


def test_a_market_recorded_in_bars_alone_is_scanned_at_each_closed_minute(desk):
    made = prices(401)
    desk.store.save_rule(AlertRule("new", when="find"))
    first_us = (START_S - INTO_S + 60) * SECOND_US
    bars = {
        symbol: [
            Kline(first_us + n * 60 * SECOND_US, close, close, close, close, 1.0, 1, 0)
            for n, close in enumerate(made[symbol].tolist())
        ]
        for symbol in SYMBOLS
    }

    def add(low: int, high: int | None) -> None:
        desk.market.writer.add_all_klines(
            60, {("spot", name, "aggTrade"): rows[low:high] for name, rows in bars.items()}
        )

    add(0, 400)
    assert desk.pass_by()
    add(400, None)
    assert desk.pass_by()
    assert desk.scan.status().bar_us == first_us + 400 * 60 * SECOND_US
    for number, count in enumerate((400, 401)):
        assert desk.reported[number] == found_pairs(scan_pairs(made.iloc[:count]))
