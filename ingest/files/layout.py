"""The layout that a file's lines share, found on one of them: which bytes are fixed, what varies.

Only what the compiled reader (`kernel_lines`) may read without a second thought is a layout; for
anything else there is none, and `file_records` and `file_batches` read those lines.
"""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.errors import IngestError
from ingest.files.columns import AGGREGATE_ROW, KIND_CODES, ROW, UNKNOWN, TickColumns
from ingest.files.records import MAX_FIELDS, NAIVE_TIME, Fields, fields_named, kind_of, number_note
from ingest.files.times import YEAR_2009_US, YEAR_2100_US, to_us, unit_of

_BLANK = rb"[ \t\r]*"
_TOKEN = re.compile(
    _BLANK
    + rb'(?:("[^"\\\x00-\x1f\x7f-\xff]*")|(-?\d[\d.]*)|(true|false)|(null)|([{}:,]))'
    + _BLANK
)
_ISO_LENGTHS = (19, 20, 23, 24, 26, 27)
_MOST_TOKENS = 4 * MAX_FIELDS + 1
_PADDING = b"\n" * 64
_MOST_NAMES = 100  # the kernel looks through them at each line, and from the start for a new one
_MOST_MISSES = 50  # blocks in a row that are not alike: then no more is tried

# The kernel takes seconds to compile on a machine that has not cached it: a smaller file is read
# sooner by the careful way.
_COMPILE_FROM_BYTES = 50_000_000
_compiled = threading.Event()


@dataclass(eq=False)
class Layout:
    """How to read lines like one line; `add` reads many.

    `literals` to `details` are as `kernel_lines.read_lines` has them; `fixed_kind` is the code of
    the stream kind of all rows, `default_symbol` that of lines that name none.
    """

    literals: npt.NDArray[np.uint8]
    literal_ends: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]
    details: npt.NDArray[np.int64]
    fixed_kind: int
    default_symbol: str | None
    iso_length: int
    has_id: bool
    has_maker: bool
    has_symbol: bool
    has_raw_id: bool
    _names: list[bytes] = field(default_factory=list)
    _codes: list[int] = field(default_factory=list)

    def add(self, columns: TickColumns, text: bytes) -> int:
        """Add all lines of `text`; how many, or 0 with nothing added where one differs."""
        from ingest.files.kernel_lines import read_lines  # noqa: PLC0415 - numba takes half a second

        size = len(text)
        padded = np.frombuffer(text + _PADDING, np.uint8)
        most = text.count(b"\n") + 1
        numbers, amounts = np.empty((most, 5), np.int64), np.empty((most, 2), np.float64)
        while True:
            names = np.frombuffer(b"".join(self._names), np.uint8)
            ends = np.cumsum([len(name) for name in self._names], dtype=np.int64)
            rows, begin, end = read_lines(
                padded, size, self.literals, self.literal_ends, self.kinds, self.details,
                names, ends, numbers, amounts,
            )  # fmt: skip
            if rows >= 0:
                break
            if not end or not self._learn(columns, text[begin:end]):
                return 0
        return self._keep(columns, numbers[:rows], amounts[:rows]) if rows else 0

    def _learn(self, columns: TickColumns, name: bytes) -> bool:
        if len(self._names) >= _MOST_NAMES:
            return False
        try:
            code = columns.symbol_code(name.decode())
        except IngestError:
            return False
        self._names.append(name)
        self._codes.append(code)
        return True

    def _keep(
        self, columns: TickColumns, numbers: npt.NDArray[np.int64],
        amounts: npt.NDArray[np.float64],
    ) -> int:  # fmt: skip
        times = numbers[:, 0]
        note = self._note(times)
        if note is None:
            return 0
        rows = np.empty(len(numbers), AGGREGATE_ROW if self.has_raw_id else ROW)
        rows["time_us"] = times if self.iso_length else to_us(times, str(unit_of(int(times[0]))))
        rows["price"], rows["quantity"] = amounts[:, 0], amounts[:, 1]
        rows["trade_id"] = numbers[:, 1] if self.has_id else UNKNOWN
        rows["maker"] = numbers[:, 2] if self.has_maker else UNKNOWN
        rows["kind"] = self.fixed_kind
        if self.has_symbol:
            rows["symbol"] = np.array(self._codes, np.int32)[numbers[:, 3]]
        else:
            rows["symbol"] = columns.symbol_code(str(self.default_symbol))
        if self.has_raw_id:
            rows["raw_id"] = numbers[:, 4]
        columns.time_notes[note] += len(rows)
        columns.add_rows(rows)
        return len(rows)

    def _note(self, times: npt.NDArray[np.int64]) -> str | None:
        """How the times were understood; None where they need a closer look."""
        low, high = int(times.min()), int(times.max())
        if self.iso_length:
            zoned = self.iso_length in (20, 24, 27)
            inside = low >= YEAR_2009_US and high < YEAR_2100_US
            return ("" if zoned else NAIVE_TIME) if inside else None
        unit = unit_of(low)
        return None if unit is None or unit != unit_of(high) else number_note(unit)


