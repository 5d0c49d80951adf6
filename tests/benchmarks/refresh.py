"""What a refresh of the dashboard costs: 24 hours of one-second bars, two legs, everything shown.

CPU time of this process. A refresh reads what is new through the shared window, analyses the pair
if a bar closed, and packs what the browser lacks of the figure. Streamlit's own run comes on top.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_row import Row, Samples, measured, ratio_row, value_row
from long_store import DAY_S, SYMBOLS, Stored, day_store, long_store, working_copy

from analytics.bars import resample_ticks
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.warm import warm_up
from ingest.store import TickReader, TickWriter
from ingest.tick import Tick
from pages.ui.chart.store import ChartRequest, ServedChart, new_chart
from pages.ui.desk import pair_data
from pages.ui.live import chart_view
from pages.ui.live.pair_chart import publish

HERE = Path(__file__).resolve()
WIDTH_PX = 1_200
ALL = (float("-inf"), float("inf"))
FLOOR = (
    "measured apart on a quiet machine: reading 1 ms, the legs' moments 1.2, the paths drawn "
    "2.5, the gates 0.6, the figure 3.1"
)


class Session:
    """A reader of the dashboard: a chart of its own over the data that all share."""

    def __init__(self, path: Path, lookback_s: int) -> None:
        self.path = path
        self.params = PairParams(*SYMBOLS, interval="1s", lookback=lookback_s)
        self.chart: ServedChart = new_chart()
        self.had: int | None = None
        self.version = 0

    def refresh(self) -> PairAnalytics:
        """Do what a run of the page and the browser's request do."""
        bars = pair_data.read_pair(self.path, self.params)
        result = pair_data.analyse(bars, self.params)
        labels = chart_view.labels(result, "rebased", "Live")
        version = publish(self.chart, result, labels)
        if version != self.version:
            told = None if self.had is None else 1
            self.chart.answer(ChartRequest(*ALL, WIDTH_PX, self.had, told))
            self.had = (self.had or 0) + 1
            self.version = version
        return result


