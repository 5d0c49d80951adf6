"""Unit roots and cointegration: whether a spread returns, and how fast."""

from analytics.stationarity.adf import ADFResult, HalfLife, adf_test, half_life
from analytics.stationarity.dickey_fuller import (
    AUTO_LAGS,
    AutoLag,
    check_autolag,
    min_bars,
    schwert_max_lags,
)
from analytics.stationarity.driftless import without_drift
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_test
from analytics.stationarity.hurst import hurst_exponent
from analytics.stationarity.johansen import JohansenResult, johansen_pvalue, johansen_test
from analytics.stationarity.level_sums import LevelSums, LineOfSums
from analytics.stationarity.long_run import long_run_of_fit, long_run_std
from analytics.stationarity.mackinnon import critical_values
from analytics.stationarity.mackinnon_tables import TABLES
from analytics.stationarity.median_unbiased import (
    halvings,
    invert_quantiles,
    unbiased_thetas,
    with_far_nodes,
)
from analytics.stationarity.power import bars_for_power
from analytics.stationarity.residual import of_residual
from analytics.stationarity.result import SpreadTest
from analytics.stationarity.sample_sums import SampleSums
from analytics.stationarity.spread_tests import (
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
)
from analytics.stationarity.trailing import trailing_adf, trailing_engle_granger, trailing_half_life
from analytics.stationarity.verdicts import check_level, pvalue_words, verdict_words
from analytics.stationarity.wild_bootstrap import (
    LEAST_DRAWS,
    WildDraws,
    counted_pvalue,
    graded_pvalues,
    wild_bootstrap_test,
)

__all__ = [
    "AUTO_LAGS",
    "LEAST_DRAWS",
    "TABLES",
    "ADFResult",
    "AutoLag",
    "EngleGrangerResult",
    "HalfLife",
    "JohansenResult",
    "LevelSums",
    "LineOfSums",
    "SampleSums",
    "SpreadTest",
    "WildDraws",
    "adf_test",
    "bars_for_power",
    "check_autolag",
    "check_level",
    "counted_pvalue",
    "critical_values",
    "engle_granger_test",
    "graded_pvalues",
    "half_life",
    "halvings",
    "hurst_exponent",
    "invert_quantiles",
    "johansen_pvalue",
    "johansen_test",
    "kpss_test",
    "long_run_of_fit",
    "long_run_std",
    "min_bars",
    "of_residual",
    "phillips_ouliaris_test",
    "phillips_perron_test",
    "pvalue_words",
    "schwert_max_lags",
    "trailing_adf",
    "trailing_engle_granger",
    "trailing_half_life",
    "unbiased_thetas",
    "variance_ratio_test",
    "verdict_words",
    "wild_bootstrap_test",
    "with_far_nodes",
    "without_drift",
]
