"""The factors page: recorded symbols and files, what it says beside luck, emptiness, downloads."""

import io
import re
import time
from html import unescape
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from desk.script_page import START_US, said, shown, store, write_ndjson
from msgspec import structs
from streamlit.testing.v1 import AppTest

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.factors import FactorScores, factor_scores
from ingest.tick import Tick
from pages.charts.factor_figures import eigenvalue_figure
from pages.ui.desk import header
from pages.ui.factors import body, data, run, words
from pages.ui.factors import settings as factor_settings
from pages.ui.factors.settings import COUNTS, FactorSettings
from pages.ui.factors.table import half_life, symbols_table
from pages.ui.parts import formats
from pages.ui.state.page_choices import PAGE_CHOICES


def legs(symbols: int, seconds: int = 200, returning: bool = False) -> list[list[Tick]]:
    """Ticks of symbols that share a factor, a trade a second each; the first may return to it."""
    rng = np.random.default_rng(8)
    market = rng.normal(0, 2e-3, seconds).cumsum()
    own = rng.normal(0, 1e-4, (symbols, seconds)).cumsum(axis=1)
    if returning:
        own[1:] *= 0.3
        own[0] = rng.normal(0, 6e-4, seconds)
        for at in range(1, seconds):
            own[0, at] += 0.4 * own[0, at - 1]
    prices = 1_000 * np.exp(market + own)
    return [
        [
            Tick(
                "spot", f"{'ABCDEFGHIJ'[row]}USDT", "aggTrade", at + 1, float(round(price, 4)), 0.5,
                START_US + at * 1_000_000, START_US + at * 1_000_000 + 900, False,
            )
            for at, price in enumerate(path)
        ]
        for row, path in enumerate(prices.tolist())
    ]  # fmt: skip


def run_factors(project_root: Path, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=60)
    page.switch_page(str(project_root / "pages" / "factors.py"))
    for name, value in {"factors_interval": "1s", **query}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def text_of(page: AppTest) -> str:
    return unescape(shown(page))


def scores_of(ticks: list[list[Tick]], **options: int) -> FactorScores:
    closes = {leg[0].symbol: [tick.price for tick in leg] for leg in ticks}
    return factor_scores(pd.DataFrame(closes).iloc[: seconds_shown(len(ticks[0]))], **options)


