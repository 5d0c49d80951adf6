"""What a year of 1-min bars costs: cold, and at each new bar, beside 24 hours.

CPU time of this process, by turns in one run. Analysis and chart are given arrays, as the shared
windows give them; the reading is measured from a database that holds the exchange's 1-min bars.
"""

import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from bench_row import Row, Samples, measured, ratio_row, value_row

from analytics.frames import FloatArray
from analytics.leg import TRADED, Leg
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.warm import warm_up
from ingest.binance import Kline
from ingest.store import TickWriter
from ingest.tick import StreamKey, Tick
from pages.ui.chart.store import ChartRequest, ServedChart, new_chart
from pages.ui.desk import pair_data
from pages.ui.live import chart_view
from pages.ui.live.pair_chart import publish

YEAR_BARS, DAY_SECONDS, DAY_MINUTES = 525_600, 86_400, 1_440
QUICK_BARS = 110_000
WIDTH_PX = 1_200
ALL = (float("-inf"), float("inf"))
SYMBOLS = ("ETHUSDT", "BTCUSDT")
BEFORE, STEPS = 400, 40
FIRST_S = 1_672_531_200
PARAMS = PairParams(*SYMBOLS, interval="1min", lookback=YEAR_BARS)


def closes(bars: int) -> tuple[FloatArray, FloatArray]:
    """Two legs, of which one returns to a line of the other."""
    rng = np.random.default_rng(17)
    x = 30_000 * np.exp(rng.normal(0, 2e-4, bars).cumsum())
    apart = np.convolve(rng.normal(0, 0.3, bars), 0.99 ** np.arange(600))[:bars]
    return np.round(0.05 * x + apart, 2), np.round(x, 2)


class Session:
    """A reader of a range, to whom a bar comes at each `refresh`."""

    def __init__(self, interval: str, bars: int) -> None:
        self.params = PairParams(*SYMBOLS, interval=interval, lookback=bars)
        self.closes = closes(bars + BEFORE + STEPS)
        rng = np.random.default_rng(3)
        self.volume = np.round(rng.gamma(2, 3, self.closes[0].size), 3)
        self.chart: ServedChart = new_chart()
        self.stop = bars + BEFORE
        self.legs: tuple[Leg, Leg] | None = None
        self.result: PairAnalytics | None = None
        self.had: int | None = None

    def refresh(self) -> int:
        """Do what a refresh does behind the reading; gives the bytes that the browser is sent."""
        self.stop += 1
        legs = self._leg(0), self._leg(1)
        for leg, old in zip(legs, self.legs or (), strict=False):
            leg.continue_returns(old)
        self.legs = legs
        self.result = analyse_pair(*legs, self.params, self.result)
        publish(self.chart, self.result, chart_view.labels(self.result, "rebased", "Live"))
        told = None if self.had is None else 1
        sent = self.chart.answer(ChartRequest(*ALL, WIDTH_PX, self.had, told))
        self.had = (self.had or 0) + 1
        return len(sent or b"")

    def _leg(self, which: int) -> Leg:
        bars, step_us = self.stop, self.params.bar.us
        close, volume = self.closes[which][:bars], self.volume[:bars]
        trades, coverage = np.ones(bars, np.int64), np.full(bars, TRADED, np.int8)
        begins_us = FIRST_S * 1_000_000
        return Leg(begins_us, step_us, close, volume, trades, coverage, close, close, close)


def rows(quick: bool) -> list[Row]:
    """Measure everything."""
    warm_up()
    bars = QUICK_BARS if quick else YEAR_BARS
    return [*_refreshes(bars, 3 if quick else 25), *_cold(bars, 1 if quick else 5)]


def _refreshes(bars: int, times: int) -> list[Row]:
    sessions = [Session("1min", bars), Session("1s", DAY_SECONDS), Session("1min", DAY_MINUTES)]
    first = sessions[0].refresh()
    for session in sessions:
        for _ in range(3):
            session.refresh()
    spent: list[list[float]] = [[], [], []]
    sent: list[int] = []
    for _ in range(times):
        for session, taken in zip(sessions, spent, strict=True):
            spent_s, found = measured(session.refresh, time.process_time)
            taken.append(1e3 * spent_s)
            if session is sessions[0] and isinstance(found, int):
                sent.append(found)
    year, day, minutes = map(Samples.of, spent)
    return [
        ratio_row(
            "refresh, one new bar: a year of 1-min bars against 24 h of 1-s bars", year, day,
            unit="ms CPU", at_most=1.2, note="behind the reading",
        ),
        ratio_row(
            "the same against 24 h of 1-min bars", year, minutes, unit="ms CPU",
            note="1,440 bars",
        ),
        value_row("first draw of a year of 1-min bars", first / 1e3, unit="kB", at_most=600),
        value_row("refresh of it", Samples.of(each / 1e3 for each in sent), unit="kB", at_most=40),
    ]  # fmt: skip


def _cold(bars: int, times: int) -> list[Row]:
    alone, whole = [], []
    params = PairParams(*SYMBOLS, interval="1min", lookback=bars)
    for _ in range(times):
        session = Session("1min", bars)
        session.stop += 1
        legs = session._leg(0), session._leg(1)
        alone.append(measured(partial(analyse_pair, *legs, params))[0])
    with tempfile.TemporaryDirectory() as folder:
        for number in range(min(times, 2)):
            path = Path(folder, f"{number}.db")
            _store(path, bars)

            def read(path: Path = path) -> PairAnalytics:
                return pair_data.analyse(pair_data.read_pair(path, params), params)

            whole.append(measured(read)[0])
    return [
        value_row(
            "a year of 1-min bars of a pair, cold: the analysis", Samples.of(alone), unit="s",
            at_most=0.3,
        ),
        value_row(
            "the same with the reading, from the database's klines", Samples.of(whole), unit="s",
            at_most=0.6,
        ),
    ]  # fmt: skip


def _store(path: Path, bars: int) -> None:
    """Store the exchange's 1-min bars of both legs, and a trade after the last."""
    last_us = (FIRST_S + bars * 60) * 1_000_000
    writer = TickWriter(path)
    for symbol, prices in zip(SYMBOLS, closes(bars), strict=True):
        price = float(prices[-1])
        ids = enumerate((last_us - 1_000, last_us + 59_000_000), start=1)
        writer.write([
            Tick("spot", symbol, "aggTrade", number, price, 1.0, at_us, at_us + 1_500, True)
            for number, at_us in ids
        ])  # fmt: skip
        key: StreamKey = ("spot", symbol, "aggTrade")
        klines = [
            Kline(
                (FIRST_S + row * 60) * 1_000_000, price, price, price, price, 1.0, 5,
                (FIRST_S + row * 60 + 60) * 1_000_000 - 1_000,
            )
            for row, price in enumerate(prices.tolist())
        ]  # fmt: skip
        for start in range(0, len(klines), 50_000):
            writer.add_klines(key, 60, klines[start : start + 50_000])
    writer.close()
