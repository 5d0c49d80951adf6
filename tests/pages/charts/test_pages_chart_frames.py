"""What a chart's browser fetches: only what it lacks, from whatever it has, and exactly."""

import gzip
import json
import struct
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from test_pages_charts import LABELS, series_of

from pages.charts.frame import (
    UNKNOWN,
    Frame,
    coded,
    common_rows,
    fitting_decimals,
    longest_run,
    packed,
)
from pages.charts.pair_figure import PANELS, PairChart
from pages.ui.chart.route import chart
from pages.ui.chart.store import MAX_FRAMES, ChartRequest, find_chart, new_chart

WHOLE = (float("-inf"), float("inf"))
UNKNOWN_STEP = -(2**31)


def unpacked(body: bytes | None, had: dict[str, Any] | None) -> dict[str, Any]:
    """Read an answer as `chart_tables.js` does, written from the format's description."""
    assert body is not None
    (length,) = struct.unpack("<I", body[:4])
    head, at = json.loads(body[4 : 4 + length]), 4 + length
    assert head["had"] is None or (had is not None and head["had"] == had["number"])
    tables: dict[str, dict[str, np.ndarray]] = {}
    for table, columns in head["tables"].items():
        tables[table] = {}
        for column in columns:
            first, last = column["keep"]
            count = column["rows"] - (last - first)
            sent, at = sent_codes(body, at, count, column)
            codes = np.empty(column["rows"])
            codes[:first], codes[last:] = sent[:first], sent[first:]
            if last > first:
                assert had is not None
                shift = column["shift"]
                codes[first:last] = had["tables"][table][column["name"]][
                    first + shift : last + shift
                ]
            tables[table][column["name"]] = codes
    assert at == len(body)
    return {"number": head["number"], "tables": tables, "head": head}


def sent_codes(body: bytes, at: int, count: int, column: dict[str, Any]) -> tuple[np.ndarray, int]:
    if column["plain"]:
        return np.frombuffer(body, "<f8", count, at), at + 8 * count
    apart = np.frombuffer(body, np.uint8, 4 * count, at).reshape(4, count)
    steps = np.ascontiguousarray(apart.T).view("<i4").ravel()
    codes, code = np.full(count, np.nan), column["start"]
    for place, step in enumerate(steps):
        if step != UNKNOWN_STEP:
            code += int(step)
            codes[place] = code
    return codes, at + 4 * count


def same(got: dict[str, Any], frame: Frame) -> bool:
    return all(
        np.array_equal(
            got["tables"][name][column],
            np.where(codes.codes == UNKNOWN, np.nan, codes.codes.astype(float)),
            equal_nan=True,
        )
        for name, table in frame.tables.items()
        for column, codes in table.items()
    )


def table_of(times: np.ndarray, values: np.ndarray, decimals: int = 2) -> dict[str, Any]:
    return {"time": coded(times, 0), "value": coded(values, decimals)}


