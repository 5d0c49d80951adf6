"""The recorder's status, put together from what its parts know. Waits for nobody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.counts import Counts, SymbolCounts
from ingest.event_queue import EventQueue
from ingest.history import Mover
from ingest.installation import COMMAND
from ingest.quantiles import quantiles
from ingest.recorder.followed_universe import FollowedUniverse
from ingest.recorder.maintenance import Maintenance
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.trade_source import TradeSource
from ingest.recorder.writing import WritingLoop
from ingest.repair import Repair
from ingest.settings import Settings
from ingest.status import RecorderState, RecorderStatus, SymbolStatus
from ingest.store import CHECK_WITHIN_S, Damage, LaterCheck
from ingest.venue import Refusal

_UNSTORED_S = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a recorder is made of, as far as it is asked here."""

    settings: Settings
    counts: Counts
    queue: EventQueue
    receiving: TradeSource
    writing: WritingLoop
    maintenance: Maintenance
    later_check: LaterCheck | None
    damage: Damage | None
    mover: Mover | None = None
    universe: FollowedUniverse | None = None


def report(
    parts: Parts,
    state: RecorderState,
    symbols: Sequence[str],
    failing: str | None,
    refusal: Refusal | None = None,
) -> RecorderStatus:
    """Tell what is happening; safe from any thread."""
    counts, queue, writing = parts.counts, parts.queue, parts.writing
    feed, repair = parts.receiving.feed, parts.receiving.repair
    skew_ms = parts.receiving.skew_ms()
    universe = parts.universe
    newest_us = (each.last_received_us or 0 for each in list(counts.symbols.values()))
    commit_p50_ms, commit_p99_ms = quantiles(list(counts.commits_ms), 0.5, 0.99)
    return RecorderStatus(
        state=state,
        market=parts.settings.market,
        stream=parts.settings.stream,
        symbols=tuple(symbols),
        received=counts.total("received") + counts.total("fetched"),
        stored=counts.total("stored"),
        duplicates=counts.total("duplicates"),
        conflicts=counts.total("conflicts"),
        rejected=counts.rejected,
        refused=queue.refused,
        reconnects=counts.reconnects + (feed.reconnects if feed else 0),
        rotations=counts.rotations + (feed.rotations if feed else 0),
        attempts=counts.attempts + (feed.attempts if feed else 0),
        restarts=counts.restarts,
        last_error=failing or _last_error(parts),
        last_rejected=counts.last_rejected,
        last_received_us=max(newest_us, default=0) or None,
        queue_depth=len(queue),
        queue_capacity=queue.capacity,
        retry_in_s=parts.receiving.retry_in_s() if state == "reconnecting" else None,
        commit_p50_ms=commit_p50_ms,
        commit_p99_ms=commit_p99_ms,
        skew_ms=skew_ms,
        per_symbol=_per_symbol(parts, symbols, skew_ms),
        disk=parts.maintenance.disk,
        notices=(*_why_not(state, refusal, symbols, counts), *_notices(parts)),
        refusal=refusal,
        between=feed.between if feed else None,
        history=tuple(counts.history.copy()),
        backfill=repair.backfill_progress() if repair else (),
        requested_repair=repair.requested_progress() if repair else None,
        warm_start=(
            *(repair.warm_start_progress() if repair else ()),
            *(universe.progress() if universe else ()),
        ),
        write_error=writing.error,
        moved=parts.mover.summary if parts.mover else None,
        universe=universe.status(skew_ms or 0.0) if universe else None,
    )


def _last_error(parts: Parts) -> str | None:
    """Say what goes wrong, what hurts most first: storing, receiving, following the universe."""
    feed, universe = parts.receiving.feed, parts.universe
    return (
        parts.writing.error
        or (feed.last_error if feed else None)
        or (universe.last_error if universe else None)
    )


