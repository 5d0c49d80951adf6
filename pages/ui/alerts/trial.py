"""What would it have told me: a rule that is not saved yet, run over the bars at hand."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from analytics.alerts import AlertRule, Preview, Sample, preview
from analytics.alerts.rule import READING_WHENS
from analytics.frames import utc_index
from analytics.pair import PairParams, read_each
from ingest.watch import Watch, WatchedPair
from pages.charts.alert_figure import HEIGHT_PX, AlertSeries, alert_figure
from pages.charts.axes import Floats
from pages.ui.alerts import noise
from pages.ui.alerts.pairs import pair_label, pairs_of
from pages.ui.alerts.words import time_at
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import pair_data
from pages.ui.parts import formats, markup, plain
from pages.ui.parts.long_work import LongWork, Progress
from pages.ui.parts.notices import Notice
from pages.ui.state import clock

MOST_BARS: Final = 20_000
TELL_EVERY: Final = 200
ASKED: Final = "trial_asked"
_WORK: Final = LongWork(
    "trial", "Trying the rule", "bars",
    Notice("The trial was cancelled", "Try it again, or save the rule as it is.", is_fault=False),
    "Try again",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Trial:
    """A rule's run over bars: what it would have told, and z at each of them.

    `zscore` is as it was known at each bar, NaN where it was not.
    """

    preview: Preview
    times_us: NDArray[np.int64]
    zscore: Floats


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
        pair = st.selectbox("On the bars of", pairs, key="trial_pair", format_func=pair_label)
        if st.button("What would it have told me", key="trial_try"):
            st.session_state[ASKED] = pair
    if st.session_state.get(ASKED) == pair:
        _show_run(rule, pair)


def _show_run(rule: AlertRule, pair: WatchedPair) -> None:
    """Run it once for the settings that count and the bars that there are, and show that."""
    bars = pair_data.read_pair(pair_data.database_path(), reaching_back(pair))
    counts = replace(rule, name="", channels=(), message=None, list=None, y=None, x=None)
    minute = int(bars.closed.legs[0].start_us // 60_000_000)
    asked = (counts, pair)
    trial = _WORK.run((*asked, minute), lambda told: run(bars, rule, pair, told), asked=asked)
    if trial is not None:
        markup.show(markup.block(markup.paragraphs(verdict(trial, pair))))
        plain.caption(noise.sentence(rule, pair))
        _draw(trial, rule)


def reaching_back(pair: WatchedPair) -> PairParams:
    """Give the pair's settings with a range that holds the bars that are tried as well."""
    return replace(pair.params, lookback=(pair.params.lookback or 0) + MOST_BARS)


def run(bars: pair_data.PairBars, rule: AlertRule, pair: WatchedPair, progress: Progress) -> Trial:
    """Run a rule over bars, with the figures as they were known at each.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the pair's settings ask for.
    """
    legs, params = bars.closed.legs, pair.params
    count = min(MOST_BARS, len(legs[0].close))
    step_us = params.bar.us
    samples: list[Sample] = []
    for reading in read_each(legs, params, count):
        samples.append(Sample(reading.time_us, step_us, reading))
        if len(samples) % TELL_EVERY == 0:
            progress(len(samples), max(count, len(samples)))
    readings = [each.reading for each in samples if each.reading is not None]
    return Trial(
        preview(replace(rule, enabled=True, expires_us=None), samples, params.spread),
        np.array([each.time_us for each in readings], dtype=np.int64),
        np.array([each.zscore for each in readings], dtype=np.float64),
    )


def verdict(trial: Trial, pair: WatchedPair) -> list[str]:
    """Say how often it would have fired, and what became of the spread after."""
    seen = trial.preview
    if not seen.bars:
        return ["No closed bar of this pair is at hand yet."]
    span = formats.span(time_at(seen.first_us), time_at(seen.last_us))
    fired = len(seen.fired)
    lines = [
        (
            f"It would have fired {formats.count(fired, 'time')} in {formats.count(seen.bars, 'bar')}"
            f" of {formats.interval_label(pair.interval)}, {span}."
        )
    ]
    kept = [f"{count} not sent for {why}" for why, count in seen.suppressed.items()]
    waited = [f"{count} waited for the {why}" for why, count in seen.waited.items()]
    if kept or waited:
        lines.append(f"Of these {', '.join([*kept, *waited])}.")
    if fired and any(np.isfinite(each.worst_zscore) for each in seen.fired):
        lines += _aftermath(seen, pair)
    return lines


def _aftermath(seen: Preview, pair: WatchedPair) -> list[str]:
    fired = len(seen.fired)
    back = f"z came back to the mean after {seen.back_at_mean} of {fired}"
    if seen.back_at_mean:
        soon = formats.number(seen.median_bars_to_mean, 0)
        back += f", half of these within {soon} bars"
    rearm = f"back past the re-arm level after {seen.back_at_rearm}"
    unit = formats.spread_unit(pair.spread, pair.y)
    against = max((each.against for each in seen.fired if np.isfinite(each.against)), default=0.0)
    return [
        f"{back}; {rearm}.",
        (
            f"Before that it went against: |z| to {formats.number(seen.median_worst_zscore, 2)} in the "
            f"middle case, the spread by {formats.estimate(seen.median_against)} {unit} and by "
            f"{formats.estimate(against)} at worst, with α and β of the bar that fired."
        ),
    ]


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
