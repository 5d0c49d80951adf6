"""A pair analysed: spread, z, signal, gates and what is said of them."""

from analytics.pair.analysis import analyse_pair
from analytics.pair.closed_gates import (
    FEW_BARS,
    HIGH_PVALUE,
    LEG_STALE,
    LONG_HALF_LIFE,
    NOT_COVERED,
    GateInput,
    gate_codes,
    gate_names,
    with_latest_test,
)
from analytics.pair.describe import describe_legs
from analytics.pair.gates import DATA_GATES, NO_GATES, Gates, bars_of_test
from analytics.pair.latest import LatestPair, read_each, read_latest, read_tests, reading_of
from analytics.pair.moving import Moving
from analytics.pair.params import AUTO_LOOKBACK_S, PairParams
from analytics.pair.reading import PairReading, PairTestsReading
from analytics.pair.residual import judged
from analytics.pair.result import PairAnalytics
from analytics.pair.signal import signal_now, zscore_needs
from analytics.pair.spread import SPREAD_ROUNDING, PairSpread, fitted_legs, make_spread

__all__ = [
    "AUTO_LOOKBACK_S",
    "DATA_GATES",
    "FEW_BARS",
    "HIGH_PVALUE",
    "LEG_STALE",
    "LONG_HALF_LIFE",
    "NOT_COVERED",
    "NO_GATES",
    "SPREAD_ROUNDING",
    "GateInput",
    "Gates",
    "LatestPair",
    "Moving",
    "PairAnalytics",
    "PairParams",
    "PairReading",
    "PairSpread",
    "PairTestsReading",
    "analyse_pair",
    "bars_of_test",
    "describe_legs",
    "fitted_legs",
    "gate_codes",
    "gate_names",
    "judged",
    "make_spread",
    "read_each",
    "read_latest",
    "read_tests",
    "reading_of",
    "signal_now",
    "with_latest_test",
    "zscore_needs",
]
