"""CSV as spreadsheets may open it: no text in it runs as a formula."""

from typing import Final

import pandas as pd
from pandas.api.types import is_numeric_dtype

UNSAFE_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Write a frame as CSV with every digit; a text cell that a spreadsheet would run is quoted.

    Cells of text columns that begin with ``= + - @``, a tab or a return get a leading apostrophe.
    Numbers are left alone.
    """
    safe = frame.copy(deep=False)
    for name in safe.columns:
        if not is_numeric_dtype(safe[name].dtype):
            safe[name] = [defused(str(cell)) for cell in safe[name]]
    return safe.to_csv(index=False, lineterminator="\n").encode()


def defused(cell: str) -> str:
    """Quote a text that a spreadsheet would run as a formula; a return in it becomes a space."""
    plain = cell.replace("\r", " ")
    return f"'{plain}" if cell.startswith(UNSAFE_STARTS) else plain
