"""What the page should show, from stored trades by plain pandas and statsmodels: not our code."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.tsa.stattools import adfuller, coint

PANDAS_STEPS = {"1s": "1s", "5s": "5s", "15s": "15s", "30s": "30s", "1min": "1min", "5min": "5min"}
HALF_DIGIT = 0.5 * (1 + 1e-6)


def closes(trades: pd.DataFrame, step: str) -> pd.Series:
    """Give the last price of each bar; a bar without trades has that of the one before."""
    times = pd.to_datetime(trades["time_us"], unit="us", utc=True)
    prices = pd.Series(trades["price"].to_numpy(), index=pd.DatetimeIndex(times))
    return prices.resample(step, label="left", closed="left").last().ffill()


def rolling(values: pd.Series, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation (ddof 1) of each full window, by the definition."""
    windows = np.lib.stride_tricks.sliding_window_view(values.to_numpy(), window)
    empty = np.full(window - 1, np.nan)
    return np.r_[empty, windows.mean(axis=1)], np.r_[empty, windows.std(axis=1, ddof=1)]


def rolling_correlation(a: pd.Series, b: pd.Series, window: int) -> np.ndarray:
    """Give Pearson's correlation in each full window, one by one."""
    pairs = zip(
        np.lib.stride_tricks.sliding_window_view(a.to_numpy(), window),
        np.lib.stride_tricks.sliding_window_view(b.to_numpy(), window),
        strict=True,
    )
    found = [np.corrcoef(left, right)[0, 1] for left, right in pairs]
    return np.concatenate([np.full(window - 1, np.nan), found])


@dataclass(frozen=True, eq=False)
class Expected:
    """A pair's paths and tests up to the bar that the page names."""

    paths: pd.DataFrame
    terms: float  # the size of what the spread is the difference of
    beta: float
    stderr: float
    r_squared: float
    adf: tuple[float, float, int]
    cointegration: float
    cointegration_swapped: float

    @property
    def last(self) -> pd.Series:
        return self.paths.iloc[-1]


def expect(
    y_trades: pd.DataFrame, x_trades: pd.DataFrame, *, until: pd.Timestamp, interval: str,
    bars: int, window: int, spread: str,
) -> Expected:  # fmt: skip
    """Compute it all; rolling windows at the left edge look at the bars before it."""
    step = PANDAS_STEPS[interval]
    legs = pd.DataFrame({"y": closes(y_trades, step), "x": closes(x_trades, step)})
    legs = legs.loc[:until].dropna()
    assert len(legs) >= bars + window, f"{len(legs)} bars of trades, {bars} + {window} needed"
    sample = legs.iloc[-bars:]
    seen = np.log(sample) if spread == "log" else sample
    fit = sm.OLS(seen["y"], sm.add_constant(seen["x"])).fit()
    alpha, beta = float(fit.params["const"]), float(fit.params["x"])
    paths = legs.assign(hedge_ratio=beta, intercept=alpha)
    paths["spread"] = _spread(legs, spread, alpha, beta)
    paths["spread_mean"], paths["spread_std"] = rolling(paths["spread"], window)
    paths["zscore"] = (paths["spread"] - paths["spread_mean"]) / paths["spread_std"]
    returns = (legs / legs.shift()).transform(np.log)
    paths["correlation"] = rolling_correlation(returns["y"], returns["x"], window)
    paths = paths.iloc[-bars:]
    statistic, pvalue, lags = adfuller(
        paths["spread"].to_numpy(), autolag="AIC", result_object=False
    )[:3]
    return Expected(
        paths, float(np.abs(seen["y"]).max() + abs(alpha) + np.abs(beta * seen["x"]).max()),
        beta, float(fit.bse["x"]), float(fit.rsquared), (statistic, pvalue, lags),
        float(coint(seen["y"], seen["x"], autolag="aic")[1]),
        float(coint(seen["x"], seen["y"], autolag="aic")[1]),
    )  # fmt: skip


def _spread(legs: pd.DataFrame, kind: str, alpha: float, beta: float) -> pd.Series:
    match kind:
        case "price difference":
            return legs["y"] - legs["x"]
        case "hedged":
            return legs["y"] - (alpha + beta * legs["x"])
        case "log":
            return pd.Series(np.log(legs["y"]) - (alpha + beta * np.log(legs["x"])))
        case "ratio":
            return legs["y"] / legs["x"]
    raise ValueError(kind)


def signal_of(z: float, sell_above: float, buy_below: float) -> str:
    """Say what the rule says of a z-score."""
    if z > sell_above:
        return "SELL"
    return "BUY" if z < buy_below else "NEUTRAL"


def shown_numbers(words: str) -> list[str]:
    """Find the numbers in what the page shows, with a plain minus and no separators."""
    plain = words.replace("−", "-").replace(",", "")
    return re.findall(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", plain)


def agrees(words: str, value: float, place: int = 0) -> bool:
    """Whether a number shown is the value, to the digits shown."""
    if "<0.001" in words:
        return value < 0.001
    found = shown_numbers(words)
    if len(found) <= place:
        return False
    shown = found[place]
    digits, _, power = shown.partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(float(shown) - value) <= HALF_DIGIT * last
