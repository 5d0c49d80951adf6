"""What the watch tells of itself: a frozen snapshot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """The watch at one moment.

    Attributes
    ----------
    is_evaluating
        Whether pairs are evaluated by this process.
    why_not
        Where they are not: why, in a user's words; "" where they are.
    pairs
        Pairs and baskets that are watched, equal ones of several lists counted once.
    evaluated_per_s
        Bars of them evaluated a second, over the last few seconds.
    behind_s
        Seconds of market time from the newest evaluated bar back to the one of the pair that lags
        most behind what is stored; or, where that is more, seconds since bars could not be read or
        alerts not be written.
    late_bars
        Evaluated bars that late trades changed: no alert follows from them.
    last_error
        Why evaluating failed last; None where it never did.
    """

    is_evaluating: bool = False
    why_not: str = ""
    pairs: int = 0
    evaluated_per_s: float = 0.0
    behind_s: float = 0.0
    late_bars: int = 0
    last_error: str | None = None
