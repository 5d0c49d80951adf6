"""The two forms of the lake's files, written and read with pyarrow.

Encodings by what a column holds: ids and times grow by little (`DELTA_BINARY_PACKED`), so do prices
from one trade to the next; quantities repeat (dictionary) or do not; the rest is small numbers
whose high bytes are alike (`BYTE_STREAM_SPLIT`). README.md has the sizes.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW, IntArray, StoredRows
from ingest.store.lake.footer import KEY, Footer, decode_footer, encode_footer, unreadable
from ingest.store.lake.holding import TradeColumns
from ingest.store.lake.merging import taken
from ingest.store.lake.numbers import as_units, decimal_type, from_decimals, to_decimals
from ingest.store.lake.whole_files import write_whole

_TRADES_A_GROUP: Final = 131_072  # read apart by time: some minutes of a busy symbol
_BARS_A_GROUP: Final = 131_072  # years are read in parts: a group of two is read for both
_ROWS_AT_ONCE: Final = 1_048_576
_LONG_DIGITS: Final = 18  # of a decimal that is stored as a whole number
_SAMPLE: Final = 20_000
_FEW: Final = 0.4  # of the sampled quantities that differ: then a dictionary is smaller
_DELTA, _SPLIT = "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"
_PRICES: Final = ("open", "high", "low", "close")


def write_trades(path: Path, trades: TradeColumns, footer: Footer) -> None:
    """Write a day of trades, in the order of their ids."""
    kinds = decimal_type(trades.price), decimal_type(trades.quantity)
    # A million at a time: decimals of Arrow's take four times the room of what they are made of.
    starts = range(0, max(len(trades), 1), _ROWS_AT_ONCE)
    tables = (
        _trades_table(taken(trades, slice(start, start + _ROWS_AT_ONCE)), kinds) for start in starts
    )
    encodings = {"trade_id": _DELTA, "time": _DELTA, "trades": _SPLIT}
    if kinds[0].precision <= _LONG_DIGITS:
        encodings["price"] = _DELTA
    dictionary = [] if _differ(trades) else ["quantity"]
    _write(path, tables, footer, encodings, dictionary, _TRADES_A_GROUP)


def write_bars(path: Path, rows: StoredRows, footer: Footer) -> None:
    """Write bars or klines, in order of time."""
    import pyarrow as pa  # noqa: PLC0415

    columns: dict[str, Any] = {"time": _timestamps(rows["at"] * SECOND_US)}
    columns |= {name: np.ascontiguousarray(rows[name]) for name in _PRICES}
    columns["volume_e8"] = np.ascontiguousarray(rows["volume"])
    columns["trades"] = np.ascontiguousarray(rows["trades"])
    encodings = {"time": _DELTA, "volume_e8": _SPLIT, "trades": _SPLIT}
    _write(path, iter([pa.table(columns)]), footer, encodings, list(_PRICES), _BARS_A_GROUP)


def read_trades(path: Path, low_us: int | None = None, high_us: int | None = None) -> TradeColumns:
    """Read a day of trades, in the order of their ids; of the times asked for and perhaps more.

    Raises
    ------
    FileNotFoundError
        It is gone.
    LakeError
        It is damaged.
    """
    table = _read(path, low_us, high_us)
    return TradeColumns(
        table["trade_id"].to_numpy(),
        _microseconds(table["time"]),
        as_units(from_decimals(table["price"])),
        as_units(from_decimals(table["quantity"])),
        table["buyer_is_maker"].to_numpy(),
        table["trades"].to_numpy(),
    )


def read_bars(path: Path, low: int | None = None, high: int | None = None) -> StoredRows:
    """Read bars or klines, of the seconds asked for and perhaps more; raises as `read_trades`.

    One group of rows after the other: of a month of seconds two thirds of the memory.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            groups = list(range(file.metadata.num_row_groups))
            if low is not None and high is not None:
                groups = _groups_of(file.metadata, low * SECOND_US, high * SECOND_US, column=0)
            sizes = [file.metadata.row_group(each).num_rows for each in groups]
            rows = np.empty(sum(sizes), dtype=STORED_ROW)
            ends = np.cumsum(sizes).tolist()
            for group, size, end in zip(groups, sizes, ends, strict=True):
                _fill(rows[end - size : end], file.read_row_group(group))
            return rows
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


def _fill(rows: StoredRows, table: Any) -> None:
    rows["at"] = _microseconds(table["time"]) // SECOND_US
    for name in (*_PRICES, "trades"):
        rows[name] = table[name].to_numpy()
    rows["volume"] = table["volume_e8"].to_numpy()


def read_footer(path: Path) -> Footer:
    """Read what a file says of itself; raises as `read_trades`."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    return decode_footer(metadata.get(KEY), path)


def _write(
    path: Path,
    tables: Iterator[Any],
    footer: Footer,
    encodings: dict[str, str],
    dictionary: list[str],
    group: int,
) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415

    def fill(file: IO[bytes]) -> None:
        table = next(tables)
        with pq.ParquetWriter(
            file,
            table.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionary,
            column_encoding=encodings,
            store_decimal_as_integer=True,
            store_schema=False,
        ) as writer:
            for each in chain([table], tables):
                writer.write_table(each, row_group_size=group)
            writer.add_key_value_metadata({KEY: encode_footer(footer)})

    write_whole(path, fill)


def _read(path: Path, low_us: int | None, high_us: int | None) -> Any:
    """Read a file's columns: all groups of rows, or those that may hold times of a span."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            if low_us is None or high_us is None:
                return file.read()
            return file.read_row_groups(_groups_of(file.metadata, low_us, high_us))
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


_EVER_US: Final = 2**62  # as far as a time can be written


def _groups_of(metadata: Any, low_us: int, high_us: int, column: int = 1) -> list[int]:
    """Groups of rows whose times, by their statistics, touch ``low_us … high_us``."""
    low, high = (
        np.datetime64(min(max(each, -_EVER_US), _EVER_US), "us") for each in (low_us, high_us)
    )
    groups = []
    for number in range(metadata.num_row_groups):
        times = metadata.row_group(number).column(column).statistics
        if times is None or (np.datetime64(times.max) >= low and np.datetime64(times.min) < high):
            groups.append(number)
    return groups


def _trades_table(trades: TradeColumns, kinds: tuple[Any, Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - nobody but the lake needs it

    return pa.table(
        {
            "trade_id": trades.trade_id,
            "time": _timestamps(trades.time_us),
            "price": to_decimals(trades.price, kinds[0]),
            "quantity": to_decimals(trades.quantity, kinds[1]),
            "buyer_is_maker": trades.buyer_is_maker,
            "trades": trades.trades,
        }
    )


def _differ(trades: TradeColumns) -> bool:
    """Whether most quantities differ: a dictionary of them would only take room."""
    sample = trades.quantity[:_SAMPLE]
    return np.unique(sample).size > _FEW * sample.size


def _timestamps(times_us: IntArray) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    return pa.array(times_us).view(pa.timestamp("us"))


def _microseconds(column: Any) -> IntArray:
    times: IntArray = column.to_numpy().view(np.int64)
    return times
