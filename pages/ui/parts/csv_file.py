"""CSV as spreadsheets may open it: no text in it runs as a formula."""

import re
from typing import Final

import pandas as pd
from pandas.api.types import is_numeric_dtype

UNSAFE_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# At a cell's start, and after what a spreadsheet of another country takes for a cell's end.
_FORMULA: Final = re.compile(
    rf'(^[\s"]*|[;|\t\r\n][\s"]*)(?=[{re.escape("".join(UNSAFE_STARTS))}])'
)


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame as CSV with every digit; a text cell that a spreadsheet would run is quoted.

    Text that begins with ``= + - @`` or a tab, or has these after a semicolon, a bar or a tab, gets
    an apostrophe before them, in names of columns too. Numbers are left alone.
    """
    safe = frame.copy(deep=False)
    for name in safe.columns:
        if not is_numeric_dtype(safe[name].dtype):
            safe[name] = [defused(str(cell)) for cell in safe[name]]
    safe.columns = [defused(str(name)) for name in safe.columns]
    return safe.to_csv(index=False, lineterminator="\n").encode()


def defused(cell: str) -> str:
    """Quote what a spreadsheet would run as a formula; the end of a line in it becomes a space."""
    return _FORMULA.sub(r"\1'", cell).replace("\r", " ").replace("\n", " ")


def file_stem(y: str, x: str, start: pd.Timestamp, end: pd.Timestamp, *extra: str) -> str:
    """Name a file by pair, interval and time span: sortable, and fit for every system."""
    return "_".join([f"{y}-{x}", *extra, f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}"])
