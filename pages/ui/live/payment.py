"""Whether the spread pays for its costs: from how far out, how often, how much, how steadily."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest import Entry, best_entry, round_trip, trade_at, worth_of_legs
from analytics.pair import PairAnalytics
from analytics.stationarity import EngleGrangerResult, HalfLife
from pages.ui.desk.fees import fill_bps
from pages.ui.parts import formats, markup
from pages.ui.parts.annual import is_too_short
from pages.ui.parts.judge import shows_return
from pages.ui.parts.markup import Html
from pages.ui.state.once import once_for_each

FIXED: Final = 2.0
TWICE: Final = "steadiest, costs earned twice"
HEAD: Final = (
    "Entry", "From |z|", "Held (bars)", "One in (bars)", "A trade, after costs", "Return",
    "Its variance", "Sharpe ratio",
)  # fmt: skip
NOTE: Final = (
    "By the process fitted to these bars (Bertram 2010; Zeng & Lee 2014), z of the residual, out "
    "at its mean; of the money in both legs. Pairs chosen for a small p look better than they are. "
    "Only when trades come is random here, so that the Sharpe ratio flatters. Costs earned twice: "
    "the entry with the highest Sharpe ratio of what trades earn beyond twice their costs, where "
    "one comes in these bars."
)

_best: Final = lru_cache(maxsize=64)(best_entry)
_at: Final = lru_cache(maxsize=128)(trade_at)


def payment(result: PairAnalytics) -> Html | None:
    """Set the sentence and the table of what trades come to at the reader's own costs."""
    bps = fill_bps()
    words = payment_words(result, bps)
    if not words:
        return None
    rows = payment_rows(result, bps)
    if not rows:
        return markup.block(markup.notes(words))
    title = f"Trades at {formats.number(bps, 1)} bps a fill; return and risk of {_basis(result)[1]}"
    table = markup.table(title, HEAD, rows)
    return markup.block(table, markup.notes([*words, NOTE]))


def payment_words(result: PairAnalytics, bps: float) -> list[str]:
    """Say from where a trade back to the mean pays at a cost of a fill above 0.

    [] where no return is shown, or its speed has no median-unbiased estimate.
    """
    if bps <= 0 or not shows_return(result):
        return []
    halving, deviation, worth = _fitted(result)
    if not (halving > 0 and deviation > 0 and worth > 0):
        return []
    cost = _cost(worth, bps)
    entry = _best(halving, deviation, cost)
    at = f"At {formats.number(bps, 1)} bps a fill"
    least, bars = cost / deviation, len(result.sample.y)
    if entry.length <= bars:
        return [_pays(at, entry, least, worth)]
    sentence = (
        f"{at} this spread does not pay: its costs are {formats.number(least, 1)} standard "
        "deviations of its residual, and a trade from where it would earn most comes less than "
        f"once in these {bars:,} bars."
    )
    return [sentence]


def payment_rows(result: PairAnalytics, bps: float) -> list[tuple[str, ...]]:
    """Set what trades from the best entries and from ±2 come to; [] where none pays.

    Without the steadiest where it comes less than once in these bars.
    """
    halving, deviation, worth = _fitted(result)
    cost = _cost(worth, bps)
    best, sample = _best(halving, deviation, cost), len(result.sample.y)
    if best.length > sample:
        return []
    steady, fixed = (
        _at(level, halving, deviation, cost)
        for level in (_steadiest(round(cost / deviation, 2)), FIXED)
    )
    twice = [(TWICE, steady)] if steady.length <= sample else []
    bars, _ = _basis(result)
    entries = [("earns most", best), *twice, ("fixed, ±2", fixed)]
    return [(name, *_row(entry, worth, bars)) for name, entry in entries]


def _basis(result: PairAnalytics) -> tuple[float, str]:
    """Bars that return and risk are of, and their name: a year where the sample allows one."""
    bars, bar = len(result.sample.y), result.params.bar
    if is_too_short(bars, bar.timedelta):
        return bars, f"{formats.count(bars, 'bar')}, too few for a year's rate"
    return bar.bars_per_year, "a year"


def _row(entry: Entry, worth: float, bars: float) -> tuple[str, ...]:
    mean, variance = entry.mean * bars / worth, entry.variance * bars / worth**2
    deviation = formats.percent(math.sqrt(variance), 2)
    return (
        formats.number(entry.level, 2),
        formats.number(entry.bars_held, 1),
        formats.number(entry.length, 1),
        f"{formats.number(entry.profit / worth * 1e4, 2)} bps",
        formats.percent(mean, 2),
        f"{deviation} squared",
        formats.number(entry.sharpe * math.sqrt(bars), 1),
    )


@lru_cache(maxsize=64)
def _steadiest(cost: float) -> float:
    """Entry of the highest Sharpe ratio beyond twice a cost (standard deviations), at any speed."""
    return best_entry(math.log(2.0), 1.0, cost, criterion="sharpe", rate=cost).level


@once_for_each
def _fitted(result: PairAnalytics) -> tuple[float, float, float]:
    """Half-life (bars), deviation, and what both legs are worth; NaN where not known."""
    half_life, residual = result.half_life, result.residual
    if not (isinstance(half_life, HalfLife) and isinstance(residual, pd.Series)):
        return math.nan, math.nan, math.nan
    deviation = float(np.nanstd(residual.to_numpy()))
    return half_life.median_unbiased, deviation, worth_of(result)


def _cost(worth: float, bps: float) -> float:
    return float(round_trip(np.array([worth]), bps)[0])


def _pays(at: str, entry: Entry, least: float, worth: float) -> str:
    earned = formats.number(entry.profit / worth * 1e4, 1)
    return (
        f"{at} a trade back to the mean pays from {formats.number(least, 1)} standard deviations "
        f"of this residual, most at {formats.number(entry.level, 1)}: one in about "
        f"{entry.length:,.0f} bars, {earned} bps of both legs after costs, if the "
        "residual goes on as fitted (Zeng & Lee 2014)."
    )


def worth_of(result: PairAnalytics) -> float:
    """Value of both legs of one unit of the residual, in its own unit; NaN where it is not known.

    A change of the residual by this share of itself is a return on the money in both legs.
    """
    line = result.engle_granger
    beta = line.beta if isinstance(line, EngleGrangerResult) else math.nan
    y, x = (leg.to_numpy(dtype=np.float64)[-1:] for leg in (result.y, result.x))
    return float(worth_of_legs(result.params.spread, y, x, np.array([beta]))[0])
