"""What keeps a backtest honest: random walks, broken legs, walk-forward, neighbours of the best."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases.backtest import SEED, reverting_pair, walks

from analytics.backtest import (
    LEAST_TRADES,
    SYMMETRIC_RULES,
    Costs,
    null_backtests,
    run_backtest,
    sweep_backtest,
    walk_forward,
)
from analytics.backtest.null import permuted_leg
from analytics.backtest.rules import DEFAULT_RULES
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.pair import PairParams

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=60)
GRID: dict[str, Any] = {"windows": [30, 60, 120], "entries": [1.0, 1.5, 2.0, 2.5]}


@pytest.mark.parametrize("rules", [DEFAULT_RULES, SYMMETRIC_RULES])
def test_a_random_walk_earns_minus_its_costs(rules):
    gross, costs = [], []
    for seed in range(40):
        told = run_backtest(*walks(2_000, seed), PARAMS, rules, draws=0).performance
        gross.append(told.gross)
        costs.append(told.fees)
        assert told.net == pytest.approx(told.gross - told.fees)
    error = np.std(gross, ddof=1) / np.sqrt(len(gross))
    assert abs(np.mean(gross)) < 3 * error
    # What it pays stands far outside of what luck gives.
    assert np.mean(costs) > 5 * error


def test_a_pair_that_reverts_earns_where_costs_allow():
    told = run_backtest(*reverting_pair(), PARAMS, SYMMETRIC_RULES, draws=0).performance
    assert told.gross > 0
    assert told.break_even_bps > 2
    found = null_backtests(*reverting_pair(), PARAMS, SYMMETRIC_RULES, runs=39, block=20)
    assert found.observed_gross == told.gross
    assert found.pvalue == 1 / 40
    assert (found.sharpe < found.observed_sharpe).all()
    assert (found.net < found.gross).all()


def test_on_unrelated_legs_the_pvalue_is_no_discovery():
    small = 0
    for seed in range(12):
        found = null_backtests(*walks(600, seed), PARAMS, DEFAULT_RULES, runs=19, seed=seed)
        small += found.pvalue <= 0.05
    # Binomial(12, 0.05): 4 or more has a chance of 0.2 %.
    assert small <= 3


def test_a_permuted_leg_keeps_its_own_bars():
    _, x = reverting_pair(400, missing=((100, 110),))
    moved = permuted_leg(x, 25, np.random.default_rng(SEED))
    assert moved.index.equals(x.index)
    assert moved["coverage"].value_counts().to_dict() == x["coverage"].value_counts().to_dict()
    assert sorted(moved["volume"].dropna()) == sorted(x["volume"].dropna())
    before, after = (np.log((leg["open"] / leg["close"]).dropna()) for leg in (x, moved))
    np.testing.assert_allclose(np.sort(before), np.sort(after), atol=1e-12)
    assert not np.allclose(moved["close"].dropna().iloc[5:50], x["close"].iloc[5:50])
    with pytest.raises(NotEnoughDataError, match="in blocks of 60"):
        null_backtests(x.iloc[:100], x.iloc[:100], PARAMS, DEFAULT_RULES)


def test_walk_forward_trades_each_block_with_what_the_bars_before_it_chose():
    y, x = reverting_pair(3_000)
    rules = replace(SYMMETRIC_RULES, costs=Costs(taker_bps=1.0))
    found = walk_forward(y, x, PARAMS, rules, **GRID, train_bars=1_000, test_bars=500, draws=0)
    assert len(found.blocks) == 4
    assert found.settings == 12
    for _, block in found.blocks.iterrows():
        edges = ["train_start", "test_start", "test_end"]
        start, begin, end = map(int, y.index.get_indexer(pd.DatetimeIndex(block[edges])))
        assert begin - start == 1_000
        # Swept on nothing but the bars before the block's first.
        swept = sweep_backtest(y.iloc[:begin], x.iloc[:begin], PARAMS, rules, **GRID)
        row, column = swept.nearest(block["window"], block["entry"])
        assert (swept.windows[row], swept.entries[column]) == (block["window"], block["entry"])
        inside = found.trades[
            (found.trades["decided_time"] >= y.index[begin])
            & (found.trades["decided_time"] <= y.index[end])
        ]
        assert len(inside) == block["test_trades"]
        assert inside["net"].sum() == pytest.approx(block["test_net"])
        assert (inside["exit_time"] <= y.index[end]).all()
    assert found.performance.net == pytest.approx(found.equity.iloc[-1] - rules.capital)
    assert len(found.returns) == 2_000


def test_walk_forward_knows_nothing_of_later_blocks():
    y, x = reverting_pair(2_600)
    options = {**GRID, "train_bars": 1_000, "test_bars": 400, "draws": 0}
    whole = walk_forward(y, x, PARAMS, DEFAULT_RULES, **options)
    early = walk_forward(y.iloc[:2_200], x.iloc[:2_200], PARAMS, DEFAULT_RULES, **options)
    assert len(early.blocks) == 3
    pd.testing.assert_frame_equal(early.blocks, whole.blocks.iloc[:3], check_exact=True)


def test_walk_forward_may_stand_aside_and_needs_enough_bars():
    y, x = walks(2_000, 3)
    rules = replace(SYMMETRIC_RULES, costs=Costs(taker_bps=200.0))
    aside = walk_forward(
        y, x, PARAMS, rules, **GRID, train_bars=800, test_bars=400, only_if_paid=True, draws=0
    )
    assert aside.performance.trades == 0
    assert aside.blocks["window"].isna().all()
    assert aside.performance.net == 0.0
    assert LEAST_TRADES == 5
    with pytest.raises(NotEnoughDataError, match="needs 2003 bars, had 2000"):
        walk_forward(y, x, PARAMS, rules, **GRID, train_bars=2_000, test_bars=10)


def test_progress_is_told_after_each_step_and_may_end_the_work():
    y, x = reverting_pair(1_300)
    told: list[tuple[int, int]] = []
    options = {**GRID, "train_bars": 600, "test_bars": 300, "draws": 0}
    followed = walk_forward(
        y, x, PARAMS, DEFAULT_RULES, **options, progress=lambda *step: told.append(step)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(followed.blocks) == 3
    null_backtests(y, x, PARAMS, DEFAULT_RULES, runs=2, progress=lambda *step: told.append(step))
    assert told[3:] == [(1, 2), (2, 2)]

    def stop(done: int, steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk_forward(y, x, PARAMS, DEFAULT_RULES, **options, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        null_backtests(y, x, PARAMS, DEFAULT_RULES, runs=2, progress=stop)


def test_a_sweep_tells_the_best_its_place_and_its_neighbours():
    swept = sweep_backtest(*reverting_pair(), PARAMS, SYMMETRIC_RULES, **GRID)
    best = swept.best()
    assert best is not None
    assert swept.sharpe[best] == np.nanmax(swept.sharpe)
    assert swept.best("net") == tuple(np.argwhere(swept.net == np.nanmax(swept.net))[0])
    assert swept.best(least_trades=10_000) is None
    assert swept.neighbours(0, 0, swept.net).size == 3
    assert swept.neighbours(1, 1, swept.net).size == 8
    assert swept.nearest(70, 1.9) == (1, 2)
    frame = swept.to_frame()
    assert len(frame) == 12
    params, rules = swept.setting(*best)
    row = frame[(frame["window"] == params.window) & (frame["entry"] == rules.sell_above)]
    assert row["net"].item() == swept.net[best]
    wrong: list[dict[str, Any]] = [{"entries": []}, {"windows": [60, 60]}, {"share": 0.0}]
    for bad in wrong:
        with pytest.raises(ParameterError):
            sweep_backtest(*walks(50, 0), PARAMS, SYMMETRIC_RULES, **{**GRID, **bad})


def test_a_kalman_sweep_has_equal_rows_because_its_z_has_no_window():
    y, x = reverting_pair(900)
    swept = sweep_backtest(y, x, replace(PARAMS, hedge="kalman"), SYMMETRIC_RULES, **GRID)
    assert (swept.net == swept.net[0]).all()
    assert swept.trades.max() > 0


@pytest.mark.real_data
def test_the_walk_forward_table_of_2021_reads_the_real_outage_as_missing(shared_data: Path):
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks/properties"))
    import walk_forward_2021 as table

    closes = table.read_closes(shared_data / table.DATA.name)
    assert closes.shape[1] == 20
    bars = table.bars_of_closes(closes["BTCUSDT"], "15min")
    outage = bars.loc["2021-04-25 04:15":"2021-04-25 08:30"]
    assert outage["coverage"].eq("missing").all()
    assert outage["close"].isna().all()
    # A close of the outage's day decides nothing on bars that nobody knew.
    pair = table.Task("BTCUSDT", "ETHUSDT", "15min", SYMMETRIC_RULES, bars,
                      table.bars_of_closes(closes["ETHUSDT"], "15min"))  # fmt: skip
    found = table.run_pair(pair)
    assert len(found.blocks) == 8
    assert not found.trades["entry_time"].isin(outage.index).any()
    assert found.performance.fees == pytest.approx(found.performance.turnover * 7.5)
