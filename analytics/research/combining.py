"""All tasks' results put together: the honest table, and what luck alone gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from analytics.backtest import deflated_sharpe_of, expected_best_sharpe, independent_trials
from analytics.errors import ParameterError
from analytics.frames import BoolArray, FloatArray, IntArray, parse_interval
from analytics.research.closes import Grid
from analytics.research.grid import tasks
from analytics.research.spec import ResearchSpec
from analytics.research.work import FIGURES, NULL_FIGURES, TaskResult, edges_of_stretches
from analytics.scanner import benjamini_hochberg

Verdict = Literal["", "holds", "unproven", "lost"]
VERDICTS: Final[dict[Verdict, str]] = {
    "holds": "earned in the held-out part as well, more than luck explains at the level",
    "unproven": "earned there, but no more than luck might, or nothing before it",
    "lost": "earned nothing there after costs",
    "": "nothing was held out, or nothing was traded",
}


@dataclass(frozen=True, slots=True, eq=False)
class ResearchResult:
    """What came out.

    Attributes
    ----------
    table
        A row a pair, best first: ``y``, ``x``; ``hedge``, ``window``, ``entry`` chosen for the
        last stretch and so the one that the next would be traded with, ``chosen_share`` the share
        of stretches with that very setting; ``trades``, ``gross``, ``costs``, ``net`` and
        ``drawdown`` (shares of the capital) and ``sharpe`` (a year) of all stretches traded;
        ``first_net``, ``pvalue`` and ``qvalue`` of those before the held-out part, ``held_net``,
        ``held_pvalue`` and ``verdict`` of it; ``pvalue_null`` the share of searches on pairs whose
        relation was broken with as much before costs; ``deflated`` the chance that the true Sharpe
        ratio is above what luck gives the best of all pairs; ``effective_settings``; ``months``
        scanned, ``months_found``, ``months_held``; ``reason`` why there is nothing.
    facts
        Numbers of the whole, as plain values.
    """

    table: pd.DataFrame
    facts: dict[str, Any]


def combine(spec: ResearchSpec, grid: Grid, results: Iterable[TaskResult]) -> ResearchResult:
    """Put the results of all tasks together, in whatever order they come.

    Raises
    ------
    ParameterError
        A task is missing, or done twice.
    """
    made = tasks(spec, grid)
    by_number = sorted(results, key=lambda each: each.number)
    if [each.number for each in by_number] != [task.number for task in made]:
        raise ParameterError("results", len(by_number), f"one of each of the {len(made)} tasks")
    walks = [each.arrays for each, task in zip(by_number, made, strict=True) if task.kind == "walk"]
    scans = [each.arrays for each, task in zip(by_number, made, strict=True) if task.kind == "scan"]
    joined = {name: np.concatenate([each[name] for each in walks]) for name in walks[0]}
    figures = dict(zip(FIGURES, joined["figures"].T, strict=True))
    null = dict(zip(NULL_FIGURES, joined["null"].reshape(-1, len(NULL_FIGURES)).T, strict=True))
    edges, _, border = edges_of_stretches(spec, grid.bars)
    traded_bars = grid.bars - spec.train_bars
    trials = independent_trials(joined["profits"], stretch=traded_bars / edges.size)
    best = expected_best_sharpe(trials.sharpe_variance, trials.number)
    qvalue = benjamini_hochberg(figures["first_p"])
    columns = {
        **_settings(spec, joined), **_money(spec, figures),
        "pvalue": figures["first_p"], "qvalue": qvalue,
        "held_net": figures["held_net"], "held_pvalue": figures["held_p"],
        "verdict": _verdicts(spec, figures),
        "pvalue_null": _null_pvalues(figures["gross_sharpe"], null["gross_sharpe"]),
        "deflated": deflated_sharpe_of(
            figures["sharpe"], best, traded_bars, figures["skew"], figures["kurtosis"]
        ),
        "effective_settings": figures["effective"],
        **_scanned(spec, joined["pairs"], scans), "reason": joined["reason"].astype(object),
    }  # fmt: skip
    year = parse_interval(spec.interval).bars_per_year
    facts = {
        "pairs": len(joined["pairs"]), "settings": spec.settings,
        "tried": len(joined["pairs"]) * spec.settings,
        "bars": grid.bars, "traded_bars": traded_bars, "held_bars": traded_bars - border,
        "start_us": grid.start_us, "step_us": grid.step_us,
        "stretches": int(joined["chosen"].shape[1]), "months": len(scans),
        "effective_pairs": trials.number, "pairs_alike": trials.correlation,
        "expected_best_sharpe": best * year**0.5,
        **_luck(spec, figures, null, year),
    }  # fmt: skip
    return ResearchResult(_ranked(pd.DataFrame(columns)), facts)


def _settings(spec: ResearchSpec, joined: dict[str, Any]) -> dict[str, Any]:
    names, pairs, chosen = np.array(spec.symbols, dtype=object), joined["pairs"], joined["chosen"]
    last = chosen[:, -1]
    hedges = np.array([*spec.hedges, ""], dtype=object)
    place = np.where(np.isnan(last[:, 0]), len(spec.hedges), np.nan_to_num(last[:, 0]))
    # NaN equals nothing: a pair without a choice was chosen in no stretch.
    same = (chosen == last[:, np.newaxis]).all(axis=2)
    return {
        "y": names[pairs[:, 0]], "x": names[pairs[:, 1]], "hedge": hedges[place.astype(np.int64)],
        "window": last[:, 1], "entry": last[:, 2], "chosen_share": same.mean(axis=1),
    }  # fmt: skip


def _money(spec: ResearchSpec, figures: dict[str, FloatArray]) -> dict[str, FloatArray]:
    year = parse_interval(spec.interval).bars_per_year
    return {
        "trades": figures["trades"], "gross": figures["gross"],
        "costs": figures["gross"] - figures["net"], "net": figures["net"],
        "sharpe": figures["sharpe"] * year**0.5, "drawdown": figures["drawdown"],
        "first_net": figures["first_net"],
    }  # fmt: skip


def _verdicts(spec: ResearchSpec, figures: dict[str, FloatArray]) -> list[str]:
    net, pvalue, before = figures["held_net"], figures["held_p"], figures["first_net"]
    nothing = np.isnan(net) | (spec.holdout_share == 0) | (figures["trades"] == 0)
    holds = (net > 0) & (pvalue < spec.level) & (before > 0)
    chosen = np.select([nothing, holds, net > 0], ["", "holds", "unproven"], "lost")
    return [str(each) for each in chosen]


def _null_pvalues(observed: FloatArray, drawn: FloatArray) -> FloatArray:
    """Share of the drawn ratios at least as high, the own counted among them; NaN without any."""
    known = np.sort(drawn[~np.isnan(drawn)])
    above = known.size - np.searchsorted(known, observed, side="left")
    pvalues = (1.0 + above) / (1.0 + known.size)
    return np.where(np.isnan(observed) | (known.size == 0), np.nan, pvalues)


def _scanned(
    spec: ResearchSpec, pairs: IntArray, scans: Sequence[dict[str, Any]]
) -> dict[str, IntArray]:
    """Count for each pair the months scanned, those that found it, and those where it held."""
    place = {(int(y), int(x)): row for row, (y, x) in enumerate(np.sort(pairs, axis=1))}
    counts = np.zeros((3, len(pairs)), dtype=np.int64)
    for scan in scans:
        rows = np.array([place[y, x] for y, x in scan["pairs"].tolist()], dtype=np.int64)
        found: BoolArray = scan["qvalue"] < spec.level
        counts[0, rows] += 1
        counts[1, rows] += found
        counts[2, rows] += found & scan["holds"]
    return dict(zip(("months", "months_found", "months_held"), counts, strict=True))


def _luck(
    spec: ResearchSpec, figures: dict[str, FloatArray], null: dict[str, FloatArray], year: float
) -> dict[str, Any]:
    """What the same search gave on the pairs, and on pairs whose relation was broken."""
    known = ~np.isnan(null["net"])
    runs = int(known.sum())
    return {
        "paid": int((figures["net"] > 0).sum()),
        "below": int((figures["first_p"] < spec.level).sum()),
        "null_runs": runs,
        "null_paid": int((null["net"] > 0).sum()),
        "null_below": int((null["first_p"] < spec.level).sum()),
        "null_best_sharpe": float(np.nanmax(null["sharpe"]) * year**0.5) if runs else None,
        "null_median_net": float(np.nanmedian(null["net"])) if runs else None,
        "median_net": _median(figures["net"]),
    }


def _median(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else None


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Put the smallest corrected p first, then the smallest p, then what earned most."""
    ranked = table.assign(_loss=-table["net"]).sort_values(
        ["qvalue", "pvalue", "_loss", "y", "x"], kind="stable", ignore_index=True
    )
    return ranked.drop(columns="_loss")
