"""Every pair of many symbols at once: which keep together, and what that is worth."""

import math

import numpy as np
import pandas as pd

from analytics.errors import FrameError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray
from analytics.scanner.engine import Progress, default_workers
from analytics.scanner.panel import ScanOn, even_closes, make_panel
from analytics.scanner.table import Scan
from analytics.spread import check_window
from analytics.stationarity import check_autolag, check_level, min_bars


def scan_pairs(
    closes: pd.DataFrame,
    *,
    on: ScanOn = "log",
    train_share: float = 0.7,
    window: int = 60,
    max_lags: int | None = None,
    autolag: str | None = "aic",
    level: float = 0.05,
    traded: pd.DataFrame | None = None,
    quote_volume: pd.DataFrame | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    draw_progress: Progress | None = None,
) -> pd.DataFrame:
    """Test every pair of symbols for cointegration, and check the answers on a held-out part.

    Parameters
    ----------
    closes : DataFrame, shape (bars, symbols)
        Closes in quote currency, a column a symbol. NaN is a missing bar; with a DatetimeIndex
        bars not there are missing too. Each pair is tested on the bars both legs know, and no
        difference reaches over a missing one.
    on : {"log", "price"}
        Regress logarithms of closes, or the closes themselves.
    train_share : float
        Share of the bars, from the first, that everything but the verdict and the z-score is
        computed from; 1 holds nothing out.
    window : int
        Bars of the z-score, the last one included.
    max_lags, autolag
        As in `engle_granger_test`.
    level : float
        Significance level of the verdict.
    traded, quote_volume : DataFrame, optional
        Of the shape of `closes`: whether each bar held a trade, and its volume in quote currency.
    workers : int, optional
        Threads; by default the cores, four at most.
    progress : callable, optional
        Called with pairs done and pairs in all, on the caller's thread. What it raises ends the
        scan: that is how to cancel.
    draw_progress : callable, optional
        The same for the discoveries that are then tested for volatility, done and in all.

    Returns
    -------
    DataFrame
        A row a pair, best first, numbers in full precision:

        ``y``, ``x`` : the ordering with the smaller p-value; ``bars`` known to both (train);
        ``correlation`` of log returns; ``beta``, ``alpha`` of y on x, ``beta_swapped`` of x on y;
        ``stat``, ``lags``, ``pvalue_ordered`` : Engle-Granger of y on x, and ``…_swapped``;
        ``pvalue`` : twice the smaller one, at most 1, since both orderings were tried;
        ``pvalue_wild`` : the same by the wild bootstrap, which keeps the volatility of each bar,
        for the rows that decide what is a discovery; NaN for all others;
        ``qvalue``, ``pvalue_bonferroni`` : the larger of the two corrected for all pairs tried
        (``attrs["pairs_tried"]``, those without an answer included);
        ``half_life`` in bars of y - beta x, ``half_life_low``, ``half_life_high`` (95 %),
        ``half_life_unbiased`` : as often too long as too short; ``deviation`` of y - beta x where
        ``qvalue`` is below the level, else NaN, and ``worth`` : value of both legs of one unit of
        it, in its own unit;
        ``zscore`` : of y - beta x at the very last bar, beta of the train part;
        ``share_traded`` : share of bars in which both legs traded; ``liquidity`` : mean quote
        volume a bar of the thinner leg (both NaN where not given, over all bars);
        ``holdout_bars``, ``holdout_stat``, ``holdout_pvalue`` : ADF with a constant of the
        held-out y - beta x; beta being given there, plain Dickey-Fuller values apply;
        ``holdout_pvalue_wild`` : by the wild bootstrap, for rows with both this and
        ``pvalue_ordered`` below the level (the best of very many), NaN for all others;
        ``holdout_crossings`` : of the train part's level; ``verdict`` : one of `VERDICTS`, by the
        larger p;
        ``reason`` : why a pair has no p-value or should not be trusted, else empty. Such rows
        stand last.

    Raises
    ------
    FrameError, InvalidSeriesError, NotEnoughDataError
        No usable closes, fewer than two symbols, or too few bars for any test.
    ParameterError
        An option outside what it may be.

    References
    ----------
    Engle & Granger (1987); MacKinnon (1994, 2010); Benjamini & Hochberg (1995); Cavaliere, Rahbek &
    Taylor (2010, 2014).
    """
    criterion = check_autolag(autolag)
    _check_options(on, train_share, max_lags)
    panel = make_panel(even_closes(closes), on)
    bars = panel.values.shape[1]
    border = math.floor(bars * train_share)
    if border < min_bars("c", max_lags):
        raise NotEnoughDataError("a scan's train part", min_bars("c", max_lags), border)
    scan = Scan(
        panel, border, check_window(window), max_lags, criterion, check_level(level),
        workers or default_workers(), progress, draw_progress,
    )  # fmt: skip
    shares = _traded_together(traded, closes), _quote_volumes(quote_volume, closes)
    return scan.table(*shares)


def spread_paths(
    closes: pd.DataFrame, table: pd.DataFrame, points: int = 60, on: ScanOn = "log"
) -> list[list[float]]:
    """Sample y - (alpha + beta x) of each row of a scan's table, oldest first, for a sparkline.

    At most `points` known values a row, evenly spaced, the last one included.
    """
    even = even_closes(closes)
    values = {name: even[name].to_numpy(dtype=np.float64) for name in {*table["y"], *table["x"]}}
    if on == "log":
        with np.errstate(invalid="ignore", divide="ignore"):
            values = {name: np.log(prices) for name, prices in values.items()}
    paths = []
    columns = (table[name] for name in ("y", "x", "beta", "alpha"))
    for y, x, beta, alpha in zip(*columns, strict=True):
        path = values[y] - (alpha + beta * values[x])
        known = path[np.isfinite(path)]
        step = max(1, math.ceil(known.size / points))
        paths.append(known[::-1][::step][::-1].tolist())
    return paths


def _check_options(on: str, train_share: float, max_lags: int | None) -> None:
    if on not in {"log", "price"}:
        raise ParameterError("on", on, "log or price")
    if not 0.0 < train_share <= 1.0:
        raise ParameterError("train_share", train_share, "above 0 and at most 1")
    if max_lags is not None and (isinstance(max_lags, bool) or max_lags < 0):
        raise ParameterError("max_lags", max_lags, "a whole number, 0 or more, or None")


def _traded_together(traded: pd.DataFrame | None, closes: pd.DataFrame) -> FloatArray | None:
    """Share of bars in which two symbols both traded."""
    if traded is None:
        return None
    flags = _like(traded, closes, "traded").to_numpy(dtype=np.float64, na_value=0.0)
    share: FloatArray = (flags.T @ flags) / max(len(flags), 1)
    return share


def _quote_volumes(volume: pd.DataFrame | None, closes: pd.DataFrame) -> FloatArray | None:
    """Mean quote volume a known bar; NaN for a symbol without any."""
    if volume is None:
        return None
    return _like(volume, closes, "quote_volume").mean().to_numpy(dtype=np.float64)


def _like(frame: pd.DataFrame, closes: pd.DataFrame, name: str) -> pd.DataFrame:
    if not (frame.columns.equals(closes.columns) and frame.index.equals(closes.index)):
        raise FrameError(f"{name} must have the rows and columns of closes")
    return frame
