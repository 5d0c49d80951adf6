"""Formats, notices, the recorder's strip and the small pieces of HTML."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from analytics.errors import AnalyticsError, DegenerateSeriesError, NotEnoughDataError
from ingest.status import RecorderState, RecorderStatus, SymbolStatus
from ingest.store import StoreError
from ingest.tick import IngestError
from pages.ui import formats, markup, notices, status

NAN = float("nan")
NOW_US = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("prices", "text"),
    [
        ([60_123.45, 60_123.5, NAN], "60,123.50"),
        ([2_511.0, 2_512.0], "2,512"),
        ([0.00000912, 0.0000091], "0.00000910"),
        ([100 / 3], "33.33333"),
        ([-12.5], "−12.5"),
    ],
)
def test_prices_look_as_they_were_printed(prices, text):
    known = [price for price in prices if price == price]
    decimals = formats.price_decimals(np.array(prices))
    assert formats.number(known[-1], decimals) == text


def test_without_a_price_there_are_two_decimals_and_a_dash():
    assert formats.price_decimals(np.array([NAN])) == 2
    assert formats.number(NAN, 2) == "–"


@pytest.mark.parametrize(
    ("value", "text"), [(2.314, "+2.31"), (-0.5, "−0.50"), (0.0, "+0.00"), (NAN, "–")]
)
def test_zscores_are_signed_with_two_decimals(value, text):
    assert formats.zscore(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "<0.001"), (0.000999, "<0.001"), (0.001, "0.001"), (0.9534, "0.953"), (NAN, "–")],
)
def test_small_pvalues_are_bounds_not_zeros(value, text):
    assert formats.pvalue(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1.2, "0.0 s"), (0.34, "0.3 s"), (12.2, "12 s"), (600, "10 min"), (9_000, "2.5 h"),
     (400_000, "5 days")],
)  # fmt: skip
def test_ages_choose_their_unit_and_are_never_negative(seconds, text):
    assert formats.age(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(812, "812 B"), (1_400_000, "1.4 MB"), (120e9, "120 GB"), (3.25e12, "3.2 TB")],
)
def test_sizes_choose_their_unit(size_bytes, text):
    assert formats.data_size(size_bytes) == text


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(None, "–"), (4.21, "4.2 ms"), (210.4, "210 ms"), (1_250, "1.2 s"), (-3.44, "−3.4 ms")],
)
def test_short_durations_choose_their_unit(duration_ms, text):
    assert formats.milliseconds(duration_ms) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1_728, 1_800, "96 %"), (9_999, 10_000, "99.9 %"), (5, 5, "100 %"), (0, 0, "0 %")],
)
def test_a_share_is_100_percent_only_when_it_is_all(part, whole, text):
    assert formats.share(part, whole) == text


def test_samples_count_with_thousands():
    assert formats.sample(1_800) == "n = 1,800 bars"
    assert formats.sample(1) == "n = 1 bar"


def test_times_carry_their_zone_and_a_span_its_date_once():
    start = pd.Timestamp("2024-08-08 23:54:14", tz="UTC")
    assert formats.utc(start) == "2024-08-08 23:54:14 UTC"
    assert formats.span(start, start + pd.Timedelta("5min")) == (
        "2024-08-08 23:54:14 to 23:59:14 UTC"
    )
    assert formats.span(start, start + pd.Timedelta("11min")).count("2024") == 2


@pytest.mark.parametrize(
    ("symbol", "quote"), [("BTCUSDT", "USDT"), ("ETHBTC", "BTC"), ("GLD", "quote")]
)
def test_the_quote_currency_is_read_off_the_symbol(symbol, quote):
    assert formats.quote_currency(symbol) == quote


@pytest.mark.parametrize(
    ("error", "is_fault", "words"),
    [
        (NotEnoughDataError("ADF", 23, 11), False, ("needs 23 bars, had 11", "Wait")),
        (DegenerateSeriesError("ADF", "constant"), True, ("constant", "two symbols")),
        (StoreError("no database at x"), True, ("No database at x", "sample")),
        (IngestError("bad file"), True, ("Bad file", "Check the file")),
        (AnalyticsError("odd window"), True, ("Odd window", "settings")),
    ],
)
def test_every_error_has_a_cause_and_a_remedy_in_one_line(error, is_fault, words):
    notice = notices.explain(error)
    assert notice.is_fault is is_fault
    assert "\n" not in notice.text
    for word in words:
        assert word in notice.text


def test_a_window_that_fills_says_how_far_it_is():
    text = notices.bars_so_far(42, 60, "The z-score", "1s").text
    assert "42 of 60 so far" in text


def recorder_status(**changes) -> RecorderStatus:
    values: dict[str, object] = {
        "state": "live", "market": "spot", "stream": "aggTrade", "symbols": ("BTCUSDT",),
        "received": 1_234, "stored": 1_230, "duplicates": 4, "conflicts": 0, "rejected": 0,
        "refused": 0, "reconnects": 2, "rotations": 0, "attempts": 3, "restarts": 0,
        "last_error": None, "last_rejected": None, "last_received_us": NOW_US - 300_000,
        "queue_depth": 0, "queue_capacity": 200_000, "retry_in_s": None, "commit_p50_ms": None,
        "commit_p99_ms": None, "skew_ms": None, "per_symbol": {},
    }  # fmt: skip
    return RecorderStatus(**{**values, **changes})


def test_the_strip_names_state_age_and_every_count():
    strip = status.strip(recorder_status(), NOW_US)
    for words in ("LIVE <span>0.3 s", "1,234", "1,230", "duplicates <b>4", "reconnects <b>2"):
        assert words in strip


def test_a_silent_live_feed_is_stale_and_none_is_not_recording():
    silent = recorder_status(last_received_us=NOW_US - 12_000_000)
    assert "STALE <span>12 s" in status.strip(silent, NOW_US)
    assert "NOT RECORDING" in status.strip(None, NOW_US)


def test_a_market_that_the_exchange_calls_quiet_is_not_stale():
    quiet = {"BTCUSDT": SymbolStatus(state="quiet")}
    silent = recorder_status(last_received_us=NOW_US - 12_000_000, per_symbol=quiet)
    assert "QUIET <span>12 s" in status.strip(silent, NOW_US)


def test_a_reconnecting_feed_says_when_it_tries_again():
    waiting = recorder_status(state="reconnecting", retry_in_s=3.0)
    assert "RECONNECTING <span>retry in 3.0 s" in status.state_pill(waiting, NOW_US)


@pytest.mark.parametrize("state", get_args(RecorderState))
def test_every_state_of_the_recorder_has_a_word_and_a_sign_of_its_own(state):
    sign, word, _ = status.WORDS[state]
    others = [(s, w) for name, (s, w, _) in status.WORDS.items() if name != state]
    assert all(sign != other_sign and word != other_word for other_sign, other_word in others)


def test_the_last_error_and_a_refused_trade_are_never_hidden():
    gaps = {"BTCUSDT": SymbolStatus(open_gaps=2)}
    strip = status.strip(
        recorder_status(last_error="<refused>", refused=7, per_symbol=gaps), NOW_US
    )
    assert "open gaps <b>2" in strip
    assert "&lt;refused&gt;" in strip
    assert "refused, queue full <b>7" in strip


def test_markup_escapes_whatever_it_is_given():
    evil = "<script>"
    pieces = [
        markup.text(evil),
        markup.badge(evil, "wait"),
        markup.labelled(evil, evil),
        markup.signal_block(evil, evil, evil, [evil], None),
        markup.figures([markup.Figure(evil, evil, (evil,), tip=evil)]),
        markup.table(evil, [evil], [[evil, markup.Cell(evil, "sell", words=True)]]),
        markup.notes([evil]),
        markup.pill(evil, evil, evil, "good"),
        markup.explanations([markup.Figure(evil, evil, tip=evil)]),
    ]
    for piece in pieces:
        assert evil not in piece
        assert "&lt;script&gt;" in piece


def test_what_is_loaded_ahead_of_the_first_visitor_asks_for_none(project_root):
    command = [sys.executable, "-c", "import pages.ui.warm"]
    loaded = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=True)
    assert loaded.stderr == ""
