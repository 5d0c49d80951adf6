"""The signal as a trade: words, sizes, what is not known, and whether a return is shown."""

import re
from dataclasses import replace

import pytest
from cases.pair import analyse
from desk.script_page import run_page, shown, store, ticks_of, write_ndjson

from analytics.outcome import NotEnough
from analytics.pair import PairAnalytics
from analytics.signals import SignalNow
from analytics.spread import SpreadKind
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife
from ingest.binance import LotSteps
from ingest.store import TickWriter, keep_lots
from pages.ui.live.trade import caution, trade_words
from pages.ui.parts import lots
from pages.ui.parts.trade import Terms

BTC = LotSteps("BTC", "USDT", "0.00100000", "0.00100000", "5.00000000")
ETH = LotSteps("ETH", "USDT", "0.10000000", "0.10000000", "5.00000000")
LOTS = {"BTCUSDT": BTC, "ETHUSDT": ETH}


@pytest.fixture(autouse=True)
def fresh_lots() -> None:
    lots._lots.clear()


def result_of(
    signal: str = "BUY", beta: float = 20.0, kind: SpreadKind = "hedged"
) -> PairAnalytics:
    """A result with BTCUSDT at 50,000 and ETHUSDT at 2,500 at its last bar."""
    found = analyse(spread=kind)
    y, x, path = found.y.copy(), found.x.copy(), found.hedge_ratio.copy()
    y.iloc[-1], x.iloc[-1], path.iloc[-1] = 50_000.0, 2_500.0, beta
    now = SignalNow(signal, 2.5, found.zscore.index[-1], "z = +2.50")  # type: ignore[arg-type]
    return replace(found, y=y, x=x, hedge_ratio=path, signal_now=now)


@pytest.mark.parametrize(
    ("signal", "kind", "beta", "words"),
    [
        ("BUY", "hedged", 20.0,
         "BUY spread: buy 0.100 BTCUSDT, sell 2.0 ETHUSDT (β 20.0000, 10,000 USDT)"),
        ("SELL", "hedged", 20.0,
         "SELL spread: sell 0.100 BTCUSDT, buy 2.0 ETHUSDT (β 20.0000, 10,000 USDT)"),
        ("BUY", "hedged", -20.0,
         "BUY spread: buy 0.100 BTCUSDT and buy 2.0 ETHUSDT (β −20.0000, 10,000 USDT)"),
        ("SELL", "log", -1.0,
         "SELL spread: sell 0.100 BTCUSDT and sell 2.0 ETHUSDT (β −1.0000 by value, 10,000 USDT)"),
        ("BUY", "price difference", 20.0,
         "BUY spread: buy 0.190 BTCUSDT, sell 0.1 ETHUSDT (1 to 1, 9,750.00 of 10,000 USDT)"),
        ("SELL", "ratio", 20.0,
         "SELL spread: sell 0.100 BTCUSDT, buy 2.0 ETHUSDT (equal value, 10,000 USDT)"),
    ],
)  # fmt: skip
def test_what_to_buy_and_sell_is_said_in_lots(signal, kind, beta, words):
    assert trade_words(result_of(signal, beta, kind), Terms(lots=LOTS)) == words


def test_no_trade_is_made_up_for_neutral():
    assert trade_words(result_of("NEUTRAL"), Terms(lots=LOTS)) == ""


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms(), "buy 0.1 BTCUSDT, sell 2 ETHUSDT (β 20.0000, 10,000 USDT; lot step not known)"),
        (Terms(7_000.0), "buy 0.07 BTCUSDT, sell 1.4 ETHUSDT"),
        (Terms(lots={"BTCUSDT": BTC}), "10,000 USDT; lot step of ETHUSDT not known)"),
        (Terms(400.0, LOTS), "no size: 400 USDT makes less than one lot of ETHUSDT (0.1)"),
        (
            Terms(lots={"BTCUSDT": BTC, "ETHUSDT": LotSteps("ETH", "BTC", "1", "1", "0")}),
            "no size: BTCUSDT is priced in USDT, ETHUSDT in BTC",
        ),
        (
            Terms(lots={"BTCUSDT": LotSteps("BTC", "USDT", "0.001", "0", "6000"), "ETHUSDT": ETH}),
            "10,000 USDT makes 5,000.00 USDT of BTCUSDT: the exchange takes no order below 6,000",
        ),
    ],
)
def test_what_limits_a_size_is_said(terms, words):
    assert words in trade_words(result_of(), terms)


