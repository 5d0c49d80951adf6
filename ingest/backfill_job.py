"""What is remembered of a gap from one page to the next, and told of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.asked_for import AskedFor
from ingest.gap_board import OpenGap, Progress


@dataclass(slots=True)
class Job:
    """One gap being filled; times are those of the event loop."""

    total: int
    begun_s: float
    left: int
    is_asked_for: bool = False
    within_limits: bool = False
    not_before_s: float = 0.0
    lagging_since_s: float | None = None
    note: str = ""

    def later(self, now_s: float, wait_s: float, note: str) -> None:
        """Let others go first for a while."""
        self.not_before_s, self.note = now_s + wait_s, note

    def progress(
        self, symbol: str, to_id: int, now_s: float, blocked_until_s: float | None
    ) -> Progress:
        """How far it is; the exchange may want no request for a while."""
        done = max(0, self.total - self.left)
        waits_s = max(self.not_before_s, blocked_until_s or 0.0) - now_s
        eta_s = (now_s - self.begun_s) * self.left / done if done else None
        note = f" ({self.note})" if waits_s > 0 and self.note else ""
        what = f"trades up to id {to_id}{note}"
        return Progress(symbol, what, done, self.total, waits_s if waits_s > 0 else None, eta_s)


def asked_progress(
    gaps: Sequence[OpenGap],
    asked_for: AskedFor,
    page: int,
    now_s: float,
    blocked_until_s: float | None,
) -> Progress | None:
    """How far the repair is that the reader asked for, in requests; None with no gap left."""
    if not gaps:
        return None
    done, begun_s = asked_for.requests, asked_for.begun_s
    left = sum(-(-gap.missing // page) for gap in gaps)
    symbols = sorted({gap.key[1] for gap in gaps})
    return Progress(
        symbols[0] if len(symbols) == 1 else f"{symbols[0]} and {len(symbols) - 1} more",
        f"{sum(gap.missing for gap in gaps):,} given-up trades to be fetched",
        done,
        done + left,
        waiting_s=None if blocked_until_s is None else max(0.0, blocked_until_s - now_s),
        eta_s=(now_s - begun_s) * left / done if done and begun_s is not None else None,
        unit="requests",
    )
