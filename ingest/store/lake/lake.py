"""The lake as it is read: what there is, bars of it, trades of it. Any thread, no lock."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingest.store.bars import Spans, without_spans
from ingest.store.lake.holding import Holding, IdSpan, LakeTicks, SourceKind, TradeColumns
from ingest.store.lake.index import LakeFile, folder_index
from ingest.store.lake.known import merged_ids, merged_spans
from ingest.store.lake.lake_pieces import LakePieces, again_if_gone
from ingest.store.lake.merging import joined, taken
from ingest.store.lake.numbers import as_doubles
from ingest.store.lake.parquet import read_trades
from ingest.store.lake.places import (
    DAY_S,
    MARKETS,
    day_number,
    day_seconds,
    folder_of,
    is_trades,
    kline_length,
)
from ingest.store.lake.stream_files import folders_in, kinds_of, stream_files, touches
from ingest.store.lake.writer import LakeWriter
from ingest.store.pieces import LakeStream, PieceStore
from ingest.tick import STREAM_KINDS, Market


class Lake:
    """Parquet files below a folder, read. Light to make: what it knows of files is shared.

    A folder that is not there is an empty lake. Files that come, change or go meanwhile are met at
    the next call.

    Raises
    ------
    LakeError
        From any call: a file that cannot be read, in one line with its name.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def streams(self) -> list[LakeStream]:
        """Every stream that holds anything, in order of market, symbol, kind.

        Klines belong to market and symbol: streams of either kind see them. A symbol of which there
        are klines only is listed as an aggTrade stream.
        """
        found: set[LakeStream] = set()
        for market in MARKETS:
            klines: set[str] = set()
            for kind in kinds_of(self.root, market):
                symbols = folders_in(self.root / market / kind)
                if kline_length(kind) is not None:
                    klines.update(symbols)
                for each in STREAM_KINDS:
                    if kind == each:
                        found.update(LakeStream(market, symbol, each) for symbol in symbols)
            traded = {each.symbol for each in found if each.market == market}
            found.update(LakeStream(market, symbol, "aggTrade") for symbol in klines - traded)
        return sorted(found)

    def pieces(self, stream: LakeStream) -> PieceStore:
        """Bars of a stream: 1, 60 and 3600 s of its trades, and its klines' lengths.

        Where trades and klines know the same seconds the trades' bars are given. Trades are known
        as far as their ids go without a hole, over midnight too; from midnight to midnight where a
        source of the whole day has no neighbour. Of what touches a hole in the ids nothing is
        known. The second of the stream's very first trade and that of its last one count as known:
        they are what the trades know of them, as in the database.
        """
        return LakePieces(stream_files(self.root, stream))

    def ticks(self, stream: LakeStream, low_us: int, high_us: int) -> LakeTicks:
        """Trades with ``low_us <= time < high_us``, in order of time, then id."""
        return again_if_gone(lambda: self._ticks(stream, low_us, high_us))

    def traded(self, stream: LakeStream) -> Spans:
        """Seconds ``(low, high)`` of which the trades held tell, klines aside; in order."""
        _, known = stream_files(self.root, stream).known(1)
        return merged_spans(known.spans, known.edges)

    def recorded(self, stream: LakeStream) -> Spans:
        """Days, as seconds, of which all trades were recorded here and moved; in order."""
        days = stream_files(self.root, stream).trades().days
        return [day_seconds(day) for day, file in days.items() if _are_of(file, "recording")]

    def summed_up(self, stream: LakeStream) -> Spans:
        """Seconds of klines that are no exchange's: made of the trades of files without ids."""
        files = stream_files(self.root, stream)
        ours: Spans = []
        others: Spans = []
        for length in files.kline_lengths():
            for file in files.klines(length).values():
                (ours if _are_of(file, "file") else others).extend(file.footer.spans)
        return without_spans(merged_spans(ours), others)

    def id_spans(self, stream: LakeStream) -> list[IdSpan]:
        """Ids held, in order, merged over days. Ids that are no trades count."""
        return merged_ids(stream_files(self.root, stream).trades().held_days())

    def state(self, stream: LakeStream) -> int:
        """Give a number that changes when a file of the stream, or of its klines, does.

        Cheap: asked at each refresh.
        """
        return stream_files(self.root, stream).state()

    def holdings(self) -> list[Holding]:
        """Every day of trades and month of klines, in order of market, symbol, kind, period."""
        return [
            _holding(self.root, market, kind, symbol, file)
            for market in MARKETS
            for kind, symbol in self._kept(market)
            for file in folder_index(folder_of(self.root, market, kind, symbol)).listing().files
        ]

    def delete(self, market: Market, kind: str, symbol: str, from_day: date, to_day: date) -> int:
        """Delete days, both included; gives the bytes that became free.

        Of trades their bars go too; of klines (``kline_1min`` …) the rows of these days.

        Raises
        ------
        LakeError
            Another process writes to the lake.
        """
        with LakeWriter(self.root) as writer:
            return writer.delete(market, kind, symbol, from_day, to_day)

    def files(
        self, market: Market, kind: str, symbol: str, from_day: date, to_day: date
    ) -> list[Path]:
        """Files that hold these days, in order, to be copied as they are (export)."""
        low, high = day_number(from_day) * DAY_S, (day_number(to_day) + 1) * DAY_S
        listing = folder_index(folder_of(self.root, market, kind, symbol)).listing()
        return [file.path for file in listing.files if touches(file.period, low, high)]

    def _kept(self, market: Market) -> list[tuple[str, str]]:
        """Kinds of trades and klines with their symbols, in order of symbol, kind."""
        kinds = [
            kind
            for kind in kinds_of(self.root, market)
            if is_trades(kind) or kline_length(kind) is not None
        ]
        kept = [
            (kind, symbol) for kind in kinds for symbol in folders_in(self.root / market / kind)
        ]
        return sorted(kept, key=lambda each: (each[1], each[0]))

    def _ticks(self, stream: LakeStream, low_us: int, high_us: int) -> LakeTicks:
        files = stream_files(self.root, stream).trades().days.values()
        parts = [
            read_trades(file.path, low_us, high_us)
            for file in files
            if file.footer.first_us < high_us and file.footer.last_us >= low_us
        ]
        return _ticks_of(parts, low_us, high_us)


