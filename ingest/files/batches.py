"""Many records at once, column by column: the fast path for files that are regular.

Where any value needs the row-by-row path nothing is added, and the reader goes through those rows
one by one with `records.add_record`, which gives the same rows and says what is wrong with each.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.binance import MAX_AMOUNT
from ingest.errors import IngestError
from ingest.files.columns import AGGREGATE_ROW, KIND_CODES, ROW, UNKNOWN, Rows, TickColumns
from ingest.files.records import NA_MARK, NAIVE_TIME, Fields, kind_of, maker_of, number_note
from ingest.files.times import iso_batch_us, iso_us, to_us, unit_of

Column = Sequence[Any]
Int64s = npt.NDArray[np.int64]

_IRREGULAR = (ValueError, TypeError, OverflowError, IngestError)


def add_batch(
    columns: TickColumns,
    fields: Fields,
    column: Callable[[Any], Column],
    default_symbol: str | None,
) -> bool:
    """Add records given as columns; False, with nothing added, where one needs the row-by-row path.

    Parameters
    ----------
    column
        Gives the values (texts or JSON values) of a key of `fields`, all of one length > 0.
    default_symbol
        The symbol of records that name none.
    """

    def values(key: Any) -> Column:
        """A column's values; none for one that the records do not have."""
        return () if key is None else column(key)

    if None in (fields.time, fields.price, fields.quantity):
        return False
    if fields.symbol is None and default_symbol is None:
        return False
    try:
        rows, note = _rows(columns, fields, values, default_symbol)
        marked = np.array([word == NA_MARK for word in values(fields.marker)], np.bool_)
    except _IRREGULAR:
        return False
    columns.time_notes[note] += len(rows)
    columns.add_rows(rows, marked if len(marked) else None)
    return True


def _rows(
    columns: TickColumns,
    fields: Fields,
    values: Callable[[Any], Column],
    default_symbol: str | None,
) -> tuple[Rows, str]:
    times, note = _times(values(fields.time))
    raw_ids = _ids(values(fields.raw_id))
    rows = np.empty(len(times), ROW if isinstance(raw_ids, int) else AGGREGATE_ROW)
    if not isinstance(raw_ids, int):
        rows["raw_id"] = raw_ids
    rows["time_us"] = times
    rows["price"] = _amounts(values(fields.price))
    rows["quantity"] = _amounts(values(fields.quantity))
    rows["trade_id"] = _ids(values(fields.trade_id))
    rows["maker"] = _mapped(values(fields.maker) or [None], maker_of)
    if fields.kind is None:
        rows["kind"] = KIND_CODES[fields.fixed_kind]
    else:
        rows["kind"] = _mapped(values(fields.kind), lambda word: KIND_CODES[kind_of(word)])
    names = [default_symbol] if fields.symbol is None else values(fields.symbol)
    if _types(names) != {str}:
        raise ValueError("a symbol that is no text")
    rows["symbol"] = _mapped(names, columns.symbol_code)
    return rows, note


def _types(values: Column) -> set[type]:
    return set(map(type, values))


def _mapped(values: Column, meaning: Callable[[Any], int]) -> list[int]:
    """`meaning` of each value, asked once for each that occurs; one, where all are the same."""
    known = {value: meaning(value) for value in set(values)}
    return list(known.values()) if len(known) == 1 else [known[value] for value in values]


def _amounts(values: Column) -> npt.NDArray[np.float64]:
    types = _types(values)
    if types == {str}:
        # float() takes "1_0" too, and the digits of other scripts.
        joined = "".join(values)
        if "_" in joined or not joined.isascii():
            raise ValueError("not all plain numbers")
        values = list(map(float, values))
    elif not types <= {int, float}:
        raise ValueError("not all numbers, or not all texts")
    amounts = np.array(values, np.float64)
    # Written so that NaN fails too.
    if not (amounts.min() >= 0 and amounts.max() < MAX_AMOUNT):
        raise ValueError("an amount out of range")
    return amounts


def _ids(values: Column) -> Int64s | int:
    types = _types(values)
    if types <= {type(None)}:
        return UNKNOWN
    if types == {int, type(None)}:
        known = _whole_numbers([value for value in values if value is not None])
        ids = np.full(len(values), UNKNOWN, np.int64)
        ids[[value is not None for value in values]] = known
        return ids
    return _whole_numbers(values)


def _whole_numbers(values: Column) -> Int64s:
    types = _types(values)
    if types == {str}:
        if not ("".join(values).isdigit() and "".join(values).isascii()):
            raise ValueError("not all whole numbers")
        values = list(map(int, values))
    elif types != {int}:
        raise ValueError("not all whole numbers")
    numbers = np.array(values, np.int64)
    if numbers.min() < 0:
        raise ValueError("a number below 0")
    return numbers


def _times(values: Column) -> tuple[Int64s, str]:
    if _types(values) == {str} and not values[0].isdigit():
        time_us, zoned = iso_batch_us(values) or _each_iso(values)
        return time_us, "" if zoned else NAIVE_TIME
    numbers = _whole_numbers(values)
    unit = unit_of(int(numbers.min()))
    if unit is None or unit != unit_of(int(numbers.max())):
        raise ValueError("times of more than one unit, or out of range")
    return to_us(numbers, unit), number_note(unit)


def _each_iso(values: Sequence[str]) -> tuple[Int64s, bool]:
    known = [time for time in map(iso_us, values) if time is not None]
    if len(known) < len(values) or len({zoned for _, zoned in known}) > 1:
        raise ValueError("not all times, or only some with a zone")
    return np.array([time_us for time_us, _ in known], np.int64), known[0][1]
