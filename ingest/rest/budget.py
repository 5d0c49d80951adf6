"""How much of Binance's request weight we may use, and when. Pure: the time is an argument."""

from collections import deque
from dataclasses import dataclass, field

PERIOD_S = 60.0


@dataclass(slots=True)
class WeightBudget:
    """Weight of the requests of any 60 seconds, kept at or under `most`.

    The exchange counts by the minute of its own clock and for all programs at our address; any 60
    seconds under `most` are every such minute under `most`, wherever it begins.
    """

    most: int
    _spent: deque[tuple[float, int]] = field(default_factory=deque)

    def used(self, now_s: float) -> int:
        """Weight of the last 60 seconds; safe from any thread."""
        return sum(weight for spent_s, weight in tuple(self._spent) if spent_s > now_s - PERIOD_S)

    def wait_s(self, weight: int, now_s: float, share: float = 1.0) -> float:
        """Seconds until a request of `weight` fits; 0 when it fits now.

        `share` of the budget is all that may be in use afterwards: who has the smaller share
        waits first and leaves the rest to others. A request heavier than its share goes when
        nothing else is in use.
        """
        room = max(0, int(self.most * share) - weight)
        used = self.used(now_s)
        if used <= room:
            return 0.0
        for spent_s, spent in self._spent:
            used -= spent if spent_s > now_s - PERIOD_S else 0
            if used <= room:
                return spent_s + PERIOD_S - now_s
        return 0.0

    def spend(self, weight: int, now_s: float) -> None:
        """Count a request made now."""
        while self._spent and self._spent[0][0] <= now_s - PERIOD_S:
            self._spent.popleft()
        self._spent.append((now_s, weight))

    def correct(self, counted: int, now_s: float) -> None:
        """Take over the exchange's own count where it is higher: others use our address too."""
        beyond = counted - self.used(now_s)
        if beyond > 0:
            self.spend(beyond, now_s)
