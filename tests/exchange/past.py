"""What a symbol did before its tape begins: bars for days back, made up second by second.

Nothing is kept: a second's prices and volume follow from the seed and the second alone, so that any
page of any length can be made at any time, and bars of different lengths hold the same seconds.
Symbols of one seed share a factor, as those of `synthetic` do.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from exchange.market import E8, Kline, joined
from exchange.synthetic import SyntheticSymbol

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MINUTE_S = 60
_DAY_S = 86_400
_FACTOR_STD = 9e-5  # of a second's log return, as in `SyntheticMarket`
_NOISE = 2e-4  # width of a second's own deviation, in log price
_TRADED = 0.9  # share of seconds with a trade; the first of a minute always has one


@dataclass(frozen=True, eq=False)
class Seconds:
    """Bars of one second each, prices and volume in integers of 1e-8; `trades` 0: a quiet one."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    trades: Ints


class Past:
    """Bars of one symbol for `days` before the second in which its tape begins.

    Parameters
    ----------
    symbol
        Its price is where the past ends.
    number
        Of the symbol in its market: each has deviations of its own.
    seed
        Of the market.
    end_s
        Second in which the tape begins: the first that the past does not tell of.
    days
        How far back.
    """

    def __init__(
        self, symbol: SyntheticSymbol, number: int, *, seed: int, end_s: int, days: float
    ) -> None:
        self.end_s = end_s
        self.begin_s = (end_s - round(days * 86_400)) // 86_400 * 86_400
        self._symbol = symbol
        self._salt = 3 * (seed * 1_000_003 + number)
        self._factor = _waves(np.random.default_rng([seed, 0]), 600.0, 60 * 86_400.0)
        self._own = _waves(np.random.default_rng([seed, number + 1]), 300.0, 4 * 3600.0)
        self._level = 0.0
        ends_at = float(self._log_price(np.array([end_s]))[0])
        self._level = math.log(symbol.price) - ends_at

    def klines(self, opens_s: Sequence[int]) -> Iterator[Kline]:
        """Bars between each two of these times, all before the tape."""
        if opens_s[1] - opens_s[0] > _DAY_S:
            yield from (self._bar(low, high) for low, high in pairwise(opens_s))
            return
        seconds = self.seconds(opens_s[0], opens_s[-1])
        for low, high in pairwise(opens_s):
            yield _kline(seconds, low, slice(low - opens_s[0], high - opens_s[0]))

    def part(self, open_s: int) -> Kline:
        """A bar from a second on, as far as the past goes."""
        return self._bar(open_s, self.end_s)

    def _bar(self, low: int, high: int) -> Kline:
        """A bar of any length: made day by day, for a month's seconds are many."""
        first = max(low, self.begin_s)
        bounds = [first, *range((first // _DAY_S + 1) * _DAY_S, high, _DAY_S), high]
        days = (
            _kline(self.seconds(begin, end), begin, slice(0, end - begin))
            for begin, end in pairwise(bounds)
        )
        return reduce(joined, days)._replace(open_us=low * 1_000_000)

    def seconds(self, low: int, high: int) -> Seconds:
        """Every second of ``low <= second < high``; a quiet one has the close before it."""
        begin = low // _MINUTE_S * _MINUTE_S  # the close is carried from within the minute
        at = np.arange(begin, high + 1)
        prices = self._round(self._log_price(at) + _NOISE * (_uniform(at, self._salt) - 0.5))
        at = at[:-1]
        fills = _uniform(at, self._salt + 1)
        traded = (fills < _TRADED) | (at % _MINUTE_S == 0)
        trades = np.where(traded, 1 + (fills * 2 * self._symbol.trades_per_s).astype(np.int64), 0)
        size = self._symbol.median_size * E8 / self._symbol.lot_e8
        lots = 1 + (_uniform(at, self._salt + 2) * 2 * size).astype(np.int64)
        source = np.maximum.accumulate(np.where(traded, np.arange(at.size), 0))
        open_, close = prices[:-1], prices[1:]
        carried = close[source]
        open_ = np.where(traded, open_, carried)
        kept = slice(low - begin, None)
        return Seconds(
            open_[kept],
            np.maximum(open_, carried)[kept],
            np.minimum(open_, carried)[kept],
            carried[kept],
            np.where(traded, trades * lots * self._symbol.lot_e8, 0)[kept],
            trades[kept],
        )

    def _log_price(self, at: Ints) -> Floats:
        """Give the log price at seconds: waves, straight from minute to minute."""
        minutes = np.arange(at[0] // _MINUTE_S, at[-1] // _MINUTE_S + 2) * _MINUTE_S
        since = (minutes - self.end_s).astype(np.float64)
        path = _FACTOR_STD * self._symbol.beta * _sum_of(self._factor, since)
        deviation = max(self._symbol.deviation_std, 1e-4)
        path = path + deviation * _sum_of(self._own, since) / 100
        return self._level + np.interp(at, minutes, path)

    def _round(self, log_price: Floats) -> Ints:
        ticks = np.rint(np.exp(log_price) * E8 / self._symbol.tick_e8).astype(np.int64)
        return np.maximum(ticks, 1) * self._symbol.tick_e8


def _kline(seconds: Seconds, open_s: int, part: slice) -> Kline:
    """One bar of some seconds; the first of a minute has traded, so it opens the bar."""
    volume = int(seconds.volume[part].sum())
    close = int(seconds.close[part][-1])
    quote = volume * close // E8
    return Kline(
        open_us=open_s * 1_000_000,
        close_us=(open_s + part.stop - part.start) * 1_000_000 - 1,
        open_e8=int(seconds.open[part][0]),
        high_e8=int(seconds.high[part].max()),
        low_e8=int(seconds.low[part].min()),
        close_e8=close,
        volume_e8=volume,
        quote_volume_e8=quote,
        trades=int(seconds.trades[part].sum()),
        taker_volume_e8=volume // 2,
        taker_quote_volume_e8=quote // 2,
    )


def _waves(rng: np.random.Generator, shortest_s: float, longest_s: float) -> tuple[Floats, Floats]:
    """Periods and phases; with amplitudes by the root of the period they make a rough walk."""
    count = 3 * math.ceil(math.log2(longest_s / shortest_s))
    periods = shortest_s * (longest_s / shortest_s) ** ((np.arange(count) + rng.random()) / count)
    return periods, rng.random(count) * 2 * math.pi


def _sum_of(waves: tuple[Floats, Floats], at_s: Floats) -> Floats:
    total = np.zeros(at_s.size)
    for period, phase in zip(*waves, strict=True):
        total += 0.15 * math.sqrt(period) * np.sin(2 * math.pi / period * at_s + phase)
    return total


def _uniform(at: Ints, salt: int) -> Floats:
    """Numbers in [0, 1) that follow from the second: splitmix64."""
    mixed = at.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(salt * 0xD1B54A32D192ED03 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53
