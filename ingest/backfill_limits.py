"""How far back missing trades are fetched, and the sentence for those that are not. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.endpoints import AGG_TRADES_REACH_S
from ingest.gap_board import OpenGap
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


def given_up(gap: OpenGap, to_id: int, why: str) -> str:
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
