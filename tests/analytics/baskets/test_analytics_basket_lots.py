"""A basket in whole lots: never above the capital, and what the rounding leaves open."""

from decimal import Decimal

import numpy as np
import pytest
from cases.baskets import logs_frame, walks
from hypothesis import given
from hypothesis import strategies as st

from analytics.baskets import BasketSize, basket_lots
from analytics.errors import ParameterError
from analytics.sizes import LegQuote, Lot, NoSize

WEIGHTS = (1.0, -0.5, 0.25)


def quotes(*lots: Lot | None) -> list[LegQuote]:
    priced = zip(("AAA", "BBB", "CCC"), (100.0, 7.0, 0.25), lots, strict=True)
    return [LegQuote(name, price, "USDT", lot) for name, price, lot in priced]


def sized(signal: str = "BUY", capital: float = 1_000.0) -> BasketSize:
    lots = Lot(Decimal("0.1")), Lot(Decimal(1)), Lot(Decimal(100))
    found = basket_lots(signal, WEIGHTS, quotes(*lots), capital)  # type: ignore[arg-type]
    assert isinstance(found, BasketSize)
    return found


def test_a_hand_count():
    # 1,000 over weights of 1.75 is 571.43 a weight: 5.714 AAA, 40.8 BBB, 571.4 CCC.
    size = sized()
    assert [leg.quantity for leg in size.legs] == [Decimal("5.7"), Decimal(40), Decimal(500)]
    assert [leg.side for leg in size.legs] == ["buy", "sell", "buy"]
    assert size.gross == Decimal("5.7") * 100 + 40 * 7 + Decimal(125)
    assert size.rounded == pytest.approx((1.0, -280 / 570, 125 / 570), abs=1e-12)
    assert size.errors == pytest.approx((0.0, 0.5 - 280 / 570, 125 / 570 - 0.25), abs=1e-12)


def test_a_sell_takes_the_other_side_of_every_leg():
    assert [leg.side for leg in sized("SELL").legs] == ["sell", "buy", "sell"]


def test_the_noise_of_rounding_shrinks_with_the_capital():
    logs = logs_frame(walks(500, 3, seed=1))
    changes = logs.diff().dropna().to_numpy()
    small = sized()
    expected = (changes @ small.errors).std(ddof=1) / (changes @ WEIGHTS).std(ddof=1)
    assert small.noise(logs) == pytest.approx(expected, rel=1e-12)
    assert sized(capital=1e6).noise(logs) < 1e-3 < small.noise(logs)
    assert np.isnan(small.noise(logs.iloc[:2]))


@given(
    st.lists(st.floats(-5, 5).filter(lambda w: abs(w) > 0.01), min_size=2, max_size=2),
    st.floats(100, 1e6),
    st.sampled_from(["BUY", "SELL"]),
)
def test_never_more_than_the_capital_always_whole_lots(
    weights: list[float], capital: float, signal: str
):
    lots = Lot(Decimal("0.001")), Lot(Decimal("0.01")), None
    found = basket_lots(signal, [1.0, *weights], quotes(*lots), capital)  # type: ignore[arg-type]
    if isinstance(found, NoSize):
        assert "less than one lot" in found.reason
        return
    assert found.gross <= Decimal(repr(capital))
    for leg, lot in zip(found.legs[:2], lots[:2], strict=True):
        assert lot is not None
        assert leg.quantity % lot.step == 0
    assert not found.legs[2].is_lot_known


@pytest.mark.parametrize(
    ("weights", "prices", "words"),
    [
        ((1.0, np.nan, 1.0), (1.0, 1.0, 1.0), "the weights are not known at this bar"),
        ((1.0, 0.0, 1.0), (1.0, 1.0, 1.0), "the weight of BBB is 0"),
        ((1.0, 1.0, 1.0), (1.0, np.nan, 1.0), "the price of BBB is not known"),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1e9), "makes less than one lot of CCC"),
    ],
)
def test_why_there_is_no_size(weights: tuple[float, ...], prices: tuple[float, ...], words: str):
    lot = Lot(Decimal("0.01"))
    legs = [LegQuote(name, price, "USDT", lot)
            for name, price in zip(("AAA", "BBB", "CCC"), prices, strict=True)]  # fmt: skip
    found = basket_lots("BUY", weights, legs, 1_000.0)
    assert isinstance(found, NoSize)
    assert words in found.reason


def test_legs_of_two_currencies_have_no_size():
    legs = [LegQuote("AAA", 1.0, "USDT"), LegQuote("BBB", 1.0, "BTC"), LegQuote("C", 1.0, "USDT")]
    found = basket_lots("BUY", WEIGHTS, legs, 1_000.0)
    assert isinstance(found, NoSize)
    assert found.reason == "AAA is priced in USDT, BBB in BTC: no common money"


def test_wrong_input_is_refused():
    with pytest.raises(ParameterError, match="as many as the 3 legs"):
        basket_lots("BUY", (1.0, 2.0), quotes(None, None, None), 1_000.0)
    with pytest.raises(ParameterError, match="a finite number above 0"):
        basket_lots("BUY", WEIGHTS, quotes(None, None, None), 0.0)
