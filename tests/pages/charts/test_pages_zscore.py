"""What z says, on Evidence and Live: figures, tables and sentences."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from desk.script_page import shown, store, ticks_of
from streamlit.testing.v1 import AppTest

from analytics.bars import resample_ticks
from analytics.evidence.zscore_forecast import ZscoreForecast
from analytics.evidence.zscore_study import ZscoreStudy, zscore_study
from analytics.outcome import NotEnough
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from ingest.files import read_ticks
from pages.charts.zscore_figure import ZscoreChanges, ZscoreShares, change_figure, zscore_figure
from pages.ui.desk import file_choice
from pages.ui.evidence import zscore
from pages.ui.parts import zscore_words

LEGS = ("SYNAUSDT", "SYNBUSDT")


@pytest.fixture(scope="module")
def sample() -> PairAnalytics:
    """The bundled sample as the page analyses it."""
    ticks = read_ticks(file_choice.DATA_FOLDER / file_choice.SAMPLE_NAME)
    y, x = (resample_ticks(ticks[ticks["symbol"] == symbol], "5s") for symbol in LEGS)
    return analyse_pair(y, x, PairParams(*LEGS, interval="5s", spread="hedged"))


@pytest.fixture(scope="module")
def study(sample) -> ZscoreStudy:
    return zscore_study(sample)


def test_evidence_sets_the_pair_beside_what_was_fitted_and_walks(sample, study):
    shares = zscore.shares_table(study.distribution)
    forecast = zscore.forecast_table(study.forecast, sample)
    assert shares is not None
    assert forecast is not None
    for words in ("This pair", "Fitted autoregression", "A walk", "Above", "Below"):
        assert words in shares
    for words in ("Median of 399 walks", "From a large z the spread comes back in the next",
                  "Slope a unit of z (USDT)", " ± "):  # fmt: skip
        assert words in forecast


def test_whatever_draws_the_spread_the_forecast_is_by_one_line(sample, study):
    """A β that follows the bars would come back to them by itself."""
    y, x = sample.legs
    rolling = zscore_study(analyse_pair(y, x, replace(sample.params, hedge="rolling_ols")))
    assert isinstance(rolling.forecast, ZscoreForecast)
    assert isinstance(study.forecast, ZscoreForecast)
    assert rolling.forecast.slope == study.forecast.slope
    assert zscore.shares_table(rolling.distribution) != zscore.shares_table(study.distribution)


def test_the_sentences_say_how_often_and_what_is_foretold(sample, study):
    often, foretells = zscore_words.sentences(study, sample.params)
    assert often.startswith("Of 1,381 bars z is above +2 and below 0 in 3.3 and 51.8 %; for the ")
    assert ", for a walk " in often
    lower = zscore_words.sentences(study, replace(sample.params, buy_below=-2.0))[0]
    assert " and below −2 in " in lower
    assert "β and horizon were fitted on." in foretells
    given = replace(sample.params, spread="ratio")
    assert "the horizon was fitted on." in zscore_words.sentences(study, given)[1]
    nothing = replace(study, forecast=replace(study.forecast, pvalue=0.4))
    assert "would not say of a walk: p 0.400" in zscore_words.sentences(nothing, sample.params)[1]


def test_what_is_lacking_is_said_in_place_of_a_table(sample):
    lack = NotEnough("z-score forecast of A", 110, 42)
    assert zscore.shares_table(lack) is None
    assert zscore.forecast_table(lack, sample) is None
    words = zscore_words.sentences(ZscoreStudy(lack, lack), sample.params)
    assert words == ["z-score forecast of A needs 110 bars, had 42."] * 2


def run(project_root, page_name: str, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / page_name))
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def test_the_section_opens_and_live_says_it_under_the_residuals(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0), ticks_of("ETHUSDT", 2_500.0, seed=6))
    evidence = run(project_root, "evidence.py", spread="hedged", section="What z says")
    assert "z beyond the thresholds" in shown(evidence)
    assert "Median of 399 walks" in shown(evidence)
    live = run(project_root, "live.py", spread="hedged", tab="Residuals")
    captions = [each.value for each in live.caption]
    assert any(" z is above +2 and below 0 in " in words for words in captions)


def test_too_few_bars_are_said_in_the_section(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0, 90), ticks_of("ETHUSDT", 2_500.0, 90, seed=6))
    page = run(project_root, "evidence.py", section="What z says")
    assert any("needs 110 bars, had 89" in box.value for box in page.info)


def test_the_histogram_leaves_out_a_walk_that_is_not_known():
    edges = np.linspace(-3.0, 3.0, 11)
    share, unknown = np.full(10, 0.1), np.full(10, np.nan)
    draw = partial(zscore_figure, sell_above=2.0, buy_below=0.0, fitted="Fitted", view_id="v")
    figure = draw(ZscoreShares(edges, share, share, 2 * share))
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn) == ["This pair", "Fitted", "A walk", "Sell above", "Buy below"]
    assert list(drawn["Sell above"].x) == [2.0, 2.0]
    assert figure.layout.yaxis.range[1] > 20
    filtered = draw(ZscoreShares(edges, share, share, unknown))
    assert "A walk" not in {trace.name for trace in filtered.data}
    assert 10 < filtered.layout.yaxis.range[1] < 20


def test_both_slopes_go_through_the_middle_of_the_groups():
    z, change = np.array([-2.0, 0.0, 2.0]), np.array([3.0, 1.0, -1.0])
    series = ZscoreChanges(z, change, slope=-1.0, walk_slope=-0.25)
    figure = change_figure(series, horizon="12 bars", unit="USDT", view_id="v")
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["Slope found"].y) == [3.0, -1.0]
    assert list(drawn["Slope of a walk"].y) == [1.5, 0.5]
    assert figure.layout.yaxis.title.text == "Change in the next 12 bars (USDT)"
