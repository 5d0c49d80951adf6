"""The feed page's body: health, notices, each symbol, the coverage timeline, controls, tables."""

from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from ingest.recorder import Recorder
from ingest.status import RecorderStatus
from pages.charts.coverage_figure import coverage_figure, coverage_height_px
from pages.ui.chart.live_chart import live_chart
from pages.ui.desk import recording
from pages.ui.feed import tables
from pages.ui.feed.ledger import (
    MAX_DRAWN_GAPS,
    Ledger,
    coverage,
    future_words,
    ledger_csv,
    read_ledger,
)
from pages.ui.feed.universe import universe_block
from pages.ui.parts import files, markup, notices, plain
from pages.ui.parts.explain import explain
from pages.ui.parts.files import Offer
from pages.ui.state.served_files import MadeFile

QUARANTINED: Final = 50
TROUBLED: Final = {"connecting", "reconnecting", "no data", "blocked", "failed"}
REMEDIES: Final = {
    "blocked": "The exchange refuses this address. Remove the cause, then press Resume recording "
    "or start the app again.",
    "no data": "Connected and subscribed, but nothing comes. Check the symbols and --ws-url.",
    "failed": "A recording thread ended. Start the app again; stored trades are safe.",
    "stopped": "The recorder was stopped. Start the app again to go on.",
}


def show_head(status: RecorderStatus | None) -> None:
    """Show the page's name and what the feed is; its health stands in the header."""
    pieces = [markup.heading("Feed")]
    if status is not None:
        pieces.append(markup.text(f"Binance {status.market}, {status.stream}", "muted"))
    markup.show(markup.block(*pieces, css="pd-head"))


def show_notices(status: RecorderStatus | None) -> None:
    """Show what needs a person, before anything else."""
    # One place, empty or not: what stands below keeps its position.
    with st.container():
        if status is None:
            notices.show(notices.not_recording())
            return
        if status.state in REMEDIES:
            plain.error(REMEDIES[status.state])
        if status.last_error and status.state in TROUBLED:
            plain.error(f"Last error: {status.last_error}")
        notices.show_standing(status)


def show_feed(
    path: Path, recorder: Recorder | None, status: RecorderStatus | None, now_us: int
) -> None:
    """Show all that is known of the recording.

    Raises
    ------
    StoreError
        There is no database to read yet.
    """
    if status is not None:
        items = tables.all_recorder_figures(status)
        markup.show(markup.block(markup.figures(items)))
    ledger = read_ledger(path, QUARANTINED)
    recorded = () if status is None else status.symbols
    symbols = list(dict.fromkeys([*recorded, *ledger.spans]))
    markup.show(markup.block(tables.symbols_table(status, ledger, symbols, now_us)))
    markup.show(markup.block(universe_block(status, now_us)))
    with st.container():  # what stands below keeps its place
        if ledger.future_rows:
            plain.warning(future_words(ledger.future_rows))
    _show_coverage(ledger, symbols)
    _show_controls(path, recorder, status)
    _show_tables(ledger, status)


def _show_coverage(ledger: Ledger, symbols: list[str]) -> None:
    stored = [symbol for symbol in symbols if symbol in ledger.spans]
    if not stored:
        st.caption("The coverage timeline begins with the first stored trade.")
        return
    figure = coverage_figure(coverage(ledger, stored), stored)
    live_chart(
        figure,
        key="coverage_chart",
        label=f"Coverage in time of {', '.join(stored)}",
        height_px=coverage_height_px(len(stored)),
    )
    caption = "Coverage of the recorded span. Filled gaps are covered. Drag to zoom in time."
    if len(ledger.gaps) > MAX_DRAWN_GAPS:
        caption = f"{caption} The newest {MAX_DRAWN_GAPS:,} gaps of each kind are drawn."
    plain.caption(caption)


def _show_controls(path: Path, recorder: Recorder | None, status: RecorderStatus | None) -> None:
    with st.container(horizontal=True):
        if recorder is not None and status is not None:
            needs_resume = status.state in {"paused", "blocked"} or _may_look_anew(status)
            recording.control_recorder(
                recorder, is_paused=needs_resume, is_repairing=status.requested_repair is not None
            )
        files.show(
            [Offer("Ledger of gaps (CSV)", "ledger-csv", partial(_ledger_file, path))],
            key="download_ledger",
        )
        if status is not None:
            explain(tables.all_recorder_figures(status), key="explain_feed")
    recording.show_said()


def _may_look_anew(status: RecorderStatus) -> bool:
    """Whether ids started over: an exchange that is the old one again is then taken up again."""
    return status.refusal is not None and status.refusal.kind == "ids start over"


def _ledger_file(path: Path, _: str) -> MadeFile:
    return MadeFile(f"{path.stem}_gaps.csv", "text/csv", ledger_csv(path))


def _show_tables(ledger: Ledger, status: RecorderStatus | None) -> None:
    gaps, happened, odd = st.tabs(["Gaps", "History", "Quarantine"])
    if ledger.gaps.empty:
        gaps.caption("No gap so far: every id between the first and the last is stored.")
    else:
        markup.show(markup.block(tables.gaps_table(ledger.gaps)), gaps)
    if status is None or not status.history:
        happened.caption("Nothing yet.")
    else:
        markup.show(markup.block(tables.history_table(status.history)), happened)
    if ledger.quarantine.empty:
        odd.caption("Every frame so far was a known message.")
    else:
        markup.show(markup.block(tables.quarantine_table(ledger.quarantine)), odd)