def _are_of(file: LakeFile, kind: SourceKind) -> bool:
    """Whether all rows of a file are of one kind of source."""
    return all(each.kind == kind for each in file.footer.sources)


def _ticks_of(parts: list[TradeColumns], low_us: int, high_us: int) -> LakeTicks:
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return LakeTicks(none, none, np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_), [])
    trades = joined(parts)
    trades = taken(trades, (trades.time_us >= low_us) & (trades.time_us < high_us))
    trades = taken(trades, np.lexsort((trades.trade_id, trades.time_us)))
    is_trade = trades.price > 0
    others = sorted(trades.trade_id[~is_trade].tolist())
    if others:
        trades = taken(trades, is_trade)
    return LakeTicks(
        trades.time_us,
        trades.trade_id,
        as_doubles(trades.price),
        as_doubles(trades.quantity),
        trades.buyer_is_maker,
        others,
    )


def _holding(root: Path, market: Market, kind: str, symbol: str, file: LakeFile) -> Holding:
    footer, size = file.footer, file.size
    if is_trades(kind):
        folder = folder_of(root, market, f"{kind}_1s", symbol)
        seconds = folder_index(folder).listing().by_period().get(file.period)
        size += 0 if seconds is None else seconds.size
        edges = footer.ids
        gaps = [(one.last_id + 1, two.first_id - 1) for one, two in pairwise(edges)]
    else:
        gaps = [(one[1], two[0]) for one, two in pairwise(footer.spans)]
    return Holding(
        market,
        kind,
        symbol,
        file.period,
        footer.rows,
        size,
        footer.first_us,
        footer.last_us,
        tuple(gaps),
        footer.sources,
    )
