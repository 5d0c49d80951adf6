"""What a rule would have told: run over stored bars, in words, on the chart, beside noise."""

from dataclasses import replace

import numpy as np
import pytest
from desk.script_page import START_US, store, ticks_of

from analytics.alerts import AlertRule, Sample, preview
from analytics.pair import analyse_pair, read_tests
from ingest.watch import WatchedPair, WatchList
from ingest.watch.evaluation.rounds import is_for_rules
from ingest.watch.pair_link import pair_key
from pages.ui.alerts import noise, pairs, trial, verdict
from pages.ui.alerts.figure import alert_figure
from pages.ui.alerts.verdict import Trial
from pages.ui.desk import pair_data

SECONDS = 400
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=30, lookback_s=300)
RULE = AlertRule("wide", level=1.5, rearm=0.5, tells_resolved=True)


@pytest.fixture
def legs(database) -> noise.Legs:
    """Both legs of a walk that is stored."""
    store(
        database, ticks_of("ETHUSDT", 2_500.0, SECONDS), ticks_of("BTCUSDT", 60_000.0, SECONDS, 6)
    )
    return pair_data.read_pair(database, trial.reaching_back(PAIR)).closed.legs


@pytest.fixture
def tried(legs) -> Trial:
    return trial.run(legs, RULE, PAIR, lambda *_: None)


def test_it_fires_where_z_as_it_was_known_then_crosses(legs, tried):
    z = np.where(np.isfinite(tried.zscore), tried.zscore, 0.0)
    fired, is_armed = [], True
    for time_us, value in zip(tried.times_us.tolist(), z, strict=True):
        if is_armed and abs(value) >= RULE.level:
            fired.append(time_us)
            is_armed = False
        elif abs(value) < 0.5:
            is_armed = True
    assert len(fired) > 2
    assert [each.bar_us for each in tried.preview.fired] == fired
    y, x = legs
    newest = analyse_pair(y, x, PAIR.params).zscore
    assert tried.zscore[-1] == pytest.approx(np.asarray(newest)[-1], abs=1e-9)


def test_what_the_rule_is_called_and_sent_by_counts_for_nothing():
    other = replace(RULE, name="b", list="majors", channels=("desk",), message="{z}", enabled=False)
    assert trial.what_counts(other) == trial.what_counts(RULE)
    assert trial.what_counts(replace(RULE, level=1.6)) != trial.what_counts(RULE)


