"""Rows of files as people have them, and how they are read."""

import io
import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from ingest.files import ReadReport, read_ticks

START_MS = 1_765_892_498_000


def named(text: str | bytes, name: str = "a.ndjson") -> io.BytesIO:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    file.name = name
    return file


def read(text: str | bytes, name: str = "a.ndjson", **options: Any) -> pd.DataFrame:
    return read_ticks(named(text, name), **options)


def report_of(frame: pd.DataFrame) -> ReadReport:
    report: ReadReport = frame.attrs["report"]
    assert report.kept == len(frame) == sum(report.symbols.values())
    assert report.rows_read == report.kept + sum(report.dropped.values())
    return report


def rows(count: int, **more: Callable[[int], object]) -> list[dict[str, object]]:
    """Rows of two symbols by turns, four a second, of prices that never repeat."""
    return [
        {
            "symbol": ("BTCUSDT", "ETHUSDT")[n % 2],
            "ts": START_MS + 250 * n,
            "price": 100 + n,
            "size": 0.5,
            **{key: value(n) for key, value in more.items()},
        }
        for n in range(count)
    ]


def lines(records: list[dict[str, object]]) -> str:
    return "\n".join(json.dumps(record) for record in records)


PLAIN = rows(50)
