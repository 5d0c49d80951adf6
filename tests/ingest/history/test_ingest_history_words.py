"""What the terminal reads of a job."""

from datetime import date

import pytest

from ingest.history import Job
from ingest.history.command import duration_words, ended_words, progress_words
from ingest.history.days import days_words, moment_words, runs_of_days, span_words


def test_a_line_of_progress_says_how_far_how_fast_and_how_long() -> None:
    job = Job(1, "fetch", "x", "", "running", "BTCUSDT 2024-03-05", 120_000, 525_600, "bars",
              45_000.4, 9.01)  # fmt: skip
    assert progress_words(job) == (
        "BTCUSDT 2024-03-05: 120,000 of 525,600 bars (22 %), 45,000 bars/s, 9 s left"
    )
    size = Job(1, "import", "x", "", "running", "a.zip", 1_250_000, 5_000_000, "bytes", 2.5e6, 1.5)
    assert progress_words(size) == "a.zip: 1.2 of 5.0 MB (25 %), 2.5 MB/s, 2 s left"
    assert progress_words(Job(1, "fetch", "x", "", "running", unit="bars")) == "0 bars"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (99, "99 s"), (150, "2 min"), (6_000, "1 h 40 min"), (7_500, "2 h 05 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@pytest.mark.parametrize(
    ("state", "error", "lacking", "words"),
    [
        ("done", None, (), "done: 10 bars in 2 s"),
        ("done", None, ("x",), "done, 10 bars in 2 s; of what was asked for something is lacking"),
        ("failed", "no network", (), "ended: no network (after 10 bars in 2 s; what was written"),
        ("cancelled", None, (), "ended as asked, after 10 bars in 2 s"),
    ],
)
def test_the_last_line_says_how_it_ended(state, error, lacking, words) -> None:
    job = Job(1, "fetch", "x", "", state, "", 10, 20, "bars", None, None, error, (), lacking,
              1_000_000, 2_000_000, 4_000_000)  # fmt: skip
    assert ended_words(job).startswith(words)


def test_spans_of_time_are_named_as_short_as_they_can_be() -> None:
    day, noon = 1_704_067_200, 1_704_110_400  # 2024-01-01, and its noon
    assert span_words(day, day + 86_400) == "2024-01-01"
    assert span_words(day, day + 3 * 86_400) == "2024-01-01 to 2024-01-03"
    assert span_words(day, noon) == "2024-01-01 to 2024-01-01 12:00"
    assert moment_words(noon + 5) == "2024-01-01 12:00:05"
    first, second, fourth = date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 3)
    assert runs_of_days([first, second, fourth]) == [(first, second), (fourth, fourth)]
    assert days_words(first, first) == "2024-01-31"
