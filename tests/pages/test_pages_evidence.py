"""The evidence page through AppTest: verdict, tests, every section, gates, emptiness, formats."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from desk.script_page import store, ticks_of
from streamlit.testing.v1 import AppTest

from analytics.bars import resample_ticks
from analytics.evidence.error_correction import error_correction
from analytics.evidence.momentum import MomentumTest, momentum_test
from analytics.evidence.regime_shift import shift_test
from analytics.evidence.validation import ValidationCase
from analytics.frames import utc_index
from analytics.outcome import NotEnough
from analytics.pair import NO_GATES, Gates, PairAnalytics, PairParams, analyse_pair
from analytics.stationarity import JohansenResult, wild_bootstrap_test
from ingest.files import read_ticks
from ingest.tick import Tick
from pages.charts.asynchrony_figure import correlation_figure, fitted, lead_lag_figure
from pages.charts.stability_figure import StabilitySeries, half_life_range, stability_figure
from pages.ui.desk import file_choice, method_controls
from pages.ui.evidence import charts, data, figures, giving_way, tables
from pages.ui.evidence import words as evidence_words
from pages.ui.parts import formats
from pages.ui.state import choices

LEGS = ("SYNAUSDT", "SYNBUSDT")
SAMPLE = {"mode": choices.FILE, "interval": "5s", "spread": "hedged"}


@pytest.fixture(scope="module")
def sample() -> PairAnalytics:
    """The bundled sample as the page analyses it."""
    ticks = read_ticks(file_choice.DATA_FOLDER / file_choice.SAMPLE_NAME)
    y, x = (resample_ticks(ticks[ticks["symbol"] == symbol], "5s") for symbol in LEGS)
    return analyse_pair(y, x, PairParams(*LEGS, interval="5s", spread="hedged"))


def run_page(project_root: Path, **query: str) -> AppTest:
    """Open the page as a link does."""
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "evidence.py"))
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def shown(page: AppTest) -> str:
    """All HTML of the page's body, without the style sheet."""
    bodies = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if "pd-" in body and "light-dark" not in body)


def said(page: AppTest) -> str:
    boxes = (*page.error, *page.info, *page.warning, *page.success)
    return "\n".join([box.value for box in boxes] + [caption.value for caption in page.caption])


def walks(seconds: int) -> tuple[list[Tick], list[Tick]]:
    return ticks_of("BTCUSDT", 60_000.0, seconds), ticks_of("ETHUSDT", 2_500.0, seconds, seed=6)


def test_a_link_opens_the_verdict_in_one_sentence_with_sample_and_coverage(project_root, database):
    page = run_page(project_root, **SAMPLE)
    body = shown(page)
    for words in (
        "SYNTHETIC",
        "shows mean reversion at 5 %: Engle-Granger p",
        "n = 1,438 bars",
        "100 % covered",
        "A plain ADF test would say",
        "The two orderings agree",
    ):
        assert words in body


def test_every_test_stands_with_its_null_and_its_verdict(project_root, database):
    body = shown(run_page(project_root, **SAMPLE))
    for name in ("ADF of the spread", "Engle-Granger, SYNAUSDT on SYNBUSDT",
                 "Engle-Granger, SYNBUSDT on SYNAUSDT", "Phillips-Perron", "Phillips-Ouliaris",
                 "Johansen trace, r ≤ 0", "Johansen maximum eigenvalue, r ≤ 0", "KPSS",
                 "Variance ratio", "Hurst exponent of the spread", "Half-life of the spread",
                 "no fixed ratio keeps them together", "Critical at 5 %"):  # fmt: skip
        assert name in body
    assert "Dickey &amp; Fuller (1979)" in body


def test_what_the_tests_look_at_is_named_and_a_filters_speed_is_no_test(sample):
    """Right p-values in place of a remark that each is too optimistic."""
    table = tables.tests_table(sample, more_tests(sample))
    assert "ADF of the spread" in table
    assert "Too optimistic" not in table
    assert "Speed of the filter" not in table
    y, x = sample.legs
    moving = analyse_pair(y, x, replace(sample.params, hedge="rolling_ols"))
    table = tables.tests_table(moving, more_tests(moving))
    assert "ADF of the residual of one line" in table
    assert "Speed of the filter" in table
    assert "None: this is no test" in table


def more_tests(result: PairAnalytics) -> data.SpreadTests:
    return data._spread_tests(result, "a test", result.params)


