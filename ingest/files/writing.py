"""Ticks frames written as files that `reading` takes."""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.files.json_lines import CollectorRow

_ROWS_A_WRITE = 100_000


def write_ticks_ndjson(ticks: pd.DataFrame, target: str | os.PathLike[str] | BinaryIO) -> int:
    """Write a ticks frame as NDJSON that `read_ticks` reads back to the same ticks, to the bit.

    A row is ``{"symbol","ts","price","size"}`` with ``id`` and ``m`` where the frame has them.
    Ids in ``attrs["non_trade_ids"]`` follow as rows of price and size 0, so that the ids stay
    without holes.

    Parameters
    ----------
    ticks
        A ticks frame.
    target
        A path (packed, if it ends in ``.gz``) or a binary file object.

    Returns
    -------
    int
        Rows written, non-trades included.
    """
    encode = msgspec.json.Encoder().encode_lines
    written = 0
    with _opened(target) as file:
        for records in _records(ticks):
            file.write(encode(records))
            written += len(records)
    return written


def _records(ticks: pd.DataFrame) -> Iterator[list[CollectorRow]]:
    for start in range(0, len(ticks), _ROWS_A_WRITE):
        part = ticks.iloc[start : start + _ROWS_A_WRITE]
        nothing = [None] * len(part)
        rows = zip(
            part["symbol"].tolist(),
            _iso_texts(_index_us(part)),
            part["price"].tolist(),
            part["quantity"].tolist(),
            part["trade_id"].tolist() if "trade_id" in part else nothing,
            part["buyer_is_maker"].tolist() if "buyer_is_maker" in part else nothing,
            strict=True,
        )
        yield [CollectorRow(*row) for row in rows]
    yield from _non_trade_records(ticks)


def _non_trade_records(ticks: pd.DataFrame) -> Iterator[list[CollectorRow]]:
    """Rows for ids used up between the trades written; outside of them they prove nothing."""
    if "trade_id" not in ticks:
        return
    for symbol, all_ids in ticks.attrs.get("non_trade_ids", {}).items():
        mine = ticks[ticks["symbol"] == symbol].sort_values("trade_id")
        places = np.searchsorted(mine["trade_id"].to_numpy(), all_ids)
        inside = (places > 0) & (places < len(mine))
        ids = np.asarray(all_ids, np.int64)[inside].tolist()
        # Their times are not known: that of the trade before stands in, and means nothing.
        texts = _iso_texts(_index_us(mine)[places[inside] - 1])
        yield [
            CollectorRow(symbol, text, 0.0, 0.0, trade_id)
            for text, trade_id in zip(texts, ids, strict=True)
        ]


def _index_us(ticks: pd.DataFrame) -> npt.NDArray[np.int64]:
    index = cast("pd.DatetimeIndex", ticks.index)
    return index.as_unit("us").asi8


def _iso_texts(time_us: npt.NDArray[np.int64]) -> list[str]:
    texts = np.datetime_as_string(time_us.view("datetime64[us]"), unit="us")
    return [f"{text}Z" for text in texts.tolist()]


@contextmanager
def _opened(target: str | os.PathLike[str] | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    path = Path(target)
    with path.open("wb") as file:
        if path.suffix.lower() != ".gz":
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="wb") as packed, io.BufferedWriter(packed) as buffer:
            yield buffer
