"""Pairs of symbols that are recorded in bars only are watched as others are."""

from pathlib import Path

from market_cases import START_S, Market, Stepped, walk

from analytics.alerts import AlertRule
from analytics.leg import Leg
from analytics.pair import analyse_pair
from ingest.binance import Kline
from ingest.store import SECOND_US, BarWindow, TickReader
from ingest.watch import WatchedPair, WatchList

MINUTE_US = 60 * SECOND_US
BEGINS_US = 1_700_000_040 // 60 * MINUTE_US
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", "1min", 20)


def test_each_closed_bar_of_a_pair_in_bars_only_is_evaluated_as_live_shows_it(
    tmp_path: Path,
) -> None:
    market = Market(tmp_path / "ticks.db")
    prices = {"ETHUSDT": walk(130, 1), "BTCUSDT": walk(130, 2)}

    def add(low: int, high: int) -> None:
        rows = {
            symbol: [
                Kline(BEGINS_US + n * MINUTE_US, path[n], path[n], path[n], path[n], 1.0, 1, 0)
                for n in range(low, high)
            ]
            for symbol, path in prices.items()
        }
        market.writer.add_all_klines(
            60, {("spot", symbol, "aggTrade"): bars for symbol, bars in rows.items()}
        )

    add(0, 100)
    desk = Stepped(market.path)
    desk.store.save_list(WatchList("one", (PAIR,)))
    desk.store.save_rule(AlertRule("wide", level=1.5))
    desk.step()
    for n in range(100, 130):
        add(n, n + 1)
        desk.step()
        (row,) = desk.board.rows()["one"]
        assert row.problem == ""
        assert row.reading is not None
        assert row.reading.time_us == BEGINS_US + n * MINUTE_US
    with TickReader(market.path) as reader:
        y, x = (Leg.of(reader.bars(each, "1min"), MINUTE_US) for each in (PAIR.y, PAIR.x))
        last = reader.last_trade(PAIR.y)
    found = analyse_pair(y, x, PAIR.params)
    assert row.reading is not None
    assert abs(row.reading.zscore - found.zscore.iloc[-1]) < 1e-9
    assert last is not None
    assert (last.price, last.time_us) == (prices[PAIR.y][-1], BEGINS_US + 130 * MINUTE_US - 1)
    desk.store.close()
    market.writer.close()


def test_legs_that_go_on_are_looked_at_together(tmp_path: Path, monkeypatch) -> None:
    market = Market(tmp_path / "ticks.db")
    prices = {name: walk(60, seed) for seed, name in enumerate("ABCDE")}
    market.seconds(0, **{name: path[:50] for name, path in prices.items()})
    desk = Stepped(market.path)
    pairs = tuple(WatchedPair(name, "A", window=20) for name in "BCDE")
    desk.store.save_list(WatchList("one", pairs))
    desk.step()
    looks: list[str] = []
    look = BarWindow._look

    def counted(self: BarWindow) -> None:
        looks.append(self.symbol)
        look(self)

    monkeypatch.setattr(BarWindow, "_look", counted)
    for n in range(50, 60):
        market.seconds(n, **{name: [path[n]] for name, path in prices.items()})
        desk.step()
        for name, row in zip("BCDE", desk.board.rows()["one"], strict=True):
            assert row.reading is not None
            assert row.reading.time_us == (START_S + n - 1) * SECOND_US
            assert row.reading.y == prices[name][n - 1]
    assert looks == []
    desk.store.close()
    market.writer.close()
