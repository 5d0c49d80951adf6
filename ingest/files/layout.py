"""Blocks of lines that are alike, read at once by the layout of their first line."""

import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ingest.binance import valid_symbol
from ingest.errors import IngestError
from ingest.files import slots
from ingest.files.columns import AGGREGATE_ROW, KIND_CODES, ROW, UNKNOWN, Mask, Rows, TickColumns
from ingest.files.line_layout import Layout, json_layout
from ingest.files.records import NA_MARK, number_note
from ingest.files.slots import Floats, Ints, texts_of, words_of
from ingest.files.times import YEAR_2009_US, YEAR_2100_US, to_us, unit_of

_MOST_TEXTS = 100  # the kernel looks through them at each line, and from the start for a new one
_MOST_MISSES = 50  # blocks in a row that are not alike: then no more is tried
_FRAME_UNITS = {"milliseconds", "microseconds"}
Int32s = npt.NDArray[np.int32]

# The kernel takes seconds to compile on a machine that has not cached it: a smaller file is read
# sooner by the row-by-row path.
_COMPILE_FROM_BYTES = 50_000_000
_compiled = threading.Event()


class LayoutReader:
    """Reads blocks by the layout of their first line, which is most often the last block's.

    Parameters
    ----------
    find
        Gives the layout of a line, or None.
    default_symbol
        The symbol of lines that name none.
    """

    def __init__(
        self,
        columns: TickColumns,
        find: Callable[[bytes], Layout | None],
        default_symbol: str | None = None,
    ) -> None:
        self._columns, self._find, self._default_symbol = columns, find, default_symbol
        self._lines: _RegularLines | None = None
        self._misses = 0
        self._seen = 0

    @property
    def is_frame(self) -> bool:
        """Whether what was added last were Binance's own frames."""
        return self._lines is not None and self._lines.layout.is_frame

    def add(self, text: bytes) -> int:
        """Add all lines, and say how many; 0 with nothing added where they are not all alike.

        The same before `warm_up` has ended, until so much was read that compiling pays.
        """
        if not _compiled.is_set():
            self._seen += len(text)
            if self._seen < _COMPILE_FROM_BYTES:
                return 0
            warm_up()
        added = self._lines.add(text) if self._lines is not None else 0
        if added or self._misses >= _MOST_MISSES:
            return added
        return self._add_by_first_line(text)

    def _add_by_first_line(self, text: bytes) -> int:
        layout = self._find(text.lstrip(b"\n").partition(b"\n")[0])
        self._misses += 1
        if layout is None:
            return 0
        lines = _RegularLines(layout, self._columns, self._default_symbol)
        added = lines.add(text)
        if added:
            self._lines, self._misses = lines, 0
        return added


