"""Formats, notices, the recorder's strip and the small pieces of HTML."""

import re
import subprocess
import sys
from typing import get_args
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import AnalyticsError, DegenerateSeriesError, NotEnoughDataError
from ingest.errors import IngestError, StoreError
from ingest.status import HistoryEntry, RecorderState, RecorderStatus, SymbolStatus
from pages.ui.parts import formats, markup, notices, status
from pages.ui.parts.markup import Html
from pages.ui.server import loading

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
    ("value", "text"),
    [
        (6.699e-05, "0.00006699"), (-6.699e-05, "−0.00006699"), (0.0089123, "0.008912"),
        (0.5, "0.5000"), (1.25, "1.2500"), (99.5, "99.5000"), (2_511.456, "2,511.46"),
        (1e-10, "0.0000000001000"), (0.0, "0.0000"), (NAN, "–"),
    ],
)  # fmt: skip
def test_estimates_have_four_digits_in_decimals_however_small(value, text):
    assert formats.estimate(value) == text


@pytest.mark.parametrize(
    ("value", "of", "text"),
    [(3.181e-05, 0.003064, "0.000032"), (0.2343, 20.3689, "0.2343"), (0.0, 1.0, "0.0000"),
     (1.234e-6, 0.5, "0.0000012"), (12.345, 3_000.0, "12.35"), (NAN, 1.0, "–")],
)  # fmt: skip
def test_an_error_goes_as_far_as_its_estimate(value, of, text):
    assert formats.error(value, of) == text


@given(st.floats(1e-10, 1e10))
def test_an_estimate_reads_back_to_its_digits(value):
    assert float(formats.estimate(value).replace(",", "")) == pytest.approx(value, rel=5.1e-4)
    assert "e" not in formats.estimate(value)


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [(0.05, 0, "5 %"), (0.1234, 1, "12.3 %"), (-0.00012, 4, "−0.0120 %"), (NAN, 0, "–")],
)
def test_a_percentage_has_a_space_before_its_sign(share, decimals, text):
    assert formats.percent(share, decimals) == text


def test_nothing_formats_a_percentage_in_a_style_of_its_own(project_root):
    """Python's and Plotly's own percent formats write "5%"."""
    own = re.compile(r":[+,]?\.?[0-9]*%\}|tickformat=\"[^\"]*%")
    paths = [path for room in ("pages", "analytics", "ingest")
             for path in (project_root / room).rglob("*.py")]  # fmt: skip
    found = [path.name for path in paths if own.search(path.read_text(encoding="utf-8"))]
    assert found == []


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
    assert formats.moment(start) == "2024-08-08 23:54:14 UTC"
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
        (NotEnoughDataError("ADF", 23, 11), False, ("needs 23 bars, had 11", "longer range")),
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


def test_a_name_from_outside_is_no_markdown():
    name = r"![x](http://a.b/c.png) *b* `c` $d$ <i> \_.csv"
    written = formats.as_written(f"{name} holds one symbol only")
    assert re.search(r"(?<!\\)[`*\[\]$<]", written) is None
    # The word joiner, which takes no place, keeps an address from becoming a link.
    assert "http:\u2060//a.b" in written
    shown = written.replace("\u2060", "")
    assert re.sub(r"\\(.)", r"\1", shown) == f"{name} holds one symbol only"
    assert formats.as_written("BTCUSDT: 3 of 60 bars") == "BTCUSDT: 3 of 60 bars"


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


def test_what_the_feed_did_is_said_with_its_counts_and_the_unusual_only_when_it_happened():
    gaps = {"BTCUSDT": SymbolStatus(open_gaps=2)}
    told = status.feed_words(recorder_status(per_symbol=gaps))
    assert told == [
        "1,230 trades stored since the start",
        "2 open gaps",
        "0 rejected",
        "2 reconnects",
    ]
    one = recorder_status(stored=1, reconnects=1, conflicts=1)
    assert status.feed_words(one) == [
        "1 trade stored since the start", "0 open gaps", "0 rejected", "1 reconnect",
        "1 conflicting id",
    ]  # fmt: skip
    assert "7 refused, queue full" in status.feed_words(recorder_status(refused=7))
    assert "Nothing is being recorded" in status.feed_words(None)[0]


