"""A watched pair whose range reaches into the lake has the figures of Live there too."""

from pathlib import Path

import numpy as np
import pytest
from cases.lake import put, trades_of
from market_cases import START_S, Market, Stepped, idle_recorder, walk

from analytics.leg import Leg
from analytics.pair import analyse_pair
from ingest.settings import Settings
from ingest.store import SECOND_US, LakeStream, TickReader
from ingest.watch import Watch, WatchedPair, WatchList
from ingest.watch.evaluation import Engine
from ingest.watch.market_scan import market_closes

PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=60)
PRICES = {"ETHUSDT": walk(220, 1), "BTCUSDT": walk(220, 2)}
MOVED = 190  # seconds that lie in the lake


class SteppedOverLake(Stepped):
    """The same over a lake beside the database."""

    def make(self) -> Engine:
        return Engine(
            self.store, self.board, self.db, self.recorder, recorded=lambda: None,
            channels=lambda: self.failures, now_us=lambda: START_S * SECOND_US,
            clock=lambda: self.now_s, history=self.db.with_name("history"),
        )  # fmt: skip


@pytest.fixture
def market(tmp_path: Path):
    made = Market(tmp_path / "ticks.db")
    for symbol, prices in PRICES.items():
        times = [(START_S + n) * SECOND_US for n in range(MOVED)]
        trades = trades_of(range(1, MOVED + 1), times, prices[:MOVED], [1.0] * MOVED)
        put(tmp_path / "history", trades, stream=LakeStream("spot", symbol, "aggTrade"))
        made.ids[symbol] = MOVED
        made.seconds(MOVED, **{symbol: prices[MOVED:210]})
    yield made
    made.writer.close()


def test_figures_of_a_range_that_reaches_into_the_lake(market: Market, tmp_path: Path) -> None:
    desk = SteppedOverLake(market.path)
    desk.store.save_list(WatchList("one", (PAIR,)))
    desk.step()
    for n in range(210, 214):
        market.seconds(n, **{symbol: [prices[n]] for symbol, prices in PRICES.items()})
        desk.step()
    reading = desk.board.rows()["one"][0].reading
    desk.store.close()
    assert reading is not None
    with TickReader(market.path, history=tmp_path / "history") as reader:
        legs = [Leg.of(reader.bars(each, "1s"), SECOND_US) for each in (PAIR.y, PAIR.x)]
    row = (reading.time_us - legs[0].start_us) // SECOND_US + 1
    assert row == 213
    y, x = (leg.part(0, row) for leg in legs)
    whole = analyse_pair(y, x, PAIR.params)
    assert np.isfinite(reading.zscore)
    assert reading.zscore == pytest.approx(float(whole.zscore.iloc[-1]), rel=1e-9)
    assert reading.mean == pytest.approx(float(whole.mean.iloc[-1]), rel=1e-9)


def test_the_scan_of_the_market_reads_the_lake(market: Market, tmp_path: Path) -> None:
    end = (START_S + 209) // 60
    closes = market_closes(market.path, list(PRICES), end, tmp_path / "history")
    alone = market_closes(market.path, list(PRICES), end + 1)
    assert len(closes) == 3
    assert len(alone) <= 1


def test_a_replay_is_never_read_with_the_lake(tmp_path: Path) -> None:
    recording = Settings(db=tmp_path / "ticks.db", history=tmp_path / "history")
    assert recording.read_history == tmp_path / "history"
    played = Settings(
        db=tmp_path / "replay.db", history=tmp_path / "history", replay=tmp_path / "file.ndjson"
    )
    assert played.read_history is None
    for settings in (recording, played):
        watch = Watch(settings, idle_recorder())
        assert isinstance(watch._engine, Engine)
        history = watch._engine._market._history
        assert (history is None) == (settings is played)
        watch.stop()
