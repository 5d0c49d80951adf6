"""What the user chose for a pair: frozen and hashable, so it can be a cache key."""

from dataclasses import dataclass

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import Interval, parse_interval
from analytics.gates import DATA_GATES, Gates
from analytics.hedge import HEDGE_METHODS
from analytics.signals import check_thresholds
from analytics.spread import (
    CORRELATION_ON,
    KINDS_WITH_BETA,
    SPREAD_KINDS,
    CorrelationOn,
    SpreadKind,
    check_window,
)


@dataclass(frozen=True, slots=True)
class PairParams:
    """A pair and how to look at it.

    Attributes
    ----------
    y, x
        Symbols S1 and S2; y is regressed on x.
    interval
        Length of a bar; kept by its canonical name (``"1T"`` becomes ``"1min"``).
    lookback
        Latest closed bars that are analysed; None for all.
    window
        Bars of the trailing mean, deviation and correlation.
    spread, hedge, correlation_on
        Kind of spread, method of the hedge ratio, and what is correlated.
    sell_above, buy_below
        z-score thresholds.
    hedge_window
        Bars of the rolling hedge ratio; None for `window`.
    level
        Significance level for verdicts, between 0 and 1.
    gates
        What must hold at a bar before its z-score becomes a signal.

    Raises
    ------
    ParameterError
        For any value outside what it may be.
    """

    y: str
    x: str
    interval: str = "1s"
    lookback: int | None = None
    window: int = 60
    spread: SpreadKind = "price difference"
    hedge: str = "ols"
    sell_above: float = 2.0
    buy_below: float = 0.0
    correlation_on: CorrelationOn = "returns"
    level: float = 0.05
    hedge_window: int | None = None
    gates: Gates = DATA_GATES

    def __post_init__(self) -> None:
        for name, symbol in (("y", self.y), ("x", self.x)):
            if not symbol:
                raise ParameterError(name, symbol, "the name of a symbol")
        if self.y == self.x:
            raise ParameterError("x", self.x, f"another symbol than y ({self.y})")
        object.__setattr__(self, "interval", parse_interval(self.interval).name)
        object.__setattr__(self, "window", check_window(self.window))
        if self.lookback is not None:
            object.__setattr__(self, "lookback", check_window(self.lookback, "lookback"))
        if self.hedge_window is not None:
            chosen = check_window(self.hedge_window, "hedge_window", least=3)
            object.__setattr__(self, "hedge_window", chosen)
        _check_choice("spread", self.spread, SPREAD_KINDS)
        _check_choice("hedge", self.hedge, HEDGE_METHODS)
        _check_choice("correlation_on", self.correlation_on, CORRELATION_ON)
        check_thresholds(self.sell_above, self.buy_below)
        if not (np.isfinite(self.level) and 0 < self.level < 1):
            raise ParameterError("level", self.level, "between 0 and 1, such as 0.05")

    @property
    def bar(self) -> Interval:
        """The interval with its length and label."""
        return parse_interval(self.interval)

    @property
    def label(self) -> str:
        """The pair as messages name it: ``"BTCUSDT/ETHUSDT"``."""
        return f"{self.y}/{self.x}"

    @property
    def uses_beta(self) -> bool:
        """Whether the spread depends on an estimated hedge ratio."""
        return self.spread in KINDS_WITH_BETA

    @property
    def hedge_options(self) -> dict[str, int]:
        """Options of the hedge method that follow from the other choices."""
        if self.hedge != "rolling_ols":
            return {}
        # Two coefficients need a third bar to have an error.
        return {"window": max(3, self.hedge_window or self.window)}

    @property
    def on_logs(self) -> bool:
        """Whether the hedge ratio is that of the logarithms."""
        return self.spread == "log"


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ParameterError(name, value, f"one of {', '.join(known)}")
