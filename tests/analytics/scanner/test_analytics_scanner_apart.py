"""Symbols that miss bars of their own: tested one by one, equal to the plain tests all the same."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.scanner import scan_pairs
from analytics.scanner.moments import groups_and_apart
from analytics.stationarity import adf_test, engle_granger_test, half_life


def thin_market(bars: int, seed: int = 1) -> pd.DataFrame:
    """16 symbols that miss nothing, 17 with an outage of their own, 4 thin ones, one without."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 1e-3, (bars, 38)).cumsum(axis=0) + 3.0
    logs[bars // 3 : bars // 3 + 9, 16:33] = np.nan
    for thin, holes in zip(range(33, 37), (1, 5, 20, bars // 4), strict=True):
        logs[rng.integers(0, bars, holes), thin] = np.nan
    logs[:, 37] = np.nan
    return pd.DataFrame(np.exp(logs), columns=[f"S{number:02d}" for number in range(38)])


def test_symbols_that_few_others_miss_bars_with_stand_apart():
    closes = thin_market(200)
    shared, apart = groups_and_apart(closes.to_numpy().T)
    assert [members.tolist() for _, members in shared] == [list(range(16)), list(range(16, 33))]
    assert sorted(apart.tolist()) == list(range(33, 38))
    few_alike, none = groups_and_apart(closes.to_numpy().T[:3])
    assert [members.tolist() for _, members in few_alike] == [[0, 1, 2]]
    assert not none.size


@pytest.mark.parametrize("on", ["log", "price"])
@pytest.mark.parametrize("options", [{}, {"max_lags": 2, "autolag": None}, {"autolag": "bic"}])
def test_pairs_apart_and_shared_equal_the_plain_tests(on, options):
    closes = thin_market(260)
    train = 182
    table = scan_pairs(closes, on=on, **options)
    assert len(table) == 38 * 37 // 2
    values = pd.DataFrame(np.log(closes)) if on == "log" else closes
    returns = pd.DataFrame(np.log(closes)).diff().iloc[:train]
    row: Any
    for row in table[table["reason"] == ""].itertuples():
        y, x = values[row.y].iloc[:train], values[row.x].iloc[:train]
        best, other = (engle_granger_test(*legs, **options) for legs in ((y, x), (x, y)))
        assert (row.bars, row.lags, row.lags_swapped) == (best.bars, best.lags, other.lags)
        assert row.stat == pytest.approx(best.stat, abs=1e-9)
        assert row.stat_swapped == pytest.approx(other.stat, abs=1e-9)
        assert row.beta == pytest.approx(best.beta, rel=1e-9)
        assert row.beta_swapped == pytest.approx(other.beta, rel=1e-9)
        decay = half_life(y - best.beta * x)
        assert row.half_life == pytest.approx(decay.half_life, rel=1e-8, nan_ok=True)
        alike = returns[row.y].corr(returns[row.x])
        assert row.correlation == pytest.approx(alike, abs=1e-9)
        held = (values[row.y] - row.beta * values[row.x]).iloc[train:]
        assert row.holdout_bars == held.notna().sum()
        assert row.holdout_stat == pytest.approx(adf_test(held).stat, abs=1e-9)
    named = table[table["reason"] != ""]
    assert len(named) == 37
    assert (named["reason"] == "S37: no close is known").all()


def test_copies_and_legs_that_hardly_move_are_for_the_plain_test_there_too():
    closes = thin_market(260)[["S33", "S34", "S35", "S36"]]
    closes = closes.assign(COPY=2 * closes["S33"], STILL=7.0 + 1e-10 * closes["S34"])
    table = scan_pairs(closes, train_share=1.0)
    reasons = {frozenset((r.y, r.x)): str(r.reason) for r in table.itertuples()}
    assert "identical or exactly collinear" in reasons[frozenset({"S33", "COPY"})]
    still = table[(table["y"] == "STILL") | (table["x"] == "STILL")]
    logs = pd.DataFrame(np.log(closes))
    row: Any
    for row in still[still["reason"] == ""].itertuples():
        plain = engle_granger_test(logs[row.y], logs[row.x])
        assert row.stat == pytest.approx(plain.stat, abs=1e-8)
