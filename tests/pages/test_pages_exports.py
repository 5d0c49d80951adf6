"""CSV that no spreadsheet runs, Parquet with every bit, and a report that needs nothing else."""

import csv
import html
import io
import re

import numpy as np
import pandas as pd
import pytest
from desk.script_page import frame_of, ticks_of
from hypothesis import given
from hypothesis import strategies as st

from analytics.pair import PairAnalytics, PairParams, analyse_pair
from pages.ui.desk.pair_data import PairBars, bars_of_ticks
from pages.ui.live import exports, report
from pages.ui.live.trade import trade_words
from pages.ui.parts import csv_file
from pages.ui.parts.trade import Terms

LEGS = ("BTCUSDT", "ETHUSDT")
PARAMS = PairParams(*LEGS, spread="hedged")


@pytest.fixture(scope="module")
def bars() -> PairBars:
    ticks = frame_of([*ticks_of(LEGS[0], 60_000.0), *ticks_of(LEGS[1], 2_500.0, seed=6)])
    return bars_of_ticks(ticks.sort_index(kind="stable"), "test", PARAMS)


@pytest.fixture(scope="module")
def result(bars: PairBars) -> PairAnalytics:
    return analyse_pair(bars.y_bars, bars.x_bars, PARAMS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_is_quoted_and_numbers_are_not(start):
    frame = pd.DataFrame({"what": [f"{start}1+1", "safe"], "value": [-1.5, 2.0]})
    rows = list(csv.DictReader(io.StringIO(csv_file.csv_bytes(frame).decode(), newline="")))
    assert rows[0]["what"] == f"'{start}1+1".replace("\r", " ")
    assert [row["value"] for row in rows] == ["-1.5", "2.0"]
    assert rows[1]["what"] == "safe"
    assert frame["what"][0] == f"{start}1+1", "the frame itself is left as it was"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (";=1+1", ";'=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ('x; "=1+1', "x; \"'=1+1"),
        ("a|@SUM(1)", "a|'@SUM(1)"),
        ("a\n=1+1", "a '=1+1"),
        (" =1+1", " '=1+1"),
        ("＝1+1", "'＝1+1"),
        ("2024-01-01; 5-6, p = 0.1", "2024-01-01; 5-6, p = 0.1"),
    ],
)
def test_what_another_countrys_spreadsheet_would_split_and_run_is_quoted(cell, written):
    frame = pd.DataFrame({"what": [cell], cell: [1.0]})
    head, row = csv.reader(io.StringIO(csv_file.csv_bytes(frame).decode(), newline=""))
    assert row == [written, "1.0"]
    assert head == ["what", written]


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8))
def test_no_text_whatever_begins_like_a_formula_in_the_csv(cells):
    written = csv_file.csv_bytes(pd.DataFrame({"cell": pd.Series(cells, dtype="str")}))
    rows = list(csv.reader(io.StringIO(written.decode("utf-8", "surrogatepass"), newline="")))[1:]
    for cell, row in zip(cells, rows, strict=True):
        for split in re.split(r"[;|\t\r\n]", row[0]):
            assert not split.strip(' "').startswith(csv_file.UNSAFE_STARTS)
        plain = cell.replace("\r", " ").replace("\n", " ")
        assert row[0].replace("'", "") == plain.replace("'", "")


def test_parquet_has_every_bit_and_times_in_utc(result):
    frame = pd.read_parquet(io.BytesIO(exports.analytics_parquet(result)))
    assert frame["time"].dt.tz is not None
    assert (frame["time"].to_numpy() == result.y.index.to_numpy()).all()
    np.testing.assert_array_equal(frame["zscore"].to_numpy(), result.zscore.to_numpy())
    assert list(frame.columns) == list(result.to_frame().columns)


def test_the_report_stands_alone_and_says_how_it_was_made(result, bars):
    text = report.page(result, bars, "NDJSON file: <mine>", "http://127.0.0.1/?window=60").decode()
    style_and_words = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"""(?:src|href)=["']?(?!data:|#)\w""", style_and_words)
    assert "NDJSON file: &lt;mine&gt;" in text
    for words in ("How this was made", "Engle-Granger, BTCUSDT on ETHUSDT", "Statistics per leg",
                  "Latest signal changes", "hedged", "?window=60", result.signal_now.signal,
                  "UTC"):  # fmt: skip
        assert words in style_and_words
    assert text.count("Plotly.newPlot(") >= 3


def test_the_report_is_headed_by_its_pair_and_no_caption_is_a_headline(result, bars):
    terms = Terms(25_000.0)
    text = report.page(result, bars, "Live database", "", terms).decode()
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", text) == ["BTCUSDT / ETHUSDT, pair report"]
    assert re.findall(r"<h2>(.*?)</h2>", text) == [
        "Prices, spread, z-score, volume", "Hedge ratio β in time", "Correlation of log returns",
    ]  # fmt: skip
    assert "A β that wanders out of its own band is no constant.</p>" in text
    words = trade_words(result, terms)
    assert words in html.unescape(text)
