"""What a pair says at one closed bar: the figures of the last row of an analysis."""

from dataclasses import dataclass

from analytics.signals import Signal


@dataclass(frozen=True, slots=True)
class PairReading:
    """A pair at one closed bar; figures as `analyse_pair` over the range that ends there has them.

    Attributes
    ----------
    time_us
        Open of the bar, µs since the epoch, UTC.
    y, x
        Closes of S1 and S2, quote currency; NaN where missing.
    beta, alpha, beta_stderr
        Hedge ratio, intercept and the ratio's standard error; NaN without a fit or an error.
    spread, mean, std, zscore, correlation
        NaN where the window is not full, or flat.
    signal, reason
        As `SignalNow` has them.
    gate
        Name of the closed gate, "" where all are open.
    y_coverage, x_coverage
        Codes of `analytics.leg`: traded, quiet or missing.
    """

    time_us: int
    y: float
    x: float
    beta: float
    alpha: float
    beta_stderr: float
    spread: float
    mean: float
    std: float
    zscore: float
    correlation: float
    signal: Signal
    reason: str
    gate: str
    y_coverage: int
    x_coverage: int


@dataclass(frozen=True, slots=True)
class PairTestsReading:
    """The tests of a pair as of one closed bar, which are looked at now and then.

    Attributes
    ----------
    time_us
        Open of the last bar that they look at, µs since the epoch, UTC.
    pvalue
        Of the test that the page's verdict goes by; NaN where there is none.
    test
        Its name: ``"Engle-Granger"`` or ``"ADF"``.
    half_life
        Bars; NaN where there is none, infinite where the spread does not return.
    returns
        Whether the test shows a return at the pair's level.
    """

    time_us: int
    pvalue: float
    test: str
    half_life: float
    returns: bool
