"""Dumps as data.binance.vision publishes them, of a market that is made up."""

import hashlib
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ingest.store.lake import TradeColumns

OCTOBER_S = 1_727_740_800  # 2024-10-01
DAY_S = 86_400
FIRST_ID = 3_200_000_000
_ROWS_AT_ONCE = 500_000
AGG_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
TRADE_HEADER = "id,price,qty,quote_qty,time,is_buyer_maker"


def walk(count: int, *, days: float, start_s: int = OCTOBER_S, seed: int = 1) -> TradeColumns:
    """Trades of a walk: bursts within a millisecond, ticks of 0.01, quantities that repeat."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1.0, count)
    gaps[rng.random(count) < 0.55] = 0.0
    span_ms = days * DAY_S * 1000
    times_ms = start_s * 1000 + (np.cumsum(gaps) / gaps.sum() * (span_ms - 1)).astype(np.int64)
    steps = np.where(rng.random(count) < 0.4, rng.integers(-60, 61, count), 0)
    cents = np.clip(6_700_000 + np.cumsum(steps), 1_000_000, None)
    odd = np.exp(rng.normal(6.5, 2.0, count)).astype(np.int64) + 1
    usual = rng.choice([8, 9, 10, 100, 200, 500, 1000], count)
    lots = np.where(rng.random(count) < 0.3, usual, odd)
    raw = np.maximum(rng.geometric(0.6, count) - 1, 1)
    maker = np.repeat(rng.random(count // 4 + 1) < 0.5, 4)[:count]
    ids = FIRST_ID + np.arange(count)
    return TradeColumns(
        ids, times_ms * 1000, cents * 10**6, lots * 10**3, maker, raw.astype(np.int32)
    )


def write_agg_dump(
    path: Path,
    trades: TradeColumns,
    *,
    market: str = "spot",
    in_us: bool = False,
    checksum: bool = True,
) -> Path:
    """Write aggTrades as a zip, or a csv by the name's end; with its ``.CHECKSUM`` beside it."""
    last = np.cumsum(trades.trades.astype(np.int64)) + 3_900_000_000
    columns = {
        "a": trades.trade_id,
        "p": printed(trades.price),
        "q": printed(trades.quantity),
        "f": last - trades.trades + 1,
        "l": last,
        "T": trades.time_us if in_us else trades.time_us // 1000,
    }
    return _write(path, columns, trades.buyer_is_maker, market, AGG_HEADER, checksum)


def write_trade_dump(
    path: Path,
    trades: TradeColumns,
    *,
    market: str = "spot",
    in_us: bool = False,
    checksum: bool = True,
) -> Path:
    """Write raw trades."""
    amounts = trades.price / 1e8 * (trades.quantity / 1e8)
    quote = [f"{each:.8f}" for each in amounts.tolist()]
    columns = {
        "id": trades.trade_id,
        "price": printed(trades.price),
        "qty": printed(trades.quantity),
        "quote": pa.array(quote),
        "time": trades.time_us if in_us else trades.time_us // 1000,
    }
    return _write(path, columns, trades.buyer_is_maker, market, TRADE_HEADER, checksum)


def printed(units: Any) -> Any:
    """Units of 1e-8 as the exchange prints them."""
    whole = pa.array(units // 10**8).cast(pa.string())
    part = pc.utf8_lpad(pa.array(units % 10**8).cast(pa.string()), width=8, padding="0")
    return pc.binary_join_element_wise(whole, part, ".")


def write_packed(path: Path, lines: list[str], *, checksum: bool = False) -> Path:
    """Write lines as a zip, or a csv by the name's end."""
    with _text_of(path) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    if checksum:
        write_checksum(path)
    return path


def write_checksum(path: Path) -> Path:
    beside = path.with_name(f"{path.name}.CHECKSUM")
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return beside


class _text_of:  # noqa: N801 - reads as a noun where it is used
    """The text of a dump, open for writing: a csv, or the one in its zip."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> IO[bytes]:
        if self._path.suffix == ".csv":
            self._file: IO[bytes] = self._path.open("wb")
            return self._file
        self._zip = zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._file = self._zip.open(f"{self._path.stem}.csv", "w", force_zip64=True)
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._path.suffix != ".csv":
            self._zip.close()


def _write(
    path: Path, columns: dict[str, Any], maker: Any, market: str, header: str, checksum: bool
) -> Path:
    words = ("True", "False") if market == "spot" else ("true", "false")
    columns["m"] = pc.if_else(pa.array(maker), *words)
    if market == "spot":
        columns["best"] = pa.array(["True"] * len(maker))
    table = pa.table(columns)
    plain = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with _text_of(path) as file:
        if market == "usdm":
            file.write(f"{header}\n".encode())
        for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
            pyarrow.csv.write_csv(pa.Table.from_batches([batch]), file, plain)
    if checksum:
        write_checksum(path)
    return path