def test_progress_counts_both_runs_and_ends(legs):
    told: list[tuple[int, int]] = []
    trial.run(legs, RULE, PAIR, lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert all(0 < done <= steps for done, steps in told)
    assert told[-1][0] > told[-1][1] // 2


def test_the_verdict_says_how_often_how_soon_and_beside_it_what_noise_gives(tried):
    first, over_noise, back, moved, went = verdict.lines(tried, PAIR)
    fired = len(tried.preview.fired)
    assert first.startswith(f"It would have fired {fired} times in {tried.preview.bars} bars of 1s")
    assert f"fires {len(tried.noise.fired)} time" in over_noise
    assert f"back to the mean after {tried.preview.back_at_mean} of {fired}" in back
    soon = tried.preview.median_bars_to_rearm
    assert f"after {tried.preview.back_at_rearm}, half of these within {soon:.0f} bars." in back
    is_right = tried.preview.median_favour > 0
    assert ("the right way" in moved) is is_right
    assert "USDT" in went


def test_a_rule_that_never_fires_has_no_aftermath(legs):
    never = trial.run(legs, replace(RULE, level=50.0), PAIR, lambda *_: None)
    said = verdict.lines(never, PAIR)
    assert said[0].startswith("It would have fired 0 times")
    assert len(said) == 2


def test_no_bars_are_said():
    empty = preview(RULE, [])
    none = np.array([], dtype=np.int64)
    assert "No closed bar" in verdict.lines(Trial(empty, empty, none, none.astype(float)), PAIR)[0]


def test_the_figure_marks_each_alert_and_the_levels(tried):
    series = trial.series_of(tried, RULE)
    figure = alert_figure(series, zone="UTC", view_id="v")
    by_name = {trace.name: trace for trace in figure.data}
    assert len(by_name["Fired"].x) == len(tried.preview.fired)
    assert len(by_name["Over"].x) == sum(each.event == "resolved" for each in tried.preview.events)
    assert {"Level 1.5", "Level −1.5"} <= set(by_name)
    correlated = replace(RULE, when="correlation", crosses="below", level=0.2, rearm=None)
    assert trial.series_of(tried, correlated).levels == ()


def test_noise_has_steps_as_large_and_nothing_in_common(legs):
    y, x = noise.unrelated_walks(legs)
    for walk, leg in zip((y, x), legs, strict=True):
        assert len(walk.close) == len(leg.close)
        steps = [np.diff(np.log(each.close)) for each in (walk, leg)]
        assert np.nanstd(steps[0]) == pytest.approx(np.nanstd(steps[1]), rel=0.2)
    common = np.corrcoef(np.diff(np.log(y.close)), np.diff(np.log(x.close)))[0, 1]
    assert abs(common) < 4 / np.sqrt(len(y.close))
    again = noise.unrelated_walks(legs)
    assert np.array_equal(again[0].close, y.close)


def test_a_rule_is_tried_on_the_pairs_it_looks_at(database):
    other = WatchedPair("SOLUSDT", "BTCUSDT")
    lists = [WatchList("a", (PAIR, other)), WatchList("b", (replace(PAIR, group="again"),))]
    assert pairs.pairs_of(AlertRule("r"), lists) == [replace(PAIR, group="again"), other]
    assert pairs.pairs_of(AlertRule("r", list="a"), lists) == [PAIR, other]
    assert pairs.pairs_of(AlertRule("r", y="SOLUSDT", x="BTCUSDT"), lists) == [other]
    assert pairs.pairs_of(AlertRule("r", list="none"), lists) == []


def test_the_samples_are_of_the_bars_at_hand(legs, tried):
    assert tried.preview.first_us >= START_US
    assert tried.preview.bars == len(tried.times_us)
    assert isinstance(trial._samples(legs, RULE, PAIR, lambda *_: None)[0], Sample)


def test_rules_of_tests_are_tried_at_the_bars_that_live_rules_look_at(legs):
    rule = AlertRule("p", when="pvalue", crosses="below", level=0.5)
    samples = trial._samples(legs, rule, PAIR, lambda *_: None)
    key, step_us = pair_key(PAIR.params), PAIR.params.bar.us
    wanted = [each.bar_us for each in samples if is_for_rules(key, each.bar_us, step_us)]
    tested = [each.tests for each in samples if each.tests is not None]
    assert [each.time_us for each in tested] == wanted
    assert [each.bar_us for each in samples if each.tests is not None] == wanted
    assert len(tested) >= 8
    y, x = (leg.part(0, (wanted[5] - leg.start_us) // leg.step_us + 1) for leg in legs)
    assert tested[5] == read_tests((y, x), PAIR.params)
    known = [each for each in tested if np.isfinite(each.pvalue)]
    level = max(each.pvalue for each in known)
    told = trial.run(legs, replace(rule, level=level), PAIR, lambda *_: None)
    assert told.preview.fired[0].bar_us == known[0].time_us
    assert verdict.lines(told, PAIR)[0].startswith("It would have fired")


def test_what_cannot_be_tried_says_why():
    assert "by the clock" in trial.why_not(AlertRule("s", when="stale", crosses="above", level=9.0))
    assert "in no bar" in trial.why_not(AlertRule("d", when="disk", crosses="below", level=9.0))


def test_a_level_far_off_leaves_the_path_of_z_in_sight(tried):
    near = alert_figure(trial.series_of(tried, RULE), zone="UTC", view_id="a")
    far = alert_figure(trial.series_of(tried, replace(RULE, level=1e9)), zone="UTC", view_id="a")
    assert near.layout.yaxis.range is None
    low, high = far.layout.yaxis.range
    known = tried.zscore[np.isfinite(tried.zscore)]
    assert low < known.min() < known.max() < high < 20


def test_the_interval_is_said_as_the_pages_choose_it(tried):
    assert "(1S)" not in verdict.lines(tried, PAIR)[0] + pairs.pair_label(PAIR)
