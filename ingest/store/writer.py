"""The one connection that writes: ticks, their bars and the ledger, whole batches or nothing."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ingest.binance import Kline
from ingest.store.bars import Spans
from ingest.store.batch import Batch, is_event_stored, same_event
from ingest.store.connecting import WritingConnection
from ingest.store.future_rows import find_future_rows, move_to_quarantine
from ingest.store.id_ranges import IdRange
from ingest.store.ledger import StreamLedger
from ingest.store.ledger_rows import StreamState, load_ledgers, store_ledger
from ingest.store.published_gaps import OpenGap
from ingest.store.repair_log import RepairLog
from ingest.store.retention import (
    MovedIds,
    delete_moved,
    delete_oldest,
    find_oldest_bars,
    oldest_second,
)
from ingest.store.rollups import Rollups
from ingest.store.stored_klines import has_klines_before, insert_klines, kline_spans, klines_end
from ingest.tick import Event, Market, NonTrade, StreamKey
from ingest.venue import Restart, venue_setting

_SAMPLE_EVERY = 50
# One id too low with too new a time is a bad frame; so many in a row are another numbering.
RESTARTED_AFTER = 10


@dataclass(slots=True)
class Written:
    """What one batch did, per stream where it matters.

    `newest` has some of the events that were the newest of their stream: not fetched afterwards.
    """

    stored: dict[StreamKey, int] = field(default_factory=dict)
    duplicates: dict[StreamKey, int] = field(default_factory=dict)
    conflicts: dict[StreamKey, int] = field(default_factory=dict)
    newest: list[Event] = field(default_factory=list)
    non_trades: int = 0


class TickWriter(WritingConnection):
    """Owns the writing connection. One thread uses it; `close` may be called twice.

    Parameters
    ----------
    path
        The database file; its folder is made if missing.
    venue
        Of which exchange the trades are: remembered with the first of a market that are stored.

    Attributes
    ----------
    restarted
        Streams whose ids start over. Nothing of them is stored until `accept_again`.

    Raises
    ------
    StoreError
        The file cannot be created, is no database, or is another program's.
    """

    def __init__(self, path: Path | str, venue: str | None = None) -> None:
        super().__init__(Path(path))
        self.restarted: dict[StreamKey, Restart] = {}
        self._venue = venue
        self._named: set[Market] = set()  # markets whose venue is remembered
        self.klines_added = 0  # since it was opened
        self.ledger_changed = True  # for whoever publishes the gaps, who sets it back
        self._causes: dict[StreamKey, str] = {}  # of the next gaps, as the last batch found them
        self._stale = False  # the ledgers may know of ids that were rolled back
        self._streams: dict[StreamKey, StreamState] = {}
        self._load()

    def write(self, events: Sequence[Event]) -> Written:
        """Store a batch with its bars and ledger rows in one transaction.

        Known ids are counted as duplicates, or as conflicts where the content differs (the first
        one is kept). On a database error nothing of the batch is stored and the error is raised.
        """
        written = Written()
        with self._transaction():
            batch = self._gather(events, written)
            if len(batch):
                self._name_venue({event.market for event in events})
            self._store(batch)
            self._store_ledgers({(e.market, e.symbol, e.stream) for e in events})
        return written

    def expect_gap(self, cause: str, streams: Iterable[StreamKey] | None = None) -> None:
        """Name the cause of the next gap of these streams (all of them by default)."""
        for key in list(self._streams) if streams is None else streams:
            if key in self._streams:
                self._streams[key].cause = self._causes[key] = cause

    def close_gap(
        self,
        key: StreamKey,
        from_id: int,
        to_id: int,
        state: Literal["absent", "expired"],
        reason: str,
    ) -> int:
        """Mark what is still missing of a range of ids; returns how many ids that concerns."""
        with self._transaction():
            concerned = self._streams[key].ledger.close_range(from_id, to_id, state, reason)
            self._store_ledgers([key])
        return concerned

    def reopen_gaps(self, wanted: Iterable[StreamKey]) -> dict[StreamKey, list[IdRange]]:
        """Make these streams' given-up gaps open again; returns the ids of each, in order."""
        keys = [key for key in wanted if key in self._streams]
        with self._transaction():
            reopened = {key: self._streams[key].ledger.reopen() for key in keys}
            self._store_ledgers([key for key in keys if reopened[key]])
        return reopened

    def add_klines(self, key: StreamKey, length_s: int, klines: Sequence[Kline]) -> None:
        """Keep the exchange's own bars of `length_s` seconds; a bar given again replaces the old.

        Readers use them only where there are no ticks: before the first one, and in gaps.
        """
        self.add_all_klines(length_s, {key: klines})

    def add_all_klines(self, length_s: int, klines: Mapping[StreamKey, Sequence[Kline]]) -> None:
        """Keep bars of one length of several streams, in one transaction: see `add_klines`."""
        with self._transaction():
            self._name_venue({key[0] for key in klines})
            for key, bars in klines.items():
                state = self._streams.get(key) or self._add_stream(key)
                end = klines_end(self._connection, state.stream_id)
                span = insert_klines(self._connection, state.stream_id, length_s, bars)
                if span is not None and (state.ledger.last_id is not None or span[0] < end):
                    self._repairs.note_span(state.stream_id, *span)
            self._store_ledgers(klines)
        self.klines_added += sum(map(len, klines.values()))

    def kline_spans(self, key: StreamKey, length_s: int, span: tuple[int, int]) -> Spans:
        """Seconds ``(low, high)`` inside a span that stored klines of a length cover, in order."""
        state = self._streams.get(key)
        return kline_spans(self._connection, state.stream_id, length_s, span) if state else []

    def has_klines(self, key: StreamKey, length_s: int) -> bool:
        """Whether bars of the exchange's own of a length are stored before the first trade."""
        state = self._streams.get(key)
        at, first_us = (state.stream_id, state.ledger.first_us) if state else (0, 0)
        return has_klines_before(self._connection, at, length_s, first_us or 2**62)

    def quarantine(self, rows: Sequence[tuple[int, str, str]], most: int = 1000) -> None:
        """Keep frames ``(received_us, reason, excerpt)``; only the newest `most` stay."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO quarantine (received_us, reason, excerpt) VALUES (?, ?, ?)", rows
            )
            self._connection.execute(
                "DELETE FROM quarantine WHERE number <= (SELECT max(number) FROM quarantine) - ?",
                (most,),
            )

    def set_aside_future(self, now_us: int) -> int:
        """Move trades dated far in the future to the quarantine; returns how many.

        Their ids become gaps, to be asked for again.
        """
        moved = 0
        for key, state in self._streams.items():
            rows = find_future_rows(self._connection, state.stream_id, now_us)
            if rows:
                with self._transaction():
                    move_to_quarantine(self._connection, state.stream_id, key[1], rows)
                    seconds = {row.time_us // 1_000_000 for row in rows}
                    self._rollups.make_again(state.stream_id, seconds)
                    self._connection.execute(
                        "UPDATE stream SET revision = revision + 1 WHERE stream_id = ?",
                        (state.stream_id,),
                    )
            moved += len(rows)
        if moved:
            self._load()
            self.ledger_changed = True
        return moved

    def open_gaps(self) -> tuple[OpenGap, ...]:
        """Gaps that are still to be filled, of every stream."""
        return tuple(
            OpenGap(key, gap.from_id, gap.to_id, gap.after_us, gap.before_us, gap.cause)
            for key, state in self._streams.items()
            for gap in state.ledger.gaps
            if gap.state == "open"
        )

    def edges(self) -> dict[StreamKey, tuple[int, int]]:
        """Last id and its trade time, per stream that has one."""
        return {
            key: (state.ledger.last_id, state.ledger.last_us)
            for key, state in self._streams.items()
            if state.ledger.last_id is not None
        }

    def streams(self) -> dict[StreamKey, StreamLedger]:
        """The ledgers, by stream. The writer's own: read, do not change."""
        return {key: state.ledger for key, state in self._streams.items()}

    def close(self) -> None:
        """Close the connection, with the log's content in the database as far as readers allow."""
        # Closed before, or a disk that refuses: then the log is read at the next start.
        with suppress(sqlite3.Error):
            self.checkpoint()
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, in the file and in the ledgers."""
        if self._stale:  # undoing failed as well
            self._undo()
        self._causes = {key: state.cause for key, state in self._streams.items()}
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _gather(self, events: Sequence[Event], written: Written) -> Batch:
        batch = Batch()
        stored = written.stored
        for event in events:
            key = (event.market, event.symbol, event.stream)
            state = self._streams.get(key) or self._add_stream(key)
            ledger, trade_id = state.ledger, event.trade_id
            if key in self.restarted:
                continue
            if not ledger.observe(trade_id, event.time_us, state.cause):
                self._count_known(event, key, state, batch, written)
                continue
            if ledger.last_id == trade_id:
                state.cause = "lost"
                if len(batch) % _SAMPLE_EVERY == 0:
                    written.newest.append(event)
            if isinstance(event, NonTrade):
                batch.add_non_trade(state.stream_id, event)
                written.non_trades += 1
            else:
                batch.add_tick(state.stream_id, event)
                stored[key] = stored.get(key, 0) + 1
        return batch

    def _store(self, batch: Batch) -> None:
        self._repairs.note(batch.bars)
        batch.store(self._connection)
        self._rollups.follow(batch.bars)

    def _count_known(
        self, event: Event, key: StreamKey, state: StreamState, batch: Batch, written: Written
    ) -> None:
        stream_id = state.stream_id
        first = batch.find(stream_id, event.trade_id)
        same = (
            is_event_stored(self._connection, stream_id, event)
            if first is None
            else same_event(first, event)
        )
        counts = written.duplicates if same else written.conflicts
        counts[key] = counts.get(key, 0) + 1
        if not same and state.ledger.is_out_of_order(event.time_us):
            self._count_contradiction(event, key, state)

    def _count_contradiction(self, event: Event, key: StreamKey, state: StreamState) -> None:
        """Count ids in a row that cannot be of this stream; many are a numbering of its own."""
        last_id = state.ledger.last_id
        if state.contradict() >= RESTARTED_AFTER and last_id is not None:
            self.restarted[key] = Restart(last_id, event.trade_id)

    def refuse(self, key: StreamKey, event: Event) -> None:
        """Store nothing more of a stream: an event inside a gap does not fit what is around it."""
        ledger = self._streams[key].ledger
        before = next((gap for gap in ledger.gaps if gap.to_id >= event.trade_id), None)
        if before is not None and key not in self.restarted:
            self.restarted[key] = Restart(before.from_id - 1, event.trade_id, is_gap=True)

    def accept_again(self, symbols: Collection[str] | None = None) -> None:
        """Accept streams again whose ids started over: of these symbols, or all of them."""
        for key in list(self.restarted):
            if symbols is None or key[1] in symbols:
                del self.restarted[key]
                self._streams[key].contradictions = 0

    def _name_venue(self, markets: set[Market]) -> None:
        """Remember of which exchange the first rows of a market are, in their transaction."""
        if self._venue is None or markets <= self._named:
            return
        for market in markets:
            self._connection.execute(
                "INSERT OR IGNORE INTO setting VALUES (?, ?)", (venue_setting(market), self._venue)
            )
        self._named |= markets

    def is_stored(self, event: Event) -> bool:
        """Whether a trade, or an id without a trade, is stored with the same content."""
        state = self._streams.get((event.market, event.symbol, event.stream))
        return state is not None and is_event_stored(self._connection, state.stream_id, event)

    def _add_stream(self, key: StreamKey) -> StreamState:
        cursor = self._connection.execute(
            "INSERT INTO stream (market, symbol, kind) VALUES (?, ?, ?)", key
        )
        state = StreamState(int(cursor.lastrowid or 0), StreamLedger())
        self._streams[key] = state
        return state

    def _store_ledgers(self, keys: Iterable[StreamKey]) -> None:
        for key in keys:
            state = self._streams[key]
            if store_ledger(self._connection, state.stream_id, state.ledger):
                self.ledger_changed = True

    def forget_before(self, second: int, most_bars: int = 500) -> int:
        """Delete trades of bars that opened before a second, `most_bars` of each stream at a time.

        Returns how many bars went, 0 when none is left. A small step: recording does not wait.
        """
        deleted = 0
        for key, state in self._streams.items():
            oldest = find_oldest_bars(self._connection, state.stream_id, second, most_bars)
            if oldest is not None:
                with self._transaction():
                    delete_oldest(self._connection, state.stream_id, state.ledger, oldest)
                    self._rollups.cut_before(state.stream_id, oldest.last_second + 1)
                    self._store_ledgers([key])
                deleted += oldest.bars
        return deleted

    def forget_moved(
        self, key: StreamKey, second: int, moved: MovedIds, most_bars: int = 500
    ) -> int | None:
        """Delete a small step of bars that opened before a second, whose trades were moved.

        Returns how many bars went, 0 when none is left to go; None, with nothing deleted, where
        trades came after the others were moved.
        """
        state = self._streams.get(key)
        if state is None:  # another file is the database now
            return None
        oldest = find_oldest_bars(self._connection, state.stream_id, second, most_bars)
        if oldest is None:
            return 0
        which = (self._connection, state.stream_id, state.ledger, oldest)
        with self._transaction():
            if not delete_moved(*which, moved):
                return None
            self._rollups.cut_before(state.stream_id, oldest.last_second + 1)
            self._store_ledgers([key])
        return oldest.bars

    def roll_up_older(self) -> bool:
        """Roll up a small step of the bars of before rollups were kept; False when all are."""
        for state in self._streams.values():
            if (step := self._rollups.older_step(state.stream_id)) is not None:
                with self._transaction():
                    self._rollups.reach_back(state.stream_id, step)
                return True
        return False

    def oldest_second(self) -> int | None:
        """Open second of the oldest bar of any stream; None without bars."""
        return oldest_second(self._connection, [each.stream_id for each in self._streams.values()])

    def _undo(self) -> None:
        self._stale = True
        # SQLITE_FULL and its like have rolled back already: then there is nothing to roll back.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._load()
        self._named.clear()
        self._stale = False

    def _load(self) -> None:
        self._streams = {
            key: StreamState(stream_id, ledger, self._cause_after(key, ledger.last_id))
            for key, stream_id, ledger in load_ledgers(self._connection)
        }
        self._repairs = RepairLog(self._connection)
        self._rollups = Rollups(self._connection)

    def _cause_after(self, key: StreamKey, last_id: int | None) -> str:
        """Name the cause of the next gap: a gap that was rolled back needs its own once more."""
        state = self._streams.get(key)
        if state is not None and state.ledger.last_id == last_id:  # committed all the same
            return state.cause
        return self._causes.get(key, "stopped")