@pytest.mark.parametrize(
    ("pvalues", "words"),
    [
        ((0.001, 0.001, 0.001), "Phillips-Ouliaris (p 0.001) and Johansen (p 0.001) agree."),
        ((0.001, 0.001, 0.4), "Johansen (p 0.400) would not say so: take it as doubtful"),
        ((0.3, 0.01, 0.4), "Phillips-Ouliaris (p 0.010) would say cointegrated. Engle-Granger, "),
        ((0.3, 0.01, 0.02), "Phillips-Ouliaris (p 0.010) and Johansen (p 0.020) would say"),
    ],
)
def test_the_headline_is_reconciled_with_the_other_tests(sample, pvalues, words):
    first, second, third = pvalues
    more = more_tests(sample)
    assert isinstance(more.johansen, JohansenResult)
    stat = -9.0 if first < 0.05 else -1.0
    result = replace(
        sample, engle_granger=replace(sample.engle_granger, pvalue=first, stat=stat)
    )  # fmt: skip
    ouliaris = replace(more.phillips_ouliaris, pvalue=second)
    johansen = replace(more.johansen, max_eigen_pvalues=np.array([third, 0.9]))
    (said,) = evidence_words.other_tests(result, ouliaris, johansen)
    assert said.startswith(words)
    given = replace(result, params=replace(sample.params, spread="ratio"))
    assert evidence_words.other_tests(given, ouliaris, johansen) == []


def test_unproven_says_how_many_bars_would_tell(sample):
    test, slow = sample.engle_granger, replace(sample.half_life, half_life=100.0)
    unproven = replace(sample, engle_granger=replace(test, pvalue=0.3, stat=-1.0), half_life=slow)
    # 23.7 / (1 - 2^(-1/100)), by the power table.
    assert "100.0 bars, would be found in 80 % of samples of 3,432 bars" in " ".join(
        evidence_words.beside_headline(unproven)
    )
    (figure,) = [
        each
        for each in figures.main_figures(unproven, more_tests(sample))
        if each.label.startswith("Half-life")
    ]
    assert figure.value == "not shown"
    assert "Unproven" not in " ".join(evidence_words.beside_headline(sample))


def test_the_level_moves_the_critical_values_and_the_words(project_root, database):
    page = run_page(project_root, **SAMPLE, level="1")
    assert "at 1 %: Engle-Granger" in shown(page)
    assert "Critical at 1 %" in shown(page)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("Hedge ratios", ["Kalman filter", "Theil-Sen", "Not causal", "Causal: looks back",
                          "OLS through the origin", "95 % interval of β"]),
        ("Stability", ["Cointegrated in", "Break flag", "β over the windows", "Gregory-Hansen",
                       "−4.610", "this test adds no proof of one"]),
        ("Error correction", ["SYNAUSDT gives way, SYNBUSDT is not seen to at 5 %", "Permanent",
                              "of SYNAUSDT, last and first in the order", "Who moves first",
                              "Φ, two speeds", "no difference of speed shows"]),
        ("Trading together", ["Both legs traded in", "99.3 %", "Lead-lag ratio", "5min (5T)"]),
        ("Gates", ["Leg stale", "p above the level", "No gate that is on is closed"]),
    ],
)  # fmt: skip
def test_each_section_opens_by_its_name_in_the_url(project_root, database, section, words):
    body = shown(run_page(project_root, **SAMPLE, section=section))
    for each in words:
        assert each in body


def test_no_leg_gives_way_where_no_relation_is_shown(sample):
    """The loadings of unrelated walks are large too: no verdict and no share stands beside them."""
    test = replace(sample.engle_granger, pvalue=0.3, stat=-1.0)
    unrelated = replace(sample, engle_granger=test)
    y, x = sample.sample.y, sample.sample.x
    found = data.GivingWay(error_correction(y, x), momentum_test(y, x))
    lead = NotEnough("lead-lag", 50, 3)
    shown = giving_way.giving_figures(unrelated, found, lead)
    assert [each.value for each in shown[:3]] == ["not shown"] * 3
    table = giving_way.loadings_table(unrelated, found.correction)
    assert table.count("No verdict: Engle-Granger shows no relation") == 2
    assert "Gives way" not in table
    assert giving_way.giving_figures(sample, found, lead)[0].value == "SYNAUSDT"
    assert isinstance(found.momentum, MomentumTest)
    walk = replace(found.momentum, phi_pvalue=0.2, symmetry_pvalue=0.001)
    assert "No verdict: it is not shown" in giving_way.momentum_table(sample, walk)


