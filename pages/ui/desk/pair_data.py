"""Two legs' bars from the database or from a file, in one shape; cached by what they hold."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.bars import resample_ticks
from analytics.frames import Interval, parse_interval
from analytics.leg import Leg
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from ingest.errors import StoreError
from ingest.store import KLINE_LENGTHS_S, BarView, LastTrade, TickReader, shared_windows
from pages.ui.state import source
from pages.ui.state.once import Once

Frames = tuple[pd.DataFrame, pd.DataFrame]
Stretch = tuple[pd.Timestamp, pd.Timestamp]
Sources = tuple[tuple[pd.Timestamp, pd.Timestamp, str], ...]

SECOND_US: Final = 1_000_000
# By so much a leg may lag behind the other, whose newest bar it has not closed: read before the
# range as well, or the first of it would lack what it stands on.
LAG_BARS: Final = 10
QUIET_BARS: Final = 64  # of a thin market: looked back for a trade at first


@dataclass(frozen=True)
class LegKlines:
    """Where a leg's bars are the exchange's own, UTC.

    Attributes
    ----------
    until
        End of those before the first trade; None where there are none.
    spans
        Start and end of those inside gaps of the trades.
    """

    until: pd.Timestamp | None = None
    spans: tuple[Stretch, ...] = ()


@dataclass(frozen=True, eq=False)
class ClosedBars:
    """Closed bars of both legs, as arrays and, where asked for, as frames.

    Attributes
    ----------
    klines
        Where they are the exchange's own.
    sources
        Of each leg, stretches with their source in words: start, end (excluded), UTC; empty where
        all were recorded here, or where it is not known.
    epochs
        Of the windows that they are from: bars of one epoch never change.
    """

    legs: tuple[Leg, Leg]
    make_frames: Callable[[], Frames]
    klines: tuple[LegKlines, LegKlines] = (LegKlines(), LegKlines())
    epochs: tuple[int, int] = (0, 0)
    sources: tuple[Sources, Sources] = ((), ())

    @cached_property
    def frames(self) -> Frames:
        """Bars frames of both legs."""
        return self.make_frames()


@dataclass(frozen=True, eq=False)
class PairBars:
    """Bars of both legs and how to tell them from any others.

    Attributes
    ----------
    closed
        The bars.
    key
        Changes whenever a closed bar does: the cache key of everything computed from them.
    last
        The newest trade of each leg, by symbol; empty for a file.
    """

    closed: ClosedBars
    key: Hashable
    last: dict[str, LastTrade]

    @property
    def y_bars(self) -> pd.DataFrame:
        """Bars frame of S1, closed bars only; not to be changed."""
        return self.closed.frames[0]

    @property
    def x_bars(self) -> pd.DataFrame:
        """Bars frame of S2."""
        return self.closed.frames[1]


_symbols: Final[Once[tuple[str, ...]]] = Once(8)
_bars: Final[Once[ClosedBars]] = Once(32)
_file_bars: Final[Once[pd.DataFrame]] = Once(16)
_analyses: Final[Once[PairAnalytics]] = Once(32)


def database_path() -> Path:
    """Return the database of the recording, or of the replay that the reader looks at."""
    return source.database_path()


def recorded_symbols(path: Path) -> list[str]:
    """Return the symbols with at least one stored trade.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    with TickReader(path, history=source.history_of(path)) as reader:
        return reader.symbols()


def symbols_or_none(path: Path) -> list[str]:
    """Return the recorded symbols; none while there is no database to read."""
    try:
        return recorded_symbols(path)
    except StoreError:
        return []


def has_other_symbols(path: Path, known: tuple[str, ...]) -> bool:
    """Whether other symbols are recorded now than those known; sessions share a look a second."""
    second = int(time.monotonic())
    seen = _symbols.get((path, second), lambda: tuple(symbols_or_none(path)), path)
    # What another session saw may be older than what is known.
    return seen != known and tuple(symbols_or_none(path)) != known


