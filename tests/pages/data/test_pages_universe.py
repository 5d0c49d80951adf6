"""The universe on the pages: the Feed's figures and tables, the pill, and what a monitor reads."""

from dataclasses import replace

import pytest

from ingest.status import RecorderStatus, UniverseChange, UniverseStatus
from pages.ui.feed.universe import universe_block, universe_figures
from pages.ui.parts.status import pill_of
from pages.ui.server.health import health

NOW_US = 1_764_000_000_000_000
SECOND_US = 1_000_000
UNIVERSE = UniverseStatus(
    *("all USDT symbols", "bars", "1m", ("BTCUSDT", "ETHUSDT")),
    since_us=NOW_US - 86_400 * SECOND_US,
    asked_us=NOW_US - 600 * SECOND_US,
    changes=(UniverseChange(NOW_US, "<b>USDT", "left", "not trading (BREAK)"),),
    left_out=(("WBTCUSDT", "wrapped BTC"),),
    state="live",
    connections=(1, 1),
    received=1200,
    fetched=34,
    missing=5,
    behind=("ETHUSDT",),
    newest_us=NOW_US - 30 * SECOND_US,
    last_received_us=NOW_US - SECOND_US,
    latency_p50_ms=450.0,
)


def status_with(universe: UniverseStatus | None, *symbols: str) -> RecorderStatus:
    return RecorderStatus(
        state="live",
        market="spot",
        stream="aggTrade",
        symbols=symbols,
        received=0,
        stored=0,
        duplicates=0,
        conflicts=0,
        rejected=0,
        refused=0,
        reconnects=0,
        rotations=0,
        attempts=0,
        restarts=0,
        last_error=None,
        last_rejected=None,
        last_received_us=None,
        queue_depth=0,
        queue_capacity=1,
        retry_in_s=None,
        commit_p50_ms=None,
        commit_p99_ms=None,
        skew_ms=None,
        per_symbol={},
        universe=universe,
    )


def test_the_feed_page_names_who_is_followed_who_left_and_who_is_left_out() -> None:
    html = str(universe_block(status_with(UNIVERSE), NOW_US))
    for words in (
        "all USDT symbols", "looked up 10 min ago", "1 symbol without it", "1,234",
        "1,200 as they closed, 34 asked for", "5 still to be fetched", "450 ms",
        "Not trading (BREAK)", "Wrapped BTC", "&lt;b&gt;USDT",
    ):  # fmt: skip
        assert words in html
    assert "<b>USDT" not in html


def test_without_a_universe_there_is_no_block_and_in_trades_no_bars() -> None:
    assert not str(universe_block(status_with(None), NOW_US))
    assert not str(universe_block(None, NOW_US))
    in_trades = universe_figures(replace(UNIVERSE, depth="trades"), NOW_US)
    assert [each.label for each in in_trades] == ["Universe"]


@pytest.mark.parametrize(
    ("newest_s", "word", "number"),
    [(30, "BARS ONLY", "30 s"), (79, "BARS ONLY", "79 s"), (81, "STALE", "81 s")],
)
def test_the_pill_says_that_bars_alone_are_recorded(newest_s: int, word: str, number: str) -> None:
    newest_us = NOW_US - newest_s * SECOND_US
    pill = pill_of(status_with(replace(UNIVERSE, newest_us=newest_us)), NOW_US)
    assert (pill.word, pill.number) == (word, number)


def test_trades_beside_bars_are_live_as_ever() -> None:
    status = replace(status_with(UNIVERSE, "BTCUSDT"), last_received_us=NOW_US - SECOND_US)
    assert pill_of(status, NOW_US).word == "LIVE"


def test_a_monitor_reads_how_the_bars_stand() -> None:
    code, document = health(status_with(UNIVERSE), NOW_US, 0)
    assert (code, document["cause"]) == (200, None)
    assert document["universe"] == {
        "symbols": 2, "records": "bars only, 1m", "state": "live", "bars_stored": 1234,
        "bars_missing": 5, "symbols_behind": 1, "newest_bar_age_s": 30.0,
    }  # fmt: skip


@pytest.mark.parametrize("beside", [(), ("BTCUSDT",)], ids=["bars only", "beside trades"])
def test_bars_that_do_not_come_are_a_cause(beside: tuple[str, ...]) -> None:
    late = replace(UNIVERSE, newest_us=NOW_US - 200 * SECOND_US)
    status = replace(status_with(late, *beside), last_received_us=NOW_US)
    assert health(status, NOW_US, 0)[0] == 503
    assert health(status, NOW_US, 0)[1]["cause"] == "no bar for 200 s"