def seconds_shown(seconds: int) -> int:
    """Seconds from the first trade to the latest state, which is one of a round half minute."""
    return seconds - 1 - (START_US // 1_000_000 + seconds - 1) % 30


def test_recorded_symbols_are_scored_from_their_closed_bars(project_root, database):
    ticks = legs(5)
    store(database, *ticks)
    found = text_of(run_factors(project_root))
    expected = scores_of(ticks, window=120)
    assert words.headline(expected) in found
    assert "189 of 189 returns of 1s (1S) known to all 5 symbols" in found
    assert "regressions on the last 120" in found
    rows = re.findall(r"<tr><td>([A-Z]+USDT)</td><td>([^<]+)</td>", found)
    assert [name for name, _ in rows] == expected.table["symbol"].tolist()


def test_what_the_rules_pick_stands_beside_what_they_pick_of_nothing(project_root, database):
    ticks = legs(5)
    store(database, *ticks)
    found = text_of(run_factors(project_root))
    white = scores_of(ticks, window=120).white
    assert f"with nothing to return to: {white.passing:.1f}" in found
    assert "None of 5 residuals returns by more than luck would give" in found
    assert "✓ shown" not in found
    assert "No return is shown" in found


def test_a_residual_that_returns_is_said_to(project_root, database):
    store(database, *legs(8, 400, returning=True))
    found = text_of(run_factors(project_root, factors_window="300"))
    assert "1 of 8 residuals returns by more than luck would give (q below 5 %)" in found
    assert found.count("✓ shown") == 1


def test_the_factors_their_weights_and_their_edges(project_root, database):
    store(database, *legs(6))
    page = run_factors(project_root, factors_view="Factors", factors_count="2")
    found = text_of(page)
    assert "Weights of the factors" in found
    assert "Factor 2" in found
    assert "the 2 taken out" in found


def test_a_symbol_that_is_chosen_has_its_own_words(project_root, database):
    store(database, *legs(5))
    page = run_factors(project_root)
    page.selectbox(key="factors_symbol").select("CUSDT").run()
    assert not page.exception
    assert page.run().selectbox(key="factors_symbol").value == "CUSDT"
    assert "1,000.0" not in text_of(page)  # its own part of the factor is netted
    assert "Buying 1,000 USDT of CUSDT against its factors: buy" in text_of(page)


@pytest.mark.parametrize(("symbols", "what"), [(1, "holds 1 symbol"), (2, "hold 2 symbols")])
def test_fewer_than_three_symbols_say_what_to_do(project_root, database, symbols, what):
    store(database, *legs(symbols))
    notice = said(run_factors(project_root))
    assert "factors need 3 or more" in notice
    assert what.split(" ", 1)[1] in notice


def test_without_a_database_there_is_a_notice(project_root, database):
    assert "no database" in said(run_factors(project_root)).lower()


def test_too_few_bars_say_how_many_and_what_to_do(project_root, database):
    store(database, *legs(4, seconds=80))
    notice = said(run_factors(project_root))
    assert "A window of 120 returns known to 4 symbols needs 120 returns, had 69" in notice
    assert "shorter window" in notice


def test_more_factors_than_symbols_allow_say_so(project_root, database):
    store(database, *legs(4))
    assert "5 factors are too many: 1 to 2" in said(run_factors(project_root, factors_count="5"))


def test_files_of_ticks_are_scored_as_well(project_root, database, data_folder):
    ticks = legs(4)
    write_ndjson(data_folder / "four.ndjson", *ticks)
    page = run_factors(project_root, factors_source=factor_settings.TICKS)
    assert "four.ndjson" in text_of(page)
    assert "known to all 4 symbols" in text_of(page)
    page.multiselect(key="factors_files").set_value([]).run()
    assert "No tick file chosen yet" in said(page)


def test_bars_of_the_database_are_those_of_its_reader(database):
    ticks = legs(3)
    store(database, *ticks)
    asked = FactorSettings("5s", "1h", 30, "1", ("AUSDT", "BUSDT", "CUSDT"))
    newest_us = data.newest_bar_us(database, asked)
    assert newest_us == START_US + 190_000_000
    material = data.of_database(database, asked, newest_us)
    closes = [[leg[at].price for leg in ticks] for at in range(4, 190, 5)]
    assert material.closes.to_numpy().tolist() == closes
    assert material.closes.index[0] == pd.Timestamp(START_US, unit="us", tz="UTC")


def test_a_state_is_scored_once_in_half_a_minute_and_its_age_is_said(project_root, database):
    ticks = legs(4)
    store(database, *(leg[:185] for leg in ticks))
    page = run_factors(project_root)
    first = re.search(r"[\d,]+ of [\d,]+ returns", text_of(page))
    store(database, *(leg[185:189] for leg in ticks))
    again = re.search(r"[\d,]+ of [\d,]+ returns", text_of(page.run()))
    assert first is not None
    assert again is not None
    assert first[0] == again[0]
    store(database, *(leg[189:] for leg in ticks))
    found = text_of(page.run())
    assert "189 of 189 returns" in found
    age_s = time.time() - (START_US / 1e6 + 190)
    assert f"The last bar ended {formats.age(age_s)} ago" in re.sub(r"<[^>]+>", "", found)


def test_a_symbol_that_ended_is_named_and_the_span_is_that_of_what_is_shown(project_root, database):
    ticks = legs(5)
    ticks[2] = ticks[2][:160]
    ticks[3] = ticks[3][:185]
    store(database, *ticks)
    found = text_of(run_factors(project_root, factors_window="60"))
    assert "CUSDT takes no part: its last return is 30 bars before the last of all" in found
    end = pd.Timestamp(START_US + 185_000_000, unit="us", tz="UTC")
    assert f"to {formats.clock(end)}; 184 of 189 returns" in found
    assert "Not all symbols know the 5 bars since" in found


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_window_in_which_nothing_moves_says_so_in_a_line(project_root, database, count):
    ticks = legs(4)
    for leg in ticks[int(count) - 1 :]:
        leg[140:] = [structs.replace(tick, price=leg[140].price) for tick in leg[140:]]
    store(database, *ticks)
    notice = said(run_factors(project_root, factors_window="30", factors_count=count))
    assert "too few symbols move in these bars to tell the factors apart" in notice
    assert "Choose a longer window" in notice


def test_the_page_looks_again_while_there_are_too_few_symbols(project_root, database):
    store(database, *legs(2))
    assert timers(run_factors(project_root)) == 1


def timers(page: AppTest) -> int:
    return sum(
        "autorefresh" in each.proto.component_name for each in page.get("component_instance")
    )


def test_what_is_priced_in_different_money_is_not_traded_against_each_other():
    ticks = legs(4)
    ticks[2] = [structs.replace(tick, symbol="ETHBTC") for tick in ticks[2]]
    scores = scores_of(ticks, window=120)
    for symbol in ("ETHBTC", "AUSDT"):
        said_ = words.trade_words(scores, symbol)
        assert "AUSDT is priced in USDT, ETHBTC in BTC: no common money" in said_
        assert "1,000" not in said_


@pytest.mark.parametrize(
    ("window", "share"),
    [(30, "fewer than a quarter"), (120, "about a third"), (180, "about a third")],
)
def test_what_p_finds_is_said_by_the_window(window, share):
    figures = words.figures(scores_of(legs(4), window=window))
    assert f"p finds {share} of the returns" in str(figures[-1].notes)


def test_another_file_at_the_same_place_is_scored_anew(database):
    asked = FactorSettings("5s", "1h", 30, "1", ("AUSDT", "BUSDT", "CUSDT"))
    store(database, *legs(3))
    first = data.of_database(database, asked, START_US + 190_000_000)
    database.rename(database.with_name("other.db"))
    store(database, *legs(3))
    again = data.of_database(database, asked, START_US + 190_000_000)
    assert first.key != again.key


def test_a_replay_made_by_a_script_is_named_and_marked(project_root, database, monkeypatch):
    monkeypatch.setattr(header.Desk, "source", "Replay")
    monkeypatch.setattr(header.Desk, "is_synthetic", True)
    store(database, *legs(4))
    found = text_of(run_factors(project_root))
    assert re.search(r">Factors</h\d>.*Replay.*SYNTHETIC", found)
    asked = FactorSettings("1s", "1h", 60, "1", ("AUSDT", "BUSDT", "CUSDT", "DUSDT"))
    material = data.live_material(
        database, asked, START_US + 190_000_000, "Replay", is_synthetic=True
    )
    result = run.run(material, asked)
    assert isinstance(result, run.FactorResult)
    assert body.file_name(result, "factors") == "factors_1s_4symbols_synthetic.csv"


def test_symbols_of_a_foreign_database_are_text(project_root, database):
    tag = "<a href=x>t</a>"
    renamed = [[structs.replace(tick, symbol=tag + tick.symbol) for tick in leg] for leg in legs(4)]
    store(database, *renamed)
    page = run_factors(project_root)
    assert "known to all 4 symbols" in shown(page)
    assert "<a href=x>" not in shown(page)
    assert "&lt;a href=x&gt;t" in shown(page)
    drawn = [each.proto.bytes for each in page.get("bidi_component")
             if each.proto.component_name.endswith("live_chart")]  # fmt: skip
    assert drawn
    assert all("<a" not in str(orjson.loads(sent)["figure"]) for sent in drawn)


def test_what_is_bought_and_sold_has_no_factor_left():
    scores = scores_of(legs(6), window=120, factors=2)
    amounts = dict(words.trade(scores, "BUSDT"))
    row = words.row_of(scores, "BUSDT")
    hedge = pd.Series(amounts)[list(scores.names)].to_numpy()
    unit = np.array([float(name == "BUSDT") for name in scores.names])
    np.testing.assert_allclose(
        unit - hedge, scores.weights @ [row["beta_1"], row["beta_2"]], atol=1e-12
    )
    sizes = [abs(amount) for _, amount in words.trade(scores, "BUSDT")]
    assert sizes == sorted(sizes, reverse=True)


def test_downloads_hold_every_digit_and_every_symbol():
    scores = scores_of(legs(5), window=120)
    frame = pd.read_csv(io.BytesIO(body.weights(scores).to_csv(index=False).encode()))
    np.testing.assert_array_equal(frame["factor_1"], scores.weights[:, 0])
    assert frame["symbol"].tolist() == list(scores.names)


def test_a_table_marks_a_return_only_where_it_is_shown():
    scores = scores_of(legs(8, 400, returning=True), window=300)
    html = str(symbols_table(scores))
    assert html.count("✓ shown") == int((scores.table["qvalue"] < 0.05).sum()) == 1
    assert half_life(float("inf")) == words.NO_RETURN
    assert half_life(0.0) == "< 1"


def test_an_eigenvalue_figure_has_its_edges():
    figure = eigenvalue_figure(np.array([4.0, 1.0, 0.5]), 1.8, np.array([1.9, 0.6]), 1)
    bars, edge, flipped = figure.data
    assert bars.y.tolist() == [4.0, 1.0, 0.5]
    assert list(edge.y) == [1.8, 1.8]
    assert flipped.y.tolist() == [1.9, 0.6]


def test_refusals_name_what_was_had():
    error = ParameterError("factors", 5, "1 to 2 of so many symbols and bars")
    assert words.too_many_factors(error).text.startswith("5 factors are too many: 1 to 2")
    lack = NotEnoughDataError("factors", 3, 1, "symbols that move in the same bars")
    remedy = words.too_little(lack).text
    assert "shorter sample" in remedy
    assert "Record more symbols" in remedy


def test_the_address_takes_what_the_page_offers():
    assert PAGE_CHOICES["factors_count"].options == tuple(COUNTS)
    assert PAGE_CHOICES["factors_source"].options == factor_settings.SOURCES
    assert PAGE_CHOICES["factors_view"].options == body.VIEWS