def json_layout(line: bytes, default_symbol: str | None) -> Layout | None:
    """Layout of lines like `line`, a flat JSON object; None where it has none."""
    members = _members(line)
    if members is None or not 0 < len(members) <= MAX_FIELDS:
        return None
    keys = tuple(key for key, _, _ in members)
    if len(set(keys)) < len(keys):
        return None
    return _layout(line, members, fields_named(keys), default_symbol, as_json=True)


def csv_layout(
    line: bytes, delimiter: bytes, fields: Fields, default_symbol: str | None
) -> Layout | None:
    """Layout of CSV lines like `line`; `fields` are its columns' places."""
    at, cells = 0, []
    for place, cell in enumerate(line.rstrip(b"\r").split(delimiter)):
        cells.append((place, at, at + len(cell)))
        at += len(cell) + 1
    return _layout(line, cells, fields, default_symbol, as_json=False)


def _members(line: bytes) -> list[tuple[Any, int, int]] | None:
    """Keys of a flat JSON object with where their values stand; None of anything else."""
    tokens: list[re.Match[bytes]] = []
    at = 0
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None or len(tokens) > _MOST_TOKENS:
            return None
        tokens.append(match)
        at = match.end()
    marks = [token[5] for token in tokens]
    members = [None, b":", None, b","] * (len(tokens) // 4)
    if not members or marks != [b"{", *members[:-1], b"}"]:
        return None
    positions = []
    for key, value in zip(tokens[1::4], tokens[3::4], strict=True):
        if key[1] is None:
            return None
        positions.append((key[1][1:-1].decode(), *value.span(value.lastindex or 0)))
    return positions


def _layout(
    line: bytes, members: Sequence[tuple[Any, int, int]], fields: Fields,
    default_symbol: str | None, *, as_json: bool,
) -> Layout | None:  # fmt: skip
    roles = _roles(fields, default_symbol)
    literals, kinds, details, begun = [], [], [], 0
    kind_code = KIND_CODES[fields.fixed_kind]
    for key, begin, end in members:
        role, value = roles.get(key, ""), line[begin:end]
        if role == "kind":
            kind_code = KIND_CODES[kind_of(value.strip(b'"').decode("ascii", "replace"))]
        if role in {"kind", "marker"} or (value == b"null" and not role):
            if role == "marker" and value.strip(b'"') == b"NA":
                return None
            continue  # part of what all lines share
        slot = _slot(role, value, as_json=as_json)
        if slot is None:
            return None
        quoted = value[:1] == b'"'
        literals.append(line[begun : begin + quoted])
        begun = end - quoted
        kinds.append(slot[0])
        details.append(slot[1])
    literals.append(line[begun:])
    iso = [d for k, d in zip(kinds, details, strict=True) if k == _KINDS["iso"]]
    return (
        None
        if not roles
        else Layout(
            np.frombuffer(b"".join(literals), np.uint8),
            np.cumsum([len(literal) for literal in literals], dtype=np.int64),
            np.array(kinds, np.int64),
            np.array(details, np.int64),
            kind_code,
            default_symbol,
            iso[0] if iso else 0,
            has_id=fields.trade_id is not None,
            has_maker=fields.maker is not None,
            has_symbol=fields.symbol is not None,
            has_raw_id=fields.raw_id is not None,
        )
    )


def _roles(fields: Fields, default_symbol: str | None) -> dict[Any, str]:
    """Role of each key; empty where one is missing, or a key has two."""
    used = {role: key for role, key in fields._asdict().items() if key is not None}
    used.pop("fixed_kind", None)
    roles = {key: role for role, key in used.items()}
    needed = {"time", "price", "quantity", *(() if default_symbol else ("symbol",))}
    return roles if len(roles) == len(used) and needed <= used.keys() else {}


# As `kernel_lines` has them, which is not imported before it is needed.
_KINDS = {
    "text": 0, "number": 1, "bool": 2, "symbol": 3, "iso": 4, "time": 5, "price": 6, "quantity": 7,
    "trade_id": 8, "maker": 9, "raw_id": 10,
}  # fmt: skip


def _slot(role: str, value: bytes, *, as_json: bool) -> tuple[int, int] | None:
    """Kind and detail of the slot of a value; None where only a closer look can read it."""
    quoted = value[:1] == b'"'
    text = value[1:-1] if quoted else value
    bare = int(as_json and not quoted)
    is_whole, is_word = text.isdigit(), text.lower() in {b"true", b"false"}
    is_number = text.replace(b".", b"", 1).isdigit()
    if role == "time" and not is_whole:
        is_iso = not bare and len(text) in _ISO_LENGTHS
        return (_KINDS["iso"], len(text)) if is_iso else None
    fits = {
        "time": is_whole,
        "trade_id": is_whole,
        "raw_id": is_whole,
        "price": is_number,
        "quantity": is_number,
        "maker": is_word and not (as_json and quoted),
        "symbol": not bare,
    }
    if role in fits:
        return (_KINDS[role], bare) if fits[role] else None
    if not bare:
        return _KINDS["text"], 0
    found = "bool" if is_word else "number" if is_number else None
    return None if found is None else (_KINDS[found], 1)


class LayoutReader:
    """Reads blocks by the layout of their first line, which is most often the last block's.

    Parameters
    ----------
    find
        Gives the layout of a line, or None.
    """

    def __init__(self, columns: TickColumns, find: Callable[[bytes], Layout | None]) -> None:
        self._columns, self._find = columns, find
        self._layout: Layout | None = None
        self._misses = 0
        self._seen = 0

    def add(self, text: bytes) -> int:
        """Add all lines, and say how many; 0 with nothing added where they are not all alike.

        The same before `warm_up` has ended, until so much was read that compiling pays.
        """
        if not _compiled.is_set():
            self._seen += len(text)
            if self._seen < _COMPILE_FROM_BYTES:
                return 0
            warm_up()
        if self._layout is not None:
            added = self._layout.add(self._columns, text)
            if added:
                return added
        if self._misses >= _MOST_MISSES:
            return 0
        first = text.lstrip(b"\n").partition(b"\n")[0]
        layout = self._find(first)
        added = layout.add(self._columns, text) if layout is not None else 0
        if added:
            self._layout, self._misses = layout, 0
        else:
            self._misses += 1
        return added


def warm_up() -> None:
    """Have the reader compiled, seconds the first time, before somebody waits for a file."""
    line = b'{"symbol":"BTCUSDT","ts":1765892498698,"price":1.5,"size":2}'
    layout = json_layout(line, None)
    if layout is not None:
        layout.add(TickColumns(), line)
    _compiled.set()
