"""Bars for the backtest's tests, and the plain loop that the compiled one must equal."""

import math
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd

from analytics.backtest import BacktestResult, BacktestRules
from analytics.frames import parse_interval, utc_index

SEED = 20240808


def bars(
    close: np.ndarray,
    *,
    interval: str = "1min",
    missing: tuple[tuple[int, int], ...] = (),
    quiet: tuple[int, ...] = (),
    volume: float = 50.0,
    open_: np.ndarray | None = None,
) -> pd.DataFrame:
    """Lay closes out as a bars frame; a bar opens near the close before unless told otherwise."""
    n = len(close)
    opened = np.r_[close[:1], close[:-1]] if open_ is None else open_
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": np.full(n, volume),
            "trades": np.ones(n, dtype=np.int64),
            "coverage": "traded",
        },
        index=utc_index(np.arange(n) * parse_interval(interval).us),
    )
    frame["coverage"] = frame["coverage"].astype("str")
    for first, stop in missing:
        frame.iloc[first:stop, :5] = np.nan
        frame.iloc[first:stop, 6] = "missing"
    for row in quiet:
        frame.iloc[row, 6] = "quiet"
        frame.iloc[row, 4] = 0.0
    return frame


class BarOptions(TypedDict, total=False):
    """Options of `bars`."""

    interval: str
    missing: tuple[tuple[int, int], ...]
    quiet: tuple[int, ...]
    volume: float


def reverting_pair(
    n: int = 3_000,
    *,
    seed: int = SEED,
    keep: float = 0.97,
    noise: float = 8e-4,
    **options: Unpack[BarOptions],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two legs with a mean-reverting difference of logarithms; opens a little off the closes."""
    rng = np.random.default_rng(seed)
    x = 100 * np.exp(1e-3 * rng.normal(size=n).cumsum())
    deviation = np.zeros(n)
    for t in range(1, n):
        deviation[t] = keep * deviation[t - 1] + noise * rng.normal()
    y = 50 * (x / 100) ** 1.2 * np.exp(deviation)
    legs = []
    for leg in (y, x):
        opened = np.r_[leg[:1], leg[:-1]] * np.exp(2e-4 * rng.normal(size=n))
        legs.append(bars(leg, open_=opened, **options))
    return legs[0], legs[1]


def walks(n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two random walks that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    y, x = 100 * np.exp(1e-3 * rng.normal(size=(2, n)).cumsum(axis=1))
    return bars(y), bars(x)


@dataclass
class PlainTrade:
    decided: int
    entered: int
    side: int
    left: int = -1
    reason: str = ""


@dataclass
class PlainRun:
    trades: list[PlainTrade] = field(default_factory=list)
    cancelled: int = 0
    waited: int = 0


def plain_walk(z: np.ndarray, tradable: np.ndarray, rules: BacktestRules) -> PlainRun:
    """The rules as one would tell them, bar by bar: the oracle."""
    run = PlainRun()
    held: PlainTrade | None = None
    order: PlainTrade | None = None
    leave = ""
    barred: set[int] = set()
    last = len(z) - 1
    for t in range(len(z)):
        # What was decided before is filled now, if it can be.
        if leave and held is not None:
            if tradable[t]:
                held.left, held.reason, held, leave = t, leave, None, ""
            else:
                run.waited += 1
        if order is not None:
            if tradable[t] and held is None:
                order.entered = t
                held = order
                run.trades.append(held)
            else:
                run.cancelled += 1
            order = None
        if t == last:
            break
        known = not math.isnan(z[t])
        if known and z[t] <= rules.sell_above:
            barred.discard(-1)
        if known and z[t] >= rules.buy_below:
            barred.discard(1)
        wanted = 0
        if known and z[t] > rules.sell_above:
            wanted = -1
        elif known and z[t] < rules.buy_below:
            wanted = 1
        if wanted in barred:
            wanted = 0
        if held is None:
            if wanted:
                order = PlainTrade(t, -1, wanted)
            continue
        if leave:
            continue
        against = -z[t] * held.side
        if known and rules.stop is not None and against >= rules.stop:
            leave = "stop"
        elif known and held.side < 0:
            leave = "exit" if z[t] <= rules.exit_short else ""
        elif known:
            leave = "exit" if z[t] >= rules.exit_long else ""
        due = rules.time_stop is not None and t - held.entered + 1 >= rules.time_stop
        if not leave and due:
            leave = "time"
        if leave == "exit" and wanted == -held.side:
            order = PlainTrade(t, -1, wanted)
        if leave in {"stop", "time"} and rules.reentry == "after return":
            barred.add(held.side)
    if held is not None:
        held.left, held.reason = last, "end of data"
    return run


def plain_money(
    result: BacktestResult, y_bars: pd.DataFrame, x_bars: pd.DataFrame, ratio: np.ndarray
) -> pd.DataFrame:
    """Book the oracle's trades one fill at a time, without slippage or funding."""
    rules = result.rules
    z = result.zscore.to_numpy()
    tradable = (y_bars["coverage"].eq("traded") & x_bars["coverage"].eq("traded")).to_numpy()
    rows = []
    closes = [leg["close"].ffill().to_numpy() for leg in (y_bars, x_bars)]
    opens = [leg["open"].to_numpy() for leg in (y_bars, x_bars)]
    for trade in plain_walk(z, tradable, rules).trades:
        d, h = trade.decided, ratio[trade.decided]
        y_quantity = rules.notional / (closes[0][d] + abs(h) * closes[1][d]) * trade.side
        quantities = (y_quantity, -h * y_quantity)
        out = closes if trade.reason == "end of data" else opens
        gross, traded = 0.0, 0.0
        for leg, quantity in enumerate(quantities):
            bought, sold = opens[leg][trade.entered], out[leg][trade.left]
            gross += quantity * (sold - bought)
            traded += abs(quantity) * (bought + sold)
        costs = traded * (rules.costs.fee_bps + rules.costs.spread_bps) / 10_000
        rows.append((trade.decided, trade.entered, trade.left, trade.side, trade.reason, gross,
                     gross - costs, traded))  # fmt: skip
    names = ["decided", "entered", "left", "side", "reason", "gross", "net", "traded"]
    return pd.DataFrame(rows, columns=names)
