"""Trade times that cannot be: far ahead of the receipt, or far behind the trade before. Pure."""

from datetime import UTC, datetime
from typing import Final

from ingest.tick import Event

AHEAD_US: Final = 60_000_000
# While the exchange's clock is not known, ours may be off by a time zone and more.
AHEAD_UNKNOWN_US: Final = 86_400_000_000
BEHIND_US: Final = 60_000_000
EARLIEST_US: Final = 1_483_228_800_000_000  # 2017: the exchange opened in its July

CAUSE: Final = "impossible time"


class TradeTimes:
    """Judges trades' times by when they came and by the trade before.

    One row dated 2099 would else be the newest there is for ever. Old times alone are nothing odd:
    trades may be played again, and repairs are of the past.

    Attributes
    ----------
    most_ahead_us
        By how much a trade's time may be ahead of our clock at its receipt.
    """

    def __init__(self) -> None:
        self._skew_us: int | None = None
        self.most_ahead_us = AHEAD_UNKNOWN_US

    def know_skew(self, skew_ms: float | None, *, is_measured: bool = True) -> None:
        """Take the exchange's clock minus ours; None when it is not known any more.

        Else than measured it refuses nothing that was taken before: trades that were played again
        may be followed by those of today.
        """
        self._skew_us = None if skew_ms is None else round(skew_ms * 1000)
        is_sure = self._skew_us is not None and is_measured
        known_us = (self._skew_us or 0) + AHEAD_US
        self.most_ahead_us = known_us if is_sure else max(known_us, AHEAD_UNKNOWN_US)

    @property
    def skew_us(self) -> int | None:
        """The exchange's clock minus ours; None while it is not known."""
        return self._skew_us

    def oddity(self, event: Event, last_us: int | None) -> str | None:
        """Say what is wrong with a time; None with nothing.

        Parameters
        ----------
        event
            A trade with an id above those before, or a repaired one.
        last_us
            Time of the trade before; None without any.
        """
        ahead_us = event.time_us - event.received_us
        if ahead_us > self.most_ahead_us:
            over_us = ahead_us - (self._skew_us or 0)
            return f"dated {utc(event.time_us)}, {_span(over_us)} after it came"
        if event.time_us < EARLIEST_US:
            return f"dated {utc(event.time_us)}, before there was such an exchange"
        if last_us is None or event.time_us >= last_us - BEHIND_US:
            return None
        if ahead_us >= (self._skew_us or 0) - BEHIND_US:  # the last one's time was the wrong one
            return None
        return f"dated {utc(event.time_us)}, {_span(last_us - event.time_us)} before the last"


def is_between(time_us: int, after_us: int, before_us: int) -> bool:
    """Whether a repaired trade's time lies between its neighbours', as far as clocks go.

    Neighbours the wrong way round tell nothing: one of their own times is wrong.
    """
    return after_us > before_us or after_us - BEHIND_US <= time_us <= before_us + AHEAD_US


def is_ahead(event: Event) -> bool:
    """Whether a time is in the future, were our clock right to a day."""
    return event.time_us > event.received_us + AHEAD_UNKNOWN_US


def utc(time_us: int) -> str:
    """A time in words, UTC."""
    return f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(span_us: int) -> str:
    seconds = span_us / 1e6
    for unit, length_s in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:,.0f} {unit}"
    return f"{seconds:,.0f} s"
