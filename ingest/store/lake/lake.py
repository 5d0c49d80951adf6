"""The lake as it is read: what there is, bars of it, trades of it. Any thread, no lock."""

from datetime import date
from pathlib import Path

from ingest.store.lake.holding import Holding, IdSpan, LakeTicks
from ingest.store.pieces import LakeStream, PieceStore
from ingest.tick import Market


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
        raise NotImplementedError

    def pieces(self, stream: LakeStream) -> PieceStore:
        """Bars of a stream: 1, 60 and 3600 s of its trades, and its klines' lengths.

        Where trades and klines know the same seconds the trades' bars are given. Trades are known
        as far as their ids go without a hole, over midnight too; from midnight to midnight where a
        source of the whole day has no neighbour. Of what touches a hole in the ids nothing is
        known. The second of the stream's very first trade and that of its last one count as known:
        they are what the trades know of them, as in the database.
        """
        raise NotImplementedError

    def ticks(self, stream: LakeStream, low_us: int, high_us: int) -> LakeTicks:
        """Trades with ``low_us <= time < high_us``, in order of time, then id."""
        raise NotImplementedError

    def id_spans(self, stream: LakeStream) -> list[IdSpan]:
        """Ids held, in order, merged over days. Ids that are no trades count."""
        raise NotImplementedError

    def state(self, stream: LakeStream) -> int:
        """Give a number that changes when a file of the stream, or of its klines, does.

        Cheap: asked at each refresh.
        """
        raise NotImplementedError

    def holdings(self) -> list[Holding]:
        """Every day of trades and month of klines, in order of market, symbol, kind, period."""
        raise NotImplementedError

    def delete(self, market: Market, kind: str, symbol: str, from_day: date, to_day: date) -> int:
        """Delete days, both included; gives the bytes that became free.

        Of trades their bars go too; of klines (``kline_1min`` …) the rows of these days.

        Raises
        ------
        LakeError
            Another process writes to the lake.
        """
        raise NotImplementedError

    def files(
        self, market: Market, kind: str, symbol: str, from_day: date, to_day: date
    ) -> list[Path]:
        """Files that hold these days, in order, to be copied as they are (export)."""
        raise NotImplementedError
