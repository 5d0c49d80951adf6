"""One task's work, from closes to a few small arrays; nothing is shared between tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analytics.backtest import drawdown_of, permuted_leg
from analytics.errors import AnalyticsError
from analytics.frames import FloatArray
from analytics.research.closes import Closes
from analytics.research.grid import Task
from analytics.research.search import Search, Searched
from analytics.research.significance import mean_above_zero
from analytics.research.spec import ResearchSpec
from analytics.scanner import scan_pairs

# Bars traded are put together into no more stretches than this: what they earn adds up.
MOST_STRETCHES: Final = 500
# Columns of a pair's figures: money over the capital, ratios of a bar.
FIGURES: Final = (
    "trades", "gross", "net", "traded", "sharpe", "skew", "kurtosis", "drawdown", "gross_sharpe",
    "first_net", "first_t", "first_p", "held_net", "held_t", "held_p",
    "distinct", "alike", "effective",
)  # fmt: skip
# Columns of a search on a pair whose relation was broken.
NULL_FIGURES: Final = ("gross_sharpe", "net", "sharpe", "first_p")
Progress = Callable[[], None]


@dataclass(frozen=True, slots=True, eq=False)
class TaskResult:
    """What a task came to.

    Attributes
    ----------
    number
        Of the task.
    arrays
        By name. Of a walk-forward, P pairs: ``pairs`` (P, 2), ``figures`` (P, `FIGURES`),
        ``chosen`` (P, stretches traded, 3: place of the hedge, window, entry), ``profits`` (P, at
        most 500 stretches of equal length), ``null`` (P, runs, `NULL_FIGURES`), ``reason`` (P)
        why there is nothing. Of a scan, a row a pair: ``pairs``, ``pvalue``, ``qvalue``,
        ``holds``.
    """

    number: int
    arrays: dict[str, np.ndarray[Any, Any]]


def run_task(
    task: Task, spec: ResearchSpec, closes: Closes, progress: Progress | None = None
) -> TaskResult:
    """Do one task.

    Parameters
    ----------
    task, spec
        From `analytics.research.tasks`.
    closes
        Of its symbols, or more.
    progress
        Called between pairs; an exception it raises ends the work.
    """
    if task.kind == "scan":
        return TaskResult(task.number, _scanned(task, spec, closes))
    rows = []
    for pair in task.pairs:
        rows.append(_of_pair(pair, spec, closes))
        if progress is not None:
            progress()
    return TaskResult(
        task.number, {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    )


def edges_of_stretches(spec: ResearchSpec, bars: int) -> tuple[np.ndarray[Any, Any], int, int]:
    """Cut the bars traded: first bar of each stretch, stretches before the border, the border.

    No stretch reaches over the border between the first part and what is held out.
    """
    traded = bars - spec.train_bars
    border = traded - int(traded * spec.holdout_share)
    many = min(MOST_STRETCHES, traded)
    before = max(1, round(many * border / traded))
    after = many - before
    first = np.linspace(0, border, before, endpoint=False)
    rest = np.linspace(border, traded, after, endpoint=False)
    return np.concatenate([first, rest]).astype(np.int64), before, border


def _of_pair(
    pair: tuple[int, int], spec: ResearchSpec, closes: Closes
) -> dict[str, np.ndarray[Any, Any]]:
    names = spec.symbols[pair[0]], spec.symbols[pair[1]]
    y_bars, x_bars = (closes.bars(name) for name in names)
    try:
        search = Search.of(spec, y_bars, x_bars, names)
        walked, settings = search.walk(), search.independent()
        null = np.full((spec.null_runs, len(NULL_FIGURES)), np.nan)
        for run in range(spec.null_runs):
            rng = np.random.default_rng([spec.seed, *pair, run])
            moved = permuted_leg(x_bars, spec.blocks_of_null, rng)
            null[run] = _null_figures(Search.of(spec, y_bars, moved, names).walk(), spec)
    except AnalyticsError as error:
        return _nothing(pair, spec, closes, str(error))
    edges, before, border = edges_of_stretches(spec, closes.grid.bars)
    profits = np.add.reduceat(walked.net, edges)
    figures = [
        walked.trades, walked.gross.sum(), walked.net.sum(), walked.traded, *_moments(walked.net),
        drawdown_of(1.0 + np.cumsum(walked.net), 1.0)[0], _ratio(walked.gross),
        walked.net[:border].sum(), *mean_above_zero(profits[:before]),
        walked.net[border:].sum(), *mean_above_zero(profits[before:]),
        settings.distinct, settings.correlation, settings.number,
    ]  # fmt: skip
    return {
        "pairs": np.array(pair, dtype=np.int64), "figures": np.array(figures, dtype=np.float64),
        "chosen": walked.chosen, "profits": profits, "null": null, "reason": np.array("", "<U200"),
    }  # fmt: skip


def _nothing(
    pair: tuple[int, int], spec: ResearchSpec, closes: Closes, reason: str
) -> dict[str, np.ndarray[Any, Any]]:
    """Lay out a pair that could not be walked, and why."""
    edges, _, _ = edges_of_stretches(spec, closes.grid.bars)
    blocks = stretches_traded(spec, closes.grid.bars)
    return {
        "pairs": np.array(pair, dtype=np.int64),
        "figures": np.full(len(FIGURES), np.nan),
        "chosen": np.full((blocks, 3), np.nan),
        "profits": np.zeros(edges.size),
        "null": np.full((spec.null_runs, len(NULL_FIGURES)), np.nan),
        "reason": np.array(reason, "<U200"),
    }


def stretches_traded(spec: ResearchSpec, bars: int) -> int:
    """How often a setting is chosen and traded; a rest of one or two bars is no stretch."""
    return len(range(spec.train_bars, bars - 2, spec.test_bars))


def _null_figures(walked: Searched, spec: ResearchSpec) -> FloatArray:
    edges, before, _ = edges_of_stretches(spec, walked.net.size + spec.train_bars)
    _, pvalue = mean_above_zero(np.add.reduceat(walked.net, edges)[:before])
    return np.array([_ratio(walked.gross), walked.net.sum(), _ratio(walked.net), pvalue])


def _ratio(profits: FloatArray) -> float:
    """Mean over standard deviation (ddof 1) of a bar's profits; 0 where nothing was traded."""
    deviation = float(profits.std(ddof=1))
    return float(profits.mean()) / deviation if deviation > 0 else 0.0


