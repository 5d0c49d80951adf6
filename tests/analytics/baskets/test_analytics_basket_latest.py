"""A basket read at its latest bar: what the last row of its analysis says, bar by bar."""

import math

import numpy as np
import pytest
from cases.baskets import NAMES, frames, related, walks

from analytics.baskets import (
    METHODS,
    BasketHalfLife,
    BasketMethod,
    BasketParams,
    analyse_basket,
    read_basket,
    read_basket_tests,
)
from analytics.errors import NotEnoughDataError
from analytics.leg import Leg
from analytics.pair import NO_GATES, Gates, PairTestsReading
from analytics.stationarity import SpreadTest

MINUTE = "1min"
HOLES = {1: ((150, 153), (239, 240)), 3: ((205, 206),)}
QUIET = {0: tuple(range(170, 176)), 2: (180, 244)}
STATISTICS = Gates(pvalue=True, half_life=True, window_covered=False, leg_stale=False)


def legs(values: np.ndarray) -> list[Leg]:
    made = frames(values, missing=HOLES, quiet=QUIET)
    return [Leg.of(each, 60_000_000) for each in made]


def params(symbols: int, **chosen: object) -> BasketParams:
    return BasketParams(NAMES[:symbols], MINUTE, **chosen)  # type: ignore[arg-type]


CASES = {
    "johansen": (related(260, 4, seed=1), params(4, window=20, lookback=120)),
    "box_tiao": (walks(260, 4, seed=2), params(4, method="box_tiao", window=15, lookback=90)),
    "half-life": (
        related(260, 4, seed=3),
        params(4, method="min_half_life", window=20, lookback=100, gates=NO_GATES),
    ),
    "all there is": (related(260, 4, seed=4), params(4, window=20)),
    "on prices": (related(260, 4, seed=5), params(4, window=20, correlation_on="prices")),
    "gates on statistics": (
        related(260, 4, seed=6, keep=0.2),
        params(4, window=10, lookback=200, gates=STATISTICS),
    ),
}


@pytest.mark.parametrize(("values", "basket"), CASES.values(), ids=CASES.keys())
def test_each_bar_is_read_as_the_last_row_of_its_analysis(values, basket: BasketParams):
    whole = legs(values)
    signals, gates = set(), set()
    for stop in range(140, 260, 1 if basket.gates is not STATISTICS else 7):
        cut = [leg.part(0, stop) for leg in whole]
        found, expected = read_basket(cut, basket), analyse_basket(cut, basket, draws=0)
        reading = found.reading
        assert reading.time_us == cut[0].end_us
        for name in ("spread", "mean", "std", "zscore", "correlation"):
            last = float(getattr(expected, name).iloc[-1])
            assert getattr(reading, name) == pytest.approx(last, rel=1e-9, nan_ok=True), name
        assert (reading.signal, reading.reason) == (
            expected.signal_now.signal,
            expected.signal_now.reason,
        )
        assert reading.signal == expected.signal.iloc[-1]
        assert reading.gate == expected.gate.iloc[-1]
        assert found.weights == pytest.approx(tuple(expected.weights), nan_ok=True)
        assert found.closes == pytest.approx(tuple(expected.closes.iloc[-1]), nan_ok=True)
        signals.add(reading.signal)
        gates.add(reading.gate)
    assert len(signals) > 1
    assert len(gates) > 1 or basket.gates == NO_GATES


def test_a_basket_has_no_two_closes_and_the_worst_coverage_of_the_others():
    whole = legs(related(260, 4, seed=1))
    found = read_basket([leg.part(0, 240) for leg in whole], params(4, window=20)).reading
    assert all(map(math.isnan, (found.y, found.x, found.beta, found.alpha, found.beta_stderr)))
    assert (found.y_coverage, found.x_coverage) == (0, 2)
    assert math.isnan(found.zscore)
    assert "BBB" in found.reason


@pytest.mark.parametrize("method", METHODS)
def test_too_few_bars_for_weights_are_said(method: BasketMethod):
    cut = [leg.part(0, 5) for leg in legs(related(260, 4, seed=1))]
    found = read_basket(cut, params(4, method=method, gates=NO_GATES))
    assert all(map(math.isnan, found.weights))
    assert found.reading.signal == "NEUTRAL"
    assert found.reading.reason == analyse_basket(cut, params(4, method=method)).fit.reason  # type: ignore[union-attr]


def test_without_a_bar_there_is_no_reading():
    empty = [leg.part(0, 0) for leg in legs(related(260, 4, seed=1))]
    with pytest.raises(NotEnoughDataError, match="a reading of AAA/BBB"):
        read_basket(empty, params(4))


@pytest.mark.parametrize(("values", "basket"), CASES.values(), ids=CASES.keys())
def test_its_tests_are_those_of_the_analysis_to_the_bit(values, basket: BasketParams):
    whole = legs(values)
    for stop in (60, 149, 151, 230, 260):
        cut = [leg.part(0, stop) for leg in whole]
        found, expected = read_basket_tests(cut, basket), analyse_basket(cut, basket)
        assert isinstance(expected.test, SpreadTest)
        assert isinstance(expected.half_life, BasketHalfLife)
        bars = expected.half_life.half_life if expected.half_life.mean_reverting else math.inf
        assert found == PairTestsReading(
            cut[0].end_us, expected.pvalue, expected.test.name, bars, expected.pvalue < 0.05
        )


def test_what_returns_is_told_from_walks_and_drawn_for():
    tied, loose = (
        read_basket_tests(legs(values), params(4, method="box_tiao", window=20))
        for values in (related(260, 4, seed=6, keep=0.2), walks(260, 4, seed=2))
    )
    assert tied.returns
    assert tied.pvalue < 0.05 < loose.pvalue
    assert not loose.returns
    assert tied.half_life < 5
    assert tied.test == "ADF of the chosen combination, wild bootstrap"


@pytest.mark.parametrize("method", METHODS)
def test_of_too_few_bars_the_tests_know_nothing(method: BasketMethod):
    cut = [leg.part(0, 5) for leg in legs(related(260, 4, seed=1))]
    found = read_basket_tests(cut, params(4, method=method))
    assert (math.isnan(found.pvalue), found.test, found.returns) == (True, "", False)
    assert math.isnan(found.half_life)
    with pytest.raises(NotEnoughDataError, match="the tests of AAA/BBB"):
        read_basket_tests([leg.part(0, 0) for leg in cut], params(4))
