"""The validation cases hold, and a wrong number would be seen."""

import math
from pathlib import Path

import pandas as pd
import pytest

from analytics.evidence import validation
from analytics.evidence.validation import ValidationCase, validate


def test_every_case_holds_and_names_its_source():
    cases = validate()
    assert len(cases) >= 20
    for case in cases:
        assert case.ok, case
        assert case.source


def test_a_number_that_is_off_is_not_ok():
    assert ValidationCase("a", "b", 1.0, 1.1, 0.1 + 1e-12).ok
    assert not ValidationCase("a", "b", 1.0, 1.2, 0.1).ok
    assert not ValidationCase("a", "b", 1.0, math.nan, 0.1).ok
    assert not ValidationCase("a", "b", math.nan, 1.0, 0.1).ok
    assert ValidationCase("a", "b", math.nan, math.nan, 0.0).ok


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "table"), [("norris", validation._NORRIS), ("noint1", validation._NOINT1)]
)
def test_the_embedded_tables_are_nists(
    shared_data: Path, name: str, table: tuple[tuple[float, float], ...]
):
    frame = pd.read_csv(shared_data / f"reference/nist/{name}.csv")
    assert [tuple(row) for row in frame[["y", "x"]].to_numpy().tolist()] == [
        (float(y), float(x)) for y, x in table
    ]