def _moments(returns: FloatArray) -> tuple[float, float, float]:
    """Sharpe ratio a bar, skew and kurtosis (3 for a normal); NaN without variation."""
    deviations = returns - returns.mean()
    # Products: a power of each bar would take longer than the walk.
    squares = deviations * deviations
    variance = float(squares.mean())
    if not variance > 0:
        return np.nan, np.nan, np.nan
    skew = float(np.mean(squares * deviations)) / variance**1.5
    return _ratio(returns), skew, float(np.mean(squares * squares)) / variance**2


def _scanned(task: Task, spec: ResearchSpec, closes: Closes) -> dict[str, np.ndarray[Any, Any]]:
    """Scan a month for pairs that keep together; a month that allows no scan finds none."""
    place = {name: number for number, name in enumerate(spec.symbols)}
    try:
        table = scan_pairs(
            closes.frame(spec.symbols, task.low, task.high),
            on="log" if spec.spread == "log" else "price", level=spec.level, workers=1,
        )  # fmt: skip
    except AnalyticsError:
        empty = np.empty(0)
        return {"pairs": np.empty((0, 2), dtype=np.int64), "pvalue": empty, "qvalue": empty,
                "holds": empty.astype(np.bool_)}  # fmt: skip
    legs = np.array([table["y"].map(place), table["x"].map(place)], dtype=np.int64).T
    usable = (table["reason"] == "").to_numpy()
    return {
        "pairs": np.sort(legs, axis=1)[usable],
        "pvalue": table["pvalue"].to_numpy(dtype=np.float64)[usable],
        "qvalue": table["qvalue"].to_numpy(dtype=np.float64)[usable],
        "holds": (table["verdict"] == "holds").to_numpy(dtype=np.bool_)[usable],
    }
