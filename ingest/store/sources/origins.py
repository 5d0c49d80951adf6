"""Who says what a bar holds: the words for it, and the spans of bars of one source."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.store.bars import SECOND_US, BarColumns
from ingest.store.connecting import utc_time

# Flags of the column `BarColumns.sources`: a bar may be put together out of several.
RECORDED, IMPORTED, EXCHANGE = 1, 2, 4
WORDS: Final = {
    RECORDED: "recorded trades",
    IMPORTED: "imported trades",
    EXCHANGE: "the exchange's bars",
}

OriginSpans = list[tuple[int, int, int]]  # seconds ``low``, ``high`` (excluded), a flag
SourceSpans = tuple[tuple[pd.Timestamp, pd.Timestamp, str], ...]


def words_of(flags: int) -> str:
    """Name the sources that a bar is made of."""
    return " and ".join(words for flag, words in WORDS.items() if flags & flag)


def source_spans(bars: BarColumns) -> SourceSpans:
    """Stretches of bars of the same source: start, end (UTC, excluded), words. No missing bars."""
    flags: npt.NDArray[np.uint8] = bars.sources
    if not flags.size:
        return ()
    starts = np.concatenate([[0], np.flatnonzero(flags[1:] != flags[:-1]) + 1])
    ends = np.append(starts[1:], flags.size)
    return tuple(
        (_open(bars, start), _open(bars, end), words_of(int(flags[start])))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        if flags[start]
    )


def _open(bars: BarColumns, row: int) -> pd.Timestamp:
    return utc_time((bars.first + row) * bars.seconds * SECOND_US)
