"""What would it have told me: a rule that is not saved yet, run over the bars at hand."""

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

import numpy as np
import streamlit as st

from analytics.alerts import AlertRule, Sample, preview
from analytics.alerts.rule import READING_WHENS
from analytics.frames import utc_index
from analytics.pair import PairParams, read_each
from ingest.watch import Watch, WatchedPair
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
    "Try again",
)  # fmt: skip


def show(watch: Watch, rule: AlertRule) -> None:
    """Ask for a pair, and show what the rule would have told of it."""
    if rule.when not in READING_WHENS:
        plain.caption(
            "What would it have told me: rules of z, signal, correlation and β can be tried on the "
            "bars at hand."
        )
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
    samples = _samples(legs, pair, lambda done, bars: progress(done, 2 * bars))
    walks = noise.unrelated_walks(legs)
    on_noise = _samples(walks, pair, lambda done, bars: progress(bars + done, 2 * bars))
    readings = [each.reading for each in samples if each.reading is not None]
    return Trial(
        preview(rule, samples, pair.params.spread),
        preview(rule, on_noise[-len(samples) :], pair.params.spread),
        np.array([each.time_us for each in readings], dtype=np.int64),
        np.array([each.zscore for each in readings], dtype=np.float64),
    )


def _samples(legs: Legs, pair: WatchedPair, told: Callable[[int, int], None]) -> list[Sample]:
    params = pair.params
    count = min(most_bars(pair), *(len(leg.close) for leg in legs))
    samples: list[Sample] = []
    for reading in read_each(legs, params, count):
        samples.append(Sample(reading.time_us, params.bar.us, reading))
        if len(samples) % TELL_EVERY == 0:
            told(len(samples), count)
    return samples


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
