"""Bars of trades made again where they are missing or stale, day by day. By the one who writes."""

from pathlib import Path
from typing import Final

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW
from ingest.store.lake.footer import FORM, Footer
from ingest.store.lake.parquet import read_bars, write_bars
from ingest.store.lake.places import BAR_LENGTHS, bars_kind, day_seconds, folder_of
from ingest.store.lake.stream_files import TradeFiles, bars_period, stream_files
from ingest.store.lake.trade_bars import MadeBars, coarser_bars
from ingest.store.lake.whole_files import remove_file
from ingest.store.pieces import LakeStream

_SECOND: Final = BAR_LENGTHS[0]
_MONTHLY: Final = BAR_LENGTHS[1:]


def write_second_bars(
    root: Path, stream: LakeStream, day: str, made: MadeBars, fingerprint: str
) -> None:
    """Write the one-second bars of a day, made of the trades of that fingerprint."""
    path = _path(root, stream, _SECOND, day)
    write_bars(path, made.rows, _footer(made, {day: fingerprint}))


def refresh_months(root: Path, stream: LakeStream, chosen: set[str] | None) -> None:
    """Make the bars of months, or of all, what the trades say."""
    files = stream_files(root, stream).trades()
    names = [*files.days, *(period for each in files.bars.values() for period in each)]
    for month in sorted({name[: len("2024-10")] for name in names}):
        if chosen is None or month in chosen:
            _refresh_month(root, stream, files, month)


def _refresh_month(root: Path, stream: LakeStream, files: TradeFiles, month: str) -> None:
    days = [day for day in files.days if day.startswith(month)]
    for day, file in files.bars[_SECOND].items():
        if day.startswith(month) and day not in files.days:
            remove_file(file.path)
    for day in days:
        if not files.is_made(_SECOND, day):
            fingerprint = files.days[day].footer.fingerprint
            write_second_bars(root, stream, day, files.second_bars(day), fingerprint)
    stale = [length for length in _MONTHLY if not _is_right(files, length, month, days)]
    if not days:
        for length in stale:
            remove_file(files.bars[length][month].path)
        return
    made: dict[int, list[MadeBars]] = {length: [] for length in stale}
    for day in days if stale else ():
        for length, bars in _bars_of_day(files, day, stale).items():
            made[length].append(bars)
    fingerprints = {day: files.days[day].footer.fingerprint for day in days}
    for length, parts in made.items():
        bars = _joined(parts)
        path = _path(root, stream, length, month)
        write_bars(path, bars.rows, _footer(bars, fingerprints))


def _is_right(files: TradeFiles, length: int, month: str, days: list[str]) -> bool:
    """Whether a month's bars are those of its trades, no day more and none less."""
    file = files.bars[length].get(month)
    if file is None:
        return not days
    return file.footer.made_of.keys() == set(days) and all(
        files.is_made(length, day) for day in days
    )


def _bars_of_day(files: TradeFiles, day: str, lengths: list[int]) -> dict[int, MadeBars]:
    """Bars of a day: out of the month's file where they are right, else of finer ones."""
    finer = (
        files.second_bars(day) if any(not files.is_made(each, day) for each in lengths) else None
    )
    made = {}
    for length in lengths:
        if finer is None or files.is_made(length, day):
            made[length] = _kept(files, length, day)
        else:
            made[length] = finer = coarser_bars(finer, length)
    return made


def _kept(files: TradeFiles, length: int, day: str) -> MadeBars:
    file = files.bars[length][bars_period(length, day)]
    low, high = day_seconds(day)
    rows = read_bars(file.path)
    lacking = tuple(each for each in file.footer.lacking if low <= each < high)
    return MadeBars(rows[slice(*np.searchsorted(rows["at"], (low, high)))], lacking)


def _joined(parts: list[MadeBars]) -> MadeBars:
    rows = np.concatenate([np.empty(0, dtype=STORED_ROW), *(each.rows for each in parts)])
    return MadeBars(rows, tuple(open_s for each in parts for open_s in each.lacking))


def _footer(made: MadeBars, made_of: dict[str, str]) -> Footer:
    at = made.rows["at"]
    first, last = (int(at[0]), int(at[-1])) if at.size else (0, 0)
    return Footer(
        FORM,
        at.size,
        first * SECOND_US,
        last * SECOND_US,
        made_of=made_of,
        lacking=made.lacking,
    )


def _path(root: Path, stream: LakeStream, length: int, period: str) -> Path:
    folder = folder_of(root, stream.market, bars_kind(stream.kind, length), stream.symbol)
    return folder / period[: len("2024-10")] / f"{period}.parquet"
