"""What the analytics room refuses, one class a cause, the facts as attributes."""

from collections.abc import Iterable


class AnalyticsError(Exception):
    """Anything the analytics room refuses, in words fit for a user."""


class FrameError(AnalyticsError):
    """A frame that is no ticks frame, no bars frame, or two that do not fit together."""


class SeveralSymbolsError(FrameError):
    """Ticks of several symbols where one was needed."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(symbols)
        super().__init__(
            f"bars are made from one symbol's ticks, had {len(self.symbols)}: "
            f"{', '.join(self.symbols)}. Select one: ticks[ticks['symbol'] == "
            f"'{self.symbols[0]}']"
        )


class ParameterError(AnalyticsError, ValueError):
    """A parameter outside what it may be."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name = name
        self.value = value
        self.allowed = allowed
        super().__init__(f"{name} = {value!r}: must be {allowed}")


class InvalidSeriesError(AnalyticsError, ValueError):
    """Input of the wrong shape, of differing lengths or times, or with infinite values."""


class NonPositivePriceError(InvalidSeriesError):
    """A price of zero or less where a logarithm or a ratio needs it above zero."""

    def __init__(self, what: str, count: int, lowest: float) -> None:
        self.what = what
        self.count = count
        self.lowest = lowest
        super().__init__(f"{what} needs prices above 0, had {count} at or below (lowest {lowest})")


class NotEnoughDataError(AnalyticsError):
    """Fewer observations than the statistic needs."""

    def __init__(self, what: str, needed: int, had: int, unit: str = "bars") -> None:
        self.what = what
        self.needed = needed
        self.had = had
        self.unit = unit
        super().__init__(f"{what} needs {needed} {unit}, had {had}")


class DegenerateSeriesError(AnalyticsError):
    """Identical, constant or collinear input: the statistic would be 0/0, not strong evidence."""

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = reason
        super().__init__(f"{what}: {reason}")
