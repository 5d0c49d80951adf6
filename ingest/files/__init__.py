"""Trades from files as people have them, and to files of our own."""

from ingest.files.errors import WANTED
from ingest.files.reading import read_ticks, symbol_in_name
from ingest.files.report import ReadReport
from ingest.files.source import FileSource, FileText, read_head
from ingest.files.stream import TextStream
from ingest.files.writing import write_ticks_ndjson

__all__ = [
    "WANTED",
    "FileSource",
    "FileText",
    "ReadReport",
    "TextStream",
    "read_head",
    "read_ticks",
    "symbol_in_name",
    "write_ticks_ndjson",
]
