"""What the recorder tells about itself: frozen snapshots, plain values only."""

from dataclasses import dataclass, field
from typing import Literal

from ingest.interception import Between
from ingest.quantiles import quantiles
from ingest.venue import Refusal

RecorderState = Literal[
    "off",  # no symbol to record
    "connecting",
    "live",
    "no data",  # connected and subscribed, the exchange trades, and no frame ever came
    "reconnecting",
    "blocked",  # the exchange refuses this country or address: a person has to act
    "refused",  # what the exchange sends is not of this recording: a person has to act
    "paused",  # by the user, or for lack of disk space
    "stopped",
    "failed",
]
SymbolState = Literal["live", "quiet", "silent", "waiting"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work has come, for the status; `unit` is what is counted."""

    symbol: str
    what: str
    done: int
    total: int
    waiting_s: float | None = None
    eta_s: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SymbolStatus:
    """One symbol at one moment. Times in µs since the epoch, latencies in ms.

    `latencies_us` has, of the latest trades, the time from the exchange's trade time to the commit
    that stored it, by our clock, and `skew_ms` what corrects it; `latency_*` are their quantiles,
    None before the first: found when asked for, for most who look at a status want none. `state`:
    ``live`` (trades come), ``quiet`` (the exchange confirms that nobody trades), ``silent`` (no
    trade for a while, not confirmed), ``waiting`` (none yet on this connection).
    `unstored_since_us`: since when trades come of which none is stored; None while they are.
    """

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    non_trades: int = 0
    rejected: int = 0
    last_trade_us: int | None = None
    last_received_us: int | None = None
    unstored_since_us: int | None = None
    last_price: float | None = None
    state: SymbolState = "waiting"
    rate_per_s: float = 0.0
    latencies_us: tuple[int, ...] = ()
    skew_ms: float = 0.0
    open_gaps: int = 0
    missing_ids: int = 0

    @property
    def latency_p50_ms(self) -> float | None:
        """Half of the latest trades were stored sooner."""
        return self._latency_ms(0.5)

    @property
    def latency_p99_ms(self) -> float | None:
        """99 of 100 were."""
        return self._latency_ms(0.99)

    def _latency_ms(self, share: float) -> float | None:
        (latency_us,) = quantiles(self.latencies_us, share)
        return None if latency_us is None else latency_us / 1000 + self.skew_ms


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that happened to the recorder: connected, lost, restarted, paused."""

    at_us: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """The database on its disk, in bytes; growth a day is that of the last hour's live trades."""

    database: int = 0
    wal: int = 0
    free: int = 0
    growth_per_day: float | None = None


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """How far a replay is. Times in µs since the epoch, of the recorded market.

    `speed` is market seconds a second; infinite means as fast as the disk takes them.
    """

    name: str
    start_us: int
    end_us: int
    position_us: int
    speed: float
    is_paused: bool
    is_loading: bool
    has_ended: bool

    @property
    def share(self) -> float:
        """Share of the span that was played, 0 to 1."""
        span_us = self.end_us - self.start_us
        return (self.position_us - self.start_us) / span_us if span_us > 0 else 1.0


@dataclass(frozen=True, slots=True)
class UniverseChange:
    """A symbol that joined or left a universe: when (µs since the epoch), and why."""

    at_us: int
    symbol: str
    kind: Literal["joined", "left"]
    reason: str


@dataclass(frozen=True, slots=True)
class UniverseStatus:
    """The symbols of a universe, and how their bars stand where bars alone are recorded.

    Times in µs since the epoch. `rules` says in words what is followed; `changes` who joined and
    left, oldest first; `left_out` who is not followed, and why. Of bars: `length` of one, how many
    closed ones came over the stream (`received`) and over REST (`fetched`), how many are wanted and
    not there yet (`missing`), `behind`, the symbols whose newest one is among these; `newest_us`
    the end of the newest that is stored, `latency_*` from a bar's end to the commit that stored it.
    `connections` are those that are open, and those wanted.
    """

    rules: str
    depth: str
    length: str
    symbols: tuple[str, ...] = ()
    since_us: int | None = None
    asked_us: int | None = None
    changes: tuple[UniverseChange, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    note: str = ""
    state: RecorderState = "off"
    connections: tuple[int, int] = (0, 0)
    received: int = 0
    fetched: int = 0
    missing: int = 0
    behind: tuple[str, ...] = ()
    newest_us: int | None = None
    last_received_us: int | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RecorderStatus:
    """The recorder at one moment; what is made of it is kept by this very object.

    `retry_in_s` is the wait before the next attempt while `state` is ``reconnecting``;
    `last_received_us` is our clock at the newest trade of any symbol; `skew_ms` is the exchange's
    clock minus ours; `refused` counts events that a full queue could not take (their ids are in
    the ledger); `requested_repair` is the repair of given-up gaps while one runs; `write_error`
    says why nothing is stored just now; `refusal` why some of what comes is not; `between` who
    answers in the exchange's place while there is no connection; `moved` says which old days were
    moved to the lake; `notices` are sentences for the person at the desk; `universe` says which
    symbols are followed by rules, if any are.
    """

    state: RecorderState
    market: str
    stream: str
    symbols: tuple[str, ...]
    received: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: int
    refused: int
    reconnects: int
    rotations: int
    attempts: int
    restarts: int
    last_error: str | None
    last_rejected: str | None
    last_received_us: int | None
    queue_depth: int
    queue_capacity: int
    retry_in_s: float | None
    commit_p50_ms: float | None
    commit_p99_ms: float | None
    skew_ms: float | None
    per_symbol: dict[str, SymbolStatus]
    disk: DiskStatus = field(default_factory=DiskStatus)
    notices: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    backfill: tuple[Progress, ...] = ()
    requested_repair: Progress | None = None
    warm_start: tuple[Progress, ...] = ()
    replay: ReplayStatus | None = None
    write_error: str | None = None
    refusal: Refusal | None = None
    between: Between | None = None
    moved: str | None = None
    universe: UniverseStatus | None = None

    @property
    def is_bars_only(self) -> bool:
        """Whether bars are recorded as they close, and no trades."""
        return not self.symbols and self.universe is not None and self.universe.depth == "bars"
