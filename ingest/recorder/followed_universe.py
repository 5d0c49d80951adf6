"""The universe of this recording: chosen by rules, recorded in bars or in trades."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from ingest.counts import Counts
from ingest.errors import MalformedMessageError
from ingest.event_queue import Call, EventQueue
from ingest.recorder.bar_recording import BarRecording, MakeBarFeed
from ingest.recorder.universe_keeper import UniverseKeeper, first_state, universe_setting
from ingest.repair import KlineName
from ingest.rest import RestClient
from ingest.settings import Settings, say
from ingest.status import Progress, RecorderState, UniverseChange, UniverseStatus
from ingest.store import TickWriter
from ingest.universe import UniverseState


@dataclass(frozen=True, slots=True)
class LoopParts:
    """What the receiving loop lends: its REST client, and what makes and feeds connections."""

    rest: RestClient
    make_feed: MakeBarFeed
    reject: Callable[[MalformedMessageError], None]
    room: Callable[[], Awaitable[None]]


class FollowedUniverse:
    """Knows what is followed, and records it; outlives the loop it runs in.

    Parameters
    ----------
    settings
        Market, stream, endpoints.
    state
        The universe as it is known so far.
    queue, counts, now_us
        Of the recording.
    follow
        Takes who joined and who left, where trades are recorded.

    Attributes
    ----------
    state
        The newest one; may be read from any thread.
    """

    def __init__(
        self,
        settings: Settings,
        state: UniverseState,
        queue: EventQueue,
        counts: Counts,
        now_us: Callable[[], int],
        follow: Callable[[tuple[str, ...], tuple[str, ...]], None],
    ) -> None:
        self.state = state
        self._settings, self._queue, self._counts = settings, queue, counts
        self._now_us, self._follow = now_us, follow
        self._trades: tuple[str, ...] = ()
        self._idle_because: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: UniverseKeeper | None = None
        self._bars: BarRecording | None = None
        self._changed = asyncio.Event()

    # From any thread.

    @property
    def in_bars(self) -> bool:
        """Whether bars alone are recorded."""
        return self.state.rules.depth == "bars"

    @property
    def bar_symbols(self) -> tuple[str, ...]:
        """Symbols that are recorded in bars: those whose trades are recorded are not among them."""
        trades = frozenset(self._trades)
        chosen = self.state.symbols if self.in_bars else ()
        return tuple(symbol for symbol in chosen if symbol not in trades)

    def receive(self, trades: tuple[str, ...], idle_because: str | None) -> None:
        """Take what is recorded in trades, and why nothing is received; None where it is."""
        self._trades, self._idle_because = trades, idle_because
        self._soon(self._changed.set)

    def database_changed(self) -> None:
        """Fetch again what another database does not hold, and have the universe kept there."""
        self._remember(self.state)
        bars = self._bars
        if bars is not None:
            self._soon(bars.gaps.look_again)

    def fetch_klines(self, symbols: Sequence[str], name: KlineName, span_us: int) -> None:
        """See to it that bars of a length reach so far back."""
        bars = self._bars
        if bars is None:
            return
        for symbol in symbols:
            self._soon(partial(bars.gaps.fetch, symbol, name, span_us))

    def look_now(self) -> None:
        """Look at the exchange's list without waiting for the hour."""
        keeper = self._keeper
        if keeper is not None:
            self._soon(keeper.look_now)

    def recording_state(self) -> RecorderState:
        """What the connections for bars do."""
        bars = self._bars
        state: RecorderState = "connecting" if bars is None else bars.group.state
        return "connecting" if state == "off" and not self.state.asked_us else state

    @property
    def last_error(self) -> str | None:
        """Why bars do not come, while that is so."""
        return None if self._bars is None else self._bars.group.last_error

    def progress(self) -> tuple[Progress, ...]:
        """Symbols whose earlier bars are being fetched: those with the most to do."""
        found = () if self._bars is None else self._bars.gaps.progress
        return tuple(sorted(found, key=lambda each: each.done - each.total)[:3])

    def notices(self) -> tuple[str, ...]:
        """Sentences for the person at the desk."""
        said = () if self._bars is None else self._bars.gaps.notices
        note = "" if self._keeper is None else self._keeper.note
        return (f"Universe: {note}.", *said) if note else said

    def status(self, skew_ms: float) -> UniverseStatus:
        """How it stands; `skew_ms` is the exchange's clock minus ours."""
        state, rules, bars = self.state, self.state.rules, self._bars
        known = UniverseStatus(
            *(rules.words, rules.depth, rules.bars),
            symbols=state.symbols,
            since_us=state.since_us,
            asked_us=state.asked_us or None,
            changes=state.changes,
            left_out=state.left_out,
            note="" if self._keeper is None else self._keeper.note,
            state=self.recording_state() if self.in_bars else "off",
        )
        return known if bars is None else _with_bars(known, bars, skew_ms)

    # In the event loop.

    async def run(self, parts: LoopParts) -> None:
        """Look at the list and record, until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._changed.set()
        self._keeper = UniverseKeeper(parts.rest, self.state, self._take, self._now_us)
        works = [self._keeper.run()]
        if self.in_bars:
            self._bars = BarRecording(
                *(self._settings, self.state.rules.bars),
                rest=parts.rest,
                queue=self._queue,
                counts=self._counts,
                make_feed=parts.make_feed,
                reject=parts.reject,
                room=parts.room,
                now_us=self._now_us,
            )
            works += [self._bars.run(), self._apply(self._bars)]
        try:
            await asyncio.gather(*works)
        finally:
            if self._bars is not None:
                await self._bars.group.break_off("stopped")

    async def drain(self) -> None:
        """Close the connections, with all they had received in the queue."""
        if self._bars is not None:
            await self._bars.drain()

    async def _apply(self, bars: BarRecording) -> None:
        """Record what is wanted, whenever that changes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._idle_because is not None:
                await bars.pause(self._idle_because)
            else:
                bars.gaps.is_paused = False
                await bars.set_symbols(self.bar_symbols, "no symbols to record in bars")

    def _take(self, state: UniverseState) -> None:
        """Follow a universe as it is after a look."""
        old, self.state = self.state, state
        self._remember(state)
        for change in state.changes[-(len(state.symbols) + len(old.symbols)) :]:
            if change.at_us == state.asked_us:
                self._tell(change)
        joined = tuple(each for each in state.symbols if each not in old.symbols)
        left = tuple(each for each in old.symbols if each not in state.symbols)
        if not self.in_bars and (joined or left):
            self._follow(joined, left)
        self._changed.set()

    def _tell(self, change: UniverseChange) -> None:
        words = f"{change.symbol} {change.kind}: {change.reason}"
        self._counts.note(change.at_us, "universe", words)
        say(words)

    def _remember(self, state: UniverseState) -> None:
        key, value = universe_setting(self._settings.market), msgspec.json.encode(state).decode()
        self._queue.put(Call(lambda writer: writer.remember(key, value)))

    def _soon(self, action: Callable[[], object]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)


