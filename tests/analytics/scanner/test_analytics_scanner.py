"""The scanner: equal to the plain tests pair by pair, honest about holes, copies and luck."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import FrameError, InvalidSeriesError, NotEnoughDataError, ParameterError
from analytics.kernels.scan_paths import zscores_now
from analytics.scanner import coarser_closes, scan_pairs, spread_paths
from analytics.scanner.multiple_testing import benjamini_hochberg, bonferroni
from analytics.scanner.panel import ScanOn, even_closes
from analytics.scanner.table import COLUMNS
from analytics.spread import zscore
from analytics.stationarity import adf_test, engle_granger_test, half_life


def walks(symbols: int, bars: int, seed: int = 1) -> pd.DataFrame:
    """Unrelated random walks in log price."""
    steps = np.random.default_rng(seed).normal(0, 1e-3, size=(bars, symbols))
    names = [f"S{number:02d}" for number in range(symbols)]
    return pd.DataFrame(np.exp(steps.cumsum(axis=0) + 3.0), columns=names)


def with_a_pair(closes: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """Add PAIR, which follows 1.5 times the log of the first column."""
    noise, rng = np.zeros(len(closes)), np.random.default_rng(seed)
    for t in range(1, len(closes)):
        noise[t] = 0.9 * noise[t - 1] + rng.normal(0, 5e-4)
    return closes.assign(PAIR=np.exp(1.5 * np.log(closes.iloc[:, 0]) + noise))


def with_holes(closes: pd.DataFrame) -> pd.DataFrame:
    """An outage of all, one of some, a late start, single missing bars."""
    holed = closes.copy()
    holed.iloc[100:120] = np.nan
    holed.iloc[:40, 1] = np.nan
    holed.iloc[200:215, 2:4] = np.nan
    holed.iloc[np.random.default_rng(3).integers(0, len(closes), 15), 4] = np.nan
    return holed


def assert_equal_to_plain_tests(closes: pd.DataFrame, on: ScanOn, **options: Any) -> None:
    table = scan_pairs(closes, on=on, train_share=1.0, **options)
    values = pd.DataFrame(np.log(closes)) if on == "log" else closes
    assert len(table) == math.comb(len(closes.columns), 2)
    row: Any
    for row in table.itertuples():
        y, x = values[row.y], values[row.x]
        best = engle_granger_test(y, x, **options)
        other = engle_granger_test(x, y, **options)
        assert row.stat == pytest.approx(best.stat, abs=1e-8)
        assert row.stat_swapped == pytest.approx(other.stat, abs=1e-8)
        assert (row.lags, row.lags_swapped) == (best.lags, other.lags)
        assert row.pvalue_ordered == pytest.approx(best.pvalue, abs=1e-10)
        assert row.pvalue_swapped == pytest.approx(other.pvalue, abs=1e-10)
        assert row.pvalue_ordered <= row.pvalue_swapped
        assert row.pvalue == min(1.0, 2 * row.pvalue_ordered)
        assert row.beta == pytest.approx(best.beta, rel=1e-9)
        assert row.alpha == pytest.approx(best.alpha, rel=1e-9, abs=1e-9)
        assert row.beta_swapped == pytest.approx(other.beta, rel=1e-9)
        assert row.bars == best.bars
        decay = half_life(y - best.beta * x, on_estimated_line=True)
        assert row.half_life == pytest.approx(decay.half_life, rel=1e-8, nan_ok=True)
        low, high = decay.interval
        assert row.half_life_low == pytest.approx(low, rel=1e-8, nan_ok=True)
        assert row.half_life_high == pytest.approx(high, rel=1e-8, nan_ok=True)


@pytest.mark.parametrize("on", ["log", "price"])
@pytest.mark.parametrize(
    "options",
    [{}, {"max_lags": 1, "autolag": None}, {"max_lags": 0, "autolag": None},
     {"max_lags": 6, "autolag": "bic"}, {"autolag": "t-stat"}],
)  # fmt: skip
def test_every_pair_equals_the_plain_test_in_both_orderings(on, options):
    assert_equal_to_plain_tests(with_a_pair(walks(6, 400)), on, **options)


@pytest.mark.parametrize("options", [{}, {"max_lags": 1, "autolag": None}])
def test_missing_bars_count_as_missing_pair_by_pair(options):
    assert_equal_to_plain_tests(with_holes(with_a_pair(walks(6, 400))), "log", **options)


def test_many_short_stretches_and_short_samples_equal_the_plain_test():
    closes = walks(5, 300)
    closes[np.random.default_rng(4).random(300) < 0.2] = np.nan
    assert_equal_to_plain_tests(closes, "log")
    assert_equal_to_plain_tests(walks(5, 30), "log")


def test_more_symbols_than_a_tile_holds_keep_their_places():
    closes = walks(70, 120)
    table = scan_pairs(closes, train_share=1.0, max_lags=1, autolag=None)
    assert len(table) == 70 * 69 // 2
    assert len({frozenset(pair) for pair in zip(table["y"], table["x"], strict=True)}) == len(table)
    logs = pd.DataFrame(np.log(closes))
    row: Any
    for row in table.iloc[::97].itertuples():
        plain = engle_granger_test(logs[row.y], logs[row.x], max_lags=1, autolag=None)
        assert row.stat == pytest.approx(plain.stat, abs=1e-8)


def test_a_residual_that_would_lose_its_digits_goes_through_the_plain_test():
    closes = walks(3, 300)
    nearly = np.log(closes["S00"]) + np.random.default_rng(5).normal(0, 1e-7, 300)
    closes = closes.assign(NEAR=np.exp(nearly))
    table = scan_pairs(closes, train_share=1.0)
    row = table[(table["y"].isin(["S00", "NEAR"])) & (table["x"].isin(["S00", "NEAR"]))].iloc[0]
    plain = engle_granger_test(np.log(closes[row["y"]]), np.log(closes[row["x"]]))
    assert row["stat"] == pytest.approx(plain.stat, abs=1e-8)
    assert "nearly one series" in row["reason"]
    assert row.name == len(table) - 1


def test_copies_constants_and_impossible_prices_are_named_and_stand_last():
    closes = walks(4, 200).assign(COPY=lambda frame: frame["S00"])
    closes = closes.assign(DOUBLE=lambda frame: 2 * frame["S01"], FLAT=7.0, ZERO=0.0, NONE=np.nan)
    closes = closes.assign(LATE=closes["S02"].where(closes.index > 190))
    table = scan_pairs(closes)
    named = table[table["reason"] != ""]
    assert named.index.min() == len(table) - len(named) == math.comb(4, 2) + 4 + 4 + 1 - 2
    reasons = {frozenset((r.y, r.x)): str(r.reason) for r in named.itertuples()}
    for pair in ({"S00", "COPY"}, {"S01", "DOUBLE"}):
        assert "identical or exactly collinear" in reasons[frozenset(pair)]
    assert "FLAT: constant over all 200 bars" in reasons[frozenset({"S00", "FLAT"})]
    assert "200 closes are 0 or less" in reasons[frozenset({"S00", "ZERO"})]
    assert "no close is known" in reasons[frozenset({"S00", "NONE"})]
    assert "had 0" in reasons[frozenset({"S00", "LATE"})]
    assert named["pvalue"].isna().all()
    assert set(table.attrs["unusable"]) == {"FLAT", "ZERO", "NONE"}
    assert table.attrs["pairs_tried"] == len(table)


def test_corrections_count_every_pair_tried_those_without_an_answer_too():
    closes = with_a_pair(walks(5, 300)).assign(FLAT=1.0)
    table = scan_pairs(closes)
    tried = math.comb(7, 2)
    known = table["pvalue"].notna()
    assert (~known).sum() == 6
    larger = table[["pvalue", "pvalue_wild"]].max(axis=1)
    expected = (larger * tried).clip(upper=1.0)
    pd.testing.assert_series_equal(table["pvalue_bonferroni"], expected, check_names=False)
    assert table["qvalue"].iloc[0] == pytest.approx(min(1.0, larger.iloc[0] * tried))
    assert (table.loc[known, "qvalue"] <= table.loc[known, "pvalue_bonferroni"]).all()


def test_the_train_part_alone_chooses():
    closes = with_a_pair(walks(4, 400))
    changed = closes.copy()
    changed.iloc[280:] *= np.exp(np.random.default_rng(6).normal(0, 0.01, (120, 5)))
    columns = [c for c in COLUMNS if not c.startswith("holdout") and c not in {"verdict", "zscore"}]
    pd.testing.assert_frame_equal(scan_pairs(closes)[columns], scan_pairs(changed)[columns])


def test_the_held_out_part_is_tested_with_the_beta_of_the_train_part():
    closes = with_holes(with_a_pair(walks(5, 600)))
    table = scan_pairs(closes, train_share=0.6, window=30)
    logs = pd.DataFrame(np.log(closes))
    row: Any
    for row in table.itertuples():
        residual = logs[row.y] - row.alpha - row.beta * logs[row.x]
        held = residual.iloc[360:]
        plain = adf_test(held)
        assert row.holdout_stat == pytest.approx(plain.stat, abs=1e-8)
        assert row.holdout_pvalue == pytest.approx(plain.pvalue, abs=1e-10)
        signs = np.sign(held.dropna().to_numpy())
        assert row.holdout_crossings == (signs[1:] != signs[:-1]).sum()
        assert row.zscore == pytest.approx(zscore(residual, 30).iloc[-1], abs=1e-8, nan_ok=True)
    made = table[(table["y"].isin(["PAIR", "S00"])) & (table["x"].isin(["PAIR", "S00"]))].iloc[0]
    assert made["verdict"] == "holds"
    assert made.name == 0


def test_a_residual_on_its_mean_has_a_z_of_0():
    levels = np.random.default_rng(7).uniform(4.0, 11.0, (30, 1))
    y = levels + np.array([1e-3, -7e-3, 6e-3, 0.0])
    x, first = np.tile(levels[:1], 4), np.arange(30)
    z = zscores_now(np.vstack([y, x]), first, np.full(30, 30), np.full(30, 0.7), 4)
    assert z.tolist() == [0.0] * 30


def test_verdicts_say_what_became_of_a_relation():
    closes = with_a_pair(walks(2, 900))[["S00", "PAIR"]]
    moved, broken = closes.copy(), closes.copy()
    moved.iloc[600:, 1] *= 1.05
    drift = np.random.default_rng(7).normal(2e-3, 1e-3, 300).cumsum()
    broken.iloc[600:, 1] *= np.exp(drift + 0.02)
    found = [
        scan_pairs(each, train_share=2 / 3)["verdict"].item() for each in (closes, moved, broken)
    ]
    assert found == ["holds", "shifted", "broke"]
    assert scan_pairs(closes, train_share=1.0)["verdict"].item() == ""


def test_a_reversing_spread_with_known_beta_is_not_found_more_often_than_promised():
    rejected = tried = 0
    for seed in range(6):
        table = scan_pairs(walks(20, 500, seed=100 + seed), train_share=0.6)
        rejected += (table["holdout_pvalue"] < 0.05).sum()
        tried += len(table)
    # 1,140 pairs that share legs; AIC on 200 bars rejects a little more than 5 %.
    assert 0.02 < rejected / tried < 0.10


def test_share_traded_and_liquidity_are_of_the_thinner_leg():
    closes = walks(3, 200)
    traded = pd.DataFrame(True, index=closes.index, columns=closes.columns)
    traded.iloc[::2, 0] = False
    volume = pd.DataFrame(1.0, index=closes.index, columns=closes.columns) * [5.0, 2.0, 9.0]
    table = scan_pairs(closes, traded=traded, quote_volume=volume)
    by_pair = {frozenset((r.y, r.x)): r for r in table.itertuples()}
    assert by_pair[frozenset({"S00", "S01"})].share_traded == 0.5
    assert by_pair[frozenset({"S01", "S02"})].share_traded == 1.0
    assert by_pair[frozenset({"S00", "S02"})].liquidity == 5.0
    with pytest.raises(FrameError, match="rows and columns of closes"):
        scan_pairs(closes, traded=traded.iloc[:-1])


def test_threads_and_progress_change_nothing_and_progress_may_end_it():
    closes = walks(70, 100)
    calls: list[tuple[int, int]] = []
    one = scan_pairs(closes, workers=1, progress=lambda done, pairs: calls.append((done, pairs)))
    pd.testing.assert_frame_equal(one, scan_pairs(closes, workers=3))
    assert calls[-1] == (2415, 2415)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)

    def cancel(done: int, pairs: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan_pairs(closes, progress=cancel)


def test_an_outage_in_the_times_is_missing_and_never_joined_or_flat():
    index = pd.date_range("2021-04-25", periods=400, freq="min", tz="UTC")
    closes = with_a_pair(walks(3, 400)).set_axis(index)
    cut = closes.drop(index[150:200])
    even = even_closes(cut)
    assert len(even) == 400
    assert even.iloc[150:200].isna().all().all()
    missing = closes.copy()
    missing.iloc[150:200] = np.nan
    pd.testing.assert_frame_equal(scan_pairs(cut), scan_pairs(missing))
    coarse = coarser_closes(cut, "15min")
    assert coarse.index[0] == index[0]
    assert coarse["S00"].isna().sum() == 3  # 02:30 to 03:00; the end of the bar of 03:15 is known
    assert coarse["S00"].iloc[0] == closes["S00"].iloc[14]


@pytest.mark.parametrize(
    ("closes", "options", "error", "said"),
    [
        (walks(1, 100), {}, NotEnoughDataError, "a scan needs 2 symbols, had 1"),
        (walks(3, 20), {}, NotEnoughDataError, "train part needs 23 bars, had 14"),
        (walks(3, 100).replace(math.nan, 1).assign(S00=math.inf), {}, InvalidSeriesError, "S00"),
        (walks(3, 100).set_axis(["A", "A", "B"], axis=1), {}, FrameError, "A more than once"),
        (walks(3, 100).astype(str) + "x", {}, InvalidSeriesError, "hold numbers"),
        (walks(3, 100), {"on": "returns"}, ParameterError, "log or price"),
        (walks(3, 100), {"train_share": 0.0}, ParameterError, "above 0 and at most 1"),
        (walks(3, 100), {"max_lags": -1}, ParameterError, "whole number"),
        (walks(3, 100), {"level": 5.0}, ParameterError, "between 0 and 1"),
        (walks(3, 100), {"window": 1}, ParameterError, "window"),
    ],
)
def test_wrong_input_is_refused_in_words(closes, options, error, said):
    with pytest.raises(error, match=said):
        scan_pairs(closes, **options)


def test_sparklines_end_with_the_last_known_spread():
    closes = walks(3, 200)
    closes.iloc[-3:, 0] = np.nan
    table = scan_pairs(closes)
    row = table.iloc[0]
    path = spread_paths(closes, table, points=50)[0]
    logs = pd.DataFrame(np.log(closes))
    spread = (logs[row["y"]] - row["alpha"] - row["beta"] * logs[row["x"]]).dropna()
    assert len(path) <= 50
    assert path[-1] == pytest.approx(spread.iloc[-1], abs=1e-12)


# Table 1 of Benjamini & Hochberg (1995): 15 ordered p-values, of which their procedure at 5 %
# rejects four and Bonferroni three.
PUBLISHED = np.array([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
                      0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000])  # fmt: skip


def test_benjamini_and_hochberg_reject_what_their_paper_says():
    shuffled = np.random.default_rng(8).permutation(15)
    assert (benjamini_hochberg(PUBLISHED[shuffled]) < 0.05).sum() == 4
    assert (bonferroni(PUBLISHED[shuffled]) < 0.05).sum() == 3
    assert (benjamini_hochberg(PUBLISHED)[:4] < 0.05).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_qvalues_keep_the_order_and_lie_between_p_and_bonferroni(pvalues, more):
    values = np.array(pvalues)
    qvalues = benjamini_hochberg(values, values.size + more)
    assert (qvalues >= values - 1e-15).all()
    assert (qvalues <= bonferroni(values, values.size + more) + 1e-15).all()
    order = np.argsort(values)
    assert (np.diff(qvalues[order]) >= 0).all()


def test_no_answer_stays_no_answer_and_counts_as_tried():
    values = np.array([0.01, math.nan, 0.2])
    assert np.isnan(benjamini_hochberg(values)[1])
    assert benjamini_hochberg(values)[0] == pytest.approx(0.03)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        benjamini_hochberg(np.array([1.5]))
    with pytest.raises(ParameterError, match="at least the 3"):
        bonferroni(values, 2)
