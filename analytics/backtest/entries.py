"""Entries that pay for their costs: where to open and close a spread that reverts to its mean."""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from scipy.special import dawsn, erf, erfcx, erfi

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.spread import SpreadKind

# A trade is filled going in and coming out.
FILLS: Final = 2
# "one side": bought below, sold above (Bertram). "reverse": both sides, each exit the other side's
# entry. "to the mean": both sides, out at the mean (Zeng & Lee).
Sides = Literal["one side", "reverse", "to the mean"]
SIDES: Final[tuple[Sides, ...]] = get_args(Sides)
# Beyond so many standard deviations a normal process comes once in 10^14 relaxation times.
FURTHEST: Final = 8.0
NEAREST: Final = 1e-3
_POINTS: Final = 2_001
# Cost at which each of these levels earns most.
_LEVELS: Final = np.geomspace(NEAREST, FURTHEST, 2_000)
_REFINED: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """What trading an Ornstein-Uhlenbeck process at ± `level` comes to, waiting included.

    Attributes
    ----------
    level
        Distance from the mean at which a trade is opened, in standard deviations of the process.
    length
        Expected bars of a cycle: from one entry to the next.
    bars_held
        Expected bars of a trade.
    profit
        Of a cycle after its cost, in the unit of the spread.
    mean, variance
        Of the profit a bar, in the unit of the spread (and its square), over many cycles.
    sides
        Which positions are taken.
    """

    level: float
    length: float
    bars_held: float
    profit: float
    mean: float
    variance: float
    sides: Sides
    reference: str = (
        "Bertram (2010), Physica A 389(11), 2234-2243; "
        "Zeng & Lee (2014), Quantitative Finance 14(11), 1881-1893"
    )

    @property
    def sharpe(self) -> float:
        """Mean over standard deviation of the profit a bar; NaN without variation."""
        return self.mean / math.sqrt(self.variance) if self.variance > 0 else math.nan


def trade_at(
    level: float, half_life: float, deviation: float, cost: float, sides: Sides = "to the mean"
) -> Entry:
    """Say what an entry at ± `level` comes to.

    Parameters
    ----------
    level
        Standard deviations from the mean, above 0, at most 8.
    half_life
        Bars in which half of a deviation is gone, above 0.
    deviation
        Standard deviation of the process in its own unit, above 0.
    cost
        Of a whole trade, in and out of both legs, in the unit of the spread; 0 or more.
    sides
        One of `SIDES`.

    Raises
    ------
    ParameterError
        A value outside its range.
    """
    _check(half_life, deviation, cost, sides)
    if not 0 < level <= FURTHEST:
        raise ParameterError("level", level, f"above 0, at most {FURTHEST:g}")
    relaxation = half_life / math.log(2.0)
    wait, spread = _cycle(level, sides)
    length, variance = relaxation * wait, relaxation**2 * spread
    profit = _distance(level, sides) * deviation - cost
    return Entry(
        level=level,
        length=length,
        bars_held=relaxation * _trade_time(level, sides),
        profit=profit,
        mean=profit / length,
        variance=profit**2 * variance / length**3,
        sides=sides,
    )


