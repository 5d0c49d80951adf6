"""The backtest's money: double entry, costs, figures against quantstats."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases.backtest import SEED, bars, reverting_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.backtest import (
    FREE,
    SYMMETRIC_RULES,
    Costs,
    buy_and_hold,
    run_backtest,
)
from analytics.backtest.accounting import Fills, account
from analytics.backtest.rules import DEFAULT_RULES
from analytics.errors import InvalidSeriesError
from analytics.hedge import fit_hedge
from analytics.pair import PairParams
from analytics.spread import zscore
from analytics.stationarity import half_life, johansen_test

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=40)
PAIRS = [reverting_pair(500, seed=seed, missing=((200, 212),), quiet=(300,)) for seed in range(6)]

some_costs = st.builds(
    Costs,
    taker_bps=st.sampled_from([0.0, 7.5, 40.0]),
    half_spread_bps=st.sampled_from([0.0, 1.5]),
    impact=st.sampled_from(["none", "square root", "linear"]),
    impact_factor=st.sampled_from([0.5, 1.0]),
    funding_y_bps=st.sampled_from([-3.0, 0.0, 1.0]),
    funding_x_bps=st.sampled_from([0.0, 2.0]),
)
some_rules = st.builds(
    lambda base, stop, time, sizing, capital, costs: replace(
        base, stop=stop, time_stop=time, sizing=sizing, capital=capital, costs=costs
    ),
    base=st.sampled_from([DEFAULT_RULES, SYMMETRIC_RULES, SYMMETRIC_RULES.with_entry(1.0)]),
    stop=st.sampled_from([None, 2.5]),
    time=st.sampled_from([None, 5]),
    sizing=st.sampled_from(["beta", "dollar"]),
    capital=st.sampled_from([100.0, 10_000.0, 1e7]),
    costs=some_costs,
)


@settings(max_examples=40, deadline=None)
@given(pair=st.sampled_from(PAIRS), rules=some_rules)
def test_the_books_balance_at_every_bar(pair: tuple[pd.DataFrame, pd.DataFrame], rules):
    result = run_backtest(*pair, PARAMS, rules, draws=0)
    books, told, trades = result.books, result.performance, result.trades
    scale = 1e-9 * rules.capital
    marks = np.column_stack([result.y.ffill(), result.x.ffill()])
    held = books.cash + (books.quantities * marks).sum(axis=1)
    np.testing.assert_allclose(held, books.equity, rtol=0, atol=scale)
    # The bars' profits, settled elsewhere, lead to the same equity.
    run = rules.capital * (1 + result.returns.cumsum())
    np.testing.assert_allclose(books.equity, run, rtol=0, atol=scale)
    # Flat at the end, and nothing but cash.
    assert (books.quantities[-1] == 0).all()
    assert books.cash[-1] == books.equity[-1]
    assert books.equity[-1] - rules.capital == pytest.approx(told.net, abs=scale)
    assert told.net == pytest.approx(
        told.gross - told.fees - told.half_spread - told.slippage - told.funding, abs=scale
    )
    assert told.fees == pytest.approx(trades["traded"].sum() * rules.costs.fee_bps / 1e4, abs=scale)
    moved = (result.gross_equity.iloc[-1] - rules.capital, trades["gross"].sum())
    assert moved[0] == pytest.approx(moved[1], abs=scale)
    assert ((result.side != 0) == (books.quantities[:, 0] != 0)).all()


@settings(max_examples=20, deadline=None)
@given(pair=st.sampled_from(PAIRS), rules=some_rules)
def test_doubling_the_size_doubles_the_profit_before_slippage(
    pair: tuple[pd.DataFrame, pd.DataFrame], rules
):
    once = run_backtest(*pair, PARAMS, rules, draws=0)
    twice = run_backtest(*pair, PARAMS, replace(rules, leverage=2.0), draws=0)
    for name in ("gross", "fees", "half_spread", "funding"):
        one, two = (getattr(each.performance, name) for each in (once, twice))
        assert two == pytest.approx(2 * one, rel=1e-9, abs=1e-9 * rules.capital)
    factor = 2 ** (1 + rules.costs.power)
    assert twice.performance.slippage == pytest.approx(factor * once.performance.slippage)


def test_break_even_cost_and_capacity_are_exact():
    costs = Costs(half_spread_bps=0.2, taker_bps=0.1, impact="square root", impact_factor=0.05)
    rules = replace(SYMMETRIC_RULES, costs=costs)
    pair = reverting_pair(3_000)
    told = run_backtest(*pair, PARAMS, rules, draws=0).performance
    bearable = Costs(taker_bps=told.break_even_bps)
    assert run_backtest(
        *pair, PARAMS, replace(rules, costs=bearable), draws=0
    ).performance.net == pytest.approx(0, abs=1e-7 * told.gross)
    full = replace(rules, leverage=told.capacity / rules.capital)
    assert run_backtest(*pair, PARAMS, full, draws=0).performance.net == pytest.approx(
        0, abs=1e-6 * told.capacity
    )


def test_slippage_follows_the_square_root_law():
    # One trade of a known size in a bar of known volume.
    y, x = reverting_pair(400)
    rules = replace(SYMMETRIC_RULES, costs=replace(FREE, impact="square root"))
    trade = run_backtest(y, x, PARAMS, rules, draws=0).trades.iloc[0]
    expected = 0.0
    for name, leg in (("y", y), ("x", x)):
        returns = pd.Series(np.log(leg["close"])).diff()
        for when, price in ((trade["entry_time"], "entry"), (trade["exit_time"], "exit")):
            row = int(leg.index.get_indexer(pd.Index([when]))[0])
            sigma = returns.iloc[max(row - 60, 0) : row].std()
            size = abs(trade[f"quantity_{name}"])
            expected += size * trade[f"{price}_{name}"] * sigma * math.sqrt(size / 50.0)
    assert trade["slippage"] == pytest.approx(expected, rel=1e-9)


def test_funding_is_paid_by_longs_at_each_eighth_hour_for_what_is_carried_over():
    n = 3 * 480 + 1
    rng = np.random.default_rng(SEED)
    y, x = (bars(100 * np.exp(1e-3 * rng.normal(size=n).cumsum())) for _ in range(2))
    rules = replace(DEFAULT_RULES, costs=replace(FREE, funding_y_bps=5.0, funding_x_bps=1.0))
    params = replace(PARAMS, spread="price difference", window=300)
    result = run_backtest(y, x, params, rules, draws=0)
    before = result.books.quantities[np.array([479, 959, 1439])]
    marks = np.column_stack([y["close"], x["close"]])[np.array([479, 959, 1439])]
    expected = float((before * marks * np.array([5e-4, 1e-4])).sum())
    assert expected != 0
    assert result.performance.funding == pytest.approx(expected, rel=1e-9)


def test_holding_the_legs_is_drawn_from_the_same_capital():
    y, x = reverting_pair(300)
    result = run_backtest(y, x, PARAMS, draws=0)
    held = buy_and_hold(result)
    assert (held.iloc[0] == 10_000).all()
    assert held["AUSDT"].iloc[-1] == pytest.approx(
        10_000 * y["close"].iloc[-1] / y["close"].iloc[0]
    )


def test_an_account_refuses_to_value_what_has_no_price():
    fills = Fills(np.array([0]), np.array([0]), np.ones(1), np.ones(1), np.zeros(1))
    with pytest.raises(InvalidSeriesError, match="held at bar 1"):
        account(fills, np.array([[1.0], [np.nan]]), 10.0)


# ---- quantstats, in a process of its own: it brings a plotting and a download library along

_ASK_QUANTSTATS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd, quantstats.stats as qs
def told(given):
    index = pd.to_datetime(given["time_ms"], unit="ms")
    returns = pd.Series(given["returns"], index=index)
    trades, year = pd.Series(given["trades"]), 525_600
    return {
        "sharpe": qs.sharpe(returns, periods=year),
        "sortino": qs.sortino(returns, periods=year),
        "volatility": qs.volatility(returns, periods=year),
        "max_drawdown": qs.max_drawdown(pd.Series(given["equity"], index=index)),
        "profit_factor": qs.profit_factor(trades),
        "hit_rate": qs.win_rate(trades),
        "probabilistic_sharpe": qs.probabilistic_sharpe_ratio(returns, rf=0.0, periods=year),
    }
print(json.dumps([told(each) for each in json.load(sys.stdin)]))
"""


