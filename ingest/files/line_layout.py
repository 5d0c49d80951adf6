"""The layout that a file's lines share, found on one of them: which bytes are fixed, what varies.

Only what the compiled reader (`kernel_lines`) may read without a second thought is a layout; for
anything else there is none, and `json_lines`, `batches` and `records` read those lines.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ingest.files import slots
from ingest.files.columns import KIND_CODES
from ingest.files.records import MAX_FIELDS, NAIVE_TIME, Fields, fields_named, kind_of
from ingest.files.slots import Slots, Texts, texts_of

_PLAIN_TEXT = rb'"[^"\\\x00-\x1f\x7f-\xff]*"'
_TOKEN = re.compile(
    rb"[ \t\r]*"
    rb"(?:(" + _PLAIN_TEXT + rb")|(-?\d[\d.]*(?:[eE]-\d+)?)|(true|false)|(null)|([{}:,]))"
    rb"[ \t\r]*"
)
# What may stand before an event: the time of receipt, and the envelope of a combined stream.
_STAMP = re.compile(rb"(\d+) (?=\{)")
_ENVELOPE = re.compile(
    rb'\{[ \t]*"stream"[ \t]*:[ \t]*(' + _PLAIN_TEXT + rb')[ \t]*,[ \t]*"data"[ \t]*:[ \t]*(?=\{)'
)
# YYYY-MM-DDTHH:MM:SS[.fff[fff]]; the zone is part of what all lines share.
_ISO = re.compile(rb"(?P<time>.{19}(?:.{4}|.{7})?)(?P<zone>Z|\+00:00)?")
_AMOUNT = re.compile(rb"\d+(\.\d+)?([eE]-\d+)?")
_MOST_TOKENS = 4 * MAX_FIELDS + 1

_AMOUNT_KINDS = {"price": slots.PRICE, "quantity": slots.QUANTITY}
_TEXT_KINDS = {"symbol": slots.SYMBOL, "stream": slots.STREAM, "marker": slots.MARKER}
_WHOLE_KINDS = {
    "time": slots.TIME,
    "trade_id": slots.TRADE_ID,
    "first_id": slots.FIRST_ID,
    "raw_id": slots.RAW_ID,
}
_KINDS = {**_AMOUNT_KINDS, **_TEXT_KINDS, **_WHOLE_KINDS, "maker": slots.MAKER}

# What Binance's own events hold, by the wire's letters: all but X must be there.
_BOTH = {"e": "kind", "s": "symbol", "p": "price", "q": "quantity", "T": "time", "m": "maker"}
_EVENT_ROLES = {
    "aggTrade": {**_BOTH, "a": "trade_id", "f": "first_id", "l": "raw_id"},
    "trade": {**_BOTH, "t": "trade_id", "X": "marker"},
}
_EVENT_TEXTS = {"kind", "symbol", "price", "quantity", "marker"}


@dataclass(frozen=True, eq=False)
class Layout:
    """How to read lines like one line.

    Attributes
    ----------
    literals, slots
        As `kernel_lines.read_lines` has them.
    kind_code
        Of the stream kind of all rows.
    iso_note
        How times as text are understood; None of times as numbers.
    is_frame
        The lines are Binance's own frames, whose rules are stricter than those of records.
    """

    literals: Texts
    slots: Slots
    kind_code: int
    iso_note: str | None
    is_frame: bool

    @property
    def least_bytes(self) -> int:
        """What a line takes at the least, its end included."""
        return int(self.literals.lengths.sum()) + 1

    def has(self, kind: int) -> bool:
        """Whether lines hold a value of that kind."""
        return kind in self.slots.kinds


class _Value(NamedTuple):
    """What a value of a line is for ("" where it is not kept), and where it stands."""

    role: str
    begin: int
    end: int


class _Member(NamedTuple):
    """A key of a JSON object, and where its value stands."""

    key: str
    begin: int
    end: int


def is_framed(line: bytes) -> bool:
    """Whether a JSON line may be a frame of Binance's rather than a record."""
    return b'"stream"' in line or b'"e"' in line


def json_layout(line: bytes, default_symbol: str | None) -> Layout | None:
    """Layout of lines like `line`, a flat JSON object or a frame with one in it; None if it has
    none.

    Parameters
    ----------
    default_symbol
        The symbol of records that name none.
    """
    stamp = _STAMP.match(line)
    start = stamp.end() if stamp else 0
    values = [_Value("stamp", *stamp.span(1))] if stamp else []
    if not is_framed(line):
        return _record_layout(line, _members(line, start, len(line)), values, default_symbol)
    envelope = _ENVELOPE.match(line, start)
    if envelope is None:
        return _frame_layout(line, _members(line, start, len(line)), values)
    end = line.rfind(b"}")
    values.append(_Value("stream", *envelope.span(1)))
    is_closed = not line[end + 1 :].strip()
    return _frame_layout(line, _members(line, envelope.end(), end), values) if is_closed else None


def csv_layout(
    line: bytes, delimiter: bytes, fields: Fields, default_symbol: str | None
) -> Layout | None:
    """Layout of CSV lines like `line`; `fields` are its columns' places."""
    roles = _roles(fields, default_symbol)
    at, values = 0, []
    for place, cell in enumerate(line.rstrip(b"\r").split(delimiter)):
        values.append(_Value(roles.get(place, ""), at, at + len(cell)))
        at += len(cell) + 1
    kind_code = _kind_code(line, values, fields)
    return _layout(line, values, kind_code, as_json=False) if roles else None


def _record_layout(
    line: bytes, members: Sequence[_Member], before: list[_Value], default_symbol: str | None
) -> Layout | None:
    fields = fields_named(tuple(member.key for member in members))
    roles = _roles(fields, default_symbol)
    values = [*before, *_with_roles(members, roles)]
    kind_code = _kind_code(line, values, fields)
    return _layout(line, values, kind_code, as_json=True) if roles else None


