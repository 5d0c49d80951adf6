"""Records that do not lie one to a line: a JSON array, on one line or spread over many."""

import re
from collections.abc import Iterable, Iterator

from ingest.files.source import Block

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_DEPTH = 4  # depth of nested objects recognised within an object of the array


def _object(depth: int) -> bytes:
    inner = b"" if depth == 0 else b"|" + _object(depth - 1)
    return rb'\{(?:[^"{}]++|' + _STRING + inner + rb")*+\}"


_OBJECT = re.compile(_object(_DEPTH), re.DOTALL)
_BETWEEN = re.compile(rb"[\s,\[\]]*+")
_NEXT = re.compile(rb"[}\]]\s*+,?\s*+\{|,\s*+\{")
_ARRAY = re.compile(rb"\s*+\[\s*+\{")
_BLOCK_BYTES = 2**20
_LONGEST_BYTES = 2**18  # an object still open after this much is malformed, not cut by a chunk


def is_array(head: bytes) -> bool:
    """Whether a text begins as an array of objects."""
    return _ARRAY.match(head) is not None


def array_blocks(chunks: Iterable[bytes]) -> Iterator[Block]:
    """Yield the objects of an array as blocks of a line each; lines count objects.

    What is no object, or one that does not end, is a line as well: the reader says what is wrong.
    """
    pending, row = b"", 1
    for data in chunks:
        pending += data
        lines, at = _lines(pending, at_end=False)
        pending = pending[at:]
        yield from _blocks(lines, row)
        row += len(lines)
    lines, _ = _lines(pending, at_end=True)
    yield from _blocks(lines, row)


def _lines(text: bytes, *, at_end: bool) -> tuple[list[bytes], int]:
    """Objects of `text` without line ends, and where the first begins that may not be whole."""
    lines: list[bytes] = []
    at, size = 0, len(text)
    while True:
        at = _end(_BETWEEN.match(text, at), at)
        if at >= size:
            return lines, at
        match = _OBJECT.match(text, at)
        if match is None and not at_end and size - at < _LONGEST_BYTES:
            return lines, at
        end = _next_object(text, at + 1) if match is None else match.end()
        lines.append(text[at:end].replace(b"\n", b" ").replace(b"\r", b" ").strip(b" ,"))
        at = end


def _end(match: re.Match[bytes] | None, at: int) -> int:
    return at if match is None else match.end()


def _next_object(text: bytes, at: int) -> int:
    """Where the next object begins, by the comma or the end of another before it."""
    match = _NEXT.search(text, at)
    return len(text) if match is None else match.end() - 1


def _blocks(lines: list[bytes], row: int) -> Iterator[Block]:
    start, size = 0, 0
    for place, line in enumerate(lines):
        size += len(line) + 1
        if size >= _BLOCK_BYTES:
            yield Block(b"\n".join(lines[start : place + 1]), row + start)
            start, size = place + 1, 0
    if start < len(lines):
        yield Block(b"\n".join(lines[start:]), row + start)