def recorded_span(path: Path, legs: tuple[str, ...]) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the times of the first and the last stored trade of any of the legs."""
    with TickReader(path, history=source.history_of(path)) as reader:
        spans = [span for span in map(reader.span, legs) if span is not None]
    if not spans:
        return None
    return min(first for first, _ in spans), max(last for _, last in spans)


def held_seconds(path: Path, legs: tuple[str, ...], interval: str) -> int | None:
    """How long the span is of which bars of the legs are held; None without any."""
    bar_s = parse_interval(interval).us // SECOND_US
    lengths = [each for each in KLINE_LENGTHS_S if bar_s % each == 0]
    with TickReader(path, history=source.history_of(path)) as reader:
        begins = [reader.begins_us(leg, length) for leg in legs for length in lengths]
        ends = [reader.last_trade(leg) for leg in legs]
    first_us = min((each for each in begins if each is not None), default=None)
    last_us = max((each.time_us for each in ends if each is not None), default=None)
    return None if first_us is None or last_us is None else (last_us - first_us) // SECOND_US


def read_pair(path: Path, params: PairParams) -> PairBars:
    """Read both legs as far as the range and what it stands on reach: see `PairParams.reach`.

    Counted back from the later of their last trades, or from where the range ends.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    if params.end_us is not None:
        return _read_stretch(path, params, params.end_us)
    y, x, interval = params.y, params.x, params.interval
    history = source.history_of(path)
    windows = {each: shared_windows().get(path, each, interval, history=history) for each in (y, x)}
    last_trades = {symbol: window.last_trade() for symbol, window in windows.items()}
    last = {symbol: trade for symbol, trade in last_trades.items() if trade is not None}
    bars = None if params.reach is None else params.reach + LAG_BARS
    reach_s = None if bars is None else bars * params.bar.us // SECOND_US
    start = _start_second(last, interval, reach_s)
    views = (windows[y].view(start, look=False), windows[x].view(start, look=False))
    line = (str(path), y, x, interval, reach_s)
    key = (*line[:-1], start, views[0].key, views[1].key)
    return PairBars(_bars.get(key, partial(_closed_bars, *views, line), line), key, last)