def test_a_shift_is_spoken_of_only_where_engle_granger_finds_nothing(sample):
    shift = shift_test(sample.sample.y, sample.sample.x)
    (agree,) = giving_way.shift_remark(sample, [shift])
    assert "no proof of one" in agree
    test = replace(sample.engle_granger, pvalue=0.3, stat=-1.0)
    unrelated = replace(sample, engle_granger=test)
    (apart,) = giving_way.shift_remark(unrelated, [shift])
    assert "if the level shifted once, likeliest near 2025-01-06" in apart
    # Engle-Granger has more power where nothing shifts: its answer stands.
    assert giving_way.shift_remark(sample, [replace(shift, stat=-3.0)]) == [agree]
    (none,) = giving_way.shift_remark(unrelated, [replace(shift, stat=-3.0)])
    assert none == "No relation shows with a shift of the level either."


def test_too_few_bars_leave_the_reason_in_each_table(sample):
    lack = NotEnough("M-TAR of A and B", 50, 12)
    found = data.GivingWay(lack, lack)
    for table in (
        giving_way.loadings_table(sample, lack),
        giving_way.momentum_table(sample, lack),
        giving_way.shifts_table(sample, [lack]),
    ):
        assert "needs 50 bars, had 12" in table
    values = [each.value for each in giving_way.giving_figures(sample, found, lack)]
    assert values == [formats.NOT_KNOWN] * 4
    assert giving_way.remarks(sample, found) == []
    assert giving_way.shift_remark(sample, [lack]) == []


def test_a_section_nobody_knows_shows_the_tests(project_root, database):
    assert "Tests of the spread" in shown(run_page(project_root, **SAMPLE, section="nonsense"))


def test_prove_it_shows_where_it_cut_and_that_nothing_changed(project_root, database):
    page = run_page(project_root, mode=choices.FILE, interval="5s", section="Prove it")
    page.button(key="prove").click().run()
    assert not page.exception
    assert "past values changed when the future was cut off at 5 points" in said(page)
    body = shown(page)
    assert "Cut after the bars of 2025-01-06" in body
    assert "<td>z-score</td><td>0</td>" in body


def test_a_beta_that_looks_back_is_told_and_a_causal_one_named(project_root, database):
    page = run_page(project_root, **SAMPLE, section="Prove it")
    page.button(key="prove").click().run()
    assert "as said: the hedge ratio looks back" in said(page)
    assert "Rolling OLS, Expanding OLS, Kalman filter" in said(page)


def test_a_causal_beta_changes_nothing(project_root, database):
    page = run_page(project_root, **SAMPLE, hedge="rolling_ols", section="Prove it")
    page.button(key="prove").click().run()
    assert "nothing here looks ahead" in said(page)
    assert "<td>Hedge ratio β</td><td>0</td>" in shown(page)


def test_the_published_cases_are_computed_in_front_of_the_reader(project_root, database):
    page = run_page(project_root, **SAMPLE, section="Validation")
    assert "NIST StRD" not in shown(page)
    page.button(key="validate").click().run()
    assert "cases agree within their tolerance" in said(page)
    assert "NIST StRD, Norris (certified)" in shown(page)
    assert "✕ differs" not in shown(page)


def test_a_case_that_differs_is_marked_in_words_too():
    table = tables.validation_table([ValidationCase("slope", "a book", 1.0, 2.0, 0.1)])
    assert "✕ differs" in table


def test_too_few_bars_say_how_many_are_needed_and_had(project_root, database):
    store(database, *walks(13))
    for section in controls_sections():
        page = run_page(project_root, section=section)
        assert "no verdict yet" in shown(page)
        assert "needs 23 bars, had 12" in shown(page)
    assert "needs 50 bars, had 12" in said(run_page(project_root, section="Stability"))


def controls_sections() -> list[str]:
    return ["Tests", "Hedge ratios", "Stability", "Error correction", "Trading together", "Gates",
            "Prove it"]  # fmt: skip


def test_without_a_closed_bar_the_page_says_so(project_root, database):
    store(database, *walks(1))
    page = run_page(project_root)
    assert (
        "needs 60 bars, had 0: the database holds 0 bars of 1s of both legs. Nothing is recorded"
        in said(page)
    )


def test_without_a_database_there_is_a_cause_and_a_remedy(project_root, database):
    assert "bundled sample" in said(run_page(project_root))


def test_identical_legs_have_no_verdict_instead_of_the_best_one(project_root, database):
    leg = ticks_of("BTCUSDT", 60_000.0)
    twin = ticks_of("ETHUSDT", 60_000.0)
    store(database, leg, twin)
    body = shown(run_page(project_root, spread="hedged"))
    assert "has no verdict" in body
    assert "shows mean reversion" not in body


