"""A basket's backtest: every leg's money, no look at the future, the books in balance."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from cases.baskets import NAMES, frames, related

from analytics.backtest import FREE, SYMMETRIC_RULES, BacktestRules, Costs
from analytics.baskets import (
    METHODS,
    BasketBacktest,
    BasketMethod,
    BasketParams,
    backtest_basket,
    fit_basket,
)
from analytics.errors import FrameError, NotEnoughDataError, ParameterError
from analytics.spread import zscore

COSTS = Costs(7.5, 7.5, half_spread_bps=1.0, impact="square root", funding_y_bps=1.0,
              funding_x_bps=2.0)  # fmt: skip
BARS, TRAIN = 1_500, 300


def params(
    symbols: int = 4, method: BasketMethod = "johansen", lookback: int | None = None
) -> BasketParams:
    return BasketParams(NAMES[:symbols], "1min", lookback, method=method)


def run(
    values: np.ndarray,
    rules: BacktestRules = SYMMETRIC_RULES,
    method: BasketMethod = "johansen",
    **options,
) -> BasketBacktest:
    made = frames(values, missing={1: ((700, 703),)}, quiet={2: (900,)})
    return backtest_basket(
        made, params(values.shape[1], method), rules, train_bars=TRAIN, draws=0, **options
    )


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return related(BARS, 4, seed=11, keep=0.95)


@pytest.mark.parametrize("method", METHODS)
def test_the_ledger_and_the_books_agree_with_all_costs(values: np.ndarray, method: BasketMethod):
    found = run(values, replace(SYMMETRIC_RULES, costs=COSTS), method)
    capital = found.rules.capital
    assert len(found.trades) > 10
    assert found.equity.iloc[-1] - capital == pytest.approx(found.trades["net"].sum(), abs=1e-7)
    gross = found.gross_equity.iloc[-1] - capital
    assert gross == pytest.approx(found.trades["gross"].sum(), abs=1e-7)
    marks = found.closes.ffill().to_numpy()
    held = (found.books.quantities * marks).sum(axis=1)
    assert found.books.cash + held == pytest.approx(found.equity.to_numpy(), abs=1e-8)
    assert (found.books.quantities[-1] == 0).all()


def test_costs_are_those_of_every_leg(values: np.ndarray):
    found = run(values, replace(SYMMETRIC_RULES, costs=COSTS))
    trade = found.trades.iloc[3]
    traded = slippage = funding = 0.0
    for place, name in enumerate(NAMES[:4]):
        size = abs(trade[f"quantity_{name}"])
        money = size * (trade[f"entry_{name}"] + trade[f"exit_{name}"])
        traded += money
        assert money > 0
        slippage += _impact(found, trade, name, size)
        funding += _funding(found, trade, name, 1.0 if place == 0 else 2.0)
    assert trade["traded"] == pytest.approx(traded, rel=1e-12)
    assert trade["fees"] == pytest.approx(traded * 7.5e-4, rel=1e-12)
    assert trade["half_spread"] == pytest.approx(traded * 1e-4, rel=1e-12)
    assert trade["slippage"] == pytest.approx(slippage, rel=1e-9)
    assert trade["funding"] == pytest.approx(funding, abs=1e-12)


def _impact(found: BasketBacktest, trade: pd.Series, name: str, size: float) -> float:
    """Slippage of both fills of a leg, by the formula of `Costs`; volume is 50 in every bar."""
    made = frames(related(BARS, 4, seed=11, keep=0.95), missing={1: ((700, 703),)})
    returns = np.log(made[NAMES.index(name)]["close"]).diff()
    sigma = returns.rolling(60, min_periods=2).std().shift().ffill()
    assert found.rules.costs.impact_factor == 1.0
    return sum(
        float(
            sigma.loc[trade[f"{end}_time"]] * (size / 50.0) ** 0.5 * size * trade[f"{end}_{name}"]
        )
        for end in ("entry", "exit")
    )


def _funding(found: BasketBacktest, trade: pd.Series, name: str, bps: float) -> float:
    """What a leg paid at 00, 08 and 16 UTC while it was held."""
    times = found.closes.index
    due = times[(times > trade["entry_time"]) & (times <= trade["exit_time"])]
    due = due[(due.hour % 8 == 0) & (due.minute == 0)]
    marks = found.closes[name].ffill().shift()
    return float((trade[f"quantity_{name}"] * marks.loc[due] * bps * 1e-4).sum())


def test_the_position_is_the_basket_worth_the_capital(values: np.ndarray):
    found = run(values)
    trade = found.trades.iloc[0]
    at = found.closes.loc[trade["decided_time"]]
    weights = np.array([trade[f"weight_{name}"] for name in NAMES[:4]])
    quantities = np.array([trade[f"quantity_{name}"] for name in NAMES[:4]])
    money = quantities * at.to_numpy()
    assert np.abs(money).sum() == pytest.approx(found.rules.notional, rel=1e-12)
    side = {"BUY": 1.0, "SELL": -1.0}[trade["side"]]
    assert money / money[0] == pytest.approx(weights, rel=1e-12)
    assert np.sign(money[0]) == side


@pytest.mark.parametrize("method", METHODS)
def test_weights_and_z_are_those_of_the_bars_before(values: np.ndarray, method: BasketMethod):
    found = run(values, method=method, refit_bars=50)
    closes = {name: each["close"] for name, each in zip(NAMES, _frames(values), strict=False)}
    logs = pd.DataFrame({name: np.log(close) for name, close in closes.items()})
    for start in (TRAIN, TRAIN + 50, TRAIN + 500):
        fit = fit_basket(logs.iloc[start - TRAIN : start], method)
        row = found.weights.loc[logs.index[start + 49]]
        assert row.to_numpy() == pytest.approx(fit.weights, abs=1e-12)
        z = zscore(fit.spread(logs), found.params.window).iloc[start : start + 50]
        assert found.zscore.loc[z.index].to_numpy() == pytest.approx(
            z.to_numpy(), abs=1e-7, nan_ok=True
        )
    assert found.fits == len(range(TRAIN, BARS, 50))


def _frames(values: np.ndarray) -> list[pd.DataFrame]:
    return frames(values, missing={1: ((700, 703),)}, quiet={2: (900,)})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cut", [601, 777, 1_203])
def test_the_past_does_not_know_the_future(values: np.ndarray, method: BasketMethod, cut: int):
    changed = values.copy()
    changed[cut:] += 0.01 * np.random.default_rng(cut).standard_normal(changed[cut:].shape)
    first, second = run(values, method=method), run(changed, method=method)
    rows = cut - TRAIN
    for one, other in ((first.zscore, second.zscore), (first.equity, second.equity)):
        assert np.array_equal(one.iloc[:rows], other.iloc[:rows], equal_nan=True)
    assert np.array_equal(first.weights.iloc[:rows], second.weights.iloc[:rows], equal_nan=True)
    assert not np.array_equal(first.equity, second.equity)


def test_nothing_is_filled_where_any_leg_is_missing_or_quiet(values: np.ndarray):
    found = run(values)
    times = pd.concat([found.trades["entry_time"], found.trades["exit_time"]])
    coverage = pd.concat([each["coverage"] for each in _frames(values)], axis=1)
    closed = coverage.index[(coverage.to_numpy() != "traded").any(axis=1)]
    assert len(closed) == 4
    assert not times.isin(closed).any()
    assert any("4 of 1,200 bars a leg was missing" in note for note in found.notes)


def test_twice_the_capital_is_twice_the_profit(values: np.ndarray):
    one = run(values)
    two = run(values, replace(SYMMETRIC_RULES, capital=20_000.0))
    assert two.trades["net"].to_numpy() == pytest.approx(2 * one.trades["net"].to_numpy())


def test_a_relation_earns_before_costs_and_walks_do_not():
    def gross(seed: int, keep: float) -> float:
        made = related(BARS, 3, seed=seed, keep=keep)
        rules = replace(SYMMETRIC_RULES, costs=FREE)
        return backtest_basket(
            frames(made), params(3, "box_tiao"), rules, train_bars=TRAIN, draws=0
        ).performance.gross

    earned = np.array([gross(seed, 0.9) for seed in range(6)])
    lucky = np.array([gross(seed, 1.0) for seed in range(6)])
    assert (earned > 0).all()
    assert earned.mean() > 3 * np.abs(lucky.mean())


def test_the_frame_has_every_leg(values: np.ndarray):
    frame = run(values).to_frame()
    assert len(frame) == BARS - TRAIN
    for name in NAMES[:4]:
        assert {f"price_{name}", f"weight_{name}", f"quantity_{name}"} <= set(frame.columns)
    assert frame["time"].iloc[0] == "1970-01-01T05:00:00Z"


def test_the_lookback_is_traded_in_and_bars_before_it_are_trained_on(values: np.ndarray):
    made = _frames(values)
    whole = backtest_basket(made, params(), SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    last = backtest_basket(made, params(lookback=400), SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    assert len(last.zscore) == 400
    assert np.array_equal(last.zscore, whole.zscore.iloc[-400:], equal_nan=True)


def test_a_forming_bar_of_one_leg_ends_all(values: np.ndarray):
    made = _frames(values)
    made[2].attrs["forming"] = made[2].index[-1]
    made[3] = made[3].iloc[5:]
    found = backtest_basket(made, params(), SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    assert found.closes.index[-1] == made[0].index[-2]
    assert found.closes.index[0] == made[0].index[TRAIN + 5]


def test_bars_that_are_read_later_on_change_no_trade(values: np.ndarray):
    chosen = params(lookback=900)
    whole = backtest_basket(_frames(values), chosen, SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    made = [each.iloc[31:] for each in _frames(values)]
    later = backtest_basket(made, chosen, SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    assert len(whole.trades) > 5
    pd.testing.assert_frame_equal(later.trades, whole.trades)
    pd.testing.assert_frame_equal(later.weights, whole.weights)


def test_the_first_fit_is_traded_as_soon_as_there_are_bars_for_it(values: np.ndarray):
    made = [each.iloc[31:] for each in _frames(values)]
    found = backtest_basket(made, params(), SYMMETRIC_RULES, train_bars=TRAIN, draws=0)
    fits = found.weights.drop_duplicates().index
    assert fits[0] == made[0].index[TRAIN]
    assert fits[1] == made[0].index[TRAIN + 29]
    assert set((fits[1:] - fits[1]).total_seconds() % 3_600) == {0.0}


def test_a_range_too_short_is_said_as_one(values: np.ndarray):
    with pytest.raises(
        NotEnoughDataError, match=r"range of the backtest of .* needs 3 bars, had 2"
    ):
        backtest_basket(_frames(values), params(lookback=2), train_bars=TRAIN)


def test_a_leg_that_hardly_moves_where_weights_are_fitted_is_not_traded(values: np.ndarray):
    still = values.copy()
    still[600 : 600 + TRAIN - 1, 2] = still[600, 2]
    found = run(still, refit_bars=TRAIN)
    assert found.weights.iloc[600 : 600 + TRAIN].isna().all(axis=None)
    assert found.weights.iloc[:600].notna().all(axis=None)


def test_legs_without_a_bar_in_common_are_refused(values: np.ndarray):
    made = _frames(values)
    late = [made[0].iloc[:700], *made[1:3], made[3].iloc[800:]]
    with pytest.raises(NotEnoughDataError, match="needs 303 bars, had 0"):
        backtest_basket(late, params(), train_bars=TRAIN)
    with pytest.raises(NotEnoughDataError, match="needs 303 bars, had 0"):
        backtest_basket([made[0].iloc[:0], *made[1:]], params(), train_bars=TRAIN)


def test_wrong_input_is_refused(values: np.ndarray):
    made = _frames(values)
    with pytest.raises(ParameterError, match="a basket is sized by its weights"):
        backtest_basket(made, params(), replace(SYMMETRIC_RULES, sizing="dollar"))
    with pytest.raises(ParameterError, match="a frame for each of 4 symbols"):
        backtest_basket(made[:3], params())
    with pytest.raises(ParameterError, match="train_bars"):
        backtest_basket(made, params(), train_bars=59)
    with pytest.raises(NotEnoughDataError, match=r"needs 1503 bars, had 1500"):
        backtest_basket(made, params(), train_bars=BARS)
    with pytest.raises(FrameError, match="AAA must be a DataFrame"):
        backtest_basket([None, *made[1:]], params())  # type: ignore[list-item]


def test_trades_never_overlap(values: np.ndarray):
    trades = run(values).trades
    spans = list(zip(trades["entry_time"], trades["exit_time"], strict=True))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
