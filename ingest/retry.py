"""When to try again: pure policies that take the time as an argument."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_WAIT_S = 7 * 86_400.0  # bans last 3 days at the most: a longer one is a misprint


@dataclass(slots=True)
class Backoff:
    """Full-jitter exponential backoff with a floor.

    The n-th wait is ``floor + uniform(0, min(cap, base * 2**n))`` seconds, after "Exponential
    Backoff And Jitter" (AWS Architecture Blog, 2015), where full jitter did the least work. The
    floor keeps a lucky draw from retrying at once.
    """

    base_s: float = 0.25
    cap_s: float = 30.0
    floor_s: float = 0.1
    failures: int = 0

    def next_wait_s(self, rng: random.Random) -> float:
        """How long to wait before the next attempt; each call counts as one more failure."""
        span = min(self.cap_s, self.base_s * 2 ** min(self.failures, 30))
        self.failures += 1
        return self.floor_s + rng.uniform(0.0, span)

    def reset(self) -> None:
        """Start over, after a connection that has proved good."""
        self.failures = 0


@dataclass(slots=True)
class AttemptBudget:
    """At most `most` attempts in any `period_s` seconds, whatever the other side does.

    Binance allows 300 connection attempts per 5 minutes and address, and bans repeat offenders.
    """

    most: int = 60
    period_s: float = 300.0
    _times: deque[float] = field(default_factory=deque)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next attempt is allowed; 0 when it is allowed now."""
        while self._times and self._times[0] <= now_s - self.period_s:
            self._times.popleft()
        if len(self._times) < self.most:
            return 0.0
        return self._times[0] + self.period_s - now_s

    def note(self, now_s: float) -> None:
        """Count an attempt made now."""
        self._times.append(now_s)


def refusal_wait_s(
    status: int, retry_after: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float:
    """How long an HTTP refusal asks us to stay away, in seconds.

    429 (slow down) and 418 (banned, from 2 minutes up) name their wait in ``Retry-After``; without
    it 60 s and 120 s. 403 is the firewall, 451 a blocked country: a person has to act, so we look
    again seldom. Anything else is for the ordinary backoff: 0. ``Retry-After`` is a number of
    seconds or a date (RFC 9110, 10.2.3).
    """
    requested_s = None if retry_after is None else _retry_after_s(retry_after.strip(), now)
    if requested_s is not None:
        return min(requested_s, _LONGEST_WAIT_S)
    return {429: 60.0, 418: 120.0, 403: 300.0, 451: 3600.0}.get(status, 0.0)


def _retry_after_s(text: str, now: Callable[[], datetime]) -> float | None:
    """Seconds that a ``Retry-After`` names; None where it cannot be read."""
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is one of -0000: UTC all the same.
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now()).total_seconds())
