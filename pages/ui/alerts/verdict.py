"""What a trial of a rule came to, in words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.alerts import Preview
from ingest.watch import WatchedPair
from pages.charts.axes import Floats
from pages.ui.alerts.words import time_at
from pages.ui.parts import formats


@dataclass(frozen=True, eq=False)
class Trial:
    """A rule's run over bars: what it would have told, and z at each of them.

    `zscore` is as it was known at each bar, NaN where it was not; `noise` is the same rule over
    as many bars of unrelated walks.
    """

    preview: Preview
    noise: Preview
    times_us: NDArray[np.int64]
    zscore: Floats


def lines(trial: Trial, pair: WatchedPair) -> list[str]:
    """Say how often it would have fired, and what became of the spread after."""
    seen = trial.preview
    if not seen.bars:
        return ["No closed bar of this pair is at hand yet."]
    span = formats.span(time_at(seen.first_us), time_at(seen.last_us))
    fired = len(seen.fired)
    bars = formats.count(seen.bars, "bar")
    times, interval = formats.count(fired, "time"), formats.interval_label(pair.interval)
    said = [f"It would have fired {times} in {bars} of {interval}, {span}."]
    kept = [f"{count} not sent for {why}" for why, count in seen.suppressed.items()]
    waited = [f"{count} waited for the {why}" for why, count in seen.waited.items()]
    if kept or waited:
        said.append(f"Of these {', '.join([*kept, *waited])}.")
    said.append(_noise_words(trial))
    if fired and any(np.isfinite(each.worst_zscore) for each in seen.fired):
        said += _aftermath(seen, pair)
    return said


def _noise_words(trial: Trial) -> str:
    count = formats.count(len(trial.noise.fired), "time")
    return (
        f"Noise alone: on two unrelated walks with steps as large as these, the same rule fires "
        f"{count} in as many bars."
    )


def _aftermath(seen: Preview, pair: WatchedPair) -> list[str]:
    fired = len(seen.fired)
    back = f"z came back to the mean after {seen.back_at_mean} of {fired}"
    if seen.back_at_mean:
        soon = formats.number(seen.median_bars_to_mean, 0)
        back += f", half of these within {soon} bars"
    rearm = f"back past the re-arm level after {seen.back_at_rearm}"
    if seen.back_at_rearm:
        rearm += f", half of these within {formats.number(seen.median_bars_to_rearm, 0)} bars"
    unit = formats.spread_unit(pair.spread, pair.y)
    worst = formats.number(seen.median_worst_zscore, 2)
    middle = formats.estimate(seen.median_against)
    most = max((each.against for each in seen.fired if np.isfinite(each.against)), default=0.0)
    went = (
        f"Before that it went against: |z| to {worst} in the middle case, the spread by {middle}"
        f" {unit} and by {formats.estimate(most)} at worst, with α and β of the bar that fired."
    )
    return [f"{back}; {rearm}.", _moved_back(seen, unit), went]


def _moved_back(seen: Preview, unit: str) -> str:
    """Say whether the spread came back, or only the mean to the spread."""
    if not seen.back_at_mean:
        return "Whether the spread itself moves back is not known: z never came back to the mean."
    favour = seen.median_favour
    moved = formats.estimate(abs(favour))
    way = "the right way" if favour > 0 else "the wrong way: the mean had come to the spread"
    return (
        f"By then the spread itself had moved {moved} {unit} {way}, in the middle case. z comes"
        " back on walks too, since the mean follows the spread."
    )
