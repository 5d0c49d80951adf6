"""MacKinnon's numbers are the published ones, digit for digit, and arrive without half of SciPy."""

import subprocess
import sys
from pathlib import Path

import pytest
from statsmodels.tsa import adfvalues

from analytics.stationarity import TABLES

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("trend", "name"), [("n", "nc"), ("c", "c"), ("ct", "ct"), ("ctt", "ctt")])
@pytest.mark.parametrize("variables", [1, 2])
def test_every_digit_is_that_of_statsmodels(trend, name, variables):
    ours, row = TABLES[trend][variables - 1], variables - 1
    for field, theirs in (
        ("lowest", f"tau_min_{name}"),
        ("highest", f"tau_max_{name}"),
        ("star", f"tau_star_{name}"),
    ):
        assert getattr(ours, field) == getattr(adfvalues, theirs)[row]
    assert list(ours.left) == getattr(adfvalues, f"tau_{name}_smallp")[row].tolist()
    assert list(ours.right) == getattr(adfvalues, f"tau_{name}_largep")[row].tolist()
    surfaces = getattr(adfvalues, f"tau_{name}_2010")
    theirs = surfaces[row].tolist() if row < len(surfaces) else []
    assert [list(each) for each in ours.critical] == theirs


def test_the_app_answers_without_what_only_a_few_pages_need():
    slow = ("scipy.stats", "statsmodels", "arch", "matplotlib", "numba")
    code = f"import sys, app; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
