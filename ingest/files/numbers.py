"""Numbers as spreadsheets write them: decimal commas, and marks between thousands."""

import re
from collections.abc import Iterable
from typing import Literal

NumberStyle = Literal["decimal comma", "grouped"]

_POINT = re.compile(r"[+-]?\d+\.\d+", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?", re.ASCII)
_COMMA_WHOLE = re.compile(r"[+-]?\d{1,3}(\.\d{3})+", re.ASCII)

STYLE_NOTES: dict[NumberStyle, str] = {
    "decimal comma": "numbers were read with decimal commas: 1.234,5 is 1234.5",
    "grouped": "numbers were read with commas between thousands: 1,234.5 is 1234.5",
}


def number_style(cells: Iterable[str]) -> NumberStyle | None:
    """How a column's numbers are written; None of the plain way, 1234.5.

    A comma with three digits after it may be either mark: where other cells have decimal points
    it parts thousands, else it is a decimal comma.
    """
    cells = [cell.strip() for cell in cells]
    with_comma = [cell for cell in cells if "," in cell]
    if not with_comma:
        return None
    has_points = any(_POINT.fullmatch(cell) or "." in cell.rpartition(",")[2] for cell in cells)
    if has_points and all(map(_GROUPED.fullmatch, with_comma)):
        return "grouped"
    return "decimal comma" if any(map(_COMMA.fullmatch, with_comma)) else None


def plain_number(cell: str, style: NumberStyle) -> str:
    """The same number as 1234.5; a cell that is none as it is."""
    text = cell.strip()
    if style == "grouped":
        return text.replace(",", "") if _GROUPED.fullmatch(text) else cell
    if _COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(".", "") if _COMMA_WHOLE.fullmatch(text) else cell
