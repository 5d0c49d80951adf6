"""CSV of trades: with a header of almost any names, or Binance's own dumps without one."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ingest.errors import FileError, SymbolNeededError
from ingest.files.batches import add_batch
from ingest.files.columns import UNKNOWN, TickColumns
from ingest.files.errors import WANTED
from ingest.files.layout import LayoutReader
from ingest.files.line_layout import Layout, csv_layout
from ingest.files.numbers import STYLE_NOTES, number_style, plain_number
from ingest.files.records import (
    Fields,
    RowError,
    add_record,
    fields_named,
    maker_of,
    number_of,
    positions,
)
from ingest.files.source import Block
from ingest.files.times import unit_of

WRONG_WIDTH = "another number of columns than the first row"
NOT_UTF8 = "not UTF-8 text"
_DELIMITERS = ",;\t|"
_BLANK_LINES = re.compile(rb"\n\n++")


class CsvLines:
    """Reads blocks of CSV lines into `columns`; the first line decides the layout.

    Parameters
    ----------
    head_lines
        The first lines, which tell how numbers are written.
    check_budget
        Called now and then; what it raises ends the reading.

    Attributes
    ----------
    layout
        ``"CSV with a header"``, ``"Binance aggTrades dump"`` or ``"Binance trades dump"``.

    Raises
    ------
    FileError
        The first line names no time, price or size, or is of no layout we know.
    """

    def __init__(
        self,
        head_lines: Sequence[str],
        columns: TickColumns,
        default_symbol: str | None,
        name: str,
        check_budget: Callable[[], None] = lambda: None,
    ) -> None:
        first_line = head_lines[0]
        self._check_budget = check_budget
        self._columns = columns
        self._default_symbol = default_symbol
        self._delimiter = max(_DELIMITERS, key=first_line.count)
        try:
            cells = self._cells(first_line)
        except csv.Error as error:
            raise FileError(f"{name} cannot be read as CSV ({error}): {WANTED}") from None
        self._width = len(cells)
        self._has_header = not any(number_of(cell) is not None for cell in cells)
        if self._has_header:
            self.layout = "CSV with a header"
            self._fields = positions(fields_named(tuple(cells)), cells)
        else:
            self.layout, self._fields = _dump_layout(cells, name)
        self._check(cells, name)
        self._numeric = {self._fields.time, self._fields.price, self._fields.quantity}
        self._style = number_style(self._amount_cells(head_lines[1:]))
        if self._style is not None:
            columns.notes.append(STYLE_NOTES[self._style])
        self._regular = LayoutReader(columns, self._layout_of, default_symbol)

    def add(self, block: Block) -> None:
        """Read one block: at once where it is regular, else in pieces, else line by line."""
        if self._has_header and block.first_line == 1:
            block = Block(block.text.partition(b"\n")[2], 2, block.too_long)
        if not block.too_long and self._add_regular(block.text):
            return
        for piece in block.pieces():
            self._check_budget()
            if block.too_long or not self._add_regular(piece.text):
                for number, line in piece.lines():
                    self._add_line(line, number)

    def _check(self, cells: Sequence[str], name: str) -> None:
        fields = self._fields
        wanted = {"time": fields.time, "price": fields.price, "size": fields.quantity}
        missing = [role for role, place in wanted.items() if place is None]
        if missing:
            header = ", ".join(cells)[:120]
            lacks = " and no ".join(missing)
            hint = "; it looks like bars (klines)" if "close" in header.lower() else ""
            raise FileError(f"{name} has no {lacks} column ({header}){hint}: {WANTED}")
        if fields.symbol is None and self._default_symbol is None:
            raise SymbolNeededError(
                f"{name} does not say which symbol its rows are of: say it, or name the file as "
                "Binance does, BTCUSDT-aggTrades-2024-10-27.csv"
            )

    def _cells(self, line: str) -> list[str]:
        row = next(csv.reader(io.StringIO(line), delimiter=self._delimiter), [])
        return [cell.strip() for cell in row]

    def _amount_cells(self, lines: Iterable[str]) -> list[str]:
        """Prices and sizes of lines that have the width of a row."""
        amounts: list[str] = []
        for line in lines:
            try:
                cells = self._cells(line)
            except csv.Error:
                continue
            if len(cells) == self._width:
                amounts += [cells[self._fields.price], cells[self._fields.quantity]]
        return amounts

    def _plain(self, cell: str, place: int) -> str:
        style = self._style if place in self._numeric else None
        return cell if style is None else plain_number(cell, style)

    def _add_line(self, raw: bytes, number: int) -> None:
        try:
            cells = self._cells(raw.decode().strip("\r\n"))
        except (UnicodeDecodeError, csv.Error) as error:
            self._columns.add_bad_row(number, NOT_UTF8, raw, str(error))
            return
        if len(cells) != self._width:
            self._columns.add_bad_row(number, WRONG_WIDTH, raw, f"{len(cells)}, not {self._width}")
            return
        cells = [self._plain(cell, place) for place, cell in enumerate(cells)]
        try:
            add_record(self._columns, self._fields, cells.__getitem__, self._default_symbol)
        except RowError as error:
            self._columns.add_bad_row(number, str(error), raw.rstrip(b"\r"))

    def _layout_of(self, line: bytes) -> Layout | None:
        delimiter = self._delimiter.encode()
        if line.count(delimiter) + 1 != self._width:
            return None
        return csv_layout(line, delimiter, self._fields, self._default_symbol)

    def _add_regular(self, raw: bytes) -> bool:
        """Add all lines at once; False, with nothing added, where one needs the row-by-row path."""
        if self._style is None and self._regular.add(raw):
            return True
        text = _BLANK_LINES.sub(b"\n", raw.replace(b"\r\n", b"\n").strip(b"\r\n"))
        if (
            b'"' in text
            or b"\r" in text
            or not _is_table(text, self._delimiter.encode(), self._width)
        ):
            return False
        try:
            # One flat list of texts: a list a line would keep the garbage collector busy.
            cells = text.decode().replace("\n", self._delimiter).split(self._delimiter)
        except UnicodeDecodeError:
            return False

        def column(place: int) -> list[str]:
            values = cells[place :: self._width]
            return values if self._style is None else [self._plain(cell, place) for cell in values]

        return add_batch(self._columns, self._fields, column, self._default_symbol)


def _is_table(text: bytes, delimiter: bytes, width: int) -> bool:
    """Whether every line has `width` cells."""
    letters = np.frombuffer(text + b"\n", np.uint8)
    is_end = letters == ord("\n")
    ends = is_end[is_end | (letters == ord(delimiter))]
    return len(ends) == width * is_end.sum() and bool(ends[width - 1 :: width].all())


def _dump_layout(cells: Sequence[str], name: str) -> tuple[str, Fields]:
    """Layout of a dump of data.binance.vision without a header, recognised by its columns."""
    width = len(cells)
    if width >= 11:
        raise FileError(f"{name} looks like bars (klines), not trades: {WANTED}")
    # trades: id,price,qty,quoteQty,time,maker[,best]; aggTrades: id,price,qty,f,l,time,maker[,best]
    if width in (6, 7) and _time_then_maker(cells, 4):
        fields = Fields(time=4, price=1, quantity=2, trade_id=0, maker=5, fixed_kind="trade")
        return "Binance trades dump", fields
    if width in (7, 8) and _time_then_maker(cells, 5):
        fields = Fields(
            time=5, price=1, quantity=2, trade_id=0, maker=6, raw_id=4, fixed_kind="aggTrade"
        )
        return "Binance aggTrades dump", fields
    raise FileError(
        f"{name} has no header line and is none of Binance's trade dumps: {WANTED};"
        " a CSV needs a header that names symbol, time, price and size"
    )


def _time_then_maker(cells: Sequence[str], place: int) -> bool:
    number = number_of(cells[place])
    timed = number is not None and unit_of(number) is not None
    return timed and maker_of(cells[place + 1]) != UNKNOWN
