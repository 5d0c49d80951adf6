"""Johansen's p-values beside printed ones."""

from typing import Literal

import pytest

from analytics.stationarity import johansen_pvalue

# EViews, "MacKinnon-Haug-Michelis (1999) p-values", linear deterministic trend: rank tests of three
# data sets as their analysts posted them (m.pinggu.org, threads 3453307, 6368758, 3720524). Kind,
# series less relations, statistic, p-value to 4 decimals.
PRINTED = [
    ("trace", 2, 17.50142, 0.0246),
    ("trace", 1, 1.119498, 0.2900),
    ("max_eigen", 2, 16.38192, 0.0228),
    ("trace", 4, 52.73368, 0.0162),
    ("trace", 3, 32.04757, 0.0271),
    ("trace", 2, 13.00797, 0.1145),
    ("trace", 1, 0.380795, 0.5372),
    ("max_eigen", 4, 20.68611, 0.2956),
    ("max_eigen", 3, 19.03960, 0.0957),
    ("max_eigen", 2, 12.62717, 0.0893),
    ("trace", 4, 50.40187, 0.0283),
    ("trace", 3, 23.77106, 0.2103),
    ("trace", 2, 8.176843, 0.4467),
    ("trace", 1, 3.052892, 0.0806),
    ("max_eigen", 4, 26.63081, 0.0658),
    ("max_eigen", 3, 15.59421, 0.2494),
    ("max_eigen", 2, 5.123951, 0.7261),
]


@pytest.mark.parametrize(("kind", "free", "stat", "printed"), PRINTED)
def test_pvalues_are_those_of_mackinnon_haug_and_michelis(
    kind: Literal["trace", "max_eigen"], free: int, stat: float, printed: float
):
    # The gamma distribution is fitted at 10 % and 1 %: near them it is exact to half a thousandth.
    tolerance = 5.5e-4 if printed < 0.15 else 0.035
    assert johansen_pvalue(stat, free, kind) == pytest.approx(printed, abs=tolerance)


def test_the_gamma_distribution_passes_through_its_points():
    assert johansen_pvalue(13.4294, 2, "trace") == pytest.approx(0.10, abs=1e-9)
    assert johansen_pvalue(19.9349, 2, "trace") == pytest.approx(0.01, abs=1e-9)
    # The 5 % point of the table is not used: it is a check. EViews prints 15.49471 there.
    assert johansen_pvalue(15.49471, 2, "trace") == pytest.approx(0.05, abs=1e-3)
    assert johansen_pvalue(0.0, 2, "trace") == 1.0