def best_entry(
    half_life: float,
    deviation: float,
    cost: float,
    sides: Sides = "to the mean",
    *,
    criterion: Literal["mean", "sharpe"] = "mean",
    rate: float = 0.0,
) -> Entry:
    """Find the entry with the highest profit a bar, or the highest Sharpe ratio.

    Parameters
    ----------
    half_life, deviation, cost, sides
        As `trade_at`.
    criterion
        What is highest.
    rate
        For the Sharpe ratio: what the money earns in a cycle elsewhere, in the unit of the spread.
        At 0 the ratio alone would send one to the widest entry that ever comes; costs bound it.

    Returns
    -------
    Entry
        At the furthest level that is looked at (8) where the costs are larger than any profit.
    """
    _check(half_life, deviation, cost, sides)
    if criterion not in ("mean", "sharpe"):
        raise ParameterError("criterion", criterion, "mean or sharpe")
    if criterion == "mean":
        level = float(best_levels(np.array([cost / deviation]), sides)[0])
        return trade_at(level, half_life, deviation, cost, sides)
    # Nearer than this the costs are more than the way back.
    nearest = min((cost + rate) / deviation / _distance(1.0, sides), 0.999 * FURTHEST)

    def regret(level: float) -> float:
        """Minus the profit a time unit at this level, over its deviation."""
        found = trade_at(level, half_life, deviation, cost, sides)
        return -(found.mean - rate / found.length) / math.sqrt(found.variance)

    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - half a second to import

    found = minimize_scalar(
        regret, bounds=(max(nearest, NEAREST), FURTHEST), method="bounded", options={"xatol": 1e-9}
    )
    return trade_at(float(found.x), half_life, deviation, cost, sides)


def best_levels(costs: FloatArray, sides: Sides = "to the mean") -> FloatArray:
    """Find the levels with the highest profit a bar, for many costs at once.

    Parameters
    ----------
    costs : ndarray, shape (n,)
        Of a whole trade, in standard deviations of the process; NaN gives NaN.
    sides
        One of `SIDES`.

    Returns
    -------
    ndarray, shape (n,)
        From 0.001 to 8. How fast the process returns plays no part: it only scales time.
    """
    # (way - c) / erfi(a / √2) is highest where c = a - √2 D(a / √2), D Dawson's integral.
    wanted = np.asarray(costs, dtype=np.float64) / _distance(1.0, sides)
    level: FloatArray = np.interp(wanted, _cost_of(_LEVELS), _LEVELS)
    for _ in range(_REFINED):
        slope = math.sqrt(2.0) * level * dawsn(level / math.sqrt(2.0))
        level = np.clip(level - (_cost_of(level) - wanted) / slope, NEAREST, FURTHEST)
    return level


def levels_that_pay(
    half_life: FloatArray, deviation: FloatArray, cost: FloatArray, bars: FloatArray
) -> FloatArray:
    """Find where trades back to the mean earn most, if they come within the bars at hand.

    Parameters
    ----------
    half_life, deviation, cost, bars : ndarray, shape (n,)
        As `trade_at`, and the bars each process was fitted to; NaN gives NaN.

    Returns
    -------
    ndarray, shape (n,)
        Standard deviations; infinity where a trade from there comes less than once in `bars`.
    """
    level = best_levels(cost / deviation)
    length = half_life / math.log(2.0) * mean_cycles(level)
    level[length > bars] = math.inf
    level[np.isnan(length)] = math.nan
    return level


def profit_a_bar(
    level: FloatArray, half_life: FloatArray, deviation: FloatArray, cost: FloatArray
) -> FloatArray:
    """Mean profit a bar of trades from `level` back to the mean, unit of the spread; 0 at infinity.

    Arrays of shape (n,), as `trade_at` names them; NaN gives NaN.
    """
    far = np.isinf(level)
    near = np.where(far, FURTHEST, level)
    length = half_life / math.log(2.0) * mean_cycles(near)
    profit: FloatArray = np.where(far, 0.0, (near * deviation - cost) / length)
    return profit


def round_trip(worth: FloatArray, fill_bps: float) -> FloatArray:
    """Cost of a whole trade in the unit of the spread, from what both legs of a unit are worth."""
    cost: FloatArray = FILLS * max(fill_bps, 0.0) * 1e-4 * worth
    return cost


def mean_cycles(level: FloatArray, sides: Sides = "to the mean") -> FloatArray:
    """Mean time from one entry to the next, in relaxation times (half-life / ln 2)."""
    halves = {"to the mean": 0.5, "reverse": 1.0, "one side": 2.0}[sides]
    cycles: FloatArray = halves * math.pi * erfi(level / math.sqrt(2.0))
    return cycles


