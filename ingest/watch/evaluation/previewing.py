"""What a rule would have told of a pair, over the bars in the database."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from analytics.alerts import AlertRule, Preview, Sample
from analytics.alerts import preview as preview_of_samples
from analytics.pair import read_each
from ingest.store import SECOND_US, BarWindow
from ingest.watch.evaluation.market import leg_of
from ingest.watch.model import WatchedPair

# A day of seconds.
MOST_BARS: Final = 86_400


def preview(path: Path, rule: AlertRule, pair: WatchedPair, bars: int = MOST_BARS) -> Preview:
    """Run a rule over the latest closed bars of a pair, the same code as live.

    Parameters
    ----------
    path
        The tick database.
    rule, pair
        What looks at what.
    bars
        Most bars to run it over.

    Raises
    ------
    StoreError
        The database cannot be read.
    AnalyticsError
        The settings or the bars do not allow it.
    """
    return preview_of_samples(rule, _samples(path, pair, bars), pair.spread)


def _samples(path: Path, pair: WatchedPair, bars: int) -> Iterator[Sample]:
    params = pair.params
    with (
        closing(BarWindow(path, pair.y, params.interval)) as y,
        closing(BarWindow(path, pair.x, params.interval)) as x,
    ):
        newest = [each.last_trade() for each in (y, x)]
        times_us = [each.time_us for each in newest if each is not None]
        if len(times_us) < 2:
            return
        reach = bars + (params.reach or 0) + 1
        start = (max(times_us) - reach * params.bar.us) // SECOND_US
        legs = [leg_of(each.view(start, look=False)) for each in (y, x)]
    if legs[0] is None or legs[1] is None:
        return
    for reading in read_each((legs[0], legs[1]), params, bars):
        yield Sample(reading.time_us, params.bar.us, reading)
