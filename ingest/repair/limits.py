"""How far back missing trades are fetched, and the sentence for those that are not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.binance import AGG_TRADES_REACH_S
from ingest.status import Progress
from ingest.store import OpenGap, RequestedRepairs
from ingest.tick import Market

_REACH_MARGIN_S = 600.0  # ids at the very edge of what REST keeps vanish while we ask


@dataclass(frozen=True, slots=True)
class BackfillLimits:
    """What one gap may cost.

    Attributes
    ----------
    max_span_s
        Seconds of trade time before the gap's end that are fetched.
    max_requests
        Pages that are fetched of one gap.
    page
        Rows asked for at a time.
    pages_at_once
        Pages of one gap asked for side by side.
    retry_s
        While REST lags: asked again after this long to twice as long.
    lag_s
        REST that lags longer than this never catches up.
    """

    max_span_s: float = 6 * 3600.0
    max_requests: int = 2000
    page: int = 1000
    pages_at_once: int = 4
    retry_s: float = 1.0
    lag_s: float = 3600.0

    @property
    def max_ids(self) -> int:
        """Ids fetched of one gap at the most."""
        return self.max_requests * self.page


def oldest_fetched_us(
    gap: OpenGap, limits: BackfillLimits, market: Market, now_us: int
) -> tuple[int, str]:
    """Trade time from which on a gap is fetched, and the limit that says so."""
    span_us = gap.before_us - round(limits.max_span_s * 1e6)
    span_words = f"a gap is filled {_hours(limits.max_span_s)} back from its end at the most"
    reach_s = AGG_TRADES_REACH_S[market]
    if reach_s is None:
        return span_us, span_words
    reach_us = now_us - round((reach_s - _REACH_MARGIN_S) * 1e6)
    if reach_us <= span_us:
        return span_us, span_words
    return reach_us, f"the exchange gives out the last {_hours(reach_s)} only"


def abandoned_sentence(gap: OpenGap, to_id: int, why: str) -> str:
    """Sentence on the older part of a gap, up to `to_id`, that is not fetched."""
    count = to_id - gap.from_id + 1
    trades = "1 trade" if count == 1 else f"{count:,} trades"
    return (
        f"{gap.key[1]}: {trades} after {_utc(gap.after_us)} UTC (ids {gap.from_id} to {to_id})"
        f" will not be fetched: {why}"
    )


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds:g} s"


def _utc(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S}"


@dataclass(slots=True)
class Job:
    """One gap being filled; times are those of the event loop."""

    total: int
    begun_s: float
    left: int
    is_requested: bool = False
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


def requested_progress(
    gaps: Sequence[OpenGap],
    requested: RequestedRepairs,
    page: int,
    now_s: float,
    blocked_until_s: float | None,
) -> Progress | None:
    """How far the repair is that the reader asked for, in requests; None with no gap left."""
    if not gaps:
        return None
    done, begun_s = requested.requests, requested.begun_s
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
