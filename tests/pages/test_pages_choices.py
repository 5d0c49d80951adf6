"""The ranges a reader may choose: what `auto` takes at each interval, and what is on offer."""

import pytest

from analytics.frames import INTERVALS
from pages.ui.state import choices

NAMES = [each.name for each in INTERVALS]


def test_auto_has_a_range_for_every_interval_and_it_is_on_offer_there():
    assert set(choices.AUTO_LOOKBACKS) == set(NAMES)
    for interval, name in choices.AUTO_LOOKBACKS.items():
        assert name in choices.lookbacks_on_offer(interval)


@pytest.mark.parametrize("interval", INTERVALS, ids=NAMES)
def test_auto_holds_enough_bars_for_the_usual_window_and_the_tests(interval):
    seconds = choices.lookback_seconds(choices.AUTO, interval.name)
    assert seconds is not None
    assert 120 <= seconds * 1_000_000 // interval.us <= choices.MOST_BARS


@pytest.mark.parametrize(
    ("interval", "longest"),
    [("1s", "24h"), ("5s", "3d"), ("15s", "7d"), ("30s", "30d"), ("1min", "30d"), ("1h", "1y")],
)
def test_the_watch_offers_no_range_of_more_bars_than_a_day_of_seconds(interval, longest):
    offered = choices.lookbacks_on_offer(interval)
    names = tuple(choices.LOOKBACKS_S)
    assert offered[1:] == names[names.index(offered[1]) : names.index(longest) + 1]


@pytest.mark.parametrize(
    ("interval", "longest"),
    [("1s", "30d"), ("5s", "90d"), ("15s", "1y"), ("1min", "1y"), ("1h", "1y")],
)
def test_pages_offer_ranges_of_as_many_bars_as_thirty_days_of_seconds(interval, longest):
    offered = choices.lookbacks_on_offer(interval, choices.MOST_BARS)
    assert offered[0] == choices.AUTO
    assert offered[-1] == longest
    names = tuple(choices.LOOKBACKS_S)
    assert offered[1:] == names[names.index(offered[1]) : names.index(longest) + 1]


@pytest.mark.parametrize(
    ("interval", "shortest"),
    [("1s", "5min"), ("1min", "5min"), ("5min", "15min"), ("15min", "30min"), ("1h", "4h")],
)
def test_no_range_that_would_be_longer_than_its_name_is_offered(interval, shortest):
    assert choices.lookbacks_on_offer(interval)[1] == shortest


@pytest.mark.parametrize(
    ("name", "interval", "seconds"),
    [
        ("auto", "1s", 1_800),
        ("auto", "1min", 86_400),
        ("auto", "1h", 2_592_000),
        ("30min", "1min", 1_800),
        ("all", "1s", None),
        ("10d", "1min", 864_000),
        ("36h", "1s", 129_600),
        ("2w", "1s", 1_209_600),
        ("18mo", "1h", 46_656_000),
        ("1y", "1min", 31_536_000),
    ],
)
def test_a_range_is_so_many_seconds_at_an_interval(name, interval, seconds):
    assert choices.lookback_seconds(name, interval) == seconds


def test_every_link_of_before_still_names_a_range():
    for name in ("5min", "15min", "30min", "1h", "4h", "24h"):
        assert choices.valid({"lookback": name, "span": name}) == {"lookback": name, "span": name}
    assert choices.valid({"span": "all"}) == {"span": "all"}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("window", "90", 90),
        ("window", "1e309", None),
        ("window", "9.5", None),
        ("window", "4", None),  # five bars at least
        ("sell", "2.5", 2.5),
        ("sell", "1e309", None),
        ("sell", "nan", None),
        ("gate_pvalue", "true", True),
        ("gate_pvalue", "yes", None),
        ("interval", "5s", "5s"),
        ("interval", "7s", None),
        ("rule", "mission", choices.CHOICES["rule"].default),
        ("s1", "ETHUSDT", "ETHUSDT"),
        ("s1", "", None),
    ],
)
def test_an_address_is_read_as_far_as_it_may_be_used(key, text, value):
    assert choices.read(key, text) == value
