"""What a window of bars shows: closed bars, the forming one, and a key that tells them apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ingest.store.bars import SECOND_US, BarColumns
from ingest.store.connecting import utc_time
from ingest.store.sources.origins import source_spans


@dataclass(frozen=True, slots=True, eq=False)
class BarView:
    """Closed bars of a window from some second on. Never changed; equal keys, equal bars.

    Attributes
    ----------
    closed
        Every bar but the one that holds the newest trade.
    forming
        That one: one bar, or none where there is no tick.
    key
        Identifies the closed bars of this symbol in this process.
    klines_until
        Second at which the exchange's own bars end; None where there are none.
    """

    closed: BarColumns
    forming: BarColumns
    key: tuple[int, int, int]
    klines_until: int | None

    def before(self, bar: int) -> BarColumns:
        """Bars that open before `bar`, counted from the epoch.

        The forming bar is among them where the market as a whole has gone past it: this symbol has
        not traded since.
        """
        if len(self.forming) and self.forming.first < bar:
            return self._all()
        return self.closed.part(0, min(len(self.closed), max(0, bar - self.closed.first)))

    def _all(self) -> BarColumns:
        both = zip(self.closed.arrays(), self.forming.arrays(), strict=True)
        first = self.closed.first if len(self.closed) else self.forming.first
        return BarColumns(first, self.closed.seconds, *map(np.concatenate, both))

    def frame(self, *, with_forming: bool = True) -> pd.DataFrame:
        """Make the bars frame that `TickReader.bars` gives, or its closed bars only."""
        columns = self.closed
        if with_forming and len(self.forming):
            columns = self._all()
        bars = columns.frame()
        if with_forming and len(self.forming):
            bars.attrs["forming"] = bars.index[-1]
        if self.klines_until is not None and len(columns):
            bars.attrs["klines_until"] = utc_time(self.klines_until * SECOND_US)
        add_kline_spans(bars, columns)
        add_sources(bars, columns)
        return bars


def add_sources(bars: pd.DataFrame, columns: BarColumns) -> None:
    """Name in ``attrs["sources"]`` who says what the bars hold: "recorded trades" and so on.

    A tuple of (start, end, words), UTC; missing bars are in none.
    """
    if spans := source_spans(columns):
        bars.attrs["sources"] = spans


def add_kline_spans(bars: pd.DataFrame, columns: BarColumns) -> None:
    """Name in ``attrs["kline_spans"]`` where bars inside gaps are the exchange's own.

    A tuple of (start, end), UTC; absent where there are none.
    """
    if spans := columns.kline_spans():
        bars.attrs["kline_spans"] = tuple(
            (utc_time(low * SECOND_US), utc_time(high * SECOND_US)) for low, high in spans
        )