def _read_stretch(path: Path, params: PairParams, end_us: int) -> PairBars:
    """Read a range that ended: apart from the windows, which hold all bars up to now.

    What is repaired in it meanwhile is seen within a minute, what is fetched or deleted at once.
    """
    bars = None if params.reach is None else params.reach + LAG_BARS
    start_us = None if bars is None else end_us - bars * params.bar.us
    minute = int(time.monotonic() // 60)
    changes = source.history_changes(path, (params.y, params.x))
    key = (str(path), params.y, params.x, params.interval, start_us, end_us, minute, changes)

    def read() -> ClosedBars:
        with TickReader(path, history=source.history_of(path)) as reader:
            frames = tuple(
                _bars_between(reader, each, params.bar, start_us, end_us)
                for each in (params.y, params.x)
            )
        legs = Leg.of(frames[0], params.bar.us), Leg.of(frames[1], params.bar.us)
        klines = _told(frames[0]), _told(frames[1])
        sources = frames[0].attrs.get("sources", ()), frames[1].attrs.get("sources", ())
        return ClosedBars(legs, lambda: (frames[0], frames[1]), klines, sources=sources)

    return PairBars(_bars.get(key, read, key[:-2]), key, {})


def _bars_between(
    reader: TickReader, symbol: str, bar: Interval, start_us: int | None, end_us: int
) -> pd.DataFrame:
    """Read a leg's bars, the first ones too where nobody traded: with the close before them.

    What a reader gives begins with a trade, so that it is asked from further back until it has one.
    """
    bars = reader.bars(symbol, bar.name, start_us, end_us)
    if start_us is None:
        return bars
    start, back, asked_us = pd.Timestamp(start_us, unit="us", tz="UTC"), QUIET_BARS, start_us
    begins_us = reader.begins_us(symbol, bar.us // SECOND_US)
    while begins_us is not None and begins_us < asked_us and not (bars.index <= start).any():
        asked_us, back = start_us - back * bar.us, back * 8
        bars = reader.bars(symbol, bar.name, asked_us, end_us)
    return bars.loc[start:]


def _told(bars: pd.DataFrame) -> LegKlines:
    """Say of a bars frame where its bars are the exchange's own."""
    return LegKlines(bars.attrs.get("klines_until"), tuple(bars.attrs.get("kline_spans", ())))


def _start_second(last: dict[str, LastTrade], interval: str, reach_s: int | None) -> int | None:
    """Find the open of the first bar to read; one bar more, since the forming one is dropped."""
    if reach_s is None or not last:
        return None
    bar_us = parse_interval(interval).us
    newest_us = max(trade.time_us for trade in last.values())
    return newest_us // bar_us * bar_us // SECOND_US - reach_s


def _closed_bars(y: BarView, x: BarView, line: Hashable) -> ClosedBars:
    """Take the bars of both views, and over from those of `line` before what still holds."""
    legs, epochs = (_leg(y), _leg(x)), (y.key[0], x.key[0])
    before = _bars.newest(line)
    if before is not None:
        for leg, old, *both in zip(legs, before.legs, epochs, before.epochs, strict=True):
            if both[0] == both[1]:
                leg.continue_returns(old)
    return ClosedBars(legs, partial(_frames, y, x), (_klines(y), _klines(x)), epochs)


def _frames(y: BarView, x: BarView) -> Frames:
    return y.frame(with_forming=False), x.frame(with_forming=False)


def _klines(view: BarView) -> LegKlines:
    until = view.klines_until if len(view.closed) else None
    spans = view.closed.kline_spans()
    return LegKlines(
        None if until is None else _utc(until),
        tuple((_utc(low), _utc(high)) for low, high in spans),
    )


def _utc(second: int) -> pd.Timestamp:
    return pd.Timestamp(second, unit="s", tz="UTC")


def _leg(view: BarView) -> Leg:
    bars = view.closed
    step_us = bars.seconds * SECOND_US
    arrays = (bars.close, bars.volume, bars.trades, bars.coverage, bars.open, bars.high, bars.low)
    return Leg(bars.first * step_us, step_us, *arrays)


def bars_of_ticks(ticks: pd.DataFrame, content: Hashable, params: PairParams) -> PairBars:
    """Resample both legs of a file's ticks, as far back from its end as `read_pair`.

    Parameters
    ----------
    ticks
        A ticks frame of several symbols.
    content
        Identifies the file's content.
    params
        Says legs, interval and reach.
    """
    frames = [_resampled(ticks, content, each, params.interval) for each in (params.y, params.x)]
    if params.end_us is not None:
        end = pd.Timestamp(params.end_us, unit="us", tz="UTC")
        frames = [leg.loc[leg.index < end] for leg in frames]
    if params.reach is not None and all(len(leg) for leg in frames):
        start = max(leg.index[-1] for leg in frames) - params.reach * params.bar.timedelta
        frames = [leg.loc[leg.index > start] for leg in frames]
    both = (frames[0], frames[1])
    key = (content, params.y, params.x, params.interval, params.reach, params.until)
    return PairBars(_bars.get(key, lambda: _framed_bars(both, params.bar.us)), key, {})


def _framed_bars(frames: Frames, step_us: int) -> ClosedBars:
    y, x = (Leg.of(bars, step_us) for bars in frames)
    return ClosedBars((y, x), lambda: frames)


def _resampled(ticks: pd.DataFrame, content: Hashable, symbol: str, interval: str) -> pd.DataFrame:
    """Resample one symbol's ticks once per file and interval."""
    return _file_bars.get(
        (content, symbol, interval),
        lambda: resample_ticks(ticks[ticks["symbol"] == symbol], interval),
    )


def analyse(bars: PairBars, params: PairParams) -> PairAnalytics:
    """Analyse a pair, once per (parameters, state of the data): the same object until then.

    Raises
    ------
    AnalyticsError
        The bars do not allow what the parameters ask for.
    """
    # The legs and the range are in the parameters: what differs beside them is the source.
    source = bars.key[0] if isinstance(bars.key, tuple) else bars.key
    line = (source, params)

    def compute() -> PairAnalytics:
        return analyse_pair(*bars.closed.legs, params, _analyses.newest(line))

    return _analyses.get((bars.key, params), compute, line)
