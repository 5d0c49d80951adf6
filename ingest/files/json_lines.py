"""Files of one JSON value a line: tick records of any shape, and Binance's own frames."""

import re
from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from typing import Annotated, Any

import msgspec

from ingest.binance import DECODE_ERRORS, INT64_MAX, parse_frame
from ingest.errors import MalformedMessageError
from ingest.files.batches import add_batch
from ingest.files.columns import TickColumns
from ingest.files.layout import LayoutReader
from ingest.files.line_layout import is_framed, json_layout
from ingest.files.records import MAX_FIELDS, NO_FIELD, RowError, add_record, fields_named
from ingest.files.source import MAX_LINE_BYTES, Block, newlines
from ingest.tick import NonTrade, Tick

NOT_JSON = "not a JSON object"
BAD_FRAME = "a malformed Binance message"
FOREIGN = "not a trade stream"
CONTROL = "an answer of the server, no trade"
_NO_ROWS = (b"", b"[", b"]")  # of an array a line each, they are no rows
_BLANK_LINES = re.compile(rb"\n\s++")
_LAST_COMMAS = re.compile(rb",[ \t\r]*+(?=\n|\Z)")
TOO_LONG = f"longer than {MAX_LINE_BYTES // 2**20} MB"


class CollectorRow(msgspec.Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """The commonest shape of a record, and the one we write; a key more may be an id's."""

    symbol: str
    ts: str | int
    price: float
    size: float
    id: Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)] | None = None
    m: bool | None = None


# Spelled out: twice as fast as attrgetter.
_COLLECTED: dict[str, Callable[[list[CollectorRow]], list[Any]]] = {
    "symbol": lambda rows: [row.symbol for row in rows],
    "ts": lambda rows: [row.ts for row in rows],
    "price": lambda rows: [row.price for row in rows],
    "size": lambda rows: [row.size for row in rows],
    "id": lambda rows: [row.id for row in rows],
    "m": lambda rows: [row.m for row in rows],
}
_decoder = msgspec.json.Decoder(CollectorRow)
_decode_any = msgspec.json.Decoder().decode
_decode_dicts = msgspec.json.Decoder(dict[str, Any]).decode_lines


class JsonLines:
    """Reads blocks of such lines into `columns`.

    Parameters
    ----------
    check_budget
        Called now and then; what it raises ends the reading.
    is_array
        The lines were the objects of a JSON array.

    Attributes
    ----------
    shapes
        Lines by shape: ``"ticks"``, ``"frames"``.
    """

    def __init__(
        self,
        columns: TickColumns,
        default_symbol: str | None,
        check_budget: Callable[[], None] = lambda: None,
        *,
        is_array: bool = False,
    ) -> None:
        self.shapes: Counter[str] = Counter()
        self._check_budget, self._is_array = check_budget, is_array
        self._columns = columns
        self._default_symbol = default_symbol
        self._regular = LayoutReader(
            columns, lambda line: json_layout(line, default_symbol), default_symbol
        )

    @property
    def layout(self) -> str:
        """What most of its lines are."""
        if self.shapes["frames"] > self.shapes["ticks"]:
            return "Binance frames"
        return "JSON array" if self._is_array else "NDJSON"

    def add(self, block: Block) -> None:
        """Read one block: at once where its lines are alike, else in pieces, else line by line."""
        if block.too_long:
            self._columns.add_bad_row(block.first_line, TOO_LONG, block.text)
            return
        if self._add_at_once(block.text):
            return
        for piece in block.pieces():
            self._check_budget()
            if not self._add_at_once(piece.text):
                for number, line in piece.lines():
                    self._add_line(line.strip(), number)

    def _add_at_once(self, text: bytes) -> bool:
        first = text.lstrip().partition(b"\n")[0]
        if not first:
            return True
        if first.rstrip().endswith(b","):
            text = _LAST_COMMAS.sub(b"", text)
        added = self._regular.add(text)
        if added:
            self.shapes["frames" if self._regular.is_frame else "ticks"] += added
        if added or is_framed(first):
            return added > 0
        text = text.strip()
        if b"\n\n" in text or b"\n\r" in text:  # the substitution takes as long as the decoder
            text = _BLANK_LINES.sub(b"\n", text)
        count = newlines(text) + 1
        return self._add_collected(text, count) or self._add_regular(text, count)

    def _add_collected(self, text: bytes, count: int) -> bool:
        """Add lines that all have the commonest shape; False, with nothing added, if not."""
        try:
            records = _decoder.decode_lines(text)
        except DECODE_ERRORS:
            return False

        def column(key: str) -> list[Any]:
            return _COLLECTED[key](records)

        # Two records on one line, or one over two lines, are for the row-by-row path.
        alike = 0 < len(records) == count
        return alike and self._add_batch(CollectorRow.__struct_fields__, column, count)

    def _add_regular(self, text: bytes, count: int) -> bool:
        """Add lines that all have the same keys; False, with nothing added, if not."""
        try:
            records = _decode_dicts(text)
        except DECODE_ERRORS:
            return False
        keys = set(map(tuple, records))
        if len(keys) != 1 or len(records) != count:
            return False

        def column(key: str) -> list[Any]:
            return list(map(itemgetter(key), records))

        return self._add_batch(keys.pop(), column, count)

    def _add_batch(
        self, keys: tuple[str, ...], column: Callable[[str], list[Any]], count: int
    ) -> bool:
        added = add_batch(self._columns, fields_named(keys), column, self._default_symbol)
        if added:
            self.shapes["ticks"] += count
        return added

    def _add_line(self, line: bytes, number: int) -> None:
        line = line.rstrip(b", \t")
        if line in _NO_ROWS:
            return
        # Recorders put the time of receipt before the frame: `<ns> {"stream":…`.
        stamp, _, rest = line.partition(b" ")
        if stamp.isdigit() and rest[:1] == b"{":
            line = rest
        readers = [self._add_frame, self._add_record]
        faults: list[tuple[str, str]] = []
        for reader in readers if is_framed(line) else readers[::-1]:
            fault = reader(line)
            if fault is None:
                return
            faults.append(fault)
            if fault[0] == NOT_JSON:
                break  # then it is no frame either
        self._columns.add_bad_row(number, faults[0][0], line, faults[0][1])

    def _add_record(self, line: bytes) -> tuple[str, str] | None:
        """Add a tick record; what is wrong with it, where it is none."""
        try:
            record = _decode_any(line)
        except DECODE_ERRORS as error:
            return NOT_JSON, str(error)
        if not isinstance(record, dict) or len(record) > MAX_FIELDS:
            return NOT_JSON if not isinstance(record, dict) else NO_FIELD, ""
        try:
            add_record(self._columns, fields_named(tuple(record)), record.get, self._default_symbol)
        except RowError as error:
            return str(error), ""
        self.shapes["ticks"] += 1
        return None

    def _add_frame(self, line: bytes) -> tuple[str, str] | None:
        """Add what a Binance frame holds; what is wrong with it, where it is none."""
        try:
            event = parse_frame(line, 0)
        except MalformedMessageError as error:
            return BAD_FRAME, error.reason
        self.shapes["frames"] += 1
        if isinstance(event, (Tick, NonTrade)):
            self._columns.add_event(event)
        else:
            self._columns.add_dropped(FOREIGN if event is None else CONTROL)
        return None
