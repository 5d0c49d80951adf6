"""Bars for the recorder's long work: reading the exchange's own bars, fetching missing ids."""

import streamlit as st

from ingest.gap_board import Progress
from ingest.status import RecorderStatus
from pages.ui import formats


def show_progress(status: RecorderStatus) -> None:
    """Show a bar for each piece of work that is not done."""
    asked_for = () if status.asked_for is None else (status.asked_for,)
    for work in (*status.warm_start, *asked_for, *status.backfill):
        if work.done < work.total:
            st.progress(work.done / work.total, progress_text(work))


def progress_text(work: Progress) -> str:
    """Say what is going on, how far it is, what it waits for and how long it will take."""
    told = [f"{work.symbol}: {work.what}", f"{work.done:,} of {work.total:,} {work.unit}".rstrip()]
    if work.waiting_s is not None and work.waiting_s > 0:
        told.append(f"waiting {formats.age(work.waiting_s)} as the exchange asks")
    if work.eta_s is not None:
        told.append(f"about {formats.age(work.eta_s)} left")
    return ", ".join(told)
