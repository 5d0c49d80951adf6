"""The form that fetches bars or trades from the exchange, day by day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import streamlit as st

from ingest.binance import parse_symbols
from ingest.errors import IngestError
from ingest.history import FetchRequest, JobRunner, submit_fetch
from ingest.settings import Settings, current_settings
from pages.ui.data import words
from pages.ui.desk import pair_data
from pages.ui.parts import plain
from pages.ui.state.source import current_recorder

Rows = Literal["1s", "1m", "5m", "1h"] | None

ROWS: Final[dict[str, Rows]] = {
    "1-min bars": "1m",
    "1-s bars": "1s",
    "5-min bars": "5m",
    "1-h bars": "1h",
    "Trades": None,
}
DAYS_AT_FIRST: Final = 30
# Before it no market of the exchange was open.
FIRST_DAY: Final = date(2017, 7, 14)


def show(root: Path, runner: JobRunner) -> None:
    """Show the form; what it asks for becomes a job."""
    settings = current_settings()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    plain.caption(words.FETCH)
    with st.form("fetch_history", border=False):
        chosen = st.multiselect(
            "Symbols to fetch",
            _offered(settings),
            key="fetch_symbols",
            placeholder="Search, or type SOLUSDT",
            accept_new_options=True,
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            rows = st.selectbox("Rows", list(ROWS), key="fetch_rows", width=160)
            first = _day("From (UTC)", "fetch_from", yesterday - timedelta(DAYS_AT_FIRST - 1))
            last = _day("To (UTC)", "fetch_to", yesterday)
            is_asked = st.form_submit_button("Fetch")
    if is_asked:
        _submit(root, runner, settings, chosen, ROWS[str(rows)], first, last)


def _day(label: Literal["From (UTC)", "To (UTC)"], key: str, at_first: date) -> date:
    today = datetime.now(UTC).date()
    chosen = st.date_input(
        label, at_first, min_value=FIRST_DAY, max_value=today, key=key, width=160
    )
    return chosen if isinstance(chosen, date) else at_first


def _offered(settings: Settings) -> list[str]:
    """Name what is recorded first, then what the exchange lists."""
    recorder = current_recorder()
    recorded = pair_data.symbols_or_none(settings.db)
    listed = [] if recorder is None else recorder.listed()
    return list(dict.fromkeys([*recorded, *listed]))


def _submit(
    root: Path,
    runner: JobRunner,
    settings: Settings,
    chosen: list[str],
    rows: Rows,
    first: date,
    last: date,
) -> None:
    """Queue the fetch, or say in a line what does not fit."""
    if not chosen:
        plain.warning("Choose a symbol to fetch.")
        return
    if first > last:
        plain.warning(f"From {first} is after to {last}.")
        return
    try:
        symbols = parse_symbols(",".join(chosen))
        request = FetchRequest(
            settings.market, settings.rest_base, symbols, first, last, rows, settings.rest_venue
        )
        submit_fetch(runner, root, request)
    except IngestError as error:
        plain.error(f"{error}.")
        return
    st.rerun()
