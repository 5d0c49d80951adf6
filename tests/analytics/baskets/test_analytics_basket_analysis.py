"""A basket analysed: the pair's z, gates and signal on its spread, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
from cases.backtest import bars
from cases.baskets import NAMES, frames, logs_frame, related, walks

from analytics.baskets import (
    METHODS,
    BasketFit,
    BasketMethod,
    BasketParams,
    analyse_basket,
    fit_basket,
    trailing,
)
from analytics.errors import FrameError, NonPositivePriceError, ParameterError
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import NO_GATES, Gates, PairParams, analyse_pair
from analytics.signals import signal_for
from analytics.spread import zscore

MINUTE = "1min"


def params(symbols: int = 4, **chosen: object) -> BasketParams:
    return BasketParams(NAMES[:symbols], MINUTE, **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_the_spread_is_the_weighted_sum_of_logs_and_its_z_the_pairs(method: BasketMethod):
    values = related(600, 4, seed=1)
    found = analyse_basket(frames(values), params(method=method, lookback=300))
    fit = fit_basket(logs_frame(values[-300:]), method)
    assert found.weights.to_numpy() == pytest.approx(fit.weights, abs=1e-9)
    # Its windows see the bars before the range.
    whole = fit.spread(logs_frame(values)).to_numpy()
    assert found.spread.to_numpy() == pytest.approx(whole[-300:], abs=1e-9)
    z = zscore(whole, found.params.window).to_numpy()[-300:]
    assert found.zscore.to_numpy() == pytest.approx(z, abs=1e-6)
    assert not found.zscore.isna().any()
    assert found.signal.tolist() == signal_for(found.zscore).tolist()
    assert found.signal_now.zscore == found.zscore.iloc[-1]


def test_z_mean_and_std_are_a_pairs_of_the_same_two_legs():
    values = related(400, 3, seed=2)
    found = analyse_basket(frames(values), params(3))
    # The same two legs as prices of a pair: ln S1, and what the weights make of the others.
    others = found.fit.intercept - values[:, 1:] @ found.fit.weights[1:]  # type: ignore[union-attr]
    # Moved up together, so that both are above 0.
    pair = analyse_pair(bars(values[:, 0] + 100), bars(others + 100), PairParams("A", "R", MINUTE))
    assert found.zscore.to_numpy() == pytest.approx(pair.zscore.to_numpy(), abs=1e-7, nan_ok=True)
    assert found.std.to_numpy() == pytest.approx(pair.std.to_numpy(), rel=1e-7, nan_ok=True)
    assert found.signal.tolist() == pair.signal.tolist()


def test_a_missing_bar_is_left_open_and_the_window_fills_anew():
    values = related(400, 4, seed=3)
    found = analyse_basket(frames(values, missing={2: ((200, 201),)}), params(window=30))
    open_rows = np.flatnonzero(found.spread.isna())
    assert open_rows.tolist() == [200]
    assert np.flatnonzero(found.zscore.isna())[29:].tolist() == list(range(200, 230))
    assert found.coverage.missing == 1
    assert found.coverage.missing_of == (0, 0, 1, 0)
    assert any("1 of 400 bars are missing (CCC 1)" in note for note in found.notes)
    assert any("left out" in note for note in found.notes)


def test_the_latest_bar_missing_is_said():
    found = analyse_basket(frames(related(400, 4, seed=3), missing={2: ((399, 400),)}), params())
    assert found.signal_now.signal == "NEUTRAL"
    assert found.signal_now.reason == "CCC missing at 06:39:00 UTC"
    two = analyse_basket(
        frames(related(400, 4, seed=3), missing={0: ((399, 400),), 3: ((399, 400),)}), params()
    )
    assert two.signal_now.reason == "AAA and DDD missing at 06:39:00 UTC"


def test_a_window_that_a_missing_bar_keeps_open_names_the_leg():
    found = analyse_basket(frames(related(400, 4, seed=3), missing={1: ((390, 391),)}), params())
    assert (
        found.signal_now.reason == "window not full: 9 of 60 bars since BBB missing at 06:30:00 UTC"
    )


def test_legs_that_start_and_end_apart_are_cut_to_what_all_span():
    made = frames(related(400, 3, seed=4))
    found = analyse_basket([made[0].iloc[10:], made[1], made[2].iloc[:390]], params(3))
    assert len(found.spread) == 380
    assert found.closes.index[0] == made[0].index[10]


def test_a_stale_third_leg_closes_the_gate_and_is_named():
    quiet = tuple(range(395, 400))
    found = analyse_basket(frames(related(400, 4, seed=5), quiet={2: quiet}), params())
    assert found.gate.iloc[-1] == "leg stale"
    assert found.gate.iloc[390] == ""
    assert "CCC last traded 300 s before" in found.signal_now.reason
    free = analyse_basket(frames(related(400, 4, seed=5), quiet={2: quiet}), params(gates=NO_GATES))
    assert (free.gate == "").all()


def test_a_leg_whose_bars_end_early_closes_the_gate():
    made = frames(related(400, 3, seed=5))
    found = analyse_basket([made[0], made[1], made[2].iloc[:395]], params(3))
    assert "CCC has no bars for the last 300 s" in found.signal_now.reason


def test_few_bars_are_counted_on_all_legs():
    gates = Gates(least_bars=200)
    found = analyse_basket(frames(related(150, 4, seed=6)), params(gates=gates))
    assert "150 of 200 known on all legs" in found.signal_now.reason


@pytest.mark.parametrize("method", METHODS)
def test_the_statistical_gates_fit_each_span_anew(method: BasketMethod):
    chosen = params(method=method, window=30, gates=Gates(pvalue=True, half_life=True))
    holds = analyse_basket(frames(related(900, 4, seed=7)), chosen)
    assert (holds.gate.iloc[300:] == "").mean() > 0.8
    walk = analyse_basket(frames(walks(900, 4, seed=7)), chosen)
    assert (walk.gate != "").mean() > 0.8
    # As causal as the z-score of given weights: later bars change no earlier gate.
    longer = np.vstack([related(900, 4, seed=7), walks(100, 4, seed=1)])
    after = analyse_basket(frames(longer), chosen)
    assert after.gate.iloc[:900].tolist() == holds.gate.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_a_span_in_which_a_leg_hardly_moves_closes_the_gate(method: BasketMethod):
    values = related(600, 4, seed=7)
    values[300:599, 2] = values[300, 2]
    chosen = params(method=method, window=20, gates=Gates(pvalue=True, half_life=True))
    found = analyse_basket(frames(values), chosen)
    assert (found.gate.iloc[520:] == "p above the level").all()


def test_short_windows_are_tested_every_ten_bars_and_each_span_is_fitted_once(monkeypatch):
    fitted = []

    def counted(logs: pd.DataFrame, method: BasketMethod) -> BasketFit:
        fitted.append(len(logs))
        return fit_basket(logs, method)

    monkeypatch.setattr(trailing, "fit_basket", counted)
    chosen = params(window=5, gates=Gates(pvalue=True, half_life=True))
    found = analyse_basket(frames(related(403, 4, seed=7)), chosen)
    assert len(fitted) == 40
    assert fitted[-1] == 100
    closed = (found.gate != "").to_numpy()
    assert set(np.flatnonzero(closed[1:] != closed[:-1]) % 10) <= {8}


def test_the_gates_of_a_range_do_not_depend_on_the_bars_before_it():
    made = frames(related(600, 4, seed=7))
    gates = Gates(pvalue=True, half_life=True)
    whole = analyse_basket(made, params(window=5, gates=gates))
    for bars_ in (200, 203, 207):
        chosen = params(window=5, lookback=bars_, gates=gates)
        cut = analyse_basket([each.iloc[-chosen.reach :] for each in made], chosen)  # type: ignore[operator]
        assert cut.gate.tolist() == whole.gate.iloc[-bars_:].tolist()


def test_the_gate_says_which_test_closed_it():
    chosen = params(window=30, gates=Gates(pvalue=True))
    words = analyse_basket(frames(walks(900, 4, seed=7)), chosen).signal_now.reason
    assert words.startswith("p above the level: refitted basket p = ")


def test_the_correlation_is_of_the_first_leg_with_the_others():
    values = related(400, 3, seed=8)
    found = analyse_basket(frames(values), params(3))
    assert isinstance(found.fit, BasketFit)
    changes = pd.DataFrame(np.diff(values, axis=0, prepend=np.nan))
    others = -(changes.iloc[:, 1:] @ found.fit.weights[1:])
    expected = changes[0].rolling(60).corr(others).to_numpy()
    assert found.correlation.to_numpy() == pytest.approx(expected, abs=1e-8, nan_ok=True)


def test_too_few_bars_give_reasons_and_no_error():
    found = analyse_basket(frames(walks(12, 4, seed=1)), params())
    assert isinstance(found.fit, NotEnough)
    assert found.signal_now.reason == found.fit.reason
    assert "needs 26 bars known of all symbols, had 12" in found.fit.reason
    assert found.weights.isna().all()
    assert np.isnan(found.pvalue)
    assert len(found.to_frame()) == 12
    assert found.zscore_needs is not None
    empty = analyse_basket([each.iloc[:0] for each in frames(walks(12, 4, seed=1))], params())
    assert empty.signal_now.reason == "no closed bar of both legs yet"


def test_collinear_legs_are_named_in_every_figure():
    values = walks(300, 4, seed=1)
    values[:, 3] = values[:, 0] + values[:, 1]
    found = analyse_basket(frames(values), params())
    for lack in (found.fit, found.test, found.adf, found.half_life, found.residual):
        assert isinstance(lack, Degenerate)
    assert "DDD is an exact combination of the symbols before it" in found.notes[0]
    assert found.zscore_needs is None


def test_the_notes_say_what_the_search_did():
    for seed in range(20):
        found = analyse_basket(frames(walks(300, 6, seed)), params(6, method="box_tiao"))
        assert "of all combinations of 6 symbols" in found.notes[0]
        assert "in-sample" in found.notes[1]
        if found.adf.plain_pvalue < 0.05 <= found.adf.pvalue:  # type: ignore[union-attr]
            assert any("that is the search, not a return" in note for note in found.notes)
            return
    pytest.fail("no walk passed the plain test")


def test_johansens_weights_have_errors_and_the_others_none():
    made = frames(related(300, 4, seed=9))
    for method in METHODS:
        fit = analyse_basket(made, params(method=method)).fit
        assert isinstance(fit, BasketFit)
        assert np.isnan(fit.stderr[1:]).all() == (method != "johansen")


def test_the_frame_has_a_column_a_price_and_the_paths():
    frame = analyse_basket(frames(related(200, 3, seed=1)), params(3)).to_frame()
    assert frame.columns.tolist() == [
        "time", "price_AAA", "price_BBB", "price_CCC", "spread", "spread_mean", "spread_std",
        "zscore", "correlation", "signal",
    ]  # fmt: skip
    assert frame["time"].iloc[1] == "1970-01-01T00:01:00Z"


def test_legs_may_come_as_arrays():
    made = frames(related(200, 3, seed=1))
    legs = [Leg.of(each, 60_000_000) for each in made]
    one, other = analyse_basket(made, params(3)), analyse_basket(legs, params(3))
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())


def test_signal_changes_are_listed():
    found = analyse_basket(frames(related(300, 3, seed=1)), params(3))
    changes = found.signal_changes(5)
    assert len(changes) == 5
    assert changes[0].time > changes[1].time
    assert changes[0].previous != changes[0].signal


def test_wrong_input_is_refused():
    made = frames(walks(200, 3, seed=1))
    with pytest.raises(ParameterError, match="bars of 3 symbols: AAA, BBB, CCC"):
        analyse_basket(made[:2], params(3))
    with pytest.raises(FrameError, match="the interval asked for is 5min"):
        analyse_basket(made, BasketParams(NAMES[:3], "5min"))
    made[1]["close"] = -1.0
    with pytest.raises(NonPositivePriceError, match="the basket leg BBB needs prices above 0"):
        analyse_basket(made, params(3))


def test_parameters_are_checked_and_hashable():
    assert BasketParams(NAMES[:3], "1T").interval == "1min"
    assert BasketParams(list(NAMES[:3])).symbols == NAMES[:3]  # type: ignore[arg-type]
    assert {params(): 1}[params()] == 1
    with pytest.raises(ParameterError, match="window"):
        params(window=1)
    with pytest.raises(ParameterError, match="one of johansen"):
        params(method="pca")
    assert params().label == "AAA/BBB+CCC+DDD"
