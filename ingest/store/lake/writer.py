"""The one who writes to the lake: days of trades with their bars, months of klines."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest.store.bars import StoredRows
from ingest.store.lake.holding import DayReport, MonthReport, Source, TradeColumns
from ingest.store.pieces import LakeStream
from ingest.tick import Market


class LakeWriter:
    """Writes to a lake; as a context manager, closed at the end.

    Parameters
    ----------
    root
        The lake's folder; made where it is not there.
    wait_s
        How long to wait for another writer, in this process or another one, to end.

    Raises
    ------
    LakeError
        Another writer is at it (one line), or the folder cannot be written to.
    """

    def __init__(self, root: Path | str, *, wait_s: float = 0.0) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Use as a context manager: closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let others write; may be called twice."""
        raise NotImplementedError

    def put_trades(
        self, stream: LakeStream, day: date, trades: TradeColumns, source: Source
    ) -> DayReport:
        """Add trades of one UTC day to what is held of it, by id, and make its 1-s bars.

        Safe against a kill at any moment: the day's file is the old one or the new one. Nothing is
        written where nothing changes. The month's bars are made by `refresh_bars`.

        Raises
        ------
        LakeError
            A trade of another day, an id or time that cannot be, a disk that is full.
        """
        raise NotImplementedError

    def put_klines(
        self, market: Market, symbol: str, length_s: int, rows: StoredRows, source: Source
    ) -> MonthReport:
        """Add klines, those without a trade too, to what is held, by their open.

        Parameters
        ----------
        market, symbol, length_s
            Whose, and how long each: a divisor of a day.
        rows
            `STORED_ROW`, in any order; `at` a multiple of `length_s`. A volume that is not in
            ``0 … 2**63 - 2`` does not fit: that kline is left out and counted.
        """
        raise NotImplementedError

    def refresh_bars(self, stream: LakeStream, months: Iterable[date] | None = None) -> None:
        """Make bars that are missing or stale again from the trades: 1 s, 1 min and 1 h.

        Day by day, in bounded memory. To be called at the end of what was put; until then days are
        read from finer bars, or from the trades themselves.

        Parameters
        ----------
        stream
            Whose.
        months
            Any day of each month to look at; None: all.
        """
        raise NotImplementedError
