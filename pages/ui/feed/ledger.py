"""The ledger of ids as the feed page shows it: what is covered, what is not, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.store import BEFORE_FIRST_TRADE, FutureRow, TickReader
from ingest.trade_times import utc
from pages.charts.coverage_figure import CoverageState, Stretches
from pages.ui.parts import formats
from pages.ui.parts.csv_file import csv_bytes
from pages.ui.state.clock import time_ms

# More shapes than this on one strip tell nothing more, and the browser has to draw them.
MAX_DRAWN_GAPS: Final = 1_000
MAX_NAMED: Final = 6
STATES: Final = ("open", "filled", "absent", "expired")
STATE_WORDS: Final = {
    "open": "open",
    "filled": "filled",
    "absent": "absent at the exchange",
    "expired": "given up",
}


@dataclass(frozen=True, eq=False)
class Ledger:
    """What the database says of its own completeness.

    Attributes
    ----------
    gaps
        As `TickReader.gaps` gives them.
    quarantine
        As `TickReader.quarantine` gives them.
    spans
        Times of the first and the last stored trade, by symbol.
    future_rows
        As `TickReader.future_rows` gives them.
    """

    gaps: pd.DataFrame
    quarantine: pd.DataFrame
    spans: dict[str, tuple[pd.Timestamp, pd.Timestamp]]
    future_rows: dict[str, list[FutureRow]] = field(default_factory=dict)


def read_ledger(path: Path, quarantined: int) -> Ledger:
    """Read the ledger and the newest `quarantined` frames that were no known message.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    with TickReader(path) as reader:
        traded = sorted({each.symbol for each in reader.series() if each.last_us})
        symbol_spans = {symbol: reader.span(symbol) for symbol in traded}
        spans = {symbol: span for symbol, span in symbol_spans.items() if span is not None}
        return Ledger(reader.gaps(), reader.quarantine(quarantined), spans, reader.future_rows())


def ledger_csv(path: Path) -> bytes:
    """Write all gaps as CSV: times in ISO 8601 UTC, no text that a spreadsheet would run."""
    with TickReader(path) as reader:
        gaps = reader.gaps()
    for name in ("after", "before"):
        gaps[name] = gaps[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return csv_bytes(gaps)


def gap_counts(gaps: pd.DataFrame, symbol: str) -> dict[str, tuple[int, int]]:
    """Count the gaps of a symbol by state, and the ids in them."""
    own = gaps[gaps["symbol"] == symbol]
    counts = {}
    for state in STATES:
        of_state = own[own["state"] == state]
        # Nothing is missing of a filled gap any more: there the ids it opened with count.
        opened = of_state["last_id"] - of_state["first_id"] + 1
        ids = opened if state == "filled" else of_state["missing"]
        counts[state] = (len(of_state), int(ids.sum()))
    return counts


def coverage(ledger: Ledger, symbols: Sequence[str]) -> list[Stretches]:
    """Lay the ledger out in time: what is covered, and the newest gaps of each other state."""
    rows = {symbol: row for row, symbol in enumerate(symbols) if symbol in ledger.spans}
    is_lacking = (ledger.gaps["missing"] > 0) | (ledger.gaps["cause"] == BEFORE_FIRST_TRADE)
    gaps = ledger.gaps[ledger.gaps["symbol"].isin(list(rows)) & is_lacking]
    stretches = [_covered(ledger.spans, gaps, rows)]
    for state in ("open", "expired", "absent"):
        of_state = gaps[gaps["state"] == state].tail(MAX_DRAWN_GAPS)
        if len(of_state):
            stretches.append(_stretches(state, of_state, rows))
    return stretches


def _stretches(state: CoverageState, gaps: pd.DataFrame, rows: dict[str, int]) -> Stretches:
    return Stretches(
        state,
        time_ms(pd.DatetimeIndex(gaps["after"])),
        time_ms(pd.DatetimeIndex(gaps["before"])),
        np.array([rows[symbol] for symbol in gaps["symbol"]], dtype=np.int64),
        tuple(_gap_label(gap) for gap in gaps.to_dict("records")),
    )


def _gap_label(gap: dict) -> str:
    between = formats.span(gap["after"], gap["before"])
    why = [gap["reason"] or gap["cause"], bars_words(gap)]
    first_line = f"{gap['symbol']}: {missing_words(gap)} missing, {between}"
    return "<br>".join([first_line, *filter(None, why)])


def bars_words(gap: dict) -> str:
    """Say what bars over a gap are made of, where the exchange's own klines cover all of it."""
    from_s = gap["klines_from_s"]
    if not from_s:
        return ""
    which = "Bars" if from_s == 1 else f"Bars of {_length(from_s)} and longer"
    return f"{which} there are the exchange's own klines."


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def why_words(gap: dict) -> str:
    """Say why ids are missing, and what stands in for them."""
    said, bars = str(gap["reason"]), bars_words(gap)
    if not bars:
        return said
    return f"{said.rstrip('.')}. {bars}" if said else bars


def missing_words(gap: dict) -> str:
    """Say how much is missing: before the first trade nobody knows how many there were."""
    if gap["cause"] == BEFORE_FIRST_TRADE:
        return "trades"
    return formats.count(gap["missing"], "id")


def future_words(future_rows: Mapping[str, Sequence[FutureRow]]) -> str:
    """Say which stored trades are dated where none can be, and what becomes of them."""
    future_trades = [row for rows in future_rows.values() for row in rows]
    newest_us = max(row.time_us for row in future_trades)
    those = (
        "1 stored trade is"
        if len(future_trades) == 1
        else f"{len(future_trades):,} stored trades are"
    )
    upto = "" if len(future_trades) == 1 else "up to "
    return (
        f"{those} dated far in the future ({_named(list(future_rows))}, {upto}{utc(newest_us)}):"
        " no bar, price or figure takes them. The next recording into this database moves them to"
        " the quarantine and asks for their ids again."
    )


def _named(symbols: Sequence[str]) -> str:
    more = len(symbols) - MAX_NAMED
    return ", ".join(symbols[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _covered(
    spans: dict[str, tuple[pd.Timestamp, pd.Timestamp]], gaps: pd.DataFrame, rows: dict[str, int]
) -> Stretches:
    """Take out of each symbol's span whatever lies in a gap."""
    pieces: list[tuple[float, float, int]] = []
    for symbol, row in rows.items():
        own = gaps[gaps["symbol"] == symbol]
        begin, end = time_ms(pd.DatetimeIndex(list(spans[symbol])))
        cuts = (time_ms(pd.DatetimeIndex(own[edge])) for edge in ("after", "before"))
        pieces += [(*piece, row) for piece in without(begin, end, *cuts)]
    starts, ends, owners = zip(*pieces, strict=True) if pieces else [()] * 3
    return Stretches(
        "covered",
        np.array(starts, dtype=np.float64),
        np.array(ends, dtype=np.float64),
        np.array(owners, dtype=np.int64),
        (),
    )


def without(
    begin: float, end: float, cut_starts: NDArray[np.float64], cut_ends: NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Cut stretches out of ``begin … end``; they may overlap, and come in any order.

    Two gaps that meet at a trade leave a piece of no length: that trade is stored.
    """
    pieces = []
    at = begin
    for start, stop in sorted(zip(cut_starts, cut_ends, strict=True)):
        if start >= at:
            pieces.append((at, float(start)))
        at = max(at, float(stop))
    if at < end or not pieces:
        pieces.append((at, end))
    return pieces
