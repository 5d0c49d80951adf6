"""Recorded market data against the exchange's own bars, to the digit."""

import gzip
import json
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analytics.bars import resample_bars, resample_ticks
from analytics.frames import utc_index
from analytics.pair import PairParams, analyse_pair
from analytics.stationarity import ADFResult, EngleGrangerResult

pytestmark = pytest.mark.real_data

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def ticks_frame(symbol: str, rows: list[tuple[int, float, float, int]]) -> pd.DataFrame:
    time_us, price, quantity, trade_id = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {"symbol": symbol, "price": price, "quantity": quantity, "trade_id": trade_id},
        index=utc_index(np.array(time_us, dtype=np.int64)),
    )
    return frame.astype({"symbol": "str"})


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, pd.DataFrame]:
    """Trades of the recorded frames, read with nothing but the json module."""
    rows: dict[str, list[tuple[int, float, float, int]]] = {symbol: [] for symbol in SYMBOLS}
    with gzip.open(shared_data / "binance_spot_frames_20240808.txt.gz", "rt") as lines:
        for line in lines:
            if "@trade" not in line:
                continue
            data = json.loads(line.split(" ", 1)[1])["data"]
            rows[data["s"]].append(
                (data["T"] * 1000, float(data["p"]), float(data["q"]), data["t"])
            )
    return {symbol: ticks_frame(symbol, rows[symbol]) for symbol in SYMBOLS}


@pytest.fixture(scope="module")
def collected(shared_data: Path) -> pd.DataFrame:
    """Rows of the recorded NDJSON file, zero prices and all."""
    with (shared_data / "binance_futures_ticks_20251216.ndjson").open() as lines:
        rows = [json.loads(line) for line in lines]
    frame = pd.DataFrame(rows).rename(columns={"size": "quantity"})
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame.pop("ts"), utc=True), name="time")
    return frame


def test_the_recording_is_the_one_described(recorded: dict[str, pd.DataFrame]):
    assert {symbol: len(ticks) for symbol, ticks in recorded.items()} == {
        "BTCUSDT": 19_904,
        "ETHUSDT": 14_515,
    }


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("source", ["ticks", "1s bars", "5s bars"])
def test_minute_bars_equal_the_exchanges_klines_to_the_digit(
    recorded: dict[str, pd.DataFrame], shared_data: Path, symbol: str, source: str
):
    klines = pd.read_csv(shared_data / f"binance_spot_klines_1m_{symbol}.csv")
    if source == "ticks":
        bars = resample_ticks(recorded[symbol], "1min")
    else:
        bars = resample_bars(resample_ticks(recorded[symbol], source.removesuffix(" bars")), "1min")
    bars = bars.loc[utc_index(klines["open_time_ms"].to_numpy() * 1000)]
    assert len(bars) >= 9
    for column in ("open", "high", "low", "close", "volume"):
        assert bars[column].tolist() == klines[column].tolist(), column
    assert bars["trades"].tolist() == klines["trades_in_frames"].tolist()
    assert bars["coverage"].eq("traded").all()


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_contiguous_ids_leave_no_second_missing(recorded: dict[str, pd.DataFrame], symbol: str):
    bars = resample_ticks(recorded[symbol], "1s")
    assert set(bars["coverage"]) == {"traded", "quiet"}
    assert bars["trades"].sum() == len(recorded[symbol])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_order_of_arrival_changes_no_bit(recorded: dict[str, pd.DataFrame], symbol: str):
    ticks = recorded[symbol]
    shuffled = ticks.sample(frac=1, random_state=20240808)
    pd.testing.assert_frame_equal(
        resample_ticks(shuffled, "1s"), resample_ticks(ticks, "1s"), check_exact=True
    )


def test_trades_taken_out_of_the_recording_leave_missing_bars(recorded: dict[str, pd.DataFrame]):
    ticks = recorded["BTCUSDT"]
    start, end = pd.Timestamp("2024-08-08 23:58Z"), pd.Timestamp("2024-08-09 00:01:30Z")
    cut = ticks[(ticks.index < start) | (ticks.index >= end)]
    bars, whole = resample_ticks(cut, "1min"), resample_ticks(ticks, "1min")
    missing = bars["coverage"] == "missing"
    # 23:57 too: its last trade is followed by a hole that covers its end.
    expected = pd.date_range("2024-08-08 23:57Z", "2024-08-09 00:00Z", freq="min")
    assert bars.index[missing].tolist() == expected.tolist()
    after = bars.index >= pd.Timestamp("2024-08-09 00:02Z")
    pd.testing.assert_frame_equal(bars[after], whole[after], check_exact=True)


def test_collected_volumes_equal_the_sum_of_the_sizes(collected: pd.DataFrame):
    kept = collected[collected["price"] > 0]
    assert (len(kept), len(collected) - len(kept)) == (51_281, 32)
    for symbol, ticks in kept.groupby("symbol"):
        total = sum(Decimal(str(size)) for size in ticks["quantity"])
        for interval in ("1s", "1min"):
            bars = resample_ticks(ticks, interval)
            assert sum(Decimal(str(v)) for v in bars["volume"].dropna()) == total, symbol
            assert bars["low"].min() > 0
            assert bars["trades"].sum() == len(ticks)


def test_a_non_trade_in_the_sequence_is_no_hole(shared_data: Path):
    rows = pd.read_csv(shared_data / "binance_futures_trades_TRXUSDT_20250304.csv")
    real = rows[rows["Price"] > 0]
    ticks = ticks_frame(
        "TRXUSDT",
        list(
            zip(
                real["TransactionTime"] * 1000,
                real["Price"],
                real["Quantity"],
                real["TradeId"],
                strict=True,
            )
        ),
    )
    not_traded = rows.loc[rows["Price"] <= 0, "TradeId"].tolist()
    assert len(not_traded) == 1
    blind = resample_ticks(ticks, "1s")["coverage"].eq("missing").sum()
    ticks.attrs["non_trade_ids"] = {"TRXUSDT": not_traded}
    told = resample_ticks(ticks, "1s")["coverage"].eq("missing").sum()
    assert (blind, told) == (1, 0)


def test_the_recorded_pair_is_analysed_whole(recorded: dict[str, pd.DataFrame]):
    y, x = (resample_ticks(recorded[symbol], "1s", last_is_forming=True) for symbol in SYMBOLS)
    params = PairParams(*SYMBOLS, spread="hedged", lookback=600)
    result = analyse_pair(y, x, params)
    assert result.coverage.bars == result.coverage.known == 600
    assert isinstance(result.adf, ADFResult)
    assert isinstance(result.engle_granger, EngleGrangerResult)
    # β estimated on the same bars: the right p-value is never below the naive one.
    assert result.engle_granger.pvalue >= result.adf.pvalue
    # Less than a window was recorded before the range; the last bar is forming.
    held = len(y.index.intersection(x.index))
    assert result.zscore.notna().sum() == held - 1 - 59 == 591
    assert not math.isnan(result.signal_now.zscore)