class Market:
    """Writes a trade of each symbol a second later than the last."""

    def __init__(self, path: Path) -> None:
        self.writer = TickWriter(path)
        self.price = 60_000.0

    def second(self, ahead: int = 1) -> None:
        """Trade once in each symbol, `ahead` seconds later (0: in the same second)."""
        events = []
        for (market, symbol, stream), (last_id, last_us) in self.writer.edges().items():
            time_us = (last_us // 1_000_000 + ahead) * 1_000_000 + 950_000
            price = self.price if symbol == SYMBOLS[0] else self.price / 20
            received_us = time_us + 1500
            traded = (last_id + 1, round(price, 2), 0.01, time_us, received_us, True)
            events.append(Tick(market, symbol, stream, *traded))
        self.price += 0.37
        self.writer.write(events)


def rows(quick: bool) -> list[Row]:
    """Measure everything."""
    warm_up()
    span_s = 1_800 if quick else DAY_S
    day = day_store(10_000, 2_000) if quick else day_store(1_000_000)
    stored = long_store(day, 50_000 if quick else 49_000_000)
    with tempfile.TemporaryDirectory() as folder:
        paths = [working_copy(each, Path(folder)) for each in (day, stored)]
        cold = _first_load(paths[1], span_s, times=0 if quick else 5)
        found = [*_refreshes(paths, span_s, 3 if quick else 25)]
        found += [*_first_rows(cold, paths[1], span_s, 20_000 if quick else 10_000_000)]
    return [*found, *_sizes(day, stored)]


def _refreshes(paths: list[Path], span_s: int, times: int) -> list[Row]:
    sessions = [Session(path, span_s) for path in paths]
    others = [Session(paths[1], span_s) for _ in range(2)]
    markets = [Market(path) for path in paths]
    for market, session in zip(markets, sessions, strict=True):
        for _ in range(3):
            market.second()
            session.refresh()
    idle, forming, fresh, extra, short = [], [], [], [], []
    for _ in range(times):
        for market in markets:
            market.second()
        # By turns: what the machine does besides falls on both alike.
        short.append(_cpu_ms(sessions[0]))
        fresh.append(_cpu_ms(sessions[1]))
        extra.append(statistics.mean(_cpu_ms(other) for other in others))
        idle.append(_cpu_ms(sessions[1]))
        markets[1].second(ahead=0)
        forming.append(_cpu_ms(sessions[1]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for market in markets:
        market.writer.close()
    return [
        value_row("refresh, nothing new", Samples.of(idle), unit="ms CPU", at_most=2),
        value_row(
            "refresh, trades inside the forming bar", Samples.of(forming), unit="ms CPU", at_most=2,
            note="no bar closed, so nothing is computed",
        ),
        value_row(
            "refresh, one new bar", Samples.of(fresh), unit="ms CPU", at_most=20, floor=FLOOR
        ),
        ratio_row(
            "refresh, one new bar: 50 M ticks stored against 1 M", Samples.of(fresh),
            Samples.of(short), unit="ms CPU", at_most=1.1,
        ),
        value_row(
            "extra session on the same pair, one new bar", Samples.of(extra), unit="ms CPU",
            at_most=10, note="without Streamlit's own run",
        ),
        value_row(
            "memory of a process with three sessions, 50 M ticks stored", peak_mb, unit="MB",
            at_most=600, note="peak; without Streamlit's server",
        ),
    ]  # fmt: skip


def _cpu_ms(session: Session) -> float:
    return 1e3 * measured(session.refresh, time.process_time)[0]


def _first_load(path: Path, span_s: int, times: int) -> Samples:
    """Load the window in new processes, imports and compiled code apart; 0 times: in this one."""
    if not times:
        return Samples.of([_load_once(path, span_s)])
    words = [sys.executable, str(HERE), str(path), str(span_s)]
    paths = [str(HERE.parents[2]), str(HERE.parent)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = [
        subprocess.run(words, check=True, stdout=subprocess.PIPE, env=env) for _ in range(times)
    ]
    return Samples.of(float(json.loads(each.stdout)) for each in done)


def _first_rows(cold: Samples, path: Path, span_s: int, ticks: int) -> list[Row]:
    usual_s, _ = measured(lambda: _read_all_and_resample(path, span_s, ticks))
    return [
        value_row(
            "first load in a cold process, 50 M ticks stored", cold, unit="s", at_most=0.6,
            note="imports and compiled code apart",
        ),
        ratio_row(
            "the same against reading 10 M ticks and resampling", cold, usual_s, unit="s",
            at_least=100,
            note="SELECT of every tick into a frame, resample_ticks, the same analysis",
        ),
    ]  # fmt: skip


def _read_all_and_resample(path: Path, span_s: int, ticks: int) -> PairAnalytics:
    """Do what is usual: read every tick, resample, analyse."""
    legs = []
    with TickReader(path) as reader:
        for symbol in SYMBOLS:
            last = reader.last_trade(symbol)
            assert last is not None
            rate = len(reader.ticks(symbol, last.time_us - 60_000_000)) / 60
            start_us = last.time_us - round(ticks / len(SYMBOLS) / rate) * 1_000_000
            legs.append(resample_ticks(reader.ticks(symbol, start_us), "1s", last_is_forming=True))
    y, x = legs
    return analyse_pair(y, x, PairParams(*SYMBOLS, interval="1s", lookback=span_s))


def _sizes(day: Stored, stored: Stored) -> list[Row]:
    return [
        value_row(
            "bytes on disk per tick with bars, 1 M ticks of two symbols", day.bytes_a_tick,
            unit="bytes", at_most=55, note="about six trades a bar",
        ),
        value_row(
            "the same, 50 M ticks", stored.bytes_a_tick, unit="bytes", at_most=55
        ),
    ]  # fmt: skip


def _load_once(path: Path, span_s: int) -> float:
    session = Session(path, span_s)
    begun_s = time.perf_counter()
    session.refresh()
    return time.perf_counter() - begun_s


if __name__ == "__main__":
    warm_up()
    print(json.dumps(_load_once(Path(sys.argv[1]), int(sys.argv[2]))))
