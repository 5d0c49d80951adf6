"""What stands in a result where a number could not be had: the cause, with counts so far."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from analytics.errors import DegenerateSeriesError, NotEnoughDataError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotEnough:
    """Too few observations yet: `what` needs `needed`, had `had`."""

    what: str
    needed: int
    had: int
    unit: str = "bars"

    @property
    def reason(self) -> str:
        """In words: ``"ADF on BTCUSDT/ETHUSDT needs 23 bars, had 11"``."""
        return f"{self.what} needs {self.needed} {self.unit}, had {self.had}"


@dataclass(frozen=True, slots=True)
class Degenerate:
    """Identical, constant or collinear input: `what` has no meaningful value."""

    what: str
    cause: str

    @property
    def reason(self) -> str:
        """In words: ``"Engle-Granger of A on B: the legs are identical or exactly collinear"``."""
        return f"{self.what}: {self.cause}"


def attempt(compute: Callable[[], T]) -> T | NotEnough | Degenerate:
    """Compute, or return the cause why it cannot be: wrong input still raises."""
    try:
        return compute()
    except NotEnoughDataError as error:
        return NotEnough(error.what, error.needed, error.had, error.unit)
    except DegenerateSeriesError as error:
        return Degenerate(error.what, error.reason)
