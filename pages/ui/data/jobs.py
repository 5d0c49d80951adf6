"""The jobs of history: what is under way and how far, what ended and how, and their end."""

from typing import Final

import streamlit as st

from ingest.errors import IngestError
from ingest.history import (
    FETCH,
    IMPORT,
    Job,
    JobRunner,
    fetch_request,
    import_request,
    submit_fetch,
    submit_import,
)
from ingest.settings import current_settings
from pages.ui.parts import formats, plain

MOST_SHOWN: Final = 8
MOST_SENTENCES: Final = 6


def show(runner: JobRunner) -> bool:
    """Show the jobs, the newest first; whether any has not ended."""
    known = runner.jobs()
    moving = [job for job in known if not job.has_ended]
    for job in moving:
        _show_moving(runner, job)
    for job in [job for job in reversed(known) if job.has_ended][:MOST_SHOWN]:
        _show_ended(runner, job)
    return bool(moving)


def _show_moving(runner: JobRunner, job: Job) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        with st.container():
            if job.state == "queued":
                plain.info(f"{formats.capital(job.words)}: waits for its turn.")
            else:
                plain.progress(
                    share_of(job), f"{formats.capital(job.words)}. {progress_words(job)}"
                )
        st.button("Cancel", key=f"cancel_{job.job_id}", on_click=_cancel, args=(runner, job))


def share_of(job: Job) -> float:
    """How much of a job is done, from 0 to 1; 0 while that is not known."""
    return min(job.done / job.total, 1.0) if job.total else 0.0


def progress_words(job: Job) -> str:
    """How far a job is: "BTCUSDT 2024-03: 1,200 of 5,000 bars, 800 bars a second, 5 s left."."""
    words = amount(job.done, job.unit)
    if job.total:
        words = f"{words.removesuffix(f' {job.unit}')} of {amount(job.total, job.unit)}"
    pieces = [words]
    if job.rate:
        pieces.append(f"{amount(round(job.rate), job.unit)} a second")
    if job.seconds_left is not None:
        pieces.append(f"{formats.age(job.seconds_left)} left")
    step = f"{job.step}: " if job.step else ""
    return f"{step}{', '.join(pieces)}."


def amount(count: int, unit: str) -> str:
    """Give an amount: "1,200 bars", "12.3 MB"."""
    return formats.data_size(count) if unit == "bytes" else f"{count:,} {unit}"


def _show_ended(runner: JobRunner, job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            _say_end(job)
        can_go_on = job.state in {"failed", "cancelled"} or bool(job.lacking)
        if can_go_on and job.request:
            st.button("Go on", key=f"again_{job.job_id}", on_click=_again, args=(runner, job))
        st.button("Dismiss", key=f"dismiss_{job.job_id}", on_click=_dismiss, args=(runner, job))


def _cancel(runner: JobRunner, job: Job) -> None:
    runner.cancel(job.job_id)


def _dismiss(runner: JobRunner, job: Job) -> None:
    runner.forget(job.job_id)


def _say_end(job: Job) -> None:
    words = formats.capital(job.words)
    if job.state == "failed":
        plain.error(f"{words}: {job.error}")
    elif job.state == "cancelled":
        plain.info(f"{words}: ended as asked after {amount(job.done, job.unit)}.")
    elif job.lacking:
        plain.warning(f"{words}: something is lacking.")
    else:
        plain.success(f"{words}: done, {amount(job.done, job.unit)}.")
    for sentence in (*job.lacking, *job.notes)[:MOST_SENTENCES]:
        plain.caption(f"{sentence.removesuffix('.')}.")


def _again(runner: JobRunner, job: Job) -> None:
    """Submit the same again: what is held is not brought again."""
    root = current_settings().history
    fetch = fetch_request(job.request) if job.kind == FETCH else None
    take_in = import_request(job.request) if job.kind == IMPORT else None
    try:
        if fetch is not None:
            submit_fetch(runner, root, fetch)
        elif take_in is not None:
            submit_import(runner, root, take_in)
    except IngestError as error:
        st.toast(plain.text(str(error)))
        return
    runner.forget(job.job_id)