def _frame_layout(line: bytes, members: Sequence[_Member], before: list[_Value]) -> Layout | None:
    """Layout of a frame that `parse_frame` takes for a trade, as far as its shape tells."""
    texts = {member.key: line[member.begin : member.end] for member in members}
    kind = texts.get("e", b"").strip(b'"').decode()
    roles = _EVENT_ROLES.get(kind, {})
    for key, role in roles.items():
        is_text = texts.get(key, b"")[:1] == b'"'
        missing = role == "marker" and texts.get(key, b"null") == b"null"
        if not missing and (key not in texts or is_text != (role in _EVENT_TEXTS)):
            return None
    if not roles:
        return None
    values = [*before, *_with_roles(members, roles)]
    return _layout(line, values, KIND_CODES[kind_of(kind)], as_json=True, is_frame=True)


def _with_roles(members: Sequence[_Member], roles: Mapping[Any, str]) -> list[_Value]:
    return [_Value(roles.get(key, ""), begin, end) for key, begin, end in members]


def _kind_code(line: bytes, values: Sequence[_Value], fields: Fields) -> int:
    kinds = [line[begin:end] for role, begin, end in values if role == "kind"]
    word = kinds[0].strip(b'"').decode("ascii", "replace") if kinds else None
    return KIND_CODES[fields.fixed_kind if word is None else kind_of(word)]


def _members(line: bytes, at: int, end: int) -> list[_Member]:
    """Members of a flat JSON object; none of anything else, or where a key comes twice."""
    tokens: list[re.Match[bytes]] = []
    while at < end:
        match = _TOKEN.match(line, at, end)
        if match is None or len(tokens) > _MOST_TOKENS:
            return []
        tokens.append(match)
        at = match.end()
    marks = [token[5] for token in tokens]
    members = [None, b":", None, b","] * (len(tokens) // 4)
    if not members or marks != [b"{", *members[:-1], b"}"]:
        return []
    if any(token[1] is None for token in tokens[1::4]):
        return []
    keys = [token[1][1:-1].decode() for token in tokens[1::4]]
    if len(set(keys)) < len(keys) or len(keys) > MAX_FIELDS:
        return []
    spans = [token.span(token.lastindex or 0) for token in tokens[3::4]]
    return [_Member(key, *span) for key, span in zip(keys, spans, strict=True)]


def _roles(fields: Fields, default_symbol: str | None) -> dict[Any, str]:
    """Role of each key; empty where one is missing, or a key has two."""
    used = {role: key for role, key in fields._asdict().items() if key is not None}
    used.pop("fixed_kind", None)
    roles = {key: role for role, key in used.items()}
    needed = {"time", "price", "quantity", *(() if default_symbol else ("symbol",))}
    return roles if len(roles) == len(used) and needed <= used.keys() else {}


def _layout(
    line: bytes, values: Sequence[_Value], kind_code: int, *, as_json: bool, is_frame: bool = False
) -> Layout | None:
    literals, kinds, details, stops, start = [], [], [], [], 0
    iso_note = None
    for role, begin, end in values:
        value = line[begin:end]
        if role == "kind" or (value == b"null" and role in {"", "marker"}):
            continue  # part of what all lines share
        slot = _slot(role, value, as_json=as_json, is_frame=is_frame)
        if slot is None:
            return None
        quoted = value[:1] == b'"'
        if quoted and (len(value) == 1 or not value.endswith(b'"')):
            return None  # a quote that the line does not close
        literals.append(line[start : begin + quoted])
        start = end - quoted
        if slot[0] == slots.ISO_TIME:
            start = begin + quoted + slot[1]
            iso_note = "" if line[start : end - quoted] else NAIVE_TIME
        kinds.append(slot[0])
        details.append(slot[1])
        stops.append((line[start:] or b"\n")[0])
    literals.append(line[start:])
    numbers = (np.array(each, np.int64) for each in (kinds, details, stops))
    return Layout(texts_of(literals), Slots(*numbers), kind_code, iso_note, is_frame)


def _slot(role: str, value: bytes, *, as_json: bool, is_frame: bool) -> tuple[int, int] | None:
    """Kind and detail of the slot of a value; None where only the row-by-row path can read it."""
    quoted = value[:1] == b'"'
    text = value[1:-1] if quoted else value
    bare = slots.BARE if as_json and not quoted else 0
    if role == "stamp":
        return slots.SKIPPED_DIGITS, 0
    if role == "time" and not text.isdigit():
        iso = None if bare else _ISO.fullmatch(text)
        return (slots.ISO_TIME, len(iso["time"])) if iso else None
    fits = {
        **dict.fromkeys(_WHOLE_KINDS, text.isdigit()),
        **dict.fromkeys(_AMOUNT_KINDS, _AMOUNT.fullmatch(text) is not None),
        **dict.fromkeys(_TEXT_KINDS, not bare),
        "maker": _is_bool(text) and not (as_json and quoted),
    }
    if role not in fits:
        return _skipped(text, bare)
    detail = slots.NO_EXPONENT if is_frame and role in _AMOUNT_KINDS else 0
    return (_KINDS[role], bare | detail) if fits[role] else None


def _skipped(text: bytes, bare: int) -> tuple[int, int] | None:
    if not bare:
        return slots.SKIPPED_TEXT, 0
    if _is_bool(text):
        return slots.SKIPPED_BOOL, bare
    return (slots.SKIPPED_NUMBER, bare) if _AMOUNT.fullmatch(text) else None


def _is_bool(text: bytes) -> bool:
    return text.lower() in {b"true", b"false"}
