"""What is left of a scan's discoveries once the volatility of their legs is allowed for."""

import numpy as np
import pandas as pd
import pytest

from analytics.scanner import scan_pairs, volatility
from analytics.scanner.held_draws import null_stats
from analytics.scanner.multiple_testing import benjamini_hochberg
from analytics.stationarity import LEAST_DRAWS, WildDraws, adf_test, counted_pvalue

LEVEL = 0.05


def stepping(symbols: int, bars: int, seed: int) -> pd.DataFrame:
    """Unrelated walks whose volatility is four times as large from one bar on."""
    size = np.where(np.arange(bars) < 2 * bars // 3, 1e-3, 4e-3)[:, np.newaxis]
    steps = np.random.default_rng(seed).normal(size=(bars, symbols)) * size
    return pd.DataFrame(np.exp(steps.cumsum(axis=0)), columns=[f"S{n:02d}" for n in range(symbols)])


def with_pairs(closes: pd.DataFrame, pairs: int) -> pd.DataFrame:
    """Add followers of the first symbols."""
    rng = np.random.default_rng(9)
    added = {}
    for number in range(pairs):
        gap = np.zeros(len(closes))
        for t in range(1, len(closes)):
            gap[t] = 0.7 * gap[t - 1] + rng.normal(0, 1e-3)
        added[f"P{number:02d}"] = np.exp(np.log(closes.iloc[:, number]) + gap)
    return closes.assign(**added)


def by_table(table: pd.DataFrame) -> pd.Series:
    return pd.Series(benjamini_hochberg(table["pvalue"].to_numpy()) < LEVEL, index=table.index)


def test_only_discoveries_of_the_table_are_drawn_for_and_none_is_added():
    table = scan_pairs(with_pairs(stepping(8, 500, seed=1), 3), train_share=1.0)
    assert table["pvalue_wild"].notna().sum() >= 3
    pd.testing.assert_series_equal(table["pvalue_wild"].notna(), by_table(table), check_names=False)
    found = table["qvalue"] < LEVEL
    assert (by_table(table) | ~found).all()
    larger = table[["pvalue", "pvalue_wild"]].max(axis=1)
    assert larger.is_monotonic_increasing
    np.testing.assert_allclose(table["qvalue"], benjamini_hochberg(larger.to_numpy()), rtol=1e-12)


def test_true_pairs_stay_found_amid_volatility():
    table = scan_pairs(with_pairs(stepping(8, 500, seed=1), 3), train_share=1.0)
    found = {frozenset(legs) for legs in table.loc[table["qvalue"] < LEVEL, ["y", "x"]].to_numpy()}
    assert {frozenset({f"S{n:02d}", f"P{n:02d}"}) for n in range(3)} <= found


def test_a_step_in_volatility_alone_is_no_discovery():
    fooled = found = 0
    for seed in range(40):
        table = scan_pairs(stepping(16, 300, seed), train_share=1.0, workers=2)
        fooled += bool(by_table(table).any())
        found += bool((table["qvalue"] < LEVEL).any())
    assert fooled >= 10
    assert found <= 4


def test_threads_change_nothing():
    closes = with_pairs(stepping(6, 300, seed=2), 4)
    pd.testing.assert_frame_equal(scan_pairs(closes, workers=1), scan_pairs(closes, workers=3))


def test_progress_tells_of_rows_drawn_for_and_may_end_the_scan():
    closes = with_pairs(stepping(6, 300, seed=2), 4)
    calls: list[tuple[int, int]] = []
    table = scan_pairs(closes, draw_progress=lambda done, steps: calls.append((done, steps)))
    rows = int(table["pvalue_wild"].notna().sum())
    assert rows >= 4
    assert calls == [(done, rows) for done in range(1, rows + 1)]

    def cancel(done: int, steps: int) -> None:
        if (done, steps) == (1, rows):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_pairs(closes, draw_progress=cancel)


def test_rows_beyond_the_most_drawn_for_are_no_discoveries(monkeypatch):
    closes = with_pairs(stepping(6, 300, seed=2), 4)
    monkeypatch.setattr(volatility, "MOST_ROWS", 2)
    table = scan_pairs(closes, train_share=1.0)
    assert by_table(table).sum() > 2
    assert (table["pvalue_wild"] < 1.0).sum() == 2
    assert (table["qvalue"] < LEVEL).sum() <= 2


def test_holes_and_a_late_leg_are_drawn_as_they_were_tested():
    closes = with_pairs(stepping(6, 400, seed=3), 3)
    closes.iloc[100:120] = np.nan
    closes.iloc[:60, 0] = np.nan
    table = scan_pairs(closes, train_share=1.0)
    drawn = table[table["pvalue_wild"].notna()]
    assert {340 - 20, 400 - 20} <= set(drawn["bars"])
    assert (drawn["pvalue_wild"] < 1.0).all()


def test_a_held_out_draw_is_tested_as_the_residual_was():
    residual = np.random.default_rng(4).normal(size=240).cumsum()
    residual[100:104] = np.nan
    draws = WildDraws.exactly(5, residual.size)
    known = ~np.isnan(residual)
    for sign, stat in zip(draws.signs, null_stats(residual[np.newaxis], draws)[0], strict=True):
        path = np.full(residual.size, np.nan)
        steps = np.diff(residual[known], prepend=residual[known][0])
        path[known] = np.cumsum(sign[known] * steps)
        assert stat == pytest.approx(adf_test(path).stat, abs=1e-9)


def test_what_is_held_out_is_drawn_for_where_both_parts_are_small_and_the_larger_p_decides():
    table = scan_pairs(with_pairs(stepping(8, 700, seed=1), 3))
    small = (table["pvalue_ordered"] < LEVEL) & (table["holdout_pvalue"] < LEVEL)
    assert small.sum() >= 3
    pd.testing.assert_series_equal(table["holdout_pvalue_wild"].notna(), small, check_names=False)
    larger = table[["holdout_pvalue", "holdout_pvalue_wild"]].max(axis=1)
    says = table["verdict"].isin(["holds", "shifted"])
    pd.testing.assert_series_equal(says, larger < LEVEL, check_names=False)
    assert (table.loc[small, "verdict"] == "holds").sum() >= 3


def test_a_step_in_the_held_out_volatility_is_no_second_find():
    plain = wild = 0
    for seed in range(150):
        size = np.where(np.arange(300) < 200, 4e-3, 1e-3)
        walk = (np.random.default_rng(seed).normal(size=300) * size).cumsum()
        stat = adf_test(walk).stat
        plain += adf_test(walk).pvalue < LEVEL
        drawn = null_stats(walk[np.newaxis], WildDraws.exactly(LEAST_DRAWS, 300))
        wild += counted_pvalue(stat, drawn) < LEVEL
    assert plain >= 15
    assert wild <= 13  # Binomial(150, 0.05): more has a chance of 2 %