def test_a_gate_that_is_on_is_named_here_and_on_the_live_page(project_root, database):
    btc, eth = walks(300)
    store(database, btc, eth[:100] + eth[-1:])
    query = {"interval": "1s", "gate_enough_bars": "false"}
    page = run_page(project_root, **query, section="Gates")
    assert "The gate that speaks: " in shown(page)
    assert "Signal NEUTRAL" in shown(page)
    live = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    walk = ticks_of("SOLUSDT", 150.0, 300, seed=9)
    store(database, walk)
    for name, value in {"s1": "BTCUSDT", "s2": "SOLUSDT", "gate_pvalue": "true"}.items():
        live.query_params[name] = value
    live.run()
    assert not live.exception
    bodies = "\n".join(element.proto.body for element in live.get("html"))
    assert "p above the level: ADF p = " in bodies
    assert "without this gate" in bodies


def test_the_switches_make_the_gates(project_root, database):
    store(database, *walks(100))
    page = run_page(
        project_root, gate_leg_stale="false", gate_window_covered="false",
        gate_enough_bars="false", gate_half_life="true", section="Gates",
    )  # fmt: skip
    gates = [each for each in page.toggle if str(each.key).startswith("gate_")]
    assert {each.key: each.value for each in gates} == {
        "gate_leg_stale": False, "gate_window_covered": False, "gate_enough_bars": False,
        "gate_pvalue": False, "gate_half_life": True,
    }  # fmt: skip
    assert set(evidence_fields()) == {each.field for each in method_controls.GATE_SWITCHES}


def evidence_fields() -> list[str]:
    """Names of the gates' switches among the fields of `Gates`."""
    return [
        name for name in Gates.__dataclass_fields__ if isinstance(getattr(NO_GATES, name), bool)
    ]


def test_what_the_reader_chose_goes_along_from_page_to_page(project_root, database):
    store(database, *walks(200))
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    for name, value in {"interval": "5s", "spread": "log", "window": "20", "level": "10"}.items():
        page.query_params[name] = value
    page.run()
    page.switch_page(str(project_root / "pages" / "evidence.py")).run()
    assert not page.exception
    assert page.selectbox(key="interval").value == "5s"
    assert page.selectbox(key="spread").value == "log"
    assert page.number_input(key="window").value == 20
    assert "at 10 %" in shown(page)


def test_bars_stay_until_they_are_taken_anew(project_root, database):
    btc, eth = walks(200)
    store(database, btc[:150], eth[:150])
    page = run_page(project_root, section="Hedge ratios")
    assert "of 149 bars" in shown(page)
    store(database, btc[150:], eth[150:])
    page.run()
    assert "of 149 bars" in shown(page)
    page.button(key="recompute").click().run()
    assert "of 199 bars" in shown(page)


def test_thresholds_and_gates_cost_no_new_test():
    params = PairParams("A", "B")
    changed = replace(params, sell_above=3.0, buy_below=-3.0, level=0.01, gates=NO_GATES)
    assert data.tested(changed) == data.tested(params)
    assert data.tested(replace(params, window=20)) != data.tested(params)


def test_the_headline_names_the_test_that_fits_the_spread(sample):
    assert "Engle-Granger p" in evidence_words.headline(sample)
    given = replace(sample, params=replace(sample.params, spread="ratio"))
    assert "The price ratio of SYNAUSDT and SYNBUSDT" in evidence_words.headline(given)
    assert ": ADF p" in evidence_words.headline(given)


def stability_of(rows: int, missing: slice = slice(0, 0)) -> StabilitySeries:
    step = np.arange(rows, dtype=np.float64)
    waves = [np.sin(step / 5 + shift) + 2 for shift in range(5)]
    for wave in waves:
        wave[missing] = np.nan
    low, beta, high = np.sort(np.array(waves[:3]), axis=0)
    time_ms = 1.7e12 + step * 60_000
    return StabilitySeries(time_ms, beta, low, high, waves[3] / 10, waves[4], time_ms, waves[0])


def draw_stability(series: StabilitySeries) -> dict[str, Any]:
    figure = stability_figure(
        series, level=0.05, cusum_critical=1.1756, window=60, view_id="one view"
    )
    assert figure.layout.uirevision == "one view"
    return {trace.name: trace for trace in figure.data}


def test_the_stability_figure_draws_each_path_and_leaves_missing_stretches_open():
    series = stability_of(40, slice(10, 15))
    drawn = draw_stability(series)
    assert {"95 % band of β", "β", "p-value", "Level", "Half-life", "CUSUM",
            "CUSUM critical +1.1756", "CUSUM critical -1.1756"} == set(drawn)  # fmt: skip
    np.testing.assert_array_equal(drawn["β"].y, series.beta)
    assert np.isnan(drawn["β"].y[10:15]).all()
    assert drawn["β"].connectgaps is False
    # Two closed outlines, each ended by a break.
    assert int(np.isnan(drawn["95 % band of β"].y).sum()) == 2
    np.testing.assert_array_equal(drawn["Level"].y, [0.05, 0.05])


