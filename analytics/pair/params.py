"""What the user chose for a pair: frozen and hashable, so it can be a cache key."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import Interval, parse_interval
from analytics.hedge import FILTERS, HEDGE_METHODS, bars_before_path
from analytics.pair.gates import DATA_GATES, Gates
from analytics.signals import check_thresholds
from analytics.spread import (
    CORRELATION_ON,
    KINDS_WITH_BETA,
    SPREAD_KINDS,
    CorrelationOn,
    SpreadKind,
    check_window,
)

# Fewest bars that the tests and a β of all bars at once stand on, however short the range. By 1,500
# simulated spreads of each kind, ADF and Engle-Granger with lags by AIC at a nominal 5 %: with 30
# bars they reject a true null in 13 % of cases, and find a half-life of 3 bars in 25 %; with 120 in
# 6 % and in 85 %.
LEAST_SAMPLE: Final = 120
# The range at each interval where nobody chose one, seconds: a few hundred bars or more, so that
# the tests have enough.
AUTO_LOOKBACK_S: Final = {
    "1s": 1_800,
    "5s": 3_600,
    "15s": 14_400,
    "30s": 14_400,
    "1min": 86_400,
    "5min": 259_200,
    "15min": 604_800,
    "1h": 2_592_000,
}

_LEAST_LOOKBACK: Final = 2


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
        The range: latest closed bars that a result holds; None for all. Windows at its beginning
        see the `warm_up` bars before it, where there are such.
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
    until
        End of the range, seconds since the epoch, UTC: no bar that closes later is looked at, and
        `lookback` counts back from here, bars that lack at the end included. None for the latest
        closed bar.

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
    until: int | None = None

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
        if self.until is not None and (type(self.until) is not int or self.until <= 0):
            raise ParameterError("until", self.until, "a whole number of seconds since 1970")

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
    def zscore_bars(self) -> int:
        """Bars of the spread that a z-score is made of: a filter's own scale asks for one."""
        return 1 if self.uses_beta and self.hedge in FILTERS else self.window

    @property
    def bars_before_spread(self) -> int:
        """Bars that pass before the spread begins: those that its hedge ratio starts up on."""
        return bars_before_path(self.hedge, self.hedge_options) if self.uses_beta else 0

    @property
    def sample(self) -> int | None:
        """Latest bars that the tests and a β of all bars at once stand on; None for all."""
        return None if self.lookback is None else max(self.lookback, self.window, LEAST_SAMPLE)

    @property
    def warm_up(self) -> int:
        """Bars before the range that its values stand on: they are read, but not shown."""
        if self.lookback is None or self.sample is None:
            return 0
        # A window of returns begins a bar earlier than one of prices.
        looked_at = max(self.window, self.gates.bars_before(self.window, self.bar))
        before = self.bars_before_spread + max(looked_at, self.sample - self.lookback)
        # The path is shown where no spread stands on it, too.
        return max(before, bars_before_path(self.hedge, self.hedge_options))

    @property
    def reach(self) -> int | None:
        """Latest bars that a result is made of: the range and the warm-up; None for all."""
        return None if self.lookback is None else self.lookback + self.warm_up

    @property
    def end_us(self) -> int | None:
        """Close of the last bar that may be looked at, µs since the epoch; None without `until`."""
        if self.until is None:
            return None
        return self.until * 1_000_000 // self.bar.us * self.bar.us

    def ending_with(self, close_us: int) -> Self | None:
        """Return the same for bars of which the last closes then: the range without what lacks.

        None where they end before the range begins.
        """
        if self.end_us is None or self.lookback is None:
            return self
        left = self.lookback - max(self.end_us - close_us, 0) // self.bar.us
        return None if left <= 0 else replace(self, lookback=max(left, _LEAST_LOOKBACK))

    @property
    def on_logs(self) -> bool:
        """Whether the hedge ratio is that of the logarithms."""
        return self.spread == "log"


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ParameterError(name, value, f"one of {', '.join(known)}")