def universe_of(
    settings: Settings,
    writer: TickWriter,
    queue: EventQueue,
    counts: Counts,
    now_us: Callable[[], int],
    follow: Callable[[tuple[str, ...], tuple[str, ...]], None],
) -> FollowedUniverse | None:
    """The universe that the options name, or that of the last run; what they end is forgotten."""
    key = universe_setting(settings.market)
    state = first_state(settings, writer.setting(key), now_us())
    if state is None:
        if settings.no_universe:
            writer.remember(key, "")
        return None
    return FollowedUniverse(settings, state, queue, counts, now_us, follow)


def _with_bars(known: UniverseStatus, bars: BarRecording, skew_ms: float) -> UniverseStatus:
    p50, p99 = bars.latencies_ms()
    return UniverseStatus(
        *(known.rules, known.depth, known.length, known.symbols, known.since_us, known.asked_us),
        *(known.changes, known.left_out, known.note, known.state),
        connections=bars.group.connected,
        received=bars.received,
        fetched=bars.gaps.fetched,
        missing=bars.gaps.missing,
        behind=bars.behind(),
        newest_us=bars.newest_us,
        last_received_us=bars.last_received_us,
        latency_p50_ms=None if p50 is None else p50 + skew_ms,
        latency_p99_ms=None if p99 is None else p99 + skew_ms,
    )
