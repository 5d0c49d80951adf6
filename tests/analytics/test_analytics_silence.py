"""A silence without ids is quiet only where the file's own arrivals make it credible."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.bars import resample_ticks
from analytics.silence import FEWEST, TIMES, implausible_gaps, recording_gaps
from ingest.files import read_ticks

START_US = 1_765_892_498_000_000


def ticks_at(times_s: dict[str, np.ndarray]) -> pd.DataFrame:
    """Ticks without ids, with what `read_ticks` says of when anything traded."""
    parts = [
        pd.DataFrame(
            {"symbol": pd.array([symbol] * len(times), dtype="str"), "price": 1.0, "quantity": 1.0},
            index=pd.DatetimeIndex(
                (START_US + np.round(times * 1e6).astype(np.int64)).view("datetime64[us]"),
                name="time", tz="UTC",
            ),
        )
        for symbol, times in times_s.items()
    ]  # fmt: skip
    frame = pd.concat(parts).sort_index(kind="stable")
    seconds = np.unique(pd.DatetimeIndex(frame.index).as_unit("us").asi8 // 1_000_000)
    frame.attrs["active_seconds"] = seconds.tobytes()
    return frame


def bars_of(ticks: pd.DataFrame, symbol: str, interval: str = "1s") -> pd.DataFrame:
    return resample_ticks(ticks[ticks["symbol"] == symbol], interval)


def missing_span(bars: pd.DataFrame) -> tuple[float, float]:
    """First and last missing bar, in seconds from the start of the ticks."""
    missing = bars.index[bars["coverage"] == "missing"]
    start = pd.Timestamp(START_US, unit="us", tz="UTC")
    first, last = ((each - start).total_seconds() for each in (missing[0], missing[-1]))
    assert len(missing) == round(last - first) + 1
    return first, last


def poisson(rate: float, span_s: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, span_s, rng.poisson(rate * span_s)))


@pytest.mark.parametrize("rate", [20.0, 1.0, 0.2, 0.05])
def test_a_steady_market_has_no_missing_bar_at_whatever_rate(rate: float) -> None:
    for seed in range(5):
        ticks = ticks_at({"A": poisson(rate, 3_000 / min(rate, 1), seed)})
        assert "missing" not in set(bars_of(ticks, "A")["coverage"])
        assert recording_gaps(ticks) == []


@pytest.mark.parametrize(("rate", "hole_s"), [(20.0, 12), (1.0, 40), (0.2, 150)])
def test_a_hole_far_beyond_the_symbols_own_gaps_is_missing(rate: float, hole_s: float) -> None:
    times = poisson(rate, 4_000, seed=3)
    times = np.where(times > 2_000, times + hole_s, times)
    bars = bars_of(ticks_at({"A": times}), "A")
    first, last = missing_span(bars)
    before, after = times[times <= 2_000][-1], times[times > 2_000][0]
    assert (first, last) == (np.floor(before) + 1, np.floor(after) - 1)


def test_a_burst_makes_no_silence_after_it_incredible() -> None:
    slow = poisson(0.2, 8_000, seed=1)
    bursts = [start + np.linspace(0, 0.9, 400) for start in slow[::20]]
    ticks = ticks_at({"A": np.sort(np.concatenate([slow, *bursts]))})
    assert "missing" not in set(bars_of(ticks, "A")["coverage"])


def test_a_market_that_turns_slow_is_judged_by_its_slower_side() -> None:
    fast, slow = poisson(10, 1_000, seed=1), 1_000 + poisson(0.1, 4_000, seed=2)
    ticks = ticks_at({"A": np.concatenate([fast, slow])})
    assert "missing" not in set(bars_of(ticks, "A")["coverage"])


def test_too_few_gaps_prove_nothing_and_five_minutes_stay_the_limit() -> None:
    times = np.r_[np.arange(FEWEST // 2), 200 + np.arange(FEWEST // 2)].astype(float)
    assert "missing" not in set(bars_of(ticks_at({"A": times}), "A")["coverage"])
    later = np.where(times >= 200, times + 200, times)
    assert "missing" in set(bars_of(ticks_at({"A": later}), "A")["coverage"])


def test_a_slow_symbol_is_not_known_where_the_whole_file_is_silent() -> None:
    fast = poisson(10, 2_000, seed=1)
    fast = np.where(fast > 1_000, fast + 60, fast)
    slow = np.r_[10.0, 200, 400, 600, 800, 980, 1_090, 1_300, 1_500]  # none of its own is odd
    ticks = ticks_at({"FAST": fast, "SLOW": slow})
    first, last = missing_span(bars_of(ticks, "SLOW"))
    # From where nobody traded to its own next trade: what it traded in the hole is lost.
    assert (first, last) == (1_000, 1_089)
    bars = bars_of(ticks, "SLOW")
    assert bars["close"].isna().sum() == 90
    (silence,) = recording_gaps(ticks)
    assert silence.symbol is None
    assert (silence.end - silence.start).total_seconds() == pytest.approx(60, abs=2)
    alone = ticks[ticks["symbol"] == "SLOW"].copy()
    alone.attrs = {}
    assert "missing" not in set(resample_ticks(alone, "1s")["coverage"])


def test_one_symbol_that_falls_silent_while_others_trade_is_missing_alone() -> None:
    a, b = poisson(10, 500, seed=1), poisson(10, 500, seed=2)
    ticks = ticks_at({"A": a, "B": b[(b < 200) | (b > 260)]})
    assert "missing" not in set(bars_of(ticks, "A")["coverage"])
    assert missing_span(bars_of(ticks, "B"))[0] == 200
    assert [silence.symbol for silence in recording_gaps(ticks)] == ["B"]


def test_the_quantile_is_that_of_each_side_counted_by_hand() -> None:
    gaps = np.r_[np.tile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10), 81, np.tile([1, 2], 50)]
    seconds = np.r_[0, np.cumsum(gaps)]
    # Nine in ten of the hundred before stay within 9: eight times that is 72.
    assert implausible_gaps(seconds).tolist() == [100]
    gaps[100] = TIMES * 9
    assert implausible_gaps(np.r_[0, np.cumsum(gaps)]).tolist() == []


def test_ids_decide_where_there_are_ids() -> None:
    ticks = ticks_at({"A": np.r_[np.arange(100.0), 300 + np.arange(100.0)]})
    ticks["trade_id"] = np.arange(len(ticks), dtype=np.int64)
    assert "missing" not in set(bars_of(ticks, "A")["coverage"])
    assert recording_gaps(ticks) == []


@pytest.mark.real_data
def test_no_silence_of_the_recorded_file_is_missing(shared_data: Path) -> None:
    ticks = read_ticks(shared_data / "binance_futures_ticks_20251216.ndjson")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert "missing" not in set(bars_of(ticks, symbol)["coverage"])
    assert recording_gaps(ticks) == []


@pytest.mark.real_data
@pytest.mark.parametrize("start_s", [10, 30, 50])
def test_two_minutes_cut_from_both_symbols_are_missing(
    shared_data: Path, tmp_path: Path, start_s: int
) -> None:
    ticks = read_ticks(shared_data / "binance_futures_ticks_20251216.ndjson")
    start = ticks.index[0].floor("1s") + pd.Timedelta(start_s, "s")
    end = start + pd.Timedelta(120, "s")
    path = tmp_path / "cut.csv"
    cut = ticks[(ticks.index < start) | (ticks.index >= end)]
    cut.rename_axis("ts").to_csv(path, date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    again = read_ticks(path)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        bars = bars_of(again, symbol)
        missing = bars.index[bars["coverage"] == "missing"]
        assert len(missing) == 120
        assert missing[0] == start
        assert set(bars["coverage"]) == {"traded", "missing"}
    (silence,) = recording_gaps(again)
    assert silence.symbol is None


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "gaps"),
    [
        ("PEPEUSDT-aggTrades-2024-10-27.zip", 30_249),
        ("binance_futures_trades_TRXUSDT_20250304.csv", 775),
        ("binance_spot_frames_20240808.txt.gz", 600),
    ],
)
def test_no_silence_that_ids_prove_quiet_is_called_missing_without_them(
    shared_data: Path, name: str, gaps: int
) -> None:
    with_ids = read_ticks(shared_data / name)
    without = with_ids.drop(columns="trade_id")
    seconds = np.unique(pd.DatetimeIndex(without.index).as_unit("us").asi8 // 1_000_000)
    without.attrs = {"active_seconds": seconds.tobytes()}
    assert len(seconds) > gaps
    assert recording_gaps(without) == []
    for symbol in without["symbol"].unique():
        assert "missing" not in set(bars_of(without, symbol)["coverage"])