def test_the_figures_equal_those_of_quantstats(tmp_path: Path):
    pair = reverting_pair(3_000)
    results = [
        run_backtest(*pair, PARAMS, rules, draws=0)
        for rules in (DEFAULT_RULES, replace(SYMMETRIC_RULES, costs=FREE))
    ]
    asked = [
        {
            "time_ms": pd.DatetimeIndex(result.returns.index).as_unit("ms").asi8.tolist(),
            "returns": result.returns.tolist(),
            "equity": result.equity.tolist(),
            "trades": result.trades["net"].tolist(),
        }
        for result in results
    ]
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK_QUANTSTATS],
        input=json.dumps(asked), capture_output=True, text=True, timeout=100, cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-800:]
    for result, figures in zip(results, json.loads(answer.stdout), strict=True):
        for name, theirs in figures.items():
            # Its skewness and kurtosis are corrected for the sample's size, ours as published.
            close = 1e-3 if name == "probabilistic_sharpe" else 1e-9
            assert getattr(result.performance, name) == pytest.approx(theirs, rel=close), name


# ---- Chan (2013), Algorithmic Trading, through this accounting: filled at the close that decides
# ("same bar, as published"), no costs, returns on the gross value held the day before


def fills_of(quantities: np.ndarray, prices: np.ndarray) -> Fills:
    """Turn quantities held after each bar, shape (n, legs), into the fills that change them."""
    known = np.nan_to_num(quantities)
    change = np.diff(known, axis=0, prepend=np.zeros((1, known.shape[1])))
    bar, leg = np.nonzero(change)
    zeros = np.zeros(bar.size)
    return Fills(bar, leg, change[bar, leg], prices[bar, leg], zeros)


