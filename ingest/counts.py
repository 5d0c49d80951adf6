"""Running counts of the recording threads. Each field has one writer; anyone may read."""

from collections import deque
from dataclasses import dataclass, field

from ingest.status import HistoryEntry

_RATE_SECONDS = 10
_LATENCY_SAMPLES = 500
_OVER_AFTER_US = 60_000_000


@dataclass(slots=True)
class SymbolCounts:
    """What one symbol's stream has brought since the start."""

    received: int = 0  # from the stream
    fetched: int = 0  # over REST
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    non_trades: int = 0
    rejected: int = 0
    last_rejected: str | None = None  # why
    last_id: int | None = None
    last_raw_id: int | None = None
    last_trade_us: int | None = None
    last_received_us: int | None = None
    last_stored_us: int | None = None  # our clock when the stream's end last moved on
    unstored_since_us: int | None = None  # since when trades come and the end stays
    last_price: float | None = None
    unstored_s: float = 0.0  # the same, in seconds
    _stored: tuple[int | None, int] = (None, 0)  # `last_stored_us`, and `received` when it was new
    received_at: deque[int] = field(default_factory=lambda: deque(maxlen=_RATE_SECONDS + 1))
    latencies_us: deque[int] = field(default_factory=lambda: deque(maxlen=_LATENCY_SAMPLES))

    def tick_second(self, now_us: int) -> None:
        """Note the count of this second, and whether what came was stored; called once a second."""
        self.received_at.append(self.received)
        stored_us, received = self._stored
        if self.last_stored_us != stored_us:
            self._stored, self.unstored_since_us = (self.last_stored_us, self.received), None
        elif now_us - (self.last_received_us or 0) > _OVER_AFTER_US:  # nothing comes any more
            self._stored, self.unstored_since_us = (stored_us, self.received), None
        elif self.received > received and self.unstored_since_us is None:
            self.unstored_since_us = now_us
        since_us = self.unstored_since_us
        self.unstored_s = 0.0 if since_us is None else (now_us - since_us) / 1e6

    @property
    def rate_per_s(self) -> float:
        """Trades a second over the last ten."""
        noted = list(self.received_at)
        return (noted[-1] - noted[0]) / (len(noted) - 1) if len(noted) > 1 else 0.0

    def note_stored(self, time_us: int, stored_us: int) -> None:
        """Sample how long after its trade time a trade of the stream was stored."""
        self.latencies_us.append(stored_us - time_us)


class Counts:
    """Counts by symbol, and of the recorder as a whole."""

    def __init__(self) -> None:
        self.symbols: dict[str, SymbolCounts] = {}
        self.rejected = 0
        self.last_rejected: str | None = None
        self.reconnects = 0
        self.rotations = 0
        self.attempts = 0
        self.restarts = 0
        self.commits_ms: deque[float] = deque(maxlen=500)
        self.history: deque[HistoryEntry] = deque(maxlen=200)

    def of(self, symbol: str) -> SymbolCounts:
        """Counts of one symbol."""
        counts = self.symbols.get(symbol)
        return self.symbols.setdefault(symbol, SymbolCounts()) if counts is None else counts

    def total(self, name: str) -> int:
        """Sum of one count over all symbols ever recorded in this run."""
        return sum(getattr(counts, name) for counts in list(self.symbols.values()))

    def note(self, at_us: int, kind: str, detail: str) -> None:
        """Add to the history."""
        self.history.append(HistoryEntry(at_us, kind, detail))