class _RegularLines:
    """Adds lines of one layout to `columns`."""

    def __init__(self, layout: Layout, columns: TickColumns, default_symbol: str | None) -> None:
        self.layout = layout
        self._columns, self._default_symbol = columns, default_symbol
        # Of symbols, streams and markers, in the order met: the kernel gives their places.
        self._texts: list[str] = []
        self._known = texts_of([])
        self._wholes, self._amounts = np.empty((0, 0), np.int64), np.empty((2, 0))

    def add(self, text: bytes) -> int:
        """Add all lines of `text`; how many, or 0 with nothing added where one differs."""
        from ingest.files.kernel_lines import read_lines  # noqa: PLC0415 - numba takes half a second

        words, layout = words_of(text), self.layout
        wholes, amounts = self._tables(len(text) // layout.least_bytes + 1)
        while True:
            read = read_lines(words, layout.literals, layout.slots, self._known, wholes, amounts)
            if read.rows >= 0:
                rows = int(read.rows)
                return self._add_rows(wholes[:, :rows], amounts[:, :rows])
            if read.end <= 0 or len(self._texts) >= _MOST_TEXTS:
                return 0
            self._texts.append(text[read.begin : read.end].decode())
            self._known = texts_of([each.encode() for each in self._texts])

    def _tables(self, lines: int) -> tuple[Ints, Floats]:
        """Room for so many lines, the same each time as long as it is enough."""
        if len(self._amounts[0]) < lines:
            self._wholes = np.empty((slots.WHOLE_KINDS, lines), np.int64)
            self._amounts = np.empty((2, lines))
        return self._wholes, self._amounts

    def _add_rows(self, wholes: Ints, amounts: Floats) -> int:
        layout, count = self.layout, len(wholes[slots.TIME])
        times = self._times(wholes[slots.TIME]) if count else None
        symbols = self._symbols(wholes[slots.SYMBOL])
        if times is None or symbols is None or not self._is_consistent(wholes):
            return 0
        time_us, note = times
        has_raw_id = layout.has(slots.RAW_ID)
        rows: Rows = np.empty(count, AGGREGATE_ROW if has_raw_id else ROW)
        rows["symbol"], rows["time_us"], rows["kind"] = symbols, time_us, layout.kind_code
        rows["price"], rows["quantity"] = amounts
        rows["trade_id"] = wholes[slots.TRADE_ID] if layout.has(slots.TRADE_ID) else UNKNOWN
        rows["maker"] = wholes[slots.MAKER] if layout.has(slots.MAKER) else UNKNOWN
        if has_raw_id:
            rows["raw_id"] = wholes[slots.RAW_ID]
        if not layout.is_frame:
            self._columns.time_notes[note] += count
        self._columns.add_rows(rows, self._marked_na(wholes))
        return count

    def _times(self, times: Ints) -> tuple[Ints, str] | None:
        """Times as µs with how they were understood; None where they need the row-by-row path."""
        low, high = int(times.min()), int(times.max())
        if self.layout.iso_note is not None:
            is_inside = low >= YEAR_2009_US and high < YEAR_2100_US
            return (times, self.layout.iso_note) if is_inside else None
        unit = unit_of(low)
        if unit is None or unit != unit_of(high):
            return None
        if self.layout.is_frame and unit not in _FRAME_UNITS:
            return None
        return to_us(times, unit), number_note(unit)

    def _symbols(self, places: Ints) -> Int32s | int | None:
        """Codes of symbols; None where one of them cannot be one."""
        if not self.layout.has(slots.SYMBOL):
            return self._columns.symbol_code(str(self._default_symbol))
        codes = np.full(len(self._texts), UNKNOWN, np.int32)
        for place in _present(places):
            text = self._texts[place]
            try:
                as_listed = valid_symbol(text) == text
                codes[place] = self._columns.symbol_code(text)
            except IngestError:
                return None
            if self.layout.is_frame and not as_listed:
                return None
        return codes[places]

    def _is_consistent(self, wholes: Ints) -> bool:
        """Whether frames name the same symbol twice, and a range of trades (as `parse_frame`)."""
        if self.layout.has(slots.FIRST_ID):
            backwards = wholes[slots.FIRST_ID] > wholes[slots.RAW_ID]
            if backwards.any():
                return False
        if not self.layout.has(slots.STREAM):
            return True
        count = len(self._texts)
        pairs = _present(wholes[slots.STREAM] * count + wholes[slots.SYMBOL])
        return all(
            self._is_stream_of(self._texts[pair // count], self._texts[pair % count])
            for pair in pairs
        )

    def _is_stream_of(self, stream: str, symbol: str) -> bool:
        name, _, kind = stream.partition("@")
        return name.upper() == symbol and KIND_CODES.get(kind) == self.layout.kind_code  # type: ignore[call-overload]  # any text may be asked for

    def _marked_na(self, wholes: Ints) -> Mask | None:
        if not self.layout.has(slots.MARKER) or NA_MARK not in self._texts:
            return None
        marked: Mask = wholes[slots.MARKER] == self._texts.index(NA_MARK)
        return marked


def _present(places: Ints) -> list[int]:
    """Which small numbers occur."""
    return [int(place) for place in np.flatnonzero(np.bincount(places))]


def warm_up() -> None:
    """Have the reader compiled, seconds the first time, before somebody waits for a file."""
    line = b'{"symbol":"BTCUSDT","ts":1765892498698,"price":1.5,"size":2}'
    layout = json_layout(line, None)
    if layout is not None:
        _RegularLines(layout, TickColumns(), None).add(line)
    _compiled.set()
