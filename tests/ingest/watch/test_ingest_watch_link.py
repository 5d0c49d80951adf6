"""How a pair is named: by the database for good, and by the address of its page."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from analytics.pair import Gates
from ingest.watch import WatchedPair
from ingest.watch.pair_link import link_of, pair_key
from pages.ui.state import choices

PAIR = WatchedPair("ETHUSDT", "BTCUSDT")
OTHERS = (
    PAIR,
    replace(PAIR, interval="1min"),
    replace(PAIR, window=30),
    replace(PAIR, spread="log"),
    replace(PAIR, hedge="kalman"),
    replace(PAIR, lookback_s=300),
    replace(PAIR, buy_below=-2.0),
    replace(PAIR, sell_above=1.5, buy_below=-1.5),
    replace(PAIR, level=0.01),
    replace(PAIR, gates=Gates(pvalue=True)),
    WatchedPair("BTCUSDT", "ETHUSDT"),
)


@pytest.mark.parametrize("pair", OTHERS, ids=range(len(OTHERS)))
def test_a_link_says_only_what_the_page_takes(pair) -> None:
    said = dict(parse_qsl(link_of(pair)))
    assert said
    for key, text in said.items():
        value = choices.read(key, text)
        assert value is not None, key
        assert choices.written(value) == text
    assert (said["s1"], said["s2"]) == (pair.y, pair.x)


def test_other_settings_have_another_key_and_another_link() -> None:
    assert len({pair_key(each.params) for each in OTHERS}) == len(OTHERS)
    assert len({link_of(each) for each in OTHERS}) == len(OTHERS)


def test_what_is_for_the_eye_alone_is_in_neither() -> None:
    pinned = replace(PAIR, group="majors", is_pinned=True)
    assert pair_key(pinned.params) == pair_key(PAIR.params)
    assert link_of(pinned) == link_of(PAIR)


def test_the_key_of_usual_settings_is_short_and_stays() -> None:
    assert pair_key(PAIR.params) == "ETHUSDT/BTCUSDT 1s lookback=1800"
