"""The feed page's figures and tables: recorder, symbols, gaps, what happened, what was odd."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from ingest.status import HistoryEntry, RecorderStatus, SymbolStatus
from ingest.store import BEFORE_FIRST_TRADE
from pages.ui.feed.ledger import STATE_WORDS, Ledger, gap_counts, why_words
from pages.ui.parts import formats
from pages.ui.parts.markup import Cell, Figure, Html, Tone, table
from pages.ui.parts.notices import sentence

ROWS: Final = 50
DAY_S: Final = 86_400
US_PER_S: Final = 1_000_000

SYMBOL_WORDS: Final[dict[str, tuple[str, str, Tone]]] = {
    "live": ("●", "live", "good"),
    "quiet": ("◑", "quiet, confirmed", "good"),
    "silent": ("◐", "silent", "wait"),
    "waiting": ("○", "waiting", "wait"),
}
NOT_RECORDED: Final = Cell("– not recorded", "muted")
SYMBOL_HEAD: Final = (
    "Symbol", "State", "Last trade", "Trades/s", "Latency p50", "p99", "Stored", "Duplicates",
    "Rejected", "Gaps open", "Filled", "Absent", "Given up", "Ids missing",
)  # fmt: skip
GAP_HEAD: Final = (
    "Symbol", "State", "Missing ids", "From id", "To id", "Between", Cell("Cause", words=True),
    Cell("Why", words=True),
)  # fmt: skip
HISTORY_HEAD: Final = ("Time", Cell("What", words=True), Cell("Detail", words=True))
QUARANTINE_HEAD: Final = ("Received", Cell("Reason", words=True), Cell("Beginning", words=True))


def all_recorder_figures(status: RecorderStatus) -> list[Figure]:
    """Collect the recorder's figures in reading order."""
    disk = status.disk
    commit_p99 = f"p99 {formats.milliseconds(status.commit_p99_ms)}"
    rotations = formats.count(status.rotations, "planned rotation")
    return [
        Figure("Queue", f"{status.queue_depth:,}",
               (f"of {status.queue_capacity:,}", f"{status.refused:,} refused when full"),
               tip="Trades received and not yet stored. When full, ids go to the ledger."),
        Figure("Commit p50", formats.milliseconds(status.commit_p50_ms), (commit_p99,),
               tip="How long the database takes for one batch of trades."),
        Figure("Write-ahead log", formats.data_size(disk.wal), ("folded in as readers allow",),
               tip="What is committed and not yet folded into the database file."),
        Figure("Database", formats.data_size(disk.database),
               (_growth(disk.growth_per_day), *([status.moved] if status.moved else [])),
               tip="The file, and by how much a day the last hour's live trades make it grow."),
        Figure("Free disk", formats.data_size(disk.free), (_full_in(status),),
               tip="Below 200 MB the recording pauses by itself, and resumes by itself."),
        Figure("Clock skew", formats.milliseconds(status.skew_ms), ("exchange minus ours",),
               tip="The exchange's clock against ours; latencies are corrected by it."),
        Figure("Reconnects", f"{status.reconnects:,}",
               (rotations, formats.count(status.attempts, "attempt")),
               tip="Lost connections. A rotation opens the new one first and loses nothing."),
        Figure("Restarts", f"{status.restarts:,}", (f"{status.conflicts:,} conflicting ids",),
               tip="Of a recording thread that failed. A conflict is one id with two contents."),
    ]  # fmt: skip


def _growth(growth_per_day: float | None) -> str:
    if growth_per_day is None:
        return "growth is known after 5 min of live trades"
    sign = formats.MINUS if growth_per_day < 0 else "+"
    return f"{sign}{formats.data_size(abs(growth_per_day))} a day"


def _full_in(status: RecorderStatus) -> str:
    growth = status.disk.growth_per_day
    if growth is None or growth <= 0:
        return "on the database's disk"
    return f"full in {formats.age(status.disk.free / growth * DAY_S)} at this growth"


