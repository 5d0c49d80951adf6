"""The evidence of a pair: every test is its own function's answer, and nothing raises."""

import numpy as np
import pandas as pd
import pytest

from analytics.evidence import PairEvidence, gather_evidence
from analytics.frames import empty_bars, utc_index
from analytics.hedge import HedgeFit, fit_hedge
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairParams, analyse_pair
from analytics.stationarity import ADFResult, EngleGrangerResult, adf_test
from analytics.unit_root import SpreadTest, kpss_test, phillips_ouliaris_test


def bars(close: np.ndarray) -> pd.DataFrame:
    if not close.size:
        return empty_bars()
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close))
    frame["volume"], frame["trades"] = 1.0, 1
    frame["coverage"] = pd.Series(np.where(np.isnan(close), "missing", "traded"), dtype="str")
    frame.index = utc_index(1_723_161_600_000_000 + np.arange(close.size) * 1_000_000)
    return frame


def paths(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20240808)
    x = 2600 + rng.normal(size=n).cumsum()
    return np.round(5000 + 2 * x + rng.normal(size=n) * 5, 2), np.round(x, 2)


def evidence(y: np.ndarray, x: np.ndarray, **changes: object) -> PairEvidence:
    params = PairParams("BTCUSDT", "ETHUSDT", **changes)
    return gather_evidence(analyse_pair(bars(y), bars(x), params))


def entries(found: PairEvidence) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


@pytest.mark.parametrize("kind", ["price difference", "hedged", "log", "ratio"])
def test_every_entry_is_its_own_functions_answer(kind: str):
    y, x = paths()
    found = evidence(y, x, spread=kind)
    left, right = (np.log(y), np.log(x)) if kind == "log" else (y, x)
    fit = fit_hedge(left, right)
    assert isinstance(found.ols, HedgeFit)
    assert found.ols.beta == fit.beta
    assert isinstance(found.phillips_ouliaris, SpreadTest)
    assert found.phillips_ouliaris.stat == phillips_ouliaris_test(left, right).stat
    assert found.estimated == (kind in {"hedged", "log"})
    spread = analyse_pair(bars(y), bars(x), PairParams("A", "B", spread=kind)).spread
    assert isinstance(found.kpss, SpreadTest)
    assert found.kpss.stat == kpss_test(spread).stat
    for name, entry in entries(found).items():
        assert not isinstance(entry, NotEnough | Degenerate), name


def test_the_optimistic_p_value_stands_beside_the_right_one():
    rng = np.random.default_rng(3)
    y, x = (1_000 + rng.normal(size=400).cumsum() for _ in range(2))
    found = evidence(y, x, spread="hedged")
    assert isinstance(found.adf_of_residual, ADFResult)
    assert isinstance(found.engle_granger, EngleGrangerResult)
    assert found.adf_of_residual.pvalue < found.engle_granger.pvalue
    fit = fit_hedge(y, x)
    residual = y - fit.alpha - fit.beta * x
    assert found.adf_of_residual.stat == pytest.approx(adf_test(residual).stat, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 22, 60])
def test_nothing_raises_on_few_flat_holed_or_identical_legs(n: int):
    y, x = paths(n)
    holed = np.where(np.arange(n) % 7 == 3, np.nan, x)
    flat = np.full(n, 100_000.01)
    for left, right in ((y, x), (y, holed), (flat, x), (y, flat), (flat, flat), (y, 3 * y)):
        found = evidence(left, right, spread="hedged")
        for entry in entries(found).values():
            if isinstance(entry, NotEnough | Degenerate):
                assert entry.reason
            assert not np.isinf(getattr(entry, "stat", 0.0))
    if n:
        assert isinstance(evidence(y, y).engle_granger, NotEnough | Degenerate)
