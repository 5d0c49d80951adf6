"""One stream's part in the lake: its pieces, its ids, and who says what it knows."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW, Spans, StoredRows, without_spans
from ingest.store.lake import IdSpan, LakeTicks
from ingest.store.last_trade import LastTrade
from ingest.store.pieces import LakeStream, Pieces, PieceStore
from ingest.store.sources.origins import EXCHANGE, IMPORTED, RECORDED, OriginSpans


class SecondsByOrigin(NamedTuple):
    """Who says what the lake knows: seconds ``(low, high)``, `high` excluded, in order.

    Attributes
    ----------
    traded
        Of which its trades tell; of the rest that it knows klines do.
    recorded
        Of which the trades are of a recording of ours, moved there.
    summed_up
        Of which the klines are no exchange's, but made of a file's trades.
    """

    traded: Spans
    recorded: Spans = []  # noqa: RUF012 - never changed
    summed_up: Spans = []  # noqa: RUF012


class LakeSide:
    """What the lake has of a stream, as of one state of its files. A `PieceStore`. Any thread.

    Parameters
    ----------
    store
        Its pieces.
    id_spans
        Its ids, in order.
    ticks
        Reads its trades from one time to another, µs.
    stream, state
        What it is of, and the state of its files.
    told
        Who says what it knows.
    """

    def __init__(
        self,
        store: PieceStore,
        id_spans: list[IdSpan],
        ticks: Callable[[int, int], LakeTicks],
        stream: LakeStream,
        state: int = 0,
        by_origin: SecondsByOrigin | None = None,
    ) -> None:
        self._store, self.id_spans, self.ticks = store, id_spans, ticks
        self.last_bars: dict[tuple[int, int], StoredRows] = {}  # what `joins` made of its ticks
        self.stream, self.state = stream, state
        self._lengths = store.lengths()
        self._firsts = {each: store.first(each) for each in self._lengths}
        self._lasts = {each: store.last(each) for each in self._lengths}
        self._traded = [
            (each.first_us // SECOND_US, each.last_us // SECOND_US + 1) for each in id_spans
        ]
        self._by_origin = SecondsByOrigin(self._traded) if by_origin is None else by_origin

    def lengths(self) -> list[int]:
        """Lengths that are kept, in seconds, the finest first."""
        return self._lengths

    def first(self, length: int) -> int | None:
        """Second at which what is known of a length begins."""
        return self._firsts.get(length)

    def last(self, length: int) -> int | None:
        """Second at which what is known of a length ends."""
        return self._lasts.get(length)

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Pieces that lie wholly in ``low … high``."""
        if not self._has(length, low, high):
            return nothing()
        rows, known = self._store.read(length, low, high)
        traded = (rows["trades"] > 0) | (rows["volume"] > 0)
        return Pieces(rows if traded.all() else rows[traded], known)

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds of whole pieces that are known and touch ``low … high``."""
        return self._store.known(length, low, high) if self._has(length, low, high) else []

    def flagged(self, known: Spans) -> OriginSpans:
        """Who says what the lake knows of some seconds: trades where it has any, else klines."""
        others = without_spans(known, self._by_origin.traded)
        trades = without_spans(known, others)
        imported = without_spans(trades, self._by_origin.recorded)
        exchange = without_spans(others, self._by_origin.summed_up)
        kinds = (
            (exchange, EXCHANGE),
            (imported + without_spans(others, exchange), IMPORTED),
            (without_spans(trades, imported), RECORDED),
        )
        return sorted((low, high, flag) for spans, flag in kinds for low, high in spans)

    @cached_property
    def last_trade(self) -> LastTrade | None:
        """The newest trade, or the end of the last bar that holds one where there are bars only.

        When it was received is not kept: that is its own time too.
        """
        for length in self._lengths:
            end, rows = self._lasts[length] or 0, nothing().rows
            for back in (1_000, 100_000, end // length + 1):
                rows = rows if rows.size else self.read(length, end - back * length, end).rows
            if rows.size:
                bar_end_us = (int(rows["at"][-1]) + length) * SECOND_US
                trade_us = self.id_spans[-1].last_us if self.id_spans else 0
                is_trade = bar_end_us - length * SECOND_US <= trade_us < bar_end_us
                time_us = trade_us if is_trade else bar_end_us - 1
                return LastTrade(time_us, time_us, float(rows["close"][-1]))
        return None

    @property
    def begins_us(self) -> int | None:
        """Time of the first trade, or of the first bar where there are bars only; None: empty."""
        if self.id_spans:
            return self.id_spans[0].first_us
        firsts = [each for each in self._firsts.values() if each is not None]
        return min(firsts) * SECOND_US if firsts else None

    @cached_property
    def trades_begin(self) -> int | None:
        """Second of the first trade where nothing is known of the time before; else None."""
        firsts = [each for each in self._firsts.values() if each is not None]
        begins = min(firsts, default=None)
        return begins if self._traded and begins == self._traded[0][0] else None

    @cached_property
    def trades_end(self) -> int | None:
        """End of the last trade's second where nothing is known of the time after; else None."""
        ends = self.end
        return ends if self._traded and ends == self._traded[-1][1] else None

    @property
    def end(self) -> int:
        """Second at which all that is known ends; 0 where nothing is."""
        return max((each for each in self._lasts.values() if each is not None), default=0)

    def partial_seconds(self, first: int, newest: int) -> list[int]:
        """Seconds that the lake knows in part and the database too: at the edges of its trades.

        Of the second of its very first trade, and of that of the last one, it says what these
        trades say, unless a source of the whole day has them.

        Parameters
        ----------
        first, newest
            Seconds of the database's first and newest trades.
        """
        if not self._traded:
            return []
        (begins, _), (_, ends) = self._traded[0], self._traded[-1]
        partial = []
        if self.first(1) == begins and begins >= first:
            partial.append(begins)
        if self.last(1) == ends and first < ends <= newest + 1:
            partial.append(ends - 1)
        return partial

    def _has(self, length: int, low: int, high: int) -> bool:
        first, last = self.first(length), self.last(length)
        return first is not None and last is not None and first < high and low < last