def with_tests(
    kind: SpreadKind, pvalue: float, half_life: float | None, level: float = 0.05
) -> str:
    """The caution about a result whose p-values and half-life (None: it has none) are these."""
    found = analyse(spread=kind, window=60, level=level)
    assert isinstance(found.adf, ADFResult)
    assert isinstance(found.engle_granger, EngleGrangerResult)
    assert isinstance(found.half_life, HalfLife)
    own = "engle_granger" if found.params.uses_beta else "adf"
    other = "adf" if found.params.uses_beta else "engle_granger"
    changed = {
        own: replace(getattr(found, own), pvalue=pvalue),
        other: replace(getattr(found, other), pvalue=1.0 - pvalue),
        "half_life": replace(
            found.half_life,
            half_life=float("nan") if half_life is None else half_life,
            mean_reverting=half_life is not None,
        ),
    }
    return caution(replace(found, **changed))


@pytest.mark.parametrize(
    ("kind", "pvalue", "half_life", "words"),
    [
        ("hedged", 0.01, 20.0, ""),
        ("hedged", 0.53, 20.0, "Not shown to revert: cointegration p 0.530"),
        ("log", 0.05, 20.0, "Not shown to revert: cointegration p 0.050"),
        ("price difference", 0.53, 95.0,
         "Not shown to revert: ADF p 0.530, half-life longer than the window"),
        ("ratio", 0.53, None, "Not shown to revert: ADF p 0.530, no half-life"),
        ("hedged", 0.01, None, "Not shown to revert: no half-life"),
        ("hedged", 0.01, 95.04, "Half-life of 95.0 bars: longer than the window"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_return_is_said_by_the_test_that_counts(
    kind, pvalue, half_life, words
):
    assert with_tests(kind, pvalue, half_life) == words


def test_the_level_is_the_readers_and_a_missing_test_says_nothing():
    assert with_tests("hedged", 0.08, 20.0, level=0.10) == ""
    found = analyse(spread="hedged")
    lack = NotEnough("Engle-Granger", 23, 11)
    assert caution(replace(found, engle_granger=lack, half_life=lack)) == ""


def test_the_page_says_it_with_the_databases_lot_steps_and_the_readers_money(
    project_root, database
):
    link = {"s1": "BTCUSDT", "s2": "ETHUSDT", "spread": "ratio", "rule": "custom", "sell": "-9",
            "buy": "-10"}  # fmt: skip
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    assert "SELL spread: sell" in (body := shown(run_page(project_root, **link)))
    assert "10,000 USDT; lot step not known)" in body
    writer = TickWriter(database)
    keep_lots(writer, "spot", LOTS, 0)
    writer.close()
    lots._lots.clear()
    body = shown(run_page(project_root, **link, capital="40000"))
    words = r"sell 0\.333 BTCUSDT, buy (8\.0|7\.9) ETHUSDT \(equal value, 40,000 USDT\)"
    assert re.search(words, body)


def test_a_file_has_no_lot_steps_and_that_is_said(project_root, database, data_folder):
    write_ndjson(
        data_folder / "pair.ndjson", ticks_of("BTCUSDT", 6e4), ticks_of("ETHUSDT", 2_500.0, seed=6)
    )
    link = {"mode": "NDJSON File", "file": "pair.ndjson", "rule": "custom", "sell": "10",
            "buy": "9", "spread": "ratio"}  # fmt: skip
    body = shown(run_page(project_root, **link))
    assert "BUY spread: buy" in body
    assert "; lot step not known)" in body