def symbols_table(
    status: RecorderStatus | None, ledger: Ledger, symbols: Sequence[str], now_us: int
) -> Html:
    """Set a row for each symbol, recorded or only stored."""
    per_symbol = {} if status is None else status.per_symbol
    rows = []
    for symbol in symbols:
        known = per_symbol.get(symbol)
        live = [_state(status, symbol), *_live_cells(known, now_us)]
        counts = gap_counts(ledger.gaps, symbol)
        gaps = [_gap_cell(*counts[state]) for state in STATE_WORDS]
        missing = counts["open"][1] + counts["expired"][1]
        rows.append((symbol, *live, *gaps, Cell(f"{missing:,}", "wait" if missing else None)))
    return table("Symbols", SYMBOL_HEAD, rows)


def _state(status: RecorderStatus | None, symbol: str) -> Cell:
    """Name a symbol's state; while the feed is not live, the feed's own says more."""
    if status is None or symbol not in status.per_symbol:
        return NOT_RECORDED
    if status.state != "live":
        return Cell(f"○ {status.state}", "wait")
    sign, word, tone = SYMBOL_WORDS[status.per_symbol[symbol].state]
    return Cell(f"{sign} {word}", tone)


def _live_cells(status: SymbolStatus | None, now_us: int) -> list[str | Cell]:
    if status is None:
        return [formats.NOT_KNOWN] * 7
    age = formats.NOT_KNOWN
    if status.last_trade_us is not None:
        age = f"{formats.age((now_us - status.last_trade_us) / US_PER_S)} ago"
    return [
        age,
        formats.number(status.rate_per_s, 1),
        formats.milliseconds(status.latency_p50_ms),
        formats.milliseconds(status.latency_p99_ms),
        f"{status.stored:,}",
        f"{status.duplicates:,}",
        Cell(f"{status.rejected:,}", "wait" if status.rejected else None),
    ]


def _gap_cell(gaps: int, ids: int) -> str:
    return f"{gaps:,} ({formats.count(ids, 'id')})" if ids else f"{gaps:,}"


def gaps_table(gaps: pd.DataFrame) -> Html:
    """Set the newest gaps, newest first."""
    newest = gaps.tail(ROWS).iloc[::-1]
    rows = [
        (
            gap["symbol"],
            Cell(STATE_WORDS[gap["state"]], "wait" if gap["state"] == "open" else None),
            *_id_cells(gap),
            formats.span(gap["after"], gap["before"]),
            Cell(gap["cause"], words=True),
            Cell(why_words(gap), words=True),
        )
        for gap in newest.to_dict("records")
    ]
    return table(f"Latest gaps ({len(rows)} of {len(gaps):,})", GAP_HEAD, rows)


def _id_cells(gap: dict) -> tuple[str, str, str]:
    """Say which ids are missing, where that is known."""
    if gap["cause"] == BEFORE_FIRST_TRADE:
        return (formats.NOT_KNOWN,) * 3
    return f"{gap['missing']:,}", str(gap["first_id"]), str(gap["last_id"])


def history_table(history: Sequence[HistoryEntry]) -> Html:
    """Set what happened to the recorder since it started, newest first."""
    rows = [
        (_utc(each.at_us), Cell(each.kind, words=True), Cell(sentence(each.detail), words=True))
        for each in reversed(history[-ROWS:])
    ]
    return table(f"What happened ({len(rows)} of {len(history):,})", HISTORY_HEAD, rows)


def quarantine_table(quarantine: pd.DataFrame) -> Html:
    """Set the newest frames that were no known message."""
    rows = [
        (
            formats.moment(frame["received"]),
            Cell(frame["reason"], words=True),
            Cell(frame["excerpt"], words=True),
        )
        for frame in quarantine.to_dict("records")
    ]
    return table("Frames that were no known message", QUARANTINE_HEAD, rows)


def _utc(at_us: int) -> str:
    return formats.moment(pd.Timestamp(at_us, unit="us", tz="UTC"))