class Silence:
    """A `PieceStore` that knows of some seconds that nothing was traded in them: no pieces.

    So the first bar and the newest one are what the trades know of them, as in the database.
    """

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def lengths(self) -> list[int]:
        """Seconds."""
        return [1]

    def first(self, length: int) -> int | None:
        """Where the first of them begins."""
        return self._spans[0][0] if length == 1 else None

    def last(self, length: int) -> int | None:
        """Where the last of them ends."""
        return self._spans[-1][1] if length == 1 else None

    def read(self, length: int, low: int, high: int) -> Pieces:
        """No piece, and what is known."""
        return Pieces(nothing().rows, self.known(length, low, high))

    def known(self, length: int, low: int, high: int) -> Spans:
        """Those seconds inside ``low … high``."""
        return (
            without_spans([(low, high)], without_spans([(low, high)], self._spans))
            if (length == 1)
            else []
        )


class WithoutSeconds:
    """A `PieceStore` that does not know some seconds of another one."""

    def __init__(self, store: PieceStore, seconds: list[int]) -> None:
        self._store, self._cuts = store, seconds
        self.lengths, self.first, self.last = store.lengths, store.first, store.last

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Pieces without these seconds."""
        rows, known = self._store.read(length, low, high)
        cuts = [each // length * length for each in self._cuts]
        keep = ~np.isin(rows["at"], cuts)
        return Pieces(rows if keep.all() else rows[keep], _without_pieces(known, cuts, length))

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds known but these pieces."""
        cuts = [each // length * length for each in self._cuts]
        return _without_pieces(self._store.known(length, low, high), cuts, length)


def _without_pieces(known: Spans, opens: list[int], length: int) -> Spans:
    return without_spans(known, [(each, each + length) for each in opens])


def nothing() -> Pieces:
    """No piece, and nothing known."""
    return Pieces(np.empty(0, dtype=STORED_ROW), [])