def worth_of_legs(kind: SpreadKind, y: FloatArray, x: FloatArray, beta: FloatArray) -> FloatArray:
    """Value of both legs of one unit of a spread, in the spread's own unit.

    A change of the spread by this share of itself is a return on the money in both legs. `beta` is
    looked at where the spread has one.
    """
    if kind == "ratio":
        return 2.0 * y / x
    if kind == "log":
        return 1.0 + np.abs(beta)
    return y + (np.abs(beta) if kind == "hedged" else 1.0) * x


def _check(half_life: float, deviation: float, cost: float, sides: Sides) -> None:
    for name, value in (("half_life", half_life), ("deviation", deviation)):
        if not (value > 0 and math.isfinite(value)):
            raise ParameterError(name, value, "above 0, finite")
    if not cost >= 0:
        raise ParameterError("cost", cost, "0 or more")
    if sides not in SIDES:
        raise ParameterError("sides", sides, f"one of {', '.join(SIDES)}")


def _distance(level: float, sides: Sides) -> float:
    """Way of the spread in a trade, standard deviations."""
    return level if sides == "to the mean" else 2.0 * level


def _cost_of(level: FloatArray) -> FloatArray:
    """Cost at which trading at a level and back to the mean earns most, standard deviations."""
    cost: FloatArray = level - math.sqrt(2.0) * dawsn(level / math.sqrt(2.0))
    return cost


def _cycle(level: float, sides: Sides) -> tuple[float, float]:
    """Mean and variance of the time of a cycle, in relaxation times."""
    mean = float(mean_cycles(np.array([level]), sides)[0])
    if sides == "to the mean":
        back = _passage(-level, 0.0, is_reflected=False)
        return mean, back + _passage(0.0, level, is_reflected=True)
    across = _passage(-level, level, is_reflected=False)
    return mean, across * (2.0 if sides == "one side" else 1.0)


def _trade_time(level: float, sides: Sides) -> float:
    """Mean time of a trade, in relaxation times: back from the level to the mean, or across."""
    if sides != "to the mean":
        return float(mean_cycles(np.array([level]), sides)[0]) / (2 if sides == "one side" else 1)
    from scipy.integrate import simpson  # noqa: PLC0415 - half a second

    x = np.linspace(-level, 0.0, _POINTS)
    return float(simpson(math.sqrt(math.pi / 2.0) * erfcx(-x / math.sqrt(2.0)), x=x))


def _passage(start: float, end: float, *, is_reflected: bool) -> float:
    """Variance of the first time that dX = −X dt + √2 dW, at `start`, is at `end` above it.

    Reflected at 0, it is the time to either of ± `end`. Siegert (1951), Physical Review 81,
    617-623: with w = exp(−x²/2), T′ = ∫w / w and V′ = 2 ∫w T′² / w, both from the wall.
    """
    from scipy.integrate import cumulative_simpson, simpson  # noqa: PLC0415 - half a second

    before = 0.0
    if not is_reflected:
        x = np.linspace(start - FURTHEST, start, _POINTS)
        before = float(simpson(_weighted_square(x, is_reflected=False), x=x))
    x = np.linspace(start, end, _POINTS)
    inner = cumulative_simpson(_weighted_square(x, is_reflected=is_reflected), x=x, initial=0.0)
    return float(simpson(2.0 * (before + inner) * np.exp(x**2 / 2.0), x=x))


def _weighted_square(x: FloatArray, *, is_reflected: bool) -> FloatArray:
    """Density times the square of T′, at places `x`."""
    root, way = math.sqrt(math.pi / 2.0), x / math.sqrt(2.0)
    if is_reflected:
        squared: FloatArray = root**2 * np.exp(x**2 / 2.0) * erf(way) ** 2
    else:
        squared = root**2 * np.exp(-(x**2) / 2.0) * erfcx(-way) ** 2
    return squared
