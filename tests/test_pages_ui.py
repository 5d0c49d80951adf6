"""Formats, notices, the recorder's strip and the small pieces of HTML."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from analytics.errors import AnalyticsError, DegenerateSeriesError, NotEnoughDataError
from ingest.recorder import RecorderStatus
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
    values: dict[str, object] = dict.fromkeys((each.name for each in fields(RecorderStatus)), 0)
    values |= {
        "state": "live", "market": "spot", "stream": "aggTrade", "symbols": ("BTCUSDT",),
        "received": 1_234, "stored": 1_230, "duplicates": 4, "reconnects": 2,
        "last_error": None, "last_rejected": None, "retry_in_s": None,
        "last_received_us": NOW_US - 300_000, "per_symbol": {},
    }  # fmt: skip
    return RecorderStatus(**{**values, **changes})


def test_the_strip_names_state_age_and_every_count():
    strip = status.strip(recorder_status(), NOW_US)
    for words in ("LIVE", "0.3 s ago", "1,234", "1,230", "duplicates <b>4", "reconnects <b>2"):
        assert words in strip


def test_a_silent_live_feed_is_stale_and_none_is_not_recording():
    silent = recorder_status(last_received_us=NOW_US - 12_000_000)
    assert "STALE" in status.strip(silent, NOW_US)
    assert "NOT RECORDING" in status.strip(None, NOW_US)


@pytest.mark.parametrize(
    "state", ["off", "connecting", "live", "reconnecting", "stopped", "failed"]
)
def test_every_state_of_the_recorder_has_a_word_and_a_sign_of_its_own(state):
    sign, word, _ = status.WORDS[state]
    others = [(s, w) for name, (s, w, _) in status.WORDS.items() if name != state]
    assert all(sign != other_sign and word != other_word for other_sign, other_word in others)


def test_the_last_error_and_a_refused_trade_are_never_hidden():
    strip = status.strip(recorder_status(last_error="<refused>", refused=7), NOW_US)
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
    ]
    for piece in pieces:
        assert evil not in piece
        assert "&lt;script&gt;" in piece