def _per_symbol(
    parts: Parts, symbols: Sequence[str], skew_ms: float | None
) -> dict[str, SymbolStatus]:
    repair, writing = parts.receiving.repair, parts.writing
    return {
        symbol: _symbol_status(
            symbol,
            parts.counts.of(symbol),
            repair,
            writing.gaps_by_symbol.get(symbol, (0, 0)),
            skew_ms,
        )
        for symbol in symbols
    }


def _symbol_status(
    symbol: str,
    counts: SymbolCounts,
    repair: Repair | None,
    gaps: tuple[int, int],
    skew_ms: float | None,
) -> SymbolStatus:
    open_gaps, missing = gaps
    return SymbolStatus(
        received=counts.received + counts.fetched,
        stored=counts.stored,
        duplicates=counts.duplicates,
        conflicts=counts.conflicts,
        non_trades=counts.non_trades,
        rejected=counts.rejected,
        last_trade_us=counts.last_trade_us,
        last_received_us=counts.last_received_us,
        unstored_since_us=counts.unstored_since_us,
        last_price=counts.last_price,
        state=repair.symbol_state(symbol) if repair else "waiting",
        rate_per_s=counts.rate_per_s,
        latencies_us=tuple(counts.latencies_us),
        skew_ms=skew_ms or 0.0,
        open_gaps=open_gaps,
        missing_ids=missing,
    )


def _why_not(
    state: RecorderState, refusal: Refusal | None, symbols: Sequence[str], counts: Counts
) -> list[str]:
    """Say why trades that come are not stored, where none are."""
    if refusal is not None:
        return [f"{refusal.sentence[:1].upper()}{refusal.sentence[1:]}."]
    return list(_unstored(symbols, counts)) if state == "live" else []


def _unstored(symbols: Sequence[str], counts: Counts) -> Iterator[str]:
    """Say why trades that come are not stored, once that lasts."""
    for symbol in symbols:
        each = counts.of(symbol)
        if each.unstored_s < _UNSTORED_S:
            continue
        why = "they wait for the database"
        if each.last_rejected is not None:
            why = f"the last one set aside was {each.last_rejected}"
        elif each.duplicates or each.conflicts:
            why = f"{each.duplicates:,} were known, {each.conflicts:,} contradict what is stored"
        yield f"{symbol}: trades come, and none was stored for {each.unstored_s:.0f} s: {why}."


def _notices(parts: Parts) -> list[str]:
    repair = parts.receiving.repair
    notices = parts.maintenance.notices() + (repair.notices() if repair else [])
    if isinstance(parts.receiving, ReceivingLoop):
        notices += parts.receiving.notices()
    notices += parts.universe.notices() if parts.universe else ()
    damage = parts.writing.damage or parts.damage
    if damage is not None:
        notices.append(
            f"The database was damaged ({damage.reason}) and was set aside as"
            f" {damage.moved_to.name}; a new one was begun."
        )
    if parts.mover is not None and parts.mover.problem is not None:
        notices.append(f"{parts.mover.problem}.")
    if parts.writing.departed is not None:
        notices.append(parts.writing.departed)
    if parts.writing.error is not None:
        notices.append(f"Nothing is stored just now: {parts.writing.error}. It is tried again.")
    if parts.later_check is not None and (notice := check_notice(parts.later_check)):
        notices.append(notice)
    return notices


def check_notice(check: LaterCheck) -> str | None:
    """Say how the check goes on that was not finished at the start; None once it found nothing."""
    progress = check.progress
    percent = f"{progress.share * 100:.0f} %"
    if progress.damage is not None:
        return (
            f"The database is damaged ({progress.damage}), found after {percent} of"
            " the trades. Stop the app and move the file away: a new one is begun, and the next"
            " start fetches what the exchange still has."
        )
    if progress.is_done:
        return None
    return (
        f"The check of the database stopped after {CHECK_WITHIN_S:g} s, not finished and without"
        f" a finding. The rest is being read beside the recording: {percent} of the"
        f" trades so far. The command {COMMAND} --verify compares bars and trades as well."
    )