def chans_figures(quantities: np.ndarray, prices: np.ndarray) -> tuple[float, float]:
    books = account(fills_of(quantities, prices), prices, 0.0)
    gross = np.abs(np.nan_to_num(quantities) * prices).sum(axis=1)
    before = np.r_[0.0, gross[:-1]]
    returns = np.divide(books.profit, before, out=np.zeros_like(before), where=before > 0)
    apr = float(np.prod(1 + returns) ** (252 / returns.size) - 1)
    return apr, float(np.sqrt(252) * returns.mean() / returns.std(ddof=1))


def held(entry: np.ndarray, leave: np.ndarray, units: int) -> np.ndarray:
    position = pd.Series(np.nan, index=range(entry.size))
    position.iloc[0] = 0
    position[entry] = units
    position[leave] = 0
    return position.ffill().to_numpy()


@pytest.fixture(scope="module")
def chan(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "reference/epchan/inputData_EWA_EWC_IGE.csv")


@pytest.mark.real_data
def test_chans_kalman_strategy_same_bar_as_published(chan):
    y, x = chan["EWC"].to_numpy(), chan["EWA"].to_numpy()
    fit = fit_hedge(y, x, "kalman", delta=1e-4, ve=1e-3)
    assert fit.forecast_error is not None
    assert fit.forecast_variance is not None
    assert fit.beta_path is not None
    error, scale = fit.forecast_error.to_numpy(), np.sqrt(fit.forecast_variance.to_numpy())
    units = held(error < -scale, error > -scale, 1) + held(error > scale, error < scale, -1)
    quantities = units[:, np.newaxis] * np.column_stack([-fit.beta_path, np.ones(y.size)])
    apr, ratio = chans_figures(quantities, np.column_stack([x, y]))
    assert apr == pytest.approx(0.262252, abs=5e-7)
    assert ratio == pytest.approx(2.361162, abs=5e-7)


@pytest.mark.real_data
def test_chans_johansen_portfolio_same_bar_as_published(chan):
    prices = chan[["EWA", "EWC", "IGE"]].to_numpy()
    weights = johansen_test(chan[["EWA", "EWC", "IGE"]]).eigenvectors[:, 0]
    portfolio = pd.Series(prices @ weights)
    units = -zscore(portfolio, round(float(half_life(portfolio)))).to_numpy()
    apr, ratio = chans_figures(units[:, np.newaxis] * weights, prices)
    assert apr == pytest.approx(0.125739, abs=5e-7)
    assert ratio == pytest.approx(1.391310, abs=5e-7)
