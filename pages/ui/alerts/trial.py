"""What would it have told me: a rule that is not saved yet, run over the bars at hand."""

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st

from analytics.alerts import AlertRule, Sample, preview
from analytics.alerts.rule import READING_WHENS, TESTS_WHENS
from analytics.errors import NotEnoughDataError
from analytics.frames import utc_index
from analytics.pair import PairParams, PairTestsReading, read_each, read_tests
from ingest.watch import Watch, WatchedPair
from ingest.watch.evaluation.rounds import is_for_rules
from ingest.watch.pair_link import pair_key
from pages.ui.alerts import noise, verdict
from pages.ui.alerts.figure import HEIGHT_PX, AlertSeries, alert_figure
from pages.ui.alerts.noise import Legs
from pages.ui.alerts.pairs import pair_label, pairs_of
from pages.ui.alerts.verdict import Trial
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import pair_data
from pages.ui.parts import markup, plain
from pages.ui.parts.long_work import LongWork, Progress
from pages.ui.parts.notices import Notice
from pages.ui.state import clock

# A bar of an OLS line takes 0.4 ms, of a hedge ratio that follows its path 15.
MOST_BARS: Final = 7_200
MOST_SLOW_BARS: Final = 300
QUICK_HEDGES: Final = frozenset(("ols", "rolling_ols"))
TELL_EVERY: Final = 50
ASKED: Final = "trial_asked"
_WORK: Final = LongWork(
    "trial", "Trying the rule", "bars",
    Notice("The trial was cancelled", "Try it again, or save the rule as it is.", is_fault=False),
    "Try again", left_by=("rule_save", "rule_cancel"),
)  # fmt: skip


def show(watch: Watch, rule: AlertRule) -> None:
    """Ask for a pair, and show what the rule would have told of it."""
    if rule.when not in READING_WHENS | TESTS_WHENS:
        plain.caption(f"What would it have told me: {why_not(rule)}")
        return
    pairs = pairs_of(rule, watch.store.lists())
    if not pairs and rule.y and rule.x:
        pairs = [WatchedPair(rule.y, rule.x)]
    if not pairs:
        plain.caption("What would it have told me: watch a pair first, on the Watch page.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pair = st.selectbox(
            "On the bars of", pairs, key="trial_pair", format_func=pair_label, width=400
        )
        tried = what_counts(rule)
        if st.button("What would it have told me", key="trial_try"):
            st.session_state[ASKED] = (tried, pair, time.time_ns())
    asked = st.session_state.get(ASKED)
    if asked is not None and asked[:2] == (tried, pair):
        _show_run(watch, tried, pair, asked)


def why_not(rule: AlertRule) -> str:
    """Say why a rule cannot be tried on bars."""
    if rule.when in {"stale", "gap"}:
        return (
            "not to be tried. This rule goes by the clock, each second, and closed bars do not say "
            "when a trade came in or a gap was repaired."
        )
    return "not to be tried. What this rule looks at is in no bar, and no past of it is kept."


def what_counts(rule: AlertRule) -> AlertRule:
    """Leave of a rule what decides when it fires on a pair."""
    return replace(
        rule, name="", list=None, y=None, x=None, channels=(), message=None, enabled=True,
        expires_us=None,
    )  # fmt: skip


def _show_run(watch: Watch, rule: AlertRule, pair: WatchedPair, asked: Hashable) -> None:
    """Show the run over the bars that there were when it was asked for."""

    def work(progress: Progress) -> Trial:
        bars = pair_data.read_pair(watch.settings.db, reaching_back(pair))
        return run(bars.closed.legs, rule, pair, progress)

    trial = _WORK.run(asked, work)
    if trial is not None:
        markup.show(markup.block(markup.paragraphs(verdict.lines(trial, pair))))
        _draw(trial, rule)


def reaching_back(pair: WatchedPair) -> PairParams:
    """Give the pair's settings with a range that holds the bars that are tried as well."""
    return replace(pair.params, lookback=(pair.params.lookback or 0) + most_bars(pair))


def most_bars(pair: WatchedPair) -> int:
    """Bars that can be tried while the reader waits."""
    return MOST_BARS if pair.hedge in QUICK_HEDGES else MOST_SLOW_BARS


def run(legs: Legs, rule: AlertRule, pair: WatchedPair, progress: Progress) -> Trial:
    """Run a rule over bars, with the figures as they were known at each, and over noise.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the pair's settings ask for.
    """
    samples = _samples(legs, rule, pair, lambda done, bars: progress(done, 2 * bars))
    walks = noise.unrelated_walks(legs)
    on_noise = _samples(walks, rule, pair, lambda done, bars: progress(bars + done, 2 * bars))
    readings = [each.reading for each in samples if each.reading is not None]
    return Trial(
        preview(rule, samples, pair.params.spread),
        preview(rule, on_noise[-len(samples) :], pair.params.spread),
        np.array([each.time_us for each in readings], dtype=np.int64),
        np.array([each.zscore for each in readings], dtype=np.float64),
    )


def _samples(
    legs: Legs, rule: AlertRule, pair: WatchedPair, progress: Callable[[int, int], None]
) -> list[Sample]:
    params, key = pair.params, pair_key(pair.params)
    count = min(most_bars(pair), *(len(leg.close) for leg in legs))
    samples: list[Sample] = []
    for reading in read_each(legs, params, count):
        bar_us, step_us = reading.time_us, params.bar.us
        is_tested = rule.when in TESTS_WHENS and is_for_rules(key, bar_us, step_us)
        tests = _tests_at(legs, params, bar_us) if is_tested else None
        samples.append(Sample(bar_us, step_us, reading, tests))
        if len(samples) % TELL_EVERY == 0:
            progress(len(samples), count)
    return samples


def _tests_at(legs: Legs, params: PairParams, bar_us: int) -> PairTestsReading | None:
    """Test a pair as it was at a bar, at the bars that live rules look at; None of too few bars."""
    y, x = (leg.part(0, (bar_us - leg.start_us) // leg.step_us + 1) for leg in legs)
    try:
        return read_tests((y, x), params)
    except NotEnoughDataError:
        return None


def _draw(trial: Trial, rule: AlertRule) -> None:
    if not len(trial.times_us):
        return
    index = utc_index(trial.times_us)
    live_chart(
        alert_figure(series_of(trial, rule), zone=clock.even_label(index), view_id="trial"),
        key="trial_chart", label="z-score with the alerts of the rule", height_px=HEIGHT_PX,
    )  # fmt: skip


def series_of(trial: Trial, rule: AlertRule) -> AlertSeries:
    """Place the path of z, and the marks on it, on the reader's axis."""
    fired = trial.preview.fired
    over = [each for each in trial.preview.events if each.event == "resolved"]
    index = utc_index(trial.times_us)
    end = index[-1] if len(index) else None
    marks = [
        (
            clock.even_ms(utc_index(np.array([each.bar_us for each in events], np.int64)), end),
            np.array([each.zscore for each in events], np.float64),
        )
        for events in (fired, over)
    ]
    both = {"outside", "inside"}
    levels = (rule.level, -rule.level) if rule.crosses in both else (rule.level,)
    return AlertSeries(
        clock.even_ms(index), trial.zscore, *marks[0], *marks[1],
        levels if rule.when == "zscore" else (),
    )  # fmt: skip