@given(seed=st.integers(0, 10_000), big=st.booleans(), rows=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_any_frame_is_reached_from_any_other(seed, big, rows):
    generator = np.random.default_rng(seed)
    had, old = None, None
    for number in range(1, 5):
        times = np.sort(generator.choice(200, size=rows, replace=False)) * 1_000.0 + number * 3_000
        values = generator.normal(size=rows).cumsum() * (1e9 if big else 1.0)
        values[generator.random(rows) < 0.2] = np.nan
        frame = Frame(number, {"bars": table_of(times, values, int(generator.integers(-2, 4)))})
        had = unpacked(packed(frame, old, {}), had)
        assert same(had, frame)
        old = frame


def test_prices_come_back_to_the_digit():
    prices = np.array([87_162.01, 0.1 + 0.2, np.nan, 123_456.78])
    column = coded(prices, 2)
    values = np.where(column.codes == UNKNOWN, np.nan, column.codes / 10.0**2)
    np.testing.assert_array_equal(values, np.round(prices, 2))


def test_a_step_is_kept_while_it_fits_and_never_coarser_than_the_words():
    values = np.linspace(0.0, 1.0, 50)
    first = fitting_decimals(values, 2, None)
    assert first >= 6
    assert fitting_decimals(values * 1.5, 2, first) == first
    assert fitting_decimals(values * 1e6, 2, first) < first
    assert fitting_decimals(values * 1e9, 2, first) == 2
    assert fitting_decimals(np.full(3, np.nan), 4, None) == 4


def test_common_rows_are_found_where_a_window_slides():
    assert common_rows(np.arange(0, 100), np.arange(10, 110)) == (0, 90, 10)
    assert common_rows(np.array([1, 5, 9]), np.array([2, 5, 9, 12])) == (1, 3, 0)
    assert common_rows(np.arange(3), np.arange(50, 60)) == (0, 0, 0)
    assert common_rows(np.empty(0, int), np.arange(3)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("mask", "run"), [([], (0, 0)), ([0, 0], (0, 0)), ([1, 0, 1, 1], (2, 4)), ([1, 1, 1], (0, 3))]
)
def test_the_longest_run(mask, run):
    assert longest_run(np.array(mask, dtype=bool)) == run


def chart_of(length: int) -> PairChart:
    return PairChart(series_of(length), LABELS)


def publish(served, made: PairChart) -> int:
    return int(served.publish(made.series, (LABELS, PANELS), lambda: made))


def sliding(step: int, length: int = 20_000) -> PairChart:
    """A window of bars that moved by `step`."""
    series = series_of(length + 10)
    rows = slice(step, step + length)
    fields: dict[str, Any] = {
        name: values[rows]
        for name in series.__dataclass_fields__
        if isinstance(values := getattr(series, name), np.ndarray)
    }
    return PairChart(type(series)(**fields), LABELS)


def test_a_refresh_sends_a_sliver_of_the_first_draw():
    served = new_chart()
    publish(served, sliding(0))
    first = served.answer(ChartRequest(*WHOLE, 1_100, None, None))
    publish(served, sliding(1))
    second = served.answer(ChartRequest(*WHOLE, 1_100, 1, 1))
    got = unpacked(second, unpacked(first, None))
    assert first is not None
    assert second is not None
    assert len(gzip.compress(first)) < 200_000
    assert len(second) < 4_000
    assert "figure" not in got["head"]
    assert got["tables"]["bars"]["time"][-1] == sliding(1).series.time_ms[-1]


def test_every_number_changed_is_sent_anew_and_still_small():
    served = new_chart()
    publish(served, sliding(0))
    base = served.answer(ChartRequest(*WHOLE, 1_100, None, None))
    moved = sliding(1)
    for name in ("spread", "mean", "std", "zscore"):
        getattr(moved.series, name)[:] *= 1.001
    publish(served, moved)
    body = served.answer(ChartRequest(*WHOLE, 1_100, 1, 1))
    unpacked(body, unpacked(base, None))
    assert body is not None
    assert len(gzip.compress(body, 1)) < 40_000


def test_the_same_result_again_is_no_new_version():
    served, made = new_chart(), chart_of(50)
    assert publish(served, made) == publish(served, made) == 1
    assert publish(served, chart_of(50)) == 2


def test_a_base_that_is_gone_brings_everything():
    served = new_chart()
    publish(served, chart_of(500))
    for _ in range(MAX_FRAMES + 1):
        served.answer(ChartRequest(*WHOLE, 1_000, None, 1))
    body = served.answer(ChartRequest(*WHOLE, 1_000, 1, 1))
    assert unpacked(body, None)["head"]["had"] is None


def test_a_chart_lives_as_long_as_its_session_holds_it():
    served = new_chart()
    token = served.token
    assert find_chart(token) is served
    del served
    assert find_chart(token) is None


def ask(token: str, **query: object) -> Response:
    """Ask the route as a browser does that takes compressed answers."""
    return chart(
        Request({
            "type": "http",
            "path_params": {"token": token},
            "query_string": urlencode(query).encode(),
            "headers": [(b"accept-encoding", b"gzip, br")],
        })
    )  # fmt: skip


def test_the_route_answers_and_says_what_is_wrong():
    served = new_chart()
    assert ask(served.token).status_code == 204
    publish(served, chart_of(3_000))
    answer = ask(served.token, width=800)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-store"
    got = unpacked(gzip.decompress(answer.body), None)
    assert got["head"]["figure"]["layout"]["uirevision"] == LABELS.view_id
    nothing_new = ask(served.token, width=800, had=got["number"], told=1)
    assert len(nothing_new.body) < 3_500
    for bad in ({"width": "wide"}, {"from": "nan", "to": "1"}, {"had": "x"}):
        assert ask(served.token, **bad).status_code == 400
    assert ask("unknown").status_code == 404
    assert ask(served.token, width=10**9).status_code == 200
