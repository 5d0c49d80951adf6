"""Seeded trades of symbols that cointegrate: nothing here ever happened on a market.

The common factor is a random walk in log price. A symbol's log price is its level plus ``beta``
times the factor plus an Ornstein-Uhlenbeck deviation of its own. Orders arrive as a self-exciting
(Hawkes) process, an order fills in one or more trades of the same instant, prices lie on the tick.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exchange.symbols import Facts, facts_of

E8 = 100_000_000  # prices and quantities are integers of 1e-8, as exact as the exchange prints them

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BRANCHING = 0.6  # orders each order sets off, on average
FAST_ECHO_S, SLOW_ECHO_S = 0.008, 1.5  # mean delay of such an order, half of them each
FILL_STOPS = 0.6  # an order's number of fills is geometric with this chance to end
FILLS_PER_ORDER = 1 / FILL_STOPS
SIDE_FLIPS = 0.2  # chance that an order set off by another goes the other way
LEVEL_SWEPT = 0.3  # chance that the next fill of an order takes the next price level
SIZE_SIGMA = 1.3
WARM_UP_S = 20  # orders before the start, whose echoes fall after it


@dataclass(frozen=True)
class SyntheticSymbol:
    """One leg: where its price starts, how it follows the factor, how it is traded."""

    name: str
    price: float
    beta: float = 1.0
    deviation_std: float = 0.0  # stationary standard deviation of the OU part, in log price
    tick_e8: int = E8 // 100
    lot_e8: int = E8 // 1000
    median_size: float = 0.5
    trades_per_s: float = 5.0


@dataclass(frozen=True, eq=False)
class SyntheticTrades:
    """Columns of equal length in order of time: ``symbol`` counts into the market's symbols."""

    symbol: Ints
    time_us: Ints
    price_e8: Ints
    quantity_e8: Ints
    buyer_is_maker: Bools

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(eq=False)
class _Orders:
    """Orders of one symbol: seconds since the start, and whether the aggressor buys."""

    time_s: Floats
    buys: Bools

    def where(self, mask: Bools) -> "_Orders":
        return _Orders(self.time_s[mask], self.buys[mask])


def _joined(parts: Sequence[_Orders]) -> _Orders:
    return _Orders(
        np.concatenate([part.time_s for part in parts]),
        np.concatenate([part.buys for part in parts]),
    )


def _no_orders() -> _Orders:
    return _Orders(np.empty(0), np.empty(0, dtype=np.bool_))