def test_the_stability_figure_draws_without_a_cusum():
    series = replace(stability_of(40), cusum_time_ms=np.empty(0), cusum=np.empty(0))
    assert "CUSUM critical +1.1756" not in draw_stability(series)


def test_a_half_life_near_a_unit_root_does_not_stretch_its_axis():
    assert half_life_range(np.array([3.0, np.nan, 9_000.0]), 60)[1] == pytest.approx(127.2)
    assert half_life_range(np.array([3.0, 10.0]), 60)[1] == pytest.approx(10.6)
    assert half_life_range(np.array([np.nan]), 60)[1] == pytest.approx(63.6)


def test_the_correlation_figure_has_room_for_its_intervals():
    low, mid, high = np.array([0.1, 0.3]), np.array([0.2, 0.5]), np.array([0.4, 0.6])
    figure = correlation_figure(["1s", "5s"], mid, low, high, view_id="v")
    (trace,) = figure.data
    assert trace.x == ("1s", "5s")
    np.testing.assert_allclose(trace.error_y.array, [0.2, 0.1])
    np.testing.assert_allclose(trace.error_y.arrayminus, [0.1, 0.2])
    bottom, top = figure.layout.yaxis.range
    assert bottom < 0.1
    assert top > 0.6
    assert fitted(np.array([np.nan])) == [-1.0, 1.0]


def test_the_lead_lag_figure_shows_what_noise_alone_gives():
    figure = lead_lag_figure(["0", "+1 s"], np.array([0.5, 0.1]), np.array([0.02, 0.03]),
                             view_id="v")  # fmt: skip
    noise, trace = figure.data
    assert trace.name == "Cross-correlation"
    np.testing.assert_allclose(noise.y, [0.06, 0.09, -0.09, -0.06])


@pytest.mark.parametrize(
    ("lag_s", "words"), [(0.0, "0"), (2.0, "+2 s"), (-0.5, "−0.5 s"), (10.0, "+10 s")]
)
def test_lags_carry_their_sign(lag_s, words):
    assert charts.lag_words(lag_s) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.00211681802045, "1.00211681802045"), (-2.5, "−2.5"), (float("nan"), "not a number")],
)
def test_numbers_to_compare_have_all_their_digits(value, words):
    assert tables.digits(value) == words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("z = -1.20, half-life of 5 bars", "z = −1.20, half-life of 5 bars"),
        ("Engle-Granger on 2025-01-06", "Engle-Granger on 2025-01-06"),
    ],
)
def test_only_numbers_get_a_minus_sign(words, expected):
    assert formats.with_minus(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("p above the level", "p above the level"), ("half-life longer", "Half-life longer"),
     ("z-score", "z-score"), ("a random walk", "A random walk")],
)  # fmt: skip
def test_a_label_begins_with_a_capital_but_a_letter_of_statistics_does_not(words, expected):
    assert formats.capital(words) == expected


def volatile_bars(log_close: np.ndarray) -> pd.DataFrame:
    columns = dict.fromkeys(("open", "high", "low", "close"), np.exp(log_close))
    return pd.DataFrame(
        {**columns, "volume": 1.0, "trades": 1, "coverage": "traded"},
        index=utc_index(np.arange(log_close.size) * 1_000_000),
    ).astype({"coverage": "str"})


def test_a_row_says_what_volatility_leaves_of_a_small_p():
    # Unrelated legs, four times as volatile in the last quarter: the table's p is 2.7 %.
    size = np.where(np.arange(600) < 450, 1e-3, 4e-3)
    y, x = (np.random.default_rng(22).normal(size=(2, 600)) * size).cumsum(axis=1) + 5.0
    result = analyse_pair(
        volatile_bars(y), volatile_bars(x), PairParams("AUSDT", "BUSDT", "1s", spread="log")
    )
    more = data._spread_tests(result, "volatile legs", result.params)
    table = re.sub(r"<[^>]*>", " ", tables.tests_table(result, more))
    rows = table.partition("Engle-Granger, AUSDT on BUSDT")[2]
    plain, _, wild = rows.partition("Engle-Granger, AUSDT on BUSDT, wild bootstrap")
    expected = wild_bootstrap_test(y, x).pvalue
    assert expected > 0.05
    assert "Cointegrated (p = 0.027, below 0.05)" in plain
    assert formats.pvalue(expected) in wild
    assert "No evidence of cointegration once volatility is allowed for" in wild
