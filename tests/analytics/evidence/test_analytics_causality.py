"""The proof: it finds nothing where nothing looks ahead, and finds what does."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases.legs import legs
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.evidence.causality import prove_causal
from analytics.hedge import CAUSAL_HEDGES, HEDGE_METHODS
from analytics.pair import DATA_GATES, PairParams
from analytics.pair.gates import ALL_GATES
from analytics.spread import RollingMoments


def params(**changes: Any) -> PairParams:
    return PairParams("BTCUSDT", "ETHUSDT", **{"window": 30, **changes})


@pytest.mark.parametrize("kind", ["hedged", "log"])
@pytest.mark.parametrize("hedge", CAUSAL_HEDGES)
def test_causal_hedges_change_nothing(hedge: str, kind: str):
    proof = prove_causal(*legs(), params(hedge=hedge, spread=kind, gates=ALL_GATES))
    assert proof.causal
    assert proof.expected
    assert proof.total_changed == 0
    assert proof.compared == 9 * (240 + 330 + 420 + 510 + 570)
    assert proof.verdict().startswith("0 of 18,630 past values changed when the future was cut off")
    assert len(proof.cuts) == 5


@pytest.mark.parametrize("hedge", [name for name in HEDGE_METHODS if name not in CAUSAL_HEDGES])
def test_full_sample_hedges_are_caught_and_had_said_so(hedge: str):
    proof = prove_causal(*legs(), params(hedge=hedge, spread="hedged"))
    assert not proof.causal
    assert not proof.expected
    assert dict(proof.changed)["spread"] > 1_000
    assert "as said: the hedge ratio looks back over " in proof.verdict()


@given(
    st.sampled_from(["price difference", "ratio", "hedged", "log"]),
    st.sampled_from(CAUSAL_HEDGES),
    st.sampled_from([DATA_GATES, ALL_GATES]),
    st.integers(0, 1_000),
    st.sets(st.integers(1, 318), max_size=4),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=2),
)
@settings(max_examples=40, deadline=None)
def test_no_causal_path_looks_ahead_whatever_the_data_and_the_cut(
    kind, hedge, gates, seed, lost, cuts
):
    bars = legs(320, seed, tuple(sorted(lost)))
    proof = prove_causal(*bars, params(spread=kind, hedge=hedge, gates=gates), cuts)
    assert proof.total_changed == 0, proof.verdict()


@pytest.mark.parametrize("hedge", CAUSAL_HEDGES)
def test_a_cut_at_any_bar_of_the_start_changes_nothing(hedge: str):
    # Whether a path has begun may not depend on how many bars follow.
    cuts = [row / 320 for row in (2, 29, 30, 31, 60, 199, 200, 201, 202, 203, 219, 230, 231, 319)]
    proof = prove_causal(*legs(320), params(spread="hedged", hedge=hedge), cuts)
    assert proof.total_changed == 0, proof.verdict()


def test_something_that_looks_ahead_is_caught(monkeypatch: pytest.MonkeyPatch):
    honest = RollingMoments.zscore

    def peeking(self: RollingMoments, rounding: float | np.ndarray = 0.0) -> pd.Series:
        return honest(self, rounding).shift(-1)

    monkeypatch.setattr(RollingMoments, "zscore", peeking)
    proof = prove_causal(*legs(), params())
    assert not proof.causal
    assert dict(proof.changed)["zscore"] == 5
    assert "something looks ahead that should not" in proof.verdict()


def test_a_lookback_is_applied_before_cutting():
    proof = prove_causal(*legs(), params(lookback=200, hedge="rolling_ols", spread="hedged"))
    assert proof.causal
    assert proof.cuts[-1] == legs()[0].index[400 + 190 - 1]


def test_wrong_input_is_named():
    with pytest.raises(NotEnoughDataError, match="needs 10 bars, had 9"):
        prove_causal(*legs(9), params())
    for cuts in ([], [0.0], [1.0]):
        with pytest.raises(ParameterError, match="cuts"):
            prove_causal(*legs(50), params(), cuts)
