"""`--import` and `--fetch`: jobs done at the terminal, with their progress, until they end."""

import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

from ingest.history.fetch import FetchRequest, submit_fetch
from ingest.history.importing import ImportRequest, submit_import
from ingest.history.jobs import Job, JobRunner
from ingest.installation import COMMAND
from ingest.settings import Settings, say

_LOOKS_EVERY_S: Final = 0.25
_LINES_EVERY_S: Final = 5.0  # where nobody watches them grow
_INTERRUPTED_TWICE: Final = 130  # as shells have it: 128 and the signal's number
_MEGABYTE: Final = 1_000_000


def run_history(settings: Settings, argv: Sequence[str]) -> int:
    """Do what `--import` and `--fetch` ask for; the process's exit status.

    0 where all of it is there, 1 where something is lacking, which is said.

    Raises
    ------
    SettingsError
        A path is not there.
    """
    runner = JobRunner()
    ids = []
    if settings.imports:
        request = ImportRequest(tuple(map(str, settings.imports)), settings.market, settings.stream)
        ids.append(submit_import(runner, settings.history, request))
    if settings.fetch is not None:
        ids.append(submit_fetch(runner, settings.history, fetch_request_of(settings), share=1.0))
    with interruption() as interrupted:
        are_whole = [_watch(runner, job_id, interrupted, sys.stderr) for job_id in ids]
    if interrupted.is_set:
        say(f"what was written stays; to go on where it was: {COMMAND} {shlex.join(argv)}")
    return 0 if all(are_whole) else 1


def fetch_request_of(settings: Settings) -> FetchRequest:
    """Give what `--fetch` asks for as a request."""
    options = settings.fetch
    assert options is not None, "there is something to fetch"
    return FetchRequest(
        settings.market, settings.rest_base, options.symbols, options.first, options.last,
        options.bars, settings.rest_venue,
    )  # fmt: skip


class Interruption:
    """Whether Ctrl-C was pressed; `is_set` is looked at, so that nothing is torn by it."""

    def __init__(self) -> None:
        self.is_set = False

    def note(self, *_: object) -> None:
        """Take a signal: the first ends the job at its next whole place, the second everything."""
        if self.is_set:
            os._exit(_INTERRUPTED_TWICE)
        self.is_set = True


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Take SIGINT and SIGTERM; one that is ignored (as in the background) stays ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    noted = Interruption()
    for number in numbers:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, noted.note)
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(runner: JobRunner, job_id: int, interrupted: Interruption, out: TextIO) -> bool:
    """Show a job until it has ended; whether all of what it was to bring is there."""
    line = ProgressLine(out)
    said: set[str] = set()
    while (job := runner.wait(job_id, _LOOKS_EVERY_S)) is not None:
        for sentence in (job.words, *job.notes, *job.lacking):
            if sentence not in said:
                line.say(sentence)
                said.add(sentence)
        if job.has_ended:
            line.say(ended_words(job))
            return job.state == "done" and not job.lacking
        if interrupted.is_set:
            runner.cancel(job_id)
        line.show(progress_words(job))
    return False


class ProgressLine:
    """One line that is written over on a terminal; elsewhere a line every few seconds.

    Parameters
    ----------
    out
        Where to; standard error.
    """

    def __init__(self, out: TextIO) -> None:
        self._out, self._is_terminal = out, out.isatty()
        self._shown_s, self._width = time.monotonic(), 0

    def show(self, words: str) -> None:
        """Say how far it is."""
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            text = f"pairdesk: {words}"[:width]
            self._out.write(f"\r{text.ljust(self._width)}")
            self._out.flush()
            self._width = len(text)
        elif time.monotonic() - self._shown_s >= _LINES_EVERY_S:
            self._shown_s = time.monotonic()
            say(words)

    def say(self, words: str) -> None:
        """Say something that stays."""
        if self._width:
            self._out.write(f"\r{' ' * self._width}\r")
            self._width = 0
        say(words)


def progress_words(job: Job) -> str:
    """How far a job is: ``BTCUSDT 2024-03: 1,200 of 5,000 bars (24 %), 800 bars/s, 5 s left``."""
    words = f"{job.step}: {amount_words(job.done, job.unit)}"
    if job.total:
        of = amount_words(job.total, job.unit)
        words = f"{job.step}: {amount_words(job.done, job.unit).split(' ')[0]} of {of}"
        words += f" ({100 * job.done // job.total} %)"
    if job.rate:
        words += f", {rate_words(job.rate, job.unit)}"
    if job.seconds_left is not None:
        words += f", {duration_words(job.seconds_left)} left"
    return words.removeprefix(": ")


def amount_words(count: int, unit: str) -> str:
    """Give an amount: ``1,200 bars``, ``12.3 MB``."""
    return f"{count / _MEGABYTE:,.1f} MB" if unit == "bytes" else f"{count:,} {unit}"


def rate_words(rate: float, unit: str) -> str:
    """Give what is done in a second: ``800 bars/s``, ``12.3 MB/s``."""
    return f"{amount_words(round(rate), unit)}/s"


def duration_words(seconds: float) -> str:
    """Give a duration: ``5 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def ended_words(job: Job) -> str:
    """How a job ended."""
    took_s = ((job.ended_us or 0) - (job.started_us or job.ended_us or 0)) / 1e6
    amount = f"{amount_words(job.done, job.unit)} in {duration_words(took_s)}"
    match job.state:
        case "failed":
            return f"ended: {job.error} (after {amount}; what was written stays)"
        case "cancelled":
            return f"ended as asked, after {amount}"
        case _ if job.lacking:
            return f"done, {amount}; of what was asked for something is lacking: see above"
        case _:
            return f"done: {amount}"
