"""Files and folders into the lake as a job: the exchange's dumps, and what else the desk reads."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import pandas as pd

from ingest.errors import FileError, SettingsError, printable
from ingest.files import read_ticks
from ingest.history.days import days_words, moment_words
from ingest.history.dumps import DumpProgress, ImportReport, import_dump, is_dump
from ingest.history.file_rows import LONGEST_QUIET_S, bars_of, trades_by_day
from ingest.history.jobs import JobProgress, JobRunner
from ingest.history.keeping import WAIT_FOR_WRITER_S
from ingest.store import LakeStream
from ingest.store.lake import DayReport, LakeWriter, Source
from ingest.tick import Market, StreamKind

IMPORT: Final = "import"  # the kind of these jobs
# What is looked at in a folder; a file that is named itself may be called as it likes.
_SUFFIXES: Final = {".csv", ".gz", ".json", ".jsonl", ".ndjson", ".txt", ".xz", ".zip"}
_SHOWN_PATHS: Final = 3


class ImportRequest(msgspec.Struct, frozen=True):
    """Which files and folders to take in, and whose they are where they do not say so.

    `market` and `stream` are of files that are no dumps; `symbol` is of rows that name none.
    """

    paths: tuple[str, ...]
    market: Market = "spot"
    stream: StreamKind = "aggTrade"
    symbol: str | None = None

    @property
    def words(self) -> str:
        """What is done, for a reader."""
        names = [printable(Path(each).name) for each in self.paths]
        more = len(names) - _SHOWN_PATHS
        return f"import {', '.join(names[:_SHOWN_PATHS])}" + (f" and {more:,} more" * (more > 0))


def submit_import(runner: JobRunner, root: Path, request: ImportRequest) -> int:
    """Queue an import into the lake at `root`; gives the job's id. A later process can repeat it.

    Raises
    ------
    SettingsError
        A path is not there, or there is nothing to import.
    """
    files_of(request.paths)
    return runner.submit(
        IMPORT,
        request.words,
        lambda progress: import_files(root, request, progress),
        unit="bytes",
        request=msgspec.json.encode(request).decode(),
    )


def import_request(text: str) -> ImportRequest | None:
    """Read `Job.request` of an import; None of anything else."""
    try:
        return msgspec.json.decode(text, type=ImportRequest)
    except msgspec.MsgspecError:
        return None


def files_of(paths: Iterable[str]) -> list[Path]:
    """Files to import, those of folders at any depth, in order of their names.

    Raises
    ------
    SettingsError
        A path is not there, or there is nothing to import.
    """
    files: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            files += sorted(each for each in path.rglob("*") if _is_candidate(each))
        elif path.exists():
            files.append(path)
        else:
            raise SettingsError(f"{printable(text)} cannot be imported: there is no such file")
    if not files:
        shown = ", ".join(map(printable, paths))
        raise SettingsError(f"{shown}: no file of trades or bars in it")
    return list(dict.fromkeys(files))


def import_files(root: Path, request: ImportRequest, progress: JobProgress) -> None:
    """Take files in one after the other, in this thread; one that cannot be read is named.

    Raises
    ------
    JobCancelledError
        It was asked to end: the days that were written stay.
    IngestError
        Nothing can be written.
    """
    files = files_of(request.paths)
    sizes = [path.stat().st_size for path in files]
    progress.update(0, sum(sizes))
    before = 0
    for path, size in zip(files, sizes, strict=True):
        part = _FilePart(progress, path.name, before, size)
        try:
            sentences = _import_one(root, path, request, part)
        except FileError as error:
            progress.lacks(f"{printable(path.name)}: {error}")
        else:
            for sentence in sentences:
                progress.note(sentence)
        before += size
        progress.update(before)


class _FilePart:
    """What a file is of all of them: its own progress as that of the job."""

    def __init__(self, progress: JobProgress, name: str, before: int, size: int) -> None:
        self._progress, self._name = progress, printable(name)
        self._before, self._size = before, size

    def of_dump(self, dump: DumpProgress) -> None:
        """Take the progress of a dump, in bytes of text."""
        rows = f", {dump.rows:,} rows" if dump.rows else ""
        self._say(dump.done, dump.total, f"{self._name} {dump.day or ''}".rstrip() + rows)

    def of_reading(self, done: int, total: int) -> None:
        """Take that of a file that is read whole before it is written."""
        self._say(done, 2 * total, self._name)

    def of_writing(self, done: int, total: int, rows: int) -> None:
        """Take that of its trades."""
        self._say(total + done, 2 * total, f"{self._name}, {rows:,} rows")

    def _say(self, done: int, total: int, step: str) -> None:
        share = min(done / total, 1.0) if total else 1.0
        self._progress.update(self._before + round(self._size * share), step=step)


def _import_one(root: Path, path: Path, request: ImportRequest, part: _FilePart) -> Sequence[str]:
    if is_dump(path):
        report = import_dump(root, path, part.of_dump, wait_s=WAIT_FOR_WRITER_S)
        return dump_sentences(report)
    return _import_ticks(root, path, request, part)


def _import_ticks(root: Path, path: Path, request: ImportRequest, part: _FilePart) -> Sequence[str]:
    ticks = read_ticks(path, symbol=request.symbol, progress=part.of_reading)
    has_ids = "trade_id" in ticks
    sentences: list[str] = [f"{printable(path.name)}: {note}" for note in _notes(ticks)]
    done = 0
    for symbol, rows in ticks.groupby("symbol", sort=True):

        def say(count: int, before: int = done) -> None:
            part.of_writing(before + count, len(ticks), before + count)

        name = str(symbol)
        if has_ids:
            stream = LakeStream(request.market, name, _kind_of(ticks, name, request.stream))
            others = ticks.attrs.get("non_trade_ids", {}).get(name, [])
            sentences.append(_put_trades(root, stream, rows, others, path, say))
        else:
            sentences.append(_put_bars(root, request.market, name, rows, path))
        done += len(rows)
    return sentences


def _put_trades(
    root: Path, stream: LakeStream, ticks: pd.DataFrame, others: list[int], path: Path,
    say: Callable[[int], None],
) -> str:  # fmt: skip
    source = Source("file", path.name)
    reports: list[DayReport] = []
    days = []
    rows = 0
    with LakeWriter(root, wait_s=WAIT_FOR_WRITER_S) as writer:
        try:
            for day, trades in trades_by_day(ticks, others):
                reports.append(writer.put_trades(stream, day, trades, source))
                days.append(day)
                rows += len(trades)
                say(rows)
        finally:
            writer.refresh_bars(stream, sorted({day.replace(day=1) for day in days}))
    added, same = sum(each.added for each in reports), sum(each.same for each in reports)
    conflicts = [number for each in reports for number in each.conflicts]
    what = f"{rows:,} {_plural(stream.kind)} of {stream.symbol}, {days_words(days[0], days[-1])}"
    return f"{printable(path.name)}: {what}: {_outcome(added, same, conflicts, 'id')}"


def _put_bars(root: Path, market: Market, symbol: str, ticks: pd.DataFrame, path: Path) -> str:
    bars = bars_of(ticks)
    name = f"{printable(path.name)}: {symbol}"
    why = "its rows carry no trade ids, so that only bars of one second can be kept of it"
    if not bars.size:
        return f"{name}: {why}, and it has no whole second"
    source = Source("file", path.name)
    with LakeWriter(root, wait_s=WAIT_FOR_WRITER_S) as writer:
        report = writer.put_klines(market, symbol, 1, bars, source)
    low, high = (moment_words(int(bars["at"][place])) for place in (0, -1))
    silences = int((bars["at"][1:] - bars["at"][:-1] > 1).sum())
    words = f"{name}: {why}: {bars.size:,} bars, {low} to {high}: "
    words += _outcome(report.added, report.same, report.conflicts, "second")
    if silences:
        words += f"; silences of more than {LONGEST_QUIET_S} s, left as missing: {silences:,}"
    if report.unfit:
        words += f"; {report.unfit:,} bars of too large a volume were left out"
    return words


def dump_sentences(report: ImportReport) -> list[str]:
    """What became of a dump, in sentences."""
    name = printable(report.name)
    what = f"{report.rows:,} {_plural(report.kind)} of {report.symbol}"
    if report.first is not None and report.last is not None:
        what += f", {days_words(report.first, report.last)}"
    measure = "open" if report.kind.startswith("kline") else "id"
    outcome = _outcome(report.added, report.same, report.shown, measure, report.conflicts)
    checked = "; checksum agrees" if report.checked else ""  # its notes say that there is none
    sentences = [f"{name}: {what}: {outcome}{checked}"]
    if report.gaps:
        sentences.append(f"{name}: {report.gaps:,} holes in it: what touches them is not known")
    return sentences + [f"{name}: {note}" for note in report.notes]


def _outcome(
    added: int, same: int, conflicts: Sequence[int], measure: str, count: int | None = None
) -> str:
    """Say what is new of some rows, and what was held with other figures."""
    several = len(conflicts) if count is None else count
    if not added and not several:
        return "all of it was held already: nothing changed"
    words = f"{added:,} new" + (f", {same:,} held already" if same else "")
    if several:
        shown = ", ".join(f"{each}" for each in conflicts[:_SHOWN_PATHS])
        words += f", {several:,} held with other figures ({measure} {shown}): the first ones stay"
    return words


def _plural(kind: str) -> str:
    """Name rows of a kind of the lake."""
    return f"{kind}s" if not kind.startswith("kline") else f"klines ({kind.partition('_')[2]})"


def _notes(ticks: pd.DataFrame) -> list[str]:
    """What the reader of files has to say: what it left out, how it understood times."""
    report = cast("Any", ticks.attrs["report"])
    notes = [f"{count:,} rows left out: {reason}" for reason, count in report.dropped.items()]
    return notes + [note for note in (report.time_assumption, *report.notes) if note]


def _kind_of(ticks: pd.DataFrame, symbol: str, default: StreamKind) -> StreamKind:
    kind = ticks.attrs.get("kinds", {}).get(symbol, default)
    return cast("StreamKind", kind)


def _is_candidate(path: Path) -> bool:
    is_visible = not path.name.startswith(".")
    return is_visible and path.suffix.lower() in _SUFFIXES and path.is_file()
