"""Sizes: the position is the spread, in whole lots, for no more money than there is."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ParameterError
from analytics.sizes import LegQuote, Lot, NoSize, PositionSize, plain, size_position

BNB = Lot(Decimal("0.1"), Decimal("0.1"), Decimal(5))
BTC = Lot(Decimal("0.01"), Decimal("0.01"), Decimal(5))
Y = LegQuote("BNBUSDT", 300.0, "USDT", BNB)
X = LegQuote("BTCUSDT", 30_000.0, "USDT", BTC)


def sized(kind="hedged", beta=0.01, y=Y, x=X, capital=10_000.0, signal="BUY") -> PositionSize:
    found = size_position(signal, kind, beta, y, x, capital)
    assert isinstance(found, PositionSize), found
    return found


def refused(kind="hedged", beta=0.01, y=Y, x=X, capital=10_000.0, signal="BUY") -> str:
    found = size_position(signal, kind, beta, y, x, capital)
    assert isinstance(found, NoSize), found
    return found.reason


@pytest.mark.parametrize(
    ("kind", "beta", "quantities"),
    [
        # 10,000 / (300 + 30,000) = 0.330…: of each.
        ("price difference", math.nan, ("0.3", "0.33")),
        # 10,000 / (300 + 0.01 · 30,000) = 16.67 against 0.1667.
        ("hedged", 0.01, ("16.6", "0.16")),
        # Money 1 : 0.5, that is 6,666.67 and 3,333.33.
        ("log", 0.5, ("22.2", "0.11")),
        # Equal money.
        ("ratio", math.nan, ("16.6", "0.16")),
    ],
)
def test_each_spread_has_its_own_proportion_rounded_down_to_lots(kind, beta, quantities):
    found = sized(kind, beta)
    assert (str(found.y.quantity), str(found.x.quantity)) == quantities
    assert found.gross == found.y.quantity * 300 + found.x.quantity * 30_000
    assert found.beta == (None if math.isnan(beta) else beta)


@pytest.mark.parametrize(
    ("signal", "beta", "sides"),
    [
        ("BUY", 0.01, ("buy", "sell")),
        ("SELL", 0.01, ("sell", "buy")),
        ("BUY", -0.01, ("buy", "buy")),
        ("SELL", -0.01, ("sell", "sell")),
    ],
)
def test_a_negative_beta_puts_both_legs_on_one_side(signal, beta, sides):
    for kind in ("hedged", "log"):
        found = sized(kind, beta, signal=signal, capital=1_000_000.0)
        assert (found.y.side, found.x.side) == sides
    plain_kind = sized("price difference", beta, signal=signal)
    assert plain_kind.y.side != plain_kind.x.side


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"beta": math.nan}, "the hedge ratio is not known"),
        ({"beta": 0.0}, "the hedge ratio is 0: no BTCUSDT stands against BNBUSDT"),
        ({"x": LegQuote("BTCUSDT", math.nan, "USDT", BTC)}, "the price of BTCUSDT is not known"),
        ({"x": LegQuote("ETHBTC", 0.05, "BTC", BTC)}, "priced in USDT, ETHBTC in BTC"),
        ({"capital": 100.0}, "100 USDT makes less than one lot of BTCUSDT (0.01)"),
        (
            {"y": LegQuote("BNBUSDT", 300.0, "USDT", Lot(Decimal("0.1"), Decimal(20)))},
            "10,000 USDT makes less than one lot of BNBUSDT (20)",
        ),
        (
            {"x": LegQuote("BTCUSDT", 30_000.0, "USDT", Lot(Decimal("0.00001"),
                                                           least_value=Decimal(6_000)))},
            "of BTCUSDT: the exchange takes no order below 6,000 USDT",
        ),
        ({"beta": 1e-14, "x": LegQuote("BTCUSDT", 3e4, "USDT")}, "less than one lot of BTCUSDT"),
    ],
)  # fmt: skip
def test_where_there_is_no_size_the_reason_is_said(change, words):
    assert words in refused(**change)


@pytest.mark.parametrize("capital", [0.0, -1.0, math.nan, math.inf])
def test_a_capital_is_money(capital):
    with pytest.raises(ParameterError, match="capital"):
        size_position("BUY", "ratio", 1.0, Y, X, capital)


def test_without_a_lot_step_there_are_eight_digits_at_most():
    found = sized(y=LegQuote("BNBUSDT", 300.0, "USDT"), x=LegQuote("BTCUSDT", 30_000.0, "USDT"))
    assert plain(found.y.quantity) == "16.666666"
    assert plain(found.x.quantity) == "0.16666666"
    assert not found.y.is_lot_known


def test_numbers_are_written_plainly():
    told = [plain(Decimal(text)) for text in ("0.00100000", "10.0", "1E+3", "0.00000100")]
    assert told == ["0.001", "10", "1,000", "0.000001"]


PRICES = st.floats(1e-8, 1e7)
STEPS = st.sampled_from(["1e-8", "0.00001", "0.001", "0.1", "1", "10"]).map(Decimal)
LOTS = st.none() | st.builds(Lot, STEPS)


@given(
    signal=st.sampled_from(["BUY", "SELL"]),
    kind=st.sampled_from(["price difference", "hedged", "log", "ratio"]),
    beta=st.floats(-1e6, 1e6),
    prices=st.tuples(PRICES, PRICES),
    lots=st.tuples(LOTS, LOTS),
    capital=st.floats(1.0, 1e9),
)
def test_never_more_than_the_capital_always_whole_lots(signal, kind, beta, prices, lots, capital):
    y, x = (
        LegQuote(name, price, "USDT", lot)
        for name, price, lot in zip(("A", "B"), prices, lots, strict=True)
    )
    found = size_position(signal, kind, beta, y, x, capital)
    if isinstance(found, NoSize):
        assert found.reason
        return
    money = Fraction(0)
    for leg, price, lot in zip((found.y, found.x), prices, lots, strict=True):
        assert leg.quantity > 0
        if lot is not None:
            assert leg.quantity % lot.step == 0
        money += Fraction(leg.quantity) * Fraction(repr(price))
    assert money <= Fraction(repr(capital))
    is_one_sided = found.y.side == found.x.side
    assert is_one_sided == (kind in {"hedged", "log"} and beta < 0)
    assert (found.y.side == "buy") == (signal == "BUY")
