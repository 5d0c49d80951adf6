"""The made-up market: it repeats itself, and it holds what its description says."""

import gzip
import json
import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.stattools import coint

from exchange.make_sample import BETA, SAMPLE, SYMBOLS, packed, sample_lines
from exchange.synthetic import (
    E8,
    SyntheticMarket,
    SyntheticSymbol,
    SyntheticTrades,
    default_symbols,
)

START_US = 1_736_164_800_000_000
X = SyntheticSymbol("SYNXUSDT", 100.0, trades_per_s=8.0)
Y = SyntheticSymbol("SYNYUSDT", 300.0, beta=1.5, deviation_std=0.001, trades_per_s=6.0)


@pytest.fixture(scope="module")
def hour() -> SyntheticTrades:
    return SyntheticMarket([Y, X], seed=7, start_us=START_US).advance(3600)


@pytest.fixture(scope="module")
def committed() -> list[str]:
    return gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()


@pytest.fixture(scope="module")
def sample_closes(committed: list[str]) -> pd.DataFrame:
    records = pd.DataFrame([json.loads(line) for line in committed])
    records["ts"] = pd.to_datetime(records["ts"])
    by_second = records.set_index("ts").groupby("symbol")["price"].resample("1s").last()
    return by_second.unstack(0).ffill().dropna()


def test_the_same_seed_gives_the_same_trades(hour: SyntheticTrades) -> None:
    again = SyntheticMarket([Y, X], seed=7, start_us=START_US).advance(3600)
    other = SyntheticMarket([Y, X], seed=8, start_us=START_US).advance(3600)
    for column in ("symbol", "time_us", "price_e8", "quantity_e8", "buyer_is_maker"):
        np.testing.assert_array_equal(getattr(again, column), getattr(hour, column))
    assert not np.array_equal(other.time_us[:100], hour.time_us[:100])


def test_trades_come_in_order_and_inside_their_stretch(hour: SyntheticTrades) -> None:
    assert np.all(np.diff(hour.time_us) >= 0)
    assert hour.time_us[0] >= START_US
    assert hour.time_us[-1] < START_US + 3_600_000_000


def test_stretches_follow_each_other_without_a_step_in_price() -> None:
    market = SyntheticMarket([Y, X], seed=3, start_us=START_US)
    before, after = market.advance(60), market.advance(60)
    assert before.time_us[-1] < after.time_us[0]
    for leg in (0, 1):
        last = before.price_e8[before.symbol == leg][-1]
        first = after.price_e8[after.symbol == leg][0]
        assert abs(math.log(first / last)) < 0.002


def test_a_market_resumed_later_goes_on_from_there() -> None:
    market = SyntheticMarket([X], seed=3, start_us=START_US)
    market.advance(10)
    market.resume_at(START_US + 60_000_000)
    assert market.advance(10).time_us[0] >= START_US + 60_000_000


def test_trade_rates_are_those_asked_for(hour: SyntheticTrades) -> None:
    counts = np.bincount(hour.symbol) / 3600
    # A Hawkes count over an hour varies by about 2 % here; 10 % is five of those.
    np.testing.assert_allclose(counts, [Y.trades_per_s, X.trades_per_s], rtol=0.1)


def test_arrivals_cluster(hour: SyntheticTrades) -> None:
    seconds = (hour.time_us[hour.symbol == 1] - START_US) // 1_000_000
    per_second = np.bincount(seconds, minlength=3600)
    # Of a Poisson process the ratio is 1 with a standard error of 0.024.
    assert per_second.var() / per_second.mean() > 2


def test_orders_fill_in_several_trades_of_one_millisecond_and_one_side(
    hour: SyntheticTrades,
) -> None:
    leg = hour.symbol == 1
    same_time = np.diff(hour.time_us[leg]) == 0
    same_side = hour.buyer_is_maker[leg][1:] == hour.buyer_is_maker[leg][:-1]
    assert 0.2 < same_time.mean() < 0.6
    assert same_side[same_time].mean() > 0.95


def test_a_sweep_moves_the_price_against_the_aggressor(hour: SyntheticTrades) -> None:
    leg = hour.symbol == 1
    same_order = np.diff(hour.time_us[leg]) == 0
    step = np.diff(hour.price_e8[leg])[same_order]
    buys = ~hour.buyer_is_maker[leg][1:][same_order]
    assert step[buys].mean() > 0 > step[~buys].mean()


def test_prices_lie_on_the_tick_and_sizes_on_the_lot(hour: SyntheticTrades) -> None:
    assert np.all(hour.price_e8 % X.tick_e8 == 0)
    assert np.all(hour.quantity_e8 % X.lot_e8 == 0)
    assert hour.quantity_e8.min() >= X.lot_e8
    assert np.median(hour.quantity_e8) / E8 == pytest.approx(X.median_size, rel=0.05)


def test_any_number_of_symbols_gets_a_shape_of_its_own() -> None:
    names = [f"SYN{index}USDT" for index in range(7)]
    symbols = default_symbols(names, 3.0)
    assert [symbol.name for symbol in symbols] == names
    trades = SyntheticMarket(symbols, seed=1, start_us=START_US).advance(30)
    assert set(trades.symbol.tolist()) == set(range(7))
    assert trades.price_e8.min() > 0


def test_the_committed_sample_is_what_the_script_makes(committed: list[str]) -> None:
    assert sample_lines() == committed, (
        "run python tests/exchange/make_sample.py and commit the file"
    )


def test_the_sample_file_tells_no_time_and_is_small(committed: list[str]) -> None:
    # Lines are compared above, not the packed bytes: zlib builds pack the same lines differently.
    data = packed(committed)
    assert data[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    assert gzip.decompress(data).decode().splitlines() == committed
    assert max(len(data), SAMPLE.stat().st_size) < 1_500_000


def test_sample_lines_have_the_promised_fields(committed: list[str]) -> None:
    for name in (symbol.name for symbol in SYMBOLS):
        records = [json.loads(line) for line in committed if name in line]
        assert list(records[0]) == ["symbol", "ts", "price", "size", "id", "m"]
        ids = [record["id"] for record in records]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        times = [record["ts"] for record in records]
        assert times == sorted(times)
        assert min(record["price"] for record in records) > 0
        assert min(record["size"] for record in records) > 0


def test_the_sample_lasts_two_hours(sample_closes: pd.DataFrame) -> None:
    span = sample_closes.index[-1] - sample_closes.index[0]
    assert pd.Timedelta("119min") < span < pd.Timedelta("120min")


def test_the_sample_cointegrates_with_the_beta_it_was_made_with(
    sample_closes: pd.DataFrame,
) -> None:
    y, x = (sample_closes[symbol.name].map(math.log) for symbol in SYMBOLS)
    assert coint(y, x, maxlag=1, autolag=None).pvalue < 0.01
    assert np.polyfit(x, y, 1)[0] == pytest.approx(BETA, abs=0.1)


def test_the_sample_gives_signals_within_half_an_hour(sample_closes: pd.DataFrame) -> None:
    half_hour = sample_closes[:1800].map(math.log)
    spread = half_hour[SYMBOLS[0].name] - BETA * half_hour[SYMBOLS[1].name]
    rolling = spread.rolling(60)
    zscore = (spread - rolling.mean()) / rolling.std()
    rises = ((zscore > 2) & (zscore.shift() <= 2)).sum()
    falls = ((zscore < -2) & (zscore.shift() >= -2)).sum()
    assert rises >= 3
    assert falls >= 3
