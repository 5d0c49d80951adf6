"""The scanner on recorded markets and on families of nothing: what it finds, what it should not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.scanner import coarser_closes, scan_pairs
from analytics.scanner.multiple_testing import benjamini_hochberg, bonferroni


@pytest.fixture(scope="module")
def closes(shared_data: Path) -> pd.DataFrame:
    """One-minute closes of 20 symbols; the exchange's outage is rows that are not there."""
    table = pd.read_csv(shared_data / "binance_spot_closes_1m_20symbols_202104.csv.gz")
    times = pd.to_datetime(table.pop("open_time_ms"), unit="ms", utc=True)
    return table.set_axis(pd.DatetimeIndex(times, name="time"), axis=0)


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> pd.DataFrame:
    """statsmodels 0.15: both rows joined over the outage, one lag, y on x as printed."""
    return pd.read_csv(shared_data / "reference_pairs_15m_20symbols.csv")


def one_lag(closes: pd.DataFrame) -> pd.DataFrame:
    return scan_pairs(closes, train_share=1.0, max_lags=1, autolag=None)


def as_printed(table: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The scan's numbers in the reference's ordering of each pair."""
    swapped = {"y": "x", "x": "y", "beta": "beta_swapped", "stat": "stat_swapped",
               "pvalue_ordered": "pvalue_swapped"}  # fmt: skip
    keep = ["y", "x", "correlation", "beta", "stat", "pvalue_ordered"]
    turned = table.rename(columns={old: new for new, old in swapped.items()} | {"y": "x", "x": "y"})
    both = pd.concat([table[keep], turned.loc[:, ~turned.columns.duplicated(keep="last")][keep]])
    return reference.merge(both, on=["y", "x"], suffixes=("_printed", ""))


@pytest.mark.real_data
def test_the_reference_is_reproduced_and_what_is_left_of_it_after_correction(closes, reference):
    # The reference was made of the rows there are, as if the outage had not been.
    joined = closes.resample("15min").last().dropna().reset_index(drop=True)
    found = as_printed(one_lag(joined), reference)
    assert len(found) == len(reference) == 190
    np.testing.assert_allclose(found["stat"], found["eg_t_maxlag1"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["pvalue_ordered"], found["eg_p"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["beta"], found["beta_printed"], rtol=1e-9)
    np.testing.assert_allclose(found["correlation"], found["ret_corr"], rtol=0, atol=1e-9)
    pvalues = found["pvalue_ordered"].to_numpy()
    assert (pvalues < 0.05).sum() == 19
    assert (benjamini_hochberg(pvalues) < 0.05).sum() == 2
    assert (bonferroni(pvalues) < 0.05).sum() == 2
    highest = found.iloc[int(found["correlation"].argmax())]
    assert (highest["y"], highest["x"]) == ("BTCUSDT", "ETHUSDT")
    assert highest["correlation"] == pytest.approx(0.868, abs=5e-4)
    assert highest["pvalue_ordered"] == pytest.approx(0.95, abs=5e-4)


@pytest.mark.real_data
def test_the_outage_is_missing_and_changes_the_answer(closes):
    bars = coarser_closes(closes, "15min")
    outage = bars.loc["2021-04-25 04:00":"2021-04-25 08:30"]
    assert len(outage) == 19
    assert outage.isna().all().all()
    assert bars.drop(outage.index).notna().all().all()
    honest = one_lag(bars)
    flat = one_lag(bars.ffill())
    assert (honest["bars"] == 2861).all()
    assert (flat["bars"] == 2880).all()
    both = honest.merge(flat, on=["y", "x"])
    assert (both["stat_x"] - both["stat_y"]).abs().min() > 1e-4


def unrelated(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(np.exp(rng.normal(0, 1e-3, (500, 20)).cumsum(axis=0)))


def test_families_of_unrelated_walks_yield_a_discovery_seldom_once_corrected():
    families, rng = 60, np.random.default_rng(20210425)
    counts = np.zeros(3)
    for _ in range(families):
        table = scan_pairs(unrelated(rng), train_share=1.0, max_lags=1, autolag=None)
        counts += [(table[name] < 0.05).any()
                   for name in ("pvalue", "qvalue", "pvalue_bonferroni")]  # fmt: skip
    uncorrected, hochberg, strict = counts / families
    assert uncorrected > 0.9
    # Three standard errors above 5 % of 60 families.
    assert strict <= hochberg <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / families)