def pill_words(told: status.Pill) -> str:
    return f"{told.word} {told.number}".strip()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "LIVE 0.3 s"),
        ({"last_received_us": NOW_US - 12_000_000}, "STALE 12 s"),
        ({"last_received_us": NOW_US - 12_000_000,
          "per_symbol": {"BTCUSDT": SymbolStatus(state="quiet")}}, "QUIET 12 s"),
        ({"state": "reconnecting", "retry_in_s": 3.0}, "OFFLINE retry 1"),
        ({"state": "blocked"}, "BLOCKED"),
        ({"write_error": "disk full"}, "NOT STORED"),
    ],
)  # fmt: skip
def test_the_pill_has_the_state_and_the_one_number_that_goes_with_it(changes, words):
    assert pill_words(status.pill_of(recorder_status(**changes), NOW_US)) == words


def test_without_a_recorder_the_pill_says_that_nothing_is_recorded():
    assert pill_words(status.pill_of(None, NOW_US)) == "NOT RECORDING"
    assert pill_words(status.FILE_PILL) == "FILE"


def test_offline_counts_the_tries_since_the_last_connection():
    kinds = ("connected", "lost", "lost", "connected", "clock", "lost", "paused", "lost", "lost")
    history = tuple(HistoryEntry(number, kind, "") for number, kind in enumerate(kinds))
    lost = recorder_status(state="reconnecting", history=history)
    assert pill_words(status.pill_of(lost, NOW_US)) == "OFFLINE retry 3"
    assert status.retries(recorder_status(history=history[:4])) == 0


def test_an_error_that_is_over_is_no_alarm():
    assert status.last_error(recorder_status(last_error="refused")) == ""
    assert status.last_error(recorder_status(state="failed", last_error="refused")) == "refused"


@pytest.mark.parametrize("state", get_args(RecorderState))
def test_every_state_of_the_recorder_has_a_word_and_a_sign_of_its_own(state):
    sign, word, _ = status.WORDS[state]
    others = [(s, w) for name, (s, w, _) in status.WORDS.items() if name != state]
    assert all(sign != other_sign and word != other_word for other_sign, other_word in others)


def test_markup_escapes_whatever_it_is_given():
    evil = "<script>"
    pieces = [
        markup.text(evil),
        markup.badge(evil, "wait"),
        markup.signal_block(evil, evil, evil, [evil, evil], None, Html("")),
        markup.figures([markup.Figure(evil, evil, (evil,), tip=evil)]),
        markup.table(evil, [evil], [[evil, markup.Cell(evil, "sell", words=True)]]),
        markup.notes([evil]),
        markup.explanations([markup.Figure(evil, evil, tip=evil)]),
        markup.heading(evil),
        markup.leg(evil, evil, evil, "leg-y"),
        markup.about("x", markup.text(evil)),
        markup.spark([1.0, 2.0], evil),
        markup.definitions([(evil, evil)]),
        markup.contents([("x", evil)]),
    ]
    for piece in pieces:
        assert evil not in piece
        assert "&lt;script&gt;" in piece


def test_a_sparkline_fits_its_range_and_leaves_holes_open():
    line = unquote(markup.spark([0.0, NAN, 2.0, 4.0], "path"))
    drawn = line.split("d='")[1].split("'")[0]
    assert drawn == "M0.0 23.0M64.0 12.0L96.0 1.0"
    assert 'role="img" aria-label="path"' in line
    assert markup.spark([NAN, 1.0, NAN], "path") == ""
    assert markup.spark([], "path") == ""


def test_what_is_loaded_ahead_of_the_first_visitor_asks_for_none(project_root):
    command = [sys.executable, "-c", f"import {', '.join(loading.FIRST_IMPORTS)}"]
    loaded = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=True)
    assert loaded.stderr == ""


def test_an_address_is_whole_however_long_it_is():
    link = f"http://127.0.0.1:8501/?s1={'A' * 400}&s2=<b>"
    shown = markup.table(
        "Made", ["Choice"], [["view", markup.Cell(markup.whole(link), words=True)]]
    )
    assert "A" * 400 in shown
    assert "&amp;s2=&lt;b&gt;" in shown
