"""Everything that an analysis of a pair comes to: one record, never changed once made."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.frames import bar_times_us
from analytics.hedge import HedgeFit
from analytics.leg import Leg, PairCoverage
from analytics.outcome import Degenerate, NotEnough
from analytics.pair.carried import Carried
from analytics.pair.closed_gates import gate_names
from analytics.pair.params import PairParams
from analytics.pair.spread import PairSample
from analytics.signals import SignalChange, SignalNow, signal_changes, signal_names
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife

CodeArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class PairAnalytics:
    """Everything known about a pair at its latest closed bar. Never changed after it is made.

    All Series share one index: bar open times, UTC. A value at bar t uses bars up to t only, except
    `hedge_ratio` and `intercept` where `hedge` is not causal, and then what is built on them.

    Attributes
    ----------
    legs
        The bars of S1 and S2 in the range, as arrays.
    y, x
        Closes of S1 and S2, quote currency; NaN where missing.
    hedge
        The fit of y on x: of prices, or of their logarithms for the log spread. A causal one has
        paths that begin before the range.
    hedge_ratio, intercept
        Its path; NaN where there is no fit.
    spread, mean, std, zscore, correlation, signal
        Paths as in `analytics.spread` and `analytics.signals`.
    signal_codes, gate_codes
        The signal and the gate of each bar as places in `SIGNALS` and `GATE_NAMES`.
    gate
        Name of the gate that closed each bar, "" where all are open: see
        `analytics.pair.closed_gates`.
    signal_now
        The signal of the latest closed bar, with its reason.
    zscore_needs, correlation_needs
        What the latest value still lacks; None once it has enough.
    reach, sample
        All bars that the range stands on, those before it too; and those of them that the tests and
        a hedge ratio of all bars at once look at: the range, or more where that is short.
    engle_granger, engle_granger_swapped
        y on x, and x on y.
    residual
        What the tests of the spread look at: the spread of the sample; where it has an estimated
        hedge ratio, whatever its method, the residual of Engle-Granger's line of y on x. A hedge
        ratio that follows the bars makes any two legs return.
    adf, half_life
        Of the residual, with the p-values of an estimated line where it is one.
    stats
        Descriptive statistics, a column a leg.
    notes
        Plain sentences the reader should know.
    carried
        What the next analysis moves on from.
    """

    params: PairParams
    legs: tuple[Leg, Leg]
    y: pd.Series
    x: pd.Series
    coverage: PairCoverage
    hedge: HedgeFit | NotEnough | Degenerate
    hedge_ratio: pd.Series
    intercept: pd.Series
    spread: pd.Series
    mean: pd.Series
    std: pd.Series
    zscore: pd.Series
    correlation: pd.Series
    signal_codes: CodeArray
    gate_codes: CodeArray
    signal_now: SignalNow
    zscore_needs: NotEnough | None
    correlation_needs: NotEnough | None
    reach: PairSample
    sample: PairSample
    engle_granger: EngleGrangerResult | NotEnough | Degenerate
    engle_granger_swapped: EngleGrangerResult | NotEnough | Degenerate
    residual: pd.Series | NotEnough | Degenerate
    adf: ADFResult | NotEnough | Degenerate
    half_life: HalfLife | NotEnough | Degenerate
    stats: pd.DataFrame
    notes: tuple[str, ...]
    carried: Carried = field(default=Carried(), repr=False)

    @cached_property
    def signal(self) -> pd.Series:
        """The signal of each bar: SELL, BUY or NEUTRAL."""
        return signal_names(self.signal_codes, self.zscore.index)

    @cached_property
    def gate(self) -> pd.Series:
        """Name of the gate that closed each bar, "" where all are open."""
        return gate_names(self.gate_codes, self.zscore.index)

    def signal_changes(self, limit: int) -> list[SignalChange]:
        """List the latest bars at which the signal changed: see `signal_changes`."""
        return signal_changes(self.signal_codes, self.zscore, limit)

    def to_frame(self) -> pd.DataFrame:
        """Lay out the paths as the CSV has them: a row a bar, time as ISO 8601 UTC text."""
        times = np.datetime_as_string(
            bar_times_us(self.y.index).astype("datetime64[us]"), unit="s", timezone="UTC"
        )
        columns = {
            f"price_{self.params.y}": self.y,
            f"price_{self.params.x}": self.x,
            "hedge_ratio": self.hedge_ratio,
            "intercept": self.intercept,
            "spread": self.spread,
            "spread_mean": self.mean,
            "spread_std": self.std,
            "zscore": self.zscore,
            "correlation": self.correlation,
            "signal": self.signal,
        }
        frame = pd.DataFrame({name: path.array for name, path in columns.items()})
        frame.insert(0, "time", pd.Series(times, dtype="str"))
        return frame
