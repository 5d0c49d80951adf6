"""Which bars are there and which to ask for next: spans of time, no clock and no network."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.repair.gap_seed import Page
from ingest.repair.kline_seed import SETTLED_US
from ingest.repair.known_bars import MAY_LAG_US, KnownBars

MINUTE_US = 60_000_000
START_US = 1_700_000_040_000_000 // MINUTE_US * MINUTE_US
NOW_US = START_US + 100 * MINUTE_US + SETTLED_US


def minutes(low: int, high: int) -> tuple[int, int]:
    return START_US + low * MINUTE_US, START_US + high * MINUTE_US


def known(*spans: tuple[int, int], from_us: int = START_US) -> KnownBars:
    bars = KnownBars("1m", from_us)
    for low, high in spans:
        bars.add(*minutes(low, high))
    return bars


def test_all_is_missing_up_to_what_has_closed_long_enough_ago() -> None:
    assert known().missing(NOW_US) == [minutes(0, 100)]
    assert known().missing(NOW_US - 1) == [minutes(0, 99)]
    assert known(from_us=START_US + 1).missing(NOW_US) == [minutes(1, 100)]


def test_what_was_wanted_once_does_not_grow() -> None:
    bars = KnownBars("1m", START_US, until_us=START_US + 5 * MINUTE_US)
    assert bars.missing(NOW_US) == [minutes(0, 5)]


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(1, 20)), max_size=12))
def test_missing_is_what_no_span_covers(spans: list[tuple[int, int]]) -> None:
    bars = known(*((low, low + length) for low, length in spans))
    covered = {at for low, length in spans for at in range(low, low + length)}
    missing = {
        (at - START_US) // MINUTE_US
        for low, high in bars.missing(NOW_US)
        for at in range(low, high, MINUTE_US)
    }
    assert missing == set(range(100)) - covered


def test_the_newest_page_comes_first_and_reaches_over_what_lies_between() -> None:
    assert known((10, 90)).next_page(NOW_US, 0.0) == Page(*minutes(0, 100))
    assert known((0, 97)).next_page(NOW_US, 0.0) == Page(*minutes(97, 100))
    assert known((0, 100)).next_page(NOW_US, 0.0) is None


def test_the_newest_bars_may_wait_while_older_ones_do_not() -> None:
    bars = known((50, 90))
    bars.newest_from_us, bars.newest_not_before_s = minutes(90, 90)[0], 5.0
    assert bars.next_page(NOW_US, 4.9) == Page(*minutes(0, 50))
    assert bars.next_page(NOW_US, 5.0) == Page(*minutes(0, 100))


def test_an_answer_settles_its_page_unless_it_is_so_new_that_it_may_lag() -> None:
    bars, page = known(), Page(*minutes(0, 100))
    newest_us = START_US + 97 * MINUTE_US
    assert bars.known_after(page, newest_us, NOW_US) == START_US + 98 * MINUTE_US
    assert bars.known_after(page, None, NOW_US) == START_US
    later_us = page.high_us + MAY_LAG_US + 1
    assert bars.known_after(page, newest_us, later_us) == page.high_us
    assert bars.known_after(page, None, later_us) == page.high_us