class SyntheticMarket:
    """A market that goes on for as long as it is asked: ``advance`` gives the next stretch.

    Equal symbols, seed, start and sequence of stretches give equal trades.

    Parameters
    ----------
    symbols
        The legs; the first two of `default_symbols` are a y with a deviation and its x.
    seed
        Of numpy's PCG64.
    start_us
        Time of the first stretch, microseconds since the epoch.
    half_life_s
        Of the deviations. With 90 s an hour of seconds is about 40 half-lives, enough for an
        Engle-Granger test to see them.
    factor_std
        Standard deviation of the factor's log return over one second (9e-5 is 50 % a year).
    """

    def __init__(
        self,
        symbols: Sequence[SyntheticSymbol],
        *,
        seed: int,
        start_us: int,
        half_life_s: float = 90.0,
        factor_std: float = 9e-5,
    ) -> None:
        self.symbols = tuple(symbols)
        self._rng = np.random.default_rng(seed)
        self._start_us = start_us
        self._elapsed_s = -WARM_UP_S
        self._decay = math.exp(-math.log(2) / half_life_s)
        self._factor_std = factor_std
        self._factor = 0.0
        self._deviations = [
            symbol.deviation_std * float(self._rng.standard_normal()) for symbol in symbols
        ]
        self._echoes = [_no_orders() for _ in symbols]
        for index in range(len(self.symbols)):
            self._orders(index, WARM_UP_S)
        self._elapsed_s = 0

    @property
    def now_us(self) -> int:
        """Where the next stretch begins."""
        return self._start_us + self._elapsed_s * 1_000_000

    def resume_at(self, time_us: int) -> None:
        """Let the next stretch begin later than the last one ended, as after a halt."""
        self._start_us += max(time_us - self.now_us, 0)

    def advance(self, seconds: int) -> SyntheticTrades:
        """Give all trades of the next `seconds` whole seconds, in order of time."""
        factor = self._walk(seconds)
        legs = [self._leg(index, factor, seconds) for index in range(len(self.symbols))]
        self._elapsed_s += seconds
        time_us = np.concatenate([leg.time_us for leg in legs])
        order = np.argsort(time_us, kind="stable")
        return SyntheticTrades(
            symbol=np.concatenate([leg.symbol for leg in legs])[order],
            time_us=time_us[order],
            price_e8=np.concatenate([leg.price_e8 for leg in legs])[order],
            quantity_e8=np.concatenate([leg.quantity_e8 for leg in legs])[order],
            buyer_is_maker=np.concatenate([leg.buyer_is_maker for leg in legs])[order],
        )

    def _walk(self, seconds: int) -> Floats:
        """Give the factor at each second of the stretch, both ends included."""
        steps = self._factor_std * self._rng.standard_normal(seconds)
        factor = self._factor + np.concatenate([[0.0], np.cumsum(steps)])
        self._factor = float(factor[-1])
        return factor

    def _deviation(self, index: int, seconds: int) -> Floats:
        """Give the OU part at each second, by its exact discretisation."""
        std = self.symbols[index].deviation_std
        shocks = std * math.sqrt(1 - self._decay**2) * self._rng.standard_normal(seconds)
        path = np.empty(seconds + 1)
        path[0] = self._deviations[index]
        for second, shock in enumerate(shocks):
            path[second + 1] = self._decay * path[second] + shock
        self._deviations[index] = float(path[-1])
        return path

    def _leg(self, index: int, factor: Floats, seconds: int) -> SyntheticTrades:
        spec = self.symbols[index]
        log_price = math.log(spec.price) + spec.beta * factor + self._deviation(index, seconds)
        orders = self._orders(index, seconds)
        grid_s = self._elapsed_s + np.arange(seconds + 1)
        mid_ticks = np.exp(np.interp(orders.time_s, grid_s, log_price)) * E8 / spec.tick_e8
        touch = np.where(orders.buys, np.ceil(mid_ticks), np.floor(mid_ticks)).astype(np.int64)
        fills = self._rng.geometric(FILL_STOPS, len(touch))
        buys = np.repeat(orders.buys, fills)
        swept = self._levels_swept(fills)
        ticks = np.maximum(np.repeat(touch, fills) + np.where(buys, swept, -swept), 1)
        time_us = self._start_us + (orders.time_s * 1e6).astype(np.int64)
        return SyntheticTrades(
            symbol=np.full(len(ticks), index, dtype=np.int64),
            time_us=np.repeat(time_us, fills),
            price_e8=ticks * spec.tick_e8,
            quantity_e8=self._sizes(spec, len(ticks)),
            buyer_is_maker=~buys,
        )

    def _orders(self, index: int, seconds: int) -> _Orders:
        """Give a stretch of a Hawkes process: orders that come by themselves, and their echoes."""
        begin_s, end_s = float(self._elapsed_s), float(self._elapsed_s + seconds)
        rate = self.symbols[index].trades_per_s / FILLS_PER_ORDER * (1 - BRANCHING)
        count = self._rng.poisson(rate * seconds)
        own = _Orders(self._rng.uniform(begin_s, end_s, count), self._rng.random(count) < 0.5)
        generation = _joined([own, self._echoes[index]])
        found, later = [], []
        while len(generation.time_s):
            due = generation.time_s < end_s
            found.append(generation.where(due))
            later.append(generation.where(~due))
            generation = self._echo(found[-1])
        self._echoes[index] = _joined(later) if later else _no_orders()
        orders = _joined(found) if found else _no_orders()
        by_time = np.argsort(orders.time_s, kind="stable")
        return _Orders(orders.time_s[by_time], orders.buys[by_time])

    def _echo(self, parents: _Orders) -> _Orders:
        children = self._rng.poisson(BRANCHING, len(parents.time_s))
        time_s = np.repeat(parents.time_s, children)
        mean_s = np.where(self._rng.random(len(time_s)) < 0.5, FAST_ECHO_S, SLOW_ECHO_S)
        flips = self._rng.random(len(time_s)) < SIDE_FLIPS
        return _Orders(
            time_s + mean_s * self._rng.standard_exponential(len(time_s)),
            np.repeat(parents.buys, children) ^ flips,
        )

    def _levels_swept(self, fills: Ints) -> Ints:
        """Give, for each fill, how many levels its order had moved through before it."""
        steps = (self._rng.random(int(fills.sum())) < LEVEL_SWEPT).astype(np.int64)
        firsts = np.cumsum(fills) - fills
        steps[firsts] = 0
        walked = np.cumsum(steps)
        return np.asarray(walked - np.repeat(walked[firsts], fills), dtype=np.int64)

    def _sizes(self, spec: SyntheticSymbol, count: int) -> Ints:
        size = spec.median_size * np.exp(SIZE_SIGMA * self._rng.standard_normal(count))
        lots = np.maximum(np.rint(size * E8 / spec.lot_e8), 1).astype(np.int64)
        return np.asarray(lots * spec.lot_e8, dtype=np.int64)


_SHAPES = (
    # price, beta, deviation_std, tick, lot, median size: levels in the manner of large USDT symbols
    (64_000.0, 1.0, 0.0, 0.01, 0.00001, 0.004),
    (2_600.0, 1.25, 0.0009, 0.01, 0.0001, 0.08),
    (148.0, 1.6, 0.0012, 0.01, 0.001, 1.5),
    (590.0, 0.8, 0.0009, 0.1, 0.001, 0.3),
    (0.38, 1.4, 0.0014, 0.00001, 1.0, 250.0),
)


def default_symbols(
    names: Sequence[str], trades_per_s: float, market: Literal["spot", "usdm"] = "spot"
) -> tuple[SyntheticSymbol, ...]:
    """Give any names a price level and a beta; `trades_per_s` is for each of them.

    How they move together follows from their order; the level from the name where it is well
    known, else from the order too.
    """
    shapes = [_SHAPES[index % len(_SHAPES)] for index in range(len(names))]
    return tuple(
        _at_its_level(name, shape, trades_per_s, facts_of(name, market))
        for name, shape in zip(names, shapes, strict=True)
    )


def _at_its_level(
    name: str, shape: tuple[float, ...], trades_per_s: float, facts: Facts
) -> SyntheticSymbol:
    price, beta, deviation_std, tick, lot, median_size = shape
    if facts.price is None:
        tick_e8, lot_e8 = round(tick * E8), round(lot * E8)
    else:
        tick_e8, lot_e8 = facts.tick_e8, facts.lot_e8
        price, median_size = facts.price, price * median_size / facts.price
    return SyntheticSymbol(
        name=name,
        price=price,
        beta=beta,
        deviation_std=deviation_std,
        tick_e8=tick_e8,
        lot_e8=lot_e8,
        median_size=median_size,
        trades_per_s=trades_per_s,
    )
