"""The wild bootstrap on the Evidence page: what is left of a verdict amid volatility."""

import re

import numpy as np
import pandas as pd

from analytics.frames import utc_index
from analytics.pair import PairParams, analyse_pair
from analytics.stationarity import wild_bootstrap_test
from pages.ui.evidence import data, tables
from pages.ui.parts import formats


def bars(log_close: np.ndarray) -> pd.DataFrame:
    columns = dict.fromkeys(("open", "high", "low", "close"), np.exp(log_close))
    return pd.DataFrame(
        {**columns, "volume": 1.0, "trades": 1, "coverage": "traded"},
        index=utc_index(np.arange(log_close.size) * 1_000_000),
    ).astype({"coverage": "str"})


def test_a_row_says_what_volatility_leaves_of_a_small_p():
    # Unrelated legs, four times as volatile in the last quarter: the table's p is 2.7 %.
    size = np.where(np.arange(600) < 450, 1e-3, 4e-3)
    y, x = (np.random.default_rng(22).normal(size=(2, 600)) * size).cumsum(axis=1) + 5.0
    result = analyse_pair(bars(y), bars(x), PairParams("AUSDT", "BUSDT", "1s", spread="log"))
    more = data._spread_tests(result, "volatile legs", result.params)
    table = re.sub(r"<[^>]*>", " ", tables.tests_table(result, more))
    rows = table.partition("Engle-Granger, AUSDT on BUSDT")[2]
    plain, _, wild = rows.partition("Engle-Granger, AUSDT on BUSDT, wild bootstrap")
    expected = wild_bootstrap_test(y, x).pvalue
    assert expected > 0.05
    assert "Cointegrated (p = 0.027, below 0.05)" in plain
    assert formats.pvalue(expected) in wild
    assert "No evidence of cointegration once volatility is allowed for" in wild
